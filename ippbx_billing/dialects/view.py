"""A document as one dialect sees it: columns named, inner documents opened, records found.

view = view_of(dialect, document, facts)
view.records, view.notes
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, NamedTuple

from ippbx_billing.dialects import bodies, values
from ippbx_billing.dialects.definition import TIMES, Dialect
from ippbx_billing.dialects.record import Path, Record, keys_of, names_of, walk
from ippbx_billing.dialects.values import Unreadable, fold

Facts = Mapping[str, str]
# What a wrapper says of the record in it: which PBX sent it, and which step of a call it is.
SAID_AROUND = frozenset(
    {"sn", "serialnumber", "devicesn", "mac", "event", "eventname", "eventtype", "action", "state", "callstate"}
)


class DocumentView(NamedTuple):
    """What a dialect makes of a document, before it is read."""

    dialect: Dialect
    document: Mapping[str, Any]
    records: list[Record]
    notes: tuple[str, ...] = ()
    path: Path | None = None  # where the records are; None where the document is the record itself


def view_of(dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> DocumentView:
    """Name a line's columns, open inner documents, find the records."""
    notes: tuple[str, ...] = ()
    if dialect.columns and bodies.CSV_ROW in document:
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


def _with_opened(dialect: Dialect, document: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The same with its texts opened that hold a JSON document."""
    names, notes = names_of(document), list[str]()
    opened: dict[str, Any] = {}
    for name in dialect.opened:
        for key in names.get(name, ()):
            value = document[key]
            if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
                opened[key] = _opened(value.strip(), notes)
    return ({**document, **opened} if opened else document), tuple(notes)


def _opened(text: str, notes: list[str]) -> object:
    try:
        inner, note = bodies.decode_json(text)
    except (ValueError, RecursionError):
        return text
    if note:
        notes.append(note)
    return text if bodies.is_too_deep(inner) else inner


def unwrapped(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a wrapper holds (`{"code": 0, "params": {…}}`, `<root><cdr>…`), with what it says of that; None for others.

    Wrappers have any name, and hold one object, one list of objects, or one text that is a JSON document.
    """
    parts = [part for part in map(_part, document.values()) if part]
    if len(parts) != 1:
        return None
    around = {name: value for name, value in document.items() if fold(name) in SAID_AROUND and isinstance(value, str)}
    return {**around, **parts[0]}


def _part(value: object) -> Mapping[str, Any] | None:
    """The object that a wrapper's member holds; several are given a name that generic dialects look for."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = _opened(value.strip(), [])
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value[0] if len(value) == 1 else {"records": value} if value else None
    return value if isinstance(value, dict) else None


def _named(dialect: Dialect, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line's cells under the dialect's column names, if the columns of times hold times; else as it was."""
    cells = document[bodies.CSV_ROW]
    if not isinstance(cells, list) or not dialect.fewest_columns <= len(cells) <= len(dialect.columns) + 4:
        return document
    named = dict(zip(dialect.columns, cells, strict=False))
    times = {fold(source.name) for name in TIMES for source in dialect.sources.get(name, ())}
    found = [values.text(cell) for column, cell in named.items() if fold(column) in times]
    return named if any(found) and all(one is None or _is_time(one) for one in found) else document


def _is_time(said: str) -> bool:
    try:
        values.instant(said, UTC)
    except Unreadable:
        return False
    return ":" in said or len(said) >= 10


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
