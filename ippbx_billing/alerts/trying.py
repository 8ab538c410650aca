"""A rule on a site's own past, before it is switched on: when it would have spoken, and for how long.

    found = tried("burst", config, hours, calls, history_of, first, last)

The calls go through the same `Watch` as live ones, in the order in which they ended, each day with the history that
was known on its morning. Where a rule looks at calls in progress, they are those that overlap.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

from ippbx_billing.alerts.findings import Occurrence, Over
from ippbx_billing.alerts.history import History
from ippbx_billing.alerts.hours import Hours
from ippbx_billing.alerts.rules import RULES, SWITCH, Config
from ippbx_billing.alerts.watch import AlertWatch, Heard, LiveFact
from ippbx_billing.calls import Call, Direction, TrafficType

STEP_S = 60
NOT_FROM_CALLS = ("pbx-link", "store", "limit", "delivery", "general", "clock")


@dataclass(frozen=True, slots=True)
class Tried:
    """An incident that would have been; `closed_at` is None where it would still go on at the end."""

    finding: Occurrence
    opened_at: int
    closed_at: int | None
    count: int


def can_be_tried(rule: str) -> bool:
    """Whether stored calls say what the rule would have said; of arrival and disks they say nothing."""
    return rule in RULES and rule not in NOT_FROM_CALLS


def tried(
    rule: str,
    config: Config,
    hours: Hours,
    calls: Iterable[Heard],
    history_of: Callable[[date], History],
    first: date,
    last: date,
) -> list[Tried]:
    """The incidents that would have begun from `first` to `last`; the calls may begin earlier, to fill the windows."""
    others = {name: {SWITCH: "off"} for name in RULES if name != rule}
    alone = Config(
        {**config.own, **{name: {**config.own.get(name, {}), **values} for name, values in others.items()}},
        config.exceptions,
    ).with_values(rule, {SWITCH: "on"})
    watch = AlertWatch(alone, History(), hours)
    past = _Past()
    for day, found in groupby(calls, key=lambda one: one.day):
        history = history_of(date.fromisoformat(day))
        watch.configure(alone, replace(history, countries=set(history.countries)))
        past.hear(watch, rule, list(found))
    end = hours.midnight(last + timedelta(days=1))
    past.until(watch, rule, end)
    begin = hours.midnight(first)
    return [one for one in past.ended() if begin <= one.opened_at < end]


class _Past:
    """Incidents in memory: opened, extended and closed as the ledger would."""

    def __init__(self) -> None:
        self._open: dict[str, Tried] = {}
        self._done: list[Tried] = []
        self._told: set[str] = set()
        self._now = 0

    def hear(self, watch: AlertWatch, rule: str, calls: list[Heard]) -> None:
        """The calls of one day."""
        if rule in ("concurrency", "long-call"):
            self._overlapping(watch, calls)
        for one in calls:
            ended = _ended(one.call)
            self.until(watch, rule, ended)
            watch.call(one, ended)
            watch.heard(one.call.pbx, ended)
            self._settle(watch, ended)

    def until(self, watch: AlertWatch, rule: str, moment: int) -> None:
        """Time goes by in which nothing is heard."""
        if rule == "silence" and self._now:
            for now in range(self._now + STEP_S, moment, STEP_S):
                if watch.hours.is_open(now):
                    watch.tick(now)
                    self._settle(watch, now)
        self._now = max(self._now, moment)
        self._close(moment)

    def _overlapping(self, watch: AlertWatch, calls: list[Heard]) -> None:
        """The calls in progress at each beginning of one."""
        outside = [one for one in calls if _leaves(one)]
        live: list[Heard] = []
        for one in sorted(outside, key=lambda one: one.call.started_at):
            now = int(one.call.started_at.timestamp())
            live = [*(other for other in live if _ended(other.call) > now), one]
            watch.tick(now, map(_live, live))
            self._settle(watch, now)

    def _settle(self, watch: AlertWatch, now: int) -> None:
        findings, over = watch.found()
        for one in findings:
            self._found(one)
        for gone in over:
            self._end(gone)
        self._close(now)

    def _found(self, one: Occurrence) -> None:
        known = self._open.get(one.object)
        if known is not None:
            self._open[one.object] = Tried(one, known.opened_at, None, known.count + one.count)
        elif not (one.once and one.object in self._told):
            self._open[one.object] = Tried(one, one.at, None, one.count)
            self._told.add(one.object)

    def _end(self, gone: Over) -> None:
        if known := self._open.pop(gone.object, None):
            self._done.append(replace(known, closed_at=gone.at))

    def _close(self, now: int) -> None:
        for name, one in list(self._open.items()):
            if one.finding.closes_at is not None and one.finding.closes_at <= now:
                self._done.append(replace(self._open.pop(name), closed_at=one.finding.closes_at))

    def ended(self) -> Iterator[Tried]:
        """All of them, in the order in which they began."""
        return iter(sorted([*self._done, *self._open.values()], key=lambda one: one.opened_at))


def _ended(call: Call) -> int:
    ended = call.ended_at or call.started_at + timedelta(seconds=max(call.duration_s or 0, call.billed_s))
    return int(ended.timestamp())


def _leaves(one: Heard) -> bool:
    outbound = one.call.direction is Direction.OUTBOUND
    return outbound and one.classification.traffic_type is not TrafficType.INTERNAL and one.call.twin is None


def _live(one: Heard) -> LiveFact:
    call, started = one.call, int(one.call.started_at.timestamp())
    return LiveFact(
        call.call_id or str(one.event_id), call.extension or "", call.number or "", call.trunk or "", True, started,
        int(call.answered_at.timestamp()) if call.answered_at else None,
    )  # fmt: skip
