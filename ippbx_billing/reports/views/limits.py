"""How limits, accounts and barrings look."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from ippbx_billing import money
from ippbx_billing.documents.columns import AT_LEAST, Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence
from ippbx_billing.ledger.limits import Barring
from ippbx_billing.reports.limits import AccountBalance, BarringStep, LimitUsage, StatementEntry, usage_row


def limits(usages: Iterable[LimitUsage]) -> Listing:
    """Every limit and what was used of it."""
    columns = [
        Column("kind", tr("Kind"), "word"),
        Column("who", tr("Who")),
        Column("period", tr("Period"), "code"),
        Column("fee_limit", tr("Fee limit"), "money"),
        Column("fee_used", tr("Fee used"), "money", unpriced="unpriced"),
        Column("time_limit_s", tr("Time limit"), "length"),
        Column("time_used_s", tr("Time used"), "length"),
        Column("percent", tr("Used %"), "number"),
        Column("warn", tr("Marks"), rank=1),
        Column("bars", tr("Bars"), "flag"),
    ]
    return Listing([usage_row(one) for one in usages], columns, empty=tr("there is no limit"))


def said(row: Mapping[str, Any]) -> str:
    """A limit in words, as a bill has it: 163.20 of 200.00 (81 %)."""
    parts = []
    if row["fee_limit"] is not None:
        least = AT_LEAST if row["unpriced"] else ""
        parts.append(tr("{used} of {most}", used=least + row["fee_used"], most=row["fee_limit"]))
    if row["time_limit_s"] is not None:
        used, most = row["time_used_s"] // 60, row["time_limit_s"] // 60
        parts.append(tr("{used} of {most} min", used=used, most=most))
    return f"{', '.join(parts)} ({row['percent']} %)"


def _step_columns() -> list[Column]:
    """What is to be done, or was, and to whom."""
    return [
        Column("action", tr("Action"), "word"),
        Column("kind", tr("Kind"), "word"),
        Column("object", tr("Who"), "code"),
    ]


def _step_row(one: BarringStep) -> dict[str, Any]:
    return {"action": one.action, "kind": one.kind, "object": one.object}


def steps(found: Iterable[BarringStep]) -> Listing:
    """Who would be barred and freed, and why."""
    columns = [
        *_step_columns(),
        Column("why", tr("Why")),
    ]
    rows = [_step_row(one) | {"reason": one.reason.code, "why": sentence(one.reason)} for one in found]
    return Listing(rows, columns, empty=tr("nobody is to be barred or freed"))


def outcomes(done: Sequence[tuple[BarringStep, str | None]]) -> Listing:
    """What came of each step."""
    columns = [
        *_step_columns(),
        Column("state", tr("State"), "word"),
        Column("error", tr("Error")),
    ]
    rows = [_step_row(one) | {"state": "failed" if error else "confirmed", "error": error} for one, error in done]
    return Listing(rows, columns, empty=tr("nothing was to be done"))


def journal(entries: Iterable[Barring], zone: tzinfo) -> Listing:
    "Show what the PBX was asked for, and what came of it."
    columns = [
        Column("at", tr("Time"), "time"),
        Column("action", tr("Action"), "word"),
        Column("object", tr("Who"), "code"),
        Column("state", tr("State"), "word"),
        Column("by", tr("By")),
        Column("why", tr("Why")),
        Column("error", tr("Error"), rank=1),
    ]
    rows = [
        {
            "at": datetime.fromtimestamp(one.asked_at, zone).isoformat(), "action": one.action, "kind": one.kind,
            "object": one.object, "state": one.state, "by": one.wanted_by or tr("by itself"),
            "why": sentence(one.reason), "error": one.error or None,
        }
        for one in entries
    ]  # fmt: skip
    return Listing(rows, columns, empty=tr("the PBX was never asked"))


def accounts(balances: Iterable[AccountBalance], currency: str) -> Listing:
    """Every account and what is left of it."""
    columns = [
        Column("kind", tr("Kind"), "word"),
        Column("who", tr("Who")),
        Column("since", tr("Since"), "code"),
        Column("paid", tr("Paid in"), "money"),
        Column("used", tr("Fee used"), "money", unpriced="unpriced"),
        Column("balance", tr("Balance ({currency})", currency=currency), "money"),
        Column("reserve", tr("Reserve"), "money", rank=1),
        Column("bars", tr("Bars"), "flag"),
    ]
    return Listing([balance(one) for one in balances], columns, empty=tr("there is no account"))


def balance(one: AccountBalance) -> dict[str, Any]:
    """One account; with calls without a price the balance is at most that."""
    return {
        "kind": one.account.kind,
        "object": one.account.object,
        "who": one.name,
        "since": one.account.first_day.isoformat(),
        "paid": _text(one.account.paid_micro),
        "used": _text(one.used.fee_micro),
        "balance": _text(one.balance_micro),
        "reserve": _text(one.account.reserve_micro),
        "bars": one.account.bars,
        "unpriced": one.used.unpriced,
    }


def statement(entries: Sequence[StatementEntry], name: str, currency: str) -> Listing:
    """Payments and fees with what was left after each."""
    columns = [
        Column("day", tr("Day"), "code"),
        Column("note", tr("Note")),
        Column("amount", tr("Amount"), "money"),
        Column("balance", tr("Balance ({currency})", currency=currency), "money"),
    ]
    rows = [
        {
            "day": one.day.isoformat(), "note": one.note, "amount": _text(one.amount_micro),
            "balance": _text(one.balance_micro), "unpriced": one.unpriced,
        }
        for one in entries
    ]  # fmt: skip
    return Listing(rows, columns, title=tr("Account of {name}", name=name), empty=tr("nothing was paid or used"))


def notes(found: Iterable[LimitUsage | AccountBalance | StatementEntry]) -> list[str]:
    """What the sums do not cover."""
    unpriced = sum(one.unpriced if isinstance(one, StatementEntry) else one.used.unpriced for one in found)
    if not unpriced:
        return []
    return [tr("{count} calls have no price and are in no sum: more may be used than it says", count=unpriced)]


def _text(micro: int | None) -> str | None:
    return None if micro is None else money.text(micro)
