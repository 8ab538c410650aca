"""`demo` and `simulate calls`: real processes on free ports, every call in the ledger once, nothing left behind."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ippbx_billing import language as texts
from ippbx_billing.reports import Period
from ippbx_billing.reports.views.live_table import Board
from ippbx_billing.simulation.traffic import SimulatedSite, status_bodies
from ippbx_billing.simulation.traffic.site import CHINA
from tests.conftest import Cli
from tests.service_process import Service

PATIENCE_S = 300
COMMAND = [sys.executable, "-m", "ippbx_billing"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`ippbx-bill` in a process of its own, in an environment without settings of this machine."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IPPBX_BILL_")}
    env = {**clean, "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, env=env)


@dataclass(frozen=True)
class Demonstration:
    """A finished demonstration of sixty calls whose data was kept."""

    kept: Path
    stdout: str
    stderr: str

    def answer(self, *arguments: str) -> Any:
        """What a command says as JSON about the kept data."""
        return json.loads(run("--data-dir", str(self.kept), *arguments, "--format", "json").stdout)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    kept = tmp_path_factory.mktemp("demo") / "kept"
    result = run("demo", "--calls", "60", "--seed", "7", "--keep", str(kept))
    assert result.returncode == 0, result.stderr
    return Demonstration(kept, result.stdout, result.stderr)


def is_open(url: str) -> bool:
    host, port = re.fullmatch(r"http://([\d.]+):(\d+)/", url).groups()  # type: ignore[union-attr]
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def test_every_posted_call_is_rated_once_and_the_report_is_their_sum(demonstration: Demonstration) -> None:
    """The kept ledger holds the planned calls and no other; the report printed is the report of those."""
    calls = demonstration.answer("calls", "list")
    month = Period.month("last", datetime.now(CHINA).date())
    planned = list(SimulatedSite(7).calls(60, month.first, month.last))
    assert sorted((row["record_id"], row["billed_s"], row["number"]) for row in calls) == sorted(
        (call.record_id, call.billed_s, call.number) for call in planned
    )
    assert {row["dialect"] for row in calls} == {"uc"}
    report = demonstration.answer("report", "--month", month.name)
    assert report["total"]["calls"] == 60
    assert Decimal(report["total"]["fee"]) == sum(Decimal(row["fee"] or 0) for row in calls) > 0
    assert re.search(rf"total\s+60\s.*\s{report['total']['fee']}\s*$", demonstration.stdout, re.MULTILINE)
    events = demonstration.answer("events", "list")
    assert len(events) == 60 + sum(len(status_bodies(call)) for call in planned)
    assert {row["status"] for row in events} == {"done"}


def test_names_departments_and_trunks_are_those_of_the_site(demonstration: Demonstration) -> None:
    """The directory came in through `extensions import`, the trunks through `trunks add`."""
    people = {person.extension: person for person in SimulatedSite(7).people}
    for row in demonstration.answer("calls", "list"):
        assert (row["name"], row["department"]) == (people[row["extension"]].name, people[row["extension"]].department)
        assert row["carrier"] is None or row["trunk"] is None or row["carrier"].endswith(row["trunk"][:2])
    assert len(demonstration.answer("trunks", "list")) == 3


def test_what_it_says_to_try_next_works(demonstration: Demonstration) -> None:
    """Every command it names runs on the kept data."""
    tries = re.findall(r"^  ippbx-bill (--data-dir [^#\n]+)", demonstration.stderr, re.MULTILINE)
    assert len(tries) == 5
    for words in tries:
        result = run(*shlex.split(words))
        assert result.returncode == 0, result.stderr
        assert result.stdout


def test_the_same_seed_shows_the_same(demonstration: Demonstration) -> None:
    """Another demonstration with that seed prints the same report."""
    again = run("demo", "--calls", "60", "--seed", "7").stdout
    assert again.partition("Calls of")[2] == demonstration.stdout.partition("Calls of")[2] != ""


def test_nothing_is_left_behind_and_the_users_own_settings_stay_out(tmp_path: Path) -> None:
    """The directory and the listener are gone; it is in Tianjin whatever the user's site is; it speaks Chinese."""
    result = run(
        *("demo", "--calls", "30", "--lang", "zh"),
        TMPDIR=str(tmp_path),
        IPPBX_BILL_AREA_CODE="010",
        IPPBX_BILL_DATA_DIR=str(tmp_path / "own"),
        IPPBX_BILL_EXTENSION_PATTERNS="9XX",
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == []
    urls = re.findall(r"http://127\.0\.0\.1:\d+/", result.stderr)
    assert len(urls) == 2
    assert not any(map(is_open, urls))
    assert "022-天津-电信" in result.stderr
    headings = (
        "分机号码 分机姓名 部门名称 通话日期 开始时间 通话时长 中继名称 通话方向 电话号码 所属地区 所属地名 话务类型"
    )
    assert all(heading in result.stdout for heading in headings.split())


def hear_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore SIGINT, and the tests may run there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def demonstrating(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A long demonstration that has begun to listen, and the addresses it listens on."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--calls", "20000"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c if os.name == "posix" else None,
    )
    assert process.stderr
    try:
        for line in process.stderr:
            if urls := re.findall(r"http://127\.0\.0\.1:\d+/", line):
                yield process, urls
                break
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(("signal_name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_it_cleanly(tmp_path: Path, signal_name: str, code: int) -> None:
    """In the middle of the posts: the listener is ended and waited for, the directory is removed."""
    with demonstrating(tmp_path) as (process, urls):
        assert all(map(is_open, urls))
        assert process.stderr
        next(line for line in process.stderr if "posted" in line)
        process.send_signal(getattr(signal, signal_name))
        said = process.communicate(timeout=PATIENCE_S)[1]
        assert process.returncode == code
        assert "Traceback" not in said
        assert not any(map(is_open, urls))
        assert list(tmp_path.iterdir()) == []


def test_a_directory_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    """`--keep` wants a new directory; wrong usage is exit 2."""
    (tmp_path / "letter.txt").write_text("mine")
    result = run("demo", "--keep", str(tmp_path))
    assert result.returncode == 2
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    result = run("demo", "--keep", str(tmp_path / "letter.txt" / "below"))
    assert result.returncode == 2
    assert "cannot be used" in result.stderr


ROW = {
    "extension": "8001", "name": "欧阳建国", "department": "总经理办公室", "started_at": "2026-10-08T09:12:33+08:00",
    "billed_s": 4283, "trunk": "电信中继", "direction": "outbound", "number": "900442079460000", "region": "内蒙古",
    "place": "呼和浩特", "traffic_type": "service_400_800", "fee": "1041.60", "disposition": "answered",
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 92, 102, 112, 124, 134, 148, 158, 200])
def test_the_board_fits_the_terminal(width: int, language: str) -> None:
    """A narrow terminal leaves columns out rather than cutting what they hold; fees are summed exactly."""
    texts.use(language)
    board = Board(planned=3, currency="CNY")
    for fee in ("1041.60", None, "0.10"):
        board.take({**ROW, "fee": fee})
    wide = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with wide.file:
        wide.print(board.table(width))
        shown = wide.export_text()
    assert "…" not in shown
    assert all(value in shown for value in ("8001", "09:12:33", "1:11:23", "900442079460000", "1,041.60", "1,041.70"))
    assert ("总经理办公室" in shown) is (width >= 148)


def test_simulated_calls_arrive_and_a_second_run_is_a_second_delivery(site: Path, cli: Cli) -> None:
    """The same seed posts the same records, so that the ledger holds them once; both ways of writing are understood."""
    with Service(site) as service:
        for form, seed in (("json", 1), ("json", 1), ("form", 2)):
            result = cli(
                *("simulate", "calls", "--url", service.cdr_url, "--status-url", service.status_url, "--count", "25"),
                *("--dialect-form", form, "--seed", str(seed), "--format", "json"),
            )
            assert result.exit_code == 0, result.stderr
            assert json.loads(result.stdout)[0]["acknowledged"] >= 75
        service.wait_until_read()
        assert len(service.run("calls", "list")) == 50
        assert len(service.run("events", "list", "--status", "duplicate")) == 25
        assert service.run("events", "list", "--status", "rejected") == []


def test_habits_of_delivery_change_nothing_in_the_ledger(site: Path, cli: Cli) -> None:
    """Doubled, out of order, a connection an event: each call once."""
    with Service(site) as service:
        result = cli(
            *("simulate", "calls", "--url", service.cdr_url, "--count", "40", "--duplicates", "0.5"),
            *("--out-of-order", "10", "--new-connection-per-event", "--retries", "1", "--profile", "hotel"),
            *("--format", "json"),
        )
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)[0]["acknowledged"] > 40
        service.wait_until_read()
        records = [row["record_id"] for row in service.run("calls", "list")]
        assert len(records) == len(set(records)) == 40


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--url", "ftp://127.0.0.1/"], "is not an address to post to", 2),
        (["--url", "http://127.0.0.1:99999/"], "is not an address to post to", 2),
        (["--url", "http://127.0.0.1:1/"], "does not answer", 1),
        (["--url", "http://127.0.0.1:1/", "--dialect-form", "xml"], "dialect-form", 2),
    ],
)
def test_simulate_says_what_is_wrong(cli: Cli, arguments: list[str], message: str, code: int) -> None:
    """An address that cannot be, a port where nobody listens, a form there is none of."""
    result = cli("simulate", "calls", *arguments)
    assert result.exit_code == code
    assert message in result.stderr
