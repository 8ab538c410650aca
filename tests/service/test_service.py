"""The service: a unit that systemd accepts and that locks the listener in, and the commands that set it up."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from ippbx_billing.service import Unit
from ippbx_billing.service.notify import notify, watchdog_s
from tests import EXAMPLES
from tests.conftest import Cli
from tests.service_process import PATIENCE_S, Service

EXAMPLE = EXAMPLES / "ippbx-bill.service"
DEFAULT = Unit(Path("/opt/ippbx-bill/bin/ippbx-bill"))

posix = pytest.mark.skipif(os.name != "posix", reason="systemd runs on Linux")
analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def options(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def test_the_example_is_what_a_default_installation_prints(cli: Cli, site: Path) -> None:
    """`ippbx-bill.service` in examples/ can be copied as it is."""
    words = ["service", "install", "--print", "--executable", str(DEFAULT.executable)]
    assert CliRunner().invoke(app, words).stdout == EXAMPLE.read_text(encoding="utf-8")
    assert f"--data-dir {site} listen" in cli(*words).stdout


@analyze
def test_systemd_accepts_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    """Checked offline by systemd's own tool: no complaint, and an exposure of at most 2 of 10."""
    executable = tmp_path / "ippbx-bill"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    unit = tmp_path / "ippbx-bill.service"
    unit.write_text(Unit(executable, user="root").text())
    verified = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert "ippbx-bill.service" not in verified.stderr, verified.stderr
    judged = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)]
    assert subprocess.run(judged, capture_output=True, timeout=60).returncode == 0


def test_a_data_directory_elsewhere_can_be_written_and_nothing_else() -> None:
    """In a home the homes must be seen; only the standard place is made by systemd itself."""
    standard, own = options(DEFAULT.text()), options(Unit(DEFAULT.executable, Path("/home/li/话单 data")).text())
    assert (standard["StateDirectory"], standard["ProtectHome"]) == ("ippbx-bill", "yes")
    assert (own.get("StateDirectory"), own["ProtectHome"]) == (None, "read-only")
    assert own["ReadWritePaths"] == '"/home/li/话单 data"'
    assert own["ExecStart"] == f'{DEFAULT.executable} --data-dir "/home/li/话单 data" listen --console'


def test_a_low_port_gets_the_one_right_it_needs(cli: Cli, site: Path) -> None:
    """Port 80 may be opened by a user who is not root; otherwise there are no rights at all."""
    assert options(DEFAULT.text())["CapabilityBoundingSet"] == ""
    settings = site / "settings.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("8181", "80"), encoding="utf-8")
    printed = options(cli("service", "install", "--print").stdout)
    assert printed["CapabilityBoundingSet"] == printed["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for the system's commands that write down how they were called, and a place for the unit."""
    pytest.importorskip("pwd")
    from ippbx_billing.service import systemd

    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("systemctl", "useradd", "chown"):
        (commands / name).write_text(
            f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/called\n'
            f'[ -e {tmp_path}/fails ] && echo "Job failed." >&2 && exit 1\n'
            f"[ $1 = show ] && cat {tmp_path}/shown\nexit 0\n"
        )
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=os.pathsep)
    monkeypatch.setattr(systemd, "UNIT_PATH", tmp_path / "ippbx-bill.service")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


@posix
def test_install_makes_user_owner_and_unit_and_uninstall_takes_the_unit_away(cli: Cli, system: Path) -> None:
    """In this order; the data stay."""
    unit = system / "ippbx-bill.service"
    assert cli("service", "install", "--user", "no-such-user").exit_code == 0
    assert options(unit.read_text(encoding="utf-8"))["User"] == "no-such-user"
    assert unit.stat().st_mode & 0o777 == 0o644
    called = (system / "called").read_text(encoding="utf-8").splitlines()
    assert [line.split()[0] for line in called[:3]] == ["systemctl", "useradd", "chown"]
    assert called[2].endswith(f"no-such-user: {system / 'data'}")
    assert called[3:] == [
        "systemctl daemon-reload",
        "systemctl enable ippbx-bill.service",
        "systemctl restart ippbx-bill.service",
    ]
    assert cli("service", "uninstall").exit_code == 0
    assert not unit.exists()
    assert (system / "data" / "inbox.db").exists()
    assert "there is no" in cli("service", "uninstall").stderr


@posix
def test_a_step_that_fails_is_told_in_the_systems_own_words(cli: Cli, system: Path) -> None:
    """With the place where more is to be read; where systemd does not answer, nothing is changed at all."""
    (system / "fails").touch()
    result = cli("service", "install")
    assert not (system / "ippbx-bill.service").exists()
    assert (system / "called").read_text(encoding="utf-8").count("\n") == 1
    assert result.exit_code == 1
    assert "Job failed." in result.stderr
    assert "journalctl -u ippbx-bill" in result.stderr


@posix
def test_status_tells_and_its_exit_code_says_whether_it_runs(cli: Cli, system: Path) -> None:
    """systemd's answer as a row; a service that does not run is exit 1."""
    shown = "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nSubState=running\nMainPID=17\nNRestarts=2\n"
    (system / "shown").write_text(shown)
    (row,) = json.loads(cli("service", "status", "--format", "json").stdout)
    assert (row["installed"], row["enabled"], row["state"], row["pid"], row["restarts"]) == (
        True,
        True,
        "active",
        17,
        2,
    )
    (system / "shown").write_text("LoadState=not-found\nActiveState=inactive\nMainPID=0\n")
    assert cli("service", "status").exit_code == 1


@posix
def test_only_root_installs_and_only_what_is_set_up(cli: Cli, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither leaves anything behind."""
    (system / "data" / "settings.toml").unlink()
    assert "init --area-code" in cli("service", "install").stderr
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in cli("service", "install").stderr
    assert not (system / "called").exists()


def test_the_watchdog_is_told_three_times_within_its_patience() -> None:
    """And only by the process that is watched."""
    assert watchdog_s({"WATCHDOG_USEC": "60000000"}) == 20
    assert watchdog_s({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}) == 20
    assert watchdog_s({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}) == 0
    assert watchdog_s({}) == watchdog_s({"WATCHDOG_USEC": "soon"}) == 0


@posix
def test_the_listener_tells_systemd_how_it_is(site: Path, tmp_path: Path) -> None:
    """1. Ready when the doors are open. 2. Alive, again and again. 3. Stopping at SIGTERM."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(PATIENCE_S)
        with Service(site, NOTIFY_SOCKET=address, WATCHDOG_USEC="300000") as service:
            assert systemd.recv(100) == b"READY=1"
            assert service.post(b"{}").status_code == 200
            assert [systemd.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        said = {systemd.recv(100)}
        while b"STOPPING=1" not in said:
            said.add(systemd.recv(100))


@posix
def test_whoever_does_not_fetch_its_messages_stops_nothing(tmp_path: Path) -> None:
    """Once its queue is full, a sign of life is lost, and the listener goes on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        filling = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        filling.setblocking(False)
        with filling, contextlib.suppress(BlockingIOError):
            while True:
                filling.sendto(b"x", str(tmp_path / "notify"))
        telling = threading.Thread(
            target=notify, args=["WATCHDOG=1", {"NOTIFY_SOCKET": str(tmp_path / "notify")}], daemon=True
        )
        telling.start()
        telling.join(PATIENCE_S)
        assert not telling.is_alive()


def wait_for_silence(systemd: socket.socket) -> None:
    while systemd.recv(100):
        pass


@posix
def test_a_writer_that_hangs_is_not_alive(site: Path, tmp_path: Path) -> None:
    """No sign of life while the writer waits for a lock, although the doors answer; again when it is free."""
    import sqlite3

    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(PATIENCE_S)
        with Service(site, NOTIFY_SOCKET=address, WATCHDOG_USEC="300000"):
            assert systemd.recv(100) == b"READY=1"
            holder = sqlite3.connect(site / "inbox.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            systemd.settimeout(1.6)  # below the 2.5 s after which the writer gives up, which is an answer too
            with pytest.raises(TimeoutError):
                wait_for_silence(systemd)
            holder.execute("ROLLBACK")
            holder.close()
            systemd.settimeout(PATIENCE_S)
            assert systemd.recv(100) == b"WATCHDOG=1"


def test_bringing_a_ledger_up_to_date_may_take_longer_than_systemd_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it lasts the service asks for more time, again and again, and no more when it is done."""
    from ippbx_billing.service import notify as room

    address = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(address))
    monkeypatch.setattr(room, "EXTENDED_EVERY_S", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(30)
        with room.taking_long():
            heard = [systemd.recv(100).decode() for _ in range(3)]
        assert all(one.startswith("EXTEND_TIMEOUT_USEC=") for one in heard)
        systemd.setblocking(False)
        with suppress(BlockingIOError):
            while systemd.recv(100):
                pass
        time.sleep(0.1)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
