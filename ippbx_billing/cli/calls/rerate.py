"""`rerate`: rates earlier calls again after a tariff, a filter or the calendar changed."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.calls import TrafficType
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, WaitOption, say
from ippbx_billing.documents.columns import Column, Format, all_columns
from ippbx_billing.documents.render import show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.calls import Reason
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

    total = Difference()
    for one in found.values():
        total.add(one)
    decimals = ledger.book.decimals()
    rows = [
        {"extension": extension, **_figures(found[extension], decimals)}
        for extension in sorted(found, key=lambda name: (name is None, len(name or ""), name or ""))
    ]
    headings = [
        Column("extension", tr("Extension"), "code"),
        Column("calls", tr("Changed calls"), "number"),
        Column("before", tr("Before ({currency})", currency=using.currency), "money"),
        Column("after", tr("After ({currency})", currency=using.currency), "money"),
        Column("difference", tr("Difference"), "money"),
    ]
    document = {**_head(wanted, using), "rows": rows, "total": _figures(total, decimals)}
    show(
        rows,
        headings,
        form,
        output,
        total={"extension": tr("total"), **_figures(total, decimals)},
        document=document,
        title=tr("What rating {first} to {last} again would change", first=wanted.first, last=wanted.last),
        empty=tr("nothing would change"),
    )
    if form is Format.TABLE and (total.unrated_before or total.unrated_after):
        say(
            tr(
                "unrated among these calls: {before} before, {after} after",
                before=total.unrated_before,
                after=total.unrated_after,
            )
        )
    if form is Format.TABLE:
        say(tr("nothing has been changed; without --dry-run it is"))


def _figures(one: "Difference", decimals: int) -> dict[str, Any]:
    return {
        "calls": one.calls,
        **_fees(one.before_micro, one.after_micro, decimals),
        "unrated_before": one.unrated_before,
        "unrated_after": one.unrated_after,
    }


def _fees(before_micro: int, after_micro: int, decimals: int) -> dict[str, str | None]:
    from ippbx_billing.reports import fee_text

    return {
        "before": fee_text(before_micro, decimals),
        "after": fee_text(after_micro, decimals),
        "difference": fee_text(after_micro - before_micro, decimals),
    }


def _head(wanted: "Wanted", using: "Settings") -> dict[str, Any]:
    return {
        "from": wanted.first.isoformat(),
        "to": wanted.last.isoformat(),
        "traffic_type": wanted.traffic_type,
        "carrier": wanted.carrier,
        "reclassify": wanted.reclassify,
        "currency": using.currency,
    }


def _tell(
    outcome: "RerateOutcome", ledger: "Ledger", using: "Settings", wanted: "Wanted", form: Format, output: Any
) -> None:
    """What the run did: a sentence for people, the figures for programs."""
    left = _still_unpriced(ledger, wanted)
    if form is not Format.TABLE:
        document = {**_head(wanted, using), **_outcome(outcome, left, ledger.book.decimals())}
        show([document], all_columns(document), form, output, document=document)
        return
    say(tr("rated {calls} calls again, {changed} have another charge now", calls=f"{outcome.calls:,}",
           changed=f"{outcome.changed:,}"))  # fmt: skip
    for line in _told(outcome, left, ledger.book.decimals(), using.currency):
        say(line)
    if outcome.changed:
        say(tr("earlier charges: `ippbx-bill calls explain ID --history`"))


def _still_unpriced(ledger: "Ledger", wanted: "Wanted") -> "dict[Reason, int]":
    """The calls of these days that have no price after all, by reason."""
    from ippbx_billing.reports import Period, Where, sources
    from ippbx_billing.reports.names import Who

    where = Where(traffic_type=wanted.traffic_type, carrier=wanted.carrier)
    question = sources.Question(Period.days(wanted.first, wanted.last), (), where, Who())
    return sources.unrated_reasons(ledger, question)


def _outcome(outcome: "RerateOutcome", left: "dict[Reason, int]", decimals: int) -> dict[str, Any]:
    from ippbx_billing.language.reasons import counted
    from ippbx_billing.reports import fee_text

    return {
        "calls": outcome.calls,
        "changed": outcome.changed,
        **_fees(outcome.before_micro, outcome.after_micro, decimals),
        "priced": outcome.priced,
        "priced_fee": fee_text(outcome.priced_micro, decimals),
        "fee_changed": outcome.fees,
        "fee_changed_before": fee_text(outcome.fees_before_micro, decimals),
        "fee_changed_after": fee_text(outcome.fees_after_micro, decimals),
        "unpriced": sum(left.values()),
        "unpriced_by_reason": counted(left),
    }


def _told(outcome: "RerateOutcome", left: "dict[Reason, int]", decimals: int, currency: str) -> Iterator[str]:
    """What became of the calls, and why some have no price still."""
    from ippbx_billing.language.reasons import sentence

    told = _outcome(outcome, left, decimals)
    if outcome.changed:
        yield tr("these cost {before} {currency} before and {after} now: {difference}", currency=currency,
                 before=told["before"], after=told["after"], difference=told["difference"])  # fmt: skip
    if outcome.priced:
        yield tr("priced now: {count} calls, {fee} {currency}", count=f"{outcome.priced:,}", fee=told["priced_fee"],
                 currency=currency)  # fmt: skip
    if outcome.fees:
        yield tr("fee changed: {count} calls, {before} -> {after} {currency}", count=f"{outcome.fees:,}",
                 before=told["fee_changed_before"], after=told["fee_changed_after"], currency=currency)  # fmt: skip
    for reason, count in left.items():
        yield tr("still without a price: {count}, {reason}", count=f"{count:,}", reason=sentence(reason))
