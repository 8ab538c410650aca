"""The calls and the events one by one: rows with the contract's keys, exact fees, times on the site's clock.

for row in calls(ledger, View(zone, currency), WantedCalls(extension="8001")): ...
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Any

from ippbx_billing.calls import EventKind, EventStatus, Reason
from ippbx_billing.documents.batches import Batches
from ippbx_billing.inbox import EventSummary, Inbox
from ippbx_billing.language.reasons import told
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.journey import Outcome
from ippbx_billing.reports.call_columns import CALL_KEYS, STORED, CallBatch, call_batches
from ippbx_billing.reports.conditions import Period, Scope, View, WantedCalls, is_exact
from ippbx_billing.reports.names import who_is_meant
from ippbx_billing.reports.sources import CALLS, MOST_LISTED, conditions


def calls(ledger: Ledger, view: View, wanted: WantedCalls) -> Iterator[dict[str, Any]]:
    """The calls by day and start, streamed; keys as in the contract."""
    return iter(calls_by_column(ledger, view, wanted))


def calls_by_column(ledger: Ledger, view: View, wanted: WantedCalls) -> Batches[CallBatch]:
    """The same, for who takes them column by column.

    The index of days keeps the calls in order day by day, so that no more than a day is ever sorted.
    """
    clauses, values = conditions_of(ledger, wanted)
    index = "" if wanted.call is not None or wanted.event is not None else "INDEXED BY calls_by_day"
    where = f"WHERE {' AND '.join(clauses) or '1'} ORDER BY c.day, c.started_at, c.id LIMIT ?"
    return _listed(ledger, view, index, where, [*values, -1 if wanted.limit is None else wanted.limit])


def calls_with_ids(ledger: Ledger, view: View, ids: str, values: Sequence[Any]) -> Batches[CallBatch]:
    """The calls whose ids this query finds, by id, streamed; keys as in the contract."""
    return _listed(ledger, view, f"JOIN ({ids}) wanted ON wanted.id = c.id", "ORDER BY c.id", values)


def other_rows(ledger: Ledger, view: View, call: int, scope: Scope | None = None) -> list[dict[str, Any]]:
    """The other rows of the conversation that a call is a row of, as far as the scope; keys as in the contract."""
    ids = [one for one in ledger.rows.rows_of(call) if one != call]
    if scope is None:
        return list(calls_with_ids(ledger, view, "SELECT value AS id FROM json_each(?)", [json.dumps(ids)]))
    wanted = (WantedCalls(call=one, scope=scope) for one in ids)
    return [row for one in wanted for row in calls(ledger, view, one)]


def _listed(ledger: Ledger, view: View, source: str, where: str, values: Sequence[Any]) -> Batches[CallBatch]:
    sql = (
        f"SELECT {STORED} "
        f"FROM calls c {source} CROSS JOIN charges g ON g.id = c.id {CALLS.joined('r. h.')} "
        f"LEFT JOIN employees e ON e.id = h.employee_id {where}"
    )
    return Batches(CALL_KEYS, call_batches(ledger.connection, view, ledger.directory.paths(), sql, values))


def conditions_of(ledger: Ledger, wanted: WantedCalls) -> tuple[list[str], list[Any]]:
    """The conditions as SQL, with their values."""
    period = wanted.period
    who = who_is_meant(ledger, wanted, period.last if period else None)
    terms = {
        **_days(period, who.employee is not None or is_exact(wanted.extension) or wanted.scope is not None),
        "c.extension IN (SELECT extension FROM holders WHERE employee_id = ?)": who.employee and (who.employee,),
        "c.day = ?": wanted.day and (wanted.day,),
        "g.status = ?": wanted.status and (wanted.status,),
        "c.id = ?": None if wanted.call is None else (wanted.call,),
        "c.event_id = ?": None if wanted.event is None else (wanted.event,),
    }
    given = {clause: value for clause, value in terms.items() if value}
    clauses, values = conditions(CALLS, wanted, who)
    if wanted.scope is not None:  # lets the index find them, day by day
        of_whom = wanted.scope.clause(f"{wanted.scope.key}_id")
        clauses.append(f"c.extension IN (SELECT extension FROM holders WHERE {of_whom})")
    return [*given, *clauses], [*(one for value in given.values() for one in value), *values]


def _days(period: Period | None, one_by_one: bool) -> dict[str, tuple[str, ...]]:
    """The days as SQL; one by one the index finds each day's calls of a few extensions without the other ones'."""
    if period is None:
        return {}
    if one_by_one and period.last - period.first < timedelta(days=MOST_LISTED):
        return {"c.day IN (SELECT value FROM json_each(?))": (json.dumps(list(map(str, period.each_day()))),)}
    return {"c.day BETWEEN ? AND ?": (period.first.isoformat(), period.last.isoformat())}


def events(
    ledger: Ledger,
    inbox: Inbox,
    zone: tzinfo,
    *,
    status: EventStatus | None = None,
    kind: EventKind | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The events, newest first, with what became of each; keys as in the contract."""
    position = ledger.journey.position()
    if status in (EventStatus.DUPLICATE, EventStatus.REJECTED):
        found = inbox.summaries(ids=ledger.journey.events_with(status)[-(limit or 0) :], kind=kind)
    elif status is EventStatus.NEW:
        found = inbox.summaries(after=position, kind=kind, limit=limit)
    else:
        found = inbox.summaries(kind=kind, limit=limit)
    outcomes = ledger.journey.outcomes(one.id for one in found)
    rows = [_event(one, position, outcomes.get(one.id), zone) for one in found]
    return [row for row in rows if status is None or row["status"] == status]


def event_row(ledger: Ledger, inbox: Inbox, zone: tzinfo, event_id: int) -> dict[str, Any]:
    """One event as `events` lists it."""
    (found,) = inbox.summaries(ids=[event_id])
    return _event(found, ledger.journey.position(), ledger.journey.outcomes([event_id]).get(event_id), zone)


def _event(one: EventSummary, position: int, outcome: Outcome | None, zone: tzinfo) -> dict[str, Any]:
    done = EventStatus.DONE if one.id <= position else EventStatus.NEW
    status, reason = outcome or (done, Reason())
    return {
        "id": one.id,
        "received_at": one.received_at.astimezone(zone).isoformat(),
        "kind": one.kind.value,
        "remote": one.remote,
        "status": status.value,
        **told(reason),
        "bytes": one.body_bytes,
    }
