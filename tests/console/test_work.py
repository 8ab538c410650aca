"""The work list: each cause with what resolves it, tried on the calls concerned, then done; the promise is kept."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.console.visitor import Answered, Visitor


def receive(site: Path, *bodies: bytes) -> None:
    using = load(site)
    fill(using.inbox_path, list(bodies))
    with Inbox(using.inbox_path) as inbox, Ledger(using.ledger_path) as ledger:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()


def spoil(site: Path, sql: str) -> None:
    with Ledger(load(site).ledger_path) as ledger:
        ledger.connection.execute(sql)


def without_price(site: Path) -> list[tuple[str, str]]:
    with Ledger(load(site).ledger_path) as ledger:
        rows = ledger.connection.execute("SELECT g.reason, c.number FROM charges g JOIN calls c USING (id) "
                                         "WHERE g.status = 'unrated' AND c.event_id > 23 ORDER BY c.id")  # fmt: skip
        return [tuple(row) for row in rows]


def form(page: Answered, words: str) -> dict[str, str]:
    """The hidden fields of the form of the cause that these words tell."""
    (found,) = (one for one in page.tree().xpath("//main//article") if words in one.text_content())
    return {one.get("name"): one.get("value") for one in found.xpath(".//input[@type='hidden']")}


def promised(page: Answered) -> tuple[int, Decimal]:
    found = re.search(r"would price ([\d,]+) calls, ([\d.,]+) CNY", page.text)
    assert found
    return int(found[1].replace(",", "")), Decimal(found[2].replace(",", ""))


def fee_of(site: Path, number: str) -> tuple[int, Decimal]:
    with Ledger(load(site).ledger_path) as ledger:
        row = ledger.connection.execute("SELECT count(*), sum(fee_micro) FROM calls JOIN charges USING (id) "
                                        "WHERE status = 'rated' AND number LIKE ?", [number]).fetchone()  # fmt: skip
        return row[0], Decimal(row[1] or 0) / 1_000_000


def test_a_missing_price_is_tried_and_set(anna: Visitor, office: Path) -> None:
    """The sum that was promised is the sum that the calls cost then; nothing is changed before; it is noted."""
    spoil(office, "UPDATE prices SET ended = 1 WHERE traffic_type = 'domestic'")
    receive(office, *(gateway_cdr("8001", f"90107234567{n}", 61 + n, start=f"2026-10-1{n} 09:00:00") for n in range(3)))
    waiting = without_price(office)
    assert len(waiting) == 3
    page = anna.get("/work-list")
    fields = form(page, "3 calls") | {"initial": "60:0.30", "step": "6:0.03",
                                      "first_day": "2026-10-10"}  # fmt: skip
    fields["carrier"] = page.tree().xpath("//select[@name='carrier']/option/text()")[0]
    tried = anna.post("/work-list/try", fields)
    count, fee = promised(tried)
    assert (count, fee) == (3, Decimal("0.99"))
    assert without_price(office) == waiting
    again = {one.get("name"): one.get("value") for one in tried.tree().xpath("//main//input[@type='hidden']")}
    assert again == fields
    done = anna.post("/work-list/do", again)
    assert done.path == "/work-list"
    assert "3 events were read again" in done.text
    assert without_price(office) == []
    assert fee_of(office, "90107%") == (count, fee)
    with OperatorFile(load(office).operators_path) as file:
        entry = next(file.log.entries(action="work mend"))
    assert (entry.before["unrated"], entry.after["unrated"]) == (3, 0)


def test_a_price_that_begins_too_late_promises_nothing(anna: Visitor, office: Path) -> None:
    spoil(office, "UPDATE prices SET ended = 1 WHERE traffic_type = 'domestic'")
    receive(office, gateway_cdr("8001", "907551234567", 61, start="2026-10-12 09:00:00"))
    page = anna.get("/work-list")
    carrier = page.tree().xpath("//select[@name='carrier']/option/text()")[0]
    fields = form(page, "2026-10-12") | {"carrier": carrier, "initial": "60:0.3", "step": "6:0.03"}
    fields["first_day"] = "2026-10-13"
    tried = anna.post("/work-list/try", fields)
    assert promised(tried)[0] == 0
    assert "still without a price: 1" in tried.text


def test_an_unknown_trunk_gets_its_carrier(anna: Visitor, office: Path) -> None:
    """Its calls are priced by that carrier, and only they are read again."""
    spoil(office, "UPDATE carriers SET is_default = 0")
    receive(office, *(gateway_cdr("8003", "911185", 64, start=f"2026-10-14 12:0{n}:00", port=7) for n in range(2)))
    page = anna.get("/work-list")
    fields = form(page, "no default carrier")
    fields["carrier"] = page.tree().xpath("//select[@name='carrier']/option/text()")[0]
    tried = anna.post("/work-list/try", fields)
    count, fee = promised(tried)
    assert count + tried.text.count("still without a price") > 0
    anna.post("/work-list/do", fields)
    with Ledger(load(office).ledger_path) as ledger:
        assert [one.name for one in ledger.book.trunks()] == [fields["trunk"]]
    assert fee_of(office, "911185") == (count, fee)


def test_an_unknown_word_is_taught(anna: Visitor, office: Path) -> None:
    """Tried with dialects that know it, which are gone afterwards."""
    record = {"call_id": "c", "caller": "8001", "callee": "901062345678", "duration": 25, "status": "x-17",
              "start_time": "2026-10-13 09:41:49"}  # fmt: skip
    receive(office, json.dumps(record).encode())
    page = anna.get("/work-list")
    assert "x-17" in page.text
    fields = form(page, "x-17") | {"meaning": "answered"}
    tried = anna.post("/work-list/try", fields)
    count, _ = promised(tried)
    assert count == 1
    assert not load(office).dialects_dir.joinpath("_words.toml").exists()
    assert "x-17 means answered" in anna.post("/work-list/do", fields).text
    assert "x-17" in load(office).dialects_dir.joinpath("_words.toml").read_text(encoding="utf-8")
    assert form_gone(anna, "x-17")


def form_gone(visitor: Visitor, words: str) -> bool:
    page = visitor.get("/work-list")
    return not any(words in one.text_content() for one in page.tree().xpath("//main//article"))


def test_rejected_records_are_read_again(anna: Visitor, office: Path) -> None:
    """A record that nobody understands stays, and that is told before and after."""
    page = anna.get("/work-list")
    (article,) = page.tree().xpath("//main//article[.//input[@value='rejected']]")
    fields = {one.get("name"): one.get("value") for one in article.xpath(".//input[@type='hidden']")}
    assert fields["cause"] == "rejected"
    tried = anna.post("/work-list/try", fields)
    assert promised(tried)[0] == 0
    assert "still without a price: 1" in tried.text
    assert "1 events were read again" in anna.post("/work-list/do", fields).text
    assert len(anna.get("/work-list").tree().xpath("//main//article[.//input[@value='rejected']]")) == 1


@pytest.mark.parametrize("wrong", [
    {"cause": "x"}, {"cause": "unpriced", "way": "trunk", "trunk": "A"}, {"cause": "unpriced", "way": "trunk"},
    {"cause": "word", "way": "word", "word": "x", "meaning": "perhaps"}, {"cause": "word", "way": "word"},
    {"cause": "unpriced", "way": "price", "carrier": "DEFAULT", "initial": "x", "step": "60:1"},
    {"cause": "unpriced", "way": "price", "carrier": "DEFAULT", "initial": "60:1", "step": "60:1", "first_day": "x"},
    {"cause": "unpriced", "way": "price", "carrier": "DEFAULT", "initial": "60:1", "step": "60:1",
     "first_day": "2026-10-01", "traffic_type": "x"},
])  # fmt: skip
def test_forms_that_cannot_be_meant_are_told_so(anna: Visitor, office: Path, wrong: dict[str, str]) -> None:
    with Ledger(load(office).ledger_path) as ledger:
        name = ledger.book.carriers()[0].name
    given = {key: name if text == "DEFAULT" else text for key, text in wrong.items()}
    for path in ("/work-list/try", "/work-list/do"):
        assert anna.post(path, given).status in (400, 404)


def test_a_viewer_looks_only(visitor: Visitor) -> None:
    visitor.sign_in("victor")
    assert visitor.get("/work-list").status == 200
    assert not visitor.get("/work-list").tree().xpath("//main//form")
    assert visitor.post("/work-list/try", {"cause": "rejected"}).status == 403
    assert visitor.post("/work-list/do", {"cause": "rejected"}).status == 403
    for name in ("hans", "emil"):
        visitor.sign_in(name)
        assert visitor.get("/work-list").status == 403


def test_the_list_in_chinese(anna: Visitor) -> None:
    anna.post("/account/language", {"language": "zh"})
    assert anna.get("/work-list").texts("h1") == ["待办"]


def test_a_trunk_that_nobody_configured_is_asked_about(anna: Visitor, office: Path) -> None:
    """Only where others are configured; tried with what its calls cost now, and then read again with its carrier."""
    receive(
        office, *(gateway_cdr("8003", "901062345679", 64, start=f"2026-10-14 12:0{n}:00", port=7) for n in range(2))
    )
    assert "not configured" not in anna.get("/work-list").text
    with Ledger(load(office).ledger_path) as ledger:
        _, other = sorted(ledger.book.carriers(), key=lambda one: not one.default)[:2]
        (trunk,) = {row[0] for row in ledger.connection.execute("SELECT trunk FROM calls WHERE event_id > 23")}
    anna.post("/rules/trunks/put", {"name": "FXO-77", "carrier": other.name})
    spoil(office, f"UPDATE prices SET initial_fee_micro = 9000000 WHERE carrier_id = "
                  f"(SELECT id FROM carriers WHERE name = '{other.name}')")  # fmt: skip
    page = anna.get("/work-list")
    fields = form(page, f"trunk {trunk} is not configured") | {"carrier": other.name}
    before = fee_of(office, "901062345679")
    tried = anna.post("/work-list/try", fields)
    count, fee = promised(tried)
    assert re.search(r"these calls cost [\d.]+ CNY now", tried.text)
    assert fee_of(office, "901062345679") == before
    done = anna.post("/work-list/do", fields)
    assert f"{count} events were read again" in done.text
    with Ledger(load(office).ledger_path) as ledger:
        row = ledger.connection.execute(
            "SELECT count(*), sum(fee_micro) FROM calls JOIN charges USING (id) JOIN carriers k ON k.id = carrier_id "
            "WHERE status = 'rated' AND trunk = ? AND k.name = ?", [trunk, other.name]).fetchone()  # fmt: skip
    assert (row[0], Decimal(row[1]) / 1_000_000) == (count, fee)
    assert form_gone(anna, f"trunk {trunk} is not configured")


def test_a_trunk_of_the_default_carrier_is_only_entered(anna: Visitor, office: Path) -> None:
    """Its calls cost what they cost; none is read again."""
    with Ledger(load(office).ledger_path) as ledger:
        default = next(one.name for one in ledger.book.carriers() if one.default)
    anna.post("/rules/trunks/put", {"name": "FXO-77", "carrier": default})
    page = anna.get("/work-list")
    trunk = page.tree().xpath("//input[@name='trunk']/@value")[0]
    done = anna.post("/work-list/do", form(page, f"trunk {trunk} is not configured") | {"carrier": default})
    assert "0 events were read again" in done.text
    assert form_gone(anna, f"trunk {trunk} is not configured")
