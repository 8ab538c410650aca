"""Upkeep: the examination, its repair, backups, rebuild and rating again as jobs, looked on and stopped."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippbx_billing.console.jobs import JobResult, Jobs, JobState, LongJob
from ippbx_billing.errors import BusyError, UsageError
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import Answered, Visitor

PATIENCE_S = 60
NOW = datetime(2026, 10, 14, tzinfo=UTC)


def ended(job: LongJob) -> LongJob:
    deadline = time.monotonic() + PATIENCE_S
    while job.state is JobState.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return job


def outcome(anna: Visitor, path: str, form: dict[str, str] | None = None) -> Answered:
    """The page when the job is over."""
    assert anna.post(path, form).path == "/upkeep"
    job = anna.app.state.house.jobs.last
    assert ended(job).state is JobState.DONE, job.outcome
    return anna.get("/upkeep")


def noted(site: Path) -> list[str]:
    with OperatorFile(load(site).operators_path) as file:
        return [one.action for one in file.log.entries()]


def test_there_is_one_job_at_a_time_and_it_can_be_stopped() -> None:
    """It is stopped where it tells how far it is; a second one must wait."""
    jobs, goes_on = Jobs(), threading.Event()

    def work(job: LongJob) -> JobResult:
        job.tell(1, 3)
        goes_on.wait(PATIENCE_S)
        job.tell(2, 3)
        raise AssertionError("it was to stop")

    job = jobs.start("the first", "anna", NOW, work)
    with pytest.raises(BusyError, match="the first is still running"):
        jobs.start("the second", "anna", NOW, work)
    job.stop()
    goes_on.set()
    assert ended(job).state is JobState.STOPPED
    assert (job.done, job.total) == (2, 3)
    assert ended(jobs.start("the second", "anna", NOW, lambda _: JobResult(["well"]))).outcome.lines == ["well"]


def test_what_goes_wrong_is_told() -> None:
    """One of our errors with its hint, any other one as a plain sorry."""

    def ours(_: LongJob) -> JobResult:
        raise UsageError("it is wrong", "do it so")

    jobs = Jobs()
    job = ended(jobs.start("a job", "anna", NOW, ours))
    assert (job.state, job.outcome.lines) == (JobState.FAILED, ["it is wrong", "do it so"])
    job = ended(jobs.start("a job", "anna", NOW, lambda _: 1 / 0))  # type: ignore[arg-type, return-value]
    assert (job.state, job.outcome.lines) == (JobState.FAILED, ["Something went wrong", "see the log"])


def test_the_page_looks_on_while_it_lasts(anna: Visitor) -> None:
    """Progress, a way to stop it, and asking again by itself, with scripts and without; afterwards no more."""
    goes_on = threading.Event()

    def work(job: LongJob) -> JobResult:
        job.tell(250, 1_000)
        goes_on.wait(PATIENCE_S)
        job.tell(500, 1_000)
        return JobResult()

    job = anna.app.state.house.jobs.start("Long work", "anna", NOW, work)
    while not job.total:
        time.sleep(0.01)
    page = anna.get("/upkeep")
    (bar,) = page.tree().xpath("//progress")
    assert (bar.get("value"), bar.get("max")) == ("250", "1000")
    assert page.tree().xpath("//noscript/meta")
    assert page.tree().xpath("//section[@id='job']/@hx-get") == ["/upkeep/job"]
    assert anna.post("/upkeep/rebuild").status == 503
    anna.post("/upkeep/stop")
    goes_on.set()
    assert ended(job).state is JobState.STOPPED
    part = anna.get("/upkeep/job")
    assert "stopped" in part.text
    assert "hx-get" not in part.text


def test_the_examination_finds_and_the_repair_mends(anna: Visitor, office: Path) -> None:
    """Sums that are not those of the calls are found, worked out again, and right afterwards."""
    wrong = "not those of the calls: "
    assert wrong not in outcome(anna, "/upkeep/examination").text
    with Ledger(load(office).ledger_path) as ledger:
        ledger.connection.execute("UPDATE rollup_days SET calls = calls + 5")
    assert wrong in outcome(anna, "/upkeep/examination").text
    assert "were worked out again" in outcome(anna, "/upkeep/repair").text
    page = outcome(anna, "/upkeep/examination")
    assert wrong not in page.text
    assert "inbox.db" in page.texts("table")[0]
    assert noted(office)[0] == "doctor repair"


def test_a_backup_is_made_and_old_ones_go(anna: Visitor, office: Path, tmp_path: Path) -> None:
    folder = tmp_path / "safe"
    for _ in range(3):
        page = outcome(anna, "/upkeep/backup", {"to": str(folder), "keep": "2"})
        anna.clock.pass_(seconds=5)  # type: ignore[attr-defined]
    assert "checked" in page.text
    assert "removed" in page.text
    assert len([*folder.glob("ippbx-bill-*")]) == 2
    assert noted(office).count("backup") == 3


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("backup", {"to": "safe"}, "safe is not a whole path"),
        ("backup", {"to": "/srv/backup", "keep": "0"}, "'0' is not a number of backups"),
        ("rerate", {"from": "yesterday", "to": "2026-10-14"}, "'yesterday' is not a day"),
        ("rerate", {"from": "2026-10-14", "to": "2026-10-13"}, "2026-10-1"),
    ],
)
def test_what_cannot_be_meant_is_told(anna: Visitor, path: str, form: dict[str, str], words: str) -> None:
    page = anna.post(f"/upkeep/{path}", form)
    assert page.status == 400
    assert words in page.texts("h1")[0]
    assert anna.app.state.house.jobs.last is None


def test_calls_are_rated_again_after_a_look(anna: Visitor, office: Path) -> None:
    """First what would change, with its sum; nothing has changed then; afterwards it has, and the log says so."""
    days = {"from": "2026-10-01", "to": "2026-10-31"}
    with Ledger(load(office).ledger_path) as ledger:
        ledger.connection.execute("UPDATE prices SET step_fee_micro = 140000, initial_fee_micro = 140000")
    before = anna.get("/calls/21").texts("h1")
    page = outcome(anna, "/upkeep/rerate", {**days, "trial": "yes"})
    assert "Nothing has been changed" in page.text
    assert page.tree().xpath("//tfoot/tr/td[1]/text()") == ["total"]
    assert "4.488.964.48" in page.texts("tbody")[0].replace(" ", "")
    assert anna.get("/calls/21").texts("h1") == before
    page = outcome(anna, "/upkeep/rerate", days)
    assert "have another charge now" in page.text
    assert anna.get("/calls/21").texts("h1") == ["Call 21 Fee: 1.96 CNY"]
    assert noted(office)[0] == "rerate"


def test_the_ledger_is_made_anew(anna: Visitor, office: Path) -> None:
    """Of the events of the inbox; the pages go on as before."""
    assert "read 23 events, made 22 calls of them" in outcome(anna, "/upkeep/rebuild").text
    assert anna.get("/calls?period=this-month").status == 200
    assert noted(office)[0] == "events rebuild"


@pytest.mark.parametrize(("name", "may_look"), [("carla", True), ("victor", False), ("hans", False)])
def test_who_may(visitor: Visitor, name: str, may_look: bool) -> None:
    """An accountant rates again, and no more than that; everybody below neither looks nor does."""
    visitor.sign_in(name)
    assert visitor.get("/upkeep").status == (200 if may_look else 403)
    for path in ("examination", "repair", "backup", "rebuild"):
        assert visitor.post(f"/upkeep/{path}", {"to": "/srv/backup"}).status == 403
    assert visitor.app.state.house.jobs.last is None
    if may_look:
        links = visitor.get("/upkeep").links()
        assert "/upkeep/rerate" in links
        assert "/upkeep/backup" not in links
