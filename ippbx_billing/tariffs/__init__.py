"""Tariffs: carriers, trunks, prices, discount windows and their versions; the book that finds a call's price.

The one idea: a price is a row that says which calls it is for and what they cost; `TariffBook.price_for`
picks the most specific row in force on the call's day.

`prices` holds the words, `book` the search, `calendar` the days off, `filters` the calls that are nobody's bill,
`standard` the tariff a new site begins with, `changes` what would change, `checks` what may be wrong, and `exchange`
the files in which tariffs come and go.
"""

from ippbx_billing.tariffs.book import TariffBook
from ippbx_billing.tariffs.calendar import DayOverride, HolidayCalendar
from ippbx_billing.tariffs.changes import Changes, changes
from ippbx_billing.tariffs.filters import CallFilter, left_out
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
    "CallFilter",
    "Carrier",
    "Changes",
    "Crossing",
    "DayKind",
    "DayOverride",
    "Figures",
    "HolidayCalendar",
    "Match",
    "Price",
    "TariffBook",
    "Trunk",
    "Window",
    "WindowKind",
    "changes",
    "left_out",
    "standard",
]
