"""Which column of a sheet holds what, whatever it is called and wherever the headings stand.

The headings are the first row in which at least two are known and one of them is a price; titles and addresses may
stand above it.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from ippbx_billing.lists.sheets import Sheet
from ippbx_billing.lists.tariffs.words import HEADINGS

MINUTE_S = 60
SEARCHED_ROWS = 60
PRICES = {"rate", "rate_s", "initial_fee", "initial_rate"}

_UNIT = re.compile(
    r"(?:/|per|每)\s*(?P<count>\d*)\s*(?P<unit>sec|second|seconds|s|秒|min|minute|minutes|分钟)\b", re.IGNORECASE
)
_BRACKETS = re.compile(r"[(\[（【][^)\]）】]*[)\]）】]")


class DeckColumn(NamedTuple):
    """A column: what it holds, its heading as it stands there, and for how many seconds its rate is."""

    key: str
    heading: str
    per_s: int = MINUTE_S


class Columns(NamedTuple):
    """The columns of a sheet by place, the row after the headings, and headings that say nothing to us."""

    by_place: Mapping[int, DeckColumn]
    begin: int
    unknown: tuple[str, ...]


def find(sheet: Sheet) -> Columns | None:
    """The columns of the sheet, or None where no row looks like headings."""
    for place, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
        by_place, unknown = _columns(row.cells)
        keys = [column.key for column in by_place.values()]
        if len(keys) >= 2 and PRICES & set(keys):
            return Columns(by_place, place + 1, unknown)
    return None


def _columns(cells: tuple[str, ...]) -> tuple[dict[int, DeckColumn], tuple[str, ...]]:
    found: dict[int, DeckColumn] = {}
    unknown = []
    for place, cell in enumerate(cells):
        column = _column(cell)
        if column and column.key not in {one.key for one in found.values()}:
            found[place] = column
        elif cell.strip():
            unknown.append(cell.strip())
    return _told_apart(found), tuple(unknown)


def _told_apart(found: dict[int, DeckColumn]) -> dict[int, DeckColumn]:
    """Area codes beside a country code are parts of an international prefix, no area codes of the home country."""
    keys = {column.key for column in found.values()}
    if "country_code" not in keys or "prefix" in keys:
        return found
    return {place: column._replace(key="prefix") if column.key == "area" else column for place, column in found.items()}


def _column(heading: str) -> DeckColumn | None:
    """The column of this heading: as it stands, else without what is in brackets (currencies, units)."""
    name = _plain(heading)
    key = known_headings().get(name) or known_headings().get(_plain(_BRACKETS.sub("", heading)))
    if key is None:
        key = known_headings().get(_plain(_UNIT.sub("", _BRACKETS.sub("", heading))))
    if key is None:
        return None
    return DeckColumn("rate" if key == "rate_s" else key, heading.strip(), 1 if key == "rate_s" else _unit_s(heading))


def _unit_s(heading: str) -> int:
    """For how many seconds the heading's rate is: `费率（元/6秒）` is for 6, and without a word it is for a minute."""
    unit = _UNIT.search(heading)
    if unit is None:
        return MINUTE_S
    length = MINUTE_S if unit["unit"].lower().startswith(("m", "分")) else 1
    return length * int(unit["count"] or 1)


def _plain(heading: str) -> str:
    return re.sub(r"[\s_\-.:：#*]+", " ", heading).strip().lower()


@cache
def known_headings() -> dict[str, str]:
    """Every heading we know, in plain spelling, with the key of what it holds."""
    found: dict[str, str] = {}
    for key, others in HEADINGS.items():
        for name in (key, *others.split("|")):
            found.setdefault(_plain(name), key)
    return found
