"""The tariff book: which carrier a trunk belongs to, and which price a call has."""

from collections.abc import Iterable
from datetime import date

from ippbx_billing.calls import Classification, Direction
from ippbx_billing.tariffs.prices import Calendar, Carrier, Price, Trunk


class TariffBook:
    """All carriers, trunks and prices of a site, with its calendar; it never changes once it is made."""

    def __init__(
        self, carriers: Iterable[Carrier], trunks: Iterable[Trunk], prices: Iterable[Price], calendar: Calendar
    ) -> None:
        self.carriers = {carrier.name: carrier for carrier in carriers}
        self.trunks = {trunk.name: trunk for trunk in trunks}
        self.prices = tuple(prices)
        self.calendar = calendar

    def carrier_for(self, trunk: str | None) -> Carrier | None:
        """The trunk's carrier, else the default carrier; None where there is neither."""
        raise NotImplementedError

    def price_for(
        self,
        carrier: Carrier,
        classification: Classification,
        direction: Direction,
        day: date,
        *,
        called: str | None = None,
    ) -> Price | None:
        """The price of such a call on that local day, or None; `called` is our own number that was called."""
        raise NotImplementedError
