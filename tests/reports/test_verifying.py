"""The provider's bill beside our calls: every fen of the difference has its line and its cause."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

TELECOM, UNICOM = "022-天津-电信", "022-天津-联通"
SHANGHAI = "902162345678"  # dialled with the outside prefix; 0.07 for six seconds
HEADINGS = ["主叫号码", "被叫号码", "开始时间", "通话时长(秒)", "费用(元)"]
Line = Sequence[object]


def at(day: int, clock: str = "10:00:00") -> str:
    return f"2026-10-{day:02d} {clock}"


@pytest.fixture
def october(site: Path, cli: Cli) -> Cli:
    """Calls over the lines of two carriers, answered and not, in and out, and one that nobody prices."""
    assert cli("trunks", "add", "2", "--carrier", UNICOM).exit_code == 0
    assert cli("filters", "cdr", "add", "--extension", "8009").exit_code == 0
    calls = [
        gateway_cdr("8001", SHANGHAI, 80, start=at(5)),  # 0.98, agrees
        gateway_cdr("8002", "958674577", 285, start=at(6)),  # 0.44, agrees
        gateway_cdr("8001", SHANGHAI, 80, start=at(7)),  # 0.98, billed twice
        gateway_cdr("8003", SHANGHAI, 0, start=at(8)),  # not answered
        gateway_cdr("8001", SHANGHAI, 60, start=at(9), port=2),  # over the other carrier
        gateway_cdr("02287654321", "8001", 60, start=at(10), direction="gsm->ip"),  # came in
        gateway_cdr("8001", SHANGHAI, 12, start=at(11)),  # 0.14, not billed
        gateway_cdr("8001", SHANGHAI, 80, start=at(12)),  # 0.98, billed for 92 s
        gateway_cdr("8001", SHANGHAI, 60, start=at(13)),  # 0.70, billed 0.80
        gateway_cdr("8001", SHANGHAI, 66, start=at(14)),  # 0.77, billed 0.96 for 72 s: 0.07 length, 0.12 price
        gateway_cdr("8001", "911185", 30, start=at(15)),  # without a price
        gateway_cdr("8009", SHANGHAI, 60, start=at(16)),  # left out by the filter
        gateway_cdr("8001", SHANGHAI, 60, start="2026-11-01 00:00:30"),  # of the next month
    ]
    fill(site / "inbox.db", calls)
    cli("events", "replay")
    return cli


LINES: list[Line] = [
    ["87654321", "021-6234 5678", at(5, "10:00:05"), 80, "0.98"],
    ["87654321", "58674577", at(6, "10:00:40"), "4:45", "0.44"],
    ["87654321", "+86 21 62345678", at(7), 80, "0.98"],
    ["87654321", "02162345678", at(7), 80, "0.98"],
    ["87654321", "02162345678", at(8), 30, "0.22"],
    ["87654321", "02162345678", at(9), 60, "0.35"],
    ["87654321", "02287654321", at(10), 60, "0.11"],
    ["87654321", "02162345678", at(12), 92, "1.12"],
    ["87654321", "0216234****", at(13), 60, "0.80"],
    ["87654321", "02162345678", at(14), "1分12秒", "0.96"],
    ["87654321", "11185", at(15), 30, "0.10"],
    ["87654321", "02162345678", at(16), 60, "0.70"],
    ["87654321", "02162345678", "2026-11-01 00:00:30", 60, "0.70"],
    ["87654321", "01088886666", at(20), 60, "0.71"],
    ["", "月租费", "", "", "20.00"],
    ["", "优惠", "", "", "-1.50"],
]
THEIRS = sum(Decimal(str(line[4])) for line in LINES)
CAUSES = {
    "no-call": "18.50",
    "unknown-call": "0.71",
    "other-month": "0.70",
    "left-out": "0.70",
    "billed-twice": "0.98",
    "other-carrier": "0.35",
    "unanswered": "0.22",
    "not-billed": "-0.14",
    "not-outgoing": "0.11",
    "length": "0.21",
    "price": "0.22",
    "unrated": "0.10",
}


def csv_of(path: Path, lines: Sequence[Line], headings: Sequence[str] = HEADINGS) -> Path:
    rows = [["某某电信 2026年10月 话费详单"], headings, *lines]
    path.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="gb18030")
    return path


def xlsx_of(path: Path, lines: Sequence[Line]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [["话费详单"], HEADINGS, *lines]:
        sheet.append(list(row))
    book.save(path)
    return path


def verified(cli: Cli, path: Path, *more: str) -> dict[str, Any]:
    result = cli("verify", str(path), "--carrier", TELECOM, "--month", "2026-10", "--format", "json", *more)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    assert Decimal(found["difference"]) == sum(Decimal(one["difference"]) for one in found["causes"])
    return found


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_bill_with_twelve_kinds_of_differences_is_taken_apart(october: Cli, tmp_path: Path, kind: str) -> None:
    """To the last fen: every cause with its sum, in a list of GB18030 as in a workbook."""
    path = tmp_path / f"bill.{kind}"
    found = verified(october, csv_of(path, LINES) if kind == "csv" else xlsx_of(path, LINES))
    assert {one["cause"]: one["difference"] for one in found["causes"]} == CAUSES
    assert Decimal(found["theirs"]) == THEIRS
    # Ours: 0.98 0.44 0.98 0.14 0.98 0.70 0.77; the call without a price is in no sum.
    assert found["ours"] == "4.99"
    assert (found["lines"], found["matched"], found["agreed"], found["unpriced"]) == (14, 12, 3, 1)
    assert found["whole"] is False


def test_each_line_names_its_place_its_call_and_its_parts(october: Cli, tmp_path: Path) -> None:
    """What is written to the provider: which line, what it should have been, by how much."""
    rows = verified(october, csv_of(tmp_path / "bill.csv", LINES))["rows"]
    both = next(row for row in rows if row["where"] == "line 12")
    assert both["parts"] == {"length": "0.07", "price": "0.12"}
    assert (both["difference"], both["theirs"], both["ours"]) == ("0.19", "0.96", "0.77")
    assert (both["theirs_s"], both["ours_s"], both["extension"]) == (72, 66, "8001")
    unrated = next(row for row in rows if row["cause"] == "unrated")
    assert unrated["difference"] is None
    assert unrated["ours"] is None
    missing = next(row for row in rows if row["cause"] == "not-billed")
    assert (missing["where"], missing["ours"], missing["theirs"]) == (None, "0.14", None)


def test_the_table_and_the_workbook_tell_what_limits_them(october: Cli, tmp_path: Path) -> None:
    """Unknown is not zero in any form, and a total that its lines do not make is told."""
    lines = [*LINES, ["", "合计", "", "", "30.00"], ["87654321", "02162345678", "2026-10-40", 1, "0.1"]]
    path, book = csv_of(tmp_path / "bill.csv", lines), tmp_path / "out.xlsx"
    arguments = ("verify", str(path), "--carrier", TELECOM, "--month", "2026-10")
    told = october(*arguments).stdout
    assert "billed twice" in told
    assert "≥ 4.99" in told
    assert "1 of our calls have no fee, so the difference is not whole" in told
    assert f"the bill names a total of 30.00, but its lines come to {THEIRS}" in told
    assert "1 lines of the bill could not be read" in told
    assert "line 20: a day is expected" in told
    assert october(*arguments, "--output", str(book)).exit_code == 0
    sheets = openpyxl.load_workbook(book).worksheets
    cells = {str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {"billed twice", "not on the bill"} <= cells


def test_a_heading_that_was_named_once_is_known_from_then_on(october: Cli, tmp_path: Path) -> None:
    """For this carrier; without it the file says what is missing."""
    path = csv_of(tmp_path / "bill.csv", LINES[:2], [*HEADINGS[:4], "Was Sie schulden"])
    arguments = ("verify", str(path), "--carrier", TELECOM, "--month", "2026-10")
    refused = october(*arguments)
    assert refused.exit_code == 1
    assert "has no row of headings" in refused.stderr
    assert verified(october, path, "--column", "fee=Was Sie schulden")["agreed"] == 2
    assert verified(october, path)["agreed"] == 2
    assert october("verify", str(path), "--carrier", UNICOM, "--month", "2026-10").exit_code == 1


def test_a_clock_that_is_hours_off_is_found(site: Path, cli: Cli, tmp_path: Path) -> None:
    """A list in UTC, and eleven seconds late: found where most lines say the same."""
    clocks = [(day, f"10:{7 * day % 60:02d}:00") for day in range(1, 11)]
    fill(site / "inbox.db", [gateway_cdr("8001", SHANGHAI, 60 + day, start=at(day, clock)) for day, clock in clocks])
    cli("events", "replay")
    calls = json.loads(cli("calls", "list", "--format", "json").stdout)
    lines = [
        ["1", "02162345678", f"{one['started_at'][:10]} 02:{one['started_at'][14:16]}:16", one["billed_s"], one["fee"]]
        for one in calls
    ]
    found = verified(cli, csv_of(tmp_path / "bill.csv", lines))
    assert (found["agreed"], found["clock_shift_s"], found["rows"]) == (10, -28_789, [])


def test_a_bill_in_another_currency_or_without_times_is_refused(october: Cli, tmp_path: Path) -> None:
    """Rather than compared with what it is not."""
    dollars = csv_of(tmp_path / "usd.csv", LINES[:2], [*HEADINGS[:4], "费用(USD)"])
    found = verified(october, dollars)
    assert found["unread"] == 2
    assert "USD" in found["problems"][0]
    days = csv_of(tmp_path / "days.csv", [["1", "02162345678", "2026-10-05", 80, "0.98"]])
    refused = october("verify", str(days), "--carrier", TELECOM, "--month", "2026-10")
    assert refused.exit_code == 1
    assert "no time of day" in refused.stderr


def test_nothing_is_written_and_wrong_names_are_told(october: Cli, tmp_path: Path) -> None:
    """Neither calls nor charges change; a column, a carrier, a file that is none is named."""
    path = csv_of(tmp_path / "bill.csv", LINES)
    before = october("calls", "list", "--format", "json").stdout
    verified(october, path)
    assert october("calls", "list", "--format", "json").stdout == before
    wrong = october("verify", str(path), "--carrier", TELECOM, "--month", "2026-10", "--column", "x=Y")
    assert wrong.exit_code == 2
    assert "there is no column 'x'" in wrong.stderr
    assert "there is no carrier x" in october("verify", str(path), "--carrier", "x", "--month", "2026-10").stderr
    assert "cannot be read" in october("verify", str(tmp_path / "none.csv"), "--carrier", TELECOM).stderr
    unsaid = october("verify", str(path), "--month", "2026-10")
    assert unsaid.exit_code == 2
    assert "whose bill is it?" in unsaid.stderr
    assert TELECOM in unsaid.stderr


def test_a_provider_that_rounds_each_call_is_told_from_one_with_another_price(
    site: Path, cli: Cli, tmp_path: Path
) -> None:
    """Less than one in the last decimal that the bill shows is rounding."""
    assert cli("carriers", "set", TELECOM, "--decimals", "4").exit_code == 0
    price = ("--initial", "6:0.0755", "--step", "6:0.0755", "--from", "2026-10-01")
    assert cli("tariffs", "set", TELECOM, "domestic", *price).exit_code == 0
    fill(site / "inbox.db", [gateway_cdr("8001", SHANGHAI, 60, start=at(day)) for day in (5, 6)])
    cli("events", "replay")
    lines = [["1", "02162345678", at(5), 60, "0.76"], ["1", "02162345678", at(6), 60, "0.77"]]
    found = verified(cli, csv_of(tmp_path / "bill.csv", lines))
    assert {one["cause"]: one["difference"] for one in found["causes"]} == {"price": "0.015", "rounding": "0.005"}
