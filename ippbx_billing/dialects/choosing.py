"""Which dialect a document is written in, and where its records are.

The one idea: a dialect recognises a document by marks, names and words that are its own; the best match wins, and
a tie between strangers is a problem for the operator, not a guess.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple

from ippbx_billing.calls import Problem
from ippbx_billing.dialects import bodies, values
from ippbx_billing.dialects.definition import Dialect, Mark
from ippbx_billing.dialects.record import Record, keys_of, names_of, walk
from ippbx_billing.dialects.values import Unreadable, fold

Facts = Mapping[str, str]


class Prepared(NamedTuple):
    """A document as one dialect sees it: columns named, inner documents opened."""

    document: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def choose(
    document: Mapping[str, Any], dialects: Mapping[str, Dialect], chosen: str, facts: Facts
) -> Dialect | Problem:
    """The dialect of a document: the chosen one if it fits, with `auto` the best match."""
    if chosen == "auto":
        return _best(document, list(dialects.values()), facts)
    dialect = dialects.get(chosen)
    if dialect is None:
        return Problem(f"there is no dialect {chosen!r}; known are {', '.join(dialects)}")
    if weight(dialect, document, facts):
        return dialect
    other = _best(document, list(dialects.values()), facts)
    hint = f"; the dialect {other.name} would fit" if isinstance(other, Dialect) else ""
    return Problem(f"the body does not fit the dialect {chosen}: {_lack(dialect, document, facts)}{hint}")


def _best(document: Mapping[str, Any], dialects: Sequence[Dialect], facts: Facts) -> Dialect | Problem:
    shared = Record(document, facts=facts)
    weighed = [(found, one) for one in dialects if (found := weight(one, document, facts, shared))]
    specific = [pair for pair in weighed if not pair[1].generic] or weighed
    if not specific:
        return Problem(f"no dialect knows this body; its names are {_names(document)}")
    heaviest = max(found for found, _ in specific)
    best = [one for found, one in specific if found == heaviest]
    if len(best) > 1:
        best = _broken_tie(best, document, facts)
    if len(best) == 1:
        return best[0]
    return Problem(f"the body fits several dialects equally well: {', '.join(one.name for one in best)}; choose one")


def _broken_tie(best: list[Dialect], document: Mapping[str, Any], facts: Facts) -> list[Dialect]:
    """More fields of ours found, then the site's own dialect before a packaged one, then any of one family."""
    mapped = {one.name: _mapped(one, document, facts) for one in best}
    most = max(mapped.values())
    best = [one for one in best if mapped[one.name] == most]
    best = [one for one in best if one.own] or best
    families = {one.family for one in best}
    return best[:1] if len(families) == 1 and families != {""} else best


def _mapped(dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> int:
    record = next(iter(records_of(dialect, prepared(dialect, document).document, facts)), None)
    if record is None:
        return 0
    return sum(any(source.texts(record) for source in sources) for sources in dialect.sources.values())


def _names(document: Mapping[str, Any]) -> str:
    shown = [str(name)[:40].encode("utf-8", "replace").decode() for name in list(document)[:8]]
    return ", ".join(shown) + (", …" if len(document) > 8 else "") if shown else "none"


# -- recognising


def weight(dialect: Dialect, document: Mapping[str, Any], facts: Facts, shared: Record | None = None) -> int:
    """How well a document shows a dialect's marks; 0 when it is not recognised."""
    record = shared
    if record is None or dialect.opened or dialect.columns:
        document = prepared(dialect, document).document
        record = Record(document, facts=facts)
    return max((_weight(mark, dialect, record, facts) for mark in dialect.marks), default=0)


def _weight(mark: Mark, dialect: Dialect, document: Record, facts: Facts) -> int:
    """A mark may show in the document or in one of its records."""
    found = [document, *(one for one in records_of(dialect, document.body, facts) if one.body is not document.body)]
    return max(_weight_in(mark, dialect, record) for record in found)


def _weight_in(mark: Mark, dialect: Dialect, record: Record) -> int:
    if not mark.when.holds(record):
        return 0
    present = sum(record.has(path) for path in mark.any_of)
    if (mark.any_of and not present) or (mark.fields and not _says(mark, dialect, record)):
        return 0
    return mark.weight + present + len(mark.fields)


def _says(mark: Mark, dialect: Dialect, record: Record) -> bool:
    """Whether a record holds one field out of each group."""
    return all(
        any(source.texts(record) for name in group for source in dialect.sources.get(name, ())) for group in mark.fields
    )


def _lack(dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> str:
    """What the dialect would need to see."""
    record = Record(prepared(dialect, document).document, facts=facts)
    wanted: list[str] = []
    for mark in dialect.marks:
        wanted += [".".join(path.names) for path in mark.when.present if not record.has(path)]
        wanted += [
            ".".join(path.names) for path, words in mark.when.said if not any(t in words for t in record.texts(path))
        ]
        wanted += [" or ".join(group) for group in mark.fields]
    return f"it looks for {', '.join(dict.fromkeys(wanted))}" if wanted else "none of its marks is there"


# -- records


def prepared(dialect: Dialect, document: Mapping[str, Any]) -> Prepared:
    """The document with the columns of a line named and its inner JSON texts opened, as the dialect says."""
    if bodies.CSV_ROW in document and dialect.columns:
        return Prepared(_named(dialect, document))
    if not dialect.opened:
        return Prepared(document)
    notes: list[str] = []
    opened = dict(document)
    for name in dialect.opened:
        for key in names_of(document).get(name, ()):
            opened[key] = _opened(document[key], notes)
    return Prepared(opened, tuple(notes))


def _opened(value: object, notes: list[str]) -> object:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        inner, note = bodies.decode_json(value.strip())
    except (ValueError, RecursionError):
        return value
    if note:
        notes.append(note)
    return value if bodies.is_too_deep(inner) else inner


def _named(dialect: Dialect, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line's cells under the dialect's column names, if the columns of times hold times; else as it was."""
    cells = document[bodies.CSV_ROW]
    if not isinstance(cells, list) or not dialect.fewest_columns <= len(cells) <= len(dialect.columns) + 4:
        return document
    named = dict(zip(dialect.columns, cells, strict=False))
    times = {
        fold(source.name) for name in ("started_at", "answered_at", "ended_at") for source in dialect.sources[name]
    }
    found = [values.text(cell) for column, cell in named.items() if fold(column) in times]
    return named if any(found) and all(one is None or _is_time(one) for one in found) else document


def _is_time(said: str) -> bool:
    try:
        values.instant(said, UTC)
    except Unreadable:
        return False
    return ":" in said or len(said) >= 10


def records_of(dialect: Dialect, document: Mapping[str, Any], facts: Facts) -> list[Record]:
    """The records of a document: at the first of the dialect's paths that leads to any, else the document itself."""
    for path in dialect.record_paths:
        parents = walk([document], path.names[:-1]) if path.names else []
        found = [
            Record(one, document, dialect.within, {**facts, "key": key}) for key, one in _at(parents, path.names[-1:])
        ]
        if found:
            return found
    return [Record(document, document, dialect.within, facts)]


def _at(parents: list[Any], last: tuple[str, ...]) -> list[tuple[str, Mapping[str, Any]]]:
    """The objects under a name, each with the name it stood under."""
    return [
        (key, one)
        for parent in parents
        if isinstance(parent, dict) and last
        for key in keys_of(parent, last[0])
        for one in walk([parent[key]], ())
        if isinstance(one, dict)
    ]
