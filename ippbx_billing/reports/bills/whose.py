"""Whose bills a period has, and the bill of one of them by its short name, as a page's address tells it.

    whose(billing)                        # the whole company, departments, employees, extensions of nobody
    one_of(billing, "employee:1001")

The one idea: within a scope nobody has a bill but those whose calls may be seen, and no other name is told.
"""

from dataclasses import dataclass
from typing import Any

from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.reports import scopes
from ippbx_billing.reports.bills.statements import Billing, Statement

Row = dict[str, Any]

COMPANY, DEPARTMENT, EMPLOYEE, EXTENSION = "company", "department", "employee", "extension"


@dataclass(frozen=True, slots=True)
class Whose:
    """The bills of a period: the sums of all, of each department with those below it, and of each who has calls.

    Every row has its short name under `of`; `whole` is the bill of all that may be seen.
    """

    whole: Statement
    departments: list[Row]
    employees: list[Row]


def whose(billing: Billing) -> Whose:
    """Who has a bill, in the order of the tree."""
    whole = billing.of_company()
    own = _paths(billing)
    return Whose(
        whole,
        [
            row | {"of": f"{DEPARTMENT}:{row['department']}"}
            for row in whole.by_department
            if row["department"] is not None and (own is None or row["department"] in own)
        ],
        [row | {"of": _name(row), "extensions": ", ".join(row["extensions"])} for row in whole.by_employee],
    )


def _name(row: Row) -> str:
    if row["number"] is not None:
        return f"{EMPLOYEE}:{row['number']}"
    return f"{EXTENSION}:{row['extensions'][0]}" if row["extensions"] else ""


def one_of(billing: Billing, name: str, *, with_calls: bool = False) -> Statement:
    """The bill of whom this short name means; NotFoundError where there is none, or none that may be seen."""
    kind, _, words = name.partition(":")
    if billing.scope is not None and name not in {row["of"] for row in _seen(billing)}:
        raise _nobody(name)
    match kind:
        case "company" if not words:
            return billing.of_company(with_calls=with_calls)
        case "department" if words:
            return billing.of_department(words, with_calls=with_calls)
        case "employee" if words:
            return billing.of_employee(words, with_calls=with_calls)
        case "extension" if words:
            return billing.of_extension(words, with_calls=with_calls)
    raise _nobody(name)


def _seen(billing: Billing) -> list[Row]:
    found = whose(billing)
    return [*found.departments, *found.employees]


def _paths(billing: Billing) -> set[str] | None:
    """The departments whose bills may be seen: all, or those whose every call may be."""
    if billing.scope is None:
        return None
    return scopes.paths(billing.ledger, billing.scope)


def _nobody(name: str) -> NotFoundError:
    return NotFoundError(tr("there is no bill of {name}", name=name), tr("choose one from the list of bills"))
