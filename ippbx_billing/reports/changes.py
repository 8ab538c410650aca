"""What is new since somebody looked last: calls that came, calls that were corrected, calls that were rated again.

    since = Cursor.of(ledger.journey.state("export_cursor"))
    until = newest(ledger)
    for row in changed_calls(ledger, view, since): ...

The one idea: four numbers that only grow say how far somebody has read. A call has its id once; a record that corrects
it brings a later event; a re-rating that changes its fee leaves a mark with the run's number, and a row that was joined
with it one with the change's.

`since_handed_out` answers the question the other way round: which calls of days whose bill was handed out at a moment
have another fee now, or came only then.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from ippbx_billing.documents.batches import Batches
from ippbx_billing.errors import UsageError
from ippbx_billing.inbox import Inbox
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.call_columns import CallBatch, fee_text
from ippbx_billing.reports.conditions import Period, View
from ippbx_billing.reports.listing import calls_with_ids


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last call, event, re-rating and change that were read."""

    call: int = 0
    event: int = 0
    run: int = 0
    change: int = 0

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor as it was kept; the beginning where none was."""
        return cls(*map(int, text.split(","))) if text else cls()

    def __str__(self) -> str:
        return f"{self.call},{self.event},{self.run},{self.change}"


def newest(ledger: Ledger) -> Cursor:
    """How far one can read now. A re-rating that did not end, and all after it, are not counted: theirs are read again.

    Runs may end in another order than they began, or be killed; what such a run changed late has its early number.
    """
    row = ledger.connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM calls), (SELECT coalesce(max(event_id), 0) FROM calls), "
        "(SELECT coalesce(max(id), 0) FROM rerate_runs WHERE id < "
        "(SELECT coalesce(min(id), 1 << 62) FROM rerate_runs WHERE ended_at IS NULL)), "
        "(SELECT coalesce(max(id), 0) FROM call_changes)"
    ).fetchone()
    return Cursor(*row)


def changed_calls(ledger: Ledger, view: View, since: Cursor) -> Batches[CallBatch]:
    """The calls that came or changed after `since`, each once as it is now, by id; keys as in the contract."""
    ids = (
        "SELECT id FROM calls WHERE id > ? UNION SELECT id FROM calls WHERE event_id > ? "
        "UNION SELECT call_id FROM charge_history WHERE run_id > ? UNION SELECT call_id FROM call_changes WHERE id > ?"
    )
    return calls_with_ids(ledger, view, ids, [since.call, since.event, since.run, since.change])


def moment_of(text: str, zone: tzinfo) -> datetime:
    """A moment such as 2026-11-02T09:30 on the site's clock; UsageError for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            tr("{text!r} is not a time", text=text), tr("write it like 2026-11-02 or 2026-11-02T09:30")
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Before:
    """What a call was when the bill was handed out: what changed it, when, its status and fee; None: it was not there.

    `what` is late, corrected, rows (another row of the call came) or rerated.
    """

    what: str
    changed_at: int
    status: str | None
    fee_micro: int | None


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A bill: when it was handed out, the last event that had come by then, and the first and last day it was for."""

    moment: datetime
    last_event: int
    first: str
    last: str

    @classmethod
    def at(cls, moment: datetime, inbox: Inbox, period: Period | None = None) -> "HandedOut":
        """A bill of this period, else of all days before the one on which it was handed out."""
        last_event = inbox.last_before(moment) or _before_the_first(inbox)
        if period:
            return cls(moment, last_event, str(period.first), str(period.last))
        return cls(moment, last_event, "0001-01-01", str(moment.date() - timedelta(days=1)))


def _before_the_first(inbox: Inbox) -> int:
    """Where all earlier events were pruned, what is left came later."""
    first = inbox.after(0, 1)
    return first[0].id - 1 if first else 0


def since_handed_out(ledger: Ledger, view: View, bill: HandedOut) -> list[dict[str, Any]]:
    """The calls of the bill's local days that came or changed after it was handed out.

    Keys as in the contract, and `what`, `changed_at`, `status_before`, `fee_before`, `difference`; an unknown amount is
    None. Calls that cost the same as then are left out.
    """
    before = _before(ledger.connection, bill)
    ids = json.dumps(sorted(before))
    rows = calls_with_ids(ledger, view, "SELECT value AS id FROM json_each(?)", [ids])
    listed = [_compared(row, before[row["id"]], view) for row in rows]
    return [row for row in listed if (row["status"], row["fee"]) != (row["status_before"], row["fee_before"])]


def _before(connection: sqlite3.Connection, bill: HandedOut) -> dict[int, Before]:
    """What each call that was touched since then was before, by its id."""
    found: dict[int, Before] = {}
    facts = {"moment": int(bill.moment.timestamp()), "event": bill.last_event, "first": bill.first, "last": bill.last}
    for sql in _TOUCHED:
        for number, changed_at, earlier_event, status, fee_micro, cause in connection.execute(sql, facts):
            known = found.get(number)
            if known is None or changed_at < known.changed_at:
                was = (status, fee_micro) if earlier_event <= bill.last_event else (None, None)
                found[number] = Before(cause if was[0] else "late", changed_at, *was)
    return found


_TOUCHED = (
    (
        "SELECT call_id, changed_at, earlier_event_id, status, fee_micro, cause FROM call_changes "
        "WHERE changed_at >= :moment AND day BETWEEN :first AND :last ORDER BY id"
    ),
    (
        "SELECT h.call_id, r.started_at, c.event_id, h.status, h.fee_micro, 'rerated' FROM rerate_runs r "
        "JOIN charge_history h ON h.run_id = r.id JOIN calls c ON c.id = h.call_id "
        "WHERE r.started_at >= :moment AND c.day BETWEEN :first AND :last ORDER BY r.id"
    ),
    (
        "SELECT id, :moment, event_id, NULL, NULL, 'late' FROM calls WHERE event_id > :event "
        "AND day BETWEEN :first AND :last AND id NOT IN (SELECT call_id FROM call_changes WHERE changed_at >= :moment)"
    ),
)


def _compared(row: dict[str, Any], before: Before, view: View) -> dict[str, Any]:
    fee_before = fee_text(before.fee_micro, _decimals(row["fee"]))
    fees = [None if one is None else Decimal(one) for one in (fee_before, row["fee"])]
    known = row["fee"] is not None and (before.status is None or fee_before is not None)
    return {
        **row,
        "what": before.what,
        "changed_at": view.time(before.changed_at),
        "status_before": before.status,
        "fee_before": fee_before,
        "difference": str((fees[1] or 0) - (fees[0] or 0)) if known else None,
    }


def _decimals(fee: str | None) -> int | None:
    return len(fee.partition(".")[2]) if fee else None
