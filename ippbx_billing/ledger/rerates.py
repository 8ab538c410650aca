"""Rating many calls again: the set-wise work on charges, and the history of those that changed.

The one idea: SQLite does what is the same for every row, Python decides once for each kind of call, length and window.
`plans` says how the calls of a kind find their charge, `fees` holds the charges found so far, each under a code;
`changed` gathers the calls of a stretch whose charge differs, with the code of the new one. Then the old ones go into
the history, the sums follow, and the charges are replaced, each with one statement and all in one short transaction.

    code = base                                    how 0: one charge for all calls of the kind
           base + length                           how 1: it depends on the length alone
           clock(base, start, length)              how 2: and on the time of day; NULL: this call must be looked at
           NULL                                    how 3: and on more than a kind knows, such as the number
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from ippbx_billing.ledger.calls import CHARGE, KIND, MEANING
from ippbx_billing.ledger.rollups import FeeChanges, RollupTables

DIGITS = ("number", "normalized", "callee", "did", "extension")  # what a tariff or a filter may look at beyond the kind
FIXED, BY_LENGTH, BY_CLOCK, ONE_BY_ONE = range(4)
LONGEST_S = 366 * 86_400  # longer calls are looked at one by one
OTHER_ZONE_DAYS = 2  # so far the day of a call may move when the site's time zone is set anew

ChargeRow = tuple[Any, ...]  # in the order of CHARGE
Missing = Callable[[int | None, int, int, int, int], int]  # code, kind, start, length, call -> 0


@dataclass(frozen=True, slots=True)
class CallRange:
    """A part of the ledger: calls from one id to another that started in a time (seconds of UTC, end not included).

    `skipping` says that some of its calls are settled already.
    """

    first: int
    last: int
    begin: int
    end: int
    skipping: bool = False

    @property
    def sql(self) -> str:
        """Its condition on the charges `g`; `values` are those it asks for."""
        settled = " AND g.id NOT IN (SELECT id FROM temp.settled)" if self.skipping else ""
        return f"g.id BETWEEN ? AND ? AND g.started_at >= ? AND g.started_at < ?{settled}"

    @property
    def values(self) -> list[Any]:
        """What the condition asks for."""
        return [self.first, self.last, self.begin, self.end]


class Span(NamedTuple):
    """Calls of some days: their number, and the first and the last id, between which others may lie."""

    calls: int
    first: int
    last: int


class ChangedCharges(NamedTuple):
    """Calls with another charge: their number, and what they cost together before and after.

    Of them `priced` had no price and cost `priced_micro` now; `fees` had another fee, `fees_before_micro` together.
    """

    calls: int = 0
    before_micro: int = 0
    after_micro: int = 0
    priced: int = 0
    priced_micro: int = 0
    fees: int = 0
    fees_before_micro: int = 0
    fees_after_micro: int = 0

    @classmethod
    def of_call(cls, status: str, before: int | None, after: int | None) -> "ChangedCharges":
        """One call that had this status and fee and has another charge now."""
        priced = status == "unrated" and after is not None
        other = before is not None and after is not None and before != after
        was, now = before or 0, after or 0
        return cls(1, was, now, priced, now * priced, other, was * other, now * other)

    def and_(self, other: "ChangedCharges") -> "ChangedCharges":
        """Both together."""
        return ChangedCharges(*(one + more for one, more in zip(self, other, strict=True)))


class RerateTables:
    """The tables `rerate_runs` and `charge_history`, and what a run needs for itself; see `rerating`."""

    def __init__(self, connection: sqlite3.Connection, rollups: RollupTables) -> None:
        self.connection = connection
        self._rollups = rollups
        self._fees = FeeChanges()

    # -- before a run

    def kinds(self) -> list[sqlite3.Row]:
        """All kinds of calls."""
        return self.connection.execute(f"SELECT id, {', '.join(KIND)} FROM kinds").fetchall()

    def span(self, first: date, last: date) -> Span:
        """The calls of these days, as the sums know them."""
        days = first.toordinal(), last.toordinal()
        calls = self.connection.execute(
            "SELECT coalesce(sum(calls), 0) FROM rollup_days WHERE day BETWEEN ? AND ?", days
        ).fetchone()[0]
        ids = self.connection.execute(
            "SELECT coalesce(min(first_id), 0), coalesce(max(last_id), -1) FROM rollup_spans WHERE day BETWEEN ? AND ?",
            [days[0] - OTHER_ZONE_DAYS, days[1] + OTHER_ZONE_DAYS],
        ).fetchone()
        return Span(int(calls), *ids)

    def begin_run(self, now: int, first_day: str, last_day: str, conditions: str) -> int:
        """Note that charges of these days may change; gives the run's number.

        Whoever calls it does maintenance alone, so a run that never ended was killed: it has ended now.
        """
        self.connection.execute("UPDATE rerate_runs SET ended_at = started_at WHERE ended_at IS NULL")
        cursor = self.connection.execute(
            "INSERT INTO rerate_runs (started_at, first_day, last_day, conditions) VALUES (?, ?, ?, ?)",
            [now, first_day, last_day, conditions],
        )
        return int(cursor.lastrowid or 0)

    def end_run(self, run: int, now: int) -> None:
        """Note that the run came to its end; one that changed nothing leaves no trace."""
        self.connection.execute("UPDATE rerate_runs SET ended_at = ? WHERE id = ?", [now, run])
        self.connection.execute(
            "DELETE FROM rerate_runs WHERE id = ? AND NOT EXISTS (SELECT 1 FROM charge_history WHERE run_id = ?)",
            [run, run],
        )

    def prepare(self, clock: Callable[[int, int, int], int | None], missing: Missing) -> None:
        """Make room for the run's plans and fees, on this connection alone."""
        for statement in (
            "PRAGMA temp_store = MEMORY",
            "DROP TABLE IF EXISTS temp.plans",
            "DROP TABLE IF EXISTS temp.fees",
            "DROP TABLE IF EXISTS temp.settled",
            "DROP TABLE IF EXISTS temp.changed",
            "CREATE TEMP TABLE plans (kind_id INTEGER PRIMARY KEY, how, base, carrier_id, class_id)",
            f"CREATE TEMP TABLE fees (code INTEGER PRIMARY KEY, {', '.join(CHARGE)})",
            "CREATE TEMP TABLE settled (id INTEGER PRIMARY KEY)",
            "CREATE TEMP TABLE changed (id INTEGER PRIMARY KEY, code, unrated, was_micro, fee_micro, stays)",
        ):
            self.connection.execute(statement)
        self.connection.execute("PRAGMA cache_size = -65536")
        self.connection.execute("PRAGMA wal_autocheckpoint = 8000")
        self.connection.create_function("clock", 3, clock)
        self.connection.create_function("missing", 5, missing)
        self.connection.create_function("added", 5, self._fees.add)

    def plan(self, plans: Iterable[tuple[int, int, int, int | None]]) -> None:
        """How the calls of each kind find their charge: kind, how, base, carrier. Kinds without a plan are left alone.

        `class_id` is the class of such calls that this carrier rated, if the sums know one yet.
        """
        self.connection.execute("DELETE FROM temp.plans")
        self.connection.executemany(
            "INSERT INTO temp.plans SELECT ?1, ?2, ?3, ?4, (SELECT s.id FROM kinds k JOIN rollup_classes s "
            "USING (trunk, direction, disposition, traffic_type, line_kind) "
            "WHERE k.id = ?1 AND s.carrier_id = ?4 AND s.status = 'rated')",
            plans,
        )

    def learn(self, fees: Iterable[tuple[int, ChargeRow]]) -> None:
        """Charges by their code."""
        marks = ", ".join("?" * (1 + len(CHARGE)))
        self.connection.executemany(
            f"INSERT OR REPLACE INTO temp.fees VALUES ({marks})", ((code, *charge) for code, charge in fees)
        )

    def forget(self) -> None:
        """Drop all charges learnt, so that memory stays bounded."""
        self.connection.execute("DELETE FROM temp.fees")

    # -- a stretch of calls

    def begin_stretch(self) -> None:
        """Forget which charges changed in the last one."""
        self.connection.execute("DELETE FROM temp.changed")
        self._fees.clear()

    def find_changed(self, stretch: CallRange, calls: Sequence[int] | None = None) -> None:
        """Gather the calls whose charge is to change.

        For a call whose code is not learnt yet, `missing` is asked; such calls are named again in `calls`.
        """
        only = "" if calls is None else " AND g.id IN (SELECT value FROM json_each(?))"
        self.connection.execute(
            f"{_GATHER} FROM charges g JOIN temp.plans p ON p.kind_id = g.kind_id "
            f"LEFT JOIN temp.fees f ON f.code = {_code(stretch.end)} "
            f"WHERE {stretch.sql}{only} AND {_differs(stretch.end)}",
            stretch.values if calls is None else [*stretch.values, json.dumps(list(calls))],
        )

    def put_changed(self, charges: Iterable[tuple[int, ChargeRow]]) -> None:
        """Gather these calls as well, with their new charge, which is learnt under a code below 0."""
        codes: dict[ChargeRow, int] = {}
        calls = [(call, codes.setdefault(charge, -1 - len(codes))) for call, charge in charges]
        self.learn((code, charge) for charge, code in codes.items())
        self.connection.executemany(
            f"{_GATHER} FROM charges g JOIN temp.plans p ON p.kind_id = g.kind_id JOIN temp.fees f ON f.code = ?2 "
            "WHERE g.id = ?1",
            calls,
        )

    def differences(self) -> list[sqlite3.Row]:
        """What would change, summed by extension: `calls`, fees before and after, unrated calls before and after."""
        return self.connection.execute(
            "SELECT e.extension, count(*) AS calls, coalesce(sum(g.fee_micro), 0) AS before_micro, "
            "coalesce(sum(n.fee_micro), 0) AS after_micro, sum(n.unrated) AS unrated_before, "
            f"sum(f.status = 'unrated') AS unrated_after {_CHANGED} JOIN temp.fees f USING (code) "
            "JOIN rollup_extensions e ON e.id = g.extension_id GROUP BY g.extension_id"
        ).fetchall()

    def change(self, run: int) -> ChangedCharges:
        """Replace the charges that were gathered and keep the old ones; the sums follow."""
        changes = self._changes()
        if changes.calls:
            self.connection.execute(
                f"INSERT INTO charge_history (run_id, call_id, {', '.join(CHARGE)}) "
                f"SELECT ?, g.id, {', '.join('g.' + name for name in CHARGE)} {_CHANGED}",
                [run],
            )
            self._count_changes()
            self.connection.execute(
                f"UPDATE charges AS g SET ({', '.join(CHARGE)}) = (SELECT {', '.join('f.' + name for name in CHARGE)} "
                "FROM temp.changed n JOIN temp.fees f USING (code) WHERE n.id = g.id) "
                "WHERE g.id IN (SELECT id FROM temp.changed)"
            )
        return changes

    def _changes(self) -> ChangedCharges:
        """What was gathered, in sum."""
        return ChangedCharges(
            *self.connection.execute(
                "SELECT count(*), ifnull(sum(n.was_micro), 0), ifnull(sum(n.fee_micro), 0), "
                f"count(*) FILTER ({_PRICED}), ifnull(sum(n.fee_micro) FILTER ({_PRICED}), 0), "
                f"count(*) FILTER ({_OTHER_FEE}), ifnull(sum(n.was_micro) FILTER ({_OTHER_FEE}), 0), "
                f"ifnull(sum(n.fee_micro) FILTER ({_OTHER_FEE}), 0) FROM temp.changed n"
            ).fetchone()
        )

    def _count_changes(self) -> None:
        """Let the sums follow; calls that go to another class are moved one by one."""
        self._rollups.change_fees(self._fees)
        cursor = self.connection.cursor()
        cursor.row_factory = None
        self._rollups.change_classes(
            cursor.execute(
                "SELECT g.local_hour, g.extension_id, g.place_id, g.kind_id, g.carrier_id, g.status, "
                "ifnull(g.fee_micro, 0), f.carrier_id, f.status, g.duration_s, g.billed_s, ifnull(f.fee_micro, 0) "
                f"{_CHANGED} JOIN temp.fees f USING (code) WHERE NOT n.stays"
            )
        )

    # -- calls one by one

    def digits(self, ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Of these calls id, charge, start and length, then kind, twin, doubt, DIGITS and milliseconds of talk."""
        names = [f"g.{name}" for name in ("id", *CHARGE)]
        names += [f"{_PRICED_AT} AS priced_at", "g.billed_s", "g.kind_id"]
        names += [f"c.{name}" for name in ("twin", "doubt", *DIGITS, "billed_ms")]
        return iter(
            self.connection.execute(
                f"SELECT {', '.join(names)} FROM json_each(?) j JOIN charges g ON g.id = j.value "
                "JOIN calls c ON c.id = g.id",
                [json.dumps(list(ids))],
            )
        )

    def planned(self, stretch: CallRange) -> Iterator[sqlite3.Row]:
        """All calls of a stretch whose kind has a plan, with their charges."""
        return iter(
            self.connection.execute(
                f"SELECT c.*, {', '.join('g.' + name for name in CHARGE)} FROM charges g "
                f"JOIN temp.plans p USING (kind_id) JOIN calls c ON c.id = g.id WHERE {stretch.sql}",
                stretch.values,
            ).fetchall()
        )

    def replace_charges(self, run: int, changed: Sequence[tuple[int, ChargeRow, str | None]]) -> None:
        """Copy the charges of these calls into the history and put new ones in their place: id, charge, old meaning."""
        self.connection.executemany(
            f"INSERT INTO charge_history (run_id, call_id, {', '.join(CHARGE)}, meaning) "
            f"SELECT ?, id, {', '.join(CHARGE)}, ? FROM charges WHERE id = ?",
            [(run, meaning, number) for number, _, meaning in changed],
        )
        assignments = ", ".join(f"{name} = ?" for name in CHARGE)
        self.connection.executemany(
            f"UPDATE charges SET {assignments} WHERE id = ?", [(*charge, number) for number, charge, _ in changed]
        )

    def reclassify(
        self, run: int, rows: Sequence[tuple[Any, ...]], changed: Sequence[tuple[int, ChargeRow, str | None]]
    ) -> None:
        """Give calls another meaning and another charge; both are kept in the history, and the sums follow.

        A row holds the values of MEANING, the data's version, the kind, and the call's id; for `changed` see
        `replace_charges`.
        """
        ids = [row[-1] for row in rows]
        self._rollups.count_out(ids)
        self.replace_charges(run, changed)
        assignments = ", ".join(f"{name} = ?" for name in (*MEANING, "data_version"))
        self.connection.executemany(
            f"UPDATE calls SET {assignments} WHERE id = ?", [(*row[:-2], row[-1]) for row in rows]
        )
        places = [self._rollups.place_id(*(row[MEANING.index(name)] for name in _PLACE)) for row in rows]
        self.connection.executemany(
            "UPDATE charges SET place_id = ?, kind_id = ? WHERE id = ?",
            [(place_id, *row[-2:]) for place_id, row in zip(places, rows, strict=True)],
        )
        self._rollups.count_in(ids)

    def settle(self, ids: Iterable[int]) -> None:
        """These calls are dealt with: the set-wise statements are to leave them alone."""
        self.connection.executemany("INSERT OR IGNORE INTO temp.settled VALUES (?)", ((one,) for one in ids))

    # -- afterwards

    def history(self, call: int) -> list[sqlite3.Row]:
        """The earlier charges of a call, oldest first, each with `replaced_at` and its carrier."""
        return self.connection.execute(
            f"SELECT h.run_id, r.started_at AS replaced_at, {', '.join('h.' + name for name in CHARGE)}, h.meaning, "
            "k.name AS carrier, k.decimals FROM rerate_runs r "
            "JOIN charge_history h ON h.run_id = r.id AND h.call_id = ? "
            "LEFT JOIN carriers k ON k.id = h.carrier_id ORDER BY r.id",
            [call],
        ).fetchall()


_PLACE = ("country", "region", "place")
_CHANGED = "FROM temp.changed n CROSS JOIN charges g ON g.id = n.id"  # in this order: `changed` is the shorter
_PRICED = "WHERE n.unrated AND n.fee_micro IS NOT NULL"
_OTHER_FEE = "WHERE n.was_micro <> n.fee_micro"  # both are known then
_PRICED_AT = "g.started_at + g.ring_s"


def _code(end: int) -> str:
    """The code of a call, as SQL; none where it was answered after `end`, when other prices may hold."""
    return (
        f"CASE WHEN p.how = {FIXED} THEN p.base WHEN p.how = {ONE_BY_ONE} OR {_PRICED_AT} >= {end} "
        f"OR g.billed_s NOT BETWEEN 0 AND {LONGEST_S} THEN NULL WHEN p.how = {BY_LENGTH} THEN p.base + g.billed_s "
        f"ELSE clock(p.base, {_PRICED_AT}, g.billed_s) END"
    )


# A charge by a price is rated, by that price's carrier and without a reason, one without a price has no window: so much
# need not be compared for the many calls that do not change.
def _differs(end: int) -> str:
    return (
        f"CASE WHEN f.code IS NULL THEN missing({_code(end)}, g.kind_id, {_PRICED_AT}, g.billed_s, g.id) "
        "WHEN f.fee_micro IS NOT g.fee_micro OR f.price_id IS NOT g.price_id OR f.window IS NOT g.window THEN 1 "
        "WHEN f.price_id IS NULL THEN f.reason IS NOT g.reason OR f.reason_facts IS NOT g.reason_facts "
        "OR f.carrier_id IS NOT g.carrier_id "
        "OR f.status IS NOT g.status END"
    )


# What is gathered of a call `g` that gets the charge `f`; the difference is `added` at once where the call stays in its
# class, that of the plan `p`. `added` gives NULL.
_GATHER = (
    "INSERT INTO temp.changed SELECT g.id, f.code, g.status = 'unrated', g.fee_micro, f.fee_micro, "
    "CASE WHEN f.price_id AND g.price_id AND f.carrier_id = p.carrier_id AND g.carrier_id = p.carrier_id "
    "AND p.class_id THEN added(g.local_hour, g.extension_id, g.place_id, p.class_id, "
    "ifnull(f.fee_micro, 0) - ifnull(g.fee_micro, 0)) IS NULL ELSE 0 END"
)
