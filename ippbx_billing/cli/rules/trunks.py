"""`trunks`: the lines of the PBX, their outside-line prefix, and the carrier each belongs to."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import rules

app = Commands()


@app.command("list", help=en("List the trunks."))
def list_trunks(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All trunks, by name."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(rules.trunks(ledger.book.trunks()), form, output)


@app.command("add", help=en("Add a trunk, or change the one of that name."))
def add(
    name: Annotated[str, typer.Argument(help=en("the trunk as the PBX names it in its records"))],
    carrier: Annotated[str, typer.Option(help=en("the carrier that charges its calls"))],
    number: Annotated[str | None, typer.Option(help=en("the trunk's own number"))] = None,
    outside_prefix: Annotated[str | None, typer.Option(help=en("default: the site's"))] = None,
) -> None:
    """Calls that come later are rated by it; `events replay` brings unrated ones up to date."""
    from ippbx_billing.lists.rules import trunk

    one = trunk(name, carrier, number, outside_prefix)
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.put_trunk(one)
    say(tr("trunk {name} belongs to {carrier}", name=name, carrier=carrier))


@app.command("remove", help=en("Remove a trunk; its calls go by the default carrier from now on."))
def remove(name: Annotated[str, typer.Argument(help=en("the trunk"))]) -> None:
    """Calls already rated keep their carrier."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.remove_trunk(name)
    say(tr("removed {name}", name=name))
