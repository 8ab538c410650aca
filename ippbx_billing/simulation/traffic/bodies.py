"""What a PBX posts about a planned call, in the `uc` dialect: JSON, or a form where its "Json格式" switch is off.

    cdr_body(call)      ->  b'{"sn":"uc-practice-1f…","cdr":[{"uuid":"…","caller_number":"8003",…}]}'
    status_bodies(call) ->  ring, answer (if answered) and bye, in this order

The envelope is the one this maker documents for its gateways; the names inside are plain ones, mostly those of the
switch software it builds on, but no other maker's set as a whole. Times are the PBX's wall clock without a zone, as
such switches write them.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from ippbx_billing.calls import Disposition
from ippbx_billing.simulation.traffic.site import PlannedCall

Form = Literal["json", "form"]

CONTENT_TYPES: dict[Form, str] = {"json": "application/json", "form": "application/x-www-form-urlencoded"}

MOST_STEPS = 3  # of a call: ring, answer, bye

CAUSES = {
    Disposition.ANSWERED: "NORMAL_CLEARING",
    Disposition.NO_ANSWER: "NO_ANSWER",
    Disposition.BUSY: "USER_BUSY",
    Disposition.FAILED: "NORMAL_TEMPORARY_FAILURE",
}


def cdr_body(call: PlannedCall, form: Form = "json") -> bytes:
    """The record of a call that is over."""
    record = {
        "cdr_id": call.record_id,
        **_both_sides(call),
        "start_stamp": _stamp(call.started_at),
        "answer_stamp": _stamp(call.answered_at),
        "end_stamp": _stamp(call.ended_at),
        "duration": call.duration_s,
        "billsec": call.billed_s,
        "hangup_cause": CAUSES[call.disposition],
    }
    if form == "form":
        return _form({"sn": call.pbx, **record})
    return _json({"sn": call.pbx, "cdr": [record]})


def status_bodies(call: PlannedCall, form: Form = "json") -> list[bytes]:
    """The steps of a call as they are told while it goes on."""
    write = _form if form == "form" else _json
    return [
        write({"sn": call.pbx, "state": word, **_both_sides(call), "timestamp": _stamp(moment)})
        for word, moment in status_steps(call)
    ]


def posts_a_second(calls_a_second: float, *, with_status: bool) -> float:
    """How many bodies that many calls are: a record each, and its steps where these are told."""
    return calls_a_second * (1 + MOST_STEPS if with_status else 1)


def status_steps(call: PlannedCall) -> Iterator[tuple[str, datetime]]:
    """The words of the call's steps and when each is due."""
    yield "RING", call.started_at
    if call.answered_at is not None:
        yield "ANSWER", call.answered_at
    yield "BYE", call.ended_at


def _both_sides(call: PlannedCall) -> dict[str, str]:
    return {
        "uuid": call.call_id,
        "caller_number": call.caller,
        "callee_number": call.callee,
        "direction": call.direction.value,
        "trunk_name": call.trunk or "",
    }


def _stamp(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _form(fields: Mapping[str, object]) -> bytes:
    return urlencode(fields).encode()
