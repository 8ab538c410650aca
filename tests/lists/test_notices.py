"""What a price list says around its table, and headings and cells in which money would be lost in silence."""

from datetime import date

import pytest

from ippbx_billing.lists.tariffs import Assumptions, Home, Imported, read
from ippbx_billing.lists.tariffs.views import in_words

TODAY = date(2026, 11, 30)
BERLIN = Assumptions(TODAY, home=Home("DE"), carrier="acme", currency="EUR")
ROW = "Prefix,Rate,Increments\n44,5,60/60\n"


def deck(text: str) -> Imported:
    return read("deck.csv", text.encode(), BERLIN)


def told(text: str) -> list[tuple[str, str]]:
    """Price and first day of each row."""
    found = deck(text)
    assert found.faults == (), found.faults
    return [(in_words(price), price.effective_from.isoformat()) for price in found.prices]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Acme\nAll rates in euro cents per minute\n" + ROW, [("0.05/60s", "2026-11-30")]),
        ("Rates in EUR per hour\n" + ROW, [("0.50/360s (60/60s)", "2026-11-30")]),
        ("Currency: EUR\n" + ROW, [("5.00/60s", "2026-11-30")]),
        ("Effective date: 15 December 2026\n" + ROW, [("5.00/60s", "2026-12-15")]),
        ("生效日期：2026年12月15日\n" + ROW, [("5.00/60s", "2026-12-15")]),
        ("Valid until 2026-12-31\n" + ROW, [("5.00/60s", "2026-11-30"), ("has ended", "2027-01-01")]),
        ("Billing increments: 30/6\nPrefix,Rate\n44,0.05\n", [("0.025/30s + 0.005/6s", "2026-11-30")]),
        ("Prefix,1st Minute,Add'l Minute\n44,0.10,0.05\n", [("0.10/60s + 0.05/60s", "2026-11-30")]),
        (
            "Prefix,Rate 1,Rate N,Interval 1,Interval N\n44,0.10,0.06,60,30\n",
            [("0.10/60s + 0.03/30s", "2026-11-30")],
        ),
        (
            "Prefix,Weekday Rate,Weekend Rate,Increments\n44,0.05,0.03,60/60\n",
            [("0.05/60s; weekend 00:00-24:00: 0.03/60s", "2026-11-30")],
        ),
        (
            "Prefix,Setup (cents),Rate (cents),Increments\n44,5,2,60/60\n",
            [("0.02/60s; connection 0.05", "2026-11-30")],
        ),
        (
            "Prefix,Rate,Increments,Max Charge,Grace Period (sec)\n44,0.05,60/60,2.00,5\n",
            [("0.05/60s; at most 2.00; free up to 5 s", "2026-11-30")],
        ),
        ("Prefix,Rate,Increments,Effective\n44,0.05,60/60,immediately\n", [("0.05/60s", "2026-11-30")]),
    ],
)
def test_what_stands_around_the_table_holds_for_its_rows(text: str, wanted: list[tuple[str, str]]) -> None:
    """Units, days and increments above or below the rows are those of every row that says nothing else."""
    assert told(text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Currency: USD\n" + ROW, "it is in USD"),
        (ROW + "All rates are in USD\n", "it is in USD"),
        ("Prefix,Rate,Currency,Increments\n44,5,USD,60/60\n", "it is in USD"),
        ("Prefix,Rate,Currency,Increments\n44,5,EUR cent,60/60\n", "three letters of a currency"),
        ("A surcharge of 0.05 applies to every call\n" + ROW, "--ignore 'A surcharge of 0.05"),
        ("Origin,Prefix,Rate,Increments\nEEA,44,0.05,60/60\n", "the column Origin"),
        ("Prefix,Except,Rate,Increments\n44,447,0.05,60/60\n", "the column Except"),
        ("Prefix,Rate,Increments,Start time\n44,0.05,60/60,08:00\n", "the column Start time"),
    ],
)
def test_what_would_change_the_price_is_never_left_out_in_silence(text: str, said: str) -> None:
    """The file is refused, with the place and what to do."""
    found = deck(text)
    assert any(said in str(fault) for fault in found.faults), found
