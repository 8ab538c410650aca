"""The rows of one call: which records belong together, and what a row said before it was joined with the others.

    rows.link(numbered)               # under which ids each new row is found
    rows.related(links)               # the calls found under more than one row
    rows.joined([17])                 # which row is billed for them, and their own facts

A PBX that writes several records for one call gives them an id in common: a group id, the id of the call, or the one
names the other's id. A link is the digest of the PBX and such an id. A row that was joined keeps what its record says
of the facts that the joining changed, so that the record is known when it is delivered again.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from ippbx_billing.calls import Call

OWN = ("extension", "trunk", "answered_at", "ended_at", "duration_s", "billed_s", "disposition", "twin", "doubt")


def links_of(call: Call) -> list[int]:
    """The links of a row, none where its PBX gives no id that rows could share."""
    if not call.group_id:
        return [link_of(call.pbx, call.call_id)] if call.call_id else []
    first = link_of(call.pbx, call.group_id)
    return [first, link_of(call.pbx, call.call_id)] if call.call_id and call.call_id != call.group_id else [first]


def link_of(pbx: str, name: str) -> int:
    """The link that this id of a call, or of several of its rows, is found by."""
    digest = blake2b(f"{pbx}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class RowTables:
    """The tables `call_links`, `call_rows` and `call_answers`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def link(self, links: Iterable[tuple[int, int]]) -> None:
        """These links lead to these calls."""
        self.connection.executemany("INSERT OR IGNORE INTO call_links VALUES (?, ?)", links)

    def unlink(self, call: Call, call_id: int) -> None:
        """The call is gone, or its record names other ids now."""
        self.connection.executemany(
            "DELETE FROM call_links WHERE link = ? AND id = ?", ((link, call_id) for link in links_of(call))
        )
        self.connection.execute("DELETE FROM call_rows WHERE id = ?", [call_id])

    def related(self, links: Sequence[int], most: int) -> dict[int, list[int]]:
        """The calls of each link that leads to several; a link of more than `most` is not a call's id and left out."""
        found: dict[int, list[int]] = {}
        for start in range(0, len(links), 500):
            chunk = links[start : start + 500]
            asked = (
                f"SELECT link, group_concat(id) FROM call_links WHERE link IN ({', '.join('?' * len(chunk))}) "
                f"GROUP BY link HAVING count(*) BETWEEN 2 AND {most}"
            )
            for link, ids in self.connection.execute(asked, chunk):
                found[link] = [int(one) for one in ids.split(",")]
        return found

    def answered(self, answers: Iterable[tuple[int, int, int]]) -> None:
        """When the calls of these links were answered and when that was told, in seconds of UTC; the first counts."""
        self.connection.executemany(
            "INSERT INTO call_answers VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET answered_at = min(answered_at, excluded.answered_at)",
            answers,
        )

    def answers(self, links: Iterable[int]) -> dict[int, int]:
        """The moments at which the calls of these links were answered, where an event told."""
        rows = self.connection.execute(
            "SELECT link, answered_at FROM call_answers WHERE link IN (SELECT value FROM json_each(?))",
            [json.dumps(list(links))],
        )
        return dict(map(tuple, rows))

    def of_links(self, links: Iterable[int]) -> list[int]:
        """The calls of these links."""
        rows = self.connection.execute(
            "SELECT DISTINCT id FROM call_links WHERE link IN (SELECT value FROM json_each(?))",
            [json.dumps(list(links))],
        )
        return [row[0] for row in rows]

    def forget_answers(self, before: int) -> None:
        """Drop what was told before that moment."""
        self.connection.execute("DELETE FROM call_answers WHERE told_at < ?", [before])

    def joined(self, ids: Iterable[int]) -> dict[int, tuple[int, dict[str, Any]]]:
        """Of those of these calls that were joined the row that is billed, and the record's own facts."""
        rows = self.connection.execute(
            "SELECT id, billed_id, own FROM call_rows WHERE id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row[0]: (row[1], json.loads(row[2])) for row in rows}

    def rows_of(self, call_id: int) -> list[int]:
        """All rows of the conversation that a call is a row of, itself among them; none where it stands alone."""
        rows = self.connection.execute(
            "SELECT id FROM call_rows WHERE billed_id = (SELECT billed_id FROM call_rows WHERE id = ?) ORDER BY id",
            [call_id],
        )
        return [row[0] for row in rows]

    def join(self, call_id: int, billed_id: int, own: Mapping[str, Any]) -> None:
        """The call is a row of what `billed_id` is billed for; `own` are the facts of its record."""
        self.connection.execute(
            "INSERT OR REPLACE INTO call_rows VALUES (?, ?, ?)", [call_id, billed_id, json.dumps(own)]
        )

    def part(self, call_id: int) -> None:
        """The call stands alone."""
        self.connection.execute("DELETE FROM call_rows WHERE id = ?", [call_id])
