"""What other people's engines charge: their published expectations, put to our rating.

`data/rating_cases.jsonl` and `data/rating_extra_cases.jsonl` were collected from the tests, documents and issues of
other billing engines; each row names its source. A case is put into our own types where they can say it. What they
cannot say stands in `NOT_OURS` and `EXTRAS_NOT_OURS`, by reason; the tests hold both tables to the truth.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from ippbx_billing import money
from ippbx_billing.calls import Call, Classification, Direction, Disposition, LineKind, TrafficType
from ippbx_billing.money import Rounding
from ippbx_billing.tariffs import Carrier, DayKind, Figures, Price, TariffBook, Window, spelling
from ippbx_billing.tariffs.prices import PartSecond, Seconds, Tier
from ippbx_billing.tariffs.rating import explain, rate, talk_s
from ippbx_billing.tariffs.windows import stretches
from tests import DATA

ANY_DAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
FREE = Figures(0, 0, 0, 0)

Row = dict[str, Any]


class NotOursError(Exception):
    """Our tariff model cannot say this case; the message is the reason."""


class Days:
    """A calendar of plain weeks, with the given days as holidays."""

    version = "plain"

    def __init__(self, holidays: frozenset[tuple[int, int]] = frozenset()) -> None:
        self.holidays = holidays

    def day_kind(self, day: date) -> DayKind:
        if (day.month, day.day) in self.holidays:
            return "holiday"
        return "weekend" if day.isoweekday() >= 6 else "working"

    def is_provisional(self, year: int) -> bool:
        return False


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


CASES = {row["id"]: row for row in rows("rating_cases.jsonl")}
EXTRAS = {row["id"]: row for row in rows("rating_extra_cases.jsonl")}

# --- From their tariffs to ours ---------------------------------------------------------------------------------


def book_of(case: Row) -> TariffBook:
    """The case's tariff in our types, or NotOursError."""
    tariff = case["tariff"]
    if case.get("why_not_portable") == "disputed":
        raise NotOursError("their own answer is disputed")
    crossing = {"call_start": "start", "increment_start": "step", "split": "split"}[tariff["band_policy"]]
    carrier = Carrier(
        "theirs",
        "",
        "",
        "theirs",
        default=True,
        decimals=6,
        crossing=crossing,  # type: ignore[arg-type]
        part_second="exact",
        tax_micro=spelling.tax(str(tariff["tax_pct"])),
    )
    prices = [price for rule in tariff["rules"] for price in prices_of(rule, case)]
    dates = frozenset(day for rule in tariff["rules"] for band in rule["bands"] for day in dates_of(band))
    return TariffBook([carrier], [], prices, Days(dates))


def prices_of(rule: Row, case: Row) -> Iterator[Price]:
    """One price per prefix; a rule with several bands has only windows, no figures outside them."""
    tariff, bands = case["tariff"], rule["bands"]
    whole = len(bands) == 1 and not bands[0].get("dates")
    fees = {band.get("connect_fee") or "0" for band in bands}
    cap = rule.get("max_cost") if rule.get("max_cost_policy") == "cap" or "free" in rule.get("name", "") else None
    decimals, rounding = rounding_of(rule["rounding"])
    for prefix in rule["prefixes"]:
        yield Price(
            id=None,
            carrier="theirs",
            traffic_type=TrafficType.OTHER,
            match="prefix" if prefix else "any",
            value=prefix,
            figures=figures_of(bands[0], case) if whole else FREE,
            windows=() if whole else tuple(window_of(band, case, with_fee=len(fees) > 1) for band in bands),
            free_s=tariff["free_s"],
            grace_s=tariff["grace_s"],
            connection_fee_micro=money.parse(fees.pop()) if len(fees) == 1 else 0,
            maximum_fee_micro=money.parse(cap) if cap else 0,
            effective_from=date(2000, 1, 1),
            decimals=decimals,
            rounding=rounding,
        )


def rounding_of(rounding: Row) -> tuple[int, Rounding]:
    """How a fee is rounded; what is not rounded at all keeps its six decimals."""
    decimals = 6 if rounding["decimals"] is None else min(6, rounding["decimals"])
    methods: dict[str, Rounding] = {"up": "up", "down": "down", "middle": "half_up", "none": "half_up"}
    return decimals, methods[rounding["method"]]


def window_of(band: Row, case: Row, *, with_fee: bool) -> Window:
    days = tuple(band["days"])
    return Window(
        "holiday" if band.get("dates") else "daily",
        second(band["from"]),
        second(band["to"]),
        figures_of(band, case, with_fee=with_fee),
        priority=band.get("priority"),
        days=() if len(days) == 7 else days,
    )


def dates_of(band: Row) -> list[tuple[int, int]]:
    return [(int(month), int(day)) for month, day in (text.split("-") for text in band.get("dates") or [])]


def figures_of(band: Row, case: Row, *, with_fee: bool = False) -> Figures:
    """The slots as steps and tiers; a fee of the connection that differs by the band is the initial one."""
    tariff, slots = case["tariff"], band["slots"]
    fee = money.parse(band.get("connect_fee") or "0") if with_fee else 0
    blocks = [block_of(slot) for slot in slots]
    step_s, step_fee, per_s = blocks[0]
    tiers = [Tier(exactly(slot["from_s"]), *block) for slot, block in zip(slots[1:], blocks[1:], strict=True)]
    if tariff["beyond_last_slot"] == "free":
        tiers.append(Tier(exactly(slots[-1]["to_s"]), 0, 0))
    if tariff.get("slot_by") == "first_interval_only":
        initial, then = slots
        scale = 10**10  # both rates in whole micro-units for the same seconds
        fees = [int(Fraction(str(slot["rate"])) * money.MICRO * scale) for slot in (initial, then)]
        return Figures(exactly(initial["to_s"]), fees[0], exactly(then["increment_s"]), fees[1], scale)
    rounding = tariff["increment_rounding"] if not case["portable"] else None
    if fee and per_s:
        raise NotOursError("a window with a connection fee of its own beside a rate")
    return Figures(
        0,
        fee,
        step_s,
        step_fee,
        per_s,
        tiers=tuple(tiers),
        counting="completed" if slots[0].get("increment_method") == "down" else "begun",
        step_decimals=rounding and rounding["decimals"],
    )


def block_of(slot: Row) -> tuple[Seconds, int, Seconds]:
    """A slot's step, its fee and for how many seconds that is; pro rata is a step of a millisecond."""
    rate, per_s = Fraction(str(slot["rate"])) * money.MICRO, exactly(slot["per_s"])
    step_s = Fraction(1, 1000) if slot["increment_s"] is None else exactly(slot["increment_s"])
    whole = rate * step_s / per_s
    if whole.denominator == 1:
        return step_s, whole.numerator, 0
    scale = 1
    while (rate * scale).denominator != 1:
        scale *= 10
    return step_s, int(rate * scale), per_s * scale


def exactly(text: object) -> Seconds:
    return spelling.seconds(format(Decimal(str(text)), "f"))


def second(time: str) -> int:
    hours, minutes, seconds = map(int, time.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def fee_micro(book: TariffBook, number: str, seconds: float | str, start: datetime = ANY_DAY) -> int:
    """The fee by `rate`, which must be that of `explain` and the sum of its steps."""
    exact = Fraction(str(seconds))
    call = Call(
        pbx="PBX",
        dialect="uc",
        started_at=start,
        billed_s=-(-exact // 1),
        billed_ms=int(exact * 1000) if exact % 1 else None,
        disposition=Disposition.ANSWERED,
        direction=Direction.OUTBOUND,
    )
    kind = Classification(number=number, normalized=number, traffic_type=TrafficType.OTHER, line_kind=LineKind.UNKNOWN)
    charge, story = rate(call, kind, start, book), explain(call, kind, start, book)
    assert charge.fee_micro is not None, charge.reason
    assert story.fee_micro == charge.fee_micro == sum(step.amount_micro for step in story.steps)
    return charge.fee_micro


def our_answer(case: Row) -> int:
    """Our fee of the case in micro-units, or NotOursError."""
    book, call = book_of(case), case["call"]
    start = datetime.fromisoformat(call["start"]) if call["start"] else ANY_DAY
    return fee_micro(book, call["destination"], call["duration_s"], start)


# --- The smaller facts ------------------------------------------------------------------------------------------


def billed_seconds(row: Row) -> int:
    """A price of one micro-unit a second makes the fee the seconds that are billed."""
    figures = Figures(row["initial_s"], row["initial_s"], row["step_s"], row["step_s"])
    return fee_micro(flat_book(figures, grace_s=row.get("grace_s", 0)), "1", row["duration_s"])


def billed_units(row: Row) -> int:
    """A price of one micro-unit a step makes the fee the number of steps."""
    step_s = exactly(row["increment_s"])
    return fee_micro(flat_book(Figures(0, 0, step_s, 1)), "1", row["usage_s"])


def rounded_amount(row: Row) -> str:
    """The amount in our rounding; one of more decimals than six is exact until it is rounded."""
    method = ROUNDINGS[row["method"]]
    micro = Fraction(row["amount"]) * money.MICRO
    if row["decimals"] > 6:
        raise NotOursError("a fee of more than six decimals")
    return money.text(money.rounded(micro, row["decimals"], method), row["decimals"])


def rounded_duration(row: Row) -> Seconds:
    """What a carrier makes of a part of a second."""
    methods: dict[str, PartSecond] = {**ROUNDINGS}
    return talk_s(int(Decimal(row["duration_s"]) * 1000), methods[row["method"]])


def band_units(row: Row) -> int:
    """Completed steps within the window, at one micro-unit each; outside it nothing is charged."""
    band = row["band"]
    figures = Figures(0, 0, row["unit_s"], 1, counting="completed" if row["unit_rounding"] == "down" else "begun")
    window = Window("daily", second(band["from"]), second(band["to"]), figures)
    book = flat_book(FREE, windows=(window,), crossing="split")
    return fee_micro(book, "1", row["duration_s"], datetime.fromisoformat(row["start"]))


def longest_prefix(row: Row) -> str:
    carrier = Carrier("theirs", "", "", "theirs", default=True)
    prices = [replace(ONE, match="prefix" if prefix else "any", value=prefix) for prefix in row["prefixes"]]
    kind = Classification(
        number=row["number"],
        normalized=row["number"],
        traffic_type=TrafficType.OTHER,
        line_kind=LineKind.UNKNOWN,
    )
    price = TariffBook([carrier], [], prices, Days()).price_for(carrier, kind, Direction.OUTBOUND, ANY_DAY.date())
    return price.value if price else ""


def segments(row: Row) -> list[Row]:
    """Where our windows cut the call, with the rule in force in each piece; pieces without one are left out."""
    if not row["portable"]:
        raise NotOursError("their own answer is not what their rule says")
    windows = tuple(window for rate_row in row["rates"] for window in cron_windows(rate_row))
    days = Days()
    carrier = Carrier("theirs", "", "", "theirs", crossing="split")
    price = Price(None, "theirs", TrafficType.OTHER, FREE, date(2000, 1, 1), windows=windows)
    found: list[Row] = []
    from_s, ends = 0, -1
    for window, length_s in stretches(price, carrier, datetime.fromisoformat(row["start"]), row["duration_s"], days):
        if window and not (found and found[-1]["rate"] == window.name and ends == from_s):
            found.append({"from_s": from_s, "rate": window.name})
        from_s += int(length_s)
        ends = from_s if window else -1
    return found


def cron_windows(rate_row: Row) -> Iterator[Window]:
    """`* 12-14 * * *` is from 12:00 to 15:00, `* * 24 12 *` a date, `*/2` every second minute; weight is priority."""
    minutes, hours, day, month, weekday = rate_row["cron"].split()
    dates = dates_of_cron(day, month)
    for first, last in hours_of_cron(hours):
        yield Window(
            "daily",
            first * 3600,
            last * 3600,
            FREE,
            priority=int(rate_row["weight"]),
            name=rate_row["name"],
            days=() if weekday == "*" else spelling.days(weekday.replace("0", "7")),
            dates=spelling.dates(dates) if dates else (),
            minutes=() if minutes == "*" else spelling.minutes(minutes),
        )


def hours_of_cron(hours: str) -> list[tuple[int, int]]:
    """Spans of hours, the end not included."""
    if hours == "*":
        return [(0, 24)]
    if "/" in hours:
        return [(hour, hour + 1) for hour in range(0, 24, int(hours.partition("/")[2]))]
    first, _, last = hours.partition("-")
    return [(int(first), int(last or first) + 1)]


def dates_of_cron(day: str, month: str) -> str:
    """The day of the month and the month in our spelling of dates."""
    if day == "*":
        return "" if month == "*" else f"{month}-01..{month}-{(29 if month == '2' else 30)}"
    if "/" in day:
        return ",".join(f"*-{number}" for number in range(1, 32, int(day.partition("/")[2])))
    return f"{'*' if month == '*' else month}-{day}"


def flat_book(figures: Figures, *, crossing: str = "start", **more: Any) -> TariffBook:
    """A book with one price for everything, rounded to the micro-unit."""
    carrier = Carrier("theirs", "", "", "theirs", default=True, decimals=6, crossing=crossing, part_second="exact")  # type: ignore[arg-type]
    return TariffBook([carrier], [], [replace(ONE, figures=figures, **more)], Days())


ONE = Price(None, "theirs", TrafficType.OTHER, FREE, date(2000, 1, 1))
ROUNDINGS: dict[str, Rounding] = {"up": "up", "down": "down", "middle": "half_up"}

EXTRA_KINDS: dict[str, tuple[Callable[[Row], object], str]] = {
    "billed_duration": (billed_seconds, "expected_s"),
    "billed_units": (billed_units, "expected_units"),
    "amount_rounding": (rounded_amount, "expected"),
    "prefix": (longest_prefix, "expected"),
    "segments": (segments, "expected"),
    "duration_rounding": (rounded_duration, "expected_s"),
    "band_units": (band_units, "expected_units"),
}


def our_extra(row: Row) -> object:
    return EXTRA_KINDS[row["kind"]][0](row)


# --- What is not ours, and why ----------------------------------------------------------------------------------

NOT_OURS: dict[str, str] = {
    "their own answer is disputed": "olist-w-48h olist-w-end2200 olist-w-end220001",
}

EXTRAS_NOT_OURS: dict[str, str] = {
    "a fee of more than six decimals": "ar-sippy20-8811 ar-sippy20-8899",
    "their own answer is not what their rule says": "seg-RateOnIntervalsEveryThreeHours-1",
}


# --- The promises -----------------------------------------------------------------------------------------------

LISTED = {name for names in NOT_OURS.values() for name in names.split()}
EXTRAS_LISTED = {name for names in EXTRAS_NOT_OURS.values() for name in names.split()}


@pytest.mark.parametrize("name", [name for name in CASES if name not in LISTED])
def test_charges_what_others_charge(name: str) -> None:
    """A case that our model can say costs what its source expects, to the micro-unit."""
    case = CASES[name]
    tolerance = Fraction(str(case.get("tolerance", 0))) * money.MICRO
    expected = money.round_half_up(Fraction(case["expected_cost"]) * money.MICRO, 6)
    assert abs(our_answer(case) - expected) <= tolerance, case["source"]


@pytest.mark.parametrize("name", [name for name in CASES if "exact_cost" in CASES[name]])
def test_without_the_rounding_of_each_step_the_fee_is_exact(name: str) -> None:
    """Where another engine drifts by rounding each step, or its tests contradict each other, ours does not."""
    case = CASES[name]
    exact = {**case, "portable": True, "why_not_portable": ""}
    assert our_answer(exact) == Decimal(case["exact_cost"]) * money.MICRO, case["source"]


@pytest.mark.parametrize("name", [name for name in EXTRAS if name not in EXTRAS_LISTED])
def test_agrees_with_the_smaller_facts(name: str) -> None:
    """Billed seconds and steps, rounding, longest prefix and cuts at windows come out as their sources say."""
    row = EXTRAS[name]
    assert our_extra(row) == row[EXTRA_KINDS[row["kind"]][1]], row["source"]


@pytest.mark.parametrize(
    ("reason", "name"), [(reason, name) for reason, names in NOT_OURS.items() for name in names.split()]
)
def test_what_is_listed_cannot_be_said(reason: str, name: str) -> None:
    """A case is left out only for the reason given beside it."""
    with pytest.raises(NotOursError, match=re.escape(reason)):
        our_answer(CASES[name])


@pytest.mark.parametrize(
    ("reason", "name"), [(reason, name) for reason, names in EXTRAS_NOT_OURS.items() for name in names.split()]
)
def test_what_is_listed_of_the_smaller_facts_cannot_be_said(reason: str, name: str) -> None:
    """A fact is left out only for the reason given beside it."""
    with pytest.raises(NotOursError, match=re.escape(reason)):
        our_extra(EXTRAS[name])


def test_most_of_what_our_model_can_say_is_tested() -> None:
    """Every case is either rated or listed, and the lists name no case that does not exist."""
    assert not LISTED - CASES.keys()
    assert not EXTRAS_LISTED - EXTRAS.keys()
    assert len(CASES) - len(LISTED) >= sum(case["as_initial_step"] is not None for case in CASES.values())
