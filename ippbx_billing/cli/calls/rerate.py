"""`rerate`: rates earlier calls again after a tariff, a filter or the calendar changed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.calls import TrafficType
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, WaitOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline.rerating import Difference, RerateOutcome, Wanted
    from ippbx_billing.settings import Settings


def rerate(
    month: MonthOption = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("the first day"))] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=en("the last day; default: today"))
    ] = None,
    traffic_type: Annotated[TrafficType | None, typer.Option(help=en("only this traffic type"))] = None,
    carrier: Annotated[str | None, typer.Option(help=en("only this carrier"))] = None,
    reclassify: Annotated[bool, typer.Option("--reclassify", help=en("look their numbers up again as well"))] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=en("only show the difference, by extension and in total"))
    ] = False,
    wait: WaitOption = 0,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Work out the charges of these days by the rules of today; the earlier ones stay in the calls' history."""
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.pipeline.rerating import Rerating

    using = common.settings()
    wanted = _wanted(using, month, first, last, traffic_type, carrier, reclassify)
    with common.open_ledger(using) as ledger:
        if carrier:
            ledger.book.carrier(carrier)
        rules = Rules.of(ledger, using)
        with common.progress(tr("rating again")) as told, _interrupted_between_stretches(told) as progress:
            work = Rerating(ledger, rules, wanted, progress)
            found = work.preview() if dry_run else work.run(common.now(), wait)
        if isinstance(found, dict):
            _show_differences(found, ledger, using, wanted, form, output)
        else:
            _tell(found, ledger, using, wanted, form, output)


@contextmanager
def _interrupted_between_stretches(progress: Callable[[int, int], None]) -> Iterator[Callable[[int, int], None]]:
    """Ctrl-C takes effect when `progress` is told next: amid a statement SQLite would report it as its own error."""
    asked: list[int] = []

    def tell(done: int, total: int) -> None:
        progress(done, total)
        if asked:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield tell
    finally:
        signal.signal(signal.SIGINT, before)


def _wanted(
    using: "Settings",
    month: str | None,
    first: str | None,
    last: str | None,
    traffic_type: TrafficType | None,
    carrier: str | None,
    reclassify: bool,
) -> "Wanted":
    from ippbx_billing.pipeline.rerating import Wanted
    from ippbx_billing.reports import Period

    today = common.today(using)
    if month and not first and not last:
        period = Period.month(month, today)
        days = period.first, period.last
    elif first and not month:
        days = common.day(first), common.day(last) if last else today
    else:
        raise UsageError(tr("say which days: either --month, or --from and perhaps --to"), tr("e.g. --month last"))
    if days[0] > days[1]:
        raise UsageError(tr("{first} is after {last}", first=days[0], last=days[1]), tr("--from is the earlier day"))
    return Wanted(*days, traffic_type, carrier, reclassify)


def _show_differences(
    found: "dict[str | None, Difference]",
    ledger: "Ledger",
    using: "Settings",
    wanted: "Wanted",
    form: Format,
    output: Any,
) -> None:
    """What a run would change, the extensions in order, with their sum."""
    from ippbx_billing.pipeline.rerating import Difference
    from ippbx_billing.reports.views import rerating

    total = Difference()
    for one in found.values():
        total.add(one)
    listed = rerating.differences(found, total, wanted, using.currency, ledger.book.decimals())
    show_listing(listed, form, output)
    if form is not Format.TABLE:
        return
    if total.unrated_before or total.unrated_after:
        say(
            tr(
                "unrated among these calls: {before} before, {after} after",
                before=total.unrated_before,
                after=total.unrated_after,
            )
        )
    say(tr("nothing has been changed; without --dry-run it is"))


def _tell(
    outcome: "RerateOutcome", ledger: "Ledger", using: "Settings", wanted: "Wanted", form: Format, output: Any
) -> None:
    """What the run did: a sentence for people, the figures for programs."""
    from ippbx_billing.reports.views import rerating

    left, decimals = rerating.still_unpriced(ledger, wanted), ledger.book.decimals()
    if form is not Format.TABLE:
        show_listing(rerating.done(outcome, left, wanted, using.currency, decimals), form, output)
        return
    for line in rerating.sentences(outcome, left, using.currency, decimals):
        say(line)
