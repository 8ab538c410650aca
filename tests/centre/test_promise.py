"""What a ledger promises to whoever fills it, asked of both that keep it: SQLite's and PostgreSQL's."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.calls import Call
from ippbx_billing.centre.books import Shelf, packed
from ippbx_billing.centre.ledger import CentreLedger
from ippbx_billing.centre.opening import connected
from ippbx_billing.ledger import Ledger, RatedCall
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.ledger.promise import KeepsCalls
from ippbx_billing.ledger.records import CORRECTED, Change, Reused
from ippbx_billing.ledger.rows import links_of
from ippbx_billing.pipeline import understand
from ippbx_billing.settings import load
from tests.centre.sites import Centre, at_centre, records


class Kept:
    """A ledger of one kind, with what the test needs beside the promise."""

    def __init__(self, ledger: Any, sqlite: Ledger | None, dsn: str, connection: Any) -> None:
        self.ledger: KeepsCalls = ledger
        self._sqlite, self._dsn, self._connection = sqlite, dsn, connection

    def transaction(self) -> AbstractContextManager[Any]:
        return self._sqlite.transaction() if self._sqlite else self._connection.transaction()  # type: ignore[no-any-return]

    def sums(self) -> tuple[int, int]:
        """Calls and fees as the sums have them."""
        if self._sqlite:
            row = self._sqlite.connection.execute(
                "SELECT ifnull(sum(calls), 0), ifnull(sum(fee_micro), 0) FROM rollup_days"
            ).fetchone()
            return row[0], row[1]
        found = at_centre(self._dsn, "hq", "rollups").values()
        return sum(calls for calls, *_ in found), sum(fee for *_, fee in found)

    def settle(self) -> None:
        """The end of a batch, before its commit."""
        if isinstance(self.ledger, CentreLedger):
            self.ledger.settle()


@pytest.fixture
def rated(site: Path) -> list[RatedCall]:
    """Calls as the pipeline hands them over."""
    from datetime import UTC, datetime

    from ippbx_billing.calls import EventKind, RawEvent

    shelf = Shelf(packed(site).content)
    bodies = [one.body for one in records(12) if one.kind == "cdr"]
    now = datetime(2026, 10, 31, 15, tzinfo=UTC)
    events = [
        RawEvent(place, now, EventKind.CDR, "10.0.0.2", "POST", "/", "", "", body)
        for place, body in enumerate(bodies, start=1)
    ]
    found = [call for event in events for call in understand(event, shelf.rules, 0).rated]
    shelf.close()
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, site: Path) -> Iterator[Kept]:
    if request.param == "sqlite":
        with Ledger(load(site).ledger_path) as ledger:
            yield Kept(ledger, ledger, "", None)
        return
    dsn = request.getfixturevalue("dsn")
    centre = Centre(dsn)
    centre.add("hq", site)
    book = packed(site)
    shelf = Shelf(book.content)
    with connected(dsn) as connection:
        yield Kept(CentreLedger(connection, "hq", shelf, book.hash), None, dsn, connection)
    shelf.close()
    centre.close()


def fees(rated: list[RatedCall]) -> int:
    return sum(one.charge.fee_micro or 0 for one in rated)


def test_a_ledger_keeps_what_it_promises(kept: Kept, rated: list[RatedCall]) -> None:
    """Keys, facts, corrections, rows, answers and sums: the same answers of both."""
    calls, rows, told = kept.ledger.calls, kept.ledger.rows, kept.ledger.records
    with kept.transaction():
        numbers = list(calls.add(rated))
        kept.settle()
    assert numbers == sorted(set(numbers))
    assert kept.sums() == (len(rated), fees(rated))
    known = calls.known([rated[0].key, rated[3].key, b"nobody's key...."])
    assert {key: row["id"] for key, row in known.items()} == {rated[0].key: numbers[0], rated[3].key: numbers[3]}
    stored = calls.get(numbers[0])
    assert call_of(stored) == call_of(calls.known_by_id(numbers[0])) == rounded(rated[0].call)
    assert classification_of(stored) == rated[0].classification
    assert (stored["status"], stored["fee_micro"]) == (rated[0].charge.status, rated[0].charge.fee_micro)

    dearer = replace(rated[0], charge=replace(rated[0].charge, fee_micro=9_000_000_000_000_001))
    with kept.transaction():
        calls.correct(numbers[0], dearer)
        told.change([Change(1, 2, 1, numbers[0], CORRECTED, rated[0].day, "rated", 1)])
        kept.settle()
    assert kept.sums() == (len(rated), fees([dearer, *rated[1:]]))

    with kept.transaction():
        rows.link([(7, number) for number in numbers[:3]] + [(8, numbers[0]), (7, numbers[0])])
        rows.join(numbers[1], numbers[0], {"billed_s": 5, "twin": None})
        rows.join(numbers[0], numbers[0], {})
        rows.answered([(7, 100, 50), (7, 90, 60), (8, 10, 40)])
        told.remember([Reused(rated[0].key, 1_000, numbers[2], rated[2].day)])
    assert {link: sorted(ids) for link, ids in rows.related([7, 8], 3).items()} == {7: sorted(numbers[:3])}
    assert (rows.related([7], 2), sorted(rows.of_links([7, 8])), rows.of_links([])) == ({}, sorted(numbers[:3]), [])
    own = {"billed_s": 5, "twin": None}
    assert rows.joined(numbers[:3]) == {numbers[1]: (numbers[0], own), numbers[0]: (numbers[0], {})}
    assert rows.rows_of(numbers[1]) == sorted(numbers[:2])
    assert (rows.answers([7, 8]), told.reused([rated[0].key, rated[1].key])) == ({7: 90, 8: 10}, {rated[0].key})
    assert (told.near(rated[0].key, 1_300, 300), told.near(rated[0].key, 1_301, 300)) == ([numbers[2]], [])
    with kept.transaction():
        rows.part(numbers[1])
        rows.unlink(rated[0].call, numbers[0])
        rows.forget_answers(50)
        told.move(numbers[2], 5_000, "2026-10-02")
    assert (rows.joined(numbers[:2]), rows.answers([7, 8])) == ({}, {7: 90})
    assert told.near(rated[0].key, 5_000, 0) == [numbers[2]]
    assert kept.ledger.journey.state("nothing") is None


def rounded(call: Call) -> Call:
    """The call with its moments in whole seconds, as every ledger keeps them."""
    moments = {name: getattr(call, name) for name in ("started_at", "answered_at", "ended_at")}
    return replace(call, **{name: one and one.replace(microsecond=0) for name, one in moments.items()})


def write_and_fail(kept: Kept, rated: list[RatedCall]) -> None:
    numbers = kept.ledger.calls.add(rated)
    kept.ledger.rows.link((link, numbers[0]) for link in links_of(rated[0].call))
    kept.settle()
    raise ZeroDivisionError


def test_a_batch_that_fails_leaves_nothing(kept: Kept, rated: list[RatedCall]) -> None:
    """Neither calls, nor links, nor sums."""
    with pytest.raises(ZeroDivisionError), kept.transaction():
        write_and_fail(kept, rated)
    assert kept.ledger.calls.known([one.key for one in rated]) == {}
    assert kept.ledger.rows.of_links(links_of(rated[0].call)) == []
    assert kept.sums() == (0, 0)


def test_a_key_is_one_calls_alone(kept: Kept, rated: list[RatedCall]) -> None:
    """A second call under it is refused, whoever brings it."""
    with kept.transaction():
        kept.ledger.calls.add(rated[:1])
        kept.settle()
    with pytest.raises(Exception, match=r"(?i)unique"), kept.transaction():
        kept.ledger.calls.add(rated[:1])
