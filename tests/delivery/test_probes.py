"""What is measured beside the calls: disk, growth, backup, backlog, and whether each PBX takes a connection."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ippbx_billing.alerts import Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts import probes
from ippbx_billing.delivery.alerts.channels import checked, put
from ippbx_billing.delivery.alerts.running import Housekeeping
from ippbx_billing.delivery.alerts.sender import Sender
from ippbx_billing.ledger import Ledger
from ippbx_billing.pbx import remembered
from ippbx_billing.settings import load
from ippbx_billing.simulation.practice_pbx import Firmware, PracticePbx
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli
from tests.delivery.servers import Robot
from tests.practice import served


@pytest.fixture
def ledger(site: Path) -> Iterator[Ledger]:
    with Ledger(site / "ledger.db") as opened:
        yield opened


def wrong(site: Path, ledger: Ledger, now: datetime | None = None) -> dict[str, Severity | None]:
    """The objects of `store` with which something is wrong."""
    found = probes.store(load(site), ledger.incidents.config(), ledger, now or datetime.now(UTC))
    return {one.object: one.severity for one in found if one.reason is not None}


def incidents(ledger: Ledger) -> list[tuple[str, str]]:
    return [(one.rule, one.object) for one in ledger.incidents.listed()]


def door() -> socket.socket:
    """Somebody who takes connections on loopback."""
    return socket.create_server(("127.0.0.1", 0))


def test_a_pbx_that_takes_no_connection_is_told_after_three_times(site: Path, ledger: Ledger) -> None:
    """Not before, and it is over as soon as it answers; one that was never there counts alike."""
    own = Housekeeping(load(site), ledger)
    pbx, now = door(), datetime.now(UTC)
    address = f"http://127.0.0.1:{pbx.getsockname()[1]}"
    remembered.save(site, remembered.Remembered(address=address))
    own.probe(now)
    assert incidents(ledger) == []
    port = pbx.getsockname()[1]
    pbx.close()
    for _ in range(2):
        own.probe(now)
        assert incidents(ledger) == []
    own.probe(now)
    assert incidents(ledger) == [("pbx-link", address)]
    assert ledger.incidents.listed()[0].reason.facts["times"] == 3
    with socket.create_server(("127.0.0.1", port)):
        own.probe(now)
    assert incidents(ledger) == []
    ledger.incidents.set("pbx-link", {"failures": "1"})
    own.probe(now)
    assert incidents(ledger) == [("pbx-link", address)]


def test_a_pbx_is_asked_at_the_port_of_its_address(site: Path, ledger: Ledger) -> None:
    """An address without a scheme is one of HTTP; a name that nobody has is told, not raised."""
    with door() as pbx:
        remembered.save(site, remembered.Remembered(address=f"127.0.0.1:{pbx.getsockname()[1]}"))
        ledger.incidents.set("pbx-link", {"failures": "1"})
        (found,) = probes.links(load(site), ledger.incidents.config(), probes.Links())
        assert found.reason is None
    (found,) = probes.links(load(site), ledger.incidents.config(), probes.Links())
    assert found.reason is not None
    assert found.reason.facts["error"]


def test_a_disk_that_fills_up(site: Path, ledger: Ledger) -> None:
    """By the part that is free, and by how long it lasts at the growth since yesterday at least."""
    now = datetime.now(UTC)
    assert wrong(site, ledger) == {}
    ledger.incidents.set("store", {"free_pct": "101"})
    assert wrong(site, ledger) == {"disk": None}
    ledger.incidents.set("store", {"free_pct": "0", "free_days": "999999999"})
    size = probes.size_of(load(site))
    with ledger.transaction():
        ledger.journey.set_state(probes.GROWTH, f"{int(now.timestamp()) - probes.DAY_S} {size // 2}")
    assert wrong(site, ledger, now) == {"growth": None}
    with ledger.transaction():
        ledger.journey.set_state(probes.GROWTH, f"{int(now.timestamp()) - 3600} {size // 2}")
    assert wrong(site, ledger, now) == {}  # an hour says nothing about a day
    with ledger.transaction():
        ledger.journey.set_state(probes.GROWTH, f"{int(now.timestamp()) - probes.DAY_S} {size * 2}")
    assert wrong(site, ledger, now) == {}


def test_the_size_is_noted_once_a_day(site: Path, ledger: Ledger) -> None:
    """What growth is told by."""
    own, now = Housekeeping(load(site), ledger), datetime.now(UTC)
    own.probe(now)
    noted = ledger.journey.state(probes.GROWTH)
    assert noted is not None
    assert noted.split()[0] == str(int(now.timestamp()))
    own.probe(now + timedelta(hours=23))
    assert ledger.journey.state(probes.GROWTH) == noted
    own.probe(now + timedelta(hours=24))
    assert ledger.journey.state(probes.GROWTH) != noted


def test_a_backup_that_stopped(site: Path, ledger: Ledger) -> None:
    """A warning after 48 hours; a site that never made one is doctor's business."""
    now = datetime.now(UTC)
    for hours, expected in ((48, {}), (49, {"backup": Severity.WARNING})):
        with ledger.transaction():
            ledger.journey.set_state("last_backup_at", (now - timedelta(hours=hours)).isoformat())
        assert wrong(site, ledger, now) == expected


def test_records_that_wait(site: Path, ledger: Ledger, cli: Cli) -> None:
    """Minutes after they came, and no longer when they are read."""
    fill(site / "inbox.db", [gateway_cdr("8001", "958674577", 5)] * 3)
    now = datetime.now(UTC)
    assert wrong(site, ledger, now + timedelta(minutes=4)) == {}
    own = Housekeeping(load(site), ledger)
    own.probe(now + timedelta(minutes=6))
    assert incidents(ledger) == [("store", "backlog")]
    assert ledger.incidents.listed()[0].reason.facts["count"] == 3
    cli("events", "replay")
    own.probe(now + timedelta(minutes=7))
    assert incidents(ledger) == []


def test_a_ledger_that_cannot_be_written_is_told_without_it_and_once(site: Path, ledger: Ledger) -> None:
    """Straight to the channels, again only to one that did not take it; when it is over the incident stands there."""
    now = datetime.now(UTC)
    ledger.incidents.set("general", {"heartbeat": ""})
    with Robot() as robot, Robot(plan=[500, b"{}"]) as late, Sender(load(site), ledger) as sender:
        put(site, checked("chat", "dingtalk", {"url": f"{robot.url}/send?access_token=t", "lang": "en"}))
        put(site, checked("own", "webhook", {"url": late.url, "secret": "s", "lang": "en"}))
        own = Housekeeping(load(site), ledger)
        ledger.connection.execute("PRAGMA query_only = ON")
        for minutes in (0, 1, 2, 3):
            own.run(now + timedelta(minutes=minutes), sender)
        assert (len(robot.got), len(late.got)) == (1, 2)
        assert "the ledger cannot be written: attempt to write a readonly database" in str(robot.got[0].json)
        ledger.connection.execute("PRAGMA query_only = OFF")
        own.run(now + timedelta(minutes=4), sender)
        (one,) = ledger.incidents.listed(everything=True, rule="store")
        assert (one.object, one.state, one.opened_at) == ("ledger", "closed", int(now.timestamp()))
        sender.drain(lambda: now + timedelta(minutes=5))
        assert ["over: " in str(one.json) for one in robot.got] == [False, True]


def test_a_pbx_with_a_login_is_asked_for_a_page(site: Path, ledger: Ledger) -> None:
    """Its web admin signs in; a refusal is told as it is, and the password is not tried again."""
    ledger.incidents.set("pbx-link", {"failures": "1"})
    config = ledger.incidents.config()
    device = PracticePbx(Firmware(admin_password="geheim"))
    with served(device) as address:
        asked = probes.Links()

        def answer(password: str) -> Reason | None:
            known = remembered.Remembered(address=address, user="admin", admin_password=password)
            remembered.save(site, known)
            list(probes.links(load(site), config, asked))
            asked._asking[address][2].result(30)
            (found,) = probes.links(load(site), config, asked)
            return found.reason

        assert answer("geheim") is None
        asked._asking.clear()
        reason = answer("wrong")
        assert reason is not None
        assert reason.code == "alert-pbx-silent"
        attempts = asked._asking[address]
        assert answer("wrong") == reason.__class__(reason.code, {**reason.facts, "times": 3})
        assert asked._asking[address] is attempts
