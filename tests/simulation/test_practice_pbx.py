"""The practice PBX behaves as an engineer would see the device behave."""

import asyncio
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

import ippbx_billing
from ippbx_billing.simulation.practice_pbx import Firmware, PracticeFault, PracticePbx
from ippbx_billing.simulation.practice_pbx.calling import Habits, Switchboard
from ippbx_billing.simulation.practice_pbx.screens import Screen, all_screens
from tests.practice import served

HABITS = Habits(calls_per_minute=3000, extensions=200, seed=7)


@contextmanager
def browser(pbx: PracticePbx, password: str = "admin") -> Iterator[tuple[httpx.Client, httpx.Response]]:
    """A client that has posted the sign-in form, and the answer it got."""
    with served(pbx) as address, httpx.Client(base_url=address, trust_env=False) as client:
        fields = {"luci_username": "admin", "luci_password": password}
        yield client, client.post(f"{pbx.firmware.script}/", data=fields)


def screen(pbx: PracticePbx, node: str) -> Screen:
    return next(one for one in pbx.screens() if one.node == node)


def reporting(url: str = "", json: bool = True) -> PracticePbx:
    """A device whose event report is in force already."""
    pbx = PracticePbx(Firmware(restart_by_script=False))
    for kind, path in (("c1", "status"), ("c2", "cdr")):
        on = {kind: "1", f"{kind}u": "1", f"{kind}url": f"{url}/{path}", f"{kind}j": "1" if json else ""}
        pbx.staged |= {f"evtpush.all.{name}": tuple(filter(None, [value])) for name, value in on.items()}
    pbx.commit()
    return pbx


class Receiver:
    """Takes events as a listener does, and answers what it is told to."""

    def __init__(self, *answers: int) -> None:
        self.bodies: list[tuple[str, str, bytes]] = []
        self.connections: set[tuple[str, int]] = set()
        self._answers = list(answers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        kind = dict(scope["headers"])[b"content-type"].decode()
        self.bodies.append((scope["path"], kind, body))
        self.connections.add(tuple(scope["client"]))
        status = self._answers.pop(0) if self._answers else 200
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def telephone(pbx: PracticePbx, habits: Habits, seconds: float = 0.6) -> tuple[Switchboard, list[str]]:
    """Let the device telephone for a while; gives the switchboard and what it told."""
    told: list[str] = []
    switchboard = Switchboard(pbx, habits, told.append)

    async def for_a_while() -> None:
        running = asyncio.create_task(switchboard.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(for_a_while())
    return switchboard, told


def test_signing_in_leads_into_a_session_whose_cookie_is_for_its_address() -> None:
    """As LuCI: a redirect to an address with the token, and a cookie whose path is that token's prefix."""
    with browser(PracticePbx()) as (client, answer):
        assert answer.status_code == 302
        where = answer.headers["location"]
        assert where.startswith("/luci/;stok=")
        assert f"path={where.rsplit('/admin', 1)[0]}" in answer.headers["set-cookie"]
        assert "服务对接" in client.get(where).text


def test_the_address_alone_is_no_session() -> None:
    """Whoever reads the token over a shoulder still lacks the cookie, and is led to the root."""
    with browser(PracticePbx()) as (client, answer):
        stranger = httpx.get(client.base_url.join(answer.headers["location"]), trust_env=False)
    assert (stranger.status_code, stranger.headers["location"]) == (302, "/")


def test_a_wrong_password_gets_the_form_again_and_the_third_locks() -> None:
    """403 with the form; after three attempts even the right password waits until the time is over."""
    now = 1000.0
    pbx = PracticePbx(Firmware(lock_after=3, lock_s=60), clock=lambda: now)
    for attempt in range(3):
        with browser(pbx, "wrong") as (_, answer):
            assert answer.status_code == 403
            assert "luci_password" in answer.text
            assert ("锁定" in answer.text) == (attempt == 2)
    with browser(pbx) as (_, answer):
        assert answer.status_code == 403
    now += 61
    with browser(pbx) as (_, answer):
        assert answer.status_code == 302


def test_a_session_expires_when_it_is_not_used() -> None:
    """Each page read keeps it alive; a longer pause ends it."""
    now = 0.0
    pbx = PracticePbx(Firmware(session_s=100), clock=lambda: now)
    with browser(pbx) as (client, answer):
        where = answer.headers["location"]
        for now in (90.0, 180.0):  # noqa: B007 -- the clock reads it
            assert client.get(where).status_code == 200
        now = 281.0
        assert client.get(where).headers["location"] == "/"


def test_a_save_without_the_token_is_refused_by_newer_firmware_only() -> None:
    """The token guards against forged posts; older firmware has none."""
    for token, status in ((True, 403), (False, 200)):
        with browser(PracticePbx(Firmware(token=token))) as (client, answer):
            where = answer.headers["location"].replace("admin/status", "admin/service/api")
            assert client.post(where, data={"cbi.submit": "1"}).status_code == status


def test_what_is_not_posted_is_lost() -> None:
    """As LuCI: a form that forgets a field erases it, and a switch is off when only its twin came."""
    pbx = PracticePbx(Firmware(extra_fields=True))
    api = screen(pbx, "admin/service/api")
    assert pbx.save(api, [("cbi.cbe.openapi.main.audit", "1")]) == []
    assert pbx.staged == {
        "openapi.main.peers": (),
        "openapi.main.level": (),
        "openapi.main.remark": (),
        "openapi.main.audit": (),
    }


def test_a_saved_change_counts_only_after_apply_and_restart() -> None:
    """Staged, then saved, then in force: three steps, as in the device."""
    pbx = PracticePbx()
    api = screen(pbx, "admin/service/api")
    pbx.save(api, [("cbid.openapi.main.state", "1"), ("cbid.openapi.main.pw", "x")])
    assert pbx.saved["openapi.main.pw"] == ()
    pbx.commit()
    assert (pbx.saved["openapi.main.pw"], pbx.running["openapi.main.pw"]) == (("x",), ())
    pbx.restart()
    assert pbx.running["openapi.main.pw"] == ("x",)


def test_a_change_taken_back_is_no_change() -> None:
    """The notice in the top bar goes when the old value is saved again."""
    pbx = PracticePbx()
    api = screen(pbx, "admin/service/api")
    pbx.save(api, [("cbid.openapi.main.pw", "x")])
    pbx.save(api, [("cbid.openapi.main.pw", "")])
    assert pbx.staged == {}


def test_older_firmware_applies_by_a_link_and_newer_by_a_button() -> None:
    """A link in newer firmware would let any page in the browser apply."""
    for token, status in ((True, 405), (False, 200)):
        pbx = PracticePbx(Firmware(token=token))
        pbx.staged["nms.main.state"] = ("1",)
        with browser(pbx) as (client, answer):
            where = answer.headers["location"].replace("admin/status", "admin/uci/saveapply")
            assert client.get(where).status_code == status
        assert bool(pbx.staged) == token


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_label_is_in_both_languages(language: str) -> None:
    """A page never mixes them."""
    for one in all_screens():
        assert one.label[language]
        assert all(option.label.get(language) or option.beside for option in one.options)


def test_calls_begin_when_the_report_is_applied() -> None:
    """Nothing is sent before; then the first records come at once, because the switch has been at work for a while."""
    receiver = Receiver()
    with served(receiver) as url:
        switchboard, told = telephone(PracticePbx(), HABITS)
        assert (switchboard.delivered, receiver.bodies, told) == (0, [], [])
        switchboard, told = telephone(reporting(url), HABITS)
    assert switchboard.delivered == len(receiver.bodies) > 10
    assert {path for path, _, _ in receiver.bodies} == {"/status", "/cdr"}
    assert {kind for _, kind, _ in receiver.bodies} == {"application/json"}
    assert any(line.endswith("events are taken") for line in told)


def test_events_are_forms_where_the_switch_says_so() -> None:
    """With Json格式 off the same records come as fields."""
    receiver = Receiver()
    with served(receiver) as url:
        telephone(reporting(url, json=False), HABITS)
    records = [body for path, kind, body in receiver.bodies if path == "/cdr" and kind.endswith("urlencoded")]
    assert records
    assert all("billsec" in parse_qs(body.decode(), keep_blank_values=True) for body in records)


def test_the_same_seed_is_the_same_telephoning() -> None:
    """Who calls whom, and for how long, follows from the seed alone."""
    seen = []
    for _ in range(2):
        receiver = Receiver()
        with served(receiver) as url:
            telephone(reporting(url), HABITS)
        ids = [re.search(rb'"uuid":"(\w+)"', body) for _, _, body in receiver.bodies]
        seen.append({one.group(1) for one in ids if one})
    assert len(seen[0] & seen[1]) > min(map(len, seen)) / 2


def test_what_is_refused_is_posted_again_when_retries_say_so() -> None:
    """Anything but 200 is tried again; without retries it is lost, and said to be."""
    for retries, expected in ((0, False), (5, True)):  # as often as it is refused, all at the same one
        receiver = Receiver(*[503] * 5)
        habits = Habits(calls_per_minute=3000, extensions=200, seed=7, retries=retries, retry_pause_s=0.01)
        with served(receiver) as url:
            switchboard, told = telephone(reporting(url), habits)
        bodies = [body for _, _, body in receiver.bodies]
        assert (len(bodies) > len(set(bodies))) == expected
        assert (switchboard.failed == 0) == expected
        assert any("503" in line for line in told) != expected


def test_some_events_come_twice_when_duplicates_say_so() -> None:
    """A doubled event is the same to the byte."""
    receiver = Receiver()
    habits = Habits(calls_per_minute=3000, extensions=200, seed=7, duplicates=0.5)
    with served(receiver) as url:
        telephone(reporting(url), habits)
    bodies = [body for _, _, body in receiver.bodies]
    assert len(set(bodies)) < len(bodies) < 2 * len(set(bodies)) + 1


def test_events_come_out_of_order_when_they_are_late() -> None:
    """Each is late by its own time, so some records overtake the last step of their own call, and others do not."""
    overtaken: set[bool] = set()
    for seed in range(10):  # a busy machine may bring but a few pairs at a time
        receiver = Receiver()
        with served(receiver) as url:
            telephone(reporting(url), Habits(calls_per_minute=6000, extensions=200, seed=seed, late_s=0.4), 0.8)
        overtaken |= set(_overtaken(receiver))
        if overtaken == {True, False}:
            return
    raise AssertionError(f"whether records overtook: only {overtaken}")


def _overtaken(receiver: Receiver) -> list[bool]:
    """For each call whether its record arrived before its last step."""
    arrived = [(path, re.search(rb'"uuid":"(\w+)"', body), b"BYE" in body) for path, _, body in receiver.bodies]
    byes = {uuid.group(1): at for at, (path, uuid, bye) in enumerate(arrived) if uuid and path == "/status" and bye}
    records = {uuid.group(1): at for at, (path, uuid, _) in enumerate(arrived) if uuid and path == "/cdr"}
    return [records[uuid] < byes[uuid] for uuid in byes.keys() & records.keys()]


def test_a_connection_for_each_event_when_asked() -> None:
    """As switches without keep-alive; else connections are used again, if not all events coincide."""

    def connections(alone: bool) -> tuple[int, int]:
        receiver = Receiver()
        habits = Habits(calls_per_minute=3000, extensions=200, seed=7, new_connection_per_event=alone)
        with served(receiver) as url:
            telephone(reporting(url), habits)
        return len(receiver.connections), len(receiver.bodies)

    made, events = connections(True)
    assert made == events
    assert any(made < events for made, events in (connections(False) for _ in range(10)))


def test_a_listener_that_is_not_there_is_told_of_once() -> None:
    """The practice PBX goes on telephoning, and does not repeat itself."""
    switchboard, told = telephone(reporting("http://127.0.0.1:9"), HABITS)
    assert switchboard.failed > 2
    assert sum("events fail" in line for line in told) <= 2


@pytest.mark.parametrize("fault", list(PracticeFault))
def test_no_fault_changes_how_a_page_reads(fault: PracticeFault) -> None:
    """Faults concern saving and applying; looking at the pages always works."""
    with browser(PracticePbx(Firmware(faults=frozenset({fault})))) as (client, answer):
        where = answer.headers["location"].replace("admin/status", "admin/service/events")
        assert "话单信息" in client.get(where).text


def test_rubbish_is_answered_and_never_breaks_it() -> None:
    """Odd addresses, bodies and cookies get an answer; then it still works."""
    rubbish = random.Random(3)
    pbx = PracticePbx()
    with served(pbx) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for path in ("/luci/;stok=", "/luci/;stok=zz/admin", "/luci/;stok=00/admin/uci/saveapply", "/cgi", "/luci/x/y"):
            body = rubbish.randbytes(50)
            for kind in ("multipart/form-data", "multipart/form-data; boundary=x", "text/plain", ""):
                headers = {"content-type": kind, "cookie": "sysauth=%%;;=;"}
                answer = client.post(path, content=body, headers=headers)
                assert answer.status_code < 500
    with browser(pbx) as (_, answer):
        assert answer.status_code == 302


def test_nothing_in_front_of_a_real_pbx_imports_it() -> None:
    """It is for practice: only its own command and the tests know of it."""
    package = Path(ippbx_billing.__file__).parent
    users = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "practice_pbx" in path.read_text(encoding="utf-8") and not path.is_relative_to(package / "simulation")
    }
    assert users == {"cli/trial/simulate_pbx.py"}
