"""From the outbox to servers that take, refuse, stall, limit and die: every incident is told once, and none is lost."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.alerts import Occurrence, Over, Severity
from ippbx_billing.calls import Reason
from ippbx_billing.delivery.alerts.channels import checked, put, put_server
from ippbx_billing.delivery.alerts.running import Housekeeping
from ippbx_billing.delivery.alerts.sender import BACK_OFF_S, Sender, after_quiet, is_sending, next_time, only_sender
from ippbx_billing.errors import BusyError, UsageError
from ippbx_billing.ledger import Ledger
from ippbx_billing.settings import load
from ippbx_billing.simulation.practice_pbx.identity import certificate
from tests.conftest import Cli
from tests.delivery.servers import PostOffice, Robot

GOOD = b'{"errcode":0,"code":0}'
ZONE = ZoneInfo("Asia/Shanghai")


class Bench:
    """A site with an outbox, and a clock that tests set."""

    def __init__(self, site: Path) -> None:
        self.site, self.settings = site, load(site)
        self.ledger = Ledger(site / "ledger.db")
        self.ledger.incidents.set("general", {"heartbeat": None})
        self.now = datetime.now(UTC)
        self.sender = Sender(self.settings, self.ledger)

    def find(self, what: str, severity: Severity = Severity.CRITICAL, rule: str = "burst") -> None:
        reason = Reason("alert-burst", {"extension": what, "calls": 20, "minutes": 10, "limit": 20})
        at = int(self.now.timestamp())
        with self.ledger.transaction():
            self.ledger.incidents.settle([Occurrence(rule, what, severity, reason, at, at + 1_800)], [], at)

    def over(self, what: str, rule: str = "burst") -> None:
        with self.ledger.transaction():
            self.ledger.incidents.settle([], [Over(rule, what, int(self.now.timestamp()))], int(self.now.timestamp()))

    def send(self, after_s: float = 0) -> None:
        self.now += timedelta(seconds=after_s)
        until = time.monotonic() + 20
        while self.sender.round(self.now):
            assert time.monotonic() < until
            time.sleep(0.01)

    def states(self) -> Counter[str]:
        found = self.ledger.posts.counts().values()
        return Counter({state: sum(one.get(state, 0) for one in found) for one in found for state in one})

    def close(self) -> None:
        self.sender.__exit__(None, None, None)
        self.ledger.close()


@pytest.fixture
def bench(site: Path) -> Iterator[Bench]:
    bench = Bench(site)
    yield bench
    bench.close()


def chat(site: Path, robot: Robot, name: str = "boss", **more: str) -> None:
    put(
        site,
        checked(name, "dingtalk", {"url": f"{robot.url}/send?access_token=t", "secret": "SEC1", "lang": "zh", **more}),
    )


def test_an_incident_is_told_at_its_beginning_and_its_end(bench: Bench) -> None:
    """Two messages, whatever happens between; the second round sends nothing again."""
    with Robot() as robot:
        chat(bench.site, robot)
        bench.find("8001")
        bench.find("8001")
        bench.send()
        bench.send()
        bench.over("8001")
        bench.send()
    told = [one.json["text"]["content"].split("\n")[0] for one in robot.got]
    assert [one.split("：")[0] for one in told] == ["严重", "已结束"]
    assert bench.states() == {"sent": 2}


@pytest.mark.parametrize("trouble", [b'{"errcode":310000,"errmsg":"sign not match"}', 500, "die", b"<html>"])
def test_a_refusal_is_tried_again_with_growing_pauses(bench: Bench, trouble: object) -> None:
    """Also one that comes as a 200, and an answer that breaks off; after the cause is gone it arrives, once."""
    with Robot(plan=[trouble, trouble, GOOD]) as robot:
        chat(bench.site, robot)
        bench.find("8001")
        bench.send()
        (post,) = bench.ledger.posts.listed(["waiting"])
        assert post.attempts == 1
        assert post.error
        bench.send(BACK_OFF_S[0] - 5)
        assert len(robot.got) == 1
        bench.send(10)
        bench.send(BACK_OFF_S[1] - 5)
        assert len(robot.got) == 2
        bench.send(10)
    assert len(robot.got) == 3
    assert bench.states() == {"sent": 1}


def test_what_is_refused_for_a_day_is_given_up_and_is_an_incident_elsewhere(bench: Bench) -> None:
    """Dead letters are kept, told on the other channels, and sent again when somebody asks."""
    with Robot(plan=[403]) as bad, Robot() as good:
        chat(bench.site, bad, "bad")
        chat(bench.site, good, "good")
        bench.find("8001")
        bench.send()
        for _ in range(30):
            bench.send(3_700)
        assert bench.states()["dead"] == 1
        told = [one.json["text"]["content"] for one in good.got]
        assert any("bad" in one and "HTTP 403" in one for one in told)
        (dead,) = bench.ledger.posts.listed(["dead"])
        assert (dead.channel, dead.error) == ("bad", "HTTP 403 {}")
        bad.plan = [GOOD]
        with bench.ledger.transaction():
            assert bench.ledger.posts.again(None, int(bench.now.timestamp())) == 1
        bench.send()
        assert bench.states()["dead"] == 0
        assert [one.rule for one in bench.ledger.incidents.listed() if one.rule == "delivery"] == []


def test_a_stalling_channel_delays_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that never answers is cut off; meanwhile the other has all of its messages."""
    monkeypatch.setattr("ippbx_billing.delivery.alerts.http.TIMEOUT_S", 0.7)
    with Robot(plan=["stall"]) as slow, Robot() as quick:
        chat(bench.site, slow, "slow")
        chat(bench.site, quick, "quick")
        for number in range(3):
            bench.find(f"800{number}")
        until = time.monotonic() + 10
        while len(quick.got) < 3 and time.monotonic() < until:
            assert bench.sender.round(bench.now) >= 0
            time.sleep(0.01)
        assert bench.ledger.posts.counts()["slow"]["sending"] == 1
        bench.send()
    assert bench.ledger.posts.counts()["slow"]["waiting"] == 3
    assert "Timeout" in bench.ledger.posts.listed(["waiting"])[-1].error


def test_a_channel_is_never_told_more_than_it_bears(bench: Bench) -> None:
    """Sixteen a minute to DingTalk, an overflow becomes one digest, and too much said means ten minutes of silence."""
    bench.ledger.incidents.set("general", {"digest_over": "1000"})
    with Robot() as robot:
        chat(bench.site, robot)
        for number in range(40):
            bench.find(f"8{number:03}")
        bench.send()
        assert len(robot.got) == 16
        another = Sender(bench.settings, bench.ledger)
        assert another.round(bench.now) == 0  # a process that begins anew counts what an earlier one has tried
        another.__exit__(None, None, None)
        bench.send(30)
        assert len(robot.got) == 16
        bench.send(31)
        assert len(robot.got) == 32
        robot.plan = [b'{"errcode":130101,"errmsg":"too fast"}']
        bench.send(61)
        robot.plan = [GOOD]
        bench.send(300)
        assert len(robot.got) == 33
        bench.send(301)
        assert len(robot.got) == 41
    assert bench.states() == {"sent": 40}


def test_an_overflow_becomes_one_digest(bench: Bench) -> None:
    """Of a hundred at once four come by themselves, and the rest in one message that counts them."""
    with Robot() as robot:
        chat(bench.site, robot)
        for number in range(100):
            bench.find(f"8{number:03}")
        bench.send()
    assert len(robot.got) == 5
    titles = [one.json["text"]["content"].split("\n")[0] for one in robot.got]
    assert [one for one in titles if "96" in one] == ["96 条消息"]
    assert bench.states() == {"sent": 5, "merged": 96}


def test_each_channel_hears_what_it_asked_for(bench: Bench) -> None:
    """By severity and by rule; an escalation only what nobody has acknowledged within a quarter of an hour."""
    with Robot() as loud, Robot() as bursts, Robot() as chief:
        chat(bench.site, loud, "loud", least="critical")
        chat(bench.site, bursts, "bursts", rules="burst")
        chat(bench.site, chief, "chief", escalation="yes")
        bench.find("8001", Severity.WARNING)
        bench.find("8002", Severity.CRITICAL, "spend-day")
        bench.find("8003")
        bench.send()
        assert [len(one.got) for one in (loud, bursts, chief)] == [2, 2, 0]
        number = next(one.id for one in bench.ledger.incidents.listed() if one.object == "8003")
        bench.ledger.incidents.acknowledge(number, "li", int(bench.now.timestamp()))
        bench.send(16 * 60)
        assert len(chief.got) == 1
        assert bench.states()["cancelled"] == 1


def test_quiet_hours_wait_for_the_morning_but_not_for_what_is_critical() -> None:
    """And a time of day is the next one, also across midnight."""
    night = datetime(2026, 11, 3, 23, 30, tzinfo=ZONE)
    assert after_quiet(night, "22:00-07:00") == datetime(2026, 11, 4, 7, 0, tzinfo=ZONE)
    assert after_quiet(night + timedelta(hours=5), "22:00-07:00") == datetime(2026, 11, 4, 7, 0, tzinfo=ZONE)
    assert after_quiet(night, "") == night
    assert after_quiet(night.replace(hour=12), "22:00-07:00") == night.replace(hour=12)
    assert next_time(night, "08:30") == datetime(2026, 11, 4, 8, 30, tzinfo=ZONE)
    assert next_time(night, "23:31") == datetime(2026, 11, 3, 23, 31, tzinfo=ZONE)


def test_a_warning_waits_in_quiet_hours(bench: Bench) -> None:
    """The sender itself goes by them."""
    bench.ledger.incidents.set("general", {"quiet": "22:00-07:00"})
    bench.now = datetime(2026, 11, 3, 23, 30, tzinfo=ZONE)
    with Robot() as robot:
        chat(bench.site, robot)
        bench.find("8001", Severity.WARNING)
        bench.find("8002")
        bench.send()
        assert len(robot.got) == 1
        bench.send(7.5 * 3600)
        assert len(robot.got) == 2


def test_a_proxy_takes_what_cannot_go_out_by_itself(bench: Bench) -> None:
    """Every request goes to it, with the whole address of the service."""
    with Robot() as proxy:
        put(bench.site, checked("boss", "wecom", {"url": "http://qyapi.example/cgi-bin/webhook/send?key=k"}))
        put_server(bench.site, "http", {"proxy": proxy.url})
        bench.find("8001")
        bench.send()
    assert [one.path for one in proxy.got] == ["http://qyapi.example/cgi-bin/webhook/send?key=k"]


def test_alertmanager_hears_again_and_again_of_what_goes_on(bench: Bench) -> None:
    """Within its five minutes, and no longer once it is over."""
    with Robot(plan=[b"{}"]) as manager:
        put(bench.site, checked("am", "alertmanager", {"url": manager.url}))
        bench.find("8001")
        for told in (2, 3, 4):  # the incident itself, and what goes on, each minute
            bench.send(61)
            until = time.monotonic() + 20
            while (len(manager.got) < told or bench.sender.states_flying()) and time.monotonic() < until:
                time.sleep(0.01)
            assert len(manager.got) == told
        ends = [one.json[0]["endsAt"] for one in manager.got]
        assert ends[1] < ends[2] < ends[3]
        bench.over("8001")
        bench.send(61)
        bench.send(61)
        assert len(manager.got) == 5
        assert manager.got[-1].json[0]["endsAt"] < ends[-1]


# -- mail


def mail(site: Path, port: int, **more: str) -> None:
    put_server(site, "mail", {"host": "127.0.0.1", "port": str(port), "sender": "billing@example.com", **more})
    put(site, checked("office", "mail", {"to": "boss@example.com, li@example.com", "lang": "en"}))


def test_a_mail_arrives_in_both_forms_under_one_id(bench: Bench) -> None:
    """Plain and HTML, with a subject that says what; a second attempt has the same Message-ID."""
    with PostOffice() as office:
        mail(bench.site, office.port, security="none")
        bench.find("8001")
        bench.send()
    (letter,) = office.mails
    assert office.subjects == ["critical: 8001: 20 outgoing calls within 10 min, the limit is 20"]
    assert {part.get_content_type() for part in letter.walk()} >= {"text/plain", "text/html"}
    assert letter["Message-ID"] == "<incident.1.open@example.com>"
    assert office.recipients == [["boss@example.com", "li@example.com"]]
    assert letter["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("starttls", [True, False])
def test_mail_over_tls_with_a_login(bench: Bench, starttls: bool) -> None:
    """STARTTLS or TLS from the first byte; the certificate must be known."""
    with certificate("127.0.0.1") as (cert, key):
        tls = str(cert), str(key)
        with PostOffice(tls=tls, starttls=starttls, login=("billing", "geheim")) as office:
            security = "starttls" if starttls else "tls"
            mail(bench.site, office.port, security=security, user="billing", password="geheim")
            bench.find("8001")
            bench.send()
            (post,) = bench.ledger.posts.listed(["waiting"])
            assert "CERTIFICATE_VERIFY_FAILED" in post.error
            put_server(bench.site, "mail", {"ca_file": str(cert)})
            bench.send(61)
            assert len(office.mails) == 1


def test_a_recipient_that_is_refused_for_good_is_an_incident(bench: Bench) -> None:
    """One of two: the other has it, and the refusal is told. Both: the message is given up at once."""
    with PostOffice(refuse=lambda one: "550 no such user" if one.startswith("li") else None) as office:
        mail(bench.site, office.port, security="none")
        bench.find("8001")
        bench.send()
        assert office.recipients == [["boss@example.com"]]
        (one,) = [one for one in bench.ledger.incidents.listed() if one.rule == "delivery"]
        assert "li@example.com: 550 no such user" in str(one.reason.facts["error"])
        office.refuse = lambda _: "550 no such user"
        bench.find("8002")
        bench.send(1)
        assert bench.states()["dead"] == 1


def test_a_mail_server_that_is_busy_is_asked_again(bench: Bench) -> None:
    """Grey-listing, a full disk: 4xx is not a refusal."""
    with PostOffice() as office:
        office.refuse = lambda _: "451 grey-listed"
        mail(bench.site, office.port, security="none")
        bench.find("8001")
        bench.send()
        assert bench.states() == {"waiting": 1}
        office.refuse, office.answer = lambda _: None, lambda _: "452 disk full"
        bench.send(61)
        assert bench.states() == {"waiting": 1}
        office.answer = lambda _: "250 taken"
        bench.send(121)
        assert bench.states() == {"sent": 1}


# -- the process


def test_only_one_sends_at_a_time(site: Path) -> None:
    """The lock is the process's: a second sender is told, and a killed one leaves none."""
    with only_sender(site):
        assert is_sending(site)
        with pytest.raises(BusyError), only_sender(site):
            pass
    assert not is_sending(site)


class Process:
    """The real sender, with the pipe of a listener; ended by its own id."""

    def __init__(self, site: Path) -> None:
        command = [sys.executable, "-m", "ippbx_billing.delivery.alerts.running", str(site), "auto"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def beat(self) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline() == b"0\n"

    def end(self, kill: bool = False) -> None:
        assert self.process.stdin
        assert self.process.stdout
        if kill:
            self.process.kill()
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_killed_at_any_moment_every_incident_is_told_and_none_twice_unsaid(site: Path) -> None:
    """Kills at random; what may have arrived before comes again under the same id and says so."""
    chance, sent = random.Random(3), 0
    with Ledger(site / "ledger.db") as ledger:
        ledger.incidents.set("general", {"heartbeat": "", "digest_over": "1000"})
    put_server(site, "http", {"ping_min": "5"})
    with Robot(plan=[b"{}"]) as robot:
        put(site, checked("own", "webhook", {"url": robot.url, "secret": "s", "rate": "100000", "lang": "en"}))
        bench = Bench(site)
        bench.ledger.incidents.set("general", {"heartbeat": "", "digest_over": "1000"})
        for number in range(4):
            process = Process(site)
            process.beat()
            for _ in range(chance.randint(5, 12)):
                bench.find(f"{sent}")
                sent += 1
            time.sleep(chance.uniform(0.1, 0.7))
            process.end(kill=number < 3)
        last = Process(site)
        until = time.monotonic() + 60
        while bench.states()["sent"] < sent and time.monotonic() < until:
            time.sleep(0.1)
        last.end()
        assert bench.states() == {"sent": sent}
        bench.close()
    told = Counter(one.json["id"] for one in robot.got if one.json.get("rule") == "burst")
    assert len(told) == sent
    again = [one for one in robot.got if told[one.json["id"]] > 1]
    said = Counter(one.json["id"] for one in again if "sent again" in one.json["text"])
    assert {one for one, count in told.items() if count > 1} == set(said)
    assert all(count - said[one] <= 1 for one, count in told.items())


def test_the_heartbeat_comes_once_a_day_and_names_what_is_open(bench: Bench) -> None:
    """At its time, not before, and only to who wants it."""
    with PostOffice() as office:
        mail(bench.site, office.port, security="none")
        for clock, wanted in (("08:29", 0), ("08:31", 1), ("18:00", 1)):
            bench.now = datetime(2026, 11, 3, *map(int, clock.split(":")), tzinfo=ZONE)
            Housekeeping(bench.settings, bench.ledger).beat(bench.now)
            bench.send()
            assert len(office.mails) == wanted
        bench.now += timedelta(days=1)
        Housekeeping(bench.settings, bench.ledger).beat(bench.now)
        bench.send()
        assert office.subjects == ["all is well"] * 2


def test_a_watchman_elsewhere_is_pinged_while_all_is_well(bench: Bench) -> None:
    """A request each five minutes, through the same proxy as all others."""
    with Robot(plan=[b"ok"]) as watchman:
        put_server(bench.site, "http", {"ping": f"{watchman.url}/ping/secret"})
        housekeeping = Housekeeping(bench.settings, bench.ledger)
        bench.sender.round(bench.now)
        for minutes in (0, 1, 4, 5, 6, 11):
            housekeeping.run(bench.now + timedelta(minutes=minutes), bench.sender)
    assert [one.path for one in watchman.got] == ["/ping/secret"] * 3


def test_the_command_line_tests_a_channel_the_whole_way(site: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a service it says so; with the sender it arrives; what waits can be sent by cron."""
    monkeypatch.setattr("ippbx_billing.delivery.alerts.sender.NOBODY_S", 0.3)
    with Robot() as robot:
        answer = cli(
            "alerts",
            "channels",
            "add",
            "boss",
            "dingtalk",
            f"url={robot.url}/x?access_token=t",
            "secret=-",
            stdin="S\n",
        )
        assert answer.exit_code == 0, answer.output
        assert "access_token" not in cli("alerts", "channels", "list").output
        alone = cli("alerts", "test", "boss", "--wait", "6")
        assert alone.exit_code == 1
        assert "nobody sends" in alone.output
        sent = cli("alerts", "send")
        assert (sent.exit_code, len(robot.got)) == (0, 1), sent.output
        process = Process(site)
        process.beat()
        answer = cli("alerts", "test", "--format", "json")
        assert answer.exit_code == 0, answer.output
        assert json.loads(answer.stdout)[0]["state"] == "sent"
        assert "the running service sends" in cli("alerts", "send").output
        robot.plan = [b'{"errcode":310000,"errmsg":"sign not match"}']
        refused = cli("alerts", "test", "--format", "json")
        assert refused.exit_code == 1
        assert json.loads(refused.stdout)[0]["error"] == "310000 sign not match"
        process.end()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise asks for it
def test_other_services_are_told_by_apprise(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is a secret; a refusal is told without it; without the extra the hint is what to install."""
    with Robot(plan=[503, b"{}"]) as robot:
        url = robot.url.replace("http://", "json://user:geheim@") + "/hook"
        put(bench.site, checked("more", "apprise", {"url": url, "lang": "en"}))
        bench.find("8001")
        bench.send()
        (post,) = bench.ledger.posts.listed(["waiting"])
        assert "503" in post.error
        assert "geheim" not in post.error
        bench.send(61)
        assert bench.states() == {"sent": 1}
        assert "8001" in robot.got[1].json["title"]
    with pytest.raises(UsageError, match="apprise does not know"):
        put(bench.site, checked("more", "apprise", {"url": "nonsense://x"}))
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(UsageError, match="needs apprise") as missing:
        put(bench.site, checked("more", "apprise", {"url": "json://127.0.0.1/"}))
    assert missing.value.hint == "`pip install 'ippbx-bill[apprise]'` installs it"
