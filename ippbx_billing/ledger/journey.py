"""How far the inbox was read, what became of its events, and which calls are in progress."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ippbx_billing.calls import CallStatus, EventStatus, Phase, RawEvent, Reason
from ippbx_billing.ledger.reasons import loaded, stored

Outcome = tuple[EventStatus, Reason]  # what became of an event, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A call as the status events describe it; it may be long over when its last word got lost."""

    pbx: str
    call_id: str
    phase: Phase
    state: str
    caller: str | None
    callee: str | None
    extension: str | None
    number: str | None
    trunk: str | None
    direction: str | None
    first_event_at: datetime
    last_event_at: datetime
    answered_at: datetime | None
    event_id: int


class JourneyTables:
    """The tables `state`, `outcomes` and `live_calls`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def position(self) -> int:
        """The id of the last event that was read; 0 before the first."""
        return int(self.state("position") or 0)

    def advance(self, position: int) -> None:
        """Remember that all events up to `position` were read."""
        self.set_state("position", str(position))

    def state(self, name: str) -> str | None:
        """A remembered value."""
        row = self.connection.execute("SELECT value FROM state WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row["value"])

    def set_state(self, name: str, value: str) -> None:
        """Remember a value."""
        self.connection.execute("INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)", [name, value])

    def forget_state(self, name: str) -> None:
        """Remember a value no more."""
        self.connection.execute("DELETE FROM state WHERE name = ?", [name])

    def record(self, event_id: int, status: EventStatus, reason: Reason) -> None:
        """Say what became of an event; one that is plainly done needs no row."""
        self.record_all({event_id: (status, reason)})

    def record_all(self, outcomes: Mapping[int, "Outcome"]) -> None:
        """The same of many events, by their ids."""
        self.forget(outcomes)
        told = [
            (one, status, *stored(reason))
            for one, (status, reason) in outcomes.items()
            if reason or status is not EventStatus.DONE
        ]
        self.connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?, ?)", told)

    def outcomes(self, event_ids: Iterable[int]) -> dict[int, Outcome]:
        """What became of these events, where it is more than plainly done."""
        wanted = list(event_ids)
        found = {}
        for start in range(0, len(wanted), 500):
            chunk = wanted[start : start + 500]
            marks = ", ".join("?" * len(chunk))
            for row in self.connection.execute(f"SELECT * FROM outcomes WHERE event_id IN ({marks})", chunk):
                found[row["event_id"]] = (EventStatus(row["status"]), loaded(row["reason"], row["reason_facts"]))
        return found

    def unknown(self, ids: Collection[int]) -> list[int]:
        """Those of these events of which the ledger holds neither a call nor an outcome."""
        sql = (
            "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT event_id FROM outcomes) "
            "AND NOT EXISTS (SELECT 1 FROM calls WHERE event_id = value)"
        )
        return [int(row[0]) for row in self.connection.execute(sql, [str(list(ids))])]

    def forget(self, event_ids: Iterable[int]) -> None:
        """Drop what was noted of events that are gone."""
        self.connection.executemany("DELETE FROM outcomes WHERE event_id = ?", ((one,) for one in event_ids))

    def events_with(self, status: EventStatus) -> list[int]:
        """The events with this outcome, oldest first."""
        rows = self.connection.execute("SELECT event_id FROM outcomes WHERE status = ? ORDER BY 1", [status])
        return [row[0] for row in rows]

    def rejected_causes(self) -> list[sqlite3.Row]:
        """Why events were rejected, the most frequent cause first: how many, the first one and the newest."""
        return self.connection.execute(
            "SELECT reason, reason_facts, count(*) AS events, min(event_id) AS first, max(event_id) AS example "
            "FROM outcomes WHERE status = ? GROUP BY 1, 2 ORDER BY events DESC, 1, 2",
            [EventStatus.REJECTED],
        ).fetchall()

    def events_rejected(self, code: str, facts: str) -> list[int]:
        """The events that were rejected for this stored reason."""
        rows = self.connection.execute(
            "SELECT event_id FROM outcomes WHERE status = ? AND reason = ? AND reason_facts = ? ORDER BY 1",
            [EventStatus.REJECTED, code, facts],
        )
        return [row[0] for row in rows]

    def reasons_of_rejected(self, first: int, last: int) -> dict[Reason, int]:
        """How many events from one id to another were rejected, by reason, the most frequent first."""
        rows = self.connection.execute(
            "SELECT reason, reason_facts, count(*) FROM outcomes WHERE event_id BETWEEN ? AND ? AND status = ? "
            "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
            [first, last, EventStatus.REJECTED],
        )
        return {loaded(code, facts): count for code, facts, count in rows}

    def follow(self, event: RawEvent, step: CallStatus) -> None:
        """Bring the call's live state on by one step; an ended call is not revived by a late or doubled event."""
        if step.phase is None:
            return
        call_id = step.call_id or f"{step.extension or ''}/{step.number or step.caller or step.callee or ''}"
        at = int(event.received_at.timestamp())
        self.connection.execute(
            _FOLLOW,
            {
                "pbx": step.pbx,
                "call_id": call_id,
                "phase": step.phase.value,
                "state": step.state,
                "caller": step.caller,
                "callee": step.callee,
                "extension": step.extension,
                "number": step.number,
                "trunk": step.trunk,
                "direction": step.direction.value if step.direction else None,
                "at": at,
                "answered_at": at if step.phase is Phase.TALKING else None,
                "event_id": event.id,
            },
        )

    def live(self, since: datetime) -> list[LiveCall]:
        """The calls with an event since then, the newest first."""
        rows = self.connection.execute(
            "SELECT * FROM live_calls WHERE last_event_at >= ? ORDER BY last_event_at DESC, call_id",
            [int(since.timestamp())],
        )
        return [_live_call(row) for row in rows]

    def forget_live(self, before: datetime) -> None:
        """Drop calls that were silent for so long that their end must have been lost."""
        self.connection.execute("DELETE FROM live_calls WHERE last_event_at < ?", [int(before.timestamp())])


_FOLLOW = """
INSERT INTO live_calls VALUES (
    :pbx, :call_id, :phase, :state, :caller, :callee, :extension, :number, :trunk, :direction,
    :at, :at, :answered_at, :event_id
)
ON CONFLICT (pbx, call_id) DO UPDATE SET
    phase = CASE
        WHEN phase = 'ended' OR (phase = 'talking' AND excluded.phase = 'ringing') THEN phase ELSE excluded.phase
    END,
    state = excluded.state,
    caller = coalesce(caller, excluded.caller),
    callee = coalesce(callee, excluded.callee),
    extension = coalesce(extension, excluded.extension),
    number = coalesce(number, excluded.number),
    trunk = coalesce(trunk, excluded.trunk),
    direction = coalesce(direction, excluded.direction),
    last_event_at = excluded.last_event_at,
    answered_at = coalesce(answered_at, excluded.answered_at),
    event_id = excluded.event_id
"""


def _live_call(row: sqlite3.Row) -> LiveCall:
    values = {name: row[name] for name in row.keys()}  # noqa: SIM118  a Row iterates over its values
    for name in ("first_event_at", "last_event_at", "answered_at"):
        values[name] = None if values[name] is None else datetime.fromtimestamp(values[name], UTC)
    return LiveCall(**{**values, "phase": Phase(values["phase"])})
