"""`export`: files for others, by cron: a month's calls and sums, or what is new since last time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import MonthOption, WaitOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views.coverage import covered

if TYPE_CHECKING:
    from ippbx_billing.delivery.exports import Export
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period
    from ippbx_billing.settings import Settings


def export(
    out_dir: Annotated[
        Path, typer.Option("--out-dir", metavar="DIR", help=en("the folder; it is made where it is not there"))
    ],
    month: MonthOption = None,
    formats: Annotated[
        str, typer.Option(metavar="FORM[,FORM]", help=en("of csv, json, xlsx, html, markdown, pdf, parquet"))
    ] = "csv",
    split: Annotated[Literal["department"] | None, typer.Option(help=en("files of their own for each one"))] = None,
    since_last: Annotated[
        bool, typer.Option("--since-last", help=en("only calls that came or changed since the last such export"))
    ] = False,
    wait: WaitOption = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=en("say nothing where all is well"))] = False,
) -> None:
    """Write the files, and name them on stdout."""
    from ippbx_billing.delivery.exports import alone
    from ippbx_billing.reports import Period

    if since_last and (month or split):
        raise UsageError(
            tr("--since-last goes by calls, whatever their month and department"), tr("leave out --month and --split")
        )
    using = common.settings()
    period = Period.month(month or "last", common.today(using))
    with common.open_ledger(using) as ledger, alone(using.data_dir / "export.lock"):
        exporting = _export(using, ledger, period, out_dir, _forms(formats))
        with common.progress(tr("writing files")):
            found = exporting.changes(wait) if since_last else exporting.month(period, by_department=split is not None)
    if quiet:
        return
    for path in found:
        typer.echo(path)
    if not found:
        say(tr("nothing new since the last export"))


def _forms(text: str) -> list[str]:
    """The forms that were asked for, each once; UsageError for one that does not exist."""
    from ippbx_billing.delivery.exports import FORMS

    found = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    unknown = [one for one in found if one not in FORMS]
    if unknown or not found:
        wrong = ", ".join(unknown) or repr(text)
        raise UsageError(
            tr("nothing can be exported as {form}", form=wrong), tr("one or more of: {forms}", forms=", ".join(FORMS))
        )
    return found


def _export(using: "Settings", ledger: "Ledger", period: "Period", out_dir: Path, forms: list[str]) -> "Export":
    from ippbx_billing.delivery.exports import Export
    from ippbx_billing.delivery.headings import headings
    from ippbx_billing.reports import View

    documents = {form.value for form in Format if form.is_document}
    notes = _notes(using, ledger, period) if documents & set(forms) else []
    return Export(ledger, View(using.site_zone, using.currency), headings(using.currency), out_dir, forms, notes)


def _notes(using: "Settings", ledger: "Ledger", period: "Period") -> list[str]:
    """What the sums do not cover."""
    from ippbx_billing.reports import View, report

    sums = report(ledger, View(using.site_zone, using.currency), period, ("extension",))
    told = covered(using, ledger, period, unrated=sums.gaps, filtered=sums.filtered, now=common.now())
    return told.notes()
