"""What is handed to people: a title, some facts, tables and notes, written as HTML, XLSX, PDF or Markdown.

    columns = [Column("extension", "Extension", "code"), Column("fee", "Fee", "money")]
    section = Section("Calls", columns, rows, total={"extension": "total", "fee": "0.98"})
    write(Document("October 2026", sections=[section]), "pdf", Path("october.pdf"))

One model, a writer for each form: `html`, `markdown`, `workbook`, and `pdf`, which fits tables to pages
(`page_layout`) and cuts its font down to the signs of many documents (`font_subset`); `charts` works out the charts of
all. Columns and values are those of `render`: rows are mappings with the contract's keys, fees exact decimal text,
times ISO 8601. The same document gives the same bytes, whenever it is written.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Literal, Protocol

from ippbx_billing import language as texts
from ippbx_billing.documents.render import Column, Row
from ippbx_billing.files import whole

__all__ = ["FONT", "FORMS", "Chart", "Column", "Document", "Section", "write", "write_each"]

FORMS = ("html", "markdown", "pdf", "xlsx")
FONT = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"  # see the NOTICE beside it


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of one column of figures by another of labels: bars for things, a line for times."""

    kind: Literal["bar", "line"]
    label_key: str
    value_key: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its heading; `rows` may be an iterator.

    Only the PDF, for its page numbers, and a chart gather the rows; the others write each as it comes. `total` is
    the last line, `empty` the sentence that stands in place of a table without rows, and `page_break` begins a page
    (in a workbook every section is a sheet anyway).
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    total: Row | None = None
    chart: Chart | None = None
    page_break: bool = False
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One report or one bill; `facts` are (name, value) pairs below the title, `notes` sentences at the end.

    `dated` is the day that the file names as its own (the period's last day, never the clock's); `lang` the language
    that its texts are in, empty for the one in use.
    """

    title: str
    subtitle: str = ""
    facts: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = ()
    notes: Sequence[str] = ()
    lang: str = ""
    dated: date | None = None

    @property
    def language(self) -> str:
        return self.lang or texts.language()


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
