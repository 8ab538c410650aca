"""How the less common terms of a price are spelled: in the ledger, in a cell, in TOML, in an option, always the same.

The one idea: each term has one text, which its reader reads back without loss; readers raise ValueError with a sentence
that says what would be right.

>>> tiers_text(tiers("300:60:0.05, 600:1:0.02:60"))
'300:60:0.05,600:1:0.02:60'
>>> days_text(days("mon-wed,sun")), minutes_text(minutes("*/25"))
('mon-wed,sun', '0,25,50')
>>> dates_text(dates("12-24..01-02,2026-05-01,*-15"))
'12-24..01-02,2026-05-01,*-15'
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from ippbx_billing import money
from ippbx_billing.language import tr
from ippbx_billing.tariffs.prices import DAY_S, DateSpan, Figures, Price, Seconds, Tier, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_ZH = "一二三四五六日"
MINUTES = range(60)
MOST_DECIMALS = 9
LONGEST_TALK_S = 366 * DAY_S

_SECONDS = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?", re.ASCII)
_MARK = re.compile(r"(?:(?:(?P<year>\d{4})-)?(?P<month>\d{1,2})|\*)-(?P<day>\d{1,2})", re.ASCII)
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

# -- seconds


def seconds(text: str) -> Seconds:
    """Seconds, which may have decimals: `0.5`."""
    found = _SECONDS.fullmatch(text.strip())
    if found is None or len(found[2] or "") > MOST_DECIMALS:
        raise ValueError(tr("seconds are expected, such as 60 or 0.5"))
    part = Fraction(int(found[2] or 0), 10 ** len(found[2] or ""))
    whole = int(found[1])
    return whole + part if part else whole


def seconds_text(value: Seconds) -> str:
    """The same as text, without needless zeros."""
    whole, part = divmod(value, 1)
    if not part:
        return str(int(whole))
    digits = str(int(part * 10**MOST_DECIMALS)).zfill(MOST_DECIMALS)
    return f"{int(whole)}.{digits.rstrip('0')}"


def talk(text: str) -> tuple[int, int | None]:
    """A talk time as a call tells it: the begun seconds, and milliseconds where a part of a second is told.

    >>> talk("61"), talk("60.5")
    ((61, None), (61, 60500))
    """
    talk_ms = seconds(text) * 1000
    if talk_ms != int(talk_ms) or talk_ms > LONGEST_TALK_S * 1000:
        raise ValueError(tr("seconds with at most three decimals are expected, such as 60.5"))
    return -(-int(talk_ms) // 1000), int(talk_ms) if talk_ms % 1000 else None


# -- tiers


def tiers(text: str) -> tuple[Tier, ...]:
    """Tiers as `from:step:fee` or `from:step:fee:per`, separated by commas."""
    return tuple(tier(part) for part in re.split(r"[,，\s]+", text.strip()) if part)


def tier(text: str) -> Tier:
    """One tier: `300:60:0.05` from 300 s on each 60 s at 0.05; `300:60:0.05:60` as a rate for 60 s."""
    parts = text.strip().replace("：", ":").split(":")
    try:
        if len(parts) not in (3, 4):
            raise ValueError
        from_s, step_s = seconds(parts[0]), seconds(parts[1])
        return Tier(from_s, step_s, money.parse(parts[2]), seconds(parts[3]) if len(parts) == 4 else 0)
    except ValueError:
        raise ValueError(tr("a tier is expected, such as 300:60:0.05 (from 300 s on each 60 s at 0.05)")) from None


def tiers_text(all_tiers: Iterable[Tier]) -> str:
    """The tiers, as `tiers` reads them."""
    return ",".join(map(_tier_text, all_tiers))


def _tier_text(one: Tier) -> str:
    text = f"{seconds_text(one.from_s)}:{seconds_text(one.step_s)}:{money.text(one.step_fee_micro)}"
    return f"{text}:{seconds_text(one.per_s)}" if one.per_s else text


# -- days of the week


def days(text: str) -> tuple[int, ...]:
    """Days of the week, Monday is 1: `mon-fri`, `sat,sun`, `1-5`, `周一至周五`."""
    found: set[int] = set()
    for part in re.split(r"[,，、\s]+", text.strip()):
        first, dash, last = re.sub(r"[–~至到]", "-", part).partition("-")
        begin, end = _weekday(first), _weekday(last if dash else first)
        found |= {(begin - 1 + step) % 7 + 1 for step in range((end - begin) % 7 + 1)}
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    plain = text.strip().lower()
    chinese = re.sub(r"^(?:周|星期|礼拜)", "", plain).replace("天", "日")
    if len(chinese) == 1 and chinese in DAYS_ZH:
        return DAYS_ZH.index(chinese) + 1
    if plain in ("1", "2", "3", "4", "5", "6", "7"):
        return int(plain)
    if len(plain) >= 3 and plain[:3] in DAYS:
        return DAYS.index(plain[:3]) + 1
    raise ValueError(tr("days of the week are expected, such as mon-fri or sat,sun"))


def days_text(numbers: Sequence[int]) -> str:
    """The days, as `days` reads them."""
    return ",".join(_spans_text(numbers, [DAYS[number - 1] for number in numbers]))


# -- minutes of the hour


def minutes(text: str) -> tuple[int, ...]:
    """Minutes of each hour: `0-14`, `0,30`, `*/25`."""
    found: set[int] = set()
    for part in re.split(r"[,，、\s]+", text.strip()):
        match = re.fullmatch(r"(?:(\d{1,2})(?:-(\d{1,2}))?|\*)(?:/(\d{1,2}))?", part, re.ASCII)
        if match is None or match[3] == "0":
            raise ValueError(tr("minutes of the hour are expected, such as 0-14 or */15"))
        first = int(match[1] or 0)
        last = 59 if match[1] is None or (match[3] and not match[2]) else int(match[2] or match[1])
        some = range(first, last + 1, int(match[3] or 1))
        if not some or last not in MINUTES:
            raise ValueError(tr("minutes of the hour are expected, such as 0-14 or */15"))
        found |= set(some)
    return tuple(sorted(found))


def minutes_text(numbers: Sequence[int]) -> str:
    """The minutes, as `minutes` reads them."""
    return ",".join(_spans_text(numbers, list(map(str, numbers))))


def _spans_text(numbers: Sequence[int], names: Sequence[str]) -> Iterable[str]:
    """Runs of three and more as first-last, others one by one."""
    begin = 0
    for place in range(1, len(numbers) + 1):
        if place < len(numbers) and numbers[place] == numbers[place - 1] + 1:
            continue
        run = names[begin:place]
        yield from [f"{run[0]}-{run[-1]}"] if len(run) > 2 else run
        begin = place


# -- dates


def dates(text: str) -> tuple[DateSpan, ...]:
    """Dates and spans of them: `12-24` each year, `2026-02-17..2026-02-23`, `*-15` each month."""
    return tuple(_span(part) for part in re.split(r"[,，、\s]+", text.strip()))


def _span(text: str) -> DateSpan:
    first, dots, last = text.partition("..")
    begin = _mark(first)
    end = _mark(last) if dots else begin
    if [bool(part) for part in begin] != [bool(part) for part in end] or (begin[0] and begin > end):
        raise ValueError(tr("dates are expected, such as 12-24, 2026-02-17..2026-02-23 or *-15"))
    return DateSpan(begin, end)


def _mark(text: str) -> tuple[int, int, int]:
    found = _MARK.fullmatch(text.strip())
    year, month, day = (int(found[name] or 0) for name in ("year", "month", "day")) if found else (0, 0, 0)
    if found is None or month > 12 or (found["month"] and not month):
        raise ValueError(tr("dates are expected, such as 12-24, 2026-02-17..2026-02-23 or *-15"))
    if not 1 <= day <= _LONGEST_MONTH[month - 1 if month else 0]:
        raise ValueError(tr("dates are expected, such as 12-24, 2026-02-17..2026-02-23 or *-15"))
    return year, month, day


def dates_text(spans: Iterable[DateSpan]) -> str:
    """The dates, as `dates` reads them."""
    return ",".join(
        _mark_text(span.first) + (f"..{_mark_text(span.last)}" if span.first != span.last else "") for span in spans
    )


def _mark_text(mark: tuple[int, int, int]) -> str:
    year, month, day = mark
    if not month:
        return f"*-{day:02d}"
    return f"{year:04d}-{month:02d}-{day:02d}" if year else f"{month:02d}-{day:02d}"


# -- tax


def tax(text: str) -> int:
    """A tax in percent as millionths: `6`, `6%`, `13.5`."""
    try:
        micro = money.parse(text.strip().rstrip("%％").strip())
    except ValueError:
        micro = -1
    if micro % 100 or not 0 <= micro <= 100 * money.MICRO:
        raise ValueError(tr("a tax in percent is expected, such as 6 or 13.5"))
    return micro // 100


def tax_text(millionths: int) -> str:
    """The tax in percent, as `tax` reads it."""
    return money.text(millionths * 100, 0)


# -- what is less common, by name


def figure_terms(figures: Figures) -> dict[str, str]:
    """What four whole figures leave open, each term by its name and in its spelling."""
    lengths = {"initial_s": figures.initial_s, "step_s": figures.step_s, "per_s": figures.per_s}
    parts = {name: seconds_text(value) for name, value in lengths.items() if not isinstance(value, int)}
    terms = {name: text for name, text in parts.items() if "." in text}
    if figures.tiers:
        terms["tiers"] = tiers_text(figures.tiers)
    if figures.counting != "begun":
        terms["counting"] = figures.counting
    if figures.step_decimals is not None:
        terms["step_decimals"] = str(figures.step_decimals)
    return terms


def window_terms(window: Window) -> dict[str, str]:
    """The days, dates and minutes of a window, and the terms of its figures."""
    terms = {
        "days": days_text(window.days),
        "dates": dates_text(window.dates),
        "minutes": minutes_text(window.minutes),
    }
    return {name: text for name, text in terms.items() if text} | figure_terms(window.figures)


def price_terms(price: Price) -> dict[str, str]:
    """What is less common in a price, and the terms of its own figures."""
    terms = {
        "maximum_fee": money.text(price.maximum_fee_micro) if price.maximum_fee_micro else "",
        "grace_s": str(price.grace_s or ""),
        "fee_decimals": "" if price.decimals is None else str(price.decimals),
        "fee_rounding": price.rounding or "",
    }
    return {name: text for name, text in terms.items() if text} | figure_terms(price.figures)


READERS: dict[str, Callable[[str], Any]] = {
    "tiers": tiers,
    "step_decimals": int,
    "counting": str,
    "days": days,
    "dates": dates,
    "minutes": minutes,
    "grace_s": int,
    "fee_decimals": int,
    "fee_rounding": str,
    "maximum_fee": money.parse,
    "initial_s": seconds,
    "step_s": seconds,
    "per_s": seconds,
}
FIGURE_TERMS = ("initial_s", "step_s", "per_s", "tiers", "counting", "step_decimals")
WINDOW_TERMS = ("days", "dates", "minutes")
PRICE_TERMS = ("maximum_fee", "grace_s", "fee_decimals", "fee_rounding")
NAMES = {"maximum_fee": "maximum_fee_micro", "fee_decimals": "decimals", "fee_rounding": "rounding"}


def read_terms(terms: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    """Those of the terms that have one of these names, as `Figures`, `Window` and `Price` take them."""
    return {NAMES.get(name, name): READERS[name](terms[name]) for name in names if name in terms}
