"""One call in the clothes of firmwares that nobody has shown yet: every dress tells the same call.

The call: 8001 dials 902162345678 at 10:00:00, is answered at 10:00:05, hangs up at 10:01:28.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import reduce
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.calls import Call, EventKind, RawEvent
from ippbx_billing.dialects import load, read
from ippbx_billing.language.reasons import sentence
from tests import DATA

KNOWN = load()
ZONE = ZoneInfo("Asia/Shanghai")
START, ANSWER, END = "2026-10-13 10:00:00", "2026-10-13 10:00:05", "2026-10-13 10:01:28"
WHO = {"callid": "abc-1", "caller": "8001", "callee": "902162345678", "direction": "outbound", "trunk": "T1"}
TIMES = {"start_time": START, "answer_time": ANSWER, "end_time": END}
RECORD = {**WHO, **TIMES, "duration": 88, "billsec": 83, "disposition": "ANSWERED"}
UNANSWERED = {**WHO, "start_time": START, "end_time": "2026-10-13 10:00:20", "duration": 20, "billsec": 0}
THE_CALL = ("8001", "902162345678", "10:00:00", "10:00:05", "10:01:28", 88, 83, "answered", "outbound")


def _read(body, *, door=EventKind.CDR, query=""):
    """What a delivery means at a site whose extensions are 8XXX."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body, ensure_ascii=False)
    raw = body.encode() if isinstance(body, str) else body
    event = RawEvent(
        id=1,
        received_at=datetime(2026, 10, 13, 3, tzinfo=UTC),
        kind=door,
        remote="192.168.6.169:40000",
        method="POST",
        path="/",
        query=query,
        headers="",
        body=raw,
    )
    return read(event, KNOWN, chosen="auto", zone=ZONE, is_extension=lambda text: len(text) == 4 and text[0] == "8")


def _clock(moment):
    return f"{moment.astimezone(ZONE):%H:%M:%S}" if moment else None


def _facts(call: Call):
    """The facts that decide a fee."""
    times = map(_clock, (call.started_at, call.answered_at, call.ended_at))
    return call.caller, call.callee, *times, call.duration_s, call.billed_s, str(call.disposition), str(call.direction)


def _calls(body, **delivery):
    reading = _read(body, **delivery)
    assert not reading.problems, reading.problems
    return [_facts(call) for call in reading.calls]


def _wrapped(inner, *names):
    return reduce(lambda held, name: {name: held}, reversed(names), inner)


def _renamed(name, other):
    return {other if key == name else key: value for key, value in RECORD.items()}


# -- wrappers


@pytest.mark.parametrize(
    "names", ["data", "params", "event", "payload", "msg", "callRecord", "body.data", "params.cdr", "data.items"]
)
def test_a_record_in_a_wrapper(names):
    """A wrapper of any name, around one record, several, or a text of JSON, with news of its own beside it."""
    path = names.split(".")
    assert _calls(_wrapped(RECORD, *path)) == [THE_CALL]
    assert _calls(_wrapped([RECORD, RECORD], *path)) == [THE_CALL] * 2
    assert _calls(_wrapped(json.dumps(RECORD), *path[:1])) == [THE_CALL]
    assert _calls({"code": 0, "time": START, **_wrapped(RECORD, *path)}) == [THE_CALL]


def test_a_wrapper_names_the_pbx():
    """The serial number beside the wrapped record is the PBX's."""
    assert [call.pbx for call in _read({"sn": "db01-0001", "payload": RECORD}).calls] == ["db01-0001"]


def test_what_is_no_wrapper_stays_unknown():
    """Two objects side by side, or an object without a call, are not record."""
    for body in ({"first": RECORD, "second": RECORD}, {"payload": {"colour": "red"}}, {"payload": [1, 2]}):
        reading = _read(body)
        assert (reading.calls, len(reading.problems)) == ((), 1)


@pytest.mark.parametrize("root", ["xml", "root", "event", "request", "Cdr"])
def test_xml_roots(root):
    """The root of an XML record has any name; CDATA and one more level do no harm."""
    fields = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in RECORD.items())
    assert _calls(f"<{root}>{fields}</{root}>") == [THE_CALL]
    assert _calls(f"<{root}><cdr>{fields}</cdr><cdr>{fields}</cdr></{root}>") == [THE_CALL] * 2


def test_other_envelopes():
    """Query, form, JSON in a form's field, lines of name=value, a table with a heading."""
    lines = "\n".join(f"{name}={value}" for name, value in RECORD.items())
    table = ",".join(RECORD) + "\n" + ",".join(map(str, RECORD.values()))
    for body in (urlencode(RECORD), urlencode({"params": json.dumps(RECORD)}), lines, table):
        assert _calls(body) == [THE_CALL]
    assert _calls("", query=urlencode(RECORD)) == [THE_CALL]


# -- names


SYNONYMS = {
    "caller": "caller_id CallerNo callingNo srcNum src_ext from_no fromNumber a_number callingPartyNumber clid cidNum",
    "callee": "calleeNo calledNo dstNum dest_no to_no toNumber b_number calledPartyNumber dialNumber dialed callee_id",
    "start_time": "StartTime beginTime call_start_time startDateTime start_ts setup_time created_at 呼叫时间 calldate",
    "answer_time": "answered_time call_answer_time answer_ts talkStartTime pickup_time connectTime 接听时间 应答时间",
    "end_time": "EndTime stopTime call_end_time endDateTime end_ts hangupTime bye_time releaseTime 挂断时间 结束时间",
    "billsec": "talkTime talk_duration talk_length billingDuration conversation_time billed_seconds 计费时长 通话时长",
    "duration": "total_duration totalTime call_duration duration_sec call_length 总时长 呼叫时长 durationSeconds",
}


@pytest.mark.parametrize("name", SYNONYMS)
def test_synonyms(name):
    """A field under other names, in any case and spelling, is the same field."""
    assert [other for other in SYNONYMS[name].split() if _calls(_renamed(name, other)) != [THE_CALL]] == []


def test_times_are_found_by_name_alone():
    """Where nothing else tells the time, its other names do as well."""
    bare = {**WHO, "disposition": "ANSWERED", "start_time": START, "answer_time": ANSWER, "end_time": END}
    for name in ("start_time", "answer_time", "end_time"):
        others = {key: value for key, value in bare.items() if key != name}
        wrong = [one for one in SYNONYMS[name].split() if _calls({**others, one: bare[name]}) != [THE_CALL]]
        assert wrong == []


def test_a_day_and_a_clock_in_two_fields():
    """A day without a time is not a time: it belongs to the clock beside it, not to midnight."""
    length = {"duration": 88, "billsec": 83, "disposition": "ANSWERED"}
    for day, clock in (
        ("start_date", "start_time"),
        ("call_date", "call_time"),
        ("date", "time"),
        ("date", "start_time"),
    ):
        assert _calls({**WHO, **length, day: "2026-10-13", clock: "10:00:00"}) == [THE_CALL]
    assert _calls({**WHO, **length, "通话日期": "2026/10/13", "开始时间": "10:00:00"}) == [THE_CALL]
    assert _read({**WHO, **length, "start_date": "2026-10-13"}).calls == ()


def test_parties_as_objects():
    """Caller and callee may be objects with a number in them."""
    length = {key: value for key, value in RECORD.items() if key not in ("caller", "callee")}
    for ours, theirs in (("number", "number"), ("extension", "phone"), ("num", "num")):
        body = {**length, "caller": {"name": "Front desk", ours: "8001"}, "callee": {theirs: "902162345678"}}
        assert _calls(body) == [THE_CALL]


def test_our_side_and_the_other():
    """A record that names extension and number instead of caller and callee, as the billing screen does."""
    row = {
        "分机号码": "8001",
        "通话日期": "2026-10-13",
        "开始时间": "10:00:00",
        "通话时长": "83",
        "电话号码": "902162345678",
    }
    (outward,) = _calls({**row, "通话方向": "去电"})
    (inward,) = _calls({**row, "通话方向": "来电"})
    assert (outward[:2], outward[6:]) == (("8001", "902162345678"), (83, "answered", "outbound"))
    assert (inward[:2], inward[8]) == (("902162345678", "8001"), "inbound")


def test_inbound_leg_of_an_extension_is_a_call_that_goes_out():
    """FreeSWITCH calls the leg from the extension inbound; taken at its word, no such call would ever be billed."""
    (call,) = _read({**RECORD, "direction": "inbound", "trunk": ""}).calls
    assert (str(call.direction), len(call.notes)) == ("outbound", 1)
    caller_outside = {**RECORD, "caller": "13800138000", "callee": "8001", "direction": "inbound"}
    assert [str(call.direction) for call in _read(caller_outside).calls] == ["inbound"]
    from_a_trunk = {**RECORD, "direction": "inbound", "src_trunk": "branch"}
    assert [str(call.direction) for call in _read(from_a_trunk).calls] == ["inbound"]


def test_clocks_of_one_day_across_midnight():
    """Clock times beside one date: what lies before the start is of the next day, not a call without length."""
    clocks = {"date": "2026-10-13", "start_time": "23:59:30", "answer_time": "23:59:35", "end_time": "00:00:58"}
    (call,) = _read({**WHO, **clocks}).calls
    assert (call.duration_s, call.billed_s, _clock(call.ended_at)) == (88, 83, "00:00:58")


def test_an_end_shortly_before_the_start_stays_a_doubt():
    """A clock that was set back makes no call of a day."""
    (call,) = _read({**WHO, "start_time": START, "end_time": "2026-10-13 09:59:58", "disposition": "ANSWERED"}).calls
    assert call.billed_s == 0
    assert any("before the start" in sentence(note) for note in call.notes)


# -- values


@pytest.mark.parametrize(
    "shape",
    [
        "%Y-%m-%dT%H:%M:%S+08:00", "%Y-%m-%d %H:%M:%S CST", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", "%d/%m/%y %H:%M:%S",
        "%Y年%m月%d日 %H时%M分%S秒", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d%%20%H%%3A%M%%3A%S",
        "  %Y-%m-%d %H:%M:%S  ",
    ],
)  # fmt: skip
def test_written_times(shape):
    """The same moments, written as people and programs write them; CST is the PBX's own zone."""
    dressed = {name: datetime.fromisoformat(said).strftime(shape) for name, said in TIMES.items()}
    assert _calls({**RECORD, **dressed}) == [THE_CALL]


@pytest.mark.parametrize("per_second", [1, 1_000, 1_000_000, 1_000_000_000])
def test_counted_times(per_second):
    """Seconds, milliseconds, microseconds, nanoseconds since 1970, as numbers and as texts."""
    zero = datetime(1970, 1, 1, tzinfo=UTC)
    counts = {
        name: (datetime.fromisoformat(said).replace(tzinfo=ZONE) - zero) // timedelta(seconds=1) * per_second
        for name, said in TIMES.items()
    }
    assert _calls({**RECORD, **counts}) == [THE_CALL]
    assert _calls({**RECORD, **{name: str(count) for name, count in counts.items()}}) == [THE_CALL]


@pytest.mark.parametrize(
    ("total", "talk"),
    [
        ("00:01:28", "00:01:23"), ("1:28", "1:23"), (88.0, 83.0), ("88s", "83s"), ("88秒", "83秒"),
        ("1分28秒", "1分23秒"), ("0时1分28秒", "0时1分23秒"), ("1m28s", "1m23s"), ("PT1M28S", "PT1M23S"),
        ("0h1m28s", "0h1m23s"), (" 88 ", " 83 "),
    ],
)  # fmt: skip
def test_durations(total, talk):
    """Clock, unit, ISO or Chinese: the same seconds."""
    assert _calls({**RECORD, "duration": total, "billsec": talk}) == [THE_CALL]


@pytest.mark.parametrize("nothing", ["", " ", None, "null", 0, "0", "-", "N/A", "0000-00-00 00:00:00"])
def test_times_that_say_nothing(nothing):
    """A filler is not a time: what it leaves open follows from the rest."""
    assert _calls({**RECORD, "end_time": nothing}) == [THE_CALL]
    assert _calls({**RECORD, "answer_time": nothing}) == [THE_CALL]


@pytest.mark.parametrize(
    ("words", "disposition"),
    [
        ("NOANSWER|Missed|未接听|无人接听|480 Temporarily Unavailable|487|No Reply", "no_answer"),
        ("USER_BUSY|用户忙|占线|486 Busy Here|17", "busy"),
        ("REJECTED|603 Decline|呼叫失败|404|503 Service Unavailable|Invalid number", "failed"),
    ],
)
def test_words_for_an_unanswered_call(words, disposition):
    """English, Chinese, SIP codes with and without their phrase, Q.850; none leaves a doubt."""
    for word in words.split("|"):
        (call,) = _read({**UNANSWERED, "disposition": word}).calls
        assert (word, str(call.disposition), call.billed_s, call.notes) == (word, disposition, 0, ())


# -- steps of live calls


@pytest.mark.parametrize("name", ["state", "status", "call_status", "event", "event_name", "action", "type", "状态"])
def test_states_under_many_names(name):
    """The same steps, whatever the PBX calls them."""
    steps = {"RING": "ring", "Alerting": "alert", "ANSWERED": "answered", "talking": "answered", "hangup": "bye"}
    for word, state in steps.items():
        reading = _read({**WHO, name: word, "time": START}, door=EventKind.STATUS)
        assert [(one.state, one.caller) for one in reading.states] == [(state, "8001")], (word, reading)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("振铃", "ring"),
        ("通话中", "answered"),
        ("挂断", "bye"),
        ("空闲", "idle"),
        ("call_end", "bye"),
        ("trying", "setup"),
    ],
)
def test_words_for_states(word, state):
    """Chinese and other families' words."""
    assert [one.state for one in _read({**WHO, "state": word}, door=EventKind.STATUS).states] == [state]


def test_a_hangup_that_tells_the_talk_is_the_record():
    """An event with durations is the record of its call, whatever it is called."""
    assert _calls({**RECORD, "event": "hangup"}) == [THE_CALL]
    for name in ("talk_time", "talkLength", "billingDuration", "conversation_time"):
        body = {key: value for key, value in RECORD.items() if key != "billsec"} | {"event": "hangup", name: 83}
        assert _calls(body) == [THE_CALL]
        assert _calls({"event": "hangup", "data": {key: value for key, value in body.items() if key != "event"}}) == [
            THE_CALL
        ]


def test_a_status_word_does_not_make_a_record_a_step():
    """A CDR with `status` and durations of unheard-of names stays a CDR."""
    body = {**WHO, "timestart": START, "callduraction": 88, "talkduraction": 83, "status": "ANSWERED"}
    assert [(call.duration_s, call.billed_s) for call in _read(body).calls] == [(88, 83)]


# -- the bodies of known makers in other dress

CORPUS_FILE = DATA / "corpus.jsonl"
CORPUS = {one["id"]: one for one in map(json.loads, CORPUS_FILE.read_text("utf-8").splitlines())}
MAKERS = [
    "yeastar-s-v1-newcdr-outbound", "yeastar-k2-v2-newcdr", "yeastar-p-newcdr-1", "openvox-newcdr-outbound",
    "grandstream-ucm-realtime-json-outbound", "tata-smartflo-hangup", "feige-callcallback", "bulutfon-call-init",
    "3cx-cdr-v20", "xswitch-cdr-1",
]  # fmt: skip


def _meaning(body):
    """Everything that an event of a known maker says."""
    reading = _read(body)
    assert not reading.problems, reading.problems
    steps = [(one.state, one.caller, one.callee, one.call_id) for one in reading.states]
    return reading.dialect, [(*_facts(call), call.call_id, call.trunk) for call in reading.calls], steps


@pytest.mark.parametrize("identity", MAKERS)
def test_known_makers_in_other_dress(identity):
    """Wrapped, in capitals, as texts, with blanks, fillers or other dates: the maker's dialect reads the same."""
    body = json.loads(CORPUS[identity]["body"])
    plain = _meaning(body)
    dresses = [
        {"data": body},
        {"code": "0", "body": body},
        [body],
        {name.upper(): value for name, value in body.items()},
        {name: str(value) if isinstance(value, int | float) else value for name, value in body.items()},
        {name: None if value == "" else value for name, value in body.items()},
        {**body, "unheard_of": "1"},
        dict(reversed(body.items())),
    ]
    assert [_meaning(dress) == plain for dress in dresses] == [True] * len(dresses)
    if all(not isinstance(value, dict | list) for value in body.values()):
        assert _meaning(urlencode(body)) == plain


def test_the_account_of_a_wrapped_record_names_the_dialect_that_fits(cli, tmp_path):
    """What `dialects check` says first agrees with how the record was read."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"code": 0, "payload": RECORD}), "utf-8")
    answer = cli("dialects", "check", str(path)).stdout
    assert "fits no dialect" not in answer
    assert "read with uc" in answer
