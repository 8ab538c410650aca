"""Joins rules and memory: events from the inbox become rated calls in the ledger, each exactly once in effect.

    pipeline = Pipeline(inbox, ledger, rules)
    while pipeline.step():
        ...

A step takes the next events, works out what they mean and cost without holding any lock, and then writes
calls, charges, outcomes and the new inbox position in one transaction. A crash repeats nothing and skips
nothing. It has no rules of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import NamedTuple

from ippbx_billing import dialects
from ippbx_billing.calls import (
    FROM_FILE,
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    EventStatus,
    Problem,
    RawEvent,
    Reading,
    Reason,
    priced_at,
    together,
)
from ippbx_billing.dialects import Dialects
from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger, RatedCall, masking
from ippbx_billing.ledger.calls import call_of
from ippbx_billing.ledger.journey import Outcome
from ippbx_billing.ledger.replays import BeforeAfter
from ippbx_billing.numbering import Cleanup, MobilePlaces, Numbering, Override, data_version, mobile_places_in
from ippbx_billing.pipeline.patience import TookTooLong, allowed_s, patience
from ippbx_billing.pipeline.setting_aside import keepable
from ippbx_billing.pipeline.watching import Watching
from ippbx_billing.pipeline.writing import Writing
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.damage import is_trouble
from ippbx_billing.tariffs import CallFilter, Carrier, HolidayCalendar, Price, TariffBook, Trunk, rating
from ippbx_billing.tariffs.filters import left_out

LIVE_CALL_EXPIRES = timedelta(hours=12)
ANSWER_EXPIRES = timedelta(days=7)  # until then a record may come that does not tell when its call was answered


@dataclass(frozen=True)
class SiteRules:
    """What the settings say that rules need to know."""

    country: str
    area_code: str
    zone: tzinfo
    pbx_zone: tzinfo
    dialect: str
    outside_prefix: str
    extension_patterns: tuple[str, ...]
    bounds: dialects.Bounds = dialects.DEFAULT_BOUNDS

    @classmethod
    def of(cls, settings: Settings) -> "SiteRules":
        """The part of the settings that rules need."""
        return cls(
            country=settings.country,
            area_code=settings.area_code,
            zone=settings.site_zone,
            pbx_zone=settings.pbx_zone,
            dialect=settings.dialect,
            outside_prefix=settings.outside_prefix,
            extension_patterns=settings.extension_patterns,
            bounds=dialects.Bounds(settings.max_unpacked_bytes, settings.max_records, settings.max_nesting),
        )


class Rules:
    """Everything that decides what a record means and costs, as it stands at one moment."""

    def __init__(
        self,
        site: SiteRules,
        known_dialects: Dialects,
        book: TariffBook,
        extensions: Iterable[str] = (),
        overrides: Sequence[Override] = (),
        mobile_places: MobilePlaces | None = None,
        cleanups: Sequence[Cleanup] = (),
        filters: Sequence[CallFilter] = (),
    ) -> None:
        self.site = site
        self.dialects = known_dialects
        self.book = book
        self._extensions = frozenset(extensions)
        self._overrides = tuple(overrides)
        self._mobile_places = mobile_places
        self._cleanups = tuple(cleanups)
        self.filters = tuple(filters)
        self._numberings: dict[tuple[str, str], Numbering] = {}

    @classmethod
    def of(cls, ledger: Ledger, settings: Settings, *, reading: bool = True, prices: bool = True) -> "Rules":
        """The rules in force: the settings, the dialects, and what the ledger holds at this moment.

        Without `reading` they know no dialects: who asks for a price alone need not wait until all are loaded. Without
        `prices` they tell what a number is, but not what it costs; see `pricing`.
        """
        known = _dialects(settings) if reading else Dialects({})
        site = SiteRules.of(settings)
        own_days = {one.day: one.kind for one in ledger.rules.day_overrides()}
        return cls(
            site,
            known,
            ledger.book.tariff_book(HolidayCalendar(site.country, own_days), None if prices else ()),
            ledger.directory.numbers(),
            ledger.book.overrides(),
            mobile_places_in(settings.numbers_dir),
            ledger.rules.cleanups(),
            ledger.rules.filters(),
        )

    def with_default_carrier(self, name: str) -> "Rules":
        """The same rules with another default carrier, for the question what a call would cost there."""
        carriers = [replace(one, default=one.name == name) for one in self.book.carriers.values()]
        return self._with(TariffBook(carriers, (), self.book.prices, self.book.calendar))

    def pricing(self, call: Call, ledger: Ledger) -> "Rules":
        """The same rules with the prices that this one call may have: quick beside a list of hundreds of thousands."""
        numbers = call.number or "", self.classify(call).normalized
        book = self.book
        prices = ledger.book.prices(numbers=numbers)
        return self._with(TariffBook(book.carriers.values(), book.trunks.values(), prices, book.calendar))

    def with_prices(self, prices: Iterable[Price]) -> "Rules":
        """The same rules with these prices and no others, for the question what they would change."""
        book = self.book
        return self._with(TariffBook(book.carriers.values(), book.trunks.values(), prices, book.calendar))

    def trying(
        self, *, trunk: Trunk | None = None, price: Price | None = None, known_dialects: Dialects | None = None
    ) -> "Rules":
        """The same rules with a trunk, a price or other dialects besides, for the question what these would change."""
        book = self.book
        changed = TariffBook(
            book.carriers.values(),
            [*book.trunks.values(), trunk] if trunk else book.trunks.values(),
            [*book.prices, price] if price else book.prices,
            book.calendar,
        )
        found = self._with(changed)
        found.dialects = found.dialects if known_dialects is None else known_dialects
        return found

    def _with(self, book: TariffBook) -> "Rules":
        return Rules(
            self.site,
            self.dialects,
            book,
            self._extensions,
            self._overrides,
            self._mobile_places,
            self._cleanups,
            self.filters,
        )

    @cached_property
    def data_version(self) -> str:
        """The version of the numbering data that classifications rest on."""
        return data_version(self._mobile_places)

    def read(self, event: RawEvent) -> Reading:
        """What an event means; never raises."""
        return dialects.read(
            event,
            self.dialects,
            chosen=self.site.dialect,
            zone=self.site.pbx_zone,
            is_extension=self.is_extension,
            bounds=self.site.bounds,
            country=self.site.country,
        )

    def read_by_habit(self, event: RawEvent) -> Reading | None:
        """The same where its like was read before and no care is needed; it takes no time to speak of."""
        return dialects.read_by_habit(
            event,
            self.dialects,
            chosen=self.site.dialect,
            zone=self.site.pbx_zone,
            is_extension=self.is_extension,
            bounds=self.site.bounds,
        )

    @cached_property
    def is_extension(self) -> Callable[[str], bool]:
        """Whether a number is one of the site's extensions."""
        return self.numbering_for(None).is_extension

    def any_parties(self, dialect: str) -> bool:
        """Whether a later version of a record in this dialect may name other parties."""
        known = self.dialects.get(dialect)
        return known is not None and bool(known.parties_change)

    def charge(self, call: Call, classification: Classification) -> Charge:
        """What the call costs, its number being that."""
        return rating.rate(self.filtered(call), classification, self.priced_at(call), self.book)

    def explain(self, call: Call, classification: Classification | None = None) -> tuple[Classification, Charge]:
        """The same with the steps that led to the fee; a stored classification is taken as it is."""
        classification = classification or self.classify(call)
        return classification, rating.explain(self.filtered(call), classification, self.priced_at(call), self.book)

    def filtered(self, call: Call) -> Call:
        """The call as rating is to see it: one that a filter of the site leaves out is nobody's bill, like a twin."""
        if not self.filters or call.twin:
            return call
        reason = left_out(self.filters, call.direction, call.extension, call.number, call.trunk)
        return replace(call, left_out=reason) if reason else call

    def classify(self, call: Call) -> Classification:
        """What the other side's number is, seen from the home area of the call's carrier."""
        numbering = self.numbering_for(call.trunk)
        return numbering.classify(call.number or "", call.direction or Direction.OUTBOUND)

    def numbering_for(self, trunk: str | None) -> Numbering:
        """The numbering plan as it looks from a trunk: its carrier's home area, its outside-line prefix."""
        carrier: Carrier | None = self.book.carrier_for(trunk)
        line = self.book.trunks.get(trunk or "")
        own_prefix = None if line is None else line.outside_prefix
        area_code = carrier.area_code if carrier else self.site.area_code
        prefix = self.site.outside_prefix if own_prefix is None else own_prefix
        numbering = self._numberings.get((area_code, prefix))
        if numbering is None:
            numbering = self._numberings[area_code, prefix] = Numbering(
                country=self.site.country,
                area_code=area_code,
                outside_prefix=prefix,
                extension_patterns=self.site.extension_patterns,
                extensions=self._extensions,
                overrides=self._overrides,
                mobile_places=self._mobile_places,
                cleanups=self._cleanups,
            )
        return numbering

    def local_start(self, call: Call) -> datetime:
        """The call's start on the site's clock: the day under which reports count it."""
        return call.started_at.astimezone(self.site.zone)

    def priced_at(self, call: Call) -> datetime:
        """The moment on the site's clock by which tariffs go: that of the answer, where the PBX tells it."""
        return priced_at(call).astimezone(self.site.zone)


def _dialects(settings: Settings) -> Dialects:
    """The known dialects, the chosen one among them."""
    known = dialects.load(settings.dialects_dir)
    if settings.dialect != "auto" and settings.dialect not in known:
        raise DataError(
            tr("the settings name the dialect {name}, which does not exist", name=settings.dialect),
            tr("known: {names}", names="auto, " + ", ".join(known)),
        )
    return known


class Replayed(NamedTuple):
    """How many events were read again, and what that did to the fees of their calls."""

    events: int = 0
    fees: BeforeAfter = BeforeAfter()

    def and_(self, other: "Replayed") -> "Replayed":
        """Both together."""
        return Replayed(self.events + other.events, self.fees.and_(other.fees))


class Understood(NamedTuple):
    """An event on its way into the ledger: what it means, and its calls already rated."""

    event: RawEvent
    reading: Reading
    rated: tuple[RatedCall, ...]


class _TriedOnlyError(Exception):
    """Undoes a transaction that was only to show that it could be done."""


class Pipeline:
    """Moves events from the inbox to the ledger; `make_rules` is asked again whenever somebody edited the ledger.

    `reading_s` bounds the reading of each event, see `patience`; 0 for somebody who waits for it, as for a replay.
    `watching` are the alert rules that hear what is written; None where it is history.
    """

    def __init__(
        self,
        inbox: Inbox,
        ledger: Ledger,
        make_rules: Callable[[], Rules],
        *,
        batch_size: int = 2_000,
        reading_s: float = 0,
        watching: Watching | None = None,
    ) -> None:
        self.inbox = inbox
        self.ledger = ledger
        self._make_rules = make_rules
        self._batch_size = batch_size
        self._reading_s = reading_s
        self._watching = watching
        self._rules: Rules | None = None
        self._ledger_version = -1

    def step(self) -> int:
        """Take the next batch; gives how many events it held, 0 when none is waiting."""
        position = self.ledger.journey.position()
        events = self.inbox.after(position, self._batch_size)
        if not events:
            self._pass_gap(position)
            return 0
        self._take(events, position)
        return len(events)

    def _take(self, events: Sequence[RawEvent], position: int) -> None:
        """Write a batch and move on; where that fails, its halves are tried, until the one event is found that cannot
        be kept: it is set aside with the reason, like any other that was not understood."""
        try:
            self._keep(self._understand(events), position)
        except Exception as error:
            if not _is_of_record(error):
                raise
            middle = len(events) // 2
            if middle:
                self._take(events[:middle], position)  # they are read anew, as writing changes what was read
                self._take(events[middle:], events[middle - 1].id)
            else:
                self._set_aside(events[0], position, error)

    def _keep(self, understood: Sequence[Understood], position: int) -> None:
        with self._watching.transaction() if self._watching else self.ledger.transaction():
            if self.ledger.journey.position() == position:  # else another process has taken them meanwhile
                rated = self._write(understood)
                self.ledger.journey.advance(understood[-1].event.id)
                if self._watching:
                    self._watching.heed(position, [one.event for one in understood], rated)

    def tick(self, now: datetime) -> None:
        """Let the alert rules look at the clock."""
        if self._watching:
            self._watching.tick(now, self._present_rules())

    def _set_aside(self, event: RawEvent, position: int, error: Exception) -> None:
        """The event is rejected; those of its calls that can be kept are."""
        (one,) = self._understand([event])
        problem = Problem(Reason("not-kept", {"error": str(error)}))
        bare = Understood(event, replace(one.reading, problems=(*one.reading.problems, problem)), ())
        if self._fits(bare):
            good = keepable(one.rated, lambda some: self._fits(bare._replace(rated=tuple(some))))
            bare = bare._replace(rated=tuple(good))
        else:  # its states cannot be kept either
            bare = Understood(event, Reading(problems=(problem,)), ())
        self._keep([bare], position)

    def _fits(self, one: Understood) -> bool:
        """Whether it can be written; nothing is."""
        try:
            with self.ledger.transaction():
                self._write([one._replace(rated=tuple(map(copy, one.rated)))])
                raise _TriedOnlyError
        except _TriedOnlyError:
            return True
        except Exception as error:
            if not _is_of_record(error):
                raise
            return False

    def _pass_gap(self, position: int) -> None:
        """Ids that were given but have no event, as after a damaged inbox was replaced, are not waiting for anybody."""
        last = self.inbox.last_id()
        if last > position and not self.inbox.after(position, 1):  # asked in this order: what comes now has a higher id
            with self.ledger.transaction():
                if self.ledger.journey.position() == position:
                    self.ledger.journey.advance(last)

    def waiting(self) -> int:
        """How many events wait to be read."""
        return max(0, self.inbox.last_id() - self.ledger.journey.position())

    def drain(self) -> int:
        """Take everything that is waiting; gives how many events there were."""
        total = 0
        while taken := self.step():
            total += taken
        return total

    def replay(self, event_ids: Iterable[int]) -> Replayed:
        """Read these events again with the present rules; gives how many there were, and what became of the fees.

        Events that were duplicates are read again as well: one may now be the first to be understood. Those whose calls
        are anonymized are left alone. A charge that is another now stays in the call's history.
        """
        wanted = sorted(set(event_ids))
        if not wanted:
            return Replayed()
        wanted = sorted(
            {*wanted, *(one for one in self.ledger.journey.events_with(EventStatus.DUPLICATE) if one > wanted[0])}
        )
        with self._noted_run() as run:
            replayed = Replayed()
            for start in range(0, len(wanted), self._batch_size):
                replayed = replayed.and_(self._read_again(wanted[start : start + self._batch_size], run))
        return replayed

    @contextmanager
    def _noted_run(self) -> Iterator[int]:
        """A run whose number the earlier charges get; it leaves no trace where none changed."""
        now = int(datetime.now(UTC).timestamp())
        with self.ledger.transaction():
            run = self.ledger.rerates.begin_run(now, "", "", "events replay")
        try:
            yield run
        finally:
            with self.ledger.transaction():
                self.ledger.rerates.end_run(run, now)

    def _read_again(self, event_ids: Sequence[int], run: int) -> Replayed:
        understood = self._understand([event for one in event_ids if (event := self.inbox.get(one))])
        with self.ledger.transaction():
            again = [one for one in understood if not masking.is_masked(self.ledger, one.event.id)]
            self.ledger.replays.remember(one.event.id for one in again)
            self._write(again, self._forget([one.event.id for one in again]))
            masking.mask_again(self.ledger, [one.event.id for one in again])
            return Replayed(len(again), self.ledger.replays.take_over(run))

    def _forget(self, event_ids: Sequence[int]) -> list[tuple[int, Call]]:
        """Take the calls of these events out of the ledger; gives them as their records told them."""
        rows = [row for one in event_ids for row in self.ledger.calls.of_event(one)]
        self.ledger.calls.forget_events(event_ids)
        for row in rows:
            self.ledger.records.forget(row["id"])
        return [(row["id"], call_of(row)) for row in rows]

    def _understand(self, events: Sequence[RawEvent]) -> list[Understood]:
        rules = self._present_rules()
        return [understand(event, rules, self._reading_s) for event in events]

    def _present_rules(self) -> Rules:
        version = self.ledger.changed_by_others()
        if self._rules is None or version != self._ledger_version:
            self._rules, self._ledger_version = self._make_rules(), version
        return self._rules

    def _write(self, understood: Sequence[Understood], left: Iterable[tuple[int, Call]] = ()) -> list[RatedCall]:
        """Into the ledger, in the caller's transaction; `left` are calls that were taken out of it just now.

        Gives the calls that are new, as they count now.
        """
        arrived = {one.event.id: one.event.received_at for one in understood}
        imported = {one.event.id for one in understood if one.event.method == FROM_FILE}
        writing = Writing(self.ledger, self._present_rules(), [one.rated for one in understood], arrived, imported)
        for number, call in left:
            writing.joining.leaving(number, call)
        for one in understood:
            repeated = writing.write(one.rated)
            if one.reading.states:
                self._follow(one)
                for step in one.reading.states:
                    writing.joining.answered(step, one.event.received_at)
            writing.outcomes[one.event.id] = _outcome(one, repeated)
        fresh = writing.finish()
        self.ledger.journey.record_all(writing.outcomes)
        return fresh

    def _follow(self, one: Understood) -> None:
        """Bring the live calls on."""
        for state in one.reading.states:
            self.ledger.journey.follow(one.event, state)
        self.ledger.journey.forget_live(one.event.received_at - LIVE_CALL_EXPIRES)
        self.ledger.rows.forget_answers(int((one.event.received_at - ANSWER_EXPIRES).timestamp()))


def _outcome(one: Understood, repeated: Sequence[Reason]) -> Outcome:
    """What became of an event, of whose calls these were delivered before."""
    if one.reading.problems:
        return EventStatus.REJECTED, together(one.told for one in one.reading.problems)
    if repeated and len(repeated) == len(one.rated):
        return EventStatus.DUPLICATE, together(repeated)
    return EventStatus.DONE, one.reading.nothing


def understand(event: RawEvent, rules: Rules, reading_s: float) -> Understood:
    """Read and rate one event; a fault of ours is recorded like any other problem, and the next event goes on."""
    try:
        if (reading := rules.read_by_habit(event)) is not None:
            return Understood(event, reading, tuple(_rated(event, call, rules) for call in reading.calls))
        with patience(allowed_s(event.body, reading_s)) if reading_s else nullcontext():
            reading = rules.read(event)
            return Understood(event, reading, tuple(_rated(event, call, rules) for call in reading.calls))
    except TookTooLong:
        seconds = round(allowed_s(event.body, reading_s))
        return Understood(event, Reading(problems=(Problem(Reason("too-slow", {"seconds": seconds})),)), ())
    except Exception as error:  # the one place where a bug must not stop the journey
        problem = Problem(Reason("internal-error", {"error": repr(error)}))
        return Understood(event, Reading(problems=(problem,)), ())


def _is_of_record(error: Exception) -> bool:
    """Whether a record is to blame, and not the ledger's file, or somebody who holds it."""
    return not is_trouble(error) and not isinstance(error, BillingError)


def _rated(event: RawEvent, call: Call, rules: Rules) -> RatedCall:
    start, classification = rules.local_start(call), rules.classify(call)
    charge = rules.charge(call, classification)
    return RatedCall(event.id, call, classification, charge, start.date().isoformat(), rules.data_version, start.hour)


def unsettled(ledger: Ledger) -> list[int]:
    """The events worth another reading after a cause was removed: rejected ones, and those of unrated calls."""
    return sorted(
        {*ledger.journey.events_with(EventStatus.REJECTED), *ledger.calls.events_with_status(ChargeStatus.UNRATED)}
    )
