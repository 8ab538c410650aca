"""The newest calls first, a page at a time, and those that have arrived since.

    page = calls_page(ledger, view, WantedCalls(period=period), size=50)
    calls_page(ledger, view, wanted, size=50, after=page.next)
    arrived(ledger, view, Where(), after=page.newest, most=50)

The one idea: a page begins where the one before ended, by the last call's own place in the order, and not after so many
rows. So the hundredth page costs what the first one does, and a call that arrives meanwhile moves nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.conditions import Period, View, WantedCalls, Where
from ippbx_billing.reports.listing import calls_with_ids, conditions_of
from ippbx_billing.reports.names import who_is_meant
from ippbx_billing.reports.sources import CALLS, conditions

LOOKED_AT = 5_000  # of the calls that arrived at once; a scope in which none of the newest lies waits for the page
FEW = 20_000  # so many calls are put in order sooner than a year is walked through


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Rows with the contract's keys; `next` is where the following page begins, empty at the end."""

    rows: list[dict[str, Any]]
    next: str


def calls_page(ledger: Ledger, view: View, wanted: WantedCalls, *, size: int, after: str = "") -> CallsPage:
    """The calls from the newest on, of which `after` was the last one seen; UsageError where that is not a place."""
    clauses, values = conditions_of(ledger, _until(wanted, after))
    if after:
        clauses.append("(c.day, c.started_at, c.id) < (?, ?, ?)")
        values += _place(after)
    sql = (
        f"SELECT c.id, c.day, c.started_at FROM {_walk(ledger, wanted)} "
        f"{CALLS.joined(' '.join(clauses))} WHERE {' AND '.join(clauses) or '1'} "
        "ORDER BY c.day DESC, c.started_at DESC, c.id DESC LIMIT ?"
    )
    found = ledger.connection.execute(sql, [*values, size + 1]).fetchall()
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return CallsPage(
        list(_in_order(ledger, view, [row["id"] for row in shown])),
        "" if last is None else f"{last['day']}.{last['started_at']}.{last['id']}",
    )


def _until(wanted: WantedCalls, after: str) -> WantedCalls:
    """The days up to that of `after`: of two bounds SQLite would walk from the later one."""
    if not after:
        return wanted
    day = date.fromisoformat(_place(after)[0])
    period = wanted.period or Period.days(date.min, day)
    return replace(wanted, period=replace(period, last=max(period.first, min(period.last, day))))


def _walk(ledger: Ledger, wanted: WantedCalls) -> str:
    """Where to begin: at the newest day; or at the calls without a price, or of a PIN, if they are wanted and few."""
    if wanted.status == "unrated":
        few = "SELECT count(*) FROM (SELECT 1 FROM charges WHERE status = 'unrated' LIMIT ?)"
        if ledger.connection.execute(few, [FEW]).fetchone()[0] < FEW:
            return "charges g INDEXED BY charges_unrated CROSS JOIN calls c ON c.id = g.id AND g.status = 'unrated'"
    if wanted.pin:
        few = "SELECT count(*) FROM (SELECT 1 FROM calls WHERE pin = ? LIMIT ?)"
        if ledger.connection.execute(few, [wanted.pin, FEW]).fetchone()[0] < FEW:
            return "calls c INDEXED BY calls_by_pin CROSS JOIN charges g ON g.id = c.id"
    return "calls c INDEXED BY calls_by_day CROSS JOIN charges g ON g.id = c.id"


def _place(text: str) -> tuple[str, int, int]:
    try:
        day, started_at, number = text.split(".")
        return date.fromisoformat(day).isoformat(), int(started_at), int(number)
    except ValueError:
        raise UsageError(tr("{text!r} is not a page", text=text), tr("begin at the first page")) from None


def _in_order(ledger: Ledger, view: View, ids: list[int]) -> Iterator[dict[str, Any]]:
    rows = calls_with_ids(ledger, view, "SELECT value AS id FROM json_each(?)", [json.dumps(ids)])
    found = {row["id"]: row for row in rows}
    return (found[one] for one in ids if one in found)


def newest_id(ledger: Ledger) -> int:
    """The id of the call that came last, 0 before the first: the ledger's position as a list of arrivals sees it."""
    return int(ledger.connection.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()[0])


def arrived(
    ledger: Ledger, view: View, where: Where, *, after: int, most: int, until: int | None = None
) -> list[dict[str, Any]]:
    """The last of the calls that have come since the call `after`, the newest first."""
    last = newest_id(ledger) if until is None else until
    clauses, values = conditions(CALLS, where, who_is_meant(ledger, where, None))
    sql = (
        f"SELECT c.id FROM calls c CROSS JOIN charges g ON g.id = c.id {CALLS.joined(' '.join(clauses))} "
        f"WHERE c.id > ? AND c.id <= ?{''.join(f' AND {one}' for one in clauses)} ORDER BY c.id DESC LIMIT ?"
    )
    found = ledger.connection.execute(sql, [max(after, last - LOOKED_AT), last, *values, most])
    return list(_in_order(ledger, view, [row["id"] for row in found]))
