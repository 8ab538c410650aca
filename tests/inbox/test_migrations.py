"""The inbox's steps: from an empty file and from each earlier one to the same tables, and no event is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from ippbx_billing.inbox import Delivery, Inbox, create, keep_all
from ippbx_billing.inbox.migrations import inbox as steps

DELIVERY = Delivery(
    1_790_000_000_000_001, "cdr", "192.168.6.169", "POST", "/caf\xe9", "a=%ff", b"Host: x\r\n", b"\x00\xff{}"
)


def tables(path: Path) -> list[tuple[str, str]]:
    """Every table of ours with its statement."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        return sorted(rows)


def of_version(path: Path, step: int) -> Path:
    """A file as the version left it whose last step has this number."""
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        steps.apply(Database(old, execute_plugins=False), stop_before=steps.names[step])
    return path


@pytest.fixture
def today(tmp_path: Path) -> list[tuple[str, str]]:
    """The tables of an inbox that is new."""
    create(tmp_path / "new.db")
    return tables(tmp_path / "new.db")


@pytest.mark.parametrize("step", range(1, len(steps.names)))
def test_from_each_earlier_step_to_todays_tables(tmp_path: Path, today: list[tuple[str, str]], step: int) -> None:
    """`create` brings a file of any version before up to date, and what the PBX said is there to the byte."""
    path = of_version(tmp_path / "inbox.db", step)
    assert tables(path) != today
    keep_all(path, [DELIVERY])
    with Inbox(path) as reader:
        before = reader.get(1)
    create(path)
    assert tables(path) == today
    with Inbox(path) as reader:
        event = reader.get(1)
    assert event is not None
    assert event == before
    assert (event.body, event.path, event.query) == (DELIVERY.body, DELIVERY.path, DELIVERY.query)


@pytest.mark.parametrize("step", range(1, len(steps.names)))
def test_ids_go_on_after_a_step(tmp_path: Path, step: int) -> None:
    """Also where the newest events are gone: an id must never come again."""
    path = of_version(tmp_path / "inbox.db", step)
    keep_all(path, [DELIVERY] * 3)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM events")
    create(path)
    keep_all(path, [DELIVERY])
    with Inbox(path) as reader:
        assert [event.id for event in reader.after(0, 10)] == [4]


def test_creating_again_changes_nothing(tmp_path: Path, today: list[tuple[str, str]]) -> None:
    """Also where a run was cut off between a step and its note: the step is made again."""
    path = tmp_path / "new.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (steps.names[-1],))
    create(path)
    assert tables(path) == today
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert names == steps.names


def test_a_new_file_can_give_its_space_back_and_an_old_one_is_not_rewritten(tmp_path: Path) -> None:
    """To rewrite a large file takes time and room that nobody has offered."""
    create(tmp_path / "new.db")
    create(of_version(tmp_path / "old.db", 1))
    found = []
    for name in ("new.db", "old.db"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            found.append(connection.execute("PRAGMA auto_vacuum").fetchone()[0])
    assert found == [2, 0]


def test_steps_are_numbered_in_their_order_and_say_why() -> None:
    """None is left out or written in between."""
    assert [int(name[1:4]) for name in steps.names] == list(range(1, len(steps.names) + 1))
    assert all(step.__doc__ for step in steps._steps)
