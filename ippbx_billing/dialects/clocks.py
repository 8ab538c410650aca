"""A point in time out of the text of a PBX, however it is written, and the order of day and month in it.

The one idea: the digits of a date that is written with numbers alone fit several orders. What the text itself does not
settle is settled by `Hints`: other dates of the same delivery, the time of its arrival, the country; what stays open is
read in the most common way and said so.

    written("21-May-2026 22:00:00")                                     -> Written(2026-05-21 22:00, settled)
    written("07/03/2026 09:41:49", Hints(country="US"))                 -> Written(2026-07-03 09:41:49, settled)
    written("07/03/2026 09:41:49")                                      -> Written(2026-03-07 09:41:49, open)
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

DAY = timedelta(days=1)
LATELY = timedelta(days=3)  # a record comes soon after its call; clocks that are fast by a day are none of our business

# Where people write the month first, and where the year; everybody else begins with the day.
MONTH_FIRST = frozenset({"US", "PH", "FM", "MH", "PW", "GU", "AS", "MP", "PR", "VI", "BZ", "CA", "PA"})
YEAR_FIRST = frozenset({"CN", "JP", "KR", "KP", "TW", "HU", "LT", "MN", "IR", "SE"})
DMY, MDY, YMD = "dmy", "mdy", "ymd"


class Hints(NamedTuple):
    """What settles the order of a date beside its own text: the country, the arrival, an order that others prove."""

    country: str = ""
    arrival: datetime | None = None
    proven: str = ""


class Written(NamedTuple):
    """A time as it was written, without a zone unless the text names one; `is_open` says that its order was guessed."""

    moment: datetime
    is_open: bool = False


NO_HINTS = Hints()
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MORNINGS = ("am", "上午", "凌晨", "早上", "午前", "오전")
_AFTERNOONS = ("pm", "下午", "晚上", "中午", "午後", "오후")
_HALVES = {**dict.fromkeys(_MORNINGS, 0), **dict.fromkeys(_AFTERNOONS, 12)}
_HALF = r"[AaPp]\.?\s?[Mm]\.?|[上下]午|凌晨|早上|中午|晚上|午前|午後|오전|오후"
_CLOCK = (
    rf"(?:(?P<half1>{_HALF})\s*)?(?P<hour>\d{{1,2}})\s*[:时時.h点]\s*(?P<minute>\d{{1,2}})"
    rf"(?:\s*[:分.m]\s*(?P<second>\d{{1,2}})(?:[.,:]\d+)?)?\s*[秒s分]?\s*(?P<half2>{_HALF})?"
)
_ZONE = r"(?:(?:GMT|UTC|UT)?\s*(?P<sign>[+-])(?P<zh>\d{1,2}):?(?P<zm>\d{2})?|(?P<zone>[A-Z][A-Za-z]{0,4}T?))"
_NAMED_ZONE = r"(?:\s*(?:\[[\w/+-]+\]|\([\w /+-]+\)|[A-Z]{2,5}))?"
_WHERE = rf"\s*(?:{_ZONE})?{_NAMED_ZONE}"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NUMERIC = r"(?P<first>\d{1,4})\s*[-/.年]\s*(?P<middle>\d{1,2})\s*[-/.月]\s*(?P<last>\d{1,4})\s*[日号]?"
_SHORT = r"(?P<short1>\d{1,2})\s*[-/月](?P<short2>\d{1,2})日?"
_GAP = r"(?:\s*[T,;:]\s*|\s+(?:at\s+)?|\s*-\s*|(?<=[日号])\s*)"
_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_WEEKDAY}{_NUMERIC}{_GAP}{_CLOCK}{_WHERE}",
        rf"{_CLOCK}\s*,?\s+{_WEEKDAY}{_NUMERIC}",
        rf"{_WEEKDAY}{_DAY}[-/ .]+{_MONTH}[-/ .,]+(?P<year>\d{{2,4}}){_GAP}{_CLOCK}{_WHERE}",
        rf"{_WEEKDAY}{_MONTH}[-/ .]+{_DAY}[-/ .,]+(?P<year>\d{{4}}){_GAP}{_CLOCK}{_WHERE}",
        rf"(?P<year>\d{{4}})[-/ .]{_MONTH}[-/ .]{_DAY}{_GAP}{_CLOCK}{_WHERE}",
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}\s+(?:{_ZONE}\s+)?(?P<year>\d{{4}})",
        rf"[*.]?{_CLOCK}\s+(?:{_ZONE}\s+)?{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+(?P<year>\d{{4}})",
        rf"{_SHORT}\s+{_CLOCK}",
        rf"{_CLOCK}\s+{_SHORT}",
    )
]
_COMPACT = re.compile(
    r"(\d{4})(\d{2})(\d{2})[T _-]?(\d{2}):?(\d{2})(?::?(\d{2}))?(?:[.,]\d+)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?"
)
_COMPACT_SHORT = re.compile(r"(\d{2})(\d{2})(\d{2})[T _-]?(\d{2})(\d{2})(\d{2})")


def written(said: str, hints: Hints = NO_HINTS) -> Written:
    """The time that a text writes out; raises ValueError where it writes none."""
    for form in _FORMS:
        if match := form.fullmatch(said):
            return _from(match.groupdict(), hints)
    if match := (_COMPACT if said[:2] in ("19", "20") else _COMPACT_SHORT).fullmatch(said):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        zone = _offset(match[7]) if match.re is _COMPACT and match[7] else None
        return Written(datetime(year + (2_000 if year < 100 else 0), month, day, hour, minute, second, tzinfo=zone))
    raise ValueError(said)


def _from(parts: dict[str, str | None], hints: Hints) -> Written:
    clock, is_next_day = _clock(parts)
    zone = _zone(parts)
    dates = _dates(parts, hints)
    moments = {order: datetime(*date, *clock, tzinfo=zone) + is_next_day * DAY for order, date in dates.items()}
    if len(set(moments.values())) == 1:
        return Written(next(iter(moments.values())))
    order, is_open = _order(moments, hints, has_half=bool(parts.get("half1") or parts.get("half2")))
    return Written(moments[order], is_open)


def _clock(parts: dict[str, str | None]) -> tuple[tuple[int, int, int], bool]:
    """Hour, minute and second of the day; 24:00:00 is the beginning of the next one."""
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    half = re.sub(r"[.\s]", "", (parts["half1"] or parts["half2"] or "").lower())
    if half and hour <= 12:
        hour = hour % 12 + (0 if half == "中午" and hour == 11 else _HALVES[half])
    if (hour, minute, second) == (24, 0, 0):
        return (0, 0, 0), True
    return (hour, minute, second), False


def _zone(parts: dict[str, str | None]) -> tzinfo | None:
    """Only offsets and UTC are certain; CST and its like are the PBX's own zone, whichever that is."""
    if parts.get("sign"):
        return _offset(f"{parts['sign']}{int(parts['zh'] or 0):02}{parts['zm'] or '00'}")
    return UTC if (parts.get("zone") or "").upper() in ("Z", "UTC", "GMT", "UT") else None


def _offset(said: str) -> tzinfo:
    if said.isalpha():
        return UTC
    sign = -1 if said[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(said[1:3]), minutes=int(said[-2:])))


# -- the order of day and month


def _dates(parts: dict[str, str | None], hints: Hints) -> dict[str, tuple[int, int, int]]:
    """The dates that the digits can mean, by their order; raises ValueError where they can mean none."""
    if parts.get("name"):
        month = _MONTHS.index((parts["name"] or "").lower()) + 1
        return {DMY: (_century(parts["year"] or ""), month, int(parts["day"] or 0))}
    if parts.get("short1"):
        return _without_year(int(parts["short1"] or 0), int(parts["short2"] or 0), hints)
    first, middle, last = (parts[name] or "" for name in ("first", "middle", "last"))
    if len(first) > 2 or len(last) > 2:
        one, two, year = (int(middle), int(last), first) if len(first) > 2 else (int(first), int(middle), last)
        if len(year) != 4 or len(first) > 2:
            return {YMD: (int(first), int(middle), int(last))}
        return _possible({DMY: (int(year), two, one), MDY: (int(year), one, two)})
    a, b, c = int(first), int(middle), int(last)
    return _possible({DMY: (_century(last), b, a), MDY: (_century(last), a, b), YMD: (_century(first), b, c)})


def _without_year(one: int, two: int, hints: Hints) -> dict[str, tuple[int, int, int]]:
    """A date of the last twelve months, as machines that print lines have it."""
    if hints.arrival is None:
        raise ValueError("a date without a year")
    latest = (hints.arrival + DAY).replace(tzinfo=None)
    found = _possible({DMY: (latest.year, two, one), MDY: (latest.year, one, two)})
    return {order: date if datetime(*date) <= latest else (date[0] - 1, *date[1:]) for order, date in found.items()}


def _century(year: str) -> int:
    return int(year) + (2_000 if len(year) <= 2 else 0)


def _possible(dates: dict[str, tuple[int, int, int]]) -> dict[str, tuple[int, int, int]]:
    possible = {order: date for order, date in dates.items() if _is_date(*date)}
    if not possible:
        raise ValueError("no date")
    return possible


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)
    except ValueError:
        return False
    return True


def _order(moments: dict[str, datetime], hints: Hints, *, has_half: bool) -> tuple[str, bool]:
    """Which order is meant, and whether that stays open.

    What other dates of the sender prove holds. Else a record tells of the past, and mostly of the last days.
    """
    if hints.proven in moments:
        return hints.proven, False
    left = list(moments)
    if hints.arrival is not None:
        ages = {
            order: hints.arrival.replace(tzinfo=None) - moment.replace(tzinfo=None) for order, moment in moments.items()
        }
        past = [order for order in left if ages[order] > -DAY]
        fresh = [order for order in past if ages[order] < LATELY]
        left = fresh or past or left
        if YMD in left and len(left) > 1:  # a year of two digits: the one that is not long ago
            near = [order for order in left if ages[order] < 366 * DAY]
            left = near or left
    if len(left) == 1:
        return left[0], False
    customary = MDY if hints.country in MONTH_FIRST else DMY if hints.country not in ("", *YEAR_FIRST) else YMD
    if customary in left and hints.country:
        return customary, False
    if has_half and MDY in left and hints.country:  # half days are written beside months first, mostly
        return MDY, True
    return next(order for order in (DMY, MDY, YMD) if order in left), True


_DATE_IN_TEXT = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?=[ T,;\"'|\t]+\d{1,2}:\d{2})")


def proven_order(texts: Iterable[str]) -> str:
    """The order that the dates in a delivery prove together: one of them has a day that no month can be."""
    orders = {DMY, MDY, YMD}
    for said in texts:
        for first, _, middle, last in _DATE_IN_TEXT.findall(said):
            one, two, three = int(first), int(middle), int(last)
            short = len(last) == 2
            possible = {
                DMY: one <= 31 and two <= 12,
                MDY: one <= 12 and two <= 31,
                YMD: short and two <= 12 and three <= 31,
            }
            orders &= {order for order, fits in possible.items() if fits} or orders
            if len(orders) == 1:
                return next(iter(orders))
    return ""


def may_be_ambiguous(said: str) -> bool:
    """Whether a text begins with a date whose order is not settled by a year of four digits."""
    return said[1:2] in _SEPARATORS or said[2:3] in _SEPARATORS or said[:1] not in "12" or "/" in said[-6:]


_SEPARATORS = frozenset("-/.:")
