"""The inbox's side of letting events go: which may be looked at, deleting some, and giving their space back.

    with opened(Path("inbox.db")) as events:
        for step in events.steps(position, before):   # {id: bytes of its body}, a bounded number at a time
            events.delete(list(step))

Whether an event may go is not known here: the ledger says so, see `upkeep.pruning`.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from ippbx_billing.sqlite.opening import connect, number, plainly

STEP_EVENTS = 2_000
STEP_BYTES = 8 * 1024 * 1024
STEP_PAGES = 500
SHORTEST_PAUSE_S = 0.01
INCREMENTAL = 2  # SQLite's number for it


class OldEvents:
    """An inbox from which events go, while the listener goes on."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, before: datetime) -> int:
        """How many events received before that moment are still kept."""
        sql = "SELECT count(*) FROM events WHERE received_at < ?"
        return int(self._connection.execute(sql, [_microseconds(before)]).fetchone()[0])

    def steps(self, position: int, before: datetime) -> Iterator[dict[int, int]]:
        """Ids with the bytes of their bodies, a bounded number of them at a time, none beyond `position`."""
        last = 0
        while step := self._step(last, position, before):
            yield step
            last = max(step)

    def _step(self, last: int, position: int, before: datetime) -> dict[int, int]:
        rows = self._connection.execute(
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
        return step

    def delete(self, ids: list[int]) -> None:
        """Delete these events; their bytes are overwritten."""
        self._connection.execute(f"DELETE FROM events WHERE id IN ({', '.join('?' * len(ids))})", ids)


@contextmanager
def opened(inbox: Path) -> Iterator[OldEvents]:
    """The inbox, to delete from; it never creates the file. Raises DataError."""
    with _connected(inbox) as connection:
        yield OldEvents(connection)


def give_back(inbox: Path) -> int | None:
    """Give the pages that became free back to the disk, while the listener goes on; gives their bytes.

    None where the file was made before this was possible; `compact` does it then.
    """
    with _connected(inbox) as events:
        if number(events, "auto_vacuum") != INCREMENTAL:
            return None
        before = number(events, "page_count")
        while number(events, "freelist_count"):
            begun = time.monotonic()
            events.execute(f"PRAGMA incremental_vacuum({STEP_PAGES})").fetchall()
            time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - begun))
        return (before - number(events, "page_count")) * number(events, "page_size")


def compact(inbox: Path) -> int:
    """Write the file anew without its free pages, and so that `give_back` works from now on; gives the bytes saved.

    Nobody else may use it meanwhile, and the disk must hold it twice.
    """
    with _connected(inbox) as events:
        before = number(events, "page_count")
        events.execute("PRAGMA auto_vacuum = INCREMENTAL")
        events.execute("VACUUM")
        return (before - number(events, "page_count")) * number(events, "page_size")


@contextmanager
def _connected(inbox: Path) -> Iterator[sqlite3.Connection]:
    """What it deletes is overwritten, since numbers of people stood there."""
    with plainly(inbox, "see to the disk; the same command goes on later"), closing(connect(inbox)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000
