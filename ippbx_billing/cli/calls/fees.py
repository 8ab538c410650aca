"""What a command did to fees: how many calls, and what they cost, before and after."""

from typing import TYPE_CHECKING

from ippbx_billing.cli.common import say
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger.replays import Totals
    from ippbx_billing.settings import Settings


def tell_fees(using: "Settings", before: "Totals", after: "Totals", changed: int) -> None:
    """Two lines with calls, fees and calls without a price, before and after, and one that says how many changed."""
    from ippbx_billing.reports import fee_text

    for when, one in ((tr("before"), before), (tr("now"), after)):
        fee = f"{fee_text(one.fee_micro, 2)} {using.currency}"
        said = tr("{when}: {calls} calls, {fee}", when=when, calls=f"{one.calls:,}", fee=fee)
        say(said + (tr(", {count} without a price", count=f"{one.unrated:,}") if one.unrated else ""))
    if changed:
        say(tr("{count} calls have another charge now; the earlier ones: `ippbx-bill calls explain ID --history`",
               count=f"{changed:,}"))  # fmt: skip
