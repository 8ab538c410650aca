"""Rating: one call and one price make one charge, exact, explainable and the same every time."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing import money
from ippbx_billing.calls import (
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    Reason,
    Step,
    TrafficType,
)
from ippbx_billing.language.reasons import sentence
from ippbx_billing.language.stories import story
from ippbx_billing.tariffs import (
    Carrier,
    Crossing,
    Figures,
    HolidayCalendar,
    Price,
    TariffBook,
    Trunk,
    Window,
    standard,
)
from ippbx_billing.tariffs.rating import explain, rate
from ippbx_billing.tariffs.windows import window_at
from tests import PACKAGE

BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 23, 12, tzinfo=BEIJING)  # a Monday
CALENDAR = HolidayCalendar("CN")
CARRIER = Carrier("022-天津-电信", "022", "天津", "电信", default=True)
LOCAL_FIGURES = Figures(180, 220_000, 60, 110_000)
SIX_SECONDS = Figures(6, 70_000, 6, 70_000)
SHANGHAI = Classification(
    number="02162345678",
    normalized="+862162345678",
    traffic_type=TrafficType.DOMESTIC,
    line_kind=LineKind.FIXED,
    country="CN",
    region="上海",
    place="上海",
    area_code="021",
    rule="area-code",
    why=Reason("text", {"text": "021 is the area code of Shanghai"}),
)
OUTGOING = Call(
    pbx="PBX-1",
    dialect="uc",
    started_at=NOON.astimezone(UTC),
    billed_s=60,
    disposition=Disposition.ANSWERED,
    direction=Direction.OUTBOUND,
)
PRICE = Price(7, CARRIER.name, TrafficType.DOMESTIC, SIX_SECONDS, date(2000, 1, 1))


def book(*prices: Price, carrier: Carrier = CARRIER, trunks: tuple[Trunk, ...] = ()) -> TariffBook:
    return TariffBook([carrier], trunks, prices, CALENDAR)


def charged(
    tariffs: TariffBook,
    seconds: int,
    *,
    at: datetime = NOON,
    call: Call = OUTGOING,
    number: Classification = SHANGHAI,
) -> Charge:
    """The charge with its steps, after making sure that `rate` and `explain` agree and the steps add up."""
    call = replace(call, billed_s=seconds)
    plain, told = rate(call, number, at, tariffs), explain(call, number, at, tariffs)
    assert replace(told, steps=()) == plain
    assert sum(step.amount_micro for step in told.steps) == (told.fee_micro or 0)
    return told


def fee(tariffs: TariffBook, seconds: int, *, at: datetime = NOON, number: Classification = SHANGHAI) -> str:
    charge = charged(tariffs, seconds, at=at, number=number)
    assert charge.fee_micro is not None, charge.reason
    return money.text(charge.fee_micro)


def codes(charge: Charge) -> list[str]:
    return [step.code for step in charge.steps]


def amounts(charge: Charge) -> list[tuple[str, int]]:
    """The steps that add something, or take it away."""
    return [(step.code, step.amount_micro) for step in charge.steps if step.amount_micro]


# --- The manual's worked examples -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("traffic_type", "line_kind", "seconds", "clock", "expected"),
    [
        (TrafficType.LOCAL, LineKind.FIXED, 64, "12:00:00", "0.22"),
        (TrafficType.LOCAL, LineKind.FIXED, 285, "12:00:00", "0.44"),
        (TrafficType.LOCAL, LineKind.MOBILE, 4, "12:00:00", "0.20"),
        (TrafficType.LOCAL, LineKind.MOBILE, 144, "12:00:00", "0.60"),
        (TrafficType.DOMESTIC, LineKind.FIXED, 80, "07:00:00", "0.98"),
        (TrafficType.DOMESTIC, LineKind.FIXED, 90, "06:59:59", "0.60"),
    ],
)
def test_the_manuals_worked_examples_come_out_to_the_digit(
    traffic_type: TrafficType, line_kind: LineKind, seconds: int, clock: str, expected: str
) -> None:
    """With the standard tariff of 022-天津-电信, the default carrier of a new site."""
    carriers, prices = standard("CN", "022", "天津")
    number = replace(SHANGHAI, traffic_type=traffic_type, line_kind=line_kind)
    at = datetime.fromisoformat(f"2026-11-23T{clock}+08:00")
    charge = charged(TariffBook(carriers, [], prices, CALENDAR), seconds, at=at, number=number)
    assert charge.status is ChargeStatus.RATED
    assert charge.carrier == "022-天津-电信"
    assert money.text(charge.fee_micro or 0) == expected


# --- What has no fee, and why -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"disposition": Disposition.NO_ANSWER}, ChargeStatus.FREE, "not answered"),
        ({"disposition": Disposition.BUSY, "direction": None}, ChargeStatus.FREE, "not answered"),
        ({"billed_s": 0}, ChargeStatus.FREE, "answered without talk time"),
        ({"direction": Direction.INBOUND}, ChargeStatus.FREE, "incoming call without a price"),
        ({"direction": Direction.INTERNAL}, ChargeStatus.FREE, "internal call without a price"),
        ({"twin": "the same call, seen from the ring group"}, ChargeStatus.FILTERED, "the same call, seen from the"),
        ({"direction": None}, ChargeStatus.UNRATED, "the direction of the call is unknown"),
        ({"billed_s": -5}, ChargeStatus.UNRATED, "a call of -5 s cannot be right"),
        ({"billed_s": 10**12}, ChargeStatus.UNRATED, "a call of 1000000000000 s cannot be right"),
    ],
)
def test_some_calls_are_settled_without_a_price(change: dict[str, object], status: ChargeStatus, reason: str) -> None:
    """They say why; what is free costs 0, what is unrated has no fee at all."""
    call = replace(OUTGOING, **change)  # type: ignore[arg-type]
    charge = charged(book(PRICE), call.billed_s, call=call)
    assert (charge.status, charge.fee_micro) == (status, None if status is ChargeStatus.UNRATED else 0)
    assert sentence(charge.reason).startswith(reason)
    assert codes(charge)[-1] == "outcome"


def test_an_emergency_call_is_free() -> None:
    """Even where its traffic type has a price."""
    charge = charged(book(PRICE), 60, number=replace(SHANGHAI, emergency=True))
    assert (charge.status, charge.fee_micro, sentence(charge.reason)) == (ChargeStatus.FREE, 0, "emergency call")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (SHANGHAI, "022-天津-电信 has no price for domestic long distance calls to area 021 (fixed line)"),
        (
            replace(SHANGHAI, traffic_type=TrafficType.INTERNATIONAL, area_code=None, country="BR"),
            "022-天津-电信 has no price for international calls to country BR (fixed line)",
        ),
        (
            replace(SHANGHAI, country=None, area_code=None, normalized="123", line_kind=LineKind.UNKNOWN),
            "022-天津-电信 has no price for domestic long distance calls to number 123",
        ),
        (
            replace(SHANGHAI, traffic_type=TrafficType.OTHER, line_kind=LineKind.SERVICE, normalized="10086"),
            "022-天津-电信 has no price for other calls to number 10086 (service number)",
        ),
        (
            replace(SHANGHAI, traffic_type=TrafficType.OTHER, country=None, normalized="", line_kind=LineKind.UNKNOWN),
            "022-天津-电信 has no price for other calls to a withheld number",
        ),
    ],
)
def test_a_call_without_a_price_is_unrated_and_says_what_is_missing(number: Classification, reason: str) -> None:
    """The reason names carrier, kind of call and destination."""
    charge = charged(book(), 60, number=number)
    assert (charge.status, charge.fee_micro, sentence(charge.reason)) == (ChargeStatus.UNRATED, None, reason)
    assert charge.carrier == CARRIER.name


def test_a_call_without_a_carrier_is_unrated() -> None:
    """An unknown trunk without a default carrier, no trunk at all, and a trunk whose carrier is gone."""
    lone = TariffBook([replace(CARRIER, default=False)], [Trunk("FXO-1", "gone")], [PRICE], CALENDAR)
    for trunk, reason in (
        ("FXO-9", "trunk FXO-9 is not configured and there is no default carrier"),
        (None, "the call names no trunk and there is no default carrier"),
        ("FXO-1", "trunk FXO-1 belongs to carrier gone, which does not exist"),
    ):
        charge = charged(lone, 60, call=replace(OUTGOING, trunk=trunk))
        assert (charge.status, sentence(charge.reason)) == (ChargeStatus.UNRATED, reason)
    incoming = replace(OUTGOING, direction=Direction.INBOUND)
    assert charged(lone, 60, call=replace(incoming, trunk="FXO-9")).status is ChargeStatus.FREE


def test_an_unknown_trunk_takes_the_default_carrier_and_the_story_says_so() -> None:
    """The call is rated; its first step shows that the trunk is not configured."""
    charge = charged(book(PRICE), 60, call=replace(OUTGOING, trunk="FXO-9"))
    assert charge.status is ChargeStatus.RATED
    assert charge.steps[0] == Step("trunk", {"trunk": "FXO-9", "configured": 0})


def test_the_trunks_carrier_goes_before_the_default_one() -> None:
    """A call over a line of another carrier costs that carrier's price."""
    other = Carrier("022-天津-联通", "022", "天津", "联通")
    cheap = replace(PRICE, id=8, carrier=other.name, figures=Figures(60, 10_000, 60, 10_000))
    tariffs = TariffBook([CARRIER, other], [Trunk("FXO-2", other.name)], [PRICE, cheap], CALENDAR)
    charge = charged(tariffs, 60, call=replace(OUTGOING, trunk="FXO-2"))
    assert (charge.carrier, charge.price_id, charge.fee_micro) == (other.name, 8, 10_000)


def test_incoming_and_internal_calls_cost_something_only_where_they_have_a_price() -> None:
    """An incoming price by the caller's traffic type, one by the number called, and one for inside."""
    incoming = replace(PRICE, direction=Direction.INBOUND)
    hotline = replace(
        incoming, traffic_type=TrafficType.SERVICE_400_800, match="called", value="400XXXXXXX", figures=LOCAL_FIGURES
    )
    inside = replace(PRICE, traffic_type=TrafficType.INTERNAL)
    tariffs = book(incoming, hotline, inside)
    call = replace(OUTGOING, direction=Direction.INBOUND, did="58674577")
    assert charged(tariffs, 60, call=call).fee_micro == 700_000
    assert charged(tariffs, 60, call=replace(call, did="4008201234")).fee_micro == 220_000
    assert charged(tariffs, 60, call=replace(call, did=None, callee="4008201234")).fee_micro == 220_000
    assert charged(tariffs, 60, call=replace(OUTGOING, direction=Direction.INTERNAL)).fee_micro == 700_000


# --- One price --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figures", "seconds", "expected"),
    [
        (LOCAL_FIGURES, 1, "0.22"),
        (LOCAL_FIGURES, 180, "0.22"),
        (LOCAL_FIGURES, 181, "0.33"),
        (LOCAL_FIGURES, 240, "0.33"),
        (LOCAL_FIGURES, 241, "0.44"),
        (Figures(0, 0, 60, 110_000), 60, "0.11"),
        (Figures(0, 500_000, 60, 110_000), 61, "0.72"),
        (Figures(0, 1_000_000, 0, 0), 1, "1.00"),
        (Figures(60, 1_000_000, 0, 0), 100_000, "1.00"),
        (Figures(0, 0, 0, 0), 100, "0.00"),
    ],
)
def test_an_exact_multiple_is_not_one_step_more(figures: Figures, seconds: int, expected: str) -> None:
    """The initial fee buys the initial seconds, each begun step costs one; without steps the fee is flat."""
    assert fee(book(replace(PRICE, figures=figures)), seconds) == expected


def test_free_seconds_go_before_the_initial_ones() -> None:
    """Ten free seconds move the whole price by ten seconds."""
    tariffs = book(replace(PRICE, figures=LOCAL_FIGURES, free_s=10))
    assert [fee(tariffs, seconds) for seconds in (10, 11, 190, 191)] == ["0.00", "0.22", "0.22", "0.33"]
    assert amounts(charged(tariffs, 191)) == [("initial", 220_000), ("steps", 110_000)]
    assert Step("free", {"seconds": 10, "window": ""}) in charged(tariffs, 191).steps


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1, "0.00"), (14, "0.00"), (15, "0.01"), (60, "0.02"), (3600, "1.20"), (3629, "1.21"), (3630, "1.21")],
)
def test_a_rate_per_minute_charged_by_the_second_loses_nothing(seconds: int, expected: str) -> None:
    """0.02 a minute is 0.000333… a second; an hour of it is 1.20, not 1.1988."""
    by_the_second = replace(PRICE, figures=Figures(1, 20_000, 1, 20_000, per_s=60))
    assert fee(book(by_the_second), seconds) == expected


def test_the_story_of_a_rate_names_the_rate_and_the_exact_amount() -> None:
    """The steps add up in whole micro-units, and the rounding says what was rounded."""
    charge = charged(book(replace(PRICE, figures=Figures(60, 20_000, 1, 20_000, per_s=60))), 104)
    told = story(charge.steps)
    assert "0.02 a minute, charged for at least 60 s, then each begun 1 s" in told[4]
    assert "44 begun steps of 1 s at 0.02 a minute: 0.014667" in told[6]
    assert told[7] == "0.034666666… is rounded half up to 2 decimals: 0.03."
    assert "每分钟 0.02，起步 60 秒，之后每 1 秒计费" in story(charge.steps, "zh")[4]


def test_the_connection_fee_is_for_every_call_with_talk_time() -> None:
    """Also for one that lies within its free seconds, which costs nothing else."""
    tariffs = book(replace(PRICE, connection_fee_micro=300_000, free_s=10, minimum_fee_micro=500_000))
    assert fee(tariffs, 5) == "0.30"
    assert fee(tariffs, 100) == "1.35"
    assert sentence(charged(tariffs, 0).reason) == "answered without talk time"


def test_the_minimum_holds_for_the_rows_own_amount() -> None:
    """It tops up what the call would cost less."""
    tariffs = book(replace(PRICE, minimum_fee_micro=300_000))
    assert [fee(tariffs, seconds) for seconds in (1, 24, 25, 30, 31)] == ["0.30", "0.30", "0.35", "0.35", "0.42"]
    assert amounts(charged(tariffs, 1)) == [("initial", 70_000), ("minimum", 230_000)]


@pytest.mark.parametrize(
    ("line_kind", "expected"),
    [
        (LineKind.FIXED, "0.70 + 0.22"),
        (LineKind.MOBILE, "0.70 + 0.20"),
        (LineKind.SATELLITE, "0.70 + 0.20"),
        (LineKind.UNKNOWN, "0.70 + 0.22"),
    ],
)
def test_the_local_price_is_added_where_the_row_says_so(line_kind: LineKind, expected: str) -> None:
    """叠加本地资费: the local price for that kind of line and the same length; no mobile counts as fixed."""
    fixed = replace(PRICE, traffic_type=TrafficType.LOCAL, line_kind=LineKind.FIXED, figures=LOCAL_FIGURES)
    mobile = replace(fixed, line_kind=LineKind.MOBILE, figures=Figures(60, 200_000, 60, 200_000))
    charge = charged(
        book(replace(PRICE, add_local=True), fixed, mobile), 60, number=replace(SHANGHAI, line_kind=line_kind)
    )
    long_distance, local = expected.split(" + ")
    assert [money.text(amount) for code, amount in amounts(charge) if code == "local"] == [local]
    assert charge.fee_micro == money.parse(long_distance) + money.parse(local)


def test_a_local_price_that_does_not_exist_cannot_be_added() -> None:
    """The call is unrated rather than too cheap."""
    charge = charged(book(replace(PRICE, add_local=True)), 60)
    assert charge.status is ChargeStatus.UNRATED
    assert sentence(charge.reason) == "022-天津-电信 has no local price to add to its domestic long distance price"


@pytest.mark.parametrize(
    ("decimals", "expected"), [(0, "0.00"), (1, "0.10"), (2, "0.13"), (3, "0.125"), (6, "0.125000")]
)
def test_a_fee_is_rounded_once_half_up_to_the_carriers_decimals(decimals: int, expected: str) -> None:
    """0.125 is 0.13 with two decimals; the difference is a step of its own."""
    tariffs = book(replace(PRICE, figures=Figures(1, 62_500, 1, 62_500)), carrier=replace(CARRIER, decimals=decimals))
    charge = charged(tariffs, 2)
    assert money.text(charge.fee_micro or 0, decimals) == money.text(money.parse(expected), decimals)
    assert ("rounding" in codes(charge)) == (money.parse(expected) != 125_000)


def test_an_amount_that_cannot_be_stored_is_unrated() -> None:
    """A mistyped price does not stop the bill."""
    charge = charged(book(replace(PRICE, figures=Figures(1, 10**15, 1, 10**15))), 10**7)
    assert (charge.status, sentence(charge.reason)) == (
        ChargeStatus.UNRATED,
        "the fee of 10000000 s is too large an amount",
    )


def test_the_story_goes_from_the_trunk_to_the_fee() -> None:
    """Each step in its place, with the facts that led to it."""
    tariffs = book(replace(PRICE, connection_fee_micro=5_000, free_s=6), trunks=(Trunk("FXO-1", CARRIER.name),))
    charge = charged(tariffs, 80, call=replace(OUTGOING, trunk="FXO-1"))
    assert codes(charge) == [
        "trunk", "carrier", "number", "traffic", "price", "connection", "free", "initial", "steps", "rounding", "fee",
    ]  # fmt: skip
    facts = {step.code: step.facts for step in charge.steps}
    assert facts["price"]["effective_from"] == "2000-01-01"
    assert facts["price"]["id"] == charge.price_id == 7
    assert (facts["steps"]["count"], facts["steps"]["seconds"]) == (12, 68)
    assert facts["traffic"]["rule"] == "area-code"
    assert facts["rounding"] == {"decimals": 2, "exact_micro": 915_000}
    assert charge.fee_micro == 920_000


# --- Windows ----------------------------------------------------------------------------------------------------

NIGHT = Window("daily", 0, 7 * 3600, Figures(6, 40_000, 6, 40_000), name="night")
NIGHT_PRICE = replace(PRICE, windows=(NIGHT,))
SPLITTING = replace(CARRIER, crossing="split")


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{clock}+08:00")


@pytest.mark.parametrize(
    ("start", "seconds", "expected", "window"),
    [
        ("06:59:59", 90, "0.60", "night"),
        ("07:00:00", 90, "1.05", None),
        ("23:59:59", 90, "1.05", None),
        ("00:00:00", 90, "0.60", "night"),
    ],
)
def test_a_call_over_a_border_is_rated_by_its_start(start: str, seconds: int, expected: str, window: str) -> None:
    """The window of the start holds for the whole call; a window begins with its first second, ends before its last."""
    charge = charged(book(NIGHT_PRICE), seconds, at=at(start))
    assert (money.text(charge.fee_micro or 0), charge.window) == (expected, window)


@pytest.mark.parametrize(
    ("start", "seconds", "steps"),
    [
        ("06:59:00", 60, [("initial", 40_000), ("steps", 360_000)]),
        ("06:59:00", 61, [("initial", 40_000), ("steps", 360_000), ("steps", 70_000)]),
        ("06:59:00", 120, [("initial", 40_000), ("steps", 360_000), ("steps", 700_000)]),
        ("06:59:57", 12, [("initial", 40_000), ("steps", 140_000)]),  # 3 s are one block, the next begins at 07:00:00
        ("06:59:53", 12, [("initial", 40_000), ("steps", 40_000), ("steps", 70_000)]),
        ("23:59:00", 120, [("initial", 70_000), ("steps", 630_000), ("steps", 400_000)]),
    ],
)
def test_a_carrier_may_split_a_call_at_the_border(start: str, seconds: int, steps: list[tuple[str, int]]) -> None:
    """The border ends the block in progress; the next step begins at the border, with the next window's figures."""
    charge = charged(book(NIGHT_PRICE, carrier=SPLITTING), seconds, at=at(start))
    assert amounts(charge) == steps


def test_a_split_call_pays_the_initial_fee_once() -> None:
    """By the first second that is not free, whatever window it lies in."""
    window = replace(NIGHT, figures=Figures(180, 100_000, 60, 50_000))
    price = replace(PRICE, figures=LOCAL_FIGURES, windows=(window,), free_s=30)
    tariffs = book(price, carrier=SPLITTING)
    assert amounts(charged(tariffs, 120, at=at("06:59:00"))) == [("initial", 100_000), ("steps", 110_000)]
    assert amounts(charged(tariffs, 120, at=at("06:59:30"))) == [("initial", 220_000)]
    assert charged(tariffs, 120, at=at("06:59:00")).window == "night"


def test_a_flat_window_is_one_block_of_a_split_call() -> None:
    """Its fee is due when the call reaches it, and again when it reaches it the next day."""
    flat = replace(NIGHT, figures=Figures(0, 1_000_000, 0, 0))
    tariffs = book(replace(PRICE, windows=(flat,)), carrier=SPLITTING)
    assert amounts(charged(tariffs, 66, at=at("06:59:00"))) == [("initial", 1_000_000), ("steps", 70_000)]
    assert amounts(charged(tariffs, 66, at=at("23:59:54"))) == [("initial", 70_000), ("initial", 1_000_000)]


def test_midnight_is_a_border_only_where_the_next_day_is_another() -> None:
    """A working Monday into a working Tuesday is one stretch, Friday into Saturday is two."""
    weekend = Window("weekend", 0, 0, Figures(60, 10_000, 60, 10_000))
    tariffs = book(replace(PRICE, figures=Figures(60, 100_000, 60, 100_000), windows=(weekend,)), carrier=SPLITTING)
    monday, friday = at("23:59:30"), at("23:59:30") + timedelta(days=4)
    assert amounts(charged(tariffs, 60, at=monday)) == [("initial", 100_000)]
    assert amounts(charged(tariffs, 60, at=friday)) == [("initial", 100_000), ("steps", 10_000)]


def test_a_split_call_at_the_end_of_time_is_still_rated() -> None:
    """A PBX with a broken clock says the year 9999."""
    tariffs = book(NIGHT_PRICE, carrier=SPLITTING)
    assert charged(tariffs, 3 * 86_400, at=datetime(9999, 12, 31, 23, 59, tzinfo=BEIJING)).fee_micro is not None


def test_a_book_remembers_calls_of_the_same_length_by_price_and_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninety seconds by night and by day, here and there, do not take each other's fee; memory has its limit."""
    monkeypatch.setattr("ippbx_billing.tariffs.rating.REMEMBERED", 3)
    tariffs = book(NIGHT_PRICE, replace(PRICE, match="area", value="0755", figures=LOCAL_FIGURES))
    shenzhen = replace(SHANGHAI, area_code="0755")
    for _ in range(2):
        assert [fee(tariffs, 90, at=at(clock)) for clock in ("06:00:00", "12:00:00", "03:00:00")] == [
            "0.60",
            "1.05",
            "0.60",
        ]
        assert fee(tariffs, 90, number=shenzhen) == "0.22"
        assert fee(tariffs, 91, number=shenzhen) == "0.22"
    assert len(tariffs.charges) == 3


# --- Properties -------------------------------------------------------------------------------------------------

micro = st.integers(0, 2_000_000)
figures_any = st.one_of(
    st.builds(Figures, st.integers(0, 200), micro, st.integers(0, 120), micro),
    st.builds(Figures, st.integers(0, 200), micro, st.integers(1, 120), micro, st.sampled_from([1, 7, 60, 3600])),
)
edges = st.sampled_from([0, 1, 3600, 7 * 3600, 43_140, 43_200, 43_260, 86_340, 86_400])
window_any = st.builds(
    Window,
    st.sampled_from(["daily", "weekend", "holiday"]),
    edges,
    edges,
    figures_any,
    st.one_of(st.none(), st.integers(0, 40)),
)
prices_any = st.builds(
    lambda figures, connection, free_s, minimum, windows: replace(
        PRICE,
        figures=figures,
        connection_fee_micro=connection,
        free_s=free_s,
        minimum_fee_micro=minimum,
        windows=tuple(windows),
    ),
    figures_any,
    micro,
    st.integers(0, 100),
    micro,
    st.lists(window_any, max_size=4),
)
carriers_any = st.builds(
    lambda decimals, crossing: replace(CARRIER, decimals=decimals, crossing=crossing),
    st.integers(0, 6),
    st.sampled_from(["start", "split"]),
)
starts = st.one_of(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)),
    st.sampled_from(
        [datetime(2026, 10, 2, 23, 59, 30), datetime(2026, 11, 20, 23, 59), datetime(2026, 11, 23, 11, 59)]
    ),
)
lengths = st.one_of(st.integers(1, 400), st.integers(1, 200_000))


@given(prices_any, carriers_any, starts, lengths, st.integers(0, 5_000))
def test_a_longer_call_never_costs_less(
    price: Price, carrier: Carrier, start: datetime, seconds: int, more: int
) -> None:
    """Whatever the price, its windows and how they are crossed."""
    tariffs = book(price, carrier=carrier)
    shorter, longer = charged(tariffs, seconds, at=start), charged(tariffs, seconds + more, at=start)
    assert (shorter.fee_micro or 0) <= (longer.fee_micro or 0)


@given(prices_any, carriers_any, starts, lengths)
def test_rating_twice_gives_the_same_and_the_steps_add_up(
    price: Price, carrier: Carrier, start: datetime, seconds: int
) -> None:
    """A book that has seen the call and one that has not agree, with the story and without it."""
    again = book(price, carrier=carrier)
    first = charged(again, seconds, at=start)
    assert charged(again, seconds, at=start) == first
    assert charged(book(price, carrier=carrier), seconds, at=start) == first
    assert all(type(step.amount_micro) is int for step in first.steps)
    assert all(type(fact) in (int, str) for step in first.steps for fact in step.facts.values())


@given(prices_any, starts, st.integers(1, 700))
def test_a_split_call_costs_the_sum_of_its_parts(price: Price, start: datetime, seconds: int) -> None:
    """Counted second by second: what each second buys, in the window that holds at it."""
    exact = replace(SPLITTING, decimals=6)
    assert charged(book(price, carrier=exact), seconds, at=start).fee_micro == second_by_second(price, start, seconds)


def second_by_second(price: Price, start: datetime, seconds: int) -> int:
    """The same rule in its plainest form: a second that is not paid for yet buys the block that it begins."""
    talk, paid_s, initial_due, flat_paid = Fraction(0), 0, True, False
    last: object = "none yet"
    for second, window in enumerate(windows_each_second(price, start, seconds)):
        if window is not last:
            last, paid_s, flat_paid = window, 0, False
        if second < price.free_s or paid_s or flat_paid:
            paid_s -= paid_s > 0
            continue
        figures = window.figures if window else price.figures
        if figures.step_s == 0:
            talk, flat_paid, initial_due = talk + figures.initial_fee_micro, True, False
            continue
        if initial_due:
            initial = block(figures, figures.initial_fee_micro, figures.initial_s)
            talk, paid_s, initial_due = talk + initial, figures.initial_s, False
        if not paid_s:
            talk, paid_s = talk + block(figures, figures.step_fee_micro, figures.step_s), figures.step_s
        paid_s -= 1
    own = price.connection_fee_micro + talk
    return int((max(own, price.minimum_fee_micro) if seconds > price.free_s else own) + Fraction(1, 2))


def block(figures: Figures, fee_micro: int, seconds: int) -> Fraction:
    """What a block costs: its fee, or its share of a rate."""
    return Fraction(fee_micro * seconds, figures.per_s) if figures.per_s else Fraction(fee_micro)


def windows_each_second(price: Price, start: datetime, seconds: int) -> Iterator[Window | None]:
    for offset in range(seconds):
        now = start.replace(microsecond=0) + timedelta(seconds=offset)
        yield window_at(price.windows, now.date(), now.hour * 3600 + now.minute * 60 + now.second, CALENDAR)


@given(
    st.builds(
        Call,
        pbx=st.just("PBX"),
        dialect=st.just("uc"),
        started_at=st.just(NOON),
        billed_s=st.integers(),
        disposition=st.sampled_from(Disposition),
        direction=st.one_of(st.none(), st.sampled_from(Direction)),
        trunk=st.one_of(st.none(), st.text(max_size=5), st.just("FXO-1")),
        did=st.one_of(st.none(), st.text(max_size=5)),
        twin=st.one_of(st.none(), st.text(max_size=5)),
    ),
    st.builds(
        Classification,
        number=st.text(max_size=12),
        normalized=st.text(max_size=12),
        traffic_type=st.sampled_from(TrafficType),
        line_kind=st.sampled_from(LineKind),
        country=st.one_of(st.none(), st.text(max_size=2)),
        area_code=st.one_of(st.none(), st.text(max_size=4)),
        ip_prefix=st.one_of(st.none(), st.text(max_size=5)),
        emergency=st.booleans(),
    ),
    st.datetimes(),
    st.sampled_from(["start", "split"]),
)
def test_rating_never_raises(call: Call, number: Classification, start: datetime, crossing: Crossing) -> None:
    """Any call and number get a charge with a status, a reason where there is no fee, and a story."""
    carriers, prices = standard("CN", "022", "天津")
    carriers = [replace(carrier, crossing=crossing) for carrier in carriers]
    tariffs = TariffBook(carriers, [Trunk("FXO-1", carriers[1].name)], prices, CALENDAR)
    charge = charged(tariffs, call.billed_s, call=call, number=number, at=start)
    assert charge.reason or charge.status is ChargeStatus.RATED
    assert (charge.fee_micro is None) == (charge.status is ChargeStatus.UNRATED)
    assert charge.steps


CHAIN = [PACKAGE / "money.py", PACKAGE / "language" / "stories.py", *sorted(PACKAGE.glob("tariffs/*.py"))]


@pytest.mark.parametrize("path", CHAIN, ids=lambda path: path.name)
def test_there_is_no_float_in_the_chain(path: Path) -> None:
    """No literal with a point, no true division, no `float`, `round` or `math` between a price and its fee."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), where
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), where
        assert not (isinstance(node, ast.Name) and node.id in {"float", "round", "math"}), where


def test_a_charge_names_the_calendar_where_the_day_decides() -> None:
    """Only a window on days off or holidays asks what day it is; a daily one does not."""
    for kind, named in (("daily", False), ("weekend", True), ("holiday", True)):
        window = Window(kind, 0, 3600, Figures(6, 10_000, 6, 10_000))  # type: ignore[arg-type]
        charge = charged(book(replace(PRICE, windows=(window,))), 60)
        assert (charge.calendar is not None) is named
    assert charged(book(PRICE), 60).calendar is None
