"""Limits and accounts as people set them: words read, kept, and told what is so now.

set_limit(ledger, "8001", WantedLimit(fee="200", time="10h"), today)   # "limit of extension 8001 is set"
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.limits import UsageLimit
from ippbx_billing.reports.limits import AccountBalance, LimitBook, Person, account_of, amount_of, length_of, person


@dataclass(frozen=True, slots=True)
class WantedLimit:
    """A limit in words: a fee in the currency, a time such as 10h, `month` or `day`, at which per cents it is told."""

    fee: str = ""
    time: str = ""
    per: str = "month"
    warn: str = "80,100"
    bars: bool = False


def set_limit(ledger: Ledger, who: str, wanted: WantedLimit, today: date) -> str:
    """Limit somebody; UsageError for words that are none."""
    if not (wanted.fee or wanted.time):
        raise UsageError(tr("neither a fee nor a time is said"), f"ippbx-bill limits set {who} 200 --time 10h")
    kind, what = person(ledger, who, today)
    fee = amount_of(wanted.fee) if wanted.fee else None
    time = length_of(wanted.time) if wanted.time else None
    if wanted.per not in ("month", "day"):
        raise UsageError(tr("{text!r} is not one of them", text=wanted.per), "month, day")
    ledger.limits.put(UsageLimit(kind, what, fee, time, wanted.per, marks(wanted.warn), wanted.bars))
    return tr("limit of {kind} {name} is set", kind=tr(kind), name=LimitBook(ledger, today).name(kind, what))


def marks(text: str) -> tuple[int, ...]:
    """At how many per cent a limit is told of."""
    words = [one.strip() for one in text.split(",") if one.strip()]
    if not all(re.fullmatch(r"[1-9]\d{0,2}", one) for one in words):
        raise UsageError(tr("{text!r} are not percentages", text=text), "--warn 80,100")
    return tuple(sorted({int(one) for one in words}))


def remove_limit(ledger: Ledger, key: Person, name: str) -> str:
    """Limit somebody no more; `name` is how they were called. NotFoundError where they have no limit."""
    if not ledger.limits.remove(*key):
        raise NotFoundError(tr("{name} has no limit", name=name), tr("see `ippbx-bill limits list`"))
    return tr("removed {name}", name=name)


@dataclass(frozen=True, slots=True)
class WantedTopUp:
    """A payment in words; `reserve` empty and `bars` None leave what is set."""

    amount: str
    note: str = ""
    first: date | None = None
    reserve: str | None = None
    bars: bool | None = None


def top_up(ledger: Ledger, who: str, wanted: WantedTopUp, now: datetime, today: date) -> AccountBalance:
    """Pay in, the first time opening the account; what is left then. UsageError for a second first day."""
    paid = amount_of(wanted.amount, given_back=True)
    least = None if wanted.reserve is None else amount_of(wanted.reserve)
    key = person(ledger, who, today)
    known = ledger.limits.account(*key)
    if known is not None and wanted.first is not None:
        opened = tr("the account of {name} was opened on {day}", name=who, day=known.first_day)
        raise UsageError(opened, tr("leave out --from"))
    ledger.limits.top_up(
        *key, paid, today, int(now.timestamp()), wanted.note, first_day=wanted.first or today, reserve_micro=least,
        bars=wanted.bars,
    )  # fmt: skip
    return LimitBook(ledger, today).balance(account_of(ledger, who, today))


def names(text: str) -> list[str]:
    """A list such as 8001,8002."""
    return [one.strip() for one in text.split(",") if one.strip()]
