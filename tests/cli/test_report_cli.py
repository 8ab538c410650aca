"""`report` and its named siblings as people and programs meet them: options, forms, languages, sentences."""

import csv
import io
import json
import re
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from ippbx_billing.cli import common
from ippbx_billing.cli.app import app
from ippbx_billing.documents.plots import bar, plot, sparkline
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import GROUPS
from tests.books import Books

NAMED = ("ranking", "time-of-day", "regions", "numbers", "pins", "idle", "categories", "busy-hour", "unrated")
OCTOBER = ("--month", "2026-10")


@pytest.fixture(scope="module")
def october(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a month of calls of all kinds, some of them dear; nothing changes it."""
    data_dir = tmp_path_factory.mktemp("october") / "data"
    shutil.copytree(fresh_site, data_dir)
    with Ledger(data_dir / "ledger.db") as ledger:
        write_october(Books(ledger))
    return data_dir


def write_october(books: Books) -> None:
    directory = books.ledger.directory
    directory.add_employee("1001", "张三", "公司/销售部")
    directory.add_employee("1002", "欧阳娜娜", "公司/工程部/一组")
    directory.add_employee("1003", "张三", "公司/工程部")
    for extension, employee in (("8001", "1001"), ("8002", "1002"), ("8003", "1003"), ("8009", "1003")):
        directory.assign(extension, date.min, employee=employee)
    for day in range(1, 31):
        books.call(f"2026-10-{day:02d} 10:{day:02d}:00", "8001", fee="0.22", talk_s=180, ring_s=5, pin="4711")
        books.call(f"2026-10-{day:02d} 15:{day:02d}:00", "8002", direction="inbound", fee="0.00", talk_s=0, ring_s=9)
    for day in (5, 12, 19):
        books.call(
            f"2026-10-{day:02d} 09:00:00",
            "8002",
            fee="12345678.90",
            talk_s=36_000,
            trunk="FXO-2",
            traffic_type="international",
            number="+442079045258",
            place=("GB", None, "London"),
        )
    books.call("2026-10-13 11:00:00", "8003", fee="1.40", traffic_type="domestic", place=("CN", "上海", "上海"))
    books.call("2026-10-13 12:00:00", "8003", fee=None, number="95588", reason="not answered for")
    books.call("2026-10-13 12:30:00", "8003", fee="0.00", status="filtered")
    books.call("2026-09-13 12:30:00", "8001", fee="3.00")
    books.write()


@pytest.fixture
def run(october: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`run("ranking", *OCTOBER)` on that site, on the first of December, in a terminal of 80 columns."""
    monkeypatch.setattr(common, "now", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, lang: str = "en") -> Result:
        return CliRunner().invoke(app, ["--data-dir", str(october), "--lang", lang, "report", *arguments])

    return run


def document(run: Any, *arguments: str) -> Any:
    answer = run(*arguments, "--format", "json")
    assert answer.exit_code == 0, answer.stderr
    return json.loads(answer.stdout)


# -- questions


@pytest.mark.parametrize(
    ("conditions", "calls"),
    [
        (["--department", "公司"], 65),
        (["--department", "工程部"], 35),
        (["--employee", "1001"], 30),
        (["--employee", "欧阳娜娜"], 33),
        (["--extension", "80.."], 65),
        (["--extension", "8001,8003"], 32),
        (["--number", "95588"], 1),
        (["--trunk", "FXO-2"], 3),
        (["--traffic-type", "domestic"], 1),
        (["--line-kind", "mobile"], 0),
        (["--direction", "inbound"], 30),
        (["--disposition", "no_answer"], 30),
        (["--country", "gb"], 3),
        (["--region", "上海"], 1),
        (["--place", "London"], 3),
        (["--pin", "4711"], 30),
        (["--min-fee", "0.23"], 4),
        (["--min-fee", "0.23", "--extension", "8002"], 3),
    ],
    ids=str,
)
def test_every_condition_narrows_the_report(run: Any, conditions: list[str], calls: int) -> None:
    """And JSON repeats it."""
    found = document(run, *OCTOBER, *conditions)
    assert found["total"]["calls"] == calls
    assert set(found["where"]) == {name[2:].replace("-", "_") for name in conditions[::2]}


@pytest.mark.parametrize(
    "conditions",
    [["--department", "工程部"], ["--employee", "1001", "--pin", "4711"], ["--place", "London"], ["--min-fee", "1"]],
    ids=str,
)
def test_the_list_of_calls_takes_the_conditions_of_reports(run: Any, october: Path, conditions: list[str]) -> None:
    """What a report sums up, `calls list` shows one by one, filtered calls too."""
    days = ["--from", "2026-10-01", "--to", "2026-10-31"]
    arguments = ["--data-dir", str(october), "calls", "list", *days, *conditions, "--format", "json"]
    listed = json.loads(CliRunner().invoke(app, arguments).stdout)
    billed = [one for one in listed if one["status"] != "filtered"]
    assert len(billed) == document(run, *OCTOBER, *conditions)["total"]["calls"] > 0


@pytest.mark.parametrize("name", ["ranking", "time-of-day", "categories", "busy-hour", "unrated"])
def test_named_reports_go_by_the_same_conditions(run: Any, name: str) -> None:
    """Of 8003's three calls one is rated, one is unrated, and one is filtered, though it held a line."""
    calls = {"busy-hour": 3, "unrated": 1}.get(name, 2)
    assert document(run, name, *OCTOBER, "--extension", "8003")["total"]["calls"] == calls


@pytest.mark.parametrize(
    ("days", "first", "last", "calls"),
    [
        (["--month", "last"], "2026-11-01", "2026-11-30", 0),
        ([], "2026-12-01", "2026-12-31", 0),
        (["--year", "2026"], "2026-01-01", "2026-12-31", 66),
        (["--year", "last"], "2025-01-01", "2025-12-31", 0),
        (["--from", "2026-10-13", "--to", "2026-10-13"], "2026-10-13", "2026-10-13", 4),
        (["--from", "2026-10-20"], "2026-10-20", "2026-12-01", 22),
    ],
    ids=str,
)
def test_a_period_is_a_month_a_year_or_some_days(run: Any, days: list[str], first: str, last: str, calls: int) -> None:
    """Both ends are in it; without an end it lasts until today."""
    found = document(run, "--by", "trunk", *days)
    assert (found["from"], found["to"], found["total"]["calls"]) == (first, last, calls)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--month", "2026-13"], "'2026-13' is not a month"),
        (["--year", "26"], "'26' is not a year"),
        (["--from", "2026-02-30"], "'2026-02-30' is not a day"),
        (["--from", "2026-10-02", "--to", "2026-10-01"], "2026-10-02 is after 2026-10-01"),
        (["--to", "2026-10-01"], "--to needs --from"),
        (["--month", "2026-10", "--year", "2026"], "give one of them"),
        (["--by", "colour"], "a report cannot be grouped by 'colour'"),
        (["--sort", "beauty"], "a report cannot be sorted by 'beauty'"),
        (["--employee", "张三"], "2 employees are named 张三: 1001 张三 (公司/销售部), 1003 张三 (公司/工程部)"),
        (["--department", "火星部"], "there is no department 火星部"),
        (["--carrier", "火星电信"], "there is no carrier 火星电信"),
        (["--trunk", "FXO-22"], "there is no trunk FXO-22\n\nhint: did you mean FXO-2"),
        (["--extension", "8001, 8O01"], "there is no extension 8O01\n\nhint: did you mean 8001"),
        (["--region", "上梅"], "no call has ever had the region 上梅\n\nhint: did you mean 上海"),
        (["--place", "Londom"], "no call has ever had the place Londom\n\nhint: did you mean London"),
        (["ranking", "--trunk", "FXO-22"], "there is no trunk FXO-22"),
        (["--country", "china"], "'china' is not a country"),
        (["--min-fee", "much"], "'much' is not an amount"),
        (["--plot", "--format", "csv"], "--plot draws in the terminal only"),
        (["idle", "--plot"], "this report has no chart"),
        (["ranking", "--month", "2026-13"], "'2026-13' is not a month"),
        (["--compare", "previous", "idle"], "`report idle` has no --compare"),
        (["--output", "/nowhere/at/all.csv"], "/nowhere/at/all.csv cannot be written"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_gets_a_sentence(run: Any, arguments: list[str], sentence: str) -> None:
    """With a hint below it, nothing on stdout, and an exit code that is not 0."""
    answer = run(*arguments)
    assert sentence in answer.stderr
    assert "\nhint: " in answer.stderr
    assert answer.stdout == ""
    assert answer.exit_code in (1, 2)


@pytest.mark.parametrize(
    ("name", "sort", "key"),
    [("ranking", "-calls", "extension"), ("ranking", "extension", "extension"), ("numbers", "number", "number"),
     ("numbers", "-billed-s", "number"), ("pins", "-calls", "pin"), ("ranking", "answer-rate", "extension")],
)  # fmt: skip
def test_named_reports_are_sorted_either_way_and_by_name(run: Any, name: str, sort: str, key: str) -> None:
    """As `report --sort` does; a table is drawn whatever they are sorted by."""
    found = document(run, name, *OCTOBER, "--sort", sort)
    by = "number,country,region,place" if key == "number" else key
    plain = document(run, *OCTOBER, "--by", by, "--sort", sort)["rows"]
    assert [row[key] for row in found["rows"]] == [row[key] for row in plain if row[key] or name == "ranking"]
    assert run(name, *OCTOBER, "--sort", sort).exit_code == 0


def test_options_may_stand_before_the_name(run: Any) -> None:
    """`report --month X ranking` is `report ranking --month X`."""
    before = run(*OCTOBER, "--direction", "outbound", "--format", "csv", "ranking", "--top", "2")
    after = run("ranking", *OCTOBER, "--direction", "outbound", "--top", "2", "--format", "csv")
    assert before.stdout == after.stdout
    assert before.stdout.count("\n") == 3


def test_comparison_stands_beside_the_sums(run: Any) -> None:
    """The month before and the difference, in JSON and in the table."""
    found = document(run, *OCTOBER, "--compare", "previous", "--extension", "8001")
    (row,) = found["rows"]
    assert (row["previous_calls"], row["calls_difference"], row["fee_difference"]) == (1, 29, "3.60")
    assert found["compared"] == {"from": "2026-09-01", "to": "2026-09-30"}
    table = run(*OCTOBER, "--compare", "previous", "--extension", "8001").stdout
    assert re.search(r"8001 .* 6\.60 +3\.00 +3\.60", table)


# -- forms


@pytest.mark.parametrize("name", NAMED)
def test_a_named_report_has_the_keys_of_all(run: Any, name: str) -> None:
    """Its name, its days, rows, total, and what it does not cover."""
    found = document(run, name, *OCTOBER)
    assert found["report"] == name
    assert found.keys() >= {"month", "from", "to", "currency", "where", "rows", "total"}
    assert found["rows"]
    assert (found["unrated"], found["unrated_reasons"], found["filtered"]) == (1, {"not answered for": 1}, 1)
    assert found["coverage"]["first_record"] == "2026-10-01T10:01:00+08:00"
    assert found["coverage"]["unrated"] == 1


def test_a_plain_report_keeps_the_contracts_keys(run: Any) -> None:
    """Those there were from the beginning, and the new ones beside them."""
    found = document(run, *OCTOBER)
    assert found.keys() >= {"month", "currency", "by", "rows", "total", "unrated", "filtered", "unrated_reasons"}
    row = found["rows"][0]
    assert list(row)[:8] == ["extension", "name", "department", "calls", "answered", "duration_s", "billed_s", "fee"]
    assert row["name"] == "张三"


@pytest.mark.parametrize("name", NAMED)
def test_a_csv_has_the_keys_for_headings(run: Any, name: str) -> None:
    """The same in both languages, a plain value in each cell."""
    english, chinese = (run(name, *OCTOBER, "--format", "csv", lang=lang).stdout for lang in ("en", "zh"))
    heading, *rows = csv.reader(io.StringIO(english))
    assert heading == next(csv.reader(io.StringIO(chinese)))
    assert heading == next(csv.reader(io.StringIO(run(name, "--month", "2020-01", "--format", "csv").stdout)))
    assert all(re.fullmatch(r"[a-z0-9_]+", key) for key in heading)
    assert len(rows) == len(document(run, name, *OCTOBER)["rows"])
    assert not re.search(r"[{\[]", english)


@pytest.mark.parametrize("by", ["extension", "employee,day", "department,extension", "department,traffic-type"])
def test_a_csv_of_sums_has_the_keys_of_json(run: Any, by: str) -> None:
    """In their order, and the same where a month has no call."""
    heading = run("--by", by, *OCTOBER, "--format", "csv").stdout.partition("\n")[0]
    assert heading.split(",") == list(document(run, "--by", by, *OCTOBER)["rows"][0])
    assert run("--by", by, "--month", "2020-01", "--format", "csv").stdout == heading + "\n"


QUESTIONS = [
    *(((name,), lang) for name in NAMED for lang in ("en", "zh")),
    *((("--by", key.replace("_", "-")), ("en", "zh")[place % 2]) for place, key in enumerate(GROUPS)),
]


@pytest.mark.parametrize(("question", "lang"), QUESTIONS, ids=str)
def test_tables_fit_80_columns_and_cut_no_number(run: Any, question: tuple[str, ...], lang: str) -> None:
    """Millions of yuan and ten-hour calls included, in both languages."""
    answer = run(*question, *OCTOBER, lang=lang)
    assert answer.exit_code == 0, answer.stderr
    assert max(map(cell_len, answer.stdout.split("\n"))) <= 80
    found = document(run, *question, *OCTOBER)
    for row in (*found["rows"], found["total"]):
        if "fee" in row:
            unknown = row["unpriced"] and not Decimal(row["fee"])
            told = str(row["unpriced"]) if unknown else f"{Decimal(row['fee']):,}"
            assert told in answer.stdout.split()


def test_tables_speak_the_language_asked_for(run: Any) -> None:
    """Weekdays, countries, directions and traffic types; the keys of a CSV never change."""
    assert re.search(r"星期一 .*\n 星期二 ", run("--by", "weekday", *OCTOBER, lang="zh").stdout)
    assert "Monday" in run("--by", "weekday", *OCTOBER).stdout
    assert "英国" in run("regions", *OCTOBER, lang="zh").stdout
    assert "United Kingdom" in run("regions", *OCTOBER).stdout
    assert "国际长途" in run("--by", "traffic-type", *OCTOBER, lang="zh").stdout
    assert run("--by", "weekday", *OCTOBER, "--format", "csv", lang="zh").stdout.startswith("weekday,calls,")


def test_what_is_not_covered_stands_below_the_table(run: Any) -> None:
    """On stderr, so that stdout stays the table; the list of unrated calls does not repeat itself."""
    answer = run(*OCTOBER)
    assert "unrated: 1, not answered for" in answer.stderr
    assert "1 calls kept but not billed (filtered)" in answer.stderr
    assert "records from 2026-10-01 10:01 to 2026-10-30 15:30" in answer.stderr
    listed = run("unrated", *OCTOBER)
    assert "not answered for" in listed.stdout
    assert "not answered for" not in listed.stderr


def test_what_has_no_price_comes_with_what_to_do(site: Path) -> None:
    """A command for each of the reasons that rating gives."""
    reasons = {
        "022-天津-电信 has no price for other calls to number 95588": "tariffs set 022-天津-电信 local",
        "trunk FXO-1 is not configured and there is no default carrier": "trunks add FXO-1",
        "the call names no trunk and there is no default carrier": "carriers add",
        "the direction of the call is unknown": "dialects",
        "a call of -5 s cannot be right": "calls explain",
    }
    with Ledger(site / "ledger.db") as ledger:
        books = Books(ledger)
        for place, reason in enumerate(reasons):
            books.call("2026-10-13 10:00:00", fee=None, reason=reason, carrier="022-天津-电信", talk_s=place)
        books.write()
    answer = CliRunner().invoke(app, ["--data-dir", str(site), "report", "unrated", *OCTOBER, "--format", "json"])
    rows = json.loads(answer.stdout)["rows"]
    assert len(rows) == len(reasons)
    for row in rows:
        assert reasons[row["reason"]] in row["hint"]


def test_a_document_says_its_conditions_and_gaps(run: Any, tmp_path: Path) -> None:
    """Whoever gets it in the post knows what it is about, and what is missing."""
    path = tmp_path / "ranking.html"
    answer = run("ranking", *OCTOBER, "--direction", "outbound", "--output", str(path))
    assert answer.exit_code == 0, answer.stderr
    page = path.read_text(encoding="utf-8")
    for words in (
        "Ranking of 2026-10",
        "2026-10-01 – 2026-10-31",
        "<dt>Direction</dt><dd>outbound</dd>",
        "Asia/Shanghai",
        "unrated: 1",
        "<svg",
    ):
        assert words in page


@pytest.mark.parametrize("name", [*NAMED, ""])
def test_every_report_can_be_handed_out(run: Any, name: str, tmp_path: Path) -> None:
    """As a workbook whose sheet begins with the table's headings, in the reader's language."""
    from openpyxl import load_workbook

    path = tmp_path / "report.xlsx"
    answer = run(*filter(None, [name]), *OCTOBER, "--output", str(path), lang="zh")
    assert answer.exit_code == 0, answer.stderr
    book = load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None]
    assert any("未计费" in str(cell) for cell in cells) == (name not in ("idle", "busy-hour"))  # which have no fees
    assert {"日期", "2026-10-01 – 2026-10-31", "时区"} <= set(map(str, cells))
    assert book.active is not None
    assert book.active.freeze_panes == "A2"
    assert len(cells) > 10


def test_a_report_can_be_printed(run: Any, tmp_path: Path) -> None:
    """As a PDF."""
    path = tmp_path / "report.pdf"
    answer = run("categories", *OCTOBER, "--output", str(path), lang="zh")
    assert answer.exit_code == 0, answer.stderr
    assert path.read_bytes().startswith(b"%PDF-")


def test_a_ledger_without_its_inbox_still_answers(run: Any, october: Path, tmp_path: Path) -> None:
    """A copy on the boss's laptop: what the inbox would tell is null."""
    copied = tmp_path / "data"
    copied.mkdir()
    for name in ("ledger.db", "settings.toml"):
        shutil.copy(october / name, copied / name)
    answer = CliRunner().invoke(app, ["--data-dir", str(copied), "report", *OCTOBER, "--format", "json"])
    told = json.loads(answer.stdout)["coverage"]
    assert (told["rejected_events"], told["waiting_events"], told["filtered"]) == (None, None, 1)


# -- pictures


def test_a_plot_is_as_wide_as_the_terminal(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest bar fills what names and figures leave; each day of the month has its line."""
    for width in (60, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        heading, _, *lines = run("--by", "day", *OCTOBER, "--plot").stdout.splitlines()
        assert heading == "Calls of 2026-10: Fee (CNY)"
        assert len(lines) == 30
        assert {cell_len(line) for line in lines} == {width}
        assert lines[4].startswith("2026-10-05 █")


def test_bars_are_as_long_as_their_values() -> None:
    """To an eighth of a cell; the least is still seen, nothing is nothing."""
    assert [bar(value, 16, width=2) for value in (0, 1, 4, 8, 12, 16)] == ["", "▏", "▌", "█", "█▌", "██"]
    assert bar(1, 1_000_000, width=2) == "▏"
    assert bar(5, 0) == bar(-5, 10) == ""


def test_sparklines_and_plots_of_little() -> None:
    """No values, none above zero, names wider than their letters."""
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([1, 8, 4]) == "▂█▅"
    assert plot([], [], [], 80) == []
    lines = plot(["销售部", "x"], [2, 1], ["20.00", "1.00"], 30)
    assert [cell_len(line) for line in lines] == [30, 30]
    assert lines[1] == "x      ████████▌          1.00"
