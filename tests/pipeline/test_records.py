"""One record, one call; two calls, two calls: whatever ids senders give."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ippbx_billing.calls import ChargeStatus, EventStatus
from ippbx_billing.ledger.recounting import wrong_sums
from tests.pipeline.test_pipeline import Bench, bench

__all__ = ["bench"]

FIRST = {"caller": "8001", "callee": "58674577", "start_time": "2026-01-05 10:00:00", "billsec": 64, "duration": 70}
OTHER = {"caller": "8002", "callee": "58674578", "start_time": "2026-05-21 22:00:00", "billsec": 65, "duration": 72}


def body(record_id: object, facts: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"cdr_id": record_id, **facts, **more}).encode()


def told(bench: Bench) -> list[tuple[object, object]]:
    return sorted((call["extension"], call["billed_s"]) for call in bench.calls())


@pytest.mark.parametrize("together", [False, True])
def test_an_id_that_comes_again_for_another_call_is_two_calls(bench: Bench, together: bool) -> None:
    """A counter that was reset deletes nothing, and the second call says whose id it has."""
    bodies = [body("62", FIRST), body("62", OTHER)]
    if together:
        bench.deliver(*bodies)
    else:
        for one in bodies:
            bench.deliver(one)
    assert told(bench) == [("8001", 64), ("8002", 65)]
    assert [call["notes"] for call in bench.calls()] == [
        [],
        ["the id of its record is also that of another call, which came with event 1"],
    ]
    assert bench.ledger.records.counts("2026-01-01", "2026-12-31") == (1, 0)
    assert wrong_sums(bench.ledger) == []


def test_each_call_of_a_reused_id_is_corrected_and_repeated_by_itself(bench: Bench) -> None:
    """A later version finds the call that it can be of, and a repetition is a duplicate."""
    bench.deliver(body("62", FIRST), body("62", OTHER))
    bench.deliver(
        body("62", OTHER, billsec=70, duration=77), body("62", FIRST), body("62", OTHER, billsec=70, duration=77)
    )
    assert told(bench) == [("8001", 64), ("8002", 70)]
    assert bench.outcomes() == {
        2: (EventStatus.DONE, "corrected by event 3"),
        4: (EventStatus.DUPLICATE, "delivered before with event 1"),
        5: (EventStatus.DUPLICATE, "delivered before with event 3"),
    }
    assert bench.ledger.records.counts("2026-01-01", "2026-12-31") == (1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"caller": "8003"},  # two legs of a transfer, or two PBXs behind one address
        {"callee": "58674579"},
        {"start_time": "2026-01-05 10:02:00"},  # the same two again, after the first call was over
        {"start_time": "2026-01-06 10:00:00"},
    ],
)
@pytest.mark.parametrize("one_body", [False, True])
def test_what_cannot_be_the_same_call_is_kept_beside_it(bench: Bench, more: dict[str, str], one_body: bool) -> None:
    """Other parties, or another time: two calls, in one body or in two."""
    records = [{"cdr_id": "7", **FIRST}, {"cdr_id": "7", **FIRST, **more}]
    bench.deliver(*([json.dumps(records).encode()] if one_body else [json.dumps(one).encode() for one in records]))
    assert len(bench.calls()) == 2


@pytest.mark.parametrize("name", ["0", 0, "-1", "unknown", "00000000-0000-0000-0000-000000000000", "n/a", "None"])
def test_an_id_that_means_nothing_is_none(bench: Bench, name: object) -> None:
    """Two calls of one minute with such an id are two calls; the same record again is a duplicate."""
    near = FIRST | {"start_time": "2026-01-05 10:00:03"}
    bench.deliver(body(name, FIRST), body(name, near), body(name, FIRST))
    assert len(bench.calls()) == 2
    assert bench.ledger.records.counts("2026-01-01", "2026-12-31") == (0, 0)


@pytest.mark.parametrize("order", [(10, 64), (64, 10)])
@pytest.mark.parametrize("together", [False, True])
def test_the_version_that_ends_later_is_the_final_one(bench: Bench, order: tuple[int, int], together: bool) -> None:
    """An interim record that was held up on its way does not take the final one's place."""
    bodies = [body("o1", FIRST, billsec=talk, duration=talk + 6) for talk in order]
    if together:
        bench.deliver(*bodies)
    else:
        for one in bodies:
            bench.deliver(one)
    (call,) = bench.calls()
    assert (call["billed_s"], call["fee"]) == (64, "0.22")
    if order[0] == 64:
        assert bench.outcomes() == {2: (EventStatus.DUPLICATE, "older than the version of event 1")}
    bench.pipeline.replay([1, 2])
    assert told(bench) == [("8001", 64)]


def test_a_thousand_calls_with_one_id_are_a_thousand_calls(bench: Bench) -> None:
    """A sender whose id is constant loses nothing, and takes no time that grows with the square."""
    calls = [
        body("1", FIRST, callee=f"5867{place % 50:04}", start_time=f"2026-01-05 {place // 60:02}:{place % 60:02}:00")
        for place in range(1_000)
    ]
    bench.deliver(*calls)
    bench.deliver(*calls[:100])
    assert len(bench.calls()) == 1_000


def test_replaying_either_call_of_a_reused_id_keeps_both(bench: Bench) -> None:
    """Each event gives its own call again, whichever is read first."""
    bench.deliver(body("62", FIRST), body("62", OTHER))
    for events in ([1], [2], [1, 2], [2], [1]):
        bench.pipeline.replay(events)
        assert told(bench) == [("8001", 64), ("8002", 65)]
    bench.deliver(body("62", FIRST), body("62", OTHER))
    assert told(bench) == [("8001", 64), ("8002", 65)]
    assert wrong_sums(bench.ledger) == []


def test_an_anonymized_call_that_comes_again_stays_masked(bench: Bench) -> None:
    """Neither its numbers nor its fee come back: not by a repetition, a later version, or a replay of everything."""
    from datetime import date

    from ippbx_billing.upkeep.masking import anonymize

    late = FIRST | {"start_time": "2026-01-07 10:00:00"}
    bench.deliver(body("62", FIRST), json.dumps(FIRST | {"caller": "8005"}).encode())
    midnight = datetime(2026, 2, 1, tzinfo=UTC)
    anonymize(bench.ledger, bench.settings.inbox_path, date(2026, 2, 1), midnight, keep_events=True)
    before = bench.calls()
    bench.deliver(
        body("62", FIRST), json.dumps(FIRST | {"caller": "8005"}).encode(), body("62", FIRST, billsec=300, duration=310)
    )
    bench.pipeline.replay(range(1, 6))
    assert bench.calls() == before
    assert {outcome[0] for outcome in bench.outcomes().values()} == {EventStatus.DUPLICATE}
    bench.deliver(body("63", late))
    bench.pipeline.replay(range(1, 7))
    assert {call["number"] for call in bench.calls()} == {"5867XXXX"}
    assert [call["status"] for call in bench.calls()] == [ChargeStatus.RATED] * 3


def test_a_dialect_may_say_that_a_later_version_names_other_parties(bench: Bench) -> None:
    """NetSapiens' UPDATE after a transfer is the same call; of another dialect it would be a call of its own."""

    def record(callee: str, talk: int) -> bytes:
        return json.dumps([
            {
                "orig_callid": "o-1", "term_callid": "t-1", "batch_tim_beg": "2026-05-21 22:00:00",
                "batch_tim_ans": "2026-05-21 22:00:05", "batch_tim_rel": f"2026-05-21 22:0{talk // 60}:05",
                "batch_dura": str(talk), "orig_from_user": "8001", "orig_req_user": callee, "term_type": "gateway",
            }
        ]).encode()  # fmt: skip

    bench.deliver(record("58674577", 60), record("58674578", 180))
    (call,) = bench.calls()
    assert (call["dialect"], call["number"], call["billed_s"]) == ("netsapiens", "58674578", 180)
