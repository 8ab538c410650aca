"""How changes look: calls of days whose bill was handed out that are no longer as they were."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.reports import CALL_KEYS
from ippbx_billing.reports.changes import HandedOut

ADDED = ("what", "changed_at", "status_before", "fee_before", "difference")


def changes(rows: Sequence[dict[str, Any]], asked: HandedOut, currency: str) -> Listing:
    """The calls of `since_handed_out`, with what they changed together."""
    total = totals(rows)
    document = {
        "since": asked.moment.isoformat(), "from": asked.first, "to": asked.last, "currency": currency,
        "rows": rows, "total": total,
    }  # fmt: skip
    return Listing(
        rows,
        _columns(currency),
        csv=all_columns((*ADDED, *CALL_KEYS)),
        document=document,
        total={"id": tr("total"), **total},
        title=tr("What changed since {since}", since=f"{asked.moment:%Y-%m-%d %H:%M}"),
        empty=tr("nothing changed in these days"),
    )


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many calls, the sum of their differences, and of how many it is not known."""
    known = [Decimal(row["difference"]) for row in rows if row["difference"] is not None]
    return {
        "calls": len(rows),
        "difference": str(sum(known, Decimal(0))) if known else "0.00",
        "unknown": len(rows) - len(known),
    }


def _columns(currency: str) -> list[Column]:
    return [
        Column("id", tr("ID"), "code"),
        Column("what", tr("What"), "word"),
        Column("changed_at", tr("Changed"), "time", rank=2),
        Column("extension", tr("Extension"), "code"),
        Column("started_at", tr("Start"), "time"),
        Column("number", tr("Number"), "code", rank=1),
        Column("fee_before", tr("Before ({currency})", currency=currency), "money"),
        Column("fee", tr("After ({currency})", currency=currency), "money"),
        Column("difference", tr("Difference"), "money"),
    ]
