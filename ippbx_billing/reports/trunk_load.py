"""How full the lines were: the most calls at once, and the busiest hour's load, worked out from every single call.

    busy_hour(ledger, view, Period.month("2026-10", today), Where(trunk="FXO-1")).rows

The one idea: a call holds its line from its start to its end, ringing included, whether it was answered or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any

from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import sources
from ippbx_billing.reports.conditions import Period, View, Where
from ippbx_billing.reports.named import Answer, answered, asked_of, by_length

HOUR_S = 3600
BLOCKED = 0.01  # the part of an hour's calls that may find all lines taken


def busy_hour(ledger: Ledger, view: View, period: Period, where: Where) -> Answer:
    """How many calls each trunk carried at once, and its load in the busiest hour of the clock; the total is of all.

    Exact: `peak_calls` is found by going through every call, and an hour's load in erlang is the seconds in which its
    lines were held, divided by 3600. `lines` is how many lines let no more than one call in a hundred of the busiest
    hour find them all taken (Erlang B). A record that is another one's twin holds no line of its own; a call that a
    filter left out does. Calls without a trunk are left out; those that began over a day before the period are not
    seen.
    """
    question = asked_of(ledger, period, (), where)
    shift_s = _shift_s(view, period)
    loads: dict[str, _Load] = {}
    whole = _Load(shift_s)
    for trunk, start, end in _held(ledger, view, question):
        loads.setdefault(trunk, _Load(shift_s)).hold(start, end)
        whole.hold(start, end)
    hours = (period.last - period.first).days * 24 + 24
    rows = [{"trunk": trunk, **loads[trunk].row(view, hours)} for trunk in sorted(loads, key=by_length)]
    return answered(ledger, "busy-hour", view, question, rows, whole.row(view, hours))


@dataclass(slots=True)
class _Load:
    """What some lines carried; `shift_s` is how far the site's full hours are from those of UTC."""

    shift_s: int
    calls: int = 0
    peak: int = 0
    peak_at: int | None = None
    held_s: dict[int, int] = field(default_factory=dict)  # by hour
    ends: list[int] = field(default_factory=list)  # of the calls in progress, a heap

    def hold(self, start: int, end: int) -> None:
        """A call from `start` until before `end`, which began no earlier than the one before."""
        self.calls += 1
        while self.ends and self.ends[0] <= start:
            heappop(self.ends)
        if end > start:
            heappush(self.ends, end)
        if len(self.ends) > self.peak:
            self.peak, self.peak_at = len(self.ends), start
        while start < end:
            hour = (start + self.shift_s) // HOUR_S
            until = min(end, (hour + 1) * HOUR_S - self.shift_s)
            self.held_s[hour] = self.held_s.get(hour, 0) + until - start
            start = until

    def row(self, view: View, hours: int) -> dict[str, Any]:
        """The contract's keys; `erlang` is the mean of all hours."""
        busiest = max(self.held_s, key=lambda hour: (self.held_s[hour], -hour), default=None)
        most_s = self.held_s[busiest] if busiest is not None else 0
        return {
            "calls": self.calls,
            "peak_calls": self.peak,
            "peak_at": view.time(self.peak_at),
            "busy_hour": view.time(None if busiest is None else busiest * HOUR_S - self.shift_s),
            "busy_hour_erlang": _erlang(most_s, 1),
            "erlang": _erlang(sum(self.held_s.values()), hours),
            "lines": lines_for(most_s / HOUR_S),
        }


def lines_for(erlang: float) -> int:
    """How many lines let no more than BLOCKED of the calls of this load find them all taken (Erlang B)."""
    lines, blocked = 0, 1.0
    while erlang > 0 and blocked > BLOCKED:
        lines += 1
        blocked = erlang * blocked / (lines + erlang * blocked)
    return lines


def _erlang(held_s: int, hours: int) -> str:
    return f"{Decimal(held_s) / (HOUR_S * hours):.2f}"


def _held(ledger: Ledger, view: View, question: sources.Question) -> Iterator[tuple[str, int, int]]:
    """Trunk, start and end of every call of the period in order of their start, cut off at the period's borders."""
    source = sources.CHARGES if sources.CHARGES.can_tell(question.asked) else sources.CALLS
    clauses, values = sources.conditions(source, question.where, question.who)
    first, last = question.period.first.toordinal() - 1, question.period.last.toordinal()
    trunk = source.tells["trunk"]
    conditions = " AND ".join([f"{trunk} IS NOT NULL", _OWN_LINE[source.name], *clauses])
    rows = ledger.connection.execute(
        f"SELECT {trunk}, g.started_at, max(g.duration_s, g.billed_s) {source.tables} {source.joined(conditions)} "
        "WHERE g.local_hour BETWEEN ? AND ? AND g.id BETWEEN "
        "(SELECT min(first_id) FROM rollup_spans WHERE day BETWEEN ? AND ?) AND "
        "(SELECT max(last_id) FROM rollup_spans WHERE day BETWEEN ? AND ?) AND "
        f"{conditions} ORDER BY g.started_at",
        [first * 24, last * 24 + 23, first, last, first, last, *values],
    )
    begin, end = _borders(view, question.period)
    for name, start, length in rows:
        if start + length > begin or start >= begin:
            yield name, max(start, begin), min(start + length, end)


_OWN_LINE = {"charges": "k.twin <> 1", "calls": "c.twin IS NULL"}


def _borders(view: View, period: Period) -> tuple[int, int]:
    """The seconds of UTC at which the period begins, and is over."""
    days = period.first, period.last + timedelta(days=1)
    begin, end = (int(datetime.combine(day, time(), view.zone).timestamp()) for day in days)
    return begin, end


def _shift_s(view: View, period: Period) -> int:
    """The seconds that the site's full hours lie away from those of UTC, in zones of half and quarter hours."""
    offset = datetime.combine(period.first, time(), UTC).astimezone(view.zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) % HOUR_S
