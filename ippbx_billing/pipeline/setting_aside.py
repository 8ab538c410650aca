"""Which records of one event can be kept, where it cannot be kept as a whole.

keepable([1, 2, 3], lambda some: 2 not in some)   ->  [1, 3]
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

Record = TypeVar("Record")

MOST_BAD = 20  # records of one event that are sought one by one


def keepable(records: Sequence[Record], fits: Callable[[Sequence[Record]], bool]) -> list[Record]:
    """Those that fit together, found by halving; beyond `MOST_BAD` bad ones the rest is not tried."""
    good: list[Record] = []
    bad, parts = 0, [records] if records else []
    while parts and bad < MOST_BAD:
        part = parts.pop()
        if fits([*good, *part]):
            good += part
        elif len(part) == 1:
            bad += 1
        else:
            parts += part[len(part) // 2 :], part[: len(part) // 2]
    return good
