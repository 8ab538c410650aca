"""What `departments`, `employees` and `extensions` share: days to hold from, and their lists as files."""

from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import people

if TYPE_CHECKING:
    from ippbx_billing.ledger.directory import DirectoryTables
    from ippbx_billing.lists.people import ListOutcome
    from ippbx_billing.lists.people.files import ListKind

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="YYYY-MM-DD|always", help=en("the first day it holds; default: today"))
]
SinceOption = Annotated[
    str | None,
    typer.Option("--from", metavar="YYYY-MM-DD|always", help=en("the first day it holds; default: always")),
]
OnOption = Annotated[
    str | None, typer.Option("--on", metavar="YYYY-MM-DD", help=en("as it was on this day; default: today"))
]
FileArgument = Annotated[Path, typer.Argument(help=en("a CSV or XLSX file"))]
EncodingOption = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help=en("what a CSV file was saved in, such as gb18030 or cp1252"))
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help=en("only show what would change"))]
ListOutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help=en("the file, .csv or .xlsx; default: CSV to stdout"))
]


def set_or_show_mail(directory: "DirectoryTables", kind: str, number: int, name: str, address: str | None) -> None:
    """Keep the mail addresses of an employee or a department, and say which they are."""
    from ippbx_billing.ledger.addresses import addresses_of

    if address is not None:
        directory.set_mail(kind, number, () if address == "-" else addresses_of(address))
    told = ", ".join(directory.mails(kind).get(number, ()))
    say(tr("{who}: {address}", who=name, address=told) if told else tr("{who} has no mail address", who=name))


def add_list_commands(app: typer.Typer, name: str, columns: str) -> None:
    """Give a group whose facts hold from a day on its `import` and `export`; `columns` is the import's help."""

    @app.command("import", help=columns)
    def import_file(
        file: FileArgument,
        dry_run: DryRunOption = False,
        from_day: FromOption = None,
        encoding: EncodingOption = "",
        form: FormatOption = Format.TABLE,
        output: OutputOption = None,
    ) -> None:
        bring_in(name, file, dry_run, from_day, form, output, encoding)

    add_export(app, name)


def add_export(app: typer.Typer, name: str) -> None:
    """Give a group its `export`."""

    @app.command("export", help=en("Write the list with its history to a file; imported again it changes nothing."))
    def export(output: ListOutputOption = None) -> None:
        write_out(name, output)


def _kind(name: str) -> "ListKind":
    from ippbx_billing.lists.people import files as lists

    return lists.kind_named(name)


def bring_in(
    name: str,
    file: Path,
    dry_run: bool,
    from_day: str | None,
    form: Format,
    output: Path | None,
    encoding: str = "",
) -> None:
    """Import a list, all lines or none, every problem with its line; or show what it would change."""
    from ippbx_billing.lists import sheets
    from ippbx_billing.lists.people import bring_in, deeds
    from ippbx_billing.lists.people import files as lists

    using = common.settings()
    today = deeds.first_day(from_day, common.today(using))
    found = lists.read(_kind(name), str(file), _content(file), encoding)
    if found.encoding:
        say(sheets.read_as(found.encoding))
    if found.unknown:
        say(tr("not used: {columns}", columns=", ".join(found.unknown)))
    with common.open_ledger(using) as ledger:
        outcome = bring_in(ledger.directory, found.entries, today, dry_run=dry_run)
    if outcome.problems:
        raise DataError(
            f"{file}:\n" + "\n".join(outcome.problems), tr("nothing was imported; correct these lines and try again")
        )
    if dry_run:
        show_listing(people.list_changes(outcome.changes), form, output)
    _sum_up(outcome, dry_run)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFoundError(
            tr("{file} cannot be read: {error}", file=file, error=tr(str(error.strerror))),
            tr("check name and mode of the file"),
        ) from error


def _sum_up(outcome: "ListOutcome", dry_run: bool) -> None:
    count = len(outcome.changes)
    new = people.new_entries(outcome.changes)
    if dry_run:
        say(tr("would change: {count}, of them new: {new}; nothing was changed", count=count, new=new))
    else:
        say(tr("imported; changed: {count}, of them new: {new}", count=count, new=new))


def write_out(name: str, output: Path | None) -> None:
    """Export a list; its ending says how."""
    from ippbx_billing.files import whole
    from ippbx_billing.lists.people import files as lists

    form = "csv" if output is None or str(output) == "-" else output.suffix.lower().lstrip(".")
    if form not in ("csv", "xlsx"):
        raise UsageError(
            tr("{path} ends in neither .csv nor .xlsx", path=output), tr("name the file {kind}.csv", kind=name)
        )
    with common.open_ledger(common.settings()) as ledger:
        content = lists.write(_kind(name), ledger.directory, form)
    if output is None or str(output) == "-":
        typer.get_binary_stream("stdout").write(content.removeprefix(BOM_UTF8))  # it is Excel's that opens files
        return
    with whole(output) as stream:
        stream.write(content)
