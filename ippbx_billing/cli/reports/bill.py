"""`bill`: what an employee, a department, the company or everybody owes for a month, to be handed out."""

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import AT_LEAST, Column, Format
from ippbx_billing.documents.render import deliver, show, show_paper
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.reports.views.coverage import covered
from ippbx_billing.reports.views.story import rest_of

if TYPE_CHECKING:
    from ippbx_billing.reports.bills import Billing, Statement
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.settings import Settings


def bill(
    month: MonthOption = "last",
    employee: Annotated[str | None, typer.Option(help=tr("of this employee: a number, or a name only one has"))] = None,
    department: Annotated[str | None, typer.Option(help=tr("of this department with those below it"))] = None,
    company: Annotated[bool, typer.Option("--company", help=tr("of the whole company"))] = False,
    everybody: Annotated[bool, typer.Option("--all", help=tr("of each employee who has calls"))] = False,
    with_calls: Annotated[bool, typer.Option("--calls", help=tr("with the list of calls"))] = False,
    explain_lines: Annotated[
        bool, typer.Option("--explain-lines", help=tr("with the calls that each plan covered, and how much of each"))
    ] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out-dir", help=tr("with --all: a file for each employee in this folder"))
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
    if sum(map(bool, wanted)) != 1:
        raise UsageError(
            tr("whose bill? Give one of --employee, --department, --company and --all"),
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

    bills = billing.of_everybody(with_calls=with_calls)
    missing = coverage_of(using, billing)
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
    if first is None:
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
