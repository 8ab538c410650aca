"""Tables, CSV and JSON: nothing cut, nothing that a terminal or a spreadsheet would obey."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing import language as texts
from ippbx_billing.documents.columns import Column, Format, cell
from ippbx_billing.documents.render import show
from ippbx_billing.errors import BillingError

COLUMNS = [Column("name", "Name"), Column("calls", "Calls", "number"), Column("fee", "Fee", "money")]
ROWS: list[dict[str, Any]] = [
    {"name": "张伟", "calls": 12_345, "fee": "0.98", "hidden": 1},
    {"name": None, "calls": 1, "fee": None},
]


def test_a_table_shows_headings_rows_and_total(capsys: pytest.CaptureFixture[str]) -> None:
    """A person finds each figure under its heading."""
    show(ROWS, COLUMNS, total={"name": "total", "calls": 12_346, "fee": "0.98"})
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines() if line.split() and "─" not in line] == [
        ["Name", "Calls", "Fee"],
        ["张伟", "12,345", "0.98"],
        ["–", "1", "–"],
        ["total", "12,346", "0.98"],
    ]


def test_json_has_every_key_and_csv_the_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get what people may not need to see."""
    show(ROWS, COLUMNS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == ROWS
    show(ROWS, COLUMNS, Format.CSV)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["name", "calls", "fee"],
        ["张伟", "12345", "0.98"],
        ["", "1", ""],
    ]


def test_no_rows_are_an_empty_list_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is not an error: JSON says [], a table says so in words."""
    show([], COLUMNS, Format.JSON)
    assert json.loads(capsys.readouterr().out) == []
    show([], COLUMNS, empty="no calls")
    assert capsys.readouterr().out == "no calls\n"


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd"])
def test_a_formula_in_a_name_stays_text_in_a_csv(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A spreadsheet shows it and computes nothing."""
    show([{"name": name}], COLUMNS[:1], Format.CSV)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1] == ["'" + name]


def test_a_number_with_a_plus_is_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    """A foreign number keeps its plus, a negative amount its minus."""
    show([{"name": "+85223456789"}, {"name": "-0.07"}], COLUMNS[:1], Format.CSV)
    assert capsys.readouterr().out.splitlines()[1:] == ["+85223456789", "-0.07"]


def test_control_characters_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What a PBX put into a name cannot colour, move or clear anything."""
    show([{"name": "a\x1b[2Jb\u202ec\x07"}], COLUMNS[:1])
    assert "\x1b" not in (printed := capsys.readouterr().out)
    assert "\u202e" not in printed
    assert "\x07" not in printed


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A failure half-way leaves the earlier file as it was."""
    target = tmp_path / "report.csv"
    show(ROWS, COLUMNS, Format.CSV, target)
    whole = target.read_bytes()
    assert whole.startswith(b"\xef\xbb\xbf")  # Excel reads UTF-8 only by this mark

    def breaking() -> Any:
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        show(breaking(), COLUMNS, Format.CSV, target)
    assert target.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [target]


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The sentence names the file."""
    with pytest.raises(BillingError, match=r"nowhere/x\.csv cannot be written"):
        show(ROWS, COLUMNS, Format.CSV, tmp_path / "nowhere" / "x.csv")


def test_lengths_times_and_words_read_as_people_write_them() -> None:
    """4:05, 1:02:03, a time without its offset, a word in the reader's language."""
    assert [cell(value, "length") for value in (5, 245, 3723)] == ["0:05", "4:05", "1:02:03"]
    assert cell("2026-10-01T09:30:00+08:00", "time") == "2026-10-01 09:30:00"
    texts.use("zh")
    assert cell("outbound", "word") == "去电"


@pytest.mark.parametrize(
    ("value", "kind", "english", "chinese"),
    [
        ("hk_mo_tw", "word", "HK/Macao/Taiwan", "港澳台长途"),
        ("no_answer", "word", "no answer", "无应答"),
        ("1234567.80", "money", "1,234,567.80", "1,234,567.80"),
        ("-999.00", "money", "-999.00", "-999.00"),
        ("total", "money", "total", "total"),
        ("0.12345", "percent", "12.3 %", "12.3 %"),
        (7, "hour", "07:00", "07:00"),
        (7, "weekday", "Sunday", "星期日"),
        ("GB", "country", "United Kingdom", "英国"),
        ("ZZZ", "country", "ZZZ", "ZZZ"),
        (None, "country", "–", "–"),
    ],
)
def test_values_read_as_people_say_them(value: Any, kind: str, english: str, chinese: str) -> None:
    """In both languages; a total's label may stand in any column."""
    assert cell(value, kind) == english
    texts.use("zh")
    assert cell(value, kind) == chinese
