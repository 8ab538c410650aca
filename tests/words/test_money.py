"""Exact amounts: nothing is lost on the way in or out, and rounding happens in one way only."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing import money


@pytest.mark.parametrize(
    ("text", "micro"), [("0.07", 70_000), ("1", 1_000_000), (" 0.000001 ", 1), ("-2.5", -2_500_000), ("1e-2", 10_000)]
)
def test_decimal_text_becomes_whole_micro_units(text: str, micro: int) -> None:
    """What an engineer types is what is stored."""
    assert money.parse(text) == micro


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "0.0000001", "1e30", "0,07"])
def test_what_is_no_exact_amount_is_refused(text: str) -> None:
    """A price is never rounded or guessed on its way in."""
    with pytest.raises(ValueError, match=r"amount|decimals"):
        money.parse(text)


@pytest.mark.parametrize(
    ("amount", "decimals", "rounded"),
    [("2.675", 2, "2.68"), ("0.005", 2, "0.01"), ("0.004999", 2, "0.00"), ("-0.005", 2, "-0.01"), ("1.5", 0, "2")],
)
def test_a_half_is_rounded_away_from_zero(amount: str, decimals: int, rounded: str) -> None:
    """2.675 is 2.68, where binary floats say 2.67."""
    assert money.text(money.round_half_up(money.parse(amount), decimals), decimals) == rounded


def test_text_shows_every_digit_that_counts() -> None:
    """Two decimals at least, and never fewer than the amount has."""
    assert [money.text(micro) for micro in (0, 220_000, 42_000, 1, -70_000)] == [
        "0.00",
        "0.22",
        "0.042",
        "0.000001",
        "-0.07",
    ]


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_there_and_back_is_the_same(micro: int) -> None:
    """Text is exact: reading it again gives the very amount."""
    assert money.parse(money.text(micro)) == micro


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_rounding_agrees_with_decimal(micro: int, decimals: int) -> None:
    """The integer rule is decimal's ROUND_HALF_UP."""
    exact = Decimal(micro).scaleb(-6).quantize(Decimal(1).scaleb(-decimals), rounding="ROUND_HALF_UP")
    assert money.round_half_up(micro, decimals) == int(exact.scaleb(6))


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), st.integers(0, 6))
def test_an_average_is_rounded_as_the_exact_part(micro: int, count: int, decimals: int) -> None:
    """What each of several costs, half away from zero, whatever the sum."""
    assert money.average(micro, count, decimals) == money.round_half_up(Fraction(micro, count), decimals)
