"""What stands in one cell of a price list, and how we write it: amounts, increments, days, windows, prefixes.

Every reader takes the text of a cell and raises ValueError with a sentence that says what would be right.

>>> amount("0,07 元")
70000
>>> increments("60/6")
(60, 6)
>>> increments("2026-01-01")  # what a spreadsheet makes of 1/1
(1, 1)
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, TypeVar

from ippbx_billing import money
from ippbx_billing.language import tr
from ippbx_billing.lists.tariffs.units import NOTHING_SAID, AmountUnit, length_s, unit
from ippbx_billing.lists.tariffs.words import WINDOW_KINDS
from ippbx_billing.tariffs import spelling
from ippbx_billing.tariffs.prices import DAY_S, DECIMALS, Counting, Figures, Seconds, Window
from ippbx_billing.tariffs.windows import window_text

Separator = Literal["comma", "point"]
DateOrder = Literal["dmy", "mdy"]
Word = TypeVar("Word", bound=str)
Exact = int | Fraction  # micro-units; a fraction where there are more decimals than six
Value = TypeVar("Value", int, Exact)

MOST_SECONDS = 366 * DAY_S
LARGEST_AMOUNT = 100_000_000  # whole units; the fees of a dearer price would soon leave 64 bits
MOST_DECIMALS = 15
EXCEL_BEGINS = date(1899, 12, 30)  # day 0 of the numbers by which spreadsheets count days
EXCEL_DAYS = range(36_526, 73_051)  # the years 2000 to 2099

# -- words and yes or no


def word(text: str, words: Mapping[Word, str]) -> Word:
    """The word of ours that the text means, in English or Chinese."""
    wanted = _plain(text)
    for known, others in words.items():
        if wanted == _plain(known) or wanted in map(_plain, others.split("|")):
            return known
    raise ValueError(tr("one of these is expected: {words}", words=", ".join(words)))


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", " ", text.strip().lower())


def flag(text: str) -> bool:
    """Yes or no."""
    if text.strip().lower() in ("1", "yes", "y", "true", "x", "✓", "是"):
        return True
    if text.strip().lower() in ("0", "no", "n", "false", "否"):
        return False
    raise ValueError(tr("yes or no is expected"))


# -- amounts

_NUMBER = re.compile(
    r"(?P<before>[^\d.,]*)(?P<number>\d{1,3}(?:[ \u00a0'’]\d{3})+(?:[.,]\d+)?|\d[\d.,]*|[.,]\d+)(?P<after>.*)",
    re.ASCII | re.DOTALL,
)
_PLAIN_NUMBER = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)
_DIGITS = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_MAYBE_THOUSANDS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_NO_UNIT = re.compile(r"[-+*#%_(（~≈<>]")


def amount(text: str, separator: Separator | None = None) -> int:
    """Micro-units of an amount; `separator` is the file's decimal separator where that is known."""
    exact_micro, said = exact(text, separator)
    return bounded(whole(share(exact_micro, said.divisor)))


def bounded(micro: Value) -> Value:
    """An amount that is no larger than any that a call may cost."""
    if micro > LARGEST_AMOUNT * money.MICRO:
        raise ValueError(tr("an amount of at most {most} is expected", most=LARGEST_AMOUNT))
    return micro


def believable(figures: Figures) -> Figures:
    """Figures whose fees, for a minute where they are rates, are no larger than that."""
    fees = [(figures.initial_fee_micro, figures.per_s), (figures.step_fee_micro, figures.per_s)]
    fees += [(tier.step_fee_micro, tier.per_s) for tier in figures.tiers]
    if any(fee * 60 > LARGEST_AMOUNT * money.MICRO * (per_s or 60) for fee, per_s in fees):
        raise ValueError(tr("an amount of at most {most} is expected", most=LARGEST_AMOUNT))
    return figures


def share(micro: Exact, parts: int) -> Exact:
    """The exact part of an amount; whole numbers stay such, which are much quicker."""
    if parts == 1:
        return micro
    if isinstance(micro, int):
        quotient, rest = divmod(micro, parts)
        return Fraction(micro, parts) if rest else quotient
    part = micro / parts
    return part.numerator if part.denominator == 1 else part


def whole(micro: Exact) -> int:
    """An amount of no more than six decimals."""
    if micro.denominator != 1:
        raise ValueError(tr("an amount of at most six decimals is expected, such as 0.07"))
    return micro.numerator


@lru_cache(maxsize=4096)
def exact(text: str, separator: Separator | None = None) -> tuple[Exact, AmountUnit]:
    """Micro-units of the number, with all its decimals, and the unit that stands beside it."""
    plain = text.strip()
    if _PLAIN_NUMBER.fullmatch(plain) and (separator != "comma" or not _MAYBE_THOUSANDS.fullmatch(plain)):
        return _micro(plain), NOTHING_SAID
    found = _NUMBER.fullmatch(plain)
    if not found or _NO_UNIT.search(found["before"]) or _NO_UNIT.search(found["after"].replace("(", "", 1)):
        raise ValueError(tr("an amount is expected, such as 0.07"))
    said = unit(f"{found['before']} {found['after']}")
    digits = _with_point(re.sub(r"[ \u00a0'’]", "", found["number"]), separator)
    if said.rest or not _DIGITS.fullmatch(digits):
        raise ValueError(tr("an amount is expected, such as 0.07"))
    return _micro(digits), said


def _micro(digits: str) -> Exact:
    left, _, right = digits.partition(".")
    right = right.rstrip("0")
    if len(left.lstrip("0")) > 12:
        raise ValueError(tr("an amount of at most {most} is expected", most=LARGEST_AMOUNT))
    if len(right) > MOST_DECIMALS:
        raise ValueError(tr("an amount of at most {count} decimals is expected, such as 0.07", count=MOST_DECIMALS))
    return share(int(left + right) * money.MICRO, 10 ** len(right))


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
    marks = {_separator(text) for text in texts if "," in text or "." in text}
    known = [mark for mark in marks if mark is not None]
    return known[0] if len(known) == 1 else None


def _separator(text: str) -> Separator | None:
    found = _NUMBER.fullmatch(text.strip())
    number = found["number"] if found else ""
    if ("," in number) + ("." in number) == 2:
        return _NAMES[max(",.", key=number.rfind)]
    if number.count(",") + number.count(".") == 1 and not _MAYBE_THOUSANDS.fullmatch(number):
        return "comma" if "," in number else "point"
    return None


def currency(text: str, wanted: str) -> None:
    """Nothing where a cell names the currency that is wanted; ValueError names the other one, or what is unknown."""
    said = unit(text)
    if said.currencies is None or said.rest:
        raise ValueError(tr("the three letters of a currency are expected, such as EUR"))
    if said.divisor != 1:
        raise ValueError(tr("the three letters of a currency are expected, such as EUR"))
    said.in_currency(wanted)


def per_minute(text: str) -> Exact:
    """Micro-units of a rate for a minute, with all its decimals; ValueError for one for another length of time."""
    micro, said = exact(text)
    if said.per_s not in (None, 60):
        raise ValueError(tr("an amount is expected, such as 0.07"))
    return bounded(share(micro, said.divisor))


def amount_text(micro: int) -> str:
    """The exact amount, as `amount` reads it."""
    return money.text(micro)


# -- lengths of time

_LENGTH = re.compile(r"(\d+)(?:\.0+)?\s*(s|secs?|seconds?|秒钟?|mins?|minutes?|分钟)?\.?", re.IGNORECASE | re.ASCII)
_CLOCKED = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})", re.ASCII)
_PAIR = re.compile(r"(.+?)\s*(?:/|\+|:|-|–|\||,|，|;)\s*(.+)", re.DOTALL)
_BY_WORDS = {
    1: "per second|by second|second|seconds|每秒|按秒|秒|逐秒",
    60: "per minute|by minute|minute|每分钟|按分钟|分钟",
}
_MADE_A_DATE = (
    re.compile(r"20\d{2}-(?P<month>\d{2})-(?P<day>\d{2})"),
    re.compile(r"(?P<day>\d{1,2})-(?P<name>[A-Za-z]{3})"),
    re.compile(r"(?P<month>\d{1,2})月(?P<day>\d{1,2})日"),
)


def seconds(text: str, times_s: int = 1) -> int:
    """Whole seconds; `60 s`, `60秒`, `1 min` and `00:01:00` are fine; a bare number is of `times_s`."""
    match, clocked = _LENGTH.fullmatch(text.strip()), _CLOCKED.fullmatch(text.strip())
    found = -1
    if match:
        found = int(match[1]) * (length_s(match[2]) if match[2] else times_s)
    elif clocked:
        found = int(clocked[1]) * 3600 + int(clocked[2]) * 60 + int(clocked[3])
    if not 0 <= found <= MOST_SECONDS:
        raise ValueError(tr("whole seconds are expected, such as 60"))
    return found


def block_seconds(text: str, times_s: int = 1) -> Seconds:
    """The seconds of a block, which may be parts of a second: `0.5`."""
    try:
        return seconds(text, times_s)
    except ValueError:
        if times_s == 1 and re.fullmatch(r"\d{1,8}\.\d{1,9}", text.strip(), re.ASCII):
            return spelling.seconds(text)
        raise


def per(text: str) -> int:
    """For how many seconds a rate is; many for a rate of many decimals."""
    if not re.fullmatch(r"\d{1,18}(?:\.0+)?", text.strip(), re.ASCII):
        raise ValueError(tr("whole seconds are expected, such as 60"))
    return int(text.strip().partition(".")[0])


@lru_cache(maxsize=1024)
def increments(text: str, times_s: int = 1) -> tuple[int, int]:
    """Initial seconds and step seconds: `60/6`, `60+6`, or `60` for both."""
    plain = text.strip()
    by_word = [step for step, words in _BY_WORDS.items() if plain.lower() in words.split("|")]
    pair = _PAIR.fullmatch(plain)
    try:
        if by_word:
            return by_word[0], by_word[0]
        if made := _made_a_date(plain):
            return made, made
        initial_s = seconds(pair[1] if pair else plain, times_s)
        step_s = seconds(pair[2], times_s) if pair else initial_s
        if step_s:
            return initial_s, step_s
    except ValueError:
        pass
    raise ValueError(tr("increments are expected, such as 60/6 (the first 60 s, then each 6 s)"))


def _made_a_date(text: str) -> int:
    """The 1 of 1/1 that a spreadsheet took for the first of January; a 30th of June may have been 30/6 or 6/30."""
    for form in _MADE_A_DATE:
        if match := form.fullmatch(text):
            found = match.groupdict()
            name = found.get("name", "").lower()
            month = _MONTHS.index(name) + 1 if name in _MONTHS else int(found.get("month", 0))
            return month if month == int(found["day"]) else 0
    return 0


def second_of_day(text: str) -> int:
    """A time of day from 00:00 to 24:00 as seconds."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text.strip().replace("：", ":"), re.ASCII)
    if match:
        hours, minutes, rest = (int(part or 0) for part in match.groups())
        second = hours * 3600 + minutes * 60 + rest
        if minutes < 60 and rest < 60 and second <= DAY_S:
            return second
    raise ValueError(tr("a time of day is expected, such as 07:00"))


def times_of_day(text: str) -> tuple[int, int]:
    """From when to when of a day: `18:00-08:00`."""
    begin, _, end = re.sub(r"[–~]", "-", text).partition("-")
    return second_of_day(begin), second_of_day(end)


# -- days

_DAYS = (
    re.compile(r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})"),
    re.compile(r"(?P<day>\d{1,2})[- /.]?(?P<name>[A-Za-z]{3})[A-Za-z]*[- /.,]*(?P<year>\d{4})"),
    re.compile(r"(?P<name>[A-Za-z]{3})[a-z]*\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"),
)
_EITHER = re.compile(r"(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})")
_MIDNIGHT = re.compile(r"[ T]+(?:0{1,2}:00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM)$", re.IGNORECASE)
_LAST_SECOND = re.compile(r"[ T]+(?:23:59(?::59(?:\.\d+)?)?|11:59(?::59)? ?PM)$", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@lru_cache(maxsize=1024)
def day(text: str, order: DateOrder | None = None) -> date:
    """A day: 2026-10-01, 2026年10月1日, 01.10.2026, 1-Oct-2026, or a spreadsheet's number of a day.

    Of 10/11/2026 only the `order` says which number is the day.
    """
    text = _MIDNIGHT.sub("", text.strip())
    if re.fullmatch(r"\d{5}", text, re.ASCII) and int(text) in EXCEL_DAYS:
        return EXCEL_BEGINS + timedelta(days=int(text))
    match = next(filter(None, (form.fullmatch(text) for form in _DAYS)), None)
    try:
        if match is not None:
            return _day(match.groupdict())
        return _either_day(_EITHER.fullmatch(text), order)
    except ValueError:
        raise ValueError(
            tr("a day is expected, such as 2026-10-01, or --dates dmy or --dates mdy to say which number is the day")
            if _EITHER.fullmatch(text)
            else tr("a day is expected, such as 2026-10-01")
        ) from None


def last_day(text: str, order: DateOrder | None = None) -> date:
    """The last day on which something holds; its last second may stand beside it."""
    return day(_LAST_SECOND.sub("", text.strip()), order)


def _day(found: dict[str, str]) -> date:
    month = _MONTHS.index(found["name"].lower()) + 1 if "name" in found else int(found["month"])
    return date(int(found["year"]), month, int(found["day"]))


def _either_day(match: re.Match[str] | None, order: DateOrder | None) -> date:
    """Of 13/10/2026 and 10/13/2026 the month is plain; 10/11/2026 may be either and is asked back."""
    if match is None or (len(match["year"]) == 2 and order is None):
        raise ValueError
    first, second, year = int(match["first"]), int(match["second"]), int(match["year"])
    order = order or (None if first <= 12 and second <= 12 and first != second else "mdy" if second > 12 else "dmy")
    if order is None:
        raise ValueError
    month, day = (second, first) if order == "dmy" else (first, second)
    return date(year + 2000 if year < 100 else year, month, day)


def order_of(texts: Iterable[str]) -> DateOrder | None:
    """Which number of a list's dates is the day, where some date leaves no doubt and none contradicts it."""
    proofs: set[DateOrder] = set()
    for text in texts:
        match = _EITHER.fullmatch(_LAST_SECOND.sub("", _MIDNIGHT.sub("", text.strip())))
        if match and int(match["first"]) > 12:
            proofs.add("dmy")
        elif match and int(match["second"]) > 12:
            proofs.add("mdy")
    return proofs.pop() if len(proofs) == 1 else None


# -- figures and windows

COUNTINGS: dict[Counting, str] = {"begun": "started|开始|不足一次按一次", "completed": "complete|full|完整|足额"}
ROUNDINGS: dict[money.Rounding, str] = {
    "half_up": "half up|middle|nearest|四舍五入",
    "half_even": "half even|bankers|四舍六入",
    "up": "ceil|ceiling|always up|进一|向上",
    "down": "floor|truncate|always down|去尾|向下",
}

_FIGURE = re.compile(r"([\d.]+)\s*[:：]\s*(.+)", re.ASCII)
_WINDOW = re.compile(
    r"(?P<kind>\S+)\s+(?P<start>[\d:：]+)\s*[-–~]\s*(?P<end>[\d:：]+)\s+(?P<initial>[\d.]+:\S+)\s+(?P<step>[\d.]+:\S+)"
    r'(?P<more>(?:\s+\w+=(?:"(?:[^"\\]|\\.)*"|\S+))*)'
)
_MORE = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def block(text: str) -> tuple[Seconds, int]:
    """Seconds and their fee: `180:0.22`."""
    match = _FIGURE.fullmatch(text.strip())
    if not match:
        raise ValueError(tr("seconds and their fee are expected, such as 180:0.22"))
    micro, said = exact(match[2])
    return block_seconds(match[1]), whole(share(micro, said.divisor))


def windows(text: str) -> tuple[Window, ...]:
    """The windows of a cell, separated by line ends or `|`; see `window`."""
    return tuple(window(part) for part in re.split(r"[|\n]", text) if part.strip())


def window(text: str) -> Window:
    """`daily 00:00-07:00 6:0.04 6:0.04`, and where wanted `per=60`, `priority=40`, `days=sat,sun`, `name="night"`."""
    match = _WINDOW.fullmatch(text.strip())
    if not match:
        raise ValueError(tr('a window is expected, such as "daily 00:00-07:00 6:0.04 6:0.04"'))
    more = dict(_MORE.findall(match["more"]))
    unknown = sorted(set(more) - set(WINDOW_WORDS))
    if unknown:
        raise ValueError(tr("a window has {known}, but no {name}", known=", ".join(WINDOW_WORDS), name=unknown[0]))
    initial_s, initial_fee = block(match["initial"])
    step_s, step_fee = block(match["step"])
    return Window(
        kind=word(match["kind"], WINDOW_KINDS),
        start_s=second_of_day(match["start"]),
        end_s=second_of_day(match["end"]),
        figures=believable(
            Figures(initial_s, initial_fee, step_s, step_fee, per(more.get("per", "0")), **figure_terms(more))
        ),
        priority=_priority(more.get("priority")),
        name=_unquoted(more.get("name", "")),
        **{name: TERMS[name](more[name]) for name in spelling.WINDOW_TERMS if name in more},
    )


def figure_terms(told: Mapping[str, str]) -> dict[str, Any]:
    """What is told of tiers and of how steps are counted, as `Figures` takes it."""
    return {name: TERMS[name](told[name]) for name in FIGURE_WORDS if told.get(name)}


def counting(text: str) -> Counting:
    """Which steps count: those begun, or those completed."""
    return word(text, COUNTINGS)


def rounding(text: str) -> money.Rounding:
    """How an amount is rounded."""
    return word(text, ROUNDINGS)


def decimals(text: str) -> int:
    """A number of decimals, from -6 (millions) to 6."""
    if re.fullmatch(r"[-−]?\d", text.strip(), re.ASCII) and int(text) in DECIMALS:
        return int(text)
    raise ValueError(tr("a whole number from -6 to 6 is expected"))


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
        raise ValueError(tr('a name is expected in quotes, such as name="night"')) from None


TERMS: dict[str, Callable[[str], Any]] = {
    "tiers": spelling.tiers,
    "counting": counting,
    "step_decimals": decimals,
    "days": spelling.days,
    "dates": spelling.dates,
    "minutes": spelling.minutes,
    "maximum_fee": amount,
    "grace_s": seconds,
    "fee_decimals": decimals,
    "fee_rounding": rounding,
}
FIGURE_WORDS = ("tiers", "counting", "step_decimals")
WINDOW_WORDS = ("per", "priority", "name", *FIGURE_WORDS, *spelling.WINDOW_TERMS)


def windows_text(all_windows: Iterable[Window]) -> str:
    """The windows, as `windows` reads them, each on a line of its own."""
    return "\n".join(map(window_text, all_windows))


# -- destinations

_LIST = re.compile(r"[,;，；、|\n&]+")


def values(text: str) -> list[str]:
    """The parts of a list in one cell."""
    return [part.strip() for part in _LIST.split(text) if part.strip()]
