"""A document as PDF on A4: the font is embedded, so that Chinese shows and prints on any machine.

Each document counts its own pages ("3 / 7"), so that many bills may stand in one file. A table that goes on repeats
its heading; figures stand to the right and are never cut. The font is WenQuanYi Micro Hei (see `fonts/NOTICE`); only
the signs that occur are put into the file, once for all pages.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import IO

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.drawing_primitives import convert_to_device_color
from fpdf.enums import TextMode
from fpdf.errors import FPDFException
from fpdf.fonts import CoreFont, TTFFont

from ippbx_billing.documents.charts import Points, points
from ippbx_billing.documents.columns import Row, harmless, shown
from ippbx_billing.documents.document import FONT, Document, Letterhead, Section
from ippbx_billing.documents.page_layout import (
    A4,
    GAP,
    MARGIN,
    MOST_LINES,
    Measure,
    PageLayout,
    layout,
    page_width,
    wrap,
)
from ippbx_billing.errors import DataError
from ippbx_billing.files import whole
from ippbx_billing.language import tr

UNDATED = date(1980, 1, 1)
TEXT, QUIET, RULE, BAR = (27, 31, 36), (87, 96, 106), (200, 206, 213), (47, 111, 176)
Colour = tuple[int, int, int]
LINE = 1.35  # from one line to the next, in sizes of the letters
FOOT = 30.0  # what the page number needs at the bottom
FOOT_SIZE = 7.0
CURVE = 62.0  # so high that a month's days, their sums and a note fit one page
LOGO = (150.0, 48.0)
FACT_NAME_WIDTH = 130.0
MOST_SPELLINGS = 100_000


def write(documents: Iterable[Document], stream: IO[bytes], font: Path = FONT) -> None:
    """Write the documents one after another into one file; their pages are kept in memory until the last."""
    remaining = iter(documents)
    opening = next(remaining, Document(""))
    press = _Press(opening, font)
    with closing(press.letters):
        for document in chain([opening], remaining):
            press.add(document)
        stream.write(press.pdf.output())


def write_each(files: Iterable[tuple[Document, Path]]) -> None:
    """Write each document to a file of its own; so many at once share a font cut down to their signs."""
    from ippbx_billing.documents.font_subset import batches, cut_down

    for batch, wanted in batches(files):
        with cut_down(FONT, wanted) as font:
            for document, path in batch:
                with whole(path) as stream:
                    write([document], stream, font)


class _Paper(FPDF):
    """Pages on which plain words are put as they are: fpdf's own `text` asks of each what none of ours ever has."""

    def __init__(self) -> None:
        super().__init__(unit="pt", format="A4")
        self._spellings: dict[str, str] = {}  # the same words come on page after page

    def set_ink(self, size: float, colour: Colour) -> None:
        """The size and the colour of the letters to come."""
        self.set_font_size(size)
        self._out(_told(colour).lower())

    def set_fill(self, colour: Colour) -> None:
        """The colour of the areas to come; told each time, since the letters are drawn with the same."""
        self._out(_told(colour).lower())

    def put(self, x: float, y: float, text: str, outline: Colour | None) -> None:
        """The text with its foot at `y`; with an outline its letters are drawn with a thin line around them."""
        assert self.current_font is not None
        if not self.current_font_is_set_on_page:
            self._out(self._set_font_for_page(self.current_font, self.font_size_pt))
        words, place = self._spelt(self.current_font, text), f"{x:.2f} {self.h - y:.2f} Td"
        if outline is None:
            self._out(f"BT {place} {words} ET")
        else:
            line = f"{self.font_size_pt / 36:.2f} w"
            self._out(f"q {line} {_told(outline).upper()} BT {place} {TextMode.FILL_STROKE} Tr {words} ET Q")

    def _spelt(self, font: CoreFont | TTFFont, text: str) -> str:
        """The text by the numbers that its signs have in the file."""
        found = self._spellings.get(text)
        if found is None:
            if len(self._spellings) >= MOST_SPELLINGS:
                self._spellings.clear()
            found = self._spellings[text] = font.encode_text(text)
        return found


@lru_cache(maxsize=100)
def _told(colour: Colour) -> str:
    """A colour as a page is told it, but for the letters' case: small for areas and letters, capital for lines."""
    return convert_to_device_color(*colour).serialize()


class _Press:
    """The file while it is printed: where on which page we are, and the small marks that all is made of."""

    def __init__(self, first: Document, font: Path) -> None:
        self.pdf = _Paper()
        self.pdf.set_auto_page_break(False)
        self.pdf.add_font("main", fname=font)
        self.pdf.set_font("main", size=9)
        self.pdf.set_creation_date(datetime.combine(first.dated or UNDATED, datetime.min.time(), UTC))
        self.pdf.set_producer("ippbx-bill")
        self.pdf.set_title(harmless(first.title))
        self.pdf.set_lang("zh-CN" if first.language == "zh" else "en")
        self.measure = _measure(self.pdf)
        self.shown = _shown(self.pdf)
        self.ink: tuple[float, Colour] | None = None  # size and colour of the letters, as the page has them set
        self.pen: tuple[float, Colour] | None = None  # width and colour of the lines, likewise
        self.landscape = False
        self.y = 0.0

    @property
    def letters(self) -> TTFont:
        """The font's file, open as long as the press is."""
        font = self.pdf.current_font
        assert isinstance(font, TTFFont)
        return font.ttfont

    def add(self, document: Document) -> None:
        """The document on pages of its own."""
        first = len(self.pdf.pages) + 1
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
        self._number(document, first)

    def _head(self, document: Document) -> None:
        if document.letterhead:
            self._letterhead(document, document.letterhead)
        for line in wrap(self.shown(document.title), page_width(self.landscape) / 16, self.measure):
            self._line(line, 16, bold=True)
        if document.subtitle and not document.letterhead:
            self._paragraph(document.subtitle, 10)
        self.y += 6
        for name, value in document.facts:
            self._fact(name, value)
        self.y += 8 if document.facts else 0

    def _letterhead(self, document: Document, head: Letterhead) -> None:
        """The company with its address to the left, its logo to the right, a rule below both."""
        top, right = self.y, MARGIN + page_width(self.landscape)
        if head.logo:
            self._draw(head.logo, right - LOGO[0], top)
        width = page_width(self.landscape) - LOGO[0] - GAP
        for line, size in [(document.subtitle, 11.0), *((one, 8.5) for one in head.address)]:
            for part in wrap(self.shown(line), width / size, self.measure):
                self._line(part, size, TEXT if size > 10 else QUIET, bold=size > 10)
        self.y = max(self.y, top + (LOGO[1] if head.logo else 0)) + 8
        self._rule(self.y, RULE)
        self.y += 10

    def _draw(self, logo: bytes, left: float, top: float) -> None:
        self.ink = None
        try:
            self.pdf.image(io.BytesIO(logo), left, top, *LOGO, keep_aspect_ratio=True)
        except (ValueError, OSError, SyntaxError, NotImplementedError, FPDFException) as error:
            problem = tr("the logo cannot be drawn: {error}", error=error)
            raise DataError(problem, tr("bill_logo in settings.toml wants a whole PNG or SVG file")) from error

    def _foot(self, head: Letterhead, width: float) -> None:
        """The company's words below the page number, on two lines at most."""
        for line in wrap(self.shown(head.footer), (width - 2 * MARGIN) / FOOT_SIZE, self.measure, most=2):
            self.y += FOOT_SIZE * LINE
            self._text(MARGIN, line, FOOT_SIZE, QUIET)

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
        if data.caption:
            self._paragraph(data.caption, 8)
        self.y += 8

    def _bars(self, data: Points) -> None:
        for label, value, text in zip(data.labels, data.values, data.texts, strict=True):
            self._room(14)
            width = 250 * data.share(value)
            self.ink = None
            self.pdf.set_fill(BAR)
            self.pdf.rect(MARGIN + 120, self.y + 3, width, 9, "F")
            self.y += 11
            label = self.shown(label)
            self._text(MARGIN + 114 - 8 * self.measure(label), label, 8)
            self._text(MARGIN + 126 + width, self.shown(text), 8)
            self.y += 3

    def _curve(self, data: Points) -> None:
        self._room(CURVE + 40)
        step = (page_width(self.landscape) - 40) / max(len(data.values) - 1, 1)
        base = self.y + CURVE + 16
        path = [(MARGIN + 20 + step * place, base - CURVE * data.share(value)) for place, value in data.numbered()]
        self._draw_with(1.2, BAR)
        self.pdf.polyline(path)
        self._rule(base, RULE)
        self.y += 10
        self._text(MARGIN + 20, self.shown(data.texts[data.highest]), 8, QUIET)
        self.y = base + 11
        for place in data.marked(10):
            label = self.shown(data.labels[place])
            self._text(path[place][0] - 4 * self.measure(label), label, 8, QUIET)

    def _number(self, document: Document, first: int) -> None:
        """The foot of each page of the document, now that it is known how many there are."""
        last = len(self.pdf.pages)
        for page in range(first, last + 1):
            self.pdf.page = page
            self.y = self.pdf.h - FOOT  # counted from the bottom, whichever way round this page lies
            width = self.pdf.pages[page].dimensions()[0] or A4[0]
            number = f"{page - first + 1} / {last - first + 1}"
            title = wrap(self.shown(document.title), (width - 2 * MARGIN - 80) / 8, self.measure, most=1)[0]
            self.ink = None  # what was set last was set on another page
            self._text(MARGIN, title, 8, QUIET)
            self._text(width - MARGIN - 8 * self.measure(number), number, 8, QUIET)
            if document.letterhead and document.letterhead.footer:
                self._foot(document.letterhead, width)

    def _page(self, landscape: bool) -> None:
        self.pdf.add_page(orientation="landscape" if landscape else "portrait")
        self.landscape, self.y = landscape, MARGIN

    def _room(self, height: float) -> bool:
        """Begin a page where the present one has no room for this much; True if one was begun."""
        if self.y + height <= A4[0 if self.landscape else 1] - MARGIN - FOOT / 2:
            return False
        self._page(self.landscape)
        return True

    def _text(self, x: float, text: str, size: float, colour: Colour = TEXT, bold: bool = False) -> None:
        """The text with its foot at `y`; bold letters are drawn with a thin line around them."""
        if not text:
            return
        if self.ink != (size, colour):
            self.ink = size, colour
            self.pdf.set_ink(size, colour)
        self.pdf.put(x, self.y, text, colour if bold else None)

    def _rule(self, y: float, colour: Colour, width: float = 0.5) -> None:
        self._draw_with(width, colour)
        self.pdf.line(MARGIN, y, MARGIN + page_width(self.landscape), y)

    def _draw_with(self, width: float, colour: Colour) -> None:
        """The pen for lines; telling the page again and again would take longer than the lines."""
        if self.pen != (width, colour):
            self.pen = width, colour
            self.pdf.set_line_width(width)
            self.pdf.set_draw_color(*colour)


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
        return self.press.shown(shown(row, column))

    def _total(self, total: Row) -> list[str]:
        """The total's texts; what has no sum stays empty."""
        return [
            "" if total.get(column.key) is None else self._shown(total, place)
            for place, column in enumerate(self.columns)
        ]

    def _fitted(self) -> PageLayout:
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


def _measure(pdf: FPDF) -> Measure:
    """How wide a text is at size 1; the same texts come again and again."""
    font = pdf.current_font
    assert isinstance(font, TTFFont)

    @lru_cache(maxsize=100_000)
    def measured(text: str) -> float:
        return float(font.get_text_width(text, 1, None)[1])

    return measured


def _shown(pdf: FPDF) -> Callable[[str], str]:
    """The text as the font can show it: a box for a sign that it does not have."""
    font = pdf.current_font
    assert isinstance(font, TTFFont)
    known = font.cmap

    @lru_cache(maxsize=100_000)
    def shown(text: str) -> str:
        return "".join(sign if ord(sign) in known else "□" for sign in harmless(text))

    return shown
