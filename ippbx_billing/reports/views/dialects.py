"""How dialects look: those there are, what bodies are read to mean, what is proposed, words that nobody knows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sqlite3 import Row
from typing import Any

from ippbx_billing.calls import Reason
from ippbx_billing.dialects import Dialects
from ippbx_billing.dialects.checking import Checked, CheckedDocument, CheckedRecord
from ippbx_billing.dialects.suggest import EvidenceSentence, FieldProposal, Proposal, Suggestion
from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import coded, english, sentence, told

SHOWN_CHARACTERS = 48  # of a text in a table; JSON has all of it
SHOWN_LEFT_OVER = 40
FIELD_KEYS = ("body", "record", "dialect", "outcome", "field", "path", "text", "value")

Rows = list[dict[str, Any]]


def dialects(known: Dialects, *, spoken: bool = False) -> Listing:
    """The dialects: the packaged ones and the site's own; `spoken` tells what they read in the reader's language."""
    rows: Rows = [
        {
            "name": name,
            "title": dialect.title,
            "origin": "own" if dialect.own else "packaged",
            "reads": tr(dialect.description) if spoken else dialect.description,
            "answer": dialect.answer,
        }
        for name, dialect in known.items()
    ]
    headings = [
        Column("name", tr("Dialect"), "code"),
        Column("title", tr("Title")),
        Column("origin", tr("Origin"), "word"),
        Column("reads", tr("Reads"), rank=1),
    ]
    return Listing(rows, headings)


# -- what bodies are read to mean


def checked(name: str, found: Checked) -> dict[str, Any]:
    """A body that was checked, with the keys of the contract; `name` is what it is called by."""
    documents = [_document(document) for document in found.documents]
    return {
        "body": name,
        "documents": documents,
        "problems": list(map(english, found.problems)),
        "problem_reasons": list(map(coded, found.problems)),
    }


def checked_fields(bodies: Sequence[dict[str, Any]]) -> Listing:
    """Bodies of `checked` as one table, a line for each field."""
    return Listing(_field_rows(bodies), all_columns(FIELD_KEYS), document=bodies)


def _document(document: CheckedDocument) -> dict[str, Any]:
    return {
        "dialect": document.dialect,
        "fits": [{"dialect": name, "score": score} for name, score in document.fitting],
        **_keys(document.reason),
        "records": [_record(record) for record in document.records],
    }


def _keys(reason: Reason) -> dict[str, Any]:
    """The keys of a reason; the sentence is empty where there is none."""
    return {**told(reason), "reason": english(reason)}


def _record(record: CheckedRecord) -> dict[str, Any]:
    return {
        "outcome": record.outcome,
        **_keys(record.reason),
        "fields": _fields(record),
        "missing": list(record.missing),
        "left_over": dict(record.left_over),
        "notes": list(map(english, record.notes)),
        "note_reasons": list(map(coded, record.notes)),
    }


def _fields(record: CheckedRecord) -> Rows:
    return [
        {"field": one.field, "path": one.path or None, "text": one.said or None, "value": one.value or None}
        for one in record.fields
    ]


def _field_rows(read: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for body in read:
        number = 0
        for document in body["documents"]:
            for record in document["records"]:
                number += 1
                about = {"body": body["body"], "record": number, "dialect": document["dialect"]}
                for one in record["fields"]:
                    yield {**about, "outcome": record["outcome"], **one}


def checked_told(name: str, found: Checked) -> Iterator[str | Listing]:
    """A checked body for people: which dialects fit, then each record as a table, what is missing and left over."""
    for document in found.documents:
        fits = ", ".join(f"{dialect} ({score})" for dialect, score in document.fitting)
        yield f"{name}: " + (tr("fits {dialects}", dialects=fits) if fits else tr("fits no dialect"))
        if document.reason:
            yield tr("not read: {reason}", reason=sentence(document.reason))
        for number, record in enumerate(document.records, start=1):
            yield from _record_told(document.dialect, number, record)
    if not found.documents and not found.problems:
        yield f"{name}: " + tr("an empty body")


def _record_told(dialect: str | None, number: int, record: CheckedRecord) -> Iterator[str | Listing]:
    outcome = tr(
        "record {number}, read with {dialect}: {outcome}", number=number, dialect=dialect, outcome=tr(record.outcome)
    )
    yield outcome + (f" ({sentence(record.reason)})" if record.reason else "")
    if record.fields:
        yield _fields_told(record)
    if record.missing:
        yield tr("not told by the record: {fields}", fields=", ".join(record.missing))
    if record.left_over:
        texts = [f"{path} = {text[:SHOWN_CHARACTERS]}" for path, text in record.left_over]
        more = len(texts) - SHOWN_LEFT_OVER
        rest = [tr("… and {count} more", count=more)] if more > 0 else []
        yield tr("left over: {texts}", texts="; ".join([*texts[:SHOWN_LEFT_OVER], *rest]))
    for note in record.notes:
        yield tr("note: {note}", note=sentence(note))
    yield ""


def _fields_told(record: CheckedRecord) -> Listing:
    rows = [{**one, "text": one["text"] and one["text"][:SHOWN_CHARACTERS]} for one in _fields(record)]
    headings = [
        Column("field", tr("Our field"), "code"),
        Column("path", tr("Their name")),
        Column("text", tr("Their text")),
        Column("value", tr("Our value")),
    ]
    return Listing(rows, headings)


# -- proposals


def suggestion(found: Suggestion, name: str) -> Listing:
    """All that is proposed, a line for each field, in JSON with the file that it makes."""
    rows = [{"make": number, **_row(one)} for number, make in enumerate(found.proposals, 1) for one in make.findings]
    document = {"proposals": [_proposal(one) for one in found.proposals], "problems": list(found.problems)}
    headings = [Column("make", tr("Make"), "number"), *_proposed_columns()] if rows else _proposed_columns()
    return Listing(rows, headings, document=document | {"toml": found.as_toml(name)}, empty=tr("no records"))


def makes(found: Suggestion) -> Iterator[tuple[Proposal, Listing]]:
    """Each make that is proposed with a table of its own."""
    for number, make in enumerate(found.proposals, start=1):
        title = tr("{count} different records", count=make.records)
        title = f"{number}. {title}" if len(found.proposals) > 1 else title
        yield make, Listing([_row(one) for one in make.findings], _proposed_columns(), title=title)


def doubts(make: Proposal) -> Iterator[str]:
    """What speaks against a proposal, and what it leaves over."""
    for doubt in make.doubts:
        yield tr("doubt: {doubt}", doubt=_told(doubt))
    if make.left_over:
        more = ", …" if len(make.left_over) > SHOWN_LEFT_OVER else ""
        yield tr("left over: {texts}", texts=", ".join(make.left_over[:SHOWN_LEFT_OVER]) + more)


def _proposed_columns() -> list[Column]:
    return [
        Column("field", tr("Our field"), "code"),
        Column("path", tr("Their name")),
        Column("example", tr("Example")),
        Column("evidence", tr("Evidence")),
    ]


def _row(finding: FieldProposal) -> dict[str, Any]:
    others = tr("or else: {paths}", paths=", ".join(finding.alternatives)) if finding.alternatives else ""
    sentences = [*map(_told, finding.evidence), *([others] if others else [])]
    unit = f" ({finding.unit})" if finding.unit != "s" else ""
    return {
        "field": finding.field,
        "path": finding.path + unit,
        "example": finding.example[:SHOWN_CHARACTERS],
        "score": finding.score,
        "evidence": "; ".join(sentences),
    }


def _told(evidence: EvidenceSentence) -> str:
    """The sentence in the language of whoever reads it."""
    return tr(evidence.text, **evidence.facts)


def _proposal(make: Proposal) -> dict[str, Any]:
    return {
        "records": make.records,
        "layouts": [{"path": ".".join(one.path), "open": list(one.opened)} for one in make.layouts],
        "usable": make.is_usable,
        "fields": [
            {
                "field": one.field,
                "path": one.path,
                "unit": one.unit,
                "example": one.example,
                "score": one.score,
                "evidence": [str(sentence) for sentence in one.evidence],
                "words": dict(one.words),
                "alternatives": list(one.alternatives),
            }
            for one in make.findings
        ],
        "doubts": [str(doubt) for doubt in make.doubts],
        "left_over": list(make.left_over),
    }


# -- words


def words(unknown: Iterable[Row], taught: Mapping[str, Iterable[str]]) -> Listing:
    """The unknown words with how many calls wait for each, then those that the site has taught, by meaning."""
    waiting: Rows = [
        {"word": row["word"], "dialect": row["dialect"], "calls": row["calls"], "meaning": None} for row in unknown
    ]
    known: Rows = [
        {"word": word, "dialect": None, "calls": None, "meaning": meaning}
        for meaning, of_it in taught.items()
        for word in of_it
    ]
    headings = [
        Column("word", tr("Word")),
        Column("dialect", tr("Dialect"), "code"),
        Column("calls", tr("Calls"), "number"),
        Column("meaning", tr("Means"), "word"),
    ]
    return Listing([*waiting, *known], headings, empty=tr("no unknown words"))
