"""What a list says in the lines around its table: the currency, the unit, since when, until when, which increments.

The one idea: what such a line says holds for all rows and columns that do not say it themselves; a line about money
that cannot be understood is told, and the file is refused until somebody says that it may be left out.

    All rates in US cents per minute        ->  every rate without a unit of its own is in cents for a minute
    Effective date: 15 December 2026        ->  the first day of every row without one
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

from ippbx_billing.language import tr
from ippbx_billing.lists.sheets import Row, Sheet
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.columns import AMOUNTS, RATES, Columns, plain, touches_money
from ippbx_billing.lists.tariffs.units import NOTHING_SAID, AmountUnit, unit

LONGEST = 120  # of a line that is read; what is longer are terms and conditions
_ABOUT_UNITS = re.compile(
    r"\b(?:currency|all (?:rates|prices)|(?:rates?|prices?)(?: are)?(?: quoted| given| shown)? in|unit)\b"
    r"|单位|币种|货币|幣種|單位",
    re.IGNORECASE,
)
_SINCE = re.compile(r"\b(?:effective|valid (?:from|since)|in force)\b|生效|执行|启用|起用", re.IGNORECASE)
_UNTIL = re.compile(r"\b(?:valid (?:until|till|to)|expir\w*|end date)\b|失效|截止|终止|到期", re.IGNORECASE)
_INCREMENTS = re.compile(r"\b(?:increments?|intervals?)\b|计费单位|计费周期", re.IGNORECASE)
_PAIR = re.compile(r"\d{1,4}\s*[/+]\s*\d{1,4}", re.ASCII)
_DATE = re.compile(
    r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|\d{1,2}(?:st|nd|rd|th)?[ -][A-Za-z]{3,9}\.?,?[ -]\d{4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}",
    re.ASCII,
)
_AMOUNT = re.compile(r"\d+[.,]\d+|[$€£¥]\s*\d|\d\s*%")


@dataclass(frozen=True, slots=True)
class Notices:
    """What the lines around the table say for all of it, and what is not understood, by place."""

    unit: AmountUnit = NOTHING_SAID
    first_day: date | None = None
    last_day: date | None = None
    increments: tuple[int, int] | None = None
    doubts: tuple[tuple[str, str], ...] = ()


def read(sheet: Sheet, columns: Columns, order: cells.DateOrder | None, ignored: Collection[str]) -> Notices:
    """What stands above the headings, and in rows of words below them."""
    found = Notices()
    left_out = set(map(plain, ignored))
    for row in _lines(sheet, columns):
        text = " ".join(filter(None, (cell.strip() for cell in row.cells)))
        if len(text) <= LONGEST and plain(text) not in left_out:
            found = _with(found, row.where, text, order)
    return found


def applied(columns: Columns, notices: Notices) -> Columns:
    """The columns with the unit that stands above the table, where their headings say none."""
    if notices.unit == NOTHING_SAID:
        return columns
    for_calls = replace(notices.unit, per_s=None)  # an amount a call has no length
    by_place = {
        place: column._replace(unit=notices.unit if column.key in RATES else for_calls)
        if column.key in AMOUNTS and column.unit == NOTHING_SAID
        else column
        for place, column in columns.by_place.items()
    }
    return columns._replace(by_place=by_place)


def _lines(sheet: Sheet, columns: Columns) -> Iterator[Row]:
    """The rows above the headings, and sentences below them."""
    yield from sheet.rows[: columns.begin - 1]
    yield from filter(is_sentence, sheet.rows[columns.begin :])


def is_sentence(row: Row) -> bool:
    """Whether a row holds but one cell, of words: the closing lines of a list do."""
    told = ""
    for cell in row.cells:
        if not cell or cell.isspace():
            continue
        if told:
            return False  # nearly always, and much sooner
        told = cell.strip()
    return " " in told and told[0].isalpha()


def _with(found: Notices, where: str, text: str, order: cells.DateOrder | None) -> Notices:
    """What this line adds; a doubt where it speaks of money or days and cannot be read."""
    if _SINCE.search(text) or _UNTIL.search(text):
        return _with_day(found, where, text, order)
    if _INCREMENTS.search(text) and (pair := _PAIR.search(text)):
        return replace(found, increments=cells.increments(pair[0]))
    if _ABOUT_UNITS.search(text):
        said = unit(text)
        if said.currencies is not None or said.divisor != 1 or said.per_s:
            return replace(found, unit=replace(said, rest=""))
    if touches_money(text) and _AMOUNT.search(_DATE.sub("", text)):
        return replace(found, doubts=(*found.doubts, (where, text)))
    return found


def _with_day(found: Notices, where: str, text: str, order: cells.DateOrder | None) -> Notices:
    spelled = _DATE.search(text)
    if spelled is None:
        return found
    try:
        day = cells.day(re.sub(r"(?<=\d)(?:st|nd|rd|th)\b|\s*(?=[-/.年月])|(?<=[-/.年月])\s*", "", spelled[0]), order)
    except ValueError:
        return replace(found, doubts=(*found.doubts, (where, text)))
    return replace(found, last_day=day) if _UNTIL.search(text) else replace(found, first_day=day)


def problems(notices: Notices) -> Iterator[tuple[str, str]]:
    """Where a line stands that may change what calls cost, and in a sentence what to do about it."""
    for where, text in notices.doubts:
        told = tr(
            "{line} is not understood and may change what calls cost; if it does not, say --ignore {quoted}",
            line=repr(text),
            quoted=repr(text),
        )
        yield where, told
