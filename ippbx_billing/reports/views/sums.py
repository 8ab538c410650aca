"""How sums by one or two keys look."""

from typing import TYPE_CHECKING

from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.reports.views.sheets import ReportSheet, key_columns, measure_columns, row_keys

if TYPE_CHECKING:
    from ippbx_billing.reports import Report


def sheet(answer: "Report", sort: str | None, top: int | None) -> ReportSheet:
    """The sums by keys; by extension alone they are shown as they always were."""
    from ippbx_billing.reports.sums import sort_key

    measure = sort_key(sort or "fee")
    measure = measure if measure in answer.total else "fee"
    compared, plain = answer.compared is not None, answer.by == ("extension",)
    columns = measure_columns(answer.currency, measure, compared=compared, drawn=not plain)
    if plain and not (sort or top or compared):
        columns = [one for one in columns if one.key in ("calls", "answered", "duration_s", "billed_s", "fee")]
    limited = [one for one in _limits(answer.currency) if answer.rows and one.key in answer.rows[0]]
    return ReportSheet(
        title=tr("Calls of {month}", month=answer.period.name),
        columns=[*key_columns(answer.by, answer.rows), *columns, *limited],
        keys=[*row_keys(answer.by, answer.total), *(one.key for one in limited)],
        rows=answer.rows,
        total=answer.total,
        document=answer.document(),
        period=answer.period,
        empty=tr("no calls in {month}", month=answer.period.name),
        label=answer.by[0] if len(answer.by) == 1 else "",
        measure=measure,
        drawn=not plain or bool(sort or top),
    )


def _limits(currency: str) -> list[Column]:
    return [
        Column("fee_limit", tr("Fee limit ({currency})", currency=currency), "money", rank=1),
        Column("time_limit_s", tr("Time limit"), "length", rank=2),
        Column("limit_used", tr("Used"), "percent"),
    ]
