"""How the calls in progress look: ringing, talking, ended just now."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.ledger.journey import LiveCall

ENDED_IS_SHOWN = timedelta(minutes=10)
LIVE_IS_SHOWN = timedelta(hours=12)


def live_calls(ledger: "Ledger", now: datetime, zone: ZoneInfo) -> Listing:
    """The calls in progress at this moment, and those that ended just before."""
    found = rows(ledger.journey.live(now - LIVE_IS_SHOWN), now, zone)
    csv = all_columns(found[0] if found else ("call_id", "state"))
    return Listing(found, columns(), csv=csv, empty=tr("no calls in progress"))


def rows(found: "Iterable[LiveCall]", now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The calls with the keys of the contract, times on the site's clock; those that ended long ago are left out."""
    shown = [one for one in found if one.phase != "ended" or one.last_event_at >= now - ENDED_IS_SHOWN]
    return [
        {
            "call_id": one.call_id,
            "pbx": one.pbx,
            "state": one.phase.value,
            "last_word": one.state,
            "caller": one.caller,
            "callee": one.callee,
            "extension": one.extension,
            "number": one.number,
            "trunk": one.trunk,
            "direction": one.direction,
            "since": one.first_event_at.astimezone(zone).isoformat(),
            "answered_at": one.answered_at.astimezone(zone).isoformat() if one.answered_at else None,
            "last_event_at": one.last_event_at.astimezone(zone).isoformat(),
            "event": one.event_id,
        }
        for one in shown
    ]


def columns() -> list[Column]:
    """The columns of `rows` for people."""
    return [
        Column("state", tr("State"), "word"),
        Column("extension", tr("Extension"), "code"),
        Column("caller", tr("Caller"), "code"),
        Column("callee", tr("Callee"), "code"),
        Column("trunk", tr("Trunk"), rank=1),
        Column("since", tr("Since"), "time"),
        Column("call_id", tr("Call ID"), rank=2),
    ]
