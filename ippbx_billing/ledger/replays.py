"""What reading events again does to calls that are on bills: their fees before and after, and their earlier charges.

    tables.remember(event_ids)     # before the calls of these events are taken out
    ...                            # the events are read again, as calls with ids of their own
    tables.take_over(run)          # -> how many calls, and their fees, before and after

A call is the same call where its record has the same key. Its earlier charges follow it to its new id, and where its
charge is another now, that of before joins them.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from ippbx_billing.ledger.calls import CHARGE

_CHARGE = ", ".join(CHARGE)
_DIFFERS = " OR ".join(f"b.{name} IS NOT g.{name}" for name in CHARGE if name != "calendar")


class Totals(NamedTuple):
    """Some calls: their number, what they cost together, and how many of them have no price."""

    calls: int = 0
    fee_micro: int = 0
    unrated: int = 0


class BeforeAfter(NamedTuple):
    """The calls of some events before and after they were read again; `changed` have another charge now."""

    before: Totals = Totals()
    after: Totals = Totals()
    changed: int = 0

    def and_(self, other: "BeforeAfter") -> "BeforeAfter":
        """Both together."""
        before, after = (
            Totals(*(one + more for one, more in zip(mine, others, strict=True)))
            for mine, others in ((self.before, other.before), (self.after, other.after))
        )
        return BeforeAfter(before, after, self.changed + other.changed)


class ReplayTables:
    """The calls of events that are read again, kept beside the ledger's tables; in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def remember(self, event_ids: Iterable[int]) -> None:
        """Keep the charges of these events' calls, and their earlier ones, until `take_over`."""
        run = self.connection.execute
        for statement in (
            "DROP TABLE IF EXISTS temp.read_again",
            "DROP TABLE IF EXISTS temp.before",
            "DROP TABLE IF EXISTS temp.earlier",
            "CREATE TEMP TABLE read_again (event_id INTEGER PRIMARY KEY)",
        ):
            run(statement)
        self.connection.executemany("INSERT OR IGNORE INTO temp.read_again VALUES (?)", ((one,) for one in event_ids))
        run(
            f"CREATE TEMP TABLE before AS SELECT c.key, c.id AS call_id, {_CHARGE} "
            "FROM temp.read_again r JOIN calls c USING (event_id) JOIN charges USING (id)"
        )
        run(
            "CREATE TEMP TABLE earlier AS SELECT b.key, h.* FROM rerate_runs r JOIN temp.before b "
            "JOIN charge_history h ON h.run_id = r.id AND h.call_id = b.call_id"
        )

    def take_over(self, run: int) -> BeforeAfter:
        """Give the calls their earlier charges back, with that of before where it is another now, as of this run."""
        columns = [row[1] for row in self.connection.execute("PRAGMA table_info(charge_history)")]
        kept = ", ".join("c.id" if name == "call_id" else f"e.{name}" for name in columns)
        self.connection.execute(
            f"INSERT OR IGNORE INTO charge_history ({', '.join(columns)}) "
            f"SELECT {kept} FROM temp.earlier e JOIN calls c USING (key)"
        )
        changed = self.connection.execute(
            f"INSERT OR IGNORE INTO charge_history (run_id, call_id, {_CHARGE}) "
            f"SELECT ?, c.id, {', '.join('b.' + name for name in CHARGE)} "
            f"FROM temp.before b JOIN calls c USING (key) JOIN charges g ON g.id = c.id WHERE {_DIFFERS}",
            [run],
        ).rowcount
        before = self._totals("FROM temp.before")
        after = self._totals("FROM temp.read_again r JOIN calls c USING (event_id) JOIN charges USING (id)")
        return BeforeAfter(before, after, changed)

    def _totals(self, which: str) -> Totals:
        sums = "count(*), ifnull(sum(fee_micro), 0), ifnull(sum(status = 'unrated'), 0)"
        return Totals(*self.connection.execute(f"SELECT {sums} {which}").fetchone())
