"""Mark-up and tax: what a department's bills add to the fees, said once and inherited down the tree.

    terms_of("公司/工程部", terms, date(2026, 10, 31)).tax_micro(100_000_000, 2)   ->  6_000_000, where 公司 says 6 %

The one idea: each of the figures comes from the nearest department above that says it, last from the whole site. The
terms in force on a month's last day hold for the whole of its bill, as an invoice's date decides about its tax.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from ippbx_billing import money

HUNDRED_PERCENT = 100 * money.MICRO  # percents are millionths of one percent


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """What a department's bills add to the fees from a day on; None is what holds above it in the tree.

    Percents are millionths of one percent: 6 % is 6_000_000. `department` None is the whole site.
    """

    department: str | None
    effective_from: date
    markup_percent: int | None = None
    markup_per_call_micro: int | None = None
    tax_percent: int | None = None

    def __post_init__(self) -> None:
        if any(value is not None and value < 0 for value in self.figures):
            raise ValueError("mark-up and tax are not negative")

    @property
    def figures(self) -> tuple[int | None, int | None, int | None]:
        """Mark-up in percent, mark-up per call, tax in percent."""
        return self.markup_percent, self.markup_per_call_micro, self.tax_percent


@dataclass(frozen=True, slots=True)
class AppliedTerms:
    """What holds for a department's bill when all above it in the tree has been asked; 0 is nothing."""

    markup_percent: int = 0
    markup_per_call_micro: int = 0
    tax_percent: int = 0

    def __bool__(self) -> bool:
        return any((self.markup_percent, self.markup_per_call_micro, self.tax_percent))

    def markup_micro(self, net_micro: int, calls: int, decimals: int) -> int:
        """The mark-up on that much for so many calls, rounded once."""
        exact = Fraction(net_micro * self.markup_percent, HUNDRED_PERCENT) + self.markup_per_call_micro * calls
        return money.round_half_up(exact, decimals)

    def tax_micro(self, net_micro: int, decimals: int) -> int:
        """The tax on that much, rounded once."""
        return money.round_half_up(Fraction(net_micro * self.tax_percent, HUNDRED_PERCENT), decimals)


def terms_of(path: str | None, terms: Iterable[BillingTerms], day: date) -> AppliedTerms:
    """The terms in force on the day for the department of this path: each figure from the nearest that says it."""
    newest: dict[str | None, list[BillingTerms]] = {}
    for one in sorted(terms, key=lambda one: one.effective_from, reverse=True):
        if one.effective_from <= day:
            newest.setdefault(one.department, []).append(one)
    found: list[int | None] = [None, None, None]
    for department in upwards(path):
        for one in newest.get(department, [])[:1]:
            found = [have if have is not None else said for have, said in zip(found, one.figures, strict=True)]
    return AppliedTerms(*(value or 0 for value in found))


def upwards(path: str | None) -> Iterator[str | None]:
    """The department, those above it, and last the whole site."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield None
