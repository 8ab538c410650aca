"""Price lists as carriers write them: units, increments, codes, days and words; what is not understood is refused."""

import io
import re
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing import money
from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.lists.tariffs import Assumptions, FileForm, Home, Imported, prefixes, read, units, write
from ippbx_billing.manual import FOLDER
from ippbx_billing.numbering import Numbering
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Price, TariffBook, checks
from ippbx_billing.tariffs.changes import changes, succeeding
from ippbx_billing.tariffs.rating import talk_micro

TODAY = date(2026, 11, 1)
ACME = Carrier("acme", "", "", "acme", default=True)
EURO = Assumptions(TODAY, home=Home("DE"), carrier="acme", currency="EUR")


def sheet(text: str, assume: Assumptions = EURO) -> Imported:
    return read("deck.csv", text.encode(), assume)


def one(text: str, assume: Assumptions = EURO) -> Price:
    found = sheet(text, assume)
    assert [str(fault) for fault in found.faults] == []
    (price,) = found.prices
    return price


def minute(price: Price, seconds: int = 60) -> Decimal:
    """What so many seconds cost."""
    micro = Fraction(talk_micro(price.figures, seconds))
    return Decimal(micro.numerator) / Decimal(micro.denominator) / money.MICRO


def faults(text: str, assume: Assumptions = EURO) -> str:
    found = sheet(text, assume)
    assert found.faults, found.prices
    return "\n".join(map(str, found.faults))


# --- Units ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell", "a_minute"),
    [
        ("Rate", "0.05", "0.05"),
        ("Rate (EUR)", "0.05", "0.05"),
        ("Rate (EUR cent)", "5", "0.05"),
        ("Price in cents", "5", "0.05"),
        ("ct/min", "5", "0.05"),
        ("Rate (per hour)", "3", "0.05"),
        ("Rate / hour", "0.5", "0.008333"),
        ("Rate per second", "0.001", "0.06"),
        ("Price (EUR/6 sec)", "0.005", "0.05"),
        ("Rate", "0.05/min", "0.05"),
        ("Rate", "€0.05", "0.05"),
        ("Rate", "0,05 EUR", "0.05"),
        ("Rate", "5c", "0.05"),
        ("Rate", "5 ct/min", "0.05"),
        ("Rate", "0.001 per second", "0.06"),
        ("Rate (excl. VAT)", "0.05", "0.05"),
    ],
)
def test_an_amount_is_in_its_unit(heading: str, cell: str, a_minute: str) -> None:
    """Whole or minor units, per hour, minute, second or block, in the heading or in the cell."""
    price = one(f"Prefix;{heading};Increments\n44;{cell};60/60\n")
    assert round(minute(price), 6) == Decimal(a_minute)


@pytest.mark.parametrize(
    ("country", "currency", "heading", "cell", "a_minute"),
    [
        ("GB", "GBP", "Rate (p/min)", "2", "0.02"),
        ("GB", "GBP", "ppm", "2", "0.02"),
        ("GB", "GBP", "Rate", "2p", "0.02"),
        ("CN", "CNY", "资费（分/分钟）", "24", "0.24"),
        ("CN", "CNY", "资费", "0.24元/分钟", "0.24"),
        ("CN", "CNY", "費率（元/6秒）", "0.024", "0.24"),
        ("IN", "INR", "Rate (paise)", "50", "0.50"),
        ("BR", "BRL", "Rate", "R$ 0.10", "0.10"),
        ("US", "USD", "Rate (¢)", "2", "0.02"),
        ("KZ", "KZT", "Rate (₸)", "2", "2"),
    ],
)
def test_minor_units_of_other_currencies(country: str, currency: str, heading: str, cell: str, a_minute: str) -> None:
    """Pence, 分, paise and cents are of the site's own currency."""
    assume = replace(EURO, home=Home(country), currency=currency)
    assert minute(one(f"Prefix,{heading},Increments\n33,{cell},60/60\n", assume)) == Decimal(a_minute)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("Prefix,Rate (USD),Increments\n44,1,60/60\n", "it is in USD, and the site keeps its accounts in EUR"),
        ("Prefix,Rate,Increments\n44,US$1,60/60\n", "it is in USD"),
        ("Prefix,Rate (pence),Increments\n44,1,60/60\n", "in another currency"),
        ("Prefix,Rate (per hour),Increments\n44,1/min,60/60\n", "its unit differs from the heading's"),
        ("Prefix,Rate (incl. VAT),Increments\n44,1,60/60\n", "'incl', which is not understood"),
        ("Prefix,Rate,Increments,Surcharge\n44,1,60/60,0.5\n", "say --ignore 'Surcharge'"),
        ("Prefix,Rate,Increments,Foo\n44,1,60/60,0.5\n", "say --ignore 'Foo'"),
        ("Prefix,Rate,Price,Increments\n44,1,2,60/60\n", "say --ignore 'Price'"),
        ("Prefix,Rate,Minimum,Increments\n44,1,30,6\n", "Minimum may be seconds or money"),
        ("Prefix,Rate,Increments\n44,0,05,60/60\n", "more cells than there are headings"),
        ("Prefix,Rate,Increments\n44,200000000,60/60\n", "an amount of at most 100000000 is expected"),
        ("Prefix,Rate,Off-Peak Rate,Increments\n44,2,1,60/60\n", "say --off-peak 18:00-08:00"),
        ("Destination,Prefix,Rate,Increments\nX,44,1,60\nY,,2,60\n", "line 3: the row names no code"),
        ("Prefix,Rate,Increments,Status\n44,1,60,fluffy\n", "Status is 'fluffy'"),
        ("Prefix,Rate,Minimum Duration,Increments\n44,1,30,60/6\n", "contradict each other"),
        ("Prefix,Rate,Increments\n030,1,60\n", "no country has a code that begins with 0"),
    ],
)
def test_what_is_not_understood_and_touches_money_is_refused(table: str, fault: str) -> None:
    """No remark that somebody overlooks: a fault, with the option that settles it."""
    assert fault in faults(table)


def test_what_does_not_touch_money_is_only_told() -> None:
    """And a column that was named with --ignore is none."""
    assert sheet("Prefix,Rate,Increments,Route\n44,1,60/60,gold\n").remarks == ("not used: Route",)
    assert sheet("Prefix,Rate,Increments,Grace Time\n44,1,60/60,0\n").faults == ()
    ignoring = replace(EURO, ignored=("surcharge",))
    assert minute(one("Prefix,Rate,Increments,Surcharge\n44,1,60/60,0.5\n", ignoring)) == 1


@settings(deadline=None)
@given(st.text(max_size=20))
def test_a_unit_is_read_or_kept(text: str) -> None:
    """Whatever stands beside a number, reading ends with an answer."""
    assert units.unit(text).divisor in (1, 10, 100, 1000)


# --- More decimals than six -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FileForm)
@settings(deadline=None)
@given(
    digits=st.integers(1, 10**8),
    places=st.integers(0, 12),
    increments=st.sampled_from(["60/60", "1/1", "30/6", "7/3", "0/60"]),
)
def test_rates_keep_all_their_decimals(form: FileForm, digits: int, places: int, increments: str) -> None:
    """Through the list, through rating and through every file of ours."""
    rate = Decimal(digits).scaleb(-places)
    price = one(f"prefix;rate;increments\n44;{rate:f};{increments}\n", replace(EURO, separator="point"))
    seconds = 3 * max(price.figures.initial_s, price.figures.step_s)
    blocks = price.figures.initial_s + -(-(seconds - price.figures.initial_s) // price.figures.step_s) * (
        price.figures.step_s
    )
    assert Fraction(talk_micro(price.figures, seconds)) == Fraction(rate) * blocks * money.MICRO / 60
    again = read(f"x.{form}", write(form, [ACME], [price]), Assumptions(TODAY))
    assert (again.faults, again.prices) == ((), (price,))


# --- Increments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        ("Increments", "30/6"),
        ("Increments", "30+6"),
        ("Increments", "30s/6s"),
        ("Initial Increment,Increment", "30,6"),
        ("Minimum Duration,Billing Increment", "30,6"),
        ("Minimum Time,Increments", "30,6/6"),
        ("Minimum (sec),Increment", "30,6"),
        ("Min Seconds,Increment (s)", "30,6"),
        ("First Interval,Next Interval", "30,6"),
        ("Interval 1,Interval N", "30,6"),
        ("起步时长,计费单位", "30,6"),
        ("起步时长（秒）,计费周期（秒）", "30,6"),
        ("Initial Block (min),Next", "0.5,6"),
    ],
)
def test_increments_in_every_spelling(headings: str, cells: str) -> None:
    """The first 30 s, then each 6 s."""
    if "0.5" in cells:
        assert "whole seconds" in faults(f"Prefix,Rate,{headings}\n44,0.60,{cells}\n")
        return
    price = one(f"Prefix,Rate,{headings}\n44,0.60,{cells}\n")
    assert price.figures == Figures(30, 300_000, 6, 60_000)


@pytest.mark.parametrize(
    ("cell", "step_s"),
    [("2026-01-01", 1), ("1-Jan", 1), ("6-Jun", 6), ("6月6日", 6), ("per minute", 60), ("1 min", 60)],
)
def test_what_a_spreadsheet_made_of_increments(cell: str, step_s: int) -> None:
    """1/1 becomes the first of January; 1/60 becomes January 1960 and is not 1/1."""
    assert one(f"Prefix,Rate,Increments\n44,0.60,{cell}\n").figures.step_s == step_s
    assert "increments are expected" in faults("Prefix,Rate,Increments\n44,0.60,1960-01-01\n")
    assert "increments are expected" in faults("Prefix,Rate,Increments\n44,0.60,30-Jun\n")


# --- Codes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("61 38,39", "6138 6139"),
        ("+61 38,39", "6138 6139"),
        ("61(28,29)", "6128 6129"),
        ("61 38-39", "6138 6139"),
        ("4915, 16, 17", "4915 4916 4917"),
        ("44-79", "4479"),
        ("49-30", "4930"),
        ("8610-8613", "8610 8611 8612 8613"),
        ("44208-12", "44208 44209 44210 44211 44212"),
        ("1809, 1829; 1849", "1809 1829 1849"),
        ("33, 34, 7", "33 34 7"),
        ("011 44 20", "4420"),
        ("0044", "44"),
        ("+44 (0)20", "4420"),
        ("(44) 20", "4420"),
        ("49 30, 89", "4930 4989"),
        ("44 1481/1534", "441481 441534"),
    ],
)
def test_codes_in_all_shapes(cell: str, codes: str) -> None:
    """Lists, ranges, continuations, access codes."""
    assert prefixes.prefixes(cell) == codes.split()


@pytest.mark.parametrize(
    "cell", ["52 33", "93(C)", "33-34", "44-49-50", "1242, 246", "4915, 351", "44.20", "44/1481", "+"]
)
def test_what_may_be_another_countrys_is_asked_back(cell: str) -> None:
    """33 is France as well as an area of Mexico; never a price for a country that was not meant."""
    with pytest.raises(ValueError, match=r"code|prefixes"):
        prefixes.prefixes(cell)


def test_a_country_code_in_a_column_of_its_own() -> None:
    """With trunk zeros where people dial them, or with the whole code again."""
    apart = sheet("Country Code,Area Codes,Rate,Increments\n39,06,1,60\n49,030,2,60\n44,20,3,60\n49,,4,60\n")
    assert [price.value.lstrip("+") for price in apart.prices] == ["3906", "4930", "4420", "49"]
    whole = sheet("Country Code,Prefix,Rate,Increments\n49,4930,1,60\n44,4420,2,60\n", replace(EURO, home=Home("US")))
    assert [price.value for price in whole.prices] == ["4930", "4420"]


# --- Days and status ------------------------------------------------------------------------------------------------


def test_a_list_shows_the_order_of_its_dates() -> None:
    """25/10 can only be a day and a month; alone 01/11 is asked back, and --dates says it."""
    table = "Prefix;Rate;Increments;Effective Date\n44;1;60;25/10/2026\n33;1;60;01/11/2026\n"
    assert [price.effective_from for price in sheet(table).prices] == [date(2026, 10, 25), date(2026, 11, 1)]
    alone = "Prefix;Rate;Increments;Effective Date\n33;1;60;01/11/26\n"
    assert "--dates dmy" in faults(alone)
    assert one(alone, replace(EURO, dates="mdy")).effective_from == date(2026, 1, 11)


def fee(book: TariffBook, numbering: Numbering, number: str, day: date) -> Decimal | None:
    """What a minute costs on that day."""
    price = book.price_for(ACME, numbering.classify(number), Direction.OUTBOUND, day)
    return None if price is None else minute(price)


GERMANY = Numbering(country="DE", area_code="")


def book_of(text: str, assume: Assumptions = EURO) -> TariffBook:
    found = sheet(text, assume)
    assert [str(fault) for fault in found.faults] == []
    return TariffBook([ACME], (), found.prices, HolidayCalendar(""))


def test_a_code_ends() -> None:
    """After its last day a shorter code holds again, and where none does the call has no price."""
    book = book_of(
        "Prefix,Rate,Increments,Effective Date,End Date\n33,1,60,2026-10-01,\n336,2,60,2026-10-01,2026-10-31\n"
        "34,3,60,2026-10-01,2026-10-31\n34,4,60,2026-11-01,\n39,5,60,2026-10-01,2026-10-15\n"
    )
    october, november = date(2026, 10, 31), date(2026, 11, 1)
    assert [fee(book, GERMANY, "0033612345678", day) for day in (october, november)] == [2, 1]
    assert [fee(book, GERMANY, "0034912345678", day) for day in (october, november)] == [3, 4]
    assert fee(book, GERMANY, "00390612345678", november) is None


@pytest.mark.parametrize(
    "row", ["337,,60,Blocked", "337,0,60,Blocked", "337,Blocked,60,", "337,N/A,60,New", "337,-,60,", "337,0.1,60,封锁"]
)
def test_a_blocked_code_is_not_free(row: str) -> None:
    """Nor has it the price of the shorter code."""
    book = book_of(f"Prefix,Rate,Increments,Status\n33,1,60,new\n{row}\n")
    assert fee(book, GERMANY, "0033712345678", TODAY) is None
    assert fee(book, GERMANY, "0033112345678", TODAY) == 1


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        ("Old Rate,New Rate", "1,2"),
        ("Current Rate,New Rate", "1,2"),
        ("Rate,New Rate", "1,2"),
        ("New Rate,Rate", "2,1"),
        ("原费率,新费率", "1,2"),
        ("Rate,New Rate", "2,"),
        ("Current Rate", "2"),
    ],
)
def test_the_new_rate_is_the_one_that_holds(headings: str, cells: str) -> None:
    """Where both stand there; an unchanged row leaves the new one empty."""
    assert minute(one(f"Prefix,{headings},Increments\n44,{cells},60\n")) == 2


def test_a_new_list_leaves_the_past() -> None:
    """What it no longer names ends with its first day; what would have begun later is taken out."""
    old = sheet(
        "Prefix,Rate,Increments,Effective Date\n44,1,60,2026-01-01\n33,2,60,2026-01-01\n34,3,60,2027-01-01\n"
    ).prices
    new = sheet("Prefix,Rate,Increments,Effective Date\n44,5,60,2026-11-01\n").prices
    change = succeeding(old, new, TODAY)
    assert [(price.value, price.status, price.effective_from) for price in change.added] == [
        ("44", "open", date(2026, 11, 1)),
        ("33", "ended", date(2026, 11, 1)),
    ]
    assert [price.value for price in change.removed] == ["34"]
    book = TariffBook([ACME], (), [*old[:2], *change.added], HolidayCalendar(""))
    days = date(2026, 10, 31), date(2026, 11, 1)
    assert [fee(book, GERMANY, "0033112345678", day) for day in days] == [2, None]
    assert [fee(book, GERMANY, "00442079460000", day) for day in days] == [1, 5]


@pytest.mark.parametrize("form", FileForm)
@pytest.mark.parametrize("status", ["ended", "blocked"])
def test_an_end_goes_through_every_form(form: FileForm, status: Any) -> None:
    """And is the same row there and back."""
    (price,) = sheet("Prefix,Rate,Increments\n44,1,60\n").prices
    price = replace(price, status=status, figures=Figures(0, 0, 0, 0))
    again = read(f"x.{form}", write(form, [ACME], [price]), Assumptions(TODAY))
    assert (again.faults, again.prices) == ((), (price,))
    assert not changes([price], again.prices, whole=True)


# --- Home -----------------------------------------------------------------------------------------------------------

HOMES = [
    ("GB", "020", "44", {"02079460000": "4420", "01612345678": "44", "07400123456": "447", "08712345678": "4487",
                          "09012345678": "4490", "08001111111": "44800", "01481712345": "441481"}),
    ("US", "212", "1", {"12125552345": "1212", "4152345678": "1415", "18002345678": "1800", "19002345678": "1900",
                         "14165551234": "1416", "18765551234": "1876"}),
    ("DE", "030", "49", {"03012345678": "4930", "08912345678": "49", "015112345678": "4915", "08001234567": "49800",
                          "09001234567": "49900"}),
    ("CN", "022", "86", {"02258674577": "8622", "58674577": "8622", "01062345678": "86", "13820000000": "8613",
                          "4006001234": "86400"}),
    ("IT", "06", "39", {"0612345678": "3906", "0212345678": "39", "3331234567": "393", "899123456": "39899",
                         "3906123456": "393"}),
    ("BR", "11", "55", {"01131234567": "5511", "01521931234567": "55", "011987654321": "55119"}),
    ("KZ", "727", "7", {"87012345678": "7701", "84951234567": "7495", "87272345678": "7727"}),
    ("IN", "11", "91", {"01123456789": "9111", "09812345678": "9198", "18001234567": "911800"}),
]  # fmt: skip


@pytest.mark.parametrize("with_area", [True, False], ids=["with-area", "without"])
@pytest.mark.parametrize("typed", ["", "domestic", "international", "local"])
@pytest.mark.parametrize(("country", "area", "code", "calls"), HOMES, ids=[home[0] for home in HOMES])
def test_calls_at_home_find_their_row(
    country: str, area: str, code: str, calls: dict[str, str], typed: str, with_area: bool
) -> None:
    """Local, mobile, toll-free, premium or of another country with the same code: the longest code decides."""
    area = area if with_area else ""
    codes = sorted({code, *calls.values()})
    assume = replace(
        EURO,
        home=Home(country, area),
        separator="point",
        traffic_type=TrafficType(typed) if typed else None,
    )
    if typed == "local" and country == "CN":
        return  # digits of the area's own numbers begin with 8 as well
    rates = {one: index + 1 for index, one in enumerate(codes)}
    book = book_of("prefix,rate,increments\n" + "".join(f"{one},{rates[one]},60\n" for one in codes), assume)
    numbering = Numbering(country=country, area_code=area)
    dialled = {number: wanted for number, wanted in calls.items() if with_area or len(number) > 8 or country != "CN"}
    found = {number: fee(book, numbering, number, TODAY) for number in dialled}
    assert found == {number: rates[wanted] for number, wanted in dialled.items()}


def test_an_own_price_goes_before_the_bare_country_code() -> None:
    """`44` in a list is the country; a price for all local calls says more, and a longer code says more than that."""
    numbering = Numbering(country="GB", area_code="020")
    found = sheet("prefix,rate,increments\n44,1,60\n4420794,2,60\n", replace(EURO, home=Home("GB", "020"))).prices
    local = replace(found[0], traffic_type=TrafficType.LOCAL, match="any", value="", figures=Figures(60, 9, 60, 9))
    book = TariffBook([ACME], (), [*found, local], HolidayCalendar(""))
    assert fee(book, numbering, "02081234567", TODAY) == Decimal("0.000009")
    assert fee(book, numbering, "02079460000", TODAY) == 2
    assert fee(book, numbering, "01612345678", TODAY) == 1


# --- Files ----------------------------------------------------------------------------------------------------------

CHINESE = "目的地,前缀,费率,计费单位\n英国,44,0.05,60/60\n"
TRADITIONAL = "目的地,前綴,費率,計費單位\n英國,44,0.05,60/60\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "utf-8"),
        ("Destination;Prefix;Rate;Increments\nCôte d’Ivoire £;44;0,05;60/60\n", "cp1252"),
    ],
)
def test_files_in_every_usual_encoding(text: str, encoding: str) -> None:
    """With a mark or without."""
    found = read("deck.csv", text.encode(encoding), EURO)
    assert [str(fault) for fault in found.faults] == []
    assert [(price.value, minute(price)) for price in found.prices] == [("44", Decimal("0.05"))]


def test_merged_cells_and_headings_again() -> None:
    """A cell merged downwards holds for each of its rows; headings on each page are not prices."""
    book = openpyxl.Workbook()
    table = book.create_sheet("Rates", 0)
    for row in (["Destination", "Code", "Rate", "Increments"], ["France", "336", 0.02, "60/60"], [None, "337"],
                ["Destination", "Code", "Rate", "Increments"], ["Spain", "34", 0.03, "1/1"]):  # fmt: skip
        table.append(row)
    for cells in ("A2:A3", "C2:C3", "D2:D3"):
        table.merge_cells(cells)
    content = io.BytesIO()
    book.save(content)
    found = read("deck.xlsx", content.getvalue(), EURO)
    assert [str(fault) for fault in found.faults] == []
    assert [(price.value, price.note) for price in found.prices] == [
        ("336", "France"),
        ("337", "France"),
        ("34", "Spain"),
    ]


# --- Columns whose words are the sender's ---------------------------------------------------------------------------


def test_a_type_is_a_label_where_the_code_decides() -> None:
    """Mobile or fixed tells rows apart only where their codes do not."""
    label = one("Country,Type,Prefix,Rate,Increments\nAfghanistan,Mobile,9379,0.2,60\n")
    assert (label.line_kind, label.value) == (None, "9379")
    apart = sheet("Type,Prefix,Rate,Increments\nMobile,55,0.2,60\nFixed,55,0.1,60\n").prices
    assert [str(price.line_kind) for price in apart] == ["mobile", "fixed"]
    assert [price.value for price in sheet("Service,Prefix,Rate,Increments\nVoice,44,1,60\nSMS,44,2,60\n").prices] == [
        "44"
    ]


def test_an_operator_is_the_carrier_only_where_none_is_named() -> None:
    """Decks name the destination's network so; --carrier goes before it."""
    table = "Country,Operator,Prefix,Rate,Increments\nAfghanistan,Roshan,9379,0.2,60\n"
    assert (one(table).carrier, one(table).note) == ("acme", "Roshan Afghanistan")
    assert one(table, replace(EURO, carrier=None)).carrier == "Roshan"
    assert one("Direction,Prefix,Rate,Increments\nKabul,9379,1,60\n").note == "Kabul"
    inbound = one("Direction,Prefix,Rate,Increments\nincoming,9379,1,60\n")
    assert inbound.direction is Direction.INBOUND


# --- Checks ---------------------------------------------------------------------------------------------------------


def test_rows_that_no_call_finds_are_named() -> None:
    """With the reason."""
    rows = "49030,1,60", "999,1,60", "4412345678901234,1,60", "44,1,60"
    prices = sheet("prefix,rate,increments\n" + "\n".join(rows) + "\n", replace(EURO, home=Home("US"))).prices
    found = [
        one.sentence for one in checks.check(ACME, prices, TODAY, country="US", area_code="") if one.kind == "never"
    ]
    assert found == [
        "49030: no call finds it, because behind 49 no number begins with 0",
        "999: no call finds it, because no country has such a code",
        "4412345678901234: no call finds it, because no number is that long",
    ]


def _steps(prices: list[Price]) -> int:
    """How many calls of functions a check takes."""
    count = 0

    def heard(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(heard)
    try:
        checks.check(ACME, prices, TODAY, country="US")
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("shape", ["prefix", "pattern"])
def test_checks_take_twice_as_long_for_twice_the_rows(shape: Any) -> None:
    """And not four times."""
    (model,) = sheet("prefix,rate,increments\n44,1,60\n").prices
    values = [f"44{number:05d}" + ("X" * (number % 3) if shape == "pattern" else "") for number in range(1600)]
    prices = [replace(model, match=shape, value=value) for value in values]
    _steps(prices)
    assert _steps(prices) < 2.5 * _steps(prices[:800])


def test_the_deck_of_the_manual_costs_what_it_says() -> None:
    """Its block is imported as it stands there."""
    manual = FOLDER / "en" / "prices.md"
    (deck,) = re.findall(r"^```csv deck.csv\n(.*?)^```$", manual.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    book = book_of(deck)
    october, november = date(2026, 10, 31), date(2026, 11, 1)
    assert fee(book, GERMANY, "00442079460000", october) == Decimal("0.0125")
    assert fee(book, GERMANY, "016012345678", october) == Decimal("0.02")
    assert fee(book, GERMANY, "0061391234567", october) == Decimal("0.00311351")
    assert fee(book, GERMANY, "0061391234567", november) is None
    assert fee(book, GERMANY, "00252612345678", november) is None
