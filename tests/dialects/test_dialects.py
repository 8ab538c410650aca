"""Every PBX's body is read as its vendor means it; what no dialect knows is a problem with a sentence."""

import base64
import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing import dialects
from ippbx_billing.calls import Call, CallStatus, Direction, Disposition, EventKind, Phase, RawEvent, Reading, Reason
from ippbx_billing.errors import DataError
from ippbx_billing.language.reasons import sentence
from tests import DATA

SHANGHAI = ZoneInfo("Asia/Shanghai")
CORPUS = [json.loads(line) for line in (DATA / "corpus.jsonl").read_text("utf-8").splitlines()]
KNOWN = dialects.load()


def event_of(
    body: str | bytes, *, query: str = "", path: str = "/", method: str = "POST", headers: str = ""
) -> RawEvent:
    """A delivery as the inbox keeps it."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return RawEvent(
        1, datetime(2026, 3, 1, tzinfo=UTC), EventKind.CDR, "192.0.2.7:40000", method, path, query, headers, raw
    )


def is_extension(number: str) -> bool:
    """A site whose extensions have three to five digits."""
    return re.fullmatch(r"\d{3,5}", number) is not None


def read(body: str | bytes, chosen: str = "auto", known: dialects.Dialects = KNOWN, **delivery: str) -> Reading:
    return dialects.read(event_of(body, **delivery), known, chosen=chosen, zone=SHANGHAI, is_extension=is_extension)


def record(**names: Any) -> str:
    """A record in plain names, as the generic dialect reads it."""
    usual = {
        "call_id": "c-1",
        "start_time": "2026-03-01 12:00:00",
        "caller": "8001",
        "callee": "02258674577",
        "direction": "outbound",
        "disposition": "ANSWERED",
    }
    return json.dumps({**usual, **names})


GRANDSTREAM = {
    "AcctId": "1",
    "src": "8001",
    "dst": "022",
    "start": "2026-03-01 12:00:00",
    "end": "2026-03-01 12:00:09",
    "billsec": "1",
    "disposition": "ANSWERED",
}


def only_call(reading: Reading) -> Call:
    assert not reading.problems
    [call] = reading.calls
    return call


# -- the corpus: real bodies of many vendors, and what each means


def read_as_sent(entry: dict[str, Any], chosen: str = "auto") -> Reading:
    method, _, path = entry["method"].partition(" /")
    named = path if entry["method"].startswith("GET /") else ""
    return read(entry["body"], chosen, query=entry["query"], path=f"/{named}", method=method.split()[0])


def local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def described(found: Call | CallStatus) -> dict[str, Any]:
    """A call or state in the corpus' words."""
    if isinstance(found, CallStatus):
        names = {"state": found.state, "start": local(found.at), "billsec_s": found.billed_s}
    else:
        names = {
            "start": local(found.started_at),
            "answer": local(found.answered_at),
            "end": local(found.ended_at),
            "start_epoch": int(found.started_at.timestamp()),
            "billsec_s": found.billed_s,
            "end_epoch_ms": int(found.ended_at.timestamp()) * 1000 if found.ended_at else None,
            "disposition": found.disposition,
            "record_id": found.record_id,
            "pin": found.pin,
            "account": found.pin,
            "session": found.group_id,
        }
    return {
        **names,
        "call_id": found.call_id,
        "caller": found.caller,
        "callee": found.callee,
        "direction": found.direction,
        "trunk": found.trunk,
        "extension": found.extension,
        "pbx_sn": found.pbx,
        "duration_s": found.duration_s,
    }


def compared(expected: dict[str, Any], is_zoned: bool) -> dict[str, Any]:
    """The keys to compare: local clock times only where the record itself does not tell the instant."""
    left_out = {"state"} | ({"start", "answer", "end"} if is_zoned else set())
    wanted = {name: value for name, value in expected.items() if name not in left_out}
    if "end_epoch_ms" in wanted:
        wanted["end_epoch_ms"] = wanted["end_epoch_ms"] // 1000 * 1000
    return wanted


CDRS = [entry for entry in CORPUS if entry["kind"] == "cdr"]
STATES = [entry for entry in CORPUS if entry["kind"] == "call_status"]
OTHERS = [entry for entry in CORPUS if entry["kind"] == "other"]


@pytest.mark.parametrize("entry", CDRS, ids=[entry["id"] for entry in CDRS])
def test_a_published_record_becomes_the_call_it_describes(entry: dict[str, Any]) -> None:
    """Every CDR body of the corpus, read with `auto`, gives the calls of its `expect`."""
    reading = read_as_sent(entry)
    assert reading.problems == ()
    expected = entry["expect"].get("records") or [entry["expect"]]
    assert len(reading.calls) == len(expected)
    for call, wanted in zip(reading.calls, expected, strict=True):
        is_zoned = "start_epoch" in wanted or '"2026-08-22T08:00:00Z"' in entry["body"]
        wanted = compared(wanted, is_zoned)
        assert {name: described(call)[name] for name in wanted} == wanted


@pytest.mark.parametrize("entry", STATES, ids=[entry["id"] for entry in STATES])
def test_a_published_event_becomes_the_state_it_reports(entry: dict[str, Any]) -> None:
    """Every call-status body of the corpus, read with `auto`, gives the state of its `expect`, and no call."""
    reading = read_as_sent(entry)
    assert reading.problems == ()
    assert reading.calls == ()
    [state] = reading.states
    wanted = entry["expect"]
    assert {name: described(state)[name] for name in wanted} == wanted


@pytest.mark.parametrize("entry", OTHERS, ids=[entry["id"] for entry in OTHERS])
def test_what_is_no_call_is_named_and_no_problem(entry: dict[str, Any]) -> None:
    """SMS, USSD, registrations and restarts come through the same door and are understood to be none."""
    reading = read_as_sent(entry)
    assert (reading.calls, reading.states, reading.problems) == ((), (), ())
    assert reading.nothing


# -- what the record says, and what follows from it


def test_an_instant_is_an_epoch_before_it_is_a_clock_time() -> None:
    """A switch that gives both is believed by its epoch: its zone need not be the site's."""
    body = record(
        start_stamp="2018-01-11 11:25:44", start_epoch="1515666344", end_epoch="1515666415", answer_epoch="1515666347"
    )
    call = only_call(read(body))
    assert (call.started_at, call.duration_s, call.billed_s) == (datetime.fromtimestamp(1515666344, UTC), 71, 68)


def test_a_call_across_the_end_of_summer_time() -> None:
    """02:50 to 02:10 by the clock, 20 minutes by the record: the second 02:10 is meant."""
    body = record(start_time="2026-10-25 02:50:00", end_time="2026-10-25 02:10:00", duration=1200, billsec=1190)
    reading = dialects.read(
        event_of(body), KNOWN, chosen="uc", zone=ZoneInfo("Europe/Berlin"), is_extension=is_extension
    )
    call = only_call(reading)
    assert call.ended_at is not None
    assert (call.ended_at - call.started_at, call.duration_s, call.notes) == (timedelta(minutes=20), 1200, ())


@pytest.mark.parametrize(
    ("caller", "callee", "more", "direction", "extension", "number"),
    [
        ("8001", "13800138000", {}, "outbound", "8001", "13800138000"),
        ("13800138000", "8001", {}, "inbound", "8001", "13800138000"),
        ("8001", "8002", {}, "internal", "8001", "8002"),
        ("13800138000", "13900139000", {}, None, None, "13900139000"),
        ("8001", "8002", {"dst_trunk_name": "t"}, "outbound", "8001", "8002"),
        ("8001", "8002", {"src_trunk_name": "t"}, "inbound", "8002", "8001"),
        (
            "13800138000",
            "13900139000",
            {"src_trunk_name": "a", "dst_trunk_name": "b"},
            "outbound",
            None,  # forwarded: nobody of ours called
            "13900139000",
        ),
        ("13800138000", "8001", {"src_trunk_name": "a", "dst_trunk_name": "b"}, "inbound", "8001", "13800138000"),
        ("13800138000", "8001", {"direction": "呼入", "extension": "8009"}, "inbound", "8009", "13800138000"),
    ],
)
def test_direction_from_the_word_else_the_trunks_else_the_numbers(
    caller: str, callee: str, more: dict[str, str], direction: str | None, extension: str | None, number: str
) -> None:
    """The PBX's word counts; without one the trunks tell, without those the site's extensions."""
    call = only_call(read(record(**{"caller": caller, "callee": callee, "direction": "", "billsec": 5, **more})))
    assert (call.direction, call.extension, call.number) == (direction, extension, number)


def test_the_trunk_is_that_of_the_way_out() -> None:
    """A forwarded call has two trunks; the one it left by is what it costs."""
    both = {"src_trunk_name": "in-1", "dst_trunk_name": "out-1", "billsec": 5}
    assert only_call(read(record(**both))).trunk == "out-1"
    assert only_call(read(record(**both, direction="inbound"))).trunk == "in-1"


def test_answered_without_talk_and_talk_without_the_word() -> None:
    """Answered and hung up at once is answered; talk under the word NO ANSWER is billed, with a note."""
    call = only_call(read(record(billsec=0, duration=9)))
    assert (call.disposition, call.billed_s) == (Disposition.ANSWERED, 0)
    call = only_call(read(record(billsec=7, duration=9, disposition="NO ANSWER")))
    assert (call.disposition, call.billed_s) == (Disposition.ANSWERED, 7)
    assert "called no_answer by the PBX" in sentence(call.notes[0])
    call = only_call(read(record(billsec=0, duration=9, disposition="NORMAL_CLEARING")))
    assert (call.disposition, call.billed_s, call.answered_at) == (Disposition.NO_ANSWER, 0, None)


def test_the_same_word_means_talk_in_one_dialect_and_all_in_another() -> None:
    """`duration` is talk at a Dinstar gateway, the whole call at Grandstream, waiting at Infin8linx."""
    gateway = json.dumps(
        {
            "sn": "x",
            "cdr": [
                {
                    "port": 1,
                    "start_date": "2026-03-01 12:00:00",
                    "answer_date": "2026-03-01 12:00:10",
                    "duration": 30,
                    "source_number": "8001",
                    "destination_number": "022",
                    "direction": "ip->gsm",
                    "gsm_code": 16,
                }
            ],
        }
    )
    grandstream = json.dumps(
        {
            "AcctId": "1",
            "src": "8001",
            "dst": "022",
            "start": "2026-03-01 12:00:00",
            "answer": "2026-03-01 12:00:10",
            "end": "2026-03-01 12:00:30",
            "duration": "30",
            "billsec": "20",
            "disposition": "ANSWERED",
        }
    )
    infin8 = json.dumps(
        {
            "callmethod": 3,
            "starttime": "2026-03-01 12:00:00",
            "endtime": "2026-03-01 12:00:50",
            "duration": 30,
            "billsec": 20,
            "disnumber": "022",
            "destnumber": "0139",
            "type": "callout",
            "uuid": "u",
        }
    )
    assert [
        (one.billed_s, one.duration_s) for one in (only_call(read(body)) for body in (gateway, grandstream, infin8))
    ] == [
        (30, 40),
        (20, 30),
        (20, 50),
    ]


def test_milliseconds_and_sip_addresses() -> None:
    """sip-test counts in milliseconds and names parties by SIP address; the begun second counts."""
    body = json.dumps(
        {
            "call_id": "x",
            "cause": 200,
            "connect_delay": 367,
            "connect_duration": 9135,
            "connected": "1694764194562",
            "disconnected": "1694764203697",
            "from": '"A" <sip:1006@h>;tag=1',
            "to": "sip:1007@h",
            "total_duration": 9502,
        }
    )
    call = only_call(read(body))
    assert (call.caller, call.callee, call.billed_s, call.duration_s) == ("1006", "1007", 10, 10)


def test_the_pbx_is_its_serial_else_its_address() -> None:
    """Several PBXs post to one port; what has no serial is known by where it comes from."""
    assert only_call(read(record(sn="a098", billsec=1))).pbx == "a098"
    assert only_call(read(record(billsec=1))).pbx == "192.0.2.7"
    assert dialects.sender("[2001:db8::1]:80") == "2001:db8::1"
    assert dialects.sender("2001:db8::1") == "2001:db8::1"


@pytest.mark.parametrize("identifier", ["twin", "leg", "partial", "sub"])
def test_records_of_a_call_told_before_are_twins_with_their_reason(identifier: str) -> None:
    """Kept and shown, but marked, so that a call is billed once; the reason stands beside the rule."""
    bodies = {
        "twin": next(entry["body"] for entry in CORPUS if entry["id"] == "newrock-cdr-lo-in"),
        "leg": json.dumps(
            {
                "variables": {
                    "uuid": "b",
                    "start_epoch": "1515666344",
                    "end_epoch": "1515666415",
                    "billsec": "68",
                    "duration": "71",
                    "last_bridge_role": "originatee",
                    "sip_from_user": "1001",
                    "sip_to_user": "1002",
                },
                "callflow": {"a": "b"},
            }
        ),
        "partial": next(entry["body"] for entry in CORPUS if entry["id"] == "netsapiens-cdr-insert"),
        "sub": json.dumps({"cdr": [{"sub_cdr_1": GRANDSTREAM}]}),
    }
    assert len(only_call(read(bodies[identifier])).twin or "") > 20


def test_an_update_of_a_record_has_its_key() -> None:
    """NetSapiens pushes a record while the call lives and again at its end: one record, corrected."""
    body = next(entry["body"] for entry in CORPUS if entry["id"] == "netsapiens-cdr-insert")
    first, second = only_call(read(body)), only_call(read(body.replace('"begin"', '"end"').replace("INSERT", "UPDATE")))
    assert first.key == second.key
    assert (first.twin is None, second.twin is None) == (False, True)


def test_a_grandstream_batch_is_no_dinstar_batch() -> None:
    """Both wrap their records in `cdr`; the names inside tell them apart."""
    assert (
        read(next(entry["body"] for entry in CORPUS if entry["id"] == "grandstream-ucm-cdrapi-json")).dialect
        == "grandstream"
    )
    assert read(next(entry["body"] for entry in CORPUS if entry["id"] == "dinstar-gw-cdr-batch")).dialect == "uc"


def test_a_status_that_looks_like_a_record_is_a_status() -> None:
    """XSwitch's DESTROY carries duration and billsec, but its CDR follows by itself."""
    reading = read(next(entry["body"] for entry in CORPUS if entry["id"] == "xswitch-channel-destroy"))
    assert reading.calls == ()
    assert [(state.state, state.phase, state.billed_s) for state in reading.states] == [("bye", Phase.ENDED, 60)]


def test_an_event_that_is_the_record_as_well() -> None:
    """Kazoo's channel_destroy ends the live call and is its record."""
    reading = read(next(entry["body"] for entry in CORPUS if entry["id"] == "kazoo-channel-destroy-form"))
    assert (len(reading.calls), [state.phase for state in reading.states]) == (1, [Phase.ENDED])


def test_text_of_a_json_field_is_opened_only_where_the_dialect_says_so() -> None:
    """Yeastar's `msg` is the record; Feige's customData belongs to the customer."""
    body = json.dumps(
        {
            "taskId": "t",
            "calledNumber": "13123456789",
            "callDuration": 5,
            "callStatus": 1,
            "beginTime": "2026-03-01 12:00:00",
            "endTime": "2026-03-01 12:00:09",
            "customData": '{"callDuration":99}',
        }
    )
    assert only_call(read(body)).billed_s == 5


def test_lines_and_compressed_streams() -> None:
    """A 3CX line by its default columns; a gzip stream of one record a line."""
    line = (
        "Call 1,00000B4,00:01:05,2016/12/05 08:00:00,2016/12/05 08:00:05,2016/12/05 08:01:05,TerminatedBySrc,"
        "Ext.101,902258674577,Ext.101,10000,902258674577,,,,,,,,,Extension,External Line"
    )
    call = only_call(read(line))
    assert (call.dialect, call.caller, call.callee, call.billed_s, call.direction) == (
        "3cx",
        "101",
        "902258674577",
        60,
        Direction.OUTBOUND,
    )
    one = {
        "type": "outbound-cdr",
        "id": "1",
        "attributes": {
            "call_id": "a",
            "time_start": "2026-03-01T12:00:00Z",
            "time_connect": "2026-03-01T12:00:05Z",
            "time_end": "2026-03-01T12:00:15Z",
            "duration": 10,
            "src_number": "022",
            "dst_number": "44",
            "disconnect_code": 200,
        },
    }
    packed = gzip.compress(b"\n".join(json.dumps({**one, "id": name}).encode() for name in "12"))
    assert [(call.record_id, call.billed_s) for call in read(packed).calls] == [("1", 10), ("2", 10)]


def test_the_form_whose_values_were_encoded_twice() -> None:
    """FreeSWITCH encodes values, then the form without touching what is encoded: the quotes inside come out bare."""
    document = {
        "variables": {
            "uuid": "u",
            "start_epoch": "1515666344",
            "end_epoch": "1515666415",
            "billsec": "68",
            "duration": "71",
            "caller_id": "%221001%22%20%3C1001%3E",
            "sip_from_user": "1001",
            "sip_req_user": "1002",
        },
        "callflow": {"a": "b"},
    }
    body = "cdr=" + quote(json.dumps(document), safe="%")
    call = only_call(read(body))
    assert (call.caller, call.billed_s, call.notes) == ("1001", 68, (Reason("json-repaired"),))
    packed = "cdr=" + base64.b64encode(json.dumps(document).encode()).decode()
    assert only_call(read(packed, query="token=t?uuid=a_u")).notes == ()


def test_states_of_several_members() -> None:
    """Of the members' states the one that has come furthest is the call's."""
    members = [
        {"extension": {"number": "1005", "member_status": "ANSWERED"}},
        {"outbound": {"from": "1005", "to": "0138", "trunk_name": "t", "member_status": "BYE"}},
    ]
    body = json.dumps({"type": 30011, "sn": "s", "msg": json.dumps({"call_id": "1.2", "members": members})})
    [state] = read(body).states
    assert (state.state, state.phase, state.caller, state.callee, state.trunk) == (
        "bye",
        Phase.ENDED,
        "1005",
        "0138",
        "t",
    )


# -- which dialect


def test_the_chosen_dialect_must_fit() -> None:
    """No body is forced through the wrong dialect; the problem names what is missing and who would fit."""
    body = next(entry["body"] for entry in CORPUS if entry["id"] == "newrock-cdr-lo")
    [problem] = read(body, "yeastar").problems
    assert sentence(problem.reason).startswith("the body does not fit the dialect yeastar: it looks for action")
    assert sentence(problem.reason).endswith("the dialect newrock would fit")
    assert read(body, "newrock").calls
    assert "no dialect 'siemens'" in sentence(read(body, "siemens").problems[0].reason)


def test_a_body_that_nobody_knows_is_listed_with_its_names() -> None:
    """First contact with an unknown PBX begins with the names it uses."""
    [problem] = read('{"foo":1,"bar":{"x":2}}').problems
    assert sentence(problem.reason) == "no dialect knows this body; its names are foo, bar"


def test_relatives_do_not_tie() -> None:
    """A v1 body without a telling serial number reads alike as Yeastar and as OpenVox; one of them reads it."""
    record_v1 = {
        "action": "NewCdr",
        "callid": "1.2",
        "timestart": "2026-03-01 12:00:00",
        "callfrom": "106",
        "callto": "102",
    }
    assert read(json.dumps(record_v1)).dialect == "yeastar"
    assert read(json.dumps({**record_v1, "sn": "a09805021987"})).dialect == "openvox"


DIALECT = """
title = "{title}"
[[recognise]]
all = ["wann", "wer", "wen"]
[fields]
started_at = ["wann"]
caller = ["wer"]
callee = ["wen"]
billed_s = ["wielange"]
"""
GERMAN = '{"wann":"2026-03-01 12:00:00","wer":"8001","wen":"022","wielange":"64"}'


def test_strangers_that_tie_are_a_problem(tmp_path: Path) -> None:
    """Two dialects that know a body equally well are not drawn lots for; the operator chooses one."""
    for name in ("eins", "zwei"):
        (tmp_path / f"{name}.toml").write_text(DIALECT.format(title=name), encoding="utf-8")
    known = dialects.load(tmp_path)
    [problem] = read(GERMAN, known=known).problems
    assert (
        sentence(problem.reason)
        == "the body fits several dialects equally well: eins, zwei; choose one of them in the settings"
    )
    assert only_call(read(GERMAN, "zwei", known)).dialect == "zwei"


def test_a_site_teaches_a_dialect_of_its_own(tmp_path: Path) -> None:
    """One TOML file in the data directory, and the unknown body is a call."""
    assert read(GERMAN).problems
    (tmp_path / "siemens.toml").write_text(DIALECT.format(title="Siemens"), encoding="utf-8")
    call = only_call(read(GERMAN, known=dialects.load(tmp_path)))
    assert (call.dialect, call.billed_s, call.number) == ("siemens", 64, "022")


def test_a_copy_of_uc_with_one_name_changed(tmp_path: Path) -> None:
    """The engineer's way: copy uc.toml, add the firmware's name, read again; the copy takes the original's place."""
    body = record(start_time=None, startat_pbx="2026-03-01 12:00:00", billsec=5)
    assert "no dialect knows" in sentence(read(body).problems[0].reason)
    packaged = dialects.PACKAGED / "uc.toml"
    text = packaged.read_text("utf-8").replace("started_at = [\n", 'started_at = [\n    "startAt_PBX",\n')
    (tmp_path / "uc.toml").write_text(text, encoding="utf-8")
    known = dialects.load(tmp_path)
    assert known["uc"].own
    assert only_call(read(body, known=known)).dialect == "uc"
    (tmp_path / "ours.toml").write_text(text, encoding="utf-8")
    (tmp_path / "uc.toml").unlink()
    assert only_call(read(body, known=dialects.load(tmp_path))).dialect == "ours"
    assert only_call(read(record(billsec=5), known=dialects.load(tmp_path))).dialect == "ours"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("title = ", "Invalid"),
        ('titel = "x"', "titel must be a key out of"),
        ('[fields]\nanrufer = ["wer"]', "fields.anrufer must be one of our fields"),
        ("[fields]\ncaller = [1]", "fields.caller must be a name"),
        ('[fields]\nbilled_s = [{path = "x", unit = "min"}]', "fields.billed_s must be a `path`, and a `unit`"),
        ('[fields]\ntrunk = [{path = "x", pattern = "("}]', "fields.trunk must be a regular expression"),
        ('[fields]\ntrunk = [{path = "x", pattern = "x"}]', "one group in parentheses"),
        ('[states]\nplaudern = ["TALK"]', "states.plaudern must be a key out of"),
        ('[[kinds]]\nis = "call"', "kinds[0].is must be one of: cdr, status"),
        ('[[twins]]\nwhen = {a = "b"}', "twins[0].because must be the reason"),
        ('recognise = "x"', "recognise must be a list of tables"),
        ("[records]\npaths = 3", "records.paths must be a list of names"),
        ("title = 3", "title must be a text"),
    ],
)
def test_a_dialect_that_is_wrong_is_named_with_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    """The engineer learns which line of which file to correct."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        dialects.load(tmp_path)
    assert str(path) in caught.value.message
    assert named in caught.value.message


def test_every_packaged_dialect_is_described() -> None:
    """Each has a title, a description, a way to be recognised, and tells its sources and its doubts."""
    assert {"uc", "freeswitch", "yeastar", "yeastar-p", "openvox", "grandstream", "asterisk", "newrock"} <= set(KNOWN)
    for name, dialect in KNOWN.items():
        text = (dialects.PACKAGED / f"{name}.toml").read_text("utf-8")
        assert dialect.title
        assert dialect.description
        assert dialect.marks
        assert dialect.answer.startswith("{")
        assert re.search(r"^# (?:.*\n# )*Sources?:", text, re.MULTILINE), name
        assert "Uncertain:" in text, name


@pytest.mark.parametrize("entry", [*CDRS, *STATES, *OTHERS], ids=[entry["id"] for entry in [*CDRS, *STATES, *OTHERS]])
def test_no_published_body_ties(entry: dict[str, Any]) -> None:
    """With every dialect known, each body of the corpus is read by exactly one, and as well when that one is chosen."""
    found = read_as_sent(entry)
    if found.dialect is not None:
        again = read_as_sent(entry, found.dialect)
        assert (again.calls, again.states, again.nothing) == (found.calls, found.states, found.nothing)


# -- rubbish, and the next good call


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"sn":"x","cdr":[{"port":1', "cut off"),
        ("[1,2,3]", "not records"),
        ("hello", "neither JSON, XML, a form"),
        (b"\x00\x01\x02\xff\xfe\x80binary", "neither JSON"),
        ('{"cdr":"hello"}', "no dialect knows this body"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        (record(start_time="9999-12-31 23:59:59"), "outside the years"),
        (record(billsec=-5), "billsec: the duration '-5' is negative"),
        (record(start_time="soon", billsec=5), "'soon' is not a time"),
        (
            '{"action":"NewCdr","callid":"1","timestart":"2026-03-01 12:00:00","talkduraction":"5","sn":"x"}',
            "no caller or callee: yeastar looks for callfrom",
        ),
    ],
)
def test_rubbish_is_a_problem_with_a_sentence(body: str | bytes, reason: str) -> None:
    """Each says what is wrong; the next body is read as if nothing had happened."""
    reading = read(body)
    assert reading.calls == ()
    assert reason in "; ".join(sentence(one.told) for one in reading.problems)
    assert only_call(read(record(billsec=64))).billed_s == 64


@pytest.mark.parametrize(
    ("body", "why"),
    [("", "an empty body"), (" \r\n\0", "an empty body"), ("{}", "an empty probe"), ("[]", "an empty body")],
)
def test_probes_are_nothing(body: str, why: str) -> None:
    """A sender that tries the address is not a problem."""
    reading = read(body)
    assert (reading.problems, reading.calls, sentence(reading.nothing)) == ((), (), why)


def test_one_bad_record_does_not_spoil_the_others() -> None:
    """The good records of a batch are calls, the bad one is a problem that names its place."""
    good = GRANDSTREAM
    reading = read(
        json.dumps({"cdr": [good, {**good, "AcctId": "2", "start": "never", "end": ""}, {**good, "AcctId": "3"}]})
    )
    assert [call.record_id for call in reading.calls] == ["1", "3"]
    assert [problem.where for problem in reading.problems] == ["2"]
    reading = read("\n".join([record(billsec=1), record(billsec="x"), record(billsec=3)]))
    assert [call.billed_s for call in reading.calls] == [1, 3]
    assert sentence(reading.problems[0].told).startswith("record 2: billsec")


def test_a_flood_of_problems_is_counted() -> None:
    """Of a thousand bad records the first few are told, the rest counted."""
    reading = read("\n".join('{"foo":1}' for _ in range(1_000)))
    assert len(reading.problems) == dialects.MOST_PROBLEMS + 1
    assert sentence(reading.problems[-1].reason) == "and 980 problems more"


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["auto", *KNOWN]))
def test_any_bytes_give_a_reading(body: bytes, chosen: str) -> None:
    """No delivery raises; what is not a call is a problem, or understood to be nothing."""
    reading = read(body, chosen)
    assert reading.calls or reading.states or reading.problems or reading.nothing


@settings(deadline=None)
@given(st.data())
def test_any_values_under_known_names_give_a_reading(data: st.DataObject) -> None:
    """Bodies that look right and hold anything are read or refused, and every text is fit for a database."""
    value = (
        st.text(max_size=20)
        | st.integers(-(10**18), 10**18)
        | st.none()
        | st.booleans()
        | st.just("2026-03-01 12:00:00")
        | st.just("8001")
    )
    entry = data.draw(
        st.sampled_from([one for one in CORPUS if one["body"].lstrip().startswith("{") and "}\n{" not in one["body"]])
    )
    try:
        document = json.loads(entry["body"].strip("\0\r\n\ufeff"))
    except ValueError:
        return
    for name in data.draw(st.lists(st.sampled_from(list(document)), max_size=5)):
        document[name] = data.draw(
            value | st.lists(value, max_size=2) | st.dictionaries(st.text(max_size=4), value, max_size=2)
        )
    reading = read(json.dumps(document))
    for found in (*reading.calls, *reading.states):
        repr(found).encode("utf-8")
        assert all(len(said) <= 512 for said in (found.caller or "", found.callee or "", found.trunk or ""))


def test_a_part_of_a_second_is_kept_beside_the_begun_one() -> None:
    """Talk told in milliseconds is billed by begun seconds, and a carrier may charge it otherwise."""
    body = {
        "call_id": "a1",
        "cause": 200,
        "connected": "1694764203334",
        "disconnected": "1694764263834",
        "total_duration": 62000,
        "from": "sip:8001@pbx",
        "to": "sip:058674577@pbx",
    }
    told = [only_call(read(json.dumps({**body, "connect_duration": ms}), "sip-test")) for ms in (60_500, 60_000)]
    assert [(call.billed_s, call.billed_ms) for call in told] == [(61, 60_500), (60, None)]
