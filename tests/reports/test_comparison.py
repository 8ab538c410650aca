"""What the month would have cost elsewhere: the fees of each carrier's own tariff, and nothing written."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from ippbx_billing.reports.comparison import Comparison, Offer
from ippbx_billing.tariffs import Carrier
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli


@pytest.fixture
def october(site: Path, cli: Cli) -> Cli:
    """A local, a domestic and an international call, and one that no carrier prices."""
    bodies = [
        gateway_cdr("8001", "958674577", 285),
        gateway_cdr("8001", "902162345678", 80),
        gateway_cdr("8001", "90014165550123", 61),
        gateway_cdr("8001", "911185", 30),
    ]
    fill(site / "inbox.db", bodies)
    cli("events", "replay")
    return cli


def answer_of(cli: Cli, *arguments: str) -> dict[str, object]:
    result = cli("compare", "--month", "2026-10", "--format", "json", *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_the_own_carriers_column_is_the_bill(october: Cli) -> None:
    """With the carrier that charged them the calls cost what they did cost."""
    report = json.loads(october("report", "--month", "2026-10", "--format", "json").stdout)
    answer = answer_of(october, "--carriers", "022-天津-电信")
    (offer,) = answer["carriers"]
    assert offer["fee"] == report["total"]["fee"]
    assert offer["unpriced"] == report["unrated"] == 1


def test_columns_add_up_and_calls_without_a_price_are_counted(october: Cli) -> None:
    """Per traffic type and in total; what a carrier has no price for is not taken for free."""
    answer = answer_of(october)
    for offer in answer["carriers"]:
        name = offer["name"]
        assert sum(Decimal(row[name]) for row in answer["rows"]) == Decimal(answer["total"][name])
    unpriced = {offer["name"]: offer["unpriced_by_traffic_type"] for offer in answer["carriers"]}
    assert unpriced["022-天津-移动"] == {"international": 1, "other": 1}
    assert unpriced["022-天津-电信"] == {"other": 1}


def test_the_cheapest_prices_the_most_calls(october: Cli) -> None:
    """A carrier that looks cheap because it leaves out the dear call is not marked."""
    marked = {offer["name"]: offer["cheapest"] for offer in answer_of(october)["carriers"]}
    assert marked == {"022-天津-电信": True, "022-天津-联通": True, "022-天津-移动": False}


def test_a_carrier_elsewhere_sees_the_same_number_as_a_distant_one(october: Cli) -> None:
    """From Shanghai the Tianjin number is a long-distance call."""
    assert october("carriers", "add", "021-上海-电信").exit_code == 0
    answer = answer_of(october, "--carriers", "021-上海-电信")
    local = next(row for row in answer["rows"] if row["traffic_type"] == "local")
    assert local["021-上海-电信"] == "3.36"  # 48 steps of 6 s at 0.07


def test_nothing_is_written(october: Cli, site: Path) -> None:
    """Neither calls nor charges change."""
    before = october("calls", "list", "--format", "json").stdout
    answer_of(october)
    assert october("calls", "list", "--format", "json").stdout == before


def test_an_unknown_carrier_is_named(october: Cli) -> None:
    """With the ones that there are."""
    result = october("compare", "--month", "2026-10", "--carriers", "x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no carrier x" in result.stderr


MOBILE = "022-天津-移动"


def test_what_has_no_price_is_no_zero_in_any_form(october: Cli, tmp_path: Path) -> None:
    """The cell says how many calls it leaves out, the sum that it is not whole, and the note is in each document."""
    table = october("compare", "--month", "2026-10", "--carriers", MOBILE).stdout
    rows = {line.split()[0]: " ".join(line.split()) for line in table.splitlines() if line.strip()}
    assert "unpriced 1" in rows["international"]
    assert "≥ " in rows["total"]
    for form in ("html", "markdown"):
        text = october("compare", "--month", "2026-10", "--format", form).stdout
        assert "unpriced 1" in text
        assert "≥ " in text
        assert "has no price for 2 calls" in text
    header, *lines = october("compare", "--month", "2026-10", "--format", "csv").stdout.splitlines()
    row = dict(
        zip(header.split(","), next(line for line in lines if line.startswith("intern")).split(","), strict=True)
    )
    assert (row[MOBILE], row[f"unpriced {MOBILE}"]) == ("0.00", "1")


def test_the_workbook_says_it_too_and_still_adds_up(october: Cli, tmp_path: Path) -> None:
    """What is not known is text, a sum that is not whole is a number that says so."""
    from openpyxl import load_workbook

    path = tmp_path / "compare.xlsx"
    assert october("compare", "--month", "2026-10", "--carriers", MOBILE, "--output", str(path)).exit_code == 0
    book = load_workbook(path, data_only=True)
    cells = [cell for sheet in book for line in sheet.iter_rows() for cell in line]
    assert [cell.value for cell in cells].count("unpriced 1") == 2
    (part,) = [cell for cell in cells if "≥" in cell.number_format]
    assert isinstance(part.value, float)


def test_a_carrier_without_prices_is_never_the_cheapest(october: Cli) -> None:
    """Neither alone nor beside others; its column has no zero."""
    assert october("carriers", "add", "010-北京-联通").exit_code == 0
    for price in json.loads(october("tariffs", "show", "010-北京-联通", "--format", "json").stdout):
        assert october("tariffs", "remove", str(price["id"])).exit_code == 0
    for carriers in ("010-北京-联通", f"010-北京-联通,{MOBILE}"):
        (offer, *_) = answer_of(october, "--carriers", carriers)["carriers"]
        assert (offer["name"], offer["unpriced"], offer["cheapest"]) == ("010-北京-联通", 4, False)
    table = october("compare", "--month", "2026-10", "--carriers", "010-北京-联通")
    assert "0.00" not in table.stdout
    assert "*" not in table.stdout + table.stderr


def offer_of(name: str, fees: int, *without: int) -> Offer:
    return Offer(Carrier(name, "", "", name), Counter(local=fees), Counter(local=len(without)), set(without))


def test_sums_of_different_calls_are_not_compared() -> None:
    """Two carriers that each leave another call without a price: which one is cheaper nobody can say."""
    calls = Counter(local=3)
    assert Comparison(calls, (offer_of("a", 5, 1), offer_of("b", 3, 2))).cheapest == ()
    same = Comparison(calls, (offer_of("a", 5, 1), offer_of("b", 3, 1), offer_of("c", 0, 1, 2)))
    assert [one.carrier.name for one in same.cheapest] == ["b"]
