"""What the pages show: the first start, home, the list and its filter, a call, files, the account, both languages."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from ippbx_billing.language import use
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load
from tests.console.visitor import PASSWORD, Clock, Visitor


def log(site: Path) -> list[tuple[str, str]]:
    with OperatorFile(load(site).operators_path) as file:
        return [(one.action, one.object) for one in file.log.entries()]


def test_the_first_start_asks_for_a_name_and_a_password(site: Path, clock: Clock) -> None:
    """No default password: the address that was printed makes the administrator, once."""
    with OperatorFile(load(site).operators_path) as file:
        secret = file.operators.invite(None, clock.now)
    with Visitor(site, clock) as somebody:
        page = f"/welcome/{secret}"
        assert "Nobody can sign in yet" in somebody.get(page).text
        form = {"name": "anna", "password": PASSWORD, "again": "another one, as it is"}
        assert "the two passwords differ" in somebody.post(page, form).text
        assert "password has" in somebody.post(page, {**form, "password": "short", "again": "short"}).text
        assert somebody.post(page, {**form, "again": PASSWORD}).path == "/"
        assert somebody.get(page).status == 404
        assert somebody.post(page, {**form, "again": PASSWORD}).status == 404
    with OperatorFile(load(site).operators_path) as file:
        (anna,) = file.operators.all()
        assert (anna.name, anna.role) == ("anna", Role.ADMINISTRATOR)
    assert [action for action, _ in log(site)][:3] == ["sign-in", "operators password", "operators add"]


def test_home_shows_the_day_and_the_thirteen_columns(anna: Visitor) -> None:
    """The manual's columns in its order; five figures, each with its line; the state, and the log."""
    page = anna.get("/")
    headings = page.texts("th")[:13]
    assert headings == ["Extension", "Name", "Department", "Date", "Start", "Talk time", "Trunk", "Direction",
                        "Number", "Region", "Place", "Traffic type", "Fee (CNY)"]  # fmt: skip
    assert len(page.tree().xpath("//article[@class='figure']/strong")) == 5
    assert len(page.tree().xpath("//svg[@class='spark']")) == 5
    assert len(page.tree().xpath("//tbody[@id='live']/tr")) == 18
    assert "backup" in page.text
    assert "event 23 from 192.168.6.169" in page.text
    assert "anna (192.168.6.20): sign-in" in page.text


def test_home_agrees_with_the_report(anna: Visitor, office: Path) -> None:
    """The figures are those of the day's report."""
    from ippbx_billing.reports import Period, View, report

    using = load(office)
    day = Period.days(*[datetime(2026, 10, 14, tzinfo=UTC).date()] * 2)
    with Ledger(using.ledger_path) as ledger:
        total = report(ledger, View(using.site_zone, "CNY"), day, ("day",)).total
    shown = [" ".join(one.text_content().split()) for one in anna.get("/").tree().xpath("//article/strong")]
    assert shown[0] == str(total["calls"])
    assert shown[1] == str(total["answered"])
    assert shown[3].endswith(total["fee"])
    assert shown[4] == str(total["unpriced"])


def test_home_in_chinese(anna: Visitor) -> None:
    """The language is the operator's: it stays, and is the pages' alone."""
    anna.post("/account/language", {"language": "zh", "next": "/"})
    page = anna.get("/")
    assert page.tree().get("lang") == "zh-CN"
    columns = (
        "分机号码 分机姓名 部门名称 通话日期 开始时间 通话时长 中继名称 通话方向 电话号码 所属地区 所属地名 话务类型"
    )
    assert page.texts("th")[:13] == [*columns.split(), "话费（CNY）"]
    assert "实时话单" in page.text
    assert "系统日志" in page.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_speaks_two_languages(anna: Visitor, language: str) -> None:
    """On a Chinese page no sentence of ours stays English; the browser's wish counts before somebody signs in."""
    use(language)
    page = anna.get("/sign-in", headers={"accept-language": f"{language}-XX,en;q=0.5"})
    assert page.status == 200
    anna.post("/account/language", {"language": language})
    for path in ("/", "/calls?period=this-month", "/calls/4", "/account", "/nothing"):
        words = (
            anna.get(path)
            .tree()
            .xpath("//main//label/text() | //main//h1/text() | //main//h2/text() | //nav//a/text()")
        )
        known = {"anna", "ippbx-bill", "English", "中文"}
        for word in (" ".join(one.split()) for one in words):
            if word and word not in known and re.search("[A-Za-z]{3,}", word):
                assert language == "en", (path, word)


def test_calls_are_listed_a_page_at_a_time(anna: Visitor, office: Path) -> None:
    """The newest first; the next page begins behind the last call, and the question goes along."""
    from ippbx_billing.console.pages import calls

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "ROWS", 4)
        path, ids = "/calls?period=this-month&extension=80..", []
        while path:
            page = anna.get(path)
            ids += [int(one) for one in page.tree().xpath("//tbody/tr/td[1]/a/text()")]
            path = next(iter(page.tree().xpath("//a[@rel='next']/@href")), "")
            assert not path or "extension=80.." in path
    assert len(ids) == len(set(ids)) == 22


def test_the_filter_is_kept_in_the_address(anna: Visitor) -> None:
    """Every field shows what the address says, and the links to other days carry it on."""
    page = anna.get("/calls?from=2026-10-01&to=2026-10-12&extension=8001&direction=outbound&status=rated")
    tree = page.tree()
    assert tree.xpath("//input[@name='from']/@value") == ["2026-10-01"]
    assert tree.xpath("//input[@name='extension']/@value") == ["8001"]
    assert tree.xpath("//select[@name='direction']/option[@selected]/@value") == ["outbound"]
    assert tree.xpath("//details[@open]")
    (yesterday,) = tree.xpath("//a[text()='Yesterday']/@href")
    assert yesterday == "/calls?extension=8001&direction=outbound&status=rated&period=yesterday"
    assert {row[:10] for row in page.tree().xpath("//tbody/tr/td[5]/text()")} == {"2026-10-09", "2026-10-11"}


@pytest.mark.parametrize(
    "wrong",
    ["from=2026-13-01", "from=2026-10-12&to=2026-10-01", "direction=sideways", "period=someday", "country=CHN",
     "min_fee=x", "month=2026", "after=1.2", "extension=" + "8" * 300],
)  # fmt: skip
def test_questions_that_cannot_be_meant_are_told_so(anna: Visitor, wrong: str) -> None:
    page = anna.get(f"/calls?{wrong}")
    assert page.status == 400
    assert page.texts("h1")[0]


def test_a_list_comes_in_every_form(anna: Visitor, office: Path) -> None:
    """Exactly the list that was asked for; the log says who took it."""
    found = {}
    for form in ("csv", "json", "xlsx", "pdf", "html", "markdown"):
        answer = anna.get(f"/calls/file?period=this-month&extension=8001&form={form}")
        assert answer.status == 200, form
        assert "attachment" in answer.headers["content-disposition"]
        found[form] = answer.body
    assert found["csv"].count(b"\n") == 7
    assert found["pdf"].startswith(b"%PDF")
    sheet = openpyxl.load_workbook(io.BytesIO(found["xlsx"])).active
    assert sheet is not None
    assert sum(row[0].value is not None for row in sheet.iter_rows(min_row=2)) >= 6
    assert log(office)[0] == ("calls download", "2026-10")
    assert anna.get("/calls/file?form=exe").status == 400


def test_a_call_tells_its_story(anna: Visitor) -> None:
    """Steps, fee, prices that fit with the one that won, where it came from, and the bytes."""
    page = anna.get("/calls/21")
    assert page.texts("h1")[0].startswith("Call 21")
    assert page.texts("ol")[0].startswith("The call used trunk")
    assert "Fee: 0.98 CNY" in page.text
    assert page.tree().xpath("//tr[@class='won']/td[4]/text()") == ["won"]
    event = anna.get(next(one for one in page.links() if one.startswith("/events/")))
    assert "901062345678" in event.text
    body = anna.get(f"{event.path}/bytes")
    assert body.headers["content-type"] == "application/octet-stream"
    assert b"901062345678" in body.body


def test_a_call_is_priced_again(anna: Visitor, office: Path, cli) -> None:  # type: ignore[no-untyped-def]
    """With today's prices, noted with the fee before and after."""
    with Ledger(load(office).ledger_path) as ledger:
        ledger.connection.execute("UPDATE prices SET step_fee_micro = 140000, initial_fee_micro = 140000")
    page = anna.post("/calls/21/again")
    assert page.path == "/calls/23"  # a call that is read again gets a new number
    assert "the fee is another one now" in page.text
    assert "Fee: 1.96 CNY" in page.text
    assert "until" in page.texts("section")[-1]
    assert "the fee is another one now" not in anna.get("/calls/23").text  # told once
    with OperatorFile(load(office).operators_path) as file:
        entry = next(file.log.entries(action="events replay"))
    assert (entry.before["fee"], entry.after["fee"]) == ("0.98", "1.96")


def test_the_password_is_changed_by_its_owner(anna: Visitor, office: Path) -> None:
    """The present one is asked for; every other visit ends, this one stays."""
    with Visitor(office, anna.clock) as elsewhere:
        elsewhere.sign_in("anna")
        new = "another correct horse"
        wrong = anna.post("/account/password", {"present": "wrong", "password": new, "again": new})
        assert "present password is another one" in wrong.text
        done = anna.post("/account/password", {"present": PASSWORD, "password": new, "again": new})
        assert "The password is changed" in done.text
        assert elsewhere.get("/account").path.startswith("/sign-in")
        assert elsewhere.sign_in("anna").status == 403
        assert elsewhere.sign_in("anna", new).status == 200


def test_a_failure_of_ours_is_a_sorry_and_not_the_end(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trace of it is shown; the next page works."""
    from ippbx_billing.console.pages import calls

    with monkeypatch.context() as patch:
        patch.setattr(calls, "calls_page", lambda *_, **__: 1 / 0)
        page = anna.get("/calls")
    assert page.status == 500
    assert "Traceback" not in page.text
    assert "division" not in page.text
    assert anna.get("/calls").status == 200
