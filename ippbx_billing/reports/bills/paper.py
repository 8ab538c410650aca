"""How a bill looks: heading, sums, calls, and what is not in it, as a document for every writer.

documents.write(paper.document(bill, notes), "pdf", Path("bill.pdf"))
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents import Document, Section
from ippbx_billing.documents.columns import Column, is_nothing, shown
from ippbx_billing.language import tr
from ippbx_billing.reports.bills.statements import Billing, Statement
from ippbx_billing.reports.views import limits

if TYPE_CHECKING:
    from ippbx_billing.reports.coverage import Coverage

Row = Mapping[str, Any]


def document(bill: Statement, notes: Sequence[str] = ()) -> Document:
    """The bill with its notes: own ones first, then those about the whole period."""
    return Document(
        title(bill),
        subtitle=bill.site,
        facts=list(_facts(bill)),
        sections=_sections(bill),
        notes=[*_own_notes(bill), *notes],
        dated=bill.period.last,
        letterhead=bill.letterhead,
    )


def concerning(bill: Statement, missing: "Coverage") -> list[str]:
    """What the period's calls do not cover, as far as it concerns this bill: other people's records do not."""
    return missing.notes(others=bill.kind == "company")


def overview(billing: Billing, notes: Sequence[str] = (), *, with_calls: bool = False) -> Document:
    """All bills at a glance: a line for each employee, and the calls where they are asked for."""
    bill = billing.of_company(with_calls=with_calls)
    sections = [_by_employee(bill), *_below(bill)]
    return Document(
        title(bill),
        subtitle=bill.site,
        facts=list(_facts(bill)),
        sections=sections,
        notes=[*_own_notes(bill), *notes],
        dated=bill.period.last,
    )


def title(bill: Statement) -> str:
    """What the bill is headed with, and each of its pages is known by."""
    who = _who(bill)
    return " · ".join(filter(None, (tr("Telephone bill {month}", month=bill.period.name), who)))


def _who(bill: Statement) -> str | None:
    if bill.kind == "employee":
        return f"{bill.name} ({bill.number})"
    return " ".join(filter(None, (*bill.extensions, bill.name))) if bill.kind == "extension" else bill.department


def _facts(bill: Statement) -> Iterable[tuple[str, str]]:
    if bill.kind == "employee":
        yield tr("Employee"), f"{bill.name} ({bill.number})"
        yield tr("Department"), bill.department or "–"
        yield tr("Extension"), ", ".join(bill.extensions) or "–"
    elif bill.kind == "extension":
        yield tr("Extension"), bill.extensions[0]
        if bill.name:
            yield tr("Employee"), f"{bill.name} ({bill.number})"
        if bill.department:
            yield tr("Department"), bill.department
    else:
        yield tr("Bill of"), bill.department or tr("the whole company")
    yield tr("Period"), tr("{first} to {last}", first=bill.period.first, last=bill.period.last)
    fee = shown(bill.total, Column("fee", "", "money", unpriced="unpriced"))
    nothing = bill.total["unpriced"] and is_nothing(bill.total["fee"])
    yield tr("Fee"), fee if nothing else f"{fee} {bill.currency}"
    if bill.limit:
        yield tr("Limit"), limits.said(bill.limit)
    if bill.payable:
        paid = shown(bill.payable, Column("amount", "", "money", unpriced="unpriced"))
        yield tr("To be paid"), f"{paid} {bill.currency}"
    if bill.due:
        yield tr("To be paid by"), bill.due.isoformat()


def _sections(bill: Statement) -> list[Section]:
    sections = [Section(tr("By traffic type"), summary_columns(bill), bill.summary, total=_total(bill, "direction"))]
    if len(bill.by_extension) > 1:
        columns = [Column("extension", tr("Extension"), "code"), *_sums(bill)]
        sections.append(Section(tr("By extension"), columns, bill.by_extension, total=_total(bill, "extension")))
    if len(bill.by_department) > 1:
        columns = [Column("department", tr("Department")), *_sums(bill)]
        sections.append(
            Section(
                tr("By department, with those below each"),
                columns,
                bill.by_department,
                total=_total(bill, "department"),
            )
        )
    if bill.kind in ("department", "company"):
        sections.append(_by_employee(bill))
    return [*sections, *_below(bill)]


def _below(bill: Statement) -> list[Section]:
    """The lines of plans, mark-up and tax, what they rest on, and the calls, where there are any or were asked for."""
    sections = []
    if bill.lines:
        rows = [_line_row(line) for line in bill.lines]
        sections.append(Section(tr("Plans, mark-up and tax"), line_columns(bill), rows[:-1], total=rows[-1]))
    if bill.explained is not None:
        title = tr("Calls that the plans covered")
        sections.append(Section(title, explained_columns(bill), bill.explained()))
    if bill.calls is not None:
        sections.append(_call_list(bill, bill.calls()))
    return sections


def _line_row(line: Row) -> Row:
    """A line as people read it: what it is in words, and what it used."""
    percent = f" {line['percent']} %" if line["percent"] else ""
    words = {
        "calls": tr("Fees of calls"),
        "markup": tr("Mark-up") + percent,
        "net": tr("Net"),
        "tax": tr("Tax") + percent,
        "gross": tr("To be paid"),
    }
    plan = f"{line['name']} ({line['unit']})" if line["unit"] else line["name"]
    return {**line, "what": words.get(line["line"], plan)}


def line_columns(bill: Statement) -> list[Column]:
    """What a line is, how many calls and how long it counted, and its amount."""
    return [
        Column("what", tr("Item")),
        Column("calls", tr("Calls"), "number"),
        Column("billed_s", tr("Counted"), "length"),
        Column("of", tr("Of ({currency})", currency=bill.currency), "money", rank=1),
        Column("amount", tr("Amount ({currency})", currency=bill.currency), "money", unpriced="unpriced"),
    ]


def explained_columns(bill: Statement) -> list[Column]:
    """A call that a plan covered: which plan, how much of it, and what that took off."""
    return [
        Column("plan", tr("Plan")),
        Column("at", tr("Priced at"), "time"),
        Column("call", tr("ID"), "number", rank=2),
        Column("extension", tr("Extension"), "code"),
        Column("traffic_type", tr("Traffic type"), "word", rank=1),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee ({currency})", currency=bill.currency), "money"),
        Column("seconds", tr("Counted"), "length"),
        Column("amount", tr("Amount ({currency})", currency=bill.currency), "money"),
    ]


def _by_employee(bill: Statement) -> Section:
    rows = [row | {"extensions": ", ".join(row["extensions"])} for row in bill.by_employee]
    return Section(tr("By employee"), employee_columns(bill), rows, total=_total(bill, "department"))


def _call_list(bill: Statement, calls: Iterable[Row]) -> Section:
    total = _total(bill, "started_at")
    return Section(
        tr("List of calls"), call_columns(bill), calls, total, page_break=bill.kind in ("department", "company")
    )


def summary_columns(bill: Statement) -> list[Column]:
    """Direction and traffic type with their sums."""
    kinds = [Column("direction", tr("Direction"), "word"), Column("traffic_type", tr("Traffic type"), "word")]
    return [*kinds, *_sums(bill)]


def employee_columns(bill: Statement) -> list[Column]:
    """Who, with what extensions, and the sums."""
    return [
        Column("department", tr("Department")),
        Column("number", tr("Staff no."), "code"),
        Column("name", tr("Employee")),
        Column("extensions", tr("Extension")),
        *_sums(bill),
    ]


def call_columns(bill: Statement) -> list[Column]:
    """A call's line; whose call it is, where the bill is not one person's."""
    whose = [Column("extension", tr("Extension"), "code"), Column("name", tr("Employee"), rank=2)]
    if bill.kind == "extension":
        whose = []
    if bill.kind == "employee":
        whose = whose[:1] if len(bill.extensions) > 1 else []
    return [
        Column("started_at", tr("Start"), "time"),
        *whose,
        Column("direction", tr("Direction"), "word"),
        Column("called", tr("Number"), "code"),
        Column("place", tr("Place"), rank=1),
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee ({currency})", currency=bill.currency), "money"),
    ]


def _sums(bill: Statement) -> list[Column]:
    return [
        Column("calls", tr("Calls"), "number"),
        Column("answered", tr("Answered"), "number", rank=3),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee ({currency})", currency=bill.currency), "money", unpriced="unpriced"),
    ]


def _total(bill: Statement, first_column: str) -> Row:
    return {**bill.total, first_column: tr("total")}


def _own_notes(bill: Statement) -> list[str]:
    left_out = [tr("calls that cost nothing are left out")] if bill.charged_only else []
    if not bill.unrated:
        return left_out
    return [tr("{count} calls could not be priced and are not in the sum", count=bill.unrated), *left_out]
