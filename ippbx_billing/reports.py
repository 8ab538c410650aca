"""The questions, each a named query: rows with the contract's keys, exact fees, times on the site's clock.

view = View(zone, currency)
for row in calls(ledger, view, CallFilter(extension="8001")): ...
report(ledger, view, Period.month("2026-10"), ("extension",))
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from sqlite3 import Row
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import EventKind, EventStatus
from ippbx_billing.errors import UsageError
from ippbx_billing.inbox import EventSummary, Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import instant

GROUPS = {
    "extension": "c.extension",
    "trunk": "c.trunk",
    "carrier": "r.name",
    "traffic_type": "c.traffic_type",
    "day": "c.day",
}
_FROM = "FROM calls c JOIN charges g ON g.id = c.id LEFT JOIN carriers r ON r.id = g.carrier_id"


@dataclass(frozen=True, slots=True)
class View:
    """How this site looks at its calls: its clock and its currency."""

    zone: tzinfo
    currency: str

    def time(self, seconds: int | None) -> str | None:
        """A stored moment as ISO 8601 with offset, on the site's clock."""
        moment = instant(seconds)
        return None if moment is None else moment.astimezone(self.zone).isoformat()


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both included; `name` is what the report is headed with."""

    first: date
    last: date
    name: str

    @classmethod
    def month(cls, text: str, today: date) -> "Period":
        """The month `YYYY-MM`, `this` or `last`; UsageError for anything else."""
        if text == "this":
            text = f"{today:%Y-%m}"
        elif text == "last":
            text = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
        try:
            if len(text) != 7:
                raise ValueError
            first = datetime.strptime(text, "%Y-%m").date()
        except ValueError:
            raise UsageError(f"{text!r} is no month", "write it like 2026-10, or say this or last") from None
        return cls(first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are asked for; every condition that is given must hold."""

    period: Period | None = None
    day: str | None = None
    extension: str | None = None
    number: str | None = None
    trunk: str | None = None
    carrier: str | None = None
    direction: str | None = None
    disposition: str | None = None
    traffic_type: str | None = None
    status: str | None = None
    call: int | None = None
    event: int | None = None
    limit: int | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """The WHERE clause and its values."""
        terms: dict[str, Any] = {
            "c.day = ?": self.day,
            "c.extension = ?": self.extension,
            "c.trunk = ?": self.trunk,
            "r.name = ?": self.carrier,
            "c.direction = ?": self.direction,
            "c.disposition = ?": self.disposition,
            "c.traffic_type = ?": self.traffic_type,
            "g.status = ?": self.status,
            "c.id = ?": self.call,
            "c.event_id = ?": self.event,
        }
        given = {term: value for term, value in terms.items() if value is not None}
        clauses, values = list(given), list(given.values())
        if self.period is not None:
            clauses.append("c.day BETWEEN ? AND ?")
            values += [self.period.first.isoformat(), self.period.last.isoformat()]
        if self.number is not None:
            clauses.append("(c.number = ? OR c.normalized = ?)")
            values += [self.number, self.number]
        return (" WHERE " + " AND ".join(clauses) if clauses else ""), values


def calls(ledger: Ledger, view: View, wanted: CallFilter) -> Iterator[dict[str, Any]]:
    """The calls in order of their start, streamed; keys as in the contract."""
    where, values = wanted.sql()
    limit = "" if wanted.limit is None else f" LIMIT {int(wanted.limit)}"
    rows = ledger.connection.execute(
        "SELECT c.*, g.status, g.fee_micro, g.reason, r.name AS carrier, r.decimals, e.name AS person, e.department "
        f"{_FROM} LEFT JOIN extensions e ON e.number = c.extension{where} ORDER BY c.started_at, c.id{limit}",
        values,
    )
    return (_call(row, view) for row in rows)


def _call(row: Row, view: View) -> dict[str, Any]:
    return {
        "id": row["id"],
        "event": row["event_id"],
        "call_id": row["call_id"],
        "pbx": row["pbx"],
        "caller": row["caller"],
        "callee": row["callee"],
        "extension": row["extension"],
        "name": row["person"],
        "department": row["department"],
        "number": row["number"],
        "started_at": view.time(row["started_at"]),
        "answered_at": view.time(row["answered_at"]),
        "ended_at": view.time(row["ended_at"]),
        "duration_s": row["duration_s"],
        "billed_s": row["billed_s"],
        "disposition": row["disposition"],
        "trunk": row["trunk"],
        "direction": row["direction"],
        "country": row["country"],
        "region": row["region"],
        "place": row["place"],
        "traffic_type": row["traffic_type"],
        "line_kind": row["line_kind"],
        "carrier": row["carrier"],
        "fee": fee_text(row["fee_micro"], row["decimals"]),
        "currency": view.currency,
        "status": row["status"],
        "reason": row["reason"] or None,
        "record_id": row["record_id"],
        "dialect": row["dialect"],
        "did": row["did"],
        "pin": row["pin"],
        "notes": [note for note in row["notes"].split("\n") if note],
    }


CALL_KEYS = (
    "id", "event", "call_id", "pbx", "caller", "callee", "extension", "name", "department", "number",
    "started_at", "answered_at", "ended_at", "duration_s", "billed_s", "disposition", "trunk", "direction",
    "country", "region", "place", "traffic_type", "line_kind", "carrier", "fee", "currency", "status", "reason",
    "record_id", "dialect", "did", "pin", "notes",
)  # fmt: skip


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


def _event(one: EventSummary, position: int, outcome: tuple[EventStatus, str] | None, zone: tzinfo) -> dict[str, Any]:
    done = EventStatus.DONE if one.id <= position else EventStatus.NEW
    status, reason = outcome or (done, "")
    return {
        "id": one.id,
        "received_at": one.received_at.astimezone(zone).isoformat(),
        "kind": one.kind.value,
        "remote": one.remote,
        "status": status.value,
        "reason": reason or None,
        "bytes": one.body_bytes,
    }


def fee_text(fee_micro: int | None, decimals: int | None) -> str | None:
    """A fee as exact decimal text, with the carrier's decimals."""
    return None if fee_micro is None else money.text(fee_micro, 2 if decimals is None else decimals)


@dataclass(frozen=True, slots=True)
class Report:
    """Sums by group over a period; `rows` and `total` carry the contract's keys, `gaps` says what is not in them."""

    period: Period
    currency: str
    by: tuple[str, ...]
    rows: list[dict[str, Any]]
    total: dict[str, Any]
    unrated: int
    filtered: int
    gaps: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The contract's JSON."""
        return {
            "month": self.period.name,
            "currency": self.currency,
            "by": list(self.by),
            "rows": self.rows,
            "total": self.total,
            "unrated": self.unrated,
            "filtered": self.filtered,
            "unrated_reasons": self.gaps,
        }


def report(ledger: Ledger, view: View, period: Period, by: Sequence[str]) -> Report:
    """The sums of a period by the given groups (keys of `GROUPS`), the filtered calls left out."""
    columns = [GROUPS[one] for one in by]
    where, values = CallFilter(period=period).sql()
    keys = ", ".join(columns) or "1"
    rows = ledger.connection.execute(
        f"SELECT {keys}, {_SUMS} {_FROM}{where} AND g.status != 'filtered' GROUP BY {keys} ORDER BY {keys}", values
    ).fetchall()
    total = ledger.connection.execute(f"SELECT {_SUMS} {_FROM}{where} AND g.status != 'filtered'", values).fetchone()
    decimals = max((one.decimals for one in ledger.book.carriers()), default=2)
    gaps = dict(
        ledger.connection.execute(
            f"SELECT g.reason, count(*) {_FROM}{where} AND g.status = 'unrated' GROUP BY 1 ORDER BY 2 DESC, 1", values
        ).fetchall()
    )
    filtered = ledger.connection.execute(
        f"SELECT count(*) {_FROM}{where} AND g.status = 'filtered'", values
    ).fetchone()[0]
    people = {one.number: one for one in ledger.book.extensions()} if "extension" in by else {}
    return Report(
        period,
        view.currency,
        tuple(by),
        [_group(row, by, decimals, people) for row in rows],
        _sums(total, decimals),
        sum(gaps.values()),
        filtered,
        gaps,
    )


_SUMS = (
    "count(*) AS calls, coalesce(sum(c.disposition = 'answered'), 0) AS answered, "
    "coalesce(sum(c.duration_s), 0) AS duration_s, coalesce(sum(c.billed_s), 0) AS billed_s, "
    "coalesce(sum(g.fee_micro), 0) AS fee_micro"
)


def _group(row: Row, by: Sequence[str], decimals: int, people: Mapping[str, Any]) -> dict[str, Any]:
    group = dict(zip(by, row, strict=False))
    if "extension" in by:
        person = people.get(group["extension"])
        group |= {"name": person and person.name, "department": person and person.department}
    return group | _sums(row, decimals)


def _sums(row: Row, decimals: int) -> dict[str, Any]:
    return {
        "calls": row["calls"],
        "answered": row["answered"],
        "duration_s": row["duration_s"],
        "billed_s": row["billed_s"],
        "fee": money.text(row["fee_micro"], decimals),
    }


def grouping(text: str) -> tuple[str, ...]:
    """`extension,traffic-type` as keys of `GROUPS`; UsageError names those there are."""
    keys = tuple(part.strip().replace("-", "_") for part in text.split(",") if part.strip())
    unknown = [key for key in keys if key not in GROUPS]
    if unknown or not keys or len(set(keys)) != len(keys):
        known = ", ".join(key.replace("_", "-") for key in GROUPS)
        raise UsageError(f"a report cannot be grouped by {text!r}", f"one or two of: {known}")
    return keys
