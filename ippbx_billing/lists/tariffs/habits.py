"""What a whole list shows of the habits of whoever wrote it, which no single cell tells.

Of 01/11/2026 and 1,234 a neighbour may say which number is the day and which mark is the decimal one; a column headed
Direction may hold outgoing and incoming, or destinations; codes beside a country code are written with it or without.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from ippbx_billing.language import tr
from ippbx_billing.lists.sheets import Sheet
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.columns import AMOUNTS, Columns, DeckColumn, plain, touches_money
from ippbx_billing.lists.tariffs.words import DIRECTIONS

DATES = ("effective_from", "end_date")
CODES = ("prefix", "area", "country", "pattern", "called", "value", "country_code")
_NUMBERS = re.compile(r"\d+[.,]\d+|[$€£¥]\s*\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListHabits:
    """How this list writes amounts, days and codes; `names_codes` says that it has columns of destinations."""

    separator: cells.Separator | None = None
    dates: cells.DateOrder | None = None
    access: str = ""
    whole_codes: bool = False
    names_codes: bool = False


def habits_of(sheet: Sheet, columns: Columns, access: str) -> ListHabits:
    """What the rows below the headings show."""
    keys = {column.key for column in columns.by_place.values()}
    return ListHabits(
        separator=cells.separator_of(_texts(sheet, columns, AMOUNTS)),
        dates=cells.order_of(_texts(sheet, columns, DATES)),
        access=_access(sheet, columns, access),
        whole_codes=_whole_codes(sheet, columns),
        names_codes=bool(keys & set(CODES)),
    )


def settled(sheet: Sheet, columns: Columns) -> Columns:
    """The columns after a look at what stands below them."""
    texts = {text.strip().lower() for text in _texts(sheet, columns, ("direction",)) if text.strip()}
    words = {plain(word) for key, others in DIRECTIONS.items() for word in (key, *others.split("|"))}
    if not texts or any(plain(text) in words for text in texts):
        return columns
    return columns._replace(
        by_place={
            place: column._replace(key="destination") if column.key == "direction" else column
            for place, column in columns.by_place.items()
        }
    )


def problems(sheet: Sheet, columns: Columns, currency: str, ignored: Collection[str]) -> Iterator[str]:
    """What the headings say about money that is not understood, in sentences."""
    for column in columns.by_place.values():
        yield from _unit_problems(column, currency)
    told = set(map(plain, ignored))
    for place, heading in columns.unknown.items():
        values = {row.cells[place].strip() for row in sheet.rows[columns.begin :] if place < len(row.cells)}
        if plain(heading) not in told and _says_money(heading, values - {"", "0", "0.0", "0.00", "-"}):
            yield tr(
                "the column {column} is not understood and may change what calls cost; "
                "if it does not, say --ignore {quoted}",
                column=heading,
                quoted=repr(heading),
            )
    yield from _minimum_problems(sheet, columns)


def _unit_problems(column: DeckColumn, currency: str) -> Iterator[str]:
    if column.rest:
        yield tr("the heading {column} says {rest!r}, which is not understood", column=column.heading,
                 rest=column.rest)  # fmt: skip
    try:
        column.unit.in_currency(currency)
    except ValueError as error:
        yield f"{column.heading}: {error}"


def _says_money(heading: str, values: set[str]) -> bool:
    return bool(values) and (touches_money(heading) or any(map(_NUMBERS.search, values)))


def _minimum_problems(sheet: Sheet, columns: Columns) -> Iterator[str]:
    """A bare Minimum of whole numbers is as likely one of seconds as one of money."""
    heading = next((one.heading for one in columns.by_place.values() if one.key == "minimum_fee"), "")
    if plain(heading) not in ("minimum", "min"):
        return
    values = {text.strip() for text in _texts(sheet, columns, ("minimum_fee",))} - {"", "0"}
    if values and all(value.isdecimal() for value in values):
        yield tr("{column} may be seconds or money; call it Minimum (sec) or Minimum charge", column=heading)


def _texts(sheet: Sheet, columns: Columns, keys: Collection[str]) -> Iterator[str]:
    places = [place for place, column in columns.by_place.items() if column.key in keys]
    return (row.cells[place] for row in sheet.rows[columns.begin :] for place in places if place < len(row.cells))


def _access(sheet: Sheet, columns: Columns, access: str) -> str:
    """The site's own access code, where every code of the list begins with it: 810 before each, or 011."""
    codes = [text.strip() for text in _texts(sheet, columns, ("prefix",)) if text.strip()]
    return access if access and len(codes) > 1 and all(code.startswith(access) for code in codes) else ""


def _whole_codes(sheet: Sheet, columns: Columns) -> bool:
    """Whether the codes beside country codes begin with them: 49 and 4930, where others write 49 and 30."""
    place = {column.key: place for place, column in columns.by_place.items()}
    if "country_code" not in place or "prefix" not in place:
        return False
    if plain(columns.by_place[place["prefix"]].heading).startswith(("area", "city", "ndc")):
        return False
    pairs = [
        (row.cells[place["country_code"]].strip().lstrip("+0"), row.cells[place["prefix"]].strip().lstrip("+"))
        for row in sheet.rows[columns.begin :]
        if max(place["country_code"], place["prefix"]) < len(row.cells)
    ]
    told = [(code, prefix) for code, prefix in pairs if code and prefix]
    return bool(told) and all(prefix.startswith(code) for code, prefix in told)


def with_spoken(habits: ListHabits, separator: cells.Separator | None, dates: cells.DateOrder | None) -> ListHabits:
    """The habits, and what the operator says instead."""
    return replace(habits, separator=separator or habits.separator, dates=dates or habits.dates)
