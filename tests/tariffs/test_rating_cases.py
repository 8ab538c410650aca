"""What other people's engines charge: their published expectations, put to our rating.

`data/rating_cases.jsonl` and `data/rating_extra_cases.jsonl` were collected from the tests, documents and issues of
other billing engines; each row names its source. A case is put into our own types where they can say it. What they
cannot say stands in `NOT_OURS` and `EXTRAS_NOT_OURS`, by reason; the tests hold both tables to the truth.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ippbx_billing import money
from ippbx_billing.calls import Call, Classification, Direction, Disposition, LineKind, TrafficType
from ippbx_billing.tariffs import DAY_S, Carrier, DayKind, Figures, Price, TariffBook, Window
from ippbx_billing.tariffs.rating import explain, rate
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
    if not case["portable"]:
        raise NotOursError(f"their own answer is not exact arithmetic ({case['why_not_portable']})")
    if case["call"]["duration_s"] != int(case["call"]["duration_s"]):
        raise NotOursError("seconds have fractions")
    if tariff["tax_pct"] not in (0, "0"):
        raise NotOursError("tax")
    if tariff["band_policy"] == "increment_start" and not case["single_band"]:
        raise NotOursError("a step runs on over a border")
    crossing = "start" if tariff["band_policy"] == "call_start" else "split"
    carrier = Carrier("theirs", "", "", "theirs", default=True, decimals=6, crossing=crossing)  # type: ignore[arg-type]
    rules = (case["as_initial_step"] or {"rules": [in_our_model(rule, tariff) for rule in tariff["rules"]]})["rules"]
    prices = [price for rule in rules for price in prices_of(rule, tariff["free_s"])]
    dates = frozenset(day for rule in rules for band in rule["bands"] for day in dates_of(band))
    return TariffBook([carrier], [], prices, Days(dates))


def in_our_model(rule: Row, tariff: Row) -> Row:
    """The rule with four figures per band, where the collection itself gives none."""
    if "max_cost" in rule:
        raise NotOursError("a cap on the fee")
    if tariff["beyond_last_slot"] == "free":
        raise NotOursError("tiers by volume, nothing charged beyond the last")
    return {**rule, "bands": [{**band, **four_figures(band)} for band in rule["bands"]]}


def four_figures(band: Row) -> Row:
    slot = band["slots"][0]
    if any(slot.get("increment_method") == "down" for slot in band["slots"]):
        raise NotOursError("only completed steps are charged")
    if len(band["slots"]) > 1:
        raise NotOursError("several step sizes or tiers")
    if Decimal(str(slot["increment_s"])) % 1:
        raise NotOursError("a step is shorter than a second")
    step_s, rate = int(slot["increment_s"]), str(slot["rate"])
    per_s = int(slot["per_s"])
    return {"initial_s": step_s, "initial_fee": rate, "step_s": step_s, "step_fee": rate, "per_s": per_s}


def prices_of(rule: Row, free_s: int) -> Iterator[Price]:
    """One price per prefix; a rule with several bands has only windows, no figures outside them."""
    bands = rule["bands"]
    whole = len(bands) == 1 and not bands[0].get("dates")
    for prefix in rule["prefixes"]:
        yield Price(
            id=None,
            carrier="theirs",
            traffic_type=TrafficType.OTHER,
            match="prefix" if prefix else "any",
            value=prefix,
            figures=figures_of(bands[0]) if whole else FREE,
            windows=() if whole else tuple(map(window_of, bands)),
            free_s=free_s,
            connection_fee_micro=money.parse(bands[0].get("connect_fee") or "0"),
            effective_from=date(2000, 1, 1),
        )


def window_of(band: Row) -> Window:
    kinds = {(1, 2, 3, 4, 5, 6, 7): "daily", (1, 2, 3, 4, 5): "daily", (6, 7): "weekend"}
    kind = "holiday" if band.get("dates") else kinds.get(tuple(band["days"]))
    if kind is None:
        raise NotOursError(f"a window on the days {band['days']} of the week")
    return Window(kind, second(band["from"]), second(band["to"]), figures_of(band))  # type: ignore[arg-type]


def dates_of(band: Row) -> list[tuple[int, int]]:
    return [(int(month), int(day)) for month, day in (text.split("-") for text in band.get("dates") or [])]


def figures_of(band: Row) -> Figures:
    return Figures(
        band["initial_s"],
        money.parse(band["initial_fee"]),
        band["step_s"] or 0,
        money.parse(band["step_fee"] or "0"),
        band.get("per_s", 0),
    )


def second(time: str) -> int:
    hours, minutes, seconds = map(int, time.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def fee_micro(book: TariffBook, number: str, seconds: int, start: datetime = ANY_DAY) -> int:
    """The fee by `rate`, which must be that of `explain` and the sum of its steps."""
    call = Call(
        pbx="PBX",
        dialect="uc",
        started_at=start,
        billed_s=seconds,
        disposition=Disposition.ANSWERED,
        direction=Direction.OUTBOUND,
    )
    kind = Classification(number=number, normalized=number, traffic_type=TrafficType.OTHER, line_kind=LineKind.UNKNOWN)
    charge, story = rate(call, kind, start, book), explain(call, kind, start, book)
    assert charge.fee_micro is not None, charge.reason
    assert story.fee_micro == charge.fee_micro == sum(step.amount_micro for step in story.steps)
    return charge.fee_micro


def rounded(case: Row, exact: int) -> int:
    """The exact fee by the case's rounding, where it is ours: half up, or nothing is left to round."""
    roundings = {(rule["rounding"]["method"], rule["rounding"]["decimals"]) for rule in case["tariff"]["rules"]}
    if len(roundings) > 1:
        raise NotOursError("each destination is rounded in its own way")
    ((method, decimals),) = roundings
    if method == "none" and Decimal(case["expected_cost"]) * money.MICRO % 1:
        raise NotOursError("a fee of more than six decimals")
    if method == "none" or (decimals is not None and decimals >= 6):
        return exact
    if decimals < 0 or (method != "middle" and money.round_half_up(exact, decimals) != exact):
        raise NotOursError(f"rounded {method} to {decimals} decimals")
    return money.round_half_up(exact, decimals)


def our_answer(case: Row) -> int:
    """Our fee of the case in micro-units, or NotOursError."""
    book, call = book_of(case), case["call"]
    start = datetime.fromisoformat(call["start"]) if call["start"] else ANY_DAY
    return rounded(case, fee_micro(book, call["destination"], call["duration_s"], start))


# --- The smaller facts ------------------------------------------------------------------------------------------


def billed_seconds(row: Row) -> int:
    """A price of one micro-unit a second makes the fee the seconds that are billed."""
    if row.get("grace_s"):
        raise NotOursError("a grace time after which the whole call is charged")
    return fee_micro(
        flat_book(Figures(row["initial_s"], row["initial_s"], row["step_s"], row["step_s"])), "1", row["duration_s"]
    )


def billed_units(row: Row) -> int:
    """A price of one micro-unit a step makes the fee the number of steps."""
    return fee_micro(flat_book(Figures(0, 0, row["increment_s"], 1)), "1", row["usage_s"])


def rounded_amount(row: Row) -> str:
    decimals, amount = row["decimals"], Decimal(row["amount"])
    if row["method"] != "middle":
        raise NotOursError(f"amounts are rounded {row['method']}, ours half up")
    if amount * money.MICRO % 1:
        raise NotOursError("an amount of more than six decimals")
    return money.text(money.round_half_up(money.parse(amount), decimals), decimals)


def longest_prefix(row: Row) -> str:
    carrier = Carrier("theirs", "", "", "theirs", default=True)
    prices = [price for prefix in row["prefixes"] for price in prices_of(prefix_rule(prefix), 0)]
    kind = Classification(
        number=row["number"],
        normalized=row["number"],
        traffic_type=TrafficType.OTHER,
        line_kind=LineKind.UNKNOWN,
    )
    price = TariffBook([carrier], [], prices, Days()).price_for(carrier, kind, Direction.OUTBOUND, ANY_DAY.date())
    return price.value if price else ""


def prefix_rule(prefix: str) -> Row:
    free = {"initial_s": 1, "initial_fee": "0", "step_s": 1, "step_fee": "0"}
    return {"prefixes": [prefix], "bands": [{"days": [1, 2, 3, 4, 5, 6, 7], **free}]}


def segments(row: Row) -> list[Row]:
    """Where our windows cut the call, with the rule in force in each piece; pieces without one are left out."""
    if not row["portable"]:
        raise NotOursError("their own answer is not what their rule says")
    windows = tuple(cron_window(rate_row) for rate_row in row["rates"])
    dated = [rate_row["cron"].split()[2:4] for rate_row in row["rates"] if rate_row["cron"].split()[2] != "*"]
    days = Days(frozenset((int(month), int(day)) for day, month in dated))
    carrier = Carrier("theirs", "", "", "theirs", crossing="split")
    price = Price(None, "theirs", TrafficType.OTHER, FREE, date(2000, 1, 1), windows=windows)
    found, from_s = [], 0
    for window, length_s in stretches(price, carrier, datetime.fromisoformat(row["start"]), row["duration_s"], days):
        if window:
            found.append({"from_s": from_s, "rate": window.name})
        from_s += length_s
    return found


def cron_window(rate_row: Row) -> Window:
    """`* 12-14 * * *` is daily from 12:00 to 15:00, `* * 24 12 *` a holiday; the weight is the priority."""
    minutes, hours, day, month, weekday = rate_row["cron"].split()
    if minutes != "*" or "/" in hours + day or (weekday != "*" and day == "*"):
        raise NotOursError("a window by minutes, every so many hours or days, or one day of the week")
    first, _, last = ("0-23" if hours == "*" else hours).partition("-")
    kind = "daily" if day == "*" else "holiday"
    start_s, end_s = int(first) * 3600, (int(last or first) + 1) * 3600
    assert month == "*" or kind == "holiday"
    assert end_s <= DAY_S
    return Window(kind, start_s, end_s, FREE, priority=int(rate_row["weight"]), name=rate_row["name"])  # type: ignore[arg-type]


def not_ours(reason: str) -> Callable[[Row], object]:
    def refuse(row: Row) -> object:
        raise NotOursError(reason)

    return refuse


def flat_book(figures: Figures) -> TariffBook:
    """A book with one price for everything, rounded to the micro-unit."""
    carrier = Carrier("theirs", "", "", "theirs", default=True, decimals=6)
    return TariffBook([carrier], [], [Price(None, "theirs", TrafficType.OTHER, figures, date(2000, 1, 1))], Days())


EXTRA_KINDS: dict[str, tuple[Callable[[Row], object], str]] = {
    "billed_duration": (billed_seconds, "expected_s"),
    "billed_units": (billed_units, "expected_units"),
    "amount_rounding": (rounded_amount, "expected"),
    "prefix": (longest_prefix, "expected"),
    "segments": (segments, "expected"),
    "duration_rounding": (not_ours("rating is given whole seconds"), "expected_s"),
    "band_units": (not_ours("only completed steps are counted"), "expected_units"),
}


def our_extra(row: Row) -> object:
    return EXTRA_KINDS[row["kind"]][0](row)


# --- What is not ours, and why ----------------------------------------------------------------------------------

NOT_OURS: dict[str, str] = {
    "tiers by volume, nothing charged beyond the last": """
        br-chargesbyvolume-37 br-chargesbyvolume-40 br-chargesbyvolume-42 br-chargesbyvolume-44
        br-chargesbyvolume-47 br-chargesbyvolume-48 br-chargesbyvolume-49 br-chargesbyvolume-57
        br-chargesbyvolume-59 br-chargesbyvolume-60 br-chargesbyvolume-63 br-chargesbyvolume-65
        br-chargesbyvolume-66 br-chargesbyvolume-67 br-chargesbyvolume-68 br-chargesbyvolume-69
        br-chargesbyvolume-70 br-chargesbyvolume-72 br-chargesbyvolume-74 br-chargesbyvolume-75
        br-chargesbyvolume-77 br-chargesbyvolume-79 br-chargesbyvolume-82 br-chargesbyvolume-89
        br-chargesbyvolume-93 br-chargesbyvolume-94 br-chargevaluebytariffratesandvolume-101
        br-chargevaluebytariffratesandvolume-103 br-chargevaluebytariffratesandvolume-105
        br-chargevaluebytariffratesandvolume-109 br-chargevaluebytariffratesandvolume-113
    """,
    "seconds have fractions": """
        br-chargevaluebytariffratesandvolume-106 br-chargevaluebytariffratesandvolume-114 br-row-d5
    """,
    "rounded up to -2 decimals": "ccm-off-recv ccm-on-recv ccm-on-send",
    "rounded up to 4 decimals": "cgr-dest-10s",
    "each destination is rounded in its own way": "cgr-dy-180",
    "a fee of more than six decimals": "cgr10-rc-205-v2",
    "their own answer is not exact arithmetic (increment-rounding)": """
        cgr-any2cnt-60 cgr-any2cnt-600 cgr-rc-150-v1 cgr-rc-205-v1 cgr-rc-205-v2 cgr-rc-60-v1 cgr-rc-60-v2
        cgr-resp-plans cgr-rounding cgr-route-special-80 cgr-tut-1h cgr-tut-evening-90 cgr-tut-weekend-120
    """,
    "a step is shorter than a second": "cgr-data-20 cgr-data-between",
    "a cap on the fee": "cgr-maxcost-free",
    "several step sizes or tiers": """
        cgr-route-retail-80 cgr-ts-grouped cgr-ts-grouped-incr cgr-tut-1002-20 cgr-tut-1003-20
        cgr-tut-1007-50b cgr-tut-1007-70-free cgr-tut-peak-90 czk-evening-300 czk-evening-301
        czk-evening-360 czk-evening-60 czk-frequent-1 czk-frequent-301 czk-frequent-361 czk-frequent-60
        czk-frequent-61 yeti-down-vendor yeti-up-novat
    """,
    "rounded down to 1 decimals": "cgr-ses-down",
    "only completed steps are charged": """
        olist-b-overday olist-c-mixed olist-c-red olist-m-red olist-m-std olist-r-red-std olist-r-std
        olist-w-0600-1m olist-w-060001-59s olist-w-10m30 olist-w-2130 olist-w-9m59 olist-w-end060001
    """,
    "their own answer is not exact arithmetic (disputed)": "olist-w-48h olist-w-end2200 olist-w-end220001",
    "a step runs on over a border": "rom-45-interleaved",
    "tax": "yeti-up-vat",
}

EXTRAS_NOT_OURS: dict[str, str] = {
    "amounts are rounded up, ours half up": "ar-aster-ceil-2.44 ar-aster-ceil-2.48",
    "amounts are rounded down, ours half up": "ar-aster-floor-2.41 ar-aster-floor-2.44",
    "an amount of more than six decimals": "ar-sippy2-1.0123 ar-sippy20-8811 ar-sippy20-8899",
    "a grace time after which the whole call is charged": "bd-jera-grace",
    "only completed steps are counted": """
        bu-standard_minutes_before_start_limit_hour bu-standard_minutes_between_sdt_start_limit
        bu-standard_minutes_change_limits bu-standard_minutes_less_than_minute_cycle
    """,
    "rating is given whole seconds": """
        dr-sippy-mid-1.4 dr-sippy-mid-60.0 dr-sippy-mid-60.1 dr-sippy-mid-60.5 dr-sippy-mid-60.9
        dr-sippy-up-1.5 dr-sippy-up-60.1 dr-sippy-up-60.4 dr-sippy-up-60.5 dr-sippy-up-60.9 dr-tcxc-1.150
        dr-yeti-down-1.5 dr-yeti-math-1.41 dr-yeti-math-1.5 dr-yeti-up-1.5
    """,
    "their own answer is not what their rule says": "seg-RateOnIntervalsEveryThreeHours-1",
    "a window by minutes, every so many hours or days, or one day of the week": """
        seg-RatesOnIntervalsEvenOddMinutes-1 seg-RatesOnIntervalsEveryTwentyFiveMins-1
        seg-RatesOnIntervalsEveryTwoDays-1 seg-RatesOnIntervalsNewYear-1
        seg-RatesOnIntervalsOneHourInThreeRates-1
    """,
}


# --- The promises -----------------------------------------------------------------------------------------------

LISTED = {name for names in NOT_OURS.values() for name in names.split()}
EXTRAS_LISTED = {name for names in EXTRAS_NOT_OURS.values() for name in names.split()}


@pytest.mark.parametrize("name", [name for name in CASES if name not in LISTED])
def test_charges_what_others_charge(name: str) -> None:
    """A case that our model can say costs what its source expects, to the micro-unit."""
    case = CASES[name]
    tolerance = Decimal(str(case.get("tolerance", 0)))
    difference = abs(Decimal(our_answer(case)) / money.MICRO - Decimal(case["expected_cost"]))
    assert difference <= tolerance, case["source"]


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
