"""Pruning below the command line: what may go, in which steps, what the ledger notes, and the space of it."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippbx_billing.calls import EventStatus
from ippbx_billing.errors import BusyError, DataError
from ippbx_billing.inbox import Inbox
from ippbx_billing.inbox.pruning import OldEvents, opened
from ippbx_billing.ledger import Ledger
from ippbx_billing.sqlite.locks import maintenance
from ippbx_billing.upkeep.pruning import STATE, Pruned, compact, count, give_back, prune
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
OLD, YOUNG = datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def body(number: int) -> bytes:
    return gateway_cdr("8001", str(913_800_138_000 + number), 64)


def received(inbox: Path, moment: datetime, *ids: int) -> None:
    with closing(sqlite3.connect(inbox)) as connection, connection:
        at = int(moment.timestamp()) * 1_000_000
        connection.executemany("UPDATE events SET received_at = ? WHERE id = ?", [(at, one) for one in ids])


def kept(inbox: Path) -> list[int]:
    with Inbox(inbox) as reader:
        return [event.id for event in reader.after(0, 1_000)]


@pytest.fixture
def inbox(cli: Cli, site: Path) -> Path:
    """Events 1 to 6: 2 is rejected, 5 is of this year, 6 is unread; all others are old and understood."""
    path = site / "inbox.db"
    fill(path, [body(1), b"rubbish", body(3), body(4), body(5)])
    assert cli("events", "replay").exit_code == 0
    fill(path, [body(6)])
    received(path, OLD, 1, 2, 3, 4, 6)
    received(path, YOUNG, 5)
    return path


@pytest.fixture
def ledger(inbox: Path) -> Ledger:
    return Ledger(inbox.with_name("ledger.db"))


def test_a_dry_run_counts_and_touches_nothing(inbox: Path, ledger: Ledger) -> None:
    """Events, bytes of bodies and what stays because it was rejected; no lock is needed for looking."""
    size = len(body(1)) + len(body(3)) + len(body(4))
    with ledger, maintenance(inbox.parent, "rerate"):
        assert prune(inbox, ledger, BEFORE, dry_run=True) == Pruned(3, size, 1)
        assert ledger.journey.state(STATE) is None
    assert kept(inbox) == [1, 2, 3, 4, 5, 6]
    assert count(inbox, BEFORE) == 5


def test_what_goes_is_noted_and_nothing_goes_twice(inbox: Path, ledger: Ledger) -> None:
    """The ledger knows the highest id that is gone, and forgets what became of events that nobody can ask for."""
    with ledger:
        calls = ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0]
        gone = prune(inbox, ledger, BEFORE)
        assert (gone.events, gone.rejected) == (3, 1)
        assert ledger.journey.state(STATE) == "4"
        assert list(ledger.journey.outcomes(range(1, 7))) == [2]
        assert prune(inbox, ledger, BEFORE) == Pruned(rejected=1)
        assert ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0] == calls == 4
    assert kept(inbox) == [2, 5, 6]


def test_the_rejected_go_when_told_and_the_mark_never_falls_back(inbox: Path, ledger: Ledger) -> None:
    """A lower id that goes later leaves the mark where it is."""
    with ledger:
        prune(inbox, ledger, BEFORE)
        assert prune(inbox, ledger, BEFORE, also_rejected=True).events == 1
        assert ledger.journey.state(STATE) == "4"
        assert ledger.journey.events_with(EventStatus.REJECTED) == []
    assert kept(inbox) == [5, 6]


def test_what_nobody_has_read_stays_whatever_its_age(inbox: Path, ledger: Ledger) -> None:
    """The ledger's position is the end, also where everything is old."""
    with ledger:
        assert prune(inbox, ledger, datetime(2100, 1, 1, tzinfo=UTC), also_rejected=True).events == 5
    assert kept(inbox) == [6]


def test_only_one_maintenance_at_a_time(inbox: Path, ledger: Ledger) -> None:
    """Whoever prunes waits for another, and says for whom."""
    with ledger, maintenance(inbox.parent, "rerate"):
        with pytest.raises(BusyError, match="`rerate`"):
            prune(inbox, ledger, BEFORE)
        assert kept(inbox) == [1, 2, 3, 4, 5, 6]


def test_no_inbox_is_a_sentence_and_none_is_made(tmp_path: Path, ledger: Ledger) -> None:
    """Who prunes the wrong directory hears of it."""
    with ledger:
        for ask in (lambda: count(tmp_path / "none.db", BEFORE), lambda: give_back(tmp_path / "none.db")):
            with pytest.raises(DataError, match=r"none\.db"):
                ask()
    assert not (tmp_path / "none.db").exists()


# --- The inbox's side -------------------------------------------------------------------------------------------------


def steps(events: OldEvents, position: int = 100) -> list[list[int]]:
    return [list(step) for step in events.steps(position, BEFORE)]


def test_steps_are_bounded_in_events_and_bytes(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are old, a step holds few of them; a body that alone is too large is a step of its own."""
    with opened(inbox) as events:
        assert steps(events) == [[1, 2, 3, 4, 6]]
        assert steps(events, position=3) == [[1, 2, 3]]
        monkeypatch.setattr("ippbx_billing.inbox.pruning.STEP_EVENTS", 2)
        assert steps(events) == [[1, 2], [3, 4], [6]]
        monkeypatch.setattr("ippbx_billing.inbox.pruning.STEP_BYTES", 1)
        assert steps(events) == [[1], [2], [3], [4], [6]]
        assert next(events.steps(100, BEFORE)) == {1: len(body(1))}


def test_what_is_deleted_cannot_be_read_in_the_file(inbox: Path) -> None:
    """Numbers of people stood there."""
    number = b"913800138003"
    with closing(sqlite3.connect(inbox)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert number in inbox.read_bytes()
    with opened(inbox) as events:
        events.delete([3])
    with closing(sqlite3.connect(inbox)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert kept(inbox) == [1, 2, 4, 5, 6]
    assert not any(number in path.read_bytes() for path in inbox.parent.glob("inbox.db*"))


def test_space_is_given_back_in_steps_and_an_old_file_is_written_anew(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of an earlier version cannot give pages back until it is compacted, and can from then on."""
    monkeypatch.setattr("ippbx_billing.inbox.pruning.STEP_PAGES", 3)

    def freed(ask: bool) -> int | None:
        fill(inbox, [b"x" * 50_000])
        with opened(inbox) as events:
            events.delete([kept(inbox)[-1]])
        return give_back(inbox) if ask else compact(inbox)

    assert (freed(ask=True) or 0) >= 40_000
    with closing(sqlite3.connect(inbox)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    assert freed(ask=True) is None
    assert (freed(ask=False) or 0) >= 40_000
    assert (freed(ask=True) or 0) >= 40_000
    assert kept(inbox) == [1, 2, 3, 4, 5, 6]
