"""What stands in a bill: sums by traffic type, by extension, by employee and department, and the calls themselves.

Filtered calls are nobody's bill; calls that could not be priced are counted, have no fee, and are named as missing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus, Direction, TrafficType
from ippbx_billing.documents.columns import is_nothing
from ippbx_billing.documents.document import Letterhead
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.departments import SEPARATOR
from ippbx_billing.ledger.directory import Employee
from ippbx_billing.reports import Period, View, WantedCalls, Where, calls
from ippbx_billing.reports.bills.lines import BillLines
from ippbx_billing.reports.conditions import Scope, is_exact
from ippbx_billing.reports.limits import LimitBook, usage_row
from ippbx_billing.reports.names import is_known_extension, who_is_meant
from ippbx_billing.reports.plans import Owner, PlanMonth
from ippbx_billing.reports.sources import Question, sums
from ippbx_billing.reports.sums import Amounts, amounts_of
from ippbx_billing.tariffs.plans import Rest, nobody_knows

Row = dict[str, Any]
Key = TypeVar("Key")

SMALLEST_FEE = "0.000001"  # what is less costs nothing

KEYS = ("department", "employee", "extension", "direction", "traffic_type")


@dataclass(frozen=True, slots=True)
class StatementLine:
    """The sums of one extension's calls of one kind; the department and the employee are ids."""

    department: int | None
    employee: int | None
    extension: str | None
    direction: str | None
    traffic_type: str | None
    amounts: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One bill; rows carry the JSON's keys, `calls` is None where no call list was asked for.

    `number` and `name` are the employee's, `department` is theirs or the one that the bill is for.
    """

    kind: str  # employee | department | company | extension
    site: str
    period: Period
    currency: str
    number: str | None = None
    name: str | None = None
    department: str | None = None
    extensions: list[str] = field(default_factory=list)
    summary: list[Row]
    by_extension: list[Row] = field(default_factory=list)
    by_department: list[Row] = field(default_factory=list)
    by_employee: list[Row] = field(default_factory=list)
    total: Row
    unrated: int
    limit: Row | None = None  # what was used of the limit of whoever the bill is for
    lines: list[Row] = field(default_factory=list)
    calls: Callable[[], Iterable[Row]] | None = None
    charged_only: bool = False
    due: date | None = None
    letterhead: Letterhead | None = None
    explained: Callable[[], Iterable[Row]] | None = None

    @property
    def payable(self) -> Row | None:
        """What is to be paid when plans, mark-up and tax are counted in; None where the fee is all there is."""
        return self.lines[-1] if self.lines else None

    def rows(self) -> Iterator[Row]:
        """The bill as CSV has it: the parts of its plans or the calls where they were asked for, else the sums.

        Where there are plans or terms, the rows say in `line` what they are, and the bill's lines follow the sums.
        """
        who = {"employee": self.number} if self.kind == "employee" else {}
        if self.explained is not None:
            yield from (who | part for part in self.explained())
        elif self.calls is not None:
            yield from (who | call for call in self.calls())
        elif self.lines:
            yield from self._rows_with_lines()
        else:
            yield from self._sum_rows()

    def _rows_with_lines(self) -> Iterator[Row]:
        """The sums, then the lines below the same columns, their amounts under `fee`."""
        nothing: Row = {}
        for row in self._sum_rows():
            nothing = nothing or dict.fromkeys(row)
            yield row | {"line": "sum", "plan": None, "percent": None, "of": None}
        whose = {"month": self.period.name, "department": self.department, "currency": self.currency}
        if self.kind in ("employee", "extension"):
            whose |= {"number": self.number, "name": self.name}
        for line in self.lines:
            sums = {name: line[name] for name in ("calls", "billed_s", "unpriced", "line", "percent", "of")}
            yield nothing | whose | sums | {"fee": line["amount"], "plan": line["name"]}

    def _sum_rows(self) -> Iterator[Row]:
        """The sums by traffic type, or by employee where the bill is of several."""
        if self.kind in ("employee", "extension"):
            what: Row = {"month": self.period.name, "number": self.number, "name": self.name}
            what |= {"department": self.department}
            what |= {"extension": self.extensions[0]} if self.kind == "extension" else {}
            yield from (what | row | {"currency": self.currency} for row in self.summary)
        else:
            for row in self.by_employee:
                extensions = ", ".join(row["extensions"])
                yield {"month": self.period.name} | row | {"extensions": extensions, "currency": self.currency}

    def document(self) -> Row:
        """The bill as JSON has it."""
        found: Row = {
            "kind": self.kind,
            "site": self.site or None,
            "month": self.period.name if self.period.is_month else None,
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            "currency": self.currency,
            "number": self.number,
            "name": self.name,
            "department": self.department,
            "extensions": self.extensions,
            "summary": self.summary,
            "total": self.total,
            "unrated": self.unrated,
            "charged_only": self.charged_only,
            "due": self.due.isoformat() if self.due else None,
            "lines": self.lines,
        }
        found |= {"limit": self.limit} if self.limit else {}
        if self.explained is not None:
            found["explained"] = list(self.explained())
        if self.kind == "employee":
            found["by_extension"] = self.by_extension
        elif self.kind != "extension":
            found |= {"by_department": self.by_department, "by_employee": self.by_employee}
        return found if self.calls is None else found | {"calls": list(self.calls())}


class Billing:
    """The bills of one period; the sums are fetched when the first one is asked for.

    `charged_only` leaves out what cost nothing, `called` tells the number that a bill shows for a call, `due` by when
    it is to be paid; the `letterhead` is the company's. `rest` tells what a call of fewer seconds would cost, and
    `explain_lines` asks for each plan's calls as well. Lines of plans are those of a whole month.
    """

    def __init__(
        self,
        ledger: Ledger,
        view: View,
        period: Period,
        *,
        site: str = "",
        charged_only: bool = False,
        called: Callable[[Row], str | None] = lambda call: call["number"],
        due: date | None = None,
        letterhead: Letterhead | None = None,
        scope: Scope | None = None,
        rest: Rest = nobody_knows,
        explain_lines: bool = False,
    ) -> None:
        self.ledger = ledger
        self.view = view
        self.period = period
        self.site = site
        self.charged_only = charged_only
        self._called = called
        self._on_all: Row = {"charged_only": charged_only, "due": due, "letterhead": letterhead}
        self.scope = scope
        self.explain_lines = explain_lines
        self._decimals = ledger.book.decimals()
        self._month_lines = BillLines(PlanMonth(ledger, view, period, rest))

    # -- whose bills

    def of_employee(self, words: str, *, with_calls: bool = False) -> Statement:
        """The bill of the employee with this number, or with this name where only one has it."""
        found = self.ledger.directory.employee(words, self.period.last)
        return self._personal(self._people[found.id], self._lines(self._where(employee=found.number)), with_calls)

    def of_extension(self, number: str, *, with_calls: bool = False) -> Statement:
        """The bill of one extension, whoever had it and also where nobody has: of a room, or of the phone in the hall.

        UsageError for a pattern, NotFoundError for an extension that no call and no list has ever had.
        """
        if not is_exact(number) or "," in number:
            raise UsageError(
                tr("{text!r} is not one extension", text=number), tr("a bill is of one: --extension {one}", one="8001")
            )
        where = self._where(extension=number)
        lines = self._lines(where)
        people = {self._people[line.employee] for line in lines if line.employee}
        holder = people.pop() if len(people) == 1 else None
        paths = {self._paths.get(line.department) for line in lines}
        return self._statement(
            lines,
            lambda owner: owner.extension == number,
            None,
            kind="extension",
            number=holder and holder.number,
            name=holder and holder.name,
            department=paths.pop() if len(paths) == 1 else None,
            extensions=[number],
            limit=self._limit("extension", number),
            calls=self._calls(where) if with_calls else None,
        )

    def of_department(self, path: str, *, with_calls: bool = False) -> Statement:
        """The bill of a department with those below it."""
        whole = self.ledger.directory.department(path).path
        return self._joint("department", self._where(department=whole), with_calls)

    def of_company(self, *, with_calls: bool = False) -> Statement:
        """The bill of everything."""
        return self._joint("company", self._where(), with_calls)

    def of_everybody(self, *, with_calls: bool = False) -> Iterator[Statement]:
        """The bill of each employee who has calls, department by department as the tree has them, then by number."""
        own: dict[int | None, list[StatementLine]] = {}
        for line in self.lines:
            own.setdefault(line.employee, []).append(line)
        for person in sorted(self._people.values(), key=lambda one: (self._place[one.department], natural(one.number))):
            if person.id in own:
                yield self._personal(person, own[person.id], with_calls)

    def is_extension(self, words: str) -> bool:
        """Whether an extension of this number is in the directory or on a call."""
        return is_known_extension(self.ledger, words)

    def unassigned(self) -> Row:
        """The sums of the calls that are on nobody's personal bill, with their extensions."""
        lines = [line for line in self.lines if line.employee is None]
        return {"extensions": _extensions(lines)} | self._sums(lines)

    @cached_property
    def lines(self) -> list[StatementLine]:
        """The sums of all calls of the period."""
        return self._lines(self._where())

    # -- one bill

    def _where(self, **given: str) -> Where:
        return Where(scope=self.scope, **given)

    def _personal(self, person: Employee, lines: list[StatementLine], with_calls: bool) -> Statement:
        by_extension = self._grouped(lines, lambda line: line.extension)
        return self._statement(
            lines,
            lambda owner: owner.employee == person.id,
            person.id,
            kind="employee",
            limit=self._limit("employee", person.id),
            number=person.number,
            name=person.name,
            department=person.department,
            extensions=_extensions(lines),
            by_extension=[
                {"extension": one} | self._sums(by_extension[one]) for one in sorted(by_extension, key=natural)
            ],
            calls=self._calls(self._where(employee=person.number)) if with_calls else None,
        )

    def _joint(self, kind: str, where: Where, with_calls: bool) -> Statement:
        lines = self.lines if where == self._where() else self._lines(where)
        within = who_is_meant(self.ledger, where, self.period.last).departments
        return self._statement(
            lines,
            lambda owner: within is None or owner.department in within,
            None,
            kind=kind,
            department=where.department,
            limit=self._limit("department", self.ledger.directory.department(where.department).id)
            if where.department
            else None,
            by_department=self._departments(lines, where.department),
            by_employee=self._employees(lines),
            calls=self._calls(where) if with_calls else None,
        )

    def _statement(
        self, lines: list[StatementLine], mine: Callable[[Owner], bool], employee: int | None, **what: Any
    ) -> Statement:
        explained = self._explained(mine) if self.explain_lines and self.period.is_month else None
        kinds = self._grouped(lines, lambda line: (line.direction, line.traffic_type))
        return Statement(
            site=self.site,
            period=self.period,
            currency=self.view.currency,
            summary=[
                {"direction": one[0], "traffic_type": one[1]} | self._sums(kinds[one])
                for one in sorted(kinds, key=_usual_order)
            ],
            total=self._sums(lines),
            unrated=sum(line.amounts.unpriced for line in lines),
            lines=self._month_lines.of(_by_department(lines), mine, employee) if self._has_lines else [],
            explained=explained,
            **self._on_all,
            **what,
        )

    def _limit(self, kind: str, what: int | str) -> Row | None:
        """What was used of somebody's limit in the period; None without a limit for such a period."""
        found = self._limits.usage_in((kind, str(what)), self.period)
        return None if found is None else usage_row(found)

    @cached_property
    def _limits(self) -> LimitBook:
        return LimitBook(self.ledger, self.period.last)

    @property
    def _has_lines(self) -> bool:
        """Whether plans or terms add lines: to whole months only, for which they are made."""
        return self.period.is_month and self._month_lines.wanted

    def _explained(self, mine: Callable[[Owner], bool]) -> Callable[[], Iterator[Row]]:
        """The calls that each plan's line used, with what a reader knows a call by."""

        def read() -> Iterator[Row]:
            known = {one.id: one for one in self._month_lines.month.calls}
            for part in self._month_lines.explained(mine):
                call = known[part["call"]]
                yield part | {
                    "at": call.at.isoformat(),
                    "extension": call.extension,
                    "traffic_type": call.traffic_type,
                    "billed_s": call.seconds,
                    "fee": None if call.fee_micro is None else money.text(call.fee_micro, self._decimals),
                }

        return read

    def _departments(self, lines: list[StatementLine], top: str | None) -> list[Row]:
        """The departments in the order of the tree, each together with those below it."""
        found: dict[str | None, list[StatementLine]] = {}
        for line in lines:
            for path in _above(self._paths.get(line.department), top):
                found.setdefault(path, []).append(line)
        own = {self._paths.get(line.department) for line in lines}
        return [
            {"department": path, "subtotal": any(_is_below(one, path) for one in own)} | self._sums(found[path])
            for path in sorted(found, key=self._place.__getitem__)
        ]

    def _employees(self, lines: list[StatementLine]) -> list[Row]:
        """The employees of each department; an extension that nobody has stands for itself."""
        found = self._grouped(
            lines, lambda line: (line.department, line.employee, None if line.employee else line.extension)
        )

        def order(key: tuple[int | None, int | None, str | None]) -> tuple[Any, ...]:
            department, employee, extension = key
            number = self._people[employee].number if employee else extension
            return self._place[self._paths.get(department)], employee is None, natural(number)

        rows = []
        for key in sorted(found, key=order):
            person = self._people[key[1]] if key[1] else None
            rows.append(
                {
                    "department": self._paths.get(key[0]),
                    "number": person.number if person else None,
                    "name": person.name if person else None,
                    "extensions": _extensions(found[key]),
                }
                | self._sums(found[key])
            )
        return rows

    def _calls(self, where: Where) -> Callable[[], Iterator[Row]]:
        """The calls in the order of time, read when they are written down."""

        def read() -> Iterator[Row]:
            wanted = WantedCalls(period=self.period, scope=where.scope, **where.given())
            found = calls(self.ledger, self.view, wanted)
            return (call | {"called": self._called(call)} for call in found if self._is_listed(call))

        return read

    def _is_listed(self, call: Row) -> bool:
        if call["status"] == ChargeStatus.FILTERED:
            return False
        return not self.charged_only or call["fee"] is None or not is_nothing(call["fee"])

    # -- sums

    def _lines(self, where: Where) -> list[StatementLine]:
        """The sums of the calls on the bill: all but the filtered, or those with a fee and those without a price."""
        if not self.charged_only:
            return self._summed(where, lambda status: status != ChargeStatus.FILTERED)
        charged = replace(where, min_fee=SMALLEST_FEE)
        lines = self._summed(charged, lambda status: status != ChargeStatus.FILTERED)
        return [*lines, *self._summed(where, lambda status: status == ChargeStatus.UNRATED)]

    def _summed(self, where: Where, counts: Callable[[str], bool]) -> list[StatementLine]:
        question = Question(self.period, KEYS, where, who_is_meant(self.ledger, where, self.period.last))
        found: dict[tuple[Any, ...], Amounts] = {}
        for (*key, status), values in sums(self.ledger, question).items():
            if not counts(status):
                continue
            found[tuple(key)] = found.get(tuple(key), Amounts()).plus(amounts_of(values, status))
        return [StatementLine(**dict(zip(KEYS, key, strict=True)), amounts=amounts) for key, amounts in found.items()]

    def _sums(self, lines: Iterable[StatementLine]) -> Row:
        amounts = Amounts(*map(sum, zip(*(line.amounts for line in lines), strict=True)))
        return {
            "calls": amounts.calls,
            "answered": amounts.answered,
            "duration_s": amounts.duration_s,
            "billed_s": amounts.billed_s,
            "fee": money.text(amounts.fee_micro, self._decimals),
            "unpriced": amounts.unpriced,
        }

    @staticmethod
    def _grouped(lines: Iterable[StatementLine], key: Callable[[StatementLine], Key]) -> dict[Key, list[StatementLine]]:
        found: dict[Key, list[StatementLine]] = {}
        for line in lines:
            found.setdefault(key(line), []).append(line)
        return found

    # -- names

    @cached_property
    def _people(self) -> dict[int, Employee]:
        """Every employee by id, where they were at last in the period."""
        found: dict[int, Employee] = {}
        for one in self.ledger.directory.employee_history():
            if one.id not in found or (one.present and one.first_day <= self.period.last):
                found[one.id] = one
        return found

    @cached_property
    def _paths(self) -> dict[int | None, str]:
        return self.ledger.directory.paths()

    @cached_property
    def _place(self) -> dict[str | None, int]:
        """The place of each department in the tree; no department is the last."""
        places: dict[str | None, int] = {path: place for place, path in enumerate(self._paths.values())}
        return places | {None: len(places)}


def natural(text: str | None) -> tuple[int, str]:
    """Sorts numbers as people count: 802 before 8001, nothing at the end."""
    return (len(text), text) if text else (1000, "")


def _by_department(lines: Iterable[StatementLine]) -> dict[int | None, tuple[int, int, int, int]]:
    """The sums of each department's calls: fee, calls, seconds, calls without a price."""
    found: dict[int | None, tuple[int, int, int, int]] = {}
    for line in lines:
        one, had = line.amounts, found.get(line.department, (0, 0, 0, 0))
        values = one.fee_micro, one.calls, one.billed_s, one.unpriced
        found[line.department] = (had[0] + values[0], had[1] + values[1], had[2] + values[2], had[3] + values[3])
    return found


def _extensions(lines: Iterable[StatementLine]) -> list[str]:
    return sorted({line.extension for line in lines if line.extension}, key=natural)


_DIRECTIONS = {one.value: place for place, one in enumerate(Direction)}
_TRAFFIC = {one.value: place for place, one in enumerate(TrafficType)}


def _usual_order(kind: tuple[str | None, str | None]) -> tuple[int, int]:
    return _DIRECTIONS.get(kind[0] or "", len(_DIRECTIONS)), _TRAFFIC.get(kind[1] or "", len(_TRAFFIC))


def _above(path: str | None, top: str | None) -> Iterator[str | None]:
    """The department and those it belongs to, no higher than `top`."""
    while path and (top is None or path == top or _is_below(path, top)):
        yield path
        path = path.rpartition(SEPARATOR)[0]
    if path is None:
        yield None


def _is_below(path: str | None, above: str | None) -> bool:
    return path is not None and above is not None and path.startswith(above + SEPARATOR)
