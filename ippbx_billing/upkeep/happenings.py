"""The system log (系统日志): what happened lately, from all that keeps a note of it, the newest first.

    for one in happenings(ledger, inbox, operators, limit=30):
        one.at, one.kind, one.text

Operators and commands are in the log of who did what, what was not understood is in the ledger beside its event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from ippbx_billing.calls import EventStatus
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line; `event` is the event that it tells of, where it does."""

    at: datetime
    kind: str
    text: str
    event: int | None = None


def happenings(ledger: Ledger, inbox: Inbox, operators: OperatorFile, *, limit: int) -> list[Happening]:
    """The newest so many."""
    both = merge(_done(operators, limit), _rejected(ledger, inbox, limit), key=lambda one: one.at, reverse=True)
    return list(islice(both, limit))


def _done(operators: OperatorFile, limit: int) -> Iterator[Happening]:
    for one in operators.log.entries(limit=limit):
        name = one.actor.name or "?"
        who = f"{name} ({one.actor.address})" if one.actor.address else name
        what = one.object if one.object.startswith(one.action) else f"{tr(one.action)} {one.object}"
        yield Happening(at=one.at, kind="done", text=f"{who}: {what.strip()}")


def _rejected(ledger: Ledger, inbox: Inbox, limit: int) -> Iterator[Happening]:
    ids = ledger.journey.events_with(EventStatus.REJECTED)[-limit:]
    outcomes = ledger.journey.outcomes(ids)
    for event in inbox.summaries(ids=ids):
        reason = sentence(outcomes[event.id][1])
        text = tr("event {id} from {remote}: {reason}", id=event.id, remote=event.remote, reason=reason)
        yield Happening(at=event.received_at, kind="rejected", text=text, event=event.id)
