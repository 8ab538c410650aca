"""The tariff book: which carrier a trunk belongs to, and which price a call has.

The one idea: the more specific row wins. Destinations are tried in the order called number, pattern, prefix,
area, country, any; among the rows of one destination the call's own line kind goes before any kind; of one such
row the newest version not later than the call's day is in force.

    book = TariffBook(carriers, trunks, prices, HolidayCalendar("CN"))
    book.price_for(book.carrier_for("FXO-1"), classification, Direction.OUTBOUND, date(2026, 11, 22))
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from ippbx_billing.calls import Charge, Classification, Direction, LineKind, TrafficType
from ippbx_billing.tariffs.prices import Calendar, Carrier, Match, Price, Trunk, pattern_regex, pattern_weight

CACHE_LIMIT = 100_000

Versions = tuple[list[date], list[Price]]
Destination = tuple[Match, str]
Fitting = tuple[Destination, ...]
ListKey = tuple[str, TrafficType, Direction]


class TariffBook:
    """All carriers, trunks and prices of a site, with its calendar; it never changes once it is made.

    Of two prices for the very same calls from the same day on, the one given later is in force.
    """

    def __init__(
        self, carriers: Iterable[Carrier], trunks: Iterable[Trunk], prices: Iterable[Price], calendar: Calendar
    ) -> None:
        self.carriers = {carrier.name: carrier for carrier in carriers}
        self.trunks = {trunk.name: trunk for trunk in trunks}
        self.prices = tuple(prices)
        self.calendar = calendar
        self.default = next((carrier for carrier in self.carriers.values() if carrier.default), None)
        self._by_trunk = {name: self.carriers.get(trunk.carrier) for name, trunk in self.trunks.items()}
        self._lists = _price_lists(self.prices)
        self._called = {key[0] for key, prices in self._lists.items() if prices.charges_called}
        self.charges: dict[tuple[int, int, int], Charge] = {}  # what `rating` found once and need not find again

    def carrier_for(self, trunk: str | None) -> Carrier | None:
        """The trunk's carrier, else the default carrier; None where there is neither.

        A trunk that is not configured belongs to the default carrier; one that is configured for a carrier
        nobody knows belongs to none.
        """
        return self._by_trunk.get(trunk, self.default) if trunk else self.default

    def looks_at_digits(self, carrier: Carrier, traffic_type: TrafficType, direction: Direction) -> bool:
        """Whether two calls of the same kind may have different prices because of their very numbers."""
        if direction is Direction.INBOUND and carrier.name in self._called:
            return True
        prices = self._lists.get((carrier.name, traffic_type, direction))
        return prices is not None and prices.looks_at_digits

    def fitting(
        self, carrier: Carrier, traffic_type: TrafficType, direction: Direction
    ) -> "Callable[[str, str, str, str | None], Fitting] | None":
        """Tells for numbers of such calls which rows their digits fit; None where no row looks at digits.

        It is asked with the number as dialled, as normalized, its IP prefix, and our number that was called. Calls of
        one kind whose digits fit the same rows have the same price.
        """
        if not self.looks_at_digits(carrier, traffic_type, direction):
            return None
        prices = self._lists.get((carrier.name, traffic_type, direction))
        service = self._lists.get((carrier.name, TrafficType.SERVICE_400_800, direction))

        def fits(number: str, normalized: str, ip_prefix: str, called: str | None) -> Fitting:
            rows = prices.fitting(number, normalized, ip_prefix, called) if prices else ()
            ours = service.fitting("", "", "", called) if service and called else ()
            return rows + ours

        return fits

    def price_for(
        self,
        carrier: Carrier,
        classification: Classification,
        direction: Direction,
        day: date,
        *,
        called: str | None = None,
    ) -> Price | None:
        """The price of such a call on that local day, or None; `called` is our own number that was called.

        An incoming call to a number that has a 400/800 price of its own is priced by that, whoever calls.
        """
        if called and direction is Direction.INBOUND and carrier.name in self._called:
            service = self._lists.get((carrier.name, TrafficType.SERVICE_400_800, direction))
            price = service.called(called, classification.line_kind, day) if service else None
            if price is not None:
                return price
        prices = self._lists.get((carrier.name, classification.traffic_type, direction))
        return prices.find(classification, day, called) if prices else None


class PriceList:
    """The prices of one carrier, traffic type and direction, indexed by destination and line kind."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._rows: dict[tuple[Match, str], dict[LineKind | None, Versions]] = {}
        for price in sorted(prices, key=lambda price: price.effective_from):
            row = self._rows.setdefault((price.match, spelt(price)), {})
            days, versions = row.setdefault(price.line_kind, ([], []))
            days.append(price.effective_from)
            versions.append(price)
        self._changes = sorted({day for row in self._rows.values() for days, _ in row.values() for day in days})
        self._patterns = _patterns("pattern", self._rows)
        self._called = _patterns("called", self._rows)
        self._longest = max((len(value) for match, value in self._rows if match == "prefix"), default=0)
        self.looks_at_digits = bool(self._patterns or self._called or self._longest)
        self.charges_called = bool(self._called)
        self._cache: dict[tuple[object, ...], Price | None] = {}

    def find(self, classification: Classification, day: date, called: str | None) -> Price | None:
        """The most specific price in force; remembered for the next call of the same kind."""
        c = classification
        epoch = bisect_right(self._changes, day)
        key: tuple[object, ...] = (epoch, c.line_kind, c.area_code, c.country)
        if self.looks_at_digits:
            key += (c.number, c.normalized, c.ip_prefix, called)
        try:
            return self._cache[key]
        except KeyError:
            if len(self._cache) >= CACHE_LIMIT:
                self._cache.clear()
            price = self._cache[key] = self._search(c, day, called)
            return price

    def called(self, number: str, line_kind: LineKind, day: date) -> Price | None:
        """The price of incoming calls to this number of ours."""
        found = (self._in_force(key, line_kind, day) for key in self._called_keys(number))
        return next((price for price in found if price), None)

    def fitting(self, number: str, normalized: str, ip_prefix: str, called: str | None) -> Fitting:
        """The rows of this list that such digits fit, and whether they are dialled as international ones."""
        dialled = _digits(number)
        start = dialled.find(ip_prefix) if ip_prefix else 0
        dialled = dialled[max(start, 0) :]
        keys = [key for key in self._digit_keys(dialled, _digits(normalized), ip_prefix, called) if key in self._rows]
        abroad = dialled.removeprefix(ip_prefix).startswith("00")
        return (*keys, ("any", "00")) if abroad else tuple(keys)

    def _digit_keys(self, dialled: str, normalized: str, ip_prefix: str, called: str | None) -> Iterator[Destination]:
        """The destinations that these digits fit by themselves, the most specific first."""
        if called:
            yield from self._called_keys(called)
        for value, regex in self._patterns:
            if regex.fullmatch(dialled) or regex.fullmatch(normalized):
                yield "pattern", value
        yield from self._prefix_keys(dialled, normalized, ip_prefix)

    def _search(self, classification: Classification, day: date, called: str | None) -> Price | None:
        found = (self._in_force(key, classification.line_kind, day) for key in self._keys(classification, called))
        return next((price for price in found if price), None)

    def _keys(self, classification: Classification, called: str | None) -> Iterator[tuple[Match, str]]:
        """The destinations that this number fits, the most specific first."""
        dialled, normalized = _dialled(classification), _digits(classification.normalized)
        yield from self._digit_keys(dialled, normalized, classification.ip_prefix or "", called)
        if not dialled.removeprefix(classification.ip_prefix or "").startswith("00"):
            yield "area", _area(classification.area_code or "")  # 020 is Guangzhou at home and London abroad
        yield "country", (classification.country or "").upper()
        yield "any", ""

    def _called_keys(self, number: str) -> Iterator[tuple[Match, str]]:
        for value, regex in self._called:
            if regex.fullmatch(_digits(number)):
                yield "called", value

    def _prefix_keys(self, dialled: str, normalized: str, ip_prefix: str) -> Iterator[tuple[Match, str]]:
        """Longest first; a prefix within the dialled IP prefix itself says nothing about the destination."""
        for length in range(self._longest, 0, -1):
            yield "prefix", normalized[:length]
            if length >= len(ip_prefix):
                yield "prefix", dialled[:length]

    def _in_force(self, key: tuple[Match, str], line_kind: LineKind, day: date) -> Price | None:
        row = self._rows.get(key)
        for kind in _kinds(line_kind) if row else ():
            days, versions = row.get(kind, ([], [])) if row else ([], [])
            newest = bisect_right(days, day)
            if newest:
                return versions[newest - 1]
        return None


def _price_lists(prices: Iterable[Price]) -> dict[ListKey, PriceList]:
    grouped: dict[ListKey, list[Price]] = {}
    for price in prices:
        for key in _list_keys(price):
            grouped.setdefault(key, []).append(price)
    return {key: PriceList(group) for key, group in grouped.items()}


def _list_keys(price: Price) -> list[ListKey]:
    """Under what a price is found: an internal one whether the PBX or the number says that the call is internal."""
    if price.traffic_type is not TrafficType.INTERNAL and price.direction is not Direction.INTERNAL:
        return [(price.carrier, price.traffic_type, price.direction)]
    by_number = [(price.carrier, TrafficType.INTERNAL, direction) for direction in Direction]
    by_pbx = [(price.carrier, kind, Direction.INTERNAL) for kind in TrafficType if kind is not TrafficType.INTERNAL]
    return by_number + by_pbx


def _patterns(match: Match, rows: Iterable[tuple[Match, str]]) -> list[tuple[str, re.Pattern[str]]]:
    """The patterns of that kind with their regexes, the most specific first."""
    values = sorted((value for kind, value in rows if kind == match), key=pattern_weight, reverse=True)
    return [(value, pattern_regex(value)) for value in values]


def _kinds(line_kind: LineKind) -> tuple[LineKind | None, ...]:
    """Whose rows may serve a line of that kind: its own, for a satellite phone a mobile's, then those for all."""
    if line_kind is LineKind.SATELLITE:
        return LineKind.SATELLITE, LineKind.MOBILE, None
    return line_kind, None


def spelt(price: Price) -> str:
    """A row's value in one spelling, by which it is found: no `+`, no trunk zero, countries in capitals."""
    if price.match == "area":
        return _area(price.value)
    if price.match == "country":
        return price.value.upper()
    return price.value.lstrip("+")


def _area(code: str) -> str:
    """An area code without its trunk zero: 010 and 10 are the same area."""
    return code.lstrip("0")


def _digits(text: str) -> str:
    return text if text.isdecimal() else "".join(filter(str.isdecimal, text))


def _dialled(classification: Classification) -> str:
    """The digits as dialled, from the IP prefix on where there is one (without the outside-line digit)."""
    digits = _digits(classification.number)
    start = digits.find(classification.ip_prefix) if classification.ip_prefix else 0
    return digits[max(start, 0) :]
