"""What rating remembers of one call is true of the next: with memory and without, every call has the same charge."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from ippbx_billing.calls import Call, Classification, Direction, Disposition, Reason, TrafficType
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Price, TariffBook, Trunk, Window, standard
from ippbx_billing.tariffs.rating import rate
from tests.benchmarks.rating import Case, month

NIGHT = Window("daily", 22 * 3600, 7 * 3600, Figures(60, 10_000, 60, 10_000))


class Forgetful(dict[Any, Any]):
    """A memory that keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


def books() -> tuple[TariffBook, TariffBook]:
    """Twice a tariff with a deck of prefixes, windows, later versions and carriers of all sorts; the second forgets."""
    carriers, prices = standard("CN", "022", "天津")
    first, second, third = carriers
    deck = [
        Price(
            id=10_000 + number,
            carrier=second.name,
            direction=Direction.OUTBOUND,
            traffic_type=traffic_type,
            match="prefix",
            value=value,
            figures=Figures(60, 1_000 * number, 6, 100 * number),
            effective_from=date(2026, 11, 1 + number % 20),
            windows=(NIGHT,) if number % 3 == 0 else (),
        )
        for number, (traffic_type, value) in enumerate(
            (traffic_type, value)
            for traffic_type in (TrafficType.INTERNATIONAL, TrafficType.LOCAL, TrafficType.DOMESTIC)
            for value in ("0012", "001", "0044", "2345", "23", "5", "51", "512", "+1", "+44", "+861")
        )
    ]
    trunks = [Trunk("FXO-1", first.name), Trunk("FXO-2", second.name), Trunk("FXO-3", third.name), Trunk("X", "?")]
    split = replace(second, crossing="split")
    found = TariffBook([first, split, third], trunks, [*prices, *deck], HolidayCalendar("CN"))
    forgetful = TariffBook([first, split, third], trunks, [*prices, *deck], HolidayCalendar("CN"))
    forgetful.settled, forgetful.charges = Forgetful(), Forgetful()
    return found, forgetful


def oddly(case: Case, random: Random) -> Case:
    """The same call with something about it that decides without a price, or that memory might overlook."""
    call, found, start = case
    change: dict[str, Any] = random.choice(
        [
            *({"trunk": one} for one in ("FXO-1", "FXO-2", "FXO-3", "X", "unknown", None)),
            *({"direction": one} for one in (*Direction, None)),
            *({"disposition": one} for one in Disposition),
            *({"billed_s": one} for one in (0, 1, 6, 10**9)),
            *(
                {"twin": "b"},
                {"left_out": Reason("left-out", {"filter": 1})},
                {"doubt": Reason("x")},
                {"did": "4001234567"},
            ),
        ]
    )
    told: dict[str, Any] = random.choice(
        [{}, {}, {"emergency": True}, {"ip_prefix": "17951"}, {"area_code": None}, {"traffic_type": TrafficType.OTHER}]
    )
    return replace(call, **change), replace(found, **told), start


@pytest.mark.parametrize("seed", [1, 2])
def test_memory_changes_no_charge(seed: int) -> None:
    """A month of calls, and the same with all that makes a call another one, in any order."""
    random, (book, forgetful) = Random(seed), books()
    cases: list[tuple[Call, Classification, Any]] = month(3_000, seed)
    cases += [oddly(random.choice(cases), random) for _ in range(4_000)]
    random.shuffle(cases)
    for call, found, start in (*cases, *cases):
        assert rate(call, found, start, book) == rate(call, found, start, forgetful), (call, found)
    assert None in book.settled.values()
    assert len(book.settled) > 100


def test_a_carrier_without_price_lists_is_remembered_too() -> None:
    """Its calls are free or unrated for the same reason each time."""
    book = TariffBook([Carrier("one", "022", "天津", "电信", default=True)], [], [], HolidayCalendar("CN"))
    for call, found, start in month(50) * 2:
        charge = rate(call, found, start, book)
        assert charge.carrier == "one"
        assert charge.reason.code in ("no-price", "not-answered", "incoming-without-price", "no-talk")
