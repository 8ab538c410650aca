"""The rows of one call: one conversation on a carrier's trunk is billed once, in whatever order its rows come."""

import json
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from ippbx_billing.ledger.recounting import wrong_sums
from tests.pipeline.test_pipeline import Bench, bench

__all__ = ["bench"]

MOBILE, CALLER = "13800138000", "13912345678"
Billed = list[tuple[str, str, int]]


def asterisk(src: str, dst: str, channels: str, times: str, talk: int, place: int, **more: Any) -> dict[str, Any]:
    """A row of FreePBX's table: `times` is start and length, `channels` the two channels."""
    channel, dstchannel = channels.split()
    start, length = times.split("+")
    return {
        "calldate": f"2026-05-21 {start}", "dcontext": "from-internal", "lastapp": "Dial", "duration": int(length),
        "billsec": talk, "disposition": "ANSWERED" if talk else "NO ANSWER", "clid": f"<{src}>", "src": src, "dst": dst,
        "channel": channel, "dstchannel": dstchannel, "uniqueid": f"1779372000.{place}", "linkedid": "1779372000.1",
        "sequence": str(place), **more,
    }  # fmt: skip


TRUNK, TRUNK_2 = "SIP/trunk1-00000002", "SIP/trunk2-00000009"
EXT_1, EXT_5 = "SIP/8001-00000001", "SIP/8005-00000003"


def freeswitch(caller: str, called: str, talk: int, uuid: str, **more: Any) -> dict[str, Any]:
    """A leg as middleware passes it on."""
    return {
        "caller_id_number": caller, "destination_number": called, "start_stamp": "2026-05-21 10:00:00",
        "answer_stamp": "2026-05-21 10:00:07" if talk else "", "end_stamp": "2026-05-21 10:01:12", "duration": "72",
        "billsec": str(talk), "hangup_cause": "NORMAL_CLEARING", "uuid": uuid, **more,
    }  # fmt: skip


def threecx(source: str, target: str, times: str, place: int, **more: Any) -> dict[str, Any]:
    """A segment with the names of V20: `times` are start, answer (or -) and end."""
    started, answered, ended = ("" if one == "-" else f"2026-05-21T{one}Z" for one in times.split())
    sides = {}
    for role, number in (("source", source), ("destination", target)):
        inside = len(number) == 4 or number.startswith("6")
        sides[f"{role}_dn_number" if inside else f"{role}_participant_phone_number"] = number
    return {
        "cdr_id": f"c-{place}", "main_call_history_id": "h-1", "call_history_id": f"h-{place}", **sides,
        "cdr_started_at": started, "cdr_answered_at": answered, "cdr_ended_at": ended, **more,
    }  # fmt: skip


def ucm(src: str, dst: str, start: str, talk: int, place: int, **more: Any) -> dict[str, Any]:
    """A row of Grandstream's real-time output; each leg has an id of its own, the session is the call's."""
    hour, minute, second = map(int, start.split(":"))
    begun = hour * 3600 + minute * 60 + second
    clock = [
        f"2026-10-12 {at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}" for at in (begun, begun + 3, begun + 3 + talk)
    ]
    return {
        "AcctId": str(place), "src": src, "dst": dst, "dcontext": "from-internal", "start": clock[0],
        "answer": clock[1] if talk else "", "end": clock[2], "duration": str(talk + 3), "billsec": str(talk),
        "disposition": "ANSWERED" if talk else "NO ANSWER", "uniqueid": f"1.{place}", "session": "s501-1",
        "action_owner": src, "action_type": "DIAL", "src_trunk_name": "", "dst_trunk_name": "", **more,
    }  # fmt: skip


def sbc(caller: str, called: str, direction: str, uuid: str) -> dict[str, Any]:
    """A leg of libresbc: each leg has a record, the session's id is in both."""
    return {
        "uuid": uuid, "seshid": "s-77", "direction": direction, "intconname": "carrier", "caller_number": caller,
        "destination_number": called, "start_time": "1779372000", "answer_time": "1779372007", "end_time": "1779372072",
        "duration": "65", "hangup_cause": "NORMAL_CLEARING",
    }  # fmt: skip


SHAPES: dict[str, tuple[list[dict[str, Any]], Billed]] = {
    "Asterisk: called out, handed over blindly": (
        [
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+72", 65, 6),
            asterisk(MOBILE, "8005", f"{TRUNK} {EXT_5}", "22:01:12+303", 300, 8),
        ],
        [("8001", MOBILE, 368)],
    ),
    "Asterisk: called out, asked a colleague, handed over": (
        [
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+100", 95, 1),
            asterisk("8001", "8005", f"{EXT_1} {EXT_5}", "22:01:00+40", 35, 2),
            asterisk("8005", MOBILE, f"{EXT_5} {TRUNK}", "22:01:40+60", 60, 3),
        ],
        [("8001", "8005", 35), ("8001", MOBILE, 155)],
    ),
    "Asterisk: handed over twice": (
        [
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+60", 50, 1),
            asterisk(MOBILE, "8005", f"{TRUNK} {EXT_5}", "22:01:00+60", 55, 2),
            asterisk(MOBILE, "8006", f"{TRUNK} SIP/8006-0000000a", "22:02:00+60", 58, 3),
        ],
        [("8001", MOBILE, 170)],
    ),
    "Asterisk: called in, and handed over": (
        [
            asterisk(CALLER, "8001", f"{TRUNK} {EXT_1}", "22:00:00+60", 50, 1),
            asterisk(CALLER, "8005", f"{TRUNK} {EXT_5}", "22:01:00+60", 55, 2),
        ],
        [("8001", CALLER, 110)],
    ),
    "Asterisk: called in, forwarded to a mobile by the extension": (
        [
            asterisk(CALLER, "8001", f"{TRUNK} {EXT_1}", "22:00:00+10", 0, 1),
            asterisk(CALLER, MOBILE, f"{TRUNK} {TRUNK_2}", "22:00:10+70", 60, 2),
        ],
        [("8001", CALLER, 0), ("8001", MOBILE, 60)],
    ),
    "Asterisk: two whom we called are connected with each other": (
        [
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+60", 50, 1),
            asterisk("8001", CALLER, f"{EXT_1} {TRUNK_2}", "22:00:30+30", 20, 2),
            asterisk(MOBILE, CALLER, f"{TRUNK} {TRUNK_2}", "22:01:00+60", 60, 3),
        ],
        [("8001", MOBILE, 110), ("8001", CALLER, 80)],
    ),
    "Asterisk: a queue rings three, one answers": (
        [
            asterisk(CALLER, "601", f"{TRUNK} Local/8003@q-1;1", "22:00:00+20", 0, 1),
            asterisk(CALLER, "601", f"{TRUNK} Local/8004@q-2;1", "22:00:00+60", 50, 2),
            asterisk(CALLER, "601", f"{TRUNK} Local/8005@q-3;1", "22:00:00+20", 0, 3),
        ],
        [("601", CALLER, 50)],
    ),
    "Asterisk: the queue's row around the agent's": (
        [
            asterisk(CALLER, "601", f"{TRUNK} Local/8003@q-1;1", "22:00:00+60", 60, 1),
            asterisk(CALLER, "8003", f"{TRUNK} SIP/8003-00000007", "22:00:05+55", 50, 2),
        ],
        [("8003", CALLER, 60)],
    ),
    "Asterisk: a group that nobody answers": (
        [
            asterisk(CALLER, "8001", f"{TRUNK} {EXT_1}", "22:00:00+20", 0, 1),
            asterisk(CALLER, "8005", f"{TRUNK} {EXT_5}", "22:00:00+20", 0, 2),
        ],
        [("8001", CALLER, 0)],
    ),
    "Asterisk: the first trunk is full, the second takes it": (
        [
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+1", 0, 1),
            asterisk("8001", MOBILE, f"{EXT_1} {TRUNK_2}", "22:00:01+70", 64, 2),
        ],
        [("8001", MOBILE, 64)],
    ),
    "FreeSWITCH: both legs": (
        [
            freeswitch("8001", MOBILE, 65, "a", bridge_uuid="b", direction="inbound"),
            freeswitch("8001", MOBILE, 65, "b", bridge_uuid="a", direction="outbound", gateway="trunk1"),
        ],
        [("8001", MOBILE, 65)],
    ),
    "FreeSWITCH: the leg outside shows the company's number": (
        [
            freeswitch("8001", MOBILE, 65, "a", signal_bond="b"),
            freeswitch("02288880000", MOBILE, 65, "b", signal_bond="a", gateway="trunk1"),
        ],
        [("8001", MOBILE, 65)],
    ),
    "FreeSWITCH: handed over blindly, the trunk's leg lasts longer": (
        [
            freeswitch("8001", MOBILE, 65, "a", bridge_uuid="b", gateway="trunk1"),
            freeswitch("8001", MOBILE, 125, "b", bridge_uuid="a", last_bridge_role="originatee", gateway="trunk1")
            | {"end_stamp": "2026-05-21 10:02:12", "duration": "132"},
        ],
        [("8001", MOBILE, 125)],
    ),
    "Twilio: the leg names its parent": (
        [
            {"CallSid": "CA1", "From": "8001", "To": MOBILE, "StartTime": "2026-05-21 22:00:00", "Duration": "65",
             "EndTime": "2026-05-21 22:01:12", "CallStatus": "completed"},
            {"CallSid": "CA2", "From": "8001", "To": MOBILE, "StartTime": "2026-05-21 22:00:02", "Duration": "65",
             "EndTime": "2026-05-21 22:01:12", "CallStatus": "completed", "ParentCallSid": "CA1"},
        ],
        [("8001", MOBILE, 65)],
    ),
    "3CX: called in, through a queue, handed over": (
        [
            threecx(CALLER, "601", "14:00:00 14:00:02 14:00:20", 1, source_participant_is_incoming=True),
            threecx(CALLER, "8003", "14:00:10 14:00:20 14:01:20", 2, source_participant_is_incoming=True),
            threecx(CALLER, "8005", "14:01:20 14:01:25 14:02:00", 3, source_participant_is_incoming=True),
        ],
        [("601", CALLER, 118)],
    ),
    "3CX: called out, handed over": (
        [
            threecx("8001", MOBILE, "14:00:00 14:00:05 14:01:00", 1),
            threecx(MOBILE, "8005", "14:01:00 14:01:02 14:02:00", 2),
        ],
        [("8001", MOBILE, 115)],
    ),
    "UCM: called out, handed over with a question between": (
        [
            ucm("8001", MOBILE, "10:00:00", 57, 1, dst_trunk_name="trunk_1", userfield="Outbound", channel_ext="8001"),
            ucm("8001", "8005", "10:00:30", 20, 2, userfield="Internal", action_type="ATTENDED_TRANSFER"),
            ucm(MOBILE, "8005", "10:01:00", 60, 3, src_trunk_name="T", userfield="Inbound", dstchannel_ext="8005"),
        ],
        [("8001", "8005", 20), ("8001", MOBILE, 120)],
    ),
    "UCM: called in, a ring group": (
        [
            ucm(CALLER, "8001", "10:00:00", 0, 1, src_trunk_name="T", userfield="Inbound", dstchannel_ext="8001"),
            ucm(CALLER, "8005", "10:00:00", 57, 2, src_trunk_name="T", userfield="Inbound", dstchannel_ext="8005"),
        ],
        [("8005", CALLER, 57)],
    ),
    "libresbc: called out": (
        [sbc("8001", MOBILE, "inbound", "u1"), sbc("8001", MOBILE, "outbound", "u2")],
        [("8001", MOBILE, 65)],
    ),
    "libresbc: called in": (
        [sbc(CALLER, "8001", "inbound", "u1"), sbc(CALLER, "8001", "outbound", "u2")],
        [("8001", CALLER, 65)],
    ),
    "two rows of a call among ourselves": (
        [freeswitch("8001", "8005", 65, "a", bridge_uuid="b"), freeswitch("8001", "8005", 65, "b", bridge_uuid="a")],
        [("8001", "8005", 65)],
    ),
}  # fmt: skip


def billed(bench: Bench) -> Billed:
    """Extension, number and talk of the calls that count."""
    return sorted(
        (str(call["extension"]), str(call["number"]), int(str(call["billed_s"])))
        for call in bench.calls()
        if call["status"] != "filtered"
    )


def bodies(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "at once"])
def test_a_conversation_is_billed_once_in_whatever_order_its_rows_come(
    bench: Bench, shape: str, together: bool
) -> None:
    """Late and out of order: the same calls count, every row is kept, and the sums are those of the calls."""
    rows, wanted = SHAPES[shape]
    for order in permutations(rows):
        if together:
            bench.deliver(*bodies(order))
        else:
            for body in bodies(order):
                bench.deliver(body)
        assert billed(bench) == sorted(wanted)
        assert len(bench.calls()) == len(rows)
        assert wrong_sums(bench.ledger) == []
        bench.deliver(*bodies(rows))  # again, as after a lost answer
        assert (billed(bench), len(bench.calls())) == (sorted(wanted), len(rows))
        _take_all_out(bench)


def _take_all_out(bench: Bench) -> None:
    """Before the next order: as if nothing had come."""
    with bench.ledger.transaction():
        bench.pipeline._write((), bench.pipeline._forget(range(1, bench.inbox.last_id() + 1)))
    assert bench.calls() == []
    for table in ("call_rows", "call_links", "reused_ids"):
        assert bench.ledger.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


def test_rows_that_only_share_a_constant_id_are_calls_of_their_own(bench: Bench) -> None:
    """A group id that is always the same joins nobody: another number, the same number again, two who dial at once."""
    rows = [
        asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:00:00+72", 65, 1),
        asterisk("8001", "13800138099", f"{EXT_1} {TRUNK}", "22:01:13+72", 65, 2),
        asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:02:26+72", 65, 3),
        asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "22:03:39+72", 65, 4),
        asterisk("8005", MOBILE, f"{EXT_5} {TRUNK_2}", "22:02:30+72", 65, 5),
        asterisk("8001", MOBILE, f"{EXT_1} {TRUNK}", "23:30:00+72", 65, 6),
    ]
    bench.deliver(*bodies(rows))
    assert len(billed(bench)) == len(rows)
    many = [
        asterisk("8001", f"138001{place:05}", f"{EXT_1} {TRUNK}", "10:00:00+72", 65, 100 + place) for place in range(80)
    ]
    bench.deliver(*bodies(many))
    assert len(billed(bench)) == len(rows) + len(many)


def test_what_a_part_of_the_records_tells_is_put_together(bench: Bench) -> None:
    """One record knows of the answer, another of the end: the call is one, with the talk between them."""
    shared = {"pbx_call_id": "p-1", "caller": "8001", "callee": MOBILE, "start_time": "2026-05-21 22:00:00"}
    records = [
        {**shared, "answer_time": "2026-05-21 22:00:10"},
        {**shared, "end_time": "2026-05-21 22:01:15"},
    ]
    bench.deliver(*bodies(records))
    assert len(billed(bench)) == 1


def test_a_row_that_is_corrected_or_read_again_takes_its_conversation_along(bench: Bench) -> None:
    """Every row is known by what its record says; replays in any order end in the same bill."""
    rows, wanted = SHAPES["Asterisk: called out, handed over blindly"]
    bench.deliver(*bodies(rows))
    for events in ([1], [2], [1, 2], [2, 1], [2]):
        bench.pipeline.replay(events)
        assert billed(bench) == wanted
    longer = rows[1] | {"duration": 363, "billsec": 360}
    bench.deliver(*bodies([longer]))
    assert billed(bench) == [("8001", MOBILE, 428)]
    assert len(bench.calls()) == 2
    bench.deliver(*bodies([*rows, longer]))
    assert (billed(bench), len(bench.calls())) == ([("8001", MOBILE, 428)], 2)
    assert wrong_sums(bench.ledger) == []


def test_rating_again_and_building_anew_keep_the_rows_joined(bench: Bench) -> None:
    """The rows that are not billed stay filtered, with the row that is."""
    from datetime import UTC, date, datetime

    from ippbx_billing.pipeline import Rules
    from ippbx_billing.pipeline.rebuilding import rebuild
    from ippbx_billing.pipeline.rerating import Rerating, Wanted

    rows, wanted = SHAPES["Asterisk: called out, handed over blindly"]
    bench.deliver(*bodies(reversed(rows)))
    told = [(call["status"], call["fee"], call["reason"]) for call in bench.calls()]
    assert ("filtered", "0.00", "a row of call 2, which is billed for the whole conversation") in told
    days = Wanted(date(2026, 5, 1), date(2026, 5, 31))
    outcome = Rerating(bench.ledger, Rules.of(bench.ledger, bench.settings), days).run(datetime(2026, 6, 1, tzinfo=UTC))
    assert outcome.changed == 0
    rebuild(bench.settings.inbox_path, bench.settings.ledger_path, lambda ledger: Rules.of(ledger, bench.settings))
    assert billed(bench) == wanted
    assert [(call["status"], call["fee"]) for call in bench.calls()] == [one[:2] for one in told]
    assert wrong_sums(bench.ledger) == []


def test_begin_answer_and_end_are_one_call_with_the_talk_between(bench: Bench) -> None:
    """Events of which only the last is a record that does not tell the talk: whichever comes first, it is the same."""
    shared = {"call_id": "x1", "caller": "8001", "callee": MOBILE, "start_time": "2026-05-21 22:00:00"}
    events = [
        {**shared, "event": "start"},
        {**shared, "event": "answer", "answer_time": "2026-05-21 22:00:12"},
        {**shared, "event": "end", "end_time": "2026-05-21 22:01:12"},
    ]
    for order in permutations(events):
        for body in bodies(order):
            bench.deliver(body)
        (call,) = bench.calls()
        assert (call["answered_at"], call["billed_s"]) == ("2026-05-21T22:00:12+08:00", 60)
        assert call["notes"] == ["answer and end were told by different records"]
        bench.deliver(*bodies(order))
        assert len(bench.calls()) == 1
        assert wrong_sums(bench.ledger) == []
        _take_all_out(bench)
        with bench.ledger.transaction():
            bench.ledger.rows.forget_answers(2**40)


def test_what_a_row_said_before_it_was_joined_goes_when_it_is_masked(bench: Bench) -> None:
    """It might be somebody's number; the rows stay joined, and are known when they come again."""
    from datetime import UTC, date, datetime

    from ippbx_billing.upkeep.masking import anonymize

    def own_facts() -> list[str]:
        return [row[0] for row in bench.ledger.connection.execute("SELECT own FROM call_rows")]

    rows, _ = SHAPES["Asterisk: called out, handed over blindly"]
    bench.deliver(*bodies(rows))
    assert all("billed_s" in facts for facts in own_facts())
    midnight = datetime(2026, 6, 1, tzinfo=UTC)
    anonymize(bench.ledger, bench.settings.inbox_path, date(2026, 6, 1), midnight, keep_events=True)
    assert own_facts() == ["{}", "{}"]
    before = bench.calls()
    bench.deliver(*bodies(rows))
    assert bench.calls() == before
