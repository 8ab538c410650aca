"""What was learned of a shape of body reads it as care does, whatever stands in it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing import dialects
from ippbx_billing.calls import EventKind, RawEvent, Reading
from ippbx_billing.dialects import habits
from ippbx_billing.dialects.habits import templates
from tests import DATA

SHANGHAI = ZoneInfo("Asia/Shanghai")
BODIES = [
    json.loads(line)["body"]
    for name in ("corpus.jsonl", "field_records.jsonl")
    for line in (DATA / name).read_text("utf-8").splitlines()
]
# What stands where something else stood a moment ago: of the same sort, another, nothing, and what is not plain text.
OTHERS = [
    *("", " ", "0", "-1", "null", "none", "N/A", "-", "unknown", "anonymous", "$caller", "${x}", "true", "false"),
    *("8001", "8002 ", "02258674577", "+862258674577", "00442079460123", "0", "0000-00-00", "0000-00-00 00:00:00"),
    *("2026-03-01 12:00:00", "2026-03-01T12:00:09", "2026-03-01 12:00:09+08", "2026-02-30 12:00:00", "12:00:05"),
    *("03/04/2026 12:00:00", "1770534293", "1770534293123", "2026-W09-7 12:00:00", "1889-01-01 00:00:00"),
    *("ANSWERED", "NO ANSWER", "NORMAL_CLEARING", "answered", "busy", "never heard of"),
    *("outbound", "inbound", "internal"),
    *("天津", "%E5%A4%A9", "a b", "a  b ", "a\tb", "\u0001", "a%", "x" * 600),
    *('{"a":"1"}', "[]", "Anna <8001>", "sip:8001@pbx"),
    *(0, 1, 65, 66, 3_000, -1, 1.5, 10**20, True, False, None, [], {}, {"a": "1"}, ["8001", "8002"]),
]  # fmt: skip


def event_of(body: str, path: str = "/") -> RawEvent:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return RawEvent(1, moment, EventKind.CDR, "192.0.2.7:4000", "POST", path, "", "", body.encode())


def read(event: RawEvent, known: dialects.Dialects, chosen: str = "auto", zone: Any = SHANGHAI) -> Reading:
    return dialects.read(
        event, known, chosen=chosen, zone=zone, is_extension=lambda said: said.isdigit() and 3 <= len(said) <= 5
    )


def by_habit(event: RawEvent, known: dialects.Dialects, zone: Any = SHANGHAI) -> Reading | None:
    return dialects.read_by_habit(
        event, known, chosen="auto", zone=zone, is_extension=lambda said: said.isdigit() and 3 <= len(said) <= 5
    )


@pytest.fixture
def careful(monkeypatch: pytest.MonkeyPatch) -> dialects.Dialects:
    """Dialects that have neither memory nor habits."""
    known = dialects.load()
    monkeypatch.setattr(known.evidence, "of", lambda document, facts: None)
    return known


def varied(document: Any, random: Random) -> Any:
    """The document with one value changed, somewhere in it; its names stay."""
    if isinstance(document, list) and document:
        place = random.randrange(len(document))
        return [varied(one, random) if n == place else one for n, one in enumerate(document)]
    if not isinstance(document, dict) or not document:
        return like(document, random) if random.random() < 0.5 else random.choice(OTHERS)
    name = random.choice(list(document))
    return {**document, name: varied(document[name], random)}


def like(value: Any, random: Random) -> Any:
    """Another value of the same look: other digits, in a text or a number."""
    if isinstance(value, str):
        return re.sub(r"\d(?=\D*$)", lambda _: str(random.randrange(10)), value)
    return value if value is None or isinstance(value, bool | list | dict) else random.randrange(10_000)


def shifted(document: Any, random: Random) -> Any:
    """The document with other digits in half of its values, as the next record of the same sender has."""
    if isinstance(document, list):
        return [shifted(one, random) for one in document]
    if isinstance(document, dict):
        return {name: shifted(value, random) for name, value in document.items()}
    return like(document, random) if random.random() < 0.5 else document


def variants(body: str, times: int, random: Random) -> Iterator[str]:
    """A body of JSON as it is until it is known, then with other values, spelt with blanks or without."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    yield from [body] * 3
    for _ in range(times if document else 0):
        changed = varied(document, random) if random.random() < 0.3 else shifted(document, random)
        for _ in range(random.choice([0, 0, 0, 1])):
            changed = varied(changed, random)
        yield json.dumps(changed, ensure_ascii=random.random() < 0.1, separators=random.choice([None, (",", ":")]))


@pytest.mark.parametrize("zone", [SHANGHAI, ZoneInfo("Australia/Lord_Howe")])
def test_every_body_is_read_alike_by_habit_and_with_care(careful: dialects.Dialects, zone: ZoneInfo) -> None:
    """Each body of each corpus, over and over with other values, some of them by habits that were learned here."""
    known, random = dialects.load(), Random(str(zone))
    bodies = [one for body in BODIES for one in variants(body, 12, random)]
    read_by_habit = 0
    for body in (*bodies, *random.sample(bodies, len(bodies))):
        event = event_of(body)
        read_by_habit += by_habit(event, known, zone) is not None
        assert read(event, known, zone=zone) == read(event, careful, zone=zone), body
    assert read_by_habit > 200


RECORD = (
    '{"sn":"db01","cdr":[{"uuid":"a7","caller":"8001","callee":"13800138000","start_time":"2026-03-01 12:00:00",'
    '"end_time":"2026-03-01 12:01:10","billsec":65,"duration":70,"port":1,"hangup":"called"}]}'
)


def learned(body: str = RECORD) -> dialects.Dialects:
    """Dialects that have a habit for a body."""
    known = dialects.load()
    for _ in range(3):
        read(event_of(body), known)
    assert by_habit(event_of(body), known) is not None
    return known


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"billsec":65', '"billsec":64,"billsec":65'),
        ('"billsec":65', '"duration":65'),
        ('"billsec":65', '"billsec":NaN'),
        ('"billsec":65', '"billsec":Infinity'),
        ('"billsec":65', '"billsec":-0'),
        ('"billsec":65', '"billsec":065'),
        ('"billsec":65', '"billsec":65.0000000000000001'),
        ('"billsec":65', '"billsec":6.5e1'),
        ('"billsec":65', '"billsec":123456789012345678901234567890'),
        ('"port":1', '"port":1495779310.3710'),
        ('"a7"', '"\\ud800"'),
        ('"a7"', '"\\u0000"'),
        ('"a7"', '"\\x"'),
        ('"a7"', '"a\nb"'),
        ('"a7"', '"NULL"'),
        ('"called"', '"\\"'),
        ('"called"', '"\\""'),
        ("}]}", "}]"),
        ("}]}", "}]}}"),
        ("}]}", '}]};{"sn":"x"}'),
        ("}]}", "}]}\0"),
        ("}]}", '},{"uuid":"a8"}]}'),
        ('{"sn"', '\ufeff{"sn"'),
        ("12:01:10", "12:01:60"),
        ("12:01:10", "12:00:00"),
        ("12:01:10", "11:59:59"),
        ('"2026-03-01 12:00:00"', '"0000-00-00 00:00:00"'),
        ('"8001"', '"%38001"'),
        ('"8001"', '"８００１"'),
        ("65", "1000000"),
    ],
)
def test_what_is_spelt_otherwise_is_read_alike(careful: dialects.Dialects, was: str, becomes: str) -> None:
    """Names given twice, numbers that are none, large and precise ones, escapes, and what is cut off or added."""
    changed = RECORD.replace(was, becomes)
    assert changed != RECORD
    known = learned()
    for body in [changed] * 4 + [RECORD]:
        assert read(event_of(body), known) == read(event_of(body), careful)


def test_bytes_that_are_no_utf8_and_packed_ones_are_read_with_care(careful: dialects.Dialects) -> None:
    """A body in another encoding, and one whose header says that it is packed, are not habits."""
    known = learned(RECORD.replace("called", "挂断"))
    for body in (RECORD.replace("called", "挂断").encode("gb18030"), RECORD.encode("utf-16")):
        event = replace(event_of(""), body=body)
        assert by_habit(event, known) is None
        assert read(event, known) == read(event, careful)
    packed = replace(event_of(RECORD.replace("called", "挂断")), headers="Content-Encoding: br\r\n")
    assert by_habit(packed, known) is None
    assert read(packed, known) == read(packed, careful)


def test_an_hour_in_which_the_clock_changes_is_read_with_care(careful: dialects.Dialects) -> None:
    """Every minute of the days on which summer time ends and begins, where it changes by half an hour."""
    zone = ZoneInfo("Australia/Lord_Howe")
    known = learned()
    for day in ("2026-04-05", "2026-10-04"):
        for minute in range(0, 240, 5):
            start = datetime.fromisoformat(day) + timedelta(minutes=minute)
            end = start + timedelta(seconds=70)
            body = RECORD.replace("2026-03-01 12:00:00", str(start)).replace("2026-03-01 12:01:10", str(end))
            assert read(event_of(body), known, zone=zone) == read(event_of(body), careful, zone=zone), body


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither paths, shapes nor words of a stranger fill the memory, and all is read as before."""
    known = dialects.load()
    monkeypatch.setattr(habits, "MOST_DOORS", 3)
    monkeypatch.setattr(habits, "MOST_TEMPLATES", 3)
    monkeypatch.setattr(habits, "MOST_READERS", 3)
    monkeypatch.setattr(templates, "MOST_WORDS", 3)
    for number in range(12):
        shape = RECORD.replace('"port"', f'"port{number}":"天","direction"').replace(":1,", ":1,")
        for word in ("outbound", "inbound", "internal", "out", "in", "呼出", "呼入"):
            body = shape.replace('"direction":1', f'"direction":"{word}","trunk":"{word}天"')
            for _ in range(3):
                assert len(read(event_of(body, f"/{number % 5}"), known).calls) == 1
    doors = known.habits._doors
    assert len(doors) <= 3
    assert all(len(shapes) <= 3 for shapes in doors.values())
    shapes = [one for some in doors.values() for one in some]
    assert all(len(one.readers) <= 3 for one in shapes)
    assert all(len(word._known) <= 3 for one in shapes for word in one.words)


def test_a_shape_that_a_habit_would_read_otherwise_is_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first body is read both ways; where they differ, care goes on."""
    call = habits.Reader.call
    monkeypatch.setattr(habits.Reader, "call", lambda *given: replace(call(*given), billed_s=1))
    known = dialects.load()
    for _ in range(5):
        assert read(event_of(RECORD), known).calls[0].billed_s == 65
    assert by_habit(event_of(RECORD), known) is None
