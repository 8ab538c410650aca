"""Chinese words for what options take: `--traffic-type 市话` is `--traffic-type local`, whatever language is spoken.

    in_code("市话")  ->  "local"

The words are those that tables show, so that what is read in a report can be asked for.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from ippbx_billing.calls import (
    ChargeStatus,
    Direction,
    Disposition,
    EventKind,
    EventStatus,
    LineKind,
    TrafficType,
)
from ippbx_billing.language import language, speaking, tr

KNOWN: tuple[type[StrEnum], ...] = (
    TrafficType,
    LineKind,
    Direction,
    Disposition,
    ChargeStatus,
    EventStatus,
    EventKind,
)


def in_code(word: str) -> str:
    """The code that a Chinese word stands for; any other word as it is. Typer asks of every name and every choice."""
    return word if word.isascii() else _codes().get(word, word)


def in_language(code: str) -> str:
    """A code as it may be typed in the language in use: its Chinese word, or itself."""
    return tr(code) if language() == "zh" and code in _codes().values() else code


@cache
def _codes() -> dict[str, str]:
    with speaking("zh"):
        return {tr(one.value): one.value for kind in KNOWN for one in kind}


def either(names: Sequence[str]) -> str:
    """Names to choose from, in words: `report, export or restore`."""
    *others, last = names
    together = ("、" if language() == "zh" else ", ").join(others)
    return tr("{names} or {last}", names=together, last=last) if others else last
