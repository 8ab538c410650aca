"""`audit`: who did what, on the web page and with commands."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, all_columns
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show
from ippbx_billing.language import tr

app = typer.Typer(no_args_is_help=True)


@app.command("list", help=tr("The log, newest first, with what was there before and what is there now."))
def list_log(
    who: Annotated[str | None, typer.Option(metavar="NAME", help=tr("only what this person did"))] = None,
    action: Annotated[str | None, typer.Option(metavar="WORDS", help=tr("only actions that begin so"))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=tr("at most so many; a table shows 100"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Nothing in it can be changed or taken out."""
    from ippbx_billing.operators import OperatorFile
    from ippbx_billing.operators.log import MOST_SHOWN
    from ippbx_billing.reports.views import audit as views

    using = common.settings()
    common.open_ledger(using).close()
    limit = limit or (MOST_SHOWN if form is Format.TABLE else None)
    with OperatorFile(using.operators_path) as file:
        rows = views.rows(file.log.entries(who=who, action=action, limit=limit), using.site_zone)
    heading = all_columns(rows[0]) if form is Format.CSV and rows else views.columns()
    shown = rows if form.is_data else views.shown(rows)
    show(shown, heading, form, output, empty=tr("nothing yet"))
