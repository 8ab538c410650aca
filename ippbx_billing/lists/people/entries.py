"""What one line of a list means to the directory.

The one idea: a line says how things are from a day on. Where it names no day, what is new is so from the beginning and
what is known changes today, and only where it differs.

    ExtensionEntry("line 2", "8001", name="张三", department="公司/工程部").enter(directory, today)
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.addresses import addresses_of
from ippbx_billing.ledger.directory import EVER, DirectoryTables, Employee


class Entry(Protocol):
    """A line: where it stands, and what it does; BillingError where it cannot be so."""

    @property
    def where(self) -> str: ...

    def enter(self, directory: DirectoryTables, today: date) -> None: ...


@dataclass(frozen=True, slots=True)
class Misread:
    """A line that cannot be read; it is refused where it stands, so that all problems come in the order of the file."""

    where: str
    reason: str

    def enter(self, directory: DirectoryTables, today: date) -> None:
        raise UsageError(self.reason)


@dataclass(frozen=True, slots=True)
class DepartmentEntry:
    """A department is in the tree, or was."""

    where: str
    path: str
    ended: bool = False
    mail: str = ""

    def enter(self, directory: DirectoryTables, today: date) -> None:
        self._place(directory, today)
        if self.mail:
            directory.set_mail("department", directory.department(self.path).id, addresses_of(self.mail))

    def _place(self, directory: DirectoryTables, today: date) -> None:
        known = {one.path: one for one in directory.departments(ended=True)}.get(self.path)
        if known is None or (known.ended and not self.ended):
            directory.add_department(self.path)
        if self.ended and known is None:
            directory.end_department(self.path)
        elif self.ended and known and not known.ended:
            directory.remove_department(self.path, today)


@dataclass(frozen=True, slots=True)
class EmployeeEntry:
    """An employee is in a department, or has left."""

    where: str
    number: str
    name: str = ""
    department: str = ""
    first_day: date | None = None
    left: bool = False
    mail: str = ""

    def enter(self, directory: DirectoryTables, today: date) -> None:
        self._place(directory, today)
        if self.mail:
            directory.set_mail("employee", directory.employee(self.number).id, addresses_of(self.mail))

    def _place(self, directory: DirectoryTables, today: date) -> None:
        spans = directory.employee_history(self.number)
        if not spans:
            self._welcome(directory)
            return
        if self.name and self.name != spans[0].name:
            directory.rename_employee(self.number, name=self.name)
        day = self.first_day or today
        now = _in_force(spans, day)
        if self.left:
            if now and now.present:
                directory.remove_employee(self.number, day)
        elif self.department or self.first_day or not (now and now.present):
            directory.place(self.number, day, self.department or None)

    def _welcome(self, directory: DirectoryTables) -> None:
        if self.left:
            raise UsageError(tr("there is no employee {words}", words=self.number))
        if not self.name:
            raise UsageError(tr("the name of {number} is missing", number=self.number))
        directory.add_employee(self.number, self.name, self.department or None, self.first_day or EVER)


@dataclass(frozen=True, slots=True)
class ExtensionEntry:
    """An extension is an employee's, a department's or nobody's, or is not there any more.

    A name without an employee's number is the present holder where the name is the same, else a person of their own,
    numbered like the extension: of two lines with one name nobody can say whether they are one person.
    """

    where: str
    extension: str
    employee: str = ""
    name: str = ""
    department: str = ""
    first_day: date | None = None
    removed: bool = False

    def enter(self, directory: DirectoryTables, today: date) -> None:
        spans = directory.extension_history(self.extension)
        day = self.first_day or (today if spans else EVER)
        if self.removed:
            directory.assign(self.extension, day, present=False)
        elif self.employee or self.name:
            self._hand_to(directory, self._holder(directory, day), day, today)
        elif self.department:
            directory.assign(self.extension, day, department=self.department)
        elif self.first_day or not spans:
            directory.assign(self.extension, day)

    def _hand_to(self, directory: DirectoryTables, number: str, day: date, today: date) -> None:
        """Whoever came later than ever has a new extension since then, and is where the line says they are."""
        spans = directory.employee_history(number)
        if not self.first_day and day == EVER:
            day = max(day, next((one.first_day for one in spans if one.present), day))
        directory.assign(self.extension, day, employee=number)
        since = self.first_day or today
        now = _in_force(spans, since)
        if self.department and not (now and now.department == self.department):
            directory.place(number, since, self.department)

    def _holder(self, directory: DirectoryTables, day: date) -> str:
        """The number of the employee that the line means, who is welcomed where nobody knows them."""
        if self.employee:
            spans = directory.employee_history(self.employee)
            if not spans:
                self._welcome(directory, self.employee)
            elif self.name and self.name != spans[0].name:
                raise UsageError(
                    tr("{number} is the number of {employee}", number=self.employee, employee=spans[-1].name)
                )
            return self.employee
        known = self._holder_of_that_name(directory, day)
        return known or self._welcome(directory, _free_number(directory, self.extension))

    def _holder_of_that_name(self, directory: DirectoryTables, day: date) -> str | None:
        for held in directory.extension_history(self.extension):
            if held.employee and held.name == self.name and held.first_day <= day < held.end_day:
                return held.employee
        same = directory.employee_history(self.extension)
        return self.extension if same and same[0].name == self.name else None

    def _welcome(self, directory: DirectoryTables, number: str) -> str:
        if not self.name:
            raise UsageError(tr("there is no employee {words}", words=number))
        directory.add_employee(number, self.name, self.department or None, self.first_day or EVER)
        return number


def _free_number(directory: DirectoryTables, extension: str) -> str:
    number, again = extension, 2
    while directory.employee_history(number):
        number, again = f"{extension}-{again}", again + 1
    return number


def _in_force(spans: list[Employee], day: date) -> Employee | None:
    return next((one for one in spans if one.first_day <= day < one.end_day), None)
