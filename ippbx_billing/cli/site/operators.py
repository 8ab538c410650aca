"""`operators`: who may sign in to the web page, as what, and where they are signed in."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.operators.roles import Role

if TYPE_CHECKING:
    from ippbx_billing.operators import Operator, OperatorFile

app = Commands()

Name = Annotated[str, typer.Argument(metavar="NAME", help=en("the operator's name"))]
RoleOption = Annotated[Role, typer.Option(help=en("what they may"))]
DepartmentOption = Annotated[
    str | None, typer.Option(metavar="PATH", help=en("of a head: the department that they see, with those below it"))
]
EmployeeOption = Annotated[
    str | None, typer.Option(metavar="NUMBER", help=en("of an employee: the staff number whose calls they see"))
]


def _file() -> "OperatorFile":
    from ippbx_billing.operators import OperatorFile

    using = common.settings()
    common.open_ledger(using).close()  # whatever is not a data directory is told so
    return OperatorFile(using.operators_path)


@app.command("list", help=en("List the operators, with their roles."))
def list_operators(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Everybody who may sign in, or might again."""
    from ippbx_billing.reports.views import operators as views

    with _file() as file:
        rows = views.rows(file.operators.all(), file.visits.all(common.now()))
    show(rows, views.columns(form), form, output, empty=tr("there is none yet"))


@app.command("add", help=en("Add an operator; prints the address at which they set their password, once."))
def add(
    name: Name,
    role: RoleOption = Role.VIEWER,
    department: DepartmentOption = None,
    employee: EmployeeOption = None,
    language: Annotated[str, typer.Option(metavar="en|zh", help=en("the language of their pages"))] = "",
) -> None:
    """Add and invite."""
    _check_scope(department, employee)
    with _file() as file, file.transaction():
        made = file.operators.add(name, role, common.now(), department=department, employee=employee, language=language)
        _log(file, "operators add", made, after=made.facts())
        address = _address(file, made)
    say(tr("{name} sets a password at this address, which works once, until this time tomorrow:", name=made.name))
    typer.echo(address)


@app.command("password", help=en("Set a password, or print an address at which they set it."))
def password(
    name: Name,
    link: Annotated[bool, typer.Option("--link", help=en("print a one-time address instead of asking"))] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help=en("read it from stdin, one line"))] = False,
) -> None:
    """They are signed out everywhere."""
    with _file() as file:
        operator = file.operators.named(name)
        if link:
            with file.transaction():
                address = _address(file, operator)
            _log(file, "operators password", operator, after={"link": True})
            typer.echo(address)
            return
        new = sys.stdin.readline().rstrip("\r\n") if stdin else _typed()
        with file.transaction():
            file.operators.set_password(operator.id, new)
            file.visits.end_all_of(operator.id)
            _log(file, "operators password", operator)
    say(tr("the password of {name} is set; they are signed out everywhere", name=operator.name))


@app.command("role", help=en("Change what somebody may."))
def change_role(
    name: Name,
    role: Annotated[Role, typer.Argument(help=en("what they may"))],
    department: DepartmentOption = None,
    employee: EmployeeOption = None,
) -> None:
    """It holds at once, also for those who are signed in."""
    _check_scope(department, employee)
    _change(name, "operators role", role=role, department=department, employee=employee)
    say(tr("{name} is {role} now", name=name, role=tr(role.value)))


@app.command("disable", help=en("Let nobody sign in under this name any more; what they did stays in the log."))
def disable(
    name: Name, again: Annotated[bool, typer.Option("--undo", help=en("let them sign in again"))] = False
) -> None:
    """They are signed out everywhere."""
    _change(name, "operators disable", disabled=not again)
    say(tr("{name} may sign in again", name=name) if again else tr("{name} cannot sign in any more", name=name))


@app.command("sessions", help=en("List who is signed in, where from, since when."))
def sessions(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The visits that last."""
    from ippbx_billing.reports.views import operators as views

    using = common.settings()
    with _file() as file:
        names = {one.id: one.name for one in file.operators.all()}
        rows = views.visit_rows(file.visits.all(common.now()), names, using.site_zone)
    show(rows, views.visit_columns(form), form, output, empty=tr("nobody is signed in"))


@app.command("sign-out", help=en("End a session, or all of one operator."))
def sign_out(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=en("the operator's name"))] = None,
    session: Annotated[
        int | None, typer.Option(metavar="ID", help=en("only this one, see `operators sessions`"))
    ] = None,
) -> None:
    """At the next thing that they click."""
    if (name is None) == (session is None):
        raise UsageError(tr("whose session? Give a name or --session"), "ippbx-bill operators sign-out anna")
    with _file() as file:
        if name is not None:
            operator = file.operators.named(name)
            ended = file.visits.end_all_of(operator.id)
            _log(file, "operators sign-out", operator, after={"sessions": ended})
        else:
            ended = int(file.visits.end(session or 0))
            _log(file, "operators sign-out", str(session), after={"sessions": ended})
    say(tr("{count} sessions ended", count=ended))


def _change(name: str, action: str, **changed: Any) -> None:
    with _file() as file, file.transaction():
        before = file.operators.named(name)
        after = file.operators.change(before, **changed)
        if after.disabled:
            file.visits.end_all_of(after.id)
        _log(file, action, after, before=before.facts(), after=after.facts())


def _check_scope(department: str | None, employee: str | None) -> None:
    from ippbx_billing.reports.scopes import check_named

    with common.open_ledger(common.settings()) as ledger:
        check_named(ledger, department, employee)


def _address(file: "OperatorFile", operator: "Operator") -> str:
    from ippbx_billing.listener.server import url

    using = common.settings()
    host = using.console_host
    if host in ("0.0.0.0", "::"):
        host = using.own_address or "127.0.0.1"
    scheme = "https" if using.tls_certificate else "http"
    return f"{url(host, using.console_port, scheme)}welcome/{file.operators.invite(operator, common.now())}"


def _log(file: "OperatorFile", action: str, who: "Operator | str", *, before: Any = None, after: Any = None) -> None:
    from ippbx_billing.operators.log import Actor

    name = who if isinstance(who, str) else who.name
    file.log.write(common.now(), Actor.of_system(), action, name, before=before, after=after)


def _typed() -> str:
    """Typed twice, and not shown."""
    return str(typer.prompt(tr("password"), hide_input=True, confirmation_prompt=tr("the same again"), err=True))
