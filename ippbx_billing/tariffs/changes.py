"""What would change: the prices in force beside those that are wanted.

The one idea: a price is the same row when it is for the same calls from the same day on; the newer figures replace the
older ones, and the older row is kept for the charges that rest on it.

    changes(present, wanted, whole=True).gone    # the rows that leave the tariff
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.tariffs.book import spelt
from ippbx_billing.tariffs.prices import NO_FIGURES, Match, Price

Identity = tuple[str, TrafficType, Direction, LineKind | None, Match, str, date]


@dataclass(frozen=True, slots=True)
class Changes:
    """The way from one tariff to another, each part in the order of what is wanted."""

    added: tuple[Price, ...] = ()
    changed: tuple[tuple[Price, Price], ...] = ()  # the present row and the one in its place
    removed: tuple[Price, ...] = ()
    same: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def first(self, count: int) -> "Changes":
        """The first so many of each sort, for a look at them."""
        return Changes(self.added[:count], self.changed[:count], self.removed[:count], self.same)

    @property
    def gone(self) -> list[Price]:
        """The present rows that are no longer in force."""
        return [old for old, _ in self.changed] + list(self.removed)

    @property
    def coming(self) -> list[Price]:
        """The rows to be stored."""
        return [new for _, new in self.changed] + list(self.added)


def changes(present: Sequence[Price], wanted: Iterable[Price], *, whole: bool = False) -> Changes:
    """What must happen so that `wanted` is in force; with `whole` nothing else stays."""
    by_identity: dict[Identity, list[Price]] = {}
    for price in present:
        by_identity.setdefault(identity(price), []).append(price)
    added, changed, same, kept = [], [], 0, set()
    twins: list[Price] = []
    for price in wanted:
        found = by_identity.get(identity(price))
        if found is None:
            added.append(price)
            continue
        kept.add(identity(price))
        twins += found[:-1]  # of two rows for the same calls only the later one was in force
        if replace(found[-1], id=None) == replace(price, id=None):
            same += 1
        else:
            changed.append((found[-1], price))
    others = [price for key, group in by_identity.items() if key not in kept for price in group] if whole else []
    return Changes(tuple(added), tuple(changed), tuple(twins + others), same)


def succeeding(present: Sequence[Price], wanted: Sequence[Price], today: date, first: date | None = None) -> Changes:
    """What must happen so that a carrier's new list takes the place of the present one, whose past stays.

    Calls that the new list no longer names have no price from `first` on: by default the day from which the list
    changes anything. Prices that would have begun later are taken out.
    """
    own = changes(present, wanted)
    first = first or min((price.effective_from for price in own.coming), default=today)
    named, kept = {identity(price)[:-1] for price in wanted}, set(map(identity, wanted))
    newest: dict[object, Price] = {}
    removed = list(own.removed)
    for price in sorted(present, key=lambda one: one.effective_from):
        if price.effective_from < first:
            newest[identity(price)[:-1]] = price
        elif identity(price) not in kept:
            removed.append(price)
    ends = [ended(price, first) for calls, price in newest.items() if calls not in named and price.status != "ended"]
    return replace(own, added=(*own.added, *ends), removed=tuple(removed))


def ended(price: Price, day: date) -> Price:
    """The end of a price: from this day on there is none."""
    return replace(
        price,
        id=None,
        figures=NO_FIGURES,
        effective_from=day,
        connection_fee_micro=0,
        free_s=0,
        minimum_fee_micro=0,
        maximum_fee_micro=0,
        grace_s=0,
        windows=(),
        status="ended",
    )


def identity(price: Price) -> Identity:
    """For which calls and from which day a price is: what makes it one and the same row."""
    return (
        price.carrier,
        price.traffic_type,
        price.direction,
        price.line_kind,
        price.match,
        spelt(price),
        price.effective_from,
    )


def in_force(prices: Iterable[Price], day: date) -> list[Price]:
    """Of each price the newest version that has begun by then."""
    newest: dict[object, Price] = {}
    for price in sorted(prices, key=lambda one: one.effective_from):
        if price.effective_from <= day:
            newest[identity(price)[:-1]] = price
    return list(newest.values())


def in_order(prices: Iterable[Price]) -> list[Price]:
    """By carrier, traffic type as usual, direction, line kind, and what they are for; earlier versions first."""
    places = {kind: place for place, kind in enumerate(TrafficType)}

    def order(price: Price) -> tuple[object, ...]:
        kind = price.carrier, places[price.traffic_type], price.direction, str(price.line_kind or "")
        return (*kind, price.match, price.value, price.effective_from)

    return sorted(prices, key=order)
