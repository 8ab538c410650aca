"""Lets old events go while the listener goes on: only what the ledger holds, a few at a time, the space given back.

    gone = prune(Path("inbox.db"), ledger, before=midnight)
    freed = give_back(Path("inbox.db"))

An event may go when it was read and understood: its calls and charges are in the ledger. What was rejected, and what
nobody has read yet, stays. `state.pruned_through` in the ledger is the highest id that is gone: whoever builds the
ledger anew from the inbox has to take the calls of such events over as they are.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ippbx_billing.calls import EventStatus
from ippbx_billing.errors import DataError
from ippbx_billing.ledger import Ledger
from ippbx_billing.sqlite.locks import maintenance

STATE = "pruned_through"
STEP_EVENTS = 2_000
STEP_BYTES = 8 * 1024 * 1024
STEP_PAGES = 500
SHORTEST_PAUSE_S = 0.01
INCREMENTAL = 2  # SQLite's number for it


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many events went, with how many bytes of bodies; how many stayed because they were rejected."""

    events: int = 0
    bytes: int = 0
    rejected: int = 0


def prune(
    inbox: Path,
    ledger: Ledger,
    before: datetime,
    *,
    also_rejected: bool = False,
    dry_run: bool = False,
    wait_s: float = 0,
) -> Pruned:
    """Delete the events received before that moment; with `dry_run` only count them.

    Raises DataError, and BusyError where other maintenance lasts longer than `wait_s`.
    Between two steps it pauses for as long as a step took, so that the listener finds the file free half the time.
    """
    with nullcontext() if dry_run else maintenance(inbox.parent, "events prune", wait_s):
        return _pruned(inbox, ledger, before, also_rejected, dry_run)


def _pruned(inbox: Path, ledger: Ledger, before: datetime, also_rejected: bool, dry_run: bool) -> Pruned:
    done = Pruned()
    with _plainly(inbox), closing(_connect(inbox)) as events:
        for step in _steps(events, ledger.journey.position(), before):
            begun = time.monotonic()
            with nullcontext() if dry_run else ledger.transaction():
                outcomes = {} if also_rejected else ledger.journey.outcomes(step)
                doomed = [one for one in step if outcomes.get(one, ("",))[0] is not EventStatus.REJECTED]
                if doomed and not dry_run:
                    _delete(events, ledger, doomed)
            if not dry_run:
                time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - begun))
            done = replace(
                done,
                events=done.events + len(doomed),
                bytes=done.bytes + sum(step[one] for one in doomed),
                rejected=done.rejected + len(step) - len(doomed),
            )
    return done


def count(inbox: Path, before: datetime) -> int:
    """How many events received before that moment are still kept."""
    with _plainly(inbox), closing(_connect(inbox)) as events:
        return int(
            events.execute("SELECT count(*) FROM events WHERE received_at < ?", [_microseconds(before)]).fetchone()[0]
        )


def give_back(inbox: Path) -> int | None:
    """Give the pages that became free back to the disk, while the listener goes on; gives their bytes.

    None where the file was made before this was possible; `compact` does it then.
    """
    with _plainly(inbox), closing(_connect(inbox)) as events:
        if _number(events, "auto_vacuum") != INCREMENTAL:
            return None
        before = _number(events, "page_count")
        while _number(events, "freelist_count"):
            begun = time.monotonic()
            events.execute(f"PRAGMA incremental_vacuum({STEP_PAGES})").fetchall()
            time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - begun))
        return (before - _number(events, "page_count")) * _number(events, "page_size")


def compact(inbox: Path) -> int:
    """Write the file anew without its free pages, and so that `give_back` works from now on; gives the bytes saved.

    Nobody else may use it meanwhile, and the disk must hold it twice.
    """
    with _plainly(inbox), closing(_connect(inbox)) as events:
        before = _number(events, "page_count")
        events.execute("PRAGMA auto_vacuum = INCREMENTAL")
        events.execute("VACUUM")
        return (before - _number(events, "page_count")) * _number(events, "page_size")


def _steps(events: sqlite3.Connection, position: int, before: datetime) -> Iterator[dict[int, int]]:
    """Ids with the bytes of their bodies, a bounded number of them at a time, none beyond `position`."""
    last = 0
    while True:
        rows = events.execute(
            "SELECT id, length(body) FROM events WHERE id > ? AND id <= ? AND received_at < ? ORDER BY id LIMIT ?",
            [last, position, _microseconds(before), STEP_EVENTS],
        ).fetchall()
        step: dict[int, int] = {}
        held_bytes = 0
        for event_id, size in rows:
            step[event_id] = size
            held_bytes += size
            if held_bytes >= STEP_BYTES:
                break
        if not step:
            return
        yield step
        last = max(step)


def _delete(events: sqlite3.Connection, ledger: Ledger, doomed: list[int]) -> None:
    """The events and what was noted of them; the ledger's own commit follows."""
    ledger.journey.forget(doomed)
    ledger.journey.set_state(STATE, str(max(doomed[-1], int(ledger.journey.state(STATE) or 0))))
    events.execute(f"DELETE FROM events WHERE id IN ({', '.join('?' * len(doomed))})", doomed)


def _number(events: sqlite3.Connection, pragma: str) -> int:
    return int(events.execute(f"PRAGMA {pragma}").fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    """It never creates the file; what it deletes is overwritten, since numbers of people stood there."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=60)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be used: {error}", "see to the disk; the same command goes on later") from error
