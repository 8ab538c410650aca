"""`--format` and `--output`: every list in every form, guessed from the file's ending, never bytes on a screen."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import openpyxl
import pypdf
import pytest
from typer.testing import CliRunner, Result

from ippbx_billing.cli.app import app
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

LISTS = [
    ("report", "--month", "2026-10"),
    ("report", "--month", "2026-10", "--by", "department,traffic-type"),
    ("compare", "--month", "2026-10"),
    ("calls", "list"),
    ("calls", "live"),
    ("calls", "explain", "1"),
    ("quote", "902162345678", "--seconds", "80"),
    ("events", "list"),
    ("carriers", "list"),
    ("extensions", "list"),
    ("tariffs", "show"),
    ("holidays", "list"),
    ("numbers", "lookup", "02162345678"),
    ("dialects", "list"),
]
BEGINNINGS = {"xlsx": b"PK", "pdf": b"%PDF-", "html": b"<!DOCTYPE html>", "markdown": b"# "}


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--data-dir", str(data_dir), *arguments])


@pytest.fixture(scope="module")
def busy(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one extension and one call, which the tests only look at."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("busy") / "data"))
    run(site, "extensions", "add", "8001", "--name", "张伟", "--department", "公司/工程部")
    fill(site / "inbox.db", [gateway_cdr("8001", "902162345678", 80, start="2026-10-05 10:00:00")])
    assert run(site, "events", "replay").exit_code == 0
    return site


@pytest.fixture
def cli(busy: Path) -> Cli:
    return partial(run, busy)


@pytest.mark.parametrize("command", LISTS, ids=" ".join)
def test_every_list_has_every_form(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Each form is what it says; they take one way, so that of most commands two are looked at."""
    for form in BEGINNINGS if command in LISTS[:3] else ("html", "xlsx"):
        beginning = BEGINNINGS[form]
        target = tmp_path / f"answer.{form}"
        written = cli(*command, "--format", form, "--output", str(target))
        assert written.stdout == "", form
        assert target.read_bytes().startswith(beginning), (form, written.stderr)


@pytest.mark.parametrize("form", BEGINNINGS)
def test_a_form_is_the_same_on_stdout(cli: Cli, tmp_path: Path, form: str) -> None:
    """A pipe gets the bytes that a file gets."""
    cli("calls", "list", "--format", form, "--output", str(tmp_path / "calls"))
    assert cli("calls", "list", "--format", form).stdout_bytes == (tmp_path / "calls").read_bytes()


def test_the_ending_says_the_form(cli: Cli, tmp_path: Path) -> None:
    """`--output x.xlsx` is enough; `--format` goes before it; an ending that says nothing is a table."""
    for ending, beginning in {
        "xlsx": b"PK",
        "pdf": b"%PDF-",
        "md": b"# ",
        "json": b"[",
        "CSV": b"\xef\xbb\xbfid,",
    }.items():
        cli("calls", "list", "--output", str(tmp_path / f"calls.{ending}"))
        assert (tmp_path / f"calls.{ending}").read_bytes().startswith(beginning), ending
    cli("calls", "list", "--output", str(tmp_path / "calls.pdf"), "--format", "json")
    assert json.loads((tmp_path / "calls.pdf").read_text(encoding="utf-8"))[0]["extension"] == "8001"
    cli("calls", "list", "--output", str(tmp_path / "calls.txt"))
    assert "2026-10-05 10:00:00" in (tmp_path / "calls.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.md", Format.MARKDOWN), ("b.HTM", Format.HTML), ("json", None), ("c.table", None), ("d.", None), ("-", None)],
)
def test_endings(name: str, form: Format | None) -> None:
    """Those that people use; the rest says nothing."""
    assert Format.of_file(name) is form


def test_a_terminal_is_shown_no_bytes(busy: Path) -> None:
    """A workbook would be noise there: refused, with what to do instead."""
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(busy), "calls", "list", "--format", "xlsx"]
    done = subprocess.run(command, stdout=inner, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(inner)
    os.close(outer)
    assert done.returncode == 2
    assert "a terminal cannot show XLSX" in done.stderr
    assert "name a file: --output report.xlsx" in done.stderr


def test_a_report_on_paper_says_what_the_screen_says(cli: Cli, tmp_path: Path) -> None:
    """The same figures in Chinese, in the PDF and in the workbook."""
    for ending in ("pdf", "xlsx"):
        cli("--lang", "zh", "report", "--month", "2026-10", "--output", str(tmp_path / f"report.{ending}"))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "report.pdf").pages)
    sheet = openpyxl.load_workbook(tmp_path / "report.xlsx").active
    assert [cell.value for cell in sheet[1]][:2] == ["分机号码", "分机姓名"]
    assert [cell.value for cell in sheet[2]][:2] == ["8001", "张伟"]
    for wanted in ("2026-10", "分机号码", "8001", "张伟", "0.98", "合计"):
        assert wanted in text, wanted


def test_json_and_csv_carry_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON spells what cannot be printed, so that programs get it back; CSV shows a sign in its place."""
    name = "a\x1b[2J\x9b1m\u202eb\u2066c\x7f"
    show([{"name": name}], [Column("name", "Name")], Format.JSON)
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert json.loads(printed) == [{"name": name}]
    show([{"name": name}], [Column("name", "Name")], Format.CSV)
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").isprintable()
    assert list(csv.reader(io.StringIO(printed)))[1] == ["a�[2J�1m�b�c�"]


@pytest.mark.parametrize("name", ["\t=1", "\r=1", "\n=1", "＝1+1", "＠SUM(1)", "-1-2", "+86 22 5867"])
def test_more_that_a_spreadsheet_would_compute(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Also what only some spreadsheets take for a formula, and telephone numbers that would be subtracted."""
    show([{"name": name}], [Column("name", "Name")], Format.CSV)
    assert list(csv.reader(io.StringIO(capsys.readouterr().out)))[1][0].startswith("'")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_stdout_gets_a_sentence(site: Path) -> None:
    """`report > FILE` says in the language in use that there is no room, and exits 1 without a traceback."""
    command = [sys.executable, "-m", "ippbx_billing", "--lang", "zh", "--data-dir", str(site), "carriers", "list"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (1, "错误: 无法写出：磁盘已满\n\n提示: 请清理磁盘空间，或写到别处\n")
