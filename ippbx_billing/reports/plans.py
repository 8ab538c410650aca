"""The plans of a month asked of the ledger: its charged calls in the order of time, and the lines that follow.

    month = PlanMonth(ledger, view, Period.month("2026-10", today))
    month.lines  # of all plans over all calls, whoever's bill they are for

The one idea: a plan is shared by several people, so its lines are worked out once over all calls of its scope; a bill
takes from each line the parts that its own calls used.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from ippbx_billing.calls import ChargeStatus
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.conditions import Period, View
from ippbx_billing.reports.sources import CALLS
from ippbx_billing.tariffs.plans import Plan, PlanCall, PlanLine, Rest, in_order, month_lines, nobody_knows
from ippbx_billing.tariffs.rating import MAX_CALL_S


class Owner(NamedTuple):
    """On whose bills a part stands: department and employee as ids, and the extension; each may be nobody's."""

    department: int | None = None
    employee: int | None = None
    extension: str | None = None


NOBODY = Owner()


class PlanMonth:
    """The lines of all plans in one month; calls are read when the first line is asked for, and only if there are any.

    `rest` tells what a call of fewer seconds would cost, for a call that free time covers in part.
    """

    def __init__(self, ledger: Ledger, view: View, period: Period, rest: Rest = nobody_knows) -> None:
        self.ledger = ledger
        self.view = view
        self.period = period
        self._rest = rest

    @cached_property
    def plans(self) -> list[Plan]:
        """The plans that hold in the month, in the order in which they are applied."""
        return in_order(self.ledger.plans.plans(), (self.period.first, self.period.last))

    @cached_property
    def lines(self) -> list[PlanLine]:
        """What each plan gives or takes this month."""
        if not self.plans:
            return []
        return month_lines(
            self.plans,
            self.calls,
            (self.period.first, self.period.last),
            units=self._units,
            decimals=self.ledger.book.decimals(),
            rest=self._rest,
        )

    @cached_property
    def calls(self) -> list[PlanCall]:
        """The month's calls that cost something or have no price."""
        return list(self._read())

    def _read(self) -> Iterator[PlanCall]:
        paths = self.ledger.directory.paths()
        rows = self.ledger.connection.execute(
            "SELECT c.id, g.started_at + g.ring_s, c.billed_s, g.fee_micro, r.name, c.trunk, c.extension, "
            f"h.department_id, h.employee_id, c.traffic_type, c.direction {CALLS.tables} {CALLS.joined('r. h.')} "
            "WHERE c.day BETWEEN ? AND ? AND g.status IN (?, ?) AND g.fee_micro IS NOT 0 AND c.billed_s <= ?",
            [
                self.period.first.isoformat(),
                self.period.last.isoformat(),
                ChargeStatus.RATED,
                ChargeStatus.UNRATED,
                MAX_CALL_S,
            ],
        )
        for number, at, seconds, fee, carrier, trunk, extension, department, employee, kind, direction in rows:
            moment = datetime.fromtimestamp(at, self.view.zone)
            yield PlanCall(
                id=number,
                at=moment,
                day=moment.date(),
                seconds=seconds,
                fee_micro=fee,
                carrier=carrier,
                trunk=trunk,
                extension=extension,
                department=paths.get(department),
                traffic_type=kind,
                direction=direction,
                owner=Owner(department, employee, extension),
            )

    def _units(self, plan: Plan) -> Mapping[str, Owner]:
        """What may have a monthly fee of its own, on the plan's last day of the month; trunks are on nobody's bill."""
        if plan.scope == "trunk":
            trunks = self.ledger.book.trunks()
            return {one.name: NOBODY for one in trunks if plan.carrier in (None, one.carrier)}
        if plan.scope == "department":
            return {one.path: Owner(one.id) for one in self.ledger.directory.departments()}
        last = min(plan.effective_to or self.period.last, self.period.last)
        return dict(self._holders(last)) if plan.scope == "extension" else {}

    def _holders(self, day: date) -> Iterator[tuple[str, Owner]]:
        """The extensions of the directory on that day with their holders."""
        ids = {path: number for number, path in self.ledger.directory.paths().items()}
        people = {one.number: one.id for one in self.ledger.directory.employees(day)}
        for one in self.ledger.directory.extensions(day):
            yield one.number, Owner(ids.get(one.department or ""), people.get(one.employee or ""), one.number)


def month_of_day(day: date) -> Period:
    """The month that a day is in."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period(first, last, f"{first:%Y-%m}")
