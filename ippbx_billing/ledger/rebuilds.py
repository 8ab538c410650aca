"""What a ledger that is built anew takes over from an earlier one, beside which it is attached.

Taken over is what people entered, the numbers that stand for kinds and places, and the calls whose events are gone from
the inbox; everything else is worked out again from the events.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ippbx_billing.ledger.calls import CHARGE
from ippbx_billing.ledger.replays import Totals

EDITED = (
    "carriers", "trunks", "prices", "windows", "overrides", "holiday_overrides", "cleanups", "call_filters",
    "departments", "employees", "memberships", "assignments", "holders", "plans", "department_terms",
)  # fmt: skip
# What was found and told while the new ledger grew; taken over at the end, so that nothing is told twice.
TOLD = ("alert_settings", "alert_exceptions", "alert_incidents", "alert_messages", "alert_posts")
IDS = ("kinds", "rollup_extensions", "rollup_places", "rollup_classes")
# Each call of the earlier ledger with the same call of the new one, and both charges: `g` of before, `h` of now.
_SAME = (
    "FROM old.calls o JOIN main.calls n ON n.key = o.key JOIN old.charges g ON g.id = o.id "
    "JOIN main.charges h ON h.id = n.id"
)
OF_CALLS = ("reused_ids", "call_links", "call_rows", "late_calls")
_GONE = "NOT EXISTS (SELECT 1 FROM arrived.events e WHERE e.id = {})"


@dataclass(frozen=True, slots=True)
class Compared:
    """The calls of the earlier ledger beside those of the new one, as far as the new one has read.

    `changed` have another charge now, `otherwise` are calls of records that are read as another call or as none now,
    `lost` those that nothing explains: their event is gone and they were not taken over.
    """

    before: Totals
    after: Totals
    changed: int
    otherwise: Totals
    lost: Totals


class RebuildTables:
    """The tables of the new ledger on `connection`, with the earlier one as `old` and the inbox as `arrived`."""

    def __init__(self, connection: sqlite3.Connection, earlier: Path, inbox: Path) -> None:
        self.connection = connection
        connection.execute("ATTACH ? AS old", [str(earlier)])
        connection.execute("ATTACH ? AS arrived", [str(inbox)])

    def take_over(self) -> int:
        """What cannot be worked out again; gives the number of calls whose events are gone."""
        run = self.connection.execute
        run("BEGIN")  # not IMMEDIATE, which would lock the inbox as well
        run("PRAGMA defer_foreign_keys = ON")
        for table in (*EDITED, *IDS):
            run(f"INSERT OR REPLACE INTO {table} SELECT * FROM old.{table}")
        run("DELETE FROM sqlite_sequence")
        run("INSERT INTO sqlite_sequence SELECT * FROM old.sqlite_sequence")
        run("INSERT OR REPLACE INTO state SELECT * FROM old.state WHERE name != 'position'")
        run(
            "INSERT OR REPLACE INTO state SELECT 'last_call', max(id) FROM "
            "(SELECT max(id) AS id FROM old.calls UNION SELECT CAST(value AS INTEGER) FROM old.state "
            "WHERE name = 'last_call') HAVING max(id) IS NOT NULL"
        )
        kept = run(f"INSERT INTO calls SELECT * FROM old.calls c WHERE {_GONE.format('c.event_id')}").rowcount
        run("INSERT INTO charges SELECT * FROM old.charges WHERE id IN (SELECT id FROM calls)")
        for table in OF_CALLS:
            run(f"INSERT INTO {table} SELECT * FROM old.{table} WHERE id IN (SELECT id FROM calls)")
        run(f"INSERT INTO call_changes SELECT * FROM old.call_changes c WHERE {_GONE.format('c.event_id')}")
        run(f"INSERT INTO outcomes SELECT * FROM old.outcomes o WHERE {_GONE.format('o.event_id')}")
        run("COMMIT")
        return kept

    def take_over_history(self) -> None:
        """The earlier charges of calls that are the same records as before."""
        run = self.connection.execute
        columns = [row["name"] for row in run("PRAGMA main.table_info(charge_history)")]
        values = ", ".join("n.id" if name == "call_id" else f"h.{name}" for name in columns)
        run("BEGIN")
        run("INSERT INTO rerate_runs SELECT * FROM old.rerate_runs")
        run(
            f"INSERT INTO charge_history ({', '.join(columns)}) SELECT {values} FROM old.charge_history h "
            "JOIN old.calls o ON o.id = h.call_id JOIN calls n ON n.key = o.key"
        )
        run("COMMIT")

    def keep_changes(self, now: int) -> None:
        """The charges that are others now join the history, as of a run of their own."""
        run, names = self.connection.execute, ", ".join(CHARGE)
        differs = " OR ".join(f"g.{name} IS NOT h.{name}" for name in CHARGE if name != "calendar")
        run("BEGIN")
        number = run(
            "INSERT INTO rerate_runs (started_at, ended_at, first_day, last_day, conditions) "
            "SELECT ?, ?, ifnull(min(day), ''), ifnull(max(day), ''), 'events rebuild' FROM main.calls",
            [now, now],
        ).lastrowid
        changed = run(
            f"INSERT INTO charge_history (run_id, call_id, {names}) SELECT ?, n.id, "
            f"{', '.join('g.' + name for name in CHARGE)} {_SAME} WHERE {differs}",
            [number],
        ).rowcount
        if not changed:
            run("DELETE FROM rerate_runs WHERE id = ?", [number])
        run("COMMIT")

    def compare(self) -> Compared:
        """What became of the earlier ledger's calls, of the events that the new one has read."""
        position = self.connection.execute("SELECT value FROM main.state WHERE name = 'position'").fetchone()
        read = int(position[0]) if position else 0
        gone = "c.event_id <= ? AND NOT EXISTS (SELECT 1 FROM main.calls n WHERE n.key = c.key)"
        without = f"{gone} AND {_GONE.format('c.event_id')}"
        differs = " OR ".join(f"g.{name} IS NOT h.{name}" for name in CHARGE if name != "calendar")
        all_gone = self._totals("old", gone, read)
        lost = self._totals("old", without, read)
        return Compared(
            self._totals("old", "c.event_id <= ?", read),
            self._totals("main", "c.event_id <= ?", read),
            int(self.connection.execute(f"SELECT count(*) {_SAME} WHERE {differs}").fetchone()[0]),
            Totals(*(one - other for one, other in zip(all_gone, lost, strict=True))),
            lost,
        )

    def _totals(self, schema: str, which: str, read: int) -> Totals:
        sums = "count(*), ifnull(sum(g.fee_micro), 0), ifnull(sum(g.status = 'unrated'), 0)"
        sql = f"SELECT {sums} FROM {schema}.calls c JOIN {schema}.charges g USING (id) WHERE {which}"
        return Totals(*self.connection.execute(sql, [read]).fetchone())

    def count_calls(self) -> int:
        """How many calls the new ledger holds."""
        return int(self.connection.execute("SELECT count(*) FROM main.calls").fetchone()[0])

    def edited_meanwhile(self) -> list[str]:
        """The tables that somebody edited in the earlier ledger since they were taken over."""
        return [table for table in EDITED if self._differs(table)]

    def take_over_told(self) -> None:
        """Incidents and messages as they stand; nobody may write to the earlier ledger meanwhile."""
        run = self.connection.execute
        run("BEGIN")
        for table in TOLD:
            run(f"DELETE FROM {table}")
            run(f"INSERT INTO {table} SELECT * FROM old.{table}")
            run("DELETE FROM sqlite_sequence WHERE name = ?", [table])
            run("INSERT INTO sqlite_sequence SELECT * FROM old.sqlite_sequence WHERE name = ?", [table])
        run("INSERT OR REPLACE INTO state SELECT * FROM old.state WHERE name LIKE 'alert%'")
        run("COMMIT")

    def let_go(self) -> None:
        """The new ledger stands alone."""
        self.connection.execute("DETACH old")
        self.connection.execute("DETACH arrived")

    def _differs(self, table: str) -> bool:
        ours, theirs = f"SELECT * FROM main.{table}", f"SELECT * FROM old.{table}"
        both_ways = f"SELECT 1 FROM ({ours} EXCEPT {theirs}) UNION ALL SELECT 1 FROM ({theirs} EXCEPT {ours}) LIMIT 1"
        return self.connection.execute(both_ways).fetchone() is not None
