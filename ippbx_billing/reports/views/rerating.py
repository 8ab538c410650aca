"""How a re-rating looks: what it would change by extension, and what it did."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ippbx_billing.calls import Reason
from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import counted, sentence
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import Period, Where, fee_text, sources
from ippbx_billing.reports.names import Who

if TYPE_CHECKING:
    from ippbx_billing.pipeline.rerating import Difference, RerateOutcome, Wanted


def differences(
    found: "Mapping[str | None, Difference]", total: "Difference", wanted: "Wanted", currency: str, decimals: int
) -> Listing:
    """What a run would change, the extensions in order, with their sum."""
    rows: list[dict[str, Any]] = [
        {"extension": extension, **_figures(found[extension], decimals)}
        for extension in sorted(found, key=lambda name: (name is None, len(name or ""), name or ""))
    ]
    headings = [
        Column("extension", tr("Extension"), "code"),
        Column("calls", tr("Changed calls"), "number"),
        Column("before", tr("Before ({currency})", currency=currency), "money"),
        Column("after", tr("After ({currency})", currency=currency), "money"),
        Column("difference", tr("Difference"), "money"),
    ]
    summed = _figures(total, decimals)
    return Listing(
        rows,
        headings,
        document={**_head(wanted, currency), "rows": rows, "total": summed},
        total={"extension": tr("total"), **summed},
        title=tr("What rating {first} to {last} again would change", first=wanted.first, last=wanted.last),
        empty=tr("nothing would change"),
    )


def done(
    outcome: "RerateOutcome", left: Mapping[Reason, int], wanted: "Wanted", currency: str, decimals: int
) -> Listing:
    """What a run did, for programs; `left` are the calls that have no price after all, by reason."""
    document = {**_head(wanted, currency), **_outcome(outcome, left, decimals)}
    return Listing([document], all_columns(document), document=document)


def still_unpriced(ledger: Ledger, wanted: "Wanted") -> dict[Reason, int]:
    """The calls of these days that have no price after all, by reason."""
    where = Where(traffic_type=wanted.traffic_type, carrier=wanted.carrier)
    question = sources.Question(Period.days(wanted.first, wanted.last), (), where, Who())
    return sources.unrated_reasons(ledger, question)


def sentences(outcome: "RerateOutcome", left: Mapping[Reason, int], currency: str, decimals: int) -> Iterator[str]:
    """What became of the calls, and why some have no price still."""
    if not outcome.calls:
        yield tr("nothing to do: there is no such call in these days")
        return
    yield tr("rated {calls} calls again, {changed} have another charge now", calls=f"{outcome.calls:,}",
             changed=f"{outcome.changed:,}")  # fmt: skip
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
    if outcome.changed:
        yield tr("earlier charges: `ippbx-bill calls explain ID --history`")


def _figures(one: "Difference", decimals: int) -> dict[str, Any]:
    return {
        "calls": one.calls,
        **_fees(one.before_micro, one.after_micro, decimals),
        "unrated_before": one.unrated_before,
        "unrated_after": one.unrated_after,
    }


def _fees(before_micro: int, after_micro: int, decimals: int) -> dict[str, str | None]:
    return {
        "before": fee_text(before_micro, decimals),
        "after": fee_text(after_micro, decimals),
        "difference": fee_text(after_micro - before_micro, decimals),
    }


def _head(wanted: "Wanted", currency: str) -> dict[str, Any]:
    return {
        "from": wanted.first.isoformat(),
        "to": wanted.last.isoformat(),
        "traffic_type": wanted.traffic_type,
        "carrier": wanted.carrier,
        "reclassify": wanted.reclassify,
        "currency": currency,
    }


def _outcome(outcome: "RerateOutcome", left: Mapping[Reason, int], decimals: int) -> dict[str, Any]:
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
