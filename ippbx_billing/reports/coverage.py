"""What a report does not cover, so that nobody takes a part for the whole.

    told = coverage(ledger, inbox, view, period, answer.gaps, answer.filtered, now=now, country="CN")
    told.document()  # the key "coverage" of every report's JSON
    told.notes()     # the same in sentences, below the table and at the end of a document

The one idea: a sum is only as good as what went into it. Calls without a price, events that nobody understood, events
that still wait, and hours in which nothing came although something always comes then are told each time.

A silence is unusual when at least SILENT_CALLS calls would have been usual in it. What is usual in an hour is the mean
of the middle half of its like: the same hour of the week in the RHYTHM_WEEKS before and after it. Neither a campaign
nor a holiday makes a habit that way, and a site with less than a call an hour has one. A day off goes by the Sundays.
So a large site is missed after an hour of its working day, a small one after some days, and nobody is told of nights
and weekends on which the site always sleeps.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from ippbx_billing.calls import Reason
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import by_sentence, counted, sentence
from ippbx_billing.ledger import Ledger

SILENT_CALLS = 20  # by chance alone, so many calls would all stay away once in 500 million times
RHYTHM_WEEKS = 4
LEAST_WEEKS = 3  # fewer than these are not rhythm
WEEK_H = 168
UNCOUNTED = -1
MONTHS_SHOWN = 12
SHOWN = 5  # of reasons and silences each, in sentences; the JSON has them all


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours on the site's clock without any call, from `first` until before `end`; `usual` calls come in them."""

    first: datetime
    end: datetime
    usual: int

    @property
    def hours(self) -> int:
        """How many hours, the first and last counted whole."""
        return round((self.end - self.first).total_seconds() / 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is not in a report. Events are None where there is no inbox to ask; times are ISO 8601 with offset."""

    unrated: Mapping[Reason, int]
    filtered: int
    rejected: Mapping[Reason, int] | None
    waiting: int | None
    first_record: str | None
    last_record: str | None
    over: bool
    reused_ids: int = 0
    corrected: int = 0
    silences: Sequence[Silence] = ()
    provisional: Sequence[int] = ()
    other_months: Sequence[str] = ()  # that have calls, where these days have none
    plans: Sequence[tuple[str, str]] = ()  # the lines of the month's bill that no sum of calls holds: name and amount

    def document(self) -> dict[str, Any]:
        """The contract's JSON."""
        return {
            "first_record": self.first_record,
            "last_record": self.last_record,
            "period_over": self.over,
            "unrated": sum(self.unrated.values()),
            "unrated_reasons": by_sentence(self.unrated),
            "unrated_by_reason": counted(self.unrated),
            "filtered": self.filtered,
            "rejected_events": None if self.rejected is None else sum(self.rejected.values()),
            "rejected_reasons": None if self.rejected is None else by_sentence(self.rejected),
            "rejected_by_reason": None if self.rejected is None else counted(self.rejected),
            "waiting_events": self.waiting,
            "reused_ids": self.reused_ids,
            "corrected_calls": self.corrected,
            "provisional_years": list(self.provisional),
            "other_months": list(self.other_months),
            "silences": [
                {"from": one.first.isoformat(), "to": one.end.isoformat(), "hours": one.hours, "usual_calls": one.usual}
                for one in self.silences
            ],
            "plans": [{"name": name, "amount": amount} for name, amount in self.plans],
        }

    def notes(self, *, unrated: bool = True, fees: bool = True, others: bool = True) -> list[str]:
        """A sentence for each thing, in the language in use.

        Without the `unrated` calls where a report lists those; without what is said of prices where it has no `fees`;
        without the records of `others` where it is of some calls only.
        """
        return [
            *(self._unrated() if unrated else ()),
            *self._elsewhere(),
            *self._events(),
            *(self._records() if others else ()),
            *(self._plans() if fees else ()),
            *self._silences(),
            *(self._provisional() if fees else ()),
            *self._days(),
        ]

    def _elsewhere(self) -> Iterator[str]:
        if self.other_months:
            shown = ", ".join(self.other_months[-MONTHS_SHOWN:])
            more = "… " if len(self.other_months) > MONTHS_SHOWN else ""
            yield tr("months with calls: {months}", months=more + shown)

    def _unrated(self) -> Iterator[str]:
        for reason, count in list(self.unrated.items())[:SHOWN]:
            yield tr("unrated: {count}, {reason}", count=count, reason=sentence(reason))
        rest = list(self.unrated.values())[SHOWN:]
        if rest:
            yield tr("unrated: {count} more, for other reasons: see `calls list --status unrated`", count=sum(rest))

    def _events(self) -> Iterator[str]:
        if self.filtered:
            yield tr("{count} calls kept but not billed (filtered)", count=self.filtered)
        if self.rejected:
            count = sum(self.rejected.values())
            yield tr(
                "{count} events of these days were not understood: see `events list --status rejected`", count=count
            )
        if self.waiting:
            yield tr("{count} events are not read yet: `ippbx-bill listen` reads them", count=self.waiting)

    def _plans(self) -> Iterator[str]:
        for name, amount in self.plans[:SHOWN]:
            yield tr("plan {name}: {amount} on the month's bill, not in these sums", name=name, amount=amount)
        if len(self.plans) > SHOWN:
            yield tr("{count} further plans: see `bill --company`", count=len(self.plans) - SHOWN)

    def _records(self) -> Iterator[str]:
        if self.reused_ids:
            yield tr("{count} calls whose record has an id that another call had: all are kept", count=self.reused_ids)
        if self.corrected:
            yield tr("{count} calls were corrected by a later version of their record", count=self.corrected)

    def _silences(self) -> Iterator[str]:
        for one in self.silences[:SHOWN]:
            yield tr(
                "no call from {first} to {end}, where about {usual} are usual",
                first=f"{one.first:%Y-%m-%d %H:%M}",
                end=f"{one.end:%Y-%m-%d %H:%M}",
                usual=one.usual,
            )
        if len(self.silences) > SHOWN:
            yield tr("{count} further silences, see --format json", count=len(self.silences) - SHOWN)

    def _provisional(self) -> Iterator[str]:
        for year in self.provisional:
            yield tr("{year} is provisional: make-up working days are not published", year=year)

    def _days(self) -> Iterator[str]:
        if self.first_record and self.last_record:
            first, last = (text[:16].replace("T", " ") for text in (self.first_record, self.last_record))
            yield tr("records from {first} to {last}", first=first, last=last)
        if not self.over:
            yield tr("these days are not over yet")


def coverage(
    ledger: Ledger,
    inbox: Inbox | None,
    zone: tzinfo,
    days: tuple[date, date],
    *,
    unrated: Mapping[Reason, int],
    filtered: int,
    now: datetime,
    country: str,
) -> Coverage:
    """What a report over these local days, both included, does not cover; `unrated` and `filtered` are the report's."""
    first_hour, end_hour = days[0].toordinal() * 24, (days[1].toordinal() + 1) * 24
    around_h = RHYTHM_WEEKS * WEEK_H
    known = _busy_hours(ledger.connection, first_hour - around_h, end_hour + around_h)
    busy = [hour for hour in known if first_hour <= hour < end_hour]
    calendar = _Calendar(ledger, country)
    local_now = now.astimezone(zone)
    reused_ids, corrected = ledger.records.counts(str(days[0]), str(days[1]))
    return Coverage(
        unrated=unrated,
        reused_ids=reused_ids,
        corrected=corrected,
        filtered=filtered,
        rejected=None if inbox is None else _rejected(ledger, inbox, zone, days),
        waiting=None if inbox is None else max(0, inbox.last_id() - ledger.journey.position()),
        first_record=_record(ledger.connection, zone, busy[0], "min") if busy else None,
        last_record=_record(ledger.connection, zone, busy[-1], "max") if busy else None,
        over=days[1] < local_now.date(),
        silences=_silences(_Rhythm(ledger.connection, known, calendar.is_off), zone, (first_hour, end_hour), local_now),
        provisional=calendar.provisional(days),
        other_months=() if busy else _months(ledger.connection),
    )


def _months(connection: sqlite3.Connection) -> list[str]:
    """The months that have calls, in order."""
    rows = connection.execute("SELECT DISTINCT month FROM rollup_months ORDER BY month")
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for (month,) in rows]


def _rejected(ledger: Ledger, inbox: Inbox, zone: tzinfo, days: tuple[date, date]) -> dict[Reason, int]:
    """The events that came in these days and were not understood, or only in part, by reason."""
    first, end = (datetime.combine(day, time(), zone) for day in (days[0], days[1] + timedelta(days=1)))
    return ledger.journey.reasons_of_rejected(inbox.last_before(first) + 1, inbox.last_before(end))


def _record(connection: sqlite3.Connection, zone: tzinfo, hour: int, which: str) -> str:
    """The first (`min`) or last (`max`) start of a call in a local hour."""
    (found,) = connection.execute(
        f"SELECT {which}(started_at) FROM charges WHERE local_hour = ? AND id BETWEEN "
        "(SELECT first_id FROM rollup_spans WHERE day = ?) AND (SELECT last_id FROM rollup_spans WHERE day = ?)",
        [hour, hour // 24, hour // 24],
    ).fetchone()
    return datetime.fromtimestamp(found, UTC).astimezone(zone).isoformat()


# -- silences


def _busy_hours(connection: sqlite3.Connection, first: int, end: int) -> list[int]:
    """The hours with a call, in order: one step in the index for each, however many kinds of calls it has."""
    rows = connection.execute(
        "WITH RECURSIVE busy (hour) AS ("
        "SELECT min(hour) FROM rollup_hours WHERE hour >= :first AND hour < :end UNION ALL "
        "SELECT (SELECT min(hour) FROM rollup_hours r WHERE r.hour > busy.hour AND r.hour < :end) FROM busy "
        "WHERE busy.hour IS NOT NULL) SELECT hour FROM busy WHERE hour IS NOT NULL",
        {"first": first, "end": end},
    )
    return [row[0] for row in rows]


def _silences(rhythm: "_Rhythm", zone: tzinfo, hours: tuple[int, int], now: datetime) -> list[Silence]:
    """The unusual silences in the order of time, from the site's first record until now."""
    if rhythm.first is None:
        return []
    start = max(hours[0], rhythm.first)
    end = min(hours[1], now.date().toordinal() * 24 + now.hour)
    edges = [start - 1, *(hour for hour in rhythm.busy if start <= hour < end), max(end, start)]
    found = []
    for before, after in pairwise(edges):
        usual = rhythm.usual_calls(range(before + 1, after)) if after - before > 1 else 0
        if usual >= SILENT_CALLS:
            found.append(Silence(_moment(before + 1, zone), _moment(after, zone), round(usual)))
    return found


class _Rhythm:
    """How many calls are usual in an hour of this site, by its own weeks around it, whose `busy` hours are known."""

    def __init__(self, connection: sqlite3.Connection, busy: Sequence[int], is_off: Callable[[date], bool]) -> None:
        self.busy = busy
        # Each in a question of its own, else SQLite reads the whole index instead of its two ends.
        self.first, self.last = connection.execute(
            "SELECT (SELECT min(hour) FROM rollup_hours), (SELECT max(hour) FROM rollup_hours)"
        ).fetchone()
        self._connection = connection
        self._is_off = is_off
        self._counts = dict.fromkeys(busy, UNCOUNTED)
        self._lively = {hour % WEEK_H for hour in busy}  # hours of the week: most of a silence lies in none of them

    def usual_calls(self, hours: range) -> float:
        """The calls that usually come in these hours; the calendar is asked only where it would matter."""
        usual = sum(map(self._usual, hours))
        if usual < SILENT_CALLS:
            return usual
        return sum(self._usual(self._as_sunday(hour)) for hour in hours)

    def _as_sunday(self, hour: int) -> int:
        """The hour, on a day off that of the next Sunday."""
        day = date.fromordinal(hour // 24)
        return hour + (6 - day.weekday()) * 24 if self._is_off(day) else hour

    def _usual(self, hour: int) -> float:
        if hour % WEEK_H not in self._lively:
            return 0
        others = [hour + week * WEEK_H for week in range(-RHYTHM_WEEKS, RHYTHM_WEEKS + 1) if week]
        counts = sorted(self._calls(other) for other in others if self.first <= other <= self.last)
        if len(counts) < LEAST_WEEKS:
            return 0
        quarter = max(1, len(counts) // 4)
        middle = counts[quarter : len(counts) - quarter]
        return sum(middle) / len(middle)

    def _calls(self, hour: int) -> int:
        found = self._counts.get(hour, 0)
        if found == UNCOUNTED:
            sql = "SELECT sum(calls) FROM rollup_hours WHERE hour = ?"
            found = self._counts[hour] = int(self._connection.execute(sql, [hour]).fetchone()[0])
        return found


def _moment(hour: int, zone: tzinfo) -> datetime:
    """The moment on the site's clock at which a local hour, counted as the rollups do, begins."""
    return datetime.combine(date.fromordinal(hour // 24), time(hour % 24), zone)


# -- the calendar


@dataclass(slots=True)
class _Calendar:
    """The site's days off; the national ones are loaded only when they are asked for."""

    ledger: Ledger
    country: str
    _loaded: Any = field(default=None, init=False)

    def is_off(self, day: date) -> bool:
        """Whether nobody works on this day."""
        return bool(self._days().day_kind(day) != "working")

    def provisional(self, days: tuple[date, date]) -> list[int]:
        """The years whose fees may still change, because a discount goes by days off that nobody has published."""
        if not self.ledger.book.goes_by_days_off():
            return []
        return [year for year in range(days[0].year, days[1].year + 1) if self._days().is_provisional(year)]

    def _days(self) -> Any:
        if self._loaded is None:
            from ippbx_billing.tariffs import HolidayCalendar

            own = {one.day: one.kind for one in self.ledger.rules.day_overrides()}
            self._loaded = HolidayCalendar(self.country, own)
        return self._loaded
