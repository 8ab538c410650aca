"""Bodies -> columns: each path of the records with all its values, so that values can be compared across calls.

The one idea: what a field means shows in how its values behave over several calls, so records are turned by
ninety degrees. Records that were delivered twice count once: a second encoding of one call proves nothing new.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from itertools import islice
from typing import Any

from ippbx_billing.dialects import values
from ippbx_billing.dialects.json_bodies import decode_json
from ippbx_billing.dialects.tables import CSV_ROW
from ippbx_billing.dialects.values import Unreadable

LONGEST_CALL_S = 2 * 86_400
EARLIEST_YEAR, LATEST_YEAR = 2000, 2050
MOST_COLUMNS = 600
MOST_RECORDS = 1_000  # more would prove nothing more, and take long
DEEPEST_PATH = 6
OUTSIDE = "^"
# What may be a time: a clock with colons, or digits alone. A date with a counter is an id.
TIME = re.compile(r".*\d:\d.*|\d{9,17}|\d{8}T\d{6}.*")
ASTERISK_ID = re.compile(r"\d{9,10}\.\d{1,8}")  # epoch seconds and a counter: an id, though it reads like a time

Document = Mapping[str, Any]
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordLayout:
    """Where the records of these documents are: below a path, in an inner JSON text, in lines without names."""

    path: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    cells: int = 0


@dataclass(frozen=True, eq=False)
class SampleColumn:
    """One path with its text in each record, empty where absent; `place` is its rank in the document."""

    path: str
    texts: tuple[str, ...]
    place: int
    zone: tzinfo

    @property
    def name(self) -> str:
        """What the PBX calls it: the last word of the path."""
        return self.path.lstrip(OUTSIDE).rpartition(".")[2]

    @property
    def parent(self) -> str:
        """Where in the document it stands."""
        return self.path[: -len(self.name)]

    @property
    def outside_record(self) -> bool:
        """Whether it stands beside the records, told once for all of them."""
        return self.path.startswith(OUTSIDE)

    @property
    def form(self) -> str:
        """The shape of its values, digits as 9: times of one shape were written by one hand."""
        return re.sub(r"\d", "9", self.example)

    @cached_property
    def filled(self) -> int:
        """In how many records it says something."""
        return sum(map(bool, self.texts))

    @cached_property
    def distinct(self) -> frozenset[str]:
        """The different texts it holds."""
        return frozenset(filter(None, self.texts))

    @cached_property
    def example(self) -> str:
        """The first text it holds."""
        return next(filter(None, self.texts), "")

    @cached_property
    def times(self) -> tuple[datetime | None, ...]:
        """Its texts as times; all `None` when one of them says something else."""
        try:
            times = tuple(time_of(text, self.zone) for text in self.texts)
        except Unreadable:
            return (None,) * len(self.texts)
        return times

    @cached_property
    def is_time(self) -> bool:
        """Whether it always holds a time, where it holds anything."""
        return any(self.times)

    def lengths(self, unit: str = "s") -> tuple[int | None, ...]:
        """Its texts as seconds; all `None` when one of them is not a duration."""
        return self._lengths[unit]

    @cached_property
    def _lengths(self) -> dict[str, tuple[int | None, ...]]:
        return {unit: self._read_lengths(unit) for unit in values.UNITS}

    def _read_lengths(self, unit: str) -> tuple[int | None, ...]:
        try:
            return tuple(None if self.is_time else values.seconds(text or None, unit) for text in self.texts)
        except Unreadable:
            return (None,) * len(self.texts)

    @cached_property
    def is_length(self) -> bool:
        """Whether it always holds a number that can be a duration in some unit."""
        return any(length is not None for length in self.lengths("us"))

    @property
    def is_word(self) -> bool:
        """Whether it holds few different short texts, as words of a vocabulary do."""
        return not self.is_time and 0 < len(self.distinct) <= 8 and all(len(text) <= 40 for text in self.distinct)


def columns(rows: Sequence[Row], zone: tzinfo) -> list[SampleColumn]:
    """The columns of all different records, in document order."""
    different = list({tuple(sorted(row.items())): row for row in rows}.values())
    paths = list(dict.fromkeys(path for row in different for path in row))[:MOST_COLUMNS]
    made = [SampleColumn(path, tuple(row.get(path, "") for row in different), i, zone) for i, path in enumerate(paths)]
    return [one for one in made if one.filled]


def time_of(text: str, zone: tzinfo) -> datetime | None:
    """A text as a time, `None` for one that says nothing; raises Unreadable for any other."""
    if ASTERISK_ID.fullmatch(text) or (text.strip("0") and not TIME.fullmatch(text)):
        raise Unreadable("not-a-time", said=text[:60])
    time = values.instant(text or None, zone)
    if time is not None and not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
        raise Unreadable("outside-years", said=text[:60])
    return time


# -- where the records are


@dataclass(frozen=True, slots=True)
class Shape:
    """Records of one make: the layouts in which they came, and their rows."""

    layouts: tuple[RecordLayout, ...]
    rows: tuple[Row, ...]


def shapes(documents: Sequence[Document], zone: tzinfo) -> list[Shape]:
    """The documents' records, those together that share most of their names; the most numerous make first."""
    groups: list[tuple[dict[RecordLayout, None], list[Row]]] = []
    for document in documents[:MOST_RECORDS]:
        where = _layout(document, zone)
        for row in islice(_rows(_opened(document, where.opened), where), MOST_RECORDS):
            group = next((one for one in groups if _alike(row, one[1][0])), None)
            if group is None:
                groups.append(group := ({}, []))
            group[0][where] = None
            group[1].append(row)
    made = [Shape(tuple(layouts), tuple(group)) for layouts, group in groups]
    return sorted(made, key=lambda one: -len(one.rows))


def _alike(one: Row, other: Row) -> bool:
    """Whether two rows share at least half of the names of the shorter."""
    return 2 * len(one.keys() & other.keys()) >= min(len(one), len(other))


def _layout(document: Document, zone: tzinfo) -> RecordLayout:
    cells = document.get(CSV_ROW)
    if isinstance(cells, list):
        return RecordLayout(cells=len(cells))
    opened = tuple(
        name for name, value in document.items() if not _has_times(document, zone) and _has_times(_inner(value), zone)
    )
    return RecordLayout(tuple(_way(_opened(document, opened), zone)), opened)


def _way(node: Any, zone: tzinfo) -> Iterator[str]:
    """Downwards, as long as all times stand below one name."""
    for _ in range(DEEPEST_PATH):
        if any(_is_time(value, zone) for value in node.values()):
            return
        below = [(name, value) for name, value in node.items() if _has_times(value, zone)]
        if len(below) != 1:
            return
        name, value = below[0]
        yield _plain(name)
        node = next(one for one in (value if isinstance(value, list) else [value]) if _has_times(one, zone))
        if not isinstance(node, dict):
            return


def _inner(value: object) -> object:
    """The document inside a JSON text."""
    if not isinstance(value, str) or value.lstrip()[:1] != "{":
        return None
    try:
        return decode_json(value.strip())[0]
    except (ValueError, RecursionError):
        return None


def _opened(document: Document, names: Sequence[str]) -> Document:
    return {name: _inner(value) if name in names else value for name, value in document.items()} if names else document


def _has_times(value: object, zone: tzinfo) -> bool:
    if isinstance(value, dict):
        return any(_is_time(one, zone) or _has_times(one, zone) for one in value.values())
    return isinstance(value, list) and any(isinstance(one, dict) and _has_times(one, zone) for one in value)


def _is_time(value: object, zone: tzinfo) -> bool:
    said = values.text(value)
    try:
        return said is not None and time_of(said, zone) is not None
    except Unreadable:
        return False


# -- records as rows


def _rows(document: Document, where: RecordLayout) -> Iterator[Row]:
    cells = document.get(CSV_ROW)
    if isinstance(cells, list):
        yield {cell_name(place): said for place, cell in enumerate(cells) if (said := values.text(cell))}
        return
    records = [document] if where.path else []
    for name in where.path:
        records = [inner for outer in records for inner in _members(outer, name)]
    if not records:
        yield dict(_scalars(document))
        return
    around = {OUTSIDE + path: said for path, said in _scalars(document, where.path)}
    for record in records:
        yield {**dict(_scalars(record)), **around}


def cell_name(place: int) -> str:
    """The name that a line's cell is given."""
    return f"column{place + 1}"


def _members(outer: Document, name: str) -> list[Document]:
    found = [value for key, value in outer.items() if _plain(key) == name]
    inner = [one for value in found for one in (value if isinstance(value, list) else [value])]
    return [one for one in inner if isinstance(one, dict)]


def _scalars(node: Any, without: tuple[str, ...] = (), path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every text below a node with its path; of a list's members the first that says something."""
    seen: set[str] = set()
    for full, said in _walk(node, path):
        if full not in seen and not (without and full.startswith(".".join(without) + ".")):
            seen.add(full)
            yield full, said


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict) and len(path) < DEEPEST_PATH:
        for name, value in node.items():
            if plain := _plain(name):
                yield from _walk(value, (*path, plain))
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, path)
    elif (said := values.text(node)) is not None and path:
        yield ".".join(path), said


def _plain(name: str) -> str:
    """A name as a path can hold it: dots would part it, and names are compared without them anyway."""
    return name.replace(".", "").strip().lstrip(OUTSIDE)
