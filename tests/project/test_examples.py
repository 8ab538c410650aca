"""Each file in `examples/` does what it says."""

import email
import email.policy
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import socketserver
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ippbx_billing.cli import common
from ippbx_billing.errors import BusyError
from ippbx_billing.language import LANGUAGES
from ippbx_billing.service import DATA_DIR, NAME
from tests import EXAMPLES, PROJECT
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

_specified = importlib.util.spec_from_file_location("bundle", EXAMPLES / "bundle.py")
assert _specified
assert _specified.loader
bundle = importlib.util.module_from_spec(_specified)
_specified.loader.exec_module(bundle)

VARIABLE = re.compile(r"(\w+)=(.*)")


def crontab() -> list[str]:
    lines = (EXAMPLES / "crontab").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def cron_lines() -> list[str]:
    return [line.split(None, 5)[5] for line in crontab() if not VARIABLE.match(line)]


def cron_variables() -> dict[str, str]:
    return {found[1]: found[2] for line in crontab() if (found := VARIABLE.match(line))}


@pytest.fixture
def busy(cli: Cli, site: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with a call last month, which is October."""
    fill(site / "inbox.db", [gateway_cdr("8001", "902162345678", 80, start="2026-10-05 10:00:00")])
    cli("events", "replay")
    cli("extensions", "add", "8001", "--name", "张三")
    monkeypatch.setattr(common, "now", lambda: datetime(2026, 11, 1, 0, 5, tzinfo=UTC))
    return site


@pytest.mark.parametrize("line", cron_lines())
def test_the_crontab_writes_its_files(cli: Cli, busy: Path, tmp_path: Path, line: str) -> None:
    """Each line's command runs without a word, and its file is there."""
    folders = [tmp_path / name for name in ("bills", "feed", "backup")]
    for folder in folders:
        folder.mkdir()
    words = shlex.split(line.replace("/srv/", f"{tmp_path}/"))
    result = cli("--lang", cron_variables()["IPPBX_BILL_LANG"], *words[1:])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert words[1] == "deliver" or [path for folder in folders for path in folder.iterdir()]  # nothing is due there


def test_the_examples_are_of_an_installed_service() -> None:
    """The program, the data and the user of `service install` in the crontab and in each unit, and a language."""
    variables, program = cron_variables(), Path("/opt/ippbx-bill/bin/ippbx-bill")
    assert variables["IPPBX_BILL_DATA_DIR"] == str(DATA_DIR)
    assert variables["PATH"].split(":")[0] == str(program.parent)
    assert variables["IPPBX_BILL_LANG"] in LANGUAGES
    assert any(line.startswith("ippbx-bill backup ") for line in cron_lines())
    for name in ("ippbx-bill-export.service", "ippbx-bill-backup.service", "ippbx-bill-deliver.service"):
        service = unit(name)
        assert service["User"] == [NAME]
        assert service["ExecStart"][0].startswith(f"{program} --data-dir {DATA_DIR} ")


def test_the_backup_of_systemd_is_checked_and_kept(cli: Cli, busy: Path, tmp_path: Path) -> None:
    """The service's command as it stands there writes one backup where it may."""
    service = unit("ippbx-bill-backup.service")
    words = shlex.split(service["ExecStart"][0])[3:]
    result = cli(*(word.replace("/srv/backup", str(tmp_path / "backup")) for word in words))
    assert result.exit_code == 0
    assert len(list((tmp_path / "backup").iterdir())) == 1
    assert service["ReadWritePaths"] == ["/srv/backup /var/lib/ippbx-bill"]


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
@pytest.mark.parametrize(
    ("name", "next_run"),
    [
        ("ippbx-bill-export", "2026-12-01 00:15:00"),
        ("ippbx-bill-backup", "2026-11-20 02:30:00"),
        ("ippbx-bill-deliver", "2026-11-20 00:15:00"),
    ],
)
def test_systemd_understands_the_units(tmp_path: Path, name: str, next_run: str) -> None:
    """The units are correct, and the timers run on the first of the month and every night."""
    # "ippbx-bill-export.timer", "ippbx-bill-backup.timer" and "ippbx-bill-deliver.timer"
    names = f"{name}.service", f"{name}.timer"
    for name in names:
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/ippbx-bill/bin/ippbx-bill", sys.executable), encoding="utf-8")
    verify = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in names)]
    checked = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    (spoken,) = unit(names[1])["OnCalendar"]
    calendar = ["systemd-analyze", "calendar", "--base-time=2026-11-20 UTC", spoken]
    assert next_run in subprocess.run(calendar, capture_output=True, text=True, check=True).stdout


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


def container() -> list[tuple[str, str]]:
    """The instructions of the "Containerfile", continued lines joined: (name, the rest)."""
    text = re.sub(r"\\\n\s*", "", (EXAMPLES / "Containerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_the_container_is_well_formed() -> None:
    """Instructions that engines know, sources that are there, no root, a volume that the data lie in, both doors."""
    told = container()
    known = {"FROM", "COPY", "WORKDIR", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in told} == known
    last = dict(told)
    assert (last["USER"], last["VOLUME"], last["EXPOSE"]) == (NAME, "/data", "8181 8182")
    assert "IPPBX_BILL_DATA_DIR=/data" in last["ENV"]
    assert all((PROJECT / name).exists() for _, rest in told for name in re.findall(r"\.ci/[\w.-]+", rest))
    assert next(name for name, _ in told) == "FROM"
    assert told[-1][0] == "CMD"


def test_the_container_starts_is_healthy_and_stops(tmp_path: Path) -> None:
    """Its start command and its health check as they stand there, on free ports: a new volume becomes a site."""
    last, data = dict(container()), tmp_path / "data"
    start = json.loads(last["CMD"])
    check = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    own = {"IPPBX_BILL_DATA_DIR": str(data), "IPPBX_BILL_CDR_PORT": port, "IPPBX_BILL_STATUS_PORT": "0"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **own, "PATH": path, "AREA_CODE": "022"}
    started = [word.replace("/data", str(data)) for word in start]
    refused = {name: value for name, value in environment.items() if name != "AREA_CODE"}
    without = subprocess.run(started, env=refused, capture_output=True, text=True, timeout=60, check=False)
    assert (without.returncode != 0, "say -e AREA_CODE=022" in without.stderr) == (True, True)
    process = subprocess.Popen(started, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        assert any(f":{port}/" in line for line in process.stderr if line.startswith("listening:"))
        asked = [sys.executable, *(word.replace("8181", port) for word in check[1:])]
        assert subprocess.run(asked, env=environment, timeout=60, check=False).returncode == 0
    finally:
        process.terminate()
        code = process.wait(60)
        process.stderr.close()
    assert code == 0
    assert (data / "settings.toml").exists()
    assert subprocess.run(asked, env=environment, capture_output=True, timeout=60, check=False).returncode == 1


def engine() -> str | None:
    """A container engine that answers."""
    for name in ("podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, timeout=60).returncode == 0:
            return name
    return None


@pytest.mark.slow
def test_the_container_is_built_and_runs() -> None:
    """By the engine itself, where there is one: built, started, healthy."""
    name = engine()
    if name is None:
        pytest.skip("no container engine answers")
    tag = f"ippbx-bill-test-{os.getpid()}"
    subprocess.run([name, "build", "-t", tag, "-f", str(EXAMPLES / "Containerfile"), str(PROJECT)], check=True)
    run = [name, "run", "-d", "-e", "AREA_CODE=022", tag]
    made = subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()
    try:
        check = json.loads(dict(container())["HEALTHCHECK"].partition("CMD ")[2])
        asked = [subprocess.run([name, "exec", made, *check]).returncode for _ in range(30) if not time.sleep(1)]
        assert 0 in asked
    finally:
        subprocess.run([name, "rm", "-f", made], check=True)
        subprocess.run([name, "rmi", tag], check=True)


def a_wheel(folder: Path, name: str, module: str) -> Path:
    """A package of one module, as small as can be."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},,\n" for one in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for one, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(one, text)
    return path


def test_the_bundle_takes_what_each_system_needs() -> None:
    """ "bundle.py" goes by the markers of the list for the other system, not by those of this machine."""
    locked = (PROJECT / ".ci" / "locked-run.txt").read_text("utf-8")
    linux, windows = ("".join(bundle.entries(locked, system)) for system in ("linux", "win32"))
    assert ("uvloop==" in linux, "uvloop==" in windows) == (True, False)
    assert ("colorama==" in linux, "colorama==" in windows) == (False, True)
    assert "sys_platform" not in linux + windows
    assert linux.count("--hash=") + windows.count("--hash=") > 200
    named = {line.partition("==")[0] for line in locked.splitlines() if re.match(r"\w", line)}
    assert {line.partition("==")[0] for line in (linux + windows).splitlines() if re.match(r"\w", line)} == named


def test_the_bundle_installs_without_a_net(tmp_path: Path) -> None:
    """Packed, unpacked elsewhere, installed by its own script: exact versions with their hashes, then our wheel."""
    place = tmp_path / "made"
    needed = a_wheel(place / "wheels", "needed_thing", "WORD = 'here'\n")
    a_wheel(place, "ippbx_bill", "import needed_thing\nprint(needed_thing.WORD)\n")
    digest = hashlib.sha256(needed.read_bytes()).hexdigest()
    (place / "requirements.txt").write_text(f"needed-thing==1.0 --hash=sha256:{digest}\n", "utf-8")
    (place / "install.py").write_text(bundle.INSTALL, "utf-8")
    assert bundle.pack(place, tmp_path / "bundle.zip") == 4
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path)
    target = tmp_path / "installed"
    install = [sys.executable, str(tmp_path / bundle.FOLDER / "install.py"), str(target)]
    environment = {**os.environ, "PIP_NO_INDEX": "1"}
    done = subprocess.run(install, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"installed: {target}")
    python = target / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    assert subprocess.run([str(python), "-c", "import ippbx_bill"], capture_output=True, text=True).stdout == "here\n"


def test_the_files_of_the_centre_start_commands_as_they_are(cli: Cli) -> None:
    """Each command of the compose file and of the units is one of ours, with options that it has."""
    lines = [line for path in sorted((EXAMPLES / "centre").iterdir()) for line in path.read_text("utf-8").splitlines()]
    units = [shlex.split(line)[1:] for line in lines if line.startswith("ExecStart=")]
    services = [json.loads(line.partition(":")[2]) for line in lines if line.strip().startswith("command:")]
    assert len(units) == len(services) == 2
    for words in (*units, *services):
        found = cli(*words, "--centre", "host=/nowhere")
        assert (found.exit_code, "does not answer" in found.stderr) == (1, True), found.output


def test_every_example_has_its_test() -> None:
    """Nothing lies there untried.

    "ippbx-bill.service" is tried in test_service.py, "plans-calls.json" in test_worked_examples.py, "pictures" in
    tests/manual.
    """
    text = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.iterdir() if path.name != "__pycache__"]
    assert [name for name in names if f'"{name}"' not in text] == []
