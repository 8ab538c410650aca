"""What is usual at a site: each closed day summed up once, and the last weeks of such days put together.

    day = day_history(calls_of_a_day, hours)          # a few numbers, kept as JSON
    history = History.of({date(2026, 11, 2): day, …}, hours)
    history.burst["8001"]                             # 99 of 100 times it made no more calls in ten minutes

The one idea: a threshold is a multiple of one's own past, never below a floor, and with less than two weeks of past
the floor alone.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from ippbx_billing.alerts.hours import OFF, Hours

USUAL_DAYS = 28
SPEND_DAYS = 56
WINDOW_S = 600
PERCENT = 99
MINUTE_S = 60
SEEN_TWICE = 1.25  # times the longest gap that two days had at this time: no alarm before that


@dataclass(frozen=True, slots=True)
class PastCall:
    """What history needs of a call; times in whole seconds of UTC, `outside` whether it left the house."""

    pbx: str
    extension: str
    started_at: int
    ended_at: int
    hour: int
    outside: bool
    fee_micro: int
    country: str


@dataclass(slots=True)
class DayHistory:
    """One day in numbers: calls in ten minutes by extension and how often, the most at once, fees by hour, gaps."""

    burst: dict[str, dict[int, int]] = field(default_factory=dict)
    at_once: dict[str, int] = field(default_factory=dict)
    spend: dict[int, int] = field(default_factory=dict)
    gaps: dict[str, dict[int, dict[int, int]]] = field(default_factory=dict)
    countries: list[str] = field(default_factory=list)
    calls: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def loaded(cls, values: Mapping[str, Any]) -> "DayHistory":
        """What `plain` gave, after JSON has made texts of the numbers it has for keys."""
        return cls(
            {one: {int(k): v for k, v in found.items()} for one, found in values["burst"].items()},
            dict(values["at_once"]),
            {int(k): v for k, v in values["spend"].items()},
            {
                pbx: {int(hour): {int(k): v for k, v in gaps.items()} for hour, gaps in found.items()}
                for pbx, found in values["gaps"].items()
            },
            list(values["countries"]),
            values["calls"],
        )


def day_history(calls: Iterable[PastCall], hours: Hours) -> DayHistory:
    """One day summed up."""
    told = sorted(calls, key=lambda one: one.started_at)
    day, ends, spans = DayHistory(calls=len(told)), defaultdict(list), defaultdict(list)
    for one in told:
        if one.outside:
            ends[one.extension].append(one.ended_at)
            spans[one.extension].append((one.started_at, one.ended_at))
            day.spend[one.hour] = day.spend.get(one.hour, 0) + one.fee_micro
    day.countries = sorted({one.country for one in told if one.outside and one.country})
    day.burst = {name: dict(_within_window(sorted(moments))) for name, moments in ends.items() if name}
    day.at_once = {name: most_at_once(found) for name, found in spans.items() if name}
    for pbx in {one.pbx for one in told}:
        day.gaps[pbx] = _gaps(sorted(one.ended_at for one in told if one.pbx == pbx), hours)
    return day


def _within_window(moments: list[int]) -> Counter[int]:
    """How often each call was the how-manieth of the last ten minutes."""
    return Counter(number + 1 - bisect_right(moments, moment - WINDOW_S) for number, moment in enumerate(moments))


def most_at_once(spans: Iterable[tuple[int, int]]) -> int:
    """The most of these stretches of time that overlap."""
    steps = sorted([(first, 1) for first, _ in spans] + [(max(first, last), -1) for first, last in spans])
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def slot_of(moment: datetime) -> int:
    """The half hour of the day: 0 to 47."""
    return moment.hour * 2 + moment.minute // 30


def _gaps(moments: list[int], hours: Hours) -> dict[int, dict[int, int]]:
    """The working time between two events, in whole minutes as seconds and how often, by the half hour it began in."""
    found: dict[int, Counter[int]] = defaultdict(Counter)
    for before, after in pairwise(moments):
        gap = -(-hours.working_s(before, after) // MINUTE_S) * MINUTE_S if after - before > MINUTE_S else MINUTE_S
        found[slot_of(hours.local(before))][gap] += 1
    if moments:
        found[slot_of(hours.local(moments[-1]))][_overnight(moments, hours)] += 1
    return {slot: dict(gaps) for slot, gaps in found.items()}


def _overnight(moments: list[int], hours: Hours) -> int:
    """The working time after the last event of a day and before the first, as if each morning were like this one."""
    zero = hours.midnight(hours.local(moments[0]).date())
    evening_s = hours.working_s(moments[-1], hours.midnight(hours.local(moments[-1]).date() + timedelta(days=1)))
    return -(-(evening_s + hours.working_s(zero, moments[0])) // MINUTE_S) * MINUTE_S


@dataclass(frozen=True, slots=True)
class Gaps:
    """The working time between two events: 99 of 100 times it is no longer; `twice_s` is what two days had."""

    usual_s: int
    twice_s: int


@dataclass(slots=True)
class History:
    """The last weeks put together; `days` is how many days lie between the first one and now."""

    days: int = 0
    burst: dict[str, int] = field(default_factory=dict)
    at_once: dict[str, int] = field(default_factory=dict)
    spend_day: dict[int, int] = field(default_factory=dict)
    spend_hour: dict[tuple[int, int], int] = field(default_factory=dict)
    gaps: dict[tuple[str, int, int], Gaps] = field(default_factory=dict)
    countries: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, days: Mapping[date, DayHistory], hours: Hours, today: date, countries: Iterable[str] = ()) -> "History":
        """What these days before today say; days of the same kind are set beside each other, days off apart."""
        past = {day: one for day, one in days.items() if day < today}
        if not past:
            return cls(countries=set(countries))
        recent = [one for day, one in past.items() if (today - day).days <= USUAL_DAYS]
        kinds = {day: hours.day_class(day) for day in past if (today - day).days <= SPEND_DAYS}
        first = min((day for day, one in past.items() if one.calls), default=today)
        return cls(
            days=(today - first).days,
            burst=_percentiles(one.burst for one in recent),
            at_once=_highest(one.at_once for one in recent),
            spend_day=_mean_days(past, kinds),
            spend_hour=_mean_hours(past, kinds),
            gaps=_usual_gaps({day: past[day] for day in kinds if (today - day).days <= USUAL_DAYS}, kinds),
            countries={*countries, *(name for one in past.values() for name in one.countries)},
        )

    def gaps_at(self, pbx: str, kind: int, slots: Iterable[int]) -> Gaps:
        """What is usual after an event in one of these half hours of this kind of day; a make-up Saturday is like the
        other working days."""
        kinds = (kind,) if any((pbx, kind, slot) in self.gaps for slot in range(48)) else _alike(kind)
        found = [self.gaps[key] for slot in slots for day in kinds if (key := (pbx, day, slot)) in self.gaps]
        return Gaps(max((one.usual_s for one in found), default=0), max((one.twice_s for one in found), default=0))

    def spend_on(self, kind: int) -> int:
        """The usual fees of this kind of day."""
        own = self.spend_day.get(kind)
        return max((self.spend_day.get(day, 0) for day in _alike(kind)), default=0) if own is None else own

    def spend_at(self, kind: int, hour: int) -> int:
        """The usual fees of this hour of this kind of day."""
        own = kind if kind in self.spend_day else None
        days = _alike(kind) if own is None else (own,)
        return max((self.spend_hour.get((day, hour), 0) for day in days), default=0)


def _alike(kind: int) -> range:
    """The kinds of days to go by where this kind had none lately."""
    return range(OFF) if kind < OFF else range(0)


def percentile(counts: Mapping[int, int], percent: int = PERCENT) -> int:
    """The least value that at least so many per cent of the counted ones do not exceed; 0 of nothing."""
    wanted, seen = sum(counts.values()) * percent, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen * 100 >= wanted:
            return value
    return 0


def _percentiles(days: Iterable[Mapping[str, Mapping[int, int]]]) -> dict[str, int]:
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for day in days:
        for name, counts in day.items():
            found[name].update(counts)
    return {name: percentile(counts) for name, counts in found.items()}


def _highest(days: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for day in days:
        for name, value in day.items():
            found[name] = max(value, found.get(name, 0))
    return found


def _mean_days(past: Mapping[date, DayHistory], kinds: Mapping[date, int]) -> dict[int, int]:
    sums: dict[int, list[int]] = defaultdict(list)
    for day, kind in kinds.items():
        sums[kind].append(sum(past[day].spend.values()))
    return {kind: sum(found) // len(found) for kind, found in sums.items()}


def _mean_hours(past: Mapping[date, DayHistory], kinds: Mapping[date, int]) -> dict[tuple[int, int], int]:
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for day, kind in kinds.items():
        for hour, fee in past[day].spend.items():
            sums[kind, hour] += fee
    days = Counter(kinds.values())
    return {key: total // days[key[0]] for key, total in sums.items()}


def _usual_gaps(past: Mapping[date, DayHistory], kinds: Mapping[date, int]) -> dict[tuple[str, int, int], Gaps]:
    """What is usual by PBX, kind of day and half hour."""
    found: dict[tuple[str, int, int], Counter[int]] = defaultdict(Counter)
    longest: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for day, one in past.items():
        for pbx, slots in one.gaps.items():
            for slot, gaps in slots.items():
                found[pbx, kinds[day], slot].update(gaps)
                longest[pbx, kinds[day], slot].append(max(gaps))
    return {key: Gaps(percentile(gaps), _second(longest[key])) for key, gaps in found.items()}


def _second(values: list[int]) -> int:
    """The highest value that was reached at least twice; the only one of one."""
    return sorted(values)[-2:][0]
