"""A damaged inbox that was moved aside, read again as far as it goes.

    salvage(aside, path)                 # every event whose pages are still sound

The promise to the PBX is about the next record: it must find a sound file within its three seconds. So nothing is
repaired in place; the damaged file keeps what it holds, and `events salvage` brings that back when there is time.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.sqlite.damage import PATIENCE_S
from ippbx_billing.sqlite.opening import connect

RESERVED_IDS = 100_000  # for events that the damaged file may hold and nobody can count
SALVAGED_IDS = 100  # how many events are in memory at once, each as large as a body may be


class DamagedInboxError(DataError):
    """The inbox's pages are not as SQLite wrote them; its one writer replaces the file."""


def last_id_in(path: Path) -> int | None:
    """The highest id that this inbox ever gave, or None where that cannot be read any more."""
    try:
        with closing(connect(path, "ro", timeout_s=PATIENCE_S)) as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()[0])
    except sqlite3.Error:
        return None


def last_id_known(ledger: Path) -> int:
    """The highest id of an event that the ledger knows of; 0 where there is no ledger or it cannot be read."""
    try:
        with closing(connect(ledger, "ro", timeout_s=PATIENCE_S)) as connection:
            row = connection.execute(
                "SELECT max((SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM state WHERE name = 'position'), "
                "(SELECT coalesce(max(event_id), 0) FROM outcomes), (SELECT coalesce(max(event_id), 0) FROM calls))"
            ).fetchone()
            return int(row[0])
    except sqlite3.Error:
        return 0


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many events could be read, how many of them were missing from the inbox and are there again, and the ids of
    all that came back, now or in a run that was cut off, and that nobody has read yet."""

    readable: int
    missing: int
    ids: tuple[int, ...]


def salvage(damaged: Path, inbox: Path) -> Salvaged:
    """Bring the events that can still be read back into the inbox, also while the listener goes on; harmless to repeat.

    They keep their ids; one whose id was given anew meanwhile comes after the newest. The damaged file is not changed.
    Whoever has read them says so to `salvaged_are_read`. Raises DataError where not even a beginning can be read.
    """
    found = missing = 0
    try:
        with closing(connect(inbox, "rw", timeout_s=PATIENCE_S)) as into:
            into.execute("CREATE TABLE IF NOT EXISTS salvaged (event_id INTEGER PRIMARY KEY)")  # of an older inbox
            # An earlier run may have given events of this file a later id, where theirs was somebody else's.
            into.execute("CREATE TEMP TABLE later AS SELECT id, received_at FROM events WHERE id > ?", [_last(damaged)])
            into.execute("CREATE INDEX temp.later_by_time ON later (received_at)")
            for rows in readable(damaged):
                found += len(rows)
                into.execute("BEGIN IMMEDIATE")
                ids = [number for row in rows if (number := _put(into, row))]
                into.executemany("INSERT OR IGNORE INTO salvaged VALUES (?)", ((number,) for number in ids))
                into.execute("COMMIT")
                missing += len(ids)
            waiting = tuple(int(row[0]) for row in into.execute("SELECT event_id FROM salvaged ORDER BY 1"))
    except sqlite3.Error as error:
        hint = tr("`sqlite3 FILE .recover` may still find something; or restore a backup")
        raise DataError(tr("{path} cannot be read: {error}", path=damaged, error=tr(str(error))), hint) from error
    return Salvaged(found, missing, waiting)


def salvaged_are_read(inbox: Path, ids: Collection[int]) -> None:
    """These events are in the ledger now."""
    with closing(connect(inbox, "rw", timeout_s=PATIENCE_S)) as into:
        into.executemany("DELETE FROM salvaged WHERE event_id = ?", ((number,) for number in ids))


def readable(damaged: Path) -> Iterator[list[sqlite3.Row]]:
    """Every event of a damaged inbox that can still be read, some at a time; the file is not changed."""
    with closing(connect(damaged, "ro", timeout_s=PATIENCE_S)) as connection:
        connection.row_factory = sqlite3.Row
        first, last = _bounds(connection)
        for start in range(first, last + 1, SALVAGED_IDS):
            yield _rows(connection, start, min(start + SALVAGED_IDS - 1, last))


def _last(damaged: Path) -> int:
    """The highest id that an event of a damaged inbox may have."""
    with closing(connect(damaged, "ro", timeout_s=PATIENCE_S)) as connection:
        return _bounds(connection)[1]


def _put(into: sqlite3.Connection, row: sqlite3.Row) -> int:
    """The id under which this event is in the inbox now, 0 where it was there already."""
    names = row.keys()
    same = into.execute(
        "SELECT 1 FROM events WHERE id = ? AND received_at = ? AND body = ? UNION ALL "
        "SELECT 1 FROM temp.later l JOIN events e USING (id) WHERE l.received_at = ? AND e.body = ? LIMIT 1",
        [row["id"], row["received_at"], row["body"], row["received_at"], row["body"]],
    ).fetchone()
    if same:
        return 0
    taken = into.execute("SELECT 1 FROM events WHERE id = ?", [row["id"]]).fetchone()
    values = [None if taken and name == "id" else row[name] for name in names]
    sql = f"INSERT INTO events ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    return int(into.execute(sql, values).lastrowid or 0)


def _bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    """The ids between which to look: those of the outermost events, or where these are gone all that were given."""
    asked = {}
    for order in ("", " DESC"):
        with suppress(sqlite3.Error):
            row = connection.execute(f"SELECT id FROM events ORDER BY id{order} LIMIT 1").fetchone()
            asked[order] = int(row[0]) if row else 0
    first = asked.get("", 1)
    if " DESC" in asked:
        return first, asked[" DESC"]
    return first, int(connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()[0])


def _rows(connection: sqlite3.Connection, first: int, last: int) -> list[sqlite3.Row]:
    """The rows of these ids; where one of them cannot be read, the halves are tried apart."""
    try:
        return connection.execute("SELECT * FROM events WHERE id BETWEEN ? AND ? ORDER BY id", (first, last)).fetchall()
    except sqlite3.Error:
        if first == last:
            return []
        middle = (first + last) // 2
        return [*_rows(connection, first, middle), *_rows(connection, middle + 1, last)]
