"""`events salvage`: what can be read of a damaged inbox comes back, and is read by those who have not seen it.

done = salvage(ledger, inbox, settings, Path("inbox.db.damaged-20261123T021500Z"))
done.found.readable, done.found.missing, done.replayed.events
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ippbx_billing.inbox import Inbox
from ippbx_billing.inbox import salvage as salvaged
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Replayed, Rules
from ippbx_billing.settings import Settings
from ippbx_billing.sqlite.locks import maintenance


@dataclass(frozen=True, slots=True)
class SalvageDone:
    """What was found in the damaged file, and what reading it did."""

    found: salvaged.Salvaged
    replayed: Replayed


def salvage(
    ledger: Ledger,
    inbox: Inbox,
    using: Settings,
    damaged: Path,
    *,
    wait_s: float = 0,
    heard: Callable[[int, int], None] = lambda *_: None,
) -> SalvageDone:
    """Put its events into the inbox and read those that the ledger does not know; the file itself stays as it is.

    `heard` is told how many of how many missing events are read.

    A run that was killed is completed by the next one. Raises DataError where nothing can be read, and BusyError where
    other maintenance lasts longer than `wait_s`.
    """
    with maintenance(using.data_dir, "events salvage", wait_s):
        found = salvaged.salvage(damaged, using.inbox_path)
        pipeline = Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=using.batch_size)
        pipeline.drain()
        replayed = pipeline.replay(ledger.journey.unknown(found.ids), heard)
        salvaged.salvaged_are_read(using.inbox_path, found.ids)
    return SalvageDone(found, replayed)
