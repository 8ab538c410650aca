"""The command line: the contract's JSON, sentences for mistakes, and the tables that people edit."""

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
import typer.main

from ippbx_billing.cli.announced import Table, loaded
from ippbx_billing.cli.app import COMMANDS, app
from ippbx_billing.cli.reports.report import NAMED
from ippbx_billing.settings import FILE_NAME
from tests.conftest import Cli

ROOT: Any = typer.main.get_command(app)


def test_init_sets_everything_up_and_a_second_run_changes_nothing(site: Path, cli: Cli) -> None:
    """Settings, both databases and three carriers; then the same again says so and touches no file."""
    names = {path.name for path in site.iterdir()}
    assert {FILE_NAME, "inbox.db", "ledger.db"} <= names
    assert stat.S_IMODE((site / FILE_NAME).stat().st_mode) == 0o600
    before = {path.name: path.read_bytes() for path in site.iterdir() if path.suffix in (".toml", ".db")}
    again = cli("init", "--area-code", "010")
    assert again.exit_code == 0
    assert "stays as it is" in again.stderr
    assert "area_code stays '022'" in again.stderr
    assert {name: (site / name).read_bytes() for name in before} == before


def test_the_home_area_has_three_carriers_the_first_is_the_default(cli: Cli) -> None:
    """电信, 联通 and 移动 of Tianjin, as the contract lists them."""
    rows = json.loads(cli("carriers", "list", "--format", "json").stdout)
    keys = ("name", "area_code", "place", "operator", "default")
    assert sorted(tuple(row[key] for key in keys) for row in rows) == [
        ("022-天津-电信", "022", "天津", "电信", True),
        ("022-天津-移动", "022", "天津", "移动", False),
        ("022-天津-联通", "022", "天津", "联通", False),
    ]


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["init", "--area-code", "0111"], "'0111' is not an area code of China", 2),
        (["init"], "the home area code is missing", 2),
        (["init", "--country", "XX"], "there is no country XX", 2),
        (["init", "--area-code", "022", "--timezone", "Asia/Tianjin"], "there is no such time zone", 2),
        (["init", "--area-code", "022", "--dialect", "nortel"], "there is no dialect nortel", 2),
    ],
)
def test_init_refuses_what_cannot_be_and_writes_nothing(
    tmp_path: Path, arguments: list[str], message: str, code: int, cli: Cli
) -> None:
    """A wrong option is named, and no half of a site is left."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "new"), *arguments])
    assert result.exit_code == code
    assert message in result.stderr
    assert not (tmp_path / "new").exists()


def test_another_home_country_gets_its_own_zone_and_currency(tmp_path: Path) -> None:
    """`init --country US --area-code 212` needs no more options."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "init", "--country", "US", "--area-code", "212"])
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert 'timezone = "America/New_York"' in text
    assert 'currency = "USD"' in text


# The manual's worked examples; 2026-10-13 is an ordinary Tuesday.
EXAMPLES = [
    ("58674577", 64, "2026-10-13T10:00", "0.22"),
    ("58674577", 285, "2026-10-13T10:00", "0.44"),
    ("13820000000", 4, "2026-10-13T10:00", "0.20"),
    ("13820000000", 144, "2026-10-13T10:00", "0.60"),
    ("02162345678", 80, "2026-10-13T10:00", "0.98"),
    ("02162345678", 90, "2026-10-13T03:00", "0.60"),
]


@pytest.mark.parametrize(("number", "seconds", "at", "fee"), EXAMPLES)
def test_the_manuals_worked_examples_by_quote(cli: Cli, number: str, seconds: int, at: str, fee: str) -> None:
    """To the digit, with steps that add up to the fee."""
    from decimal import Decimal

    result = cli("quote", number, "--seconds", str(seconds), "--at", at, "--format", "json")
    answer = json.loads(result.stdout)
    assert answer["fee"] == fee
    assert answer["currency"] == "CNY"
    assert answer["carrier"] == "022-天津-电信"
    assert sum(Decimal(step["amount"]) for step in answer["steps"]) == Decimal(fee)


def test_a_quote_has_the_contracts_keys(cli: Cli) -> None:
    """Others build on them."""
    answer = json.loads(cli("quote", "902162345678", "--seconds", "80", "--format", "json").stdout)
    contract = (
        "number normalized country region place traffic_type line_kind carrier billed_s fee currency price window steps"
    )
    assert set(contract.split()) <= set(answer)
    assert {"initial_s", "initial_fee", "step_s", "step_fee", "per_s", "tiers", "counting"} <= set(answer["price"])
    assert (answer["normalized"], answer["region"], answer["traffic_type"]) == ("+862162345678", "上海", "domestic")


def test_a_quote_reads_as_a_story_in_both_languages(cli: Cli) -> None:
    """Numbered sentences and the fee at the end."""
    english = cli("quote", "02162345678", "--seconds", "80", "--at", "2026-10-13T10:00").stdout
    assert "Fee: 0.98 CNY" in english
    assert "1. " in english
    chinese = cli("--lang", "zh", "quote", "02162345678", "--seconds", "80", "--at", "2026-10-13T10:00").stdout
    assert "话费：0.98 CNY" in chinese
    assert "国内长途" in chinese


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["report", "--month", "2026-13"], "'2026-13' is not a month", 2),
        (["report", "--month", "2026-1"], "'2026-1' is not a month", 2),
        (["report", "--by", "colour"], "cannot be grouped by 'colour'", 2),
        (["calls", "explain", "1"], "there is no call 1", 1),
        (["events", "show", "1"], "there is no event 1", 1),
        (["events", "replay", "--id", "7"], "there is no event 7", 1),
        (["quote", "1", "--seconds", "1", "--at", "noon"], "'noon' is not a time", 2),
        (["quote", "1", "--seconds", "1", "--trunk", "x"], "there is no trunk x", 2),
        (["quote", "1", "--seconds", "1", "--carrier", "x"], "there is no carrier x", 1),
        (["carriers", "remove", "022-天津-电信"], "is the default carrier", 1),
        (["carriers", "set-region", "022-天津-电信", "--area-code", "0111"], "is not an area code", 2),
        (["trunks", "add", "t", "--carrier", "nobody"], "there is no carrier nobody", 1),
        (["trunks", "remove", "t"], "there is no trunk t", 1),
        (["extensions", "remove", "1"], "there is no extension 1", 1),
        (["extensions", "import", "missing.csv"], "missing.csv cannot be read", 1),
    ],
)
def test_a_mistake_gets_a_sentence_and_a_hint(cli: Cli, arguments: list[str], message: str, code: int) -> None:
    """What, where, what to do; the exit code tells usage from failure, and stdout stays empty."""
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr


def test_without_init_the_hint_says_so(tmp_path: Path) -> None:
    """The most likely first mistake."""
    from typer.testing import CliRunner

    for command, code in ((["report"], 1), (["listen"], 3)):
        result = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "none"), *command])
        assert result.exit_code == code
        assert "ippbx-bill init" in result.stderr


def test_set_region_renames_place_and_carrier(cli: Cli) -> None:
    """The manual's right click: the place follows the area code, and the name both; its trunks stay with it."""
    assert cli("trunks", "add", "main", "--carrier", "022-天津-电信").exit_code == 0
    assert cli("carriers", "set-region", "022-天津-电信", "--area-code", "010").exit_code == 0
    rows = {row["name"]: row for row in json.loads(cli("carriers", "list", "--format", "json").stdout)}
    assert rows["010-北京-电信"] | {"decimals": 0, "crossing": 0} == {
        "name": "010-北京-电信",
        "area_code": "010",
        "place": "北京",
        "operator": "电信",
        "default": True,
        "decimals": 0,
        "crossing": 0,
        "rounding": "half_up",
        "part_second": "up",
        "tax": "0",
    }
    assert json.loads(cli("trunks", "list", "--format", "json").stdout)[0]["carrier"] == "010-北京-电信"
    answer = json.loads(cli("quote", "01062345678", "--seconds", "60", "--format", "json").stdout)
    assert answer["traffic_type"] == "local"  # Beijing is home now


def test_an_added_carrier_brings_its_standard_tariff(cli: Cli) -> None:
    """A second site's carrier can rate at once, and becomes the default when asked to."""
    assert cli("carriers", "add", "010-北京-联通").exit_code == 0
    assert cli("carriers", "add", "010-北京-联通", "--default").exit_code == 0
    answer = json.loads(cli("quote", "62345678", "--seconds", "60", "--format", "json").stdout)
    assert (answer["carrier"], answer["traffic_type"], answer["fee"]) == ("010-北京-联通", "local", "0.22")
    assert cli("carriers", "remove", "022-天津-移动").exit_code == 0
    assert "022-天津-移动" not in cli("carriers", "list").stdout


def test_extensions_are_imported_from_what_excel_saves(site: Path, cli: Cli) -> None:
    """Chinese headings, GB18030, in any order of columns."""
    file = site / "分机.csv"
    file.write_bytes("姓名,分机号码,部门名称\n张伟,8001,销售部\n李娜,8002,\n".encode("gb18030"))
    assert cli("extensions", "import", str(file)).exit_code == 0
    assert cli("extensions", "add", "8003", "--name", "王芳").exit_code == 0
    rows = list(csv.DictReader(io.StringIO(cli("extensions", "list", "--format", "csv").stdout)))
    assert [tuple(row.values()) for row in rows] == [
        ("8001", "张伟", "销售部", "8001"),
        ("8002", "李娜", "", "8002"),
        ("8003", "王芳", "", "8003"),
    ]


def test_a_faulty_import_lists_every_line_and_changes_nothing(site: Path, cli: Cli) -> None:
    """All problems at once, with their lines."""
    file = site / "bad.csv"
    file.write_text("number,name\n8001,a\n,b\n8001,c\n", encoding="utf-8")
    result = cli("extensions", "import", str(file))
    assert result.exit_code == 1
    assert "line 3: the number is missing" in result.stderr
    assert "line 4: 8001 is in line 2 already" in result.stderr
    assert json.loads(cli("extensions", "list", "--format", "json").stdout) == []


def test_an_empty_month_is_an_answer(cli: Cli) -> None:
    """No calls are zero calls, in the contract's form."""
    answer = json.loads(cli("report", "--month", "2026-10", "--format", "json").stdout)
    assert answer["rows"] == []
    nothing = {"calls": 0, "answered": 0, "duration_s": 0, "billed_s": 0, "fee": "0.00"}
    assert answer["total"].items() >= nothing.items()
    assert (answer["month"], answer["currency"], answer["by"], answer["unrated"]) == (
        "2026-10",
        "CNY",
        ["extension"],
        0,
    )


@pytest.mark.parametrize(("table", "name"), [(table, name) for table in (COMMANDS, NAMED) for name in table])
def test_each_command_of_a_table_is_what_its_help_says(table: Table, name: str) -> None:
    """Loaded, it has the name and the sentence under which it was announced, and groups have commands."""
    command = loaded(table, name)
    announced = (ROOT if table is COMMANDS else loaded(COMMANDS, "report")).commands[name]
    assert (command.name, command.help) == (name, table[name][1])
    assert command.get_short_help_str(300) == announced.get_short_help_str(300)
    assert table[name][0].endswith(":app") == bool(getattr(command, "commands", {}))


def test_a_mistyped_command_is_told_its_like(cli: Cli) -> None:
    """Among all commands and among those of a group."""
    assert "did you mean report or export? If not, see `ippbx-bill --help`." in cli("raport").stderr
    assert "did you mean list?" in cli("calls", "lst").stderr
    assert cli("raport").exit_code == 2


def test_a_command_can_be_resolved_for_completion() -> None:
    """The names that complete a word come from the table, those below a group from the loaded group."""
    ctx = ROOT.make_context("ippbx-bill", [], resilient_parsing=True)
    assert [item.value for item in ROOT.shell_complete(ctx, "re")] == ["report", "rerate", "restore"]
    _, calls, rest = ROOT.resolve_command(ctx, ["calls", "li"])
    below = calls.make_context("calls", rest, parent=ctx, resilient_parsing=True)
    assert [item.value for item in calls.shell_complete(below, "li")] == ["list", "live"]


def test_a_price_can_be_asked_for_whatever_the_dialects_are(site: Path, cli: Cli) -> None:
    """A quote and a comparison read no records: they load no dialects, and a broken one is not in their way."""
    (site / "dialects").mkdir(exist_ok=True)
    (site / "dialects" / "broken.toml").write_text("no = [toml", encoding="utf-8")
    asked = ["quote", "02162345678", "--seconds", "80", "--at", "2026-10-13T10:00"]
    assert json.loads(cli(*asked, "--format", "json").stdout)["fee"] == "0.98"
    assert cli("compare", "--month", "2026-10").exit_code == 0
    assert "broken.toml" in cli("dialects", "list").stderr
