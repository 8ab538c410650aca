"""Limits, prepaid accounts, and barring: told at the marks, barred after a word or within a cap, undone by itself."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.cli import common
from ippbx_billing.delivery.barring import watch_limits
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.incidents import Incident
from ippbx_billing.settings import load
from tests.books import Books, opened
from tests.conftest import Cli

NOON = datetime(2026, 10, 20, 4, tzinfo=UTC)  # twelve o'clock in Tianjin


@pytest.fixture
def house(site: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Two departments, two people with an extension each, one with two; today is 20 October."""
    monkeypatch.setattr(common, "now", lambda: NOON)
    for path in ("公司/工程部", "公司/销售部"):
        cli("departments", "add", path)
    cli("employees", "add", "1001", "张三", "--department", "公司/工程部")
    cli("employees", "add", "1002", "李四", "--department", "公司/销售部")
    for number, who in (("8001", "1001"), ("8002", "1002"), ("8003", "1002")):
        cli("extensions", "add", number, "--employee", who)
    return cli


def spend(site: Path, *calls: tuple[str, str, int], day: str = "2026-10-05", first: int = 0, **more: Any) -> None:
    """Calls of extension, fee, seconds."""
    with opened(site / "ledger.db") as books:
        books.written = first
        write(books, day, *calls, **more)


def write(books: Books, day: str, *calls: tuple[str, str, int], **more: Any) -> None:
    for extension, fee, talk_s in calls:
        books.call(f"{day} 10:00:00", extension, fee=fee, talk_s=talk_s, **more)
    books.write()


def rows(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    done = cli(*arguments, "--format", "json")
    assert done.exit_code == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def look(site: Path, now: datetime = NOON) -> list[Incident]:
    """What the service does each minute; gives the incidents of limits that go on."""
    with Ledger(site / "ledger.db") as ledger:
        watch_limits(ledger, load(site), now)
        return ledger.incidents.listed(rule="limit")


def hook(site: Path, *, code: int = 0) -> Path:
    """A command that bars: it writes down what it was asked."""
    journal, script = site.parent / "asked.jsonl", site.parent / "bar.py"
    script.write_text(
        "import json, sys\n"
        f"with open({str(journal)!r}, 'a') as file:\n"
        "    file.write(json.dumps([sys.argv[1:], json.load(sys.stdin)]) + '\\n')\n"
        f"print('the PBX says no', file=sys.stderr); sys.exit({code})\n"
    )
    text = (site / "settings.toml").read_text(encoding="utf-8")
    command = json.dumps(f"{sys.executable} {script}")
    lines = [f"bar_command = {command}" if one.startswith("bar_command") else one for one in text.splitlines()]
    (site / "settings.toml").write_text("\n".join(lines), encoding="utf-8")
    return journal


def asked(journal: Path) -> list[list[str]]:
    return [json.loads(line)[0] for line in journal.read_text().splitlines()] if journal.exists() else []


def test_a_limit_is_of_an_extension_a_person_a_department_or_a_pin(house: Cli, site: Path) -> None:
    """Each counts its own outgoing calls to the outside; what came in or stayed inside is nobody's spending."""
    for who, fee in (("8001", "10"), ("李四", "5"), ("公司", "20"), ("pin:77", "1")):
        assert house("limits", "set", who, fee, "--time", "10min").exit_code == 0
    spend(site, ("8001", "4.00", 60), ("8002", "2.50", 120), ("8003", "1.00", 30))
    spend(site, ("8001", "0.50", 10), first=10, pin="77")
    spend(site, ("8001", "3.00", 900), first=20, direction="inbound")
    spend(site, ("8001", "3.00", 900), first=30, traffic_type="internal")
    spend(site, ("8001", "9.00", 900), first=40, day="2026-09-30")
    found = {row["who"]: row for row in rows(house, "limits", "list")}
    assert {who: (row["fee_used"], row["time_used_s"], row["percent"]) for who, row in found.items()} == {
        "8001": ("4.50", 70, 45),
        "1002 李四": ("3.50", 150, 70),
        "公司": ("8.00", 220, 40),
        "PIN 77": ("0.50", 10, 50),
    }
    assert house("limits", "remove", "李四").exit_code == 0
    assert len(rows(house, "limits", "list")) == 3
    assert house("limits", "remove", "李四").exit_code == 1


def test_marks_are_told_once_each_and_end_with_the_month(house: Cli, site: Path) -> None:
    """80 % warns, 100 % is critical; a higher limit or a new month ends them."""
    house("limits", "set", "8001", "10", "--warn", "80,90,100")
    spend(site, ("8001", "8.50", 60))
    assert [(one.object.split()[2], one.severity) for one in look(site)] == [("80%", "warning")]
    spend(site, ("8001", "1.50", 60), first=10)
    assert {one.object.split()[2] for one in look(site)} == {"80%", "90%", "100%"}
    shown = rows(house, "alerts", "list", "--rule", "limit")
    assert any(row["text"] == "8001 has used 100 % of the limit in 2026-10: 10.00 of 10.00" for row in shown)
    assert look(site, NOON + timedelta(days=14)) == []
    assert look(site) == []  # told once in a month
    house("limits", "set", "8001", "10.50", "--warn", "90")
    assert len(look(site)) == 1
    house("limits", "set", "8001", "30")
    assert look(site) == []


def test_what_has_no_price_is_told_beside_the_sum(house: Cli, site: Path) -> None:
    """Unknown is not zero: the sum says that more may be used."""
    house("limits", "set", "8001", "10")
    spend(site, ("8001", "4.00", 60))
    with opened(site / "ledger.db") as books:
        books.written = 50
        books.call("2026-10-06 10:00:00", "8001", fee=None)
        books.write()
    (row,) = rows(house, "limits", "list")
    assert (row["fee_used"], row["unpriced"]) == ("4.00", 1)
    shown = house("limits", "list")
    assert "≥ 4.00" in shown.stdout
    assert "1 calls have no price" in shown.stderr


def test_a_bill_and_a_report_show_the_limit(house: Cli, site: Path) -> None:
    """What was used of it in the bill's month."""
    house("limits", "set", "employee:1001", "10", "--time", "2h")
    spend(site, ("8001", "4.00", 600))
    bill = json.loads(house("bill", "--employee", "1001", "--month", "2026-10", "--format", "json").stdout)
    assert (bill["limit"]["fee_limit"], bill["limit"]["fee_used"], bill["limit"]["percent"]) == ("10.00", "4.00", 40)
    assert "4.00 of 10.00, 10 of 120 min (40 %)" in house("bill", "--employee", "1001", "--month", "2026-10").stdout
    report = json.loads(house("report", "--month", "2026-10", "--by", "employee", "--format", "json").stdout)
    assert report["rows"][0]["limit_used"] == "0.4000"
    assert report["rows"][0]["fee_limit"] == "10.00"


def test_nobody_is_barred_without_a_word(house: Cli, site: Path) -> None:
    """The plan says who and why; the PBX is asked after --yes, and told what must stay free."""
    journal = hook(site)
    house("limits", "set", "李四", "5", "--bar")
    house("limits", "set", "8001", "1")
    spend(site, ("8002", "6.00", 60), ("8001", "3.00", 60))
    look(site)
    assert asked(journal) == []
    planned = [(one["action"], one["object"]) for one in rows(house, "limits", "plan")]
    assert planned == [("bar", "8002"), ("bar", "8003"), ("warn", "8001")]
    assert "1002 李四 has used 120 %" in house("limits", "plan").stdout
    assert house("limits", "apply").exit_code == 2
    done = rows(house, "limits", "apply", "--yes", "--exempt", "8003")
    assert [(one["object"], one["state"]) for one in done] == [("8002", "confirmed")]
    words, told = json.loads(journal.read_text())
    assert words == ["bar", "extension", "8002"]
    assert told["allow"] == ["emergency", "internal"]
    assert [(one["action"], one["object"]) for one in rows(house, "limits", "plan", "--exempt", "8003")] == [
        ("warn", "8001")
    ]


def test_a_new_month_or_a_top_up_frees_by_itself(house: Cli, site: Path) -> None:
    """Whoever was barred because of a limit need not ask to be freed."""
    journal = hook(site)
    house("accounts", "top-up", "8001", "2", "--from", "2026-10-01", "--bar")
    house("limits", "set", "8002", "1", "--bar")
    spend(site, ("8001", "2.00", 60), ("8002", "1.00", 60))
    rows(house, "limits", "apply", "--yes")
    assert asked(journal) == [["bar", "extension", "8001"], ["bar", "extension", "8002"]]
    look(site)
    assert len(asked(journal)) == 2
    house("accounts", "top-up", "8001", "5")
    look(site)
    assert asked(journal)[2:] == [["unbar", "extension", "8001"]]
    look(site, NOON + timedelta(days=14))
    assert asked(journal)[3:] == [["unbar", "extension", "8002"]]
    look(site, NOON + timedelta(days=14))
    assert len(asked(journal)) == 4


def test_barring_by_itself_keeps_to_its_cap(house: Cli, site: Path) -> None:
    """A wrong tariff must not silence a company: so many an hour, and no more."""
    journal = hook(site)
    for number in ("8001", "8002", "8003"):
        house("limits", "set", number, "1", "--bar")
    spend(site, *((number, "1.00", 60) for number in ("8001", "8002", "8003")))
    house("alerts", "set", "limit", "bars_an_hour=2")
    for minute in range(3):
        look(site, NOON + timedelta(minutes=minute))
    assert [words[2] for words in asked(journal)] == ["8001", "8002"]
    look(site, NOON + timedelta(minutes=61))
    assert [words[2] for words in asked(journal)] == ["8001", "8002", "8003"]
    by = {row["by"] for row in rows(house, "limits", "journal")}
    assert by == {"by itself"}


def test_a_pbx_that_does_not_obey_is_an_incident_until_it_does(house: Cli, site: Path) -> None:
    """The journal says what was asked and what came of it; it is asked again after a while."""
    journal = hook(site, code=3)
    house("limits", "set", "8001", "1", "--bar", "--warn", "")
    spend(site, ("8001", "1.00", 60))
    house("alerts", "set", "limit", "bars_an_hour=10")
    failed = house("limits", "apply", "--yes")
    assert failed.exit_code == 1
    assert "it ended with 3: the PBX says no" in failed.stdout
    assert [one.object for one in look(site, NOON + timedelta(minutes=5))] == ["bar 8001"]
    assert len(asked(journal)) == 1
    hook(site)
    assert look(site, NOON + timedelta(minutes=11)) == []
    assert len(asked(journal)) == 2
    assert [row["state"] for row in rows(house, "limits", "journal")] == ["confirmed", "failed"]


def test_without_a_command_a_person_does_it_and_says_so(house: Cli, site: Path) -> None:
    """The way for a PBX that cannot be told from here."""
    house("limits", "set", "8001", "1", "--bar")
    spend(site, ("8001", "1.00", 60))
    refused = house("limits", "apply", "--yes")
    assert refused.exit_code == 2
    assert "bar_command" in refused.stderr
    assert house("limits", "apply", "--yes", "--by-hand").exit_code == 0
    assert rows(house, "limits", "plan") == []


def test_an_account_says_what_is_left_and_how_it_came(house: Cli, site: Path) -> None:
    """Payments less fees from the first day on; each month's fees on a line."""
    assert house("accounts", "top-up", "8001", "50", "--from", "2026-09-01", "--reserve", "40").exit_code == 0
    spend(site, ("8001", "7.77", 60), day="2026-08-31")
    spend(site, ("8001", "4.20", 60), day="2026-09-15", first=10)
    spend(site, ("8001", "3.30", 60), day="2026-10-20", first=20)
    assert house("accounts", "top-up", "8001", "--", "-2.50").exit_code == 0
    (row,) = rows(house, "accounts", "balance", "8001")
    assert (row["paid"], row["used"], row["balance"]) == ("47.50", "7.50", "40.00")
    lines = rows(house, "accounts", "statement", "8001")
    assert [(one["day"], one["amount"], one["balance"]) for one in lines] == [
        ("2026-09-30", "-4.20", "-4.20"),
        ("2026-10-20", "50.00", "45.80"),
        ("2026-10-20", "-2.50", "43.30"),
        ("2026-10-21", "-3.30", "40.00"),
    ]
    assert [one.reason.code for one in look(site)] == ["alert-limit-balance"]
    assert house("accounts", "close", "8001").exit_code == 2
    assert house("accounts", "close", "8001", "--yes").exit_code == 0
    assert "has no account" in house("accounts", "balance", "8001").stderr
    assert look(site) == []


def test_wrong_words_are_told(house: Cli) -> None:
    """Who, how much, how long, which marks."""
    assert "there is no extension, employee or department" in house("limits", "set", "nobody", "5").stderr
    assert "neither a fee nor a time" in house("limits", "set", "8001").stderr
    assert "not a length of time" in house("limits", "set", "8001", "--time", "soon").stderr
    assert "not percentages" in house("limits", "set", "8001", "5", "--warn", "x").stderr
    assert house("limits", "set", "8001", "abc").exit_code == 2
    assert "an amount such as 12.50" in house("limits", "set", "8001", "--", "-5").stderr


def test_what_was_set_and_paid_is_in_the_log(house: Cli) -> None:
    """Money and barring leave a line with what is there now."""
    house("limits", "set", "8001", "5")
    house("accounts", "top-up", "8001", "5")
    log = rows(house, "audit", "list")
    assert [one["action"] for one in log[:2]] == ["accounts top-up", "limits set"]
    assert log[1]["after"][0]["fee"] == "5.00"
