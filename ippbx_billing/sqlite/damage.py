"""A file whose pages are not as SQLite wrote them: noticed, and moved aside whole.

if found := fault(path, "events", "id"):
    aside = set_aside(path)          # inbox.db.damaged-20261123T021500Z, with its log
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from ippbx_billing.sqlite.opening import connect

COMPANIONS = ("-wal", "-shm")  # what SQLite keeps beside a database, under names made from the database's
CHECKED_BYTES = 64 * 1024 * 1024  # up to here a start looks at every page, which takes less than a second
PATIENCE_S = 2.5

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that the file itself is not as it should be; a full or failing disk is another matter."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def is_locked(error: BaseException | None) -> bool:
    """Whether SQLite says that somebody else is at the file, which ends by itself."""
    busy = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in busy


def is_trouble(error: BaseException) -> bool:
    """Whether the error, or the one it was made of, says that a database is locked, full, unreadable or damaged.

    A sum that leaves 64 bits is an OperationalError too, and says nothing about the file.
    """
    return any(
        (isinstance(one, sqlite3.OperationalError) and "integer overflow" not in str(one)) or is_damage(one)
        for one in (error, error.__cause__)
    )


def fault(path: Path, table: str, key: str) -> str:
    """What is wrong with a database that nobody writes to, or nothing; quick, so a large file is looked at in part.

    The table's first and last row by its key, the last page, the counter of ids; up to `CHECKED_BYTES` every page.
    """
    try:
        with closing(connect(path, timeout_s=PATIENCE_S)) as connection:
            connection.execute("SELECT seq FROM sqlite_sequence").fetchall()
            for order in ("", " DESC"):
                connection.execute(f"SELECT * FROM {table} ORDER BY {key}{order} LIMIT 1").fetchall()
            if path.stat().st_size > CHECKED_BYTES:
                return ""
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            return "" if found == ["ok"] else "; ".join(found)
    except sqlite3.Error as error:
        return str(error) if is_damage(error) or "no such table" in str(error) else ""


def set_aside(path: Path) -> Path:
    """Rename the database and what SQLite keeps beside it; gives the new name."""
    name = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside = next(one for one in _names(path.with_name(name)) if not one.exists())
    for more in (*COMPANIONS, ""):  # the database last: without its log it would seem sound, and older
        with suppress(FileNotFoundError):
            path.with_name(path.name + more).rename(aside.with_name(aside.name + more))
    return aside


def files_aside(path: Path) -> list[str]:
    """The names of the damaged files that lie beside this database."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(one.name for one in found if not one.name.endswith(COMPANIONS))


def _names(path: Path) -> Iterator[Path]:
    return chain([path], (path.with_name(f"{path.name}-{number}") for number in count(2)))
