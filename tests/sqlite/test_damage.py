"""A damaged file is noticed, and moved aside with all that belongs to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ippbx_billing.errors import DataError
from ippbx_billing.sqlite import damage
from ippbx_billing.sqlite.opening import connect, plainly, unanswered


def a_file(path: Path, rows: int = 2_000) -> Path:
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)")
        made.executemany("INSERT INTO events (body) VALUES (?)", [(f"{number:0200}",) for number in range(rows)])
    return path


def spoil(path: Path, offset: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xa5" * 4096)


def test_a_sound_file_has_no_fault(tmp_path: Path) -> None:
    """Nothing is moved aside for no reason; a file that is not there is another matter than damage."""
    assert damage.fault(a_file(tmp_path / "inbox.db"), "events", "id") == ""
    assert damage.fault(tmp_path / "nowhere.db", "events", "id") == ""


@pytest.mark.parametrize("page", [0, 1, 20, -1])
def test_a_spoilt_page_is_a_fault(tmp_path: Path, page: int) -> None:
    """The first, the last, or one in the middle of a small file."""
    path = a_file(tmp_path / "inbox.db")
    spoil(path, page * 4096 if page >= 0 else path.stat().st_size - 4096)
    assert damage.fault(path, "events", "id")


def test_a_file_goes_aside_with_its_log_and_never_over_an_earlier_one(tmp_path: Path) -> None:
    """Two in one second have two names, and each has its own log beside it."""
    names = []
    for number in range(2):
        for ending in ("", "-wal", "-shm"):
            (tmp_path / f"inbox.db{ending}").write_text(f"{number}{ending}")
        names.append(damage.set_aside(tmp_path / "inbox.db"))
    assert damage.files_aside(tmp_path / "inbox.db") == sorted(one.name for one in names)
    assert [one.read_text() for one in names] == ["0", "1"]
    assert [one.with_name(one.name + "-wal").read_text() for one in names] == ["0-wal", "1-wal"]
    assert not (tmp_path / "inbox.db").exists()


def test_damage_and_a_lock_are_told_apart(tmp_path: Path) -> None:
    """Both are trouble of a database; only damage is a reason to move a file aside."""
    path = a_file(tmp_path / "a.db")
    spoil(path, 0)
    with closing(connect(path)) as connection, pytest.raises(sqlite3.DatabaseError) as damaged:
        connection.execute("SELECT * FROM events")
    assert damage.is_damage(damaged.value)
    path = a_file(tmp_path / "b.db")
    with closing(connect(path)) as first, closing(connect(path, timeout_s=0)) as second:
        first.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            second.execute("BEGIN IMMEDIATE")
    assert not damage.is_damage(locked.value)
    assert damage.is_trouble(damaged.value)
    assert damage.is_trouble(locked.value)
    assert not damage.is_trouble(ValueError())


def test_an_error_of_the_database_becomes_a_sentence(tmp_path: Path) -> None:
    """It keeps its cause, by which the pipeline knows trouble of a database; other errors stay what they are."""
    with pytest.raises(DataError, match="cannot be used") as error, plainly(tmp_path / "x.db", "look"):
        connect(tmp_path / "x.db")
    assert error.value.hint == "look"
    assert damage.is_trouble(error.value)
    assert unanswered(ValueError()) is None
    assert not (tmp_path / "x.db").exists()
