"""What other prices would do to real calls, told before they are saved.

    found = repriced(ledger, settings, changes(present, wanted), date(2026, 11, 1), date(2026, 11, 30))
    found.total.calls, found.total.before_micro, found.total.after_micro      # nothing is changed
    found.stale.calls                                                         # of these, for other reasons

The one idea: it is the preview of `rerate` with the rules that the change would make. A price that begins only after
those days is tried as if it had begun on the first of them, for nobody knows the calls of next month.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.rerating import Difference, Progress, Rerating, Wanted
from ippbx_billing.settings import Settings
from ippbx_billing.tariffs import Price
from ippbx_billing.tariffs.changes import Changes, identity


@dataclass(frozen=True, slots=True)
class Repricing:
    """What the calls of these days would cost, by extension; `supposed` where a price begins only after them.

    `stale` is what rating again would change with the present prices already, as nobody did it since an earlier change.
    """

    wanted: Wanted
    supposed: bool
    by_extension: dict[str | None, Difference] = field(default_factory=dict)
    stale: Difference = field(default_factory=Difference)

    @property
    def total(self) -> Difference:
        """All extensions together."""
        return _together(self.by_extension.values())


def repriced(
    ledger: Ledger,
    using: Settings,
    change: Changes,
    first: date,
    last: date,
    progress: Progress = lambda done, total: None,
) -> Repricing:
    """The calls of these days rated with the prices as the change would leave them; nothing is changed.

    Raises UsageError where the days lie before what the ledger can rate again.
    """
    touched = {price.carrier for price in (*change.coming, *change.gone)}
    wanted = Wanted(first, last, carrier=touched.pop() if len(touched) == 1 else None)
    rules = Rules.of(ledger, using, reading=False)
    tried = rules.with_prices(supposing(rules.book.prices, change, first, last))
    stale = _together(Rerating(ledger, rules, wanted).preview().values())
    found = Rerating(ledger, tried, wanted, progress).preview()
    return Repricing(wanted, any(price.effective_from > last for price in change.coming), found, stale)


def _together(some: Iterable[Difference]) -> Difference:
    total = Difference()
    for one in some:
        total.add(one)
    return total


def supposing(present: Sequence[Price], change: Changes, first: date, last: date) -> list[Price]:
    """The prices as they would be; what begins after the last day begins on the first one, and holds through."""
    gone = {price.id for price in change.gone}
    coming = list(_numbered(change.coming, first, last))
    replaced = {identity(price)[:-1] for price in change.coming if price.effective_from > last}
    kept = [
        price
        for price in present
        if price.id not in gone and not (price.effective_from >= first and identity(price)[:-1] in replaced)
    ]
    return [*kept, *coming]


def _numbered(coming: Iterable[Price], first: date, last: date) -> Iterator[Price]:
    """With ids that no stored price has, so that a charge that rests on them is another one."""
    for number, price in enumerate(coming, start=1):
        begin = first if price.effective_from > last else price.effective_from
        yield replace(price, id=-number, effective_from=begin)
