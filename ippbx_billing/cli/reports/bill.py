"""`bill`: what an employee, a department, the company or everybody owes for a month, to be handed out."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common, given
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import AT_LEAST, Column, Format
from ippbx_billing.documents.render import deliver, show, show_paper
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.reports.views.coverage import covered

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.bills import Billing, Statement
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.settings import Settings


def bill(
    month: Annotated[
        str | None,
        typer.Option("--month", metavar="YYYY-MM|last|this", callback=given.month, help=tr("the month; default: last")),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=tr("the first day"))] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=tr("the last day; default: today"))
    ] = None,
    employee: Annotated[str | None, typer.Option(help=tr("of this employee: a number, or a name only one has"))] = None,
    department: Annotated[str | None, typer.Option(help=tr("of this department with those below it"))] = None,
    extension: Annotated[
        str | None, typer.Option(help=tr("of this extension, whoever has it: a room, the phone in the hall"))
    ] = None,
    company: Annotated[bool, typer.Option("--company", help=tr("of the whole company"))] = False,
    everybody: Annotated[bool, typer.Option("--all", help=tr("of each employee who has calls"))] = False,
    with_calls: Annotated[bool, typer.Option("--calls", help=tr("with the list of calls"))] = False,
    charged_only: Annotated[
        bool, typer.Option("--charged-only", help=tr("without the calls that cost nothing"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out-dir", metavar="DIR", help=tr("with --all: a file for each employee in this folder")),
    ] = None,
) -> None:
    """The sums first, the calls on request; what is missing is said at the end."""
    for name, value in {"--employee": employee, "--department": department, "--extension": extension}.items():
        given.not_empty(name, value)
    _one_of(employee, department, extension, company, everybody)
    if out_dir and (not everybody or output):
        raise UsageError(tr("--out-dir is for --all alone"), tr("say --output FILE for a single file"))
    using = common.settings()
    period = _period(using, month, first, last)
    with common.open_ledger(using) as ledger, ledger.reading():  # sums and calls of one moment
        billing = desk(using, ledger, period, charged_only=charged_only)
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


def desk(using: "Settings", ledger: "Ledger", period: "Period", *, charged_only: bool = False) -> "Billing":
    """The bills of a period as this site makes them: with its letterhead, and the numbers as people know them."""
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.reports import View
    from ippbx_billing.reports.bills import Billing
    from ippbx_billing.reports.bills.called import numbers_called
    from ippbx_billing.reports.bills.letterhead import due, letterhead

    return Billing(
        ledger,
        View(using.site_zone, using.currency),
        period,
        site=using.site_name,
        charged_only=charged_only,
        called=numbers_called(Rules.of(ledger, using, reading=False, prices=False)),
        due=due(using, period),
        letterhead=letterhead(using),
    )


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
    try:
        return billing.of_employee(words, with_calls=with_calls)
    except NotFoundError as error:
        if not billing.is_extension(words):
            raise
        add = command_line("extensions", "add", words, "--name", "NAME")
        hint = tr(
            "say whose it is: `{add}`; or hand out its own bill: `{bill}`", add=add, bill=_own_bill(billing, words)
        )
        raise NotFoundError(error.message, hint) from error


def _own_bill(billing: "Billing", extension: str) -> str:
    """The command that makes an extension's bill for the same days."""
    period = billing.period
    days = ("--month", period.name) if period.is_month else ("--from", period.first, "--to", period.last)
    return command_line("bill", *days, "--extension", extension)


def _one_of(*wanted: Any) -> None:
    if sum(map(bool, wanted)) != 1:
        raise UsageError(
            tr("whose bill? Give one of --employee, --department, --extension, --company and --all"),
            "ippbx-bill bill --month 2026-10 --employee 1001 --output bill.pdf",
        )


def coverage_of(using: "Settings", billing: "Billing") -> "Coverage":
    """What the period's bills do not cover, for all of them alike; each says itself what of its calls has no fee."""
    return covered(using, billing.ledger, billing.period, unrated={}, filtered=0, now=common.now())


def _single(found: "Statement", missing: "Coverage", form: Format, output: Path | None) -> None:
    from ippbx_billing.reports.bills import paper

    if form is Format.JSON:
        show((), [], form, output, document=found.document() | {"coverage": missing.document()})
    elif form is Format.CSV:
        _show_rows([found], form, output)
    elif form is Format.TABLE:
        show_paper(paper.document(found, missing.notes()), output)
    else:
        deliver(paper.document(found, missing.notes()), form, output)


def _everybody(
    using: "Settings", billing: "Billing", with_calls: bool, form: Format, output: Path | None, out_dir: Path | None
) -> None:
    from ippbx_billing.reports.bills import paper

    bills = _some(billing.of_everybody(with_calls=with_calls))
    if bills is None and form is not Format.JSON:
        say(tr("nothing to do: nobody has calls in {period}", period=billing.period.name))
        _say_what_is_nobodys(billing)
        return
    bills, missing = bills or iter(()), coverage_of(using, billing)
    if out_dir:
        count = _write_each(bills, missing, Format.PDF if form is Format.TABLE else form, out_dir)
        say(tr("{count} bills are in {folder}", count=count, folder=out_dir))
    elif form is Format.JSON:
        show((), [], form, output, document=_documents(billing, bills, missing))
    elif form is Format.CSV:
        _show_rows(bills, form, output)
    elif form is Format.TABLE:
        show_paper(paper.overview(billing, missing.notes()), output)
    elif form is Format.XLSX:  # nobody turns the leaves of a workbook with a thousand sheets
        deliver(paper.overview(billing, missing.notes(), with_calls=with_calls), form, output)
    else:
        deliver((paper.document(one, missing.notes()) for one in bills), form, output)
    _say_what_is_nobodys(billing)


def _some(bills: "Iterator[Statement]") -> "Iterator[Statement] | None":
    """The same bills; None where there is not a single one."""
    first = next(bills, None)
    return None if first is None else chain([first], bills)


def _documents(billing: "Billing", bills: "Iterable[Statement]", missing: "Coverage") -> dict[str, Any]:
    return {
        "site": billing.site or None,
        "month": billing.period.name,
        "from": billing.period.first.isoformat(),
        "to": billing.period.last.isoformat(),
        "currency": billing.view.currency,
        "bills": [one.document() for one in bills],
        "without_employee": billing.unassigned(),
        "coverage": missing.document(),
    }


def _show_rows(bills: "Iterable[Statement]", form: Format, output: Path | None) -> None:
    """The bills for programs: a line for each call where these were asked for, else for each sum."""
    rows = (row for one in bills for row in one.rows())
    first = next(rows, None)
    if first is None:  # somebody's bill without a call
        show([], [Column("number", "number")], form, output)
        return
    show(chain([first], rows), common.all_columns(first), form, output)


def _write_each(bills: "Iterable[Statement]", missing: "Coverage", form: Format, folder: Path) -> int:
    """A file for each bill, all of them or none; gives how many."""
    from ippbx_billing import documents
    from ippbx_billing.files import together
    from ippbx_billing.reports.bills import paper

    notes, taken = missing.notes(), set[str]()
    with together(folder) as beside:
        named = ((one, beside / _file_name(one, form, taken)) for one in bills)
        if form.is_document:
            documents.write_each(((paper.document(one, notes), path) for one, path in named), form.value)
        else:
            for one, path in named:
                _write_data(one, missing, form, path)
    return len(taken)


def _write_data(one: "Statement", missing: "Coverage", form: Format, path: Path) -> None:
    if form is Format.JSON:
        show((), [], form, path, document=one.document() | {"coverage": missing.document()})
    else:
        _show_rows([one], form, path)


def _file_name(one: "Statement", form: Format, taken: set[str]) -> str:
    """`bill-2026-10-1001-张三.pdf`: what it holds, in signs that every file system takes, and never twice."""
    ending = "md" if form is Format.MARKDOWN else form.value
    plain = re.sub(r"[^\w.-]+", "_", f"bill-{one.period.name}-{one.number}-{one.name}")[:70].rstrip("._")
    name, again = plain, 2
    while name.casefold() in taken:
        name, again = f"{plain}-{again}", again + 1
    taken.add(name.casefold())
    return f"{name}.{ending}"


def _say_what_is_nobodys(billing: "Billing") -> None:
    nobodys = billing.unassigned()
    if nobodys["calls"]:
        listed = ", ".join(nobodys["extensions"][:10]) + (", …" if len(nobodys["extensions"]) > 10 else "")
        say(
            tr(
                "{calls} calls for {fee} {currency} are on nobody's bill: no employee has the extension {listed}",
                calls=nobodys["calls"],
                fee=(AT_LEAST if nobodys["unpriced"] else "") + nobodys["fee"],
                currency=billing.view.currency,
                listed=listed or "–",
            )
        )
    for one in nobodys["extensions"][:1]:
        add = command_line("extensions", "add", one, "--name", "NAME")
        say(tr("say whose it is: `{add}`; or hand out its own bill: `{bill}`", add=add, bill=_own_bill(billing, one)))
