"""Which column of a sheet holds what, whatever it is called and wherever the headings stand.

The headings are the first row in which at least two are known and one of them is a price; titles and addresses may
stand above it. A heading tells its unit as well: `Rate (ct/min)`, `费率（元/6秒）`.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from ippbx_billing.lists.sheets import Sheet, simplified
from ippbx_billing.lists.tariffs.units import HOUR_S, MINUTE_S, NOTHING_SAID, AmountUnit, length_s, unit
from ippbx_billing.lists.tariffs.words import HARMLESS_WORDS, HEADINGS, MONEY_WORDS

SEARCHED_ROWS = 60
PRICES = {"rate", "new_rate", "old_rate", "peak_rate", "initial_fee", "initial_rate"}
RATES = PRICES | {"next_rate", "step_fee", "weekend_rate", "off_peak_rate"}
AMOUNTS = RATES | {"connection_fee", "minimum_fee", "maximum_fee"}
LENGTHS = {"initial_s", "step_s", "free_s", "grace_s", "increments"}

_BRACKETS = re.compile(r"[(\[（【]([^)\]）】]*)[)\]）】]")
_LENGTH = re.compile(r"(?:in\s+)?(hours?|minutes?|mins?|分钟|seconds?|secs?|sec\.|s|秒)", re.IGNORECASE)
__all__ = ["HOUR_S", "MINUTE_S", "Columns", "DeckColumn", "find", "known_headings"]


class DeckColumn(NamedTuple):
    """A column: what it holds, its heading as it stands there, and what the heading says about the unit.

    `times_s` is how many seconds a number in it stands for, `rest` what of the unit nobody understands.
    """

    key: str
    heading: str
    unit: AmountUnit = NOTHING_SAID
    times_s: int = 1
    rest: str = ""


class Columns(NamedTuple):
    """The columns of a sheet by place, the row after the headings, and by place the headings that say nothing to us."""

    by_place: Mapping[int, DeckColumn]
    begin: int
    unknown: Mapping[int, str]
    width: int


def find(sheet: Sheet, ignored: Collection[str] = ()) -> Columns | None:
    """The columns of the sheet, or None where no row looks like headings; those whose heading is `ignored` are none."""
    left_out = set(map(plain, ignored))
    for place, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
        by_place, unknown = _columns(row.cells, left_out)
        keys = [column.key for column in by_place.values()]
        if len(keys) >= 2 and PRICES & set(keys):
            return Columns(by_place, place + 1, unknown, _width(row.cells))
    return None


def is_repeated(cells: tuple[str, ...], columns: Columns) -> bool:
    """Whether a row below the headings is the same headings once more."""
    first = min(columns.by_place)
    heading = columns.by_place[first].heading
    if first >= len(cells) or len(cells[first].strip()) != len(heading) or plain(cells[first]) != plain(heading):
        return False  # nearly always, and much sooner
    told = [place for place in columns.by_place if place < len(cells) and cells[place].strip()]
    return len(told) > 1 and all(plain(cells[place]) == plain(columns.by_place[place].heading) for place in told)


def touches_money(heading: str) -> bool:
    """Whether a heading that nobody knows speaks of what calls cost."""
    return bool(_MONEY.search(plain(heading)))


_MONEY = re.compile(MONEY_WORDS)


def _width(cells: tuple[str, ...]) -> int:
    return max((place + 1 for place, cell in enumerate(cells) if cell.strip()), default=0)


def _columns(cells: tuple[str, ...], left_out: Collection[str]) -> tuple[dict[int, DeckColumn], dict[int, str]]:
    found: dict[int, DeckColumn] = {}
    unknown: dict[int, str] = {}
    for place, cell in enumerate(cells):
        if plain(cell) in left_out:
            continue
        column = _column(cell)
        if column and column.key not in {one.key for one in found.values()}:
            found[place] = column
        elif cell.strip():
            unknown[place] = cell.strip()
    return _told_apart(found), unknown


def _told_apart(found: dict[int, DeckColumn]) -> dict[int, DeckColumn]:
    """What a heading means beside the others.

    Area codes beside a country code are parts of an international prefix, no area codes of the home country. A
    minimum beside other words for the fee is one of seconds only where its heading says so.
    """
    keys = {column.key for column in found.values()}
    renamed = {"area": "prefix"} if "country_code" in keys and "prefix" not in keys else {}
    if "rate" not in keys and "new_rate" in keys:
        renamed["new_rate"] = "rate"
    elif "rate" not in keys and (lone := keys & {"old_rate", "peak_rate"}):
        renamed[min(lone)] = "rate"
    return {place: column._replace(key=renamed.get(column.key, column.key)) for place, column in found.items()}


@cache
def _column(heading: str) -> DeckColumn | None:
    """The column of this heading: as it stands, else without its unit and what is in brackets."""
    inside = " ".join(_BRACKETS.findall(heading))
    outside = _BRACKETS.sub(" ", heading)
    said = unit(outside)
    names = [plain(heading), plain(outside), plain(said.rest)]
    key = next((known_headings()[name] for name in names if name in known_headings()), None)
    if key is None and not plain(said.rest) and said.per_s:
        key = "rate"  # the heading is nothing but a unit: EUR/min
    if key is None:
        return None
    if key in LENGTHS or (key == "minimum_fee" and _is_length(inside)):
        return _length_column(key, heading, inside)
    return _amount_column(key, heading, inside, said)


def _is_length(inside: str) -> bool:
    return bool(_LENGTH.fullmatch(inside.strip()))


def _length_column(key: str, heading: str, inside: str) -> DeckColumn:
    """A column of seconds, or of minutes where its heading says so."""
    word = _LENGTH.fullmatch(inside.strip())
    return DeckColumn(
        "initial_s" if key == "minimum_fee" else key, heading.strip(), times_s=length_s(word[1]) if word else 1
    )


def _amount_column(key: str, heading: str, inside: str, said: AmountUnit) -> DeckColumn:
    if key not in AMOUNTS and key != "rate_s":
        return DeckColumn(key, heading.strip())
    within = unit(inside, bare=True)
    words = [word for word in plain(within.rest).split() if word not in HARMLESS_WORDS.split("|")]
    try:
        told = AmountUnit(within.currencies, within.divisor, within.per_s).beside(
            AmountUnit(said.currencies, said.divisor, said.per_s)
        )
    except ValueError:
        return DeckColumn(key, heading.strip(), rest=inside)
    if key == "rate_s":
        return DeckColumn("rate", heading.strip(), AmountUnit(told.currencies, told.divisor, 1), rest=" ".join(words))
    return DeckColumn(key, heading.strip(), told, rest=" ".join(words))


@lru_cache(maxsize=1024)
def plain(heading: str) -> str:
    """A heading in one spelling: small letters, simplified characters, without marks."""
    return re.sub(r"[\s_\-.:：#*'\"?]+", " ", simplified(heading)).strip().lower()


@cache
def known_headings() -> dict[str, str]:
    """Every heading we know, in plain spelling, with the key of what it holds."""
    found: dict[str, str] = {}
    for key, others in HEADINGS.items():
        for name in (key, *others.split("|")):
            found.setdefault(plain(name), key)
    return found
