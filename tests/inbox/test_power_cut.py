"""The current fails: of all that was written only what was synced is sure to be there, and that must be enough.

A file system below SQLite, made with apsw, records every write and every sync of the statements with which the inbox is
written. Then the files are put together as a power cut at some moment may leave them: everything up to each file's last
sync, and of what was written later any part, in sectors, in no order. No test on a running machine can show that: what
a killed process has written, the system still holds.
"""

import random
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing import inbox
from ippbx_billing.inbox import Delivery, Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from ippbx_billing.sqlite import damage
from tests.bodies import gateway_cdr

apsw = pytest.importorskip("apsw")

SECTOR_BYTES = 512
Step = tuple[str, str, int, bytes]  # write, truncate or sync; the file's name; where; what


class Recorder(apsw.VFS):  # type: ignore[misc]
    """The system's own files, and a log of what was done to them."""

    def __init__(self, log: list[Step]) -> None:
        self.log = log
        super().__init__("recorder", "")

    def xOpen(self, name: Any, flags: list[int]) -> "Recorded":
        return Recorded(self.log, name, flags)


class Recorded(apsw.VFSFile):  # type: ignore[misc]
    """One file of them."""

    def __init__(self, log: list[Step], name: Any, flags: list[int]) -> None:
        self.log = log
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self.log.append(("write", self.name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self.log.append(("truncate", self.name, size, b""))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self.log.append(("sync", self.name, 0, b""))


def changed(content: bytearray, step: Step, chance: random.Random | None = None) -> None:
    """A step done to a file's content; with `chance` only some of a write's sectors, or not at all."""
    what, _, place, data = step
    if what == "truncate" and (chance is None or chance.random() < 0.5):
        del content[place:]
    for start in range(0, len(data), SECTOR_BYTES):
        if chance is None or chance.random() < 0.5:
            piece, at = data[start : start + SECTOR_BYTES], place + start
            content.extend(bytes(max(0, at - len(content))))
            content[at : at + len(piece)] = piece


def files_after_power_cut(before: dict[str, bytes], log: Sequence[Step], chance: random.Random) -> dict[str, bytearray]:
    """What the disk holds when the current fails after these steps."""
    content = defaultdict(bytearray, {name: bytearray(data) for name, data in before.items()})
    unsynced: dict[str, list[Step]] = defaultdict(list)
    for step in log:
        name = step[1]
        if step[0] == "sync":
            for earlier in unsynced.pop(name, []):
                changed(content[name], earlier)
        else:
            unsynced[name].append(step)
    for step in chain.from_iterable(unsynced.values()):
        changed(content[step[1]], step, chance)
    return content


class Story:
    """An inbox written by the writer's own statements, group by group; `acknowledged` tells after which step."""

    def __init__(self, site: Path, pragmas: Sequence[str], groups: int) -> None:
        path = site / "inbox.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.before = {path.name: path.read_bytes()}
        self.log: list[Step] = []
        self.acknowledged: list[tuple[int, list[str]]] = []
        recorder = Recorder(self.log)
        connection = apsw.Connection(str(path), vfs="recorder", flags=apsw.SQLITE_OPEN_READWRITE)
        for pragma in (*pragmas, "PRAGMA wal_autocheckpoint = 40"):  # so that the log also begins anew some times
            connection.execute(pragma).fetchall()
        numbers = iter(range(20_000_000, 90_000_000))
        for group in range(groups):
            made = [f"9{next(numbers)}" for _ in range(group % 7 + 1)]
            events = [_delivery(number) for number in made]
            connection.execute(inbox._insert(len(events)), tuple(chain.from_iterable(events)))
            self.acknowledged.append((len(self.log), made))
        connection.close()
        recorder.unregister()

    def safe_at(self, moment: int) -> set[str]:
        """What had been answered 200 by then."""
        return {number for step, made in self.acknowledged if step <= moment for number in made}

    def put_back(self, site: Path, moment: int, chance: random.Random) -> None:
        """The disk as it is after the current failed at this step."""
        for name in ("inbox.db", "inbox.db-wal", "inbox.db-shm"):
            (site / name).unlink(missing_ok=True)
        for name, content in files_after_power_cut(self.before, self.log[:moment], chance).items():
            (site / name).write_bytes(content)


def _delivery(number: str) -> Delivery:
    return Delivery(1, "cdr", "10.0.0.9", "POST", "/", "", b"Host: x\r\n", gateway_cdr("8001", number, 64))


def numbers_in(path: Path, wanted: set[str]) -> set[str]:
    with Inbox(path) as events:
        bodies = b"".join(event.body for event in events.after(0, 10_000))
    return {number for number in wanted if number.encode() in bodies}


@pytest.mark.parametrize("moments", [60, pytest.param(2_000, marks=pytest.mark.slow)])
def test_whatever_was_acknowledged_is_there_after_a_power_cut(site: Path, moments: int) -> None:
    """Whenever the current fails, the file is sound, and every event that was answered is in it."""
    story, chance = Story(site, inbox.WRITER_PRAGMAS, groups=60), random.Random(1)
    assert sum(step[0] == "sync" and step[1] == "inbox.db" for step in story.log) > 3  # checkpoints are among it
    for _ in range(moments):
        moment = chance.randrange(1, len(story.log) + 1)
        story.put_back(site, moment, chance)
        assert damage.fault(site / "inbox.db", "events", "id") == ""
        safe = story.safe_at(moment)
        assert numbers_in(site / "inbox.db", safe) == safe


def test_the_imitation_would_notice(site: Path) -> None:
    """With SQLite's usual setting for such a log, which syncs more seldom, acknowledged events are lost."""
    story, chance = Story(site, ["PRAGMA synchronous = NORMAL"], groups=60), random.Random(1)
    lost = 0
    for _ in range(40):
        moment = chance.randrange(1, len(story.log) + 1)
        story.put_back(site, moment, chance)
        safe = story.safe_at(moment)
        lost += len(safe - numbers_in(site / "inbox.db", safe))
    assert lost > 0


def statements_of_sync(site: Path) -> list[str]:
    """What `Ledger.sync` asks SQLite for, as seen at another ledger."""
    told: list[str] = []
    with Ledger(site / "another.db") as ledger:
        ledger.connection.set_trace_callback(told.append)
        ledger.sync()
        ledger.connection.set_trace_callback(None)
    return told


class LedgerStory:
    """A ledger written without a sync at each commit, and then synced or not; the log of what was done to the file."""

    NUMBERS = tuple(f"kept-{number}" for number in range(30))

    def __init__(self, site: Path, *, synced: bool) -> None:
        path = site / "ledger.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.before = {path.name: path.read_bytes()}
        self.log: list[Step] = []
        recorder = Recorder(self.log)
        connection = apsw.Connection(str(path), vfs="recorder", flags=apsw.SQLITE_OPEN_READWRITE)
        for pragma in ("PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0"):
            connection.execute(pragma).fetchall()
        for number in self.NUMBERS:
            connection.execute("INSERT INTO state VALUES (?, '')", [number])
        if synced:
            for sql in statements_of_sync(site):
                connection.execute(sql).fetchall()
        self.end = len(self.log)  # what follows is the closing of the file, which the power cut does not wait for
        connection.close()
        recorder.unregister()

    def lost(self, site: Path, chance: random.Random) -> int:
        """How many commits are gone when the current fails now."""
        for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
            (site / name).unlink(missing_ok=True)
        for name, content in files_after_power_cut(self.before, self.log[: self.end], chance).items():
            (site / name).write_bytes(content)
        with closing(sqlite3.connect(site / "ledger.db")) as connection:
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            found = {row[0] for row in connection.execute("SELECT name FROM state")}
        return len(set(self.NUMBERS) - found)


def test_a_ledger_that_was_synced_outlives_a_power_cut(site: Path) -> None:
    """What a pruned event became is there, whenever the current fails afterwards; without the sync it would not be."""
    chance = random.Random(3)
    story = LedgerStory(site, synced=True)
    assert [story.lost(site, chance) for _ in range(20)] == [0] * 20
    (site / "ledger.db").write_bytes(story.before["ledger.db"])
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (site / name).unlink(missing_ok=True)
    story = LedgerStory(site, synced=False)
    assert sum(story.lost(site, chance) for _ in range(20)) > 0


def test_after_a_power_cut_the_journey_goes_on(site: Path) -> None:
    """What is left is read and rated, and so is the next event, which gets an id of its own."""
    story, using = Story(site, inbox.WRITER_PRAGMAS, groups=20), load(site)
    moment = len(story.log) // 2
    story.put_back(site, moment, random.Random(2))
    inbox.create(site / "inbox.db")
    with closing(inbox._connect(site / "inbox.db")) as connection:
        connection.execute(inbox._insert(1), _delivery("989999999"))
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as events:
        Pipeline(events, ledger, lambda: Rules.of(ledger, using)).drain()
        billed = [row[0] for row in ledger.connection.execute("SELECT number FROM calls")]
    assert {"989999999", *story.safe_at(moment)} <= set(billed)
    assert len(billed) == len(set(billed))
