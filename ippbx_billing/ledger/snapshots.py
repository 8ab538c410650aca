"""What people have entered, before and after: the rows of the tables that they edit, compared.

    before = taken(path)
    ...
    differences(before, taken(path))  # ([{"table": "trunks", "name": "FXO-1", …}], [{…}])

The one idea: whatever a command or a page does, what it changed is seen in the tables themselves. So the log of who did
what tells it alike for all of them, and none can forget to.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

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

Key = tuple[Any, ...]
Snapshot = dict[Key, tuple[tuple[str, ...], Key]]  # by table and the row's key: the names of the columns, and the row
Told = list[dict[str, Any]]


def taken(path: Path) -> Snapshot:
    """All rows as they are now; nothing where there is no ledger, or where it cannot be read."""
    if not path.exists():
        return {}
    try:
        with closing(connect(path, "ro")) as connection:
            return dict(row for table in TABLES for row in _rows(connection, table))
    except sqlite3.Error:
        return {}


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[tuple[Key, tuple[tuple[str, ...], Key]]]:
    """Rows as SQLite gives them: of hundreds of thousands of prices a handful is told, and only those by name."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
        return iter(())
    found = connection.execute(f"SELECT * FROM {table}")
    names = tuple(column[0] for column in found.description)
    places = [names.index(name) for name in TABLES[table]]
    if len(places) == 1:
        (place,) = places
        return (((table, row[place]), (names, row)) for row in found.fetchall())
    return (((table, *(row[place] for place in places)), (names, row)) for row in found.fetchall())


def differences(before: Snapshot, after: Snapshot) -> tuple[Told, Told]:
    """The rows that were changed or are gone as they were, and those that were changed or are new as they are."""
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return _told(before, changed), _told(after, changed)


def _told(snapshot: Snapshot, keys: list[Key]) -> Told:
    rows = [{"table": key[0], **_plain(dict(zip(*snapshot[key], strict=True)))} for key in keys if key in snapshot]
    if len(rows) <= MOST_TOLD:
        return rows
    return [*rows[:MOST_TOLD], {"table": "", "more_rows": len(rows) - MOST_TOLD}]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing; amounts in the currency."""
    return {
        name.removesuffix("_micro"): money.text(value) if name.endswith("_micro") else value
        for name, value in row.items()
        if value not in (None, "") and not (name.endswith("_micro") and value == 0)
    }
