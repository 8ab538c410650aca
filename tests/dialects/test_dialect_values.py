"""Times, durations and numbers mean what the PBX meant, whichever way it wrote them."""

from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Disposition, Reason
from ippbx_billing.dialects import values
from ippbx_billing.dialects.settling import Said, settle
from ippbx_billing.dialects.values import Unreadable
from ippbx_billing.language.reasons import sentence

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 2, 8, 7, 4, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-08 15:04:53",
        "2026/02/08 15:04:53",
        "2026-2-8 15:04:53",
        "20260208150453",
        "2026-02-08T15:04:53",
        "08/02/2026 15:04:53",
        "08.02.2026 15:04:53",
        "08/02/2026 3:04:53 PM",
        "2026年2月8日 15:04:53",
        "2026年02月08日15时04分53秒",
        "1770534293",
        "1770534293.911",
        "1770534293911",
        "1770534293911000",
        "63937753493",
        "2026-02-08T07:04:53Z",
        "2026-02-08T07:04:53.911Z",
        "2026-02-08T10:04:53+03:00",
        "2026-02-08 10:04:53 +0300",
        "2026-02-08 07:04:53 UTC",
        "20260208T070453Z",
        "Sun, 08 Feb 2026 07:04:53 +0000",
    ],
)
def test_one_instant_in_many_spellings(written: str) -> None:
    """A time without a zone is the PBX's, a number counts by its magnitude, an offset is believed."""
    assert values.instant(written, SHANGHAI) == EVENING


def test_month_first_only_where_the_day_cannot_be_a_month() -> None:
    """02/28/2026 can be nothing but February; 02/03/2026 is the second of March."""
    assert values.instant("02/28/2026 12:00:00", UTC) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert values.instant("02/03/2026 12:00", UTC) == datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("said", ["0", "0000-00-00 00:00:00", "00:00:00", "0.0", "-", ":"])
def test_a_zero_is_no_time(said: str) -> None:
    """FreeSWITCH writes 0 where it was never answered, databases a date of zeros."""
    assert values.instant(values.text(said), SHANGHAI) is None


@pytest.mark.parametrize(
    "said", ["9999-12-31 23:59:59", "1970-01-02 00:00:00", "123456789", "0001-01-01 00:00:00", "2101-01-02"]
)
def test_years_out_of_range_are_refused(said: str) -> None:
    """A clock that was never set is not a time of a call."""
    with pytest.raises(Unreadable, match=r"outside-years|not-a-time"):
        values.instant(said, SHANGHAI)


@pytest.mark.parametrize(
    "said", ["soon", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "13800138000", "123456789012345", "12:00"]
)
def test_what_is_no_time_is_refused(said: str) -> None:
    """A phone number or a typing error does not become an instant."""
    with pytest.raises(Unreadable, match="not-a-time"):
        values.instant(said, SHANGHAI)


def test_the_hour_that_comes_twice_and_the_one_that_never_comes() -> None:
    """At the end of summer time a clock time means two instants; at its beginning a missing one is still read."""
    assert values.instant("2026-10-25 02:30:00", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert values.instant("2026-10-25 02:30:00", BERLIN, later=True) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert values.instant("2026-03-29 02:30:00", BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "unit", "meant"),
    [
        ("64", "s", 64),
        ("0064", "s", 64),
        ("16(s)", "s", 16),
        ("16 sec", "s", 16),
        ("16秒", "s", 16),
        ("1:05", "s", 65),
        ("0:01:05", "s", 65),
        ("01:00:00", "s", 3600),
        ("509", "ms", 1),
        ("3920", "ms", 4),
        ("4000", "ms", 4),
        ("0", "ms", 0),
        ("3919976", "us", 4),
        ("12.0", "s", 12),
        ("12.2", "s", 13),
        ("1500ms", "s", 2),
    ],
)
def test_durations(written: str, unit: str, meant: int) -> None:
    """Whole seconds; of milliseconds and fractions a begun second counts."""
    assert values.seconds(written, unit) == meant


@pytest.mark.parametrize("said", ["-5", "-0:05", "abc", "1e9", "99999999999", "5 apples", "²"])
def test_durations_that_are_none(said: str) -> None:
    """Negative, endless and senseless durations are refused with a sentence."""
    with pytest.raises(Unreadable, match="duration"):
        values.seconds(said)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1001", "1001"),
        ("+8613800138000", "+8613800138000"),
        ("0592-23670000", "0592-23670000"),
        ('"Ann" <1001>', "1001"),
        ("sip:1001@pbx:5060", "1001"),
        ("<sip:1001@pbx;user=phone>;tag=7", "1001"),
        ("+1555@matrix.test.com", "+1555"),
        ("tel:+8613;phone-context=x", "+8613"),
        ("PJSIP/1001-0000008a", "1001"),
        ("SIP/5300-00000000", "5300"),
        ("15xxxxxxxx", "15xxxxxxxx"),
        ("dan", "dan"),
        ("*98", "*98"),
        ("sip:@", None),
    ],
)
def test_numbers(written: str, meant: str | None) -> None:
    """The number in addresses, display names and channels; what was dialled stays as it is."""
    assert values.number(written) == meant


@pytest.mark.parametrize(
    "said",
    [
        "",
        " ",
        "null",
        "NULL",
        "<NULL>",
        "None",
        "$campaign_id",
        "${uuid}",
        "0000-00-00 00:00:00",
        "\0",
        "%20",
        None,
        [],
        {},
    ],
)
def test_the_many_ways_to_say_nothing(said: object) -> None:
    """Fillers of databases and templates are absent values."""
    assert values.text(said) is None


def test_text_is_fit_for_a_database() -> None:
    """Percent-encoding is undone, lone surrogates and control characters go, endless texts are cut."""
    assert values.text("2012-11-26%2013%3A15%3A31") == "2012-11-26 13:15:31"
    assert values.text("%(2000,4000,440,480)") == "%(2000,4000,440,480)"
    assert values.text("a\ud800b\x07c") == "a?b c"
    assert len(values.text("9" * 10_000) or "") == values.LONGEST_TEXT
    assert values.text(True) == "true"


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([UTC, SHANGHAI, BERLIN]))
def test_any_text_is_a_value_nothing_or_unreadable(written: str, zone: tzinfo) -> None:
    """No text raises anything but our own refusal."""
    said = values.text(written)
    for read in (lambda: values.instant(said, zone), lambda: values.seconds(said, "ms"), lambda: values.number(said)):
        with suppress(Unreadable):
            read()


@settings(deadline=None)
@given(st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2099, 12, 30)))
def test_every_spelling_of_an_instant_agrees(moment: datetime) -> None:
    """Epoch, clock time, compact and ISO text of one moment are the same instant."""
    moment = moment.replace(microsecond=0, tzinfo=SHANGHAI)
    spelled = [
        f"{moment:%Y-%m-%d %H:%M:%S}",
        f"{moment:%Y%m%d%H%M%S}",
        moment.isoformat(),
        f"{moment:%d/%m/%Y %H:%M:%S}",
    ]
    if moment.fold == 0 and moment.timestamp() > 1_000_000_000:
        spelled += [str(int(moment.timestamp())), str(int(moment.timestamp()) * 1_000_000)]
    found = {values.instant(one, SHANGHAI) for one in spelled}
    assert len(found) == 1


# -- settling


def at(second: int) -> datetime:
    return datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC).replace(minute=second // 60, second=second % 60)


ANSWERED, NO_ANSWER, BUSY = Disposition.ANSWERED, Disposition.NO_ANSWER, Disposition.BUSY


@pytest.mark.parametrize(
    ("said", "outcome", "billed_s", "answered_at", "ended_at", "duration_s"),
    [
        # start, total and talk: the end and the answer follow
        (Said(started_at=at(0), duration_s=30, billed_s=20), ANSWERED, 20, at(10), at(30), 30),
        # start, answer and talk: the end follows from the answer
        (Said(started_at=at(0), answered_at=at(11), billed_s=3), ANSWERED, 3, at(11), at(14), 14),
        # three times: talk and total follow
        (
            Said(started_at=at(0), answered_at=at(5), ended_at=at(21), tells_answer=True),
            ANSWERED,
            16,
            at(5),
            at(21),
            21,
        ),
        # an empty place for the answer means that nobody answered
        (Said(started_at=at(0), ended_at=at(14), tells_answer=True), NO_ANSWER, 0, None, at(14), 14),
        # talk 0 and no word: nobody answered
        (Said(started_at=at(0), ended_at=at(44), billed_s=0), NO_ANSWER, 0, None, at(44), 44),
        # answered and hung up within the same second
        (Said(started_at=at(0), answered_at=at(9), ended_at=at(9), billed_s=0), ANSWERED, 0, at(9), at(9), 9),
        (Said(started_at=at(0), ended_at=at(9), billed_s=0, disposition=ANSWERED), ANSWERED, 0, at(9), at(9), 9),
        # a time of answer on a leg that was not answered is dropped
        (
            Said(started_at=at(0), answered_at=at(2), ended_at=at(22), duration_s=22, disposition=BUSY),
            BUSY,
            0,
            None,
            at(22),
            22,
        ),
        # answered by the PBX's word; the answer's time is missing
        (
            Said(started_at=at(0), ended_at=at(6), billed_s=6, duration_s=6, disposition=ANSWERED),
            ANSWERED,
            6,
            at(0),
            at(6),
            6,
        ),
        # only the end: the start follows from the total
        (Said(ended_at=at(30), duration_s=30, billed_s=10), ANSWERED, 10, at(20), at(30), 30),
        # waiting known instead of the answer
        (Said(started_at=at(0), duration_s=30, waiting_s=12, disposition=ANSWERED), ANSWERED, 18, at(12), at(30), 30),
        # a duration of unclear meaning that equals end - start is the total, end - answer the talk
        (Said(started_at=at(0), answered_at=at(10), ended_at=at(30), unclear_s=30), ANSWERED, 20, at(10), at(30), 30),
        (Said(started_at=at(0), answered_at=at(10), ended_at=at(30), unclear_s=20), ANSWERED, 20, at(10), at(30), 30),
        (Said(started_at=at(0), answered_at=at(40), unclear_s=20), ANSWERED, 20, at(40), at(60), 60),
    ],
)
def test_times_and_durations_are_completed(
    said: Said, outcome: Disposition, billed_s: int, answered_at: datetime | None, ended_at: datetime, duration_s: int
) -> None:
    """What the record does not say follows from what it says, without a doubt worth a note."""
    notes: list[str] = []
    settled = settle(said, notes)
    assert (settled.disposition, settled.billed_s) == (outcome, billed_s)
    assert (settled.answered_at, settled.ended_at, settled.duration_s) == (answered_at, ended_at, duration_s)
    assert notes == []


@pytest.mark.parametrize(
    ("said", "billed_s", "note"),
    [
        (Said(started_at=at(0), duration_s=10, billed_s=30), 30, "30 s of talk in a call of 10 s"),
        (
            Said(started_at=at(0), ended_at=at(10), duration_s=60, billed_s=5),
            5,
            "a duration of 60 s, but 10 s from start to end",
        ),
        (Said(started_at=at(30), ended_at=at(0), billed_s=5), 5, "the end lies before the start"),
        (Said(started_at=at(0), answered_at=at(50), ended_at=at(30), billed_s=5), 5, "the answer does not lie between"),
        (
            Said(started_at=at(0), duration_s=9, billed_s=5, disposition=NO_ANSWER),
            5,
            "called no_answer by the PBX, but with 5 s of talk",
        ),
        (Said(started_at=at(0), unclear_s=64), 64, "does not tell whether its duration"),
        (Said(started_at=at(0), duration_s=64, disposition=ANSWERED), 64, "does not tell the talk time"),
        (Said(started_at=at(0), disposition=ANSWERED), 0, "does not tell for how long"),
    ],
)
def test_contradictions_are_kept_with_a_note(said: Said, billed_s: int, note: str) -> None:
    """A record that contradicts itself is billed by its talk, and the doubt is written down."""
    notes: list[Reason] = []
    assert settle(said, notes).billed_s == billed_s
    assert note in "; ".join(map(sentence, notes))


@settings(deadline=None)
@given(
    st.builds(
        Said,
        started_at=st.none() | st.integers(0, 3000).map(at),
        answered_at=st.none() | st.integers(0, 3000).map(at),
        ended_at=st.none() | st.integers(0, 3000).map(at),
        duration_s=st.none() | st.integers(0, 5000),
        billed_s=st.none() | st.integers(0, 5000),
        waiting_s=st.none() | st.integers(0, 500),
        unclear_s=st.none() | st.integers(0, 5000),
        disposition=st.none() | st.sampled_from(list(Disposition)),
        tells_answer=st.booleans(),
    )
)
def test_settled_times_never_run_backwards(said: Said) -> None:
    """Whatever was said: start <= answer <= end, only answered calls talk, and any time at all gives a start."""
    settled = settle(said, [])
    assert (settled.started_at is None) == (said.started_at is said.answered_at is said.ended_at is None)
    told = [one for one in (settled.started_at, settled.answered_at, settled.ended_at) if one is not None]
    assert told == sorted(told)
    assert settled.billed_s >= 0
    assert settled.disposition is ANSWERED or (settled.billed_s, settled.answered_at) == (0, None)


@pytest.mark.parametrize(
    ("said", "unit", "meant"),
    [("60.5", "s", 60_500), ("60,5004 sec", "s", 60_501), ("60500", "ms", 60_500), ("60500999", "us", 60_501),
     ("7 ms", "s", 7), ("1:05", "s", None)],
)  # fmt: skip
def test_a_quantity_of_time_in_milliseconds(said: str, unit: str, meant: int | None) -> None:
    """A begun millisecond counts; what is not a plain quantity is left to `seconds`."""
    assert values.milliseconds(said, unit) == meant
