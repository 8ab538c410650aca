"""Tariffs: carriers, trunks, prices, discount windows and their versions; the book that finds a call's price.

The one idea: a price is a row that says which calls it is for and what they cost; `TariffBook.price_for`
picks the most specific row in force on the call's day.

`prices` holds the words, `book` the search, `calendar` the days off, `standard` the tariff a new site begins with.
"""

from ippbx_billing.tariffs.book import TariffBook
from ippbx_billing.tariffs.calendar import HolidayCalendar
from ippbx_billing.tariffs.prices import (
    DAY_S,
    Calendar,
    Carrier,
    Crossing,
    DayKind,
    Figures,
    Match,
    Price,
    Trunk,
    Window,
    WindowKind,
)
from ippbx_billing.tariffs.standard import standard

__all__ = [
    "DAY_S",
    "Calendar",
    "Carrier",
    "Crossing",
    "DayKind",
    "Figures",
    "HolidayCalendar",
    "Match",
    "Price",
    "TariffBook",
    "Trunk",
    "Window",
    "WindowKind",
    "standard",
]
