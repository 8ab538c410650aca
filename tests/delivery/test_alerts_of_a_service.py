"""The whole way: records posted to the real service, rules, outbox, a robot; killed at random under load."""

import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ippbx_billing.alerts import RULES
from ippbx_billing.delivery.alerts.channels import checked, put
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli
from tests.delivery.servers import Robot
from tests.service_process import Service

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the list of processes of Linux")
EXTENSIONS = 24
PATIENCE_S = 90


def burst(extension: int) -> list[bytes]:
    """Twenty-five calls of one extension within the last minutes: one incident."""
    start = datetime.now(UTC) + timedelta(hours=8, minutes=-8)
    return [
        gateway_cdr(f"8{extension:03}", f"9586745{n:02d}", 5, start=f"{start + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}")
        for n in range(25)
    ]


def helpers(service: Service) -> list[int]:
    """The worker and the sender, as they are now; none while one of them begins anew."""
    path = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    return [int(word) for word in path.read_text().split()]


@linux
def test_killed_at_random_under_load_each_incident_is_told_once(site: Path) -> None:
    """Worker and sender die again and again while records come in: what was found is told, all of it and once."""
    chance = random.Random(11)
    with Ledger(site / "ledger.db") as ledger:
        for rule in RULES:
            if rule not in ("general", "burst"):
                ledger.incidents.set(rule, {"on": "off"})
        ledger.incidents.set("general", {"heartbeat": "", "digest_over": "1000"})
    with Robot(plan=[b"{}"]) as robot:
        values = {"url": robot.url, "secret": "s", "rate": "100000", "lang": "en"}
        put(site, checked("own", "webhook", values))
        with Service(site) as service:
            bodies = [body for extension in range(EXTENSIONS) for body in burst(extension)]
            for number, body in enumerate(bodies):
                assert service.post(body).status_code == 200
                if number % 100 == 50 and (alive := helpers(service)):
                    os.kill(chance.choice(alive), signal.SIGKILL)
            service.wait_until_read()
            until = time.monotonic() + PATIENCE_S
            while len({one.json["id"] for one in robot.got}) < EXTENSIONS and time.monotonic() < until:
                time.sleep(0.1)
        told = Counter(one.json["id"] for one in robot.got if one.json["kind"] == "open")
        anew = Counter(one.json["id"] for one in robot.got if "sent again" in one.json["text"])
    with Ledger(site / "ledger.db") as ledger:
        found = ledger.incidents.listed(everything=True)
        assert sorted((one.rule, one.object) for one in found) == [("burst", f"8{n:03}") for n in range(EXTENSIONS)]
        assert set(told) == {f"incident/{one.id}/open" for one in found}
        assert all(count == 1 + anew[one] for one, count in told.items())
        assert ledger.posts.counts()["own"] == {"sent": EXTENSIONS}


def test_doctor_says_whether_alerts_arrive(site: Path, cli: Cli) -> None:
    """No channel, one that was never used, one that refuses, one that works: each has its line."""
    assert "nobody is told" in " ".join(cli("doctor").output.split())
    with Robot(plan=[b'{"errcode":310000,"errmsg":"sign not match"}', b'{"errcode":0}']) as robot:
        put(site, checked("boss", "dingtalk", {"url": robot.url}))
        assert "never taken a message" in " ".join(cli("doctor").output.split())
        with Ledger(site / "ledger.db") as ledger, ledger.transaction():
            now = int(time.time())
            ledger.incidents.message("test/1", "test", RULES["burst"].severity, now, facts={})
        cli("alerts", "send")
        assert "sign not match" in " ".join(cli("doctor").output.split())
        with Ledger(site / "ledger.db") as ledger, ledger.transaction():
            (post,) = ledger.posts.listed(["waiting"])
            ledger.posts.failed(post, "HTTP 500", None)
        assert "1 messages were given up" in " ".join(cli("doctor").output.split())
        assert cli("alerts", "send", "--again").exit_code == 0
        assert "last message" in " ".join(cli("doctor").output.split())


def test_the_command_line_lists_sets_mutes_and_acknowledges(site: Path, cli: Cli) -> None:
    """Every command on one incident; wrong names and values are told what would be right."""
    assert cli("alerts", "set", "burst", "calls=30", "times=5").exit_code == 0
    assert "calls=30, times=5" in cli("alerts", "rules", "--format", "csv").output
    assert cli("alerts", "set", "burst", "calls=").exit_code == 0
    assert "calls=20, times=5" in cli("alerts", "rules", "--format", "csv").output
    assert cli("alerts", "set", "dear-call", "on", "call_fee=50").exit_code == 0
    wrong = cli("alerts", "set", "burts", "calls=3")
    assert (wrong.exit_code, "did you mean burst" in wrong.output) == (1, True)
    wrong = cli("alerts", "set", "burst", "calls=many")
    assert (wrong.exit_code, "whole number" in wrong.output) == (2, True)
    assert "no incidents" in cli("alerts", "list").output
    assert cli("alerts", "mute", "burst", "8001", "--until", "2026-12-31", "--note", "call centre").exit_code == 0
    assert "call centre" in cli("alerts", "mute", "--list").output
    assert cli("alerts", "mute", "--remove", "1").exit_code == 0
    assert cli("alerts", "mute", "--remove", "1").exit_code == 1
    assert cli("alerts", "show", "1").exit_code == 1
    assert cli("alerts", "ack", "1").exit_code == 1


def test_a_rule_is_tried_on_the_past_before_it_is_switched_on(site: Path, cli: Cli) -> None:
    """Three bursts in a month, told with these settings and with others; by the fourth it is usual. Nobody is told."""
    bodies = []
    for day in (3, 5, 9, 24):
        start = datetime(2026, 11, day, 10, 0)
        bodies += [
            gateway_cdr("8001", f"9586745{n:02d}", 5, start=str(start + timedelta(seconds=10 * n))) for n in range(25)
        ]
    bodies += [gateway_cdr("8002", "900442071234567", 60, start="2026-11-07 23:00:00")]
    fill(site / "inbox.db", bodies)
    with Ledger(site / "ledger.db") as ledger, Inbox(site / "inbox.db") as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, load(site))).drain()
    month = ("--from", "2026-11-01", "--to", "2026-11-30", "--format", "csv")
    found = cli("alerts", "try", "burst", *month)
    assert found.exit_code == 0, found.output
    assert found.stdout.count("8001: ") == 3
    assert "3 times in 30 days" in found.output
    assert cli("alerts", "try", "burst", "calls=26", *month).stdout.count("8001: ") == 0
    assert cli("alerts", "try", "after-hours-intl", *month).stdout.count("2026-11-07T23:01") == 1
    assert cli("alerts", "try", "new-country", *month).stdout.count("(900442071234567)") == 1
    assert cli("alerts", "try", "silence", *month).exit_code == 0
    assert cli("alerts", "try", "concurrency", *month).exit_code == 0
    assert cli("alerts", "try", "store", *month).exit_code == 2
    assert cli("alerts", "try", "burst", "--from", "2026-12-01", "--to", "2026-11-01").exit_code == 2
    assert cli("alerts", "list", "--all", "--format", "json").stdout.strip() == "[]"
