"""What a head of department and an employee may see, found by the names they are known by.

    scope = of_department(ledger, "公司/工程部")
    report(ledger, view, period, ("extension",), where=Where(scope=scope))

The one idea: a call is seen by whoever was responsible for its extension on its day, so that nobody reads the calls of
those who had the extension before. A name that nobody has any more lets nothing be seen.
"""

from collections.abc import Callable, Iterable
from datetime import date

from ippbx_billing.errors import BillingError
from ippbx_billing.ledger import Ledger, LiveCall
from ippbx_billing.ledger.departments import Department
from ippbx_billing.ledger.directory import DirectoryTables, Employee, Extension
from ippbx_billing.reports.conditions import Scope

NOBODY = Scope()


def of_department(ledger: Ledger, path: str) -> Scope:
    """The calls of a department and all below it."""
    try:
        top = ledger.directory.department(path).path
    except BillingError:
        return NOBODY
    every = ledger.directory.departments(ended=True)
    return Scope(tuple(one.id for one in every if f"{one.path}/".startswith(f"{top}/")))


def of_employee(ledger: Ledger, number: str) -> Scope:
    """The calls of the employee with this staff number."""
    found = next(iter(ledger.directory.employee_history(number)), None)
    return NOBODY if found is None else Scope(employee=found.id)


def seen(ledger: Ledger, scope: Scope) -> Callable[[Extension], bool]:
    """Says of a time of an extension whether its calls may be seen."""
    if scope.employee is not None:
        numbers = {one.number for one in ledger.directory.employee_history() if one.id == scope.employee}
        return lambda one: one.employee in numbers
    allowed = paths(ledger, scope)
    return lambda one: one.department in allowed


def paths(ledger: Ledger, scope: Scope) -> set[str]:
    """The paths of the departments all of whose calls may be seen."""
    every = ledger.directory.paths()
    return {every[one] for one in scope.departments if one in every}


def live(ledger: Ledger, scope: Scope | None, calls: Iterable[LiveCall], today: date) -> list[LiveCall]:
    """Those of the calls in progress that may be seen."""
    if scope is None:
        return list(calls)
    allowed = seen(ledger, scope)
    numbers = {one.number for one in ledger.directory.extensions(today) if allowed(one)}
    return [one for one in calls if one.extension in numbers]


def directory(ledger: Ledger, scope: Scope | None) -> DirectoryTables:
    """The directory as somebody may read it, who sees the calls of this scope."""
    return ledger.directory if scope is None else _SeenDirectory(ledger, scope)


class _SeenDirectory(DirectoryTables):
    """Every question is answered with what may be seen, down to the hints that an error gives."""

    def __init__(self, ledger: Ledger, scope: Scope) -> None:
        super().__init__(ledger.directory.connection)
        self._scope, self._every = scope, ledger.directory.paths()
        self._allows, self._departments = seen(ledger, scope), paths(ledger, scope)

    def paths(self) -> dict[int | None, str]:
        return self._every

    def departments(self, *, ended: bool = False) -> list[Department]:
        own: set[str | None] = {*self._departments} or {one.department for one in self.employee_history()}
        return [one for one in super().departments(ended=ended) if one.path in own]

    def employee_history(self, number: str | None = None) -> list[Employee]:
        found = super().employee_history(number)
        if self._scope.employee is not None:
            return [one for one in found if one.id == self._scope.employee]
        return [one for one in found if one.department in self._departments]

    def extension_history(self, number: str | None = None) -> list[Extension]:
        return [one for one in super().extension_history(number) if self._allows(one)]


def check_named(ledger: Ledger, department: str | None, employee: str | None) -> None:
    """NotFoundError for a department or a staff number that nobody has."""
    if department:
        ledger.directory.department(department)
    if employee and not ledger.directory.employee_history(employee):
        ledger.directory.employee(employee)
