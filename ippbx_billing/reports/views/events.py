"""How events look: their list, and one of them as it was received."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ippbx_billing.calls import RawEvent
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.ledger.reasons import sentence_of

SHOWN_BODY_CHARACTERS = 4_000


def columns() -> list[Column]:
    """The columns of `reports.events` for people."""
    return [
        Column("id", tr("ID"), "code"),
        Column("received_at", tr("Received"), "time"),
        Column("kind", tr("Kind"), "word"),
        Column("remote", tr("From"), "code", rank=1),
        Column("bytes", tr("Bytes"), "number", rank=2),
        Column("status", tr("Status"), "word"),
        Column("reason", tr("Reason")),
    ]


def in_words(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `reports.events` with their reasons as sentences."""
    return [{**row, "reason": sentence_of(row) or None} for row in rows]


def event(row: Mapping[str, Any], received: RawEvent, calls: Iterable[int]) -> dict[str, Any]:
    """One event with the keys of the contract: its row, what was received, and the calls that came of it."""
    return {
        **row,
        "method": received.method,
        "path": received.path,
        "query": received.query,
        "headers": received.headers,
        "body": received.body.decode("utf-8", "backslashreplace"),
        "calls": list(calls),
    }


def sentences(document: Mapping[str, Any]) -> Iterator[str]:
    """An event for people; a long body is cut off, and it is said how much is missing."""
    yield tr("event {id}, {status}", id=document["id"], status=tr(document["status"]))
    if document["reason"]:
        yield tr("reason: {reason}", reason=sentence_of(document))
    yield tr("received {time} from {remote}", time=document["received_at"], remote=document["remote"])
    if document["calls"]:
        yield tr("calls: {ids}", ids=", ".join(map(str, document["calls"])))
    query = f"?{document['query']}" if document["query"] else ""
    yield from ("", f"{document['method']} {document['path']}{query}", *document["headers"].split("\r\n"), "")
    yield from document["body"][:SHOWN_BODY_CHARACTERS].splitlines()
    if (rest := len(document["body"]) - SHOWN_BODY_CHARACTERS) > 0:
        yield tr("… and {count} characters more; --raw shows all", count=rest)
