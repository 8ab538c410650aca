"""Working time: the hours of working days, and how much of a stretch of time lies within.

hours = Hours("09:00-12:00,13:30-18:00", HolidayCalendar("CN"), ZoneInfo("Asia/Shanghai"))
hours.working_s(friday_17_50, monday_09_10)   ->  1200
"""

import re
from datetime import date, datetime, time, timedelta, tzinfo

from ippbx_billing.language import tr
from ippbx_billing.tariffs.calendar import HolidayCalendar

DAY_S = 86_400
OFF = 7  # stands for every day that is not worked, after the seven days of the week
MOST_DAYS = 400


def spans(text: str) -> tuple[tuple[int, int], ...]:
    """Times of day in seconds; one past midnight, such as 22:00-06:00, becomes two. ValueError for anything else."""
    found: list[tuple[int, int]] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        told = re.fullmatch(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", part)
        first, last = (
            (int(told[1]) * 3600 + int(told[2]) * 60, int(told[3]) * 3600 + int(told[4]) * 60) if told else (0, 0)
        )
        if not told or first == last or max(first, last) > DAY_S or int(told[2]) > 59 or int(told[4]) > 59:
            raise ValueError(tr("times of day such as 09:00-12:00,13:30-18:00 are expected"))
        found += [(first, last)] if first < last else [(first, DAY_S), (0, last)]
    return tuple(sorted(one for one in found if one[0] < one[1]))


class Hours:
    """The working hours of a site, by its calendar and its clock; moments are whole seconds of UTC."""

    def __init__(self, text: str, calendar: HolidayCalendar, zone: tzinfo) -> None:
        self.spans = spans(text)
        self.calendar, self.zone = calendar, zone
        self._midnights: dict[date, int] = {}
        self._open: dict[date, tuple[tuple[int, int], ...]] = {}

    def local(self, moment: float) -> datetime:
        """The moment on the site's clock."""
        return datetime.fromtimestamp(moment, self.zone)

    def day_class(self, day: date) -> int:
        """The day of the week, or `OFF` for one that is not worked."""
        return day.weekday() if self.calendar.day_kind(day) == "working" else OFF

    def midnight(self, day: date) -> int:
        """When a day begins on the site's clock."""
        found = self._midnights.get(day)
        if found is None:
            found = self._midnights[day] = int(datetime.combine(day, time(), self.zone).timestamp())
        return found

    def is_open(self, moment: float) -> bool:
        """Whether people work at this moment."""
        return any(first <= moment < last for first, last in self.opened(self.local(moment).date()))

    def opened(self, day: date) -> tuple[tuple[int, int], ...]:
        """From when to when people work on a day, as moments."""
        found = self._open.get(day)
        if found is None:
            zero = self.midnight(day)
            works = self.day_class(day) != OFF
            found = self._open[day] = tuple((zero + a, zero + b) for a, b in self.spans) if works else ()
        return found

    def working_s(self, first: float, last: float) -> int:
        """How many seconds between two moments are worked; of long stretches the last 400 days count."""
        if last <= first:
            return 0
        day, until = self.local(max(first, last - MOST_DAYS * DAY_S)).date(), self.local(last).date()
        total = 0.0
        while day <= until:
            total += sum(max(0.0, min(last, b) - max(first, a)) for a, b in self.opened(day))
            day += timedelta(days=1)
        return int(total)
