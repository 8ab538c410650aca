"""Record formats: what was not understood, a proposal with its evidence, saved, tried, and read again."""

from pathlib import Path

import pytest

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from tests.bodies import fill
from tests.console.visitor import Answered, Visitor

UNKNOWN = [
    b'{"wann": "2026-10-%02d 09:%02d:11", "bis": "2026-10-%02d 09:%02d:52", "quelle": "800%d", "ziel": "90216234%04d", '
    b'"secs": %d, "stand": "ANSWERED"}' % (day, day, day, day, day % 3 + 1, 1000 + day, 41)
    for day in range(1, 13)
]


@pytest.fixture
def strange(office: Path) -> Path:
    """Records of a PBX that no dialect knows."""
    using = load(office)
    fill(using.inbox_path, UNKNOWN)
    with Inbox(using.inbox_path) as inbox, Ledger(using.ledger_path) as ledger:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()
    return office


def told(page: Answered) -> str:
    return str(page.tree().xpath("string(//p[contains(@class, 'done')])")).strip()


def test_a_dialect_is_proposed_saved_and_the_records_read_again(anna: Visitor, strange: Path) -> None:
    """Looking writes nothing; afterwards the records are calls, and the log says who did it."""
    page = anna.get("/dialects")
    link = next(one for one in page.links() if one.startswith("/dialects/check/"))
    assert "fits no dialect" in anna.get(link).text
    page = anna.get("/dialects/suggest")
    assert any("ziel" in row for row in page.texts("tr"))
    assert not (strange / "dialects").exists()
    assert anna.post("/dialects/suggest", {"name": "Bad Name"}).status == 400
    assert "it reads 12 of 13 bodies as calls" in told(anna.post("/dialects/suggest", {"name": "mine"}))
    assert anna.post("/dialects/suggest", {"name": "mine"}).status == 400  # it is there already
    assert "read 13 events again; 2 are still" in told(anna.post("/dialects/replay"))
    assert "9021623410" in anna.get("/calls?period=this-month").text
    with OperatorFile(load(strange).operators_path) as file:
        assert [one.action for one in file.log.entries()][:2] == ["events replay", "dialects suggest"]


def test_who_may(visitor: Visitor, office: Path) -> None:
    visitor.sign_in("emil")
    assert visitor.get("/dialects").status == 403
    visitor.sign_in("victor")
    assert visitor.get("/dialects").status == 200
    assert visitor.get("/dialects/suggest").status == 403
    assert visitor.post("/dialects/replay").status == 403
