"""All commands in one tree, each with the place of its code: a module is loaded when one of its commands is called.

    "report": ("reports.report:app", tr("What calls cost.")),  # a group: the `app` of cli/reports/report.py

The one idea: `--help`, completion and "did you mean" need no more than names and a sentence each, and one call needs
one command. So the thirty other modules, and the parsers of their options, cost nothing.
"""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing import __version__
from ippbx_billing.cli import completing
from ippbx_billing.cli.announced import announcing
from ippbx_billing.cli.common import ErrorsAsSentences
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.parsing import state
from ippbx_billing.cli.plain_values import use_where_plain
from ippbx_billing.language import en
from ippbx_billing.language.words import in_code

# Name: (module:what in it, help), in the order of a site's journey; a module brings what stands below its command.
COMMANDS = {
    "init": ("site.init:init", en("Set up the data directory: settings, both databases, the standard carriers.")),
    "listen": ("site.listen:listen", en("Receive call records and call status until stopped.")),
    "configure-pbx": (
        "pbx.configure:configure_pbx",
        en("Point a PBX at this machine: API, password, event URLs, applied."),
    ),
    "pbx": ("pbx.configure:app", en("Show the PBX's own settings, step by step.")),
    "report": ("reports.report:app", en("Sum up what the calls of a month cost.")),
    "bill": (
        "reports.bill:bill",
        en("Print what an employee, a department or the company owes for a month."),
    ),
    "rerate": ("calls.rerate:rerate", en("Rate earlier calls again; their earlier charges are kept.")),
    "deliver": ("reports.deliver:app", en("Send bills and reports by mail, period by period; each mail once.")),
    "export": (
        "reports.export:export",
        en("Write files for others, by cron: a month's calls and sums, or what is new."),
    ),
    "compare": ("reports.compare:compare", en("Compare what a month's calls would have cost with each carrier.")),
    "verify": ("reports.verify:verify", en("Compare the provider's bill with our calls: what differs, and why.")),
    "calls": ("calls.calls:app", en("List calls, explain a fee, see who is talking.")),
    "quote": ("calls.quote:quote", en("Quote what a call would cost, and why.")),
    "events": ("calls.events:app", en("List, show and read again what the PBX sent.")),
    "carriers": ("rules.carriers:app", en("Manage carriers and their home areas.")),
    "tariffs": ("rules.tariffs:app", en("Manage what each carrier charges: show, set, import, export, check.")),
    "trunks": ("rules.trunks:app", en("Manage trunks and the carrier each belongs to.")),
    "departments": ("people.departments:app", en("Manage the tree of departments.")),
    "employees": ("people.employees:app", en("Manage the people, their departments and extensions, by day.")),
    "extensions": ("people.extensions:app", en("Show whose each extension is, from which day on.")),
    "limits": ("people.limits:app", en("Limit what somebody may spend or talk, and bar who reached it.")),
    "accounts": ("people.accounts:app", en("Keep accounts of money paid in advance: top-ups, balance, statement.")),
    "holidays": ("rules.holidays:app", en("Manage days off and make-up working days.")),
    "filters": ("rules.filters:app", en("Clean up numbers, and leave calls out of the bills.")),
    "dialects": ("rules.dialects:app", en("Look up and teach how each PBX model spells a call.")),
    "numbers": ("rules.numbers:app", en("Look up numbers, correct prefixes, update number data.")),
    "demo": ("trial.demo:demo", en("Try the whole journey on believable traffic, in a directory of its own.")),
    "simulate": ("trial.simulate:app", en("Make traffic to try things with, before the real PBX.")),
    "console": ("site.console:console", en("Serve the web page: calls, reports and bills in a browser.")),
    "operators": ("site.operators:app", en("Manage who may sign in to the web page, and as what.")),
    "audit": ("site.audit:app", en("Look up who did what, on the web page and with commands.")),
    "alerts": ("site.alerts:app", en("Tell what is wrong, and to whom: incidents, rules, channels.")),
    "backup": ("site.backup:backup", en("Copy everything elsewhere while the listener runs, checked.")),
    "restore": ("site.backup:restore", en("Restore a backup; what was there is kept aside.")),
    "service": ("site.service:app", en("Run the listener as a service of systemd.")),
    "ship": ("site.ship:ship", en("Send all events to the centre of many sites.")),
    "centre": ("site.centre:app", en("Where many sites meet, in one PostgreSQL.")),
    "help": ("site.help:help_", en("Show a page of the manual, or list the pages.")),
    "doctor": ("site.doctor:doctor", en("Check the whole installation; exit 1 if anything is wrong.")),
}

# How the help heads them: what a site needs first, then month by month, then now and then.
PANELS = (
    (en("Set up"), ("init", "listen", "configure-pbx", "pbx", "service", "console")),
    (en("Every month"), ("report", "bill", "deliver", "export", "compare", "verify", "rerate")),
    (en("Look up"), ("calls", "quote", "events", "numbers", "help")),
    (en("Prices"), ("carriers", "tariffs", "trunks", "holidays", "filters")),
    (en("People"), ("departments", "employees", "extensions", "limits", "accounts", "operators")),
    (en("Upkeep"), ("doctor", "alerts", "backup", "restore", "dialects", "audit")),
    (en("Many sites"), ("ship", "centre")),
    (en("Try"), ("demo", "simulate")),
)

use_where_plain()

app = Commands(
    cls=announcing(COMMANDS, PANELS, ErrorsAsSentences),
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs a tenth of a second less: the boxes load a Markdown parser
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": in_code},
    help=en("Receives a PBX's call records, rates each call under the carrier's tariff, and prints the bill."),
)


def _speak(lang: str | None) -> None:
    if lang is not None:
        state.take("--lang", lang)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ippbx-bill {__version__}")
        raise typer.Exit


def _install_completion(shell: str | None) -> None:
    if shell is not None:
        typer.echo(completing.install(shell))
        raise typer.Exit


@app.callback()
def options(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir", metavar="DIR", envvar="IPPBX_BILL_DATA_DIR", help=en("where settings and databases lie")
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="en|zh",
            envvar="IPPBX_BILL_LANG",
            is_eager=True,
            callback=_speak,
            help=en("language of the texts"),
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=en("show the version"))
    ] = False,
    install_completion: Annotated[
        str | None,
        typer.Option(
            completing.INSTALL,
            metavar="bash|zsh|fish",
            callback=_install_completion,
            help=en("let the Tab key complete commands and names in this shell"),
        ),
    ] = None,
) -> None:
    """Remember the data directory; the commands read them through `common.settings`."""
    if data_dir is not None:
        state.take("--data-dir", str(data_dir) if data_dir.parts else "")
