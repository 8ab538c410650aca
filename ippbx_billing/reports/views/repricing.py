"""How the difference looks that other prices would make on real calls: sentences, and a table by extension."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.reports import fee_text
from ippbx_billing.reports.views import rerating

if TYPE_CHECKING:
    from ippbx_billing.pipeline.repricing import Repricing


def sentences(found: "Repricing", currency: str, decimals: int) -> Iterator[str]:
    """How many calls are concerned, what they cost, what they would cost, and what else there is to know of them."""
    total, days = found.total, {"first": found.wanted.first, "last": found.wanted.last}
    if not total.calls:
        yield tr("none of the calls from {first} to {last} would cost anything else", **days)
    else:
        fees = {
            "before": fee_text(total.before_micro, decimals),
            "after": fee_text(total.after_micro, decimals),
            "difference": _signed(total.after_micro - total.before_micro, decimals),
        }
        yield tr("{count} calls from {first} to {last} are concerned: {before} {currency} before, {after} {currency} "
                 "after, {difference} {currency}", count=f"{total.calls:,}", currency=currency, **days,
                 **fees)  # fmt: skip
    if found.supposed:
        yield tr("reckoned as if it had been in force on those days, since it begins only later")
    if total.unrated_before != total.unrated_after:
        yield tr("without a price among them: {before} before, {after} after", before=f"{total.unrated_before:,}",
                 after=f"{total.unrated_after:,}")  # fmt: skip
    if found.stale.calls:
        yield tr("{count} of these days' calls have another price since an earlier change and were not rated again; "
                 "they are among them", count=f"{found.stale.calls:,}")  # fmt: skip


def _signed(micro: int, decimals: int) -> str:
    return f"{'+' if micro > 0 else ''}{fee_text(micro, decimals)}"


def differences(found: "Repricing", currency: str, decimals: int) -> Listing:
    """The same by extension, with the sum."""
    return rerating.differences(found.by_extension, found.total, found.wanted, currency, decimals)
