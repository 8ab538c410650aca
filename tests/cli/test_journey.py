"""From the PBX's POST to the month's report, with the true processes: what was answered 200 is on the bill, once."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.bodies import RUBBISH, gateway_cdr
from tests.service_process import Service

# The manual's worked examples: number, talk seconds, start, fee.
EXAMPLES = [
    ("58674577", 64, "2026-10-13 10:00:00", "0.22"),
    ("58674577", 285, "2026-10-13 10:10:00", "0.44"),
    ("13820000000", 4, "2026-10-13 10:20:00", "0.20"),
    ("13820000000", 144, "2026-10-13 10:30:00", "0.60"),
    ("02162345678", 80, "2026-10-13 10:40:00", "0.98"),
    ("02162345678", 90, "2026-10-13 03:00:00", "0.60"),
]


def test_the_manuals_worked_examples_from_post_to_report(site: Path) -> None:
    """Six records in, six fees to the digit, and their sum in the month's report."""
    with Service(site) as service:
        for place, (number, seconds, start, _) in enumerate(EXAMPLES):
            answer = service.post(gateway_cdr(f"80{place:02d}", "9" + number, seconds, start=start))
            assert answer.status_code == 200
        service.wait_until_read()
        fees = {call["extension"]: call["fee"] for call in service.run("calls", "list", "--month", "2026-10")}
        assert fees == {f"80{place:02d}": fee for place, (_, _, _, fee) in enumerate(EXAMPLES)}
        report = service.run("report", "--month", "2026-10", "--by", "traffic-type")
        sums = {"calls": 6, "answered": 6, "duration_s": 697, "billed_s": 667, "fee": "3.04"}
        assert sums.items() <= report["total"].items()
        assert [(row["traffic_type"], row["fee"]) for row in report["rows"]] == [
            ("domestic", "1.58"),
            ("local", "1.46"),
        ]
        assert service.end() == 0


def test_rubbish_is_kept_answered_and_listed(site: Path) -> None:
    """Every kind of rubbish gets a 200 and is there byte for byte; the good call after each is rated."""
    with Service(site) as service:
        for place, body in enumerate(RUBBISH.values()):
            assert service.post(body).status_code == 200
            service.post(gateway_cdr("8001", "58674577", 64, start=f"2026-10-13 10:{place:02d}:00"))
        service.wait_until_read()
        assert len(service.run("calls", "list", "--status", "rated")) == len(RUBBISH)
        rejected = service.run("events", "list", "--status", "rejected")
        assert len(rejected) >= len(RUBBISH) - 2  # an empty body is a probe, and no problem
        assert all(event["reason"] for event in rejected)
        shown = service.run("events", "show", "7")
        assert shown["bytes"] == len(RUBBISH["binary"])


def test_sigkill_loses_nothing_that_was_acknowledged(site: Path) -> None:
    """1. Post under load. 2. SIGKILL. 3. Start again. 4. Every acknowledged record is rated exactly once."""
    acknowledged: list[int] = []

    def deliver(url: str, numbers: range) -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            for number in numbers:
                try:
                    answer = client.post(url, content=gateway_cdr("8001", "58674577", 60 + number, port=number))
                except httpx.HTTPError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(number)

    with Service(site) as service:
        threads = [
            threading.Thread(target=deliver, args=(service.cdr_url, range(start, 100_000, 4))) for start in range(4)
        ]
        for thread in threads:
            thread.start()
        time.sleep(1 + random.random() / 2)
        service.end(signal.SIGKILL)
        for thread in threads:
            thread.join()
    assert len(acknowledged) > 50
    with Service(site) as service:
        service.wait_until_read()
        stored = [int(call["trunk"]) for call in service.run("calls", "list")]
        assert len(stored) == len(set(stored))
        assert set(acknowledged) <= set(stored)
        assert all(call["status"] == "rated" for call in service.run("calls", "list"))


def test_call_status_is_read_into_live_calls(site: Path) -> None:
    """Ringing, then talking, then ended; the record that follows is the one that is billed."""

    def event(action: str) -> bytes:
        parties = {"ext": {"extid": "8001"}, "outbound": {"from": "8001", "to": "58674577", "trunk": "1"}}
        return json.dumps({"action": action, "callid": "1495706238.328", "sn": "3693", **parties}).encode()

    with Service(site) as service:
        for action, state in (("ALERT", "ringing"), ("ANSWERED", "talking"), ("BYE", "ended")):
            assert service.post(event(action), door="status").status_code == 200
            service.wait_until_read()
            (live,) = service.run("calls", "live")
            assert (live["state"], live["call_id"], live["extension"]) == (state, "1495706238.328", "8001")
        assert service.run("calls", "list") == []
        assert {one["kind"] for one in service.run("events", "list")} == {"status"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_both_processes_end_cleanly(site: Path, how: signal.Signals) -> None:
    """SIGTERM and Ctrl-C finish the work and exit 0; the worker is gone as well, and the ports are free."""
    with Service(site) as service:
        service.post(gateway_cdr("8001", "58674577", 64))
        assert service.end(how) == 0
    from ippbx_billing.ledger import Ledger

    with Ledger(site / "ledger.db") as ledger:
        assert ledger.journey.position() == 1  # drained before it ended


def test_a_taken_port_is_one_clear_sentence(site: Path, tmp_path: Path) -> None:
    """Exit 3, the address named, no traceback."""
    import shutil
    import subprocess
    import sys

    with Service(site) as service:
        other = shutil.copytree(site, tmp_path / "other", ignore=shutil.ignore_patterns("*.lock", "*-wal", "*-shm"))
        port = service.cdr_url.rsplit(":", 1)[1].strip("/")
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(other), "listen", "--host", "127.0.0.1"]
        result = subprocess.run([*command, "--cdr-port", port], capture_output=True, text=True, timeout=30)
    assert result.returncode == 3
    assert port in result.stderr
    assert "Traceback" not in result.stderr
    assert "hint: " in result.stderr


def test_a_second_listener_on_the_same_data_is_refused(site: Path) -> None:
    """One data directory has one listener."""
    import subprocess
    import sys

    with Service(site):
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(site), "listen", "--host", "127.0.0.1"]
        ports = ["--cdr-port", "0", "--status-port", "0"]
        result = subprocess.run([*command, *ports], capture_output=True, text=True, timeout=30)
    assert result.returncode == 3
    assert "another listener" in result.stderr


def test_the_worker_is_started_again_when_it_dies(site: Path) -> None:
    """A crash of the pipeline costs a moment, not a call."""
    import subprocess

    with Service(site) as service:
        service.post(gateway_cdr("8001", "58674577", 64))
        service.wait_until_read()
        children = subprocess.run(
            ["pgrep", "-P", str(service.process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert len(children) == 2  # the other one sends
        import os

        os.kill(min(map(int, children)), signal.SIGKILL)  # the worker starts first
        service.post(gateway_cdr("8002", "58674577", 64))
        service.wait_until_read()
        assert [call["extension"] for call in service.run("calls", "list")] == ["8001", "8002"]


def test_once_a_token_is_set_only_its_path_may_post(site: Path) -> None:
    """Any path is taken until a token is set; from then on others get 403, are counted, and leave nothing."""
    from ippbx_billing.pbx.tokens import LOOK_EVERY_S, add_token

    with Service(site) as service:
        assert service.post(gateway_cdr("8001", "58674577", 64)).status_code == 200
        add_token(site, "3kq9abcdefghjkmnpqrs")
        time.sleep(LOOK_EVERY_S + 0.1)  # the listener knows of it so late at the latest
        assert service.post(gateway_cdr("8002", "58674577", 64)).status_code == 403
        assert service.post(gateway_cdr("8003", "58674577", 64), path="3kq9abcdefghjkmnpqrX/").status_code == 403
        assert service.post(gateway_cdr("8004", "58674577", 64), path="3kq9abcdefghjkmnpqrs/").status_code == 200
        service.wait_until_read()
        assert [call["extension"] for call in service.run("calls", "list")] == ["8001", "8004"]
        health = httpx.get(service.cdr_url + "healthz", trust_env=False).json()
        assert health["refused"] == {"unknown_path": 2}
        assert health["pipeline"] == "running"


def test_a_listener_with_unreadable_settings_does_not_start(tmp_path: Path) -> None:
    """Exit code 3 says that it could not start, whatever the cause in its files."""
    (tmp_path / "settings.toml").write_text("[listen\n", encoding="utf-8")
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(tmp_path), "listen"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, "is not valid TOML" in result.stderr) == (3, True)
