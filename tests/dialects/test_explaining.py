"""Plain bodies in common names, with every dialect's own names beside them: no call is lost, no ringing is billed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.calls import EventKind, RawEvent, Reading
from ippbx_billing.dialects import load, read
from ippbx_billing.dialects.definition import Dialect, Mark
from ippbx_billing.dialects.values import fold

KNOWN = load()
ZONE = ZoneInfo("Asia/Shanghai")
# How ten sorts of PBXs name the same call: id, caller, callee, start, end, talk, whole, outcome.
VENDORS = [
    "call_id caller callee start_time end_time billsec duration disposition",
    "callId callerNumber calledNumber startTime endTime talkTime totalDuration result",
    "uniqueid src dst start end billsec duration disposition",
    "uuid caller_id_number destination_number start_stamp end_stamp billsec duration call_result",
    "CallSid From To StartTime EndTime TalkDuration CallDuration CallStatus",
    "session_id from_number to_number started_at ended_at talk_seconds total_seconds status",
    "sip_call_id calling called begin_time end_time bill_duration total_time hangup_reason",
    "callid ani dnis setup_time disconnect_time conversation_time total_duration release_cause",
    "id caller_no callee_no begin_at hangup_time billing_seconds duration_sec outcome",
    "通话ID 主叫号码 被叫号码 开始时间 结束时间 通话时长 总时长 通话结果",
]
START, END = "2026-05-21 22:00:00", "2026-05-21 22:01:12"
ANSWERED = ("c1", "8001", "13800138000", START, END, 65, 72, "ANSWERED")
UNANSWERED = ("c1", "8001", "13800138000", START, END, 0, 72, "NO ANSWER")


def reading(body: dict[str, Any], chosen: str = "auto") -> Reading:
    raw = json.dumps(body, ensure_ascii=False).encode()
    arrived = datetime(2026, 5, 21, 14, 2, tzinfo=UTC)
    event = RawEvent(1, arrived, EventKind.CDR, "10.1.2.3:5", "POST", "/", "", "", raw)
    return read(event, KNOWN, chosen=chosen, zone=ZONE, is_extension=lambda said: len(said) == 4 and said[0] == "8")


def told(one: Reading) -> list[tuple[object, ...]]:
    """What a bill rests on."""
    return [(call.started_at, call.callee, call.billed_s, call.disposition, call.doubt) for call in one.calls]


def bodies(names: str) -> Iterator[dict[str, Any]]:
    """The answered and the unanswered call in these names."""
    for values in (ANSWERED, UNANSWERED):
        yield dict(zip(names.split(), values, strict=True))


TRUTH = ("call_id", "caller", "callee", "started_at", "ended_at", "billed_s", "duration_s", "disposition")


def beside(dialect: Dialect, mark: Mark, plain: dict[str, Any]) -> dict[str, Any]:
    """The names and words by which a dialect is known, with the same call under those that it has a field for."""
    taken = {fold(name) for name in plain}
    truth = dict(zip(TRUTH, plain.values(), strict=True))
    words = {path: min(said.exact) for path, said in mark.when.said if said.exact}
    paths = [
        path for path in (*mark.when.present, *mark.any_of[:2], *words) if not path.origin and len(path.names) == 1
    ]
    return {
        name: words.get(path, truth.get(field_of(dialect, name), "x1"))
        for path in paths
        if "*" not in (name := path.names[0]) and name not in taken
    }


def field_of(dialect: Dialect, name: str) -> str:
    """Which of our fields a dialect, or else the common names, read under a name."""
    for one in (dialect, KNOWN["uc"]):
        for field, sources in one.sources.items():
            if any(source.path.names == (name,) and not (source.joined or source.when) for source in sources):
                return "duration_s" if field == "unclear_s" else field
    return ""


def marks() -> list[tuple[Dialect, int]]:
    """Every way to recognise every dialect that is not generic."""
    return [(one, at) for one in KNOWN.values() if not one.generic for at in range(len(one.marks))]


@pytest.mark.parametrize(("dialect", "at"), marks(), ids=lambda one: getattr(one, "name", one))
def test_the_marks_of_a_dialect_beside_a_plain_call(dialect: Dialect, at: int) -> None:
    """Whoever's names stand beside it, a whole call in common names stays that call, of that length."""
    wrong = []
    for names in VENDORS:
        for plain in bodies(names):
            body = beside(dialect, dialect.marks[at], plain) | plain
            found, expected = told(reading(body)), told(reading(plain, chosen="uc"))
            if found != expected:
                wrong.append((body, found))
    assert wrong == []


@pytest.mark.parametrize(("one", "other"), list(combinations(range(len(VENDORS)), 2)))
def test_the_names_of_two_vendors_in_one_body(one: int, other: int) -> None:
    """Names of one vendor for the parties and of another for times, lengths and outcome are one call."""
    for values in (ANSWERED, UNANSWERED):
        first, second = VENDORS[one].split(), VENDORS[other].split()
        body = dict(zip(first[:3] + second[3:], values, strict=True))
        (call,) = reading(body).calls
        assert (call.caller, call.callee) == ("8001", "13800138000"), body
        assert (call.billed_s, call.duration_s, call.doubt) == (values[5], 72, None), body


@pytest.mark.parametrize("vendors", list(combinations(range(len(VENDORS)), 3)))
def test_the_names_of_three_vendors_in_one_body(vendors: tuple[int, ...]) -> None:
    """Parties from one, times from another, lengths and outcome from a third."""
    first, second, third = (VENDORS[one].split() for one in vendors)
    for values in (ANSWERED, UNANSWERED):
        body = dict(zip(first[:3] + second[3:5] + third[5:], values, strict=True))
        (call,) = reading(body).calls
        assert (call.callee, call.billed_s, call.duration_s) == ("13800138000", values[5], 72), body


@pytest.mark.parametrize(
    "event", ["call_end", "hangup", "call.hangup", "RING", "ANSWER", "Cdr", "cdr_ended", "new_cdr"]
)
def test_a_whole_call_is_a_call_whatever_event_it_names(event: str) -> None:
    """With start, end and talk it is not a step of a live call."""
    for name in ("event", "event_type", "action", "type"):
        (call,) = reading({name: event, **next(bodies(VENDORS[0]))}).calls
        assert (call.billed_s, call.duration_s) == (65, 72), (name, event)
