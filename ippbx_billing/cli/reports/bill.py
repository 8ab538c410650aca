"""`bill`: what an employee, a department, the company or everybody owes for a month, to be handed out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import deliver, show, show_listing, show_paper
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views.coverage import covered
from ippbx_billing.reports.views.story import rest_of

if TYPE_CHECKING:
    from ippbx_billing.reports.bills import Billing, Statement
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.settings import Settings


def bill(
    month: MonthOption = "last",
    employee: Annotated[str | None, typer.Option(help=en("of this employee: a number, or a name only one has"))] = None,
    department: Annotated[str | None, typer.Option(help=en("of this department with those below it"))] = None,
    company: Annotated[bool, typer.Option("--company", help=en("of the whole company"))] = False,
    everybody: Annotated[bool, typer.Option("--all", help=en("of each employee who has calls"))] = False,
    with_calls: Annotated[bool, typer.Option("--calls", help=en("with the list of calls"))] = False,
    explain_lines: Annotated[
        bool, typer.Option("--explain-lines", help=en("with the calls that each plan covered, and how much of each"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help=en("with --all: a file for each employee in this folder"))
    ] = None,
) -> None:
    """The sums first, the calls on request; what is missing is said at the end."""
    from ippbx_billing.reports import Period, View
    from ippbx_billing.reports.bills import Billing

    _one_of(employee, department, company, everybody)
    if out_dir and (not everybody or output):
        raise UsageError(tr("--out-dir is for --all alone"), tr("say --output FILE for a single file"))
    using = common.settings()
    period = Period.month(month or "last", common.today(using))
    with common.open_ledger(using) as ledger, ledger.reading():  # sums and calls of one moment
        view, rest = View(using.site_zone, using.currency), rest_of(ledger, using)
        billing = Billing(ledger, view, period, site=using.site_name, rest=rest, explain_lines=explain_lines)
        if everybody:
            _everybody(using, billing, with_calls, form, output, out_dir)
            return
        if employee:
            found = billing.of_employee(employee, with_calls=with_calls)
        elif department:
            found = billing.of_department(department, with_calls=with_calls)
        else:
            found = billing.of_company(with_calls=with_calls)
        _single(found, coverage_of(using, billing), form, output)


def _one_of(*wanted: Any) -> None:
    if len(list(filter(None, wanted))) != 1:
        raise UsageError(
            tr("whose bill? Give one of --employee, --department, --company and --all"),
            "ippbx-bill bill --month 2026-10 --employee 1001 --output bill.pdf",
        )


def coverage_of(using: "Settings", billing: "Billing") -> "Coverage":
    """What the period's bills do not cover, for all of them alike; each says itself what of its calls has no fee."""
    return covered(using, billing.ledger, billing.period, unrated={}, filtered=0, now=common.now())


def _single(found: "Statement", missing: "Coverage", form: Format, output: Path | None) -> None:
    from ippbx_billing.reports.bills import paper
    from ippbx_billing.reports.views import bills as views

    if form is Format.JSON:
        show((), [], form, output, document=views.single(found, missing))
    elif form is Format.CSV:
        show_listing(views.rows([found]), form, output)
    elif form is Format.TABLE:
        show_paper(paper.document(found, missing.notes()), output)
    else:
        deliver(paper.document(found, missing.notes()), form, output)


def _everybody(
    using: "Settings", billing: "Billing", with_calls: bool, form: Format, output: Path | None, out_dir: Path | None
) -> None:
    from ippbx_billing.delivery.bills import write_each
    from ippbx_billing.reports.bills import paper
    from ippbx_billing.reports.views import bills as views

    bills = billing.of_everybody(with_calls=with_calls)
    missing = coverage_of(using, billing)
    if out_dir:
        count = write_each(bills, missing, Format.PDF if form is Format.TABLE else form, out_dir)
        say(tr("{count} bills are in {folder}", count=count, folder=out_dir))
    elif form is Format.JSON:
        show((), [], form, output, document=views.everybody(billing, bills, missing))
    elif form is Format.CSV:
        show_listing(views.rows(bills), form, output)
    elif form is Format.TABLE:
        show_paper(paper.overview(billing, missing.notes()), output)
    elif form is Format.XLSX:  # nobody turns the leaves of a workbook with a thousand sheets
        deliver(paper.overview(billing, missing.notes(), with_calls=with_calls), form, output)
    else:
        deliver((paper.document(one, missing.notes()) for one in bills), form, output)
    if left := views.nobodys(billing):
        say(left)
