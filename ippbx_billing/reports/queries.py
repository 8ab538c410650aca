"""What a page's address asks for: days by a shortcut or one by one, and conditions, with the names of the options.

    query = Query.of({"period": "last-month", "extension": "8001"}, today)
    query.period, query.where(scope), query.address(period="today")

The one idea: the address holds the whole question, so that it can be kept, sent to a colleague, and carried from the
list to the report and back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Direction, Disposition, LineKind, TrafficType
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.reports.conditions import Period, Scope, WantedCalls, Where

CONDITIONS = tuple(one.name for one in fields(Where) if one.name != "scope")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "traffic_type": tuple(TrafficType),
    "line_kind": tuple(LineKind),
    "direction": tuple(Direction),
    "disposition": tuple(Disposition),
    "status": tuple(ChargeStatus),
}
DAYS = ("period", "month", "year", "from", "to")
LONGEST = 200  # letters of a condition


def _since(today: date, days: int) -> Period:
    return Period.days(today - timedelta(days=days - 1), today)


SHORTCUTS: Mapping[str, Callable[[date], Period]] = {
    "today": lambda today: Period.days(today, today),
    "yesterday": lambda today: Period.days(today - timedelta(days=1), today - timedelta(days=1)),
    "week": lambda today: _since(today, 7),
    "this-month": lambda today: Period.month("this", today),
    "last-month": lambda today: Period.month("last", today),
    "this-year": lambda today: Period.year("this", today),
    "last-year": lambda today: Period.year("last", today),
}


def shortcut_titles() -> dict[str, str]:
    """The shortcuts as people read them."""
    return {
        "today": tr("Today"),
        "yesterday": tr("Yesterday"),
        "week": tr("7 days"),
        "this-month": tr("This month"),
        "last-month": tr("Last month"),
        "this-year": tr("This year"),
        "last-year": tr("Last year"),
    }


@dataclass(frozen=True, slots=True)
class Query:
    """A page's question: `shortcut` is the name of the days, empty where they were given one by one."""

    period: Period
    shortcut: str
    given: Mapping[str, str]

    @classmethod
    def of(cls, values: Mapping[str, str], today: date, default: str = "this-month") -> "Query":
        """The question that these parameters ask; UsageError where one of them cannot be meant."""
        known = {name: values[name].strip() for name in (*CONDITIONS, "status", *DAYS) if values.get(name, "").strip()}
        for name, value in known.items():
            _check(name, value)
        shortcut, period = _period(known, today, default)
        return cls(period, shortcut, known)

    @property
    def conditions(self) -> dict[str, str]:
        """The conditions on calls, by name."""
        return {name: value for name, value in self.given.items() if name not in DAYS}

    def where(self, scope: Scope | None) -> Where:
        """The conditions for a report, within the scope."""
        conditions: dict[str, Any] = {name: self.given[name] for name in CONDITIONS if name in self.given}
        return Where(scope=scope, **conditions)

    def calls(self, scope: Scope | None) -> WantedCalls:
        """The conditions for a list, within the scope."""
        conditions: dict[str, Any] = {name: self.given[name] for name in CONDITIONS if name in self.given}
        return WantedCalls(scope=scope, period=self.period, status=self.given.get("status"), **conditions)

    def address(self, **changed: str | None) -> str:
        """The same question as the end of an address, with parameters changed; None and "" take one out.

        What names days takes the place of all that named some before.
        """
        kept = dict(self.given)
        if set(changed) & {*DAYS, "first", "last"}:
            kept = self.conditions
        renamed = {{"first": "from", "last": "to"}.get(name, name): value for name, value in changed.items()}
        merged = {name: value for name, value in (kept | renamed).items() if value}
        return "?" + urlencode(merged)

    def without(self, *names: str) -> "Query":
        """The same question without some conditions."""
        return replace(self, given={name: value for name, value in self.given.items() if name not in names})


def _check(name: str, value: str) -> None:
    if len(value) > LONGEST:
        raise UsageError(tr("{text!r} is not a condition", text=value[:20] + "…"), tr("write at most 200 letters"))
    if name in CHOICES and value not in CHOICES[name]:
        raise UsageError(tr("{text!r} is not one of them", text=value), ", ".join(CHOICES[name]))
    if name == "country" and not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise UsageError(tr("{text!r} is not a country", text=value), tr("its two letters, such as CN"))
    if name == "min_fee":
        try:
            money.parse(value)
        except ValueError:
            raise UsageError(tr("{text!r} is not an amount", text=value), tr("write it like 1.50")) from None


def _period(given: Mapping[str, str], today: date, default: str) -> tuple[str, Period]:
    """The name of the days and the days themselves; days that were given one by one go before a shortcut."""
    if "from" in given or "to" in given:
        first, last = _day(given.get("from", given.get("to", ""))), _day(given.get("to", today.isoformat()))
        return "", Period.days(first, last)
    if "month" in given:
        return "", Period.month(given["month"], today)
    if "year" in given:
        return "", Period.year(given["year"], today)
    name = given.get("period", default)
    if name not in SHORTCUTS:
        raise UsageError(tr("{text!r} is not one of them", text=name), ", ".join(SHORTCUTS))
    return name, SHORTCUTS[name](today)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text), tr("write it like 2026-10-01")) from None
