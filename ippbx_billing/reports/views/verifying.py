"""How a verified bill looks: both sums, the causes, and below them each line or call by which the sums differ."""

from typing import Any

from ippbx_billing import money
from ippbx_billing.documents.columns import Column, cell
from ippbx_billing.documents.document import Document, Section
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.reports.conditions import Period
from ippbx_billing.reports.verifying import BillDifference, CauseSum, DifferenceCause, Verification

MOST_PROBLEMS = 20


def verified(answer: Verification, carrier: str, period: Period, currency: str) -> Listing:
    """The causes and the differences; what limits the answer goes with them wherever they go."""
    causes = [_cause_row(one) for one in answer.causes]
    rows = [_row(one) for one in answer.differences]
    title = tr("The bill of {carrier} for {month} ({currency})", carrier=carrier, month=period.name, currency=currency)
    total = {"cause": tr("total"), "count": len(rows), "difference": _text(answer.their_micro - answer.our_micro)}
    paper = Document(
        title,
        facts=[
            (tr("Carrier"), carrier),
            (tr("Days"), f"{period.first} – {period.last}"),
            (tr("Currency"), currency),
            *_facts(answer),
        ],
        sections=[
            Section(tr("By cause"), _cause_columns(), [_spoken(one) for one in causes], total=total, empty=_agree()),
            Section(tr("Line by line"), columns(), [_spoken(one) for one in rows], empty=_agree()),
        ],
        notes=notes(answer),
        dated=period.last,
    )
    document = {"carrier": carrier, "month": period.name, "currency": currency, **_sums(answer)}
    document |= {"causes": causes, "rows": rows, "problems": list(answer.problems)}
    return Listing(rows, columns(), document=document, paper=paper, title=title, empty=_agree())


def _agree() -> str:
    return tr("the bill and our calls agree")


def _sums(answer: Verification) -> dict[str, Any]:
    return {
        "theirs": _text(answer.their_micro),
        "ours": _text(answer.our_micro),
        "difference": _text(answer.their_micro - answer.our_micro),
        "whole": not answer.unrated and not answer.problems,
        "lines": answer.lines,
        "matched": answer.matched,
        "agreed": answer.agreed,
        "unpriced": answer.unrated,
        "unread": len(answer.problems),
        "other_lengths": answer.other_lengths,
        "clock_shift_s": answer.shift_s,
        "stated_total": _text(answer.stated_micro),
    }


def _facts(answer: Verification) -> list[tuple[str, str]]:
    lines = tr("{lines}, of which {matched} are calls of ours and {agreed} agree",
               lines=answer.lines, matched=answer.matched, agreed=answer.agreed)  # fmt: skip
    theirs, ours, difference = (
        cell(_text(micro), "money")
        for micro in (answer.their_micro, answer.our_micro, answer.their_micro - answer.our_micro)
    )
    return [
        (tr("They ask for"), theirs),
        (tr("By our calls it is"), f"≥ {ours}" if answer.unrated else ours),
        (tr("Difference"), difference),
        (tr("Lines of the bill"), lines),
    ]


def notes(answer: Verification) -> list[str]:
    """What limits the answer, in sentences."""
    found = []
    if answer.unrated:
        found.append(tr("{count} of our calls have no fee, so the difference is not whole; see `ippbx-bill doctor`",
                        count=answer.unrated))  # fmt: skip
    if answer.problems:
        found.append(tr("{count} lines of the bill could not be read and are in no sum", count=len(answer.problems)))
        found += answer.problems[:MOST_PROBLEMS]
    if answer.stated_micro is not None and answer.stated_micro != answer.their_micro:
        found.append(tr("the bill names a total of {stated}, but its lines come to {sum}",
                        stated=_text(answer.stated_micro), sum=_text(answer.their_micro)))  # fmt: skip
    if answer.shift_s:
        found.append(tr("the provider's clock is {seconds} s ahead of ours; the lines were compared with that in mind",
                        seconds=answer.shift_s))  # fmt: skip
    if answer.other_lengths:
        found.append(tr("{count} calls have another length there, which changes no fee", count=answer.other_lengths))
    return found


def columns() -> list[Column]:
    """The columns of the differences."""
    return [
        Column("cause", tr("Cause")),
        Column("difference", tr("Difference"), "money"),
        Column("where", tr("Where"), rank=2),
        Column("started_at", tr("Time"), "time"),
        Column("extension", tr("Extension"), "code", rank=1),
        Column("number", tr("Number"), "code"),
        Column("theirs_s", tr("Their length"), "length"),
        Column("ours_s", tr("Our length"), "length"),
        Column("theirs", tr("Their fee"), "money"),
        Column("ours", tr("Our fee"), "money"),
        Column("call", tr("Call"), "code", rank=1),
    ]


def _cause_columns() -> list[Column]:
    return [
        Column("cause", tr("Cause")),
        Column("count", tr("Count"), "number"),
        Column("difference", tr("Difference"), "money"),
    ]


def _cause_row(one: CauseSum) -> dict[str, Any]:
    return {"cause": one.cause.value, "count": one.count, "difference": _text(one.micro)}


def _row(one: BillDifference) -> dict[str, Any]:
    return {
        "cause": one.cause.value,
        "difference": None
        if one.our_micro is None and one.cause in (DifferenceCause.UNRATED, DifferenceCause.MISSING)
        else _text(one.micro),
        "where": one.where or None,
        "started_at": one.started_at and one.started_at.isoformat(),
        "extension": one.extension or None,
        "number": one.number,
        "theirs_s": one.theirs_s,
        "ours_s": one.ours_s,
        "theirs": _text(one.their_micro),
        "ours": _text(one.our_micro),
        "call": one.call,
        "parts": {cause.value: _text(micro) for cause, micro in one.parts},
    }


def _spoken(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "cause": words()[DifferenceCause(row["cause"])]}


def words() -> dict[DifferenceCause, str]:
    """The causes in words."""
    return {
        DifferenceCause.UNKNOWN: tr("we have no such call"),
        DifferenceCause.TWICE: tr("billed twice"),
        DifferenceCause.UNANSWERED: tr("nobody answered"),
        DifferenceCause.ELSEWHERE: tr("went over another carrier's line"),
        DifferenceCause.INCOMING: tr("was not an outgoing call"),
        DifferenceCause.LEFT_OUT: tr("left out by a filter, or told by another record"),
        DifferenceCause.OTHER_MONTH: tr("of another month"),
        DifferenceCause.ITEM: tr("no call: rent, package, credit"),
        DifferenceCause.MISSING: tr("not on the bill"),
        DifferenceCause.LENGTH: tr("another length"),
        DifferenceCause.PRICE: tr("another price"),
        DifferenceCause.ROUNDING: tr("rounding"),
        DifferenceCause.UNRATED: tr("we have no price for it"),
    }


def _text(micro: int | None) -> str | None:
    return None if micro is None else money.text(micro)
