"""Faults, each with real processes: what was answered 200 is on the bill, and once, whatever happens to the machine.

`--slow` runs the same stories at full size: fifty SIGKILLs, a ledger locked for longer than a minute.
"""

import http.client
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import pytest

from ippbx_billing import inbox as inbox_module
from ippbx_billing.inbox import Delivery, Inbox, InboxWriter, salvage
from ippbx_billing.ledger import Ledger, migrations
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from ippbx_billing.sqlite import damage
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli
from tests.service_process import PATIENCE_S, Service

FULL_SIZE = pytest.mark.slow
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes and tmpfs are Linux's")


class Records:
    """Calls that all differ, each known by the number it dialled."""

    def __init__(self) -> None:
        self._next = iter(range(20_000_000, 90_000_000))

    def next(self) -> tuple[str, bytes]:
        number = f"9{next(self._next)}"
        return number, gateway_cdr("8001", number, 64)


class Load:
    """Some connections that post all the time; `acknowledged` holds the numbers that were answered 200."""

    def __init__(self, url: str, records: Records, connections: int = 4) -> None:
        self.acknowledged: list[str] = []
        self._address = urlsplit(url).netloc
        self._records = records
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._post, daemon=True) for _ in range(connections)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def wait_for(self, count: int) -> None:
        """Until so many were acknowledged."""
        wait_until(lambda: len(self.acknowledged) >= count, "the listener acknowledges too little")

    def _post(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE_S)
        while not self._ending.is_set():
            number, body = self._records.next()
            try:
                connection.request("POST", "/", body)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):  # it is gone; what was not answered is not promised
                break
            if answer.status == 200:
                self.acknowledged.append(number)
        connection.close()


def wait_until(condition: object, complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


def drain(site: Path) -> None:
    """Read everything that waits, as a worker does."""
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()


def billed(site: Path) -> Counter[str]:
    """The numbers on the bill, and how often each."""
    with closing(sqlite3.connect(site / "ledger.db")) as ledger:
        return Counter(row[0] for row in ledger.execute("SELECT number FROM calls JOIN charges USING (id)"))


def assert_billed_once(site: Path, acknowledged: list[str]) -> None:
    """Every acknowledged call is on the bill, none of any twice, and no event came to nothing."""
    drain(site)
    found = billed(site)
    assert set(acknowledged) - set(found) == set()
    assert set(found.values()) <= {1}
    with Inbox(site / "inbox.db") as inbox:
        assert inbox.faults() == ""
    with Ledger(site / "ledger.db") as ledger:
        assert ledger.faults() == ""


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=FULL_SIZE)])
def test_killed_at_any_moment(site: Path, times: int) -> None:
    """Killed again and again under load, and at once started anew: nothing that was answered is lost or doubled."""
    records, acknowledged, chance = Records(), [], random.Random(times)
    for _ in range(times):
        with Service(site) as service:
            with Load(service.cdr_url, records) as load:
                load.wait_for(chance.randrange(1, 300))
                service.process.kill()
            acknowledged += load.acknowledged
    assert len(acknowledged) >= times
    assert_billed_once(site, acknowledged)


def test_ended_under_load(site: Path) -> None:
    """SIGTERM while posts come in: a clean end, and whatever was answered is read, rated and on the bill."""
    with Service(site) as service, Load(service.cdr_url, Records()) as load:
        load.wait_for(200)
        assert service.end(signal.SIGTERM) == 0
    assert set(load.acknowledged) <= set(billed(site))  # before anybody else has drained
    assert_billed_once(site, load.acknowledged)


def test_a_second_listener_is_refused(site: Path) -> None:
    """Two on one data directory: the second says so and ends with 3, the first goes on."""
    with Service(site) as service:
        second = Service(site)
        assert second.process.wait(PATIENCE_S) == 3
        second.end()
        assert "another listener already uses" in " ".join(second.lines.queue)
        assert service.post(Records().next()[1]).status_code == 200


@pytest.mark.parametrize("seconds", [2, pytest.param(75, marks=FULL_SIZE)])
def test_a_locked_ledger_does_not_touch_the_doors(site: Path, seconds: int) -> None:
    """While somebody else holds the ledger every record is answered at once; afterwards the worker catches up."""
    records, acknowledged = Records(), []
    with Service(site) as service:
        with closing(sqlite3.connect(site / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                number, body = records.next()
                began = time.monotonic()
                assert service.post(body).status_code == 200
                assert time.monotonic() - began < 2.5  # the least patient PBX gives up after 3 s
                acknowledged.append(number)
                time.sleep(0.05)
            assert billed(site) == {}
            other.execute("ROLLBACK")
        service.wait_until_read()
    assert set(billed(site)) == set(acknowledged)
    assert_billed_once(site, acknowledged)


@pytest.fixture
def small_disk(site: Path, tmp_path: Path) -> Iterator[Path]:
    """The site on a file system of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a file system needs root on Linux")
    try:
        yield Path(shutil.copytree(site, place / "data"))
    finally:
        subprocess.run(["umount", str(place)], check=True, timeout=PATIENCE_S)


def fill_up(ballast: Path) -> None:
    """Until the disk takes no further byte."""
    with ballast.open("ab", buffering=0) as file:
        for size in (65_536, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


def test_a_full_disk_is_told_and_outlived(small_disk: Path) -> None:
    """No room: 503, never a 200 that is not kept; with room again 200, and the ledger catches up as well."""
    records, acknowledged, refused = Records(), [], 0
    ballast = small_disk.parent / "ballast"
    with Service(small_disk, IPPBX_BILL_MIN_FREE_BYTES="0") as service:

        def post() -> int:
            number, body = records.next()
            status = service.post(body).status_code
            acknowledged.extend([number] if status == 200 else [])
            return status

        assert post() == 200
        fill_up(ballast)
        for _ in range(300):  # the log may hold some pages that are free to be written again
            refused += post() == 503
            if refused >= 3:
                break
        assert refused >= 3
        ballast.unlink()
        wait_until(lambda: post() == 200, "the disk has room, and still nothing is taken")
        service.wait_until_read()
        assert service._client.get(service.cdr_url + "healthz").json()["status"] == "ok"
    assert_billed_once(small_disk, acknowledged)


def test_a_disk_that_can_only_be_read(small_disk: Path) -> None:
    """`listen` does not start, and says why in a sentence; written to again, it does."""
    place = str(small_disk.parent)
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    refused = Service(small_disk)
    code = refused.process.wait(PATIENCE_S)
    refused.end()
    said = " ".join(refused.lines.queue)
    assert code == 3, said
    assert "Read-only file system" in said
    assert "Traceback" not in said
    subprocess.run(["mount", "-o", "remount,rw", place], check=True)
    with Service(small_disk, IPPBX_BILL_MIN_FREE_BYTES="0") as service:
        assert service.post(Records().next()[1]).status_code == 200


@linux
def test_without_file_descriptors(site: Path) -> None:
    """When no further connection can be accepted the others go on; when some are closed, new ones come in again."""
    import resource

    records = Records()
    with Service(site) as service:
        assert service.post(records.next()[1]).status_code == 200  # this connection stays open
        pid = service.process.pid
        used = len(os.listdir(f"/proc/{pid}/fd"))
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 5, hard))
        address = urlsplit(service.cdr_url)
        crowd = [http.client.HTTPConnection(address.hostname or "", address.port, timeout=5) for _ in range(40)]
        for one in crowd:
            one.connect()
        wait_until(lambda: len(os.listdir(f"/proc/{pid}/fd")) >= used + 5, "the limit was not reached")
        assert service.post(records.next()[1]).status_code == 200
        for one in crowd:
            one.close()

        def comes_in() -> bool:
            _, body = records.next()
            connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
            try:
                connection.request("POST", "/", body)
                return connection.getresponse().status == 200
            except OSError:
                return False
            finally:
                connection.close()

        wait_until(comes_in, "no new connection comes in")
        assert service.process.poll() is None


HEADER_BYTES = 100


def destroy_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\xa5" * HEADER_BYTES)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip_bytes_of_last_page(path: Path) -> None:
    """The kind of the page that the newest events stand on, and their places on it."""
    with closing(sqlite3.connect(path)) as connection:
        last = int(connection.execute("PRAGMA page_count").fetchone()[0])
    overwrite_page(path, last, 64)


def overwrite_page(path: Path, number: int, size: int = 4096) -> None:
    with path.open("r+b") as file:
        file.seek((number - 1) * 4096)
        file.write(b"\xff" * size)


def page_of_early_events(path: Path) -> int:
    """A leaf, which nobody needs who only adds events: some pages behind the root, that is a while before the end."""
    with closing(sqlite3.connect(path)) as connection:
        root = int(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events'").fetchone()[0])
        assert connection.execute("PRAGMA page_count").fetchone()[0] > root + 8
    return root + 4


DAMAGES = [
    destroy_header,
    flip_bytes_of_last_page,
    pytest.param(truncate, marks=FULL_SIZE),
    pytest.param(empty, marks=FULL_SIZE),
]


def checkpointed(path: Path) -> None:
    """Everything from the log into the file, so that damage to the file is damage indeed."""
    with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection:
        wait_until(
            lambda: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "the log stays busy"
        )


def stored(site: Path, records: Records, count: int) -> list[str]:
    """So many calls, received, read and rated."""
    made = [records.next() for _ in range(count)]
    fill(site / "inbox.db", [body for _, body in made])
    drain(site)
    return [number for number, _ in made]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_found_at_the_start(site: Path, damage: object) -> None:
    """The file is moved aside whole, the doors open on a fresh one, and what comes then is on the bill as well."""
    records = Records()
    earlier = stored(site, records, 60)
    checkpointed(site / "inbox.db")
    damage(site / "inbox.db")  # type: ignore[operator]
    damaged = (site / "inbox.db").read_bytes()
    with Service(site) as service:
        assert "is damaged" in service.said()
        (aside,) = site.glob("inbox.db.damaged-*Z")
        assert aside.read_bytes() == damaged
        number, body = records.next()
        assert service.post(body).status_code == 200
        service.wait_until_read()
        health = service._client.get(service.cdr_url + "healthz").json()
        assert health["damaged_files"] == [aside.name]
    assert_billed_once(site, [*earlier, number])


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_while_it_runs(site: Path, damage: object) -> None:
    """The next record finds the damage and is kept in a fresh file all the same; the pipeline goes on there."""
    records = Records()
    earlier = stored(site, records, 60)
    with Service(site) as service:
        number, body = records.next()
        assert service.post(body).status_code == 200
        service.wait_until_read()
        checkpointed(site / "inbox.db")
        damage(site / "inbox.db")  # type: ignore[operator]
        later = [records.next() for _ in range(5)]
        assert [service.post(body).status_code for _, body in later] == [200] * 5
        wait_until(lambda: list(site.glob("inbox.db.damaged-*Z")), "nobody noticed")
        wait_until(lambda: later[-1][0] in billed(site), "the pipeline has stopped")
    assert "events salvage" in service.said()
    assert_billed_once(site, [*earlier, number, *(one for one, _ in later)])


def worker_of(service: Service) -> int:
    """The process id of its worker, the first child it starts; the other one sends."""
    worker, _ = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    return int(worker)


@linux
def test_damage_that_only_a_reader_meets(site: Path) -> None:
    """The writer never looks at old pages; what the worker cannot read there is replaced while nobody posts."""
    records = Records()
    with Service(site) as service:
        assert service.post(records.next()[1]).status_code == 200
        service.wait_until_read()
        worker = worker_of(service)
        os.kill(worker, signal.SIGSTOP)  # so that what follows is unread when the page is damaged
        for _ in range(60):
            assert service.post(records.next()[1]).status_code == 200
        checkpointed(site / "inbox.db")
        overwrite_page(site / "inbox.db", page_of_early_events(site / "inbox.db"))
        os.kill(worker, signal.SIGCONT)
        wait_until(lambda: list(site.glob("inbox.db.damaged-*Z")), "nobody noticed")
        number, body = records.next()
        assert service.post(body).status_code == 200
        wait_until(lambda: number in billed(site), "the pipeline has stopped")
    (aside,) = site.glob("inbox.db.damaged-*Z")
    assert len(damage.files_aside(site / "inbox.db")) == 1
    assert aside.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("while_it_runs", [True, pytest.param(False, marks=FULL_SIZE)])
def test_salvage_brings_back_what_can_be_read(site: Path, cli: Cli, while_it_runs: bool) -> None:
    """The events of sound pages are there again under their ids, each call is on the bill once; twice is once."""
    records = Records()
    read = stored(site, records, 40)
    unread = [records.next() for _ in range(40)]
    fill(site / "inbox.db", [body for _, body in unread])
    checkpointed(site / "inbox.db")
    overwrite_page(site / "inbox.db", page_of_early_events(site / "inbox.db"))
    with Service(site) as service:
        (aside,) = site.glob("inbox.db.damaged-*Z")
        before = aside.read_bytes()
        assert service.post(records.next()[1]).status_code == 200
        service.wait_until_read()
        if not while_it_runs:
            service.end()
        result = cli("events", "salvage", str(aside))
        assert result.exit_code == 0, result.stderr
    assert aside.read_bytes() == before
    with Inbox(site / "inbox.db") as inbox:
        kept = {event.id: event.body for event in inbox.after(0, 1000)}
    assert 60 < len(kept) < 81  # all but those of one page
    assert kept[80] == unread[-1][1]
    readable = [number for place, (number, _) in enumerate(unread, 41) if place in kept]
    assert_billed_once(site, [*read, *readable])
    again = cli("events", "salvage", str(aside))
    assert f"{len(kept) - 1} events can be read; 0 of them were missing" in again.stderr


def test_a_damaged_ledger_turns_no_record_away(site: Path, tmp_path: Path, cli: Cli) -> None:
    """The doors open, say what is wrong, and keep what comes; with the ledger made anew it is on the bill."""
    records = Records()
    earlier = stored(site, records, 60)
    checkpointed(site / "ledger.db")
    shutil.copy(site / "ledger.db", tmp_path / "backup.db")
    destroy_header(site / "ledger.db")
    number, body = records.next()
    with Service(site) as service:
        assert service.post(body).status_code == 200
        assert "ledger.db cannot be used" in service.said()
        assert "events rebuild --book" in service.said()
    assert list(site.glob("inbox.db.damaged-*")) == []
    result = cli("events", "rebuild", "--book", str(tmp_path / "backup.db"))
    assert result.exit_code == 0, result.stderr
    assert_billed_once(site, [*earlier, number])


def test_salvage_of_what_is_no_inbox(site: Path, cli: Cli, tmp_path: Path) -> None:
    """A file that nothing can be read from is told so, and the inbox stays as it is."""
    rubbish = tmp_path / "inbox.db.damaged-x"
    rubbish.write_bytes(b"\xa5" * 8192)
    result = cli("events", "salvage", str(rubbish))
    assert result.exit_code == 1
    assert "cannot be read: file is not a database" in result.stderr


def test_an_inbox_that_is_made_again_goes_on_above_the_ledger(site: Path) -> None:
    """Lost and created by `init` once more, its first event is new to the ledger."""
    earlier = stored(site, records := Records(), 5)
    for name in ("inbox.db", "inbox.db-wal", "inbox.db-shm"):
        (site / name).unlink(missing_ok=True)
    inbox_module.create(site / "inbox.db")
    later = stored(site, records, 1)
    assert_billed_once(site, earlier + later)


def test_ids_without_events_wait_for_nobody(site: Path) -> None:
    """After a damaged inbox was replaced some ids are left free: nothing waits then, and the next event is read."""
    earlier = stored(site, records := Records(), 5)
    destroy_header(site / "inbox.db")
    inbox_module.replaced(site / "inbox.db", "a test")
    drain(site)
    with Ledger(site / "ledger.db") as ledger, Inbox(site / "inbox.db") as inbox:
        assert ledger.journey.position() == inbox.last_id() == 5 + salvage.RESERVED_IDS
    assert_billed_once(site, earlier + stored(site, records, 1))


JUMPING_CLOCK = """
import random, time
_real_ns, _real, _chance = time.time_ns, time.time, random.Random(1)
time.time_ns = lambda: _real_ns() + _chance.choice((-86_400, 0, 3_600)) * 1_000_000_000
time.time = lambda: _real() + _chance.choice((-86_400, 0, 3_600))
"""


def test_a_clock_that_jumps(site: Path, tmp_path: Path) -> None:
    """Back a day and forth an hour between any two records: each is kept and billed once, in the order it came."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(JUMPING_CLOCK)
    paths = os.pathsep.join([str(tmp_path / "clock"), *filter(None, sys.path)])
    records = Records()
    made = [records.next() for _ in range(40)]
    with Service(site, PYTHONPATH=paths) as service:
        assert [service.post(body).status_code for _, body in made] == [200] * len(made)
        service.wait_until_read()
    with Inbox(site / "inbox.db") as inbox:
        events = inbox.after(0, 100)
    times = [event.received_at for event in events]
    assert times != sorted(times)
    assert [event.body for event in events] == [body for _, body in made]
    assert_billed_once(site, [number for number, _ in made])


@pytest.mark.parametrize("day", ["2026-10-25", "2026-03-29"])
def test_the_hours_of_a_changing_clock(site: Path, day: str) -> None:
    """Summer time ends or begins: a call in the hour that comes twice, or never, is a call like any other."""
    settings = (site / "settings.toml").read_text()
    assert 'timezone = "Asia/Shanghai"' in settings
    (site / "settings.toml").write_text(settings.replace('timezone = "Asia/Shanghai"', 'timezone = "Europe/Berlin"'))
    midnight, records = datetime.fromisoformat(day), Records()
    made = [(midnight + timedelta(minutes=10 * step), records.next()[0]) for step in range(30)]
    fill(site / "inbox.db", [gateway_cdr("8001", number, 64, start=str(start)) for start, number in made])
    assert_billed_once(site, [number for _, number in made])
    with closing(sqlite3.connect(site / "ledger.db")) as ledger:
        assert ledger.execute("SELECT DISTINCT day FROM calls").fetchall() == [(day,)]
        assert ledger.execute("SELECT sum(calls) FROM rollup_days").fetchone() == (len(made),)


def test_an_older_ledger_is_brought_up_to_date_while_events_come_in(site: Path) -> None:
    """The inbox is written all the while as an earlier version did; each event is on the bill once."""
    from sqlite_utils import Database

    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (site / name).unlink(missing_ok=True)
    with closing(sqlite3.connect(site / "ledger.db")) as old:
        migrations.ledger.apply(Database(old), stop_before="m007_rollups")
        old.execute("PRAGMA user_version = 6")
    records, numbers, ending = Records(), [], threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(site / "inbox.db", isolation_level=None, timeout=10)) as writer:
            while not ending.is_set():
                number, body = records.next()
                event = Delivery(time.time_ns() // 1000, "cdr", "10.0.0.9", "POST", "/", "", b"Host: x\r\n", body)
                writer.execute("BEGIN IMMEDIATE")
                writer.execute(inbox_module._insert(1), event)
                writer.execute("COMMIT")
                numbers.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        wait_until(lambda: len(numbers) > 10, "nothing is written")
        drain(site)
        seen = len(numbers)
        wait_until(lambda: len(numbers) > seen + 10, "the writer was stopped by the upgrade")
    finally:
        ending.set()
        thread.join(PATIENCE_S)
    assert_billed_once(site, numbers)
    with Inbox(site / "inbox.db") as inbox:
        assert inbox.count() == len(numbers) == sum(billed(site).values())


def test_a_writer_notices_that_its_file_was_moved(site: Path) -> None:
    """What would go to a file that nobody finds any more is refused; the name decides, not the open file."""
    import asyncio

    from ippbx_billing.errors import DataError

    path = site / "inbox.db"

    async def story() -> None:
        with InboxWriter(path) as writer:
            event = Delivery(1, "cdr", "", "POST", "/", "", b"", b"{}")
            await writer.keep(event)
            path.rename(path.with_suffix(".away"))
            with pytest.raises(DataError, match="unable to open database file"):
                await writer.keep(event)
            path.with_suffix(".away").rename(path)
            await writer.keep(event)

    asyncio.run(story())
    with Inbox(path) as inbox:
        assert inbox.count() == 2
