"""Makes the numbers in old calls unreadable: a stretch of calls in each transaction, so that the pipeline goes on.

    anonymize(ledger, inbox_path, date(2026, 1, 1), midnight)

The events that the calls came from hold the same numbers, so they have to go first, or stay on purpose. A masked number
cannot be rated by its digits any more: `rerate` refuses such days.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date, datetime
from pathlib import Path

from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.masking import STATE, MaskTables
from ippbx_billing.sqlite.locks import maintenance
from ippbx_billing.upkeep import pruning

STRETCH_CALLS = 2_000
PAUSE_S = 0.01


def anonymize(
    ledger: Ledger,
    inbox: Path,
    before: date,
    midnight: datetime,
    *,
    keep_events: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    wait_s: float = 0,
) -> int:
    """Mask the calls of days before that one, which begins at `midnight`; gives their number.

    Raises BillingError where events of that time are still kept, unless that is meant, and BusyError where other
    maintenance lasts longer than `wait_s`. A repeat goes on where an interruption left off, and takes calls that came
    late.
    """
    with nullcontext() if dry_run else maintenance(ledger.path.parent, "calls anonymize", wait_s):
        return _masked(ledger, inbox, before, midnight, keep_events, dry_run, progress)


def _masked(
    ledger: Ledger,
    inbox: Path,
    before: date,
    midnight: datetime,
    keep_events: bool,
    dry_run: bool,
    progress: Callable[[int, int], None],
) -> int:
    if not keep_events and not dry_run:
        _events_must_be_gone(inbox, before, midnight)
    tables = MaskTables(ledger.connection)
    last = tables.last_call()
    changed = 0
    if not dry_run:
        _begin(ledger, tables, before, midnight)
    for first in range(1, last + 1, STRETCH_CALLS):
        stretch = (first, first + STRETCH_CALLS - 1, before.isoformat())
        if dry_run:
            changed += tables.readable(*stretch)
        else:
            with ledger.transaction():
                changed += tables.mask(*stretch)
            time.sleep(PAUSE_S)
        progress(min(first + STRETCH_CALLS - 1, last), last)
    if not dry_run:
        tables.shrink_log()
    return changed


def _events_must_be_gone(inbox: Path, before: date, midnight: datetime) -> None:
    if count := pruning.count(inbox, midnight):
        raise BillingError(
            tr("{count} events received before {day} still hold the numbers", count=count, day=before),
            tr("`ippbx-bill events prune --before {day}` first, or --keep-events", day=before),
        )


def _begin(ledger: Ledger, tables: MaskTables, before: date, midnight: datetime) -> None:
    """From now on nobody rates these days again, so that no charge changes for want of digits."""
    tables.overwrite()
    with ledger.transaction():
        earlier = ledger.journey.state(STATE) or ""
        ledger.journey.set_state(STATE, max(earlier, before.isoformat()))
        tables.forget_live(midnight)
