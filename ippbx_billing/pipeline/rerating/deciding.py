"""What the charge of a call depends on, decided once for all calls of its kind.

The one idea: a tariff looks at a call's kind, its length, the time of day, and sometimes at its digits. Calls that are
alike in what their tariff looks at get the same code, and calls of one code have one charge; the charge itself is found
by the rules that rate live calls, never here.

    decide = Deciding(rules)
    decide.begin(date(2026, 10, 1))          # the versions of prices in force on that day and the next ones
    plan = decide.plan(kind)                 # how its calls find their code
    decide.code(plan, started_at, billed_s)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from sqlite3 import Row
from typing import NamedTuple

from ippbx_billing.calls import (
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    Reason,
    TrafficType,
)
from ippbx_billing.ledger.calls import DOUBTFUL, TWIN, instant
from ippbx_billing.ledger.rerates import BY_CLOCK, BY_LENGTH, FIXED, LONGEST_S, ONE_BY_ONE
from ippbx_billing.pipeline import Rules
from ippbx_billing.tariffs import DAY_S, Carrier, Price, Window
from ippbx_billing.tariffs.filters import left_out
from ippbx_billing.tariffs.rating import charge_by, local_price, rate, settle
from ippbx_billing.tariffs.windows import stretches

QUARTER_S = 900  # time zones and most windows change on the quarter of an hour
LENGTH_BITS, WINDOW_BITS = 26, 8
REMEMBERED = 200_000
NO_NUMBER = "\N{REPLACEMENT CHARACTER}"  # stands for the digits of a call where a kind has none

assert LONGEST_S < 1 << LENGTH_BITS


class RatingPlan(NamedTuple):
    """How calls find their code (see `ledger.rerates`), and what a price or a rule says about them."""

    how: int
    base: int
    settled: Charge | tuple[Carrier, Price]


@dataclass(frozen=True, slots=True)
class CallKind:
    """A kind of calls with one call made up for it."""

    id: int
    call: Call
    classification: Classification
    code: str  # how the numbers begin, see `number_start`

    @classmethod
    def of(cls, row: Row) -> "CallKind":
        """The kind that a row of `kinds` holds; the number stands for all that begin so."""
        number = "00" + NO_NUMBER if row["abroad"] else NO_NUMBER
        call = Call(
            pbx="",
            dialect="",
            started_at=moment(0),
            billed_s=0,
            disposition=Disposition(row["disposition"]),
            number=number,
            trunk=row["trunk"] or None,
            direction=Direction(row["direction"]) if row["direction"] else None,
            twin=NO_NUMBER if row["twin"] == TWIN else None,
            doubt=Reason("doubtful") if row["twin"] == DOUBTFUL else None,
        )
        classification = Classification(
            number=number,
            normalized=f"+{row['code']}{NO_NUMBER}" if row["code"] else NO_NUMBER,
            traffic_type=TrafficType(row["traffic_type"]),
            line_kind=LineKind(row["line_kind"]),
            country=row["country"] or None,
            area_code=row["area_code"] or None,
            ip_prefix=row["ip_prefix"] or None,
            emergency=bool(row["emergency"]),
        )
        return cls(row["id"], call, classification, row["code"])


class Digits(NamedTuple):
    """What a call has beyond its kind, and a tariff or a filter may look at."""

    twin: str | None
    doubt: str | None
    number: str | None
    normalized: str | None
    callee: str | None
    did: str | None
    extension: str | None
    billed_ms: int | None


class Deciding:
    """Decides by the given rules; the plans of one `begin` hold for days on which every price keeps its version."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._noon = datetime.max
        self._bases: dict[object, int] = {}
        self._clocks: dict[int, Clock] = {}
        self._shared: dict[object, Clock] = {}

    def begin(self, day: date) -> None:
        """Forget all plans; the next ones are for this day and those after it."""
        self._noon = datetime.combine(day, time(12), self._rules.site.zone)
        self._bases.clear()
        self._clocks.clear()

    def plan(self, kind: CallKind) -> RatingPlan:
        """How calls of this kind find their code."""
        call, rules = kind.call, self._rules
        plan = self.plan_of(call, kind.classification)
        filtered = any(one.looks_at_digits and one.may_fit(call.direction, call.trunk) for one in rules.filters)
        silent = call.disposition is not Disposition.ANSWERED or kind.classification.emergency
        if call.twin or call.doubt or filtered or (not silent and self._fitting(kind)):
            return plan._replace(how=ONE_BY_ONE)
        return plan

    def plan_of(self, call: Call, classification: Classification) -> RatingPlan:
        """How calls with these digits find their code."""
        talked = replace(self._rules.filtered(call), billed_s=60)
        settled = settle(talked, classification, self._noon, self._rules.book)
        if isinstance(settled, Charge):
            return self._without_price(talked, classification, settled)
        carrier, price = settled
        local = local_price(classification, carrier, self._noon, self._rules.book) if price.add_local else None
        if carrier.part_second != "up" or (local and (local.windows or price.windows)):
            return RatingPlan(ONE_BY_ONE, 0, settled)
        base = self._base((carrier.name, id(price), id(local)))
        if not price.windows:
            return RatingPlan(BY_LENGTH, base, settled)
        times = (carrier.crossing, *map(_time_of, price.windows))
        if times not in self._shared:
            self._shared[times] = Clock(carrier, price, self._rules)
        self._clocks[base] = self._shared[times]
        return RatingPlan(BY_CLOCK, base, settled)

    def code(self, plan: RatingPlan, started_at: int, billed_s: int) -> int | None:
        """The code of a call; None for one that must be rated by itself."""
        if plan.how == ONE_BY_ONE or not 0 <= billed_s <= LONGEST_S:
            return None
        if plan.how == BY_CLOCK:
            return self.clock(plan.base, started_at, billed_s)
        return plan.base if plan.how == FIXED else plan.base + billed_s

    def clock(self, base: int, started_at: int, billed_s: int) -> int | None:
        """The code of a call that depends on the time of day; None for one that is cut at a window's border."""
        place = self._clocks[base].window(started_at, billed_s)
        return None if place is None else base + (place << LENGTH_BITS) + billed_s

    def charge(
        self, plan: RatingPlan, call: Call, classification: Classification, started_at: int, billed_s: int
    ) -> Charge:
        """The charge of calls with this plan, start and length."""
        if isinstance(plan.settled, Charge) and (plan.how == FIXED or billed_s > 0):
            return plan.settled
        if billed_s <= 0 or isinstance(plan.settled, Charge):
            return self._without_talk(call, classification)
        carrier, price = plan.settled
        clock = plan.how == BY_CLOCK
        local_start = moment(started_at).astimezone(self._rules.site.zone) if clock else self._noon
        return charge_by(price, carrier, billed_s, classification, local_start, self._rules.book)

    # -- calls with digits of their own

    def group(self, kind: CallKind) -> Callable[[Digits], object]:
        """Tells calls of one kind apart as far as tariff and filters do: those of one group have one plan."""
        fits = self._fitting(kind)
        call, filters = kind.call, self._rules.filters
        ip_prefix = kind.classification.ip_prefix or ""

        def group_of(digits: Digits) -> object:
            reason = digits.twin or left_out(filters, call.direction, digits.extension, digits.number, call.trunk)
            called = None if call.direction is Direction.OUTBOUND else digits.did or digits.callee
            rows = fits(digits.number or "", digits.normalized or "", ip_prefix, called) if fits else ()
            return reason, digits.doubt, rows

        return group_of

    def _fitting(self, kind: CallKind) -> Callable[[str, str, str, str | None], tuple[object, ...]] | None:
        book = self._rules.book
        carrier = book.carrier_for(kind.call.trunk)
        if carrier is None:
            return None
        direction = kind.call.direction or Direction.OUTBOUND
        return book.fitting(carrier, kind.classification.traffic_type, direction, kind.code)

    def _without_price(self, call: Call, classification: Classification, charge: Charge) -> RatingPlan:
        """One charge for all such calls, unless its reason names the number or the length decides."""
        if charge.status is ChargeStatus.UNRATED and charge.reason.facts.get("match") == "number":
            return RatingPlan(ONE_BY_ONE, 0, charge)
        by_length = call.disposition is Disposition.ANSWERED and charge.status is not ChargeStatus.FILTERED
        if not by_length:
            return RatingPlan(FIXED, self._base(charge), charge)
        # A call without talk may cost nothing at a carrier, or at none, where both cost the same with talk.
        return RatingPlan(BY_LENGTH, self._base((charge, self._without_talk(call, classification))), charge)

    def _without_talk(self, call: Call, classification: Classification) -> Charge:
        silent = replace(call, twin=None, left_out=None, billed_s=0)
        return rate(silent, classification, self._noon, self._rules.book)

    def _base(self, key: object) -> int:
        return self._bases.setdefault(key, len(self._bases) + 1 << LENGTH_BITS + WINDOW_BITS)


class Clock:
    """The windows of a price through the days: which one is in force in each quarter of an hour."""

    def __init__(self, carrier: Carrier, price: Price, rules: Rules) -> None:
        self._splits = carrier.crossing != "start"
        self._carrier, self._price = replace(carrier, crossing="split"), price
        self._zone, self._calendar = rules.site.zone, rules.book.calendar
        self._unit_s = math.gcd(QUARTER_S, *(edge for one in price.windows for edge in one.edges))
        self._found: dict[int, tuple[int, int]] = {}

    def window(self, started_at: int, billed_s: int) -> int | None:
        """The place of the window in force, counted from 1, 0 for none; None where the call is cut at its end."""
        unit = started_at // self._unit_s
        try:
            place, until = self._found[unit]
        except KeyError:
            if len(self._found) > REMEMBERED:
                self._found.clear()
            place, until = self._look(unit)
        return None if self._splits and started_at + billed_s > until else place

    def _look(self, unit: int) -> tuple[int, int]:
        """The window then, and until when; remembered up to its end, if that is in sight and nobody puts the clock."""
        begin = unit * self._unit_s
        local = moment(begin).astimezone(self._zone)
        window, length_s = stretches(self._price, self._carrier, local, DAY_S, self._calendar)[0]
        until = begin + int(length_s)
        found = (self._price.windows.index(window) + 1 if window else 0), until
        steady = moment(until).astimezone(self._zone).utcoffset() == local.utcoffset()
        end = until // self._unit_s if length_s < DAY_S and steady else unit + 1
        self._found.update(dict.fromkeys(range(unit, end), found))
        return found


def _time_of(window: Window) -> tuple[object, ...]:
    """When a window is in force, whatever it costs then."""
    return window.kind, window.start_s, window.end_s, window.rank, window.days, window.dates, window.minutes


def moment(seconds: int) -> datetime:
    """Whole seconds of UTC as a moment."""
    return instant(seconds) or datetime.fromtimestamp(0, UTC)
