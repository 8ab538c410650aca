"""The account of a reading: our fields with the name, the text and the value each was taken from.

The one idea: the engine reads as always and remembers what it used; what it did not use is left over, and a field
that the dialect has names for but found none of is missing.

    for checked in check(event, known, chosen="auto", zone=zone, is_extension=is_extension).records:
        checked.fields, checked.missing, checked.left_over
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Any

from ippbx_billing.calls import Call, CallStatus, Problem, RawEvent, Reason
from ippbx_billing.dialects import facts_of, sender
from ippbx_billing.dialects.bodies import open_body
from ippbx_billing.dialects.choosing import Dialects, choose, weight
from ippbx_billing.dialects.definition import FIELDS, Dialect
from ippbx_billing.dialects.plan import kind_of
from ippbx_billing.dialects.reading import Fields, Found, Site, call_of, status_of
from ippbx_billing.dialects.record import Path, scalars
from ippbx_billing.dialects.values import fold, text
from ippbx_billing.dialects.view import DocumentView, Facts, view_of

# Our fields that a call always wants; that others are missing is not news.
WANTED = ("started_at", "caller", "callee", "billed_s", "direction", "disposition", "call_id")
VALUE_OF = {"source_trunk": "trunk", "destination_trunk": "trunk"}


@dataclass(frozen=True, slots=True)
class CheckedField:
    """One field of ours: the name and text it was taken from, empty where it follows from others, and our value."""

    field: str
    path: str
    said: str
    value: str


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """One record: what it came to, field by field, what no field was found for, and what no field is for."""

    outcome: str  # call | status | nothing | problem
    reason: Reason
    fields: tuple[CheckedField, ...] = ()
    missing: tuple[str, ...] = ()
    left_over: tuple[tuple[str, str], ...] = ()
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """One document of a body: the dialect it was read with, every dialect that fits with its score, its records."""

    dialect: str | None
    fitting: tuple[tuple[str, int], ...]
    reason: Reason = field(default_factory=Reason)
    records: tuple[CheckedRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """All of a body: its documents, and what could not be opened."""

    documents: tuple[CheckedDocument, ...]
    problems: tuple[Reason, ...]


def check(
    event: RawEvent, known: Dialects, *, chosen: str, zone: tzinfo, is_extension: Callable[[str], bool]
) -> Checked:
    """Read an event and account for it; never raises for what the event holds."""
    opened = open_body(event)
    site = Site(zone, is_extension, sender(event.remote))
    documents = [_document(one, known, chosen, site, event, tuple(opened.notes)) for one in opened.documents if one]
    return Checked(tuple(documents), tuple(one.told for one in opened.problems))


def _document(
    document: Mapping[str, Any],
    known: Dialects,
    chosen: str,
    site: Site,
    event: RawEvent,
    notes: tuple[Reason, ...],
) -> CheckedDocument:
    facts = facts_of(event)
    view = choose(document, known, chosen, facts)
    fitting = _fitting(document, known, facts)
    if not fitting and isinstance(view, DocumentView):  # a wrapper: what it holds is what fits
        fitting = _fitting(view.document, known, facts)
    if isinstance(view, Problem):
        return CheckedDocument(None, fitting, view.told)
    checked = [_record(Fields(view.dialect, one, site, [*notes, *view.notes])) for one in view.records]
    return CheckedDocument(view.dialect.name, fitting, records=tuple(checked))


def _fitting(document: Mapping[str, Any], known: Dialects, facts: Facts) -> tuple[tuple[str, int], ...]:
    """The dialects that recognise a document with their weights, the heaviest first."""
    weighed = [(name, weight(view_of(one, document, facts), facts)) for name, one in known.items()]
    return tuple(sorted(((name, score) for name, score in weighed if score), key=lambda pair: -pair[1]))


def _record(fields: Fields) -> CheckedRecord:
    kind, because = kind_of(fields.dialect, fields.plan, fields.record)
    if kind == "nothing":
        told = Reason("no-call", {"because": because})
        return CheckedRecord("nothing", told, left_over=tuple(_left_over(fields)))
    read = call_of(fields) if "cdr" in kind else status_of(fields)
    left_over = tuple(_left_over(fields))
    if isinstance(read, Call | CallStatus):
        outcome = "call" if isinstance(read, Call) else "status"
        mapped = tuple(_fields(fields, read))
        return CheckedRecord(outcome, Reason(), mapped, _missing(fields, read), left_over, tuple(fields.notes))
    outcome, reason = ("problem", read.told) if isinstance(read, Problem) else ("nothing", read)
    mapped = tuple(_said(name, found, found[1]) for name, found in fields.used.items())
    return CheckedRecord(outcome, reason, mapped, _missing(fields, None), left_over, tuple(fields.notes))


def _fields(fields: Fields, read: Call | CallStatus) -> Iterator[CheckedField]:
    """First what the record says, then what follows from it."""
    shown = set()
    for name in sorted(fields.used, key=FIELDS.index):
        found, ours = fields.used[name], VALUE_OF.get(name, name)
        shown.add(ours)
        yield _said(name, found, _plain(getattr(read, ours, found[1]), fields.site.zone))
    for name in (
        "answered_at",
        "ended_at",
        "duration_s",
        "billed_s",
        "direction",
        "disposition",
        "extension",
        "number",
    ):
        value = getattr(read, name, None)
        if name not in shown and value is not None:
            yield CheckedField(name, "", "", _plain(value, fields.site.zone))


def _said(name: str, found: Found, value: str) -> CheckedField:
    return CheckedField(name, found[0].name, found[1], value)


def _plain(value: object, zone: tzinfo) -> str:
    """A value as JSON would hold it, times on the PBX's clock."""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return "" if value is None else str(value)


def _missing(fields: Fields, read: Call | CallStatus | None) -> tuple[str, ...]:
    """What a call wants and this record does not tell, whether or not it follows from the rest."""
    if isinstance(read, CallStatus):
        return () if read.call_id else ("call_id",)
    return tuple(name for name in WANTED if name not in fields.used)


# -- what is left over


def _left_over(fields: Fields) -> Iterator[tuple[str, str]]:
    """Every text of the record that no field was taken from and no rule asks for."""
    record = fields.record
    used = [path for source, _ in fields.used.values() for path in (source.path, *source.joined)]
    asked = [*used, *_asked(fields.dialect)]
    for names, said in scalars(record.body):
        if not any(_leads_to(path, names) for path in asked if path.origin == ""):
            yield ".".join(names), said
    if record.around is record.body:
        return
    for name, value in record.around.items():
        around = text(value)
        if around is not None and not any(_leads_to(path, (name,)) for path in asked if path.names):
            yield f"^{name}", around


def _asked(dialect: Dialect) -> Iterator[Path]:
    """The names that a dialect's rules look at, beside its fields."""
    conditions = [mark.when for mark in dialect.marks]
    conditions += [rule.when for rule in (*dialect.kinds, *dialect.directions, *dialect.dispositions, *dialect.twins)]
    for condition in conditions:
        yield from (path for path, _ in condition.said)


def _leads_to(path: Path, names: tuple[str, ...]) -> bool:
    """Whether a path ends at these names; parts of a record share their names with it (`within`)."""
    folded = tuple(fold(name) for name in names)
    tail = folded[len(folded) - len(path.names) :]
    return len(tail) == len(path.names) and all(map(fnmatchcase, tail, path.names))
