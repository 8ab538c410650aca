"""Trunks, filters, days and numbers: listed, added to, changed, taken from, as the commands do, and noted."""

from pathlib import Path

import pytest

from ippbx_billing.console.pages.rules import DEEDS
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import Visitor

CARRIER = "022-天津-电信"
DONE = [  # the way, what is given, the word that follows, what the page shows then, and the way back
    ("trunks/put", {"name": "FXO-9<b>", "carrier": CARRIER, "number": "58674577", "outside_prefix": "0"},
     "belongs to", "58674577", ("trunks/remove", {"name": "FXO-9<b>"})),
    ("filters/add", {"direction": "outbound", "number": "400N", "note": "hot <b>line"}, "number 400N",
     "hot &lt;b&gt;line", ("filters/remove", {"id": "2"})),
    ("cleanups/put", {"prefix": "17951", "delete": "5"}, "lose 5 digits", "17951", ("cleanups/remove",
                                                                                    {"prefix": "17951"})),
    ("holidays/put", {"day": "2026-10-20", "to": "2026-10-21", "kind": "holiday", "note": "庆典"}, "2 days are holiday",
     "庆典", ("holidays/remove", {"day": "2026-10-20"})),
    ("numbers/put", {"prefix": "022885", "traffic_type": "domestic", "place": "大港"}, "corrected from now on", "大港",
     ("numbers/remove", {"prefix": "022885"})),
]  # fmt: skip
WRONG = [
    ("trunks/put", {"name": "A", "carrier": "nobody"}, 404),
    ("trunks/put", {"name": "A", "carrier": CARRIER, "outside_prefix": "x"}, 400),
    ("trunks/put", {"carrier": CARRIER}, 400),
    ("trunks/remove", {"name": "nobody"}, 404),
    ("filters/add", {"note": "all"}, 400),
    ("filters/add", {"direction": "sideways"}, 400),
    ("filters/remove", {"id": "x"}, 400),
    ("cleanups/put", {"prefix": "17x", "delete": "5"}, 400),
    ("cleanups/put", {"prefix": "17", "delete": "5", "length": "3"}, 400),
    ("cleanups/put", {"prefix": "17", "delete": "0"}, 400),
    ("holidays/put", {"day": "2026-02-03", "to": "2026-02-01", "kind": "rest"}, 400),
    ("holidays/put", {"day": "soon", "kind": "rest"}, 400),
    ("holidays/put", {"day": "2026-02-03", "kind": "feast"}, 400),
    ("holidays/remove", {"day": "2026-02-03"}, 404),
    ("numbers/put", {"prefix": "022885"}, 400),
    ("numbers/put", {"prefix": "x", "place": "here"}, 400),
    ("numbers/put", {"prefix": "022885", "country": "China"}, 400),
    ("numbers/remove", {"prefix": "022885"}, 404),
]


def actions(site: Path) -> list[str]:
    with OperatorFile(load(site).operators_path) as file:
        return [one.action for one in file.log.entries() if one.action not in ("sign-in", "init")]


def test_each_is_added_shown_and_taken_out_again(anna: Visitor, office: Path) -> None:
    """By the same words as the command line's, and noted under the command's name, with what was and what is."""
    expected = []
    for way, given, told, shown, (back, which) in DONE:
        page = anna.post(f"/rules/{way}", given)
        assert told in page.text, way
        assert shown in page.text, way
        gone = anna.post(f"/rules/{back}", which)
        assert "removed" in gone.text
        expected += [DEEDS[way][0], DEEDS[back][0]]
    assert actions(office) == expected[::-1]
    with OperatorFile(load(office).operators_path) as file:
        entry = next(file.log.entries(action="trunks add"))
    assert entry.after[0]["number"] == "58674577"


def test_what_cannot_be_meant_is_told_and_changes_nothing(anna: Visitor, office: Path) -> None:
    for way, given, status in WRONG:
        assert anna.post(f"/rules/{way}", given).status == status, (way, given)
    assert actions(office) == []


def test_a_trunk_is_changed(anna: Visitor) -> None:
    given = {"name": "FXO-1", "carrier": CARRIER, "number": "1"}
    anna.post("/rules/trunks/put", given)
    page = anna.post("/rules/trunks/put", given | {"number": "2"})
    assert page.tree().xpath("//tbody/tr/td/text()")[:2] == ["FXO-1", "2"]


def test_numbers_are_looked_up_and_years_chosen(anna: Visitor) -> None:
    page = anna.get("/rules/numbers?number=901062345678")
    assert "北京" in page.text
    assert anna.get("/rules/numbers?number=<b>&direction=inbound").status == 200
    assert "2027 is provisional" in anna.get("/rules/holidays?year=2027").text
    for wrong in ("holidays?year=x", "holidays?year=1066", "numbers?number=1&direction=x"):
        assert anna.get(f"/rules/{wrong}").status == 400
    assert anna.get("/rules").path == "/rules/trunks"


@pytest.mark.parametrize("name", ["victor", "emil"])
def test_who_may_what(visitor: Visitor, name: str) -> None:
    """A viewer looks, and finds no form that changes anything; an employee does not come here."""
    visitor.sign_in(name)
    for page in ("trunks", "filters", "holidays", "numbers"):
        answer = visitor.get(f"/rules/{page}")
        assert answer.status == (200 if name == "victor" else 403)
        assert not answer.tree().xpath("//main//form[@method='post']")
    for way in DEEDS:
        assert visitor.post(f"/rules/{way}", {"name": "x"}).status == 403


def test_in_chinese(anna: Visitor) -> None:
    anna.post("/account/language", {"language": "zh"})
    titles = [anna.get(f"/rules/{page}").texts("h1")[0] for page in ("trunks", "filters", "holidays", "numbers")]
    assert titles == ["中继", "过滤", "节假日 2026", "号码"]
