"""Plans of the month: what each gives or takes, of which call, in the order of time; mark-up and tax down the tree."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from ippbx_billing import money
from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.tariffs.plans import Plan, PlanCall, PlanLine, VolumeStep, in_order, month_lines
from ippbx_billing.tariffs.terms import AppliedTerms, BillingTerms, terms_of
from tests.tariffs import test_rating_cases as theirs

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
FIRST = date(2026, 1, 1)


def call(number: int, seconds: int, fee: str | None, *, at: datetime | None = None, **more: Any) -> PlanCall:
    moment = at or NOON + timedelta(minutes=number)
    fields = {"extension": "8001", "trunk": "FXO-1", "traffic_type": "local", "direction": "outbound", "owner": "A"}
    fee_micro = None if fee is None else money.parse(fee)
    return PlanCall(id=number, at=moment, day=moment.date(), seconds=seconds, fee_micro=fee_micro, **(fields | more))


def plan(kind: str, **more: Any) -> Plan:
    return Plan(name=more.pop("name", kind), kind=kind, effective_from=more.pop("since", FIRST), **more)  # type: ignore[arg-type]


def amounts(line: PlanLine) -> list[tuple[int | None, int, str]]:
    return [(part.call, part.seconds, money.text(part.amount_micro)) for part in line.parts]


def by_second(rate: str) -> Callable[[PlanCall, int], int]:
    """What a call of so many seconds costs at a rate per second."""
    return lambda call, seconds: money.parse(rate) * seconds


# --- free time ---------------------------------------------------------------------------------------------------


def test_free_minutes_cover_calls_in_the_order_of_time_by_begun_minutes() -> None:
    """Of three minutes the call of 61 s uses two, the next one the last; the third pays."""
    calls = [call(3, 30, "0.11"), call(1, 61, "0.22"), call(2, 45, "0.11")]
    (line,) = month_lines([plan("free_time", included_s=180)], calls, OCTOBER)
    assert amounts(line) == [(1, 120, "-0.22"), (2, 60, "-0.11")]
    assert (line.amount_micro, line.seconds) == (-330_000, 180)


def test_a_call_that_is_covered_in_part_costs_what_a_call_of_the_rest_costs() -> None:
    """The price may be dearer at the beginning: whoever asks knows what 240 s cost; else it is a share by seconds."""
    asked = []

    def rest(one: PlanCall, seconds: int) -> int:
        asked.append((one.id, seconds))
        return money.parse("0.33")

    free = plan("free_time", included_s=60)
    (line,) = month_lines([free], [call(1, 300, "0.44")], OCTOBER, rest=rest)
    assert asked == [(1, 240)]
    assert amounts(line) == [(1, 60, "-0.11")]
    (line,) = month_lines([free], [call(1, 300, "0.44")], OCTOBER)
    assert amounts(line) == [(1, 60, "-0.09")]  # 0.44 × 240/300 is 0.352, rounded to 0.35


@pytest.mark.parametrize(("unit_s", "wanted"), [(60, [(1, 60, "-1.00")]), (1, [(1, 6, "-1.00"), (2, 54, "-0.90")])])
def test_time_is_counted_by_the_plans_unit(unit_s: int, wanted: list[Any]) -> None:
    """By begun minutes 6 s use the whole minute, by seconds only six."""
    free = plan("free_time", included_s=60, unit_s=unit_s)
    (line,) = month_lines([free], [call(1, 6, "1.00"), call(2, 60, "1.00")], OCTOBER)
    assert amounts(line) == wanted


def test_a_call_that_costs_nothing_uses_nothing() -> None:
    """Toll-free calls leave the minutes to those that cost something."""
    (line,) = month_lines([plan("free_time", included_s=60)], [call(1, 60, "0.00"), call(2, 60, "0.11")], OCTOBER)
    assert amounts(line) == [(2, 60, "-0.11")]


def test_a_call_without_a_price_uses_its_time_and_takes_nothing_off() -> None:
    """What others pay does not change when its price is found later."""
    calls = [call(1, 60, None), call(2, 60, "0.11")]
    (line,) = month_lines([plan("free_time", included_s=60)], calls, OCTOBER)
    assert [(part.call, part.amount_micro, part.unpriced) for part in line.parts] == [(1, 0, True)]


@pytest.mark.parametrize(
    ("pool_s", "rate", "calls"),
    [
        (50, "0.5", [("i1", 24, "0"), ("i3", 50, "12")]),
        (215, "0.4", [("a1", 60, "0"), ("a2", 50, "0"), ("a3", 50, "0"), ("a4", 280, "90")]),
        (100, "0.5", [("j1", 30, "0"), ("j2", 75, "2.5"), ("j3", 30, "15")]),
        (10, "0.1", [("k1", 8, "0"), ("k2", 8, "0.6")]),  # two subscribers of one account share the pool
    ],
)
def test_billruns_groups(pool_s: int, rate: str, calls: list[tuple[str, int, str]]) -> None:
    """Expectations of BillRun/system@020197e library/Tests/Updaterowt.php: seconds in the group, then the price."""
    made = [
        call(n, seconds, money.text(money.parse(rate) * seconds), owner=n) for n, (_, seconds, _) in enumerate(calls)
    ]
    pool = plan("free_time", included_s=pool_s, unit_s=1, decimals=6)
    (line,) = month_lines([pool], made, OCTOBER, rest=by_second(rate))
    taken = {part.call: part.amount_micro for part in line.parts}
    paid = [(one.fee_micro or 0) + taken.get(one.id, 0) for one in made]
    assert paid == [money.parse(price) for _, _, price in calls]


@pytest.mark.parametrize("name", ["br-row-i3", "br-row-m7", "br-row-n4"])
def test_free_seconds_of_the_collection_as_a_plan(name: str) -> None:
    """Cases of `rating_cases.jsonl` with free seconds of a group: the rest is rated by their own tariff."""
    case = theirs.CASES[name]
    free_s, seconds = case["tariff"]["free_s"], case["call"]["duration_s"]
    book = theirs.book_of(case | {"tariff": case["tariff"] | {"free_s": 0}})
    whole = theirs.fee_micro(book, case["call"]["destination"], seconds)
    (line,) = month_lines(
        [plan("free_time", included_s=free_s, unit_s=1)],
        [call(1, seconds, money.text(whole))],
        OCTOBER,
        rest=lambda one, left_s: theirs.fee_micro(book, case["call"]["destination"], left_s),
    )
    assert whole + line.amount_micro == money.parse(case["expected_cost"])


# --- included amounts and volume ---------------------------------------------------------------------------------


def test_an_included_amount_is_used_up_fee_by_fee() -> None:
    """50.00 cover the first call and most of the second; what has no price waits without using any."""
    calls = [call(1, 60, "30.00"), call(2, 60, None), call(3, 60, "25.00"), call(4, 60, "9.00")]
    (line,) = month_lines([plan("included_amount", amount_micro=50_000_000)], calls, OCTOBER)
    assert amounts(line) == [(1, 60, "-30.00"), (2, 60, "0.00"), (3, 60, "-20.00")]


STEPS = (VolumeStep(600, per_minute_micro=100_000), VolumeStep(1200, percent_off=50_000_000))


def test_volume_prices_only_what_lies_beyond() -> None:
    """Ten minutes as they are, ten at 0.10, the rest at half their own fee; the call over a border is cut there."""
    calls = [call(1, 480, "1.60"), call(2, 480, "1.60"), call(3, 480, "1.60")]
    (line,) = month_lines([plan("volume", steps=STEPS)], calls, OCTOBER)
    # call 2: 120 s of 480 stay (0.40), 360 s at 0.10 a minute (0.60); call 3: 240 s at 0.10 (0.40), 240 s half of 0.80
    assert amounts(line) == [(2, 360, "-0.60"), (3, 480, "-0.80")]


def test_volume_for_all_goes_by_the_step_that_the_month_reached() -> None:
    """24 minutes are beyond 20, so that every call is at half its fee; at 20 sharp the lower step holds for all."""
    every = plan("volume", steps=STEPS, reach="all")
    calls = [call(1, 480, "1.60"), call(2, 480, "1.60"), call(3, 480, "1.60")]
    (line,) = month_lines([every], calls, OCTOBER)
    assert amounts(line) == [(1, 480, "-0.80"), (2, 480, "-0.80"), (3, 480, "-0.80")]
    (line,) = month_lines([every], [call(1, 1200, "4.00")], OCTOBER)
    assert amounts(line) == [(1, 1200, "-2.00")]  # 20 min at 0.10, as in BillRun's method "volume": beyond is more than
    (line,) = month_lines([every], [call(1, 600, "2.00")], OCTOBER)
    assert line.parts == ()


def test_plans_meet_a_call_one_after_another() -> None:
    """Free time first, the volume counts what is left, the included amount takes of what that costs."""
    plans = [
        plan("included_amount", amount_micro=250_000),
        plan("volume", steps=(VolumeStep(60, percent_off=50_000_000),)),
        plan("free_time", included_s=60),
        plan("monthly_fee", amount_micro=10_000_000),
    ]
    lines = month_lines(plans, [call(1, 60, "0.20"), call(2, 120, "0.40")], OCTOBER)
    assert [(line.plan.name, amounts(line)) for line in lines] == [
        ("free_time", [(1, 60, "-0.20")]),
        ("volume", [(2, 60, "-0.10")]),
        ("included_amount", [(2, 120, "-0.25")]),
        ("monthly_fee", [(None, 0, "10.00")]),
    ]


# --- whose, and when ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "value", "units"),
    [
        ("site", "", {"": 5}),
        ("extension", "", {"8001": 2, "8002": 2, "8003": 1}),
        ("extension", "8002", {"": 2}),
        ("trunk", "", {"FXO-1": 3, "FXO-2": 1}),
        ("department", "A", {"": 3}),
        ("department", "A/x", {"": 2}),
        ("department", "", {"A": 1, "A/x": 2, "B": 1}),
    ],
)
def test_each_scope_has_its_own_pool(scope: str, value: str, units: dict[str, int]) -> None:
    """A plan of each extension is one for each; a department's covers those below it."""
    calls = [
        call(1, 60, "1", department="A/x"),
        call(2, 60, "1", department="A/x", extension="8002"),
        call(3, 60, "1", department="A", extension="8002", trunk="FXO-2"),
        call(4, 60, "1", department="B", extension="8001"),
        call(5, 60, "1", department=None, extension="8003", trunk=None),
    ]
    lines = month_lines([plan("free_time", included_s=6000, scope=scope, scope_value=value)], calls, OCTOBER)
    assert {line.unit: len(line.parts) for line in lines} == units


def test_conditions_of_a_plan() -> None:
    """Carrier, traffic types and direction each leave out what is not meant."""
    calls = [
        call(1, 60, "1", carrier="C"),
        call(2, 60, "1", carrier="D"),
        call(3, 60, "1", carrier="C", traffic_type="domestic"),
        call(4, 60, "1", carrier="C", direction="inbound"),
        call(5, 60, "1", carrier="C", traffic_type=None),
    ]

    def covered(**conditions: Any) -> set[int | None]:
        lines = month_lines([plan("free_time", included_s=6000, **conditions)], calls, OCTOBER)
        return {part.call for line in lines for part in line.parts}

    assert covered() == {1, 2, 3, 5}
    assert covered(carrier="C") == {1, 3, 5}
    assert covered(carrier="C", traffic_types=(TrafficType.LOCAL,)) == {1}
    assert covered(carrier="C", direction=None) == {1, 3, 4, 5}
    assert covered(direction=Direction.INBOUND) == {4}


def test_a_version_holds_until_the_next_of_its_name() -> None:
    """From the 16th on 400 minutes instead of 300: each version covers its own days, by days where the plan says so."""
    days = {"part_month": "days", "unit_s": 60}
    versions = [
        plan("free_time", name="min", included_s=18_600, **days),
        plan("free_time", name="min", included_s=24_800, since=date(2026, 10, 16), **days),
    ]
    calls = [call(n, 60, "1", at=datetime(2026, 10, n, 9, tzinfo=UTC)) for n in (1, 15, 16, 31)]
    lines = month_lines(versions, calls, OCTOBER)
    assert [(line.included_s, [part.call for part in line.parts]) for line in lines] == [
        (9_000, [1, 15]),
        (12_780, [16, 31]),
    ]


def test_a_month_that_is_not_whole() -> None:
    """A fee from the 22nd on is whole, or ten days of thirty-one; a plan that is over is none."""
    late = {"since": date(2026, 10, 22), "amount_micro": 31_000_000}
    assert month_lines([plan("monthly_fee", **late)], [], OCTOBER)[0].amount_micro == 31_000_000
    assert month_lines([plan("monthly_fee", part_month="days", **late)], [], OCTOBER)[0].amount_micro == 10_000_000
    assert in_order([plan("monthly_fee", amount_micro=1, effective_to=date(2026, 9, 30))], OCTOBER) == []


def test_the_narrower_scope_goes_first() -> None:
    """An extension's minutes before its department's, the deeper department before the one above, the site last."""
    scopes = [("site", ""), ("department", "A"), ("department", "A/x"), ("extension", ""), ("trunk", "FXO-1")]
    plans = [plan("free_time", name=f"{s} {v}", included_s=60, scope=s, scope_value=v) for s, v in scopes]
    names = [one.name for one in in_order(plans, OCTOBER)]
    assert names == ["extension ", "department A/x", "department A", "trunk FXO-1", "site "]


def test_a_monthly_fee_for_each_unit() -> None:
    """Each extension that there is pays it, with or without calls; a single one only that."""
    known = {"8001": "A", "8002": "B"}
    each = plan("monthly_fee", amount_micro=5_000_000, scope="extension")
    lines = month_lines([each], [], OCTOBER, units=lambda one: known)
    assert [(line.unit, line.parts[0].owner, line.amount_micro) for line in lines] == [
        ("8001", "A", 5_000_000),
        ("8002", "B", 5_000_000),
    ]
    one = plan("monthly_fee", amount_micro=5_000_000, scope="extension", scope_value="8002")
    (line,) = month_lines([one], [], OCTOBER, units=lambda one: known)
    assert line.parts[0].owner == "B"


@pytest.mark.parametrize("seed", range(20))
def test_no_plan_takes_more_than_there_is(seed: int) -> None:
    """Whatever the plans: no call is covered for more than it costs, no pool gives more than it holds."""
    choose = random.Random(seed)
    fees = ["0.00", "0.11", "0.22", "1.35", None]
    calls = [
        call(n, choose.randint(1, 900), choose.choice(fees), extension=f"800{choose.randint(1, 3)}") for n in range(80)
    ]
    plans = [
        plan("free_time", included_s=choose.randint(1, 9_000), unit_s=choose.choice([1, 60])),
        plan("free_time", name="own", included_s=600, scope="extension"),
        plan("included_amount", amount_micro=choose.randint(1, 9_000_000)),
        plan("volume", steps=(VolumeStep(choose.randint(0, 9_000), percent_off=choose.randint(1, 10**8)),)),
    ]
    lines = month_lines(plans, calls, OCTOBER)
    taken: Counter[int | None] = Counter()
    for line in lines:
        assert line.plan.kind != "free_time" or line.seconds <= line.included_s
        assert line.plan.kind != "included_amount" or -line.amount_micro <= line.included_micro
        for part in line.parts:
            assert part.amount_micro <= 0
            taken[part.call] += part.amount_micro
    for one in calls:
        assert (one.fee_micro or 0) + taken[one.id] >= 0 or one.fee_micro is None
    assert lines == month_lines(plans, choose.sample(calls, len(calls)), OCTOBER), "the order of asking does not matter"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "free_time"},
        {"kind": "free_time", "included_s": 60, "amount_micro": 1},
        {"kind": "volume", "included_s": 60},
        {"kind": "monthly_fee", "amount_micro": 1, "scope_value": "x"},
        {"kind": "monthly_fee", "amount_micro": 1, "effective_to": date(2025, 1, 1)},
        {"kind": "monthly_fee", "amount_micro": -1},
        {"kind": "volume", "steps": (VolumeStep(60, percent_off=1), VolumeStep(60, percent_off=2))},
    ],
)
def test_a_plan_that_makes_no_sense_is_none(wrong: dict[str, Any]) -> None:
    """A figure that its kind does not have, an end before the beginning, two steps at one minute."""
    with pytest.raises(ValueError, match=r"plan|step|site"):
        plan(**wrong)


# --- mark-up and tax ---------------------------------------------------------------------------------------------


def test_terms_come_from_the_nearest_department_that_says_them() -> None:
    """Each figure for itself; from a day on; the site's for everybody else."""
    terms = [
        BillingTerms(None, FIRST, tax_percent=6_000_000),
        BillingTerms("A", FIRST, markup_percent=10_000_000),
        BillingTerms("A/x", FIRST, markup_percent=0, markup_per_call_micro=20_000),
        BillingTerms("A/x", date(2026, 11, 1), tax_percent=9_000_000),
    ]
    last = OCTOBER[1]
    assert terms_of(None, terms, last) == AppliedTerms(0, 0, 6_000_000)
    assert terms_of("B", terms, last) == AppliedTerms(0, 0, 6_000_000)
    assert terms_of("A/y/z", terms, last) == AppliedTerms(10_000_000, 0, 6_000_000)
    assert terms_of("A/x/z", terms, last) == AppliedTerms(0, 20_000, 6_000_000)
    assert terms_of("A/x", terms, date(2026, 11, 30)) == AppliedTerms(10_000_000, 0, 9_000_000)
    assert not terms_of("A", terms, date(2025, 12, 31))


def test_mark_up_and_tax_are_rounded_once() -> None:
    """A half goes up, and a credit is as exact as a fee."""
    assert AppliedTerms(10_000_000).markup_micro(1_250_000, 0, 2) == 130_000
    assert AppliedTerms(10_000_000, 20_000).markup_micro(1_000_000, 7, 2) == 240_000
    assert AppliedTerms(tax_percent=6_000_000).tax_micro(-1_250_000, 2) == -80_000
    for amount in (1, 333_333, 10**12 + 7):
        exact = Fraction(amount * 6, 100)
        assert abs(AppliedTerms(tax_percent=6_000_000).tax_micro(amount, 6) - exact) <= Fraction(1, 2)


def test_yetis_tax_case() -> None:
    """yeti-web@3ec29c9 spec/sql/switch/writecdr_spec.rb:634: 23 % on the call of line 635, at four decimals."""
    net = money.parse(theirs.CASES["yeti-up-novat"]["expected_cost"])
    gross = net + AppliedTerms(tax_percent=23_000_000).tax_micro(net, 4)
    assert gross == money.parse(theirs.CASES["yeti-up-vat"]["expected_cost"])
