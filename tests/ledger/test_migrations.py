"""The ledger's steps: from an empty file and from each earlier one to the same tables."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from ippbx_billing import ledger as room
from ippbx_billing.errors import DataError
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.migrations import ledger as steps


def tables(path: Path) -> list[tuple[str, str]]:
    """Every table, index and view with its statement."""
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_master"))


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def today(tmp_path: Path) -> list[tuple[str, str]]:
    """The tables of a ledger that is new."""
    path = tmp_path / "new.db"
    Ledger(path).close()
    return tables(path)


@pytest.mark.parametrize("step", range(1, len(steps)))
def test_from_each_earlier_step_to_todays_tables(tmp_path: Path, today: list[tuple[str, str]], step: int) -> None:
    """A file of any version before is brought up to date by opening it."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        steps.apply(Database(old, execute_plugins=False), stop_before=steps.names[step])
        old.execute(f"PRAGMA user_version = {step}")
    assert tables(path) != today
    Ledger(path).close()
    assert tables(path) == today
    assert version(path) == len(steps)


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """Also where a run was cut off after the last step and before it noted the version."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    before = tables(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")
    Ledger(path).close()
    assert tables(path) == before
    assert version(path) == len(steps) == room.SCHEMA


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """Older code would not know what stands in it."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(steps) + 1}")
    with pytest.raises(DataError, match="newer"):
        Ledger(path)


def test_steps_are_numbered_in_their_order() -> None:
    """A step's number is the version that it makes; none is left out or written in between."""
    assert [int(name[1:4]) for name in steps.names] == list(range(1, len(steps) + 1))


def test_an_error_of_the_database_leaves_the_ledger_as_a_sentence(tmp_path: Path) -> None:
    """Whoever opens a ledger hears of no sqlite3 error."""

    def ask() -> None:
        with Ledger(tmp_path / "ledger.db") as ledger:
            ledger.connection.execute("SELECT * FROM nowhere")

    with pytest.raises(DataError, match="the database does not answer: no such table: nowhere") as error:
        ask()
    assert isinstance(error.value.__cause__, sqlite3.Error)
