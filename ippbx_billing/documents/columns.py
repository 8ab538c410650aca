"""Columns and the cells below them: what every writer, for a terminal or for paper, agrees on.

    column = Column("fee", "Fee", "money")
    cell("1234.50", column.kind)  # 1,234.50

Whatever a PBX sent is made harmless here: control characters never reach a terminal or a page.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ippbx_billing.language import language, tr

Row = Mapping[str, Any]

AT_LEAST = "≥ "  # before a sum that is not whole


class Format(StrEnum):
    """The forms an answer can take."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    HTML = "html"
    MARKDOWN = "markdown"
    PDF = "pdf"

    @property
    def is_data(self) -> bool:
        """Made for programs: keys for headings, every key there."""
        return self in (Format.JSON, Format.CSV)

    @property
    def is_document(self) -> bool:
        """Made to be handed on; written by `documents`."""
        return self in (Format.XLSX, Format.HTML, Format.MARKDOWN, Format.PDF)

    @property
    def is_binary(self) -> bool:
        """Nothing that a terminal could show."""
        return self in (Format.XLSX, Format.PDF)

    @classmethod
    def of_file(cls, name: str) -> "Format | None":
        """The form that a file's ending asks for; None where it asks for none."""
        ending = name.rpartition(".")[2].lower()
        known = {one.value: one for one in cls if one is not cls.TABLE}
        return (known | {"md": cls.MARKDOWN, "htm": cls.HTML}).get(ending) if "." in name else None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the row's key, its heading, and the kind of value it holds.

    Kinds: text, code, number, money, percent, length, time, hour, weekday, word, country, flag. `rank` 0 is always
    shown; of the others the highest leaves first where the terminal is too narrow for all.
    `unpriced` is the row's key for the number of calls that have no price and so are not in the amount. An `average`
    is a figure whose total is not a sum.
    """

    key: str
    title: str
    kind: str = "text"
    rank: int = 0
    unpriced: str = ""
    average: bool = False

    @property
    def may_wrap(self) -> bool:
        """Text may go on in the next line; numbers, codes and times stay whole."""
        return self.kind == "text"

    @property
    def to_the_right(self) -> bool:
        return self.kind in ("number", "money", "percent", "length")

    @property
    def adds_up(self) -> bool:
        """Whether its figures can make a sum."""
        return self.kind in ("number", "money", "length") and not self.average


def all_columns(keys: Iterable[str]) -> list[Column]:
    """A column for each key of a row, for CSV that holds everything."""
    return [Column(key, key) for key in keys]


def cell(value: Any, kind: str = "text") -> str:
    """A value as people read it in a table."""
    if value is None:
        return "–"
    if kind == "length":
        return length(int(value))
    if kind == "number":
        return f"{value:,}"
    if kind == "time":
        return str(value)[:19].replace("T", " ")
    if kind == "flag":
        return "✓" if value else ""
    if kind == "word":
        spoken = tr(str(value))
        return _ENGLISH.get(spoken, spoken)
    if kind in _SPOKEN:
        return _SPOKEN[kind](value)
    return harmless(str(value))


def shown(row: Row, column: Column) -> str:
    """The row's value below the column as people read it: what is not known is never a zero, nor a part the whole."""
    value = row.get(column.key)
    text, missing = cell(value, column.kind), unpriced(row, column)
    if not missing or value is None:
        return text
    if not is_nothing(value):
        return text if column.kind == "percent" else AT_LEAST + text
    return tr("unpriced {count}", count=missing) if column.kind == "money" else "–"


def unpriced(row: Row, column: Column) -> int:
    """How many calls are not in the amount that stands in this row below the column."""
    return int(row.get(column.unpriced) or 0) if column.unpriced else 0


def is_nothing(amount: Any) -> bool:
    """Whether the decimal text is a zero."""
    return not Decimal(str(amount))


# Codes that are not English word; all languages but English have them in their catalogues.
_ENGLISH = {
    "hk_mo_tw": "HK/Macao/Taiwan",
    "ip_long_distance": "IP long distance",
    "dialup": "dial-up",
    "service_400_800": "400/800 service",
    "no_answer": "no answer",
}


def _amount(value: Any) -> str:
    """An amount with its thousands set apart; text that is none stays as it is."""
    text = harmless(str(value))
    return f"{Decimal(text):,}" if re.fullmatch(r"-?\d{4,}(\.\d+)?", text) else text


def _country(code: Any) -> str:
    from ippbx_billing.language.countries import country_name

    return country_name(harmless(str(code)), language())


def _weekday(number: Any) -> str:
    """The day's name; 1 is Monday."""
    if not isinstance(number, int):
        return harmless(number)
    days = tr("Monday"), tr("Tuesday"), tr("Wednesday"), tr("Thursday"), tr("Friday"), tr("Saturday"), tr("Sunday")
    return days[number - 1]


_SPOKEN: dict[str, Callable[[Any], str]] = {
    "money": _amount,
    "percent": lambda part: f"{Decimal(part) * 100:.1f} %",
    "hour": lambda hour: f"{hour:02d}:00" if isinstance(hour, int) else harmless(hour),
    "weekday": _weekday,
    "country": _country,
}


def length(seconds: int) -> str:
    """Seconds as hours, minutes and seconds: 4:05, 1:02:03."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def megabytes(size_bytes: int) -> str:
    """A size in MB, to a tenth."""
    return f"{size_bytes / 1024**2:,.1f}"


def harmless(text: str) -> str:
    """The text without what a terminal would obey: control characters, escapes, direction marks."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "�" for c in text)
