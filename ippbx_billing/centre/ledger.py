"""What a ledger promises to the pipeline, kept for one site in the centre's PostgreSQL.

    ledger = CentreLedger(connection, "hq", shelf, book_hash)     # within the rater's transaction
    Writing(ledger, shelf.rules, ...)                             # the very code that fills a site's ledger
    ledger.settle()                                               # sums and facts go with the calls

The one idea: reading, correcting and joining records is written once, over a ledger's tables. Here these tables are
PostgreSQL's, and each key begins with the site; so the centre comes to the same calls as the site itself.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ippbx_billing.calls import Call
from ippbx_billing.centre.books import Shelf
from ippbx_billing.centre.opening import Connection, Row
from ippbx_billing.ledger.calls import FACTS, MEANING, RatedCall, facts, meaning_row
from ippbx_billing.ledger.reasons import stored, stored_notes
from ippbx_billing.ledger.records import Change, Reused
from ippbx_billing.ledger.rows import links_of

_CHARGE = ("status", "fee_micro", "carrier", "price_id", "window_name", "reason", "reason_facts", "calendar")
COLUMNS = (
    "site", "id", "event_id", "key", "day", "hour", "notes", "data_version", *FACTS, *MEANING, *_CHARGE,
    "department", "book",
)  # fmt: skip
_NAMES = ", ".join(COLUMNS)
_KNOWN = ", ".join(("id", "event_id", "key", "day", "notes", *FACTS))
SUMS = ("calls", "answered", "duration_s", "billed_s", "fee_micro")
ROLLUP_KEY = ("day", "department", "traffic_type", "direction", "status")

RollupKey = tuple[str, str, str, str, str]


class _SiteTables:
    """Tables of the centre as one site sees them."""

    def __init__(self, connection: Connection, site: str) -> None:
        self.connection, self.site = connection, site

    def _all(self, sql: str, *values: Any) -> list[Row]:
        return self.connection.execute(sql, [self.site, *values]).fetchall()

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        values = [(self.site, *row) for row in rows]
        if values:
            with self.connection.cursor() as cursor:
                cursor.executemany(sql, values)


class CentreCalls(_SiteTables):
    """The table `calls`, and what is added to `rollups` with it."""

    def __init__(self, connection: Connection, site: str, shelf: Shelf, book: str) -> None:
        super().__init__(connection, site)
        self._shelf, self._book = shelf, book
        self._sums: dict[RollupKey, list[int]] = defaultdict(lambda: [0] * len(SUMS))

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Row]:
        """The stored calls with these keys."""
        rows = self._all(f"SELECT {_KNOWN} FROM calls WHERE site = %s AND key = ANY(%s)", list(keys))
        return {bytes(row["key"]): {**row, "key": bytes(row["key"])} for row in rows}

    def known_by_id(self, number: int) -> Row:
        """The same of the call with this id."""
        (row,) = self._all(f"SELECT {_KNOWN} FROM calls WHERE site = %s AND id = %s", number)
        return {**row, "key": bytes(row["key"])}

    def get(self, number: int) -> Row | None:
        """All that is stored of a call, with its charge."""
        rows = self._all(f"SELECT {_NAMES} FROM calls WHERE site = %s AND id = %s", number)
        return {**rows[0], "key": bytes(rows[0]["key"])} if rows else None

    def add(self, rated: Sequence[RatedCall]) -> Sequence[int]:
        """Store new calls with their charges; gives their ids."""
        if not rated:
            return ()
        given = self.connection.execute(
            "SELECT nextval('call_ids') AS id FROM generate_series(1, %s)", [len(rated)]
        ).fetchall()
        numbers = [row["id"] for row in given]
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"COPY calls ({_NAMES}) FROM STDIN") as copy,
        ):
            for number, one in zip(numbers, rated, strict=True):
                copy.write_row(self._row(number, one))
        return numbers

    def correct(self, number: int, rated: RatedCall) -> None:
        """Put the record's later version in the place of a call."""
        before = self.get(number)
        assert before is not None
        self._count(before, -1)
        values = ", ".join(f"{name} = %s" for name in COLUMNS)
        self.connection.execute(
            f"UPDATE calls SET {values} WHERE site = %s AND id = %s",
            [*self._row(number, rated), self.site, number],
        )

    def _row(self, number: int, one: RatedCall) -> tuple[Any, ...]:
        """A call as it is stored, counted in."""
        charge, call = one.charge, one.call
        values = (
            self.site,
            number,
            one.event_id,
            one.key,
            one.day,
            one.hour,
            stored_notes(call.notes),
            one.data_version,
            *facts(call),
            *meaning_row(one.classification),
            charge.status._value_,
            charge.fee_micro,
            charge.carrier,
            charge.price_id,
            charge.window,
            *stored(charge.reason),
            charge.calendar,
            self._shelf.department(call.extension, one.day),
            self._book,
        )
        self._count(dict(zip(COLUMNS, values, strict=True)), 1)
        return values

    def _count(self, row: Mapping[str, Any], sign: int) -> None:
        key = row["day"], row["department"], row["traffic_type"], row["direction"] or "", row["status"]
        answered = int(row["disposition"] == "answered")
        counts = (1, answered, row["duration_s"] or 0, row["billed_s"], row["fee_micro"] or 0)
        sums = self._sums[key]
        for place, count in enumerate(counts):
            sums[place] += sign * count

    def settle(self) -> None:
        """Add what was counted to the sums, in an order that is the same for everybody; empty rows go."""
        adding = ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in SUMS)
        self._many(
            f"INSERT INTO rollups (site, {', '.join(ROLLUP_KEY)}, {', '.join(SUMS)}) "
            f"VALUES ({', '.join(['%s'] * (1 + len(ROLLUP_KEY) + len(SUMS)))}) "
            f"ON CONFLICT (site, {', '.join(ROLLUP_KEY)}) DO UPDATE SET {adding}",
            [(*key, *sums) for key, sums in sorted(self._sums.items()) if any(sums)],
        )
        if any(sums[0] < 0 for sums in self._sums.values()):
            self.connection.execute("DELETE FROM rollups WHERE site = %s AND calls = 0", [self.site])
        self._sums.clear()


class CentreRecords(_SiteTables):
    """The tables `reused_ids`, `late_calls` and `call_changes`."""

    def reused(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of these ids that stand for several calls."""
        rows = self._all("SELECT DISTINCT key FROM reused_ids WHERE site = %s AND key = ANY(%s)", list(keys))
        return {bytes(row["key"]) for row in rows}

    def near(self, key: bytes, started_at: int, within_s: int) -> list[int]:
        """The further calls with this id that started about then, oldest first."""
        rows = self._all(
            "SELECT id FROM reused_ids WHERE site = %s AND key = %s AND started_at BETWEEN %s AND %s ORDER BY id",
            key,
            started_at - within_s,
            started_at + within_s,
        )
        return [row["id"] for row in rows]

    def remember(self, reused: Iterable[Reused]) -> None:
        """Note further calls of ids that had one."""
        self._many(
            "INSERT INTO reused_ids (site, key, started_at, id, day) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            reused,
        )

    def move(self, call_id: int, started_at: int, day: str) -> None:
        """A correction moved the start of a call."""
        self.connection.execute(
            "UPDATE reused_ids SET started_at = %s, day = %s WHERE site = %s AND id = %s",
            [started_at, day, self.site, call_id],
        )

    def mark_late(self, late: Iterable[tuple[int, int, bool]]) -> None:
        """These calls came so many seconds after they had ended, or from a file."""
        calls = list(late)
        self.connection.execute(
            "INSERT INTO late_calls (site, id, late_s, imported) "
            "SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]) ON CONFLICT DO NOTHING",
            [self.site, *([one[place] for one in calls] for place in range(3))],
        )

    def change(self, changes: Iterable[Change]) -> None:
        """Note what changed calls that were kept already."""
        self._many(
            "INSERT INTO call_changes (site, changed_at, event_id, earlier_event_id, call_id, cause, day, status, "
            "fee_micro) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            changes,
        )


class CentreRows(_SiteTables):
    """The tables `call_links`, `call_rows` and `call_answers`."""

    def link(self, links: Iterable[tuple[int, int]]) -> None:
        """These links lead to these calls."""
        both = list(links)
        self.connection.execute(
            "INSERT INTO call_links (site, link, id) SELECT %s, * FROM unnest(%s::bigint[], %s::bigint[]) "
            "ON CONFLICT DO NOTHING",
            [self.site, [link for link, _ in both], [call_id for _, call_id in both]],
        )

    def unlink(self, call: Call, call_id: int) -> None:
        """The call is gone, or its record names other ids now."""
        self.connection.execute(
            "DELETE FROM call_links WHERE site = %s AND link = ANY(%s) AND id = %s",
            [self.site, links_of(call), call_id],
        )
        self.part(call_id)

    def related(self, links: Sequence[int], most: int) -> dict[int, list[int]]:
        """The calls of each link that leads to several; a link of more than `most` is left out."""
        rows = self._all(
            "SELECT link, array_agg(id ORDER BY id) AS ids FROM call_links WHERE site = %s AND link = ANY(%s) "
            "GROUP BY link HAVING count(*) BETWEEN 2 AND %s",
            list(links),
            most,
        )
        return {row["link"]: row["ids"] for row in rows}

    def answered(self, answers: Iterable[tuple[int, int, int]]) -> None:
        """When the calls of these links were answered and when that was told; the first counts."""
        self._many(
            "INSERT INTO call_answers (site, link, answered_at, told_at) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (site, link) DO UPDATE SET "
            "answered_at = least(call_answers.answered_at, excluded.answered_at)",
            answers,
        )

    def answers(self, links: Iterable[int]) -> dict[int, int]:
        """The moments at which the calls of these links were answered, where an event told."""
        rows = self._all("SELECT link, answered_at FROM call_answers WHERE site = %s AND link = ANY(%s)", list(links))
        return {row["link"]: row["answered_at"] for row in rows}

    def of_links(self, links: Iterable[int]) -> list[int]:
        """The calls of these links."""
        wanted = list(links)
        if not wanted:
            return []
        rows = self._all("SELECT DISTINCT id FROM call_links WHERE site = %s AND link = ANY(%s)", wanted)
        return [row["id"] for row in rows]

    def forget_answers(self, before: int) -> None:
        """Drop what was told before that moment."""
        self.connection.execute("DELETE FROM call_answers WHERE site = %s AND told_at < %s", [self.site, before])

    def joined(self, ids: Iterable[int]) -> dict[int, tuple[int, dict[str, Any]]]:
        """Of those of these calls that were joined the row that is billed, and the record's own facts."""
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self._all("SELECT id, billed_id, own FROM call_rows WHERE site = %s AND id = ANY(%s)", wanted)
        return {row["id"]: (row["billed_id"], json.loads(row["own"])) for row in rows}

    def rows_of(self, call_id: int) -> list[int]:
        """All rows of the conversation that a call is a row of."""
        rows = self._all(
            "SELECT r.id FROM call_rows r JOIN call_rows o ON o.site = r.site AND o.billed_id = r.billed_id "
            "WHERE o.site = %s AND o.id = %s ORDER BY r.id",
            call_id,
        )
        return [row["id"] for row in rows]

    def join(self, call_id: int, billed_id: int, own: Mapping[str, Any]) -> None:
        """The call is a row of what `billed_id` is billed for."""
        self.connection.execute(
            "INSERT INTO call_rows (site, id, billed_id, own) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (site, id) DO UPDATE SET billed_id = excluded.billed_id, own = excluded.own",
            [self.site, call_id, billed_id, json.dumps(own)],
        )

    def part(self, call_id: int) -> None:
        """The call stands alone."""
        self.connection.execute("DELETE FROM call_rows WHERE site = %s AND id = %s", [self.site, call_id])


class CentreJourney:
    """Where the centre is; it anonymizes nothing by itself, so that every call is open to corrections."""

    def state(self, name: str) -> str | None:
        """What a ledger remembers under this name: nothing here."""
        return None


class CentreLedger:
    """The tables of one site, in the transaction of whoever made it."""

    def __init__(self, connection: Connection, site: str, shelf: Shelf, book: str) -> None:
        self.calls = CentreCalls(connection, site, shelf, book)
        self.records = CentreRecords(connection, site)
        self.rows = CentreRows(connection, site)
        self.journey = CentreJourney()

    def settle(self) -> None:
        """Bring the sums up to what was written."""
        self.calls.settle()
