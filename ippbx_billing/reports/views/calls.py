"""How a list of calls looks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ippbx_billing.documents.columns import Column, Format, Row
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.reports import Period, View
    from ippbx_billing.reports.views.conditions import Conditions


def listed(
    rows: Iterable[Row], form: Format, period: "Period | None", conditions: "Conditions", view: "View"
) -> Listing:
    """The calls for any writer; on paper below their days and the conditions they were asked for with."""
    heading, empty = columns(form, view.currency), tr("no such calls")
    if not form.is_document:
        return Listing(rows, heading, empty=empty)
    from ippbx_billing.documents import Document, Section
    from ippbx_billing.reports.views.conditions import facts

    paper = Document(
        title(period),
        facts=facts(period, conditions, view),
        sections=[Section("", heading, rows, empty=empty)],
        dated=period.last if period else None,
    )
    return Listing(rows, heading, paper=paper, empty=empty)


def title(period: "Period | None") -> str:
    """What a list of these days' calls is headed with, and each of its pages is known by."""
    return " ".join(filter(None, (tr("Call list"), period.name if period else "")))


def columns(form: Format, currency: str) -> list[Column]:
    """The columns of the manual's live table; a CSV has every key of the contract."""
    if form is Format.CSV:
        from ippbx_billing.reports import CALL_KEYS

        return [Column(key, key) for key in CALL_KEYS]
    return [
        Column("id", tr("ID"), "code"),
        Column("extension", tr("Extension"), "code"),
        Column("name", tr("Name"), rank=9),
        Column("department", tr("Department"), rank=10),
        Column("started_at", tr("Start"), "time"),
        Column("billed_s", tr("Talk time"), "length"),
        Column("trunk", tr("Trunk"), rank=8),
        Column("direction", tr("Direction"), "word", rank=5),
        Column("number", tr("Number"), "code"),
        Column("region", tr("Region"), rank=7),
        Column("place", tr("Place"), rank=4),
        Column("traffic_type", tr("Traffic type"), "word", rank=3),
        Column("fee", tr("Fee ({currency})", currency=currency), "money"),
        Column("status", tr("Status"), "word", rank=6),
    ]
