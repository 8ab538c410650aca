"""What the alert rules ask of the calls: those of the last hours, the fees of today, whole days to be summed up."""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ippbx_billing.alerts.history import PastCall
from ippbx_billing.calls import Charge, ChargeStatus
from ippbx_billing.ledger.calls import RatedCall, call_of, classification_of
from ippbx_billing.ledger.reasons import loaded

_OUTSIDE = "direction = 'outbound' AND traffic_type != 'internal'"
_RATED = (
    "SELECT c.*, g.status, g.fee_micro, g.reason, g.reason_facts, g.local_hour FROM calls c JOIN charges g USING (id)"
)


class HeardTables:
    """Questions to the tables of calls and their sums; nothing is written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def of_events(self, first: int, last: int) -> Iterator[RatedCall]:
        """The calls of the events between two ids, both included, in the order in which they came."""
        sql = f"{_RATED} WHERE c.event_id BETWEEN ? AND ? ORDER BY c.event_id, c.id"
        return map(_rated, self.connection.execute(sql, [first, last]))

    def since(self, moment: int, first_day: date) -> Iterator[RatedCall]:
        """The calls that began since a moment, of the days from that one on, in their order."""
        sql = f"{_RATED} WHERE c.day >= ? AND c.started_at >= ? ORDER BY c.started_at, c.id"
        return map(_rated, self.connection.execute(sql, [first_day.isoformat(), moment]))

    def of_days(self, first: date, last: date) -> Iterator[RatedCall]:
        """The calls of these days, both included, in the order in which they ended."""
        sql = (
            f"{_RATED} WHERE c.day BETWEEN ? AND ? "
            "ORDER BY coalesce(c.ended_at, c.started_at + max(coalesce(c.duration_s, 0), c.billed_s)), c.id"
        )
        return map(_rated, self.connection.execute(sql, [first.isoformat(), last.isoformat()]))

    def spend(self, day: date) -> dict[tuple[str, int], int]:
        """The fees of a day's outgoing calls, in micro-units by day and hour."""
        zero = day.toordinal() * 24
        rows = self.connection.execute(
            "SELECT hour, sum(fee_micro) FROM rollup_hours h JOIN rollup_classes k ON k.id = h.class_id "
            f"WHERE hour BETWEEN ? AND ? AND {_OUTSIDE} GROUP BY hour",
            [zero, zero + 23],
        )
        return {(day.isoformat(), hour - zero): int(fee) for hour, fee in rows}

    def outgoing(self, day: date) -> tuple[int, int]:
        """How many outgoing calls a day has, and how many of them without a price."""
        zero = day.toordinal() * 24
        calls, unrated = self.connection.execute(
            "SELECT ifnull(sum(calls), 0), ifnull(sum(calls * (status = 'unrated')), 0) FROM rollup_hours h "
            f"JOIN rollup_classes k ON k.id = h.class_id WHERE hour BETWEEN ? AND ? AND {_OUTSIDE} "
            "AND status != 'filtered'",
            [zero, zero + 23],
        ).fetchone()
        return int(calls), int(unrated)

    def countries(self) -> set[str]:
        """Every country that was ever called."""
        rows = self.connection.execute(
            "SELECT DISTINCT p.country FROM rollup_month_places m JOIN rollup_places p ON p.id = m.place_id "
            f"JOIN rollup_classes k ON k.id = m.class_id WHERE {_OUTSIDE} AND p.country != ''"
        )
        return {row[0] for row in rows}

    def days_without_sum(self, first: date, last: date) -> list[date]:
        """The days between two that have calls and are not summed up yet, the newest first."""
        rows = self.connection.execute(
            "SELECT day FROM rollup_spans WHERE day BETWEEN ? AND ? ORDER BY day DESC",
            [first.toordinal(), last.toordinal()],
        ).fetchall()
        known = {row[0] for row in self.connection.execute("SELECT day FROM alert_days")}
        days = (date.fromordinal(row[0]) for row in rows)
        return [day for day in days if day.isoformat() not in known]

    def past(self, day: date) -> Iterator[PastCall]:
        """The calls of a day as history needs them."""
        rows = self.connection.execute(
            "SELECT c.pbx, ifnull(c.extension, ''), c.started_at, coalesce(c.ended_at, c.started_at + "
            "max(coalesce(c.duration_s, 0), c.billed_s)), g.local_hour % 24, "
            "ifnull(c.direction = 'outbound' AND c.traffic_type != 'internal', 0), ifnull(g.fee_micro, 0), "
            "ifnull(c.country, '') FROM calls c JOIN charges g USING (id) WHERE c.day = ? AND g.status != 'filtered'",
            [day.isoformat()],
        )
        return (PastCall(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6], row[7]) for row in rows)

    def last_events(self, since: date) -> dict[str, int]:
        """When the last call of each PBX ended, of those that had one since a day."""
        rows = self.connection.execute(
            "SELECT pbx, max(coalesce(ended_at, started_at)) FROM calls WHERE day >= ? GROUP BY pbx",
            [since.isoformat()],
        )
        return {row[0]: int(row[1]) for row in rows}

    def yesterday(self, day: date) -> Mapping[str, Any]:
        """A day in one line: calls, fees, those without a price."""
        calls, unrated = self.outgoing(day)
        return {"calls": calls, "unrated": unrated, "fee_micro": sum(self.spend(day).values())}

    def first_day(self) -> date | None:
        """The first day that has calls."""
        found = self.connection.execute("SELECT min(day) FROM rollup_spans").fetchone()[0]
        return None if found is None else date.fromordinal(found)


def _rated(row: sqlite3.Row) -> RatedCall:
    charge = Charge(
        status=ChargeStatus(row["status"]),
        fee_micro=row["fee_micro"],
        reason=loaded(row["reason"], row["reason_facts"]),
    )
    return RatedCall(
        row["event_id"], call_of(row), classification_of(row), charge, row["day"], row["data_version"],
        row["local_hour"] % 24, row["key"],
    )  # fmt: skip
