"""The calendar of a site: national holidays and make-up working days from the `holidays` package, and the site's own.

The one idea: a rest day is a day that is not worked. A Saturday that makes up for a holiday (调休) is a working
day, a Monday off is a holiday; what the package does not know yet, the site's overrides say.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Literal

from ippbx_billing.tariffs.prices import DayKind

if TYPE_CHECKING:
    from holidays import HolidayBase

Override = Literal["work", "rest", "holiday"]

OVERRIDE_KIND: dict[Override, DayKind] = {"work": "working", "rest": "weekend", "holiday": "holiday"}


class HolidayCalendar:
    """The working days of a country (ISO code), corrected by the site's overrides, date by date.

    `published_until` replaces what is known about the last year whose make-up days are published.
    """

    def __init__(self, country: str = "CN", overrides: Mapping[date, Override] | None = None) -> None:
        self.country = country
        self.overrides = dict(overrides or {})
        self.day_kind = cache(self._day_kind)

    def _day_kind(self, day: date) -> DayKind:
        raise NotImplementedError

    def is_provisional(self, year: int) -> bool:
        raise NotImplementedError
