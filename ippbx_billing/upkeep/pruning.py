"""Lets old events go while the listener goes on: only what the ledger holds, a few at a time, the space given back.

    gone = prune(Path("inbox.db"), ledger, before=midnight)
    freed = give_back(Path("inbox.db"))

An event may go when it was read and understood: its calls and charges are in the ledger. What was rejected, and what
nobody has read yet, stays. `state.pruned_through` in the ledger is the highest id that is gone: whoever builds the
ledger anew from the inbox has to take the calls of such events over as they are.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ippbx_billing.calls import EventStatus
from ippbx_billing.inbox.pruning import SHORTEST_PAUSE_S, OldEvents, compact, give_back, opened
from ippbx_billing.ledger import Ledger
from ippbx_billing.sqlite.locks import maintenance

__all__ = ["Pruned", "compact", "count", "give_back", "prune"]

STATE = "pruned_through"


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many events went, with how many bytes of bodies; how many stayed because they were rejected."""

    events: int = 0
    bytes: int = 0
    rejected: int = 0


def prune(
    inbox: Path,
    ledger: Ledger,
    before: datetime,
    *,
    also_rejected: bool = False,
    dry_run: bool = False,
    wait_s: float = 0,
    heard: Callable[[int], None] = lambda _: None,
) -> Pruned:
    """Delete the events received before that moment; with `dry_run` only count them. `heard` is told how many so far.

    Raises DataError, and BusyError where other maintenance lasts longer than `wait_s`.
    Between two steps it pauses for as long as a step took, so that the listener finds the file free half the time.
    """
    with nullcontext() if dry_run else maintenance(inbox.parent, "events prune", wait_s):
        return _pruned(inbox, ledger, before, also_rejected, dry_run, heard)


def _pruned(
    inbox: Path,
    ledger: Ledger,
    before: datetime,
    also_rejected: bool,
    dry_run: bool,
    heard: Callable[[int], None],
) -> Pruned:
    done = Pruned()
    with opened(inbox) as events:
        for step in events.steps(ledger.journey.position(), before):
            begun = time.monotonic()
            if not dry_run:
                ledger.sync()  # what these events became is on the disk before they are gone
            with nullcontext() if dry_run else ledger.transaction():
                outcomes = {} if also_rejected else ledger.journey.outcomes(step)
                doomed = [one for one in step if outcomes.get(one, ("",))[0] is not EventStatus.REJECTED]
                if doomed and not dry_run:
                    _delete(events, ledger, doomed)
            if not dry_run:
                time.sleep(max(SHORTEST_PAUSE_S, time.monotonic() - begun))
            done = replace(
                done,
                events=done.events + len(doomed),
                bytes=done.bytes + sum(step[one] for one in doomed),
                rejected=done.rejected + len(step) - len(doomed),
            )
            heard(done.events)
    return done


def count(inbox: Path, before: datetime) -> int:
    """How many events received before that moment are still kept."""
    with opened(inbox) as events:
        return events.count(before)


def _delete(events: OldEvents, ledger: Ledger, doomed: list[int]) -> None:
    """The events and what was noted of them; the ledger's own commit follows."""
    ledger.journey.forget(doomed)
    ledger.journey.set_state(STATE, str(max(doomed[-1], int(ledger.journey.state(STATE) or 0))))
    events.delete(doomed)
