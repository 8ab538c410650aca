"""What cannot be meant is refused with what can; what is not to be done is said, and leaves no empty file."""

import json
from pathlib import Path

import pytest

from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli


@pytest.mark.parametrize(
    ("arguments", "message", "what_can_be"),
    [
        (["report", "--output", "october.doc"], "no form is known for the ending .doc", ".pdf .xlsx .html"),
        (["calls", "list", "-o", "calls.xslx"], "no form is known for the ending .xslx", "--format"),
        (["report", "--month", ""], "--month is empty", "2026-10, or say this or last"),
        (["bill", "--month", " ", "--company"], "--month is empty", "2026-10, or say this or last"),
        (["compare", "--month", ""], "--month is empty", "2026-10"),
        (["report", "--from", ""], "--from is empty", "leave --from out"),
        (["report", "--year", ""], "--year is empty", "leave --year out"),
        (["report", "--extension", ""], "--extension is empty", "leave --extension out"),
        (["calls", "list", "--number", ""], "--number is empty", "leave --number out"),
        (["report", "ranking", "--department", ""], "--department is empty", "leave --department out"),
        (["quote", "", "--seconds", "60"], "the number is empty", "902162345678"),
        (["numbers", "lookup", "58674577", ""], "the number is empty", "902162345678"),
        (["extensions", "add", ""], "'' is not an extension", "without spaces: 8001"),
        (["extensions", "add", "80 01"], "'80 01' is not an extension", "without spaces: 8001"),
        (["employees", "add", "1001", "张三", "--extension", "8001 "], "'8001 ' is not an extension", "8001"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(
    cli: Cli, arguments: list[str], message: str, what_can_be: str
) -> None:
    """Mostly a slip of the pen, or a script's variable that holds nothing."""
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert what_can_be in result.stderr


def test_a_list_names_each_line_without_an_extension(cli: Cli, tmp_path: Path) -> None:
    """The check is the directory's own, whichever way an extension comes in."""
    (tmp_path / "list.csv").write_text("分机,姓名\n8001,张三\n80 02,李四\n", encoding="utf-8")
    result = cli("extensions", "import", str(tmp_path / "list.csv"))
    assert result.exit_code == 1
    assert "'80 02' is not an extension" in result.stderr
    assert cli("extensions", "list", "--format", "json").stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["report.txt", "report", "report.html", "REPORT.PDF", "a.b/report"])
def test_known_endings_and_none_are_taken(cli: Cli, tmp_path: Path, name: str) -> None:
    """A name without an ending is the table as text; a dot in a folder is none."""
    (tmp_path / "a.b").mkdir()
    assert cli("report", "--month", "2026-10", "--output", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / name).stat().st_size


def test_an_ending_does_not_matter_where_the_form_is_named(cli: Cli, tmp_path: Path) -> None:
    """`--format` has the last word."""
    assert cli("carriers", "list", "--format", "json", "--output", str(tmp_path / "list.dat")).exit_code == 0
    assert json.loads((tmp_path / "list.dat").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bill", "--month", "2026-09", "--all", "--output", "FILE.pdf"], "nobody has calls in 2026-09"),
        (["bill", "--month", "2026-09", "--all", "--output", "FILE.csv"], "nobody has calls in 2026-09"),
        (["bill", "--month", "2026-09", "--all", "--out-dir", "FILE"], "nobody has calls in 2026-09"),
        (["events", "replay"], "no event waits to be read again"),
        (["rerate", "--month", "2026-09"], "there is no such call in these days"),
        (["dialects", "suggest", "--rejected", "--write", "mine"], "no call record was rejected"),
    ],
)
def test_nothing_to_do_is_said_and_leaves_no_file(cli: Cli, tmp_path: Path, arguments: list[str], told: str) -> None:
    """It is not a failure, and nobody opens a file with nothing in it."""
    before = {path.name for path in (tmp_path / "data").rglob("*.toml")}
    result = cli(*(one.replace("FILE", str(tmp_path / "out")) for one in arguments))
    assert result.exit_code == 0, result.stderr
    assert "nothing to do: " + told in result.stderr
    assert not list(tmp_path.glob("out*"))
    assert {path.name for path in (tmp_path / "data").rglob("*.toml")} == before


def test_a_report_of_nothing_names_the_months_that_have_calls(site: Path, cli: Cli) -> None:
    """In words below the table and on paper, and for programs; a report that has calls does not."""
    days = ["2026-08-03 10:00:00", "2026-10-05 10:00:00", "2026-10-06 10:00:00"]
    fill(site / "inbox.db", [gateway_cdr("8001", "902162345678", 61, start=day) for day in days])
    assert cli("events", "replay").exit_code == 0
    empty = cli("report", "--month", "2026-09")
    assert "no calls in 2026-09" in empty.stdout
    assert "months with calls: 2026-08, 2026-10" in empty.stderr
    assert "有通话的月份：2026-08, 2026-10" in cli("--lang", "zh", "report", "--month", "2026-09").stderr
    document = json.loads(cli("report", "ranking", "--month", "2026-09", "--format", "json").stdout)
    assert document["coverage"]["other_months"] == ["2026-08", "2026-10"]
    assert "months with calls: 2026-08, 2026-10" in cli("report", "--month", "2026-09", "--format", "html").stdout
    full = cli("report", "--month", "2026-10", "--format", "json")
    assert json.loads(full.stdout)["coverage"]["other_months"] == []
