"""Lets the alert rules hear what the pipeline writes, in the same transaction, so that nothing is lost or told twice.

    watching = Watching(ledger, inbox, settings)
    pipeline = Pipeline(inbox, ledger, make_rules, watching=watching)
    watching.tick(now, rules)      # now and then: what follows from time, and from calls in progress

The rules' state lives in this process alone. It is made again from the calls of the last hours at the start, and after
each transaction that did not come to pass. `alerts_position` says up to which event the rules have heard: what another
process read meanwhile is heard from the ledger.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from ippbx_billing.alerts import AlertWatch, Config, History, Hours, LiveFact
from ippbx_billing.alerts.history import SPEND_DAYS
from ippbx_billing.alerts.rules import GENERAL
from ippbx_billing.alerts.watch import FAR, Heard
from ippbx_billing.calls import FROM_FILE, Call, Direction, Disposition, Phase, RawEvent, TrafficType
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger, LiveCall
from ippbx_billing.settings import Settings
from ippbx_billing.tariffs import HolidayCalendar

if TYPE_CHECKING:
    from ippbx_billing.pipeline import Rules

POSITION = "alerts_position"
REMEMBERED = timedelta(hours=2)  # longer than any sliding window
CHUNK = 2_000
LIVE_SINCE = timedelta(hours=12)
TICK_S = 2.0


class Watching:
    """The rules of one site, beside a pipeline."""

    def __init__(self, ledger: Ledger, inbox: Inbox, settings: Settings) -> None:
        self._ledger, self._inbox, self._settings = ledger, inbox, settings
        self._watch: AlertWatch | None = None
        self._history: History | None = None
        self._usual = (date.min, "")
        self._version = -1
        self._day = date.min
        self._ticked_at = 0.0
        self._of_remote: dict[str, set[str]] = defaultdict(set)

    def forget(self) -> None:
        """A transaction did not come to pass: what was heard in it was not."""
        self._watch = None

    def heed(self, position: int, events: Sequence[RawEvent], rated: Sequence[Heard]) -> None:
        """Hear a batch that is being written, in its transaction; `position` is where it began."""
        heard = self._heard(position)
        watch = self._present(events[-1].received_at)
        self._catch_up(watch, heard, position)
        fresh = [one for one in events if one.id > heard]
        if fresh:
            self._hear(watch, fresh, [one for one in rated if one.event_id > heard])
            self._settle(watch, int(fresh[-1].received_at.timestamp()))
        self._ledger.journey.set_state(POSITION, str(max(heard, events[-1].id)))

    def _hear(self, watch: AlertWatch, events: Sequence[RawEvent], rated: Sequence[Heard]) -> None:
        """Calls, and that their PBXs are not silent: any event of an address stands for all PBXs that post from it."""
        live = {one.id: one for one in events if one.method != FROM_FILE}
        for one in rated:
            if event := live.get(one.event_id):
                self._of_remote[event.remote].add(one.call.pbx)
        for event in live.values():
            for pbx in self._of_remote[event.remote]:
                watch.heard(pbx, event.received_at.timestamp())
        watch.calls((one for one in rated if one.event_id in live), {n: one.received_at for n, one in live.items()})
        self._days_changed(rated, events[-1].received_at)

    def tick(self, now: datetime, rules: "Rules") -> None:
        """What follows from time; a transaction of its own, and only where there is something to write."""
        moment = now.timestamp()
        if 0 <= moment - self._ticked_at < TICK_S:
            return
        self._ticked_at = moment
        position = self._ledger.journey.position()
        if self._ledger.journey.state(POSITION) is None:
            with self.transaction():
                self._ledger.journey.set_state(POSITION, str(position))
        if self._heard(position) < position:
            with self.transaction():
                self._catch_up(self._present(now), self._heard(position), position)
                self._settle(self._present(now), int(moment))
        watch = self._present(now)
        watch.tick(moment, self._live(now, rules))
        findings, over = watch.found()
        if self._ledger.incidents.has_work(findings, over, int(moment)):
            with self.transaction():
                self._ledger.incidents.settle(findings, over, int(moment))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction of the ledger; where it does not come to pass, the rules have heard nothing of it."""
        try:
            with self._ledger.transaction():
                yield
        except BaseException:
            self.forget()
            raise

    # -- the state

    def _present(self, now: datetime) -> AlertWatch:
        """The rules with the settings and the history of this moment."""
        version, day = self._ledger.changed_by_others(), now.astimezone(self._settings.site_zone).date()
        if self._watch is None:
            self._watch = self._begun(now, day)
        elif version != self._version or day != self._day:
            config, history = self._configured(day)
            self._watch.hours = hours_of(self._ledger, self._settings, config)
            self._watch.configure(config, history)
        self._version, self._day = version, day
        return self._watch

    def _begun(self, now: datetime, day: date) -> AlertWatch:
        config, history = self._configured(day)
        watch = AlertWatch(config, history, hours_of(self._ledger, self._settings, config))
        heard = self._ledger.heard
        watch.begin(heard.spend(day), {day.isoformat(): heard.outgoing(day)})
        position = int(self._ledger.journey.state(POSITION) or 0)
        since = int((now - REMEMBERED).timestamp())
        watch.remember(one for one in heard.since(since, day - timedelta(days=1)) if one.event_id <= position)
        for pbx, at in heard.last_events(day - timedelta(days=14)).items():
            watch.heard(pbx, at)
        return watch

    def _configured(self, day: date) -> tuple[Config, History]:
        config = self._ledger.incidents.config()
        usual = day, self._ledger.incidents.days_version()
        if self._history is None or usual != self._usual:
            self._history = history_of(self._ledger, hours_of(self._ledger, self._settings, config), day)
            self._usual = usual
        return config, self._history

    def _heard(self, position: int) -> int:
        """The last event that the rules have heard; at the very beginning all that is there counts as heard."""
        told = self._ledger.journey.state(POSITION)
        if told is None:
            return position
        return int(told)

    def _catch_up(self, watch: AlertWatch, heard: int, position: int) -> None:
        """Hear from the ledger what another process has read."""
        while heard < position:
            events = [one for one in self._inbox.after(heard, CHUNK) if one.id <= position]
            last = events[-1].id if events else position
            if events:
                self._hear(watch, events, list(self._ledger.heard.of_events(heard + 1, last)))
            heard = last
            self._ledger.journey.set_state(POSITION, str(heard))

    def _settle(self, watch: AlertWatch, now: int) -> None:
        findings, over = watch.found()
        if findings or over:
            self._ledger.incidents.settle(findings, over, now)

    def _days_changed(self, rated: Iterable[Heard], now: datetime) -> None:
        """Days that were summed up and got calls since are summed up anew."""
        today = now.astimezone(self._settings.site_zone).date().isoformat()
        if days := {one.day for one in rated if one.day < today}:
            self._ledger.incidents.forget_days(days)

    # -- calls in progress

    def _live(self, now: datetime, rules: "Rules") -> list[LiveFact]:
        return [
            self._live_fact(one, now, rules)
            for one in self._ledger.journey.live(now - LIVE_SINCE)
            if one.phase is not Phase.ENDED
        ]

    def _live_fact(self, one: LiveCall, now: datetime, rules: "Rules") -> LiveFact:
        outbound = one.direction == Direction.OUTBOUND.value
        fact = LiveFact(
            one.call_id, one.extension or "", one.number or "", one.trunk or "", outbound,
            int(one.first_event_at.timestamp()), int(one.answered_at.timestamp()) if one.answered_at else None,
        )  # fmt: skip
        if not outbound or not one.number or one.answered_at is None:
            return fact
        talk_s = max(0, int((now - one.answered_at).total_seconds()))
        call = Call(
            pbx=one.pbx, dialect="", started_at=one.first_event_at, answered_at=one.answered_at, billed_s=talk_s,
            disposition=Disposition.ANSWERED, extension=one.extension, number=one.number, trunk=one.trunk,
            direction=Direction.OUTBOUND,
        )  # fmt: skip
        meaning = rules.classify(call)
        return replace(
            fact,
            outside=meaning.traffic_type is not TrafficType.INTERNAL,
            country=meaning.country or "",
            far=meaning.traffic_type in FAR,
            cost_micro=rules.charge(call, meaning).fee_micro,
        )


def hours_of(ledger: Ledger, settings: Settings, config: Config) -> Hours:
    """The working hours of a site."""
    own = {one.day: one.kind for one in ledger.rules.day_overrides()}
    return Hours(config.text(GENERAL, "hours"), HolidayCalendar(settings.country, own), settings.site_zone)


def history_of(ledger: Ledger, hours: Hours, day: date) -> History:
    """What is usual at a site, as of a day."""
    days = ledger.incidents.days(day - timedelta(days=SPEND_DAYS))
    return History.of(days, hours, day, ledger.heard.countries())
