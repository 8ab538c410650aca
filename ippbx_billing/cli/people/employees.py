"""`employees`: the people, their departments and extensions, from which day on; singly, or as a list in a file."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.people.lists import (
    FromOption,
    OnOption,
    SinceOption,
    add_list_commands,
    day_text,
    day_words,
    first_day,
    in_words,
    is_in,
    under,
)
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger.directory import Employee, Extension

app = Commands()

WhoArgument = Annotated[str, typer.Argument(metavar="WHO", help=en("an employee's number, or a name only one has"))]


@app.command("list", help=en("The employees with their departments and extensions."))
def list_employees(
    on: OnOption = None,
    department: Annotated[str | None, typer.Option(help=en("only of this department and those in it"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The employees of a day, by number."""
    using = common.settings()
    with common.open_ledger(using) as ledger:
        day = common.day(on) if on else common.today(using)
        wanted = under(ledger, department)
        extensions = defaultdict[str | None, list[str]](list)
        for one in ledger.directory.extensions(day):
            extensions[one.employee].append(one.number)
        found = ledger.directory.employees(day)
    rows = [
        {"number": one.number, "name": one.name, "department": one.department, "extensions": extensions[one.number]}
        for one in found
        if is_in(one.department, wanted)
    ]
    headings = [
        Column("number", tr("Staff no."), "code"),
        Column("name", tr("Employee")),
        Column("department", tr("Department")),
        Column("extensions", tr("Extensions")),
    ]
    shown = rows if form.is_data else [row | {"extensions": ", ".join(extensions[str(row["number"])])} for row in rows]
    show(shown, headings, form, output, empty=tr("no employees"))


@app.command("show", help=en("One employee: departments and extensions, and when."))
def show_one(who: WhoArgument, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Where the employee was and is, and which extensions they had and have."""
    with common.open_ledger(common.settings()) as ledger:
        number = ledger.directory.employee(who).number
        spans = ledger.directory.employee_history(number)
        held = [one for one in ledger.directory.extension_history() if one.employee == number]
    places = list(map(_place, spans))
    extensions = [{"extension": one.number, **_days(one)} for one in _joined(held)]
    if form.is_data:
        document = {"number": number, "name": spans[0].name, "departments": places, "extensions": extensions}
        show(places, common.all_columns(places[0]), form, output, document=document)
        return
    rows = [{"what": tr("department"), "which": one["department"], **one} for one in places]
    rows += [{"what": tr("extension"), "which": one["extension"], **one} for one in extensions]
    headings = [
        Column("what", tr("What")),
        Column("which", tr("Which")),
        Column("from", tr("From day"), "code"),
        Column("until", tr("Until"), "code"),
        Column("state", tr("State"), "word", 1),
    ]
    show(in_words(rows), headings, form, output, title=f"{number} {spans[0].name}")


def _place(one: "Employee") -> dict[str, Any]:
    return {"department": one.department, **_days(one), "state": "in use" if one.present else "left"}


def _days(one: "Employee | Extension") -> dict[str, Any]:
    return {"from": day_text(one.first_day), "until": day_text(one.last_day)}


def _joined(held: "list[Extension]") -> "list[Extension]":
    """The spans of each extension, those run together that only another department divides."""
    from dataclasses import replace

    found: list[Extension] = []
    for one in held:
        if found and found[-1].number == one.number and found[-1].end_day == one.first_day:
            found[-1] = replace(found[-1], end_day=one.end_day)
        else:
            found.append(one)
    return found


@app.command("add", help=en("Add an employee, or bring back one who left."))
def add(
    number: Annotated[str, typer.Argument(help=en("the staff number"))],
    name: Annotated[str, typer.Argument(help=en("the name"))],
    department: Annotated[str | None, typer.Option(help=en("the department, such as 公司/工程部"))] = None,
    extension: Annotated[list[str] | None, typer.Option(help=en("their extension; may be given again"))] = None,
    from_day: SinceOption = None,
) -> None:
    """A department that is not there yet is made."""
    from ippbx_billing.lists.people.entries import ExtensionEntry

    using = common.settings()
    with common.open_ledger(using) as ledger:
        day = first_day(from_day, common.today(using)) if from_day else None
        with ledger.directory.changing():
            ledger.directory.add_employee(number, name, department, *([day] if day else []))
            for one in extension or ():
                ExtensionEntry("", one, number, first_day=day).enter(ledger.directory, common.today(using))
    say(tr("employee {number} {name} is in the directory", number=number, name=name))


@app.command("rename", help=en("Another name or number, in the reports of all months."))
def rename(
    who: WhoArgument,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=en("the new name"))] = None,
    number: Annotated[str | None, typer.Option(help=en("the new staff number"))] = None,
) -> None:
    """Names are not kept by day."""
    with common.open_ledger(common.settings()) as ledger:
        present = ledger.directory.employee(who)
        ledger.directory.rename_employee(present.number, name=name, new_number=number)
        say(tr("{old} is {new} now", old=present, new=ledger.directory.employee(number or present.number)))


@app.command("move", help=en("To another department from a day on."))
def move(
    who: WhoArgument,
    department: Annotated[str, typer.Argument(help=en("the department; - is none"))],
    from_day: FromOption = None,
) -> None:
    """Their extensions go with them; calls before that day stay with the former department."""
    using = common.settings()
    day = first_day(from_day, common.today(using))
    with common.open_ledger(using) as ledger:
        directory = ledger.directory
        number = directory.employee(who, day).number
        path = None if department == "-" else directory.department(department).path
        directory.place(number, day, path)
        after = [one for one in directory.employee_history(number) if one.first_day > day]
    say(tr("{who} is in {department} from {day} on", who=who, department=path or "-", day=day_words(day)))
    if after:
        say(tr("until {day}, as entered before", day=after[0].first_day))


@app.command("remove", help=en("An employee leaves; their extensions are nobody's from that day on."))
def remove(
    who: WhoArgument,
    from_day: FromOption = None,
    entirely: Annotated[bool, typer.Option("--entirely", help=en("as if it had never been entered"))] = False,
) -> None:
    """Earlier calls stay theirs."""
    using = common.settings()
    with common.open_ledger(using) as ledger:
        number = ledger.directory.employee(who).number
        if entirely:
            ledger.directory.forget_employee(number)
            released = []
        else:
            released = ledger.directory.remove_employee(number, first_day(from_day, common.today(using)))
    say(tr("removed {name}", name=who))
    if released:
        say(tr("nobody's now: {listed}", listed=", ".join(released)))


add_list_commands(app, "employees", en("Bring in a list: number, name, department, from (工号 姓名 部门 起始日期)."))
