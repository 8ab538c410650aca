"""`departments`: the tree that employees and extensions belong to; singly, or as a list in a file."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.people import terms
from ippbx_billing.cli.people.lists import (
    DryRunOption,
    FileArgument,
    OnOption,
    add_export,
    bring_in,
    set_or_show_mail,
)
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import people

app = Commands()
app.add_typer(terms.app, name="terms", help=en("Set mark-up and tax on a department's bills, inherited down the tree."))

PathArgument = Annotated[str, typer.Argument(metavar="PATH", help=en("a path such as 公司/工程部, or the end of one"))]


@app.command("list", help=en("Show the tree of departments, with how many employees and extensions are in each."))
def list_departments(on: OnOption = None, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Each below the one it belongs to; the numbers are of the department itself, without those below."""
    using = common.settings()
    with common.open_ledger(using) as ledger:
        listed = people.departments(ledger.directory, common.day(on) if on else common.today(using))
    show_listing(people.as_tree(listed) if form is Format.TABLE else listed, form, output)


@app.command("add", help=en("Add departments, with those above them that are not there yet."))
def add(paths: Annotated[list[str], typer.Argument(metavar="PATH...", help=en("a path such as 公司/工程部"))]) -> None:
    """One that was removed comes back."""
    from ippbx_billing.lists.people import deeds

    with common.open_ledger(common.settings()) as ledger:
        say("\n".join(deeds.add_departments(ledger.directory, paths)))


@app.command("rename", help=en("Change the name, in the reports of all months."))
def rename(path: PathArgument, name: Annotated[str, typer.Argument(help=en("the new name"))]) -> None:
    """Its place in the tree stays."""
    from ippbx_billing.lists.people import deeds

    with common.open_ledger(common.settings()) as ledger:
        say("\n".join(deeds.rename_department(ledger.directory, path, name)))


@app.command("mail", help=en("Set the mail address that bills go to; - takes it away."))
def mail(
    path: PathArgument,
    address: Annotated[str | None, typer.Argument(metavar="[ADDRESS]", help=en("one, or several with commas"))] = None,
) -> None:
    """Without an address it shows the present one."""
    with common.open_ledger(common.settings()) as ledger:
        one = ledger.directory.department(path)
        set_or_show_mail(ledger.directory, "department", one.id, one.path, address)


@app.command("move", help=en("Move it in the tree, in the reports of all months."))
def move(
    path: PathArgument,
    under: Annotated[str | None, typer.Option(metavar="PATH", help=en("the department it becomes a part of"))] = None,
    top: Annotated[bool, typer.Option("--top", help=en("a part of none"))] = False,
) -> None:
    """Everything below goes along. To keep past reports, make a new department and move the employees by day."""
    if (under is None) is not top:
        raise UsageError(tr("say where to: --under PATH, or --top"), tr("see `ippbx-bill departments list`"))
    from ippbx_billing.lists.people import deeds

    with common.open_ledger(common.settings()) as ledger:
        say("\n".join(deeds.move_department(ledger.directory, path, under)))


@app.command("remove", help=en("Take an empty department out of use; earlier reports keep it."))
def remove(path: PathArgument) -> None:
    """Nobody may be in it any more."""
    from ippbx_billing.lists.people import deeds

    using = common.settings()
    with common.open_ledger(using) as ledger:
        say("\n".join(deeds.remove_department(ledger.directory, path, common.today(using))))


@app.command("import", help=en("Import a list: department, or name and parent (部门, 上级部门)."))
def import_file(
    file: FileArgument,
    dry_run: DryRunOption = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """All lines or none; every problem is listed with its line."""
    bring_in("departments", file, dry_run, None, form, output)


add_export(app, "departments")
