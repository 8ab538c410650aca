"""What is asked for: the site's view, a period, and conditions that calls must fulfil.

>>> Period.month("2026-02", date(2026, 3, 1)).last
datetime.date(2026, 2, 28)
>>> Where(extension="80..", direction="outbound").given()
{'extension': '80..', 'direction': 'outbound'}
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.calls import instant

PREVIOUS, LAST_YEAR = "previous", "last-year"
WILDCARDS = {".": "?", "X": "?", "N": "*", "*": "*"}  # of patterns of extensions, with what SQLite has for them


@dataclass(frozen=True, slots=True)
class View:
    """How this site looks at its calls: its clock and its currency."""

    zone: tzinfo
    currency: str

    def time(self, seconds: int | None) -> str | None:
        """A stored moment as ISO 8601 with offset, on the site's clock."""
        moment = instant(seconds)
        return None if moment is None else moment.astimezone(self.zone).isoformat()


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both included; `name` is what the report is headed with."""

    first: date
    last: date
    name: str

    @classmethod
    def month(cls, text: str, today: date) -> "Period":
        """The month `YYYY-MM`, `this` or `last`; UsageError for anything else."""
        if text == "this":
            text = f"{today:%Y-%m}"
        elif text == "last":
            text = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
        try:
            if len(text) != 7:
                raise ValueError
            first = datetime.strptime(text, "%Y-%m").date()
        except ValueError:
            raise UsageError(
                tr("{text!r} is not a month", text=text), tr("write it like 2026-10, or say this or last")
            ) from None
        return cls(first, _end_of_month(first), text)

    @classmethod
    def year(cls, text: str, today: date) -> "Period":
        """The year `YYYY`, `this` or `last`; UsageError for anything else."""
        number = {"this": today.year, "last": today.year - 1}.get(text)
        if number is None:
            if not (len(text) == 4 and text.isdecimal() and text.isascii() and int(text)):
                raise UsageError(tr("{text!r} is not a year", text=text), tr("write it like 2026, or say this or last"))
            number = int(text)
        return cls(date(number, 1, 1), date(number, 12, 31), f"{number:04d}")

    @classmethod
    def days(cls, first: date, last: date) -> "Period":
        """All days from one to another; UsageError where they stand the wrong way round."""
        if last < first:
            raise UsageError(tr("{first} is after {last}", first=first, last=last), tr("swap the two days"))
        return cls(first, last, str(first) if first == last else f"{first}..{last}")

    @property
    def is_month(self) -> bool:
        """Whether it is one month from its first day to its last."""
        return self.first.day == 1 and self.last == _end_of_month(self.first)

    @property
    def is_year(self) -> bool:
        """Whether it is one year from its first day to its last."""
        return (self.first.month, self.first.day) == (1, 1) and self.last == date(self.first.year, 12, 31)

    def each_day(self) -> Iterator[date]:
        """Its days, one by one."""
        return map(date.fromordinal, range(self.first.toordinal(), self.last.toordinal() + 1))

    def compared(self, how: str) -> "Period":
        """The period before this one (`previous`), or the same days a year earlier (`last-year`).

        UsageError for another word, or where no such days exist.
        """
        if how not in (PREVIOUS, LAST_YEAR):
            raise UsageError(
                tr("a period cannot be compared with {how!r}", how=how),
                tr("one of: {names}", names=f"{PREVIOUS}, {LAST_YEAR}"),
            )
        try:
            return self._a_year_earlier() if how == LAST_YEAR else self._before()
        except (ValueError, OverflowError):
            raise UsageError(
                tr("there are no days before {day}", day=self.first), tr("choose a later period")
            ) from None

    def _before(self) -> "Period":
        last = self.first - timedelta(days=1)
        if self.is_month:
            return Period.month(f"{last.year:04d}-{last.month:02d}", last)
        if self.is_year:
            return Period.year(f"{last.year:04d}", last)
        return Period.days(last - (self.last - self.first), last)

    def _a_year_earlier(self) -> "Period":
        if self.is_month:
            return Period.month(f"{self.first.year - 1:04d}-{self.first.month:02d}", self.first)
        if self.is_year:
            return self._before()
        return Period.days(_year_earlier(self.first), _year_earlier(self.last))


def _end_of_month(first: date) -> date:
    """The last day of the month that begins on `first`."""
    return first.replace(day=monthrange(first.year, first.month)[1])


def _year_earlier(day: date) -> date:
    """The same day a year before; 29 February becomes the 28th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose calls somebody may see at all, by ids: those of departments, or those of one employee.

    It is not a condition that was asked for: no report tells it, and no answer goes beyond it. With neither, nobody's.
    """

    departments: tuple[int, ...] = ()
    employee: int | None = None

    @property
    def key(self) -> str:
        """By what calls are told apart."""
        return "department" if self.employee is None else "employee"

    def clause(self, told: str) -> str:
        """It as SQL; `told` is the SQL that tells the call's `key`."""
        if self.employee is not None:
            return f"{told} = {self.employee}"
        return f"{told} IN ({', '.join(map(str, self.departments))})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Conditions on calls; every one that is given must hold.

    A department includes those below it and is named by its path or the end of it, an employee by number or name; both
    are those of the call's day. An extension may be a pattern, or several separated by commas: `.` and `X` stand for
    one character, `*` and `N` for any run of them. A number is found as dialled and as it was understood. `min_fee` is
    an amount of the currency.
    """

    department: str | None = None
    employee: str | None = None
    extension: str | None = None
    number: str | None = None
    trunk: str | None = None
    carrier: str | None = None
    traffic_type: str | None = None
    line_kind: str | None = None
    direction: str | None = None
    disposition: str | None = None
    country: str | None = None
    region: str | None = None
    place: str | None = None
    pin: str | None = None
    min_fee: Decimal | str | None = None
    scope: Scope | None = None

    def given(self) -> dict[str, Any]:
        """The conditions that are given, by name; the scope is not one of them."""
        found = {one.name: getattr(self, one.name) for one in fields(Where) if one.name != "scope"}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def asked(self) -> set[str]:
        """What must be known of a call to say whether it is meant."""
        return {*self.given(), *([self.scope.key] if self.scope else ())}


def is_exact(extension: str | None) -> bool:
    """Whether extensions are named one by one, not by a pattern."""
    return extension is not None and not set(extension) & set(WILDCARDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCalls(Where):
    """Which calls a list is to hold; every condition that is given must hold."""

    period: Period | None = None
    day: str | None = None
    status: str | None = None
    call: int | None = None
    event: int | None = None
    limit: int | None = None
