"""Rows -> a table for people, CSV for spreadsheets, JSON for programs, documents to hand on.

    show(rows, [Column("extension", "Extension"), Column("fee", "Fee", "money")], Format.TABLE)

Rows are mappings with the contract's keys; columns choose and name what the table and the CSV show,
JSON always has every key. Whatever a PBX sent is made harmless here: control characters never reach
a terminal, and text that a spreadsheet would take for a formula is quoted. HTML, XLSX, PDF and Markdown
are written by `documents`.
"""

import codecs
import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import IO, TYPE_CHECKING, Any

from ippbx_billing.documents.batches import Batches, each
from ippbx_billing.documents.columns import Column, Format, Row, cell, harmless, shown
from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.documents.document import Document

# Controls and direction marks of the basic plane that JSON leaves as they are.
UNPRINTABLE = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"  # what spreadsheets take for the beginning of a formula, the wide ones too

_NO_FORMULA, _FIRST = frozenset(FORMULA_SIGNS).isdisjoint, itemgetter(0)

WIDTH_WITHOUT_TERMINAL = 200
WRAPPED_WIDTH = 16  # what a text column that wraps is content with
GAP = 2  # between two columns
LONG_TABLE = 200  # rows from which on speed counts for more than bold headings


def show(
    rows: Iterable[Row],
    columns: Sequence[Column],
    form: Format = Format.TABLE,
    output: Path | None = None,
    *,
    total: Row | None = None,
    document: Any = None,
    title: str = "",
    empty: str = "",
    paper: "Document | None" = None,
) -> None:
    """Write the rows to stdout, or whole to `output`; `document` is what JSON shows where it is more than the rows.

    `paper` is what HTML, XLSX, PDF and Markdown show where it is more than this one table.
    """
    if form.is_document:
        deliver(paper or _paper(rows, columns, total, title, empty, document), form, output)
        return
    with _destination(output, form) as stream:
        if form is Format.JSON:
            _write_json(stream, rows if document is None else document)
        elif form is Format.CSV:
            _write_csv(stream, rows, columns)
        else:
            _write_table(stream, rows, columns, total, title, empty)


def show_listing(answer: Listing, form: Format = Format.TABLE, output: Path | None = None) -> None:
    """Write an answer as `show` does."""
    show(
        answer.rows_for(form),
        answer.columns_for(form),
        form,
        output,
        total=answer.total,
        document=answer.document,
        title=answer.title,
        empty=answer.empty,
        paper=answer.paper,
    )


def write_to(
    stream: IO[bytes],
    rows: Iterable[Row],
    columns: Sequence[Column],
    form: Format,
    *,
    total: Row | None = None,
    document: Any = None,
    title: str = "",
    empty: str = "",
    paper: "Document | None" = None,
) -> None:
    """The same as `show` to any stream of bytes; the rows of CSV and JSON go out as they come."""
    if form.is_document:
        from ippbx_billing.documents import write

        write(paper or _paper(rows, columns, total, title, empty, document), form.value, stream)
        return
    text = io.TextIOWrapper(stream, "utf-8-sig" if form is Format.CSV else "utf-8", newline="", write_through=False)
    if form is Format.JSON:
        _write_json(text, rows if document is None else document)
    elif form is Format.CSV:
        _write_csv(text, rows, columns)
    else:
        _write_table(text, rows, columns, total, title, empty)
    text.detach()


def write_listing(stream: IO[bytes], answer: Listing, form: Format) -> None:
    """An answer to any stream of bytes."""
    write_to(
        stream,
        answer.rows_for(form),
        answer.columns_for(form),
        form,
        total=answer.total,
        document=answer.document,
        title=answer.title,
        empty=answer.empty,
        paper=answer.paper,
    )


def lines(texts: Iterable[str], output: Path | None = None, form: Format = Format.TABLE) -> None:
    """Write lines of plain text to stdout, or whole to `output`; as a document the first line is the title."""
    if form.is_document:
        from ippbx_billing.documents.document import Document

        title, *rest = texts
        deliver(Document(title, notes=[text.strip() for text in rest if text.strip()]), form, output)
        return
    with _destination(output, Format.TABLE) as stream:
        for text in texts:
            stream.write(harmless(text) + "\n")


def show_paper(paper: "Document", output: Path | None = None) -> None:
    """A document as people read it in a terminal: its facts, its tables one below the other, its notes."""
    with _destination(output, Format.TABLE) as stream:
        head = paper.letterhead.address if paper.letterhead else ()
        facts = (f"{name}: {value}" for name, value in paper.facts)
        for text in filter(None, (paper.title, paper.subtitle, *head, *facts)):
            stream.write(harmless(text) + "\n")
        for section in paper.sections:
            stream.write("\n")
            _write_table(stream, section.rows, section.columns, section.total, section.title, section.empty)
        for note in paper.notes:
            stream.write(harmless(note) + "\n")
        if paper.letterhead and paper.letterhead.footer:
            stream.write(harmless(paper.letterhead.footer) + "\n")


def deliver(documents: "Document | Iterable[Document]", form: Format, output: Path | None = None) -> None:
    """Write documents to stdout, or whole to `output`; UsageError rather than bytes on somebody's screen."""
    from ippbx_billing.documents import write

    if output is not None and str(output) != "-":
        write(documents, form, output)
        return
    if form.is_binary and sys.stdout.isatty():
        raise UsageError(
            tr("{form} is nothing that a terminal can show", form=form.value.upper()),
            tr("name a file: --output report.{ending}", ending=form.value),
        )
    sys.stdout.flush()
    write(documents, form, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _paper(
    rows: Iterable[Row], columns: Sequence[Column], total: Row | None, title: str, empty: str, document: Any
) -> "Document":
    """One table as a document; a single thing (`rows` is nothing but `document`) as a list of facts."""
    from ippbx_billing.documents.document import Document, Section

    if isinstance(rows, list) and len(rows) == 1 and rows[0] is document:
        facts = [(one.title, _fact(document.get(one.key), one.kind)) for one in columns]
        return Document(title or tr("Facts"), facts=facts)
    return Document(title or tr("Table"), sections=[Section("", columns, rows, total=total, empty=empty)])


def _fact(value: Any, kind: str) -> str:
    return _json(value) if isinstance(value, list | dict) else cell(value, kind)


@contextmanager
def _destination(output: Path | None, form: Format) -> Iterator[IO[str]]:
    """stdout, or a file that appears whole or not at all; CSV files open in Excel with Chinese intact."""
    if output is None or str(output) == "-":
        yield sys.stdout
        return
    from ippbx_billing.files import whole

    with whole(output) as binary:
        binary.write(codecs.BOM_UTF8 if form is Format.CSV else b"")
        stream = io.TextIOWrapper(binary, "utf-8", newline="")
        yield stream
        stream.detach()


def _write_json(stream: IO[str], document: Any) -> None:
    """A row a line, so that it streams and compares well; anything else indented."""
    if not isinstance(document, Mapping):
        _write_rows(stream, document)
        stream.write("\n")
        return
    separator = "{"
    for key, value in document.items():
        stream.write(f"{separator}\n  {_json(key)}: ")
        if isinstance(value, list):
            _write_rows(stream, value, "  ")
        else:
            stream.write(_json(value, indent=2).replace("\n", "\n  "))
        separator = ","
    stream.write("{}\n" if separator == "{" else "\n}\n")


def _write_rows(stream: IO[str], rows: Iterable[Any], indent: str = "") -> None:
    separator = "["
    for row in rows:
        stream.write(f"{separator}\n{indent}  {_json(row)}")
        separator = ","
    stream.write("[]" if separator == "[" else f"\n{indent}]")


def _json(value: Any, indent: int | None = None) -> str:
    """JSON that is read by programs and looked at in terminals: what neither can print is spelled \\uXXXX."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _write_csv(stream: IO[str], rows: Iterable[Row], columns: Sequence[Column]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.key for column in columns])
    if isinstance(rows, Batches):
        for batch in rows.batches:
            cells = (each(batch[column.key], _csv_texts) for column in columns)
            stream.write("".join([f"{','.join(line)}\n" for line in zip(*cells, strict=True)]))
        return
    for row in rows:
        writer.writerow([_csv_cell(row.get(column.key)) for column in columns])


def _csv_texts(values: Sequence[Any]) -> Sequence[str]:
    """The cells of a column as they stand in the file; texts of which none needs more are taken as they are."""
    kinds = set(map(type, values))
    if kinds == {int}:
        return list(map(str, values))
    if not kinds <= {str, NoneType}:
        known = {number: _csv_text(value) for number, value in dict(zip(map(id, values), values, strict=True)).items()}
        return [known[id(value)] for value in values]
    texts = [one for one in values if one]
    together = "".join(texts)
    if together.isprintable() and not any(sign in together for sign in ',"') and _NO_FORMULA(map(_FIRST, texts)):
        return values if len(texts) == len(values) else [one or "" for one in values]
    return list(map(_csv_text, values))


def _csv_text(value: Any) -> str:
    """One cell, in quotation marks where it needs them, as the `csv` module sets them."""
    text = str(_csv_cell(value))
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"\r\n') else text


def _csv_cell(value: Any) -> Any:
    """The value as a spreadsheet should take it: text that begins like a formula becomes plain text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        text = harmless(value)
        return "'" + text if _computes(value) else text
    return value


def _computes(text: str) -> bool:
    """Whether a spreadsheet would compute it; a number with its sign is what it looks like."""
    return text[:1] in FORMULA_SIGNS and text != "" and not re.fullmatch(r"[+-]\d[\d.,]*", text)


def _write_table(
    stream: IO[str], rows: Iterable[Row], columns: Sequence[Column], total: Row | None, title: str, empty: str
) -> None:
    body = [[shown(row, column) for column in columns] for row in rows]
    if not body and empty:
        stream.write(empty + "\n")
        return
    feet = [shown(total, one) if total and one.key in total else "" for one in columns]
    width = _width(stream)
    kept, headings = _layout(columns, [*body, feet], width)
    chosen = [columns[place] for place in kept]
    grid = [[line[place] for place in kept] for line in (headings, *body, *([feet] if total is not None else []))]
    if (len(grid) > LONG_TABLE or not stream.isatty()) and _write_plain(stream, chosen, grid, total, title, width):
        return
    _write_rich(stream, chosen, grid, total, title)


def _write_plain(
    stream: IO[str], columns: Sequence[Column], grid: list[list[str]], total: Row | None, title: str, width: int
) -> bool:
    """Write a table in which nothing must be broken as `_write_rich` would, only much quicker; else give False."""
    widths = [max(_cells(line[place]) for line in grid) for place in range(len(columns))]
    whole = sum(widths) + GAP * len(widths)
    if max(whole, _cells(title)) > width or _cells(title) > whole or any("\n" in heading for heading in grid[0]):
        return False
    sides = [column.to_the_right for column in columns]

    def line(cells: list[str]) -> str:
        padded = (
            " " * (size - _cells(text)) + text if right else text + " " * (size - _cells(text))
            for text, size, right in zip(cells, widths, sides, strict=True)
        )
        return f" {(' ' * GAP).join(padded)} \n"

    blank, rule = " " * whole + "\n", f" {'─' * (whole - GAP)} \n"
    if title:
        stream.write(f"{title}{' ' * (whole - _cells(title))}\n")
    body, foot = (grid[1:-1], grid[-1:]) if total is not None else (grid[1:], [])
    stream.writelines([blank, line(grid[0]), rule, *map(line, body), blank])
    stream.writelines([one for cells in foot for one in (line(cells), blank)])
    return True


def _write_rich(
    stream: IO[str], columns: Sequence[Column], grid: list[list[str]], total: Row | None, title: str
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    body, feet = (grid[1:-1], grid[-1]) if total is not None else (grid[1:], [""] * len(columns))
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        show_footer=total is not None,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1, 0, 0),
    )
    for column, heading, foot in zip(columns, grid[0], feet, strict=True):
        right = "right" if column.to_the_right else "left"
        table.add_column(
            heading,
            footer=foot,
            justify=right,  # type: ignore[arg-type]
            no_wrap=not column.may_wrap,
            overflow="fold",
        )
    for line in body:
        table.add_row(*map(Text, line))
    console(stream).print(table)


def _layout(columns: Sequence[Column], lines: Sequence[Sequence[str]], width: int) -> tuple[list[int], list[str]]:
    """Which columns fit, by place, and their headings: numbers are never cut, so what matters least goes first.

    Headings are broken at spaces before a column goes; text that may wrap counts with the width it can live with.
    """
    kept = list(range(len(columns)))
    headings = [column.title for column in columns]
    contents = [max((_cells(line[place]) for line in lines), default=0) for place in kept]

    def needed(place: int) -> int:
        heading = max(_cells(part) for part in headings[place].split("\n"))
        content = contents[place]
        return GAP + max(heading, min(content, WRAPPED_WIDTH) if columns[place].may_wrap else content)

    if sum(map(needed, kept)) > width:
        headings = [heading.replace(" ", "\n") for heading in headings]
    while sum(map(needed, kept)) > width and any(columns[place].rank for place in kept):
        kept.remove(max(kept, key=lambda place: columns[place].rank))
    return kept, headings


def _cells(text: str) -> int:
    """How many places of a terminal's line a text takes: Chinese two each; most cells are digits and need no table."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _width(stream: IO[str]) -> int:
    """The width that a table may have; see `console`."""
    if stream.isatty() or os.environ.get("COLUMNS"):
        return int(console(stream).width)
    return WIDTH_WITHOUT_TERMINAL


def console(stream: IO[str] | None = None) -> Any:
    """A rich console on the stream; as wide as the terminal, or roomy enough to cut nothing where there is none."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, highlight=False, width=width)
