"""The rules: what is heard goes in, what is wrong comes out.

    watch = Watch(Config(), history, hours)
    watch.calls(rated, arrived)
    watch.tick(now, live)
    findings, over = watch.found()

The state is that of sliding windows and of the present day, so that it is made again from the calls of the last hours
when a process starts; nothing else is remembered, and no clock is asked. Each call costs a few microseconds: most of
the rules look at calls that leave the house only.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from ippbx_billing.alerts.findings import Occurrence, Over, Severity
from ippbx_billing.alerts.history import SEEN_TWICE, History, slot_of
from ippbx_billing.alerts.hours import OFF, Hours
from ippbx_billing.alerts.rules import GENERAL, RULES, Config
from ippbx_billing.calls import Call, Charge, ChargeStatus, Classification, Direction, Fact, Reason, TrafficType

FAR = frozenset((TrafficType.INTERNATIONAL, TrafficType.HK_MO_TW, TrafficType.AUDIOTEX))
HOUR_S = 3_600
UNKNOWN = 4  # times the least silence, where nothing is known of a PBX yet


class Heard(Protocol):
    """A rated call as it is about to be written; `day` and `hour` are those of the site's clock."""

    event_id: int
    call: Call
    classification: Classification
    charge: Charge
    day: str
    hour: int


@dataclass(frozen=True, slots=True)
class LiveFact:
    """A call that is not over: when it was answered, and what it has cost until now where that is known."""

    key: str
    extension: str
    number: str
    trunk: str
    outside: bool
    since: int
    answered_at: int | None
    country: str = ""
    far: bool = False
    cost_micro: int | None = None


class Measured(NamedTuple):
    """What a probe found: `reason` is None where all is well."""

    rule: str
    object: str
    reason: Reason | None
    severity: Severity | None = None


class _Extension:
    """What is remembered of one extension: its last calls, and the run of calls to one prefix."""

    __slots__ = ("ends", "night", "prefix", "run")

    def __init__(self) -> None:
        self.ends: deque[float] = deque()
        self.night: deque[tuple[float, int]] = deque()
        self.prefix, self.run = "", 0


class AlertWatch:
    """All rules with their state; times are seconds of UTC."""

    def __init__(self, config: Config, history: History, hours: Hours) -> None:
        self.hours = hours
        self.last_heard: dict[str, float] = {}
        self._extensions: dict[str, _Extension] = {}
        self._clocks: dict[str, deque[int]] = {}
        self._spend: dict[tuple[str, int], int] = {}
        self._outgoing: dict[str, list[int]] = {}  # by day: calls, unrated ones
        self._unrated: dict[str, Reason] = {}
        self._summed: dict[tuple[str, int], float] = {}  # hours whose sums have grown, and when the last call came
        self._found: dict[tuple[str, str], Occurrence] = {}
        self._over: dict[tuple[str, str], Over] = {}
        self._trunk_calls: dict[str, int] = {}
        self.configure(config, history)

    def configure(self, config: Config, history: History) -> None:
        """Other settings, or another past; what was heard stays."""
        self.config, self.history = config, history
        self._late_s = config.number(GENERAL, "late_min") * 60
        self._enough = history.days >= config.number(GENERAL, "least_days")
        self._floor = config.number("burst", "calls")
        self._times = config.number("burst", "times")
        self._window_s = config.number("burst", "window_min") * 60
        self._digits = config.number("same-prefix-run", "digits")
        self._run = config.number("same-prefix-run", "calls")
        self._apart_s = config.number("clock", "apart_min") * 60
        self._samples = max(1, config.number("clock", "of_calls"))
        self._call_micro = config.micro("dear-call", "call_fee")
        self._minute_micro = config.micro("dear-call", "minute_fee")
        self._long_s = config.number("long-call", "h") * HOUR_S
        self._trusted = frozenset(config.names("trusted-countries", "countries"))
        self._on = {name for name in RULES if config.is_on(name)}
        self._dear = "dear-call" in self._on and bool(self._call_micro or self._minute_micro)
        self._channels = dict(_trunk(one) for one in config.names("concurrency", "trunks"))

    # -- what comes out

    def found(self) -> tuple[list[Occurrence], list[Over]]:
        """What was found since it was last asked, one finding of a rule and object; then it is forgotten."""
        self._sums()
        found, over = list(self._found.values()), list(self._over.values())
        self._found.clear()
        self._over.clear()
        return found, over

    def _say(
        self, rule: str, what: str, reason: Reason, at: float, *, severity: Severity | None = None,
        closes_at: float | None = -1, names: Iterable[str] = (), once: bool = False,
    ) -> None:  # fmt: skip
        if rule not in self._on:
            return
        if self.config.exceptions and self.config.silences(rule, {what, *names}, self.hours.local(at).date()):
            return
        known = RULES[rule]
        closes = at + known.quiet_min * 60 if closes_at == -1 else closes_at
        key, loud = (rule, what), severity or known.severity
        earlier = self._found.get(key)
        if earlier and earlier.severity.rank > loud.rank:
            loud = earlier.severity
        count = earlier.count + 1 if earlier else 1
        ends = None if closes is None else int(closes)
        self._found[key] = Occurrence(rule, what, loud, reason, int(at), ends, count, once)
        self._over.pop(key, None)

    def _end(self, rule: str, what: str, at: float) -> None:
        self._over[rule, what] = Over(rule, what, int(at))

    # -- calls that are over

    def heard(self, pbx: str, at: float) -> None:
        """An event of a PBX came: whatever it was, the PBX is not silent."""
        if at > self.last_heard.get(pbx, 0):
            self.last_heard[pbx] = at

    def calls(self, rated: Iterable[Heard], arrived: Mapping[int, datetime]) -> None:
        """Calls that came just now; `arrived` says when each event did."""
        for one in rated:
            self.call(one, arrived[one.event_id].timestamp())

    def call(self, one: Heard, arrived: float) -> None:
        """One call that came at this moment."""
        call, charge = one.call, one.charge
        if charge.status is ChargeStatus.FILTERED:
            return
        started = call.started_at.timestamp()
        ended = call.ended_at.timestamp() if call.ended_at else started + max(call.duration_s or 0, call.billed_s)
        self._clock(call.pbx, arrived, ended)
        if arrived - ended > self._late_s:
            return
        if call.direction is not Direction.OUTBOUND or one.classification.traffic_type is TrafficType.INTERNAL:
            return
        fee, key = charge.fee_micro or 0, (one.day, one.hour)
        if fee:
            self._spend[key] = self._spend.get(key, 0) + fee
        counts = self._outgoing.get(one.day)
        if counts is None:
            counts = self._outgoing[one.day] = [0, 0]
        counts[0] += 1
        if charge.status is ChargeStatus.UNRATED:
            counts[1] += 1
            self._unrated[one.day] = charge.reason
        self._summed[key] = arrived
        if call.extension:
            self._of_extension(one, call.extension, ended, arrived)
        traffic = one.classification.traffic_type
        if traffic in FAR:
            self._far(one, started, ended, arrived)
        if call.billed_s >= self._long_s:
            self._long(call.extension or "", call.number or "", call.billed_s, arrived, call.call_id or "")
        if self._dear and fee:
            self._cost(call.extension or "", call.number or "", fee, call.billed_s, arrived)
        if not call.extension and call.caller:
            self._forwarded(call, started, arrived)

    def _clock(self, pbx: str, arrived: float, ended: float) -> None:
        last = self._clocks.get(pbx)
        if last is None:
            last = self._clocks[pbx] = deque()
        last.append(int(arrived - ended))
        if len(last) < self._samples:
            return
        apart_s = sorted(last)[len(last) // 2]
        last.clear()
        if abs(apart_s) > self._apart_s:
            facts: dict[str, Fact] = {"pbx": pbx, "minutes": abs(apart_s) // 60}
            code = "alert-clock-late" if apart_s > 0 else "alert-clock-early"
            self._say("clock", pbx, Reason(code, facts), arrived, closes_at=None)
        else:
            self._end("clock", pbx, arrived)

    def _of_extension(self, one: Heard, name: str, ended: float, arrived: float) -> None:
        state = self._extensions.get(name)
        if state is None:
            state = self._extensions[name] = _Extension()
        ends = state.ends  # not the beginnings: a long call that comes now began before many that came earlier
        ends.append(ended)
        oldest = ended - self._window_s
        while ends[0] <= oldest:
            ends.popleft()
        if len(ends) >= self._floor:
            self._burst(name, len(ends), arrived)
        prefix = one.classification.normalized[: self._digits]
        if prefix != state.prefix:
            state.prefix, state.run = prefix, 1
        else:
            state.run += 1
            if state.run >= self._run and len(prefix) == self._digits:
                facts: dict[str, Fact] = {"extension": name, "calls": state.run, "prefix": prefix}
                self._say("same-prefix-run", name, Reason("alert-same-prefix-run", facts), arrived)

    def _burst(self, name: str, calls: int, arrived: float) -> None:
        usual = self.history.burst.get(name, 0)
        limit = max(self._floor, self._times * usual) if self._enough else self._floor
        if calls >= limit:
            facts: dict[str, Fact] = {
                "extension": name,
                "calls": calls,
                "minutes": self._window_s // 60,
                "limit": limit,
            }
            self._say("burst", name, Reason("alert-burst", facts), arrived)

    def _sums(self) -> None:
        """The hours and days whose sums have grown, looked at once for all calls that were heard together."""
        for (day, hour), at in self._summed.items():
            self._fees_of_hour(day, hour, self._spend.get((day, hour), 0), at)
        for day, at in {day: at for (day, _), at in self._summed.items()}.items():
            self._fees_of_day(day, sum(fee for (one, _), fee in self._spend.items() if one == day), at)
            self._prices(day, at)
        self._summed.clear()

    def _fees_of_hour(self, day: str, hour: int, fee_micro: int, at: float) -> None:
        least = self.config.micro("spend-hour", "least_fee")
        if fee_micro <= least:
            return
        kind = self.hours.day_class(date.fromisoformat(day))
        usual = self.history.spend_at(kind, hour) if self._enough else 0
        limit = max(least, self.config.number("spend-hour", "times") * usual)
        if fee_micro > limit:
            facts: dict[str, Fact] = {"day": day, "hour": hour, "fee_micro": fee_micro, "limit_micro": limit}
            self._say("spend-hour", f"{day} {hour:02d}", Reason("alert-spend-hour", facts), at, once=True)

    def _fees_of_day(self, day: str, fee_micro: int, at: float) -> None:
        least = self.config.micro("spend-day", "least_fee")
        if fee_micro <= least:
            return
        usual = self.history.spend_on(self.hours.day_class(date.fromisoformat(day))) if self._enough else 0
        limit = max(least, self.config.number("spend-day", "times") * usual)
        if fee_micro > limit:
            facts: dict[str, Fact] = {"day": day, "fee_micro": fee_micro, "limit_micro": limit}
            closes = max(self._end_of(day), at + HOUR_S)
            self._say("spend-day", day, Reason("alert-spend-day", facts), at, closes_at=closes, once=True)

    def _end_of(self, day: str) -> int:
        return self.hours.midnight(date.fromisoformat(day) + timedelta(days=1))

    def _prices(self, day: str, at: float) -> None:
        """How many of the day's outgoing calls have no price."""
        reason = self._unrated.pop(day, None)
        if reason is None:
            return
        calls, unrated = self._outgoing[day]
        share = unrated >= self.config.number("unrated", "least") and (
            unrated * 100 > calls * self.config.number("unrated", "pct")
        )
        if share or unrated >= self.config.number("unrated", "calls"):
            facts: dict[str, Fact] = {"day": day, "unrated": unrated, "calls": calls, "reasons": (reason,)}
            closes = max(self._end_of(day), at + HOUR_S)
            self._say("unrated", day, Reason("alert-unrated", facts), at, closes_at=closes, once=True)

    def _far(self, one: Heard, started: float, ended: float, arrived: float) -> None:
        """A call abroad or to a premium number: at what hour, to which country."""
        call, meaning = one.call, one.classification
        name, country = call.extension or call.caller or "?", meaning.country or ""
        names = (country, f"{name}/{country}")
        number = call.number or ""
        if country:
            self._country(name, number, country, arrived, names)
        if not self.hours.is_open(started):
            self._at_night(name, number, country, ended, call.billed_s, arrived, names)

    def _country(self, name: str, number: str, country: str, arrived: float, names: Sequence[str]) -> None:
        facts: dict[str, Fact] = {"extension": name, "number": number, "country": country}
        if country not in self.history.countries:
            self.history.countries.add(country)
            self._say("new-country", country, Reason("alert-new-country", facts), arrived, names=names)
        if self._trusted and country not in self._trusted:
            reason = Reason("alert-trusted-countries", facts)
            self._say("trusted-countries", f"{name}/{country}", reason, arrived, names=(name, *names))

    def _at_night(
        self, name: str, number: str, country: str, ended: float, talk_s: int, arrived: float, names: Sequence[str]
    ) -> None:
        state = self._extensions.get(name)
        if state is None:
            state = self._extensions[name] = _Extension()
        state.night.append((ended, talk_s))
        oldest = ended - self.config.number("after-hours-intl", "window_min") * 60
        while state.night[0][0] <= oldest:
            state.night.popleft()
        calls, talk_min = len(state.night), sum(s for _, s in state.night) // 60
        loud = calls >= self.config.number("after-hours-intl", "calls") or (
            talk_min >= self.config.number("after-hours-intl", "talk_min")
        )
        facts: dict[str, Fact] = {
            "extension": name, "calls": calls, "minutes": talk_min, "number": number, "country": country or "?",
        }  # fmt: skip
        severity = Severity.CRITICAL if loud else Severity.WARNING
        reason = Reason("alert-after-hours-intl", facts)
        self._say("after-hours-intl", name, reason, arrived, severity=severity, names=names)

    def _long(self, name: str, number: str, talk_s: int, at: float, key: str) -> None:
        facts: dict[str, Fact] = {"extension": name or "?", "number": number, "minutes": talk_s // 60}
        self._say("long-call", key or f"{name}/{number}", Reason("alert-long-call", facts), at, names=(name, number))

    def _cost(self, name: str, number: str, fee_micro: int, talk_s: int, at: float, key: str = "") -> None:
        minute_micro = fee_micro * 60 // max(60, talk_s)
        if (self._call_micro and fee_micro > self._call_micro) or (
            self._minute_micro and minute_micro > self._minute_micro
        ):
            facts: dict[str, Fact] = {
                "extension": name or "?", "number": number, "fee_micro": fee_micro, "minute_micro": minute_micro,
            }  # fmt: skip
            self._say(
                "dear-call", key or f"{name}/{number}", Reason("alert-dear-call", facts), at, names=(name, number)
            )

    def _forwarded(self, call: Call, started: float, arrived: float) -> None:
        """Out of the house without an extension of ours: somebody from outside was passed on."""
        if len(call.caller or "") >= 7 and not self.hours.is_open(started):
            facts: dict[str, Fact] = {"caller": call.caller or "", "number": call.number or ""}
            self._say("forwarding", call.number or "?", Reason("alert-forwarding", facts), arrived)

    # -- what follows from time, and from calls that are not over

    def tick(self, now: float, live: Iterable[LiveFact] = ()) -> None:
        """Look at the clock and at the calls in progress."""
        self._silence(now)
        self._live([one for one in live if one.outside], now)
        for day in [day for day in self._outgoing if day < self._day_of(now, 2)]:
            del self._outgoing[day]
        for key in [key for key in self._spend if key[0] < self._day_of(now, 2)]:
            del self._spend[key]

    def _day_of(self, now: float, days_ago: int) -> str:
        return (self.hours.local(now).date() - timedelta(days=days_ago)).isoformat()

    def silence_limit_s(self, pbx: str, last: float) -> int:
        """After how many working seconds a PBX is silent whose last event came at that moment.

        What is usual depends on when a silence began: after 11:50 a lunch break is, after 10:00 it is not.
        """
        least = self.config.number("silence", "least_min") * 60
        if not self.history.days:
            return UNKNOWN * least  # a small office need not make a call in half an hour
        began = self.hours.local(last)
        slot = slot_of(began)
        usual = self.history.gaps_at(pbx, self.hours.day_class(began.date()), (slot, slot + 1))
        return max(least, self.config.number("silence", "times") * usual.usual_s, int(SEEN_TWICE * usual.twice_s))

    def _silence(self, now: float) -> None:
        works = self.hours.is_open(now)
        for pbx, last in self.last_heard.items():
            limit = self.silence_limit_s(pbx, last)
            silent = now - last if now - last < limit else self.hours.working_s(last, now)
            if silent < limit:
                self._end("silence", pbx, now)
            elif works and self.hours.day_class(self.hours.local(now).date()) != OFF:
                facts: dict[str, Fact] = {"pbx": pbx, "minutes": int(now - last) // 60, "limit": limit // 60}
                self._say("silence", pbx, Reason("alert-silence", facts), now, closes_at=None)

    def _live(self, live: Sequence[LiveFact], now: float) -> None:
        at_once: dict[str, int] = {}
        trunks: dict[str, int] = {}
        for one in live:
            at_once[one.extension] = at_once.get(one.extension, 0) + 1
            trunks[one.trunk] = trunks.get(one.trunk, 0) + 1
            if one.answered_at is not None:
                self._running(one, now)
        for name, calls in at_once.items():
            self._at_once(name, calls, now)
        for trunk, channels in self._channels.items():
            calls = trunks.get(trunk, 0)
            if calls * 100 > channels * self.config.number("concurrency", "trunk_pct"):
                facts: dict[str, Fact] = {"trunk": trunk, "calls": calls, "channels": channels}
                self._say("concurrency", trunk, Reason("alert-trunk-full", facts), now)

    def _at_once(self, name: str, calls: int, now: float) -> None:
        least = self.config.number("concurrency", "calls")
        usual = self.history.at_once.get(name, 0) if self._enough else 0
        limit = max(least, self.config.number("concurrency", "times") * usual)
        if name and calls > limit:
            facts: dict[str, Fact] = {"extension": name, "calls": calls, "limit": limit}
            self._say("concurrency", name, Reason("alert-concurrency", facts), now)

    def _running(self, one: LiveFact, now: float) -> None:
        """A call that goes on: its length, its cost until now, and whether it goes abroad at night."""
        assert one.answered_at is not None
        talk_s = int(now) - one.answered_at
        if talk_s >= self._long_s:
            self._long(one.extension, one.number, talk_s, now, one.key)
        if self._dear and one.cost_micro:
            self._cost(one.extension, one.number, one.cost_micro, talk_s, now, one.key)
        if (
            one.far
            and talk_s >= self.config.number("after-hours-intl", "talk_min") * 60
            and not self.hours.is_open(now)
        ):
            facts: dict[str, Fact] = {
                "extension": one.extension or "?", "calls": 1, "minutes": talk_s // 60,
                "number": one.number, "country": one.country or "?",
            }  # fmt: skip
            names = (one.country, f"{one.extension}/{one.country}")
            reason = Reason("alert-after-hours-intl", facts)
            self._say("after-hours-intl", one.extension or "?", reason, now, severity=Severity.CRITICAL, names=names)

    # -- what somebody else measured

    def measured(self, found: Iterable[Measured], now: float) -> None:
        """What a probe saw: an incident as long as it is wrong."""
        for one in found:
            if one.reason is None:
                self._end(one.rule, one.object, now)
            else:
                self._say(one.rule, one.object, one.reason, now, severity=one.severity, closes_at=None)

    # -- a beginning

    def begin(self, spend: Mapping[tuple[str, int], int], outgoing: Mapping[str, tuple[int, int]]) -> None:
        """The fees and the calls of the present day that were heard before this process began."""
        self._spend.update(spend)
        self._outgoing.update({day: list(counts) for day, counts in outgoing.items()})

    def remember(self, rated: Iterable[Heard]) -> None:
        """Calls that were heard before: windows are filled, nothing is found, and sums are not counted again."""
        spend, outgoing = dict(self._spend), {day: list(one) for day, one in self._outgoing.items()}
        for one in rated:
            self.call(one, one.call.started_at.timestamp() + max(one.call.duration_s or 0, one.call.billed_s))
        self._spend, self._outgoing = spend, outgoing
        self._clocks.clear()
        self._summed.clear()
        self._unrated.clear()
        self.found()


def _trunk(text: str) -> tuple[str, int]:
    name, _, channels = text.partition("=")
    return name.strip(), int(channels)
