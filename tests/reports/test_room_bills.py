"""Bills of single extensions, of any days, with the company's letterhead, and the number as people know it."""

import csv
import io
import json
import shutil
import struct
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from ippbx_billing.settings import FILE_NAME
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

CALLS = [  # start, extension, dialled, talk
    ("2026-10-03 20:00:00", "8032", "902162345678", 80),
    ("2026-10-04 08:00:00", "8032", "913820000000", 144),
    ("2026-10-04 09:00:00", "8032", "9110", 30),  # an emergency call costs nothing
    ("2026-10-05 11:00:00", "8032", "958674577", 0),  # nobody answered
    ("2026-10-05 12:00:00", "8032", "11185", 60),  # a bank's own number, though it begins with the prefix
    ("2026-10-09 12:00:00", "8032", "902162345678", 80),  # the next guest
    ("2026-10-04 10:00:00", "8001", "902162345678", 80),
]


@pytest.fixture(scope="module")
def hotel(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("hotel") / "data"))
    bodies = [gateway_cdr(extension, number, talk, start=start) for start, extension, number, talk in CALLS]
    fill(site / "inbox.db", bodies)
    for words in (["events", "replay"], ["employees", "add", "1001", "张三", "--extension", "8001"]):
        assert CliRunner().invoke(app, ["--data-dir", str(site), *words]).exit_code == 0
    return site


@pytest.fixture
def bill(hotel: Path) -> Cli:
    def run(*arguments: str, stdin: str | None = None) -> Any:
        return CliRunner().invoke(app, ["--data-dir", str(hotel), "bill", *arguments], input=stdin)

    return run


STAY = ("--from", "2026-10-03", "--to", "2026-10-05")


def document(bill: Cli, *arguments: str) -> dict[str, Any]:
    result = bill(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_a_rooms_bill_is_of_its_days_and_needs_no_employee(bill: Cli) -> None:
    """From check-in to check-out; the month's would hold the next guest's calls too."""
    stay = document(bill, "--extension", "8032", *STAY, "--calls")
    assert (stay["kind"], stay["extensions"], stay["number"]) == ("extension", ["8032"], None)
    assert (stay["month"], stay["from"], stay["to"]) == (None, "2026-10-03", "2026-10-05")
    assert [call["started_at"][:16] for call in stay["calls"]] == [
        start[:16].replace(" ", "T") for start, *_ in CALLS[:5]
    ]
    month = document(bill, "--extension", "8032", "--month", "2026-10")
    assert month["month"] == "2026-10"
    assert month["total"]["calls"] == stay["total"]["calls"] + 1
    shown = bill("--extension", "8032", *STAY).stdout
    assert "Telephone bill 2026-10-03..2026-10-05 · 8032" in shown


def test_an_extension_of_somebody_names_them(bill: Cli) -> None:
    """Whose it was; as CSV a line for each sum."""
    found = document(bill, "--extension", "8001", "--month", "2026-10")
    assert (found["number"], found["name"]) == ("1001", "张三")
    rows = list(
        csv.DictReader(io.StringIO(bill("--extension", "8001", "--month", "2026-10", "--format", "csv").stdout))
    )
    assert [(row["extension"], row["name"], row["fee"]) for row in rows] == [("8001", "张三", "0.98")]


def test_charged_only_leaves_out_what_cost_nothing_and_nothing_else(bill: Cli) -> None:
    """The sum stays, and a call without a price stays named as missing: what it costs is not known."""
    whole = document(bill, "--extension", "8032", *STAY, "--calls")
    charged = document(bill, "--extension", "8032", *STAY, "--calls", "--charged-only")
    assert charged["total"]["fee"] == whole["total"]["fee"]
    assert charged["unrated"] == whole["unrated"] == 1
    left = [call for call in whole["calls"] if call["fee"] is None or Decimal(call["fee"])]
    assert [call["id"] for call in charged["calls"]] == [call["id"] for call in left]
    assert charged["total"]["calls"] == len(left) == 3
    assert sum(row["calls"] for row in charged["summary"]) == 3
    assert "calls that cost nothing are left out" in bill("--extension", "8032", *STAY, "--charged-only").stdout


def test_a_bill_shows_the_number_without_the_outside_line_prefix(bill: Cli) -> None:
    """As the one who called knows it; what is a number with its 9 keeps it."""
    found = document(bill, "--extension", "8032", *STAY, "--calls")
    assert [call["called"] for call in found["calls"]] == ["02162345678", "13820000000", "110", "58674577", "11185"]
    assert [call["number"] for call in found["calls"]] == [number for _, _, number, _ in CALLS[:5]]
    shown = bill("--extension", "8032", *STAY, "--calls").stdout
    assert " 02162345678 " in shown
    assert "902162345678" not in shown


def test_a_trunk_has_its_own_prefix(hotel: Path, tmp_path: Path, cli: Cli) -> None:
    """What is taken off is what was dialled for that trunk."""
    fill(tmp_path / "data" / "inbox.db", [gateway_cdr("8032", "002162345678", 80, port=3)])
    assert cli("trunks", "add", "3", "--carrier", "022-天津-电信", "--outside-prefix", "0").exit_code == 0
    assert cli("events", "replay").exit_code == 0
    found = cli("bill", "--extension", "8032", "--month", "2026-10", "--calls", "--format", "json")
    calls = json.loads(found.stdout)["calls"]
    assert [(call["number"], call["called"]) for call in calls] == [("002162345678", "02162345678")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extension", "80.."], "'80..' is not one extension"),
        (["--extension", "8032,8001"], "'8032,8001' is not one extension"),
        (["--extension", "8099"], "there is no extension 8099"),
        (["--extension", "8032", "--month", "2026-10", "--from", "2026-10-03"], "--month and --from exclude"),
        (["--extension", "8032", "--to", "2026-10-03"], "--to needs --from"),
        (["--extension", "8032", "--from", "2026-10-05", "--to", "2026-10-03"], "2026-10-05 is after 2026-10-03"),
        (["--extension", "8032", "--company"], "whose bill?"),
    ],
)
def test_what_is_no_bill_is_refused(bill: Cli, arguments: list[str], message: str) -> None:
    result = bill(*arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_an_extension_taken_for_an_employee_gets_whole_commands(bill: Cli) -> None:
    """The hint holds his extension, and its bill for the same days."""
    result = bill("--employee", "8032", *STAY)
    assert result.exit_code == 1
    assert "`ippbx-bill extensions add 8032 --name NAME`" in result.stderr
    assert "`ippbx-bill bill --from 2026-10-03 --to 2026-10-05 --extension 8032`" in result.stderr
    everybody = bill("--all", "--month", "2026-10")
    assert "`ippbx-bill bill --month 2026-10 --extension 8032`" in everybody.stderr
    assert "`ippbx-bill" not in bill("--employee", "赵六", *STAY).stderr.replace("`ippbx-bill employees list`", "")


# -- the letterhead


def png(width: int, height: int) -> bytes:
    """A blue picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + b"\x2f\x6f\xb0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 10"><rect width="30" height="10" fill="#2f6fb0"/></svg>'
SETTINGS = {
    "site_name": '"天津某某公司"',
    "bill_address": '["天津市和平区南京路1号", "电话 022-58674577"]',
    "bill_footer": '"开户行：某某银行 账号 1234 5678"',
    "bill_due_days": "14",
}


@pytest.fixture
def company(hotel: Path, tmp_path: Path) -> Path:
    """A site whose settings describe a letterhead, with both logos in its directory."""
    site = Path(shutil.copytree(hotel, tmp_path / "company"))
    lines = (site / FILE_NAME).read_text(encoding="utf-8").splitlines()
    lines = [f"{name} = {SETTINGS[name]}" if (name := one.partition(" ")[0]) in SETTINGS else one for one in lines]
    (site / FILE_NAME).write_text("\n".join(lines), encoding="utf-8")
    (site / "logo.png").write_bytes(png(300, 100))
    (site / "logo.svg").write_bytes(SVG)
    (site / "logo.gif").write_bytes(b"GIF89a")
    (site / "half.png").write_bytes(png(300, 100)[:60])
    (site / "half.svg").write_bytes(SVG[:-10])
    return site


def made(company: Path, name: str, logo: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IPPBX_BILL_BILL_LOGO", logo)
    path = company / name
    words = ["--data-dir", str(company), "--lang", "zh", "bill", "--extension", "8032", *STAY, "--output", str(path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return path


@pytest.mark.parametrize("logo", ["logo.png", "logo.svg", ""])
def test_a_letterhead_stands_on_the_pdf(company: Path, logo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Company, address, foot and due date in words; a PNG as a picture, an SVG as strokes."""
    page = PdfReader(made(company, "bill.pdf", logo, monkeypatch)).pages[0]
    text = page.extract_text()
    for words in ("天津某某公司", "天津市和平区南京路1号", "电话 022-58674577", "开户行：某某银行", "2026-10-19"):
        assert words in text
    assert text.count("天津某某公司") == 1
    assert len(page.images) == (logo == "logo.png")
    drawn = page.get_contents()
    assert drawn is not None
    assert (b"0.1843 0.4353 0.6902 rg 0 0 " in drawn.get_data()) == (logo == "logo.svg")


def test_a_letterhead_stands_in_every_form(company: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTML carries the logo within; a workbook has it on its first page about the bill; text has the words."""
    page = made(company, "bill.html", "logo.svg", monkeypatch).read_text(encoding="utf-8")
    assert 'src="data:image/svg+xml;base64,' in page
    assert page.index("天津市和平区南京路1号") < page.index("<h1>") < page.index("开户行")
    markdown = made(company, "bill.md", "logo.png", monkeypatch).read_text(encoding="utf-8")
    assert "天津市和平区南京路1号" in markdown
    assert markdown.rstrip().endswith("开户行：某某银行 账号 1234 5678")
    book = load_workbook(made(company, "bill.xlsx", "logo.png", monkeypatch))
    about = next(sheet for sheet in book if sheet["A1"].value == "话费账单 2026-10-03..2026-10-05 · 8032")
    assert [len(sheet._images) for sheet in book].count(1) == 1  # type: ignore[attr-defined]
    cells = [cell.value for row in about.iter_rows() for cell in row if cell.value]
    assert {"天津市和平区南京路1号", "开户行：某某银行 账号 1234 5678", "2026-10-19"} <= set(cells)
    shown = made(company, "bill.txt", "", monkeypatch).read_text(encoding="utf-8")
    assert shown.splitlines()[1:4] == ["天津某某公司", "天津市和平区南京路1号", "电话 022-58674577"]


@pytest.mark.parametrize("logo", ["nowhere.png", "logo.gif", "half.png", "half.svg"])
def test_a_logo_that_cannot_be_printed_is_named(company: Path, logo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    monkeypatch.setenv("IPPBX_BILL_BILL_LOGO", logo)
    words = ["--data-dir", str(company), "bill", "--extension", "8032", *STAY, "--output", str(company / "bill.pdf")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert logo in result.stderr or "the logo cannot be drawn" in result.stderr
    assert "bill_logo" in result.stderr
    assert not (company / "bill.pdf").exists()
