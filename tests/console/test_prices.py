"""Prices: the difference on real calls before anything is saved, what was looked at is saved, files by upload."""

import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from ippbx_billing.console.pages import prices
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists import sheets
from ippbx_billing.lists.tariffs import forms
from ippbx_billing.operators import OperatorFile
from ippbx_billing.operators.log import LogEntry
from ippbx_billing.settings import load
from ippbx_billing.tariffs import Price
from tests.console.test_upkeep import ended
from tests.console.visitor import Answered, Visitor

DIFFERENCE = re.compile(r"(\d+) calls from \S+ to \S+ are concerned: (\S+) CNY before, (\S+) CNY after, (\S+) CNY")


def hidden(page: Answered, action: str) -> dict[str, str]:
    (form,) = page.tree().xpath(f"//form[@action='{action}']")
    return {one.get("name"): one.get("value") for one in form.xpath(".//input[@type='hidden']")}


def price_of_mobiles(site: Path) -> Price:
    """The price that the office's calls to Beijing have."""
    with Ledger(load(site).ledger_path) as ledger:
        row = ledger.connection.execute(
            "SELECT price_id FROM charges JOIN calls USING (id) WHERE number LIKE '%1062345678'"
        ).fetchone()
        price = ledger.book.price(row[0])
    assert price is not None
    return price


def fees(site: Path) -> Decimal:
    with Ledger(load(site).ledger_path) as ledger:
        return Decimal(ledger.connection.execute("SELECT sum(fee_micro) FROM charges").fetchone()[0]) / 1_000_000


def noted(site: Path, action: str) -> LogEntry:
    with OperatorFile(load(site).operators_path) as file:
        return next(file.log.entries(action=action))


def told(page: Answered) -> tuple[int, Decimal, Decimal, Decimal]:
    found = DIFFERENCE.search(page.text)
    assert found, page.texts("p")
    return int(found[1]), *(Decimal(found[place]) for place in (2, 3, 4))  # type: ignore[return-value]


def test_a_price_is_tried_on_real_calls_then_saved_and_rated_again(anna: Visitor, office: Path) -> None:
    """What the preview says is what rating again does; before, nothing is changed; it is noted with both rows."""
    price = price_of_mobiles(office)
    path = f"/carriers/prices/{price.id}"
    page = anna.get(path)
    fields = forms.fields_of(price)
    given = {**fields, "way": "set", "id": f"{price.id}", "step_fee": "0.90", "initial_fee": "0.90",
             "month": "this-month"}  # fmt: skip
    assert {one.get("name") for one in page.tree().xpath("//form[1]//*[@name]")} >= {"way", "id", *fields} - {"status"}
    tried = anna.post("/carriers/prices/try", given)
    calls, before, after, difference = told(tried)
    assert calls > 0
    assert after - before == difference > 0
    assert price_of_mobiles(office) == price
    form = hidden(tried, "/carriers/prices/save")
    was = fees(office)
    page = anna.post("/carriers/prices/save", form)
    assert page.path.startswith("/carriers/prices/saved")
    assert fees(office) == was
    again = hidden(page, "/upkeep/rerate")
    assert again == {"from": price.effective_from.isoformat(), "to": "2026-10-14"}
    anna.post("/upkeep/rerate", again)
    assert ended(anna.app.state.house.jobs.last).outcome.lines
    assert fees(office) - was == difference
    entry = noted(office, "tariffs set")
    assert [one["id"] for one in entry.before] == [price.id]
    assert anna.post("/carriers/prices/save", form).status == 400  # it is in force already


def test_a_new_version_is_supposed_to_have_been_there(anna: Visitor, office: Path) -> None:
    """One that begins next month is tried as if it had begun with this one; calls keep their price when it is saved."""
    price = price_of_mobiles(office)
    given = {**forms.fields_of(price), "way": "set", "step_fee": "0", "initial_fee": "0", "month": "this-month"}
    tried = anna.post("/carriers/prices/try", given | {"effective_from": "2026-11-01"})
    assert told(tried)[2] == 0
    assert "as if it had been in force" in tried.text
    page = anna.post("/carriers/prices/save", hidden(tried, "/carriers/prices/save"))
    assert page.path.startswith("/carriers/prices?")
    assert "2026-11-01" in page.text
    assert price_of_mobiles(office) == price


def test_a_price_is_added_ended_and_taken_out(anna: Visitor, office: Path) -> None:
    """An end leaves the calls without a price, and the preview says so; another destination is another price."""
    price = price_of_mobiles(office)
    added = anna.get(f"/carriers/prices/new?carrier={price.carrier}")
    assert added.status == 200
    given = {"way": "set", "carrier": price.carrier, "traffic_type": "domestic", "direction": "outbound",
             "match": "area", "value": "010, 0755", "initial_s": "60", "initial_fee": "0.5", "step_s": "60",
             "step_fee": "0.5", "effective_from": "2026-10-01", "counting": "begun", "month": "this-month"}  # fmt: skip
    tried = anna.post("/carriers/prices/try", given)
    assert told(tried)[0] == 1
    assert len(tried.tree().xpath("//main//table[1]/tbody/tr")) >= 2
    for form in ({"way": "end", "effective_from": "2026-10-01"}, {"way": "remove"}):
        tried = anna.post("/carriers/prices/try", {"id": f"{price.id}", "month": "this-month", **form})
        assert "without a price among them: 0 before" in tried.text, form
    anna.post("/carriers/prices/save", hidden(tried, "/carriers/prices/save"))
    assert anna.get(f"/carriers/prices/{price.id}").status == 404


def test_a_slip_is_told_beside_what_was_typed(anna: Visitor, office: Path) -> None:
    price = price_of_mobiles(office)
    given = {**forms.fields_of(price), "way": "set", "id": f"{price.id}"}
    page = anna.post("/carriers/prices/try", given | {"initial_fee": "cheap", "note": "kept"})
    assert page.status == 400
    assert "cheap" in page.tree().xpath("//*[@role='alert']")[0].text_content()
    assert page.tree().xpath("//input[@name='note']/@value") == ["kept"]
    assert "in force already" in anna.post("/carriers/prices/try", given).text
    again = anna.post("/carriers/prices/again", given | {"step_fee": "0.77"})
    assert again.tree().xpath("//input[@name='step_fee']/@value") == ["0.77"]
    assert anna.post("/carriers/prices/try", {"way": "x"}).status == 400
    assert anna.get("/carriers/prices/saved?from=x").status == 400


# -- a whole list


def deck(carrier: str, *lines: str) -> bytes:
    rows = [f"{carrier},domestic,area,{line}" for line in lines]
    return "\n".join(["carrier,traffic_type,match,value,initial_s,initial_fee,step_s,step_fee", *rows]).encode()


def send(anna: Visitor, content: bytes, name: str = "deck.csv", **given: str) -> Answered:
    return anna.post("/carriers/import/try", given, files={"file": (name, content)})


def test_a_file_with_faults_tells_each_with_its_line(anna: Visitor, office: Path) -> None:
    carrier = price_of_mobiles(office).carrier
    page = send(anna, deck(carrier, "010,60,0.5,60,0.5", "0755,60,much,60,0.5", "020,sixty,0.5,60,0.5"))
    assert page.status == 400
    cells = [one.text_content() for one in page.tree().xpath("//div[@role='alert']//tbody/tr/td[1]")]
    assert cells == ["line 3", "line 4"]
    assert not page.tree().xpath("//form[@action='/carriers/import/do']")


def test_a_file_is_looked_at_then_brought_in(anna: Visitor, visitor: Visitor, office: Path) -> None:
    """A second, confirmed form does it, once, for whoever sent the file, and only if it still does the same."""
    carrier = price_of_mobiles(office).carrier
    content = deck(carrier, "010,60,0.5,60,0.5", "0755,60,0.4,60,0.4")
    given = {"first_day": "2026-10-01", "month": "this-month"}
    page = send(anna, content, **given)
    assert told(page)[0] == 1
    assert "2 added, 0 changed, 0 removed" in page.text
    form = hidden(page, "/carriers/import/do")
    with Visitor(office, anna.clock) as carla:
        carla.app.state.house.uploads = anna.app.state.house.uploads
        carla.sign_in("carla")
        assert carla.post("/carriers/import/do", form).status == 404
    assert "meanwhile" in anna.post("/carriers/import/do", form | {"mark": "x"}).text
    form = hidden(send(anna, content, **given), "/carriers/import/do")
    done = anna.post("/carriers/import/do", form)
    assert done.path.startswith("/carriers/prices/saved")
    assert anna.post("/carriers/import/do", form).status == 404
    with Ledger(load(office).ledger_path) as ledger:
        assert {one.value for one in ledger.book.prices() if one.match == "area"} >= {"010", "0755"}
    assert noted(office, "tariffs import").object == "deck.csv"
    same = send(anna, content, **given)
    assert "2 as before" in same.text
    assert not same.tree().xpath("//form[@action='/carriers/import/do']")


# -- upload bombs


def workbook(sheet: str, **more: bytes) -> bytes:
    """An XLSX file whose only sheet is this XML."""
    from ippbx_billing.lists.tariffs import FileForm, write

    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(write(FileForm.XLSX, [], []))) as whole,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in whole.namelist():
            made.writestr(name, sheet if name.endswith("sheet1.xml") else whole.read(name))
        for name, content in more.items():
            made.writestr(name, content)
    return stream.getvalue()


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
BOMBS = {
    "unpacks to a gigabyte": lambda: workbook("<x/>", zeros=bytes(4_000_000)),
    "a cell at the far end": lambda: workbook(
        f'<worksheet {MAIN}><dimension ref="A1:XFD90000"/><sheetData><row r="90000"><c r="XFD90000"/></row>'
        "</sheetData></worksheet>"
    ),
    "a name of names": lambda: workbook(
        '<!DOCTYPE x [<!ENTITY a "' + "x" * 4_000 + '">'
        + "".join(f'<!ENTITY {b} "' + f"&{a};" * 100 + '">' for a, b in zip("abc", "bcd", strict=True))
        + f']><worksheet {MAIN}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&d;</t></is></c></row>'
        "</sheetData></worksheet>"
    ),
    "a row of commas": lambda: b"," * 40_000,
    "empty lines": lambda: b"\n" * 40_000,
}  # fmt: skip


@pytest.mark.parametrize("bomb", list(BOMBS))
def test_a_small_file_cannot_become_a_large_one(anna: Visitor, monkeypatch: pytest.MonkeyPatch, bomb: str) -> None:
    """Whatever it unpacks to, the answer is a sentence; limits are lowered here so that the test is quick."""
    monkeypatch.setattr(sheets, "MOST_UNPACKED_BYTES", 3_000_000)
    monkeypatch.setattr(sheets, "MOST_CELLS", 1_000_000)
    monkeypatch.setattr(sheets, "MOST_ROWS", 30_000)
    page = send(anna, BOMBS[bomb](), "bomb.csv" if bomb in ("a row of commas", "empty lines") else "bomb.xlsx")
    assert page.status == 400, page.texts("p")
    words = page.tree().xpath("//div[@role='alert']")[0].text_content()
    assert any(one in words for one in ("larger than", "not an XLSX workbook")), words


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(200)),
        ("old.xls", b"\xd0\xcf\x11\xe0" + bytes(200)),
        ("half.xlsx", b"PK\x03\x04" + bytes(200)),
        ("page.html", b"<html><script>alert(1)</script>"),
        ("../../<b>.csv", b"\x00\xff\xfe"),
        ("deck.toml", b"= ["),
    ],
)
def test_what_is_no_list_is_told_so(anna: Visitor, name: str, content: bytes) -> None:
    page = send(anna, content, name)
    assert page.status == 400
    assert page.tree().xpath("//div[@role='alert']//tbody/tr")
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text


def test_how_large_a_body_may_be_and_whose(anna: Visitor, office: Path) -> None:
    """No file, an empty one, a form without files, and one that is too large; of strangers nothing is read at all."""
    assert send(anna, b"").status == 400
    assert anna.post("/carriers/import/try", {"file": "deck.csv"}).status == 400
    assert (
        anna.post("/carriers/import/try", content=b"x", headers={"content-type": "multipart/form-data"}).status == 400
    )
    large = {"file": ("deck.csv", bytes(prices.MOST_BYTES))}
    assert anna.post("/carriers/import/try", files=large).status == 413
    with Visitor(office, anna.clock) as stranger:
        answer = stranger.post("/carriers/import/try", files=large, follow=False)
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
        stranger.sign_in("victor")
        assert stranger.post("/carriers/import/try", files=large).status == 403


@pytest.mark.parametrize("name", ["victor", "hans", "emil"])
def test_who_may_change_prices(visitor: Visitor, office: Path, name: str) -> None:
    visitor.sign_in(name)
    price = price_of_mobiles(office)
    for path in (f"/carriers/prices/{price.id}", "/carriers/import", "/carriers/prices/saved?from=2026-10-01"):
        assert visitor.get(path).status == 403
    for path in ("prices/try", "prices/save", "prices/again", "import/try", "import/do"):
        assert visitor.post(f"/carriers/{path}", {"way": "remove", "id": f"{price.id}"}).status == 403
    if name == "victor":
        assert f"/carriers/prices/{price.id}" not in visitor.get(f"/carriers/prices?carrier={price.carrier}").text
