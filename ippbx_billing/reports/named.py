"""The questions that bosses and engineers ask by name: who called most, when, where to, which line is too narrow.

    ranking(ledger, view, period, Where(), "employee", top=10).rows
    idle(ledger, view, period, Where(department="Sales")).rows

Each gives an `Answer`: rows with the contract's keys, their total, and what is not in them. Most are the sums of
`sums.report` seen from another side; `categories` and `lines` are rooms of their own.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Direction, Reason
from ippbx_billing.language.reasons import by_sentence, counted, told
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.directory import Extension
from ippbx_billing.ledger.reasons import loaded
from ippbx_billing.reports import scopes, sources
from ippbx_billing.reports.conditions import Period, View, Where
from ippbx_billing.reports.names import Who, who_is_meant
from ippbx_billing.reports.sums import Report, report, sort_key

REGIONS = {"country": ("country",), "region": ("country", "region"), "place": ("country", "region", "place")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A named report: `gaps` are the unrated calls by reason, `more` what stands in the JSON beside the rows."""

    name: str
    period: Period
    currency: str
    where: Where
    rows: list[dict[str, Any]]
    total: dict[str, Any] | None
    gaps: Mapping[Reason, int]
    filtered: int
    more: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The contract's JSON."""
        return {
            "report": self.name,
            "month": self.period.name,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "currency": self.currency,
            "where": {name: str(value) for name, value in self.where.given().items()},
            **self.more,
            "rows": self.rows,
            "total": self.total,
            "unrated": sum(self.gaps.values()),
            "filtered": self.filtered,
            "unrated_reasons": by_sentence(self.gaps),
            "unrated_by_reason": counted(self.gaps),
        }


def ranking(
    ledger: Ledger,
    view: View,
    period: Period,
    where: Where,
    by: Sequence[str],
    *,
    sort: str | None = None,
    top: int | None = 20,
) -> Answer:
    """The first of an order by fee, or by another measure; those that are equal share their rank."""
    sort = sort or "fee"
    answer, measure = report(ledger, view, period, by, where=where, sort=sort, top=top), sort_key(sort)
    rows: list[dict[str, Any]] = []
    for place, row in enumerate(answer.rows, start=1):
        equal = rows and rows[-1][measure] == row[measure]
        rows.append({"rank": rows[-1]["rank"] if equal else place, **row})
    return _of("ranking", answer, rows, by=list(by), sort=_told(sort), omitted=answer.omitted)


def _told(sort: str) -> str:
    """The order as JSON tells it: a key, after a - where the smallest come first."""
    return ("-" if sort.startswith("-") else "") + sort_key(sort)


def time_of_day(ledger: Ledger, view: View, period: Period, where: Where) -> Answer:
    """The 24 hours of the site's day: calls by direction, and on which days of the week, Monday first."""
    answer = report(ledger, view, period, ("hour",), where=where)
    split = report(ledger, view, period, ("hour", "weekday", "direction"), where=where).rows
    found = {row["hour"]: row for row in answer.rows}
    rows = []
    for hour in range(24):
        calls = [row for row in split if row["hour"] == hour]
        ways = {way.value: _calls(row for row in calls if row["direction"] == way) for way in Direction}
        days = [_calls(row for row in calls if row["weekday"] == day) for day in range(1, 8)]
        rows.append({**found.get(hour, _nothing(answer, hour=hour)), **ways, "weekdays": days})
    ways = {way.value: _calls(row for row in split if row["direction"] == way) for way in Direction}
    return _of("time-of-day", answer, rows, {**answer.total, **ways})


def regions(
    ledger: Ledger, view: View, period: Period, where: Where, by: str = "region", *, top: int | None = None
) -> Answer:
    """Where calls went to or came from, the dearest first; `by` is a key of REGIONS."""
    answer = report(ledger, view, period, REGIONS[by], where=where, sort="fee", top=top)
    return _of("regions", answer, answer.rows, by=list(REGIONS[by]), omitted=answer.omitted)


def numbers(
    ledger: Ledger, view: View, period: Period, where: Where, *, sort: str | None = None, top: int | None = 50
) -> Answer:
    """The numbers that were called or called us, with the place that each belongs to."""
    by = ("number", "country", "region", "place")
    sort = sort or "fee"
    answer = report(ledger, view, period, by, where=where, sort=sort, top=top)
    return _of("numbers", answer, answer.rows, sort=_told(sort), omitted=answer.omitted)


def pins(ledger: Ledger, view: View, period: Period, where: Where, *, sort: str | None = None) -> Answer:
    """What each personal PIN (随身密码) cost; `without_pin` is the number of calls that were made without one."""
    answer = report(ledger, view, period, ("pin",), where=where, sort=sort or "fee")
    rows = [row for row in answer.rows if row["pin"] is not None]
    return _of("pins", answer, rows, without_pin=_calls(row for row in answer.rows if row["pin"] is None))


def idle(ledger: Ledger, view: View, period: Period, where: Where) -> Answer:
    """The directory's extensions without such a call, filtered ones too; `last_call` is the day of their last one.

    Within a scope it is not told: the last call may have been somebody else's who had the extension before.
    """
    question = asked_of(ledger, period, ("extension",), where)
    used = {key[0] for key in sources.sums(ledger, question)}
    entries = {one.number: one for one in _in_directory(ledger, period, where)}
    rows = [
        {
            "extension": number,
            "name": one.name,
            "department": one.department,
            "last_call": None if where.scope else _last_call(ledger, number),
        }
        for number, one in entries.items()
        if number not in used
    ]
    return answered(ledger, "idle", view, question, rows, {"idle": len(rows), "extensions": len(entries)})


def unrated(ledger: Ledger, view: View, period: Period, where: Where) -> Answer:
    """The calls without a fee by reason, the most frequent first, each with its newest call as an example."""
    question = asked_of(ledger, period, (), where)
    clauses, values = sources.conditions(sources.CALLS, where, question.who)
    rows = ledger.connection.execute(
        "SELECT g.reason, g.reason_facts, c.traffic_type, c.direction, r.name AS carrier, c.trunk, count(*) AS calls, "
        "sum(c.billed_s) AS billed_s, max(c.id) AS example, c.number, min(c.day) AS first_day "
        f"{sources.CALLS.tables} {sources.CALLS.joined('r. h.')} "
        "WHERE g.status = 'unrated' AND g.local_hour BETWEEN ? AND ? "
        f"{''.join(f' AND {clause}' for clause in clauses)} GROUP BY 1, 2",
        [*hours_of(period), *values],
    ).fetchall()
    found = [{**dict(row), **told(loaded(row["reason"], row["reason_facts"]))} for row in rows]
    found.sort(key=lambda row: (-row["calls"], row["reason"]))
    total = {name: sum(row[name] for row in found) for name in ("calls", "billed_s")}
    answer = answered(ledger, "unrated", view, question, found, total)
    return replace(answer, more={"carriers": [one.name for one in ledger.book.carriers()]})


# -- what answers are made of


def _of(name: str, answer: Report, rows: list[dict[str, Any]], total: Any = None, **more: Any) -> Answer:
    """A named report made from sums by group."""
    return Answer(
        name=name,
        period=answer.period,
        currency=answer.currency,
        where=answer.where,
        rows=rows,
        total=answer.total if total is None else total,
        gaps=answer.gaps,
        filtered=answer.filtered,
        more=more,
    )


def answered(
    ledger: Ledger,
    name: str,
    view: View,
    question: sources.Question,
    rows: list[dict[str, Any]],
    total: dict[str, Any],
) -> Answer:
    """A named report that was asked for by itself."""
    by_status = sources.sums(ledger, replace(question, keys=()))
    return Answer(
        name=name,
        period=question.period,
        currency=view.currency,
        where=question.where,
        rows=rows,
        total=total,
        gaps=sources.unrated_reasons(ledger, question),
        filtered=sum(values[0] for (status,), values in by_status.items() if status == ChargeStatus.FILTERED),
    )


def asked_of(ledger: Ledger, period: Period, keys: tuple[str, ...], where: Where) -> sources.Question:
    return sources.Question(period, keys, where, who_is_meant(ledger, where, period.last))


def hours_of(period: Period) -> tuple[int, int]:
    """The first and last hour of the period, as the ledger counts them."""
    return period.first.toordinal() * 24, period.last.toordinal() * 24 + 23


def _calls(rows: Iterable[Mapping[str, Any]]) -> int:
    return sum(row["calls"] for row in rows)


def _nothing(answer: Report, **key: Any) -> dict[str, Any]:
    """A row in which nothing happened, like those of the answer."""
    zero = {name: 0 if isinstance(value, int) else None for name, value in answer.total.items()}
    decimals = len(answer.total["fee"].partition(".")[2])
    return {**key, **zero, "fee": money.text(0, decimals)}


def by_length(value: str | None) -> tuple[bool, int, str]:
    """Shorter numbers before longer ones; what nobody told last."""
    return value is None, len(value or ""), value or ""


# -- idle extensions


def _in_directory(ledger: Ledger, period: Period, where: Where) -> Iterator[Extension]:
    """The directory's entries in the period that are asked for, the latest of each extension last."""
    asked = _asked_extensions(ledger, where)
    department = where.department and ledger.directory.department(where.department).path
    employee = where.employee and ledger.directory.employee(where.employee, period.last).number
    allowed = scopes.seen(ledger, where.scope) if where.scope else None
    for one in ledger.directory.extension_history():
        if (
            one.present
            and one.first_day <= period.last
            and one.end_day > period.first
            and (asked is None or one.number in asked)
            and (not department or f"{one.department}/".startswith(f"{department}/"))
            and (not employee or one.employee == employee)
            and (allowed is None or allowed(one))
        ):
            yield one


def _asked_extensions(ledger: Ledger, where: Where) -> set[str] | None:
    """The directory's extensions that the pattern means; None where all are meant."""
    if where.extension is None:
        return None
    listed = sources.SumSource("directory", "", "", {"extension": "value"}, ())
    clauses, values = sources.conditions(listed, Where(extension=where.extension), Who())
    sql = f"SELECT value FROM json_each(?) WHERE {clauses[0]}"
    return {row[0] for row in ledger.connection.execute(sql, [json.dumps(ledger.directory.numbers()), *values])}


def _last_call(ledger: Ledger, extension: str) -> str | None:
    """The day of the extension's last call: its last month is looked up first, then the days of it."""
    found = ledger.connection.execute(
        "SELECT max(m.month), m.extension_id FROM rollup_month_extensions m "
        "JOIN rollup_extensions e ON e.id = m.extension_id WHERE e.extension = ?",
        [extension],
    ).fetchone()
    if found[0] is None:
        return None
    first = date(found[0] // 12, found[0] % 12 + 1, 1).toordinal()
    days = ", ".join(str(first + day) for day in range(31))
    sql = f"SELECT max(day) FROM rollup_days WHERE day IN ({days}) AND extension_id = ?"
    return date.fromordinal(ledger.connection.execute(sql, [found[1]]).fetchone()[0]).isoformat()
