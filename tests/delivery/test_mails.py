"""Bills and reports by mail: each once, only for days that are over, to a mail server that misbehaves as it is told."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli import common
from ippbx_billing.cli.app import app
from ippbx_billing.delivery.alerts import running
from ippbx_billing.delivery.alerts.channels import put_server
from ippbx_billing.delivery.mails.bounces import bounced
from ippbx_billing.delivery.mails.making import SENT
from ippbx_billing.delivery.mails.periods import due_at, newest_due, next_due, period_of
from ippbx_billing.delivery.mails.sending import Mailer, MailRound, addressed, only_mailer
from ippbx_billing.delivery.mails.wanted import checked
from ippbx_billing.errors import BusyError
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.deliveries import Mailing
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr, read_all
from tests.conftest import Cli
from tests.delivery.servers import PostOffice

ZONE = ZoneInfo("Asia/Shanghai")
NOVEMBER = datetime(2026, 11, 1, 9, tzinfo=ZONE)
PEOPLE = {"1001": "张三", "1002": "李四", "1003": "王五"}


@pytest.fixture(scope="module")
def october(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three employees with calls in October, two of them with an address; copy it."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("october") / "data"))
    with Ledger(site / "ledger.db") as ledger:
        for place, (number, name) in enumerate(PEOPLE.items(), 1):
            one = ledger.directory.add_employee(number, name, "公司/销售部")
            ledger.directory.assign(f"800{place}", date(2026, 1, 1), employee=number)
            if number != "1003":
                ledger.directory.set_mail("employee", one.id, [f"e{number}@example.com"])
    heard(site, *[gateway_cdr(f"800{n}", "958674577", 60 * n, start=f"2026-10-1{n} 10:00:00") for n in (1, 2, 3)])
    return site


def heard(site: Path, *bodies: bytes) -> None:
    """Records that have come and were read."""
    fill(site / "inbox.db", bodies)
    read_all(site)


class Desk:
    """A site whose clock tests set."""

    def __init__(self, site: Path, office: PostOffice, rate: int = 10_000) -> None:
        self.site, self.settings, self.now = site, load(site), NOVEMBER
        self.ledger = Ledger(site / "ledger.db")
        self.paused = list[float]()
        put_server(site, "mail", mail_server(office, rate))

    def wanted(self, name: str, **more: object) -> Mailing:
        given: dict[str, object] = {
            "name": name, "bill": None, "report": None, "asked": (), "to": ("boss@example.com",), "form": "pdf",
            "every": "month", "on_day": 1, "at": "08:00", "lang": "zh", "note": "", "first_day": date(2026, 10, 1),
        }  # fmt: skip
        return self.ledger.deliveries.add(checked(self.ledger, **{**given, **more}))  # type: ignore[arg-type]

    def pause(self, seconds: float) -> bool:
        """Time goes by without anybody waiting."""
        if seconds:
            self.paused.append(seconds)
            self.now += timedelta(seconds=seconds)
        return False

    def run(self, after: timedelta = timedelta(0), timeout_s: float = 5) -> MailRound:
        self.now += after
        with only_mailer(self.site):
            return Mailer(self.settings, self.ledger, lambda: self.now, self.pause, timeout_s).run()

    def states(self) -> dict[str, int]:
        found = Counter[str]()
        for one in self.ledger.deliveries.counts().values():
            found.update(one)
        return dict(found)


def mail_server(office: PostOffice, rate: int = 10_000) -> dict[str, str]:
    return {
        "host": "127.0.0.1", "port": str(office.port), "security": "none", "sender": "billing@example.com",
        "rate": str(rate),
    }  # fmt: skip


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with PostOffice() as office:
        yield office


@pytest.fixture
def desk(october: Path, tmp_path: Path, office: PostOffice) -> Iterator[Desk]:
    desk = Desk(Path(shutil.copytree(october, tmp_path / "data")), office)
    yield desk
    desk.ledger.close()


def file_in(mail: Message) -> tuple[str | None, bytes]:
    (one,) = [part for part in mail.walk() if part.get_filename()]
    content = one.get_payload(decode=True)
    assert isinstance(content, bytes)
    return one.get_filename(), content


def plain_in(mail: Message) -> str:
    (one,) = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    content = one.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


# -- when


def test_a_period_is_due_on_its_day_by_the_sites_clock_and_never_before_it_is_closed() -> None:
    """Months, weeks and days; two hours for late records; a clock that is moved at night; after a pause the last."""

    def wanted(every: str, on: int = 1, at: str = "08:00", first: date = date(2026, 1, 1)) -> Mailing:
        return Mailing(
            name="x", what="bill", whose="all", asked={}, form="pdf", every=every, on_day=on, at=at,
            recipients=("a@b.cn",), lang="zh", note="", first_day=first,
        )  # fmt: skip

    october = period_of("month", date(2026, 10, 31))
    assert due_at(wanted("month", 3), october, ZONE, 2) == datetime(2026, 11, 3, 8, tzinfo=ZONE)
    assert due_at(wanted("month", at="00:30"), october, ZONE, 2) == datetime(2026, 11, 1, 2, tzinfo=ZONE)
    week = period_of("week", date(2026, 11, 1))
    assert (week.first, week.last) == (date(2026, 10, 26), date(2026, 11, 1))
    berlin = ZoneInfo("Europe/Berlin")  # 02:30 does not exist on that day, and the day has 23 hours
    day = period_of("day", date(2026, 3, 28))
    assert due_at(wanted("day", at="02:30"), day, berlin, 2) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    before = datetime(2026, 11, 3, 7, 59, tzinfo=ZONE)
    third = wanted("month", 3)
    found = [newest_due(third, moment, ZONE, 2) for moment in (before, before + timedelta(minutes=1))]
    assert [one and one.name for one in found] == ["2026-09", "2026-10"]
    assert newest_due(wanted("month", first=date(2026, 11, 1)), NOVEMBER, ZONE, 2) is None
    assert next_due(third, october, before + timedelta(hours=1), ZONE, 2) == datetime(2026, 12, 3, 8, tzinfo=ZONE)
    assert next_due(third, None, before, ZONE, 2) == datetime(2026, 10, 3, 8, tzinfo=ZONE)


# -- what arrives


def test_each_employee_gets_the_own_bill_once_and_who_has_no_address_is_named(desk: Desk, office: PostOffice) -> None:
    """In Chinese, HTML and plain, the file attached, its hash in the archive; nothing before the day, nothing twice."""
    desk.wanted("bills", bill="employee", to=("employee",))
    assert desk.run(timedelta(hours=-2)).made == 0  # 07:00
    done = desk.run(timedelta(hours=2))
    assert (done.made, done.sent, [one.whose for one in done.nobody]) == (3, 2, ["employee:1003"])
    assert sorted(office.recipients) == [["e1001@example.com"], ["e1002@example.com"]]
    first = next(one for one in office.mails if one["To"] == "e1001@example.com")
    name, content = file_in(first)
    assert (name, content[:5]) == ("bill-2026-10-1001-张三.pdf", b"%PDF-")
    assert "话费账单" in office.subjects[0] or "账单" in office.subjects[0]
    assert {"text/plain", "text/html"} < {part.get_content_type() for part in first.walk()}
    assert desk.run(timedelta(days=1)).sent == 0
    (kept,) = [one for one in desk.ledger.deliveries.mails(states=["sent"]) if one.recipient == "e1001@example.com"]
    assert (desk.site / SENT / kept.file).read_bytes() == content
    assert str(first["Message-ID"]) == f"<{kept.message_id}@example.com>"
    one = desk.ledger.directory.employee("1003")
    desk.ledger.directory.set_mail("employee", one.id, ["wang@example.com"])
    assert addressed(desk.ledger, None, int(desk.now.timestamp())) == 1
    desk.run()
    assert office.recipients[-1] == ["wang@example.com"]
    assert desk.states() == {"sent": 3}


def test_late_calls_bring_a_correction_to_those_whose_bill_differs(desk: Desk, office: PostOffice) -> None:
    """With the next morning's mail, once, with the sums before and now; a day without late calls brings nothing."""
    desk.wanted("bills", bill="employee", to=("employee",), lang="en", form="html")
    desk.wanted("all", bill="all", lang="en", form="csv", note="Ask Li.")
    desk.run()
    assert len(office.mails) == 3
    heard(desk.site, gateway_cdr("8001", "958674577", 600, start="2026-10-31 23:59:00"))
    assert desk.run(timedelta(hours=1)).sent == 0  # not before the next morning
    assert desk.run(timedelta(days=1)).sent == 2
    assert sorted(office.recipients[3:]) == [["boss@example.com"], ["e1001@example.com"]]
    assert all(one.startswith("Correction: ") for one in office.subjects[3:])
    (own,) = [one for one in office.mails[3:] if one["To"] == "e1001@example.com"]
    before, now = re.findall(r"fee: (\S+) CNY before, (\S+) CNY now", plain_in(own))[0]
    assert float(before) < float(now)
    assert office.mails[0]["Message-ID"] != own["Message-ID"]
    assert desk.run(timedelta(days=1)).sent == 0
    assert desk.run(timedelta(days=1)).sent == 0


def test_reports_departments_and_large_files(desk: Desk, office: PostOffice, tmp_path: Path) -> None:
    """A report with its question; a department's own bill; a file that is too large lies where the mail says."""
    text = (desk.site / "settings.toml").read_text("utf-8")
    folder = tmp_path / "web"
    text = text.replace('mail_link_folder = ""', f'mail_link_folder = "{folder}"')
    (desk.site / "settings.toml").write_text(text.replace('mail_link = ""', 'mail_link = "https://b.cn/x/"'), "utf-8")
    desk.settings = load(desk.site)
    sales = desk.ledger.directory.department("销售部")
    desk.ledger.directory.set_mail("department", sales.id, ["sales@example.com"])
    desk.wanted("own", bill="department", to=("department",), form="xlsx")
    desk.wanted("top", report="ranking", asked=("by=employee", "top=2"), form="json", lang="en", to=("a@b.cn, c@b.cn",))
    desk.wanted(
        "week", report="sums", asked=("by=traffic-type",), form="csv", every="week", first_day=date(2026, 10, 5)
    )
    done = desk.run()
    assert (done.sent, [one.whose for one in done.nobody]) == (4, ["department:公司"])
    assert sorted(one for to in office.recipients for one in to) == [
        "a@b.cn", "boss@example.com", "c@b.cn", "sales@example.com",
    ]  # fmt: skip
    names = {file_in(one)[0] for one in office.mails}
    assert {"bill-2026-10-公司_销售部.xlsx", "ranking-2026-10.json"} < names
    desk.settings = load(desk.site, {"mail_attach_mb": 1})
    desk.ledger.connection.execute(
        "UPDATE delivery_mails SET state = 'waiting', size = 2000000 WHERE whose = 'ranking'"
    )
    desk.run()
    link = re.findall(r"https://b.cn/x/\S+", plain_in(office.mails[-1]))[0]
    assert (folder / link.removeprefix("https://b.cn/x/")).read_bytes()[:1] == b"{"
    assert "attachment" not in str(office.mails[-1])


# -- a mail server that refuses, stalls and dies


def test_what_is_refused_for_good_is_given_up_and_what_is_put_off_comes_later(desk: Desk, office: PostOffice) -> None:
    """5xx is a dead letter and an incident of its recipient; 4xx is tried again after a minute, then two."""
    desk.wanted("bills", bill="employee", to=("employee",))
    answers = {"e1001@example.com": "550 no such user", "e1002@example.com": "451 grey-listed"}
    office.refuse = answers.get
    done = desk.run()
    assert (done.sent, done.dead, done.failed) == (0, 1, 1)
    (one,) = [one for one in desk.ledger.incidents.listed() if one.rule == "delivery"]
    assert one.reason.facts["recipient"] == "e1001@example.com"
    assert "550 no such user" in str(one.reason.facts["error"])
    assert desk.run(timedelta(seconds=50)).failed == 0
    assert desk.run(timedelta(seconds=11)).failed == 1
    del answers["e1002@example.com"]
    assert desk.run(timedelta(seconds=121)).sent == 1
    assert desk.states() == {"dead": 1, "sent": 1, "nobody": 1}
    answers.clear()
    assert desk.ledger.deliveries.again("bills", int(desk.now.timestamp())) == 1
    assert desk.run().sent == 1
    assert [one for one in desk.ledger.incidents.listed() if one.rule == "delivery"] == []


def test_a_server_that_is_away_holds_up_nothing_for_long(desk: Desk, office: PostOffice) -> None:
    """One attempt tells for all that wait; a day later what was tried so long is given up."""
    put_server(desk.site, "mail", {"port": "1"})
    desk.wanted("bills", bill="employee", to=("employee",))
    done = desk.run()
    assert (done.failed, len(done.troubles)) == (1, 1)
    assert "Connection refused" in done.troubles[0] or "ConnectionRefused" in done.troubles[0]
    desk.run(timedelta(minutes=2))
    desk.run(timedelta(days=1))
    put_server(desk.site, "mail", {"port": str(office.port)})
    desk.run(timedelta(hours=1))
    assert sum(desk.states().values()) == 3
    assert len(office.mails) == desk.states()["sent"]


def test_a_mail_that_was_not_answered_comes_again_under_its_id_and_says_so(desk: Desk, office: PostOffice) -> None:
    """The server takes the last byte and dies; and one that stalls is not waited for."""
    desk.wanted("one", bill="employee:1001", lang="en")
    taken = office.handle_DATA
    ways = iter(["die", "stall", ""])

    async def handle(server: object, session: object, envelope: object) -> str:
        answer: str = await taken(server, session, envelope)  # type: ignore[arg-type]
        way = next(ways)
        if way == "die":
            server.transport.abort()  # type: ignore[attr-defined]
        elif way == "stall":
            import asyncio

            await asyncio.sleep(1.5)
        return answer

    office.handle_DATA = handle  # type: ignore[method-assign, assignment]
    assert desk.run().failed == 1
    assert desk.run(timedelta(minutes=2), timeout_s=0.3).failed == 1
    assert desk.run(timedelta(minutes=6)).sent == 1
    assert len({str(one["Message-ID"]) for one in office.mails}) == 1
    assert ["sent again" in plain_in(one) for one in office.mails] == [False, True, True]


def test_a_mail_that_came_back_is_given_up(desk: Desk, office: PostOffice) -> None:
    """The report of another server, days later; one about a mail of others is left alone."""
    desk.wanted("one", bill="employee:1001", to=("e1001@example.com",))
    desk.run()
    report = (
        "From: mailer-daemon@example.com\r\nTo: billing@example.com\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        "Final-Recipient: rfc822; e1001@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown user\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {office.mails[0]['Message-ID']}\r\nSubject: x\r\n\r\n--b--\r\n"
    )
    now = int(desk.now.timestamp())
    assert bounced(desk.ledger, report.replace("Message-ID: <", "Message-ID: <z").encode(), now) == []
    ((mail, error),) = bounced(desk.ledger, report.encode(), now)
    assert (mail.recipient, error) == ("e1001@example.com", "smtp; 550 5.1.1 unknown user")
    assert desk.states() == {"dead": 1}
    assert [one.rule for one in desk.ledger.incidents.listed()] == ["delivery"]


# -- many, and at once


def test_five_hundred_bills_go_over_one_connection_at_the_providers_pace(desk: Desk, office: PostOffice) -> None:
    """Never more in a minute than is set, also across runs."""
    put_server(desk.site, "mail", {"rate": "120"})
    many = tuple(f"p{number}@example.com" for number in range(500))
    desk.wanted("many", bill="employee:1001", form="csv", to=many)
    began = desk.now
    assert desk.run().sent == 500
    assert (len(office.mails), len(office.sessions)) == (500, 1)
    assert {to for (to,) in office.recipients} == set(many)
    assert len(office.recipients) == 500
    assert desk.now - began >= timedelta(minutes=4)
    tried = sorted(desk.ledger.deliveries.tried_since(0))
    assert max(sum(1 for other in tried if one <= other < one + 60) for one in tried) <= 120


COMMAND = [sys.executable, "-m", "ippbx_billing"]


def spoken(site: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "--data-dir", str(site), "--lang", "en", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_two_at_once_and_one_that_is_killed_send_each_mail_once(desk: Desk, office: PostOffice) -> None:
    """The killed one was between two mails, or within one: then that one comes again under its id, and says so."""
    many = ",".join(f"p{number}@example.com" for number in range(60))
    cli = CliRunner()
    answer = cli.invoke(
        app, ["--data-dir", str(desk.site), "deliver", "add", "many", "--bill", "employee:1001", "--format", "csv",
              "--to", many, "--from", "2026-10-01", "--every", "day"],
    )  # fmt: skip
    assert answer.exit_code == 0, answer.output
    desk.ledger.connection.execute("UPDATE deliveries SET first_day = '2026-10-11'")
    first = spoken(desk.site, "deliver", "--due")
    until = time.monotonic() + 30
    while len(office.mails) < 5 and time.monotonic() < until:
        time.sleep(0.002)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    got = len(office.mails)
    assert 5 <= got < 60
    both = [spoken(desk.site, "deliver", "--due"), spoken(desk.site, "deliver", "due")]
    told = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    numbers = Counter(str(one["Message-ID"]) for one in office.mails)
    assert len(numbers) == 60
    again = [one for one in office.mails if numbers[str(one["Message-ID"])] > 1]
    assert len(office.mails) - 60 <= 1
    assert sum("sent again" in plain_in(one) for one in again) == len(office.mails) - 60
    assert desk.states() == {"sent": 60}


# -- the command line


def test_deliveries_are_set_shown_and_taken_away(
    october: Path, tmp_path: Path, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mistakes are told when they are made; the archive says whether a file is still the one that was sent."""
    site = Path(shutil.copytree(october, tmp_path / "data"))
    monkeypatch.setattr(common, "now", lambda: NOVEMBER)

    def cli(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["--data-dir", str(site), "--lang", "en", *words])
        return answer.exit_code, answer.output

    for words, told in {
        ("add", "x", "--to", "boss"): "say what is mailed",
        ("add", "x", "--to", "boss", "--bill", "company"): "'boss' is no mail address",
        ("add", "x", "--to", "a@b.cn", "--bill", "employee:9"): "there is no employee 9",
        ("add", "x", "--to", "a@b.cn", "--report", "rank"): "there is no report rank",
        ("add", "x", "--to", "a@b.cn", "--report", "ranking", "--set", "by=colour"): "colour",
        ("add", "x", "--to", "employee", "--bill", "company"): "stands alone",
        ("add", "x", "--to", "a@b.cn", "--bill", "all", "--on", "31"): "from 1 to 28",
        ("add", "../x", "--to", "a@b.cn", "--bill", "all"): "no name for a delivery",
        ("show", "x"): "there is no delivery x",
    }.items():
        code, said = cli("deliver", *words)
        assert code in (1, 2), said
        assert told in said
    assert "ippbx-bill alerts channels server mail" in cli("deliver", "add", "x", "--to", "employee")[1]
    assert cli("deliver", "add", "x", "--to", "employee")[0] == 2
    with Ledger(site / "ledger.db") as ledger:
        ledger.connection.execute("UPDATE deliveries SET first_day = '2026-10-01'")
    code, said = cli("deliver", "--due")
    assert (code, "no mail server is set" in said, "have no mail address: 1003" in said) == (1, True, True), said
    put_server(site, "mail", mail_server(office))
    assert cli("deliver", "--due") == (0, "0 files made, 2 mails sent, 0 are tried again, 0 were given up\n")
    assert cli("deliver", "--due") == (0, "")
    assert "1002" in cli("deliver", "show", "x")[1]
    assert cli("deliver", "archive")[0] == 0
    next((site / SENT).rglob("bill-*1001*.pdf")).write_bytes(b"forged")
    code, said = cli("deliver", "archive", "--format", "json")
    assert (code, said.count('"changed"')) == (1, 1)
    assert cli("deliver", "enable", "x", "--off")[0] == 0
    assert '"off"' in cli("deliver", "list", "--format", "json")[1]
    assert cli("deliver", "remove", "x")[0] == 0
    assert "nothing is mailed" in cli("deliver")[1]
    assert "deliver remove x" in cli("audit", "list")[1]


def test_addresses_come_with_the_list_of_employees(cli: Cli, tmp_path: Path) -> None:
    """A column of the list, a command for one; nonsense is refused with its line."""
    people = tmp_path / "people.csv"
    people.write_text("工号,姓名,部门,邮箱\n1001,张三,工程部,zhang@example.com\n1002,李四,工程部,\n", "utf-8")
    assert cli("employees", "import", str(people)).exit_code == 0
    assert "zhang@example.com" in cli("employees", "show", "1001").output
    assert cli("employees", "mail", "1002", "li@example.com；l2@example.com").exit_code == 0
    assert "li@example.com, l2@example.com" in cli("employees", "export").output
    assert cli("employees", "mail", "1002", "-").exit_code == 0
    assert "has no mail address" in cli("employees", "mail", "1002").output
    assert cli("departments", "mail", "工程部", "dept@example.com").exit_code == 0
    people.write_text("工号,姓名,邮箱\n1001,张三,nobody\n", "utf-8")
    answer = cli("employees", "import", str(people))
    assert (answer.exit_code, "is no mail address" in answer.output) == (1, True), answer.output


def test_the_process_that_sends_alerts_mails_what_is_due(desk: Desk, office: PostOffice) -> None:
    """By the real clock: the last day that is over; while another mails it says that it is busy."""
    desk.wanted("daily", bill="employee:1001", every="day", form="csv")
    with only_mailer(desk.site), pytest.raises(BusyError):
        running._mail_what_is_due(desk.settings, threading.Event())
    running._mail_what_is_due(desk.settings, threading.Event())
    running._mail_what_is_due(desk.settings, threading.Event())
    assert office.recipients == [["boss@example.com"]]
