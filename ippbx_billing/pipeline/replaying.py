"""`events replay`: events read again after their cause was removed, alone, with the fees before and after.

done = replay(ledger, inbox, settings, unsettled)
done.fresh, done.replayed.events, done.replayed.fees.before.fee_micro, done.left
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ippbx_billing.errors import NotFoundError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Replayed, Rules, unsettled
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.locks import maintenance


@dataclass(frozen=True, slots=True)
class ReplayDone:
    """How many waiting events were read first, what reading others again did, how many are still not settled."""

    fresh: int
    replayed: Replayed
    left: int


def replay(
    ledger: Ledger,
    inbox: Inbox,
    using: Settings,
    choose: Callable[[Ledger], Iterable[int]],
    *,
    work: str = "events replay",
    wait_s: float = 0,
) -> ReplayDone:
    """Read what waits, then the events that `choose` names of the ledger as it is then.

    Raises BusyError where other maintenance lasts longer than `wait_s`.
    """
    with maintenance(using.data_dir, work, wait_s):
        pipeline = Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=using.batch_size)
        fresh = pipeline.drain()
        replayed = pipeline.replay(choose(ledger))
        return ReplayDone(fresh, replayed, len(unsettled(ledger)))


def read_again(ledger: Ledger, inbox: Inbox, using: Settings, call: int) -> int:
    """Read the event of one call once more; gives the number that the call has now.

    Raises NotFoundError where there is no such call, and BusyError while other maintenance is under way.
    """
    stored = ledger.calls.get(call)
    if stored is None:
        raise NotFoundError(tr("there is no call {id}", id=call), tr("see `ippbx-bill calls list`"))
    replay(ledger, inbox, using, lambda _: [stored["event_id"]])
    found = ledger.calls.known([stored["key"]])
    return int(found[stored["key"]]["id"]) if stored["key"] in found else call
