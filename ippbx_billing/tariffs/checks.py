"""What may be wrong with a tariff: calls without a price, prices nobody can tell apart, amounts hard to believe.

The one idea: a check only points; each finding says in a sentence what was seen and leaves the rest to the operator.

    for finding in check(carrier, prices, today, country="CN"): ...
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from statistics import median_low
from typing import Literal

from ippbx_billing import money
from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import traffic_word
from ippbx_billing.tariffs.book import is_full
from ippbx_billing.tariffs.changes import identity
from ippbx_billing.tariffs.prices import Carrier, Figures, Price, Window, pattern_weight
from ippbx_billing.tariffs.rating import talk_micro
from ippbx_billing.tariffs.windows import window_text

Severity = Literal["error", "warning", "note"]
Kind = Literal["hole", "ambiguous", "never", "odd", "seen"]

DEAR_MICRO = 100 * money.MICRO  # a minute for more than this is worth a second look
DEARER_THAN_OTHERS = 50  # times the median of its list
LONG_BLOCK_S = 3600
FAR_FUTURE = timedelta(days=366)
LONG_AGO = date(1990, 1, 1)
LONGEST_NUMBER = 15

NEEDED: dict[TrafficType, Severity] = {
    TrafficType.LOCAL: "warning",
    TrafficType.DOMESTIC: "warning",
    TrafficType.HK_MO_TW: "warning",
    TrafficType.INTERNATIONAL: "warning",
    TrafficType.IP_LONG_DISTANCE: "note",
    TrafficType.SERVICE_400_800: "note",
    TrafficType.AUDIOTEX: "note",
    TrafficType.DIALUP: "note",
    TrafficType.OTHER: "note",
}


@dataclass(frozen=True, slots=True)
class PriceDoubt:
    """Something to look at: how bad, what sort, where, and the sentence."""

    severity: Severity
    kind: Kind
    carrier: str | None
    traffic_type: TrafficType | None
    sentence: str
    price: Price | None = None
    calls: int | None = None


def check(
    carrier: Carrier, prices: Sequence[Price], today: date, *, country: str = "CN", area_code: str | None = None
) -> list[PriceDoubt]:
    """All findings about one carrier's prices, the gravest first; `area_code` is the site's, "" where it has none."""
    own = [price for price in prices if price.carrier == carrier.name]
    in_use = [price for price in own if price.status == "open"]
    found = [
        *_holes(carrier, in_use, today, country),
        *_ambiguous(own),
        *_never(own, country, area_code),
        *_odd(own, today),
    ]
    return sorted(found, key=lambda finding: ("error", "warning", "note").index(finding.severity))


# -- holes


def _holes(carrier: Carrier, prices: Sequence[Price], today: date, country: str) -> Iterator[PriceDoubt]:
    for traffic_type, severity in NEEDED.items():
        if traffic_type is TrafficType.HK_MO_TW and country != "CN":
            continue
        rows = [one for one in prices if one.traffic_type is traffic_type and one.direction is Direction.OUTBOUND]
        name = traffic_word(traffic_type.value)
        if not rows:
            yield PriceDoubt(severity, "hole", carrier.name, traffic_type, tr("{name} calls have no price", name=name))
        elif min(one.effective_from for one in rows) > today:
            first = min(one.effective_from for one in rows)
            sentence = tr("{name} calls have no price before {day}", name=name, day=first)
            yield PriceDoubt(severity, "hole", carrier.name, traffic_type, sentence)
        elif missing := _missing_kinds(rows):
            sentence = tr("{name} calls to {kinds} have no price", name=name, kinds=", ".join(map(tr, missing)))
            yield PriceDoubt(severity, "hole", carrier.name, traffic_type, sentence)
        elif all(one.match in ("area", "country", "prefix") for one in rows):
            count = len({(one.match, one.value) for one in rows})
            sentence = tr("{name}: prices for single destinations only ({count})", name=name, count=count)
            yield PriceDoubt("note", "hole", carrier.name, traffic_type, sentence)


def _missing_kinds(rows: Iterable[Price]) -> list[str]:
    """Fixed or mobile lines that the rows for any destination leave out."""
    kinds = {one.line_kind for one in rows if one.match == "any"}
    if not kinds or None in kinds:
        return []
    return [kind.value for kind in (LineKind.FIXED, LineKind.MOBILE) if kind not in kinds]


# -- what cannot be told apart


def _ambiguous(prices: Sequence[Price]) -> Iterator[PriceDoubt]:
    groups: dict[object, list[Price]] = defaultdict(list)
    for price in prices:
        groups[identity(price)].append(price)
    for twins in groups.values():
        for price in twins[:-1]:
            sentence = tr("price {id} is never used: price {other} is for the same calls from the same day on",
                          id=price.id, other=twins[-1].id)  # fmt: skip
            yield PriceDoubt("error", "ambiguous", price.carrier, price.traffic_type, sentence, price)
    yield from _like_patterns(prices)
    for price in prices:
        for first, second in combinations(price.windows, 2):
            if _same_rank(first, second):
                sentence = tr("price {id}: {first} and {second} hold at the same time and neither goes first",
                              id=price.id, first=window_text(first), second=window_text(second))  # fmt: skip
                yield PriceDoubt("warning", "ambiguous", price.carrier, price.traffic_type, sentence, price)


def _like_patterns(prices: Sequence[Price]) -> Iterator[PriceDoubt]:
    """Patterns equally specific that fit the same number: only their spelling decides."""
    groups: dict[object, dict[str, Price]] = defaultdict(dict)
    for price in prices:
        if price.match in ("pattern", "called") and set(price.value) <= set("0123456789X"):
            weight = pattern_weight(price.value)[:3]
            groups[price.traffic_type, price.direction, price.line_kind, price.match, weight][price.value] = price
    for values in groups.values():
        for one, other in _overlapping(sorted(values)):
            sentence = tr("{one} and {other} fit the same numbers and neither goes first", one=one, other=other)
            yield PriceDoubt(
                "warning", "ambiguous", values[one].carrier, values[one].traffic_type, sentence, values[one]
            )


def _overlapping(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of patterns of digits and X that some number fits both, found by what stands where both name a digit.

    Patterns that name digits at the same places fit no number both, so the work grows with the pairs of such shapes,
    of which there are few, and not with the pairs of patterns.
    """
    shapes: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for pattern in patterns:
        shapes[len(pattern), *(place for place, mark in enumerate(pattern) if mark != "X")].append(pattern)
    for first, second in combinations(sorted(shapes), 2):
        if first[0] != second[0]:
            continue
        common = sorted(set(first[1:]) & set(second[1:]))
        by_digits: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for one in shapes[first]:
            by_digits[tuple(one[place] for place in common)].append(one)
        for other in shapes[second]:
            for one in by_digits.get(tuple(other[place] for place in common), ()):
                yield min(one, other), max(one, other)


def _same_rank(one: Window, other: Window) -> bool:
    if (one.rank, one.length_s, one.kind) != (other.rank, other.length_s, other.kind):
        return False
    return one.figures != other.figures and (one.covers(other.start_s) or other.covers(one.start_s))


# -- what no call can find


def _never(prices: Iterable[Price], country: str, area_code: str | None) -> Iterator[PriceDoubt]:
    for price in prices:
        if sentence := why_never(price, country, area_code):
            yield PriceDoubt("warning", "never", price.carrier, price.traffic_type, sentence, price)


def why_never(price: Price, country: str, area_code: str | None) -> str:
    """Why no call can ever find this price; "" where one may."""
    what = price.value or traffic_word(price.traffic_type)
    if price.match == "prefix" and is_full(price):
        return _no_such_number(what, price.value.lstrip("+"))
    if price.match in ("any", "area") and price.traffic_type is TrafficType.DOMESTIC and area_code == "":
        if country == "CN" or price.match == "area":
            return ""
        return tr(
            "{what}: no call finds it, because without an area code all calls of the country are local", what=what
        )
    if price.traffic_type is TrafficType.HK_MO_TW and country != "CN":
        return tr("{what}: no call finds it, because calls there are international ones from {country}",
                  what=what, country=country)  # fmt: skip
    return ""


def _no_such_number(what: str, digits: str) -> str:
    """Why no full number begins with these digits; "" where one may."""
    from ippbx_billing.numbering import world

    code = world.country_code(digits)
    if not code:
        known = world.begins_country_code(digits)
        return "" if known else tr("{what}: no call finds it, because no country has such a code", what=what)
    if digits[len(code) :].startswith("0") and world.strips_zero(code):
        return tr("{what}: no call finds it, because behind {code} no number begins with 0", what=what, code=code)
    if len(digits) > LONGEST_NUMBER:
        return tr("{what}: no call finds it, because no number is that long", what=what)
    return ""


# -- what is hard to believe


def _odd(prices: Sequence[Price], today: date) -> Iterator[PriceDoubt]:
    by_type: dict[TrafficType, list[int]] = defaultdict(list)
    open_prices = [price for price in prices if price.status == "open"]
    for price in open_prices:
        by_type[price.traffic_type].append(_minute_micro(price.figures))
    usual = {traffic_type: median_low(minutes) for traffic_type, minutes in by_type.items()}
    for price in open_prices:
        for severity, sentence in _oddities(price, usual[price.traffic_type], today):
            yield PriceDoubt(severity, "odd", price.carrier, price.traffic_type, sentence, price)


def _oddities(price: Price, usual_micro: int, today: date) -> Iterator[tuple[Severity, str]]:
    minute = _minute_micro(price.figures)
    if minute > DEAR_MICRO or (usual_micro and minute > DEARER_THAN_OTHERS * usual_micro):
        yield "warning", tr("price {id}: a minute costs {fee}", id=price.id, fee=money.text(minute))
    if max(price.figures.initial_s, price.figures.step_s, price.free_s) > LONG_BLOCK_S:
        yield "warning", tr("price {id} counts in blocks of more than an hour", id=price.id)
    for window in price.windows:
        if _minute_micro(window.figures) > minute:
            yield "warning", tr("price {id}: {window} is dearer than without it", id=price.id, window=window.label)
    charged = price.direction is Direction.OUTBOUND and price.traffic_type is not TrafficType.SERVICE_400_800
    if charged and not (minute or price.connection_fee_micro or price.minimum_fee_micro):
        yield "note", tr("price {id} costs nothing", id=price.id)
    if price.effective_from > today + FAR_FUTURE or price.effective_from < LONG_AGO:
        yield "note", tr("price {id} begins on {day}", id=price.id, day=price.effective_from)


def _minute_micro(figures: Figures) -> int:
    """What the first minute costs, in whole micro-units."""
    return money.round_half_up(talk_micro(figures, 60), 6)
