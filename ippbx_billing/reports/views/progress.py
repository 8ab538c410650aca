"""The calls in progress as a page shows them: with how long they have lasted, and what they cost so far."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ippbx_billing.calls import Phase
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.ledger import LiveCall
from ippbx_billing.reports.call_columns import fee_text
from ippbx_billing.reports.conditions import View
from ippbx_billing.reports.views.live import LIVE_IS_SHOWN

ENDED_IS_SHOWN = timedelta(minutes=1)
ENDED_SHOWN = 5


def asked_since(now: datetime) -> datetime:
    """Since when a call in progress must have had an event to be shown."""
    return now - LIVE_IS_SHOWN


def rows(
    found: Iterable[LiveCall], fees: Mapping[tuple[str, str], int | None], now: datetime, view: View, decimals: int
) -> list[dict[str, Any]]:
    """Each call with `lasts_s` since it was answered, or since it rings, and its `fee` so far where there is one."""
    found = list(found)
    ended = [one for one in found if one.phase is Phase.ENDED and one.last_event_at >= now - ENDED_IS_SHOWN]
    shown = [*(one for one in found if one.phase is not Phase.ENDED), *ended[:ENDED_SHOWN]]
    return [
        {
            "state": one.phase.value,
            "extension": one.extension,
            "caller": one.caller,
            "callee": one.callee,
            "number": one.number,
            "trunk": one.trunk,
            "direction": one.direction,
            "since": view.time(int(one.first_event_at.timestamp())),
            "lasts_s": _lasts_s(one, now),
            "fee": fee_text(fees.get((one.pbx, one.call_id)), decimals),
        }
        for one in shown
    ]


def _lasts_s(one: LiveCall, now: datetime) -> int:
    begin = one.answered_at or one.first_event_at
    end = one.last_event_at if one.phase is Phase.ENDED else now
    return max(0, int((end - begin).total_seconds()))


def columns(currency: str) -> list[Column]:
    """The columns of `rows`."""
    return [
        Column("state", tr("State"), "word"),
        Column("extension", tr("Extension"), "code"),
        Column("number", tr("Number"), "code"),
        Column("direction", tr("Direction"), "word"),
        Column("trunk", tr("Trunk")),
        Column("since", tr("Since"), "time"),
        Column("lasts_s", tr("Lasts"), "length"),
        Column("fee", tr("Fee so far ({currency})", currency=currency), "money"),
    ]
