"""What a report, a bill or an export does not cover, asked of the ledger and of the inbox where it lies beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ippbx_billing.calls import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.coverage import Coverage
    from ippbx_billing.settings import Settings


def covered(
    using: "Settings",
    ledger: "Ledger",
    period: "Period",
    *,
    unrated: Mapping[Reason, int],
    filtered: int,
    now: "datetime",
) -> "Coverage":
    """What sums of these days do not cover; `unrated` (by reason) and `filtered` are the sums' own."""
    from ippbx_billing.inbox import Inbox

    if not using.inbox_path.exists():  # a copied ledger answers without it
        return _covered(using, ledger, None, period, unrated, filtered, now)
    with Inbox(using.inbox_path) as inbox:
        return _covered(using, ledger, inbox, period, unrated, filtered, now)


def _covered(
    using: "Settings",
    ledger: "Ledger",
    inbox: "Inbox | None",
    period: "Period",
    unrated: Mapping[Reason, int],
    filtered: int,
    now: "datetime",
) -> "Coverage":
    from ippbx_billing.reports.coverage import coverage

    return coverage(
        ledger,
        inbox,
        using.site_zone,
        (period.first, period.last),
        unrated=unrated,
        filtered=filtered,
        now=now,
        country=using.country,
    )
