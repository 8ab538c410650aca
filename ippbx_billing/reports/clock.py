"""Many moments as text on a site's clock, quickly: what those of a quarter of an hour share is worked out once.

>>> from zoneinfo import ZoneInfo
>>> IsoClock(ZoneInfo("Asia/Shanghai")).texts([0, None, 1_767_225_599])
['1970-01-01T08:00:00+08:00', None, '2026-01-01T07:59:59+08:00']
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

from ippbx_billing.ledger.calls import instant

QUARTER_S = 900
MOST_REMEMBERED = 50_000  # quarters: more than a year's
_CLOCK = [f"{second // 60:02d}:{second % 60:02d}" for second in range(3_600)]

Quarter = tuple[str, int, str]  # the text before the minutes, the second of the hour that it begins at, the offset


class IsoClock:
    """Stored moments as ISO 8601 with offset, each as `datetime.isoformat` writes it."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._quarters: dict[int, Quarter] = {}

    def texts(self, moments: Iterable[int | None]) -> list[str | None]:
        """The texts of whole seconds of UTC; None for what is not known."""
        found: list[str | None] = []
        for moment in moments:
            if moment is None:
                found.append(None)
                continue
            number, second = divmod(moment, QUARTER_S)
            quarter = self._quarters.get(number) or self._remember(number)
            found.append(
                f"{quarter[0]}{_CLOCK[quarter[1] + second]}{quarter[2]}" if quarter[0] else self._plain(moment)
            )
        return found

    def _remember(self, number: int) -> Quarter:
        if len(self._quarters) >= MOST_REMEMBERED:
            self._quarters.clear()
        found = self._quarters[number] = self._quarter(number * QUARTER_S)
        return found

    def _quarter(self, first: int) -> Quarter:
        """What the moments from this one on share; no text where the clock is set within, or off by less."""
        begin, end = self._on_the_clock(first), self._on_the_clock(first + QUARTER_S - 1)
        offset = begin.utcoffset()
        if offset is None or offset != end.utcoffset() or offset % timedelta(seconds=QUARTER_S):
            return "", 0, ""
        text = begin.isoformat()
        return text[:14], begin.minute * 60, text[19:]

    def _plain(self, moment: int) -> str:
        return self._on_the_clock(moment).isoformat()

    def _on_the_clock(self, moment: int) -> datetime:
        found = instant(moment)
        assert found is not None
        return found.astimezone(self.zone)
