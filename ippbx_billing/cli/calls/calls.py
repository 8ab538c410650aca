"""`calls`: the list, one call's story, and who is talking now."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.calls import ChargeStatus, Reason
from ippbx_billing.cli import common
from ippbx_billing.cli.calls import retention as letting_go
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.cli.reports.options import Asking, asked_of_list
from ippbx_billing.documents.columns import Format, cell
from ippbx_billing.documents.render import lines, show
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told
from ippbx_billing.ledger.reasons import facts_of, loaded, sentence_of
from ippbx_billing.reports.views import story
from ippbx_billing.reports.views.calls import columns as call_columns
from ippbx_billing.reports.views.live import LIVE_IS_SHOWN
from ippbx_billing.reports.views.live import columns as live_columns
from ippbx_billing.reports.views.live import rows as live_rows
from ippbx_billing.reports.views.plans import plan_parts, plan_sentence

if TYPE_CHECKING:
    from ippbx_billing.calls import Charge
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("list", help=tr("The calls, oldest first."))
@asked_of_list
def list_calls(
    asking: Asking,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help=tr("only this day"))] = None,
    status: Annotated[ChargeStatus | None, typer.Option(help=tr("rated, free, unrated or filtered"))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=tr("at most so many"))] = None,
) -> None:
    """Stream the calls that fulfil every condition, those of all days unless some are named."""
    from ippbx_billing import reports

    using, form = common.settings(), asking.form
    period = asking.period(using) if asking.names_days else None
    wanted = reports.WantedCalls(**asking.where().given(), period=period, day=day, status=status, limit=limit)
    with common.open_ledger(using) as ledger:
        rows = reports.calls(ledger, reports.View(using.site_zone, using.currency), wanted)
        title = tr("Call list") if form.is_document else ""
        show(rows, call_columns(form, using.currency), form, asking.output, title=title, empty=tr("no such calls"))


@app.command("explain", help=tr("Why a call costs what it costs, step by step."))
def explain(
    call: Annotated[int, typer.Argument(metavar="ID", help=tr("the call's id, see `calls list`"))],
    history: Annotated[bool, typer.Option("--history", help=tr("also the charges before each `rerate`"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The call, the event it came from, and the steps of its charge."""
    from ippbx_billing import reports
    from ippbx_billing.ledger.calls import call_of, classification_of

    using = common.settings()
    with common.open_ledger(using) as ledger:
        stored = ledger.calls.get(call)
        if stored is None:
            raise NotFoundError(tr("there is no call {id}", id=call), tr("see `ippbx-bill calls list`"))
        view = reports.View(using.site_zone, using.currency)
        row = next(iter(reports.calls(ledger, view, reports.WantedCalls(call=call))))
        charge = story.of_stored(ledger, using, stored, call_of(stored), classification_of(stored))
        later = story.begins_later(ledger, using, stored, call_of(stored), classification_of(stored))
        event = _event(using, stored["event_id"])
        earlier = _history(ledger, using, call) if history else []
        late = ledger.records.late(call)
        rows = reports.other_rows(ledger, view, call)
        plans = plan_parts(ledger, view, call, stored["day"], story.rest_of(ledger, using))
    document = {
        **row,
        "why": stored["why"],
        "calendar": stored["calendar"],
        "event_received": event,
        "priced_at": row["answered_at"] or row["started_at"],
        "steps": story.steps(charge),
        "rows": rows,
        "price_begins": later,
        "late_s": late and late[0],
        "imported": bool(late and late[1]),
        "plans": plans,
    }
    if history:
        document["history"] = earlier
    if form.is_data:
        show([document], common.all_columns(document), form, output, document=document)
        return
    lines([*_told(document, charge), *(_told_history(document) if history else [])], output, form)


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


def _history(ledger: "Ledger", using: "Settings", call: int) -> list[dict[str, Any]]:
    """The earlier charges, oldest first; `meaning` is what the number was held for, where that changed too."""
    from ippbx_billing.reports import View, fee_text

    view = View(using.site_zone, using.currency)
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


def _told(document: dict[str, Any], charge: "Charge") -> list[str]:
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


def _moment(document: dict[str, Any]) -> str:
    """By which moment the call is priced."""
    at = cell(document["priced_at"], "time")
    if document["answered_at"]:
        return tr("Priced by the moment it was answered, {time}.", time=at)
    return tr("Priced by its start, {time}: the PBX does not tell when it was answered.", time=at)


def _notes(document: dict[str, Any]) -> list[Reason]:
    """The notes of a call that a document of the contract tells."""
    return [Reason(one["code"], facts_of(one["facts"])) for one in document["note_reasons"]]


def _event(using: "Settings", event_id: int) -> dict[str, Any] | None:
    with common.open_inbox(using) as inbox:
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


@app.command("live", help=tr("The calls in progress: ringing, talking, ended just now."))
def live(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The state of each call as the status events tell it."""
    using = common.settings()
    now = common.now()
    with common.open_ledger(using) as ledger:
        found = ledger.journey.live(now - LIVE_IS_SHOWN)
    rows = live_rows(found, now, using.site_zone)
    heading = live_columns()
    if form is Format.CSV:
        heading = common.all_columns(rows[0] if rows else dict.fromkeys(["call_id", "state"]))
    show(rows, heading, form, output, empty=tr("no calls in progress"))


app.command("anonymize", help=tr("Mask the numbers in old calls; sums stay as they are."))(letting_go.anonymize)
