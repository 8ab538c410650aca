"""Real bodies of many makers, posted to a running `ippbx-bill listen` as their PBX would: each ends as it should."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import DATA
from tests.service_process import Service

CORPUS = [json.loads(line) for line in (DATA / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
CDRS = [body for body in CORPUS if body["kind"] == "cdr"]
STATES = [body for body in CORPUS if body["kind"] == "call_status" and body["expect"].get("state") != "idle"]
PHASES = {
    **dict.fromkeys(("setup", "ring", "alert", "incoming", "invite"), "ringing"),
    **dict.fromkeys(("answer", "answered", "bridge", "transfer"), "talking"),
    **dict.fromkeys(("bye", "failed"), "ended"),
}
KEYS = {"billsec_s": "billed_s", "pbx_sn": "pbx"}
TIMES = {"start": "started_at", "answer": "answered_at", "end": "ended_at"}
SAME_RECORD_AGAIN = {
    *("fs-json-base64", "fs-json-form", "fs-json-wrong-ct", "fs-xml-base64", "fs-xml-textxml"),
    *("variant-bom", "variant-ndjson", "variant-trailing-nul", "yeastar-p-newcdr-msg-object"),
}
COMPARED = ("call_id", "record_id", "caller", "callee", "direction", "disposition", "trunk", "extension", "pin")


def deliver(service: Service, body: dict[str, Any]) -> None:
    """As the PBX would: its method, its query, its Content-Type, its bytes."""
    stated = body.get("method") or "POST"
    method = "GET" if stated.startswith("GET") and not body["body"].strip() else "POST"
    path = (re.match(r"GET (/\S+)", stated) or [None, ""])[1]
    query = f"?{body['query']}" if body.get("query") and "=" in body["query"] else ""
    headers = {"content-type": body["content_type"]} if body["content_type"] else {}
    door = "cdr" if body["kind"] == "cdr" else "status"
    answer = service.post(body["body"].encode(), door=door, path=path + query, method=method, headers=headers)
    assert answer.status_code == 200


@pytest.fixture(scope="module")
def delivered(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """All bodies delivered one after the other; per body its event, its calls, and the live calls after it."""
    import shutil

    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("corpus") / "data"))
    found: dict[str, Any] = {}
    with Service(site) as service:
        for number, body in enumerate(CDRS, start=1):
            deliver(service, body)
            found[body["id"]] = {"event": number}
        service.wait_until_read()
        calls = service.run("calls", "list")
        events = {event["id"]: event for event in service.run("events", "list")}
        for result in found.values():
            result |= {"calls": calls, "status": events[result["event"]]}
        yield found


def same_time(shown: str | None, expected: str) -> bool:
    """The PBX's wall clock is the site's, unless the body names its own offset."""
    moment = datetime.fromisoformat(shown or "1970-01-01T00:00:00+00:00")
    return expected in (f"{moment:%Y-%m-%d %H:%M:%S}", f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}")


def differences(call: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    """Where the call is not what the source says; what the source does not settle is not compared."""
    wrong = {}
    for key, value in expect.items():
        ours = KEYS.get(key, key)
        if key in TIMES and "start_epoch" not in expect and not same_time(call[TIMES[key]], value):
            wrong[key] = (call[TIMES[key]], value)
        elif key == "start_epoch" and datetime.fromisoformat(call["started_at"]).timestamp() != value:
            wrong[key] = (call["started_at"], value)
        elif (key in COMPARED or key in KEYS or key == "duration_s") and call[ours] != value:
            wrong[key] = (call[ours], value)
    return wrong


@pytest.mark.parametrize("body", CDRS, ids=[body["id"] for body in CDRS])
def test_a_real_record_ends_as_the_call_it_describes(delivered: dict[str, Any], body: dict[str, Any]) -> None:
    """Each record of the body is one call whose facts are those that the source settles.

    Some bodies of the collection hold the same record in another wrapping: that is one call, of the first of them.
    """
    event = delivered[body["id"]]["status"]
    own = [call for call in delivered[body["id"]]["calls"] if call["event"] == event["id"]]
    expected = body["expect"].get("records", [body["expect"]])
    assert event["status"] in ("done", "duplicate"), event["reason"]
    assert len(own) == len(expected) or body["id"] in SAME_RECORD_AGAIN
    for expect in expected:
        near = own if body["id"] not in SAME_RECORD_AGAIN else delivered[body["id"]]["calls"]
        assert {} in [differences(call, expect) for call in near], [differences(call, expect) for call in own]


@pytest.mark.parametrize("body", STATES, ids=[body["id"] for body in STATES])
def test_a_real_status_event_ends_as_a_state(fresh_site: Path, tmp_path: Path, body: dict[str, Any]) -> None:
    """The event's word becomes ringing, talking or ended; the parties are those that the source settles."""
    import shutil

    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline, Rules
    from ippbx_billing.settings import load
    from tests.bodies import fill

    site = Path(shutil.copytree(fresh_site, tmp_path / "data"))
    settings = load(site)
    stated = body.get("method") or "POST"
    path = (re.match(r"GET (/\S+)", stated) or [None, "/"])[1]
    fill(settings.inbox_path, [body["body"].strip().encode()], kind="status", path=path, query=body.get("query") or "")
    with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
        outcome = ledger.journey.outcomes([1])
        (live,) = ledger.journey.live(datetime(2000, 1, 1, tzinfo=UTC))
    expect = body["expect"]
    assert outcome == {}
    assert live.state == expect["state"]
    assert live.phase == PHASES[expect["state"]]
    told = {"call_id": live.call_id, "caller": live.caller, "callee": live.callee, "trunk": live.trunk}
    told |= {"extension": live.extension, "direction": live.direction, "pbx_sn": live.pbx}
    assert {key: told[key] for key in expect if key in told} == {key: expect[key] for key in expect if key in told}


def test_other_bodies_are_kept_and_make_no_call(delivered: dict[str, Any], site: Path) -> None:
    """SMS, USSD, device and registration events: understood as no call, rejected or not, never billed."""
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline, Rules
    from ippbx_billing.settings import load
    from tests.bodies import fill

    settings = load(site)
    others = [body["body"].encode() for body in CORPUS if body["kind"] == "other"]
    fill(settings.inbox_path, others)
    with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
        assert ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0] == 0
        outcomes = ledger.journey.outcomes(range(1, len(others) + 1))
    assert len(outcomes) == len(others)
    assert all(reason for _, reason in outcomes.values())
