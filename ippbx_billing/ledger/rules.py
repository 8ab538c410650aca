"""What the site itself knows: its days off, the digits that are only dialled, the calls that are nobody's bill."""

import sqlite3
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from ippbx_billing.calls import Direction
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger.editing import editing
from ippbx_billing.tariffs import CallFilter, DayOverride

if TYPE_CHECKING:
    from ippbx_billing.numbering import Cleanup


class RuleTables:
    """The tables `holiday_overrides`, `cleanups` and `call_filters`; each change is a transaction of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # -- days off

    def day_overrides(self) -> list[DayOverride]:
        """The site's own days, in their order."""
        rows = self.connection.execute("SELECT * FROM holiday_overrides ORDER BY day")
        return [DayOverride(date.fromisoformat(row["day"]), row["day_kind"], row["note"]) for row in rows]

    def put_days(self, days: list[DayOverride]) -> None:
        """Say what these days are, whatever the national calendar says."""
        with editing(self.connection) as database:
            database.table("holiday_overrides").upsert_all(
                [{"day": one.day.isoformat(), "day_kind": one.kind, "note": one.note} for one in days], pk="day"
            )

    def remove_day(self, day: date) -> None:
        """Let the national calendar decide again."""
        with editing(self.connection):
            found = self.connection.execute("DELETE FROM holiday_overrides WHERE day = ?", [day.isoformat()])
            if not found.rowcount:
                raise NotFoundError(tr("{day} has no entry of the site", day=day), tr("see `ippbx-bill holidays list`"))

    # -- digits that are only dialled

    def cleanups(self) -> "list[Cleanup]":
        """The site's number clean-up rules, by prefix."""
        from ippbx_billing.numbering import Cleanup

        rows = self.connection.execute("SELECT * FROM cleanups ORDER BY prefix")
        return [Cleanup(row["prefix"], row["match_length"], row["delete_digits"]) for row in rows]

    def put_cleanup(self, cleanup: "Cleanup") -> None:
        """Add a rule, or change the one of that prefix."""
        with editing(self.connection) as database:
            database.table("cleanups").upsert(
                {"prefix": cleanup.prefix, "match_length": cleanup.match_length, "delete_digits": cleanup.delete},
                pk="prefix",
            )

    def remove_cleanup(self, prefix: str) -> None:
        "Remove a rule."
        with editing(self.connection):
            if not self.connection.execute("DELETE FROM cleanups WHERE prefix = ?", [prefix]).rowcount:
                raise NotFoundError(
                    tr("there is no clean-up of {prefix}", prefix=prefix), tr("see `ippbx-bill filters cleanup list`")
                )

    # -- calls that are nobody's bill

    def filters(self) -> list[CallFilter]:
        """The site's call filters, in the order in which they were made."""
        rows = self.connection.execute("SELECT * FROM call_filters ORDER BY id")
        return [_filter(row) for row in rows]

    def add_filter(self, one: CallFilter) -> CallFilter:
        """Keep a filter; gives it with its id, which is the present one's where the same filter is there already."""
        present = next((other for other in self.filters() if replace(other, id=one.id, note=one.note) == one), None)
        if present:
            return present
        row = {
            "direction": one.direction and one.direction.value,
            "extension": one.extension,
            "number": one.number,
            "trunk": one.trunk,
            "note": one.note,
        }
        with editing(self.connection) as database:
            number = database.table("call_filters").insert(row).last_pk
        assert isinstance(number, int)
        return replace(one, id=number)

    def remove_filter(self, number: int) -> None:
        """Take a filter out; its calls are billed again once their events are replayed."""
        with editing(self.connection):
            if not self.connection.execute("DELETE FROM call_filters WHERE id = ?", [number]).rowcount:
                raise NotFoundError(
                    tr("there is no call filter {number}", number=number), tr("see `ippbx-bill filters cdr list`")
                )


def _filter(row: sqlite3.Row) -> CallFilter:
    direction = Direction(row["direction"]) if row["direction"] else None
    return CallFilter(row["id"], direction, row["extension"], row["number"], row["trunk"], row["note"])
