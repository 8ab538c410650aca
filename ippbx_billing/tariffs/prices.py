"""The words of a tariff: carrier, trunk, price, window and calendar.

A price is a row of a carrier's tariff: which calls it is for (traffic type, direction, line kind,
destination), from which day on, and four figures that say what such a call costs.

>>> first_three_minutes = Figures(180, 220_000, 60, 110_000)  # 0.22 for 180 s, then 0.11 per 60 s
>>> first_three_minutes.step_s
60
"""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple, Protocol

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.language import tr
from ippbx_billing.money import Rounding

DAY_S = 86_400
DECIMALS = range(-6, 7)  # a fee may be rounded to millions of the currency, or to a micro-unit
MOST_TAX_MICRO = 1_000_000  # a tax of all that the call costs

Seconds = int | Fraction  # a carrier may count tenths of a second
Counting = Literal["begun", "completed"]
Crossing = Literal["start", "split", "step"]
PartSecond = Literal["up", "down", "half_up", "half_even", "exact"]
DayKind = Literal["working", "weekend", "holiday"]
Match = Literal["any", "area", "country", "prefix", "pattern", "called"]
WindowKind = Literal["daily", "weekend", "holiday"]
PriceStatus = Literal["open", "ended", "blocked"]

WINDOW_PRIORITY: dict[WindowKind, int] = {"daily": 10, "weekend": 20, "holiday": 30}


@dataclass(frozen=True, slots=True)
class Carrier:
    """An operator in a home area, written `022-天津-电信`; it owns a tariff.

    `decimals` and `rounding` say how a fee is rounded, once per call; -2 decimals are hundreds. `crossing` says what
    a call over a window's border costs: `start` rates all of it by its start, `split` each part by its own window,
    and with `step` each step goes by the window in which it begins and runs on over the border. `part_second` says
    what becomes of a part of a second where the PBX tells one: `exact` charges it as it is. `tax_micro` is the tax on
    top of each fee, in millionths of it, added before the fee is rounded.
    """

    name: str
    area_code: str
    place: str
    operator: str
    default: bool = False
    decimals: int = 2
    crossing: Crossing = "start"
    rounding: Rounding = "half_up"
    part_second: PartSecond = "up"
    tax_micro: int = 0

    def __post_init__(self) -> None:
        if self.decimals not in DECIMALS:
            raise ValueError(f"carrier {self.name}: decimals must be -6 to 6, not {self.decimals}")
        if not 0 <= self.tax_micro <= MOST_TAX_MICRO:
            raise ValueError(f"carrier {self.name}: the tax must be 0 to 100 percent")


@dataclass(frozen=True, slots=True)
class Trunk:
    """A line of the PBX (中继): its port name, its own number and outside-line prefix, and whose line it is."""

    name: str
    carrier: str
    number: str | None = None
    outside_prefix: str | None = None


class Tier(NamedTuple):
    """From that second of the chargeable talk on, each step costs this; with `per_s` the fee is a rate as in `Figures`.

    `step_s` 0 is a fee paid once, when the call reaches the tier; without a fee all that follows is free.
    """

    from_s: Seconds
    step_s: Seconds
    step_fee_micro: int
    per_s: Seconds = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The four figures of a price: the initial seconds and their fee, then each begun step and its fee.

    `step_s` 0 is a flat fee per call: the initial fee whatever the length. `initial_s` 0 charges the initial
    fee as well, but it buys no seconds.

    With `per_s` both fees are rates for that many seconds, of which each block costs its share: a carrier's list
    says 0.02 a minute, charged by the second, and a second of that is not a whole number of micro-units.

    `tiers` replace step and fee later in the call. `counting` says whether a step counts once it is begun or only
    when it is completed. With `step_decimals` the cost of each block is rounded half up before blocks are added.
    """

    initial_s: Seconds
    initial_fee_micro: int
    step_s: Seconds
    step_fee_micro: int
    per_s: Seconds = 0
    tiers: tuple[Tier, ...] = ()
    counting: Counting = "begun"
    step_decimals: int | None = None

    def __post_init__(self) -> None:
        for name in ("initial_s", "initial_fee_micro", "step_s", "step_fee_micro", "per_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative: {getattr(self, name)}")
        if self.per_s and not self.step_s:
            raise ValueError("a flat fee per call cannot be a rate for a length of time")
        if self.step_decimals is not None and self.step_decimals not in DECIMALS:
            raise ValueError(f"step_decimals must be -6 to 6, not {self.step_decimals}")
        _check_tiers(self)

    @property
    def is_plain(self) -> bool:
        """Whether the four figures say all."""
        return not self.tiers and self.counting == "begun" and self.step_decimals is None


def _check_tiers(figures: Figures) -> None:
    begin: Seconds = figures.initial_s
    for place, tier in enumerate(figures.tiers):
        if tier.from_s < begin or tier.from_s <= 0 or (place and tier.from_s == begin):
            raise ValueError(tr("a tier begins after what is before it, not at {seconds} s", seconds=tier.from_s))
        if min(tier.step_s, tier.step_fee_micro, tier.per_s) < 0 or (tier.per_s and not tier.step_s):
            raise ValueError(tr("a tier has a step and its fee, neither of them negative"))
        begin = tier.from_s


NO_FIGURES = Figures(0, 0, 0, 0)


class DateSpan(NamedTuple):
    """Days from `first` to `last`, each (year, month, day): 0 for every year, and for every month.

    >>> DateSpan((0, 12, 24), (0, 1, 2)).covers(date(2027, 1, 1))
    True
    """

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    def covers(self, day: date) -> bool:
        """Whether the day lies in it; a span of every year may run over the end of the year."""
        year, month, _ = self.first
        own = (day.year if year else 0, day.month if month else 0, day.day)
        if self.first <= self.last:
            return self.first <= own <= self.last
        return not year and (own >= self.first or own <= self.last)


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day (优惠时段) in which other figures hold, on every day, on days off, or on holidays.

    `start_s` and `end_s` are seconds of the local day, the end not included. A start later than the end runs
    across midnight, equal ones mean the whole day. `days` are days of the week (Monday is 1), `dates` single dates
    and spans of them, `minutes` those of each hour; empty ones leave nothing out. Without a `priority` of its own a
    window of holidays or dates (30) goes before one of the weekend or of days (20) before a daily one (10).
    """

    kind: WindowKind
    start_s: int
    end_s: int
    figures: Figures
    priority: int | None = None
    name: str = ""
    days: tuple[int, ...] = ()
    dates: tuple["DateSpan", ...] = ()
    minutes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in WINDOW_PRIORITY:
            raise ValueError(f"a window is daily, weekend or holiday, not {self.kind!r}")
        if not (0 <= self.start_s <= DAY_S and 0 <= self.end_s <= DAY_S):
            raise ValueError(f"a window lies between 00:00 and 24:00, not {self.start_s} s to {self.end_s} s")

    def covers(self, second: int) -> bool:
        """Whether that second of the day lies in it, whatever the day."""
        if self.minutes and second // 60 % 60 not in self.minutes:
            return False
        if self.start_s < self.end_s:
            return self.start_s <= second < self.end_s
        return second >= self.start_s or second < self.end_s

    @property
    def rank(self) -> int:
        """Its priority, or that of its kind, days or dates."""
        if self.priority is not None:
            return self.priority
        own = 30 if self.dates else 20 if self.days else 10
        return max(WINDOW_PRIORITY[self.kind], own)

    @property
    def length_s(self) -> int:
        """How many seconds of a day it covers, of an hour counted in."""
        whole_s = (self.end_s - self.start_s) % DAY_S or DAY_S
        return whole_s * len(self.minutes) // 60 if self.minutes else whole_s

    @property
    def is_daily(self) -> bool:
        """Whether it holds on every day."""
        return self.kind == "daily" and not self.days and not self.dates

    def names(self, day: date) -> bool:
        """Whether its days of the week and its dates name the day."""
        if self.days and day.isoweekday() not in self.days:
            return False
        return not self.dates or any(span.covers(day) for span in self.dates)

    @property
    def edges(self) -> frozenset[int]:
        """The seconds of a day at which it may begin or end."""
        return _edges(self.start_s, self.end_s, self.minutes)

    @property
    def label(self) -> str:
        """Its name, or kind and times: `daily 00:00-07:00`."""
        return self.name or f"{self.kind} {clock(self.start_s)}-{clock(self.end_s)}"


@cache
def _edges(start_s: int, end_s: int, minutes: tuple[int, ...]) -> frozenset[int]:
    """Remembered, because a split call asks for them each time, and minutes of every hour make many."""
    turns = {one for minute in minutes for one in (minute, minute + 1)}
    return frozenset({start_s, end_s} | {hour * 3600 + minute * 60 for hour in range(24) for minute in turns})


@dataclass(frozen=True, slots=True)
class Price:
    """One row of a tariff: the calls it is for, since when, and what they cost.

    `match` and `value` name the destination: `area` (0755), `country` (ISO code), `prefix` (digits after the
    international prefix, or as dialled; behind a `+` those of the full number, whatever the traffic type),
    `pattern` (`3XXX`), `called` (our own number that was called), or
    `any`. `line_kind` None is for every kind. `add_local` adds the carrier's local price for the same length
    (叠加本地资费). `windows` replace the figures within their time; they are kept in the order in which they go
    before one another. `maximum_fee_micro` caps the row's own amount, 0 for no cap. A call no longer than `grace_s` is
    free, a longer one is charged whole. `decimals` and `rounding` go before the carrier's. `status` says that from
    this day on there is no such price any more (`ended`), or that the carrier does not connect such calls
    (`blocked`); their figures say nothing.
    """

    id: int | None
    carrier: str
    traffic_type: TrafficType
    figures: Figures
    effective_from: date
    direction: Direction = Direction.OUTBOUND
    line_kind: LineKind | None = None
    match: Match = "any"
    value: str = ""
    connection_fee_micro: int = 0
    free_s: int = 0
    minimum_fee_micro: int = 0
    add_local: bool = False
    windows: tuple[Window, ...] = ()
    note: str = ""
    status: PriceStatus = "open"
    maximum_fee_micro: int = 0
    grace_s: int = 0
    decimals: int | None = None
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", tuple(sorted(self.windows, key=_precedence)))
        for name in ("connection_fee_micro", "free_s", "minimum_fee_micro", "maximum_fee_micro", "grace_s"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative: {getattr(self, name)}")
        if 0 < self.maximum_fee_micro < self.minimum_fee_micro:
            raise ValueError(tr("the most that a call costs must not be less than the least"))
        if self.decimals is not None and self.decimals not in DECIMALS:
            raise ValueError(f"decimals must be -6 to 6, not {self.decimals}")
        if self.status not in ("open", "ended", "blocked"):
            raise ValueError(f"a price is open, ended or blocked, not {self.status!r}")
        if (self.match == "any") == bool(self.value):
            raise ValueError(f"a price that matches {self.match!r} cannot have the value {self.value!r}")
        if self.match in ("pattern", "called"):
            pattern_regex(self.value)

    @property
    def asks_the_day(self) -> bool:
        """Whether a window of it holds on days off or holidays only, so that the calendar decides."""
        return any(window.kind != "daily" for window in self.windows)


class Calendar(Protocol):
    """Which days are worked: the make-up days of 调休 are working days, whatever the day of the week."""

    @property
    def version(self) -> str:
        """Short text that changes whenever the national days do."""
        ...

    def day_kind(self, day: date) -> DayKind:
        """Whether the day is worked, a day of rest, or a holiday."""
        ...

    def is_provisional(self, year: int) -> bool:
        """Whether the year's make-up days are not published yet, so that its prices may still change."""
        ...


def clock(second: int) -> str:
    """A second of the day as `HH:MM`, with seconds where there are any; 86400 is `24:00`."""
    minutes, seconds = divmod(second, 60)
    shown = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{shown}:{seconds:02d}" if seconds else shown


@cache
def pattern_regex(pattern: str) -> re.Pattern[str]:
    """The regex of a number pattern, in which X is one digit and N any run of digits: `3XXX`, `400N`.

    ValueError for a pattern that cannot be read.
    """
    try:
        return re.compile(pattern.replace("X", r"\d").replace("N", r"\d*"))
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a number pattern: {error}") from error


def pattern_weight(pattern: str) -> tuple[int, int, int, str]:
    """How specific a pattern is: the more digits it names, the fewer runs, the longer; then by its text."""
    runs = pattern.count("N") + pattern.count("*") + pattern.count("+")
    named = re.sub(r"\[[^]]*\]|\{[^}]*\}|\\d", "", pattern)
    return sum(map(str.isdecimal, named)), -runs, len(pattern), pattern


def _precedence(window: Window) -> tuple[int, int]:
    """The higher rank goes first, and of two equal ones the shorter, which is the exception in the longer."""
    return -window.rank, window.length_s
