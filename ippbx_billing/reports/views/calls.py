"""How a list of calls looks."""

from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.language import tr


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
