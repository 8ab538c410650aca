"""All commands in one tree, each with the place of its code: a module is loaded when one of its commands is called.

    "report": ("reports.report:app", tr("What calls cost.")),  # a group: the `app` of cli/reports/report.py

The one idea: `--help`, completion and "did you mean" need no more than names and a sentence each, and one call needs
one command. So the thirty other modules, and the parsers of their options, cost nothing.
"""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing import __version__
from ippbx_billing import language as texts
from ippbx_billing.cli.announced import announcing
from ippbx_billing.cli.common import ErrorsAsSentences, state
from ippbx_billing.language import tr

# Name: (module:what in it, help), in the order of a site's journey; a module brings what stands below its command.
COMMANDS = {
    "init": ("site.init:init", tr("Set up the data directory: settings, both databases, the standard carriers.")),
    "listen": ("site.listen:listen", tr("Receive call records and call status until stopped.")),
    "configure-pbx": (
        "pbx.configure:configure_pbx",
        tr("Point a PBX at this machine: API, password, event URLs, applied."),
    ),
    "pbx": ("pbx.configure:app", tr("The PBX's own settings, step by step.")),
    "report": ("reports.report:app", tr("What the calls of a month cost, in sums.")),
    "bill": (
        "reports.bill:bill",
        tr("What an employee, a department or the company owes for a month, to be handed out."),
    ),
    "rerate": ("calls.rerate:rerate", tr("Rate earlier calls again; their earlier charges are kept.")),
    "export": ("reports.export:export", tr("Files for others, by cron: a month's calls and sums, or what is new.")),
    "compare": ("reports.compare:compare", tr("What a month's calls would have cost with each carrier.")),
    "calls": ("calls.calls:app", tr("The calls: list, explain a fee, see who is talking.")),
    "quote": ("calls.quote:quote", tr("What a call would cost, and why.")),
    "events": ("calls.events:app", tr("What the PBX sent: list, show, read again.")),
    "carriers": ("rules.carriers:app", tr("Carriers and their home areas.")),
    "tariffs": ("rules.tariffs:app", tr("What each carrier charges: show, set, import, export, check.")),
    "trunks": ("rules.trunks:app", tr("Trunks and the carrier each belongs to.")),
    "departments": ("people.departments:app", tr("The tree of departments.")),
    "employees": ("people.employees:app", tr("The people, their departments and extensions, by day.")),
    "extensions": ("people.extensions:app", tr("Whose each extension is, from which day on.")),
    "holidays": ("rules.holidays:app", tr("Days off and make-up working days.")),
    "filters": ("rules.filters:app", tr("Number clean-up, and calls that are nobody's bill.")),
    "dialects": ("rules.dialects:app", tr("How each PBX model spells a call.")),
    "numbers": ("rules.numbers:app", tr("Look up numbers, correct prefixes, update number data.")),
    "demo": ("trial.demo:demo", tr("The whole journey on believable traffic, in a directory of its own.")),
    "simulate": ("trial.simulate:app", tr("Traffic to try things with, before the real PBX.")),
    "backup": ("site.backup:backup", tr("Copy everything elsewhere while the listener runs, checked.")),
    "restore": ("site.backup:restore", tr("Put a backup back; what was there is kept aside.")),
    "service": ("site.service:app", tr("Run the listener as a service of systemd.")),
    "help": ("site.help:help_", tr("Show a page of the manual, or list the pages.")),
    "doctor": ("site.doctor:doctor", tr("Look over the whole installation; exit 1 if anything is wrong.")),
}


app = typer.Typer(
    cls=announcing(COMMANDS, ErrorsAsSentences),
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
        texts.begin_in(lang)
