"""The day so far in five figures, each beside the days before it.

    for figure in figures(ledger, View(zone, currency), today, Where()):
        figure.key, figure.value, figure.course

`course` are the values of DAYS days that end today, for a sparkline.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.conditions import Period, View, Where
from ippbx_billing.reports.sums import report

DAYS = 14
SHOWN = ("calls", "answered", "billed_s", "fee", "unpriced")


@dataclass(frozen=True, slots=True)
class DayFigure:
    """One figure of today; `value` as in a report's row, `unpriced` the calls that are not in it."""

    key: str
    value: Any
    unpriced: int
    course: tuple[Decimal, ...]


def figures(ledger: Ledger, view: View, today: date, where: Where) -> list[DayFigure]:
    """The figures of SHOWN, in that order."""
    period = Period.days(today - timedelta(days=DAYS - 1), today)
    answer = report(ledger, view, period, ("day",), where=where)
    days = {row["day"]: row for row in answer.rows}
    own = days.get(today.isoformat(), _nothing(answer.total))
    return [
        DayFigure(
            key,
            own[key],
            own["unpriced"] if key == "fee" else 0,
            tuple(Decimal(str(days.get(day.isoformat(), {}).get(key) or 0)) for day in period.each_day()),
        )
        for key in SHOWN
    ]


def _nothing(total: dict[str, Any]) -> dict[str, Any]:
    """A day without calls, with the total's decimals."""
    return dict.fromkeys(SHOWN, 0) | {"fee": f"{Decimal(0):.{len(total['fee'].partition('.')[2])}f}"}
