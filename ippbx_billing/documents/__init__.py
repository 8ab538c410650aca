"""What is handed to people: a title, some facts, tables and notes, written as HTML, XLSX, PDF or Markdown.

    columns = [Column("extension", "Extension", "code"), Column("fee", "Fee", "money")]
    section = Section("Calls", columns, rows, total={"extension": "total", "fee": "0.98"})
    write(Document("October 2026", sections=[section]), "pdf", Path("october.pdf"))

Bottom to top: `columns` says what a cell is, `document` is the model, each form has a writer (`html`, `markdown`,
`workbook`, and `pdf`, which fits tables to pages with `page_layout` and cuts its font down with `font_subset`; `charts`
works out the charts of all), and `render` shows rows in whatever form was asked for. Rows are mappings with the
contract's keys, fees exact decimal text, times ISO 8601. The same document gives the same bytes whenever written.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Protocol

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.document import FONT, Chart, Document, Letterhead, Section
from ippbx_billing.files import whole

__all__ = ["FONT", "FORMS", "Chart", "Column", "Document", "Letterhead", "Section", "write", "write_each"]

FORMS = ("html", "markdown", "pdf", "xlsx")


class Writer(Protocol):
    """What each sibling offers under the name `write`."""

    def __call__(self, documents: Iterable[Document], stream: IO[bytes]) -> None: ...


def write(documents: Document | Iterable[Document], form: str, output: Path | IO[bytes]) -> None:
    """Write one document, or several one after another in one file; a file appears whole or not at all.

    Each document begins a page and counts its own pages. ValueError for a form that is none of `FORMS`, BillingError
    where the file cannot be written.
    """
    several = [documents] if isinstance(documents, Document) else documents
    writer = _writer(form)
    with whole(output) if isinstance(output, Path) else nullcontext(output) as stream:
        writer(several, stream)


def write_each(files: Iterable[tuple[Document, Path]], form: str) -> None:
    """Write each document to a file of its own, as `write` does; what carries a font is much quicker this way."""
    if form == "pdf":
        from ippbx_billing.documents import pdf

        pdf.write_each(files)
    elif form == "html":
        from ippbx_billing.documents import html

        html.write_each(files)
    else:
        for document, path in files:
            write(document, form, path)


def _writer(form: str) -> Writer:
    """The writer of a form; imported here, because the libraries behind some are slow to load."""
    if form == "html":
        from ippbx_billing.documents import html

        return html.write
    if form == "markdown":
        from ippbx_billing.documents import markdown

        return markdown.write
    if form == "pdf":
        from ippbx_billing.documents import pdf

        return pdf.write
    if form == "xlsx":
        from ippbx_billing.documents import workbook

        return workbook.write
    raise ValueError(f"{form!r} is none of {', '.join(FORMS)}")
