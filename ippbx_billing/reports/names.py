"""The names that conditions give: who is meant by them, and whether anybody is called so.

    who_is_meant(ledger, Where(department="工程部", trunk="FXO-1"), date(2026, 10, 31))

The one idea: a name that no list and no record has ever held is a slip of the pen, not a report of nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.departments import nearest
from ippbx_billing.reports.conditions import Where, is_exact


@dataclass(frozen=True, slots=True)
class Who:
    """The department (with those below it) and the employee that the conditions name, by id."""

    departments: tuple[int, ...] | None = None
    employee: int | None = None


def who_is_meant(ledger: Ledger, where: Where, day: date | None) -> Who:
    """The department and the employee that the conditions name.

    NotFoundError for a name that nobody and nothing has, with those most like it; UsageError for one that several have.
    """
    with _naming_nobody_else(where):
        return _meant(ledger, where, day)


@contextmanager
def _naming_nobody_else(where: Where) -> Iterator[None]:
    """To somebody who sees some calls only, a hint must not name what is not theirs."""
    try:
        yield
    except (NotFoundError, UsageError) as error:
        if where.scope is None:
            raise
        hint = tr("write the whole name, or leave it out")
        raise type(error)(tr("nothing that you may see is called so"), hint) from None


def _meant(ledger: Ledger, where: Where, day: date | None) -> Who:
    _check_names(ledger, where)
    departments = None
    if where.department is not None:
        top = ledger.directory.department(where.department)
        every = ledger.directory.departments(ended=True)
        departments = tuple(one.id for one in every if f"{one.path}/".startswith(f"{top.path}/"))
    employee = None if where.employee is None else ledger.directory.employee(where.employee, day).id
    return Who(departments, employee)


def _check_names(ledger: Ledger, where: Where) -> None:
    """A carrier and a trunk must be in the book or on a call, an extension in the directory or on a call, and so on."""
    if where.carrier is not None:
        _known(ledger, where.carrier, _CARRIERS, lambda name: tr("there is no carrier {name}", name=name))
    if where.trunk is not None:
        _known(ledger, where.trunk, _TRUNKS, lambda name: tr("there is no trunk {name}", name=name))
    if where.extension is not None and is_exact(where.extension):
        for name in filter(None, map(str.strip, where.extension.split(","))):
            _known(ledger, name, _EXTENSIONS, lambda name: tr("there is no extension {number}", number=name))
    if where.region is not None and where.region not in _chinese_places():
        _known(ledger, where.region, _REGIONS, lambda name: tr("no call has ever had the region {name}", name=name))
    if where.place is not None and where.place not in _chinese_places():
        _known(ledger, where.place, _PLACES, lambda name: tr("no call has ever had the place {name}", name=name))


_CARRIERS = "SELECT name FROM carriers"
_TRUNKS = "SELECT name FROM trunks UNION SELECT trunk FROM rollup_classes"
_EXTENSIONS = "SELECT extension AS name FROM assignments UNION SELECT extension FROM rollup_extensions"
_REGIONS = "SELECT DISTINCT region AS name FROM rollup_places"
_PLACES = "SELECT DISTINCT place AS name FROM rollup_places"


def is_known_extension(ledger: Ledger, number: str) -> bool:
    """Whether the directory or a call has had it."""
    return bool(ledger.connection.execute(f"SELECT 1 FROM ({_EXTENSIONS}) WHERE name = ?", [number]).fetchone())


def _known(ledger: Ledger, name: str, names: str, sentence: Callable[[str], str]) -> None:
    if ledger.connection.execute(f"SELECT 1 FROM ({names}) WHERE name = ?", [name]).fetchone():
        return
    known = sorted(row[0] for row in ledger.connection.execute(names) if row[0])
    raise NotFoundError(sentence(name), nearest(name, known, _listed(known)))


def _listed(known: list[str]) -> str:
    """The hint where nothing resembles the name: what there is."""
    if not known:
        return tr("there is none yet")
    return tr("known are: {names}", names=", ".join(known[:20]) + (", …" if len(known) > 20 else ""))


def _chinese_places() -> set[str]:
    """The provinces and cities of China, which no call need have had to be known."""
    from ippbx_billing.numbering.tables import areas

    return {name for one in areas().values() for name in (one.region, one.place, *one.also_serves)}
