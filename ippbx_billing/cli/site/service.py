"""`service`: the listener started by systemd at boot, restarted when it fails, allowed what it needs and no more."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import BillingError
from ippbx_billing.language import en, tr

app = Commands()


@app.command("install", help=en("Write the systemd unit, enable and start it; a repeat updates it."))
def install(
    user: Annotated[str | None, typer.Option(metavar="NAME", help=en("who it runs as; created if need be"))] = None,
    executable: Annotated[Path | None, typer.Option(metavar="FILE", help=en("the command that it starts"))] = None,
    console: Annotated[bool, typer.Option("--console/--no-console", help=en("with the web page beside it"))] = True,
    printed: Annotated[bool, typer.Option("--print", help=en("only show the unit"))] = False,
) -> None:
    """The data directory is the one named by --data-dir, else /var/lib/ippbx-bill."""
    from ippbx_billing.service import DATA_DIR, LOWEST_FREE_PORT, NAME, Unit
    from ippbx_billing.settings import load

    data_dir = (common.state.data_dir or DATA_DIR).absolute()
    using = load(data_dir)
    ports = (using.cdr_port, using.status_port)
    low = any(0 < port < LOWEST_FREE_PORT for port in ports)
    unit = Unit((executable or _this_command()).absolute(), data_dir, user or NAME, low, console)
    if printed:
        typer.echo(unit.text(), nl=False)
        return
    _must_be_posix()
    from ippbx_billing.service import systemd

    systemd.install(unit, say)


@app.command("status", help=en("Check that the service is installed and runs; exit 1 if it does not."))
def status(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """What systemd says of it."""
    _must_be_posix()
    from ippbx_billing.service import systemd, views

    known = systemd.status()
    show_listing(views.service(known), form, output)
    if not views.is_running(known):
        raise typer.Exit(1)


@app.command("uninstall", help=en("Stop the service and remove its unit; the data stay."))
def uninstall() -> None:
    """Undo `install`, but for the data and their owner."""
    _must_be_posix()
    from ippbx_billing.service import systemd

    systemd.uninstall(say)


def _this_command() -> Path:
    """The `ippbx-bill` that is running, or the one that belongs to this interpreter."""
    started = Path(sys.argv[0])
    return started if started.stem == "ippbx-bill" else Path(sys.executable).with_name("ippbx-bill")


def _must_be_posix() -> None:
    if os.name != "posix":
        raise BillingError(tr("this system has no systemd"), tr("the README tells how to run it on Windows"))
