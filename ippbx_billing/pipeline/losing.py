"""Numbers that were really called and would have no price any more, before a new price list is agreed to.

losing(ledger, carrier, prices, date(2026, 12, 1), calendar)   ->  [Losing("0044…", 12), …]
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from sqlite3 import Row
from typing import NamedTuple

from ippbx_billing.calls import Classification, Direction, LineKind, TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.tariffs.imports import ImportPlan
from ippbx_billing.tariffs import Calendar, Carrier, Price, TariffBook

LOOKED_BACK = timedelta(days=92)
MOST_NUMBERS = 50_000


class Losing(NamedTuple):
    """A number as dialled, and how many rated calls of the last months went to it."""

    number: str
    calls: int


def losing(ledger: Ledger, carrier: Carrier, prices: Iterable[Price], day: date, calendar: Calendar) -> list[Losing]:
    """The numbers of the carrier's rated outgoing calls that these prices leave without one on that day."""
    rows = ledger.calls.rated_numbers(carrier.name, day - LOOKED_BACK, MOST_NUMBERS)
    book = TariffBook([carrier], (), prices if rows else (), calendar)
    return [
        Losing(row["number"], row["calls"])
        for row in rows
        if book.price_for(carrier, _classified(row), Direction.OUTBOUND, day) is None
    ]


def _classified(row: Row) -> Classification:
    return Classification(
        number=row["number"],
        normalized=row["normalized"],
        traffic_type=TrafficType(row["traffic_type"]),
        line_kind=LineKind(row["line_kind"]),
        country=row["country"],
        area_code=row["area_code"],
        ip_prefix=row["ip_prefix"],
    )


def lost_by(ledger: Ledger, plan: ImportPlan, today: date, calendar: Calendar) -> Iterator[Losing]:
    """The numbers of the last months that an import would leave without a price, of each carrier that it touches."""
    gone = {price.id for price in plan.changes.gone}
    prices = [price for price in ledger.book.prices() if price.id not in gone] if plan.touched else []
    first = min((price.effective_from for price in plan.changes.coming), default=today)
    for carrier in ledger.book.carriers():
        if carrier.name in plan.touched:
            own = [price for price in (*prices, *plan.changes.coming) if price.carrier == carrier.name]
            yield from losing(ledger, carrier, own, max(first, today), calendar)
