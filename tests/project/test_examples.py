"""Each file in `examples/` does what it says."""

import email
import email.policy
import json
import shlex
import shutil
import socket
import socketserver
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ippbx_billing.cli import common
from ippbx_billing.errors import BusyError
from tests import EXAMPLES
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli


def cron_lines() -> list[str]:
    lines = (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
    return [line.split(None, 5)[5] for line in lines if line and not line.startswith("#")]


@pytest.fixture
def busy(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with a call last month, which is October."""
    fill(site / "inbox.db", [gateway_cdr("8001", "902162345678", 80, start="2026-10-05 10:00:00")])
    cli("events", "replay")
    monkeypatch.setattr(common, "now", lambda: datetime(2026, 11, 1, 0, 5, tzinfo=UTC))
    return site


@pytest.mark.parametrize("line", cron_lines())
def test_the_crontab_writes_its_files(cli: Cli, busy: Path, tmp_path: Path, line: str) -> None:
    """Each line's command runs without a word, and its file is there."""
    for folder in ("bills", "feed"):
        (tmp_path / folder).mkdir()
    words = shlex.split(line.replace("/srv/", f"{tmp_path}/"))
    result = cli(*words[1:])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert [path for folder in ("bills", "feed") for path in (tmp_path / folder).iterdir()]


def unit(name: str) -> dict[str, list[str]]:
    """The lines of a systemd unit, by name."""
    lines = [line.split("=", 1) for line in (EXAMPLES / name).read_text(encoding="utf-8").splitlines() if "=" in line]
    found: dict[str, list[str]] = {}
    for key, value in (line for line in lines if not line[0].startswith("#")):
        found.setdefault(key, []).append(value)
    return found


def test_the_export_of_systemd_writes_its_files(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """The service's command as it stands there, and what it may write to is what it needs to."""
    service = unit("ippbx-bill-export.service")
    program, *words = shlex.split(service["ExecStart"][0])
    assert program.endswith("/ippbx-bill")
    assert words[:2] == ["--data-dir", "/var/lib/ippbx-bill"]
    result = cli(*(word.replace("/srv/bills", str(tmp_path / "bills")) for word in words[2:]))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "bills").iterdir()) == ["calls-2026-10.csv", "sums-2026-10.csv"]
    assert service["ReadWritePaths"] == ["/srv/bills /var/lib/ippbx-bill"]
    assert service["RestartForceExitStatus"] == [str(BusyError.exit_code)]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_export(tmp_path: Path) -> None:
    """The units are correct, and the timer runs on the first of the month."""
    names = "ippbx-bill-export.service", "ippbx-bill-export.timer"
    for name in names:
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/ippbx-bill/bin/ippbx-bill", sys.executable), encoding="utf-8")
    verify = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)]
    checked = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    (spoken,) = unit(names[1])["OnCalendar"]
    calendar = ["systemd-analyze", "calendar", "--base-time=2026-11-20 UTC", spoken]
    assert "2026-12-01 00:15:00" in subprocess.run(calendar, capture_output=True, text=True, check=True).stdout


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as a mail needs; the mails lie in `server.mails` as (recipients, bytes)."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        recipients: list[str] = []
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"RCPT":
                recipients.append(line.decode().partition("<")[2].partition(">")[0])
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append((recipients, body))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def mail_server() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer) as server:
        server.mails = []  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def mail_report(site: Path, server: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = f"{shlex.quote(sys.executable)} -m ippbx_billing --data-dir {shlex.quote(str(site))}"
    script = [sys.executable, str(EXAMPLES / "mail_report.py"), "--server", server, "--command", command, *arguments]
    return subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)


def test_the_report_is_mailed(busy: Path, mail_server: Any) -> None:
    """The table to read at once, the PDF to hand on, to everybody; not a word is printed."""
    address = f"127.0.0.1:{mail_server.server_address[1]}"
    to = ("--to", "boss@example.com", "--to", "desk@example.com")
    sent = mail_report(busy, address, *to, "--", "--by", "extension", "--month", "2026-10")
    assert (sent.returncode, sent.stdout) == (0, "")
    ((recipients, body),) = mail_server.mails
    assert recipients == ["boss@example.com", "desk@example.com"]
    mail = email.message_from_bytes(body, policy=email.policy.default)
    text, pdf = mail.iter_parts()
    assert "8001" in text.get_content()
    assert "0.98" in text.get_content()
    assert (pdf.get_filename(), pdf.get_content()[:5]) == ("report.pdf", b"%PDF-")


def test_a_mail_without_a_report_is_not_sent(busy: Path, mail_server: Any) -> None:
    """Each failure is a sentence and exit code 1."""
    address = f"127.0.0.1:{mail_server.server_address[1]}"
    wrong = mail_report(busy, address, "--to", "boss@example.com", "--", "--by", "nothing")
    assert wrong.returncode == 1
    assert "no report, so no mail" in wrong.stderr
    assert mail_server.mails == []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    unsent = mail_report(busy, f"127.0.0.1:{closed}", "--to", "boss@example.com")
    assert unsent.returncode == 1
    assert f"the mail was not sent by 127.0.0.1:{closed}: " in unsent.stderr


def test_the_extensions_are_imported(cli: Cli) -> None:
    """The file as Excel in China would save it."""
    assert cli("extensions", "import", str(EXAMPLES / "extensions.csv")).exit_code == 0
    assert len(json.loads(cli("extensions", "list", "--format", "json").stdout)) == 3


def test_the_record_is_a_rated_call(cli: Cli, site: Path) -> None:
    """The body to try the listener with: 80 s to Shanghai, 0.98."""
    fill(site / "inbox.db", [(EXAMPLES / "cdr.json").read_bytes()])
    assert cli("events", "replay").exit_code == 0
    (call,) = json.loads(cli("calls", "list", "--format", "json").stdout)
    assert (call["fee"], call["place"], call["trunk"]) == ("0.98", "上海", "1")


def test_a_dialect_of_ones_own_makes_an_unknown_record_a_call(cli: Cli, site: Path) -> None:
    """Rejected with a reason; then one file put into the data directory, one replay, and the call is rated."""
    fill(site / "inbox.db", [(EXAMPLES / "unknown-pbx.json").read_bytes()])
    cli("events", "replay")
    (event,) = json.loads(cli("events", "list", "--status", "rejected", "--format", "json").stdout)
    assert event["reason"]
    (site / "dialects").mkdir()
    shutil.copy(EXAMPLES / "unknown-pbx.toml", site / "dialects")
    assert "0 are still rejected" in cli("events", "replay").stderr
    (call,) = json.loads(cli("calls", "list", "--format", "json").stdout)
    assert (call["extension"], call["fee"], call["trunk"], call["dialect"]) == ("8001", "0.98", "Amt 1", "unknown-pbx")
    assert (call["duration_s"], call["billed_s"], call["record_id"]) == (85, 80, "4711")


def test_every_example_has_its_test() -> None:
    """Nothing lies there untried.

    "ippbx-bill.service" is tried in test_service.py, "plans-calls.json" in test_worked_examples.py.
    """
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.iterdir() if f'"{path.name}"' not in text] == []
