"""`extensions`: whose extension it is, singly or from a CSV file."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.errors import DataError, NotFoundError
from ippbx_billing.render import Column, Format, show
from ippbx_billing.texts import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger.book import Extension

app = typer.Typer(no_args_is_help=True)

HEADINGS = {
    "number": ("number", "extension", "分机号码", "分机", "号码"),
    "name": ("name", "分机姓名", "姓名", "员工姓名", "员工"),
    "department": ("department", "部门名称", "部门"),
}


@app.command("list", help=tr("The extensions."))
def list_extensions(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """All extensions, by number."""
    with common.open_ledger(common.settings()) as ledger:
        rows = [
            {"number": one.number, "name": one.name, "department": one.department} for one in ledger.book.extensions()
        ]
    headings = [Column("number", tr("Extension")), Column("name", tr("Name")), Column("department", tr("Department"))]
    show(rows, headings, form, output, empty=tr("no extensions"))


@app.command("add", help=tr("Add an extension, or change the one of that number."))
def add(
    number: Annotated[str, typer.Argument(help=tr("the extension"))],
    name: Annotated[str | None, typer.Option(help=tr("whose it is"))] = None,
    department: Annotated[str | None, typer.Option(help=tr("the department"))] = None,
) -> None:
    """The directory is joined to the calls when they are shown."""
    from ippbx_billing.ledger.book import Extension

    with common.open_ledger(common.settings()) as ledger:
        ledger.book.put_extensions([Extension(number, name, department)])
    say(tr("extension {number} is in the directory", number=number))


@app.command("import", help=tr("Add extensions from a CSV file with columns number, name, department."))
def import_file(file: Annotated[Path, typer.Argument(help=tr("the CSV file, UTF-8 or GB18030"))]) -> None:
    """All lines or none; every problem is listed with its line."""
    extensions = read(file)
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.put_extensions(extensions)
    say(tr("imported {count} extensions", count=len(extensions)))


@app.command("remove", help=tr("Take an extension out of the directory; its calls stay."))
def remove(number: Annotated[str, typer.Argument(help=tr("the extension"))]) -> None:
    """Only the directory changes."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.book.remove_extension(number)
    say(tr("removed {name}", name=number))


def read(file: Path) -> "list[Extension]":
    """The extensions of a CSV file; DataError lists every line that cannot be used."""
    from ippbx_billing.ledger.book import Extension

    lines = list(csv.reader(_text(file).splitlines()))
    columns = _columns(lines[0] if lines else [])
    if "number" not in columns:
        raise DataError(
            tr("{file}, line 1: no column is headed number (or 分机号码)", file=file),
            tr("begin the file with: number,name,department"),
        )
    extensions, problems, seen = [], [], dict[str, int]()
    for line_number, line in enumerate(lines[1:], start=2):
        if not any(field.strip() for field in line):
            continue
        values = {key: line[place].strip() if place < len(line) else "" for key, place in columns.items()}
        number = values["number"]
        if not number:
            problems.append(tr("line {line}: the number is missing", line=line_number))
        elif number in seen:
            problems.append(tr("line {line}: {number} is in line {first} already", line=line_number, number=number,
                               first=seen[number]))  # fmt: skip
        seen.setdefault(number, line_number)
        extensions.append(Extension(number, values.get("name") or None, values.get("department") or None))
    if problems:
        raise DataError(f"{file}:\n" + "\n".join(problems), tr("nothing was imported; mend these lines and try again"))
    return extensions


def _columns(headings: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        for key, names in HEADINGS.items():
            if heading.strip().lower() in names:
                found.setdefault(key, place)
    return found


def _text(file: Path) -> str:
    """The file's text; what Excel in China saves as CSV is GB18030."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotFoundError(tr("{file} cannot be read: {error}", file=file, error=error.strerror)) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")
