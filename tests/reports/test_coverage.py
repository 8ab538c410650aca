"""What a report does not cover: unusual silences, events that were not understood or wait, days that may change."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ippbx_billing import inbox as inbox_files
from ippbx_billing import language as texts
from ippbx_billing.calls import EventStatus, Reason
from ippbx_billing.inbox import Inbox
from ippbx_billing.reports.coverage import Coverage, coverage
from ippbx_billing.tariffs import DayOverride
from tests.books import SHANGHAI, Books, opened

OCTOBER = date(2026, 10, 1), date(2026, 10, 31)
LATER = datetime(2026, 12, 1, tzinfo=UTC)
OFFICE_HOURS = range(9, 17)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with opened(tmp_path / "ledger.db") as found:
        yield found


@pytest.fixture
def office(books: Books) -> Books:
    """From September to mid November, five calls in each hour of the working days, as the Chinese calendar has them."""
    for day in (date(2026, 9, 1) + timedelta(days=number) for number in range(76)):
        if day.weekday() < 5 and not date(2026, 10, 1) <= day <= date(2026, 10, 7):
            for hour in OFFICE_HOURS:
                for minute in range(0, 60, 12):
                    books.call(f"{day} {hour:02d}:{minute:02d}:00")
    return books


def told(
    books: Books, days: tuple[date, date] = OCTOBER, now: datetime = LATER, inbox: Inbox | None = None
) -> Coverage:
    """What is not covered, after all that was noted is written."""
    books.write()
    return coverage(books.ledger, inbox, SHANGHAI, days, unrated={}, filtered=0, now=now, country="CN")


def leave_out(books: Books, first: str, end: str) -> None:
    """As if the records from one moment to before another had never come."""
    moments = [datetime.fromisoformat(text).replace(tzinfo=SHANGHAI) for text in (first, end)]
    books.waiting = [one for one in books.waiting if not moments[0] <= one.call.started_at < moments[1]]


def silences(found: Coverage) -> list[tuple[str, str, int]]:
    return [(f"{one.first:%m-%d %H:%M}", f"{one.end:%m-%d %H:%M}", one.usual) for one in found.silences]


def test_nights_weekends_and_holidays_are_no_silences(office: Books) -> None:
    """The site is always quiet then, and in the Golden Week by the calendar."""
    assert silences(told(office)) == []


def test_a_silent_working_day_is_told(office: Books) -> None:
    """From the last hour with a call to the next, and how many are usual in it: the nights beside it add none."""
    leave_out(office, "2026-10-20 11:00", "2026-10-21 10:00")
    assert silences(told(office)) == [("10-20 11:00", "10-21 10:00", 35)]


def test_a_day_that_the_site_works_on_is_missed(office: Books) -> None:
    """The same silent days are told once the site says that it worked on one of them."""
    office.ledger.rules.put_days([DayOverride(date(2026, 10, 5), "work")])
    assert [usual for _, _, usual in silences(told(office))] == [40]


def test_a_short_pause_of_a_small_site_is_none(books: Books) -> None:
    """Two calls a day: five days without one may be chance, fourteen are not."""
    for number in range(76):
        books.call(f"{date(2026, 9, 1) + timedelta(days=number)} 10:00:00")
        books.call(f"{date(2026, 9, 1) + timedelta(days=number)} 15:00:00")
    leave_out(books, "2026-10-10 00:00", "2026-10-15 00:00")
    leave_out(books, "2026-10-17 00:00", "2026-10-31 00:00")
    (found,) = silences(told(books))
    assert found[:2] == ("10-16 16:00", "10-31 10:00")


def test_one_campaign_makes_no_habit(books: Books) -> None:
    """A thousand calls on one Sunday do not make the other Sundays suspicious."""
    for week in range(9):
        books.call(f"{date(2026, 9, 13) + timedelta(weeks=week)} 08:00:00")
    for second in range(1_000):
        books.call(f"2026-10-11 10:{second // 60:02d}:{second % 60:02d}")
    assert silences(told(books)) == []


def test_a_new_site_has_no_rhythm_yet(books: Books) -> None:
    """Two weeks are not habit; nothing is said about the time before the first record."""
    for day in (date(2026, 10, 19) + timedelta(days=number) for number in range(12)):
        for minute in range(60):
            books.call(f"{day} 10:{minute:02d}:00")
    leave_out(books, "2026-10-28 00:00", "2026-10-29 00:00")
    found = told(books)
    assert silences(found) == []
    assert found.first_record == "2026-10-19T10:00:00+08:00"


def test_a_silence_that_lasts_is_told_until_now(office: Books) -> None:
    """Nothing came since Friday: it is Monday evening, and the month is not over."""
    leave_out(office, "2026-10-24 00:00", "2026-12-01 00:00")
    found = told(office, now=datetime(2026, 10, 26, 18, 30, tzinfo=SHANGHAI))
    assert silences(found) == [("10-23 17:00", "10-26 18:00", 40)]
    assert not found.over


def test_first_and_last_record_are_the_periods(office: Books) -> None:
    """Also where a record came late; an empty period has none."""
    office.call("2026-09-30 23:59:59")
    office.call("2026-10-01 00:00:00")
    found = told(office)
    assert (found.first_record, found.last_record) == ("2026-10-01T00:00:00+08:00", "2026-10-30T16:48:00+08:00")
    nothing = told(office, (date(2020, 1, 1), date(2020, 1, 31)))
    assert (nothing.first_record, nothing.last_record, nothing.silences) == (None, None, [])


def test_an_empty_ledger_covers_nothing(books: Books) -> None:
    """And says so without failing."""
    found = told(books)
    assert found.document()["first_record"] is None
    assert found.notes() == []


# -- events


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """An inbox with an event in each hour of three days, some of them pruned."""
    path = tmp_path / "inbox.db"
    inbox_files.create(path)
    start = int(datetime(2026, 9, 30, tzinfo=SHANGHAI).timestamp())
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO events VALUES (NULL, ?, 'cdr', '10.0.0.1', 'POST', '/', '', '', '')",
            [((start + hour * 3600) * 1_000_000,) for hour in range(72)],
        )
        connection.execute("DELETE FROM events WHERE id BETWEEN 10 AND 20 OR id = 72")
    connection.close()
    return path


def test_events_are_found_by_time_though_some_are_gone(events: Path) -> None:
    """The last id before any moment is the one that counting through them finds."""
    with Inbox(events) as inbox:
        kept = list(reversed(inbox.summaries()))
        for hour in range(-1, 75):
            moment = datetime(2026, 9, 30, tzinfo=SHANGHAI) + timedelta(hours=hour)
            before = [one.id for one in kept if one.received_at < moment]
            assert inbox.last_before(moment) == (before[-1] if before else 0)


def test_rejected_and_waiting_events_are_counted(books: Books, events: Path) -> None:
    """Rejected ones by the days in which they came, and why; those not read yet, whenever they came."""
    with books.ledger.transaction():
        for number in (24, 25, 30, 48, 49):
            books.ledger.journey.record(
                number, EventStatus.REJECTED, Reason("not-xml" if number != 30 else "single-value")
            )
        books.ledger.journey.record(26, EventStatus.DUPLICATE, Reason("delivered-before", {"event": 1}))
        books.ledger.journey.advance(60)
    with Inbox(events) as inbox:
        found = told(books, (date(2026, 10, 1), date(2026, 10, 1)), inbox=inbox).document()
    assert (found["rejected_events"], found["rejected_reasons"]) == (
        3,
        {"not readable as XML": 2, "a single value, not a record": 1},
    )
    assert found["waiting_events"] == 12
    without = told(books).document()
    assert (without["rejected_events"], without["waiting_events"]) == (None, None)


# -- sentences


FULL = Coverage(
    unrated={Reason("impossible-length", {"seconds": -number}): 7 - number for number in range(7)},
    filtered=3,
    rejected={Reason("not-xml"): 2},
    waiting=4,
    first_record="2026-10-01T07:34:00+08:00",
    last_record="2026-10-31T21:57:00+08:00",
    over=False,
    provisional=(2027,),
)


def test_every_gap_has_its_sentence(office: Books) -> None:
    """Five reasons, the others counted; then whatever else is not in the sums."""
    leave_out(office, "2026-10-20 00:00", "2026-10-21 00:00")
    assert FULL.notes() == [
        "unrated: 7, a call of 0 s cannot be right",
        "unrated: 6, a call of -1 s cannot be right",
        "unrated: 5, a call of -2 s cannot be right",
        "unrated: 4, a call of -3 s cannot be right",
        "unrated: 3, a call of -4 s cannot be right",
        "unrated: 3 more, for other reasons: see `calls list --status unrated`",
        "3 calls kept but not billed (filtered)",
        "2 events of these days were not understood: see `events list --status rejected`",
        "4 events are not read yet: `ippbx-bill listen` reads them",
        "2027 is provisional: make-up working days are not published",
        "records from 2026-10-01 07:34 to 2026-10-31 21:57",
        "these days are not over yet",
    ]
    assert told(office).notes()[0] == "no call from 2026-10-19 17:00 to 2026-10-21 09:00, where about 40 are usual"


def test_sentences_are_chinese_where_asked() -> None:
    """All of them."""
    texts.use("zh")
    assert [note for note in FULL.notes() if note.isascii()] == []


def test_notes_are_those_that_concern_a_report() -> None:
    """Nothing of prices where there are no fees, nothing of other people's records below a part of the calls."""
    full = replace(FULL, corrected=1, reused_ids=2, plans=[("flat", "10.00")])
    said = full.notes()
    without_fees = set(said) - set(full.notes(unrated=False, fees=False))
    assert without_fees == {one for one in said if "unrated" in one or "provisional" in one or "plan " in one}
    others = set(said) - set(full.notes(others=False))
    assert others == {one for one in said if "whose record has an id" in one or "corrected" in one}
    assert len(others) == 2


def test_the_document_has_its_keys() -> None:
    """Which are a contract."""
    assert list(FULL.document()) == [
        "first_record",
        "last_record",
        "period_over",
        "unrated",
        "unrated_reasons",
        "unrated_by_reason",
        "filtered",
        "rejected_events",
        "rejected_reasons",
        "rejected_by_reason",
        "waiting_events",
        "reused_ids",
        "corrected_calls",
        "provisional_years",
        "other_months",
        "silences",
        "plans",
    ]
