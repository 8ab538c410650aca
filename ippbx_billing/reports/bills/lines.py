"""The lines below a bill's calls: what the plans of the month give and take, mark-up, net, tax, and what is to be paid.

    lines = BillLines(PlanMonth(ledger, view, period))
    lines.of(amounts_by_owner, employee=7)  ->  [{"line": "calls", …}, {"line": "plan", …}, …, {"line": "gross", …}]

The one idea: a line is summed up by whose calls it used, once for all bills, so that five thousand bills need no more.
Mark-up and tax are rounded once a line, as somebody checks them with a pencil; the bills of single people may differ
from their department's by that.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ippbx_billing import money
from ippbx_billing.reports.plans import NOBODY, Owner, PlanMonth
from ippbx_billing.tariffs.plans import PlanLine, PlanPart
from ippbx_billing.tariffs.terms import AppliedTerms, terms_of

Row = dict[str, Any]
Fees = Mapping[int | None, tuple[int, int, int, int]]  # by department: fee, calls, seconds, calls without a price
Mine = Callable[[Owner], bool]

KEYS = ("line", "name", "kind", "unit", "calls", "billed_s", "percent", "of", "amount", "unpriced")


class LineShare(NamedTuple):
    """What an owner's calls used of a line."""

    calls: int = 0
    seconds: int = 0
    amount_micro: int = 0

    def plus(self, part: PlanPart) -> "LineShare":
        """With that part as well."""
        return LineShare(
            self.calls + (part.call is not None), self.seconds + part.seconds, self.amount_micro + part.amount_micro
        )


class BillLines:
    """The lines of all bills of one month; asked for one bill after another."""

    def __init__(self, month: PlanMonth) -> None:
        self.month = month
        self.decimals = month.ledger.book.decimals()

    @cached_property
    def wanted(self) -> bool:
        """Whether there is any line below the calls, for whomever: no plan and no terms, no lines."""
        return bool(self.month.plans or self._terms)

    def of(self, fees: Fees, mine: Mine, employee: int | None = None) -> list[Row]:
        """The lines of one bill: `fees` are its calls' sums by department, `mine` tells whose parts stand on it."""
        if not self.wanted:
            return []
        fee, calls, seconds, unpriced = map(sum, zip(*fees.values(), strict=True)) if fees else (0, 0, 0, 0)
        plans = list(self._plan_lines(mine, employee))
        missing = max(unpriced, *(row["unpriced"] for row, _ in plans), 0)
        net = Counter({department: one[0] for department, one in fees.items()})
        for _, by_department in plans:
            net.update(by_department)
        rows = [self._row("calls", fee, calls=calls, billed_s=seconds, unpriced=unpriced)]
        rows += [row for row, _ in plans]
        rows += self._charges(net, mine, employee, missing)
        return rows

    def _charges(self, net: "Counter[int | None]", mine: Mine, employee: int | None, missing: int) -> Iterator[Row]:
        """Mark-up, net, tax and the whole; tax and net only where something is taxed."""
        by_terms: dict[AppliedTerms, int] = {}
        calls: Counter[AppliedTerms] = Counter()
        for department, amount in net.items():
            terms = self._terms_of(department)
            by_terms[terms] = by_terms.get(terms, 0) + amount
        if any(terms.markup_per_call_micro for terms in by_terms):
            for department, count in self._charged_calls(mine, employee).items():
                calls[self._terms_of(department)] += count
        for terms, amount in by_terms.items():
            markup = terms.markup_micro(amount, calls[terms], self.decimals)
            if terms.markup_percent or terms.markup_per_call_micro:
                counted = calls[terms] if terms.markup_per_call_micro else None
                percent = terms.markup_percent
                yield self._row("markup", markup, percent=percent, of=amount, calls=counted, unpriced=missing)
            by_terms[terms] = amount + markup
        taxed: Counter[int] = Counter()
        for terms, amount in by_terms.items():
            taxed[terms.tax_percent] += amount
        yield from self._taxes(taxed, missing)

    def _taxes(self, taxed: "Counter[int]", missing: int) -> Iterator[Row]:
        gross = net = sum(taxed.values())
        if any(taxed):
            yield self._row("net", net, unpriced=missing)
        for percent in sorted(filter(None, taxed)):
            tax = AppliedTerms(tax_percent=percent).tax_micro(taxed[percent], self.decimals)
            gross += tax
            yield self._row("tax", tax, percent=percent, of=taxed[percent], unpriced=missing)
        yield self._row("gross", gross, unpriced=missing)

    def _row(self, line: str, amount: int, **more: Any) -> Row:
        found: Row = dict.fromkeys(KEYS) | {"line": line, "amount": money.text(amount, self.decimals), "unpriced": 0}
        if more.get("percent"):
            more |= {"percent": money.text(more["percent"], 0), "of": money.text(more["of"], self.decimals)}
        else:
            more |= {"percent": None, "of": None}
        return found | more

    # -- plans

    def _plan_lines(self, mine: Mine, employee: int | None) -> Iterator[tuple[Row, "Counter[int | None]"]]:
        """Each line that used calls of this bill, with its amounts by department."""
        for line, shares in zip(self.month.lines, self._shares(employee), strict=True):
            own = [(owner, share) for owner, share in shares.items() if mine(owner)]
            if not own:
                continue
            by_department: Counter[int | None] = Counter()
            for owner, share in own:
                by_department[owner.department] += share.amount_micro
            row = self._row(
                "plan",
                sum(share.amount_micro for _, share in own),
                name=line.plan.name,
                kind=line.plan.kind,
                unit=line.unit or line.plan.scope_value or None,
                calls=None if line.plan.kind == "monthly_fee" else sum(share.calls for _, share in own),
                billed_s=None if line.plan.kind == "monthly_fee" else sum(share.seconds for _, share in own),
                unpriced=_in_doubt(line),
            )
            yield row, by_department

    def _shares(self, employee: int | None) -> Iterable[Mapping[Owner, LineShare]]:
        """The shares of each line; for one employee only theirs, found without looking at everybody's."""
        if employee is None:
            return self._by_line
        return self._by_employee.get(employee, [{}] * len(self._by_line))

    @cached_property
    def _by_line(self) -> list[dict[Owner, LineShare]]:
        found = []
        for line in self.month.lines:
            shares: dict[Owner, LineShare] = {}
            for part in line.parts:
                owner = _owner(part)
                shares[owner] = shares.get(owner, LineShare()).plus(part)
            found.append(shares)
        return found

    @cached_property
    def _by_employee(self) -> dict[int, list[dict[Owner, LineShare]]]:
        found: dict[int, list[dict[Owner, LineShare]]] = {}
        for place, shares in enumerate(self._by_line):
            for owner, share in shares.items():
                if owner.employee is not None:
                    own = found.setdefault(owner.employee, [{} for _ in self._by_line])
                    own[place][owner] = share
        return found

    def explained(self, mine: Mine) -> Iterator[Row]:
        """What each plan took of each call of this bill, in the order of time."""
        for line in self.month.lines:
            for part in line.parts:
                if part.call is not None and mine(_owner(part)):
                    yield part_row(line, part, self.decimals)

    # -- mark-up and tax

    @cached_property
    def _terms(self) -> list[Any]:
        return self.month.ledger.plans.terms()

    def _terms_of(self, department: int | None) -> AppliedTerms:
        if department not in self._known_terms:
            path = self._paths.get(department)
            self._known_terms[department] = terms_of(path, self._terms, self.month.period.last)
        return self._known_terms[department]

    @cached_property
    def _known_terms(self) -> dict[int | None, AppliedTerms]:
        return {}

    @cached_property
    def _paths(self) -> dict[int | None, str]:
        return self.month.ledger.directory.paths()

    def _charged_calls(self, mine: Mine, employee: int | None) -> "Counter[int | None]":
        """How many calls with a fee each department has on this bill."""
        found: Counter[int | None] = Counter()
        for owner, count in self._charged.items() if employee is None else self._charged_by.get(employee, ()):
            if mine(owner):
                found[owner.department] += count
        return found

    @cached_property
    def _charged(self) -> "Counter[Owner]":
        return Counter(call.owner for call in self.month.calls if call.fee_micro)  # type: ignore[misc]

    @cached_property
    def _charged_by(self) -> dict[int, list[tuple[Owner, int]]]:
        found: dict[int, list[tuple[Owner, int]]] = {}
        for owner, count in self._charged.items():
            if owner.employee is not None:
                found.setdefault(owner.employee, []).append((owner, count))
        return found


def part_row(line: PlanLine, part: PlanPart, decimals: int) -> Row:
    """What a plan took of one call, with the contract's keys."""
    return {
        "plan": line.plan.name,
        "kind": line.plan.kind,
        "unit": line.unit or line.plan.scope_value or None,
        "call": part.call,
        "seconds": part.seconds,
        "amount": None if part.unpriced else money.text(part.amount_micro, decimals),
    }


def _owner(part: PlanPart) -> Owner:
    return part.owner if isinstance(part.owner, Owner) else NOBODY


def _in_doubt(line: PlanLine) -> int:
    """How many calls without a price may yet use up the line's amount, so that others' calls cost more."""
    return sum(part.unpriced for part in line.parts) if line.plan.kind == "included_amount" else 0
