"""Bills: whose calls are on them, that the sums are those of the calls, and the files they come in."""

import csv
import io
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli import common
from ippbx_billing.cli.app import app
from ippbx_billing.cli.reports.bill import coverage_of
from ippbx_billing.errors import BillingError
from ippbx_billing.files import together
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.reports import Period, View, WantedCalls, calls
from ippbx_billing.reports.bills import Billing, Statement
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

OCTOBER = Period.month("2026-10", date(2026, 11, 1))
NUMBERS = ("958674577", "902162345678", "913800138000", "900442079460000", "910086", "94006008888")
STAFF = (
    ("departments", "add", "公司/工程部/一组", "公司/工程部/二组", "公司/销售部"),
    ("employees", "add", "1001", "张三", "--department", "公司/工程部/一组", "--extension", "8001"),
    ("employees", "add", "1002", "李四", "--department", "公司/销售部", "--extension", "8002"),
    ("employees", "add", "1003", "王芳", "--department", "公司/工程部/二组"),
    ("employees", "add", "1004", "张三", "--department", "公司/销售部"),
    ("extensions", "assign", "8002", "1003", "--from", "2026-10-15"),
    ("extensions", "add", "8003", "--employee", "1002"),
    ("extensions", "add", "8004", "--department", "公司/销售部"),
    ("filters", "cdr", "add", "--extension", "8006"),
)


@pytest.fixture(scope="module")
def month(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose October has all sorts of calls: an extension changes hands, one is nobody's, one is filtered."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("bills") / "data"))
    for command in STAFF:
        result = CliRunner().invoke(app, ["--data-dir", str(site), *command])
        assert result.exit_code == 0, result.output
    choose = random.Random(5)
    fill(
        site / "inbox.db",
        [
            gateway_cdr(
                f"800{choose.randint(1, 6)}",
                choose.choice(NUMBERS),
                choose.choice((0, 4, 64, 80, 285)),
                start=f"2026-10-{choose.randint(1, 31):02d} {choose.randint(0, 23):02d}:{choose.randint(0, 59):02d}:00",
                port=choose.randint(1, 4),
            )
            for _ in range(240)
        ],
    )
    settings = load(site)
    with Inbox(settings.inbox_path) as inbox, Ledger(settings.ledger_path) as ledger:
        ledger.book.end_prices(
            price.id for price in ledger.book.prices() if price.traffic_type == "international" and price.id
        )
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
    return site


@pytest.fixture
def billing(month: Path) -> Iterator[Billing]:
    with Ledger(month / "ledger.db") as ledger:
        yield Billing(ledger, View(load(month).site_zone, "CNY"), OCTOBER, site="某某公司")


@pytest.fixture
def bill(month: Path) -> Cli:
    """`bill("--employee", "1001")` for October."""

    def run(*arguments: str, stdin: str | None = None) -> Any:
        words = ["--data-dir", str(month), "bill", "--month", "2026-10", *arguments]
        return CliRunner().invoke(app, words, input=stdin)

    return run


def listed(billing: Billing, **wanted: Any) -> list[dict[str, Any]]:
    """The calls that `calls list` shows, without those that are nobody's bill."""
    found = calls(billing.ledger, billing.view, WantedCalls(period=OCTOBER, **wanted))
    return [call for call in found if call["status"] != "filtered"]


def fees(rows: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["fee"]) for row in rows if row["fee"] is not None), Decimal())


def assert_adds_up(found: Statement, own: list[dict[str, Any]]) -> None:
    """Every part of the bill holds just these calls."""
    assert own, "a test of nothing"
    for part in (found.summary, found.by_extension, found.by_employee, [found.total]):
        if part:
            assert sum(row["calls"] for row in part) == len(own)
            assert sum(row["billed_s"] for row in part) == sum(call["billed_s"] for call in own)
            assert fees(part) == fees(own)
    assert found.unrated == sum(call["status"] == "unrated" for call in own)


@pytest.mark.parametrize("number", ["1001", "1002", "1003"])
def test_an_employees_bill_is_the_sum_of_their_calls(billing: Billing, number: str) -> None:
    """To the last cent, also where an extension was theirs for half the month."""
    found = billing.of_employee(number, with_calls=True)
    assert_adds_up(found, listed(billing, employee=number))
    assert found.calls is not None
    assert [call.keys() - {"called"} for call in found.calls()] == [
        set(one) for one in listed(billing, employee=number)
    ]
    assert [call["id"] for call in found.calls()] == [call["id"] for call in listed(billing, employee=number)]


def test_an_extension_that_changed_hands_is_on_both_bills_by_day(billing: Billing) -> None:
    """Until the 14th it is one's, from the 15th on the other's."""
    days = {
        number: {call["started_at"][:10] for call in listed(billing, employee=number) if call["extension"] == "8002"}
        for number in ("1002", "1003")
    }
    assert max(days["1002"]) < "2026-10-15" <= min(days["1003"])
    whose = {(call["name"], call["started_at"] < "2026-10-15") for call in listed(billing, extension="8002")}
    assert whose == {("李四", True), ("王芳", False)}, "the list of calls says so too"
    (row,) = [one for one in billing.of_employee("1002").by_extension if one["extension"] == "8002"]
    assert row["calls"] == sum(
        call["extension"] == "8002" and call["started_at"] < "2026-10-15" for call in listed(billing)
    )


@pytest.mark.parametrize("path", ["公司", "工程部", "公司/销售部"])
def test_a_departments_bill_holds_those_below_it(billing: Billing, path: str) -> None:
    """Subtotals up the tree, no higher than the department itself; its own extensions too."""
    found = billing.of_department(path)
    assert_adds_up(found, listed(billing, department=path))
    assert found.by_department[0]["department"] == found.department
    assert found.by_department[0]["fee"] == found.total["fee"]
    for row in found.by_department:
        assert fees([row]) == fees(listed(billing, department=row["department"]))
    assert [row["subtotal"] for row in found.by_department] == {
        "公司": [True, True, False, False, False],
        "工程部": [True, False, False],
        "公司/销售部": [False],
    }[path]


def test_all_bills_and_what_is_nobodys_are_the_companys(billing: Billing) -> None:
    """No call is on two bills, none is lost, filtered ones are on none."""
    company = billing.of_company()
    assert_adds_up(company, listed(billing))
    everybody = list(billing.of_everybody())
    nobodys = billing.unassigned()
    assert [one.number for one in everybody] == ["1001", "1003", "1002"], "by the tree, and nobody without calls"
    assert nobodys["extensions"] == ["8004", "8005"]
    assert sum(one.total["calls"] for one in everybody) + nobodys["calls"] == company.total["calls"]
    assert fees([one.total for one in everybody]) + Decimal(nobodys["fee"]) == Decimal(company.total["fee"])
    assert company.total["calls"] < sum(1 for _ in calls(billing.ledger, billing.view, WantedCalls(period=OCTOBER)))
    for one in everybody:
        assert one == billing.of_employee(str(one.number)), "the same bill alone and among all"


def test_unpriced_calls_are_counted_and_named_as_missing(bill: Cli) -> None:
    """Nobody takes a part for the whole."""
    found = json.loads(bill("--company", "--format", "json").stdout)
    assert found["unrated"] > 0
    assert f"{found['unrated']} calls could not be priced and are not in the sum" in bill("--company").stdout


def test_the_json_of_a_bill_keeps_its_keys(bill: Cli) -> None:
    """A written contract."""
    found = json.loads(bill("--employee", "1001", "--calls", "--format", "json").stdout)
    assert list(found) == [
        "kind", "site", "month", "from", "to", "currency", "number", "name", "department", "extensions", "summary",
        "total", "unrated", "charged_only", "due", "lines", "by_extension", "calls", "coverage",
    ]  # fmt: skip
    assert list(found["summary"][0]) == [
        "direction", "traffic_type", "calls", "answered", "duration_s", "billed_s", "fee", "unpriced",
    ]  # fmt: skip
    joint = json.loads(bill("--department", "工程部", "--format", "json").stdout)
    assert list(joint["by_employee"][0])[:4] == ["department", "number", "name", "extensions"]
    assert list(joint["by_department"][0])[:2] == ["department", "subtotal"]
    every = json.loads(bill("--all", "--format", "json").stdout)
    assert list(every) == [
        "site", "month", "from", "to", "currency", "bills", "without_employee", "coverage",
    ]  # fmt: skip


def test_csv_is_for_pay_rolls(bill: Cli) -> None:
    """A line for each sum with the staff number, or each call."""
    rows = list(csv.DictReader(io.StringIO(bill("--all", "--format", "csv").stdout)))
    assert {row["number"] for row in rows} == {"1001", "1002", "1003"}
    company = json.loads(bill("--company", "--format", "json").stdout)
    without = json.loads(bill("--all", "--format", "json").stdout)["without_employee"]
    assert fees(rows) == Decimal(company["total"]["fee"]) - Decimal(without["fee"])
    lines = list(csv.DictReader(io.StringIO(bill("--employee", "1001", "--calls", "--format", "csv").stdout)))
    assert {(row["employee"], row["extension"]) for row in lines} == {("1001", "8001")}


def text_of(path: Path) -> str:
    """The text of a PDF as it would be copied out of it."""
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not here")
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_pdf_holds_the_bill_in_either_language(month: Path, tmp_path: Path, lang: str) -> None:
    """Name, sums and traffic types as text; the same bytes each time; each bill counts its own pages."""
    command = ["--data-dir", str(month), "--lang", lang, "bill", "--month", "2026-10", "--all", "--calls"]
    for name in ("one.pdf", "again.pdf"):
        result = CliRunner().invoke(app, [*command, "--output", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "again.pdf").read_bytes()
    text = text_of(tmp_path / "one.pdf")
    total = json.loads(CliRunner().invoke(app, [*command[:2], *command[4:], "--format", "json"]).stdout)["bills"][0]
    assert "张三 (1001)" in text
    assert total["total"]["fee"] in text
    assert ("国内长途" if lang == "zh" else "domestic") in text
    assert len(re.findall(r"\s1 ?/ ?\d+\s", text)) == 3


def test_pdfs_that_share_a_cut_down_font_lack_no_sign(bill: Cli, tmp_path: Path) -> None:
    """Each of many files says what it says alone, rare signs, total and page number too."""
    assert bill("--all", "--calls", "--format", "pdf", "--out-dir", str(tmp_path / "all")).exit_code == 0
    for number, name in (("1001", "张三"), ("1002", "李四"), ("1003", "王芳")):
        assert bill("--employee", number, "--calls", "--output", str(tmp_path / "one.pdf")).exit_code == 0
        text = text_of(tmp_path / "all" / f"bill-2026-10-{number}-{name}.pdf")
        assert text == text_of(tmp_path / "one.pdf")
        assert name in text


def test_everybody_in_a_folder_all_or_none(
    bill: Cli, month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names say what the files hold; when one cannot be written, none appears and nothing half-written is left."""
    folder = tmp_path / "bills"
    result = bill("--all", "--out-dir", str(folder), "--format", "html")
    assert result.exit_code == 0, result.output
    names = ["bill-2026-10-1001-张三.html", "bill-2026-10-1002-李四.html", "bill-2026-10-1003-王芳.html"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert "are on nobody's bill: no employee has the extension 8004, 8005" in result.stderr

    from ippbx_billing.documents import html

    written: list[int] = []

    def until_the_disk_is_full(*arguments: Any) -> None:
        written.append(1)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        arguments[1].write(b"half")

    monkeypatch.setattr(html, "write", until_the_disk_is_full)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = bill("--all", "--out-dir", str(folder), "--format", "html")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_move_together_or_not_at_all(tmp_path: Path) -> None:
    """Also where the folder has to be made first, or cannot be."""
    with together(tmp_path / "new") as beside:
        (beside / "a").write_text("1")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]
    (tmp_path / "file").write_text("")
    with pytest.raises(BillingError, match="file cannot be written"), together(tmp_path / "file"):
        pass


def test_names_that_no_file_system_takes(bill: Cli, month: Path, tmp_path: Path) -> None:
    """Slashes, dots and lengths are made harmless, and two that become one stay two."""
    site = Path(shutil.copytree(month, tmp_path / "data"))
    runner = CliRunner()
    for command in (
        ["employees", "rename", "1001", "../../etc/passwd", "--number", "A/1"],
        ["employees", "rename", "1002", ".. .. etc passwd", "--number", "a 1"],
    ):
        assert runner.invoke(app, ["--data-dir", str(site), *command]).exit_code == 0
    folder = tmp_path / "out"
    words = ["--data-dir", str(site), "bill", "--month", "2026-10", "--all", "--format", "csv"]
    assert runner.invoke(app, [*words, "--out-dir", str(folder)]).exit_code == 0
    names = [path.name for path in folder.iterdir()]
    assert len({name.casefold() for name in names}) == 3
    assert all(name.startswith("bill-2026-10-") and name.endswith(".csv") for name in names)
    assert not any("/" in name or "\\" in name for name in names)


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        ((), "whose bill?", 2),
        (("--company", "--all"), "whose bill?", 2),
        (("--employee", "张三"), "2 employees are named 张三", 2),
        (("--employee", "1009"), "there is no employee 1009", 1),
        (("--department", "公司/工程"), "there is no department 公司/工程", 1),
        (("--company", "--out-dir", "x"), "--out-dir is for --all alone", 2),
        (("--company", "--output", "/proc/none/x.html"), "cannot be written", 1),
    ],
)
def test_mistakes_get_a_sentence(bill: Cli, arguments: tuple[str, ...], message: str, code: int) -> None:
    """And a hint what to do."""
    result = bill(*arguments)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr
    assert "hint: " in result.stderr


def test_sums_and_calls_are_of_one_moment(month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others change while the bill is written is on the next one."""
    site = Path(shutil.copytree(month, tmp_path / "data"))

    def meanwhile(*arguments: Any) -> Any:
        with Ledger(site / "ledger.db") as other, other.transaction():
            other.calls.forget_events(range(1, 200))
        return coverage_of(*arguments)

    monkeypatch.setattr("ippbx_billing.cli.reports.bill.coverage_of", meanwhile)
    words = ["--data-dir", str(site), "bill", "--month", "2026-10", "--company", "--calls", "--format", "json"]
    before, after = (json.loads(CliRunner().invoke(app, words).stdout) for _ in range(2))
    assert len(before["calls"]) == before["total"]["calls"] > after["total"]["calls"] == len(after["calls"])


def test_an_employee_without_calls_has_an_empty_bill(bill: Cli) -> None:
    """Asked for by number it is an answer, no mistake."""
    found = json.loads(bill("--employee", "1004", "--format", "json").stdout)
    assert (found["total"]["calls"], found["total"]["fee"], found["summary"]) == (0, "0.00", [])
    assert bill("--employee", "1004").exit_code == 0


def test_the_heading_is_the_sites_name(month: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the settings, as any of them."""
    monkeypatch.setenv("IPPBX_BILL_SITE_NAME", "天津某某公司")
    monkeypatch.setattr(common.state, "data_dir", None)
    words = ["--data-dir", str(month), "bill", "--month", "2026-10", "--company", "--format", "html"]
    assert "天津某某公司" in CliRunner().invoke(app, words).stdout
