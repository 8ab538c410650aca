"""The lines below a bill's calls: shares of plans, mark-up and tax, on every face; sums of calls stay untouched."""

import csv
import io
import json
import random
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from ippbx_billing import money
from ippbx_billing.cli.app import app
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import Period
from ippbx_billing.reports.bills import Billing
from ippbx_billing.tariffs.plans import Plan, VolumeStep
from ippbx_billing.tariffs.terms import BillingTerms
from tests.bodies import fill, gateway_cdr
from tests.books import Books, opened
from tests.conftest import Cli

OCTOBER = Period.month("2026-10", date(2026, 11, 1))
FIRST = date(2026, 10, 1)
CARRIER = "022-天津-电信"
LOCAL, SHANGHAI = "958674577", "902162345678"
STAFF = (
    ("employees", "add", "1001", "张三", "--department", "公司/工程部", "--extension", "8001"),
    ("employees", "add", "1002", "李四", "--department", "公司/销售部", "--extension", "8002"),
    ("tariffs", "set", CARRIER, "local", "--line-kind", "fixed", "--initial", "180:0.60", "--step", "60:0.10",
     "--from", "2026-01-01"),
    ("tariffs", "set", CARRIER, "domestic", "--rate", "0.60", "--increments", "60/60", "--from", "2026-01-01"),
)  # fmt: skip
CALLS = (
    ("2026-10-05 09:00:00", "8001", LOCAL, 600),  # 1.30
    ("2026-10-06 09:00:00", "8002", LOCAL, 300),  # 0.80
    ("2026-10-07 09:00:00", "8001", LOCAL, 420),  # 1.00
    ("2026-10-08 09:00:00", "8002", SHANGHAI, 60),  # 0.60
    ("2026-10-09 09:00:00", "8003", LOCAL, 60),  # 0.60, nobody's
)


@pytest.fixture(scope="module")
def october(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with five rated calls of two people and an extension that is nobody's."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("lines") / "data"))
    fill(site / "inbox.db", [gateway_cdr(who, to, talk, start=start) for start, who, to, talk in CALLS])
    for command in (*STAFF, ("events", "replay")):
        result = CliRunner().invoke(app, ["--data-dir", str(site), *command])
        assert result.exit_code == 0, result.output
    return site


@pytest.fixture
def site(october: Path, tmp_path: Path) -> Path:
    """Its own copy for each test that sets plans."""
    return Path(shutil.copytree(october, tmp_path / "data"))


def bill(cli: Cli, *arguments: str) -> dict[str, Any]:
    result = cli("bill", "--month", "2026-10", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def told(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["line"], row["name"], row["amount"]) for row in found["lines"]]


def done(cli: Cli, *words: str) -> str:
    result = cli(*words)
    assert result.exit_code == 0, result.output
    return result.stdout + result.stderr


def seventeen_minutes_free(cli: Cli) -> None:
    """A plan of local calls, for the whole site."""
    plan = ("17 min", "--free-minutes", "17", "--traffic-type", "local", "--from", str(FIRST))
    done(cli, "tariffs", "plans", "set", *plan)


def test_without_plans_and_terms_nothing_is_different(cli: Cli) -> None:
    """No line, no column, no fact: yesterday's bill."""
    assert bill(cli, "--company")["lines"] == []
    assert "paid" not in cli("bill", "--month", "2026-10", "--company").stdout
    header = cli("bill", "--month", "2026-10", "--company", "--format", "csv").stdout.splitlines()[0]
    assert header.endswith("unpriced,currency")


def test_free_minutes_are_shared_in_the_order_of_time(cli: Cli) -> None:
    """Of 17 minutes 张三 uses 10 and 2, 李四 5; the call that is covered in part costs what one of the rest costs."""
    seventeen_minutes_free(cli)
    company = bill(cli, "--company")
    # The third call has 5 of its 7 minutes left: 0.60 + 2 × 0.10 = 0.80, so that 0.20 are taken off.
    assert told(company) == [("calls", None, "4.30"), ("plan", "17 min", "-2.30"), ("gross", None, "2.00")]
    assert told(bill(cli, "--employee", "1001")) == [
        ("calls", None, "2.30"),
        ("plan", "17 min", "-1.50"),
        ("gross", None, "0.80"),
    ]
    (line,) = [row for row in bill(cli, "--employee", "1002")["lines"] if row["line"] == "plan"]
    assert (line["amount"], line["calls"], line["billed_s"], line["kind"]) == ("-0.80", 1, 300, "free_time")
    assert company["total"]["fee"] == "4.30", "sums of calls stay untouched"
    explained = bill(cli, "--company", "--explain-lines")["explained"]
    assert [(one["call"], one["seconds"], one["amount"]) for one in explained] == [
        (1, 600, "-1.30"),
        (2, 300, "-0.80"),
        (3, 120, "-0.20"),
    ]


def test_a_call_names_the_plan_that_covered_it(cli: Cli) -> None:
    """In `calls explain`, in words and as JSON; a call that none covered has none."""
    seventeen_minutes_free(cli)
    assert "Plan 17 min: 2:00 counted, -0.20 CNY on the month's bill." in done(cli, "calls", "explain", "3")
    assert "套餐 17 min：计入 2:00" in done(cli, "--lang", "zh", "calls", "explain", "3")
    (part,) = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)["plans"]
    assert part == {
        "plan": "17 min", "kind": "free_time", "unit": None, "call": 1, "seconds": 600, "amount": "-1.30",
    }  # fmt: skip
    assert json.loads(cli("calls", "explain", "4", "--format", "json").stdout)["plans"] == []


def test_where_calls_are_cut_the_free_time_is_their_beginning(cli: Cli, site: Path) -> None:
    """A call runs from a dear window into a cheap one: what is left of it is the cheap end."""
    done(cli, "carriers", "set", CARRIER, "--crossing", "split")
    done(cli, "tariffs", "set", CARRIER, "domestic", "--rate", "0.60", "--increments", "60/60", "--from", "2026-10-10",
         "--window", "daily 09:01-24:00 60:0.10 60:0.10")  # fmt: skip
    fill(site / "inbox.db", [gateway_cdr("8001", SHANGHAI, 120, start="2026-10-10 09:00:00", ring_s=0)])
    done(cli, "events", "replay")
    done(cli, "tariffs", "plans", "set", "1 min", "--free-minutes", "1", "--scope", "extension=8001",
         "--traffic-type", "domestic", "--from", str(FIRST))  # fmt: skip
    (part,) = bill(cli, "--employee", "1001", "--explain-lines")["explained"]
    assert (part["fee"], part["amount"]) == ("0.70", "-0.60")


def test_the_rest_of_a_call_that_no_price_explains_is_its_share(cli: Cli) -> None:
    """The carrier takes a tax since the call was rated: 300 of 420 s keep that share of its fee of 1.00."""
    done(cli, "carriers", "set", CARRIER, "--tax", "13")
    seventeen_minutes_free(cli)
    explained = bill(cli, "--company", "--explain-lines")["explained"]
    assert [(one["call"], one["amount"]) for one in explained] == [(1, "-1.30"), (2, "-0.80"), (3, "-0.29")]


def test_mark_up_and_tax_by_department(cli: Cli) -> None:
    """Ten percent and two cents a call on 工程部, six percent tax on all of 公司; each line can be checked by hand."""
    done(cli, "departments", "terms", "set", "公司", "--tax", "6", "--from", str(FIRST))
    done(cli, "departments", "terms", "set", "工程部", "--markup", "10", "--per-call", "0.02", "--from", str(FIRST))
    found = bill(cli, "--department", "公司/工程部")
    assert [(row["line"], row["percent"], row["of"], row["calls"], row["amount"]) for row in found["lines"]] == [
        ("calls", None, None, 2, "2.30"),
        ("markup", "10", "2.30", 2, "0.27"),
        ("net", None, None, None, "2.57"),
        ("tax", "6", "2.57", None, "0.15"),
        ("gross", None, None, None, "2.72"),
    ]
    company = bill(cli, "--company")
    # 4.30 + 0.27; the call of 0.60 that is nobody's is not taxed: 6 % of 2.57 + 1.40
    assert told(company)[2:] == [("net", None, "4.57"), ("tax", None, "0.24"), ("gross", None, "4.81")]
    assert [row["of"] for row in company["lines"] if row["line"] == "tax"] == ["3.97"]
    rows = json.loads(cli("departments", "terms", "list", "--format", "json").stdout)
    assert [(row["department"], row["markup_percent"], row["markup_per_call"], row["tax_percent"]) for row in rows] == [
        ("公司", None, None, "6"),
        ("公司/工程部", "10", "0.02", None),
    ]
    done(cli, "departments", "terms", "remove", "公司")
    assert told(bill(cli, "--employee", "1002")) == [("calls", None, "1.40"), ("gross", None, "1.40")]
    assert cli("departments", "terms", "remove", "公司").exit_code == 1


def test_terms_of_the_site_and_from_a_later_day(cli: Cli) -> None:
    """Nobody's calls are the site's; what begins in November changes no bill of October."""
    done(cli, "departments", "terms", "set", "--tax", "6", "--from", "2026-11-01")
    assert told(bill(cli, "--company"))[-1] == ("gross", None, "4.30")
    done(cli, "departments", "terms", "set", "--tax", "10", "--from", str(FIRST))
    assert told(bill(cli, "--company"))[-2:] == [("tax", None, "0.43"), ("gross", None, "4.73")]


def test_a_monthly_fee_is_on_the_bill_of_whoever_it_is_for(cli: Cli) -> None:
    """An extension's on its holder's, a department's on the department's, the site's on the company's alone."""
    for name, scope in (("line", "extension"), ("desk", "department=公司/工程部"), ("house", "site")):
        done(cli, "tariffs", "plans", "set", name, "--monthly-fee", "5", "--scope", scope, "--from", str(FIRST))

    def fees(*arguments: str) -> list[str]:
        lines = bill(cli, *arguments)["lines"]
        return [f"{row['name']} {row['unit'] or ''} {row['amount']}" for row in lines if row["line"] == "plan"]

    assert fees("--employee", "1001") == ["line 8001 5.00"]
    assert fees("--department", "公司/工程部") == ["line 8001 5.00", "desk 公司/工程部 5.00"]
    assert fees("--company") == ["line 8001 5.00", "line 8002 5.00", "desk 公司/工程部 5.00", "house  5.00"]


def test_an_unpriced_call_keeps_the_whole_open(cli: Cli, site: Path) -> None:
    """What is to be paid says that it is at least that; so does the share of somebody whose pool it may yet use."""
    with Ledger(site / "ledger.db") as ledger:
        ledger.book.end_prices(one.id for one in ledger.book.prices() if one.traffic_type == "hk_mo_tw" and one.id)
    fill(site / "inbox.db", [gateway_cdr("8002", "90085221234567", 60, start="2026-10-04 09:00:00")])
    done(cli, "events", "replay")
    done(cli, "tariffs", "plans", "set", "2 included", "--included", "2.00", "--from", str(FIRST))
    whole = cli("bill", "--month", "2026-10", "--company").stdout
    assert "To be paid: ≥ 2.30 CNY" in whole
    own = bill(cli, "--employee", "1001")
    assert own["unrated"] == 0
    assert told(own) == [("calls", None, "2.30"), ("plan", "2 included", "-1.30"), ("gross", None, "1.00")]
    assert [row["unpriced"] for row in own["lines"]] == [0, 1, 1]
    assert "To be paid: ≥ 1.00 CNY" in cli("bill", "--month", "2026-10", "--employee", "1001").stdout


# --- every face --------------------------------------------------------------------------------------------------


@pytest.fixture
def planned(cli: Cli) -> Cli:
    """The site with a plan and terms."""
    seventeen_minutes_free(cli)
    done(cli, "departments", "terms", "set", "--markup", "10", "--tax", "6", "--from", str(FIRST))
    return cli


def test_csv_has_the_lines_below_the_sums(planned: Cli) -> None:
    """Marked by `line`, so that whoever adds up takes `sum` alone."""
    text = planned("bill", "--month", "2026-10", "--employee", "1001", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["line"], row["plan"], row["fee"]) for row in rows] == [
        ("sum", "", "2.30"),
        ("calls", "", "2.30"),
        ("plan", "17 min", "-1.50"),
        ("markup", "", "0.08"),
        ("net", "", "0.88"),
        ("tax", "", "0.05"),
        ("gross", "", "0.93"),
    ]
    assert {row["number"] for row in rows} == {"1001"}
    parts = planned("bill", "--month", "2026-10", "--employee", "1001", "--explain-lines", "--format", "csv").stdout
    assert [(row["employee"], row["call"], row["amount"]) for row in csv.DictReader(io.StringIO(parts))] == [
        ("1001", "1", "-1.30"),
        ("1001", "3", "-0.20"),
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_paper_and_pages_show_the_lines(planned: Cli, tmp_path: Path, lang: str) -> None:
    """Terminal, HTML, Markdown and PDF say the same in either language."""
    words = {
        "en": ["Plans, mark-up and tax", "17 min", "Mark-up 10 %", "Tax 6 %", "To be paid", "-1.50", "0.93"],
        "zh": ["套餐、加价与税", "17 min", "加价 10 %", "税 6 %", "应付金额", "-1.50", "0.93"],
    }[lang]
    command = ["--lang", lang, "bill", "--month", "2026-10", "--employee", "1001", "--explain-lines"]
    for form in ("table", "html", "markdown"):
        text = planned(*command, "--format", form).stdout
        assert [word for word in words if word not in text] == [], form
    path = tmp_path / "bill.pdf"
    done(planned, *command, "--output", str(path))
    assert path.read_bytes().startswith(b"%PDF")


def test_a_workbook_has_numbers(planned: Cli, tmp_path: Path) -> None:
    """The amounts of the lines are numbers that a spreadsheet adds up."""
    path = tmp_path / "bill.xlsx"
    done(planned, "bill", "--month", "2026-10", "--employee", "1001", "--output", str(path))
    cells = [cell.value for sheet in load_workbook(path) for row in sheet.iter_rows() for cell in row]
    assert "17 min" in cells
    assert any(Decimal(str(value)) == Decimal("-1.5") for value in cells if isinstance(value, int | float))


def test_the_overview_of_all_has_the_companys_lines(planned: Cli) -> None:
    """`--all` in the terminal is one table, and what the company owes."""
    text = planned("bill", "--month", "2026-10", "--all").stdout
    assert "17 min" in text
    every = json.loads(planned("bill", "--month", "2026-10", "--all", "--format", "json").stdout)["bills"]
    assert [one["lines"][-1]["amount"] for one in every] == ["0.93", "0.70"]


def test_the_months_report_names_the_lines_in_a_note(planned: Cli) -> None:
    """Its sums stay those of the calls; a report of a part, or of no whole month, says nothing of them."""
    told = planned("report", "--month", "2026-10")
    assert "plan 17 min: -2.30 on the month's bill, not in these sums" in told.stderr
    found = json.loads(planned("report", "--month", "2026-10", "--format", "json").stdout)
    assert found["coverage"]["plans"] == [{"name": "17 min", "amount": "-2.30"}]
    assert found["total"]["fee"] == "4.30"
    assert "plan" not in planned("report", "--month", "2026-10", "--trunk", "1").stderr
    assert "plan" not in planned("report", "--from", "2026-10-02", "--to", "2026-10-31").stderr


# --- many calls, whoever's they are -----------------------------------------------------------------------------


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """A month of 400 calls of ten extensions that five people and nobody have, one of which changes hands."""
    choose = random.Random(3)
    with opened(tmp_path / "ledger.db") as found:
        directory = found.ledger.directory
        for number in range(5):
            directory.add_employee(f"100{number}", f"员工{number}", f"公司/部门{number % 2}")
            directory.assign(f"800{number}", date.min, employee=f"100{number}")
        directory.assign("8000", date(2026, 10, 15), employee="1003")
        for _ in range(400):
            found.call(
                f"2026-10-{choose.randint(1, 31):02d} {choose.randint(0, 23):02d}:{choose.randint(0, 59):02d}:00",
                f"800{choose.randint(0, 9)}",
                fee=choose.choice(["0.00", "0.11", "0.22", "1.37", None]),
                talk_s=choose.randint(1, 900),
                traffic_type=choose.choice(["local", "domestic"]),
                trunk=f"FXO-{choose.randint(1, 2)}",
            )
        found.write()
        yield found


def all_sorts_of_plans() -> list[Plan]:
    def made(name: str, **more: Any) -> Plan:
        return Plan(name=name, effective_from=FIRST, **more)

    return [
        made("house", kind="free_time", included_s=36_000),
        made("own", kind="free_time", included_s=600, scope="extension"),
        made("desk", kind="included_amount", amount_micro=9_000_000, scope="department", scope_value="公司/部门0"),
        made("volume", kind="volume", steps=(VolumeStep(18_000, percent_off=20_000_000),), scope="trunk"),
        made("rent", kind="monthly_fee", amount_micro=7_000_000, scope="extension"),
    ]


def test_shares_of_all_add_up_to_the_companys_lines(books: Books) -> None:
    """Each plan's line of the company is what all personal bills and nobody's extensions used of it, to the cent."""
    books.ledger.plans.put(*all_sorts_of_plans())
    billing = Billing(books.ledger, books.view, OCTOBER)
    company = billing.of_company()

    def sums(statements: list[Any]) -> dict[tuple[str, str | None], Decimal]:
        found: dict[tuple[str, str | None], Decimal] = {}
        for one in statements:
            for row in one.lines:
                if row["line"] == "plan":
                    key = row["name"], row["unit"]
                    found[key] = found.get(key, Decimal()) + Decimal(row["amount"])
        return found

    wanted = sums([company])
    assert {name for name, _ in wanted} == {"house", "own", "desk", "volume", "rent"}
    people = sums(list(billing.of_everybody()))
    departments = sums([billing.of_department("公司")])
    nobodys = {key: amount for key, amount in wanted.items() if people.get(key) != amount}
    assert {name for name, _ in nobodys} <= {"house", "own", "volume"}, "only these cover nobody's extensions"
    assert departments == people, "the departments' calls are those of their people"
    for key, amount in wanted.items():
        assert abs(people.get(key, Decimal())) <= abs(amount)
    assert [one.lines for one in billing.of_everybody()] == [
        billing.of_employee(str(one.number)).lines for one in billing.of_everybody()
    ], "the same lines alone and among all"
    total = Decimal(company.total["fee"]) + sum(wanted.values())
    assert Decimal(company.lines[-1]["amount"]) == total


def test_lines_are_kept_when_departments_are_renamed(books: Books) -> None:
    """A plan and terms of a department follow its name and its place."""
    ledger = books.ledger
    ledger.plans.put(*all_sorts_of_plans())
    ledger.plans.put_terms(BillingTerms("公司/部门0", FIRST, tax_percent=6 * money.MICRO))
    ledger.directory.rename_department("公司/部门0", "财务")
    assert [one.scope_value for one in ledger.plans.plan("desk")] == ["公司/财务"]
    assert [one.department for one in ledger.plans.terms()] == ["公司/财务"]
    lines = Billing(ledger, books.view, OCTOBER).of_department("财务").lines
    assert {"desk"} <= {row["name"] for row in lines}
    assert any(row["line"] == "tax" for row in lines)


def test_a_rebuilt_ledger_keeps_plans_and_terms(cli: Cli, planned: Cli) -> None:
    """They cannot be worked out from events."""
    before = bill(cli, "--company")["lines"]
    done(cli, "events", "rebuild")
    assert bill(cli, "--company")["lines"] == before
