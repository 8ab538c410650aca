"""Upkeep: the examination with its repair, backups, rebuild and rating again, each as a job that can be looked on."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from starlette.responses import Response

from ippbx_billing.console.desk import Desk, House
from ippbx_billing.console.jobs import JobResult, LongJob
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.recounting import recount
from ippbx_billing.operators import Role
from ippbx_billing.operators.log import Actor
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.rebuilding import rebuild as rebuilt
from ippbx_billing.pipeline.rerating import Difference, Rerating, Wanted
from ippbx_billing.reports import Period
from ippbx_billing.reports.views import rerating
from ippbx_billing.upkeep import backups, views
from ippbx_billing.upkeep.doctor import examine

PATH = "/upkeep"
MOST_KEPT = 1_000


def page(desk: Desk) -> Response:
    """What can be done, and what is being done or was done last."""
    first = desk.today.replace(day=1)
    return desk.page(
        "upkeep.html",
        job=desk.house.jobs.last,
        administrator=Role.ADMINISTRATOR,
        first=first,
        folder=desk.using.data_dir.parent.joinpath("backup"),
    )


def job(desk: Desk) -> Response:
    """How far it is, alone."""
    return desk.fragment("upkeep_job.html", job=desk.house.jobs.last)


def stop(desk: Desk) -> Response:
    """Where nothing is half done."""
    last = desk.house.jobs.last
    if last is not None:
        last.stop()
        desk.note("job stop", last.title)
    return desk.back(PATH)


def examination(desk: Desk) -> Response:
    """All that `doctor` looks at; reads the databases from end to end."""
    using, now = desk.using, desk.now

    def work(job: LongJob) -> JobResult:
        found = []
        for one in examine(using, now):
            found.append(one)
            job.tell(len(found), 0)
        return JobResult(listing=views.diagnoses(found))

    return _begun(desk, tr("The examination"), work)


def repair(desk: Desk) -> Response:
    """The sums of reports worked out again, as `doctor --repair` does."""
    house, actor = desk.house, desk.actor

    def work(_: LongJob) -> JobResult:
        with Ledger(house.using.ledger_path) as ledger:
            count = recount(ledger)
        _noted(house, actor, "doctor repair", after={"calls": count})
        return JobResult([tr("the sums of {count} calls were worked out again", count=f"{count:,}")])

    return _begun(desk, tr("Working out the sums again"), work)


def backup(desk: Desk) -> Response:
    """Into a directory of this machine, checked; older ones go where so many are kept."""
    house, actor, now = desk.house, desk.actor, desk.now
    folder, keep = Path(desk.text("to")), _kept(desk.text("keep"))
    if not folder.is_absolute():
        raise UsageError(tr("{path} is not a whole path", path=desk.text("to")), tr("write it like /srv/backup"))

    def work(_: LongJob) -> JobResult:
        made = backups.make(house.using, folder, now, keep)
        _noted(house, actor, "backup", str(made.path), after={"events": made.events, "calls": made.calls})
        lines = [tr("{path}: {events} events, {calls} calls, checked", path=made.path, events=made.events,
                    calls=made.calls)]  # fmt: skip
        return JobResult([*lines, *(tr("removed {path}", path=path) for path in made.removed)])

    return _begun(desk, tr("The backup"), work)


def _kept(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST_KEPT):
        raise UsageError(tr("{text!r} is not a number of backups", text=text), tr("write it like 14"))
    return int(text)


def rerate(desk: Desk) -> Response:
    """The charges of these days by the prices of today; first only what would change, if that is wanted."""
    house, actor, now = desk.house, desk.actor, desk.now
    period = Period.days(_day(desk.text("from")), _day(desk.text("to")))
    wanted, is_trial = Wanted(period.first, period.last, None, None, False), desk.text("trial") == "yes"

    def work(job: LongJob) -> JobResult:
        using = house.using
        with Ledger(using.ledger_path) as ledger:
            rating = Rerating(ledger, Rules.of(ledger, using), wanted, job.tell)
            if is_trial:
                return _differences(ledger, rating.preview(), wanted, using.currency)
            done = rating.run(now)
            left, decimals = rerating.still_unpriced(ledger, wanted), ledger.book.decimals()
        _noted(house, actor, "rerate", f"{period.first} {period.last}", after={"changed": done.changed})
        return JobResult(list(rerating.sentences(done, left, using.currency, decimals)))

    title = tr("What rating again would change") if is_trial else tr("Rating again")
    return _begun(desk, f"{title}, {period.first} – {period.last}", work)


def _differences(ledger: Ledger, found: dict[str | None, Difference], wanted: Wanted, currency: str) -> JobResult:
    total = Difference()
    for one in found.values():
        total.add(one)
    listed = rerating.differences(found, total, wanted, currency, ledger.book.decimals())
    return JobResult([tr("Nothing has been changed.")], listed)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text), tr("write it like 2026-10-01")) from None


def rebuild(desk: Desk) -> Response:
    """The ledger made anew from the inbox; records that come meanwhile are kept and read afterwards."""
    house, actor = desk.house, desk.actor

    def work(job: LongJob) -> JobResult:
        using = house.using
        done = rebuilt(
            using.inbox_path,
            using.ledger_path,
            lambda ledger: Rules.of(ledger, using),
            progress=job.tell,
            min_free_bytes=using.min_free_bytes,
        )
        _noted(house, actor, "events rebuild", after={"events": done.events, "calls": done.calls})
        lines = [tr("read {events} events, made {calls} calls of them", events=f"{done.events:,}",
                    calls=f"{done.calls:,}")]  # fmt: skip
        if done.before:
            lines.append(tr("the ledger as it was: {path}", path=done.before))
        return JobResult(lines)

    return _begun(desk, tr("Rebuilding the ledger"), work)


def _begun(desk: Desk, title: str, work: Callable[[LongJob], JobResult]) -> Response:
    desk.house.jobs.start(title, desk.operator.name, desk.now, work)
    return desk.back(PATH)


def _noted(house: House, actor: Actor, action: str, what: str = "", *, after: object = None) -> None:
    with house.operators() as file:
        file.log.write(house.clock(), actor, action, what, after=after)


WAYS = (
    Way(PATH, page, Role.ACCOUNTANT),
    Way("/upkeep/job", job, Role.ACCOUNTANT),
    Way("/upkeep/stop", stop, Role.ACCOUNTANT, post=True),
    Way("/upkeep/rerate", rerate, Role.ACCOUNTANT, post=True),
    Way("/upkeep/examination", examination, Role.ADMINISTRATOR, post=True),
    Way("/upkeep/repair", repair, Role.ADMINISTRATOR, post=True),
    Way("/upkeep/backup", backup, Role.ADMINISTRATOR, post=True),
    Way("/upkeep/rebuild", rebuild, Role.ADMINISTRATOR, post=True),
)
MENU = (MenuEntry(PATH, lambda: tr("Upkeep"), Role.ACCOUNTANT),)
