"""Lines and files through the same inbox: each body readable alone, nothing twice, nothing left."""

import asyncio
import gzip
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing.inbox import Delivery, Inbox, InboxWriter, keep_all
from ippbx_billing.listener.files import QUIET_S, Files, Follower
from ippbx_billing.listener.lines import MOST_ROWS, Lines
from ippbx_billing.listener.smdr import SmdrDoor
from ippbx_billing.settings import load
from tests.conftest import Cli
from tests.listening import Listening

HEADING = b"caller;callee;start_time;duration;billsec\n"
ROWS = [f"800{place};1380013800{place};2026-05-21 22:0{place}:00;72;65\n".encode() for place in range(1, 6)]


def bodies(*pieces: bytes) -> list[bytes]:
    lines = Lines()
    found: list[bytes] = []
    for piece in pieces:
        lines.feed(piece)
        found += lines.complete()
    return found + lines.rest()


def test_rows_take_their_heading_along() -> None:
    """Each body names its columns, however many there are; a heading on each page is not a row."""
    assert bodies(HEADING + ROWS[0], ROWS[1] + HEADING + ROWS[2]) == [
        HEADING + ROWS[0],
        HEADING + ROWS[1] + ROWS[2],
    ]
    other = b"start_time,callee,caller,billsec\n"
    row = b"2026-05-21 22:00:00,13800138000,8001,65\n"
    assert bodies(b"# printed 2026-05-21\n" + HEADING + ROWS[0] + other + row) == [
        b"# printed 2026-05-21\n",
        HEADING + ROWS[0],
        other + row,
    ]
    many = bodies(HEADING + ROWS[0] * (MOST_ROWS + 3))
    assert [body.count(ROWS[0]) for body in many] == [MOST_ROWS, 3]
    assert all(body.startswith(HEADING) for body in many)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b'{"a": 1}\n{"a": 2}\n', [b'{"a": 1}\n', b'{"a": 2}\n']),
        (b'[\n {"a": "}"},\n {"b": [1]}\n]\n', [b'[\n {"a": "}"},\n {"b": [1]}\n]\n']),
        (b'<?xml version="1.0"?>\n<cdr>\n<a>1</a>\n</cdr>\n<x/>\n',
         [b'<?xml version="1.0"?>\n<cdr>\n<a>1</a>\n</cdr>\n', b"<x/>\n"]),
        (b"Event: Cdr\r\nSource: 8001\r\n\r\nEvent: Cdr\r\nSource: 8002\r\n\r\n",
         [b"Event: Cdr\nSource: 8001\n", b"Event: Cdr\nSource: 8002\n"]),
        (b"10/12/26 09:33 8001 01 13800138000 00:01'05\r10/12/26 09:40 8001 01 138 00:01'05\r",
         [b"10/12/26 09:33 8001 01 13800138000 00:01'05\n10/12/26 09:40 8001 01 138 00:01'05\n"]),
        (b"\0\0\r\n\r\n", []),
    ],
)  # fmt: skip
def test_documents_and_blocks_are_whole(text: bytes, wanted: list[bytes]) -> None:
    """JSON by lines and over many, XML, the manager interface's blocks, a printer's carriage returns."""
    assert bodies(text) == wanted
    one_by_one = bodies(*(text[place : place + 1] for place in range(len(text))))
    assert b"".join(one_by_one) == b"".join(wanted)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_are_taken_and_no_digit_is_lost(pieces: list[bytes]) -> None:
    """Whatever comes in whatever pieces: what holds a number stands in some body."""
    text = b"\n".join(pieces)
    wanted = sorted(digit for digit in text if 48 <= digit <= 57)
    lines = Lines()
    lines.feed(text)
    found = lines.complete() + lines.rest()
    assert lines.unread == 0
    heading = b"".join(lines.heading)
    told = sorted(digit for digit in b"".join(found) if 48 <= digit <= 57)
    spare = sorted(digit for digit in heading if 48 <= digit <= 57)
    lines_sent = [line.strip(b"\0\r\x02\x03\x0c \t") for line in text.split(b"\n")]  # what printers send around a line
    assert len(told) + len(spare) >= len(wanted) or len(set(lines_sent)) < len(lines_sent)


class Kept:
    """Deliveries that files bring."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.all: list[Delivery] = []
        self.now = 0.0

    def files(self) -> Files:
        """As after a start: what is remembered stands on the disk."""
        return Files(self.data_dir, self.all.extend)

    def follower(self, *paths: Path) -> Follower:
        return Follower(self.files(), paths, lambda: self.now)

    def news(self) -> bytes:
        text = b"".join(one.body for one in self.all)
        self.all.clear()
        return text


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_file_is_taken_once_under_any_name(kept: Kept, tmp_path: Path) -> None:
    """Again, as a copy, and grown: only what is new comes, with its heading."""
    path = tmp_path / "Master.csv"
    path.write_bytes(HEADING + ROWS[0])
    kept.files().take(path)
    assert kept.news() == HEADING + ROWS[0]
    assert (kept.files().take(path).events, kept.files().take(path).known_bytes) == (0, path.stat().st_size)
    copy = tmp_path / "archive" / "old.csv"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes() + ROWS[1])
    kept.files().take(copy)
    assert kept.news() == HEADING + ROWS[1]
    (delivery,) = kept.all or [Delivery(0, "cdr", "file:old.csv", "FILE", "/", "", b"", b"")]
    assert (delivery.remote, delivery.method) == ("file:old.csv", "FILE")


def test_a_packed_file_and_one_in_utf_16_are_read(kept: Kept, tmp_path: Path) -> None:
    """As a whole, and once."""
    packed, wide = tmp_path / "a.csv.gz", tmp_path / "b.csv"
    packed.write_bytes(gzip.compress(HEADING + ROWS[0]))
    wide.write_bytes((HEADING + ROWS[1]).decode().encode("utf-16"))
    for path, row in ((packed, ROWS[0]), (wide, ROWS[1])):
        kept.files().take(path)
        assert kept.news() == HEADING + row
        assert kept.files().take(path).events == 0


def test_a_growing_file_is_followed_through_rotation_and_restart(kept: Kept, tmp_path: Path) -> None:
    """Half a line waits; a file that was moved away is finished first; a new start goes on where the last one was."""
    path = tmp_path / "cdr.csv"
    path.write_bytes(HEADING + ROWS[0] + ROWS[1][:10])
    follower = kept.follower(path)
    follower.look()
    assert kept.news() == HEADING + ROWS[0]
    with path.open("ab") as file:
        file.write(ROWS[1][10:])
    follower.look()
    assert kept.news() == HEADING + ROWS[1]
    with path.open("ab") as file:
        file.write(ROWS[2])
    path.rename(tmp_path / "cdr.csv.1")
    path.write_bytes(HEADING + ROWS[3])
    follower.look()
    assert kept.news() == HEADING + ROWS[2] + HEADING + ROWS[3]
    follower.close()
    with path.open("ab") as file:
        file.write(ROWS[4])
    again = kept.follower(path)
    again.look()
    assert kept.news() == HEADING + ROWS[4]
    path.write_bytes(HEADING + ROWS[0][:-1])  # emptied and written anew, its last line not ended
    again.look()
    assert kept.news() == b""
    kept.now += QUIET_S
    again.look()
    assert kept.news() == HEADING + ROWS[0]
    again.close()


def test_a_folder_is_followed_by_its_files(kept: Kept, tmp_path: Path) -> None:
    """New files as they come; hidden and unfinished ones wait; a file that is renamed is not taken again."""
    folder = tmp_path / "spool"
    folder.mkdir()
    (folder / "1.json").write_bytes(b'{"a": 1}\n')
    (folder / ".2.json").write_bytes(b'{"a": 2}\n')
    (folder / "3.json.part").write_bytes(b'{"a": 3}\n')
    follower = kept.follower(folder)
    follower.look()
    assert kept.news() == b'{"a": 1}\n'
    (folder / "3.json.part").rename(folder / "3.json")
    (folder / "1.json").rename(folder / "1.done")
    follower.look()
    assert kept.news() == b'{"a": 3}\n'
    follower.look()
    assert kept.news() == b""
    follower.close()
    again = kept.follower(folder)
    again.look()
    assert kept.news() == b""
    again.close()


def test_lines_over_tcp_are_on_the_disk_before_the_next_is_read(site: Path) -> None:
    """Each with the heading of its connection; the last one too, though nothing ended it; a stranger is refused."""
    settings = load(site)
    told: list[str] = []

    async def send(port: int, *pieces: bytes) -> None:
        _, stream = await asyncio.open_connection("127.0.0.1", port)
        for piece in pieces:
            stream.write(piece)
            await stream.drain()
        stream.close()
        await stream.wait_closed()

    async def scene() -> None:
        with InboxWriter(settings.inbox_path) as writer:
            allowed = SmdrDoor(writer, lambda peer: peer == "127.0.0.1")
            refused = SmdrDoor(writer, lambda peer: False, report=told.append)
            for door in (allowed, refused):
                server = await asyncio.start_server(door.connection, "127.0.0.1", 0)
                port = server.sockets[0].getsockname()[1]
                await send(port, HEADING + ROWS[0][:20], ROWS[0][20:] + ROWS[1][:-1])
                while door is allowed and writer.kept < 2:
                    await asyncio.sleep(0.01)
                while door is refused and not told:
                    await asyncio.sleep(0.01)
                server.close()
                await door.close()

    asyncio.run(scene())
    with Inbox(settings.inbox_path) as inbox:
        found = [(event.remote, event.method, event.body) for event in inbox.after(0, 10)]
    assert found == [("127.0.0.1", "SMDR", HEADING + row) for row in ROWS[:2]]
    assert told == ["refused lines from 127.0.0.1"]


def test_import_reads_what_is_new_and_marks_it(cli: Cli, site: Path, tmp_path: Path) -> None:
    """A dry run keeps nothing; a second import knows all; the calls say that they came from a file."""
    path = tmp_path / "cdr.csv"
    path.write_bytes(HEADING + ROWS[0] + ROWS[1])
    tried = json.loads(cli("events", "import", str(path), "--dry-run", "--format", "json").stdout)["files"][0]
    assert (tried["calls"], tried["not_understood"], list(tried["dialects"])) == (2, 0, ["uc"])
    assert json.loads(cli("calls", "list", "--format", "json").stdout) == []
    for wanted in ((1, 2), (0, 0)):
        done = json.loads(cli("events", "import", str(path), "--format", "json").stdout)["files"][0]
        assert (done["events"], done["calls"]) == wanted
    (site / "imports.json").unlink()  # even so no call counts twice
    done = json.loads(cli("events", "import", str(path), "--format", "json").stdout)["files"][0]
    assert (done["events"], done["calls"], done["duplicates"]) == (1, 0, 1)
    story = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)
    assert (story["imported"], story["event_received"]["remote"]) == (True, "file:cdr.csv")


def test_import_as_of_a_pbx_knows_what_it_posted(cli: Cli, site: Path, tmp_path: Path) -> None:
    """The history of a PBX that posts as well: the same record is one call."""
    settings = load(site)
    keep_all(settings.inbox_path, [Delivery(1, "cdr", "10.0.0.9", "POST", "/", "", b"", HEADING + ROWS[0])])
    path = tmp_path / "cdr.csv"
    path.write_bytes(HEADING + ROWS[0] + ROWS[1])
    done = json.loads(cli("events", "import", str(path), "--pbx", "10.0.0.9", "--format", "json").stdout)
    assert done["files"][0]["calls"] == 1
    assert len(json.loads(cli("calls", "list", "--format", "json").stdout)) == 2


def test_what_is_not_there_is_said(cli: Cli, tmp_path: Path) -> None:
    """A missing file, and nothing named at all."""
    assert cli("events", "import", str(tmp_path / "none.csv")).exit_code == 1
    assert cli("events", "import").exit_code == 2


@pytest.fixture
def following(site: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process that follows a folder."""
    folder = tmp_path / "spool"
    folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "ippbx_billing",
        "--data-dir",
        str(site),
        "events",
        "import",
        "--follow",
        str(folder),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    yield process, folder
    process.kill()
    process.wait()
    if process.stderr:
        process.stderr.close()


def test_following_as_a_process_ends_in_good_order(following: tuple[subprocess.Popen[bytes], Path], cli: Cli) -> None:
    """A file that appears is read within moments, and SIGTERM ends it with 0."""
    process, folder = following
    assert process.stderr is not None
    assert b"following" in process.stderr.readline()
    (folder / "a.csv").write_bytes(HEADING + ROWS[0])
    assert b"took 1 events" in process.stderr.readline()
    assert len(json.loads(cli("calls", "list", "--format", "json").stdout)) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_listen_takes_lines_at_its_third_door(tmp_path: Path) -> None:
    """A true listener: what is printed to it is kept, also what came last before it was stopped."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Listening(tmp_path, smdr_port=port) as listening:
        assert listening.announcement.endswith(f"lines on port {port}")
        with listening.connect(port) as printer:
            printer.sendall(HEADING + ROWS[0] + ROWS[1][:-1])
            deadline = time.monotonic() + 30
            with Inbox(listening.inbox_path) as inbox:
                while inbox.count() < 1 and time.monotonic() < deadline:
                    time.sleep(0.05)
            listening.process.send_signal(signal.SIGTERM)
            assert listening.process.wait(30) == 0
    with Inbox(listening.inbox_path) as inbox:
        assert [event.body for event in inbox.after(0, 10)] == [HEADING + ROWS[0], HEADING + ROWS[1]]


def test_history_says_nothing_about_the_clock_of_the_pbx(cli: Cli, tmp_path: Path) -> None:
    """`doctor` goes by what is posted."""
    path = tmp_path / "cdr.csv"
    path.write_bytes(HEADING + b"".join(ROWS))
    assert cli("events", "import", str(path)).exit_code == 0
    assert "time zone" not in cli("doctor").stdout
