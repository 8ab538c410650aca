"""A small font with just the signs that some documents need, to be carried in a page or shared by many PDFs.

The whole font has twenty thousand signs and takes half a second to open; that is long where thousands of files are
written. The one idea: as a printer fills a case with the letters of the job, the font is cut down once for many files.

    for batch, wanted in batches(files):
        with cut_down(FONT, wanted) as font: ...
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from ippbx_billing.documents.columns import harmless, shown
from ippbx_billing.documents.document import Document, Section

AT_ONCE = 200  # files that share a cut-down font, and whose rows are in memory meanwhile
ALWAYS = {chr(code) for code in range(32, 127)} | set("□…–�")


def batches(files: Iterable[tuple[Document, Path]]) -> Iterator[tuple[list[tuple[Document, Path]], set[str]]]:
    """The documents and their files, so many at once, with every sign that these may show."""
    remaining = iter(files)
    while batch := [(_gathered(document), path) for document, path in islice(remaining, AT_ONCE)]:
        yield batch, set().union(*(_signs_of(document) for document, _ in batch))


def _gathered(document: Document) -> Document:
    """The document with its rows in memory, to be gone through twice."""
    return replace(document, sections=[replace(one, rows=list(one.rows)) for one in document.sections])


def _signs_of(document: Document) -> set[str]:
    """Every sign that may be printed of a document; of one whose rows are in memory."""
    texts = [document.title, document.subtitle, *document.notes, *(text for fact in document.facts for text in fact)]
    if document.letterhead:
        texts += [*document.letterhead.address, document.letterhead.footer]
    return set().union(harmless("".join(texts)), *map(_signs, document.sections))


def _signs(section: Section) -> set[str]:
    found = set().union(section.title, section.empty, *(column.title for column in section.columns))
    for row in (*section.rows, section.total or {}):
        for column in section.columns:
            found.update(shown(row, column))
    return found


@contextmanager
def cut_down(font: Path, wanted: set[str]) -> Iterator[Path]:
    """A font file with these signs and the usual ones, as far as the font has them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letters.ttf"
        path.write_bytes(cut(font, wanted | ALWAYS))
        yield path


def cut(font: Path, wanted: set[str], flavor: str | None = None) -> bytes:
    """A font with just these signs, as far as the font has them; `woff` is how pages carry one."""
    options = subset.Options(notdef_outline=True, layout_features=[])
    options.drop_tables = [*options.drop_tables, "FFTM"]  # a time stamp of the font's editor
    cutter, made = subset.Subsetter(options), io.BytesIO()
    cutter.populate(text="".join(sorted(wanted)))
    with TTFont(font, fontNumber=0, lazy=True, recalcTimestamp=False) as letters:
        cutter.subset(letters)
        letters.flavor = flavor
        letters.save(made)
    return made.getvalue()
