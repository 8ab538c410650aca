"""A report as a sheet: its columns, its rows, its picture, and the same as a document.

    sheet = ReportSheet(title=…, columns=[*key_columns(by, rows), *measure_columns(currency)], rows=rows, …)

What a sheet does not cover goes with it wherever it goes; a face shows it below the table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column, cell, shown
from ippbx_billing.documents.plots import bar, plot
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.documents import Document
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.coverage import Coverage

Row = dict[str, Any]

CURVES = ("hour", "day")  # too many for bars, and they follow one another


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSheet:
    """A report that is ready to be shown.

    `keys` are the headings of a CSV, `flat` its rows, where those hold more than plain values. `label` is the key that
    its picture's bars are named by, empty for no picture; they are as long as `measure` says, and stand in the table
    too where it is `drawn`. A sheet that `holds_unrated` calls needs no notes of them. `commands` are
    those that its cells tell, which a narrow table breaks.
    """

    title: str
    columns: Sequence[Column]
    keys: Sequence[str]
    rows: Sequence[Row]
    total: Row | None
    document: Row
    period: "Period"
    empty: str
    label: str = ""
    measure: str = "fee"
    flat: Sequence[Row] | None = None
    total_label: str = ""
    drawn: bool = True
    holds_unrated: bool = False
    commands: Sequence[str] = ()

    @property
    def footer(self) -> Row | None:
        """The total with its label below the first column that holds no figure."""
        if self.total is None:
            return None
        place = next(column.key for column in self.columns if not column.to_the_right)
        return {**self.total, place: self.total_label or tr("total")}


def with_bars(sheet: ReportSheet) -> ReportSheet:
    """The sheet with a bar beside each row, which leaves after the share that it shows."""
    values = [figure(row, sheet.measure) for row in sheet.rows]
    if not sheet.label or not sheet.drawn or len(values) < 2:
        return sheet
    share = next((column.rank for column in sheet.columns if column.key == "share"), 10)
    most = max(values)
    rows = [{**row, "bar": bar(value, most)} for row, value in zip(sheet.rows, values, strict=True)]
    return replace(sheet, rows=rows, columns=[*sheet.columns, Column("bar", "", "code", rank=share - 1)])


def picture(sheet: ReportSheet, width: int) -> list[str]:
    """The sheet's chart in lines of a terminal that is so wide; UsageError where the report has none."""
    if not sheet.label:
        raise UsageError(tr("this report has no chart"), tr("leave out --plot"))
    kinds = {column.key: column.kind for column in sheet.columns}
    labels = [cell(row[sheet.label], kinds.get(sheet.label, "text")) for row in sheet.rows]
    values = [figure(row, sheet.measure) for row in sheet.rows]
    measure = next((one for one in sheet.columns if one.key == sheet.measure), Column(sheet.measure, "", "number"))
    figures = [shown(row, measure) for row in sheet.rows]
    chart = plot(labels, values, figures, width) if labels else [sheet.empty]
    return [f"{sheet.title}: {_title(sheet, sheet.measure)}", "", *chart]


def _title(sheet: ReportSheet, key: str) -> str:
    return next((column.title.replace("\n", " ") for column in sheet.columns if column.key == key), key)


def figure(row: Row, key: str) -> Decimal:
    """The row's figure; what is not there counts as nothing."""
    value = row.get(key)
    return Decimal(0) if value is None else Decimal(str(value))


def notes(sheet: ReportSheet, told: "Coverage", conditions: Mapping[str, Any]) -> list[str]:
    """What is not in it, as far as it concerns this sheet: of prices only where it has fees, of calls only its own."""
    has_fees = any(column.unpriced for column in sheet.columns)
    limited = any(conditions.values())
    return told.notes(unrated=not sheet.holds_unrated and has_fees, fees=has_fees, others=not limited)


def paper(
    sheet: ReportSheet, told: "Coverage", conditions: Mapping[str, Any], facts: Sequence[tuple[str, str]]
) -> "Document":
    """The sheet as a document that can be handed on without a word; `conditions` are those it was asked with.

    `facts` are what stands above its rows (see `views.conditions`).
    """
    from ippbx_billing.documents import Chart, Document, Section

    chart = None
    if sheet.label and len(sheet.rows) > 1:
        title = _title(sheet, sheet.measure)
        chart = Chart("line" if sheet.label in CURVES else "bar", sheet.label, sheet.measure, title)
    return Document(
        sheet.title,
        facts=facts,
        sections=[Section("", sheet.columns, sheet.rows, total=sheet.footer, chart=chart, empty=sheet.empty)],
        notes=notes(sheet, told, conditions),
        dated=sheet.period.last,
    )


# -- columns


def key_columns(keys: Sequence[str], rows: Sequence[Row]) -> list[Column]:
    """The columns of what a report is grouped by, with the people where any is known."""
    found: list[Column] = []
    for key in keys:
        found += _key_columns(key, rows)
    return found


def _key_columns(key: str, rows: Sequence[Row]) -> list[Column]:
    if key == "employee":
        return [Column("employee_number", tr("Staff no."), "code", rank=4), Column("employee", tr("Employee"))]
    columns = [Column(key, *_HEADINGS[key]())]
    if key == "extension":
        people = [Column("name", tr("Name"), rank=1), Column("department", tr("Department"), rank=3)]
        columns += [one for one in people if any(row.get(one.key) for row in rows)]
    return columns


def title_of_key(key: str) -> str:
    """What calls are summed by, as a heading."""
    return tr("Employee") if key == "employee" else _HEADINGS[key]()[0]


def kind_of_key(key: str) -> str:
    """The kind of the values that calls are summed by."""
    return "text" if key == "employee" else _HEADINGS[key]()[1]


_HEADINGS: dict[str, Callable[[], tuple[str, str]]] = {
    "extension": lambda: (tr("Extension"), "code"),
    "department": lambda: (tr("Department"), "text"),
    "trunk": lambda: (tr("Trunk"), "text"),
    "carrier": lambda: (tr("Carrier"), "code"),
    "traffic_type": lambda: (tr("Traffic type"), "word"),
    "line_kind": lambda: (tr("Line kind"), "word"),
    "direction": lambda: (tr("Direction"), "word"),
    "disposition": lambda: (tr("Outcome"), "word"),
    "country": lambda: (tr("Country"), "country"),
    "region": lambda: (tr("Region"), "text"),
    "place": lambda: (tr("Place"), "text"),
    "number": lambda: (tr("Number"), "code"),
    "pin": lambda: (tr("PIN"), "code"),
    "month": lambda: (tr("Month"), "code"),
    "day": lambda: (tr("Day"), "time"),
    "weekday": lambda: (tr("Weekday"), "weekday"),
    "hour": lambda: (tr("Hour"), "hour"),
}


def measure_columns(currency: str, measure: str = "fee", *, compared: bool = False, drawn: bool = True) -> list[Column]:
    """The columns of the sums; the one that was sorted by never leaves.

    Where there is not room for all, `compared` keeps the differences, `drawn` the bar, rather than the sums of time.
    """
    columns = [
        Column("calls", tr("Calls"), "number"),
        Column("answered", tr("Answered"), "number", rank=5 if compared else 8 if drawn else 0),
        Column("answer_rate", tr("Answer rate"), "percent", rank=11),
        Column("duration_s", tr("Duration"), "length", rank=6 if compared else 9 if drawn else 2),
        Column("billed_s", tr("Talk time"), "length", rank=4 if compared else 0),
        Column("fee", tr("Fee ({currency})", currency=currency), "money", unpriced="unpriced"),
        *(_difference_columns() if compared else ()),
        Column("share", tr("Share"), "percent", rank=5 if drawn else 10, unpriced="unpriced"),
        Column("average_fee", tr("Average fee"), "money", rank=13, unpriced="unpriced", average=True),
        Column("average_s", tr("Average talk (s)"), "number", rank=12, average=True),
    ]
    return [replace(one, rank=0) if one.key == measure else one for one in columns]


def row_keys(by: Sequence[str], total: Row | None) -> list[str]:
    """The keys of a row of sums, as `report` makes them."""
    found: list[str] = []
    for key in by:
        more = {
            "extension": ("name", "department"),
            "employee": ("employee_number",),
            "department": ("level", "subtotal"),
        }
        found += [one for one in (key, *more.get(key, ())) if one == key or one not in by]
    return [*found, *(total or {})]


def _difference_columns() -> list[Column]:
    return [
        Column("previous_fee", tr("Fee before"), "money", rank=1, unpriced="previous_unpriced"),
        Column("fee_difference", tr("Fee difference"), "money"),
        Column("previous_calls", tr("Calls before"), "number", rank=3),
        Column("calls_difference", tr("Calls difference"), "number", rank=2),
    ]
