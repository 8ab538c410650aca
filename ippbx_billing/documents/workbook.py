"""A document as an Excel workbook (XLSX): a sheet for each table, with figures, dates and durations to compute with.

A heading is the sheet's first line, frozen, with filters; the chart stands beside its table. Title, facts and notes
have a sheet of their own behind the tables. Excel computes with binary floating point of 15 digits: a fee of up to 15
digits is shown and read back exactly, a longer one is written as text. Times are those of the site's clock, since
Excel knows no time zones. Totals that are the sums of their columns are formulas (see `ColumnSum`), the only ones
here, so that nothing that came from outside can become one.
"""

import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import partial
from typing import IO, Any

import xlsxwriter
from rich.cells import cell_len
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.utility import xl_rowcol_to_cell

from ippbx_billing.documents.batches import Batches, each
from ippbx_billing.documents.charts import MOST_BARS, first_of
from ippbx_billing.documents.column_sums import ColumnSum
from ippbx_billing.documents.columns import AT_LEAST, Column, Row, harmless, is_nothing, shown, unpriced
from ippbx_billing.documents.document import Document, Section
from ippbx_billing.documents.quick_sheet import Cell, QuickSheet
from ippbx_billing.language import tr

LAST_LINE = 1_048_575  # counted from 0, as xlsxwriter does; Excel's sheets end there
LONGEST_TEXT = 32_767
MEASURED_LINES = 1000  # a column is as wide as the widest of these
WIDEST = 50
SHORT_HEADING = 10
LINE_HEIGHT = 15
EXACT_DIGITS = 15
MOST_REMEMBERED = 20_000  # cells of a column
FIGURES = ("number", "money")
SIDES: dict[str, dict[str, Any]] = {
    "": {"align": "left"},
    "behind figures": {"align": "left", "indent": 1},
    "right": {"align": "right"},
}
LOGO_HEIGHT = 60
NOTE_CELLS = 88  # in a line below the facts
CHART_BARS = 420  # pixels, as all sizes of charts
CHART_LETTER = 7
CHART_LINE = 26
PAGE_ACROSS = 988  # of A4 on its side, within Excel's margins
SMALLEST_PRINT = 0.6
UNDATED = date(1980, 1, 1)


def write(documents: Iterable[Document], stream: IO[bytes]) -> None:
    """Write the documents into one workbook; of a list of any length the memory holds what the file holds, packed.

    It is packed in memory, because a disk that is full would leave the archive's writer in a state it cannot end.
    """
    every = list(documents)
    packed = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(packed, options)
    try:
        if every:
            day = every[0].dated or UNDATED
            book.set_properties({"title": harmless(every[0].title), "created": datetime(day.year, day.month, day.day)})
        sheets = _Sheets(book)
        for document in every:
            sheets.add(document)
    finally:
        _close(book)
    stream.write(packed.getbuffer())


def _close(book: Any) -> None:
    try:
        book.close()
    except FileCreateError as error:  # what the disk said lies within
        raise error.args[0] from error


class _Sheets:
    """The sheets of one workbook and the formats that its cells share."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.names: set[str] = set()
        self.formats: dict[tuple[str, bool, str], Any] = {}
        heading = {"bold": True, "bottom": 2, "text_wrap": True, "valign": "top"}
        self.headings = {side: book.add_format(heading | look) for side, look in SIDES.items()}
        self.bold = book.add_format({"bold": True})
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, document: Document) -> None:
        """A sheet for each table, the first of which opens; facts and notes behind them."""
        follow, hints = False, list[str]()
        for section in document.sections:
            table = self._table(document, section)
            follow = follow or bool(table.follows)
            hints += table.inexact
            if section.chart is not None:
                self._chart(table, section)
        if document.facts or document.notes or document.letterhead or hints or not document.sections:
            self._cover(document, [*document.notes, *_about_totals(follow, hints)])

    def _cover(self, document: Document, notes: Sequence[str]) -> None:
        sheet = self._sheet(tr("About") if document.sections else document.title)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 70)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, harmless(document.title), self.title)
        sheet.write_string(1, 0, harmless(document.subtitle))
        head = document.letterhead
        address = [(line,) for line in head.address] if head else []
        if head and head.media_type == "image/png" and head.logo:
            sheet.insert_image(0, 2, "logo.png", {"image_data": io.BytesIO(head.logo), **_scaled(head.logo)})
        lines: list[Sequence[str]] = [*address, *document.facts, (), *((note,) for note in notes)]
        if head and head.footer:
            lines += [(), (head.footer,)]
        for place, line in enumerate(lines, start=3):
            for column, text in enumerate(line):
                look = None if len(line) == 1 else self.wrapped if column else self.bold
                sheet.write_string(place, column, _fitting(text), look)
            if len(line) == 1 and cell_len(line[0]) > NOTE_CELLS:
                sheet.set_row(place, LINE_HEIGHT * -(-cell_len(line[0]) // NOTE_CELLS))
                sheet.merge_range(place, 0, place, 1, _fitting(line[0]), self.wrapped)

    def _table(self, document: Document, section: Section) -> "_Table":
        """The rows with their heading; where Excel's last line is reached, the next sheet goes on."""
        table = self._begin(document, section)
        if isinstance(section.rows, Batches) and not any(one.unpriced for one in section.columns):
            for batch in section.rows.batches:
                table = self._take(table, [batch[one.key] for one in section.columns], document, section)
        else:
            for row in section.rows:
                table = self._with_room(table, document, section)
                table.add(row)
        if not table.rows and section.empty:
            table.sheet.write_string(1, 0, _fitting(section.empty))
        table.end(section.total)
        return table

    def _take(self, table: "_Table", columns: list[Sequence[Any]], document: Document, section: Section) -> "_Table":
        """Some rows by column; gives the table that goes on."""
        taken = 0
        while taken < len(columns[0]):
            table = self._with_room(table, document, section)
            taken += table.take([one[taken:] for one in columns])
        return table

    def _with_room(self, table: "_Table", document: Document, section: Section) -> "_Table":
        """The table while its sheet has a line left beside the one for the total, else the next."""
        if table.line < LAST_LINE:
            return table
        table.end(None)
        return self._begin(document, section)

    def _begin(self, document: Document, section: Section) -> "_Table":
        sheet = self._sheet(section.title or document.title)
        sheet.set_header(f"&L{_in_a_header(document.title)}{'&R&A' if section.title else ''}")
        table = _Table(self, sheet, section.columns)
        if section.total is not None:
            table.add_up()
        return table

    def _sheet(self, name: str) -> Any:
        """A sheet of this name, as far as Excel allows it: 31 characters, some forbidden, each name once."""
        wanted = re.sub(r"[\[\]:*?/\\]", "-", harmless(name)).strip("' ") or tr("Table")
        chosen, number = wanted[:31].rstrip("' "), 1
        while chosen.lower() in self.names:
            number += 1
            ending = f" ({number})"
            chosen = wanted[: 31 - len(ending)].rstrip("' ") + ending
        self.names.add(chosen.lower())
        sheet = self.book.add_worksheet(chosen, QuickSheet)
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&R&P / &N")
        return sheet

    def of(self, pattern: str, total: bool, side: str = "") -> Any:
        """The cell format of a number pattern, on this side of its cell (a key of SIDES)."""
        found = self.formats.get((pattern, total, side))
        if found is None:
            look = {"num_format": pattern} | ({"bold": True, "top": 1} if total else {}) | SIDES[side]
            found = self.formats[pattern, total, side] = self.book.add_format(look)
        return found

    def _chart(self, table: "_Table", section: Section) -> None:
        """The section's chart, fed by the table's own cells, to the right of the table."""
        wanted, keys = section.chart, [column.key for column in section.columns]
        assert wanted is not None
        lines = min(table.rows, MOST_BARS) if wanted.kind == "bar" else table.rows
        if not lines or wanted.label_key not in keys or wanted.value_key not in keys:
            return
        label, value = keys.index(wanted.label_key), keys.index(wanted.value_key)
        name = table.sheet.get_name()
        chart = self.book.add_chart({"type": wanted.kind})
        series: dict[str, Any] = {
            "name": [name, 0, value],
            "categories": [name, 1, label, lines, label],
            "values": [name, 1, value, lines, value],
        }
        if wanted.kind == "bar":
            series |= {"data_labels": {"value": True}, "gap": 60}
            width, height = _as_bars(chart, table.widths[label], lines)
        else:
            width, height = _as_line(chart, section.columns[label].kind == "time")
        chart.add_series(series)
        caption = first_of(table.rows) if wanted.kind == "bar" else ""
        title = ": ".join(filter(None, (harmless(wanted.title), caption)))
        chart.set_title({"name": title, "name_font": {"size": 12}} if title else {"none": True})
        chart.set_legend({"none": True})
        chart.set_size({"width": width, "height": height})
        table.sheet.insert_chart(1, len(keys) + 1, chart)
        if table.pixels + width > PAGE_ACROSS / SMALLEST_PRINT:
            table.sheet.print_area(0, 0, table.line, len(keys) - 1)
        else:
            table.sheet.set_landscape()


def _as_bars(chart: Any, label_cells: int, lines: int) -> tuple[int, int]:
    """Bars with their figures behind them, and room for the whole of each label; gives the chart's size in pixels."""
    room = CHART_LETTER * min(label_cells, WIDEST) + 20
    width, height = room + CHART_BARS, 50 + CHART_LINE * lines
    chart.set_y_axis({"reverse": True, "interval_unit": 1, "num_font": {"size": 9}, "major_tick_mark": "none"})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    place = {"x": room / width, "y": 40 / height, "width": (CHART_BARS - 90) / width, "height": 1 - 50 / height}
    chart.set_plotarea({"layout": place})
    return width, height


def _as_line(chart: Any, of_days: bool) -> tuple[int, int]:
    if of_days:
        chart.set_x_axis({"date_axis": True, "num_format": "mm-dd", "num_font": {"size": 9}})
    return 640, 320


def _about_totals(follow: bool, hints: Sequence[str]) -> list[str]:
    """How the totals were made, where any is a formula."""
    if not follow:
        return []
    told = tr("totals that are sums follow the filters; shares, rates and averages beside them are those of all rows")
    return [told, *hints]


class _Table:
    """One sheet's table while it is written, a line after the other."""

    def __init__(self, sheets: _Sheets, sheet: Any, columns: Sequence[Column]) -> None:
        self.sheets, self.sheet, self.columns = sheets, sheet, columns
        self.line = 1
        self.widths = [_heading_width(column.title) for column in columns]
        self.sides = [_side(columns, place) for place in range(len(columns))]
        self.known = [_Known(self, one, side) for one, side in zip(columns, self.sides, strict=True)]
        self.follows = 0  # totals that are formulas
        self.inexact: list[str] = []
        self.sums: dict[int, ColumnSum] = {}
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        if len(columns) > 6:
            sheet.set_landscape()
        lines = (len(one.title.split()) if cell_len(one.title) > _heading_width(one.title) else 1 for one in columns)
        sheet.set_row(0, LINE_HEIGHT * max(lines, default=1))
        for place, column in enumerate(columns):
            sheet.write_string(0, place, harmless(column.title), sheets.headings[self.sides[place]])

    @property
    def rows(self) -> int:
        return self.line - 1

    @property
    def pixels(self) -> int:
        """How wide the table is."""
        return sum(7 * (min(width, WIDEST) + 3) + 5 for width in self.widths)

    def add_up(self) -> None:
        """From now on keep in mind what is written, because a total comes."""
        self.sums = {
            place: ColumnSum(partial(_is_figure, one.kind)) for place, one in enumerate(self.columns) if one.adds_up
        }

    def add(self, row: Row, total: bool = False) -> None:
        """The row in the next line."""
        for place, column in enumerate(self.columns):
            value = row.get(column.key)
            if value is not None:
                self._write(place, column, row, total)
            elif total:
                self.sheet.write_blank(self.line, place, None, self.sheets.of("General", total, self.sides[place]))
        if not total:
            for place, one in self.sums.items():
                one.add_one(row.get(self.columns[place].key))
        self.line += 1

    def take(self, columns: Sequence[Sequence[Any]]) -> int:
        """As many rows as there is room for, by column; gives how many. The first ones are measured one by one."""
        if self.line <= MEASURED_LINES:
            self.add({one.key: values[0] for one, values in zip(self.columns, columns, strict=True)})
            return 1
        count = min(len(columns[0]), LAST_LINE - self.line)
        parts = (values[:count] for values in columns)
        cells = [each(part, known.cells) for known, part in zip(self.known, parts, strict=True)]
        self.sheet.add_rows(self.line, cells)
        for place, one in self.sums.items():
            one.add(columns[place][:count])
        self.line += count
        return count

    def end(self, total: Row | None) -> None:
        """The filters, the total below them, and the widths that the contents asked for."""
        if self.columns:
            self.sheet.autofilter(0, 0, max(self.rows, 1), len(self.columns) - 1)
            self.sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        if total is not None:
            self.line += 0 if self.rows else 1
            rows = self.line
            self.add(total, total=True)
            self.line = rows
        for place, width in enumerate(self.widths):
            self.sheet.set_column(place, place, min(width, WIDEST) + 3)  # and room for the filter's arrow

    def _write(self, place: int, column: Column, row: Row, total: bool) -> None:
        if self.line <= MEASURED_LINES or total:
            self.widths[place] = max(self.widths[place], cell_len(shown(row, column)))
        value, pattern = _content(row, column)
        look = self.sheets.of(pattern, total, self.sides[place])
        if isinstance(value, str):
            self.sheet.write_string(self.line, place, value, look)
        elif isinstance(value, datetime):
            self.sheet.write_datetime(self.line, place, value, look)
        elif total and place in self.sums and self.sums[place].is_total(row[column.key]):
            self._write_sum(place, column, row, value, look)
        else:
            self.sheet.write_number(self.line, place, value, look)

    def _write_sum(self, place: int, column: Column, row: Row, value: float, look: Any) -> None:
        """The total as a formula of what the filters show, with its value for who does not compute."""
        cells = f"{xl_rowcol_to_cell(1, place)}:{xl_rowcol_to_cell(self.line - 1, place)}"
        self.sheet.write_formula(self.line, place, f"=SUBTOTAL(109,{cells})", look, value)
        self.follows += 1
        if column.kind != "length" and self.sums[place].may_be_rounded(row[column.key]):
            self.inexact.append(tr("{column}: Excel rounds so long a sum in its last digits; exactly it is {sum}",
                                   column=column.title, sum=shown(row, column)))  # fmt: skip


class _Known(dict[Any, Cell]):
    """The cells of a column by their values, each worked out once."""

    def __init__(self, table: _Table, column: Column, side: str) -> None:
        self.table, self.column, self.side = table, column, side

    def cells(self, values: Sequence[Any]) -> list[Cell]:
        """The cells of these values."""
        try:
            return [None if value is None else self[value] for value in values]
        except TypeError:  # lists have no place in a dict
            return [None if value is None else self._written(value) for value in values]

    def __missing__(self, value: Any) -> Cell:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        found = self[value] = self._written(value)
        return found

    def _written(self, value: Any) -> Cell:
        content, pattern = _content({self.column.key: value}, self.column)
        sheet: QuickSheet = self.table.sheet
        look = self.table.sheets.of(pattern, False, self.side)
        if isinstance(content, str):
            return sheet.text(content, look)
        return sheet.moment(content, look) if isinstance(content, datetime) else sheet.number(content, look)


def _content(row: Row, column: Column) -> tuple[str | float | datetime, str]:
    """What the row's cell holds, and how it is shown."""
    figure = _known_figure(row, column)
    if figure is not None:
        return figure
    value = row[column.key]
    plain = column.kind in FIGURES and not unpriced(row, column)
    return _fitting(str(value) if plain else shown(row, column)), "@"


def _scaled(logo: bytes) -> dict[str, float]:
    """The scale at which a PNG is no higher than LOGO_HEIGHT points; its height stands in its header."""
    height = int.from_bytes(logo[20:24], "big") or 1
    scale = min(1.0, LOGO_HEIGHT / height)
    return {"x_scale": scale, "y_scale": scale}


def _side(columns: Sequence[Column], place: int) -> str:
    """Figures to the right, all else to the left, a little apart from figures that stand before it."""
    if columns[place].to_the_right:
        return "right"
    return "behind figures" if place and columns[place - 1].to_the_right else ""


def _heading_width(title: str) -> int:
    """A short heading in one line, of a longer one the longest word."""
    longest = max(map(cell_len, title.split()), default=1)
    return max(longest, min(cell_len(title), SHORT_HEADING))


def _known_figure(row: Row, column: Column) -> tuple[Any, str] | None:
    """The row's figure; a sum that is not whole says so and can still be added up, one that holds nothing is text."""
    value = row[column.key]
    figure = _figure(column.kind, value)
    if figure is None or not unpriced(row, column):
        return figure
    if is_nothing(value):
        return None
    return figure if column.kind == "percent" else (figure[0], f'"{AT_LEAST}"{figure[1]}')


def _figure(kind: str, value: Any) -> tuple[Any, str] | None:
    """The value as Excel computes with it, and how it is shown; None for what is text."""
    if kind == "length":
        return int(value) / 86_400, "[h]:mm:ss"
    if kind == "percent":
        return float(value), "0.0%"
    if kind in FIGURES:
        return _number(str(value))
    if kind == "time":
        return _moment(str(value))
    return None


def _is_figure(kind: str, value: Any) -> bool:
    return _figure(kind, value) is not None


def _number(text: str) -> tuple[float, str] | None:
    """A decimal of up to 15 digits, shown with as many decimals as it has."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", text) or len(re.sub(r"\D", "", text).lstrip("0")) > EXACT_DIGITS:
        return None
    decimals = len(text.partition(".")[2])
    return float(text), "#,##0" + ("." + "0" * decimals if decimals else "")


def _moment(text: str) -> tuple[datetime, str] | None:
    """A day or a moment, on the clock that its text shows."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
    if moment.year < 1900:
        return None
    return moment, "yyyy-mm-dd" if len(text) == 10 else "yyyy-mm-dd hh:mm:ss"


def _fitting(text: str) -> str:
    return harmless(text)[:LONGEST_TEXT]


def _in_a_header(text: str) -> str:
    """A page header's text: & begins a command there, and 255 characters are the end."""
    return harmless(text)[:100].replace("&", "&&")
