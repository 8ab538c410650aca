"""What stands in one cell of a price list, and how we write it: amounts, increments, days, windows, prefixes.

Every reader takes the text of a cell and raises ValueError with a sentence that says what would be right.

>>> amount("0,07 元")
70000
>>> increments("60/6")
(60, 6)
>>> prefixes("+4420; 44208-44210")
['4420', '44208', '44209', '44210']
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Literal, TypeVar

from ippbx_billing import money
from ippbx_billing.language import tr
from ippbx_billing.lists.tariffs.words import WINDOW_KINDS
from ippbx_billing.tariffs.prices import DAY_S, Figures, Window
from ippbx_billing.tariffs.windows import window_text

Separator = Literal["comma", "point"]
Word = TypeVar("Word", bound=str)

MOST_SECONDS = 366 * DAY_S
LARGEST_RANGE = 10_000  # a range of prefixes is written out; a larger one is a mistake
LONGEST_PREFIX = 20
EXCEL_BEGINS = date(1899, 12, 30)  # day 0 of the numbers by which spreadsheets count days
EXCEL_DAYS = range(36_526, 73_051)  # the years 2000 to 2099

# -- words and yes or no


def word(text: str, words: Mapping[Word, str]) -> Word:
    """The word of ours that the text means, in English or Chinese."""
    wanted = _plain(text)
    for known, others in words.items():
        if wanted == _plain(known) or wanted in map(_plain, others.split("|")):
            return known
    raise ValueError(tr("one of these is wanted: {words}", words=", ".join(words)))


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text.strip().lower())


def flag(text: str) -> bool:
    """Yes or no."""
    if text.strip().lower() in ("1", "yes", "y", "true", "x", "✓", "是"):
        return True
    if text.strip().lower() in ("0", "no", "n", "false", "否"):
        return False
    raise ValueError(tr("yes or no is wanted"))


# -- amounts

_CURRENCY = re.compile(r"^(?:[¥￥$€£]|[A-Za-z]{3}(?=[\s\d]))\s*|\s*(?:[¥￥$€£元]|(?<=[\s\d])[A-Za-z]{3})$")
_DIGITS = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_MAYBE_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


def amount(text: str, separator: Separator | None = None) -> int:
    """Micro-units of an amount; `separator` is the file's decimal separator where that is known."""
    plain = _CURRENCY.sub("", _CURRENCY.sub("", text.strip())).replace("\u00a0", "").replace(" ", "")
    digits = _with_point(plain, separator)
    if not _DIGITS.fullmatch(digits):
        raise ValueError(tr("an amount is wanted, such as 0.07"))
    try:
        return money.parse(digits)
    except ValueError:
        raise ValueError(tr("an amount of at most six decimals is wanted, such as 0.07")) from None


def _with_point(text: str, separator: Separator | None) -> str:
    """The digits with a decimal point and without thousands separators; what may be either is asked back."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        decimal, other = (",", ".") if comma > point else (".", ",")
        return text.replace(other, "").replace(decimal, ".")
    mark = "," if comma >= 0 else "."
    if text.count(mark) > 1:
        return text.replace(mark, "")
    if _MAYBE_THOUSANDS.fullmatch(text) and mark == "," and separator is None:
        plain = text.replace(",", "")
        raise ValueError(
            tr("it may be {small} or {large}; write it so, or say --decimal comma or --decimal point",
               small=text.replace(",", "."), large=plain)
        )  # fmt: skip
    is_decimal = separator is None or not _MAYBE_THOUSANDS.fullmatch(text) or separator == _NAMES[mark]
    return text.replace(mark, "." if is_decimal else "")


_NAMES: dict[str, Separator] = {",": "comma", ".": "point"}


def separator_of(texts: Iterable[str]) -> Separator | None:
    """The decimal separator of a list, where some amount leaves no doubt: 0,07 or 1.234,5, but not 1,234."""
    plain = (_CURRENCY.sub("", text.strip()).replace(" ", "") for text in texts)
    amounts = [text for text in plain if re.fullmatch(r"[\d.,]+", text, re.ASCII)]
    decimals = {
        _NAMES[max(",.", key=text.rfind)]
        for text in amounts
        if ("," in text) + ("." in text) == 2
        or (text.count(",") + text.count(".") == 1 and not _MAYBE_THOUSANDS.fullmatch(text))
    }
    return decimals.pop() if len(decimals) == 1 else None


def amount_text(micro: int) -> str:
    """The exact amount, as `amount` reads it."""
    return money.text(micro)


# -- lengths of time

_INCREMENTS = re.compile(r"(\d+)(?:\s*(?:/|\+|:|-|–|,|，|;)\s*(\d+))?\s*(?:s|sec|secs|seconds|秒)?", re.IGNORECASE)


def seconds(text: str) -> int:
    """Whole seconds; `60 s` and `60秒` are fine."""
    match = re.fullmatch(r"(\d+)(?:\.0+)?\s*(?:s|sec|secs|seconds|秒)?", text.strip(), re.IGNORECASE | re.ASCII)
    if not match or int(match[1]) > MOST_SECONDS:
        raise ValueError(tr("whole seconds are wanted, such as 60"))
    return int(match[1])


def increments(text: str) -> tuple[int, int]:
    """Initial seconds and step seconds: `60/6`, `60+6`, or `60` for both."""
    match = _INCREMENTS.fullmatch(text.strip())
    step = int(match[2] or match[1]) if match else 0
    if match is None or not 0 < step <= MOST_SECONDS or int(match[1]) > MOST_SECONDS:
        raise ValueError(tr("increments are wanted, such as 60/6 (the first 60 s, then each 6 s)"))
    return int(match[1]), step


def second_of_day(text: str) -> int:
    """A time of day from 00:00 to 24:00 as seconds."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip().replace("：", ":"), re.ASCII)
    if match:
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        second = hours * 3600 + minutes * 60 + rest
        if minutes < 60 and rest < 60 and second <= DAY_S:
            return second
    raise ValueError(tr("a time of day is wanted, such as 07:00"))


# -- days

_DAYS = (
    re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?(?:[ T]0{1,2}:00(?::00)?)?"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"),
    re.compile(r"(?P<day>\d{1,2})[- /.]?(?P<name>[A-Za-z]{3})[A-Za-z]*[- /.,]*(?P<year>\d{4})"),
    re.compile(r"(?P<name>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"),
    re.compile(r"(?P<either>)(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def day(text: str) -> date:
    """A day: 2026-10-01, 2026年10月1日, 01.10.2026, 1-Oct-2026, or a spreadsheet's number of a day."""
    text = text.strip()
    if re.fullmatch(r"\d{5}", text, re.ASCII) and int(text) in EXCEL_DAYS:
        return EXCEL_BEGINS + timedelta(days=int(text))
    match = next(filter(None, (form.fullmatch(text) for form in _DAYS)), None)
    try:
        if match is None:
            raise ValueError
        return _day(match.groupdict())
    except ValueError:
        raise ValueError(tr("a day is wanted, such as 2026-10-01")) from None


def _day(found: dict[str, str]) -> date:
    """Of 13/10/2026 and 10/13/2026 the month is plain; 10/11/2026 may be either and is asked back."""
    year, day = int(found["year"]), int(found["day"])
    month = _MONTHS.index(found["name"].lower()) + 1 if "name" in found else int(found["month"])
    if "either" in found:
        if day <= 12 and month <= 12 and day != month:
            raise ValueError
        if month > 12:
            month, day = day, month
    return date(year, month, day)


# -- figures and windows

_FIGURE = re.compile(r"(\d+)\s*[:：]\s*(.+)", re.ASCII)
_WINDOW = re.compile(
    r"(?P<kind>\S+)\s+(?P<start>[\d:：]+)\s*[-–~]\s*(?P<end>[\d:：]+)\s+(?P<initial>\d+:\S+)\s+(?P<step>\d+:\S+)"
    r'(?P<more>(?:\s+\w+=(?:"(?:[^"\\]|\\.)*"|\S+))*)'
)
_MORE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def block(text: str) -> tuple[int, int]:
    """Seconds and their fee: `180:0.22`."""
    match = _FIGURE.fullmatch(text.strip())
    if not match:
        raise ValueError(tr("seconds and their fee are wanted, such as 180:0.22"))
    return seconds(match[1]), amount(match[2])


def windows(text: str) -> tuple[Window, ...]:
    """The windows of a cell, separated by line ends or `|`; see `window`."""
    return tuple(window(part) for part in re.split(r"[|\n]", text) if part.strip())


def window(text: str) -> Window:
    """`daily 00:00-07:00 6:0.04 6:0.04`, and where wanted `per=60`, `priority=40`, `name="night"`."""
    match = _WINDOW.fullmatch(text.strip())
    if not match:
        raise ValueError(tr('a window is wanted, such as "daily 00:00-07:00 6:0.04 6:0.04"'))
    more = dict(_MORE.findall(match["more"]))
    unknown = sorted(set(more) - {"per", "priority", "name"})
    if unknown:
        raise ValueError(tr("a window has per, priority and name, but no {name}", name=unknown[0]))
    initial_s, initial_fee = block(match["initial"])
    step_s, step_fee = block(match["step"])
    return Window(
        kind=word(match["kind"], WINDOW_KINDS),
        start_s=second_of_day(match["start"]),
        end_s=second_of_day(match["end"]),
        figures=Figures(initial_s, initial_fee, step_s, step_fee, seconds(more.get("per", "0"))),
        priority=_priority(more.get("priority")),
        name=_unquoted(more.get("name", "")),
    )


def _priority(text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,9}", text, re.ASCII):
        raise ValueError(tr("a priority is a whole number, such as 40"))
    return int(text)


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        raise ValueError(tr('a name is wanted in quotes, such as name="night"')) from None


def windows_text(all_windows: Iterable[Window]) -> str:
    """The windows, as `windows` reads them, each on a line of its own."""
    return "\n".join(map(window_text, all_windows))


# -- destinations

_LIST = re.compile(r"[,;，；、|\n&]+")


def values(text: str) -> list[str]:
    """The parts of a list in one cell."""
    return [part.strip() for part in _LIST.split(text) if part.strip()]


def prefixes(text: str) -> list[str]:
    """The prefixes of one cell, ranges written out; digits after `+` or `00`, or as they are dialled."""
    return [prefix for part in _LIST.split(text) if part.strip() for prefix in _prefixes(part.strip())]


def _prefixes(part: str) -> Iterator[str]:
    if re.fullmatch(r"\d(?:\.\d+)?[eE]\+?\d+", part):
        raise ValueError(tr("a spreadsheet has made a number of it; mark the column as text, enter the digits again"))
    if part.startswith(("+", "00")):
        part = re.sub(r"[\s()./]", "", part)
    first, dash, last = (piece.strip() for piece in re.fullmatch(r"([^-–]*)([-–]?)(.*)", part, re.DOTALL).groups())  # type: ignore[union-attr]
    if not dash:
        yield _digits(first)
        return
    first, last = _digits(first), _digits(last)
    if len(first) != len(last) or not 0 <= int(last) - int(first) < LARGEST_RANGE:
        raise ValueError(tr("a range of prefixes is wanted, such as 44208-44212"))
    for number in range(int(first), int(last) + 1):
        yield str(number).zfill(len(first))


def _digits(text: str) -> str:
    digits = text.removeprefix("+")
    if digits.startswith("00") and len(digits) > 2:
        digits = digits[2:]
    if not re.fullmatch(r"\d+", digits, re.ASCII) or len(digits) > LONGEST_PREFIX:
        raise ValueError(tr("prefixes are wanted as digits with commas between them, such as 4420, 4421"))
    return digits
