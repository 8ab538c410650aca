"""Tables as files: CSV in whatever encoding and with whatever delimiter, XLSX sheet by sheet; rows of texts in between.

The one idea: beyond this room there are only texts, and each row knows where it stands, so that a problem can say it.
"""

import csv
import io
import re
import zipfile
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ippbx_billing.language import tr

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 4_000
GUESSED = ("gb18030", "big5", "cp1252")  # what a file may be in that is not Unicode; the earlier one where both fit
_WESTERN_MARKS = "€£§©®°·–—‘’“”„…«»"
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of a sheet, as spreadsheets have it
MOST_CELLS = 12_000_000  # of a workbook, empty ones between others included
MOST_UNPACKED_BYTES = 256 * 1024 * 1024
MOST_PARTS = 10_000
SHOWN_EXACTLY = 15  # digits that a spreadsheet keeps of a number
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, and the texts of its cells."""

    where: str
    cells: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(cell.strip() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a file; a CSV file has one without a name. `encoding` is one of GUESSED, where it was guessed."""

    name: str
    rows: tuple[Row, ...]
    encoding: str = ""


def read_csv(content: bytes, known: Iterable[str], encoding: str = "") -> Sheet:
    """The rows of a CSV file; of the usual delimiters the one that makes the most `known` headings is taken.

    `encoding` is what somebody says that it was saved in. Raises ValueError where there is none of that name, and where
    the file is larger than a table of a spreadsheet.
    """
    names = set(known)
    text, taken = _text_and_encoding(content, names, encoding)
    delimiter = max(DELIMITERS, key=lambda mark: _headings_found(text, mark, names))
    return Sheet("", tuple(_csv_rows(text, delimiter)), taken)


def decoded(content: bytes, known: Iterable[str] = ()) -> str:
    """The text of a file as people save it: UTF-8, UTF-16 with its mark or without, else what makes most sense."""
    return _text_and_encoding(content, set(known), "")[0]


def _text_and_encoding(content: bytes, names: set[str], said: str) -> tuple[str, str]:
    """The text, and the encoding where it had to be guessed.

    GB18030 is what Excel writes in China, Big5 in Taiwan and Hong Kong, Windows-1252 in the West. Most bytes can be
    read in all three: the one is taken that shows the most known headings, then the most usual characters.
    """
    if said:
        return _as_said(content, said), ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace"), ""
    if wide := _utf16_without_mark(content):
        return content.decode(wide, "replace").removeprefix("\ufeff"), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        texts = {name: content.decode(name, "replace") for name in GUESSED}
        best = max(texts, key=lambda name: _sense(texts[name], name, names))
        return texts[best], best


def read_as(encoding: str) -> str:
    """The sentence that says how a file was read whose encoding was guessed, and what to do where that is wrong."""
    named = {"gb18030": "GB18030", "big5": "Big5", "cp1252": "Windows-1252"}[encoding]
    return tr("read as {encoding}; if letters are wrong, give another with --encoding", encoding=named)


def _as_said(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding, "replace").removeprefix("\ufeff")
    except LookupError:
        raise ValueError(tr("{text!r} is not an encoding", text=encoding)) from None


def _utf16_without_mark(content: bytes) -> str:
    """UTF-16 shows by the zero bytes beside its digits and commas: behind them, or before."""
    sample = content[:SAMPLE_BYTES]
    little, big = sample[1::2].count(0), sample[0::2].count(0)
    if max(little, big) * 5 < len(sample) // 2:  # a table is full of delimiters and digits, also a Chinese one
        return ""
    return "utf-16-le" if little > big else "utf-16-be"


def _sense(text: str, encoding: str, names: set[str]) -> tuple[int, float, int]:
    """How much sense a decoding makes: its headings, its usual characters, how little could not be read."""
    found = max((_headings_found(text, mark, names) for mark in DELIMITERS), default=0) if names else 0
    return found, _usual_share(text, encoding), -text.count("\ufffd")


def _usual_share(text: str, encoding: str) -> float:
    """The share of characters beyond ASCII that people write: usual Chinese ones, Western letters within a word."""
    others = [place for place, one in enumerate(text) if not one.isascii()]
    if encoding == "cp1252":
        usual = sum(_stands_in_a_word(text, place) for place in others)
    else:
        usual = sum(_is_usual(text[place], encoding) for place in others)
    return usual / (len(others) or 1)


def _is_usual(one: str, encoding: str) -> bool:
    """Whether a Chinese character is of the first level of its standard, or a mark; the rest is rare in any list."""
    first, *more = one.encode(encoding, "replace")
    if encoding == "big5":
        return 0xA1 <= first <= 0xC6 and bool(more)
    return 0xA1 <= first <= 0xD7 and len(more) == 1 and more[0] >= 0xA1


def _stands_in_a_word(text: str, place: int) -> bool:
    """Whether a letter such as the ü of Müller has a plain letter beside it; marks such as € stand anywhere."""
    if not text[place].isalpha():
        return text[place] in _WESTERN_MARKS
    beside = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
    return any(one.isascii() and one.isalpha() for one in beside)


def _headings_found(text: str, delimiter: str, known: set[str]) -> int:
    """How many headings the best of the first rows has."""
    first = (row for row, _ in zip(_csv_rows(text, delimiter), range(40), strict=False))
    return max((sum(simplified(cell).strip().lower() in known for cell in row.cells) for row in first), default=0)


def simplified(text: str) -> str:
    """Traditional characters as simplified ones, as far as headings of lists have them."""
    return text.translate(_TRADITIONAL)


_TRADITIONAL = str.maketrans(
    "國費計單綴區號碼價資鐘長時間類運營話務註備優週結開關閉種線態狀動調整變終時執啟業幣漲絕無維長權網絡稱說減夜續",
    "国费计单缀区号码价资钟长时间类运营话务注备优周结开关闭种线态状动调整变终时执启业币涨绝无维长权网络称说减夜续",
)


def _csv_rows(text: str, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(tr("line {line}", line=line), (f"{error}",))
            return
        if reader.line_num > MOST_ROWS or len(cells) > MOST_COLUMNS:
            raise ValueError(_too_large())
        yield Row(tr("line {line}", line=line), tuple(map(unguarded, cells)))


def _too_large() -> str:
    return tr("it is larger than a table can be: {rows} rows of {columns} columns", rows=f"{MOST_ROWS:,}",
              columns=f"{MOST_COLUMNS:,}")  # fmt: skip


def read_xlsx(content: bytes) -> list[Sheet]:
    """The sheets of a workbook; ValueError where the file is none, or would be unreasonably large when unpacked."""
    import openpyxl

    try:
        _check_unpacked(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except UnpackedError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, SyntaxError) as error:
        raise ValueError(tr("it is not an XLSX workbook; save it as .xlsx or .csv")) from error
    count = _CellCount()
    try:
        return [
            Sheet(sheet.title, _spread(tuple(_xlsx_rows(sheet, count)), _merged(content, sheet)))
            for sheet in book.worksheets
            if hasattr(sheet, "iter_rows")
        ]
    except (zipfile.BadZipFile, SyntaxError) as error:
        raise ValueError(tr("it is not an XLSX workbook; save it as .xlsx or .csv")) from error
    finally:
        book.close()


def _check_unpacked(content: bytes) -> None:
    """A small file may unpack to any size; what its parts say of their size is all that is ever read of them."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise UnpackedError


class UnpackedError(ValueError):
    """A workbook that is unreasonably large when it is unpacked."""

    def __init__(self) -> None:
        super().__init__(
            tr("it is larger than {size} MB when unpacked; save it as .csv", size=MOST_UNPACKED_BYTES // 1_048_576)
        )


class _CellCount:
    """How many cells were read; a sheet may name a single one at its far end, and have millions before it."""

    def __init__(self) -> None:
        self.cells = 0

    def add(self, cells: int) -> None:
        self.cells += cells + 1
        if self.cells > MOST_CELLS:
            raise ValueError(_too_large())


def _xlsx_rows(sheet: Any, count: _CellCount) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        count.add(len(cells))
        yield Row(tr("sheet {name}, row {row}", name=sheet.title, row=number), tuple(map(_cell_text, cells)))


def _merged(content: bytes, sheet: Any) -> list[tuple[int, int, int]]:
    """The cells that are merged downwards: column, first and last row, counted from 0.

    A workbook that is read row by row does not tell them, so they are looked up where it keeps them.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(str(sheet._worksheet_path).lstrip("/"))
    found = []
    for match in re.finditer(rb'<(?:\w+:)?mergeCell[^>]*\bref="([A-Z]+)(\d+):[A-Z]+(\d+)"', text):
        column, first, last = match[1].decode(), int(match[2]), int(match[3])
        if last > first:
            found.append((_column_number(column), first - 1, last - 1))
    return found


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _spread(rows: tuple[Row, ...], merged: Iterable[tuple[int, int, int]]) -> tuple[Row, ...]:
    """The rows with the text of cells merged downwards in each of their rows, as a person reads it."""
    texts = [list(row.cells) for row in rows]
    for column, first, last in merged:
        if first >= len(texts) or column >= len(texts[first]):
            continue
        for cells in texts[first + 1 : last + 1]:
            if column < len(cells) and not cells[column]:
                cells[column] = texts[first][column]
    return tuple(Row(row.where, tuple(cells)) for row, cells in zip(rows, texts, strict=True)) if merged else rows


def _cell_text(value: Any) -> str:
    """A cell as a person reads it: 755 is not 755.0, a day is not midnight."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
    return _number_text(Decimal(repr(value))) if isinstance(value, (int | Decimal)) or _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return type(value).__name__ in ("float", "float64")


def _number_text(number: Decimal) -> str:
    """Its shortest digits; what a spreadsheet computed (0.06999999999999999) is brought to the digits it shows."""
    if not number.is_finite():
        return str(number)
    if len(number.as_tuple().digits) > SHOWN_EXACTLY:
        number = number.normalize().__round__(max(0, SHOWN_EXACTLY - 1 - number.adjusted()))
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file that Excel opens with Chinese intact."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return stream.getvalue().encode("utf-8-sig", "replace")


def write_xlsx(
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Container[str] = (),
    wide: Container[str] = (),
) -> bytes:
    """A workbook of one sheet; the columns in `numbers` hold numbers, all others text."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31] or "1")
    sheet.freeze_panes = "A2"
    for place, heading in enumerate(headings, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = 40 if heading in wide else 15

    def styled(value: str | None, **style: Any) -> Any:
        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s" if value else cell.data_type  # text that looks like a formula stays text
        for name, what in style.items():
            setattr(cell, name, what)
        return cell

    sheet.append([styled(heading, font=Font(bold=True)) for heading in headings])
    for row in rows:
        sheet.append(
            [
                _number(text)
                if name in numbers and _fits_a_spreadsheet(text)
                else styled(_escaped(text) or None, number_format="@", alignment=Alignment(wrap_text="\n" in text))
                for name, text in zip(headings, row, strict=True)
            ]
        )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _fits_a_spreadsheet(text: str) -> bool:
    """Whether a spreadsheet keeps all digits of this number."""
    return bool(re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII)) and len(text.replace(".", "")) <= SHOWN_EXACTLY


def _number(text: str) -> Any:
    return Decimal(text) if "." in text else int(text)


def _escaped(text: str) -> str:
    """The text without what XML cannot hold, in the notation that Excel reads back: `_x000D_`."""
    return _TO_ESCAPE.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would otherwise work it out."""
    return "'" + text if text[:1] in _FORMULA_SIGNS and not re.fullmatch(r"[+-]?\d+", text) else text


def unguarded(text: str) -> str:
    """The text without such an apostrophe."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_SIGNS and text[1:2] else text


_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "'")
