"""How the directory looks: departments, employees, extensions, who was where when, and what a list would change."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger.directory import DirectoryTables, Employee, Extension
    from ippbx_billing.lists.people import EntryChange

Rows = list[dict[str, Any]]


# -- departments


def departments(directory: "DirectoryTables", day: date) -> Listing:
    """The tree, with how many employees and extensions are in each department itself on that day."""
    employees = Counter(one.department for one in directory.employees(day))
    extensions = Counter(one.department for one in directory.extensions(day))
    rows: Rows = [
        {
            "path": one.path,
            "name": one.name,
            "parent": one.path.rpartition("/")[0] or None,
            "employees": employees[one.path],
            "extensions": extensions[one.path],
        }
        for one in directory.departments()
    ]
    counted = [Column("employees", tr("Employees"), "number"), Column("extensions", tr("Extensions"), "number")]
    path = Column("path", tr("Department"))
    return Listing(rows, [path, *counted], empty=tr("no departments"))


def as_tree(listed: Listing) -> Listing:
    """The departments by name, each below the one it belongs to, with the branches of the tree drawn."""
    rows: Rows = [dict(row) for row in listed.rows]
    drawn = [{**row, "name": branch + row["name"]} for branch, row in zip(_branches(rows), rows, strict=True)]
    return replace(listed, rows=drawn, columns=[replace(listed.columns[0], key="name"), *listed.columns[1:]])


def _branches(rows: Rows) -> list[str]:
    """What stands before each name so that the list is seen as a tree."""
    drawn = []
    open_below: dict[str | None, bool] = {}
    for row in reversed(rows):  # from below, a sibling that is seen already keeps the branch open
        above: str | None = row["parent"]
        branch = ""
        if above is not None:
            branch = "├─ " if open_below.get(above) else "└─ "
        while above is not None and (grandparent := above.rpartition("/")[0] or None) is not None:
            branch = ("│  " if open_below.get(grandparent) else "   ") + branch
            above = grandparent
        open_below[row["parent"]] = True
        open_below.pop(row["path"], None)
        drawn.append(branch)
    return drawn[::-1]


def _is_in(department: str | None, wanted: str | None) -> bool:
    """Whether a department is the wanted one or a part of it."""
    return wanted is None or (department is not None and f"{department}/".startswith(f"{wanted}/"))


def _whole_path(directory: "DirectoryTables", department: str | None) -> str | None:
    """The whole path of a department that may be named by its end; NotFoundError where there is none."""
    return directory.department(department).path if department else None


# -- employees


def employees(directory: "DirectoryTables", day: date, department: str | None = None) -> Listing:
    """The employees of a day by number, of all departments or of one with those in it."""
    wanted = _whole_path(directory, department)
    extensions = defaultdict[str | None, list[str]](list)
    for held in directory.extensions(day):
        extensions[held.employee].append(held.number)
    rows: Rows = [
        {"number": one.number, "name": one.name, "department": one.department, "extensions": extensions[one.number]}
        for one in directory.employees(day)
        if _is_in(one.department, wanted)
    ]
    headings = [
        Column("number", tr("Staff no."), "code"),
        Column("name", tr("Employee")),
        Column("department", tr("Department")),
        Column("extensions", tr("Extensions")),
    ]
    told = [{**row, "extensions": ", ".join(row["extensions"])} for row in rows]
    return Listing(rows, headings, for_people=told, empty=tr("no employees"))


def employee(directory: "DirectoryTables", who: str) -> Listing:
    """One employee, by number or name: the departments and extensions, and when; NotFoundError where there is none."""
    number = directory.employee(who).number
    spans = directory.employee_history(number)
    places = list(map(_place, spans))
    held = _joined([one for one in directory.extension_history() if one.employee == number])
    extensions: Rows = [{"extension": one.number, **_days(one)} for one in held]
    mail = ", ".join(directory.mails("employee").get(spans[0].id, ()))
    document: dict[str, Any] = {"number": number, "name": spans[0].name, "mail": mail or None}
    document |= {"departments": places, "extensions": extensions}
    told = [{"what": tr("department"), "which": one["department"], **one} for one in places]
    told += [{"what": tr("extension"), "which": one["extension"], **one} for one in extensions]
    headings = [
        Column("what", tr("What")),
        Column("which", tr("Which")),
        Column("from", tr("From day"), "code"),
        Column("until", tr("Until"), "code"),
        Column("state", tr("State"), "word", 1),
    ]
    title = " ".join(filter(None, (number, spans[0].name, mail)))
    csv = all_columns(places[0])
    return Listing(places, headings, for_people=_in_words(told), csv=csv, document=document, title=title)


def _place(one: "Employee") -> dict[str, Any]:
    return {"department": one.department, **_days(one), "state": "in use" if one.present else "left"}


def _joined(held: "Sequence[Extension]") -> "list[Extension]":
    """The spans of each extension, those run together that only another department divides."""
    found: list[Extension] = []
    for one in held:
        if found and found[-1].number == one.number and found[-1].end_day == one.first_day:
            found[-1] = replace(found[-1], end_day=one.end_day)
        else:
            found.append(one)
    return found


# -- extensions


def extensions(directory: "DirectoryTables", day: date, department: str | None = None) -> Listing:
    """The extensions of a day by number and whose they are, of all departments or of one with those in it."""
    wanted = _whole_path(directory, department)
    rows: Rows = [
        {"number": one.number, "name": one.name, "department": one.department, "employee": one.employee}
        for one in directory.extensions(day)
        if _is_in(one.department, wanted)
    ]
    headings = [
        Column("number", tr("Extension"), "code"),
        Column("name", tr("Name")),
        Column("department", tr("Department")),
        Column("employee", tr("Staff no."), "code", 1),
    ]
    return Listing(rows, headings, empty=tr("no extensions"))


def holders(directory: "DirectoryTables", number: str) -> Listing:
    """Who had an extension: a line for each span of days in which neither holder nor department changed."""
    rows: Rows = [
        {
            "number": one.number,
            "employee": one.employee,
            "name": one.name,
            "department": one.department,
            **_days(one),
            "state": "in use" if one.present else "removed",
        }
        for one in directory.known_extension(number)
    ]
    headings = [
        Column("from", tr("From day"), "code"),
        Column("until", tr("Until"), "code"),
        Column("name", tr("Name")),
        Column("department", tr("Department")),
        Column("employee", tr("Staff no."), "code", 1),
        Column("state", tr("State"), "word", 2),
    ]
    return Listing(rows, headings, for_people=_in_words(rows), title=number)


# -- lists


def list_changes(changes: "Sequence[EntryChange]") -> Listing:
    """What a list would change, entry by entry."""
    rows: Rows = [
        {
            "kind": one.kind,
            "number": one.key,
            "from": _day(one.first_day),
            "before": one.before,
            "after": one.after,
        }
        for one in changes
    ]
    headings = [
        Column("kind", tr("What"), "word"),
        Column("number", tr("Number or name")),
        Column("from", tr("From day"), "code"),
        Column("before", tr("Before")),
        Column("after", tr("After")),
    ]
    told = [{**row, "from": row["from"] or tr("always")} for row in rows]
    return Listing(rows, headings, for_people=told, empty=tr("nothing would change"))


def new_entries(changes: "Iterable[EntryChange]") -> int:
    """How many of the changes bring in what was not there."""
    return sum(one.before is None and one.after is not None for one in changes)


# -- days


def _day(day: date) -> str | None:
    """A day as JSON has it; None is from the beginning or until further notice."""
    return None if day in (date.min, date.max) else day.isoformat()


def _days(one: "Employee | Extension") -> dict[str, Any]:
    return {"from": _day(one.first_day), "until": _day(one.last_day)}


def _in_words(rows: Rows) -> Rows:
    """Rows of spans for people, told in words where a span has no first or no last day."""
    return [
        {**row, "from": row["from"] or tr("always"), "until": row["until"] or tr("until further notice")}
        for row in rows
    ]
