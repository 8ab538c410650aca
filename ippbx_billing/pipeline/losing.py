"""Numbers that were really called and would have no price any more, before a new price list is agreed to.

losing(ledger, carrier, prices, date(2026, 12, 1), calendar)   ->  [Losing("0044…", 12), …]
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from ippbx_billing.calls import Classification, Direction, LineKind, TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.tariffs import Calendar, Carrier, Price, TariffBook

LOOKED_BACK = timedelta(days=92)
MOST_NUMBERS = 50_000


class Losing(NamedTuple):
    """A number as dialled, and how many rated calls of the last months went to it."""

    number: str
    calls: int


def losing(ledger: Ledger, carrier: Carrier, prices: Iterable[Price], day: date, calendar: Calendar) -> list[Losing]:
    """The numbers of the carrier's rated outgoing calls that these prices leave without one on that day."""
    rows = ledger.connection.execute(
        "SELECT c.number, c.normalized, c.traffic_type, c.line_kind, c.country, c.area_code, c.ip_prefix, count(*) "
        "FROM calls c JOIN charges h ON h.id = c.id JOIN carriers k ON k.id = h.carrier_id "
        "WHERE h.status = 'rated' AND c.direction = 'outbound' AND k.name = ? AND c.day >= ? "
        "GROUP BY c.number, c.normalized, c.traffic_type, c.line_kind, c.country, c.area_code, c.ip_prefix "
        "ORDER BY count(*) DESC, c.number LIMIT ?",
        [carrier.name, (day - LOOKED_BACK).isoformat(), MOST_NUMBERS],
    ).fetchall()
    book = TariffBook([carrier], (), prices if rows else (), calendar)
    return [
        Losing(number, calls)
        for number, *facts, calls in map(tuple, rows)
        if book.price_for(carrier, _classified(number, *facts), Direction.OUTBOUND, day) is None
    ]


def _classified(
    number: str,
    normalized: str,
    traffic_type: str,
    line_kind: str,
    country: str | None,
    area_code: str | None,
    ip_prefix: str | None,
) -> Classification:
    return Classification(
        number=number,
        normalized=normalized,
        traffic_type=TrafficType(traffic_type),
        line_kind=LineKind(line_kind),
        country=country,
        area_code=area_code,
        ip_prefix=ip_prefix,
    )
