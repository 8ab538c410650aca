"""Copies of a database that others go on using: one moment of it, taken in small steps, and checked.

rows = copy(Path("ledger.db"), Path("backup/ledger.db"))
check(Path("backup/ledger.db"), rows)
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.sqlite.opening import connect

STEP_PAGES = 1_024  # 4 MB between two pauses, so that the listener's commits find the disk free
PAUSE_S = 0.002

Rows = Mapping[str, int]  # how many each table holds


def copy(source: Path, target: Path) -> dict[str, int]:
    """Copies the database as it is at this moment, and tells how many rows each table holds then.

    An open reading holds the moment, so that a busy writer neither waits nor makes the copy begin again; meanwhile its
    log grows by what it writes. Nobody else may read the copy. Raises DataError.
    """
    with _plainly(source), closing(connect(source)) as origin, closing(_created(target)) as made:
        origin.execute("BEGIN")
        rows = _rows(origin)
        origin.backup(made, pages=STEP_PAGES, progress=lambda *_: time.sleep(PAUSE_S))
        origin.execute("ROLLBACK")
    return rows


def check(path: Path, rows: Rows) -> None:
    """Reads all of a database that nobody uses; DataError where SQLite finds a fault or another number of rows."""
    with _plainly(path), closing(connect(path, "ro&immutable=1")) as database:
        faults = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
        found = _rows(database) if faults == ["ok"] else {}
    if faults != ["ok"]:
        raise DataError(
            tr("{path} is damaged: {faults}", path=path, faults="; ".join(faults)), tr("use another backup")
        )
    if found != rows:
        different = ", ".join(sorted(name for name in {*found, *rows} if found.get(name) != rows.get(name)))
        problem = tr("{path} holds other rows than it should: {tables}", path=path, tables=different)
        raise DataError(problem, tr("use another backup"))


def schema(path: Path) -> int:
    """The version of the tables in a database that nobody uses."""
    return asked(path, "PRAGMA user_version")


def asked(path: Path, sql: str) -> int:
    """The one number that a question gives, asked of a database that nobody uses; 0 where there is none."""
    with _plainly(path), closing(connect(path, "ro&immutable=1")) as database:
        row = database.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _rows(database: sqlite3.Connection) -> dict[str, int]:
    names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    return {
        name: int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
        for name in sorted(row[0] for row in names)
    }


def _created(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return connect(path)


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        problem = tr("{path} cannot be copied or checked: {error}", path=path, error=error)
        raise DataError(problem, tr("check the disk, its free space and the file's owner")) from error
