"""A file appears whole or not at all; links, modes, pipes and killed writers, with real processes where it matters."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ippbx_billing import files
from ippbx_billing.errors import BillingError

WRITER = """
import sys
from pathlib import Path
from ippbx_billing import files
with files.whole(Path(sys.argv[1])) as stream:
    stream.write(b"every call of the month")
    stream.flush()
    print("begun", flush=True)
    sys.stdin.read()
"""
FOLDER_WRITER = """
import sys
from pathlib import Path
from ippbx_billing import files
with files.together(Path(sys.argv[1])) as folder:
    files.write(folder / "calls.csv", "every call of the month")
    print("begun", flush=True)
    sys.stdin.read()
"""


def begun(script: str, target: Path) -> "subprocess.Popen[bytes]":
    """A process that has written a part and goes on when its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    return process


def end(process: "subprocess.Popen[bytes]", *, kill: bool) -> None:
    """It is killed, or ends well."""
    if kill:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (process.returncode == 0) is not kill


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_keeps_its_mode_and_a_new_one_has_what_the_umask_leaves(tmp_path: Path) -> None:
    """What somebody set so that others may read it stays so."""
    old, new, secret = tmp_path / "old", tmp_path / "new", tmp_path / "secret"
    old.write_bytes(b"old")
    old.chmod(0o644)
    before = os.umask(0o027)
    try:
        files.write(old, "new")
        files.write(new, "new")
        files.write(secret, "password", private=True)
    finally:
        os.umask(before)
    assert (mode(old), mode(new), mode(secret)) == (0o644, 0o640, 0o600)
    assert old.read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    """The head of department still owns the report that root's cron writes anew."""
    report = tmp_path / "report.csv"
    report.write_bytes(b"old")
    os.chown(report, 12345, 23456)
    files.write(report, "new")
    assert (report.stat().st_uid, report.stat().st_gid) == (12345, 23456)


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_points_to_is_written(tmp_path: Path, is_there: bool) -> None:
    """Through the link, also where its target is yet to be made; by itself and among others of a folder."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "out").mkdir()
    target, link = tmp_path / "shared" / "calls.csv", tmp_path / "out" / "calls.csv"
    if is_there:
        target.write_bytes(b"old")
    link.symlink_to("../shared/calls.csv")
    files.write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    with files.together(tmp_path / "out") as folder:
        files.write(folder / "calls.csv", "newer")
    assert link.is_symlink()
    assert target.read_text() == "newer"


def test_what_goes_wrong_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    """Also where the block raises something of its own."""
    path = tmp_path / "bill.pdf"
    path.write_bytes(b"old")

    def fail() -> None:
        with files.whole(path) as stream:
            stream.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_it_cannot_be_written_a_sentence_says_so(tmp_path: Path) -> None:
    """It names the file that was asked for, and the caller's hint."""
    with pytest.raises(BillingError, match=r"bill\.pdf cannot be written") as error:
        files.write(tmp_path / "nowhere" / "bill.pdf", "x", hint="look elsewhere")
    assert error.value.hint == "look elsewhere"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """Its reader gets all of it, and the pipe is still there."""
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()), daemon=True)
    reader.start()
    files.write(pipe, "all of it")
    reader.join(10)
    assert heard == [b"all of it"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_stdout_is_written_to_where_it_stands(tmp_path: Path, name: str) -> None:
    """`>> FILE` keeps what FILE held, and what is printed before comes before."""
    output = tmp_path / "out"
    output.write_text("kept\n")
    if name == "link":
        (tmp_path / "link").symlink_to("/dev/stdout")
        name = str(tmp_path / "link")
    imports = "from pathlib import Path; from ippbx_billing import files"
    script = f"{imports}; print('first'); files.write(Path({name!r}), 'second\\n')"
    with output.open("ab") as stream:
        subprocess.run([sys.executable, "-c", script], stdout=stream, check=True, timeout=60)
    assert output.read_text() == "kept\nfirst\nsecond\n"


@pytest.mark.parametrize("script", [WRITER, FOLDER_WRITER])
def test_a_later_run_removes_what_a_killed_one_left(tmp_path: Path, script: str) -> None:
    """The calls of a month do not lie about in a hidden file."""
    target = tmp_path / "calls.csv" if script == WRITER else tmp_path
    end(begun(script, target), kill=True)
    assert len(list(tmp_path.glob(f".*{files.ENDING}"))) == 1
    files.write(tmp_path / "other.csv", "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "other.csv"]


@pytest.mark.parametrize("script", [WRITER, FOLDER_WRITER])
def test_a_run_that_goes_on_is_left_alone(tmp_path: Path, script: str) -> None:
    """Two exports into one folder do not take each other's files away."""
    target = tmp_path / "calls.csv" if script == WRITER else tmp_path
    process = begun(script, target)
    files.write(tmp_path / "other.csv", "x")
    end(process, kill=False)
    assert (tmp_path / "calls.csv").read_text() == "every call of the month"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_stranger_s_file_stays(tmp_path: Path) -> None:
    """Only names that we gave are cleared away, and no link of such a name leads us elsewhere."""
    (tmp_path / ".calls.csv.part").write_text("theirs")
    (tmp_path / "kept").write_text("kept")
    (tmp_path / f".x{files.ENDING}").symlink_to("kept")
    files.clear(tmp_path)
    assert (tmp_path / ".calls.csv.part").read_text() == "theirs"
    assert (tmp_path / "kept").read_text() == "kept"
