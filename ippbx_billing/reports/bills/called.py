"""The number that was called, as people know it: without the digits that were dialled for an outside line.

    shown = numbers_called(rules)
    shown({"direction": "outbound", "trunk": "FXO-1", "number": "902162345678"})  ->  "02162345678"

Which digits these are depends on the trunk; what is a number with them (95555 behind the prefix 9) keeps them.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ippbx_billing.calls import Direction
from ippbx_billing.pipeline import Rules

MOST_REMEMBERED = 100_000

Shown = Callable[[Mapping[str, Any]], str | None]


def numbers_called(rules: Rules) -> Shown:
    """For a call's row its number, an outgoing one without the outside-line prefix of its trunk."""

    @lru_cache(MOST_REMEMBERED)
    def bare(trunk: str | None, number: str) -> str:
        return rules.numbering_for(trunk).without_outside_prefix(number)

    def shown(call: Mapping[str, Any]) -> str | None:
        number: str | None = call["number"]
        if not number or call["direction"] != Direction.OUTBOUND:
            return number
        return bare(call["trunk"], number)

    return shown
