"""What people see in a terminal of 80 columns, in both languages, kept as files under tests/data/snapshots.

A change of words or layout shows in the difference of these files. They are made anew by

    pytest tests/cli/test_snapshots.py --renew-snapshots
"""

import os
import pty
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli import common
from ippbx_billing.cli.app import app
from ippbx_billing.documents.help_pages import cells
from ippbx_billing.inbox import Delivery, keep_all
from tests.bodies import gateway_cdr, read_all

KEPT = Path(__file__).parent.parent / "data" / "snapshots"
NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
CALLS = [
    ("8001", "902162345678", 80, "2026-10-12 09:15:00"),
    ("8001", "958674577", 61, "2026-10-12 10:00:00"),
    ("8001", "90014165550123", 200, "2026-10-13 10:00:00"),
    ("8002", "913820000000", 359, "2026-10-14 16:20:00"),
    ("8020", "910086", 45, "2026-10-15 11:05:00"),
]
SHOWN = {
    "help": ["--help", "report --help", "bill --help", "calls --help", "tariffs set --help"],
    "doctor": ["doctor"],
    "report": [
        "report --month 2026-10",
        "report --month 2026-10 --by department",
        "report --month 2026-10 --by traffic_type",
        "report ranking --month 2026-10",
        "report --month 2026-09",
    ],
    "bill": ["bill --month 2026-10 --employee 1001 --calls", "bill --month 2026-10 --all"],
    "calls": ["calls list", "calls explain 1", "quote 0014165550123 --seconds 80"],
    "errors": [
        "repor",
        "report --mont last",
        "report --month nonsense",
        "report --direction up",
        "bill --month 2026-10",
        "bill --employee 1009",
        "tariffs show nobody",
        "report --output report.doc",
        "calls live --watch",
    ],
}
NO_WIDER = ("help", "doctor")  # sentences below a table, stories and errors are broken by the terminal
ANSWERS = {
    "en": ["en", "Example Ltd.", "", "9999", "22", "9", "8001-8999", "203.0.113.10"],
    "zh": ["zh", "天津某某公司", "", "9999", "22", "9", "8001-8999", "203.0.113.10"],
}


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A terminal of 80 columns, at half past nine on the second of November."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("IPPBX_BILL_CDR_PORT", "1")  # nothing answers at the first two ports of a machine
    monkeypatch.setenv("IPPBX_BILL_STATUS_PORT", "2")
    monkeypatch.setattr(common, "now", lambda: NOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def filled(lang: str) -> None:
    """A site in the folder `site`, with people and the calls of a month."""
    chosen = ["--area-code", "022", "--own-address", "203.0.113.10", "--outside-prefix", "9"]
    run(lang, "init", *chosen)
    run(lang, "employees", "add", "1001", "张三", "--extension", "8001", "--department", "总公司/销售部")
    run(lang, "employees", "add", "1002", "李四", "--extension", "8002", "--department", "总公司/财务部")
    deliveries = []
    for caller, callee, talk_s, start in CALLS:
        ended = datetime.fromisoformat(f"{start}+08:00") + timedelta(seconds=5 + talk_s)
        body = gateway_cdr(caller, callee, talk_s, start=start)
        moment = int(ended.timestamp()) * 1_000_000
        deliveries.append(Delivery(moment, "cdr", "192.168.6.169", "POST", "/", "", b"", body))
    keep_all(Path("site/inbox.db"), deliveries)
    read_all(Path("site"))


def run(lang: str, *words: str) -> str:
    """What a command says, stdout first."""
    result = CliRunner().invoke(app, ["--data-dir", "site", "--lang", lang, *words], prog_name="ippbx-bill")
    assert result.exception is None or isinstance(result.exception, SystemExit), (words, result.exception)
    return result.stdout + result.stderr


def held(name: str, lang: str, shown: str, renew: bool) -> None:
    """The same as in the file; no line of help or of a table alone is wider than the terminal."""
    path = KEPT / lang / f"{name}.txt"
    lines = [re.sub(r"[\d,]+ MB", "… MB", line).rstrip() for line in shown.splitlines()]
    told = "\n".join(lines).strip("\n") + "\n"
    if renew:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")
    if name in NO_WIDER:
        assert [line for line in lines if cells(line) > 80 and not line.startswith("$ ")] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_people_see(at_home: Path, lang: str, pytestconfig: pytest.Config) -> None:
    """Help, doctor, report, bill, calls, errors."""
    filled(lang)
    for name, lines in SHOWN.items():
        shown = [f"$ ippbx-bill {line}\n{run(lang, *shlex.split(line))}" for line in lines]
        held(name, lang, "\n".join(shown), pytestconfig.getoption("--renew-snapshots"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_the_wizard_asks(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, lang: str, pytestconfig: pytest.Config
) -> None:
    """Its questions, a wrong answer, and what it says at the end."""
    monkeypatch.delenv("IPPBX_BILL_CDR_PORT")
    monkeypatch.delenv("IPPBX_BILL_STATUS_PORT")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", "site", "init"]
    environment = {**os.environ, "TERM": "dumb", "LANG": "C.UTF-8"}
    answers, shown = iter(ANSWERS[lang]), b""
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        with suppress(OSError):  # the end of a terminal whose other side is closed
            while part := os.read(ours, 4096):
                shown += part
                if shown.endswith(b": "):
                    os.write(ours, f"{next(answers)}\n".encode())
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    plain = re.sub(r"\[\d+\.\d+\.\d+\.\d+\]", "[192.168.6.9]", shown.decode().replace("\r\n", "\n"))
    held("wizard", lang, plain, pytestconfig.getoption("--renew-snapshots"))
