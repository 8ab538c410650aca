"""`report`: the sums of a period by one or two keys, as the contract's rows.

    report(ledger, view, Period.month("2026-10", today), ("department", "traffic_type"), where=Where(trunk="FXO-1"))

The one idea: the sums come as groups by ids (see `sources`); here they get names, subtotals, shares and the
period they are compared with. Filtered calls are in no sum, unrated ones have no fee.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from heapq import nlargest
from typing import Any, NamedTuple

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Reason
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import by_sentence, counted
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import sources
from ippbx_billing.reports.conditions import LAST_YEAR, Period, View, Where
from ippbx_billing.reports.limits import with_limits
from ippbx_billing.reports.names import who_is_meant

GROUPS = (
    "extension", "employee", "department", "trunk", "carrier", "traffic_type", "line_kind", "direction", "disposition",
    "country", "region", "place", "number", "pin", "month", "day", "weekday", "hour",
)  # fmt: skip
MEASURES = (
    "calls", "answered", "answer_rate", "duration_s", "billed_s", "fee", "share", "average_fee", "average_s",
    "unpriced",
)  # fmt: skip
DIFFERENCES = (
    "previous_calls", "previous_answered", "previous_duration_s", "previous_billed_s", "previous_fee",
    "calls_difference", "answered_difference", "duration_s_difference", "billed_s_difference", "fee_difference",
)  # fmt: skip
SOURCES = ("auto", "calls")

Key = tuple[Any, ...]


class Amounts(NamedTuple):
    """What a group of calls sums up to; of the calls `unpriced` have no price and are not in the fee."""

    calls: int = 0
    answered: int = 0
    duration_s: int = 0
    billed_s: int = 0
    fee_micro: int = 0
    unpriced: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """Both together."""
        return Amounts(*(one + more for one, more in zip(self, other, strict=True)))

    def minus(self, other: "Amounts") -> "Amounts":
        """By how much this is more than the other."""
        return self.plus(Amounts(*(-one for one in other)))


def amounts_of(values: Sequence[int], status: str) -> Amounts:
    """The sums of calls of one status, in the order of `sources.SUMS`."""
    amounts = Amounts(*values)
    return amounts._replace(unpriced=amounts.calls) if status == ChargeStatus.UNRATED else amounts


@dataclass(frozen=True, slots=True)
class Report:
    """Sums by group over a period; `rows` and `total` carry the contract's keys, `gaps` says what is not in them.

    `omitted` is the number of rows that `top` left out; the total covers them all. `compared` is the period behind the
    `previous_…` and `…_difference` keys.
    """

    period: Period
    currency: str
    by: tuple[str, ...]
    rows: list[dict[str, Any]]
    total: dict[str, Any]
    unrated: int
    filtered: int
    gaps: dict[Reason, int] = field(default_factory=dict)
    where: Where = field(default_factory=Where)
    compared: Period | None = None
    omitted: int = 0

    def document(self) -> dict[str, Any]:
        """The contract's JSON."""
        compared = self.compared
        return {
            "month": self.period.name,
            "currency": self.currency,
            "by": list(self.by),
            "rows": self.rows,
            "total": self.total,
            "unrated": self.unrated,
            "filtered": self.filtered,
            "unrated_reasons": by_sentence(self.gaps),
            "unrated_by_reason": counted(self.gaps),
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "where": {name: str(value) for name, value in self.where.given().items()},
            "omitted": self.omitted,
            "compared": compared and {"from": compared.first.isoformat(), "to": compared.last.isoformat()},
        }


def report(
    ledger: Ledger,
    view: View,
    period: Period,
    by: Sequence[str],
    *,
    where: Where | None = None,
    sort: str | None = None,
    top: int | None = None,
    compare: str | None = None,
    source: str = "auto",
) -> Report:
    """The sums of a period by one or two keys of `GROUPS`, the filtered calls left out.

    `sort` is a key or one of MEASURES and DIFFERENCES (the largest first; `-fee` the smallest first); `top` keeps so
    many rows, sorted by fee unless told otherwise. `compare` is "previous" or "last-year". With `source` "calls" every
    call is read, "auto" answers from the rollups where they can. UsageError and NotFoundError say what cannot be asked.
    """
    where = where or Where()
    _check(by, sort, top, compare, source)
    question = sources.Question(period, tuple(by), where, who_is_meant(ledger, where, period.last))
    now = _Found.of(ledger, question, source)
    naming = _Naming(ledger, period, by)
    decimals = max((one.decimals for one in ledger.book.carriers()), default=2)
    before, compared = None, None
    if compare:
        compared = period.compared(compare)
        earlier = sources.Question(compared, tuple(by), where, question.who)
        before = _Found.of(ledger, earlier, source).moved(_day_mapping(by, compared, period, compare))
    shown = now if before or "department" in by else now.leading(sort or "fee", top)
    rows = _rows(shown, before, by, naming, decimals)
    rows = with_limits(ledger, period, by, _sorted(rows, by, sort or ("fee" if top else None)))
    return Report(
        period,
        view.currency,
        tuple(by),
        rows[:top],
        _measures(now.total, before.total if before else None, now.total.fee_micro, decimals),
        now.unrated,
        now.filtered,
        sources.unrated_reasons(ledger, question) if now.unrated else {},
        where,
        compared,
        0 if top is None else max(0, len(now.groups) - len(shown.groups) + len(rows) - top),
    )


def _check(by: Sequence[str], sort: str | None, top: int | None, compare: str | None, source: str) -> None:
    unknown = [key for key in by if key not in GROUPS]
    if unknown or len(set(by)) != len(by):
        raise _no_grouping(", ".join(by))
    known = (*by, *MEASURES, *(DIFFERENCES if compare else ()))
    if sort is not None and sort_key(sort) not in known:
        listed = ", ".join(one.replace("_", "-") for one in known)
        raise UsageError(tr("a report cannot be sorted by {key!r}", key=sort), tr("one of: {names}", names=listed))
    if top is not None and top < 1:
        raise UsageError(tr("{count} rows are none", count=top), tr("ask for at least one"))
    if source not in SOURCES:
        raise UsageError(
            tr("{source!r} is not a source of sums", source=source), tr("one of: {names}", names=", ".join(SOURCES))
        )


def sort_key(sort: str) -> str:
    """The key that rows are sorted by, whichever way: `-billed-s` is by `billed_s`."""
    return sort.removeprefix("-").replace("-", "_")


def grouping(text: str) -> tuple[str, ...]:
    """`extension,traffic-type` as keys of `GROUPS`; UsageError names those there are."""
    keys = tuple(part.strip().replace("-", "_") for part in text.split(",") if part.strip())
    if not keys or len(set(keys)) != len(keys) or any(key not in GROUPS for key in keys):
        raise _no_grouping(text)
    return keys


def _no_grouping(text: str) -> UsageError:
    known = ", ".join(key.replace("_", "-") for key in GROUPS)
    return UsageError(
        tr("a report cannot be grouped by {keys!r}", keys=text), tr("one or two of: {names}", names=known)
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The sums of one period: by group, in all, and what is not in them."""

    groups: dict[Key, Amounts]
    total: Amounts
    unrated: int
    filtered: int

    @classmethod
    def of(cls, ledger: Ledger, question: sources.Question, source: str) -> "_Found":
        groups = {key: Amounts._make(values) for key, values in sources.charged(ledger, question, source).items()}
        total = Amounts(*map(sum, zip(*groups.values(), strict=True)))
        return cls(groups, total, total.unpriced, sources.filtered(ledger, question, source))

    def leading(self, sort: str, top: int | None) -> "_Found":
        """The same without groups that cannot be among the first rows, where a plain sum decides that.

        A month has some hundred thousand numbers: the first fifty need no names, shares and averages of all others.
        """
        name = {"fee": "fee_micro", "billed-s": "billed_s", "duration-s": "duration_s"}.get(sort, sort)
        if top is None or name not in Amounts._fields:
            return self
        place = Amounts._fields.index(name)
        least = min(nlargest(top, (amounts[place] for amounts in self.groups.values())), default=0)
        groups = {key: amounts for key, amounts in self.groups.items() if amounts[place] >= least}
        return replace(self, groups=groups)

    def moved(self, rename: Callable[[Key], Key]) -> "_Found":
        """The same under other keys."""
        groups: dict[Key, Amounts] = {}
        for key, amounts in self.groups.items():
            groups[rename(key)] = groups.get(rename(key), Amounts()).plus(amounts)
        return _Found(groups, self.total, self.unrated, self.filtered)


def _day_mapping(by: Sequence[str], before: Period, now: Period, how: str) -> Callable[[Key], Key]:
    """Which day or month of this period stands beside one of the period before."""
    shift = now.first.toordinal() - before.first.toordinal()
    months = (now.first.year - before.first.year) * 12 + now.first.month - before.first.month

    def renamed(name: str, value: Any) -> Any:
        if name == "month" and value:
            year, month = divmod(int(value[:4]) * 12 + int(value[5:7]) - 1 + months, 12)
            return f"{year:04d}-{month + 1:02d}"
        if name != "day" or not value:
            return value
        day = date.fromisoformat(value)
        if how == LAST_YEAR:
            leap = (day.month, day.day) == (2, 29)
            return day.replace(year=day.year + 1, day=28 if leap else day.day).isoformat()
        return min(date.fromordinal(day.toordinal() + shift), now.last).isoformat()

    return lambda key: tuple(renamed(name, value) for name, value in zip(by, key, strict=True))


# -- rows


def _rows(
    now: _Found, before: _Found | None, by: Sequence[str], naming: "_Naming", decimals: int
) -> list[dict[str, Any]]:
    """A row for each group of either period, in the order of its keys."""
    groups = naming.with_subtotals(now.groups, by)
    earlier = naming.with_subtotals(before.groups, by) if before else {}
    keys = sorted({**groups, **earlier}, key=lambda key: naming.order(key, by))
    above = naming.above(keys, by)
    nothing = Amounts()
    return [
        naming.names(key, by, key in above)
        | _measures(
            groups.get(key, nothing),
            earlier.get(key, nothing) if before else None,
            now.total.fee_micro,
            decimals,
        )
        for key in keys
    ]


class _Naming:
    """What stands behind the ids in the groups: employees, the tree of departments, who has an extension at last."""

    def __init__(self, ledger: Ledger, period: Period, by: Sequence[str]) -> None:
        self._tree = {one.id: one for one in ledger.directory.departments(ended=True)}
        self._place = {number: place for place, number in enumerate(self._tree)}
        rows = ledger.connection.execute("SELECT id, number, name FROM employees") if "employee" in by else ()
        self._employees = {row[0]: (row[1], row[2]) for row in rows}
        self._holders = _holders(ledger, period.last) if "extension" in by else {}

    def names(self, key: Key, by: Sequence[str], is_subtotal: bool) -> dict[str, Any]:
        """The group's keys as people know them, with what belongs to them."""
        found: dict[str, Any] = {}
        for name, value in zip(by, key, strict=True):
            match name:
                case "employee":
                    number, person = self._employees.get(value, (None, None))
                    found |= {"employee": person, "employee_number": number}
                case "department":
                    path = self._tree[value].path if value in self._tree else None
                    level = len(self._above(value)) - 1 if path else 0
                    found |= {"department": path, "level": level, "subtotal": is_subtotal}
                case "extension":
                    person, department = self._holders.get(value, (None, None))
                    path = self._tree[department].path if department in self._tree else None
                    found |= {"extension": value, "name": person}
                    found |= {} if "department" in by else {"department": path}
                case _:
                    found[name] = value
        return found

    def order(self, key: Key, by: Sequence[str]) -> tuple[Any, ...]:
        """Sorts groups: departments as they stand in the tree, employees by number, all else by itself."""
        found: list[Any] = []
        for name, value in zip(by, key, strict=True):
            if name == "department":
                found.append(self._place.get(value, len(self._place)))
            elif name == "employee":
                found.append((_natural(self._employees.get(value, (None,))[0]), value or 0))
            else:
                found.append(_natural(value))
        return tuple(found)

    def with_subtotals(self, groups: Mapping[Key, Amounts], by: Sequence[str]) -> Mapping[Key, Amounts]:
        """Each department together with those below it."""
        if "department" not in by:
            return groups
        place = list(by).index("department")
        found: dict[Key, Amounts] = {}
        for key, amounts in groups.items():
            for one in self._above(key[place]):
                wider = (*key[:place], one, *key[place + 1 :])
                found[wider] = found.get(wider, Amounts()).plus(amounts)
        return found

    def above(self, keys: Sequence[Key], by: Sequence[str]) -> set[Key]:
        """Which of these groups hold others of them."""
        if "department" not in by:
            return set()
        place = list(by).index("department")
        return {(*key[:place], one, *key[place + 1 :]) for key in keys for one in self._above(key[place])[1:]}

    def _above(self, department: int | None) -> list[int | None]:
        """The department and those it belongs to, up to the top."""
        if department not in self._tree:
            return [None]
        found: list[int | None] = []
        while department is not None:
            found.append(department)
            department = self._tree[department].parent_id
        return found


def _holders(ledger: Ledger, day: date) -> dict[str, tuple[str | None, int | None]]:
    """Name and department of each extension's holder on this day."""
    rows = ledger.connection.execute(
        "SELECT h.extension, e.name, h.department_id FROM holders h LEFT JOIN employees e ON e.id = h.employee_id "
        "WHERE h.first_day <= ? AND h.end_day > ?",
        [day.isoformat(), day.isoformat()],
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _measures(now: Amounts, before: Amounts | None, whole_micro: int, decimals: int) -> dict[str, Any]:
    """The sums and what follows from them; exact text where they are not whole numbers, None where it has no sense."""
    answered = now.answered
    found: dict[str, Any] = {
        "calls": now.calls,
        "answered": answered,
        "duration_s": now.duration_s,
        "billed_s": now.billed_s,
        "fee": money.text(now.fee_micro, decimals),
        "answer_rate": _part(answered, now.calls),
        "share": _part(now.fee_micro, whole_micro),
        "average_fee": money.text(money.average(now.fee_micro, answered, decimals), decimals) if answered else None,
        "average_s": (2 * now.billed_s + answered) // (2 * answered) if answered else None,
        "unpriced": now.unpriced,
    }
    if before is None:
        return found
    more = now.minus(before)
    return found | {
        "previous_calls": before.calls,
        "previous_answered": before.answered,
        "previous_duration_s": before.duration_s,
        "previous_billed_s": before.billed_s,
        "previous_fee": money.text(before.fee_micro, decimals),
        "previous_unpriced": before.unpriced,
        "calls_difference": more.calls,
        "answered_difference": more.answered,
        "duration_s_difference": more.duration_s,
        "billed_s_difference": more.billed_s,
        "fee_difference": None if now.unpriced or before.unpriced else money.text(more.fee_micro, decimals),
    }


def _part(part: int, whole: int) -> str | None:
    """A part of a whole as decimal text of four places."""
    return money.text(money.average(part * money.MICRO, whole, 4), 4) if whole else None


def _sorted(rows: list[dict[str, Any]], by: Sequence[str], sort: str | None) -> list[dict[str, Any]]:
    """The rows by a measure, the largest first; by a key they are already in order of it, or are brought into it."""
    if sort is None:
        return rows
    name, turned = sort_key(sort), sort.startswith("-")
    if name in by:
        return sorted(rows, key=lambda row: _natural(row[name]), reverse=turned)
    return _by_measure(rows, name, turned)


def _by_measure(rows: list[dict[str, Any]], name: str, smallest_first: bool) -> list[dict[str, Any]]:
    """Rows without the measure stand last, either way."""
    having = [row for row in rows if row[name] is not None]
    having.sort(key=lambda row: Decimal(row[name]), reverse=not smallest_first)
    return having + [row for row in rows if row[name] is None]


def _natural(value: Any) -> tuple[int, int, str]:
    """Shorter numbers before longer ones, as 999 before 1000; what nobody told last."""
    text = "" if value is None else str(value)
    return int(value is None), len(text) if text.isdecimal() else 0, text
