"""Corrections of the numbering plan by the site: the longest prefix that fits a number wins.

Override("022885", place="塘沽")              # a part of Tianjin, as dialled with its trunk zero
Override("+8190", line_kind=LineKind.MOBILE)  # an international prefix
Override("4006", traffic_type=TrafficType.LOCAL)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ippbx_billing.calls import LineKind, TrafficType
from ippbx_billing.numbering.cleaning import clean


@dataclass(frozen=True, slots=True)
class Override:
    """What is true of numbers with this prefix; `None` leaves what the plan says.

    The prefix is written as `+` or `00` and country code, or with the trunk zero, or, for short codes, mobiles
    and numbers of the home area, as it is dialled.
    """

    prefix: str
    traffic_type: TrafficType | None = None
    line_kind: LineKind | None = None
    country: str | None = None
    region: str | None = None
    place: str | None = None


class Overrides:
    """The site's corrections, found by prefix; `country_code` and `trunk_prefix` are those of the home country."""

    def __init__(self, overrides: Sequence[Override], country_code: str, trunk_prefix: str, area_digits: str) -> None:
        self._home = "+" + country_code
        self._trunk = trunk_prefix
        self._area = area_digits
        self._by_prefix = {self._international(clean(one.prefix)): one for one in overrides if clean(one.prefix)}

    def __bool__(self) -> bool:
        return bool(self._by_prefix)

    def find(self, normalized: str) -> Override | None:
        """The correction with the longest prefix of any form in which the number can be written."""
        found = ((length, form) for form in self._forms(normalized) for length in range(len(form), 0, -1))
        hits = [(length, self._by_prefix[form[:length]]) for length, form in found if form[:length] in self._by_prefix]
        return max(hits, key=lambda hit: hit[0])[1] if hits else None

    def _international(self, prefix: str) -> str:
        if prefix.startswith("00"):
            return "+" + prefix[2:]
        if self._trunk and prefix.startswith(self._trunk) and self._trunk == "0":
            return self._home + prefix[1:]
        return prefix

    def _forms(self, normalized: str) -> Iterator[str]:
        """As it is; a home mobile without country code; a number of the home area without area code."""
        yield normalized
        if not normalized.startswith(self._home):
            return
        national = normalized[len(self._home) :]
        if self._area and national.startswith(self._area):
            yield national[len(self._area) :]
        elif national[0:1] == "1":
            yield national
