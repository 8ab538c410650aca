"""Which record is which call: ids that were used for more than one call, and what changed a call after it was kept.

    records.near(key, started_at, 300)   # the further calls with this id that started about then
    records.change(...)                  # a correction, or a row that arrived later, with the charge before

The first call with an id has the digest of that id as its key. A counter that starts again, or two PBXs behind one
address, bring the id once more for another call: that one gets a key of its own and a line in `reused_ids`, under the
digest of the id and its start, by which a correction of it is found.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

CORRECTED, ROWS = "corrected", "rows"  # what changed a call: a later version of its record, another row of the call


class Reused(NamedTuple):
    """A further call with an id: the id's digest, the start of the call, the call, its local day."""

    key: bytes
    started_at: int
    id: int
    day: str


class Change(NamedTuple):
    """What became of a call when an event arrived, and its event, status and fee before; times in seconds of UTC."""

    changed_at: int
    event_id: int
    earlier_event_id: int
    call_id: int
    cause: str
    day: str
    status: str
    fee_micro: int | None


class RecordTables:
    """The tables `reused_ids`, `call_changes` and `late_calls`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def reused(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of these ids that stand for several calls."""
        found: set[bytes] = set()
        for start in range(0, len(keys), 500):
            chunk = keys[start : start + 500]
            asked = f"SELECT DISTINCT key FROM reused_ids WHERE key IN ({', '.join('?' * len(chunk))})"
            found.update(row[0] for row in self.connection.execute(asked, chunk))
        return found

    def near(self, key: bytes, started_at: int, within_s: int) -> list[int]:
        """The further calls with this id that started within so many seconds of that moment, oldest first."""
        rows = self.connection.execute(
            "SELECT id FROM reused_ids WHERE key = ? AND started_at BETWEEN ? AND ? ORDER BY id",
            [key, started_at - within_s, started_at + within_s],
        )
        return [row[0] for row in rows]

    def remember(self, reused: Iterable[Reused]) -> None:
        """Note further calls of ids that had one."""
        self.connection.executemany("INSERT OR REPLACE INTO reused_ids VALUES (?, ?, ?, ?)", reused)

    def move(self, call_id: int, started_at: int, day: str) -> None:
        """A correction moved the start of a call."""
        self.connection.execute(
            "UPDATE OR REPLACE reused_ids SET started_at = ?, day = ? WHERE id = ?", [started_at, day, call_id]
        )

    def forget(self, call_id: int) -> None:
        """The call is gone; what once changed it stays on the list of changes."""
        self.connection.execute("DELETE FROM reused_ids WHERE id = ?", [call_id])
        self.connection.execute("DELETE FROM late_calls WHERE id = ?", [call_id])

    def mark_late(self, late: Iterable[tuple[int, int, bool]]) -> None:
        """These calls came so many seconds after they had ended, or from a file: no alarm is due for them."""
        self.connection.executemany("INSERT OR REPLACE INTO late_calls VALUES (?, ?, ?)", late)

    def late(self, call_id: int) -> tuple[int, bool] | None:
        """How many seconds late a call came, and whether from a file; None for one that came in time."""
        row = self.connection.execute("SELECT late_s, imported FROM late_calls WHERE id = ?", [call_id]).fetchone()
        return None if row is None else (row[0], bool(row[1]))

    def change(self, changes: Iterable[Change]) -> None:
        """Note what changed calls that were kept already."""
        self.connection.executemany(
            "INSERT INTO call_changes (changed_at, event_id, earlier_event_id, call_id, cause, day, status, "
            "fee_micro) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            changes,
        )

    def counts(self, first_day: str, last_day: str) -> tuple[int, int]:
        """How many calls of these local days have an id that another call had, and how many were corrected."""
        row = self.connection.execute(
            "SELECT (SELECT count(*) FROM reused_ids WHERE day BETWEEN ?1 AND ?2), "
            f"(SELECT count(DISTINCT call_id) FROM call_changes WHERE cause = '{CORRECTED}' AND day BETWEEN ?1 AND ?2)",
            [first_day, last_day],
        ).fetchone()
        return int(row[0]), int(row[1])
