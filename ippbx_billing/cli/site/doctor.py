"""`doctor`: the whole installation in one table; exit 1 if anything is wrong."""

from typing import Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.language import en, tr


def doctor(
    mend: Annotated[
        bool, typer.Option("--repair", help=en("first work out again the sums of reports, from the calls"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Examine settings, databases, ports, clock, dialects, tariffs, calendar and backup."""
    from ippbx_billing.upkeep.doctor import Health, examine

    if mend:
        _repair()
    rows: list[dict[str, Any]] = [
        {"check": one.check, "state": one.state.value, "finding": one.text, "hint": one.hint or None}
        for one in examine(common.settings(), common.now())
    ]
    columns = [
        Column("state", tr("State"), "word"),
        Column("check", tr("Check")),
        Column("finding", tr("Finding")),
        Column("hint", tr("Hint")),
    ]
    show(rows, columns, form, output)
    if any(row["state"] == Health.WRONG for row in rows):
        raise typer.Exit(1)


def _repair() -> None:
    """The PBX need not wait: its events go to the inbox, and are read when this is done."""
    from ippbx_billing.ledger.recounting import recount

    with common.open_ledger(common.settings()) as ledger:
        say(tr("the sums of {count} calls were worked out again", count=f"{recount(ledger):,}"))
