"""The bills of a period as a site makes them: with its letterhead, and the numbers as people know them.

billing = desk(settings, ledger, Period.month("2026-10", today), charged_only=True)
"""

from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import Period, View
from ippbx_billing.reports.bills import Billing
from ippbx_billing.reports.bills.called import numbers_called
from ippbx_billing.reports.bills.letterhead import due, letterhead
from ippbx_billing.reports.conditions import Scope
from ippbx_billing.reports.views.story import rest_of
from ippbx_billing.settings import Settings


def desk(
    using: Settings,
    ledger: Ledger,
    period: Period,
    *,
    charged_only: bool = False,
    explain_lines: bool = False,
    scope: Scope | None = None,
) -> Billing:
    """Where every face gets its bills from."""
    return Billing(
        ledger,
        View(using.site_zone, using.currency),
        period,
        site=using.site_name,
        charged_only=charged_only,
        called=numbers_called(Rules.of(ledger, using, reading=False, prices=False)),
        due=due(using, period),
        letterhead=letterhead(using),
        scope=scope,
        rest=rest_of(ledger, using),
        explain_lines=explain_lines,
    )
