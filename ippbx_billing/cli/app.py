"""All commands in one tree. A command imports what it needs when it runs, so that `--help` stays quick."""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing import __version__, texts
from ippbx_billing.cli import (
    backup,
    bill,
    calls,
    carriers,
    compare,
    demo,
    departments,
    dialects,
    doctor,
    employees,
    events,
    export,
    extensions,
    filters,
    holidays,
    init,
    letting_go,
    listen,
    numbers,
    pbx,
    quote,
    rebuild,
    report,
    rerate,
    service,
    simulate,
    simulate_pbx,
    tariffs,
    trunks,
)
from ippbx_billing.cli.common import ErrorsAsSentences, state
from ippbx_billing.texts import tr

app = typer.Typer(
    cls=ErrorsAsSentences,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # plain help needs a tenth of a second less: the boxes load a Markdown parser
    context_settings={"help_option_names": ["-h", "--help"]},
    help=tr("Receives a PBX's call records, rates each call under the carrier's tariff, and prints the bill."),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ippbx-bill {__version__}")
        raise typer.Exit


@app.callback()
def options(
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar="IPPBX_BILL_DATA_DIR", help=tr("where settings and databases lie")),
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh", envvar="IPPBX_BILL_LANG", help=tr("language of the texts"))
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=tr("show the version"))
    ] = False,
) -> None:
    """Remember the global options; the commands read them through `common.settings`."""
    state.data_dir, state.lang = data_dir, lang
    if lang is not None:
        if lang not in texts.LANGUAGES:
            raise typer.BadParameter(tr("only en and zh are known"), param_hint="--lang")
        texts.use(lang)


app.command("init", help=tr("Set up the data directory: settings, both databases, the standard carriers."))(init.init)
app.command("listen", help=tr("Receive call records and call status until stopped."))(listen.listen)
app.command("configure-pbx", help=tr("Point a PBX at this machine: API, password, event URLs, applied."))(
    pbx.configure_pbx
)
app.add_typer(pbx.app, name="pbx", help=tr("The PBX's own settings, step by step."))
app.add_typer(report.app, name="report", help=tr("What the calls of a month cost, in sums."))
app.command("bill", help=tr("What an employee, a department or the company owes for a month, to be handed out."))(
    bill.bill
)
app.command("rerate", help=tr("Rate earlier calls again; their earlier charges are kept."))(rerate.rerate)
app.command("export", help=tr("Files for others, by cron: a month's calls and sums, or what is new."))(export.export)
app.command("compare", help=tr("What a month's calls would have cost with each carrier."))(compare.compare)
calls.app.command("anonymize", help=tr("Mask the numbers in old calls; sums stay as they are."))(letting_go.anonymize)
app.add_typer(calls.app, name="calls", help=tr("The calls: list, explain a fee, see who is talking."))
app.command("quote", help=tr("What a call would cost, and why."))(quote.quote)
events.app.command("rebuild", help=tr("Make the ledger anew from the events; what people entered stays."))(
    rebuild.rebuild
)
events.app.command("prune", help=tr("Delete old events that the ledger holds; their calls stay."))(letting_go.prune)
app.add_typer(events.app, name="events", help=tr("What the PBX sent: list, show, read again."))
# A carrier goes in and out of the book with its whole tariff, so these two are the tariffs' own.
carriers.app.command("import", help=tr("Bring in a carrier with its tariff, or a new tariff for it."))(
    tariffs.import_file
)
carriers.app.command("export", help=tr("Write a carrier with its tariff to a file."))(tariffs.export)
app.add_typer(carriers.app, name="carriers", help=tr("Carriers and their home areas."))
app.add_typer(tariffs.app, name="tariffs", help=tr("What each carrier charges: show, set, import, export, check."))
app.add_typer(trunks.app, name="trunks", help=tr("Trunks and the carrier each belongs to."))
app.add_typer(departments.app, name="departments", help=tr("The tree of departments."))
app.add_typer(employees.app, name="employees", help=tr("The people, their departments and extensions, by day."))
app.add_typer(extensions.app, name="extensions", help=tr("Whose each extension is, from which day on."))
app.add_typer(holidays.app, name="holidays", help=tr("Days off and make-up working days."))
app.add_typer(filters.app, name="filters", help=tr("Number clean-up, and calls that are nobody's bill."))
app.add_typer(dialects.app, name="dialects", help=tr("How each PBX model spells a call."))
app.add_typer(numbers.app, name="numbers", help=tr("Look up numbers, correct prefixes, update number data."))
app.command("demo", help=tr("The whole journey on believable traffic, in a directory of its own."))(demo.demo)
simulate.app.command("pbx", help=tr("A UC to practise on, with its web admin and its calls."))(simulate_pbx.pbx)
app.add_typer(simulate.app, name="simulate", help=tr("Traffic to try things with, before the real PBX."))
app.command("backup", help=tr("Copy everything elsewhere while the listener runs, checked."))(backup.backup)
app.command("restore", help=tr("Put a backup back; what was there is kept aside."))(backup.restore)
app.add_typer(service.app, name="service", help=tr("Run the listener as a service of systemd."))
app.command("doctor", help=tr("Look over the whole installation; exit 1 if anything is wrong."))(doctor.doctor)
