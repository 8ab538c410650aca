"""A small font with just the signs that some documents need, for writing many PDFs one after another.

The whole font has twenty thousand signs and takes half a second to open; that is long where thousands of files are
written. The one idea: as a printer fills a case with the letters of the job, the font is cut down once for many files.

    with cut_down(FONT, set().union(*map(signs, documents))) as font: ...
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from ippbx_billing.documents import Document, Section
from ippbx_billing.render import cell, harmless

ALWAYS = {chr(code) for code in range(32, 127)} | set("□…–�")


def gathered(document: Document) -> Document:
    """The document with its rows in memory, to be gone through twice."""
    return replace(document, sections=[replace(one, rows=list(one.rows)) for one in document.sections])


def signs(document: Document) -> set[str]:
    """Every sign that may be printed of a document; of one whose rows are in memory."""
    texts = [document.title, document.subtitle, *document.notes, *(text for fact in document.facts for text in fact)]
    return set().union(harmless("".join(texts)), *map(_signs, document.sections))


def _signs(section: Section) -> set[str]:
    found = set().union(section.title, section.empty, *(column.title for column in section.columns))
    for row in (*section.rows, section.total or {}):
        for column in section.columns:
            found.update(cell(row.get(column.key), column.kind))
    return found


@contextmanager
def cut_down(font: Path, wanted: set[str]) -> Iterator[Path]:
    """A font file with these signs and the usual ones, as far as the font has them."""
    options = subset.Options(notdef_outline=True, layout_features=[])
    options.drop_tables = [*options.drop_tables, "FFTM"]  # a time stamp of the font's editor
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(wanted | ALWAYS)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letters.ttf"
        with TTFont(font, fontNumber=0, lazy=True, recalcTimestamp=False) as letters:
            cutter.subset(letters)
            letters.save(path)
        yield path
