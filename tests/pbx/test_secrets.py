"""What is private stays private: files for their owner only, secrets in no line, no process list, no traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ippbx_billing.pbx import remembered, tokens
from ippbx_billing.simulation.practice_pbx import Firmware, PracticePbx
from tests.bodies import gateway_cdr
from tests.practice import served
from tests.service_process import PATIENCE_S, Service

TOKEN = "k3qhw7zxr5mnp2yvt8bd"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and /proc are those of POSIX")


def run(data_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`ippbx-bill` in a process of its own, which begins with the most careless umask."""
    return subprocess.run(
        [sys.executable, "-m", "ippbx_billing", "--data-dir", str(data_dir), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
        umask=0,
    )


def open_to_others(directory: Path) -> list[str]:
    return [str(path) for path in (directory, *directory.rglob("*")) if path.stat().st_mode & 0o077]


def test_whatever_is_created_is_for_its_owner_only(tmp_path: Path) -> None:
    """Settings, databases with their logs, lock, tokens, dialects, backups, lists: 0600 and 0700, also at umask 0."""
    data_dir, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    assert run(data_dir, "init", "--area-code", "022").returncode == 0
    assert open_to_others(data_dir) == []
    before = os.umask(0)
    try:
        tokens.add_token(data_dir, TOKEN)
        remembered.save(data_dir, remembered.Remembered("http://192.0.2.1", admin_password="admin@123#"))
        with Service(data_dir) as service:
            assert service.post(gateway_cdr("8001", "958674577", 64), path=f"{TOKEN}/").status_code == 200
            service.wait_until_read()
            assert {"inbox.db-wal", "ledger.db-wal"} <= {path.name for path in data_dir.iterdir()}
            assert open_to_others(data_dir) == []
            for arguments in (
                ["backup", "--to", str(elsewhere / "copies")],
                ["report", "--month", "2026-10", "--format", "csv", "--output", str(elsewhere / "report.csv")],
                ["dialects", "suggest", "--event", "1", "--write", "mine"],
            ):
                done = run(data_dir, *arguments)
                assert done.returncode == 0, done.stderr
    finally:
        os.umask(before)
    assert (data_dir / "dialects" / "mine.toml").exists()
    assert open_to_others(data_dir) + open_to_others(elsewhere) == []


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the list of processes of Linux")
def test_the_listener_never_says_its_secret_path(site: Path) -> None:
    """Neither to a stranger nor in a line about trouble nor to `ps`, though each line says what is wrong."""
    tokens.add_token(site, TOKEN)
    with Service(site, IPPBX_BILL_LOG_FORMAT="json") as service:
        worker, _ = children(service.process.pid)
        answers = [
            service.post(b"{}", path=f"{TOKEN[:-1]}x/"),
            service.post(b"{}", path=f"x/{TOKEN}"),
            service.post(b"{}", path=f"{TOKEN}/", headers={"X-Long": "x" * 70_000}),
            service.post(b"rubbish", path=f"{TOKEN}/"),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 400, 200]
        shown = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (service.process.pid, worker)]
        os.kill(worker, signal.SIGKILL)
        said = [service.announcement]
        while "started again" not in said[-1]:
            said.append(service.lines.get(timeout=PATIENCE_S))
        service.wait_until_read()
    said += list(service.lines.queue)
    assert any("refused" in line for line in said)
    for text in (*said, *shown, *(answer.text for answer in answers)):
        assert TOKEN not in text


def test_a_password_is_in_no_message(site: Path) -> None:
    """Not where it is wrong, not where nobody answers, and not in what Python shows of the object that holds it."""
    secret = "geheim-4711!"
    with served(PracticePbx(Firmware())) as address:
        for place in (address, "http://127.0.0.1:1"):
            done = run(
                site,
                *("configure-pbx", "--pbx", place, "--server", "192.0.2.27", "--yes"),
                IPPBX_BILL_PBX_ADMIN_PASSWORD=secret,
                IPPBX_BILL_PBX_API_PASSWORD=secret,
            )
            assert done.returncode == 1
            assert done.stderr
            assert secret not in done.stdout + done.stderr
    assert secret not in repr(remembered.Remembered(admin_password=secret, api_password=secret))


def test_an_error_of_our_own_shows_no_values(site: Path) -> None:
    """A traceback names lines of code; the values that they worked on are not printed."""
    script = (
        "import sys\n"
        "def broken(*_, **__):\n    password = '-'.join(('geheim', '4711'))\n    raise RuntimeError('broken')\n"
        "from ippbx_billing.cli import common\ncommon.open_ledger = broken\n"
        "from ippbx_billing.cli import main\nmain()\n"
    )
    command = [sys.executable, "-c", script, "--data-dir", str(site), "quote", "10086", "--seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert "RuntimeError: broken" in done.stderr
    assert "geheim-4711" not in done.stderr
