"""How far shipping is, for whoever looks: /healthz, `doctor`, `ship --show`."""

from typing import Any

from ippbx_billing.errors import BillingError
from ippbx_billing.inbox import Inbox
from ippbx_billing.settings import Settings
from ippbx_billing.ship.state import ShipState, load


def facts(using: Settings) -> dict[str, Any]:
    """What /healthz tells; nothing where no centre is set. Moments are seconds of UTC, None where there was none."""
    if not using.ship_to:
        return {}
    state = load(using.data_dir)
    return {
        "ship_position": state.position,
        "ship_waiting": waiting(using, state),
        "ship_behind_since": state.behind_since,
        "ship_problem": state.problem,
    }


def waiting(using: Settings, state: ShipState) -> int | None:
    """How many positions the centre does not have; None where the inbox does not tell."""
    try:
        with Inbox(using.inbox_path) as inbox:
            return max(0, inbox.last_id() - state.position)
    except BillingError:
        return None
