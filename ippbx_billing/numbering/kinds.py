"""What all numbers of one kind have in common: their classification but for the digits.

The one idea: which patterns and tables a number is looked up in depends on its first digits and its length; what is
found there is the same for all numbers that are alike in that. So the first of a kind is classified with care, and the
others are cast in its mould.

    mould = Mould.of(classification, (place, "13800138000", "中国移动", "block 138 …"))
    mould.cast("913800138001", (place, "13800138001", "中国移动", "block 138 …"))
"""

from typing import NamedTuple

from ippbx_billing.calls import Classification, LineKind, TrafficType

MOST_DROPPED = 6  # digits at the front that the normalized number does not have: an area code that was merged
NAMED_DIGITS = 7  # of a mobile number, by which its place is told


# What a number is but for its last digits: what it has in common with all of its kind; its digits, which are those
# behind the outside-line prefix and what leads to a country code; of a mobile the operator of its block, and the words
# for that. Numbers with the same first part differ in nothing but the others.
Kind = tuple[object, str, str | None, str]


class Mould(NamedTuple):
    """A classification with gaps in its normalized number and its reason."""

    before: str  # the digits, in the normalized number
    dropped: int  # so many of the digits, which are not in it
    why: str
    told: slice | None  # which of the digits stand in the reason, between `why` and `why_on`
    why_on: str
    why_end: str  # behind the words for the block
    traffic_type: TrafficType
    line_kind: LineKind
    country: str | None
    region: str | None
    place: str | None
    operator: str | None
    area_code: str | None
    emergency: bool
    rule: str

    @classmethod
    def of(cls, found: Classification, kind: Kind) -> "Mould | None":
        """From the classification of a number of a kind; None where its digits are not found in it."""
        _, digits, _, block = kind
        dropped = next((n for n in range(MOST_DROPPED) if found.normalized.endswith(digits[n:] or "-")), None)
        if dropped is None or found.ip_prefix or found.underlying:
            return None
        why, told, why_on = _around(found.why, digits)
        why_on, _, why_end = why_on.partition(block) if block else (why_on, "", "")
        return cls(
            *(found.normalized.removesuffix(digits[dropped:]), dropped, why, told, why_on, why_end),
            *(found.traffic_type, found.line_kind, found.country, found.region, found.place, found.operator),
            *(found.area_code, found.emergency, found.rule),
        )

    def cast(self, number: str, kind: Kind) -> Classification:
        """The classification of a number of this kind."""
        (
            before, dropped, why, told, why_on, why_end, traffic_type, line_kind, country, region, place, operator,
            area_code, emergency, rule,
        ) = self  # fmt: skip
        _, digits, own_operator, block = kind
        return Classification(
            number=number,
            normalized=before + (digits[dropped:] if dropped else digits),
            traffic_type=traffic_type,
            line_kind=line_kind,
            country=country,
            region=region,
            place=place,
            operator=own_operator or operator,
            area_code=area_code,
            emergency=emergency,
            rule=rule,
            why=why if told is None else f"{why}{digits[told]}{why_on}{block}{why_end}",
        )


def _around(why: str, digits: str) -> tuple[str, slice | None, str]:
    """What stands before and behind the digits that a reason names."""
    for told in (slice(None), slice(NAMED_DIGITS)):
        if len(digits) >= NAMED_DIGITS and why.count(digits[told]) == 1:
            before, _, behind = why.partition(digits[told])
            return before, told, behind
    return why, None, ""
