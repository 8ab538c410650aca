"""What is measured beside the calls: disk, growth, backup, backlog, and whether each PBX takes a connection."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ippbx_billing.alerts import Severity
from ippbx_billing.delivery.alerts import probes
from ippbx_billing.delivery.alerts.running import Housekeeping
from ippbx_billing.ledger import Ledger
from ippbx_billing.pbx import remembered
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli


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
