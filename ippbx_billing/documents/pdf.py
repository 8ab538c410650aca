"""A document as PDF on A4: the font is embedded, so that Chinese shows and prints on any machine.

Each document counts its own pages ("3 / 7"), so that many bills may stand in one file. A table that goes on repeats
its heading; figures stand to the right and are never cut. The font is WenQuanYi Micro Hei (see `fonts/NOTICE`); only
the signs that occur are put into the file, once for all pages.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import IO

from ippbx_billing.documents import Document, Section
from ippbx_billing.documents.charting import Points, points
from ippbx_billing.documents.fitting import A4, GAP, MARGIN, MOST_LINES, Layout, layout, page_width, wrap
from ippbx_billing.documents.pages import Colour, Page, PdfFile
from ippbx_billing.documents.truetype import Font
from ippbx_billing.render import Row, cell, harmless

FONT = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"
AT_ONCE = 200  # files that share a cut-down font, and whose rows are in memory meanwhile
UNDATED = date(1980, 1, 1)
TEXT, QUIET, RULE, BAR = (27, 31, 36), (87, 96, 106), (200, 206, 213), (47, 111, 176)
LINE = 1.35  # from one line to the next, in sizes of the letters
FOOT = 30.0  # what the page number needs at the bottom
FACT_NAME_WIDTH = 130.0


def write(documents: Iterable[Document], stream: IO[bytes]) -> None:
    """Write the documents one after another into one file; a document's pages leave the memory with its last one."""
    press: _Press | None = None
    for document in documents:
        press = press or _Press(document, stream)
        press.add(document)
    press = press or _Press(Document(""), stream)
    press.file.close()


@cache
def _font() -> Font:
    """Read once, also where thousands of files are written."""
    return Font(FONT.read_bytes())


@lru_cache(maxsize=100_000)
def _shown(text: str) -> str:
    """The text as the font can show it: a box for a sign that it does not have."""
    known = _font().glyphs
    return "".join(sign if ord(sign) in known else "□" for sign in harmless(text))


class _Press:
    """The file while it is printed: where on which page we are, and what stands there."""

    def __init__(self, first: Document, stream: IO[bytes]) -> None:
        lang = "zh-CN" if first.language == "zh" else "en"
        dated = first.dated or UNDATED
        self.file = PdfFile(stream, _font(), title=harmless(first.title), lang=lang, dated=dated)
        self.measure = _font().width
        self.shown = _shown
        self.pages: list[Page] = []
        self.landscape = False
        self.y = 0.0

    def add(self, document: Document) -> None:
        """The document on pages of its own."""
        tables = (_Table(self, section) for section in document.sections)
        opening = next(tables, None)
        self._page(opening is not None and opening.layout.landscape)
        self._head(document)
        if opening is not None:
            self._section(opening)
        for table in tables:
            if table.section.page_break or table.layout.landscape != self.landscape:
                self._page(table.layout.landscape)
            self._section(table)
        self._notes(document.notes)
        self._number(document)
        self.file.add(self.pages)
        self.pages = []

    def _head(self, document: Document) -> None:
        for line in wrap(self.shown(document.title), page_width(self.landscape) / 16, self.measure):
            self._line(line, 16, bold=True)
        if document.subtitle:
            self._paragraph(document.subtitle, 10)
        self.y += 6
        for name, value in document.facts:
            self._fact(name, value)
        self.y += 8 if document.facts else 0

    def _fact(self, name: str, value: str) -> None:
        names = wrap(self.shown(name), (FACT_NAME_WIDTH - GAP) / 9, self.measure)
        values = wrap(self.shown(value), (page_width(self.landscape) - FACT_NAME_WIDTH) / 9, self.measure)
        for place in range(max(len(names), len(values))):
            self._room(9 * LINE)
            self.y += 9 * LINE
            self._text(MARGIN, "".join(names[place : place + 1]), 9, QUIET)
            self._text(MARGIN + FACT_NAME_WIDTH, "".join(values[place : place + 1]), 9)

    def _notes(self, notes: Sequence[str]) -> None:
        if notes:
            self.y += 12
        for note in notes:
            self._paragraph(note, 8.5)

    def _paragraph(self, text: str, size: float) -> None:
        for line in wrap(self.shown(text), page_width(self.landscape) / size, self.measure):
            self._line(line, size, QUIET)

    def _line(self, text: str, size: float, colour: Colour = TEXT, bold: bool = False) -> None:
        self._room(size * LINE)
        self.y += size * LINE
        self._text(MARGIN, text, size, colour, bold)

    def _section(self, table: "_Table") -> None:
        section = table.section
        if section.title:
            self._room(80)
            self.y += 10
            self._line(self.shown(section.title), 12, bold=True)
            self.y += 3
        if section.chart is not None and table.rows:
            self._chart(points(section.chart, section.columns, table.rows))
        if table.rows or not section.empty:
            table.print()
        else:
            self._paragraph(section.empty, 9)

    def _chart(self, data: Points) -> None:
        if data.kind == "bar":
            self._bars(data)
        elif data.values:
            self._curve(data)
        self.y += 8

    def _bars(self, data: Points) -> None:
        for label, value, text in zip(data.labels, data.values, data.texts, strict=True):
            self._room(14)
            width = 250 * data.share(value)
            self.pages[-1].bar(MARGIN + 120, self.y + 3, width, 9, BAR)
            self.y += 11
            label = self.shown(label)
            self._text(MARGIN + 114 - 8 * self.measure(label), label, 8)
            self._text(MARGIN + 126 + width, self.shown(text), 8)
            self.y += 3

    def _curve(self, data: Points) -> None:
        self._room(140)
        step = (page_width(self.landscape) - 40) / max(len(data.values) - 1, 1)
        base = self.y + 118
        path = [(MARGIN + 20 + step * place, base - 100 * data.share(value)) for place, value in data.numbered()]
        self.pages[-1].path(path, 1.2, BAR)
        self._rule(base, RULE)
        self.y += 10
        self._text(MARGIN + 20, self.shown(data.texts[data.highest]), 8, QUIET)
        self.y = base + 11
        for place in data.marked(10):
            label = self.shown(data.labels[place])
            self._text(path[place][0] - 4 * self.measure(label), label, 8, QUIET)

    def _number(self, document: Document) -> None:
        """The foot of each page of the document, now that it is known how many there are."""
        for place, page in enumerate(self.pages, start=1):
            number = f"{place} / {len(self.pages)}"
            title = wrap(self.shown(document.title), (page.width - 2 * MARGIN - 80) / 8, self.measure, most=1)[0]
            end = page.width - MARGIN - 8 * self.measure(number)
            page.text(MARGIN, page.height - FOOT, title, self.file.letters, 8, QUIET)
            page.text(end, page.height - FOOT, number, self.file.letters, 8, QUIET)

    def _page(self, landscape: bool) -> None:
        self.pages.append(Page(*(reversed(A4) if landscape else A4)))
        self.landscape, self.y = landscape, MARGIN

    def _room(self, height: float) -> bool:
        """Begin a page where the present one has no room for this much; True if one was begun."""
        if self.y + height <= self.pages[-1].height - MARGIN - FOOT / 2:
            return False
        self._page(self.landscape)
        return True

    def _text(self, x: float, text: str, size: float, colour: Colour = TEXT, bold: bool = False) -> None:
        """The text with its foot at `y`."""
        if text:
            self.pages[-1].text(x, self.y, text, self.file.letters, size, colour, bold)

    def _rule(self, y: float, colour: Colour, width: float = 0.5) -> None:
        self.pages[-1].path([(MARGIN, y), (MARGIN + page_width(self.landscape), y)], width, colour)


class _Table:
    """One section's table: its texts, how they fit, and the printing."""

    def __init__(self, press: _Press, section: Section) -> None:
        self.press, self.section, self.columns = press, section, section.columns
        self.rows = list(section.rows)
        self.headings = [press.shown(column.title) for column in section.columns]
        self.lines = [[self._shown(row, place) for place in range(len(self.columns))] for row in self.rows]
        self.total = None if section.total is None else self._total(section.total)
        self.layout = self._fitted()

    def print(self) -> None:
        """Heading, rows and total; the heading again on each page that is begun."""
        self._heading()
        for line in self.lines[:-1]:
            self._row(line)
        for line in self.lines[-1:]:
            self._row(line, more=0 if self.total is None else 20)
        if self.total is not None:
            self._row(self.total, bold=True)

    def _shown(self, row: Row, place: int) -> str:
        column = self.columns[place]
        return self.press.shown(cell(row.get(column.key), column.kind))

    def _total(self, total: Row) -> list[str]:
        """The total's texts; what has no sum stays empty."""
        return [
            "" if total.get(column.key) is None else self._shown(total, place)
            for place, column in enumerate(self.columns)
        ]

    def _fitted(self) -> Layout:
        measure = self.press.measure
        everything = self.lines if self.total is None else [*self.lines, self.total]
        natural = [max((measure(line[place]) for line in everything), default=0) for place in range(len(self.columns))]
        headings = [max((measure(word) for word in text.split()), default=0) for text in self.headings]
        return layout(self.columns, natural, headings)

    def _heading(self) -> None:
        cells = self._cells(self.headings, most=None)
        self.press._room(self._height(cells) + 30)
        self._print(cells, QUIET, bold=True)
        self.press._rule(self.press.y, QUIET, 1)

    def _row(self, line: Sequence[str], bold: bool = False, more: float = 0) -> None:
        """One row; on a new page where there is no room for it and for `more` (a total does not stand alone)."""
        cells = self._cells(line, MOST_LINES)
        if self.press._room(self._height(cells) + more):
            self._heading()
        self._print(cells, TEXT, bold)
        if not bold:
            self.press._rule(self.press.y, RULE)

    def _cells(self, line: Sequence[str], most: int | None) -> list[list[str]]:
        """The lines of each cell that is shown."""
        size, measure = self.layout.size, self.press.measure
        return [
            wrap(line[place], (width - GAP) / size + 0.001, measure, most)
            for place, width in zip(self.layout.places, self.layout.widths, strict=True)
        ]

    def _height(self, cells: Sequence[Sequence[str]]) -> float:
        return self.layout.size * LINE * max(map(len, cells), default=1) + 4

    def _print(self, cells: Sequence[Sequence[str]], colour: Colour, bold: bool) -> None:
        press, size = self.press, self.layout.size
        top, x = press.y, MARGIN
        for place, width, texts in zip(self.layout.places, self.layout.widths, cells, strict=True):
            for number, text in enumerate(texts, start=1):
                press.y = top + size * LINE * number
                indent = width - GAP - size * press.measure(text) if self.columns[place].to_the_right else 0
                press._text(x + indent, text, size, colour, bold)
            x += width
        press.y = top + self._height(cells)
