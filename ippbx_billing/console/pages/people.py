"""People (组织架构): the tree of departments, employees and extensions over time, changed singly or by a list.

The same deeds as `departments`, `employees` and `extensions`, from `lists.people.deeds`. A head of department sees the
own subtree and an employee themselves; to change anything takes an accountant.
"""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import download
from ippbx_billing.console.uploads import UploadedFile, uploaded
from ippbx_billing.console.ways import MenuEntry, PageFunction, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.language import tr
from ippbx_billing.lists import people as lists
from ippbx_billing.lists import sheets
from ippbx_billing.lists.people import deeds, files
from ippbx_billing.operators import Role
from ippbx_billing.reports.views import people as views

PATH = "/people"
MOST_ROWS = 500  # of a page; a file has them all
MOST_BYTES = 8_388_608  # of a list: hundreds of thousands of lines
FORMS = ("csv", "xlsx")


# -- pages


def tree(desk: Desk) -> Response:
    """The departments, with what can be done to them; and the lists as files, in and out."""
    listed = views.departments(desk.directory, desk.today)
    return desk.page(
        "people.html",
        listing=views.as_tree(listed),
        paths=_paths(desk),
        kinds=files.kinds(),
        forms=FORMS,
        accountant=Role.ACCOUNTANT,
        viewer=Role.VIEWER,
    )


def employees(desk: Desk) -> Response:
    """The employees of a day, of all departments or of one with those in it."""
    day, department = _asked(desk)
    listing = views.employees(desk.directory, day, department)
    return _listed(desk, tr("Employees"), listing, day, department, "/people/employee")


def extensions(desk: Desk) -> Response:
    """The extensions of a day and whose they are."""
    day, department = _asked(desk)
    listing = views.extensions(desk.directory, day, department)
    return _listed(desk, tr("Extensions"), listing, day, department, "/people/extension")


def _asked(desk: Desk) -> tuple[date, str | None]:
    given = desk.request.query_params
    return deeds.first_day(given.get("on"), desk.today), given.get("department") or None


def _listed(desk: Desk, title: str, listing: Any, day: date, department: str | None, each: str) -> Response:
    rows = list(listing.rows_for(Format.TABLE))
    return desk.page(
        "people_list.html",
        title=title,
        listing=listing,
        rows=rows[:MOST_ROWS],
        more=rows[MOST_ROWS:],
        day=day,
        department=department or "",
        paths=_paths(desk),
        each=each,
        accountant=Role.ACCOUNTANT,
    )


def employee(desk: Desk) -> Response:
    """One employee: departments and extensions and when, with what can be done."""
    number = desk.request.query_params.get("number", "")
    listing = views.employee(desk.directory, number)
    return desk.page(
        "people_employee.html", listing=listing, number=number, paths=_paths(desk), accountant=Role.ACCOUNTANT
    )


def extension(desk: Desk) -> Response:
    """One extension: who had it, and when."""
    number = desk.request.query_params.get("number", "")
    listing = views.holders(desk.directory, number)
    return desk.page(
        "people_extension.html", listing=listing, number=number, paths=_paths(desk), accountant=Role.ACCOUNTANT
    )


def _paths(desk: Desk) -> list[str]:
    return [one.path for one in desk.directory.departments()]


# -- lists


def export(desk: Desk) -> Response:
    """A list with its history; brought in again it changes nothing."""
    kind, form = _kind(desk.request.query_params.get("list", "")), Format(desk.choice("form", FORMS, "csv"))
    content = files.write(kind, desk.directory, form.value)
    desk.note(f"{kind.name} export", after={"form": form.value})
    return download(lambda stream: stream.write(content), kind.name, form)


def try_list(desk: Desk) -> Response:
    """What a file would change, entry by entry, or its problems, line by line; nothing is changed."""
    kind, file = _kind(desk.text("list")), uploaded(desk.form.get("file"))
    found = files.read(kind, file.name, file.content)
    outcome = lists.bring_in(desk.ledger.directory, found.entries, _day(desk), dry_run=True)
    listing = views.list_changes(outcome.changes)
    rows = list(listing.rows_for(Format.TABLE))
    return desk.page(
        "people_import.html",
        kind=kind.name,
        file=file.name,
        token="" if outcome.problems else desk.house.uploads.keep(desk.visit.id, file),
        from_day=desk.text("from"),
        problems=outcome.problems,
        unknown=found.unknown,
        read_as=sheets.read_as(found.encoding) if found.encoding else "",
        listing=listing,
        rows=rows[:MOST_ROWS],
        count=len(rows),
        new=views.new_entries(outcome.changes),
    )


def bring_in(desk: Desk) -> Response:
    """The file that was looked at, all its lines or none."""
    kind = _kind(desk.text("list"))
    day = _day(desk)
    file = desk.house.uploads.take(desk.visit.id, desk.text("token"))
    with desk.noting(f"{kind.name} import", file.name):
        outcome = _brought_in(desk, kind, file, day)
    if outcome.problems:  # the directory is another one than when it was looked at
        return desk.back(PATH, wrong="; ".join(outcome.problems))
    new, count = views.new_entries(outcome.changes), len(outcome.changes)
    return desk.back(PATH, done=tr("imported; changed: {count}, of them new: {new}", count=count, new=new))


def _brought_in(desk: Desk, kind: files.ListKind, file: UploadedFile, day: date) -> lists.ListOutcome:
    entries = files.read(kind, file.name, file.content).entries
    return lists.bring_in(desk.ledger.directory, entries, day)


def _kind(name: str) -> files.ListKind:
    return files.kind_named(name)


# -- deeds


def _day(desk: Desk) -> date:
    return deeds.first_day(desk.text("from"), desk.today)


def _since(desk: Desk) -> date | None:
    """The day of the form, None, from the beginning, where it is left out."""
    return _day(desk) if desk.text("from") else None


def add_department(desk: Desk) -> deeds.Sentences:
    return deeds.add_departments(desk.ledger.directory, [desk.text("path")])


def rename_department(desk: Desk) -> deeds.Sentences:
    return deeds.rename_department(desk.ledger.directory, desk.text("path"), desk.text("name"))


def move_department(desk: Desk) -> deeds.Sentences:
    return deeds.move_department(desk.ledger.directory, desk.text("path"), desk.text("under") or None)


def remove_department(desk: Desk) -> deeds.Sentences:
    return deeds.remove_department(desk.ledger.directory, desk.text("path"), desk.today)


def add_employee(desk: Desk) -> deeds.Sentences:
    numbers, department = desk.text("extensions").replace(",", " ").split(), desk.text("department") or None
    return deeds.add_employee(
        desk.ledger.directory, desk.text("number"), desk.text("name"), department, numbers, _since(desk), desk.today
    )


def rename_employee(desk: Desk) -> deeds.Sentences:
    name, number = desk.text("name") or None, desk.text("new_number") or None
    return deeds.rename_employee(desk.ledger.directory, desk.text("number"), name, number)


def move_employee(desk: Desk) -> deeds.Sentences:
    department = desk.text("department") or deeds.NONE
    return deeds.move_employee(desk.ledger.directory, desk.text("number"), department, _day(desk))


def remove_employee(desk: Desk) -> deeds.Sentences:
    if desk.text("entirely"):
        return deeds.forget_employee(desk.ledger.directory, desk.text("number"))
    return deeds.remove_employee(desk.ledger.directory, desk.text("number"), _day(desk))


def add_extension(desk: Desk) -> deeds.Sentences:
    return deeds.add_extension(
        desk.ledger.directory,
        desk.text("number"),
        desk.text("name"),
        desk.text("department"),
        desk.text("employee") or None,
        _since(desk),
        desk.today,
    )


def assign_extension(desk: Desk) -> deeds.Sentences:
    employee, department = desk.text("employee") or None, desk.text("department") or None
    return deeds.assign_extension(
        desk.ledger.directory,
        desk.text("number"),
        _day(desk),
        employee=employee,
        department=None if employee else department,
    )


def remove_extension(desk: Desk) -> deeds.Sentences:
    if desk.text("entirely"):
        return deeds.forget_extension(desk.ledger.directory, desk.text("number"))
    return deeds.remove_extension(desk.ledger.directory, desk.text("number"), _day(desk))


DEEDS = {
    "departments add": add_department,
    "departments rename": rename_department,
    "departments move": move_department,
    "departments remove": remove_department,
    "employees add": add_employee,
    "employees rename": rename_employee,
    "employees move": move_employee,
    "employees remove": remove_employee,
    "extensions add": add_extension,
    "extensions assign": assign_extension,
    "extensions remove": remove_extension,
}
EACH = {"employees": "/people/employee", "extensions": "/people/extension"}


def _deed(name: str) -> PageFunction:
    """The page that does it, notes it, and leads to what it was done to."""
    group, _, verb = name.partition(" ")

    def answer(desk: Desk) -> Response:
        number = desk.text("number")
        with desk.noting(name, number or desk.text("path")):
            told = DEEDS[name](desk)
        number = desk.text("new_number") or number
        path = f"{EACH[group]}?{urlencode({'number': number})}" if group in EACH and verb != "remove" else PATH
        return desk.back(path, done="; ".join(told))

    return answer


WAYS = (
    Way(PATH, tree, Role.EMPLOYEE),
    Way("/people/employees", employees, Role.EMPLOYEE),
    Way("/people/extensions", extensions, Role.EMPLOYEE),
    Way("/people/employee", employee, Role.EMPLOYEE),
    Way("/people/extension", extension, Role.EMPLOYEE),
    Way("/people/file", export, Role.VIEWER),
    Way("/people/import/try", try_list, Role.ACCOUNTANT, post=True, most_bytes=MOST_BYTES),
    Way("/people/import/do", bring_in, Role.ACCOUNTANT, post=True),
    *(Way(f"/people/{name.replace(' ', '/')}", _deed(name), Role.ACCOUNTANT, post=True) for name in DEEDS),
)
MENU = (MenuEntry(PATH, lambda: tr("People"), Role.EMPLOYEE),)
