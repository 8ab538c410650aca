"""What people have entered, before and after: the rows of the tables that they edit, compared.

    with EditWatch(path) as watch:
        ...
        watch.differences()  # ([{"table": "trunks", "name": "FXO-1", …}], [{…}])

The one idea: whatever a command or a page does, what it changed is seen in the tables themselves. So the log of who did
what tells it alike for all of them, and none can forget to. SQLite keeps the file as it was for whoever began to read
it, and compares it with the file as it is: nothing is copied, and only rows that differ leave it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ippbx_billing import money
from ippbx_billing.sqlite.opening import connect

# Tables with the columns that make a row; what is derived from them is left out.
TABLES: Mapping[str, tuple[str, ...]] = {
    "carriers": ("id",),
    "trunks": ("name",),
    "prices": ("id",),
    "windows": ("price_id", "kind", "start_s", "end_s"),
    "overrides": ("prefix",),
    "holiday_overrides": ("day",),
    "cleanups": ("prefix",),
    "call_filters": ("id",),
    "departments": ("id",),
    "employees": ("id",),
    "memberships": ("employee_id", "first_day"),
    "assignments": ("extension", "first_day"),
    "usage_limits": ("kind", "object"),
    "accounts": ("id",),
    "account_entries": ("id",),
    "barrings": ("id",),
    "plans": ("id",),
    "department_terms": ("department_id", "effective_from"),
    "mail_addresses": ("kind", "object"),
    "deliveries": ("id",),
}
MOST_TOLD = 50  # rows; of a whole list that was imported the number is told instead

BEFORE, AFTER = "main", "later"  # the same file twice, each as of the moment when it was read first
Row = dict[str, Any]
Told = list[Row]


class EditWatch:
    """Sees what becomes of the tables from its `with` on; nothing where the file cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        if self._path.exists():
            with suppress(sqlite3.Error):
                self._connection = _twice(self._path)
                self._connection.execute("BEGIN")
                self._connection.execute(f"SELECT 1 FROM {BEFORE}.sqlite_master").fetchone()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def differences(self) -> tuple[Told, Told]:
        """The rows that were changed or are gone as they were, and those that were changed or are new as they are.

        Where there was no ledger, all that it holds is new. Asked once, since what is read then is what stays.
        """
        with suppress(sqlite3.Error):
            if self._connection is not None:
                return _told(_only_in(self._connection, BEFORE, AFTER)), _told(
                    _only_in(self._connection, AFTER, BEFORE)
                )
            if self._path.exists():
                self._connection = _twice(self._path)
                return [], _told(row for table in TABLES for row in _all(self._connection, table))
        return [], []


def _twice(path: Path) -> sqlite3.Connection:
    connection = connect(path, "ro")
    connection.execute(f"ATTACH ? AS {AFTER}", [f"{path.absolute().as_uri()}?mode=ro"])
    return connection


def _only_in(connection: sqlite3.Connection, here: str, there: str) -> Iterator[tuple[str, Row]]:
    """The rows of one that the other has not, or has otherwise."""
    for table, key in TABLES.items():
        ours, theirs = _columns(connection, here, table), _columns(connection, there, table)
        if ours:
            both = [name for name in ours if name in theirs]
            yield from _rows(connection, table, _difference(table, key, here, there, both))


def _difference(table: str, key: tuple[str, ...], here: str, there: str, both: list[str]) -> str:
    """A question by the one number of a row follows both in their order; without one, the rows are compared as sets."""
    if not both:
        return f"SELECT * FROM {here}.{table}"
    if len(key) == 1:
        (one,) = key
        differs = " OR ".join(f"a.{name} IS NOT b.{name}" for name in both)
        return (
            f"SELECT a.* FROM {here}.{table} a LEFT JOIN {there}.{table} b ON b.{one} = a.{one} "
            f"WHERE b.{one} IS NULL OR {differs}"
        )
    names = ", ".join(both)
    return f"SELECT {names} FROM {here}.{table} EXCEPT SELECT {names} FROM {there}.{table}"


def _columns(connection: sqlite3.Connection, where: str, table: str) -> list[str]:
    """The names of its columns; none where there is no such table, as before it was made."""
    return [row[1] for row in connection.execute(f"PRAGMA {where}.table_info({table})")]


def _all(connection: sqlite3.Connection, table: str) -> Iterator[tuple[str, Row]]:
    if _columns(connection, BEFORE, table):
        yield from _rows(connection, table, f"SELECT * FROM {BEFORE}.{table}")


def _rows(connection: sqlite3.Connection, table: str, question: str) -> Iterator[tuple[str, Row]]:
    found = connection.execute(question)
    names = [column[0] for column in found.description]
    return ((table, dict(zip(names, row, strict=True))) for row in found)


def _told(rows: Iterable[tuple[str, Row]]) -> Told:
    told, more = list[Row](), 0
    for table, row in rows:
        if len(told) < MOST_TOLD:
            told.append({"table": table, **_plain(row)})
        else:
            more += 1
    return [*told, {"table": "", "more_rows": more}] if more else told


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing; amounts in the currency."""
    return {
        name.removesuffix("_micro"): money.text(value) if name.endswith("_micro") else value
        for name, value in row.items()
        if value not in (None, "") and not (name.endswith("_micro") and value == 0)
    }
