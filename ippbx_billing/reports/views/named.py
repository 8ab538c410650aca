"""How each report with a name looks: what was answered -> the sheet that a face shows.

views.named.ranking(named.ranking(ledger, view, period, where, ("employee",)))
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.plots import sparkline
from ippbx_billing.language import tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.reports.views.sheets import ReportSheet, Row, figure, key_columns, measure_columns, row_keys

if TYPE_CHECKING:
    from ippbx_billing.reports.named import Answer


def ranking(answer: "Answer") -> ReportSheet:
    """Who is first."""
    by, measure = answer.more["by"], _measure(answer)
    columns = [Column("rank", tr("Rank"), "number"), *key_columns(by, answer.rows)]
    columns += measure_columns(answer.currency, measure)
    title = tr("Ranking of {month}", month=answer.period.name)
    keys = ["rank", *row_keys(by, answer.total)]
    return _sheet(answer, title, columns, keys, label=by[0], measure=measure)


def _measure(answer: "Answer") -> str:
    """What bars show: the sum that the rows are sorted by, the fee where they are sorted by a name."""
    from ippbx_billing.reports.sums import sort_key

    key = sort_key(answer.more["sort"])
    return key if key in (answer.total or {}) else "fee"


def time_of_day(answer: "Answer") -> ReportSheet:
    """The day's 24 hours; a sparkline shows the week from Monday to Sunday."""
    columns = [
        Column("hour", tr("Hour"), "hour"),
        *(Column(way.value, tr(way.value), "number", rank=3) for way in Direction),
        *(one for one in measure_columns(answer.currency) if one.key in ("calls", "answered", "billed_s", "fee")),
        Column("week", tr("Mon–Sun"), "code", rank=2),
    ]
    columns = [replace(one, rank=4) if one.key == "answered" else one for one in columns]
    rows = [{**row, "week": sparkline(row["weekdays"])} for row in answer.rows]
    flat = [_spread_week(row) for row in answer.rows]
    title = tr("Calls of {month} by time of day", month=answer.period.name)
    return _sheet(answer, title, columns, list(flat[0]), rows=rows, flat=flat, label="hour", measure="calls")


def _spread_week(row: Row) -> Row:
    """The row with a key for each day of the week, as `report` counts them."""
    plain = {key: value for key, value in row.items() if key != "weekdays"}
    return plain | {f"weekday_{number}": calls for number, calls in enumerate(row["weekdays"], start=1)}


def regions(answer: "Answer") -> ReportSheet:
    """Where the calls went and came from."""
    keys = answer.more["by"]
    title = tr("Calls of {month} by region", month=answer.period.name)
    columns = [*key_columns(keys, answer.rows), *measure_columns(answer.currency)]
    return _sheet(answer, title, columns, row_keys(keys, answer.total), label=keys[-1])


def numbers(answer: "Answer") -> ReportSheet:
    """The numbers called and calling."""
    by, measure = ("number", "country", "region", "place"), _measure(answer)
    number, *where = key_columns(by, answer.rows)
    columns = [number, *(replace(one, rank=rank) for one, rank in zip(where, (6, 5, 1), strict=True))]
    columns += measure_columns(answer.currency, measure)
    title = tr("Numbers of {month}", month=answer.period.name)
    return _sheet(answer, title, columns, row_keys(by, answer.total), label="number", measure=measure)


def pins(answer: "Answer") -> ReportSheet:
    """The personal PINs."""
    columns = [*key_columns(("pin",), answer.rows), *measure_columns(answer.currency)]
    title = tr("PINs of {month}", month=answer.period.name)
    empty = tr("no calls with a PIN in {month}", month=answer.period.name)
    return _sheet(answer, title, columns, row_keys(("pin",), answer.total), label="pin", empty=empty)


def idle(answer: "Answer") -> ReportSheet:
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


def categories(answer: "Answer", measure: str) -> ReportSheet:
    """A column for each traffic type that occurs, the least leaving first; a CSV has one for each that there is."""
    kind = {"fee": "money", "calls": "number", "billed_s": "length"}[measure]
    total = answer.total or {}
    occurring = [one for one in TrafficType if one in total["traffic_types"]]
    least_last = sorted(occurring, key=lambda one: -figure(total["traffic_types"][one], measure))
    columns = [
        Column("who", tr("Department, extension")),
        *(_type_column(one, measure, kind, least_last.index(one)) for one in occurring),
        Column(measure, _MEASURES[measure](answer.currency), kind, unpriced="unpriced" if kind == "money" else ""),
    ]
    flat = [_spread(row, measure) for row in answer.rows]
    rows = [{**row, "who": _who(row)} for row in flat]
    title = tr("Bill by category of {month}", month=answer.period.name)
    whole = _spread(total, measure)
    keys = ["department", "level", "extension", "name", "subtotal", *whole]
    return replace(_sheet(answer, title, columns, keys, rows=rows, flat=flat), total=whole)


def _type_column(one: TrafficType, measure: str, kind: str, rank: int) -> Column:
    return Column(f"{one}_{measure}", _BRIEF[one](), kind, rank, f"{one}_unpriced" if kind == "money" else "")


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
    told = dict.fromkeys((measure, "unpriced"))
    return plain | {f"{one}_{key}": types[one][key] if one in types else None for key in told for one in TrafficType}


def unrated(answer: "Answer") -> ReportSheet:
    """What has no price, and what to do about it."""
    from ippbx_billing.ledger.reasons import sentence_of

    columns = [
        Column("calls", tr("Calls"), "number"),
        Column("billed_s", tr("Talk time"), "length", rank=2),
        Column("why", tr("Reason")),
        Column("example", tr("Example"), "code", rank=1),
        Column("hint", tr("What to do")),
    ]
    rows = [{**row, "why": sentence_of(row), "hint": _mending(row, answer.more["carriers"])} for row in answer.rows]
    title = tr("Calls of {month} without a price", month=answer.period.name)
    empty = tr("every call of {month} has its fee", month=answer.period.name)
    keys = [
        "reason",
        "calls",
        "billed_s",
        "traffic_type",
        "direction",
        "carrier",
        "trunk",
        "number",
        "example",
        "first_day",
    ]
    sheet = _sheet(answer, title, columns, [*keys, "why", "hint", "reason_code"], rows=rows, empty=empty)
    return replace(sheet, document={**sheet.document, "rows": rows}, holds_unrated=True, commands=_commands(rows))


def _commands(rows: Sequence[Row]) -> list[str]:
    """The commands of all hints, each once and in a line of its own."""
    return list(dict.fromkeys(told for row in rows for told in re.findall(r"`(ippbx-bill [^`]*)`", row["hint"])))


def _mending(row: Row, carriers: Sequence[str]) -> str:
    """The commands that take care of this reason for these calls; FEE and what else is in capitals is the reader's."""
    whose = carriers[0] if len(carriers) == 1 else "CARRIER"
    story = command_line("calls", "explain", row["example"])
    match row["reason_code"]:
        case "no-price":
            return _pricing(row, row["traffic_type"])
        case "no-local-price":
            return _pricing(row, TrafficType.LOCAL)
        case "unknown-trunk":
            command = ["trunks", "add", row["trunk"], "--carrier", whose]
        case "unknown-carrier":
            command = ["carriers", "add", str(row["reason_facts"]["carrier"])]
        case "no-trunk":
            command = ["carriers", "add", "NAME", "--default"]
        case "no-direction":
            return tr("`{command}`, then `ippbx-bill dialects`", command=story)
        case _:
            return tr("`{command}` tells its story", command=story)
    return _then_rerated(command, row["first_day"])


def _pricing(row: Row, kind: str) -> str:
    """A price that holds since the first of these calls; one that began today would leave them as they are."""
    command = ["tariffs", "set", row["carrier"], kind, "--initial", "60:FEE", "--step", "60:FEE"]
    if row["direction"] not in (None, Direction.OUTBOUND) and kind != TrafficType.LOCAL:
        command += ["--direction", row["direction"]]
    return _then_rerated([*command, "--from", row["first_day"]], row["first_day"])


def _then_rerated(command: Sequence[str], first_day: str) -> str:
    again = command_line("rerate", "--from", first_day)
    return tr("`{command}`, then `{rerate}`", command=command_line(*command), rerate=again)


def busy_hour(answer: "Answer") -> ReportSheet:
    """How full the lines were."""
    columns = [
        Column("trunk", tr("Trunk")),
        Column("calls", tr("Calls"), "number", rank=4),
        Column("peak_calls", tr("Most at once"), "number", average=True),
        Column("peak_at", tr("At"), "time", rank=2),
        Column("busy_hour", tr("Busiest hour"), "time", rank=1),
        Column("busy_hour_erlang", tr("Its load (Erl)"), "money", average=True),
        Column("erlang", tr("Mean load (Erl)"), "money", rank=3, average=True),
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
) -> ReportSheet:
    """A named report's sheet."""
    return ReportSheet(
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
