"""The files of a period, made of one state of the ledger, and what each mail says of them.

    made = made_period(settings, ledger, delivery, period, now)          # the first edition
    made = made_period(settings, ledger, delivery, period, now, before)  # a correction: only what differs from before

The one idea: a file is made once, kept below `sent` in the data directory with its hash, and that very file is sent,
also when it has to be sent again. Until the rows stand in the ledger nothing was made, and the next run makes it anew.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ippbx_billing.delivery.bills import file_name, plain_name, write_all, write_named
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import write_listing
from ippbx_billing.errors import NotFoundError
from ippbx_billing.files import together
from ippbx_billing.language import en, speaking
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.deliveries import OWN, FiledMail, MadePeriod, Mailing
from ippbx_billing.reports import Period, Report, View
from ippbx_billing.reports.bills import Billing, Statement, paper
from ippbx_billing.reports.bills.desk import desk
from ippbx_billing.reports.bills.whose import one_of, whose
from ippbx_billing.reports.queries import Query
from ippbx_billing.reports.views import asked as reports
from ippbx_billing.reports.views.coverage import covered
from ippbx_billing.reports.views.plans import plan_amounts
from ippbx_billing.reports.views.sheets import ReportSheet
from ippbx_billing.reports.views.story import rest_of
from ippbx_billing.settings import Settings

SENT = "sent"
Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Made:
    """A file for somebody, and its sums; `path` is where it is written, `whose` the bill's short name."""

    whose: str
    path: Path
    told: Told


@dataclass(slots=True)
class _Run:
    """One period being made: what is told of it fills `made`."""

    using: Settings
    ledger: Ledger
    delivery: Mailing
    period: Period
    now: datetime
    beside: Path
    before: Mapping[str, Told]
    made: list[_Made] = field(default_factory=list)

    @property
    def form(self) -> Format:
        return Format(self.delivery.form)

    def differs(self, whose: str, told: Told) -> bool:
        """Whether it says something else than the mail before; all is new where nothing was."""
        return bool(self.before.get(whose, {}).get("digest") != told["digest"])


def made_period(
    using: Settings,
    ledger: Ledger,
    delivery: Mailing,
    period: Period,
    now: datetime,
    edition: int = 0,
    before: Mapping[str, Told] | None = None,
) -> tuple[MadePeriod, list[FiledMail]]:
    """Make the files of a period, or of what differs from `before`; gives the rows to keep in the ledger."""
    folder = archive(using) / _folder_name(delivery, period, edition)
    archive(using).mkdir(mode=0o700, exist_ok=True)
    with speaking(delivery.lang), ledger.reading(), together(folder) as beside:
        run = _Run(using, ledger, delivery, period, now, beside, before or {})
        last_event = ledger.journey.position()
        _make(run)
        addresses = _addresses(run)
    moment = int(now.timestamp())
    place = MadePeriod(delivery.id, period.first, period.last, edition, moment, last_event, moment)
    return place, [one for made in run.made for one in _mails(run, place, folder, made, addresses)]


def archive(using: Settings) -> Path:
    """The folder of all files that were ever mailed; its owner's only."""
    return using.data_dir / SENT


def _folder_name(delivery: Mailing, period: Period, edition: int) -> Path:
    again = f"-{edition}" if edition else ""
    return Path(f"{delivery.name}-{delivery.id}") / f"{period.name}{again}"


def _make(run: _Run) -> None:
    if run.delivery.what == "report":
        _make_report(run)
        return
    charged = "charged" in run.delivery.asked
    billing = desk(run.using, run.ledger, run.period, charged_only=charged)
    missing = covered(run.using, run.ledger, run.period, unrated={}, filtered=0, now=run.now)
    if run.delivery.whose == "all":
        _make_all(run, billing)
    else:
        taken = set[str]()
        write_named(_named(run, _statements(run, billing), taken), missing, run.form)


# -- bills


def _statements(run: _Run, billing: Billing) -> Iterator[tuple[str, Statement]]:
    """The bills by their short names; of a correction also those that have no calls any more."""
    with_calls, name = "calls" in run.delivery.asked, run.delivery.whose
    if name == "employee":
        yield from _with_lost(
            run, billing, ((f"employee:{one.number}", one) for one in billing.of_everybody(with_calls=with_calls))
        )
    elif name == "department":
        paths = [row["department"] for row in whose(billing).departments]
        yield from _with_lost(
            run, billing, ((f"department:{one}", billing.of_department(one, with_calls=with_calls)) for one in paths)
        )
    else:
        yield name, one_of(billing, name, with_calls=with_calls)


def _with_lost(run: _Run, billing: Billing, found: Iterator[tuple[str, Statement]]) -> Iterator[tuple[str, Statement]]:
    seen = set()
    for name, one in found:
        seen.add(name)
        yield name, one
    for name in run.before.keys() - seen:
        with suppress(NotFoundError):  # somebody who is not in the directory under this name any more
            yield name, one_of(billing, name)


def _named(run: _Run, bills: Iterator[tuple[str, Statement]], taken: set[str]) -> Iterator[tuple[Statement, Path]]:
    """The bills that are new or differ, each with its file; what is told of them is noted on the way."""
    for name, one in bills:
        told = _told_of(one)
        if run.differs(name, told):
            path = run.beside / file_name(one, run.form, taken)
            run.made.append(_Made(name, path, told))
            yield one, path


def _make_all(run: _Run, billing: Billing) -> None:
    """One file with everybody's bills; its sums are the company's."""
    told = _told_of(billing.of_company())
    if run.differs("all", told):
        path = run.beside / plain_name(f"bills-{run.period.name}", run.form, set())
        missing = covered(run.using, run.ledger, run.period, unrated={}, filtered=0, now=run.now)
        with path.open("xb") as stream:
            write_all(stream, billing, missing, run.form, "calls" in run.delivery.asked)
        run.made.append(_Made("all", path, told))


def _told_of(one: Statement) -> Told:
    """What a mail says of a bill, and by what another edition of it is told apart."""
    sums = (one.summary, one.total, one.lines, one.by_extension, one.by_department, one.by_employee)
    return {
        "title": paper.title(one),
        "calls": one.total["calls"],
        "fee": one.total["fee"],
        "unpriced": one.unrated,
        "payable": one.payable["amount"] if one.payable else None,
        "currency": one.currency,
        "digest": _digest(sums),
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str, sort_keys=True).encode()).hexdigest()


# -- reports


def _make_report(run: _Run) -> None:
    using, ledger, period = run.using, run.ledger, run.period
    wanted = reports.WantedReport.of({"report": run.delivery.whose, **run.delivery.asked})
    query = Query.of(run.delivery.asked, period.last)
    view, where = View(using.site_zone, using.currency), query.where(None)
    found = reports.asked(ledger, view, period, where, wanted)
    told = _told_of_report(found.sheet, using.currency)
    if not run.differs(run.delivery.whose, told):
        return
    missing = covered(using, ledger, period, unrated=found.gaps, filtered=found.answer.filtered, now=run.now)
    if isinstance(found.answer, Report) and not where.given():
        missing = replace(missing, plans=plan_amounts(ledger, view, period, rest_of(ledger, using)))
    path = run.beside / plain_name(f"{run.delivery.whose}-{period.name}", run.form, set())
    with path.open("xb") as stream:
        write_listing(stream, reports.listing(found.sheet, missing, query.conditions, view), run.form)
    run.made.append(_Made(run.delivery.whose, path, told))


def _told_of_report(sheet: ReportSheet, currency: str) -> Told:
    total = sheet.total or {}
    told = {name: total.get(name) for name in ("calls", "fee", "unpriced")}
    return {"title": sheet.title, **told, "payable": None, "currency": currency, "digest": _digest(sheet.document)}


# -- to whom


def _addresses(run: _Run) -> Mapping[str, Sequence[str]]:
    """Who gets which bill: everybody all of them, or each their own."""
    if run.delivery.recipients != (OWN,):
        return {one.whose: run.delivery.recipients for one in run.made}
    directory, kind = run.ledger.directory, run.delivery.whose
    mails = directory.mails(kind)
    if kind == "employee":
        names = {one.number: one.id for one in directory.employee_history()}
    else:
        names = {one.path: one.id for one in directory.departments(ended=True)}
    return {one.whose: mails.get(names.get(one.whose.partition(":")[2], 0), ()) for one in run.made}


def _mails(
    run: _Run, place: MadePeriod, folder: Path, made: _Made, addresses: Mapping[str, Sequence[str]]
) -> Iterator[FiledMail]:
    """A row for each address; one without an address where there is none."""
    path = folder / made.path.name
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    for recipient in addresses[made.whose] or ("",):
        yield FiledMail(
            delivery_id=place.delivery,
            first_day=place.first,
            last_day=place.last,
            edition=place.edition,
            whose=made.whose,
            recipient=recipient,
            file=path.relative_to(archive(run.using)).as_posix(),
            sha256=sha256,
            size=path.stat().st_size,
            told=made.told,
            before=run.before.get(made.whose, {}),
            state="waiting" if recipient else "nobody",
        )


def file_states(using: Settings, mails: Sequence[FiledMail]) -> dict[str, str]:
    """Whether each file is still the one that was made: intact, changed, or missing."""
    wanted = {one.file: one.sha256 for one in mails}
    return {name: _state(archive(using) / name, sha256) for name, sha256 in wanted.items()}


def _state(path: Path, sha256: str) -> str:
    try:
        with path.open("rb") as stream:
            same = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
            return en("intact") if same else en("changed")
    except OSError:
        return en("missing")
