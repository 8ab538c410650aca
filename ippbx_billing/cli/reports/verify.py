"""`verify`: the provider's bill beside our calls, line by line and by cause."""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing, show_paper
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr


def verify(
    file: Annotated[Path, typer.Argument(metavar="INVOICE", help=en("the provider's list of calls, CSV or XLSX"))],
    carrier: Annotated[str, typer.Option(help=en("whose bill it is"))] = "",
    month: MonthOption = "last",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=HEADING", help=en("which heading holds what; remembered for this carrier")),
    ] = None,
    tolerance: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, help=en("how far times may be apart and be one call"))
    ] = 60,
    dates: Annotated[str, typer.Option(metavar="dmy|mdy", help=en("which number of 03/04/2026 is the day"))] = "",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """What only they have, what only we have, what differs in length or price."""
    from ippbx_billing import reports
    from ippbx_billing.reports.verifying import Tolerance, headings_of, verify_file
    from ippbx_billing.reports.views.verifying import verified

    if dates not in ("", "dmy", "mdy"):
        raise UsageError(tr("{text!r} is not an order of dates", text=dates), "--dates dmy")
    using = common.settings()
    period = reports.Period.month(month or "last", common.today(using))
    with common.open_ledger(using) as ledger:
        name, answer = verify_file(
            ledger,
            using,
            period,
            carrier,
            file.name,
            _content(file),
            headings_of(column or []),
            Tolerance(tolerance),
            dates,
        )
    listing = verified(answer, name, period, using.currency)
    if form is Format.TABLE and listing.paper is not None:
        show_paper(listing.paper, output)
    else:
        show_listing(listing, form, output)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFoundError(
            tr("{file} cannot be read: {error}", file=file, error=tr(str(error.strerror))),
            "ippbx-bill verify invoice.xlsx --carrier NAME --month 2026-10",
        ) from error
