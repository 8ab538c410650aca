"""A document as one dialect sees it: columns named, inner documents opened, records found.

view = view_of(dialect, document, facts)
view.records, view.notes
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ippbx_billing.calls import Reason
from ippbx_billing.dialects import bodies, values
from ippbx_billing.dialects.clocks import Hints
from ippbx_billing.dialects.definition import SECONDS, TIMES, Dialect, Layout
from ippbx_billing.dialects.json_bodies import decode_json
from ippbx_billing.dialects.record import Path, Record, keys_of, names_of, walk
from ippbx_billing.dialects.tables import CSV_ROW, LINE
from ippbx_billing.dialects.values import Unreadable, fold

Facts = Mapping[str, str]
MOST_WRAPPERS = 6  # around one another
MOST_PARTS = 24  # side by side in one wrapper
SOME_DAY = datetime(2026, 12, 31, tzinfo=UTC)  # by which a date without a year is one; which, does not matter here
# What a wrapper says of the record in it: which PBX sent it, and which step of a call it is.
SAID_AROUND = frozenset(
    {"sn", "serialnumber", "devicesn", "mac", "event", "eventname", "eventtype", "action", "state", "callstate"}
)


class DocumentView(NamedTuple):
    """What a dialect makes of a document, before it is read."""

    dialect: Dialect
    document: Mapping[str, Any]
    records: list[Record]
    notes: tuple[Reason, ...] = ()
    path: Path | None = None  # where the records are; None where the document is the record itself
    decided: object | None = None  # what stood decided for documents of its evidence


def view_of(dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> DocumentView:
    """Name a line's columns, open inner documents, find the records."""
    notes: tuple[Reason, ...] = ()
    if dialect.layouts and LINE in document:
        document = _named(dialect, document)
    if dialect.opened:
        document, notes = _with_opened(dialect, document)
    for path in dialect.record_paths if _has_parts(document) else ():
        records = records_at(path, dialect, document, facts)
        if records:
            return DocumentView(dialect, document, records, notes, path)
    return DocumentView(dialect, document, records_at(None, dialect, document, facts), notes)


def records_at(path: Path | None, dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> list[Record]:
    """The records at one of the dialect's paths, or the document itself as the record."""
    if path is None:
        return [Record(document, document, dialect.within, facts)]
    *outer, last = path.names
    return [
        Record(one, document, dialect.within, {**facts, "key": key})
        for key, one in _at(walk([document], tuple(outer)) if outer else [document], last)
    ]


def _has_parts(document: Mapping[str, Any]) -> bool:
    """Whether a document holds anything but plain values; most records do not."""
    return any(isinstance(value, dict | list) for value in document.values())


def _with_opened(dialect: Dialect, document: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Reason, ...]]:
    """The same with its texts opened that hold a JSON document."""
    names, notes = names_of(document), list[Reason]()
    opened: dict[str, Any] = {}
    for name in dialect.opened:
        for key in names.get(name, ()):
            value = document[key]
            if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
                opened[key] = _opened(value.strip(), notes)
    return ({**document, **opened} if opened else document), tuple(notes)


def _opened(text: str, notes: list[Reason]) -> object:
    try:
        inner, note = decode_json(text)
    except (ValueError, RecursionError):
        return text
    if note:
        notes.append(note)
    return text if bodies.is_too_deep(inner) else inner


def unwrapped(document: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
    """What a wrapper holds (`{"code": 0, "params": {…}}`, `<root><cdr>…`), level after level, with what it says of it.

    Wrappers have any name, and hold objects, lists of objects, or texts that are JSON documents.
    """
    level = [document]
    for _ in range(MOST_WRAPPERS):
        level = [part for outer in level for part in _parts(outer)][:MOST_PARTS]
        if not level:
            return
        yield level


def _parts(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    around = {name: value for name, value in document.items() if fold(name) in SAID_AROUND and isinstance(value, str)}
    return [{**around, **part} for part in map(_part, document.values()) if part]


def _part(value: object) -> Mapping[str, Any] | None:
    """The object that a wrapper's member holds; several are given a name that generic dialects look for."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = _opened(value.strip(), [])
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value[0] if len(value) == 1 else {"records": value} if value else None
    return value if isinstance(value, dict) else None


def _named(dialect: Dialect, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line's cells under the names of the first layout of the dialect that fits them; else as it was."""
    for layout in dialect.layouts:
        named = _by_pattern(layout, document) if layout.pattern else _by_columns(layout, document)
        if named is not None and (layout.pattern or _is_sound(dialect, named)):
            return named
    return document


def _by_pattern(layout: Layout, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    line = document[LINE]
    match = layout.pattern.match(line) if layout.pattern and isinstance(line, str) else None
    return {name: said.strip() for name, said in match.groupdict().items() if said is not None} if match else None


def _by_columns(layout: Layout, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    cells = document.get(CSV_ROW)
    if not isinstance(cells, list) or not layout.fewest <= len(cells) <= len(layout.columns) + 4:
        return None
    return dict(zip(layout.columns, cells, strict=False))


def _is_sound(dialect: Dialect, named: Mapping[str, Any]) -> bool:
    """Whether there are times where times belong, and durations where durations do."""
    found = [values.text(cell) for column, cell in named.items() if fold(column) in _names_of(dialect, TIMES)]
    lengths = [values.text(cell) for column, cell in named.items() if fold(column) in _names_of(dialect, SECONDS)]
    return (
        any(found)
        and all(one is None or _is_time(one) for one in found)
        and all(one is None or _is_duration(one) for one in lengths)
    )


def _names_of(dialect: Dialect, fields: tuple[str, ...]) -> frozenset[str]:
    """The names of a dialect for these fields, joined ones among them."""
    return frozenset(
        path.names[0]
        for name in fields
        for source in dialect.sources.get(name, ())
        for path in (source.path,)
        if path.names and not source.joined and source.pattern is None
    ) or frozenset({"\0"})


def _is_time(said: str) -> bool:
    try:
        moment, _ = values.dated(said, UTC, Hints(arrival=SOME_DAY))
    except Unreadable:
        return False
    return moment is None or ":" in said or len(said) >= 10


def _is_duration(said: str) -> bool:
    try:
        values.seconds(said)
    except Unreadable:
        return False
    return True


def _at(parents: list[Any], last: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects under a name, each with the name it stood under."""
    return [
        (key, one)
        for parent in parents
        if isinstance(parent, dict)
        for key in keys_of(parent, last)
        for one in walk([parent[key]], ())
        if isinstance(one, dict)
    ]
