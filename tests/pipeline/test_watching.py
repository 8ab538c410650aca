"""Alert rules beside the pipeline: what they find stands with the calls, once, whatever is killed or comes twice."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.alerts import RULES, Severity, day_history
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.rebuilding import rebuild
from ippbx_billing.pipeline.watching import POSITION, Watching, hours_of
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr

SHANGHAI = timedelta(hours=8)


class Bench:
    """A site whose pipeline the rules listen to."""

    def __init__(self, site: Path, batch_size: int = 100) -> None:
        self.settings = load(site)
        self.inbox = Inbox(self.settings.inbox_path)
        self.ledger = Ledger(self.settings.ledger_path)
        self.batch_size = batch_size
        self.begin()
        self.pipeline.tick(datetime.now(UTC))

    def begin(self) -> None:
        """As a process begins that knows nothing but the files."""
        self.watching = Watching(self.ledger, self.inbox, self.settings)
        self.pipeline = Pipeline(
            self.inbox,
            self.ledger,
            lambda: Rules.of(self.ledger, self.settings),
            batch_size=self.batch_size,
            watching=self.watching,
        )

    def deliver(self, *bodies: bytes) -> None:
        fill(self.settings.inbox_path, bodies)
        self.pipeline.drain()

    def incidents(self) -> list[tuple[str, str, int]]:
        found = self.ledger.incidents.listed(everything=True)
        return sorted((one.rule, one.object, one.count) for one in found)

    def messages(self) -> list[str]:
        return [one.key for one in self.ledger.posts.new_messages() if one.incident and one.incident.rule == "burst"]

    def close(self) -> None:
        self.ledger.close()
        self.inbox.close()


def only(ledger: Ledger, *names: str) -> None:
    """No other rule speaks."""
    for rule in RULES:
        if rule not in ("general", *names):
            ledger.incidents.set(rule, {"on": "off"})


@pytest.fixture
def bench(site: Path) -> Iterator[Bench]:
    with Ledger(site / "ledger.db") as ledger:
        only(ledger, "burst", "long-call")
    bench = Bench(site)
    yield bench
    bench.close()


def burst(count: int, first: int = 0, extension: str = "8001") -> list[bytes]:
    """Calls of the last minutes, a few seconds apart."""
    start = datetime.now(UTC) + SHANGHAI - timedelta(minutes=8)
    return [
        gateway_cdr(extension, f"9586745{n:02d}", 5, start=f"{start + timedelta(seconds=3 * n):%Y-%m-%d %H:%M:%S}")
        for n in range(first, first + count)
    ]


def test_a_burst_is_one_incident_that_grows(bench: Bench) -> None:
    """It opens with the twentieth call and is told once, however many follow."""
    bench.deliver(*burst(19))
    assert bench.incidents() == []
    bench.deliver(*burst(1, 19))
    bench.deliver(*burst(10, 20))
    assert bench.incidents() == [("burst", "8001", 11)]
    assert [one.rpartition("/")[2] for one in bench.messages()] == ["open"]
    (one,) = bench.ledger.incidents.listed()
    assert one.reason.facts["calls"] == 30
    assert (one.severity, one.state) == (Severity.CRITICAL, "open")


def test_it_closes_when_nothing_follows_and_opens_anew_later(bench: Bench) -> None:
    """Half an hour of quiet is the end, which is told as well."""
    bench.deliver(*burst(25))
    bench.pipeline.tick(datetime.now(UTC) + timedelta(minutes=29))
    assert [one.rule for one in bench.ledger.incidents.listed()] == ["burst"]
    bench.pipeline.tick(datetime.now(UTC) + timedelta(minutes=31))
    assert [one.rule for one in bench.ledger.incidents.listed()] == []
    assert [key.rpartition("/")[2] for key in bench.messages()] == ["open", "close"]


def test_what_was_delivered_twice_is_no_second_burst(bench: Bench) -> None:
    """A PBX that sends everything again makes no call more."""
    bench.deliver(*burst(15))
    bench.deliver(*burst(15))
    assert bench.incidents() == []


def test_a_batch_that_fails_is_heard_when_it_succeeds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was found in a transaction that did not come to pass, and nothing is lost when it is tried again."""
    bench.deliver(*burst(15))
    advance = bench.ledger.incidents.settle

    def failing(*more: Any) -> None:
        advance(*more)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(bench.ledger.incidents, "settle", failing)
    with pytest.raises(sqlite3.OperationalError):
        bench.deliver(*burst(10, 15))
    assert bench.incidents() == []
    monkeypatch.undo()
    bench.pipeline.drain()
    assert bench.incidents() == [("burst", "8001", 6)]


def test_a_new_process_goes_on_where_the_last_one_was_killed(bench: Bench) -> None:
    """Its windows are filled from the ledger, and what another process has read is heard from there."""
    bench.deliver(*burst(12))
    bench.begin()
    bench.deliver(*burst(8, 12))
    assert bench.incidents() == [("burst", "8001", 1)]
    fill(bench.settings.inbox_path, burst(25, extension="8002"))
    Pipeline(bench.inbox, bench.ledger, lambda: Rules.of(bench.ledger, bench.settings)).drain()  # an import, say
    assert bench.incidents() == [("burst", "8001", 1)]
    bench.pipeline.tick(datetime.now(UTC) + timedelta(seconds=5))
    assert [one[:2] for one in bench.incidents()] == [("burst", "8001"), ("burst", "8002")]
    assert bench.ledger.journey.state(POSITION) == str(bench.inbox.last_id())


def test_history_raises_nothing(site: Path) -> None:
    """Where the rules begin on a ledger that is full, its calls are the past; a rebuild tells nothing again."""
    fill(site / "inbox.db", burst(40))
    with Ledger(site / "ledger.db") as ledger, Inbox(site / "inbox.db") as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, load(site))).drain()
        only(ledger, "burst")
    bench = Bench(site)
    assert bench.incidents() == []
    bench.deliver(*burst(40, 40, "8003"))
    before = bench.incidents(), bench.messages()
    assert [one[:2] for one in before[0]] == [("burst", "8003")]
    rebuild(bench.settings.inbox_path, bench.settings.ledger_path, lambda ledger: Rules.of(ledger, bench.settings))
    bench.begin()
    bench.pipeline.drain()
    bench.pipeline.tick(datetime.now(UTC))
    assert (bench.incidents(), bench.messages()) == before
    bench.close()


def test_a_late_call_makes_its_day_be_summed_up_anew(bench: Bench) -> None:
    """A day in numbers is what its calls are, also when one comes later."""
    day = (datetime.now(UTC) + SHANGHAI - timedelta(days=3)).date()
    bench.deliver(gateway_cdr("8001", "958674577", 60, start=f"{day} 10:00:00"))
    hours = hours_of(bench.ledger, bench.settings, bench.ledger.incidents.config())
    with bench.ledger.transaction():
        bench.ledger.incidents.put_days({day: day_history(bench.ledger.heard.past(day), hours)})
    assert json.loads(json.dumps(bench.ledger.incidents.days(day)[day].plain()))["calls"] == 1
    bench.deliver(gateway_cdr("8001", "958674578", 60, start=f"{day} 11:00:00"))
    assert bench.ledger.incidents.days(day) == {}
    assert bench.ledger.heard.days_without_sum(day, day) == [day]


def test_calls_in_progress_come_from_the_status_events(bench: Bench) -> None:
    """A call that has lasted five hours is told while it lasts."""
    body = {"call_id": "77", "status": "ANSWER", "caller": "8001", "callee": "900442071234567", "direction": "outbound"}
    fill(bench.settings.inbox_path, [json.dumps(body).encode()], "status")
    bench.pipeline.drain()
    live = bench.ledger.journey.live(datetime.now(UTC) - timedelta(hours=1))
    assert [one.extension for one in live] == ["8001"]
    bench.pipeline.tick(datetime.now(UTC) + timedelta(hours=5))
    assert "long-call" in [one.rule for one in bench.ledger.incidents.listed()]
