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
from ippbx_billing.ledger.directory import Extension
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


def check_named(ledger: Ledger, department: str | None, employee: str | None) -> None:
    """NotFoundError for a department or a staff number that nobody has."""
    if department:
        ledger.directory.department(department)
    if employee and not ledger.directory.employee_history(employee):
        ledger.directory.employee(employee)
