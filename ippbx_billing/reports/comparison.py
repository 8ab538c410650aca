"""What a month's real calls would have cost with each of several carriers: how an office chooses its contract.

    for row in compare(ledger, rules, period, [telecom, unicom]).rows: ...

Every call is rated again in memory as if all lines belonged to the carrier; nothing is written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ippbx_billing.calls import Charge, ChargeStatus
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import Period
from ippbx_billing.tariffs import Carrier


@dataclass(frozen=True, slots=True)
class Offer:
    """One carrier's month by traffic type: fees in micro-units, calls without a price, and which calls these are."""

    carrier: Carrier
    fees: Counter[str] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)
    without: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The offers side by side, and how many calls of each traffic type they are for."""

    calls: Counter[str]
    offers: tuple[Offer, ...]

    @property
    def cheapest(self) -> tuple[Offer, ...]:
        """The lowest, or several equal ones, of the offers that have a price for the most calls.

        None where no offer has any price, or where these offers leave different calls without one: then their sums
        are for different calls and say nothing about each other.
        """
        fewest = min((offer.unpriced.total() for offer in self.offers), default=self.calls.total())
        fullest = [offer for offer in self.offers if offer.unpriced.total() == fewest]
        if fewest == self.calls.total() or any(offer.without != fullest[0].without for offer in fullest):
            return ()
        lowest = min(offer.fees.total() for offer in fullest)
        return tuple(offer for offer in fullest if offer.fees.total() == lowest)


def compare(ledger: Ledger, rules: Rules, period: Period, carriers: Sequence[Carrier]) -> Comparison:
    """Rate the period's calls with each carrier; those that a filter or a twin keeps off the bill are left out."""
    offered = [(rules.with_default_carrier(one.name), Offer(one)) for one in carriers]
    calls: Counter[str] = Counter()
    for row in ledger.calls.of_days(period.first.isoformat(), period.last.isoformat()):
        if row["status"] == ChargeStatus.FILTERED:
            continue
        call, meaning = call_of(row), classification_of(row)
        calls[meaning.traffic_type] += 1
        home = rules.book.carrier_for(call.trunk)
        for own_rules, offer in offered:
            # A number dialled without its area code means another one elsewhere, so it goes in full.
            elsewhere = home is None or home.area_code != offer.carrier.area_code
            seen = own_rules.classify(replace(call, number=meaning.normalized)) if elsewhere else meaning
            _add(own_rules.charge(call, seen), offer, meaning.traffic_type, row["id"])
    return Comparison(calls, tuple(offer for _, offer in offered))


def _add(charge: Charge, offer: Offer, listed_as: str, number: int) -> None:
    """Put one call's charge into an offer, below the traffic type that the call has here."""
    if charge.fee_micro is None:
        offer.unpriced[listed_as] += 1
        offer.without.add(number)
    else:
        offer.fees[listed_as] += charge.fee_micro
