"""What calls cost by a new list, one computed example for each kind of row: "61 s to 4420… costs 0.05".

A slip in a unit shows here at once, whatever the heading said; the rules that rate live calls find the amount.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import NamedTuple

from ippbx_billing.calls import Classification, LineKind
from ippbx_billing.tariffs import Carrier, HolidayCalendar, Price, TariffBook
from ippbx_billing.tariffs.rating import charge_by

EXAMPLE_S = 61  # tells whole minutes, blocks of 6 s and single seconds apart
MOST_EXAMPLES = 8


class Example(NamedTuple):
    """A price, the length of a call, and its fee."""

    price: Price
    seconds: int
    fee_micro: int


def examples(prices: Iterable[Price], carrier: Carrier) -> list[Example]:
    """One for each kind of price, on a working day at noon; none where the fee depends on another price."""
    kinds: dict[object, Price] = {}
    for price in prices:
        if price.status == "open" and not price.add_local:
            kinds.setdefault(_kind(price), price)
    return [_example(price, carrier) for price in list(kinds.values())[:MOST_EXAMPLES]]


def _kind(price: Price) -> tuple[object, ...]:
    figures = price.figures
    extras = bool(price.connection_fee_micro), price.free_s, bool(price.minimum_fee_micro), len(price.windows)
    return price.traffic_type, price.line_kind, figures.initial_s, figures.step_s, bool(figures.per_s), extras


def _example(price: Price, carrier: Carrier) -> Example:
    day = price.effective_from
    working = day + timedelta(days=(2 - day.weekday()) % 7)
    book = TariffBook([carrier], (), [price], HolidayCalendar(""))
    nobody = Classification(number="", normalized="", traffic_type=price.traffic_type, line_kind=LineKind.UNKNOWN)
    charge = charge_by(price, carrier, EXAMPLE_S, nobody, datetime.combine(working, time(12)), book)
    return Example(price, EXAMPLE_S, charge.fee_micro or 0)
