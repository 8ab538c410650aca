"""The bill by category: department → extension × traffic type, with the sums of both.

    categories(ledger, view, Period.month("2026-10", today), Where()).rows

The one idea: a call belongs to the department that its extension's holder was in on that day, and to all above it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ippbx_billing import money
from ippbx_billing.calls import ChargeStatus
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.departments import Department
from ippbx_billing.reports import sources
from ippbx_billing.reports.conditions import Period, View, Where
from ippbx_billing.reports.named import Answer, answered, asked_of, by_length

ByType = dict[str, list[int]]  # calls, talk time in seconds, fee in micro-units and unpriced calls by traffic type


def categories(ledger: Ledger, view: View, period: Period, where: Where) -> Answer:
    """Each department's extensions by traffic type, the department's sum with those below it, and the sum of all.

    An extension that changed departments stands in each, with the calls of its days there. A department's own row has
    `subtotal` true and no extension; calls of no department come last.
    """
    question = asked_of(ledger, period, ("department", "extension", "traffic_type"), where)
    found = _gathered(sources.sums(ledger, question))
    decimals = ledger.book.decimals()
    tree = ledger.directory.departments(ended=True)
    names = {one.number: one.name for one in ledger.directory.extensions(period.last)}
    rows: list[dict[str, Any]] = []
    for department in (*tree, None):
        place = _Place(department, tree, found)
        rows += [
            {**place.keys, "extension": extension, "name": names.get(extension or ""), "subtotal": False}
            | _row(place.own[extension], decimals)
            for extension in sorted(place.own, key=by_length)
        ]
        if place.inside:
            keys = {**place.keys, "extension": None, "name": None, "subtotal": True}
            rows.append(keys | _row(_together(place.inside), decimals))
    total = _row(_together(types for own in found.values() for types in own.values()), decimals)
    return answered(ledger, "categories", view, question, rows, total)


Gathered = dict[int | None, dict[str | None, ByType]]  # by department and extension


@dataclass(frozen=True, slots=True)
class _Place:
    """A department, or none, with what was gathered for it."""

    department: Department | None
    tree: list[Department]
    found: Gathered

    @property
    def keys(self) -> dict[str, Any]:
        """How rows name it."""
        one = self.department
        return {"department": one and one.path, "level": one.path.count("/") if one else 0}

    @property
    def own(self) -> Mapping[str | None, ByType]:
        """Its own extensions."""
        return self.found.get(self.department.id if self.department else None, {})

    @property
    def inside(self) -> list[ByType]:
        """Its own extensions and those of the departments below it."""
        if self.department is None:
            return list(self.own.values())
        top = f"{self.department.path}/"
        below = [one.id for one in self.tree if f"{one.path}/".startswith(top)]
        return [types for number in below for types in self.found.get(number, {}).values()]


def _gathered(sums: sources.Sums) -> Gathered:
    """The sums by department, extension and traffic type, the filtered calls left out."""
    found: Gathered = {}
    for (department, extension, traffic_type, status), (calls, _, _, billed_s, fee_micro) in sums.items():
        if status != ChargeStatus.FILTERED:
            types = found.setdefault(department, {}).setdefault(extension, {})
            unpriced = calls if status == ChargeStatus.UNRATED else 0
            _add(types, traffic_type, (calls, billed_s, fee_micro, unpriced))
    return found


def _together(several: Iterable[ByType]) -> ByType:
    """All of them as one."""
    found: ByType = {}
    for types in several:
        for traffic_type, amounts in types.items():
            _add(found, traffic_type, amounts)
    return found


def _add(types: ByType, traffic_type: str, amounts: Iterable[int]) -> None:
    have = types.get(traffic_type, [0, 0, 0, 0])
    types[traffic_type] = [a + b for a, b in zip(have, amounts, strict=True)]


def _row(types: ByType, decimals: int) -> dict[str, Any]:
    """The sums of a row, and those of each traffic type that occurs in it."""
    return {
        **_amounts([sum(column) for column in zip(*types.values(), strict=True)] or [0, 0, 0, 0], decimals),
        "traffic_types": {traffic_type: _amounts(types[traffic_type], decimals) for traffic_type in sorted(types)},
    }


def _amounts(amounts: list[int], decimals: int) -> dict[str, Any]:
    calls, billed_s, fee_micro, unpriced = amounts
    return {"calls": calls, "billed_s": billed_s, "fee": money.text(fee_micro, decimals), "unpriced": unpriced}
