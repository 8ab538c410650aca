"""The model of what is handed to people: a document of sections, each a table with perhaps a chart.

Document("October 2026", sections=[Section("Calls", columns, rows)])
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from ippbx_billing.documents.columns import Column, Row
from ippbx_billing.language import language as spoken

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
class Letterhead:
    """What stands around a bill: lines below the company's name, a picture (PNG or SVG), words at the foot."""

    address: Sequence[str] = ()
    logo: bytes = b""
    footer: str = ""

    @property
    def media_type(self) -> str:
        """Of the logo."""
        return "image/png" if self.logo.startswith(b"\x89PNG") else "image/svg+xml"


@dataclass(frozen=True, slots=True)
class Document:
    """One report or one bill; `facts` are (name, value) pairs below the title, `notes` sentences at the end.

    `dated` is the day that the file names as its own (the period's last day, never the clock's); `lang` the language
    that its texts are in, empty for the one in use. With a `letterhead` the subtitle is the company that it is of.
    """

    title: str
    subtitle: str = ""
    facts: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = ()
    notes: Sequence[str] = ()
    lang: str = ""
    dated: date | None = None
    letterhead: Letterhead | None = None

    @property
    def language(self) -> str:
        return self.lang or spoken()
