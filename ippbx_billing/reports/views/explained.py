"""One call explained: where it came from, how its fee was found, which prices lost, and what it cost before.

found = explain(ledger, inbox, using, 17, history=True)
found.document           # for programs, with the keys of the contract
found.sentences()        # for people
candidates(ledger, using, 17)
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ippbx_billing.calls import Charge, Reason
from ippbx_billing.documents.columns import all_columns, cell
from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told, told_why
from ippbx_billing.ledger.reasons import facts_of, loaded, loaded_why, sentence_of
from ippbx_billing.reports.call_columns import fee_text
from ippbx_billing.reports.conditions import Scope, View, WantedCalls
from ippbx_billing.reports.listing import calls, other_rows
from ippbx_billing.reports.views import story
from ippbx_billing.reports.views.plans import plan_parts, plan_sentence

if TYPE_CHECKING:
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.settings import Settings

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExplainedCall:
    """A call with the keys of the contract, and its charge with the steps that led to it."""

    document: Row
    charge: Charge

    def listing(self) -> Listing:
        """For programs."""
        return Listing([self.document], all_columns(self.document), document=self.document)

    def sentences(self) -> Iterator[str]:
        """For people: the call in a line, where it came from, its story, and its earlier charges if asked for."""
        yield from told_lines(self.document, self.charge)
        if "history" in self.document:
            yield from history_lines(self.document)


def explain(
    ledger: "Ledger",
    inbox: "Inbox",
    using: "Settings",
    call: int,
    *,
    history: bool = False,
    scope: Scope | None = None,
) -> "ExplainedCall":
    """The call with the contract's keys, and its charge with the steps; NotFoundError also where the scope ends."""
    from ippbx_billing.ledger.calls import call_of, classification_of

    view = View(using.site_zone, using.currency)
    row = next(iter(calls(ledger, view, WantedCalls(call=call, scope=scope))), None)
    stored = ledger.calls.get(call)
    if stored is None or row is None:
        raise NotFoundError(tr("there is no call {id}", id=call), tr("see `ippbx-bill calls list`"))
    meant, classification = call_of(stored), classification_of(stored)
    charge = story.of_stored(ledger, using, stored, meant, classification)
    late = ledger.records.late(call)
    document = {
        **row,
        **told_why(classification.why),
        "calendar": stored["calendar"],
        "event_received": _event(inbox, using, stored["event_id"]),
        "priced_at": row["answered_at"] or row["started_at"],
        "steps": story.steps(charge),
        "rows": other_rows(ledger, view, call, scope),
        "price_begins": story.begins_later(ledger, using, stored, meant, classification),
        "late_s": late and late[0],
        "imported": bool(late and late[1]),
        "plans": plan_parts(ledger, view, call, stored["day"], story.rest_of(ledger, using)),
    }
    return ExplainedCall(document | ({"history": earlier_charges(ledger, view, call)} if history else {}), charge)


def _event(inbox: "Inbox", using: "Settings", event_id: int) -> Row | None:
    event = inbox.get(event_id)
    if event is None:
        return None
    return {
        "id": event.id,
        "received_at": event.received_at.astimezone(using.site_zone).isoformat(),
        "kind": event.kind.value,
        "remote": event.remote,
        "bytes": len(event.body),
    }


def earlier_charges(ledger: "Ledger", view: View, call: int) -> list[Row]:
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
            "meaning": _meaning(row["meaning"]) if row["meaning"] else None,
        }
        for row in ledger.rerates.history(call)
    ]


def _meaning(text: str) -> dict[str, Any]:
    """What a number was held for, as it is kept with an earlier charge."""
    values: dict[str, Any] = json.loads(text)
    return {**values, **told_why(loaded_why(values["why"]))}


def candidates(ledger: "Ledger", using: "Settings", call: int) -> list[Row]:
    """The prices that such a call could have by today's tariff, in the order in which they are tried.

    Each with `id`, `price` in words, `figures`, `since`, and `outcome`: `won`, `less specific`, `earlier version`,
    `begins later`, `ended` or `blocked`.
    """
    from ippbx_billing.ledger.calls import call_of, classification_of
    from ippbx_billing.lists.tariffs.views import figures_in_words, what
    from ippbx_billing.pipeline import Rules

    stored = ledger.calls.get(call)
    if stored is None:
        return []
    meant, classification = call_of(stored), classification_of(stored)
    rules = Rules.of(ledger, using, reading=False)
    carrier = rules.book.carrier_for(meant.trunk)
    if carrier is None or meant.direction is None:
        return []
    day = rules.local_start(meant).date()
    found = rules.book.ranked(carrier, classification, meant.direction, day, called=meant.did)
    return [
        {
            "id": price.id,
            "price": what(price),
            "figures": figures_in_words(price.figures),
            "since": price.effective_from.isoformat(),
            "outcome": outcome,
        }
        for price, outcome in found
    ]


# -- in sentences


def told_lines(document: Row, charge: Charge) -> list[str]:
    """The call in a line, where it came from, and its story."""
    rows = [tr("Other rows of the same conversation:"), *map(_told_row, document["rows"])] if document["rows"] else []
    return [heading(document), source(document), *doubts(document, charge), *story.sentences(charge),
            *filter(None, [verdict(document, charge)]), fee_line(document), *plan_lines(document), *rows]  # fmt: skip


def plan_lines(document: Row) -> list[str]:
    """Which plans of the month covered the call, and how much of it."""
    return [plan_sentence(part, document["currency"]) for part in document["plans"]]


def heading(document: Row) -> str:
    """The call in a line."""
    return tr(
        "Call {id}: extension {extension}, {direction}, {number}, {start}, talk time {talk}",
        id=document["id"],
        extension=cell(document["extension"]),
        direction=cell(document["direction"], "word"),
        number=cell(document["number"]),
        start=cell(document["started_at"], "time"),
        talk=cell(document["billed_s"], "length"),
    )


def source(document: Row) -> str:
    """Where it came from."""
    event = document["event_received"]
    return tr(
        "Recorded by PBX {pbx}; came with event {id} at {time} from {remote}.",
        pbx=document["pbx"],
        id=document["event"],
        time=cell(event and event["received_at"], "time"),
        remote=cell(event and event["remote"]),
    )


def doubts(document: Row, charge: Charge) -> list[str]:
    """What is uncertain, and by what it was decided."""
    found = [tr("Note: {note}", note=sentence(note)) for note in _notes(document)]
    if charge.price_id is not None:
        found.append(_moment(document))
    if document["calendar"]:
        found.append(tr("Days off by version {version} of the national calendar.", version=document["calendar"]))
    if document["price_begins"]:
        found.append(tr("A price for such calls begins only on {day}.", day=document["price_begins"]))
    return found


def facts(document: Row) -> list[tuple[str, str]]:
    """What is known of the call, each with its title; both lengths, because carriers' bills differ there first."""
    return [
        (tr("Extension"), cell(document["extension"])),
        (tr("Name"), cell(document["name"])),
        (tr("Department"), cell(document["department"])),
        (tr("Direction"), cell(document["direction"], "word")),
        (tr("Number"), cell(document["number"])),
        (tr("Region"), _region(document)),
        (tr("Place"), cell(document["place"])),
        (tr("Traffic type"), cell(document["traffic_type"], "word")),
        (tr("Line kind"), cell(document["line_kind"], "word")),
        (tr("Start"), cell(document["started_at"], "time")),
        (tr("Answered at"), cell(document["answered_at"], "time")),
        (tr("End"), cell(document["ended_at"], "time")),
        (tr("Duration with ringing"), cell(document["duration_s"], "length")),
        (tr("Talk time"), cell(document["billed_s"], "length")),
        (tr("Outcome"), cell(document["disposition"], "word")),
        (tr("Trunk"), cell(document["trunk"])),
        (tr("Carrier"), cell(document["carrier"])),
        (tr("PIN"), cell(document["pin"])),
        (tr("Caller"), cell(document["caller"])),
        (tr("Callee"), cell(document["callee"])),
        (tr("Call ID"), cell(document["call_id"])),
    ]


def _region(document: Row) -> str:
    """The region; where there is none, the country."""
    return cell(document["region"]) if document["region"] else cell(document["country"], "country")


def verdict(document: Row, charge: Charge) -> str:
    """The status with its reason; empty where there is none."""
    reason = sentence_of(document) or sentence(charge.reason)
    return f"{tr(document['status'])}: {reason}" if reason else ""


def fee_line(document: Row) -> str:
    """What it costs."""
    fee = document["fee"]
    return tr("No fee yet.") if fee is None else tr("Fee: {fee} {currency}", fee=fee, currency=document["currency"])


def history_lines(document: Row) -> list[str]:
    """A line for each earlier charge."""
    if not document["history"]:
        return ["", tr("This is its first charge.")]
    return ["", tr("Earlier charges:"), *(_told_earlier(one, document["currency"]) for one in document["history"])]


def _told_row(row: Row) -> str:
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


def _told_earlier(one: Row, currency: str) -> str:
    parts = [
        tr("until {time}", time=cell(one["replaced_at"], "time")),
        tr(one["status"]) if one["fee"] is None else f"{one['fee']} {currency}",
        *filter(None, [one["carrier"], one["window"], sentence_of(one)]),
    ]
    if one["meaning"]:
        earlier = cell(one["meaning"]["traffic_type"], "word")
        parts.append(tr("held for {traffic_type}", traffic_type=earlier))
    return "  " + ", ".join(parts)


def _moment(document: Row) -> str:
    """By which moment the call is priced."""
    at = cell(document["priced_at"], "time")
    if document["answered_at"]:
        return tr("Priced by the moment it was answered, {time}.", time=at)
    return tr("Priced by its start, {time}: the PBX does not tell when it was answered.", time=at)


def _notes(document: Row) -> list[Reason]:
    """The notes of a call that a document of the contract tells."""
    return [Reason(one["code"], facts_of(one["facts"])) for one in document["note_reasons"]]
