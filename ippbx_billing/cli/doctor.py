"""`doctor`: the whole installation in one table; exit 1 if anything is wrong."""

from typing import Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.render import Column, Format, show
from ippbx_billing.texts import tr


def doctor(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Examine settings, databases, ports, clock, dialects, tariffs, calendar and backup."""
    from ippbx_billing.doctor import State, examine

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
    if any(row["state"] == State.WRONG for row in rows):
        raise typer.Exit(1)
