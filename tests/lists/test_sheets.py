"""Tables as files: whatever encoding, delimiter or spreadsheet they come from, they are rows of the same texts."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing.lists.sheets import (
    Sheet,
    decoded,
    guarded,
    read_csv,
    read_xlsx,
    simplified,
    unguarded,
    write_csv,
    write_xlsx,
)

HEADINGS = ("号码", "姓名", "部门")
ROWS = [("8001", "张伟", "公司/工程部"), ("8002", "王芳, 经理", 'a "b"')]
KNOWN = ("号码", "姓名", "number", "name", "號碼")


def cells(sheet: Sheet) -> list[tuple[str, ...]]:
    return [row.cells for row in sheet.rows if row]


def workbook(*rows: tuple[Any, ...], merged: str = "", title: str = "Sheet") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_file_is_read_however_it_was_saved(encoding: str, delimiter: str) -> None:
    """The delimiter is that which makes headings known; a cell may hold the others."""
    text = delimiter.join(HEADINGS) + "\r\n" + delimiter.join(["8001", "张伟", '"公司;,\t|部"']) + "\r\n"
    found = read_csv(text.encode(encoding), KNOWN)
    assert cells(found) == [HEADINGS, ("8001", "张伟", "公司;,\t|部")]
    assert [row.where for row in found.rows] == ["line 1", "line 2"]


@pytest.mark.parametrize(
    ("text", "encoding"), [("號碼,姓名\n8001,陳大文\n", "big5"), ("number,name\n8001,José\n", "cp1252")]
)
def test_what_makes_known_headings_is_the_encoding(text: str, encoding: str) -> None:
    """Bytes that three encodings can read are read in the one in which the headings make sense."""
    assert decoded(text.encode(encoding), KNOWN) == text


def test_traditional_headings_are_the_simplified_ones() -> None:
    """A list from Taiwan has columns of the same names."""
    assert simplified("號碼 國家 計費") == "号码 国家 计费"


def test_a_row_says_where_it_begins() -> None:
    """A cell may hold line breaks; the next row still names its own line, and a broken file says where."""
    found = read_csv(b'number,name\n8001,"a\nb"\n8002,c\n\n', KNOWN)
    assert [(row.where, row.cells) for row in found.rows if row] == [
        ("line 1", ("number", "name")),
        ("line 2", ("8001", "a\nb")),
        ("line 4", ("8002", "c")),
    ]
    assert [bool(row) for row in read_csv(b"a,b\n , \n", KNOWN).rows] == [True, False]
    broken = read_csv(b"number\n" + b"x" * 200_000 + b"\n", KNOWN).rows[-1]
    assert broken.where == "line 2"
    assert "field" in broken.cells[0]


def test_a_workbook_is_read_as_a_person_reads_it() -> None:
    """Whole numbers have no point, days no midnight, computed fractions the digits that are shown."""
    row = (755, 755.0, 0.07 * 3, 1e-7, date(2026, 10, 1), datetime(2026, 10, 1), datetime(2026, 10, 1, 8, 30), True)
    (found,) = read_xlsx(workbook((*row, "_x0041_", None, "022"), title="资费"))
    assert found.name == "资费"
    assert cells(found) == [
        ("755", "755", "0.21", "0.0000001", "2026-10-01", "2026-10-01", "2026-10-01 08:30:00", "1", "A", "", "022")
    ]


def test_cells_merged_downwards_stand_in_each_row() -> None:
    """A region over three prices is the region of each of them; what is merged sideways is not repeated."""
    rows = [("region", "price"), ("Asia", 1), (None, 2), (None, 3), ("Europe", 4)]
    (found,) = read_xlsx(workbook(*rows, merged="A2:A4"))
    assert [row[0] for row in cells(found)] == ["region", "Asia", "Asia", "Asia", "Europe"]
    (sideways,) = read_xlsx(workbook(("a", None), ("b", "c"), merged="A1:B1"))
    assert cells(sideways)[0] == ("a", "")


@pytest.mark.parametrize("content", [b"", b"no workbook", b"PK\x03\x04 cut off"])
def test_what_is_no_workbook_is_a_sentence(content: bytes) -> None:
    """Whatever somebody calls .xlsx."""
    with pytest.raises(ValueError, match=r"it is not an XLSX workbook; save it as \.xlsx or \.csv"):
        read_xlsx(content)


def test_an_archive_of_something_else_is_no_workbook() -> None:
    """A .zip opens as a .xlsx does, and holds no sheet."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(ValueError, match="not an XLSX workbook"):
        read_xlsx(stream.getvalue())


def test_a_csv_file_comes_back_as_it_was_written() -> None:
    """With the mark by which Excel knows UTF-8, and its line ends."""
    content = write_csv(HEADINGS, ROWS)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    assert cells(read_csv(content, KNOWN)) == [HEADINGS, *ROWS]


def test_a_workbook_comes_back_as_it_was_written() -> None:
    """Numbers are numbers where they fit, everything else is text: no zero, digit or formula is lost."""
    rows = [("022", "0.07", "=1+1"), ("1" * 16, "12345678901234567.5", "a\r\x01b"), ("", "7", "two\nlines")]
    content = write_xlsx("a/b*c?[d]:" + "x" * 40, ("code", "fee", "note"), rows, numbers=("fee",), wide=("note",))
    (found,) = read_xlsx(content)
    assert cells(found) == [("code", "fee", "note"), *rows]
    assert len(found.name) <= 31
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert (sheet["A2"].value, sheet["B2"].value, sheet["C2"].value) == ("022", 0.07, "=1+1")
    assert (sheet["C2"].data_type, sheet["B3"].data_type) == ("s", "s")
    assert (sheet.freeze_panes, sheet.column_dimensions["C"].width) == ("A2", 40)


@given(st.text())
def test_no_text_becomes_a_formula_and_none_is_changed(text: str) -> None:
    """What a spreadsheet would work out carries an apostrophe, which goes again when it is read."""
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in ("=", "@", "\t", "\r")


@settings(deadline=None)  # the machine's load decides nothing
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_a_number_of_a_spreadsheet_keeps_its_digits(number: Decimal) -> None:
    """A fee in a cell is the fee that is read."""
    (found,) = read_xlsx(workbook((float(number), "end")))
    assert Decimal(cells(found)[0][0]) == number


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ("Müller, Größe, Jäger, François", "cp1252"),
        ("Søren, Nuñez, São João, MÜLLER & SÖHNE", "cp1252"),
        ("10 €", "cp1252"),
        ("张三，欧阳娜娜，李喆，财务部", "gb18030"),
        ("王", "gb18030"),
        ("陳大文，黃小明，財務部", "big5"),
    ],
)
def test_the_encoding_is_that_in_which_the_characters_are_usual(names: str, encoding: str) -> None:
    """Below headings that all encodings write alike; which one it was is told, and somebody may say another."""
    content = f"number;name\n8001;{names}\n".encode(encoding)
    found = read_csv(content, KNOWN)
    assert (found.rows[1].cells[1], found.encoding) == (names, encoding)
    assert read_csv(content, KNOWN, "latin-1").rows[1].cells[1] == names.encode(encoding).decode("latin-1")


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    """And Unicode is never a guess."""
    assert read_csv("number,name\n8001,Müller\n".encode(), KNOWN).encoding == ""
    with pytest.raises(ValueError, match="'latin-99' is not an encoding"):
        read_csv(b"number,name\n", KNOWN, "latin-99")
