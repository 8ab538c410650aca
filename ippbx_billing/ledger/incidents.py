"""Incidents, and what is to be told of them: written in the transaction of the calls that they rest on.

    with ledger.transaction():
        ledger.incidents.settle(findings, over, now)

An incident is opened, extended and closed here, each time at most one message comes of it; which channels it goes to is
the sender's business, see `delivery.sender`.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ippbx_billing.alerts import Config, DayHistory, Exception_, Occurrence, Over, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger.editing import editing
from ippbx_billing.ledger.reasons import loaded, stored

GROWS_EVERY_S = 900  # what merely goes on is noted so often, as each change of the file costs its readers something


@dataclass(frozen=True, slots=True)
class Incident:
    """One happening: times are whole seconds of UTC, `closed_at` is None while it goes on."""

    id: int
    rule: str
    object: str
    severity: Severity
    reason: Reason
    opened_at: int
    last_at: int
    closes_at: int | None
    closed_at: int | None
    acked_at: int | None
    acked_by: str | None
    count: int

    @property
    def state(self) -> str:
        """`open`, `acknowledged` or `closed`."""
        return "closed" if self.closed_at is not None else "acknowledged" if self.acked_at is not None else "open"


class IncidentTables:
    """The tables `alert_incidents`, `alert_messages`, `alert_settings`, `alert_exceptions` and `alert_days`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # -- from findings to incidents, in the caller's transaction

    def settle(self, findings: Iterable[Occurrence], over: Iterable[Over], now: int) -> None:
        """Open, extend and close; each opening, each higher severity and each end is one message."""
        for one in findings:
            self._found(one, now)
        for gone in over:
            for incident in self._where("rule = ? AND object = ? AND closed_at IS NULL", [gone.rule, gone.object]):
                self._close(incident, gone.at)
        for incident in self._where("closed_at IS NULL AND closes_at <= ?", [now]):
            self._close(incident, incident.closes_at or now)

    def has_work(self, findings: Sequence[Occurrence], over: Iterable[Over], now: int) -> bool:
        """Whether `settle` would change anything: asked before the write lock is taken."""
        if any(not self._goes_on(one) for one in findings):
            return True
        ends = self.connection.execute(
            "SELECT rule, object, closes_at <= ? FROM alert_incidents WHERE closed_at IS NULL", [now]
        ).fetchall()
        gone = {(one.rule, one.object) for one in over}
        return any(closes or (rule, what) in gone for rule, what, closes in ends)

    def _goes_on(self, one: Occurrence) -> bool:
        """Whether an open incident says all of it already."""
        known = self._open(one)
        if known is None:
            return one.once and self._told(one)
        lately = one.at - known.last_at < GROWS_EVERY_S
        return one.closes_at is None and lately and one.severity.rank <= known.severity.rank

    def _found(self, one: Occurrence, now: int) -> None:
        known = self._open(one)
        if known is None:
            if not (one.once and self._told(one)):
                self._tell(self._opened(one), "open", one.severity, now)
        elif not self._goes_on(one):
            self._extend(known, one, now)

    def _open(self, one: Occurrence) -> Incident | None:
        found = self._where("rule = ? AND object = ? AND closed_at IS NULL", [one.rule, one.object])
        return found[0] if found else None

    def _told(self, one: Occurrence) -> bool:
        sql = "SELECT 1 FROM alert_incidents WHERE rule = ? AND object = ?"
        return self.connection.execute(sql, [one.rule, one.object]).fetchone() is not None

    def _opened(self, one: Occurrence) -> int:
        number = self.connection.execute(
            "INSERT INTO alert_incidents (rule, object, severity, reason, reason_facts, opened_at, last_at, closes_at, "
            "count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [one.rule, one.object, one.severity, *stored(one.reason), one.at, one.at, one.closes_at, one.count],
        ).lastrowid
        assert number is not None
        return number

    def _extend(self, known: Incident, one: Occurrence, now: int) -> None:
        louder = one.severity.rank > known.severity.rank
        self.connection.execute(
            "UPDATE alert_incidents SET severity = ?, reason = ?, reason_facts = ?, last_at = ?, closes_at = ?, "
            "count = count + ? WHERE id = ?",
            [
                one.severity if louder else known.severity, *stored(one.reason), max(one.at, known.last_at),
                one.closes_at, one.count, known.id,
            ],
        )  # fmt: skip
        if louder:
            self._tell(known.id, f"raised-{one.severity}", one.severity, now)

    def _close(self, incident: Incident, at: int) -> None:
        self.connection.execute("UPDATE alert_incidents SET closed_at = ? WHERE id = ?", [at, incident.id])
        self._tell(incident.id, "close", incident.severity, at)

    def _tell(self, incident: int, kind: str, severity: Severity, now: int) -> None:
        self.message(f"incident/{incident}/{kind}", kind, severity, now, incident=incident)

    def message(
        self, key: str, kind: str, severity: Severity, now: int, *, incident: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:  # fmt: skip
        """Something to be told; gives False where the same key has been told, or waits to be."""
        told = json.dumps(facts or {}, ensure_ascii=False)
        return bool(
            self.connection.execute(
                "INSERT OR IGNORE INTO alert_messages (key, incident_id, kind, severity, facts, created_at, state) "
                "VALUES (?, ?, ?, ?, ?, ?, 'new')",
                [key, incident, kind, severity, told, now],
            ).rowcount
        )

    # -- looking at them

    def _where(self, condition: str, values: Sequence[Any], more: str = "") -> list[Incident]:
        rows = self.connection.execute(f"SELECT * FROM alert_incidents WHERE {condition} {more}", values).fetchall()
        return [_incident(row) for row in rows]

    def listed(self, *, everything: bool = False, rule: str | None = None, limit: int = 100) -> list[Incident]:
        """Incidents that go on, or all of them, the newest first."""
        conditions = ["1"] if everything else ["closed_at IS NULL"]
        values: list[Any] = []
        if rule:
            conditions.append("rule = ?")
            values.append(rule)
        return self._where(" AND ".join(conditions), [*values, limit], "ORDER BY opened_at DESC, id DESC LIMIT ?")

    def get(self, number: int) -> Incident:
        """One incident; NotFoundError where there is none of this number."""
        found = self._where("id = ?", [number])
        if not found:
            raise NotFoundError(
                tr("there is no incident {number}", number=number), tr("see `ippbx-bill alerts list --all`")
            )
        return found[0]

    def acknowledge(self, number: int, by: str, now: int) -> Incident:
        """Somebody is at it: nobody else is called. Gives the incident as it is now."""
        self.get(number)
        with editing(self.connection):
            self.connection.execute(
                "UPDATE alert_incidents SET acked_at = ?, acked_by = ? WHERE id = ? AND acked_at IS NULL",
                [now, by, number],
            )
        return self.get(number)

    # -- settings and exceptions

    def config(self) -> Config:
        """The rules as they are set."""
        own: dict[str, dict[str, str]] = {}
        for row in self.connection.execute("SELECT rule, name, value FROM alert_settings"):
            own.setdefault(row["rule"], {})[row["name"]] = row["value"]
        return Config(own, self.exceptions().values())

    def set(self, rule: str, values: Mapping[str, str | None]) -> None:
        """Set some of a rule's settings; None puts one back to its starting value."""
        with editing(self.connection):
            for name, value in values.items():
                if value is None:
                    self.connection.execute("DELETE FROM alert_settings WHERE rule = ? AND name = ?", [rule, name])
                else:
                    sql = "INSERT OR REPLACE INTO alert_settings VALUES (?, ?, ?)"
                    self.connection.execute(sql, [rule, name, value])

    def exceptions(self) -> dict[int, Exception_]:
        """What nobody wants to hear of, by number."""
        rows = self.connection.execute("SELECT * FROM alert_exceptions ORDER BY id")
        return {
            row["id"]: Exception_(
                row["rule"], row["object"], date.fromisoformat(row["until"]) if row["until"] else None, row["note"]
            )
            for row in rows
        }

    def add_exception(self, one: Exception_) -> int:
        """Keep an exception; gives its number."""
        until = one.until.isoformat() if one.until else None
        with editing(self.connection):
            sql = "INSERT INTO alert_exceptions (rule, object, until, note) VALUES (?, ?, ?, ?)"
            number = self.connection.execute(sql, [one.rule, one.object, until, one.note]).lastrowid
        assert number is not None
        return number

    def remove_exception(self, number: int) -> None:
        """Hear of it again."""
        with editing(self.connection):
            if not self.connection.execute("DELETE FROM alert_exceptions WHERE id = ?", [number]).rowcount:
                raise NotFoundError(
                    tr("there is no exception {number}", number=number), tr("see `ippbx-bill alerts mute --list`")
                )

    # -- what is usual

    def days(self, first: date) -> dict[date, DayHistory]:
        """The days from this one on that are summed up."""
        rows = self.connection.execute("SELECT day, told FROM alert_days WHERE day >= ?", [first.isoformat()])
        return {date.fromisoformat(day): DayHistory.loaded(json.loads(told)) for day, told in rows}

    def put_days(self, days: Mapping[date, DayHistory]) -> None:
        """Keep days that were summed up, in the caller's transaction."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO alert_days VALUES (?, ?)",
            [(day.isoformat(), json.dumps(one.plain(), separators=(",", ":"))) for day, one in days.items()],
        )
        self._days_are_others()

    def forget_days(self, days: Iterable[str]) -> None:
        """Calls of these days came late: they are to be summed up anew."""
        found = self.connection.executemany("DELETE FROM alert_days WHERE day = ?", [(day,) for day in days])
        if found.rowcount:
            self._days_are_others()

    def days_version(self) -> str:
        """A text that is another one when the days are."""
        row = self.connection.execute("SELECT value FROM state WHERE name = 'alert_days'").fetchone()
        return "0" if row is None else str(row[0])

    def _days_are_others(self) -> None:
        version = str(int(self.days_version()) + 1)
        self.connection.execute("INSERT OR REPLACE INTO state VALUES ('alert_days', ?)", [version])


def _incident(row: sqlite3.Row) -> Incident:
    return Incident(
        row["id"], row["rule"], row["object"], Severity(row["severity"]), loaded(row["reason"], row["reason_facts"]),
        row["opened_at"], row["last_at"], row["closes_at"], row["closed_at"], row["acked_at"], row["acked_by"],
        row["count"],
    )  # fmt: skip
