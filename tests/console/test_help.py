"""The manual in the console: the same files, in the operator's language, with links that lead on and nothing obeyed."""

from ippbx_billing import manual
from ippbx_billing.manual.web import as_html
from tests.console.visitor import Visitor


def test_every_page_is_shown_and_every_link_leads_on(anna: Visitor) -> None:
    """From the list to all pages; what a page links to is a page, a heading of it, or elsewhere on the web."""
    listed = [one for one in anna.get("/help").links() if one.startswith("/help/")]
    assert listed == [f"/help/{one.topic}" for one in manual.pages("en")]
    for path in listed:
        page = anna.get(path)
        assert page.status == 200
        assert not page.tree().xpath("//main//*[@style]")
        links = page.tree().xpath("//div[@class='manual']//a/@href")
        assert not [one for one in links if one not in listed and not one.startswith("https://")], path
        assert "&lt;!--" not in page.text
    assert anna.get("/help/../../etc/passwd").status == 404
    assert anna.get("/help/none").status == 404


def test_it_is_in_the_operators_language_and_searched(anna: Visitor) -> None:
    anna.post("/account/language", {"language": "zh"})
    assert anna.get("/help/prices").texts("h1") == [manual.page("prices", "zh").title]  # type: ignore[union-attr]
    wanted = [one.title for one in manual.told_in("账单", "zh")]
    assert wanted
    assert anna.get("/help?word=账单").texts("li")[-len(wanted) :] == wanted


def test_what_stands_in_a_page_is_text() -> None:
    """Raw HTML is shown, an address that is a script makes no link, a file of ours is named only."""
    shown = as_html(
        "a <b onclick=x>\n\n[x](javascript:alert) [f](../x.py) [p](start.md#top)\n\n<!-- gone -->\n", "/help/"
    )
    assert "<b" not in shown
    assert 'href="javascript' not in shown
    assert "gone" not in shown
    assert shown.count("<a ") == 1
    assert '<a href="/help/start#top">p</a>' in shown
