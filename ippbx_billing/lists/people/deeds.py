"""What people do to the directory, one deed a function; each gives the sentences that tell what is so now.

    add_employee(directory, "1001", "张三", "公司/工程部", ["8001"], None, today)
    assign_extension(directory, "8001", day, employee="张三")   # ("8001 is 1001 张三's from 2026-10-01 on",)

The one idea: the command line and the console do the same and say the same, since both do it here. `day` is the first
day on which it holds; None is from the beginning.
"""

from collections.abc import Iterable
from datetime import date

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.directory import DirectoryTables, Employee, Extension
from ippbx_billing.lists.people.entries import ExtensionEntry

NONE = "-"  # how people write that there is no department
FROM_THE_BEGINNING = ("always", "始终")
Sentences = tuple[str, ...]


def first_day(text: str | None, default: date) -> date:
    """The day that a text names, `always` from the beginning; UsageError for what is not a day."""
    if not text:
        return default
    if text.lower() in FROM_THE_BEGINNING:
        return date.min
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text), tr("write it like 2026-10-01")) from None


def first_day_words(day: date) -> str:
    """A first day as people read it."""
    return tr("always") if day in (date.min, date.max) else day.isoformat()


# -- departments


def add_departments(directory: DirectoryTables, paths: Iterable[str]) -> Sentences:
    """Departments with those above them; one that was removed comes back."""
    with directory.changing():
        made = [directory.add_department(path).path for path in paths]
    return tuple(tr("department {path} is in the directory", path=path) for path in made)


def rename_department(directory: DirectoryTables, path: str, name: str) -> Sentences:
    """Another name, in the reports of all months."""
    before = directory.department(path).path
    return (tr("{old} is {new} now", old=before, new=directory.rename_department(path, name).path),)


def move_department(directory: DirectoryTables, path: str, under: str | None) -> Sentences:
    """A part of another department, or of none, with everything below it."""
    before = directory.department(path).path
    return (tr("{old} is {new} now", old=before, new=directory.move_department(path, under).path),)


def remove_department(directory: DirectoryTables, path: str, today: date) -> Sentences:
    """Out of use, where nobody is in it any more."""
    whole = directory.department(path).path
    directory.remove_department(whole, today)
    return (tr("removed {name}", name=whole),)


# -- employees


def add_employee(
    directory: DirectoryTables,
    number: str,
    name: str,
    department: str | None,
    extensions: Iterable[str],
    day: date | None,
    today: date,
) -> Sentences:
    """A new employee, or one who comes back, with their extensions; a department that is not there yet is made."""
    if not (number.strip() and name.strip()):
        raise UsageError(tr("an employee has a staff number and a name"), "ippbx-bill employees add 1001 张三")
    with directory.changing():
        directory.add_employee(number, name, department, *([day] if day else []))
        for one in extensions:
            ExtensionEntry("", one, number, first_day=day).enter(directory, today)
    return (tr("employee {number} {name} is in the directory", number=number, name=name),)


def rename_employee(directory: DirectoryTables, who: str, name: str | None, number: str | None) -> Sentences:
    """Another name or number, in the reports of all months."""
    present = directory.employee(who)
    directory.rename_employee(present.number, name=name, new_number=number)
    return (tr("{old} is {new} now", old=present, new=directory.employee(number or present.number)),)


def move_employee(directory: DirectoryTables, who: str, department: str, day: date) -> Sentences:
    """To another department, `-` to none; their extensions go with them."""
    number = directory.employee(who, day).number
    path = None if department == NONE else directory.department(department).path
    directory.place(number, day, path)
    after = [one for one in directory.employee_history(number) if one.first_day > day]
    words = first_day_words(day)
    told = tr("{who} is in {department} from {day} on", who=who, department=path or NONE, day=words)
    return (told, *_until(after))


def remove_employee(directory: DirectoryTables, who: str, day: date) -> Sentences:
    """They leave; their extensions are nobody's from that day on."""
    released = directory.remove_employee(directory.employee(who).number, day)
    removed = tr("removed {name}", name=who)
    return (removed, tr("without a holder now: {listed}", listed=", ".join(released))) if released else (removed,)


def forget_employee(directory: DirectoryTables, who: str) -> Sentences:
    """As if they had never been entered."""
    directory.forget_employee(directory.employee(who).number)
    return (tr("removed {name}", name=who),)


# -- extensions


def add_extension(
    directory: DirectoryTables,
    number: str,
    name: str,
    department: str,
    employee: str | None,
    day: date | None,
    today: date,
) -> Sentences:
    """An extension of an employee, a department or a person known by name only.

    UsageError where it is somebody else's: that is what `assign_extension` is for.
    """
    who = directory.employee(employee, today).number if employee else ""
    _must_be_free(directory, number, who or name, today)
    ExtensionEntry("", number, who, name, department, day).enter(directory, today)
    told = tr("extension {number} is in the directory", number=number)
    same = namesakes(directory, name, number) if name and not who else []
    if not same:
        return (told,)
    listed = ", ".join(map(str, same))
    hint = tr("{name} is also the name of {listed}; --employee says that it is one of these", name=name, listed=listed)
    return told, hint


def _must_be_free(directory: DirectoryTables, number: str, who: str, today: date) -> None:
    present = next((one for one in directory.extensions(today) if one.number == number), None)
    if present and who and present.employee and who not in (present.employee, present.name):
        raise UsageError(
            tr("{number} is {holder}'s", number=number, holder=present.name),
            tr("say from which day it is somebody else's: extensions assign {number} WHO --from DAY", number=number),
        )


def namesakes(directory: DirectoryTables, name: str, extension: str) -> list[Employee]:
    """The employees of that name who never had the extension: one of them may be meant."""
    had = {one.employee for one in directory.extension_history(extension)}
    named = {one.number: one for one in directory.employee_history() if one.name == name}
    return [one for number, one in named.items() if number not in had]


def assign_extension(
    directory: DirectoryTables, number: str, day: date, *, employee: str | None = None, department: str | None = None
) -> Sentences:
    """From that day on it is this employee's, else this department's, else nobody's."""
    directory.known_extension(number)
    who = directory.employee(employee, day) if employee else None
    whole = directory.department(department).path if department else None
    directory.assign(number, day, employee=who.number if who else None, department=whole)
    after = [
        one
        for one in directory.extension_history(number)
        if one.first_day > day and one.employee != (who and who.number)
    ]
    holder = who or whole or tr("nobody")
    told = tr("{number} is {holder}'s from {day} on", number=number, holder=holder, day=first_day_words(day))
    return (told, *_until(after))


def remove_extension(directory: DirectoryTables, number: str, day: date) -> Sentences:
    """Out of the directory; its earlier calls keep their holder."""
    directory.remove_extension(number, day)
    return (tr("removed {name}", name=number),)


def forget_extension(directory: DirectoryTables, number: str) -> Sentences:
    """As if it had never been entered; its calls are nobody's."""
    directory.forget_extension(number)
    return (tr("removed {name}", name=number),)


def _until(after: list[Employee] | list[Extension]) -> Sentences:
    return (tr("until {day}, as entered before", day=after[0].first_day),) if after else ()
