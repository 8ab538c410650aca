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
from ippbx_billing.calls import Call, CallStatus, Direction, Disposition, EventKind, Phase, RawEvent, Reading
from ippbx_billing.errors import DataError

SHANGHAI = ZoneInfo("Asia/Shanghai")
CORPUS = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "corpus.jsonl").read_text("utf-8").splitlines()
]
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
        "call_id": "c-1", "start_time": "2026-03-01 12:00:00", "caller": "8001", "callee": "02258674577",
        "direction": "outbound", "disposition": "ANSWERED",
    }  # fmt: skip
    return json.dumps({**usual, **names})


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
            "start": local(found.started_at), "answer": local(found.answered_at), "end": local(found.ended_at),
            "start_epoch": int(found.started_at.timestamp()), "billsec_s": found.billed_s,
            "end_epoch_ms": int(found.ended_at.timestamp()) * 1000 if found.ended_at else None,
            "disposition": found.disposition, "record_id": found.record_id, "pin": found.pin, "account": found.pin,
            "session": found.group_id,
        }  # fmt: skip
    return {
        **names, "call_id": found.call_id, "caller": found.caller, "callee": found.callee, "direction": found.direction,
        "trunk": found.trunk, "extension": found.extension, "pbx_sn": found.pbx, "duration_s": found.duration_s,
    }  # fmt: skip


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
