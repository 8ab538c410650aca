"""What the calls in progress cost so far, by the rules that will rate them when they are over.

running_fees(ledger, rules, live_calls, now)  # {("192.168.6.169", "a1"): 120000, …} in micro-units
"""

from collections.abc import Iterable
from datetime import datetime

from ippbx_billing.calls import Call, Direction, Disposition, Phase
from ippbx_billing.ledger import Ledger, LiveCall
from ippbx_billing.pipeline import Rules


def running_fees(
    ledger: Ledger, rules: Rules, found: Iterable[LiveCall], now: datetime
) -> dict[tuple[str, str], int | None]:
    """The fee of each call that is talking, as if it ended now; None where it could not be priced."""
    talking = [one for one in found if one.phase is Phase.TALKING and one.answered_at]
    return {(one.pbx, one.call_id): _fee(ledger, rules, one, now) for one in talking}


def _fee(ledger: Ledger, rules: Rules, one: LiveCall, now: datetime) -> int | None:
    assert one.answered_at is not None
    known = {way.value: way for way in Direction}
    call = Call(
        pbx=one.pbx,
        dialect="live",
        started_at=one.first_event_at,
        answered_at=one.answered_at,
        billed_s=max(0, int((now - one.answered_at).total_seconds())),
        disposition=Disposition.ANSWERED,
        caller=one.caller,
        callee=one.callee,
        extension=one.extension,
        number=one.number,
        trunk=one.trunk,
        direction=known.get(one.direction or ""),
    )
    if call.number is None or call.direction is None:
        return None
    return rules.pricing(call, ledger).explain(call)[1].fee_micro
