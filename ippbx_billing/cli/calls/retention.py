"""`events prune` and `calls anonymize`: what need not be kept, or not so readably, is let go."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import WaitOption, say
from ippbx_billing.documents.columns import megabytes
from ippbx_billing.errors import CannotStartError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from datetime import date

    from ippbx_billing.ledger import Ledger
    from ippbx_billing.settings import Settings
    from ippbx_billing.upkeep.pruning import Pruned

DryRunOption = Annotated[bool, typer.Option("--dry-run", help=en("only count"))]
YesOption = Annotated[bool, typer.Option("--yes", help=en("do not ask"))]


def prune(
    before: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help=en("received before this day"))],
    also_rejected: Annotated[
        bool, typer.Option("--also-rejected", help=en("those that were never understood, too"))
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
) -> None:
    """Delete the events that the ledger holds; their calls and charges stay."""
    from ippbx_billing.upkeep.pruning import prune as delete

    with _until(before) as (using, ledger, day, midnight):
        found = delete(using.inbox_path, ledger, midnight, also_rejected=also_rejected, dry_run=True)
        _tell_found(found, day, also_rejected)
        if dry_run or not found.events:
            return
        _ask(tr("They cannot be read again afterwards, nor their calls made anew from them. Delete them?"), yes)
        with common.progress(tr("deleting events")) as told:
            done = delete(
                using.inbox_path,
                ledger,
                midnight,
                also_rejected=also_rejected,
                wait_s=wait,
                heard=lambda count: told(count, found.events),
            )
    say(tr("deleted {count} events", count=done.events))
    _give_back(using)


def _tell_found(found: "Pruned", day: "date", also_rejected: bool) -> None:
    say(tr("{count} events received before {day}, {size} MB", count=found.events, day=day,
           size=megabytes(found.bytes)))  # fmt: skip
    if found.rejected and not also_rejected:
        say(tr("{count} rejected ones stay; --also-rejected takes them too", count=found.rejected))


def _give_back(using: "Settings") -> None:
    """The space goes to the disk; from a file of an earlier version only while nobody listens."""
    from ippbx_billing.inbox import only_writer
    from ippbx_billing.upkeep import pruning

    freed = pruning.give_back(using.inbox_path)
    if freed is None:
        try:
            with only_writer(using.inbox_path):
                freed = pruning.compact(using.inbox_path)
        except CannotStartError:
            say(tr("the space is used for new events; to give it to the disk, stop `listen` and repeat this once"))
            return
    say(tr("{size} MB were given back to the disk", size=megabytes(freed)))


def anonymize(
    before: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help=en("calls of days before this one"))],
    keep_events: Annotated[
        bool, typer.Option("--keep-events", help=en("mask them although the events still hold the numbers"))
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
) -> None:
    """Mask the other side's numbers in old calls; sums stay as they are."""
    from ippbx_billing.upkeep.masking import anonymize as mask

    with _until(before) as (using, ledger, day, midnight):
        count = mask(ledger, using.inbox_path, day, midnight, dry_run=True)
        say(tr("{count} calls before {day} have readable numbers", count=count, day=day))
        if dry_run or not count:
            return
        _ask(tr("Their numbers cannot be read afterwards, nor the calls rated again. Mask them?"), yes)
        done = mask(ledger, using.inbox_path, day, midnight, keep_events=keep_events, wait_s=wait)
    say(tr("masked {count} calls; backups made before still hold their numbers", count=done))


@contextmanager
def _until(before: str) -> "Iterator[tuple[Settings, Ledger, date, datetime]]":
    """The site with its open ledger, and a day with its first moment there; UsageError for a day that is to come."""
    using, day = common.settings(), common.day(before)
    if day > common.today(using):
        raise UsageError(tr("{day} is yet to come", day=day), tr("name today or an earlier day"))
    with common.open_ledger(using) as ledger:
        common.open_inbox(using).close()  # it must be there
        yield using, ledger, day, datetime.combine(day, datetime.min.time(), using.site_zone)


def _ask(question: str, yes: bool) -> None:
    """Go on if the operator says so; typer ends the command otherwise."""
    if not yes:
        typer.confirm(question, abort=True, err=True)
