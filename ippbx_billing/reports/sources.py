"""Where sums come from: the rollups, the narrow charges, or the calls themselves, whichever is quickest and can tell.

The one idea: a source is a FROM clause and, for each thing a report may ask, the SQL that tells it there. A question is
cut into pieces (whole months, single days, extensions that changed hands within a month), each piece is answered by the
cheapest source that can tell all that is asked, and the answers are added up.

    sums(ledger, Question(period, ("extension",), Where(trunk="FXO-1"), Who()))  # {("8001", "rated"): [calls, …], …}
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from operator import add
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Reason
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import english
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.reasons import loaded
from ippbx_billing.ledger.rollups import SUMS, month_of
from ippbx_billing.reports.conditions import WILDCARDS, Period, Where, is_exact
from ippbx_billing.reports.names import Who

Sums = dict[tuple[Any, ...], list[int]]  # the groups, each ending with the status, and their sums in the order of SUMS

PEOPLE = ("employee", "department")
MOST_LISTED = 400  # days that a condition lists one by one
MOST_OTHERS = 4  # times as many calls are read, where that spares looking each up


@dataclass(frozen=True, slots=True)
class Question:
    """Sums of the calls of a period that fulfil the conditions, told apart by `keys`."""

    period: Period
    keys: tuple[str, ...]
    where: Where = field(default_factory=Where)
    who: Who = field(default_factory=Who)

    @property
    def asked(self) -> set[str]:
        """All that a source must be able to tell."""
        return {*self.keys, *self.where.asked}


@dataclass(frozen=True, slots=True)
class SumSource:
    """One way to the sums: its table, how a period is asked for, what it can tell, and the sums themselves.

    `joins` are the tables behind what it tells, a line for each, joined only where they are needed; `cells` is the
    table when single days of single extensions are asked for.
    """

    name: str
    tables: str
    when: str
    tells: dict[str, str]
    sums: tuple[str, ...]
    joins: str = ""
    cells: str = ""

    def can_tell(self, asked: set[str]) -> bool:
        """Whether all of this can be asked here."""
        return asked <= self.tells.keys()

    def joined(self, sql: str) -> str:
        """The joins that some SQL needs, each a line of `joins`; one may need another before it."""
        needed: list[str] = []
        for join in reversed(self.joins.splitlines()):
            alias = join.split(" ON ")[0].split()[-1]
            if f"{alias}." in " ".join([sql, *needed]):
                needed.insert(0, join)
        return " ".join(needed)


_STORED = tuple(f"sum(s.{name})" for name in SUMS)
_CLASS = {
    **{name: f"nullif(k.{name}, '')" for name in ("trunk", "direction", "disposition", "traffic_type", "line_kind")},
    "carrier": "r.name",
    "status": "k.status",
}
_PLACE = {name: f"nullif(p.{name}, '')" for name in ("country", "region", "place")}
_PEOPLE = {"employee": "h.employee_id", "department": "h.department_id"}
_JOIN_CLASS = "LEFT JOIN rollup_classes k ON k.id = s.class_id\nLEFT JOIN carriers r ON r.id = nullif(k.carrier_id, 0)"
_JOIN_EXTENSION = "LEFT JOIN rollup_extensions e ON e.id = s.extension_id"
_JOIN_CARRIER = "LEFT JOIN carriers r ON r.id = g.carrier_id"
_EXTENSION = {"extension": "e.extension", **_PEOPLE}


def _day_text(number: str) -> str:
    return f"date({number} + 1721424.5)"


def _by_day(number: str) -> dict[str, str]:
    """What follows from a day's number; 1 is Monday."""
    text = _day_text(number)
    return {"day": text, "month": f"substr({text}, 1, 7)", "weekday": f"({number} + 6) % 7 + 1"}


_MONTH = {"month": "printf('%04d-%02d', s.month / 12, s.month % 12 + 1)"}
_HOLDER = "LEFT JOIN holders h ON h.extension = {extension} AND h.first_day <= {first} AND h.end_day {end}"
_WHOLE_MONTH = _HOLDER.format(
    extension="e.extension",
    first="printf('%04d-%02d-01', s.month / 12, s.month % 12 + 1)",
    end=">= printf('%04d-%02d-01', (s.month + 1) / 12, (s.month + 1) % 12 + 1)",
)
_ON_DAY = _HOLDER.format(extension="e.extension", first=_day_text("s.day"), end=f"> {_day_text('s.day')}")

# Single days of single extensions, in the order of `Piece.cells`; CROSS, so that SQLite begins with them.
_CELLS = (
    "FROM (SELECT json_extract(value, '$[0]') AS day, json_extract(value, '$[1]') AS day_text, "
    "json_extract(value, '$[2]') AS extension_id, json_extract(value, '$[3]') AS extension FROM json_each(?)) x CROSS"
)

MONTH_EXTENSIONS = SumSource(
    "month_extensions",
    "FROM rollup_month_extensions s",
    "s.month",
    {**_EXTENSION, **_MONTH, "status": "s.status"},
    _STORED,
    f"{_JOIN_EXTENSION}\n{_WHOLE_MONTH}",
)
MONTH_HOURS = SumSource(
    "month_hours",
    "FROM rollup_month_hours s",
    "s.month",
    {**_EXTENSION, **_MONTH, "hour": "s.hour", "status": "s.status"},
    _STORED,
    f"{_JOIN_EXTENSION}\n{_WHOLE_MONTH}",
)
MONTHS = SumSource(
    "months",
    "FROM rollup_months s",
    "s.month",
    {**_EXTENSION, **_MONTH, **_CLASS},
    _STORED,
    f"{_JOIN_CLASS}\n{_JOIN_EXTENSION}\n{_WHOLE_MONTH}",
)
MONTH_PLACES = SumSource(
    "month_places",
    "FROM rollup_month_places s",
    "s.month",
    {**_PLACE, **_MONTH, **_CLASS},
    _STORED,
    f"{_JOIN_CLASS}\nLEFT JOIN rollup_places p ON p.id = s.place_id",
)
DAYS = SumSource(
    "days",
    "FROM rollup_days s",
    "s.day",
    {**_EXTENSION, **_by_day("s.day"), "status": "s.status"},
    _STORED,
    f"{_JOIN_EXTENSION}\n{_ON_DAY}",
    f"{_CELLS} JOIN rollup_days s ON s.day = x.day AND s.extension_id = x.extension_id",
)
HOURS = SumSource(
    "hours",
    "FROM rollup_hours s",
    "s.hour",
    {**_CLASS, **_by_day("s.hour / 24"), "hour": "s.hour % 24"},
    _STORED,
    _JOIN_CLASS,
)
CHARGES = SumSource(
    "charges",
    "FROM charges g",
    "g.local_hour",
    {
        **_CLASS,
        **_PLACE,
        **_EXTENSION,
        **_by_day("g.local_hour / 24"),
        "hour": "g.local_hour % 24",
        "status": "g.status",
        "min_fee": "g.fee_micro",
    },
    ("count(*)", "sum(k.disposition = 'answered')", "sum(g.duration_s)", "sum(g.billed_s)", "sum(g.fee_micro)"),
    f"LEFT JOIN kinds k ON k.id = g.kind_id\n{_JOIN_CARRIER}\n"
    "LEFT JOIN rollup_extensions e ON e.id = g.extension_id\nLEFT JOIN rollup_places p ON p.id = g.place_id\n"
    + _HOLDER.format(
        extension="e.extension", first=_day_text("g.local_hour / 24"), end=f"> {_day_text('g.local_hour / 24')}"
    ),
)
CALLS = SumSource(
    "calls",
    "FROM calls c JOIN charges g ON g.id = c.id",
    "c.day",
    {
        **{
            name: f"nullif(c.{name}, '')"
            for name in ("trunk", "direction", "disposition", "traffic_type", "line_kind", "country", "region", "place")
        },
        "extension": "c.extension",
        "employee": "h.employee_id",
        "department": "h.department_id",
        "carrier": "r.name",
        "status": "g.status",
        "number": "coalesce(c.normalized, c.number)",
        "pin": "c.pin",
        "day": "c.day",
        "month": "substr(c.day, 1, 7)",
        "weekday": "(strftime('%w', c.day) + 6) % 7 + 1",
        "hour": "g.local_hour % 24",
        "min_fee": "g.fee_micro",
    },
    ("count(*)", "sum(c.disposition = 'answered')", "sum(c.duration_s)", "sum(c.billed_s)", "sum(g.fee_micro)"),
    f"{_JOIN_CARRIER}\n{_HOLDER.format(extension='c.extension', first='c.day', end='> c.day')}",
    f"{_CELLS} JOIN calls c INDEXED BY calls_by_day ON c.day = x.day_text AND c.extension = x.extension "
    "JOIN charges g ON g.id = c.id",
)
CALLS_IN_ORDER = replace(CALLS, tables="FROM calls c NOT INDEXED CROSS JOIN charges g ON g.id = c.id", when="c.id")
BY_MONTH = (MONTH_EXTENSIONS, MONTHS, MONTH_PLACES, MONTH_HOURS)
BY_DAY = (DAYS, CHARGES, CALLS)

# Extensions that changed hands within a month, with that month: no row of a month is any one holder's.
_MOVED = (
    "SELECT e.id, substr(b.day, 1, 4) * 12 + substr(b.day, 6, 2) - 1 AS month, e.extension FROM "
    "(SELECT extension, first_day AS day FROM holders UNION SELECT extension, end_day FROM holders) b "
    "JOIN rollup_extensions e ON e.extension = b.extension WHERE substr(b.day, 9) != '01'"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a question and the source that answers it; `cells` are extensions on single days, `whole` leaves out
    the extensions that changed hands within a month."""

    source: SumSource
    first: date
    last: date
    cells: tuple[tuple[int, str, int, str], ...] | None = None
    whole: bool = False


def sums(ledger: Ledger, question: Question, source: str = "auto") -> Sums:
    """The sums by the question's keys and the calls' status; `source` "calls" reads every call."""
    return _added_up(ledger, question, source, _by_status)


def charged(ledger: Ledger, question: Question, source: str = "auto") -> Sums:
    """The sums by the question's keys alone, of all calls but the filtered ones; then how many have no price."""
    return _added_up(ledger, question, source, _charged)


def filtered(ledger: Ledger, question: Question, source: str = "auto") -> int:
    """How many calls that fulfil the conditions were left out by a filter."""
    whole = sums(ledger, Question(question.period, ()), source)
    if any(status == ChargeStatus.FILTERED for (status,) in whole) and question.where.asked:
        whole = sums(ledger, replace(question, keys=()), source)
    return sum(values[0] for (status,), values in whole.items() if status == ChargeStatus.FILTERED)


def _added_up(ledger: Ledger, question: Question, source: str, telling: "Telling") -> Sums:
    """The answers of all pieces together."""
    found: Sums = {}
    for piece in _pieces(ledger, question, source):
        keys, amounts, condition = telling(piece.source, question)
        sql, values = _query(piece, question, keys, amounts, condition)
        cursor = ledger.connection.cursor()
        cursor.row_factory = None
        for row in cursor.execute(sql, values):
            key, added = row[: len(keys)], [value or 0 for value in row[len(keys) :]]
            have = found.get(key)
            found[key] = added if have is None else list(map(add, have, added))
    return found


# What is asked of a source, as SQL: what groups are told apart by, their sums, a condition that all calls must fulfil.
Telling = Callable[[SumSource, Question], tuple[list[str], list[str], list[str]]]


def _by_status(source: SumSource, question: Question) -> tuple[list[str], list[str], list[str]]:
    return [source.tells[key] for key in (*question.keys, "status")], [*source.sums], []


def _charged(source: SumSource, question: Question) -> tuple[list[str], list[str], list[str]]:
    status = source.tells["status"]
    calls = "1" if source.sums[0] == "count(*)" else "s.calls"
    unpriced = f"sum(({status} = '{ChargeStatus.UNRATED}') * {calls})"
    keys = [source.tells[key] for key in question.keys]
    return keys, [*source.sums, unpriced], [f"{status} <> '{ChargeStatus.FILTERED}'"]


def unrated_reasons(ledger: Ledger, question: Question) -> dict[Reason, int]:
    """How many calls could not be priced, by reason, the most frequent first."""
    source = CHARGES if CHARGES.can_tell(question.where.asked) else CALLS
    clauses, values = conditions(source, question.where, question.who)
    first, last = question.period.first.toordinal() * 24, question.period.last.toordinal() * 24 + 23
    return most_frequent(
        ledger.connection.execute(
            f"SELECT g.reason, g.reason_facts, count(*) {source.tables} {source.joined(_and(clauses))} "
            f"WHERE g.status = 'unrated' AND g.local_hour BETWEEN ? AND ? {_and(clauses)} GROUP BY 1, 2",
            [first, last, *values],
        )
    )


def most_frequent(rows: Iterable[tuple[str, str, int]]) -> dict[Reason, int]:
    """Reasons with their counts, the most frequent first, equal ones by their English sentences."""
    found = [(loaded(code, facts), count) for code, facts, count in rows]
    return dict(sorted(found, key=lambda one: (-one[1], english(one[0]))))


def conditions(source: SumSource, where: Where, who: Who) -> tuple[list[str], list[Any]]:
    """The conditions as SQL of a source, with their values."""
    clauses: list[str] = [where.scope.clause(source.tells[where.scope.key])] if where.scope else []
    values: list[Any] = []
    for name, value in where.given().items():
        told = source.tells[name]
        match name:
            case "department":
                clauses.append(f"{told} IN ({', '.join(map(str, who.departments or ()))})")
            case "employee":
                clauses.append(f"{told} = {who.employee}")
            case "extension":
                clause, given = _extension(told, value)
                clauses.append(clause)
                values += given
            case "number":
                clauses.append("(c.number = ? OR c.normalized = ?)")
                values += [value, value]
            case "min_fee":
                clauses.append(f"{told} >= ?")
                values.append(_amount(value))
            case _:
                clauses.append(f"{told} = ?")
                values.append(str(value))
    return clauses, values


def _extension(told: str, text: str) -> tuple[str, list[str]]:
    """Any of the extensions or patterns in the text."""
    patterns = [part.strip() for part in text.split(",") if part.strip()] or [""]
    if is_exact(text):
        return f"{told} IN ({', '.join('?' * len(patterns))})", patterns
    globs = ["".join(WILDCARDS.get(letter, _LITERAL.get(letter, letter)) for letter in one) for one in patterns]
    return f"({' OR '.join([f'{told} GLOB ?'] * len(globs))})", globs


_LITERAL = {"?": "[?]", "[": "[[]"}


def _amount(value: Any) -> int:
    try:
        return money.parse(value)
    except ValueError as error:
        raise UsageError(str(error), tr("write it like 10 or 0.50")) from None


# -- cutting a question into pieces


def _pieces(ledger: Ledger, question: Question, source: str) -> Iterator[Piece]:
    period, asked = question.period, question.asked
    if source == "calls":
        yield Piece(CALLS, period.first, period.last)
    elif HOURS.can_tell(asked):
        yield Piece(HOURS, period.first, period.last)
    else:
        monthly = next((one for one in BY_MONTH if one.can_tell(asked)), None)
        whole, days = _whole_months(period) if monthly else (None, [(period.first, period.last)])
        if monthly and whole:
            yield from _monthly(ledger, monthly, *whole, asked)
        daily = next(one for one in BY_DAY if one.can_tell(asked))
        if daily is CALLS and not is_exact(question.where.extension) and _are_together(ledger, period):
            daily = CALLS_IN_ORDER
        yield from (Piece(daily, *edge) for edge in days)


def _are_together(ledger: Ledger, period: Period) -> bool:
    """Whether most calls from the period's first to its last, as they came in, are of the period.

    Then they are read in that order, in a fifth of the time that the index of days takes to find each.
    """
    days = [period.first.toordinal(), period.last.toordinal()]
    span, calls = ledger.connection.execute(
        "SELECT (SELECT max(last_id) - min(first_id) + 1 FROM rollup_spans WHERE day BETWEEN ?1 AND ?2), "
        "(SELECT sum(calls) FROM rollup_hours WHERE hour BETWEEN ?1 * 24 AND ?2 * 24 + 23)",
        days,
    ).fetchone()
    return (span or 0) <= MOST_OTHERS * (calls or 0)


def _monthly(ledger: Ledger, monthly: SumSource, first: date, last: date, asked: set[str]) -> Iterator[Piece]:
    """Whole months; where people are asked for, extensions that changed hands within one are looked at day by day."""
    cells = tuple(_moved(ledger, first, last)) if asked.intersection(PEOPLE) else ()
    yield Piece(monthly, first, last, whole=bool(cells))
    if cells:
        yield Piece(DAYS if DAYS.can_tell(asked) else CALLS, first, last, cells)


def _moved(ledger: Ledger, first: date, last: date) -> Iterator[tuple[int, str, int, str]]:
    """The days of the months in which an extension changed hands: day twice, extension twice, as number and text."""
    for number, month, extension in ledger.connection.execute(
        f"SELECT DISTINCT * FROM ({_MOVED}) WHERE month BETWEEN ? AND ?",
        [month_of(first.toordinal()), month_of(last.toordinal())],
    ):
        day = date(month // 12, month % 12 + 1, 1)
        while month_of(day.toordinal()) == month:
            yield day.toordinal(), day.isoformat(), number, extension
            day += timedelta(days=1)


def _whole_months(period: Period) -> tuple[tuple[date, date] | None, list[tuple[date, date]]]:
    """The whole months of a period, from one day to another, and the days before and after them."""
    first, last = period.first.toordinal(), period.last.toordinal()
    begin, end = first, last + 1
    while date.fromordinal(begin).day != 1:
        begin += 1
    while date.fromordinal(end).day != 1:
        end -= 1
    if begin >= end:
        return None, [(period.first, period.last)]
    edges = [(first, begin - 1), (end, last)]
    whole = date.fromordinal(begin), date.fromordinal(end - 1)
    return whole, [(date.fromordinal(a), date.fromordinal(b)) for a, b in edges if a <= b]


# -- asking


def _query(
    piece: Piece, question: Question, keys: Sequence[str], amounts: Sequence[str], further: Sequence[str]
) -> tuple[str, list[Any]]:
    """A piece as SQL, with its values."""
    source = piece.source
    when, values = _when(piece, question.where)
    clauses, given = conditions(source, question.where, question.who)
    clauses += further
    if piece.whole:
        # One number for both, because SQLite goes through the whole list for each pair that is not in it.
        clauses.append(f"s.month << 40 | s.extension_id NOT IN (SELECT month << 40 | id FROM ({_MOVED}))")
    told = ", ".join([*keys, *amounts])
    groups = ", ".join(str(place) for place in range(1, len(keys) + 1)) or "NULL"
    tables = source.tables if piece.cells is None else source.cells
    joins = source.joined(told + _and(clauses))
    return f"SELECT {told} {tables} {joins} WHERE {when} {_and(clauses)} GROUP BY {groups}", [*values, *given]


def _when(piece: Piece, where: Where) -> tuple[str, list[Any]]:
    """The days of a piece as a condition of its source; listed one by one, they let the key's next column be sought."""
    first, last = piece.first.toordinal(), piece.last.toordinal()
    if piece.cells is not None:
        return "1", [json.dumps(piece.cells)]
    match piece.source.when:
        case "s.month":
            return f"s.month IN ({_listed(month_of(first), month_of(last))})", []
        case "s.day" if last - first < MOST_LISTED:
            return f"s.day IN ({_listed(first, last)})", []
        case "s.day":
            return "s.day BETWEEN ? AND ?", [first, last]
        case "c.day" if last - first < MOST_LISTED and is_exact(where.extension):
            return f"c.day IN ({', '.join(repr(_day(day)) for day in range(first, last + 1))})", []
        case "c.day":
            return "c.day BETWEEN ? AND ?", [piece.first.isoformat(), piece.last.isoformat()]
        case "g.local_hour":
            return f"g.local_hour BETWEEN ? AND ? AND g.id {_SPAN}", [first * 24, last * 24 + 23, *[first, last] * 2]
        case "c.id":
            days = [piece.first.isoformat(), piece.last.isoformat()]
            return f"c.day BETWEEN ? AND ? AND c.id {_SPAN}", [*days, *[first, last] * 2]
    return "s.hour BETWEEN ? AND ?", [first * 24, last * 24 + 23]


_SPAN = (
    "BETWEEN (SELECT min(first_id) FROM rollup_spans WHERE day BETWEEN ? AND ?) "
    "AND (SELECT max(last_id) FROM rollup_spans WHERE day BETWEEN ? AND ?)"
)


def _day(number: int) -> str:
    """The day with this number, as the calls have it."""
    return date.fromordinal(number).isoformat()


def _listed(first: int, last: int) -> str:
    return ", ".join(map(str, range(first, last + 1)))


def _and(clauses: Iterable[str]) -> str:
    return "".join(f" AND {one}" for one in clauses)
