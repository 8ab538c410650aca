"""Plans of the month: free minutes, an included amount, cheaper beyond a volume, a monthly fee.

The one idea: rating one call stays without memory. What a plan gives or takes is a line of the month's bill, worked out
from the month's charged calls in the order of time, and each line knows what it took of which call.

    lines = month_lines(plans, calls, (date(2026, 10, 1), date(2026, 10, 31)))
    lines[0].amount_micro   ->  -12_400_000        # 300 minutes took this off
    lines[0].parts[0]       ->  of call 17, 60 s, -220_000

How calls meet plans:

* Free time goes first, then volume prices for the seconds that are left, then included amounts for the fee that is
  left; a monthly fee looks at no call. Among plans of one kind the narrower scope goes first: extension, department
  (the deeper one first), trunk, site; then the one with the earlier first day, then by name.
* A call that costs nothing uses nothing. One without a price uses its seconds, and takes nothing off a sum that is not
  known.
* Seconds are counted in begun units of the plan (`unit_s`: 60 for whole minutes, 1 for seconds). A call that the free
  time covers in part costs what a call of the remaining seconds costs; whoever asks may say what that is.
* Beyond N minutes means more than N. `marginal` prices only the seconds beyond, `all` every second of the month by the
  step that the month's total reached.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import zip_longest
from typing import Literal

from ippbx_billing import money
from ippbx_billing.calls import Direction, TrafficType

PlanKind = Literal["free_time", "volume", "included_amount", "monthly_fee"]
PlanScope = Literal["extension", "department", "trunk", "site"]
Reach = Literal["marginal", "all"]
PartMonth = Literal["whole", "days"]

KINDS: tuple[PlanKind, ...] = ("free_time", "volume", "included_amount", "monthly_fee")
SCOPES: tuple[PlanScope, ...] = ("extension", "department", "trunk", "site")
HUNDRED_PERCENT = 100 * money.MICRO  # percents are micro-units of one percent
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class VolumeStep:
    """What holds beyond so many seconds of the month: a price per minute, or so much percent off the calls' own fees.

    `percent_off` is in millionths of one percent: 20 % is 20_000_000.
    """

    beyond_s: int
    per_minute_micro: int | None = None
    percent_off: int | None = None

    def __post_init__(self) -> None:
        if (self.per_minute_micro is None) == (self.percent_off is None):
            raise ValueError("a step of a volume has a price per minute, or a percentage, and not both")
        if self.beyond_s < 0 or (self.per_minute_micro or 0) < 0:
            raise ValueError("a step of a volume is not negative")
        if not 0 <= (self.percent_off or 0) <= HUNDRED_PERCENT:
            raise ValueError("a step takes 0 to 100 percent off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One plan: what it gives or takes each month, for whose calls, from which day to which.

    `scope_value` names one extension, department (with those below it) or trunk; "" is each of them, with a plan of
    its own. `carrier` None is every carrier, no `traffic_types` all of them, `direction` None both ways. `part_month`
    says what a month counts in which the plan holds for some days only. `decimals` is how each call's part is rounded
    (half up); None is the bill's own. A version of a plan holds until the next one of its name begins.
    """

    name: str
    kind: PlanKind
    effective_from: date
    id: int | None = None
    carrier: str | None = None
    effective_to: date | None = None
    scope: PlanScope = "site"
    scope_value: str = ""
    traffic_types: tuple[TrafficType, ...] = ()
    direction: Direction | None = Direction.OUTBOUND
    amount_micro: int = 0
    included_s: int = 0
    unit_s: int = MINUTE_S
    steps: tuple[VolumeStep, ...] = ()
    reach: Reach = "marginal"
    part_month: PartMonth = "whole"
    decimals: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(sorted(self.steps, key=lambda step: step.beyond_s)))
        wanted = {"free_time": "included_s", "volume": "steps"}.get(self.kind, "amount_micro")
        given = {name for name in ("amount_micro", "included_s", "steps") if getattr(self, name)}
        if not self.name or self.kind not in KINDS or self.scope not in SCOPES:
            raise ValueError("a plan has a name, a kind and a scope")
        if given != {wanted}:
            raise ValueError(f"a plan of the kind {self.kind} says its {wanted}, and nothing else")
        if min(self.amount_micro, self.included_s) < 0 or self.unit_s < 1:
            raise ValueError("the figures of a plan are not negative, and it counts in whole seconds")
        if self.scope == "site" and self.scope_value:
            raise ValueError("the site has no name of its own")
        if self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("a plan does not end before it begins")
        if len({step.beyond_s for step in self.steps}) < len(self.steps):
            raise ValueError("two steps of a volume begin at the same minute")

    def holds_on(self, day: date) -> bool:
        """Whether the plan is in force on that day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCall:
    """A charged call as plans see it: when it was answered, how long it was, what it costs (None: has no price).

    `department` is the path of the department that made it; `owner` is whatever the asker tells bills apart by.
    """

    id: int
    at: datetime
    day: date
    seconds: int
    fee_micro: int | None
    carrier: str | None = None
    trunk: str | None = None
    extension: str | None = None
    department: str | None = None
    traffic_type: str | None = None
    direction: str | None = None
    owner: Hashable = None


@dataclass(frozen=True, slots=True)
class PlanPart:
    """What a plan's line took of one call, or the fee that it puts on an owner: `call` is None there."""

    owner: Hashable
    call: int | None
    seconds: int
    amount_micro: int
    unpriced: bool = False


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the month's bill: the plan, whose it is (`unit`, where each has its own), and its parts.

    `included_s` and `included_micro` are what this month's plan included, less than the plan's where it holds for some
    days only.
    """

    plan: Plan
    unit: str
    parts: tuple[PlanPart, ...]
    included_s: int = 0
    included_micro: int = 0

    @property
    def amount_micro(self) -> int:
        """What the line adds to the bill; it is negative where the plan takes something off."""
        return sum(part.amount_micro for part in self.parts)

    @property
    def seconds(self) -> int:
        """The seconds that the plan counted."""
        return sum(part.seconds for part in self.parts)


Month = tuple[date, date]
Rest = Callable[[PlanCall, int], int | None]  # what a call of so many seconds costs; None where nobody knows
Units = Callable[[Plan], Mapping[str, Hashable]]  # each unit of the plan's scope with the owner of its monthly fee


def nobody_knows(call: PlanCall, seconds: int) -> int | None:
    """The rest of a call costs its share of the fee."""
    return None


def no_units(plan: Plan) -> Mapping[str, Hashable]:
    """Nothing has a monthly fee of its own."""
    return {}


def month_lines(
    plans: Iterable[Plan],
    calls: Iterable[PlanCall],
    month: Month,
    *,
    units: Units = no_units,
    decimals: int = 2,
    rest: Rest = nobody_knows,
) -> list[PlanLine]:
    """The lines of the month's bill, in the order in which the plans were applied.

    `rest` tells what a call of fewer seconds would cost. `units` names what has a monthly fee of its own.
    """
    charged = [_Left(call, call.fee_micro, call.seconds) for call in sorted(calls, key=lambda one: (one.at, one.id))]
    lines: list[PlanLine] = []
    for plan in in_order(plans, month):
        exact = replace(plan, decimals=decimals) if plan.decimals is None else plan
        if plan.kind == "monthly_fee":
            lines += _monthly_fees(exact, month, units)
        else:
            lines += _lines_of(exact, charged, month, rest)
    return lines


def in_order(plans: Iterable[Plan], month: Month) -> list[Plan]:
    """The versions that hold in the month, each until its successor begins, in the order in which they are applied."""
    found = [plan for plan in succeeded(plans) if plan.effective_from <= month[1] and not _over(plan, month[0])]
    return sorted(found, key=_order)


def succeeded(plans: Iterable[Plan]) -> Iterator[Plan]:
    """Each version with its true end: the day before the next version of its name begins."""
    by_name: dict[str, list[Plan]] = {}
    for plan in plans:
        by_name.setdefault(plan.name, []).append(plan)
    for versions in by_name.values():
        versions.sort(key=lambda plan: plan.effective_from)
        for plan, following in zip_longest(versions, versions[1:]):
            end = following.effective_from - timedelta(days=1) if following else None
            ends = [one for one in (plan.effective_to, end) if one is not None]
            if not ends or min(ends) >= plan.effective_from:
                yield replace(plan, effective_to=min(ends, default=None))


def _over(plan: Plan, first: date) -> bool:
    return plan.effective_to is not None and plan.effective_to < first


def _order(plan: Plan) -> tuple[object, ...]:
    """Kind, then the narrower scope; one that is named before each, the deeper department before those above it."""
    depth = -len(plan.scope_value.split("/")) if plan.scope_value else 0
    return KINDS.index(plan.kind), SCOPES.index(plan.scope), depth, plan.effective_from, plan.name


@dataclass(slots=True)
class _Left:
    """A call, and what is left of its fee and seconds behind the plans that went before."""

    call: PlanCall
    fee_micro: int | None
    seconds: int

    def counted(self, unit_s: int) -> int:
        """The seconds in begun units."""
        return -(-self.seconds // unit_s) * unit_s

    def take(self, plan: Plan, seconds: int, fee_micro: int | None, left_s: int) -> PlanPart:
        """The call costs this from now on; gives the part of the plan's line."""
        before, self.fee_micro, self.seconds = self.fee_micro, fee_micro, left_s
        amount = 0 if before is None or fee_micro is None else fee_micro - before
        return PlanPart(self.call.owner, self.call.id, seconds, amount, before is None)


def unit_of(plan: Plan, call: PlanCall) -> str | None:
    """Whose pool of the plan the call uses: "" where there is but one; None where the plan is not for it."""
    if plan.carrier not in (None, call.carrier) or plan.direction not in (None, call.direction):
        return None
    if plan.traffic_types and call.traffic_type not in plan.traffic_types:
        return None
    if not plan.holds_on(call.day):
        return None
    if plan.scope == "site":
        return ""
    own = {"extension": call.extension, "department": call.department, "trunk": call.trunk}[plan.scope]
    if not plan.scope_value:
        return own
    inside = own == plan.scope_value or (plan.scope == "department" and f"{own}/".startswith(f"{plan.scope_value}/"))
    return "" if inside else None


def _lines_of(plan: Plan, charged: Sequence[_Left], month: Month, rest: Rest) -> Iterator[PlanLine]:
    """A line for each pool of the plan that has calls."""
    pools: dict[str, list[_Left]] = {}
    for one in charged:
        unit = unit_of(plan, one.call) if one.fee_micro != 0 and one.seconds > 0 else None
        if unit is not None:
            pools.setdefault(unit, []).append(one)
    share = _share(plan, month)
    for unit in sorted(pools):
        if plan.kind == "free_time":
            included_s = int(plan.included_s * share) // plan.unit_s * plan.unit_s
            yield PlanLine(plan, unit, tuple(_free_time(plan, pools[unit], included_s, rest)), included_s)
        elif plan.kind == "included_amount":
            amount = money.round_half_up(plan.amount_micro * share, plan.decimals or 0)
            yield PlanLine(plan, unit, tuple(_included(plan, pools[unit], amount)), 0, amount)
        else:
            yield PlanLine(plan, unit, tuple(_volume(plan, pools[unit])))


def _share(plan: Plan, month: Month) -> Fraction:
    """How much of the month a plan counts for that holds for some days of it."""
    first, last = month
    days = (min(plan.effective_to or last, last) - max(plan.effective_from, first)).days + 1
    return Fraction(days, (last - first).days + 1) if plan.part_month == "days" else Fraction(1)


def _free_time(plan: Plan, pool: Iterable[_Left], included_s: int, rest: Rest) -> Iterator[PlanPart]:
    """Each call uses what is left of the time; the last one may be covered in part."""
    left_s = included_s
    for one in pool:
        if left_s <= 0:
            return
        counted = one.counted(plan.unit_s)
        used = min(left_s, counted)
        left_s -= used
        if used == counted:
            yield one.take(plan, used, None if one.fee_micro is None else 0, 0)
        else:
            yield one.take(plan, used, _fee_of_rest(plan, one, one.seconds - used, rest), one.seconds - used)


def _fee_of_rest(plan: Plan, one: _Left, seconds: int, rest: Rest) -> int | None:
    """What the seconds that are not covered cost; never more than the whole call."""
    if one.fee_micro is None:
        return None
    known = rest(one.call, seconds)
    if known is None:
        known = money.round_half_up(Fraction(one.fee_micro * seconds, one.seconds), plan.decimals or 0)
    return min(known, one.fee_micro)


def _included(plan: Plan, pool: Iterable[_Left], included_micro: int) -> Iterator[PlanPart]:
    """Each call uses what is left of the amount; what has no price uses nothing."""
    left = included_micro
    for one in pool:
        used = min(left, one.fee_micro or 0)
        left -= used
        if used or one.fee_micro is None:
            fee = None if one.fee_micro is None else one.fee_micro - used
            yield one.take(plan, one.seconds, fee, one.seconds)


def _volume(plan: Plan, pool: Sequence[_Left]) -> Iterator[PlanPart]:
    """Every call that reaches a step, with what the step changes of its fee."""
    total = sum(one.counted(plan.unit_s) for one in pool) if plan.reach == "all" else 0
    reached = [step for step in plan.steps if step.beyond_s < total][-1:]
    steps = [replace(step, beyond_s=0) for step in reached] if plan.reach == "all" else list(plan.steps)
    begin = 0
    for one in pool:
        counted = one.counted(plan.unit_s)
        beyond = list(_beyond(steps, begin, begin + counted))
        begin += counted
        if beyond:
            yield one.take(
                plan, sum(seconds for _, seconds in beyond), _stepped(plan, one, counted, beyond), one.seconds
            )


def _beyond(steps: Sequence[VolumeStep], begin: int, end: int) -> Iterator[tuple[VolumeStep, int]]:
    """How many of the counted seconds from `begin` to `end` lie in each step."""
    for step, following in zip_longest(steps, steps[1:]):
        until = end if following is None else min(end, following.beyond_s)
        seconds = until - max(begin, step.beyond_s)
        if seconds > 0:
            yield step, seconds


def _stepped(plan: Plan, one: _Left, counted: int, beyond: Sequence[tuple[VolumeStep, int]]) -> int | None:
    """The call's fee with its seconds beyond the steps priced by these, rounded once."""
    if one.fee_micro is None:
        return None
    parts = counted * MINUTE_S * HUNDRED_PERCENT  # whole numbers of them, because fractions are slow
    exact = one.fee_micro * (counted - sum(seconds for _, seconds in beyond)) * MINUTE_S * HUNDRED_PERCENT
    for step, seconds in beyond:
        if step.per_minute_micro is not None:
            exact += step.per_minute_micro * seconds * counted * HUNDRED_PERCENT
        else:
            exact += one.fee_micro * seconds * MINUTE_S * (HUNDRED_PERCENT - (step.percent_off or 0))
    return money.average(exact, parts, plan.decimals or 0)


def _monthly_fees(plan: Plan, month: Month, units: Units) -> Iterator[PlanLine]:
    """The fee once, or once for each unit there is."""
    amount = money.round_half_up(plan.amount_micro * _share(plan, month), plan.decimals or 0)
    known = units(plan)
    for unit in sorted(known) if plan.scope != "site" and not plan.scope_value else [""]:
        owner = known.get(unit or plan.scope_value)
        yield PlanLine(plan, unit, (PlanPart(owner, None, 0, amount),))
