"""What a month's real calls would have cost with each of several carriers: how an office chooses its contract.

    for row in compare(ledger, rules, period, [telecom, unicom]).rows: ...

Every call is rated again in memory as if all lines belonged to the carrier; nothing is written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ippbx_billing.calls import Charge, ChargeStatus
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import Period
from ippbx_billing.tariffs import Carrier


@dataclass(frozen=True, slots=True)
class Offer:
    """One carrier's month: fees in micro-units and calls without a price, by traffic type."""

    carrier: Carrier
    fees: Counter[str]
    unpriced: Counter[str]

    @property
    def standing(self) -> tuple[int, int]:
        """What it is compared by: an offer that leaves calls without a price only looks cheap."""
        return self.unpriced.total(), self.fees.total()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The offers side by side, and how many calls of each traffic type they are for."""

    calls: Counter[str]
    offers: tuple[Offer, ...]

    @property
    def cheapest(self) -> tuple[Offer, ...]:
        """The lowest, or several equal ones, of the offers that have a price for the most calls; none without any."""
        best = min((offer.standing for offer in self.offers), default=None)
        if best is None or best[0] == self.calls.total():
            return ()
        return tuple(offer for offer in self.offers if offer.standing == best)


def compare(ledger: Ledger, rules: Rules, period: Period, carriers: Sequence[Carrier]) -> Comparison:
    """Rate the period's calls with each carrier; those that a filter or a twin keeps off the bill are left out."""
    offered = [(rules.with_default_carrier(one.name), Offer(one, Counter(), Counter())) for one in carriers]
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
            _add(own_rules.charge(call, seen), offer, meaning.traffic_type)
    return Comparison(calls, tuple(offer for _, offer in offered))


def _add(charge: Charge, offer: Offer, listed_as: str) -> None:
    """Put one call's charge into an offer, below the traffic type that the call has here."""
    if charge.fee_micro is None:
        offer.unpriced[listed_as] += 1
    else:
        offer.fees[listed_as] += charge.fee_micro
