"""`events`: what the PBX sent, what became of it, and reading it again after the cause was removed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.calls import EventKind, EventStatus
from ippbx_billing.cli import common
from ippbx_billing.cli.calls import retention as letting_go
from ippbx_billing.cli.calls.fees import tell_fees
from ippbx_billing.cli.calls.importing import import_files
from ippbx_billing.cli.calls.rebuild import rebuild
from ippbx_billing.cli.common import FormatOption, OutputOption, WaitOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import events as views

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger

app = Commands()

TABLE_ROWS = 1_000


@app.command("list", help=en("List the events, newest first."))
def list_events(
    status: Annotated[EventStatus | None, typer.Option(help=en("new, done, duplicate or rejected"))] = None,
    kind: Annotated[EventKind | None, typer.Option(help=en("cdr or status"))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=en("at most so many; a table shows 1,000"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Join the inbox's events with what the ledger says became of them."""
    from ippbx_billing import reports

    using = common.settings()
    limit = limit or (TABLE_ROWS if form is Format.TABLE else None)
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        rows = reports.events(ledger, inbox, using.site_zone, status=status, kind=kind, limit=limit)
    if form is not Format.JSON:
        rows = views.in_words(rows)
    show(rows, views.columns(), form, output, empty=tr("no such events"))
    if len(rows) == limit:
        say(tr("the newest {count}; --limit shows more", count=limit))


@app.command("show", help=en("Show one event as it was received, and what it was understood to mean."))
def show_event(
    event_id: Annotated[int, typer.Argument(metavar="ID", help=en("the event's id, see `events list`"))],
    form: FormatOption = Format.TABLE,
    raw: Annotated[bool, typer.Option("--raw", help=en("only the body, byte for byte"))] = False,
) -> None:
    """Headers and body, the outcome, and the calls that came of it."""
    from ippbx_billing import reports

    using = common.settings()
    with common.open_inbox(using) as inbox, common.open_ledger(using) as ledger:
        event = inbox.get(event_id)
        if event is None:
            raise NotFoundError(tr("there is no event {id}", id=event_id), tr("see `ippbx-bill events list`"))
        if raw:
            typer.echo(event.body, nl=False)
            return
        row = reports.event_row(ledger, inbox, using.site_zone, event_id)
        view = reports.View(using.site_zone, using.currency)
        calls = [one["id"] for one in reports.calls(ledger, view, reports.WantedCalls(event=event_id))]
    document = views.event(row, event, calls)
    if form is Format.JSON:
        show([], [], form, document=document)
        return
    lines(views.sentences(document), form=form)


@app.command("replay", help=en("Read events again with the present dialects, numbers and tariffs."))
def replay(
    event_id: Annotated[list[int] | None, typer.Option("--id", help=en("this event; repeatable"))] = None,
    status: Annotated[EventStatus | None, typer.Option(help=en("all events with this status"))] = None,
    everything: Annotated[bool, typer.Option("--all", help=en("every event there is"))] = False,
    wait: WaitOption = 0,
) -> None:
    """Without options: the rejected events and those whose calls could not be priced."""
    from ippbx_billing.pipeline import unsettled
    from ippbx_billing.pipeline.replaying import replay as read_again

    if status in (EventStatus.NEW, EventStatus.DONE):
        raise UsageError(tr("only rejected and duplicate events can be chosen by status"), tr("use --id or --all"))

    def chosen(ledger: "Ledger") -> Sequence[int]:
        if everything:
            return range(1, ledger.journey.position() + 1)
        if event_id:
            return [one for one in event_id if _must_exist(one, ledger)]
        return ledger.journey.events_with(status) if status else unsettled(ledger)

    using = common.settings()
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        done = read_again(ledger, inbox, using, chosen, wait_s=wait)
    if done.fresh:
        say(tr("read {count} events that were waiting", count=done.fresh))
    count, fees = done.replayed.events, done.replayed.fees
    if not count:
        say(tr("nothing to do: no event waits to be read again"))
        return
    say(tr("read {count} events again; {left} are still rejected or unrated", count=count, left=done.left))
    if count:
        tell_fees(using, fees.before, fees.after, fees.changed)


@app.command("salvage", help=en("Recover what can be read of an inbox that was damaged and moved aside."))
def salvage(
    damaged: Annotated[Path, typer.Argument(metavar="FILE", help=en("the file, inbox.db.damaged-…"), exists=True)],
    wait: WaitOption = 0,
) -> None:
    """Put its events into the inbox, and read those that the ledger does not know; the file itself stays as it is."""
    from ippbx_billing.upkeep import salvaging

    using = common.settings()
    about = tr("reading what can be read")
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox, common.progress(about):
        done = salvaging.salvage(ledger, inbox, using, damaged, wait_s=wait)
    say(
        tr(
            "{readable} events can be read; {missing} of them were missing and are back, {replayed} were read again",
            readable=f"{done.found.readable:,}",
            missing=f"{done.found.missing:,}",
            replayed=f"{done.replayed.events:,}",
        )
    )


def _must_exist(event_id: int, ledger: "Ledger") -> bool:
    if not 1 <= event_id <= ledger.journey.position():
        raise NotFoundError(tr("there is no event {id}", id=event_id), tr("see `ippbx-bill events list`"))
    return True


app.command("import", help=en("Import files and lines: history, or what a PBX writes; with --follow as it grows."))(
    import_files
)
app.command("rebuild", help=en("Rebuild the ledger from the events; what people entered stays."))(rebuild)
app.command("prune", help=en("Delete old events that the ledger holds; their calls stay."))(letting_go.prune)
