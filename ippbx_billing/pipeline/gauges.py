"""How far inbox and ledger are, in a few numbers that `/metrics` tells.

read(settings)  ->  {"events": {…}, "calls": {…}, "unrated_calls": {…}, "last_event_at": …, "backlog_events": 3}
"""

from typing import Any

from ippbx_billing.errors import BillingError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import gauges
from ippbx_billing.settings import Settings


def read(using: Settings) -> dict[str, Any]:
    """The figures of the ledger with the events that wait for it; nothing where it cannot be read now."""
    try:
        found = gauges.read(using.ledger_path)
        position = found.pop("position")
        with Inbox(using.inbox_path) as inbox:
            newest = inbox.summaries(limit=1)
            last = {"last_event_at": newest[0].received_at} if newest else {}
            return {**found, **last, "backlog_events": max(0, inbox.last_id() - position)}
    except BillingError:
        return {}
