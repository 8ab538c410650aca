"""`doctor`: the whole installation in one table; exit 1 if anything is wrong."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help=en("first work out again the sums of reports, from the calls"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Examine settings, databases, ports, clock, dialects, tariffs, calendar and backup."""
    from ippbx_billing.upkeep.doctor import Health, examine
    from ippbx_billing.upkeep.views import diagnoses

    if repair:
        _repair()
    found = list(examine(common.settings(), common.now()))
    show_listing(diagnoses(found), form, output)
    if any(one.state is Health.WRONG for one in found):
        raise typer.Exit(1)


def _repair() -> None:
    """The PBX need not wait: its events go to the inbox, and are read when this is done."""
    from ippbx_billing.ledger.recounting import recount

    with common.open_ledger(common.settings()) as ledger:
        say(tr("the sums of {count} calls were worked out again", count=f"{recount(ledger):,}"))
