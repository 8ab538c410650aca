"""The tariff book: which carrier a trunk belongs to, and which price a call has.

The one idea: the more specific row wins. Destinations are tried in the order called number, pattern, prefix,
area, country, any; among the rows of one destination the call's own line kind goes before any kind; of one such
row the newest version not later than the call's day is in force. A version that has `ended` is not a row any more, and
one that is `blocked` says that the call has no price at all.

A carrier's list goes by full numbers and knows nothing of our traffic types: rows by full number (`+4420`, and those
of international calls) are found whatever type the call and the row have, the longest first. Behind the prices of the
call's own type come those that name no more than its country, or its area as one of another type.

    book = TariffBook(carriers, trunks, prices, HolidayCalendar("CN"))
    book.price_for(book.carrier_for("FXO-1"), classification, Direction.OUTBOUND, date(2026, 11, 22))
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from datetime import date
from functools import cache

from ippbx_billing.calls import Charge, Classification, Direction, LineKind, TrafficType
from ippbx_billing.tariffs.prices import Calendar, Carrier, Match, Price, Seconds, Trunk, pattern_regex, pattern_weight

CACHE_LIMIT = 100_000
ABROAD = (TrafficType.INTERNATIONAL, TrafficType.HK_MO_TW)
BY_NUMBER = (TrafficType.LOCAL, TrafficType.DOMESTIC, *ABROAD, TrafficType.AUDIOTEX, TrafficType.SERVICE_400_800,
             TrafficType.OTHER)  # fmt: skip
BY_AREA = (TrafficType.LOCAL, TrafficType.DOMESTIC)

Versions = tuple[list[date], list[Price]]
Destination = tuple[str, str]  # a match, or whose rows: `dialled`, `full`, `region`, `nation`
Rows = dict[Destination, dict[LineKind | None, Versions]]
Fitting = tuple[Destination, ...]
ListKey = tuple[str, TrafficType, Direction]
SharedRows = dict[tuple[str, Direction], "Shared"]


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
        self._shared, self._lists = _price_lists(self.prices)
        self._begin()

    def _begin(self) -> None:
        """What follows from carriers, trunks and lists; nothing is remembered yet."""
        self.default = next((carrier for carrier in self.carriers.values() if carrier.default), None)
        self._by_trunk = {name: self.carriers.get(trunk.carrier) for name, trunk in self.trunks.items()}
        self._called = {key[0] for key, prices in self._lists.items() if prices.charges_called}
        # What `rating` found for calls that are alike in all but digits; None where digits count.
        self.settled: dict[tuple[object, ...] | None, Charge | tuple[Carrier, Price] | None] = {}
        self.charges: dict[tuple[int, int, Seconds], Charge] = {}  # what `rating` found once and need not find again

    def changed(
        self,
        carriers: Iterable[Carrier],
        trunks: Iterable[Trunk],
        gone: Sequence[Price],
        coming: Sequence[Price],
        calendar: Calendar,
    ) -> "TariffBook":
        """Another book with these prices gone and those given behind all others: quick beside hundreds of thousands.

        Prices are told apart by their ids. It answers what a book made anew would answer.
        """
        new = copy(self)
        new.carriers = {carrier.name: carrier for carrier in carriers}
        new.trunks = {trunk.name: trunk for trunk in trunks}
        ids = {price.id for price in gone}
        new.prices = (*(price for price in self.prices if price.id not in ids), *coming)
        new.calendar = calendar
        new._shared, new._lists = _changed_lists(self._shared, self._lists, gone, coming)
        new._begin()
        return new

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
        self, carrier: Carrier, traffic_type: TrafficType, direction: Direction, code: str
    ) -> "Callable[[str, str, str, str | None], Fitting] | None":
        """Tells for numbers of such calls which rows their digits fit; None where the digits of all fit the same rows.

        `code` is how these numbers begin, see `number_start`. It is asked with the number as dialled, as normalized,
        its IP prefix, and our number that was called. Calls of one kind whose digits fit the same rows have the same
        price.
        """
        if not self._digits_matter(carrier, traffic_type, direction, code):
            return None
        prices = self._lists.get((carrier.name, traffic_type, direction))
        service = self._lists.get((carrier.name, TrafficType.SERVICE_400_800, direction))

        def fits(number: str, normalized: str, ip_prefix: str, called: str | None) -> Fitting:
            rows = prices.fitting(number, normalized, ip_prefix, called) if prices else ()
            ours = service.fitting("", "", "", called) if service and called else ()
            return rows + ours

        return fits

    def _digits_matter(self, carrier: Carrier, traffic_type: TrafficType, direction: Direction, code: str) -> bool:
        """`looks_at_digits` of calls to numbers that all begin with this code."""
        if direction is Direction.INBOUND and carrier.name in self._called:
            return True
        prices = self._lists.get((carrier.name, traffic_type, direction))
        return prices is not None and prices.looks_at_digits_behind(code)

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

    def ranked(
        self,
        carrier: Carrier,
        classification: Classification,
        direction: Direction,
        day: date,
        *,
        called: str | None = None,
    ) -> list[tuple[Price, str]]:
        """Every price that fits such a call, in the order in which they are tried, and what became of each on that day.

        `won` or `blocked` is the first in force, `less specific` each one behind it; `earlier version`, `begins later`
        and `ended` are not in force.
        """
        lists = [self._lists.get((carrier.name, classification.traffic_type, direction))]
        if called and direction is Direction.INBOUND:
            lists.insert(0, self._lists.get((carrier.name, TrafficType.SERVICE_400_800, direction)))
        found: dict[int, tuple[Price, str]] = {}
        for place, prices in enumerate(lists):
            only_called = len(lists) > 1 and not place
            for price, state in prices.fitting_rows(classification, day, called, only_called) if prices else ():
                found.setdefault(id(price), (price, state))
        return _decided(list(found.values()))


class Shared:
    """The rows of a carrier and direction that calls of every type may find: by full number, by area, by country."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self.rows: Rows = {}
        for price in sorted(prices, key=lambda price: price.effective_from):
            for destination in _shared_destinations(price):
                _file(self.rows, destination, price)
        self.full = {value for match, value in self.rows if match == "full"}
        self.longest = max(map(len, self.full), default=0)
        self.codes = {value[:LONGEST_START] for value in self.full}
        self.days = _days(self.rows)

    def changed(self, gone: Iterable[Price], coming: Iterable[Price]) -> "Shared":
        """The same with other rows; what it knows of all rows may still speak of those that are gone, and harms not."""
        new, coming = copy(self), list(coming)
        new.rows = _changed_rows(self.rows, gone, coming, _shared_destinations)
        come = {value for price in coming for match, value in _shared_destinations(price) if match == "full"}
        new.full, new.codes = self.full | come, self.codes | {value[:LONGEST_START] for value in come}
        new.longest = max(self.longest, *map(len, come), 0)
        new.days = self.days | {price.effective_from for price in coming}
        return new


def _shared_destinations(price: Price) -> Iterator[Destination]:
    if price.traffic_type in BY_NUMBER and price.match == "prefix" and is_full(price):
        yield "full", spelt(price)
    if price.traffic_type in BY_NUMBER and price.match == "country":
        yield "nation", spelt(price)
    if price.traffic_type in BY_AREA and price.match == "area":
        yield "region", spelt(price)


def is_full(price: Price) -> bool:
    """Whether a prefix is one of full numbers, with their country code, and never of digits as they are dialled."""
    return price.value.startswith("+") or price.traffic_type in ABROAD


def _file(rows: Rows, destination: Destination, price: Price) -> None:
    days, versions = rows.setdefault(destination, {}).setdefault(price.line_kind, ([], []))
    days.append(price.effective_from)
    versions.append(price)


def _days(rows: Rows) -> set[date]:
    """The days on which a row begins."""
    return {day for row in rows.values() for days, _ in row.values() for day in days}


def _changed_rows(
    rows: Rows,
    gone: Iterable[Price],
    coming: Iterable[Price],
    destinations: Callable[[Price], Iterable[Destination]],
) -> Rows:
    """The rows without some prices and with others, which count as given later; the old rows stay as they are."""
    changed = dict(rows)
    for price in gone:
        for destination in destinations(price):
            _refile(changed, destination, price, _without)
    for price in sorted(coming, key=lambda price: price.effective_from):
        for destination in destinations(price):
            _refile(changed, destination, price, _with)
    return changed


def _refile(
    rows: Rows, destination: Destination, price: Price, change: Callable[[list[Price], Price], list[Price]]
) -> None:
    row = dict(rows.get(destination, {}))
    versions = change(row.pop(price.line_kind, ([], []))[1], price)
    if versions:
        row[price.line_kind] = [one.effective_from for one in versions], versions
    rows.pop(destination, None)
    if row:
        rows[destination] = row


def _without(versions: list[Price], price: Price) -> list[Price]:
    return [one for one in versions if one.id != price.id]


def _with(versions: list[Price], price: Price) -> list[Price]:
    place = bisect_right([one.effective_from for one in versions], price.effective_from)
    return [*versions[:place], price, *versions[place:]]


NOTHING_SHARED = Shared(())


class PriceList:
    """The prices of one carrier, traffic type and direction, indexed by destination and line kind."""

    def __init__(self, prices: Iterable[Price], shared: Shared = NOTHING_SHARED) -> None:
        self._rows: Rows = {}
        self._shared = shared
        for price in sorted(prices, key=lambda price: price.effective_from):
            for destination in _own_destinations(price):
                _file(self._rows, destination, price)
        self._days = _days(self._rows)
        self._prefixes, self._dialled = (
            {value for match, value in self._rows if match == sort} for sort in ("prefix", "dialled")
        )
        self._longest_own = max(map(len, self._prefixes), default=0)
        self._patterns = _patterns("pattern", self._rows)
        self._called = _patterns("called", self._rows)
        self._settle()

    def _settle(self) -> None:
        """What follows from the own rows and the shared ones together."""
        self._changes = sorted(self._days | self._shared.days)
        self._full = self._shared.full
        self._longest = max(self._longest_own, self._shared.longest)
        self.looks_at_digits = bool(self._patterns or self._called or self._longest)
        self._own_digits = bool(self._patterns or self._called or self._longest_own)
        self.charges_called = bool(self._called)
        self._cache: dict[tuple[object, ...], Price | None] = {}

    def changed(self, gone: Sequence[Price], coming: Sequence[Price], shared: Shared) -> "PriceList":
        """The same with other rows, beside these shared ones; the time it takes is that of copying what it holds.

        What it knows of all rows may still speak of those that are gone: that costs a look, and changes no answer.
        """
        new = copy(self)
        new._shared = shared
        if gone or coming:
            new._rows = _changed_rows(self._rows, gone, coming, _own_destinations)
            come = [destination for price in coming for destination in _own_destinations(price)]
            new._days = self._days | {price.effective_from for price in coming}
            new._prefixes = self._prefixes | {value for match, value in come if match == "prefix"}
            new._dialled = self._dialled | {value for match, value in come if match == "dialled"}
            new._longest_own = max(self._longest_own, *(len(value) for match, value in come if match == "prefix"), 0)
            if any(price.match in ("pattern", "called") for price in (*gone, *coming)):
                new._patterns, new._called = (_patterns(sort, new._rows) for sort in ("pattern", "called"))
        new._settle()
        return new

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

    def looks_at_digits_behind(self, code: str) -> bool:
        """The same for full numbers that begin with this code; those without one fit no row by full number."""
        codes = self._shared.codes if code else ()
        return self._own_digits or any(one.startswith(code) or code.startswith(one) for one in codes)

    def called(self, number: str, line_kind: LineKind, day: date) -> Price | None:
        """The price of incoming calls to this number of ours."""
        return self._first(self._called_keys(number), line_kind, day)

    def fitting(self, number: str, normalized: str, ip_prefix: str, called: str | None) -> Fitting:
        """The rows of this list that such digits fit, and whether they are dialled as international ones."""
        dialled = _dialled(number, ip_prefix)
        keys = [key for key in self._digit_keys(dialled, normalized, ip_prefix, called) if self._row(key)]
        abroad = dialled.removeprefix(ip_prefix).startswith("00")
        return (*keys, ("any", "00")) if abroad else tuple(keys)

    def _digit_keys(self, dialled: str, normalized: str, ip_prefix: str, called: str | None) -> Iterator[Destination]:
        """The destinations that these digits fit by themselves, the most specific first."""
        if called:
            yield from self._called_keys(called)
        for value, regex in self._patterns:
            if regex.fullmatch(dialled) or regex.fullmatch(_digits(normalized)):
                yield "pattern", value
        yield from self._prefix_keys(dialled, normalized, ip_prefix)

    def _row(self, key: Destination) -> dict[LineKind | None, Versions] | None:
        return self._rows.get(key) or self._shared.rows.get(key)

    def _search(self, classification: Classification, day: date, called: str | None) -> Price | None:
        return self._first(self._keys(classification, called), classification.line_kind, day)

    def _first(self, keys: Iterable[Destination], line_kind: LineKind, day: date) -> Price | None:
        """The price of the first destination that has one; none where the carrier does not connect such calls."""
        for key in keys:
            price = self._in_force(key, line_kind, day)
            if price is not None:
                return None if price.status == "blocked" else price
        return None

    def _keys(self, classification: Classification, called: str | None) -> Iterator[Destination]:
        """The destinations that this number fits, the most specific first."""
        ip_prefix = classification.ip_prefix or ""
        dialled = _dialled(classification.number, ip_prefix)
        country, area = (classification.country or "").upper(), _area(classification.area_code or "")
        general: list[Destination] = []
        for key in self._digit_keys(dialled, classification.normalized, ip_prefix, called):
            if key[0] == "full" and len(key[1]) <= LONGEST_CODE and key[1] == _calling_code(country):
                general.append(key)
            else:
                yield key
        if not dialled.removeprefix(ip_prefix).startswith("00"):
            yield "area", area  # 020 is Guangzhou at home and London abroad
        yield "country", country
        yield "any", ""
        yield from general
        if full_number(classification.normalized):
            yield "region", area
            yield "nation", country

    def fitting_rows(
        self, classification: Classification, day: date, called: str | None, only_called: bool
    ) -> Iterator[tuple[Price, str]]:
        """Every version of every row that fits, the most specific row first, and why it is not in force, if it is not.

        With `only_called` only those that go by our own number.
        """
        keys = self._called_keys(called or "") if only_called else self._keys(classification, called)
        for key in keys:
            row = self._row(key) or {}
            for kind in _kinds(classification.line_kind):
                days, versions = row.get(kind, ([], []))
                newest = bisect_right(days, day) - 1
                for place, price in reversed(list(enumerate(versions))):
                    if place > newest:
                        yield price, "begins later"
                    elif place < newest:
                        yield price, "earlier version"
                    else:
                        yield price, "ended" if price.status == "ended" else ""

    def _called_keys(self, number: str) -> Iterator[Destination]:
        for value, regex in self._called:
            if regex.fullmatch(_digits(number)):
                yield "called", value

    def _prefix_keys(self, dialled: str, normalized: str, ip_prefix: str) -> Iterator[Destination]:
        """Longest first; a prefix within the dialled IP prefix itself says nothing about the destination."""
        digits, full = _digits(normalized), full_number(normalized)
        for length in range(self._longest, 0, -1):
            if digits[:length] in self._prefixes:
                yield "prefix", digits[:length]
            if dialled[:length] in self._dialled and length >= len(ip_prefix):
                yield "dialled", dialled[:length]
            if full[:length] in self._full and length <= len(full):
                yield "full", full[:length]

    def _in_force(self, key: Destination, line_kind: LineKind, day: date) -> Price | None:
        row = self._row(key)
        for kind in _kinds(line_kind) if row else ():
            days, versions = row.get(kind, ([], [])) if row else ([], [])
            newest = bisect_right(days, day)
            if newest and versions[newest - 1].status != "ended":
                return versions[newest - 1]
        return None


def _own_destinations(price: Price) -> Iterator[Destination]:
    yield price.match, spelt(price)
    if price.match == "prefix" and not price.value.startswith("+"):
        yield "dialled", spelt(price)


def _decided(found: list[tuple[Price, str]]) -> list[tuple[Price, str]]:
    """The first price in force has won, or forbids the call; those behind it have lost."""
    decided: list[tuple[Price, str]] = []
    winner = False
    for price, state in found:
        if not state:
            state = "less specific" if winner else "blocked" if price.status == "blocked" else "won"
            winner = True
        decided.append((price, state))
    return decided


def _price_lists(prices: Iterable[Price]) -> tuple[SharedRows, dict[ListKey, "PriceList"]]:
    """A list for every carrier, type and direction that has prices, or whose calls may find those of another type."""
    shared, grouped = _grouped(prices)
    rows = {key: Shared(group) for key, group in shared.items()}
    return rows, {key: PriceList(group, _shared_of(key, rows)) for key, group in grouped.items()}


def _changed_lists(
    shared: SharedRows, lists: dict[ListKey, "PriceList"], gone: Iterable[Price], coming: Iterable[Price]
) -> tuple[SharedRows, dict[ListKey, "PriceList"]]:
    """The same after a change: only what it touches is made anew; a list that became empty finds nothing."""
    (shared_gone, gone_by), (shared_coming, coming_by) = _grouped(gone), _grouped(coming)
    rows, changed = dict(shared), dict(lists)
    for one in {**shared_gone, **shared_coming}:
        rows[one] = rows.get(one, NOTHING_SHARED).changed(shared_gone.get(one, ()), shared_coming.get(one, ()))
    for key in {**gone_by, **coming_by}:
        before = changed.get(key, NO_PRICES)
        changed[key] = before.changed(gone_by.get(key, ()), coming_by.get(key, ()), _shared_of(key, rows))
    return rows, changed


def _grouped(
    prices: Iterable[Price],
) -> tuple[dict[tuple[str, Direction], list[Price]], dict[ListKey, list[Price]]]:
    """The prices that calls of several types may find, and those of each list; lists that look at shared ones too."""
    grouped: dict[ListKey, list[Price]] = {}
    shared: dict[tuple[str, Direction], list[Price]] = {}
    for price in prices:
        for key in _list_keys(price):
            grouped.setdefault(key, []).append(price)
        if price.direction is not Direction.INTERNAL and price.match in ("prefix", "country", "area"):
            shared.setdefault((price.carrier, price.direction), []).append(price)
    for carrier, direction in shared:
        for traffic_type in BY_NUMBER:
            grouped.setdefault((carrier, traffic_type, direction), [])
    return shared, grouped


def _shared_of(key: ListKey, rows: SharedRows) -> Shared:
    carrier, traffic_type, direction = key
    return rows.get((carrier, direction), NOTHING_SHARED) if traffic_type in BY_NUMBER else NOTHING_SHARED


def _list_keys(price: Price) -> list[ListKey]:
    """Under what a price is found: an internal one whether the PBX or the number says that the call is internal."""
    if price.traffic_type is not TrafficType.INTERNAL and price.direction is not Direction.INTERNAL:
        return [(price.carrier, price.traffic_type, price.direction)]
    by_number = [(price.carrier, TrafficType.INTERNAL, direction) for direction in Direction]
    by_pbx = [(price.carrier, kind, Direction.INTERNAL) for kind in TrafficType if kind is not TrafficType.INTERNAL]
    return by_number + by_pbx


def _patterns(match: Match, rows: Iterable[Destination]) -> list[tuple[str, re.Pattern[str]]]:
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


LONGEST_CODE = 3


@cache
def _calling_code(country: str) -> str:
    """The country code of a country, such as 44; the number of one that has none begins with nothing."""
    from ippbx_billing.numbering import world

    return "86" if country == "CN" else world.prefixes(country)[0] if country else ""


def full_number(normalized: str) -> str:
    """The digits of a number with its country code; "" for short numbers, which have none."""
    if normalized.startswith("+"):
        return normalized[1:]
    return "86" + normalized if _CHINESE_SERVICE.fullmatch(normalized) else ""


LONGEST_START = 2


def number_start(dialled: str, normalized: str, ip_prefix: str) -> tuple[str, bool]:
    """How a number begins: up to two digits of its country code, none without one; whether 00 was dialled.

    Numbers that begin alike, dialled alike, find the same prices but for those that go by more of their digits.
    """
    if normalized.startswith("+"):
        code = normalized[1:2] if normalized.startswith(("+1", "+7")) else normalized[1 : 1 + LONGEST_START]
    else:
        code = full_number(normalized)[:LONGEST_START]
    return code, _dialled(dialled, ip_prefix).removeprefix(ip_prefix).startswith("00")


_CHINESE_SERVICE = re.compile(r"[48]00\d{7}")


def _digits(text: str) -> str:
    return text if text.isdecimal() else "".join(filter(str.isdecimal, text))


def _dialled(number: str, ip_prefix: str) -> str:
    """The digits as dialled, from the IP prefix on where there is one (without the outside-line digit)."""
    digits = _digits(number)
    start = digits.find(ip_prefix) if ip_prefix else 0
    return digits[max(start, 0) :]


NO_PRICES = PriceList(())
