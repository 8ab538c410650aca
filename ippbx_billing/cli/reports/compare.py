"""`compare`: what a month's real calls would have cost with each carrier."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say_wrapped
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en


def compare(
    month: MonthOption = "last",
    carriers: Annotated[str, typer.Option(metavar="A,B,…", help=en("the carriers; default: all"))] = "",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """A column a carrier, a row a traffic type, the cheapest marked."""
    from ippbx_billing import reports
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.reports import comparison
    from ippbx_billing.reports.views import comparison as view

    using = common.settings()
    period = reports.Period.month(month or "last", common.today(using))
    with common.open_ledger(using) as ledger:
        names = [name.strip() for name in carriers.split(",") if name.strip()]
        chosen = [ledger.book.carrier(name) for name in names] or ledger.book.carriers()
        answer = comparison.compare(ledger, Rules.of(ledger, using, reading=False), period, chosen)
    show_listing(view.offers(answer, period, using.currency), form, output)
    if form is Format.TABLE:
        for note in view.notes(answer):
            say_wrapped(note)
