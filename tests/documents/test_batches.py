"""What is written by column is, to the byte, what is written row by row: CSV and XLSX."""

import io
import zipfile
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing.documents import Document, Section, workbook
from ippbx_billing.documents.batches import Batches, FewValues
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.quick_sheet import LONGEST, QuickSheet
from ippbx_billing.documents.render import show

NASTY = [
    "=1+1", "+8613812345678", "-5", "a,b", 'say "x"', "two\nlines", "tab\t", "\r", "\x07bell", "", " lead", "trail ",
    "_x0041_", "<&>", "张伟", "＝cmd", "\u202eright", "@x", "9" * 40, "1234567.891", "2026-11-30T08:00:00+08:00", "😀",
]  # fmt: skip
texts = st.one_of(st.none(), st.sampled_from(NASTY), st.text(max_size=12))
values = st.one_of(texts, st.integers(-(10**6), 10**6), st.lists(st.sampled_from(NASTY), max_size=2))


def rows_of(batches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(Batches(list(batches[0]), batches))


@given(st.lists(texts, min_size=1, max_size=30), st.lists(values, min_size=1, max_size=30), st.data())
def test_csv_by_column_is_csv_by_row(some: list[Any], other: list[Any], data: st.DataObject) -> None:
    """Whatever a PBX may have sent, in columns of texts, of mixed values, and of shared ones."""
    count = min(len(some), len(other))
    places = data.draw(st.lists(st.integers(0, len(other) - 1), min_size=count, max_size=count))
    batch = {"number": range(count), "text": some[:count], "mixed": other[:count], "shared": FewValues(other, places)}
    columns = [Column(key, key) for key in batch]
    assert csv_of(Batches(list(batch), [batch, batch]), columns) == csv_of(rows_of([batch, batch]), columns)


def csv_of(rows: Any, columns: list[Column]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr("sys.stdout", stream)
        show(rows, columns, Format.CSV)
        return stream.getvalue()


def test_a_shared_column_is_a_column() -> None:
    """Iteration, length, one value, a part."""
    column = FewValues(["a", None], [0, 1, 0])
    assert (list(column), len(column), column[1], list(column[1:])) == (["a", None, "a"], 3, None, [None, "a"])


COLUMNS = [
    Column("text", "Text"),
    Column("code", "Code", "code"),
    Column("fee", "Fee", "money"),
    Column("count", "Count", "number"),
    Column("length", "Length", "length"),
    Column("at", "At", "time"),
    Column("word", "Word", "word"),
    Column("part", "Part", "percent"),
]


def batch(count: int) -> dict[str, Any]:
    """Columns of each kind, with all that may go wrong in them."""
    return {
        "text": [NASTY[place % len(NASTY)] for place in range(count)],
        "code": [None if place % 3 == 0 else f"0{place}" for place in range(count)],
        "fee": [(None, "0.98", "-1234.5", "0.000001", "123456789012.345678", "no number")[n % 6] for n in range(count)],
        "count": [place * 977 for place in range(count)],
        "length": [place % 100_000 for place in range(count)],
        "at": [("2026-11-30T08:00:07+08:00", None, "2026-11-30", "1899-12-31", "soon")[n % 5] for n in range(count)],
        "word": FewValues(["outbound", "no_answer", None, ["a", "list"]], [place % 4 for place in range(count)]),
        "part": FewValues(["0.1234", None], [place % 2 for place in range(count)]),
    }


def sheets(rows: Any) -> dict[str, bytes]:
    """The parts of the workbook that these rows become."""
    stream = io.BytesIO()
    total = {"text": "total", "fee": "7.00"}
    workbook.write([Document("List", sections=[Section("Calls", COLUMNS, rows, total=total)])], stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("last_line", [1_048_575, 70])
def test_a_workbook_by_column_is_the_workbook_by_row(monkeypatch: pytest.MonkeyPatch, last_line: int) -> None:
    """Every cell as the library's own methods write it, before and after the measured lines, also on the next sheet."""
    monkeypatch.setattr(workbook, "MEASURED_LINES", 20)
    monkeypatch.setattr(workbook, "LAST_LINE", last_line)
    some = [batch(50), batch(100)]
    assert sheets(Batches(list(some[0]), some)) == sheets(rows_of(some))


def test_a_quick_sheet_writes_what_the_library_writes() -> None:
    """Texts that Excel cuts off or reads as an escape, numbers of all sizes, moments, cell by cell."""
    cells = ["_x005F_", "", " a", "a\xa0", "x" * (LONGEST + 5), "a" + "😀" * LONGEST, 1e300, 0.1, -7, 12345678.1234567]
    assert rows_xml(cells, quick=True) == rows_xml(cells, quick=False)


def rows_xml(cells: list[Any], *, quick: bool) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "strings_to_formulas": False})
    sheet, look = book.add_worksheet("a", QuickSheet), book.add_format({"num_format": "@"})
    sheet.write_string(0, 0, "heading")
    moment = datetime(2026, 11, 30, 8, 0, 7)
    if quick:
        written = [sheet.text(one, look) if isinstance(one, str) else sheet.number(one, look) for one in cells]
        sheet.add_rows(1, [written, [sheet.moment(moment, look)] * len(cells), [None] * len(cells)])
    else:
        for line, one in enumerate(cells, start=1):
            sheet.write_string(line, 0, one, look) if isinstance(one, str) else sheet.write_number(line, 0, one, look)
            sheet.write_datetime(line, 1, moment, look)
    sheet.write_string(len(cells) + 1, 2, "the end")
    book.close()
    with zipfile.ZipFile(stream) as archive:
        return archive.read("xl/worksheets/sheet1.xml")
