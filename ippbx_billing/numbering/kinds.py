"""What all numbers of one kind have in common: their classification but for the digits.

The one idea: which patterns and tables a number is looked up in depends on its first digits and its length; what is
found there is the same for all numbers that are alike in that. So the first of a kind is classified with care, and the
others are cast in its mould.

    mould = Mould.of(classification, (place, "13800138000", "中国移动", {"block": "138", …}))
    mould.cast("913800138001", (place, "13800138001", "中国移动", {"block": "138", …}))
"""

from typing import Any, NamedTuple

from ippbx_billing.calls import Classification, LineKind, Reason, TrafficType

MOST_DROPPED = 6  # digits at the front that the normalized number does not have: an area code that was merged
NAMED_DIGITS = 7  # of a mobile number, by which its place is told


# What a number is but for its last digits: what it has in common with all of its kind; its digits, which are those
# behind the outside-line prefix and what leads to a country code; of a mobile the operator of its block, and the facts
# of that. Numbers with the same first part differ in nothing but the others.
Kind = tuple[object, str, str | None, dict[str, Any]]


class Mould(NamedTuple):
    """A classification with gaps in its normalized number and its reason."""

    before: str  # the digits, in the normalized number
    dropped: int  # so many of the digits, which are not in it
    why: Reason
    told: slice | None  # which of the digits are a fact of the reason
    told_as: str  # that fact
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
        digits = kind[1]
        dropped = next((n for n in range(MOST_DROPPED) if found.normalized.endswith(digits[n:] or "-")), None)
        if dropped is None or found.ip_prefix or found.underlying:
            return None
        told, told_as = _told(found.why, digits)
        return cls(
            found.normalized.removesuffix(digits[dropped:]), dropped, found.why, told, told_as, found.traffic_type,
            found.line_kind, found.country, found.region, found.place, found.operator, found.area_code,
            found.emergency, found.rule,
        )  # fmt: skip

    def cast(self, number: str, kind: Kind) -> Classification:
        """The classification of a number of this kind."""
        (
            before, dropped, why, told, told_as, traffic_type, line_kind, country, region, place, operator, area_code,
            emergency, rule,
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
            why=why if told is None else Reason(why.code, {**why.facts, told_as: digits[told], **block}),
        )


def _told(why: Reason, digits: str) -> tuple[slice | None, str]:
    """Which of the digits are a fact of a reason, and the name of that fact."""
    for told in (slice(None), slice(NAMED_DIGITS)):
        names = [name for name, value in why.facts.items() if value == digits[told]]
        if len(digits) >= NAMED_DIGITS and len(names) == 1:
            return told, names[0]
    return None, ""
