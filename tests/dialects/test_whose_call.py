"""Whose call it is: the channel, the account or the agent before the company's own number, a label or a queue."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.calls import Call, Direction, EventKind, RawEvent
from ippbx_billing.dialects import load, read
from ippbx_billing.dialects.values import number

KNOWN = load()
OWN, OUTSIDE, CUSTOMER = "02288880000", "13800138000", "13912345678"
START = "2026-05-21 22:00:00"
RECORD = {"call_id": "c", "start_time": START, "end_time": "2026-05-21 22:01:12", "billsec": 65, "duration": 72}


def call_of(body: dict[str, Any] | str) -> Call:
    raw = body if isinstance(body, str) else json.dumps(body)
    arrived = datetime(2026, 5, 21, 15, tzinfo=UTC)
    event = RawEvent(1, arrived, EventKind.CDR, "10.1.2.3:5", "POST", "/", "", "", raw.encode())
    reading = read(
        event,
        KNOWN,
        chosen="auto",
        zone=ZoneInfo("Asia/Shanghai"),
        is_extension=lambda said: len(said) == 4 and said[0] == "8",
    )
    (call,) = reading.calls
    return call


@pytest.mark.parametrize(
    "more",
    [
        {"channel": "PJSIP/8001-00000001", "dstchannel": "PJSIP/trunk1-00000002"},
        {"src_channel": "SIP/8001-0001"},
        {"accountcode": "8001"},
        {"account": "8001"},
        {"cnum": "8001"},
        {"from_account": "8001"},
    ],
)
def test_a_company_number_as_caller(more: dict[str, str]) -> None:
    """The number shown outside is nobody's extension; whose channel or account it was pays."""
    call = call_of({**RECORD, "caller": OWN, "callee": OUTSIDE, **more})
    assert (call.extension, call.number, call.direction) == ("8001", OUTSIDE, Direction.OUTBOUND)


@pytest.mark.parametrize(
    "more", [{"agent": "8003"}, {"answered_by": "8003"}, {"dstchannel": "PJSIP/8003-02", "channel": "PJSIP/trunk-01"}]
)
def test_the_agent_before_the_queue(more: dict[str, str]) -> None:
    """Whoever spoke is named, not the number that was dialled."""
    call = call_of({**RECORD, "caller": CUSTOMER, "callee": "6001", "direction": "inbound", **more})
    assert (call.extension, call.number) == ("8003", CUSTOMER)


@pytest.mark.parametrize(
    "label",
    [
        "Ext. 8001", "Ext.8001", "Extn8001", "extension 8001",
        "分机8001", "Front desk (8001)", "前台(8001)", "8001 (Anna)",
        "8001 - Anna", "Anna 8001", "8001;phone-context=pbx.example", '"Anna" <sip:8001@pbx>', "PJSIP/8001-0001",
    ],
)  # fmt: skip
def test_text_around_an_extension(label: str) -> None:
    """A label, a name or SIP's own words beside the number."""
    call = call_of({**RECORD, "caller": label, "callee": OUTSIDE})
    assert (call.caller, call.extension, call.direction) == ("8001", "8001", Direction.OUTBOUND)


@pytest.mark.parametrize("name", ["trunk1", "anonymous", "Unknown", "SIP-1649701323", "Line 2.1", "8001-1", "a1b2c3"])
def test_names_and_dialled_digits_stay(name: str) -> None:
    """What is not a label is not taken apart."""
    assert number(name) == name


@pytest.mark.parametrize(
    "body",
    [
        {"caller": {"extensionNumber": "8001"}, "callee": {"phoneNumber": OUTSIDE}, "startTime": START, "billsec": 65},
        {"user": {"extension": "8001"}, "raw_digits": OUTSIDE, "direction": "outbound", "started_at": 1779372000,
         "answered_at": 1779372007, "ended_at": 1779372072},
        {"callStartTimeUTC": "2026-05-21 14:00:00", "agent": "8001", "number": OUTSIDE, "duration": "00:01:05",
         "callType": "Outbound"},
        urlencode({"data[call][caller]": "8001", "data[call][callee]": OUTSIDE, "data[call][start_time]": START,
                   "data[call][billsec]": 65}),
        urlencode({"call.caller": "8001", "call.callee": OUTSIDE, "call.start_time": START, "call.billsec": 65}),
        f"caller=8001&callee={OUTSIDE}&start_time=2026-05-21+22:00:00&billsec=65&name=%D5%C5%C8%FD",
        {"event": "x", "data": {"meta": {"n": 1}, "body": {"in": [{**RECORD, "caller": "8001", "callee": OUTSIDE}]}}},
    ],
)  # fmt: skip
def test_parties_and_records_within_other_things(body: dict[str, Any] | str) -> None:
    """Objects, brackets, dots, wrappers at any depth; names that say that a time is in UTC; GBK in a form."""
    call = call_of(body)
    assert (call.extension, call.number, call.billed_s) == ("8001", OUTSIDE, 65)
    assert call.started_at == datetime(2026, 5, 21, 14, tzinfo=UTC)


def test_a_plus_that_nobody_escaped() -> None:
    """A form's blank before a number was a plus."""
    call = call_of(f"caller=8001&callee=+4930123456&start_time={START}&billsec=65")
    assert call.callee == "+4930123456"
