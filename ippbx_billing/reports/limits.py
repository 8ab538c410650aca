"""Who has used how much of what they may, and who is to be barred or freed because of it.

    for one in usages(ledger, today): one.percent, one.reason()
    for step in plan(ledger, today): step.action, step.object, step.reason

The one idea: usage and balance are sums of the calls and never stored, so that a new price, a top-up, a new month or a
late call need nothing to be set right. Nothing is known of a call that still goes on: a limit is looked at afterwards.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Fact, Reason, TrafficType
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.limits import KINDS, PrepaidAccount, UsageLimit
from ippbx_billing.reports.conditions import Period, Where
from ippbx_billing.reports.names import is_known_extension
from ippbx_billing.reports.sources import Question, sums

Person = tuple[str, str]  # kind and object, as limits are kept


@dataclass(frozen=True, slots=True)
class Used:
    """Fees in micro-units, talk in seconds, and how many calls have no price and so are in no fee."""

    fee_micro: int = 0
    time_s: int = 0
    unpriced: int = 0

    def plus(self, other: "Used") -> "Used":
        """Both together."""
        return Used(self.fee_micro + other.fee_micro, self.time_s + other.time_s, self.unpriced + other.unpriced)


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """A limit, whose it is in words, its period, and what was used of it."""

    limit: UsageLimit
    name: str
    period: Period
    used: Used

    @property
    def percent(self) -> int:
        """How much of it is used: of fee and time whichever is further; whole per cents, rounded down."""
        parts = [(self.used.fee_micro, self.limit.fee_micro), (self.used.time_s, self.limit.time_s)]
        return max((used * 100 // most if most else 100 for used, most in parts if most is not None), default=0)

    @property
    def mark(self) -> int | None:
        """The highest mark that is reached, in per cent."""
        return max((one for one in self.limit.warn if self.percent >= one), default=None)

    def reason(self) -> Reason:
        """What is to be told of it."""
        facts: dict[str, Fact] = {"who": self.name, "percent": self.percent, "period": self.period.name}
        of_time = self.limit.time_s is not None and self._time_leads()
        if of_time:
            facts |= {"minutes": self.used.time_s // 60, "limit": (self.limit.time_s or 0) // 60}
            return Reason("alert-limit-time", facts)
        facts |= {"fee_micro": self.used.fee_micro, "limit_micro": self.limit.fee_micro or 0}
        return Reason("alert-limit-fee", facts)

    def _time_leads(self) -> bool:
        if not self.limit.fee_micro:
            return self.limit.fee_micro is None
        return self.used.time_s * self.limit.fee_micro > self.used.fee_micro * (self.limit.time_s or 1)


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account, whose it is in words, and what was used of it."""

    account: PrepaidAccount
    name: str
    used: Used

    @property
    def balance_micro(self) -> int:
        """What is left; with calls without a price it is at most that."""
        return self.account.paid_micro - self.used.fee_micro

    def reason(self) -> Reason:
        """What is to be told of it."""
        facts: dict[str, Fact] = {
            "who": self.name, "balance_micro": self.balance_micro, "reserve_micro": self.account.reserve_micro,
        }  # fmt: skip
        return Reason("alert-limit-balance", facts)


@dataclass(frozen=True, slots=True)
class BarringStep:
    """What is to be done: `bar`, `unbar`, or `warn` where whoever set the limit wants no barring."""

    action: str
    kind: str  # extension or pin: what a PBX can bar
    object: str
    reason: Reason


class LimitBook:
    """All limits and accounts of a site as of a day, with what was used; each sum is asked for once."""

    def __init__(self, ledger: Ledger, today: date) -> None:
        self._ledger, self._today = ledger, today
        self._sums: dict[tuple[str, date, date], dict[str, Used]] = {}

    def usages(self) -> list[LimitUsage]:
        """Every limit with what was used in its present period."""
        found = []
        for one in self._ledger.limits.all():
            period = period_of(one.per, self._today)
            found.append(
                LimitUsage(one, self.name(one.kind, one.object), period, self.used(one.kind, one.object, period))
            )
        return found

    def usage_in(self, person: Person, period: Period) -> LimitUsage | None:
        """Somebody's limit a month with what was used in that month; None for other periods, or without a limit."""
        one = next((one for one in self._ledger.limits.all() if (one.kind, one.object) == person), None)
        if one is None or one.per != "month" or not period.is_month:
            return None
        return LimitUsage(one, self.name(*person), period, self.used(*person, period))

    def balances(self) -> list[AccountBalance]:
        """Every account with what is left."""
        return [self.balance(one) for one in self._ledger.limits.accounts()]

    def balance(self, one: PrepaidAccount) -> AccountBalance:
        """What is left of an account; fees of days after today count as well, as a wrong clock makes them."""
        last = max(self._today, one.first_day) + timedelta(days=1)
        used = self.used(one.kind, one.object, Period.days(one.first_day, last))
        return AccountBalance(one, self.name(one.kind, one.object), used)

    def used(self, kind: str, what: str, period: Period) -> Used:
        """What somebody used: outgoing calls to the outside, the filtered ones left out."""
        key = (kind, period.first, period.last)
        if key not in self._sums:
            self._sums[key] = self._asked(kind, period)
        if kind != "department":
            return self._sums[key].get(what, Used())
        total = Used()
        for number in self._below(int(what)):
            total = total.plus(self._sums[key].get(str(number), Used()))
        return total

    def _asked(self, kind: str, period: Period) -> dict[str, Used]:
        found: dict[str, Used] = {}
        question = Question(period, (kind, "traffic_type"), Where(direction="outbound"))
        for (who, traffic, status), (calls, _, _, billed_s, fee, *_) in sums(self._ledger, question).items():
            if who is None or traffic == TrafficType.INTERNAL or status == ChargeStatus.FILTERED:
                continue
            more = Used(fee, billed_s, calls if status == ChargeStatus.UNRATED else 0)
            found[str(who)] = found.get(str(who), Used()).plus(more)
        return found

    def _below(self, number: int) -> list[int]:
        own = self._paths.get(number, "")
        return [one for one, path in self._paths.items() if f"{path}/".startswith(f"{own}/")] or [number]

    @cached_property
    def _paths(self) -> dict[int, str]:
        return {one.id: one.path for one in self._ledger.directory.departments(ended=True)}

    @cached_property
    def _employees(self) -> dict[int, tuple[str, str]]:
        return {one.id: (one.number, one.name) for one in self._ledger.directory.employee_history()}

    def name(self, kind: str, what: str) -> str:
        """Somebody in words: 8001, 1001 张三, 公司/工程部, PIN 1234."""
        if kind == "employee":
            return " ".join(self._employees.get(int(what), (what, "")))
        if kind == "department":
            return self._paths.get(int(what), what)
        return f"PIN {what}" if kind == "pin" else what

    def key(self, kind: str, row: Mapping[str, Any]) -> str:
        """Whom a row of a report is about, as limits are kept."""
        if kind == "employee":
            return next(
                (str(one) for one, (number, _) in self._employees.items() if number == row["employee_number"]), ""
            )
        if kind == "department":
            return next((str(one) for one, path in self._paths.items() if path == row["department"]), "")
        return str(row[kind])

    def bars(self, kind: str, what: str) -> list[Person]:
        """What a PBX would bar for somebody: their extensions of today, or the PIN."""
        if kind in ("extension", "pin"):
            return [(kind, what)]
        extensions = self._ledger.directory.extensions(self._today)
        if kind == "employee":
            number = self._employees.get(int(what), ("", ""))[0]
            return [("extension", one.number) for one in extensions if one.employee == number]
        paths = {self._paths[one] for one in self._below(int(what)) if one in self._paths}
        return [("extension", one.number) for one in extensions if one.department in paths]


def period_of(per: str, today: date) -> Period:
    """The period of a limit that this day is in."""
    return Period.days(today, today) if per == "day" else Period.month("this", today)


def plan(ledger: Ledger, today: date, exempt: Sequence[str] = ()) -> list[BarringStep]:
    """Who is to be barred, and freed, and who has reached a limit that does not bar; extensions by number."""
    book = LimitBook(ledger, today)
    wanted: dict[Person, Reason] = {}
    warned: dict[Person, Reason] = {}
    for person, bars, reason in _reached(book):
        for one in book.bars(*person):
            if one[1] not in exempt:
                (wanted if bars else warned).setdefault(one, reason)
    barred = ledger.limits.barred()
    steps = [BarringStep("bar", *one, reason) for one, reason in wanted.items() if one not in barred]
    steps += [BarringStep("unbar", *one, barred[one].reason) for one in barred if one not in wanted]
    steps += [BarringStep("warn", *one, reason) for one, reason in warned.items() if one not in wanted]
    order = ("bar", "unbar", "warn")
    return sorted(steps, key=lambda one: (order.index(one.action), one.kind, len(one.object), one.object))


def _reached(book: LimitBook) -> Iterator[tuple[Person, bool, Reason]]:
    for one in book.usages():
        if one.percent >= 100:
            yield (one.limit.kind, one.limit.object), one.limit.bars, one.reason()
    for left in book.balances():
        if left.balance_micro <= 0:
            yield (left.account.kind, left.account.object), left.account.bars, left.reason()


def usage_row(one: LimitUsage) -> dict[str, Any]:
    """A limit and what was used of it, as the contract has it."""
    return {
        "kind": one.limit.kind,
        "object": one.limit.object,
        "who": one.name,
        "per": one.limit.per,
        "period": one.period.name,
        "fee_limit": None if one.limit.fee_micro is None else money.text(one.limit.fee_micro),
        "fee_used": money.text(one.used.fee_micro),
        "time_limit_s": one.limit.time_s,
        "time_used_s": one.used.time_s,
        "percent": one.percent,
        "mark": one.mark,
        "warn": ",".join(map(str, one.limit.warn)),
        "bars": one.limit.bars,
        "unpriced": one.used.unpriced,
    }


def with_limits(ledger: Ledger, period: Period, by: Sequence[str], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a report by extension, employee, department or PIN, with the limits of a month where there are any."""
    if len(by) != 1 or by[0] not in KINDS or not period.is_month or not ledger.limits.all():
        return rows
    book, kind = LimitBook(ledger, period.last), by[0]
    found = [book.usage_in((kind, book.key(kind, row)), period) for row in rows]
    if not any(found):
        return rows
    return [row | _limit_keys(one) for row, one in zip(rows, found, strict=True)]


LIMIT_KEYS = ("fee_limit", "time_limit_s", "limit_used")


def _limit_keys(one: LimitUsage | None) -> dict[str, Any]:
    if one is None:
        return dict.fromkeys(LIMIT_KEYS)
    told = usage_row(one)
    return {name: told[name] for name in LIMIT_KEYS[:2]} | {"limit_used": f"{one.percent / 100:.4f}"}


# -- whom a word means


def person(ledger: Ledger, words: str, today: date) -> Person:
    """Whom `8001`, `1001`, `张三`, `公司/工程部` or `pin:1234` means; `extension:8001` says which kind.

    An extension goes before the employee of the same number. NotFoundError where nobody is meant, UsageError where a
    name is that of an employee and of a department.
    """
    kind, mark, rest = words.partition(":")
    if mark and kind in KINDS:
        return _of_kind(ledger, kind, rest.strip(), today)
    if is_known_extension(ledger, words):
        return "extension", words
    found = []
    for kind in ("employee", "department"):
        try:
            found.append(_of_kind(ledger, kind, words, today))
        except NotFoundError:
            continue
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            tr("{words} is an employee and a department", words=words), f"employee:{words}, department:{words}"
        )
    raise NotFoundError(
        tr("there is no extension, employee or department {words}", words=words),
        tr("see `ippbx-bill extensions list`; a PIN is written pin:1234"),
    )


def _of_kind(ledger: Ledger, kind: str, words: str, today: date) -> Person:
    if not words:
        raise UsageError(tr("whose limit is it?"), f"{kind}:…")
    if kind == "employee":
        return kind, str(ledger.directory.employee(words, today).id)
    if kind == "department":
        return kind, str(ledger.directory.department(words).id)
    return kind, words


def account_of(ledger: Ledger, words: str, today: date) -> PrepaidAccount:
    """Somebody's account; NotFoundError where there is none."""
    found = ledger.limits.account(*person(ledger, words, today))
    if found is None:
        raise NotFoundError(tr("{name} has no account", name=words), f"ippbx-bill accounts top-up {words} 50")
    return found


# -- a statement of an account


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line: a payment, or the fees of a month or of its part; `balance_micro` is what was left after it."""

    day: date
    note: str
    amount_micro: int
    balance_micro: int
    unpriced: int = 0


def statement(ledger: Ledger, account: PrepaidAccount, today: date) -> list[StatementEntry]:
    """Payments by day, and the fees of each month on its last day, with the balance after each."""
    book = LimitBook(ledger, today)
    lines = [(one.day, 0, one.note or tr("top-up"), one.amount_micro, 0) for one in ledger.limits.entries(account.id)]
    for period in _months(account.first_day, max(today, account.first_day) + timedelta(days=1)):
        used = book.used(account.kind, account.object, period)
        if used.fee_micro or used.unpriced:
            note = tr("calls {first} to {last}", first=period.first, last=period.last)
            lines.append((period.last, 1, note, -used.fee_micro, used.unpriced))
    found, balance = [], 0
    for day, _, note, amount, unpriced in sorted(lines, key=lambda one: one[:2]):
        balance += amount
        found.append(StatementEntry(day, note, amount, balance, unpriced))
    return found


def _months(first: date, last: date) -> Iterator[Period]:
    while first <= last:
        end = min(Period.month("this", first).last, last)
        yield Period.days(first, end)
        first = end + timedelta(days=1)


def amount_of(text: str, *, given_back: bool = False) -> int:
    """An amount of the currency in micro-units, below zero only where it may be given back; UsageError for others."""
    try:
        found = money.parse(text)
    except ValueError as error:
        raise UsageError(str(error), tr("write it like 10 or 0.50")) from None
    if found < 0 and not given_back:
        raise UsageError(tr("an amount such as 12.50 is expected"), tr("write it like 10 or 0.50"))
    return found


def length_of(text: str) -> int:
    """A length of time such as 10h or 90min, in seconds; UsageError for none."""
    found = re.fullmatch(r"(\d{1,6})\s*(h|min|m)", text.strip())
    if found is None:
        raise UsageError(tr("{text!r} is not a length of time", text=text), "--time 10h, --time 90min")
    return int(found[1]) * (3600 if found[2] == "h" else 60)
