"""Sums kept beside the calls, so that a report need not read them: kept in the transaction that writes a charge.

The one idea: every call is counted once at each level, a level being how finely time, place and kind are told apart.
What a level cannot tell is asked of a finer one, in the end of the calls themselves (see `reports.sources`).

    level              told apart                          answers
    months             month, extension, class             whole months, by nearly everything
    month_extensions   month, extension, status            whole months by extension, employee or department
    month_hours        month, extension, hour, status      whole months by extension and hour of the day
    month_places       month, place, class                 where the calls went, or came from
    days               day, extension, status              any days by extension, employee or department
    hours              hour, class                         any days by day, weekday, hour and what a class tells

A class is trunk, direction, disposition, traffic type, line kind, carrier and status of a call; empty text and carrier
0 stand for what nobody told. Days are counted as `date.toordinal` does, hours and months from the year 0, all on the
site's clock.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

SUMS = ("calls", "answered", "duration_s", "billed_s", "fee_micro")
CLASS = ("trunk", "direction", "disposition", "traffic_type", "line_kind", "carrier_id", "status")
LEVELS = {
    "months": ("month", "extension_id", "class_id"),
    "month_extensions": ("month", "extension_id", "status"),
    "month_hours": ("month", "extension_id", "hour", "status"),
    "month_places": ("month", "place_id", "class_id"),
    "days": ("day", "extension_id", "status"),
    "hours": ("hour", "class_id"),
}
COUNTED_AT_ONCE = 100_000
MOST_REMEMBERED = 100_000  # ids of extensions and places; a stray PBX may bring any number of them

Memory = TypeVar("Memory", bound=dict[Any, int])
Sums = defaultdict[tuple[int, int, int], int]
Change = tuple[Any, ...]  # hour, extension, place, kind; carrier, status, fee before; carrier, status, sums after
Counts = tuple[int, int, int, int, int]  # in the order of SUMS; negative where calls are taken out


class Class(NamedTuple):
    """The class of some calls: its id, and what its calls have in common that is counted."""

    id: int
    status: str
    answered: int


class Tally:
    """What a transaction adds to the sums, gathered so that each row is touched once."""

    def __init__(self) -> None:
        self.levels: dict[str, dict[tuple[int | str, ...], list[int]]] = {name: {} for name in LEVELS}
        self.spans: dict[int, tuple[int, int]] = {}

    def count(self, hour: int, extension_id: int, place_id: int, kind: Class, counts: Counts) -> None:
        """Count calls of one hour, extension, place and class in, at every level."""
        day, levels = hour // 24, self.levels
        month = month_of(day)
        _add(levels["months"], (month, extension_id, kind.id), counts)
        _add(levels["month_extensions"], (month, extension_id, kind.status), counts)
        _add(levels["month_hours"], (month, extension_id, hour % 24, kind.status), counts)
        _add(levels["days"], (day, extension_id, kind.status), counts)
        _add(levels["month_places"], (month, place_id, kind.id), counts)
        _add(levels["hours"], (hour, kind.id), counts)

    def count_class(self, day: int, extension_id: int, kind: Class, counts: Counts) -> None:
        """Count them in at the level that tells extensions and classes apart."""
        _add(self.levels["months"], (month_of(day), extension_id, kind.id), counts)

    def count_extension(self, hour: int, extension_id: int, status: str, counts: Counts) -> None:
        """Count them in at the levels that tell extensions apart, whatever the class."""
        day = hour // 24
        month = month_of(day)
        _add(self.levels["month_extensions"], (month, extension_id, status), counts)
        _add(self.levels["month_hours"], (month, extension_id, hour % 24, status), counts)
        _add(self.levels["days"], (day, extension_id, status), counts)

    def count_place(self, hour: int, place_id: int, kind: Class, counts: Counts) -> None:
        """Count them in at the levels that tell no extensions apart."""
        _add(self.levels["month_places"], (month_of(hour // 24), place_id, kind.id), counts)
        _add(self.levels["hours"], (hour, kind.id), counts)

    def span(self, day: int, number: int) -> None:
        """Call `number` is of this day."""
        first, last = self.spans.get(day, (number, number))
        if not first <= number < last:
            self.spans[day] = (min(first, number), max(last, number))


class FeeChanges:
    """Differences of rated calls' fees, call by call; summed up for many at once, which is quicker than one by one."""

    def __init__(self) -> None:
        self._calls: list[tuple[int, int, int, int, int]] = []
        append = self._calls.append
        self.add = lambda *call: append(call)  # as SQLite calls it: hour, extension, place, class, what more it costs

    def clear(self) -> None:
        """Nothing changed."""
        self._calls.clear()

    def sums(self) -> tuple[Sums, Sums, Sums]:
        """What more all cost, as coarsely as the levels allow.

        The first sums are by class, day, extension; the second by 0, hour, extension; the last by class, hour, place.
        """
        by_class, by_extension, by_place = Sums(int), Sums(int), Sums(int)
        for hour, extension_id, place_id, class_id, more_micro in self._calls:
            by_class[class_id, hour // 24, extension_id] += more_micro
            by_extension[0, hour, extension_id] += more_micro
            by_place[class_id, hour, place_id] += more_micro
        return by_class, by_extension, by_place


class RollupTables:
    """The tables `rollup_…`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._extensions: dict[str, int] = {}
        self._places: dict[tuple[str, str, str], int] = {}
        self._classes: dict[tuple[int, int, str], Class] = {}

    # -- what the sums are told apart by

    def extension_id(self, extension: str | None) -> int:
        """The number that stands for an extension; 0 for none."""
        if extension is None:
            return 0
        found = self._extensions.get(extension)
        if found is None:
            found = self._remembered("extensions", ("extension",), (extension,))
            _room_in(self._extensions)[extension] = found
        return found

    def place_id(self, country: str | None, region: str | None, place: str | None) -> int:
        """The number that stands for a place."""
        names = (country or "", region or "", place or "")
        found = self._places.get(names)
        if found is None:
            found = _room_in(self._places)[names] = self._remembered("places", ("country", "region", "place"), names)
        return found

    def class_of(self, kind_id: int, carrier_id: int | None, status: str) -> Class:
        """The class of calls of a kind that are charged by this carrier, with this status."""
        key = (kind_id, carrier_id or 0, status)
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = self._class(*key)
        return found

    def forget(self) -> None:
        """After a transaction that did not come to pass: its new ids are nobody's."""
        for remembered in (self._extensions, self._places, self._classes):
            remembered.clear()

    def _class(self, kind_id: int, carrier_id: int, status: str) -> Class:
        kind = (
            self.connection.execute(f"SELECT {', '.join(CLASS[:5])} FROM kinds WHERE id = ?", [kind_id]).fetchone()
            or ("",) * 5
        )
        values = (*kind, carrier_id, status)
        return Class(self._remembered("classes", CLASS, values), status, int(values[2] == "answered"))

    def _remembered(self, table: str, names: Sequence[str], values: Sequence[str | int]) -> int:
        marks = ", ".join("?" * len(names))
        same = " AND ".join(f"{name} = ?" for name in names)
        asked = f"SELECT id FROM rollup_{table} WHERE {same}"
        found = self.connection.execute(asked, values).fetchone()
        if found is None:
            self.connection.execute(f"INSERT INTO rollup_{table} ({', '.join(names)}) VALUES ({marks})", values)
            found = self.connection.execute(asked, values).fetchone()
        return int(found[0])

    # -- the sums

    def apply(self, tally: Tally) -> None:
        """Add what was gathered; a row that comes down to no calls is gone."""
        for name, sums in tally.levels.items():
            self.connection.executemany(_ADD[name], [(*key, *counts) for key, counts in sums.items()])
            fewer = [key for key, counts in sums.items() if counts[0] < 0]
            if fewer:
                self.connection.executemany(_DROP_EMPTY[name], fewer)
        self.connection.executemany(_WIDEN, [(day, *span) for day, span in tally.spans.items()])

    def count_out(self, ids: Iterable[int]) -> None:
        """Take these calls out of the sums, as their charges stand now."""
        self._count(ids, -1)

    def count_in(self, ids: Iterable[int]) -> None:
        """Add these calls to the sums, as their charges stand now."""
        self._count(ids, 1)

    def _count(self, ids: Iterable[int], sign: int) -> None:
        rows = (self.connection.execute(f"{_COUNTED} WHERE id = ?", [number]).fetchone() for number in ids)
        self.apply(self._tally((row for row in rows if row is not None), sign))

    def _tally(self, rows: Iterable[Sequence[Any]], sign: int = 1) -> Tally:
        """Charges, as `_COUNTED` tells them, counted in or out."""
        tally = Tally()
        for number, hour, extension_id, place_id, kind_id, carrier_id, status, duration_s, billed_s, fee_micro in rows:
            kind = self.class_of(kind_id, carrier_id, status)
            counts = (sign, sign * kind.answered, sign * duration_s, sign * billed_s, sign * fee_micro)
            tally.count(hour, extension_id, place_id, kind, counts)
            tally.span(hour // 24, number)
        return tally

    def change_fees(self, changes: FeeChanges) -> None:
        """Fees of rated calls changed, and nothing else."""
        tally = Tally()
        known = self.connection.execute("SELECT id, status FROM rollup_classes")
        classes = {class_id: Class(class_id, status, 0) for class_id, status in known}
        by_class, by_extension, by_place = changes.sums()
        for (class_id, day, extension_id), more_micro in by_class.items():
            tally.count_class(day, extension_id, classes[class_id], (0, 0, 0, 0, more_micro))
        for (_, hour, extension_id), more_micro in by_extension.items():
            tally.count_extension(hour, extension_id, "rated", (0, 0, 0, 0, more_micro))
        for (class_id, hour, place_id), more_micro in by_place.items():
            tally.count_place(hour, place_id, classes[class_id], (0, 0, 0, 0, more_micro))
        self.apply(tally)

    def change_classes(self, changes: Iterable[Change]) -> None:
        """Calls got another carrier or status with their charge: they move, and with them all that is counted."""
        tally = Tally()
        for hour, extension_id, place_id, kind_id, *was, carrier_id, status, duration_s, billed_s, fee_micro in changes:
            old_carrier_id, old_status, old_fee_micro = was
            old, new = self.class_of(kind_id, old_carrier_id, old_status), self.class_of(kind_id, carrier_id, status)
            tally.count(hour, extension_id, place_id, old, (-1, -old.answered, -duration_s, -billed_s, -old_fee_micro))
            tally.count(hour, extension_id, place_id, new, (1, new.answered, duration_s, billed_s, fee_micro))
        self.apply(tally)

    def rebuild(self) -> None:
        """Work all sums out again from the charges."""
        for name in (*LEVELS, "spans"):
            self.connection.execute(f"DELETE FROM rollup_{name}")
        cursor = self.connection.cursor()
        cursor.row_factory = None
        cursor.execute(f"{_COUNTED} ORDER BY id")
        while rows := cursor.fetchmany(COUNTED_AT_ONCE):
            self.apply(self._tally(rows))


# A sum that leaves 64 bits would become a floating-point number without a word. `abs` of the lowest integer is an
# error ("integer overflow"); `excluded` keeps it from being worked out beforehand.
_EXACT_FEE = (
    "fee_micro = CASE typeof(fee_micro + excluded.fee_micro) WHEN 'integer' THEN fee_micro + excluded.fee_micro "
    "ELSE abs(-9223372036854775807 - 1 + 0 * excluded.calls) END"
)
_ADD = {
    name: f"INSERT INTO rollup_{name} VALUES ({', '.join('?' * (len(keys) + len(SUMS)))}) "
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{one} = {one} + excluded.{one}' for one in SUMS[:-1])}, {_EXACT_FEE}"
    for name, keys in LEVELS.items()
}
_DROP_EMPTY = {
    name: f"DELETE FROM rollup_{name} WHERE {' AND '.join(f'{key} = ?' for key in keys)} AND calls = 0"
    for name, keys in LEVELS.items()
}
_WIDEN = (
    "INSERT INTO rollup_spans VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
    "first_id = min(first_id, excluded.first_id), last_id = max(last_id, excluded.last_id)"
)
_COUNTED = (
    "SELECT id, local_hour, extension_id, place_id, kind_id, carrier_id, status, duration_s, billed_s, "
    "ifnull(fee_micro, 0) FROM charges"
)


def _add(sums: dict[tuple[int | str, ...], list[int]], key: tuple[int | str, ...], counts: Counts) -> None:
    found = sums.get(key)
    if found is None:
        sums[key] = list(counts)
    else:
        found[0] += counts[0]
        found[1] += counts[1]
        found[2] += counts[2]
        found[3] += counts[3]
        found[4] += counts[4]


@lru_cache(maxsize=1_000)
def month_of(day: int) -> int:
    """The month of a day, both as numbers."""
    found = date.fromordinal(day)
    return found.year * 12 + found.month - 1


@lru_cache(maxsize=1_000)
def hour_zero(day: str) -> int:
    """The number of the first hour of a day written as in ISO 8601."""
    return date.fromisoformat(day).toordinal() * 24


def _room_in(remembered: Memory) -> Memory:
    """The same memory, emptied when it is full."""
    if len(remembered) >= MOST_REMEMBERED:
        remembered.clear()
    return remembered
