"""What a piece of work did to fees: how many calls, and what they cost, before and after."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ippbx_billing.language import tr
from ippbx_billing.reports import fee_text

if TYPE_CHECKING:
    from ippbx_billing.ledger.replays import Totals


def sentences(before: "Totals", after: "Totals", changed: int, currency: str) -> Iterator[str]:
    """Two lines with calls, fees and calls without a price, before and after, and one that says how many changed."""
    for when, one in ((tr("before"), before), (tr("now"), after)):
        fee = f"{fee_text(one.fee_micro, 2)} {currency}"
        said = tr("{when}: {calls} calls, {fee}", when=when, calls=f"{one.calls:,}", fee=fee)
        yield said + (tr(", {count} without a price", count=f"{one.unrated:,}") if one.unrated else "")
    if changed:
        yield tr("{count} calls have another charge now; the earlier ones: `ippbx-bill calls explain ID --history`",
                 count=f"{changed:,}")  # fmt: skip
