"""`calls`: the list, one call's story, and who is talking now."""

import sys
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.calls import ChargeStatus
from ippbx_billing.cli import common
from ippbx_billing.cli.calls import retention as letting_go
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.reports.options import Asking, asked_of_list
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, screenful, show_listing
from ippbx_billing.documents.terminal import console
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views.calls import listed as calls_listed
from ippbx_billing.reports.views.live import live_calls

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings

WATCH_EVERY_S = 1.0

app = Commands()


@app.command("list", help=en("List the calls, oldest first."))
@asked_of_list
def list_calls(
    asking: Asking,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help=en("only this day"))] = None,
    status: Annotated[ChargeStatus | None, typer.Option(help=en("rated, free, unrated or filtered"))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=en("at most so many"))] = None,
) -> None:
    """Stream the calls that fulfil every condition, those of all days unless some are named."""
    from ippbx_billing import reports

    using, form = common.settings(), asking.form
    period = asking.period(using) if asking.names_days else None
    wanted = reports.WantedCalls(**asking.where().given(), period=period, day=day, status=status, limit=limit)
    with common.open_ledger(using) as ledger:
        view = reports.View(using.site_zone, using.currency)
        rows = reports.calls(ledger, view, wanted)
        conditions = asking.conditions | {"day": day, "status": status, "limit": limit}
        show_listing(calls_listed(rows, form, period, conditions, view), form, asking.output)


@app.command("explain", help=en("Explain why a call costs what it costs, step by step."))
def explain(
    call: Annotated[int, typer.Argument(metavar="ID", help=en("the call's id, see `calls list`"))],
    history: Annotated[bool, typer.Option("--history", help=en("also the charges before each `rerate`"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The call, the event it came from, and the steps of its charge."""
    from ippbx_billing.reports.views import explained

    using = common.settings()
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        found = explained.explain(ledger, inbox, using, call, history=history)
    if form.is_data:
        show_listing(found.listing(), form, output)
    else:
        lines(found.sentences(), output, form)


@app.command("live", help=en("Show the calls in progress: ringing, talking, ended just now."))
def live(
    watch: Annotated[bool, typer.Option("--watch", help=en("go on showing them, until Ctrl-C"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The state of each call as the status events tell it."""
    using = common.settings()
    if watch:
        _watch(using, form, output)
        return
    with common.open_ledger(using) as ledger:
        show_listing(live_calls(ledger, common.now(), using.site_zone), form, output)


def _watch(using: "Settings", form: Format, output: Path | None) -> None:
    """The same, time and again; a terminal is where something can change in its place."""
    if not sys.stdout.isatty() or output is not None or form is not Format.TABLE:
        raise UsageError(tr("--watch shows a table on a terminal"), "`ippbx-bill calls live --format json`")
    from rich.live import Live

    with suppress(KeyboardInterrupt), Live(console=console(), auto_refresh=False) as shown:
        while True:
            with common.open_ledger(using) as ledger:
                shown.update(screenful(live_calls(ledger, common.now(), using.site_zone)), refresh=True)
            sleep(WATCH_EVERY_S)


app.command("anonymize", help=en("Mask the numbers in old calls; sums stay as they are."))(letting_go.anonymize)
