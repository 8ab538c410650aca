"""`audit`: who did what, on the web page and with commands."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en

app = Commands()


@app.command("list", help=en("List the changes, newest first, with what was there before and what is there now."))
def list_log(
    who: Annotated[str | None, typer.Option(metavar="NAME", help=en("only what this person did"))] = None,
    action: Annotated[str | None, typer.Option(metavar="WORDS", help=en("only actions that begin so"))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=en("at most so many; a table shows 100"))] = None,
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
    show_listing(views.listing(rows), form, output)
