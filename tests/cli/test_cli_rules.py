"""`filters` and `holidays`: what the site knows better, wired into rating."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippbx_billing.cli import common
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli


def rows(cli: Cli, *arguments: str) -> list[dict[str, object]]:
    result = cli(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_a_cleanup_takes_off_what_is_only_dialled(cli: Cli) -> None:
    """The manual's example: 1795102258674577 becomes 02258674577, a local number."""
    before = rows(cli, "quote", "1795102258674577", "--seconds", "60")
    assert cli("filters", "cleanup", "add", "17951", "--length", "5", "--delete", "5").exit_code == 0
    after = rows(cli, "quote", "1795102258674577", "--seconds", "60")
    assert (before["traffic_type"], after["traffic_type"]) == ("ip_long_distance", "local")
    assert rows(cli, "filters", "cleanup", "list") == [{"prefix": "17951", "length": 5, "delete": 5}]
    assert cli("filters", "cleanup", "remove", "17951").exit_code == 0
    assert rows(cli, "filters", "cleanup", "list") == []


def test_a_filtered_call_is_kept_marked_and_on_no_bill(cli: Cli, site: Path) -> None:
    """The reason names the filter; the report counts it apart."""
    assert cli("filters", "cdr", "add", "--direction", "outbound", "--extension", "80X9").exit_code == 0
    fill(site / "inbox.db", [gateway_cdr("8009", "958674577", 64), gateway_cdr("8001", "958674577", 64)])
    cli("events", "replay")
    filtered, billed = rows(cli, "calls", "list")
    assert (filtered["status"], filtered["fee"]) == ("filtered", "0.00")
    assert filtered["reason"] == "left out by call filter 1: direction outbound, extension 80X9"
    assert billed["status"] == "rated"
    report = rows(cli, "report", "--month", "2026-10")
    assert (report["total"]["calls"], report["filtered"]) == (1, 1)
    assert cli("filters", "cdr", "remove", "1").exit_code == 0
    cli("events", "replay", "--all")
    assert {call["status"] for call in rows(cli, "calls", "list")} == {"rated"}


def test_a_day_of_the_sites_own_goes_before_the_calendar(cli: Cli) -> None:
    """An entry is shown with its note, and removed again."""
    assert cli("holidays", "add", "2026-12-30", "holiday", "--to", "2026-12-31", "--note", "公司假").exit_code == 0
    listed = {row["day"]: row for row in rows(cli, "holidays", "list", "--year", "2026")}
    assert listed["2026-12-31"] == {"day": "2026-12-31", "kind": "holiday", "own": True, "note": "公司假"}
    assert listed["2026-10-10"]["kind"] == "working"  # a Saturday worked for the National Day
    assert "2026-10-13" not in listed
    assert cli("holidays", "remove", "2026-12-31").exit_code == 0
    assert "2026-12-31" not in {row["day"] for row in rows(cli, "holidays", "list", "--year", "2026")}


def test_a_provisional_year_is_told(cli: Cli) -> None:
    """The make-up days of 2027 are not published yet."""
    assert "2027 is provisional" in cli("holidays", "list", "--year", "2027").stderr


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["filters", "cleanup", "add", "17x", "--delete", "5"], "the prefix '17x' is not a number", 2),
        (["filters", "cleanup", "add", "17", "--delete", "5", "--length", "3"], "3 digits of 17 cannot be compared", 2),
        (["filters", "cleanup", "remove", "17951"], "there is no clean-up of 17951", 1),
        (["filters", "cdr", "add"], "would leave out every call", 2),
        (["filters", "cdr", "remove", "9"], "there is no call filter 9", 1),
        (["holidays", "add", "2026-02-30", "rest"], "'2026-02-30' is not a day", 2),
        (["holidays", "add", "2026-02-03", "rest", "--to", "2026-02-01"], "is not a run of days", 2),
        (["holidays", "remove", "2026-02-03"], "2026-02-03 has no entry", 1),
    ],
)
def test_a_mistake_gets_a_sentence(cli: Cli, arguments: list[str], message: str, code: int) -> None:
    """What, where, what to do; nothing is written."""
    result = cli(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert "hint: " in result.stderr


def test_a_carrier_rounds_as_it_says(cli: Cli) -> None:
    """To the tenth of a yuan, from 0.98 to 1.0; and to what a split call costs."""
    assert cli("carriers", "set", "022-天津-电信", "--decimals", "1", "--crossing", "split").exit_code == 0
    arguments = ("--seconds", "80", "--at", "2026-10-13T10:00")
    assert rows(cli, "quote", "02162345678", *arguments)["fee"] == "1.0"
    over_seven = ("--seconds", "12", "--at", "2026-10-13T06:59:54")
    cli("carriers", "set", "022-天津-电信", "--decimals", "2")
    assert rows(cli, "quote", "02162345678", *over_seven)["fee"] == "0.11"  # 0.04 before seven, 0.07 after
    assert cli("carriers", "set", "022-天津-电信").exit_code == 2


def test_a_report_says_when_the_calendar_may_still_change(cli: Cli) -> None:
    """The standard tariff's 193/196 rows go by days off, and those of 2027 are not published."""
    assert "2027 is provisional" in cli("report", "--month", "2027-02").stderr
    assert "provisional" not in cli("report", "--month", "2026-02").stderr


def test_a_carrier_goes_out_and_in_with_its_tariff(cli: Cli, site: Path) -> None:
    """Export, remove, import: the carrier is back with every price."""
    file = site / "mobile.toml"
    before = rows(cli, "tariffs", "show", "022-天津-移动")
    assert cli("carriers", "export", "022-天津-移动", "--output", str(file)).exit_code == 0
    assert cli("carriers", "remove", "022-天津-移动").exit_code == 0
    assert cli("carriers", "import", str(file), "--yes").exit_code == 0
    after = rows(cli, "tariffs", "show", "022-天津-移动")
    assert [{**row, "id": 0} for row in after] == [{**row, "id": 0} for row in before]


def test_an_import_names_numbers_that_lose_their_price(
    cli: Cli, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new list without Japan, which was called this month; rows that no call finds are named as well."""
    monkeypatch.setattr(common, "now", lambda: datetime(2026, 11, 20, tzinfo=UTC))
    assert cli("carriers", "add", "test", "--operator", "acme", "--default", "--no-standard").exit_code == 0
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("prefix,rate,increments,effective date\n81,1,60,2026-01-01\n44,1,60,2026-01-01\n", encoding="utf-8")
    new.write_text(
        "prefix,rate,increments,effective date\n44,2,60,2026-11-01\n49030,1,60,2026-11-01\n", encoding="utf-8"
    )
    imported = cli("tariffs", "import", str(old), "--carrier", "test", "--yes")
    assert imported.exit_code == 0
    assert "61 s, international 81…: 2.00 CNY" in imported.stderr
    fill(site / "inbox.db", [gateway_cdr("8001", "9008133445566", 64)])
    cli("events", "replay")
    asked = cli("tariffs", "import", str(new), "--carrier", "test", "--replace", stdin="n\n")
    assert "008133445566, called 1 times of late, has no price any more" in asked.stderr
    assert "49030: no call finds it" in asked.stderr
    assert "3 added, 0 changed, 0 removed, 0 as before" in asked.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--initial", "60:1", "--step", "60:1", "--tier", "30:60:0.1"),
            "分段须在其前面的部分之后开始，而不是第 30 秒",
        ),
        (("--flat", "1", "--maximum", "0.5", "--minimum", "1"), "封顶费用不能低于最低收费"),
    ],
)
def test_a_price_that_cannot_be_is_refused_in_the_readers_language(
    cli: Cli, options: tuple[str, ...], said: str
) -> None:
    """What is wrong, and where to look."""
    refused = cli("--lang", "zh", "tariffs", "set", "022-天津-电信", "other", *options)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "tariffs set --help" in refused.stderr
