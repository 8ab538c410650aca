"""The calendar of a site: national holidays and make-up working days, corrected by the site's own list.

The one idea: a day is what people do on it. A Saturday that makes up for a holiday (调休) is a working day, the
Monday it was swapped for is a holiday. The days come from the `holidays` package, which is loaded when the first
price asks for them; what it does not know yet, the site's overrides say.

    HolidayCalendar("CN").day_kind(date(2026, 10, 10))   ->  "working", although it is a Saturday
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date
from functools import cache
from typing import TYPE_CHECKING, Literal

from ippbx_billing.tariffs.prices import DayKind

if TYPE_CHECKING:
    from holidays import HolidayBase

Override = Literal["work", "rest", "holiday"]

OVERRIDE_KIND: dict[Override, DayKind] = {"work": "working", "rest": "weekend", "holiday": "holiday"}

# The last year whose make-up days the package is sure to know, by country: every report asks, and to load the package
# takes longer than most of them.
PUBLISHED = {"CN": 2026}


@dataclass(frozen=True, slots=True)
class DayOverride:
    """What the site says of a day: `work`, `rest` (as a weekend) or `holiday`, and why."""

    day: date
    kind: Override
    note: str = ""


class HolidayCalendar:
    """The working days of a country (ISO code), corrected by the site's overrides, date by date.

    A country that the package does not know has only its Saturdays and Sundays.
    """

    def __init__(self, country: str = "CN", overrides: Mapping[date, Override] | None = None) -> None:
        self.country = country
        self.overrides = dict(overrides or {})
        self._kinds: dict[date, DayKind] = {day: OVERRIDE_KIND[word] for day, word in self.overrides.items()}
        self._national: HolidayBase | None = None

    @property
    def version(self) -> str:
        """The version of the package that knows the national days."""
        return package_version()

    def day_kind(self, day: date) -> DayKind:
        """Whether the day is worked, a day of rest, or a holiday (a day off swapped for a make-up day is one too)."""
        kind = self._kinds.get(day)
        if kind is None:
            kind = self._kinds[day] = self._national_kind(day)
        return kind

    def is_provisional(self, year: int) -> bool:
        """Whether the year's make-up days are not known yet: neither published nor entered by the site."""
        if year <= PUBLISHED.get(self.country, 0):
            return False
        entered = any(day.year == year and word == "work" for day, word in self.overrides.items())
        national = self._days()
        if entered or not getattr(national, "has_substituted_holidays", False):
            return False
        published: Iterable[int] = getattr(national, "special_public_holidays", ())
        return year > max(published, default=0)

    def _national_kind(self, day: date) -> DayKind:
        days = self._days()
        off = day in days  # asking makes the package work out the year, its make-up days included
        if day.month == 12 and day.year < MAXYEAR:
            _ = date(day.year + 1, 1, 1) in days  # a New Year's make-up day may lie in the old year
        if day in days.weekend_workdays:
            return "working"
        if off:
            return "holiday"
        return "weekend" if days.is_weekend(day) else "working"

    def _days(self) -> "HolidayBase":
        if self._national is None:
            self._national = _national_days(self.country)
        return self._national


@cache
def package_version() -> str:
    """The version of the `holidays` package; told without loading it."""
    from importlib import metadata  # brings the whole of `email`, for this one text

    return metadata.version("holidays")


def _national_days(country: str) -> "HolidayBase":
    """The package's days of a country; they grow year by year as they are asked for."""
    import holidays

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return holidays.HolidayBase()
