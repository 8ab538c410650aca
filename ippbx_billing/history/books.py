"""What prices the past calls of a site, in a form that travels to other machines."""

from dataclasses import dataclass
from datetime import date

from ippbx_billing.dialects import Dialects
from ippbx_billing.pipeline import Rules, SiteRules
from ippbx_billing.tariffs import TariffBook
from ippbx_billing.tariffs.calendar import HolidayCalendar, Override
from ippbx_billing.tariffs.filters import CallFilter
from ippbx_billing.tariffs.prices import Carrier, Price, Trunk


@dataclass(frozen=True, slots=True)
class Books:
    """A site's carriers, trunks, prices, own days and filters; what its numbers are stands with the calls."""

    site: SiteRules
    carriers: tuple[Carrier, ...]
    trunks: tuple[Trunk, ...]
    prices: tuple[Price, ...]
    own_days: tuple[tuple[date, Override], ...]
    filters: tuple[CallFilter, ...]

    @classmethod
    def of(cls, rules: Rules) -> "Books":
        """The books of the rules in force."""
        book = rules.book
        days = book.calendar.overrides if isinstance(book.calendar, HolidayCalendar) else {}
        return cls(
            rules.site,
            tuple(book.carriers.values()),
            tuple(book.trunks.values()),
            tuple(book.prices),
            tuple(sorted(days.items())),
            rules.filters,
        )

    def rules(self) -> Rules:
        """Rules that charge a call whose number was looked up before."""
        calendar = HolidayCalendar(self.site.country, dict(self.own_days))
        book = TariffBook(self.carriers, self.trunks, self.prices, calendar)
        return Rules(self.site, Dialects({}), book, filters=self.filters)
