"""`report changes`: what is no longer as it was in days whose bill was handed out."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr


def changes(
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD[THH:MM]", help=en("when the bill was handed out, on the site's clock"))
    ],
    month: MonthOption = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Calls that came late, were corrected, joined or rated again; all earlier days unless a month is named."""
    from ippbx_billing import reports
    from ippbx_billing.reports.changes import HandedOut, moment_of, since_handed_out
    from ippbx_billing.reports.views import changes as views

    using = common.settings()
    moment = moment_of(since, using.site_zone)
    period = reports.Period.month(month, common.today(using)) if month else None
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        asked = HandedOut.at(moment, inbox, period)
        view = reports.View(using.site_zone, using.currency)
        rows = since_handed_out(ledger, view, asked)
    show_listing(views.changes(rows, asked, using.currency), form, output)
    if form is Format.TABLE and (unknown := views.totals(rows)["unknown"]):
        say(tr("{count} of them have no known amount: the difference is not whole", count=unknown))
