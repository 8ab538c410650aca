"""How a report looks: its columns and its picture, then the one way in which every report is shown in every form.

    present(Sheet(title, columns, rows, total, document, label="extension"), told, asking)

The one idea: a report is a sheet, and what it does not cover goes with it wherever it goes: below a table on stderr, in
JSON under "coverage", in a document as its notes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.cli.common import say
from ippbx_billing.errors import UsageError
from ippbx_billing.plots import bar, plot, sparkline
from ippbx_billing.render import Column, Format, cell, console, lines, show
from ippbx_billing.texts import language, tr

if TYPE_CHECKING:
    from ippbx_billing.cli.asking import Asking
    from ippbx_billing.documents import Document
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.reports.named import Answer

Row = dict[str, Any]

CURVES = ("hour", "day")  # too many for bars, and they follow one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A report that is ready to be shown.

    `keys` are the headings of a CSV, `flat` its rows, where those hold more than plain values. `label` is the key that
    its picture's bars are named by, empty for no picture; they are as long as `measure` says, and stand in the table
    too where it is `drawn`. A sheet that `holds_unrated` calls needs no notes of them.
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

    @property
    def footer(self) -> Row | None:
        """The total with its label below the first column that holds no figure."""
        if self.total is None:
            return None
        place = next(column.key for column in self.columns if not column.to_the_right)
        return {**self.total, place: self.total_label or tr("total")}


def present(sheet: Sheet, told: "Coverage", asking: "Asking") -> None:
    """Show the sheet in the form asked for, with what it does not cover."""
    if asking.plot:
        _plot(sheet, asking)
    elif asking.form is Format.CSV:
        rows = sheet.rows if sheet.flat is None else sheet.flat
        show(rows, [Column(key, key) for key in sheet.keys], asking.form, asking.output)
    else:
        drawn = _with_bars(sheet) if asking.form is Format.TABLE else sheet
        show(
            drawn.rows,
            drawn.columns,
            asking.form,
            asking.output,
            total=sheet.footer,
            document={**sheet.document, "coverage": told.document()},
            title="; ".join([sheet.title, *(" ".join(one) for one in asking.told())]),
            empty=sheet.empty,
            paper=_paper(sheet, told, asking) if asking.form.is_document else None,
        )
    if asking.form is Format.TABLE:
        for note in told.notes(unrated=not sheet.holds_unrated):
            say(note)


def _with_bars(sheet: Sheet) -> Sheet:
    """The sheet with a bar beside each row, which leaves after the share that it shows."""
    values = [_value(row, sheet.measure) for row in sheet.rows]
    if not sheet.label or not sheet.drawn or len(values) < 2:
        return sheet
    share = next((column.rank for column in sheet.columns if column.key == "share"), 10)
    rows = [{**row, "bar": bar(value, max(values))} for row, value in zip(sheet.rows, values, strict=True)]
    return replace(sheet, rows=rows, columns=[*sheet.columns, Column("bar", "", "code", rank=share - 1)])


def _plot(sheet: Sheet, asking: "Asking") -> None:
    if asking.form is not Format.TABLE:
        hint = tr("leave out --format; html, xlsx and pdf have their chart anyway")
        raise UsageError(tr("--plot draws in the terminal only"), hint)
    if not sheet.label:
        raise UsageError(tr("this report has no chart"), tr("leave out --plot"))
    kinds = {column.key: column.kind for column in sheet.columns}
    labels = [cell(row[sheet.label], kinds.get(sheet.label, "text")) for row in sheet.rows]
    values = [_value(row, sheet.measure) for row in sheet.rows]
    figures = [cell(row[sheet.measure], kinds.get(sheet.measure, "number")) for row in sheet.rows]
    chart = plot(labels, values, figures, console().width) if labels else [sheet.empty]
    lines([f"{sheet.title}: {_title(sheet, sheet.measure)}", "", *chart], asking.output)


def _title(sheet: Sheet, key: str) -> str:
    return next((column.title.replace("\n", " ") for column in sheet.columns if column.key == key), key)


def _value(row: Row, key: str) -> Decimal:
    """The row's figure; what is not there counts as nothing."""
    value = row.get(key)
    return Decimal(0) if value is None else Decimal(str(value))


def _paper(sheet: Sheet, told: "Coverage", asking: "Asking") -> "Document":
    """The sheet as a document that can be handed on without a word."""
    from ippbx_billing.documents import Chart, Document, Section

    chart = None
    if sheet.label and len(sheet.rows) > 1:
        title = _title(sheet, sheet.measure)
        chart = Chart("line" if sheet.label in CURVES else "bar", sheet.label, sheet.measure, title)
    days = f"{sheet.period.first} – {sheet.period.last}"
    return Document(
        sheet.title,
        facts=[(tr("Days"), days), *asking.told()],
        sections=[Section("", sheet.columns, sheet.rows, total=sheet.footer, chart=chart, empty=sheet.empty)],
        notes=told.notes(unrated=not sheet.holds_unrated),
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
        Column("fee", tr("Fee ({currency})", currency=currency), "money"),
        *(_difference_columns() if compared else ()),
        Column("share", tr("Share"), "percent", rank=5 if drawn else 10),
        Column("average_fee", tr("Average fee"), "money", rank=13),
        Column("average_s", tr("Average talk (s)"), "number", rank=12),
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
        Column("previous_fee", tr("Fee before"), "money", rank=1),
        Column("fee_difference", tr("Fee difference"), "money"),
        Column("previous_calls", tr("Calls before"), "number", rank=3),
        Column("calls_difference", tr("Calls difference"), "number", rank=2),
    ]


# -- named reports


def ranking(answer: "Answer") -> Sheet:
    """Who is first."""
    by, measure = answer.more["by"], answer.more["sort"]
    columns = [Column("rank", tr("Rank"), "number"), *key_columns(by, answer.rows)]
    columns += measure_columns(answer.currency, measure if answer.total and measure in answer.total else "fee")
    title = tr("Ranking of {month}", month=answer.period.name)
    keys = ["rank", *row_keys(by, answer.total)]
    return _sheet(answer, title, columns, keys, label=by[0], measure=measure)


def time_of_day(answer: "Answer") -> Sheet:
    """The day's 24 hours; a sparkline shows the week from Monday to Sunday."""
    columns = [
        Column("hour", tr("Hour"), "hour"),
        *(Column(way.value, tr(way.value), "number", rank=3) for way in Direction),
        *(one for one in measure_columns(answer.currency) if one.key in ("calls", "answered", "billed_s", "fee")),
        Column("week", tr("Mon–Sun"), "code", rank=2),
    ]
    columns = [replace(one, rank=4) if one.key == "answered" else one for one in columns]
    rows = [{**row, "week": sparkline(row["weekdays"])} for row in answer.rows]
    days = [f"weekday_{number}" for number in range(1, 8)]
    flat = [
        {
            **{key: value for key, value in row.items() if key != "weekdays"},
            **dict(zip(days, row["weekdays"], strict=True)),
        }
        for row in answer.rows
    ]
    title = tr("Calls of {month} by time of day", month=answer.period.name)
    return _sheet(answer, title, columns, list(flat[0]), rows=rows, flat=flat, label="hour", measure="calls")


def _spread_week(row: Row) -> Row:
    """The row with a key for each day of the week, as `report` counts them."""
    plain = {key: value for key, value in row.items() if key != "weekdays"}
    return plain | {f"weekday_{number}": calls for number, calls in enumerate(row["weekdays"], start=1)}


def regions(answer: "Answer") -> Sheet:
    """Where the calls went and came from."""
    keys = answer.more["by"]
    title = tr("Calls of {month} by region", month=answer.period.name)
    columns = [*key_columns(keys, answer.rows), *measure_columns(answer.currency)]
    return _sheet(answer, title, columns, row_keys(keys, answer.total), label=keys[-1])


def numbers(answer: "Answer") -> Sheet:
    """The numbers called and calling."""
    by, measure = ("number", "country", "region", "place"), answer.more["sort"]
    number, *where = key_columns(by, answer.rows)
    columns = [number, *(replace(one, rank=rank) for one, rank in zip(where, (6, 5, 1), strict=True))]
    columns += measure_columns(answer.currency, measure)
    title = tr("Numbers of {month}", month=answer.period.name)
    return _sheet(answer, title, columns, row_keys(by, answer.total), label="number", measure=measure)


def pins(answer: "Answer") -> Sheet:
    """The personal PINs."""
    columns = [*key_columns(("pin",), answer.rows), *measure_columns(answer.currency)]
    title = tr("PINs of {month}", month=answer.period.name)
    empty = tr("no calls with a PIN in {month}", month=answer.period.name)
    return _sheet(answer, title, columns, row_keys(("pin",), answer.total), label="pin", empty=empty)


def idle(answer: "Answer") -> Sheet:
    """The extensions that nobody used."""
    columns = [
        Column("extension", tr("Extension"), "code"),
        Column("name", tr("Name")),
        Column("department", tr("Department")),
        Column("last_call", tr("Last call"), "time"),
    ]
    found, month = answer.total or {}, answer.period.name
    title = tr("Extensions without a call in {month}", month=month)
    counted = tr("{idle} of {extensions}", **found)
    empty = tr("each of the directory's {extensions} extensions had a call in {month}", month=month, **found)
    keys = [column.key for column in columns]
    return replace(_sheet(answer, title, columns, keys, empty=empty), total_label=counted)


def categories(answer: "Answer", measure: str) -> Sheet:
    """A column for each traffic type that occurs, the least leaving first; a CSV has one for each that there is."""
    kind = {"fee": "money", "calls": "number", "billed_s": "length"}[measure]
    total = answer.total or {}
    occurring = [one for one in TrafficType if one in total["traffic_types"]]
    least_last = sorted(occurring, key=lambda one: -_value(total["traffic_types"][one], measure))
    columns = [
        Column("who", tr("Department, extension")),
        *(Column(f"{one}_{measure}", _BRIEF[one](), kind, rank=least_last.index(one)) for one in occurring),
        Column(measure, _MEASURES[measure](answer.currency), kind),
    ]
    flat = [_spread(row, measure) for row in answer.rows]
    rows = [{**row, "who": _who(row)} for row in flat]
    title = tr("Bill by category of {month}", month=answer.period.name)
    whole = _spread(total, measure)
    keys = ["department", "level", "extension", "name", "subtotal", *whole]
    return replace(_sheet(answer, title, columns, keys, rows=rows, flat=flat), total=whole)


def _who(row: Row) -> str:
    """An extension and its holder, or the department that the extensions above belong to."""
    if row["subtotal"]:
        return f"Σ {row['department'] or tr('no department')}"
    return f"{row['extension'] or '–'} {row['name'] or ''}".strip()


_BRIEF: dict[str, Callable[[], str]] = {
    "local": lambda: tr("Local"),
    "domestic": lambda: tr("Domestic"),
    "hk_mo_tw": lambda: tr("HK/MO/TW"),
    "international": lambda: tr("Abroad"),
    "ip_long_distance": lambda: "IP",
    "audiotex": lambda: tr("Audiotex"),
    "dialup": lambda: tr("Dial-up"),
    "service_400_800": lambda: "400/800",
    "other": lambda: tr("Other"),
    "internal": lambda: tr("Internal"),
}
_MEASURES: dict[str, Callable[[str], str]] = {
    "fee": lambda currency: tr("Fee ({currency})", currency=currency),
    "calls": lambda _: tr("Calls"),
    "billed_s": lambda _: tr("Talk time"),
}


def _spread(row: Row, measure: str) -> Row:
    """The row with a key for each traffic type, empty where none of it occurred."""
    types = row["traffic_types"]
    plain = {key: value for key, value in row.items() if key != "traffic_types"}
    return plain | {f"{one}_{measure}": types[one][measure] if one in types else None for one in TrafficType}


def unrated(answer: "Answer") -> Sheet:
    """What has no price, and what to do about it."""
    from ippbx_billing.explain import reason

    columns = [
        Column("calls", tr("Calls"), "number"),
        Column("billed_s", tr("Talk time"), "length", rank=2),
        Column("why", tr("Reason")),
        Column("example", tr("Example"), "code", rank=1),
        Column("hint", tr("What to do")),
    ]
    rows = [{**row, "why": reason(row["reason"], language()), "hint": _mending(row)} for row in answer.rows]
    title = tr("Calls of {month} without a price", month=answer.period.name)
    empty = tr("every call of {month} has its fee", month=answer.period.name)
    keys = ["reason", "calls", "billed_s", "traffic_type", "direction", "carrier", "trunk", "number", "example"]
    sheet = _sheet(answer, title, columns, [*keys, "why", "hint"], rows=rows, empty=empty)
    return replace(sheet, document={**sheet.document, "rows": rows}, holds_unrated=True)


def _mending(row: Row) -> str:
    """The command that takes care of this reason, for calls to come; `rerate` then takes care of these."""
    text, carrier = row["reason"], row["carrier"]
    if "has no price" in text or "has no local price" in text:
        return tr("`tariffs set {carrier} …`, then `rerate`", carrier=carrier)
    if "is not configured" in text:
        return tr("`trunks add {trunk} --carrier …`, then `rerate`", trunk=row["trunk"])
    if "names no trunk" in text:
        return tr("`carriers add … --default`, then `rerate`")
    if "direction" in text:
        return tr("`calls explain {call}`, then `dialects`", call=row["example"])
    return tr("`calls explain {call}` tells its story", call=row["example"])


def busy_hour(answer: "Answer") -> Sheet:
    """How full the lines were."""
    columns = [
        Column("trunk", tr("Trunk")),
        Column("calls", tr("Calls"), "number", rank=4),
        Column("peak_calls", tr("Most at once"), "number"),
        Column("peak_at", tr("At"), "time", rank=2),
        Column("busy_hour", tr("Busiest hour"), "time", rank=1),
        Column("busy_hour_erlang", tr("Its load (Erl)"), "money"),
        Column("erlang", tr("Mean load (Erl)"), "money", rank=3),
        Column("lines", tr("Lines needed"), "number"),
    ]
    title = tr("Lines in {month}", month=answer.period.name)
    empty = tr("no calls on a trunk in {month}", month=answer.period.name)
    keys = row_keys(("trunk",), answer.total)
    return _sheet(answer, title, columns, keys, empty=empty, label="trunk", measure="busy_hour_erlang")


def _sheet(
    answer: "Answer",
    title: str,
    columns: Sequence[Column],
    keys: Sequence[str],
    *,
    rows: Sequence[Row] | None = None,
    flat: Sequence[Row] | None = None,
    label: str = "",
    measure: str = "fee",
    empty: str = "",
) -> Sheet:
    """A named report's sheet."""
    return Sheet(
        title=title,
        columns=columns,
        keys=keys,
        rows=answer.rows if rows is None else rows,
        total=answer.total,
        document=answer.document(),
        period=answer.period,
        empty=empty or tr("no calls in {month}", month=answer.period.name),
        label=label,
        measure=measure,
        flat=flat,
    )
