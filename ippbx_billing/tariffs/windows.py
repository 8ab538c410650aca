"""Windows: which one is in force at a moment, and where a call is cut by their borders.

The one idea: of the windows that hold at a moment the first wins, and a price keeps its windows in the order in which
they go before one another (holiday, weekend, daily, unless a window has a priority of its own). Ends are not included:
a call at 07:00:00 is no longer in a window until 07:00.

    stretches(price, carrier, datetime(2026, 11, 22, 6, 59), 120, calendar)
    ->  [Stretch(night, 60), Stretch(None, 60)]     # where the carrier splits; else the night's, for all 120 s

Each moment goes by its own day: a weekend window from 22:00 to 07:00 ends on Sunday at midnight. It goes by the clock
on the wall: where summer time begins during a call, the seconds behind 01:59:59 are those of 03:00:00.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ippbx_billing import money
from ippbx_billing.tariffs.prices import DAY_S, Calendar, Carrier, Price, Seconds, Window, clock
from ippbx_billing.tariffs.spelling import seconds_text, window_terms

LAST_DAY = date.max.toordinal()
SATURDAY = 5


class Stretch(NamedTuple):
    """Consecutive seconds of a call in one window, or in none."""

    window: Window | None
    seconds: Seconds


def stretches(
    price: Price, carrier: Carrier, local_start: datetime, seconds: Seconds, calendar: Calendar
) -> Sequence[Stretch]:
    """The call cut at the borders of its price's windows, or whole where the carrier rates by the start."""
    if not price.windows:
        return (Stretch(None, seconds),)
    if carrier.crossing == "start":
        return (Stretch(window_now(price.windows, local_start, calendar), seconds),)
    found: list[Stretch] = []
    for moment, length_s in _by_the_clock(local_start, seconds):
        for stretch in _split(price.windows, moment.toordinal(), _second(moment), length_s, calendar):
            if found and found[-1].window is stretch.window:
                stretch = Stretch(stretch.window, found.pop().seconds + stretch.seconds)
            found.append(stretch)
    return found


def _by_the_clock(local_start: datetime, seconds: Seconds) -> Iterator[tuple[datetime, Seconds]]:
    """The call in pieces during which nobody puts the clock: where each begins on the wall, and how long it is."""
    whole_s = -(-seconds // 1)
    first = local_start.utcoffset()
    if first is None or _later(local_start, whole_s).utcoffset() == first:
        yield local_start, seconds
        return
    before, after = 0, whole_s  # the clock is put within these seconds
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _later(local_start, middle).utcoffset() == first else (before, middle)
    if after >= seconds:  # as the call ends
        yield local_start, seconds
        return
    yield local_start, after
    yield from _by_the_clock(_later(local_start, after), seconds - after)


def _later(local_start: datetime, seconds: int) -> datetime:
    """What the same wall clock shows so many seconds later."""
    try:
        return (local_start.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(local_start.tzinfo)
    except OverflowError:  # the calendar ends with the year 9999
        return local_start


def window_now(windows: Sequence[Window], moment: datetime, calendar: Calendar) -> Window | None:
    """The window in force at a moment of local time."""
    return window_at(windows, moment, _second(moment), calendar)


def window_at(windows: Sequence[Window], day: date, second: int, calendar: Calendar) -> Window | None:
    """The window in force at that second of that day; `windows` in the order in which they go before one another."""
    for window in windows:
        if window.covers(second) and (window.is_daily or _holds_on(window, day, calendar)):
            return window
    return None


def _second(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _holds_on(window: Window, day: date, calendar: Calendar) -> bool:
    """Whether a window that is not for every day holds on it: a Saturday that is a holiday is a weekend day as well."""
    plain = date(day.year, day.month, day.day)
    if not window.names(plain):
        return False
    if window.kind == "daily":
        return True
    kind = calendar.day_kind(plain)
    return kind == window.kind or (window.kind == "weekend" and kind == "holiday" and plain.weekday() >= SATURDAY)


def _split(windows: Sequence[Window], ordinal: int, second: int, seconds: Seconds, calendar: Calendar) -> list[Stretch]:
    """The call cut wherever another window begins; midnight may be such a border, because the next day is another."""
    borders = sorted({DAY_S}.union(*(window.edges for window in windows)))
    found: list[Stretch] = []
    while seconds > 0:
        border = borders[bisect_right(borders, second)]
        length_s = min(border - second, seconds)
        seconds -= length_s
        window = window_at(windows, _day(ordinal), second, calendar)
        if found and found[-1].window is window:
            length_s += found.pop().seconds
        found.append(Stretch(window, length_s))
        ordinal, second = (ordinal + 1, 0) if border == DAY_S else (ordinal, border)
    return found


def _day(ordinal: int) -> date:
    """The day of that number; the calendar ends with the year 9999, and a call that passes it stays in its last day."""
    return date.fromordinal(min(ordinal, LAST_DAY))


def window_text(one: Window) -> str:
    """A window as a cell of a price list spells it: `daily 00:00-07:00 6:0.04 6:0.04`."""
    figures = one.figures
    parts = [
        f"{one.kind} {clock(one.start_s)}-{clock(one.end_s)}",
        f"{seconds_text(figures.initial_s)}:{money.text(figures.initial_fee_micro)}",
        f"{seconds_text(figures.step_s)}:{money.text(figures.step_fee_micro)}",
        f"per={seconds_text(figures.per_s)}" if figures.per_s else "",
        *(f"{name}={text}" for name, text in window_terms(one).items() if name not in ("initial_s", "step_s", "per_s")),
        "" if one.priority is None else f"priority={one.priority}",
        f"name={json.dumps(one.name, ensure_ascii=True).replace('|', chr(92) + 'u007c')}" if one.name else "",
    ]
    return " ".join(filter(None, parts))
