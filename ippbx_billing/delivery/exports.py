"""Files that cron leaves for others: a month's calls and sums, or what is new among the calls since last time.

    export = Export(ledger, view, headings, Path("/srv/bills"), ["csv", "xlsx"])
    export.month(Period.month("2026-10", today))     # calls-2026-10.csv, sums-2026-10.csv, …
    export.changes()                                 # calls-changes-000001.csv, the next time 000002

The one idea: everything is read from one state of the ledger, written beside its place and renamed when all of it is
there. The same state gives the same bytes. What is new is counted from a cursor in the ledger, which moves only after
the files are in place: a run that is cut off is made up for by the next one, under the same number.
"""

import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ippbx_billing import money
from ippbx_billing.delivery import parquet
from ippbx_billing.documents import Document, Section
from ippbx_billing.documents.batches import Batch, Batches
from ippbx_billing.documents.columns import Column, Format, Row
from ippbx_billing.documents.render import show
from ippbx_billing.errors import BusyError
from ippbx_billing.files import together
from ippbx_billing.language import tr
from ippbx_billing.language.sorting import in_order
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import CALL_KEYS, Period, View, WantedCalls, calls_by_column, report
from ippbx_billing.reports.call_columns import CallBatch
from ippbx_billing.reports.changes import Cursor, changed_calls, newest
from ippbx_billing.reports.views.conditions import facts
from ippbx_billing.sqlite.locks import lock, maintenance

PARQUET = "parquet"
FORMS = (*(form.value for form in Format if form is not Format.TABLE), PARQUET)
ADDED_UP = ("calls", "answered", "duration_s", "billed_s", "unpriced")
KEPT_BYTES = 1 << 18
CURSOR, NUMBER = "export_cursor", "export_number"  # as the ledger remembers them


@dataclass(frozen=True, slots=True)
class Headings:
    """The columns of calls and of sums: for people, and for programs."""

    calls: Sequence[Column]
    sums: Sequence[Column]
    call_keys: Sequence[Column]

    def of_calls(self, form: Format) -> Sequence[Column]:
        return self.call_keys if form.is_data else self.calls

    def of_sums(self, form: Format, rows: Sequence[Row]) -> Sequence[Column]:
        return [Column(key, key) for key in rows[0]] if rows and form.is_data else self.sums


@dataclass(frozen=True, slots=True)
class Export:
    """Writes into `folder`, each table in each of `forms` (of `FORMS`); `notes` end the sums that are documents."""

    ledger: Ledger
    view: View
    headings: Headings
    folder: Path
    forms: Sequence[str]
    notes: Sequence[str] = ()

    def month(self, period: Period, *, by_department: bool = False) -> list[Path]:
        """The calls and the sums of a period, all files or none; gives the files that are in place."""
        with self.ledger.reading(), together(self.folder) as beside:
            if by_department:
                self._departments(beside, period)
            else:
                self._calls(beside, f"calls-{period.name}", period, lambda: self._listed(period))
                self._sums(beside, f"sums-{period.name}", period, *self._added(period))
            if PARQUET in self.forms:
                name = f"calls/month={period.name}/calls.parquet"
                parquet.write(self._listed(period), beside / name)
            return self._named(beside)

    def changes(self, wait_s: float = 0) -> list[Path]:
        """The calls that came or changed since the last time; no file where there is nothing new.

        Raises BusyError where maintenance of the ledger lasts longer than `wait_s`: the cursor would not hold.
        """
        with maintenance(self.ledger.path.parent, "export --since-last", wait_s):
            return self._changes()

    def _changes(self) -> list[Path]:
        since = Cursor.of(self.ledger.journey.state(CURSOR))
        number = int(self.ledger.journey.state(NUMBER) or 0) + 1
        with self.ledger.reading():
            until = newest(self.ledger)
            if next(iter(self._changed(since)), None) is None:
                return []
            with together(self.folder) as beside:
                name = f"calls-changes-{number:06d}"
                self._calls(beside, name, None, lambda: self._changed(since))
                if PARQUET in self.forms:
                    parquet.write(self._changed(since), beside / f"{name}.parquet")
                found = self._named(beside)
        with self.ledger.transaction():
            self.ledger.journey.set_state(CURSOR, str(until))
            self.ledger.journey.set_state(NUMBER, str(number))
        return found

    def _named(self, beside: Path) -> list[Path]:
        """Where the files will be."""
        return [self.folder / one.relative_to(beside) for one in sorted(beside.rglob("*")) if one.is_file()]

    def _listed(self, period: Period) -> Batches[CallBatch]:
        return calls_by_column(self.ledger, self.view, WantedCalls(period=period))

    def _changed(self, since: Cursor) -> Batches[CallBatch]:
        return changed_calls(self.ledger, self.view, since)

    def _added(self, period: Period) -> tuple[Sequence[Row], Row]:
        found = report(self.ledger, self.view, period, ("extension",))
        return found.rows, found.total

    def _departments(self, beside: Path, period: Period) -> None:
        """Every call and every sum in the file of its department, those of nobody in one of their own."""
        rows = report(self.ledger, self.view, period, ("department", "extension")).rows
        rows = [row for row in rows if not row["subtotal"]]
        with _apart(self._listed(period)) as spools:
            names = _names([*dict.fromkeys([*spools, *(row["department"] for row in rows)])])
            for department, name in names.items():
                told = department or tr("without department")
                listed = spools[department].rows if department in spools else lambda: Batches(CALL_KEYS, ())
                self._calls(beside, f"calls-{period.name}-{name}", period, listed, told)
                own = [row for row in rows if row["department"] == department]
                self._sums(beside, f"sums-{period.name}-{name}", period, own, _sum(own), told)

    def _calls(
        self,
        beside: Path,
        name: str,
        period: Period | None,
        listed: Callable[[], Batches[Batch]],
        department: str = "",
    ) -> None:
        """The list in each form; read again for each, so that it never has to be held in memory."""
        for form in self._forms():
            rows, columns = listed(), self.headings.of_calls(form)
            paper = self._paper(tr("Call list"), Section("", columns, rows), period, department, ())
            show(rows, columns, form, beside / _file(name, form), paper=paper)

    def _sums(
        self, beside: Path, name: str, period: Period, rows: Sequence[Row], total: Row, department: str = ""
    ) -> None:
        for form in self._forms():
            columns = self.headings.of_sums(form, rows)
            footer = {**total, columns[0].key: tr("total")}
            section = Section("", columns, rows, total=footer)
            paper = self._paper(tr("Sums"), section, period, department, self.notes)
            show(rows, columns, form, beside / _file(name, form), paper=paper)

    def _forms(self) -> list[Format]:
        return [Format(form) for form in self.forms if form != PARQUET]

    def _paper(
        self, what: str, section: Section, period: Period | None, department: str, notes: Sequence[str]
    ) -> Document:
        title = " ".join(filter(None, (what, period.name if period else "", department)))
        told = facts(period, {"department": department}, self.view)
        if period is None:
            told = told[1:]  # what is new since the last time is of no days in particular
        return Document(title, facts=told, sections=[section], notes=notes, dated=period.last if period else None)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keeps two runs apart by a lock on this file, which the system frees when the process ends; BusyError."""
    with open(path, "a", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        try:
            lock(file)
        except BlockingIOError:
            raise BusyError(tr("another export is running"), tr("try again later")) from None
        yield


class _Spool:
    """Rows to be read more than once: the first in memory, many on disk. Close it when nobody needs them any more."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(KEPT_BYTES)  # noqa: SIM115 - it lives as long as the spool
        self.close = self._file.close

    def add(self, batch: Batch) -> None:
        pickle.dump(batch, self._file)

    def rows(self) -> Batches[Batch]:
        """All of them, from the first on."""
        return Batches(CALL_KEYS, self._batches())

    def _batches(self) -> Iterator[Batch]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)
            except EOFError:
                return


@contextmanager
def _apart(calls: Batches[Batch]) -> Iterator[dict[str | None, _Spool]]:
    """The calls of each department, in their order."""
    spools: dict[str | None, _Spool] = {}
    for batch in calls.batches:
        for department, part in _parts(batch):
            if department not in spools:
                spools[department] = _Spool()
            spools[department].add(part)
    try:
        yield spools
    finally:
        for spool in spools.values():
            spool.close()


def _parts(batch: Batch) -> Iterator[tuple[str | None, Batch]]:
    """What each department has of some calls."""
    places: dict[str | None, list[int]] = {}
    for place, department in enumerate(batch["department"]):
        places.setdefault(department, []).append(place)
    for department, found in places.items():
        yield department, {key: [column[place] for place in found] for key, column in batch.items()}


def _sum(rows: Sequence[Row]) -> dict[str, Any]:
    """What the rows add up to."""
    decimals = max((len(row["fee"].partition(".")[2]) for row in rows), default=2)
    total: dict[str, Any] = {key: sum(row[key] for row in rows) for key in ADDED_UP}
    return total | {"fee": money.text(sum(money.parse(row["fee"]) for row in rows), decimals)}


def _names(departments: Sequence[str | None]) -> dict[str | None, str]:
    """The departments in order, with names that every file system takes, no two alike."""
    found: dict[str | None, str] = {}
    for department in sorted(departments, key=lambda one: in_order(one or "")):
        wanted = re.sub(r"[^\w.]+", "-", department or tr("without department"))[:60].strip("-.") or "-"
        name, again = wanted, 2
        while name.casefold() in {one.casefold() for one in found.values()}:
            name, again = f"{wanted}-{again}", again + 1
        found[department] = name
    return found


def _file(name: str, form: Format) -> str:
    return f"{name}.{'md' if form is Format.MARKDOWN else form.value}"
