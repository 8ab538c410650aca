"""Builds the ledger anew from the inbox: every event is read and rated again by the rules of today.

    rebuilt = rebuild(inbox_path, ledger_path, lambda ledger: Rules.of(ledger, settings))

The one idea: the new ledger grows in a file beside the old one, and then takes its place in one transaction of SQLite.
Until then nobody notices anything, and a run that is cut off has changed nothing; afterwards whoever has the ledger
open, the listener's pipeline too, goes on with the new one. The ledger as it was stays as `ledger.db.before-rebuild`.

What people entered is taken over, and so are the calls whose events were pruned, with their charges. Calls get ids of
their own, as after a replay.
"""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.inbox import Inbox, only_writer
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.masking import STATE as ANONYMIZED
from ippbx_billing.ledger.masking import MaskTables
from ippbx_billing.ledger.rebuilds import Compared, RebuildTables
from ippbx_billing.ledger.writing import REPLACING
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.worker import GARBAGE_THRESHOLD
from ippbx_billing.sqlite import copies
from ippbx_billing.sqlite.locks import holder, maintenance

BESIDE = ".rebuilding"
BOOK = ".rebuilding-from"
FINISHED = ".rebuilt"
BEFORE = ".before-rebuild"
BATCH_EVENTS = 2_000
CACHE_KB = 64_000
COPIES = 3  # of the ledger, beside the present one: the new one, the one as it was, and the log of the exchange
PAUSE_S = 0.05

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many events were read and calls made of them, how many calls were kept without; where the old ledger is.

    `compared` says what the calls of the old ledger became, and their fees; None where there was none to compare with.
    """

    events: int
    calls: int
    kept: int
    before: Path | None
    compared: Compared | None = None


def rebuild(
    inbox_path: Path,
    ledger_path: Path,
    make_rules: Callable[[Ledger], Rules],
    *,
    book: Path | None = None,
    progress: Progress = lambda done, total: None,
    wait_s: float = 0,
    min_free_bytes: int = 0,
) -> Rebuilt:
    """Put a ledger made of the inbox in the place of the present one.

    `book` is another ledger, such as that of a backup, to take over from where the present one is lost or damaged; then
    no listener may run. Raises DataError, BusyError where other maintenance lasts longer than `wait_s`, and
    BillingError where somebody edited the ledger meanwhile, or calls would be lost; then nothing has changed.
    """
    with maintenance(ledger_path.parent, "events rebuild", wait_s):
        _must_have_room(ledger_path, COPIES, min_free_bytes)
        progress = _while_there_is_room(ledger_path, progress, min_free_bytes)
        if book is None:
            with _beside(ledger_path) as fresh:
                done, tables = _filled(fresh, ledger_path, inbox_path, make_rules, progress)
                return _replaced(done, tables, fresh, ledger_path)
        with only_writer(inbox_path), _copied(book, ledger_path) as earlier, _beside(ledger_path) as fresh:
            done, tables = _filled(fresh, earlier, inbox_path, make_rules, progress)
            tables.take_over_told()
            tables.let_go()
            return _installed(done, fresh, ledger_path)


@contextmanager
def _beside(ledger_path: Path) -> Iterator[Ledger]:
    """An empty ledger in a file of its own, which is gone afterwards."""
    path = ledger_path.with_name(ledger_path.name + BESIDE)
    _remove(path)
    try:
        with Ledger(path) as fresh:
            fresh.connection.execute("PRAGMA synchronous = OFF")  # what a power cut spoils is made again from the start
            fresh.connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")  # the keys of calls come in no order
            yield fresh
    finally:
        _remove(path)


@contextmanager
def _copied(book: Path, ledger_path: Path) -> Iterator[Path]:
    """A copy of the book, which may be of an older version, so that a backup stays as it is."""
    path = ledger_path.with_name(ledger_path.name + BOOK)
    _remove(path)
    try:
        if book.exists():
            copies.copy(book, path)
        yield path if book.exists() else book
    finally:
        _remove(path)


def _filled(
    fresh: Ledger, earlier: Path, inbox_path: Path, make_rules: Callable[[Ledger], Rules], progress: Progress
) -> tuple[Rebuilt, RebuildTables]:
    """Everything into the new ledger: first what is taken over, then what the events say."""
    _must_be_ledger(earlier)
    with Inbox(inbox_path) as inbox:
        tables = RebuildTables(fresh.connection, earlier, inbox_path)
        kept = tables.take_over()
        if kept:
            with fresh.transaction():
                fresh.rollups.rebuild()
        fresh.calls.forget_kinds()
        pipeline = Pipeline(inbox, fresh, lambda: make_rules(fresh), batch_size=BATCH_EVENTS)
        events = 0
        with _little_garbage():
            while taken := pipeline.step():
                events += taken
                progress(fresh.journey.position(), inbox.last_id())
        tables.take_over_history()
        tables.keep_changes(int(datetime.now(UTC).timestamp()))
        _mask_again(fresh)
    calls = tables.count_calls() - kept
    return Rebuilt(events, calls, kept, None), tables


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Rings of objects are looked for as rarely as the worker looks for them; as it was afterwards."""
    thresholds = gc.get_threshold()
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _must_be_ledger(path: Path) -> None:
    """It is brought up to date, and told plainly where it is none."""
    if not path.exists():
        raise DataError(tr("there is no ledger {path}", path=path), tr("name that of a backup with --book FILE"))
    try:
        with Ledger(path) as ledger:
            faults = ledger.faults()
    except DataError as error:
        faults = str(error)
    if faults:
        raise DataError(
            tr("{path} is damaged: {faults}", path=path, faults=faults), tr("name that of a backup with --book FILE")
        )


def _mask_again(fresh: Ledger) -> None:
    """Numbers that were made unreadable stay so, although an event still holds them."""
    before = fresh.journey.state(ANONYMIZED)
    if before:
        tables = MaskTables(fresh.connection)
        with fresh.transaction():
            tables.mask(1, tables.last_call(), before)


def _must_have_room(ledger_path: Path, copies_of_it: int, min_free_bytes: int) -> None:
    """The listener comes first: what it may need stays free. BillingError where the disk has not enough room."""
    size = ledger_path.stat().st_size if ledger_path.exists() else 0
    free, needed = shutil.disk_usage(ledger_path.parent).free, copies_of_it * size + min_free_bytes
    if free < needed:
        raise BillingError(
            tr("a rebuild needs {needed} MB, but {free} MB are free", needed=needed >> 20, free=free >> 20),
            tr("make room on the disk of the data directory"),
        )


def _while_there_is_room(ledger_path: Path, progress: Progress, min_free_bytes: int) -> Progress:
    """Looks at the disk with each batch, so that a rebuild ends before a record is refused for want of room."""

    def looked(done: int, total: int) -> None:
        _must_have_room(ledger_path, 0, min_free_bytes)
        progress(done, total)

    return looked


def _must_be_explained(tables: RebuildTables) -> Compared:
    """What became of the calls; BillingError where some would be lost: no event makes them, and they were not kept."""
    found = tables.compare()
    if found.lost.calls:
        raise BillingError(
            tr("{count} calls would be lost: their events went away meanwhile", count=found.lost.calls),
            tr("nothing has been changed; run it once more"),
        )
    return found


def _nobody_edited(tables: RebuildTables) -> None:
    if edited := tables.edited_meanwhile():
        raise BillingError(
            tr("somebody edited the ledger meanwhile: {tables}", tables=", ".join(edited)), tr("run it once more")
        )


def _replaced(done: Rebuilt, tables: RebuildTables, fresh: Ledger, ledger_path: Path) -> Rebuilt:
    """The new content into the present file; readers wait for it or still see the old one.

    From the last look at what was edited until it is in place nobody writes, see `ledger.writing`.
    """
    before = ledger_path.with_name(ledger_path.name + BEFORE)
    with Ledger(ledger_path) as present:
        with present.transaction():
            _nobody_edited(tables)
            compared = _must_be_explained(tables)
            present.journey.set_state(REPLACING, holder(ledger_path.parent))
        try:
            tables.take_over_told()
            tables.let_go()
            _remove(before)
            copies.copy(ledger_path, before)
            fresh.connection.backup(present.connection, sleep=PAUSE_S)
        except BaseException:
            present.journey.forget_state(REPLACING)
            raise
    return replace(done, before=before, compared=compared)


def _installed(done: Rebuilt, fresh: Ledger, ledger_path: Path) -> Rebuilt:
    """The new file in the place of one that is lost or damaged, which is kept."""
    finished, before = (ledger_path.with_name(ledger_path.name + ending) for ending in (FINISHED, BEFORE))
    _remove(finished)
    copies.copy(fresh.path, finished)
    kept = ledger_path.exists()
    if kept:
        _remove(before)
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            ledger_path.with_name(ledger_path.name + suffix).replace(before.with_name(before.name + suffix))
    finished.replace(ledger_path)
    return Rebuilt(done.events, done.calls, done.kept, before if kept else None)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
