"""What a command did to fees, said on stderr."""

from typing import TYPE_CHECKING

from ippbx_billing.cli.common import say

if TYPE_CHECKING:
    from ippbx_billing.ledger.replays import Totals
    from ippbx_billing.settings import Settings


def tell_fees(using: "Settings", before: "Totals", after: "Totals", changed: int) -> None:
    """Say how many calls there were, what they cost before and after, and how many changed."""
    from ippbx_billing.reports.views import fees

    for line in fees.sentences(before, after, changed, using.currency):
        say(line)
