"""The Chinese numbering plan: digits -> `Finding`, in the order in which the exchanges decide.

    national("13800138000", places).place  ->  "北京"
    dialled("02162345678", home, places).place  ->  "上海"

Short codes and services first, then mobiles by their block, then area codes, then the numbers of the home
area by their length. Nothing here needs more than a few look-ups in tables.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from ippbx_billing.calls import LineKind, Reason, TrafficType
from ippbx_billing.numbering.automaton import Automaton
from ippbx_billing.numbering.finding import Finding
from ippbx_billing.numbering.kinds import Kind
from ippbx_billing.numbering.mobile_places import MobilePlaces
from ippbx_billing.numbering.tables import Area, Block, ShortCode, areas, blocks, short_codes

COUNTRY = "CN"
SUBSCRIBER_DIGITS = (7, 8)
SUBSCRIBER_FIRST = "2345678"
BLOCK_DIGITS = (3, 4, 5)
LONGEST_SERVICE = 10
MOBILE_DIGITS = 11


def dialled(digits: str, home: Area | None, places: MobilePlaces) -> Finding | None:
    """What these digits reach when dialled in the home area, without `00` or a carrier's prefix."""
    return service(digits) or mobile(digits, places) or _with_trunk_zero(digits, places) or local(digits, home)


def national(digits: str, places: MobilePlaces) -> Finding | None:
    """What stands behind +86; a trunk zero too many does no harm."""
    digits = digits.removeprefix("0")
    return service(digits) or mobile(digits, places) or geographic("0" + digits)


def service(digits: str) -> Finding | None:
    """An emergency number, short code, information line, dial-up access, 400, 800, 95 or 96 number."""
    if digits[:1] not in ("1", "4", "8", "9"):
        return None
    code = _short_code(digits) if len(digits) <= 11 else None
    if code is None:
        return None
    return Finding(
        normalized=digits,
        line_kind=LineKind.SERVICE,
        country=COUNTRY,
        traffic_type=code.traffic_type,
        emergency=code.emergency,
        rule="emergency" if code.emergency else _SERVICE_RULES[code.traffic_type],
        why=Reason("service-number", {"digits": digits, "about": code.about}),
    )


_SERVICE_RULES = {
    TrafficType.OTHER: "short-code",
    TrafficType.AUDIOTEX: "audiotex",
    TrafficType.DIALUP: "dialup",
    TrafficType.SERVICE_400_800: "400-800",
}


def _short_code(digits: str) -> ShortCode | None:
    """The first code whose pattern the digits fit in full."""
    if not digits.isascii():
        return None
    place = _codes().after(digits).first
    return None if place is None else short_codes(COUNTRY)[place]


@lru_cache(maxsize=1)
def _codes() -> Automaton:
    return Automaton(code.pattern.pattern for code in short_codes(COUNTRY))


class Head(NamedTuple):
    """What the first five digits of a mobile number tell: its block, and the facts of it in a reason."""

    block: Block
    operator: str
    facts: dict[str, Any]
    is_kind: bool  # no short code is so long, and the place counts


def kind_of(digits: str, home: Area | None, places: MobilePlaces) -> Kind | None:
    """What `dialled` tells of these digits beside the digits themselves; None where it has to be asked."""
    first = digits[0]
    if first == "1":
        head = head_of(digits[:5]) if len(digits) == MOBILE_DIGITS else None
        if head is None or not head.is_kind:
            return None
        return places.find(digits), digits, head.operator, head.facts
    if first == "0":
        area = area_of(digits)
        rest = digits[len(area.code) :] if area else ""
        return ((area.code, len(rest)), digits, None, {}) if area and rest and _has_subscriber(rest, area) else None
    if first not in SUBSCRIBER_FIRST or len(digits) not in (home.subscriber_digits if home else SUBSCRIBER_DIGITS):
        return None
    return None if _short_code(digits) else (len(digits), digits, None, {})


@lru_cache(maxsize=4_096)
def head_of(digits: str) -> Head | None:
    """The block that a mobile number with these first digits is in."""
    block = next((blocks()[digits[:length]] for length in BLOCK_DIGITS if digits[:length] in blocks()), None)
    if block is None:
        return None
    return Head(block, block.operator, _block_facts(block), not _codes().after(digits) and block.kind != "satellite")


def mobile(digits: str, places: MobilePlaces) -> Finding | None:
    """An eleven-digit number in a block given to an operator; only then the prefix's place counts."""
    if len(digits) != MOBILE_DIGITS or digits[0] != "1":
        return None
    head = head_of(digits[:5])
    if head is None:
        return None
    block = head.block
    if block.kind == "satellite":
        return _in_block(digits, block, LineKind.SATELLITE)
    place = places.find(digits)
    if place is None:
        return _in_block(digits, block, LineKind.MOBILE)
    return Finding(
        normalized="+86" + digits,
        line_kind=LineKind.MOBILE,
        country=COUNTRY,
        region=place.region,
        place=place.place,
        operator=block.operator,
        area_code=place.area_code,
        rule="mobile",
        why=Reason(
            "mobile-prefix",
            {"prefix": digits[:7], "place": place.place, "area_code": place.area_code, **head.facts},
        ),
    )


def _in_block(digits: str, block: Block, kind: LineKind) -> Finding:
    """A number of which only the block is known."""
    return Finding(
        normalized="+86" + digits,
        line_kind=kind,
        country=COUNTRY,
        operator=block.operator,
        rule=kind.value,
        why=Reason("mobile-block", {**_block_facts(block), "prefix": digits[:7]}),
    )


def _block_facts(block: Block) -> dict[str, Any]:
    return {"block": block.prefix, "block_kind": block.kind, "operator": block.operator}


def _with_trunk_zero(digits: str, places: MobilePlaces) -> Finding | None:
    """0 + area code + number, 0 + mobile, or a short code that somebody put a 0 before."""
    if digits[:1] != "0":
        return None
    return geographic(digits) or mobile(digits[1:], places) or service(digits[1:])


def geographic(digits: str) -> Finding | None:
    """0 + area code + a subscriber or a short code of that area; abolished codes count as what took them over."""
    area = area_of(digits)
    if area is None:
        return None
    rest = digits[len(area.code) :]
    if _has_subscriber(rest, area):
        return fixed(rest, area, "area-code", Reason(*_merger(area)))
    code = _short_code(rest) if 3 <= len(rest) <= LONGEST_SERVICE else None
    if code is None:
        return None
    return Finding(
        normalized=digits,
        line_kind=LineKind.SERVICE,
        country=COUNTRY,
        traffic_type=code.traffic_type,
        region=area.region,
        place=area.place,
        area_code=area.active_code,
        emergency=code.emergency,
        rule="area-service",
        why=Reason("area-service", {"digits": rest, **_area_facts(area), "about": code.about}),
    )


def _has_subscriber(rest: str, area: Area) -> bool:
    """Seven or eight digits, as lengths grow; an abolished code had seven, and 00852… with eight is Hong Kong's."""
    lengths = SUBSCRIBER_DIGITS[:1] if area.merged_into else SUBSCRIBER_DIGITS
    return len(rest) in lengths and rest[0] in SUBSCRIBER_FIRST


def area_of(digits: str) -> Area | None:
    """The area at the beginning of a number with its trunk zero; no code is the beginning of another."""
    return areas().get(digits[:3]) or areas().get(digits[:4])


def _area_facts(area: Area) -> dict[str, Any]:
    return {"area_code": area.code, "place": area.place, "place_en": area.place_en}


def _merger(area: Area) -> tuple[str, dict[str, Any]]:
    """What an area code is, and what took it over."""
    if area.merged_into:
        return "area-code-merged", {**_area_facts(area), "merged_into": area.merged_into}
    return "area-code", _area_facts(area)


def without_trunk_zero(digits: str) -> Finding | None:
    """Area code + number as some carriers send a caller's number; only where every digit fits the area of today."""
    area = area_of("0" + digits)
    if area is None or area.merged_into:
        return None
    rest = digits[len(area.code) - 1 :]
    if len(rest) not in area.subscriber_digits or rest[0] not in SUBSCRIBER_FIRST:
        return None
    why = Reason("area-code-without-zero", {**_area_facts(area), "said": area.code[1:]})
    return fixed(rest, area, "area-code", why)


def local(digits: str, home: Area | None) -> Finding | None:
    """A number without area code, told by the length that numbers have in the home area."""
    lengths = home.subscriber_digits if home else SUBSCRIBER_DIGITS
    if len(digits) not in lengths or digits[0] not in SUBSCRIBER_FIRST:
        return None
    if home:
        why = Reason("local-length", {"count": len(digits), "area_code": home.code})
        return fixed(digits, home, "local-length", why)
    return Finding(
        normalized=digits,
        line_kind=LineKind.FIXED,
        country=COUNTRY,
        traffic_type=TrafficType.LOCAL,
        rule="local-length",
        why=Reason("local-length-anywhere", {"count": len(digits)}),
    )


def fixed(subscriber: str, area: Area, rule: str, why: Reason) -> Finding:
    """A fixed line of an area."""
    return Finding(
        normalized="+86" + area.active_code[1:] + subscriber,
        line_kind=LineKind.FIXED,
        country=COUNTRY,
        region=area.region,
        place=area.place,
        area_code=area.active_code,
        rule=rule,
        why=why,
    )
