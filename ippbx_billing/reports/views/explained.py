"""A call explained: where it came from, the steps of its charge, what it was held for before.

found = explain(ledger, inbox, settings, 17, history=True)
found.document           # for programs, with the keys of the contract
found.sentences()        # for people
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ippbx_billing.calls import Charge, Reason
from ippbx_billing.documents.columns import all_columns, cell
from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import NotFoundError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.ledger.reasons import facts_of, loaded, sentence_of
from ippbx_billing.reports import View, WantedCalls, calls, fee_text, other_rows
from ippbx_billing.reports.views import story
from ippbx_billing.reports.views.plans import plan_parts, plan_sentence
from ippbx_billing.settings import Settings


@dataclass(frozen=True, slots=True)
class ExplainedCall:
    """A call with the keys of the contract, and its charge with the steps that led to it."""

    document: dict[str, Any]
    charge: Charge

    def listing(self) -> Listing:
        """For programs."""
        return Listing([self.document], all_columns(self.document), document=self.document)

    def sentences(self) -> Iterator[str]:
        """For people: the call in a line, where it came from, its story, and its earlier charges if asked for."""
        yield from _told(self.document, self.charge)
        if "history" in self.document:
            yield from _told_history(self.document)


def explain(ledger: Ledger, inbox: Inbox, using: Settings, call: int, *, history: bool = False) -> ExplainedCall:
    """The call, the event it came from, and the steps of its charge; NotFoundError where there is no such call."""
    stored = ledger.calls.get(call)
    if stored is None:
        raise NotFoundError(tr("there is no call {id}", id=call), tr("see `ippbx-bill calls list`"))
    view = View(using.site_zone, using.currency)
    row = next(iter(calls(ledger, view, WantedCalls(call=call))))
    read, meaning = call_of(stored), classification_of(stored)
    charge = story.of_stored(ledger, using, stored, read, meaning)
    late = ledger.records.late(call)
    document = {
        **row,
        "why": stored["why"],
        "calendar": stored["calendar"],
        "event_received": _event(inbox, using.site_zone, stored["event_id"]),
        "priced_at": row["answered_at"] or row["started_at"],
        "steps": story.steps(charge),
        "rows": other_rows(ledger, view, call),
        "price_begins": story.begins_later(ledger, using, stored, read, meaning),
        "late_s": late and late[0],
        "imported": bool(late and late[1]),
        "plans": plan_parts(ledger, view, call, stored["day"], story.rest_of(ledger, using)),
        **({"history": _history(ledger, view, call)} if history else {}),
    }
    return ExplainedCall(document, charge)


def _event(inbox: Inbox, zone: tzinfo, event_id: int) -> dict[str, Any] | None:
    event = inbox.get(event_id)
    if event is None:
        return None
    return {
        "id": event.id,
        "received_at": event.received_at.astimezone(zone).isoformat(),
        "kind": event.kind.value,
        "remote": event.remote,
        "bytes": len(event.body),
    }


def _history(ledger: Ledger, view: View, call: int) -> list[dict[str, Any]]:
    """The earlier charges, oldest first; `meaning` is what the number was held for, where that changed too."""
    return [
        {
            "run": row["run_id"],
            "replaced_at": view.time(row["replaced_at"]),
            "status": row["status"],
            "fee": fee_text(row["fee_micro"], row["decimals"]),
            "carrier": row["carrier"],
            "price_id": row["price_id"],
            "window": row["window"],
            **told(loaded(row["reason"], row["reason_facts"])),
            "meaning": json.loads(row["meaning"]) if row["meaning"] else None,
        }
        for row in ledger.rerates.history(call)
    ]


def _told(document: dict[str, Any], charge: Charge) -> list[str]:
    """The call in a line, where it came from, and its story."""
    event = document["event_received"]
    talk = cell(document["billed_s"], "length")
    heading = tr(
        "Call {id}: extension {extension}, {direction}, {number}, {start}, talk time {talk}",
        id=document["id"],
        extension=cell(document["extension"]),
        direction=cell(document["direction"], "word"),
        number=cell(document["number"]),
        start=cell(document["started_at"], "time"),
        talk=talk,
    )
    source = tr(
        "Recorded by PBX {pbx}; came with event {id} at {time} from {remote}.",
        pbx=document["pbx"],
        id=document["event"],
        time=cell(event and event["received_at"], "time"),
        remote=cell(event and event["remote"]),
    )
    fee = document["fee"]
    reason = sentence_of(document) or sentence(charge.reason)
    last = tr("Fee: {fee} {currency}", fee=fee, currency=document["currency"]) if fee is not None else tr("No fee yet.")
    doubts = [tr("Note: {note}", note=sentence(note)) for note in _notes(document)]
    if charge.price_id is not None:
        doubts.append(_moment(document))
    if document["calendar"]:
        doubts.append(tr("Days off by version {version} of the national calendar.", version=document["calendar"]))
    status = f"{tr(document['status'])}: {reason}" if reason else ""
    if document["price_begins"]:
        doubts.append(tr("A price for such calls begins only on {day}.", day=document["price_begins"]))
    rows = [tr("Other rows of the same conversation:"), *map(_told_row, document["rows"])] if document["rows"] else []
    plans = [plan_sentence(part, document["currency"]) for part in document["plans"]]
    return [heading, source, *doubts, *story.sentences(charge), *filter(None, [status]), last, *plans, *rows]


def _told_row(row: dict[str, Any]) -> str:
    """A line for another row of the same conversation."""
    return "  " + tr(
        "call {id}: {caller} → {callee}, {start}, talk time {talk}, {status}",
        id=row["id"],
        caller=cell(row["caller"]),
        callee=cell(row["callee"]),
        start=cell(row["started_at"], "time"),
        talk=cell(row["billed_s"], "length"),
        status=tr(row["status"]),
    )


def _moment(document: dict[str, Any]) -> str:
    """By which moment the call is priced."""
    at = cell(document["priced_at"], "time")
    if document["answered_at"]:
        return tr("Priced by the moment it was answered, {time}.", time=at)
    return tr("Priced by its start, {time}: the PBX does not tell when it was answered.", time=at)


def _notes(document: dict[str, Any]) -> list[Reason]:
    """The notes of a call that a document of the contract tells."""
    return [Reason(one["code"], facts_of(one["facts"])) for one in document["note_reasons"]]


def _told_history(document: dict[str, Any]) -> list[str]:
    """A line for each earlier charge."""
    if not document["history"]:
        return ["", tr("This is its first charge.")]
    return ["", tr("Earlier charges:"), *(_told_earlier(one, document["currency"]) for one in document["history"])]


def _told_earlier(one: dict[str, Any], currency: str) -> str:
    parts = [
        tr("until {time}", time=cell(one["replaced_at"], "time")),
        tr(one["status"]) if one["fee"] is None else f"{one['fee']} {currency}",
        *filter(None, [one["carrier"], one["window"], sentence_of(one)]),
    ]
    if one["meaning"]:
        earlier = cell(one["meaning"]["traffic_type"], "word")
        parts.append(tr("held for {traffic_type}", traffic_type=earlier))
    return "  " + ", ".join(parts)
