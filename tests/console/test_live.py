"""The stream of new calls: however many pages are open, they share each look at the ledger, and none is set back."""

import asyncio
from pathlib import Path

import pytest

from ippbx_billing.console import live
from ippbx_billing.console.live import Feed
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import Operator, OperatorFile
from ippbx_billing.reports.paging import newest_id
from ippbx_billing.settings import load
from tests.console.visitor import Clock


@pytest.fixture
def anna_herself(office: Path) -> Operator:
    with OperatorFile(load(office).operators_path) as file:
        return file.operators.named("anna")


async def sent(feed: Feed, who: Operator, positions: list[int], count: int) -> list[list[str]]:
    """The first so many things that pages are sent which stand at these positions."""

    async def page(position: int) -> list[str]:
        stream = feed.events(who, "en", position, lambda: True)
        return [await anext(stream) for _ in range(count)]

    found = await asyncio.gather(*(page(one) for one in positions))
    feed.close()
    return found


def test_many_pages_share_a_look(office: Path, anna_herself: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty pages at one place: the rows are made once, and all get the same."""
    made: list[int] = []
    rows = live.live_rows
    monkeypatch.setattr(live, "live_rows", lambda *given: made.append(1) or rows(*given))
    found = asyncio.run(sent(Feed(load(office), Clock()), anna_herself, [20] * 20, 2))
    assert len(made) == 1
    assert all(one == found[0] for one in found)
    assert "id: 22" in found[0][1]
    assert 'data-call="21"' in found[0][1]
    assert 'data-call="20"' not in found[0][1]


def test_a_page_younger_than_the_look_is_not_set_back(office: Path, anna_herself: Operator) -> None:
    """It was made with a call that came after the feed looked: it keeps its place, or it would show that call twice."""
    feed = Feed(load(office), Clock())
    with Ledger(load(office).ledger_path) as ledger:
        last = newest_id(ledger)
        sort = ("administrator", None, None, "en")
        assert feed._news(anna_herself, sort, 0).position == last
        with ledger.transaction():
            ledger.connection.execute(
                f"INSERT INTO calls SELECT {last} + 1, event_id, x'00', {', '.join(_others(ledger))} "
                "FROM calls WHERE id = 21"
            )
        assert feed._news(anna_herself, sort, last + 1).position == last + 1
        assert feed._news(anna_herself, sort, last + 9).position == last + 1  # a ledger made anew begins below
    feed.close()


def _others(ledger: Ledger) -> list[str]:
    columns = [row["name"] for row in ledger.connection.execute("PRAGMA table_info(calls)")]
    assert columns[:3] == ["id", "event_id", "key"]
    return [f'"{one}"' for one in columns[3:]]
