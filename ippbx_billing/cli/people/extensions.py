"""`extensions`: whose extension it is, from which day on; singly, or as a list in a file."""

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
)
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import people

app = Commands()

NumberArgument = Annotated[str, typer.Argument(help=en("the extension"))]


@app.command("list", help=en("List the extensions and whose they are."))
def list_extensions(
    on: OnOption = None,
    department: Annotated[str | None, typer.Option(help=en("only of this department and those in it"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """The extensions of a day, by number."""
    using = common.settings()
    with common.open_ledger(using) as ledger:
        day = common.day(on) if on else common.today(using)
        show_listing(people.extensions(ledger.directory, day, department), form, output)


@app.command("history", help=en("Show who had an extension, and when."))
def history(number: NumberArgument, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """One line for each span of days in which neither holder nor department changed."""
    with common.open_ledger(common.settings()) as ledger:
        show_listing(people.holders(ledger.directory, number), form, output)


@app.command("add", help=en("Add an extension, of an employee, a department or a person known by name only."))
def add(
    number: NumberArgument,
    name: Annotated[str, typer.Option(help=en("whose it is: a person with this extension as staff number"))] = "",
    department: Annotated[str, typer.Option(help=en("the department, such as 公司/工程部"))] = "",
    employee: Annotated[str | None, typer.Option(help=en("whose it is: an employee's number or name"))] = None,
    from_day: SinceOption = None,
) -> None:
    """A known extension with another holder is refused: that is what `assign` is for."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    with common.open_ledger(using) as ledger:
        today = common.today(using)
        day = deeds.first_day(from_day, today) if from_day else None
        told = deeds.add_extension(ledger.directory, number, name, department, employee, day, today)
    say("\n".join(told))


@app.command("assign", help=en("Give an extension to an employee or a department from a day on."))
def assign(
    number: NumberArgument,
    employee: Annotated[str | None, typer.Argument(metavar="[WHO]", help=en("an employee's number or name"))] = None,
    department: Annotated[str | None, typer.Option(help=en("or a department"))] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help=en("or nobody for the time being"))] = False,
    from_day: FromOption = None,
) -> None:
    """Calls before that day stay with whoever had the extension then."""
    if [employee is not None, department is not None, nobody].count(True) != 1:
        raise UsageError(
            tr("either an employee, --department or --nobody is expected"),
            "ippbx-bill extensions assign 8001 张三 --from 2026-10-01",
        )
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    day = deeds.first_day(from_day, common.today(using))
    with common.open_ledger(using) as ledger:
        told = deeds.assign_extension(ledger.directory, number, day, employee=employee, department=department)
    say("\n".join(told))


app.command("move", help=en("The same as assign."))(assign)


@app.command("remove", help=en("Remove an extension from the directory; its calls stay."))
def remove(
    number: NumberArgument,
    from_day: FromOption = None,
    entirely: Annotated[bool, typer.Option("--entirely", help=en("as if it had never been entered"))] = False,
) -> None:
    """Earlier calls keep their holder unless the extension is forgotten entirely."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if entirely:
            told = deeds.forget_extension(ledger.directory, number)
        else:
            told = deeds.remove_extension(ledger.directory, number, deeds.first_day(from_day, common.today(using)))
    say("\n".join(told))


add_list_commands(
    app, "extensions", en("Import a list: number, name, employee, department, from (分机 姓名 工号 部门 起始日期).")
)
