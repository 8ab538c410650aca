"""`bill`: what an employee, a department, the company or everybody owes for a month, to be handed out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common, given
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import deliver, show, show_listing, show_paper
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views.coverage import covered

if TYPE_CHECKING:
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.bills import Billing, Statement
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.settings import Settings


def bill(
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="YYYY-MM|last|this", callback=given.month, help=en("the month; default: last")),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("the first day"))] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=en("the last day; default: today"))
    ] = None,
    employee: Annotated[str | None, typer.Option(help=en("of this employee: a number, or a name only one has"))] = None,
    department: Annotated[str | None, typer.Option(help=en("of this department with those below it"))] = None,
    extension: Annotated[
        str | None, typer.Option(help=en("of this extension, whoever has it: a room, the phone in the hall"))
    ] = None,
    company: Annotated[bool, typer.Option("--company", help=en("of the whole company"))] = False,
    everybody: Annotated[bool, typer.Option("--all", help=en("of each employee who has calls"))] = False,
    with_calls: Annotated[bool, typer.Option("--calls", help=en("with the list of calls"))] = False,
    charged_only: Annotated[
        bool, typer.Option("--charged-only", help=en("without the calls that cost nothing"))
    ] = False,
    explain_lines: Annotated[
        bool, typer.Option("--explain-lines", help=en("with the calls that each plan covered, and how much of each"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out-dir", metavar="DIR", help=en("with --all: a file for each employee in this folder")),
    ] = None,
) -> None:
    """The sums first, the calls on request; what is missing is said at the end."""
    from ippbx_billing.reports.bills.desk import desk

    for name, value in {"--employee": employee, "--department": department, "--extension": extension}.items():
        given.not_empty(name, value)
    _one_of(employee, department, extension, company, everybody)
    if out_dir and (not everybody or output):
        raise UsageError(tr("--out-dir is for --all alone"), tr("say --output FILE for a single file"))
    using = common.settings()
    period = _period(using, month, first, last)
    with common.open_ledger(using) as ledger, ledger.reading():  # sums and calls of one moment
        billing = desk(using, ledger, period, charged_only=charged_only, explain_lines=explain_lines)
        if everybody:
            _everybody(using, billing, with_calls, form, output, out_dir)
            return
        if employee:
            found = _of_employee(billing, employee, with_calls)
        elif department:
            found = billing.of_department(department, with_calls=with_calls)
        elif extension:
            found = billing.of_extension(extension, with_calls=with_calls)
        else:
            found = billing.of_company(with_calls=with_calls)
        _single(found, coverage_of(using, billing), form, output)


def _period(using: "Settings", month: str | None, first: str | None, last: str | None) -> "Period":
    """The days of the bill: a month, the last one where none is named, or those from one day to another."""
    from ippbx_billing.reports import Period

    given.not_empty("--from", first)
    given.not_empty("--to", last)
    if not (first or last):
        return Period.month(month or "last", common.today(using))
    if month:
        raise UsageError(tr("--month and --from exclude each other"), tr("e.g. --month last"))
    if not first:
        raise UsageError(tr("--to needs --from"), tr("write it like 2026-10-01"))
    return Period.days(common.day(first), common.day(last) if last else common.today(using))


def _of_employee(billing: "Billing", words: str, with_calls: bool) -> "Statement":
    """The employee's bill; where the words are an extension that nobody has, the hint says what to do about it."""
    from ippbx_billing.reports.views import bills as views

    try:
        return billing.of_employee(words, with_calls=with_calls)
    except NotFoundError as error:
        if not billing.is_extension(words):
            raise
        raise NotFoundError(error.message, views.whose_is(billing, words)) from error


def _one_of(*wanted: Any) -> None:
    if len(list(filter(None, wanted))) != 1:
        raise UsageError(
            tr("whose bill? Give one of --employee, --department, --extension, --company and --all"),
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
        show_paper(paper.document(found, paper.concerning(found, missing)), output)
    else:
        deliver(paper.document(found, paper.concerning(found, missing)), form, output)


def _everybody(
    using: "Settings", billing: "Billing", with_calls: bool, form: Format, output: Path | None, out_dir: Path | None
) -> None:
    from ippbx_billing.delivery.bills import write_each
    from ippbx_billing.reports.bills import paper
    from ippbx_billing.reports.views import bills as views

    bills = views.some(billing.of_everybody(with_calls=with_calls))
    if bills is None and form is not Format.JSON:
        say(tr("nothing to do: nobody has calls in {period}", period=billing.period.name))
        _say_what_is_nobodys(billing)
        return
    bills, missing = bills or iter(()), coverage_of(using, billing)
    if out_dir:
        with common.progress(tr("writing bills")) as told:
            counted = common.counted(bills, told)
            count = write_each(counted, missing, Format.PDF if form is Format.TABLE else form, out_dir)
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
        deliver((paper.document(one, paper.concerning(one, missing)) for one in bills), form, output)
    _say_what_is_nobodys(billing)


def _say_what_is_nobodys(billing: "Billing") -> None:
    from ippbx_billing.reports.views import bills as views

    if left := views.nobodys(billing):
        say(left)
    for one in billing.unassigned()["extensions"][:1]:
        say(views.whose_is(billing, one))
