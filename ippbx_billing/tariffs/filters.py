"""Call filters (话单过滤): calls that are kept, but are nobody's bill.

In a filter's patterns `X` is exactly one character and `N` any run of characters, as in the manual; the conditions that
are given must all hold.

>>> CallFilter(1, number="100X").fits(None, "8001", "1008", "FXO-1")
True
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ippbx_billing.calls import Direction, Reason


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls are left out of the bills; at least one of the conditions must be given."""

    id: int | None = None
    direction: Direction | None = None
    extension: str | None = None
    number: str | None = None
    trunk: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not (self.direction or self.extension or self.number or self.trunk):
            raise ValueError("a filter without any condition would leave out every call")

    @property
    def looks_at_digits(self) -> bool:
        """Whether two calls of one trunk and direction may differ for it."""
        return bool(self.extension or self.number)

    def may_fit(self, direction: Direction | None, trunk: str | None) -> bool:
        """Whether direction and trunk are those it is for."""
        return self.direction in (None, direction) and _fits(self.trunk, trunk)

    def fits(self, direction: Direction | None, extension: str | None, number: str | None, trunk: str | None) -> bool:
        """Whether it is for such a call."""
        return self.may_fit(direction, trunk) and _fits(self.extension, extension) and _fits(self.number, number)

    @property
    def conditions(self) -> dict[str, str]:
        """Its conditions, by the names they have in the command that made it."""
        direction = self.direction.value if self.direction else None
        given = {"direction": direction, "extension": self.extension, "number": self.number, "trunk": self.trunk}
        return {name: value for name, value in given.items() if value}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.conditions.items())


def left_out(
    filters: Sequence[CallFilter],
    direction: Direction | None,
    extension: str | None,
    number: str | None,
    trunk: str | None,
) -> Reason | None:
    """Why such a call is on no bill: the first filter that is for it, with its conditions."""
    for one in filters:
        if one.fits(direction, extension, number, trunk):
            return Reason("left-out", {"filter": one.id or 0, **one.conditions})
    return None


def _fits(pattern: str | None, text: str | None) -> bool:
    return pattern is None or bool(_regex(pattern).fullmatch(text or ""))


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    """The pattern as a regex in which every other character stands for itself."""
    return re.compile("".join({"X": ".", "N": ".*"}.get(c, re.escape(c)) for c in pattern), re.DOTALL)
