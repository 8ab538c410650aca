"""The worker and its watch: what one record or one second can do to those behind it, and who notices."""

import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from ippbx_billing.calls import EventStatus
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline import worker as working
from ippbx_billing.pipeline.patience import READING_S, TookTooLong, patience
from ippbx_billing.pipeline.worker import LOOP_RESTARTS, Worker
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.pipeline.test_records import FIRST, body
from tests.service_process import Service

PATIENCE_S = 60
posix = pytest.mark.skipif(os.name != "posix", reason="ends and stops processes by signal")


def read(site: Path, reading_s: float = 0) -> dict[int, EventStatus]:
    """Everything read; what became of the events that are not plainly done."""
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), reading_s=reading_s).drain()
        assert ledger.journey.position() == inbox.last_id()
        return {number: one[0] for number, one in ledger.journey.outcomes(range(1, inbox.last_id() + 1)).items()}


def calls(site: Path) -> int:
    with Ledger(site / "ledger.db") as ledger:
        return int(ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0])


def wait_for(truth: Any) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not truth() and time.monotonic() < until:
        time.sleep(0.05)
    return bool(truth())


def test_one_record_that_cannot_be_kept_is_found_and_set_aside(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of writing fails its batch; the halves are tried until the one is found, and all others are calls."""
    fill(site / "inbox.db", [gateway_cdr("8001", f"9586745{number:02d}", 64) for number in range(37)])
    write = Pipeline._write

    def failing(self: Pipeline, understood: Any, *more: Any) -> None:
        write(self, understood, *more)
        if any(one.event.id == 23 and one.rated for one in understood):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")

    monkeypatch.setattr(Pipeline, "_write", failing)
    assert read(site) == {23: EventStatus.REJECTED}
    assert calls(site) == 36
    with Ledger(site / "ledger.db") as ledger:
        assert ledger.journey.outcomes([23])[23][1].code == "not-kept"
    monkeypatch.undo()
    with Ledger(site / "ledger.db") as ledger, Inbox(site / "inbox.db") as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, load(site))).replay([23])
    assert calls(site) == 37


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_a_body_that_is_slow_to_read_is_set_aside(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets its share of the processor and no more; the events before and behind it are calls."""
    fill(site / "inbox.db", [gateway_cdr("8001", f"9586745{number:02d}", 64) for number in range(5)])
    reading = Rules.read

    def slow(self: Rules, event: Any) -> Any:
        while event.id == 3:
            pass
        return reading(self, event)

    monkeypatch.setattr(Rules, "read", slow)
    monkeypatch.setattr(Rules, "read_by_habit", lambda self, event: None)  # which takes no time
    assert read(site, reading_s=0.05) == {3: EventStatus.REJECTED}
    assert calls(site) == 4


def test_a_good_body_may_take_longer_the_larger_it_is(site: Path) -> None:
    """The time that one record may take is not that of thousands: all of them are calls."""
    record = json.loads(gateway_cdr("8001", "922000001", 64))
    (one,) = record["cdr"]
    record["cdr"] = [one | {"destination_number": f"9{22_000_000 + number}"} for number in range(2_000)]
    fill(site / "inbox.db", [gateway_cdr("8001", "8002", 64), json.dumps(record).encode()])
    assert read(site, reading_s=READING_S / 10) == {}
    assert calls(site) == 2_001


def test_halves_are_read_anew(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failed attempt noted of a corrected record is not noted twice."""
    bodies = [body("62", FIRST), body("62", FIRST, billsec=70, duration=77)]
    fill(site / "inbox.db", [*bodies, gateway_cdr("8001", "922000002", 64), gateway_cdr("8001", "922000003", 64)])
    write = Pipeline._write

    def failing(self: Pipeline, understood: Any, *more: Any) -> None:
        write(self, understood, *more)
        if any(one.event.id == 4 and one.rated for one in understood):
            raise OverflowError

    monkeypatch.setattr(Pipeline, "_write", failing)
    assert read(site)[4] is EventStatus.REJECTED
    with Ledger(site / "ledger.db") as ledger:
        (notes,) = ledger.connection.execute("SELECT notes FROM calls WHERE event_id = 2").fetchone()
    assert notes.count("correction") == 1


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_patience_leaves_nothing_behind() -> None:
    """The timer is off and the handler as it was afterwards; in another thread nothing is stopped."""
    before = signal.getsignal(signal.SIGVTALRM)

    def endless() -> None:
        with patience(0.01):
            while True:
                pass

    with pytest.raises(TookTooLong):
        endless()
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before
    ended = threading.Event()

    def elsewhere() -> None:
        with patience(0.001):
            sum(range(1_000_000))
        ended.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert ended.is_set()


@posix
def test_a_worker_that_stands_still_is_seen(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP: alive for the system, silent for us; after SIGCONT all is well again."""
    monkeypatch.setattr("ippbx_billing.pipeline.worker.STANDING_S", 2.0)
    with Worker(load(site), report=lambda line: None) as worker:
        worker.start()
        assert wait_for(lambda: worker.state() == "running")
        process = worker._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        try:
            assert wait_for(lambda: worker.state() == "standing")
            assert not worker.is_well()
            assert worker.facts()["pipeline"] == "standing"
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert wait_for(worker.is_well)


@posix
def test_a_worker_that_dies_again_and_again_is_seen(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One death is an accident and told as such; several in a row are a state of their own."""
    monkeypatch.setattr("ippbx_billing.pipeline.worker.RESTART_PAUSE_S", 0.01)
    told: list[str] = []
    with Worker(load(site), report=told.append) as worker:
        worker.start()
        for number in range(LOOP_RESTARTS):
            process = worker._process
            assert process is not None
            process.kill()
            assert wait_for(lambda process=process: worker._process is not process)
            assert len(told) == number + 1
        assert wait_for(lambda: worker.state() == "crashing")
        assert not worker.is_well()


@posix
def test_a_locked_ledger_is_no_worker_that_stands_still(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for its turn, is alive and says so: the watchdog must not close the doors for that."""
    monkeypatch.setattr("ippbx_billing.pipeline.worker.STANDING_S", 3.0)
    with Worker(load(site), report=lambda line: None) as worker:
        worker.start()
        assert wait_for(lambda: worker.state() == "running")
        with closing(sqlite3.connect(site / "ledger.db", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            fill(site / "inbox.db", [gateway_cdr("8001", "922000001", 64)])
            worker.wake()
            until = time.monotonic() + 6
            while time.monotonic() < until:
                assert worker.state() == "running"
                time.sleep(0.1)
            holder.execute("ROLLBACK")
        assert wait_for(lambda: calls(site) == 1)


def test_healthz_tells_how_the_worker_is(site: Path) -> None:
    """Its state, how many events wait for it, how long it is silent, and whose listener this is."""
    with Service(site) as service:

        def told() -> dict[str, Any]:
            return dict(httpx.get(f"{service.cdr_url}healthz").json())

        assert wait_for(lambda: told()["pipeline"] == "running")
        health = told()
        assert health["pipeline_waiting"] == 0
        assert health["pipeline_silent_s"] < PATIENCE_S
        assert health["installation"] == (site / "installation").read_text().strip()


class Ends:
    """The two ends of a pipe: one that stands for the worker's standard input, one for the listener's hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, self.hand = os.pipe()
        self.file = os.fdopen(reading, "rb", buffering=0)
        monkeypatch.setattr("sys.stdin", self.file)
        monkeypatch.setattr(working._Pipe, "_tell", lambda pipe: None)  # nobody listens to it
        self.pipe = working._Pipe()

    def close(self) -> None:
        os.close(self.hand)
        assert wait_for(lambda: not self.pipe.open)
        self.file.close()


def test_a_record_after_a_rest_is_taken_at_once_and_those_that_keep_coming_gather(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first wake-up ends the sleep; from then on the next batch waits, and the end of the listener ends that."""
    monkeypatch.setattr(working, "POLL_S", 3_600)
    monkeypatch.setattr(working, "GATHER_S", 600)
    ends = Ends(monkeypatch)
    ends.pipe._woken_at = time.monotonic() - 600
    os.write(ends.hand, b"!")
    ends.pipe.wait(more=False)  # comes back, with ten minutes to wait for any further one
    for more in (False, True):
        waiting = threading.Thread(target=ends.pipe.wait, args=(more,), daemon=True)
        waiting.start()
        os.write(ends.hand, b"!")
        waiting.join(0.05)
        assert waiting.is_alive()
    ends.close()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


def test_a_few_that_came_during_a_batch_are_left_to_gather(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of ten leaves 27 of 37, which are few; at the end none is left."""
    fill(site / "inbox.db", [gateway_cdr("8001", f"9586745{number:02d}", 64) for number in range(37)])
    using, ends = load(site), Ends(monkeypatch)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        pipeline = Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=10)
        assert working._taken(pipeline, ends.pipe)
        assert calls(site) == 10
        assert not working._taken(pipeline, ends.pipe, few=1)
        assert calls(site) == 37
    ends.close()
