"""Exact amounts: whole micro-units inside, `Decimal` at the edges, and the only place that rounds.

A micro-unit is 0.000001 of the currency, so 0.07 CNY is the integer 70000. Prices have at most six
decimals; sums and products of integers are exact; a fee is rounded once per call, half up.

>>> parse("0.07")
70000
>>> text(round_half_up(14 * parse("0.07"), 2), 2)
'0.98'
"""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

Rounding = Literal["half_up", "half_even", "up", "down"]

MICRO = 1_000_000
MAX_MICRO = 2**63 - 1  # what SQLite can store
MAX_FEE_MICRO = 10**15  # of a call: a thousand million, of which thousands may be added up in 64 bits


# Of amounts with no more decimals than are shown, which most are: the smallest one, and how one is written.
_PLAIN = {places: (10 ** (6 - places), f"%s%d.%0{places}d") for places in range(1, 7)}


def parse(value: str | int | Decimal) -> int:
    """Micro-units of a decimal amount; ValueError for what is not a finite amount of at most six decimals."""
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
        micro = amount.scaleb(6)
    except (InvalidOperation, ArithmeticError) as error:
        raise ValueError(f"{value!r} is not an amount") from error
    if not amount.is_finite():
        raise ValueError(f"{value!r} is not an amount")
    if abs(micro) > MAX_MICRO:
        raise ValueError(f"{value!r} is too large an amount")
    if micro != int(micro):
        raise ValueError(f"{value!r} has more than six decimals")
    return int(micro)


def round_half_up(micro: int | Fraction, decimals: int) -> int:
    """The amount rounded to `decimals` places, a half away from zero (0.005 becomes 0.01).

    A rate per minute charged by the second may leave a fraction of a micro-unit until here.
    """
    unit: int = 10 ** (6 - decimals)
    size = -micro if micro < 0 else micro
    rounded = (2 * size + unit) // (2 * unit) * unit
    return -rounded if micro < 0 else rounded


def rounded(micro: int | Fraction, decimals: int, rounding: Rounding = "half_up") -> int:
    """The amount rounded to `decimals` places (-2: hundreds): a half up, a half to even, always up, always down.

    >>> rounded(parse("2.41"), 1, "up"), rounded(parse("550"), -2, "up"), rounded(parse("0.125"), 2, "half_even")
    (2500000, 600000000, 120000)
    """
    if rounding == "half_up":
        return round_half_up(micro, decimals)
    unit: int = 10 ** (6 - decimals)
    size = -micro if micro < 0 else micro
    count, rest = divmod(size, unit)
    if rounding == "up":
        count += bool(rest)
    elif rounding == "half_even":
        count += 2 * rest > unit or (2 * rest == unit and count % 2)
    found = int(count) * unit
    return -found if micro < 0 else found


def average(micro: int, count: int, decimals: int) -> int:
    """What each of `count` costs of an amount, rounded half up to `decimals` places."""
    unit: int = 10 ** (6 - decimals) * count
    rounded = (2 * abs(micro) + unit) // (2 * unit) * (unit // count)
    return -rounded if micro < 0 else rounded


def text(micro: int, decimals: int = 2) -> str:
    """The exact amount as decimal text with at least `decimals` places and no needless zeros beyond them."""
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    if decimals in _PLAIN and not part % _PLAIN[decimals][0]:
        unit, pattern = _PLAIN[decimals]
        return pattern % (sign, whole, part // unit)
    digits = f"{part:06d}"
    shown = max(decimals, len(digits.rstrip("0")))
    return f"{sign}{whole}.{digits[:shown]}" if shown else f"{sign}{whole}"
