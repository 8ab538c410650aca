"""What became of the events of the last moments, asked every second while somebody looks on: numbers, and firsts."""

import sqlite3
from collections.abc import Collection

from ippbx_billing.calls import EventStatus


class ArrivalTables:
    """Questions about calls and outcomes by their events; nothing is written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def by_status(self, first: int, last: int) -> dict[str, int]:
        """How many calls the events between two ids have become, both included, by the status of the charge."""
        rows = self.connection.execute(
            "SELECT g.status, count(*) FROM calls c JOIN charges g USING (id) "
            "WHERE c.event_id BETWEEN ? AND ? GROUP BY 1",
            [first, last],
        )
        return {str(status): int(count) for status, count in rows}

    def first_call(self, event_ids: Collection[int]) -> int | None:
        """The id of the first call among these events."""
        row = self.connection.execute(
            "SELECT id FROM calls WHERE event_id IN (SELECT value FROM json_each(?)) ORDER BY event_id, id LIMIT 1",
            [str(list(event_ids))],
        ).fetchone()
        return None if row is None else int(row[0])

    def first_rejected(self, event_ids: Collection[int]) -> int | None:
        """The first of these events that was not understood."""
        row = self.connection.execute(
            "SELECT min(event_id) FROM outcomes WHERE status = ? AND event_id IN (SELECT value FROM json_each(?))",
            [EventStatus.REJECTED.value, str(list(event_ids))],
        ).fetchone()
        return None if row[0] is None else int(row[0])
