"""Lists of departments, employees and extensions as files: CSV and XLSX, in and out.

The one idea: a preview is the import itself, rolled back. The lines are entered one by one in one transaction; what
they changed is read off the directory; then it is kept, or taken back where it was a preview or any line has a problem.

    found = lists.read(lists.EXTENSIONS, "分机.csv", content)
    outcome = bring_in(ledger.directory, found.entries, today, dry_run=True)
    outcome.changes, outcome.problems

`entries` says what one line means, `lists` how the lines stand in a file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import NamedTuple

from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr
from ippbx_billing.ledger.directory import EVER, DirectoryTables
from ippbx_billing.lists.people.entries import Entry

__all__ = ["EntryChange", "ListOutcome", "bring_in"]


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What is different from `first_day` on: of a department, an employee or an extension; None is not being there."""

    kind: str
    key: str
    first_day: date
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ListOutcome:
    """What the lines change, or the problems for which nothing was changed."""

    changes: tuple[EntryChange, ...] = ()
    problems: tuple[str, ...] = ()


class _RolledBack(Exception):
    """Takes the transaction back."""


def bring_in(
    directory: DirectoryTables, entries: Iterable[Entry], today: date, *, dry_run: bool = False
) -> ListOutcome:
    """Enter the lines, all or none; a line that names no day and changes something known changes it from `today`."""
    before, after, problems = _facts(directory), {}, []
    try:
        with directory.changing():
            for entry in entries:
                try:
                    entry.enter(directory, today)
                except BillingError as error:
                    problems.append(f"{entry.where}: {error.message}")
            after = _facts(directory)
            if problems or dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    return ListOutcome((), tuple(problems)) if problems else ListOutcome(tuple(_changes(before, after)))


class _Fact(NamedTuple):
    """Something that holds from a day on: what is compared, and how people read it."""

    first_day: date
    identity: tuple[str | None, ...]
    words: str | None


_Facts = dict[tuple[str, str], list[_Fact]]


def _facts(directory: DirectoryTables) -> _Facts:
    """Everything in the directory by kind and key, each in the order of its days."""
    found: _Facts = {}
    mails = {kind: directory.mails(kind) for kind in ("department", "employee")}
    for one in directory.departments(ended=True):
        state = tr("closed") if one.ended else tr("in use")
        words = " · ".join((state, *mails["department"].get(one.id, ())))
        found["department", one.path] = [_Fact(EVER, (words,), words)]
    for person in directory.employee_history():
        told = (person.name, person.department, *mails["employee"].get(person.id, ()))
        where = " · ".join(filter(None, told)) if person.present else None
        found.setdefault(("employee", person.number), []).append(_Fact(person.first_day, (where,), where))
    for held in directory.extension_history():
        whose = _holder(held.employee, held.name, held.department) if held.present else None
        # What moved is told of the employee; the extensions that follow are not changes of their own.
        identity = (held.employee or held.department, str(held.present))
        found.setdefault(("extension", held.number), []).append(_Fact(held.first_day, identity, whose))
    return found


def _holder(employee: str | None, name: str | None, department: str | None) -> str:
    return f"{employee} {name}" if employee else department or tr("nobody")


def _changes(before: _Facts, after: _Facts) -> Iterator[EntryChange]:
    for kind, key in sorted(before.keys() | after.keys(), key=lambda one: (one[0], len(one[1]), one[1])):
        old, new = before.get((kind, key), []), after.get((kind, key), [])
        days = sorted({fact.first_day for fact in (*old, *new)})
        pairs = [(day, _in_force(old, day), _in_force(new, day)) for day in days]
        for _, run in groupby(pairs, key=lambda one: (one[1].identity, one[2].identity)):
            day, was, becomes = next(run)
            if was.identity != becomes.identity:
                yield EntryChange(kind, key, day, was.words, becomes.words)


def _in_force(facts: list[_Fact], day: date) -> _Fact:
    return next((fact for fact in reversed(facts) if fact.first_day <= day), _Fact(EVER, (), None))
