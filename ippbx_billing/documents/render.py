"""Rows -> a table for people, CSV for spreadsheets, JSON for programs, documents to hand on.

    show(rows, [Column("extension", "Extension"), Column("fee", "Fee", "money")], Format.TABLE)

Rows are mappings with the contract's keys; columns choose and name what the table and the CSV show,
JSON always has every key. Whatever a PBX sent is made harmless here: control characters never reach
a terminal, and text that a spreadsheet would take for a formula is quoted. What is wanted chooses its writer:
`terminal`, `csv_rows`, `json_rows`; HTML, XLSX, PDF and Markdown are written by `documents`.
"""

import codecs
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column, Format, Row, cell, harmless
from ippbx_billing.documents.listing import Listing
from ippbx_billing.documents.terminal import wrapped, write_table
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.documents.document import Document


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
        _write_plain(stream, rows, columns, form, total, document, title, empty)


def show_listing(answer: Listing, form: Format = Format.TABLE, output: Path | None = None) -> None:
    """Write an answer as `show` does."""
    show(answer.rows_for(form), answer.columns_for(form), form, output, **_around(answer))


def _around(answer: Listing) -> dict[str, Any]:
    """What an answer has beside its rows and columns."""
    return {
        "total": answer.total,
        "document": answer.document,
        "title": answer.title,
        "empty": answer.empty,
        "paper": answer.paper,
    }


def screenful(answer: Listing) -> Any:
    """An answer as a table that a terminal can show again and again, as wide as the terminal is now; a rich Text."""
    from rich.text import Text

    sheet = _Sheet()
    form = Format.TABLE
    write_table(sheet, answer.rows_for(form), answer.columns_for(form), answer.total, answer.title, answer.empty)
    return Text.from_ansi(sheet.getvalue().rstrip("\n"))


class _Sheet(io.StringIO):
    """What is written for a terminal, before it is shown there."""

    def isatty(self) -> bool:
        return True


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
    _write_plain(text, rows, columns, form, total, document, title, empty)
    text.detach()


def write_listing(stream: IO[bytes], answer: Listing, form: Format) -> None:
    """An answer to any stream of bytes."""
    write_to(stream, answer.rows_for(form), answer.columns_for(form), form, **_around(answer))


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
            write_table(stream, section.rows, section.columns, section.total, section.title, section.empty)
        for note in paper.notes:
            stream.writelines(f"{line}\n" for line in wrapped(harmless(note), stream))
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
            tr("a terminal cannot show {form}", form=form.value.upper()),
            tr("name a file: --output report.{ending}", ending=form.value),
        )
    sys.stdout.flush()
    write(documents, form, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _write_plain(
    stream: IO[str],
    rows: Iterable[Row],
    columns: Sequence[Column],
    form: Format,
    total: Row | None,
    document: Any,
    title: str,
    empty: str,
) -> None:
    """Rows as text: JSON, CSV or a table."""
    if form is Format.JSON:
        from ippbx_billing.documents.json_rows import write_json

        write_json(stream, rows if document is None else document)
    elif form is Format.CSV:
        from ippbx_billing.documents.csv_rows import write_csv

        write_csv(stream, rows, columns)
    else:
        write_table(stream, rows, columns, total, title, empty)


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
    if not isinstance(value, list | dict):
        return cell(value, kind)
    from ippbx_billing.documents.json_rows import json_text

    return json_text(value)


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
