"""`employees`: the people, their departments and extensions, from which day on; singly, or as a list in a file."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.people.lists import (
    FromOption,
    OnOption,
    SinceOption,
    add_list_commands,
    set_or_show_mail,
)
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en
from ippbx_billing.reports.views import people

app = Commands()

WhoArgument = Annotated[str, typer.Argument(metavar="WHO", help=en("an employee's number, or a name only one has"))]


@app.command("list", help=en("List the employees with their departments and extensions."))
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
        show_listing(people.employees(ledger.directory, day, department), form, output)


@app.command("show", help=en("Show one employee: departments and extensions, and when."))
def show_one(who: WhoArgument, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Where the employee was and is, and which extensions they had and have."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(people.employee(ledger.directory, who), form, output)


@app.command("add", help=en("Add an employee, or bring back one who left."))
def add(
    number: Annotated[str, typer.Argument(help=en("the staff number"))],
    name: Annotated[str, typer.Argument(help=en("the name"))],
    department: Annotated[str | None, typer.Option(help=en("the department, such as 公司/工程部"))] = None,
    extension: Annotated[list[str] | None, typer.Option(help=en("their extension; may be given again"))] = None,
    from_day: SinceOption = None,
) -> None:
    """A department that is not there yet is made."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    today = common.today(using)
    with common.open_ledger(using) as ledger:
        day = deeds.first_day(from_day, today) if from_day else None
        told = deeds.add_employee(ledger.directory, number, name, department, extension or (), day, today)
    say("\n".join(told))


@app.command("rename", help=en("Change the name or number, in the reports of all months."))
def rename(
    who: WhoArgument,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=en("the new name"))] = None,
    number: Annotated[str | None, typer.Option(help=en("the new staff number"))] = None,
) -> None:
    """Names are not kept by day."""
    from ippbx_billing.lists.people import deeds

    with common.open_ledger(common.settings()) as ledger:
        say("\n".join(deeds.rename_employee(ledger.directory, who, name, number)))


@app.command("mail", help=en("Set the mail address that bills go to; - takes it away."))
def mail(
    who: WhoArgument,
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help=en("one, or several with commas"))] = None,
) -> None:
    """Without an address it shows the present one."""
    with common.open_ledger(common.settings()) as ledger:
        one = ledger.directory.employee(who)
        set_or_show_mail(ledger.directory, "employee", one.id, str(one), address)


@app.command("move", help=en("Move somebody to another department from a day on."))
def move(
    who: WhoArgument,
    department: Annotated[str, typer.Argument(help=en("the department; - is none"))],
    from_day: FromOption = None,
) -> None:
    """Their extensions go with them; calls before that day stay with the former department."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    day = deeds.first_day(from_day, common.today(using))
    with common.open_ledger(using) as ledger:
        say("\n".join(deeds.move_employee(ledger.directory, who, department, day)))


@app.command("remove", help=en("Let an employee leave; their extensions are nobody's from that day on."))
def remove(
    who: WhoArgument,
    from_day: FromOption = None,
    entirely: Annotated[bool, typer.Option("--entirely", help=en("as if it had never been entered"))] = False,
) -> None:
    """Earlier calls stay theirs."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if entirely:
            told = deeds.forget_employee(ledger.directory, who)
        else:
            told = deeds.remove_employee(ledger.directory, who, deeds.first_day(from_day, common.today(using)))
    say("\n".join(told))


add_list_commands(app, "employees", en("Import a list: number, name, department, from (工号 姓名 部门 起始日期)."))
