"""Tariffs in files: what is written is read again, what carriers send is understood, every fault has its place."""

import doctest
import io
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from uuid import uuid4

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.tariffs import Assumptions, FileForm, Imported, cells, columns, read, write
from ippbx_billing.lists.tariffs.home import Home
from ippbx_billing.tariffs import DAY_S, Carrier, Figures, Price, Window, changes, spelling, standard
from ippbx_billing.tariffs.prices import Seconds, Tier

TELECOM = Carrier("022-天津-电信", "022", "天津", "电信", default=True, decimals=3, crossing="split")
TODAY = date(2026, 10, 1)
ASSUME = Assumptions(TODAY, carrier=TELECOM.name)


def sheet(text: str, assume: Assumptions = ASSUME) -> Imported:
    return read("deck.csv", text.encode(), assume)


def one(text: str, assume: Assumptions = ASSUME) -> Price:
    found = sheet(text, assume)
    assert found.faults == ()
    (price,) = found.prices
    return price


def sentences(found: Imported) -> list[str]:
    return [str(fault) for fault in found.faults]


# --- Nothing is lost on the way there and back ----------------------------------------------------------------------

notes = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
micro = st.integers(0, 10**14)
rates = st.integers(0, 10**12)
parts = st.one_of(st.integers(1, 4000), st.integers(1, 4000).map(lambda tenths: Fraction(tenths, 10)))


@st.composite
def tiers_after(draw: st.DrawFn, initial_s: Seconds) -> tuple[Tier, ...]:
    """Up to three tiers, each later than what is before it."""
    found: list[Tier] = []
    at: Seconds = initial_s
    for _ in range(draw(st.integers(0, 3))):
        at += draw(parts)
        per_s = draw(st.sampled_from([0, 60]))
        found.append(Tier(at, draw(parts) if per_s else draw(st.one_of(st.just(0), parts)), draw(rates), per_s))
    return tuple(found)


@st.composite
def figures_with_terms(draw: st.DrawFn) -> Figures:
    """Figures with tiers, completed steps, rounded steps and parts of a second."""
    initial_s = draw(st.one_of(st.just(0), parts))
    return Figures(
        initial_s,
        draw(rates),
        draw(parts),
        draw(rates),
        tiers=draw(tiers_after(initial_s)),
        counting=draw(st.sampled_from(["begun", "completed"])),
        step_decimals=draw(st.one_of(st.none(), st.integers(-6, 6))),
    )


figures_any = st.one_of(
    st.builds(Figures, st.integers(0, 4000), micro, st.integers(0, 4000), micro),
    st.builds(Figures, st.integers(0, 4000), rates, st.integers(1, 4000), rates, st.sampled_from([1, 60])),
    figures_with_terms(),
)
spelled_dates = ["12-24", "12-24..01-02", "2026-02-17..2026-02-23", "*-15", "05-01,10-01..10-07"]
windows_any = st.builds(
    Window,
    st.sampled_from(["daily", "weekend", "holiday"]),
    st.integers(0, DAY_S),
    st.integers(0, DAY_S),
    figures_any,
    st.one_of(st.none(), st.integers(-5, 50)),
    notes,
    st.sets(st.integers(1, 7)).map(lambda days: tuple(sorted(days))),
    st.one_of(st.just(()), st.sampled_from(spelled_dates).map(spelling.dates)),
    st.sets(st.integers(0, 59), max_size=5).map(lambda minutes: tuple(sorted(minutes))),
)
destinations = st.one_of(
    st.just(("any", "")),
    st.tuples(st.just("area"), st.from_regex(r"0[1-9]\d{1,2}", fullmatch=True)),
    st.tuples(st.just("country"), st.sampled_from(["US", "HK", "GB"])),
    st.tuples(st.just("prefix"), st.from_regex(r"\+?[1-9]\d{0,5}", fullmatch=True)),
    st.tuples(st.just("pattern"), st.sampled_from(["3XXX", "400N", r"8\d{2,3}", "[1-3]X"])),
    st.tuples(st.just("called"), st.sampled_from(["4006001234", "800N"])),
)
prices_any = st.builds(
    lambda destination, **rest: Price(None, TELECOM.name, match=destination[0], value=destination[1], **rest),
    destinations,
    traffic_type=st.sampled_from(TrafficType),
    figures=figures_any,
    effective_from=st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    direction=st.sampled_from(Direction),
    line_kind=st.one_of(st.none(), st.sampled_from(LineKind)),
    connection_fee_micro=micro,
    free_s=st.integers(0, 4000),
    minimum_fee_micro=micro,
    add_local=st.booleans(),
    windows=st.lists(windows_any, max_size=3).map(tuple),
    note=notes,
    maximum_fee_micro=st.sampled_from([0, 10**14]),
    grace_s=st.integers(0, 60),
    decimals=st.one_of(st.none(), st.integers(-6, 6)),
    rounding=st.sampled_from([None, "half_up", "half_even", "up", "down"]),
)


@pytest.mark.parametrize("form", FileForm)
@settings(deadline=None, max_examples=60)
@given(prices=st.lists(prices_any, min_size=1, max_size=5))
def test_what_is_written_is_read_again(form: FileForm, prices: list[Price]) -> None:
    """Export and import give the identical prices, whatever stands in them; nothing would change."""
    prices = list({(p.traffic_type, p.direction, p.line_kind, p.match, p.value.lstrip("+0"), p.effective_from): p
                   for p in prices}.values())  # fmt: skip
    found = read(f"tariff.{form}", write(form, [TELECOM], prices), Assumptions(TODAY))
    assert sentences(found) == []
    assert list(found.prices) == prices
    assert not changes(prices, found.prices, whole=True)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prices=st.lists(prices_any, min_size=1, max_size=3))
def test_the_ledger_keeps_a_price_as_it_is(tmp_path: Path, prices: list[Price]) -> None:
    """What is stored comes back the same, with tiers, parts of a second, days and dates."""
    with Ledger(tmp_path / f"{uuid4()}.db") as ledger:
        ledger.book.add_carrier(TELECOM)
        ledger.book.add_prices(prices)
        assert [replace(price, id=None) for price in ledger.book.prices()] == prices


def test_the_settings_of_a_carrier_go_with_its_file() -> None:
    """Rounding, parts of a second and tax come back from TOML."""
    carrier = replace(TELECOM, decimals=-2, rounding="up", crossing="step", part_second="exact", tax_micro=60_000)
    found = read("x.toml", write(FileForm.TOML, [carrier], []), Assumptions(TODAY))
    assert sentences(found) == []
    assert replace(TELECOM, **found.settings) == carrier


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("tiers=300:60", "a tier is expected"),
        ("tiers=600:60:0.05,300:60:0.02", "begins after"),
        ("days=someday", "days of the week are expected"),
        ("dates=02-30", "dates are expected"),
        ("minutes=61", "minutes of the hour are expected"),
        ("counting=half", "one of these is expected"),
        ("colour=red", "but no colour"),
    ],
)
def test_a_term_that_cannot_be_is_refused(cell: str, wanted: str) -> None:
    """The message says what would be right."""
    with pytest.raises(ValueError, match=wanted):
        cells.window(f"daily 00:00-07:00 6:0.04 6:0.04 {cell}")


def test_the_standard_tariff_goes_through_every_form() -> None:
    """The settings of the carrier go with the TOML file."""
    carriers, prices = standard("CN", "022", "天津")
    for form in (FileForm.CSV, FileForm.XLSX):
        assert list(read(f"x.{form}", write(form, carriers, prices), Assumptions(TODAY)).prices) == prices
    for carrier in carriers:
        own = [price for price in prices if price.carrier == carrier.name]
        found = read("x.toml", write(FileForm.TOML, [carrier], own), Assumptions(TODAY))
        assert (list(found.prices), found.whole) == (own, True)
        assert found.settings["place"] == "天津"


@settings(deadline=None)
@given(st.sampled_from(["a.csv", "a.xlsx", "a.toml"]), st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_rubbish_is_a_fault_with_a_place(name: str, content: bytes | str) -> None:
    """Whatever the file holds, reading ends with an answer: without prices there is at least one sentence."""
    found = read(name, content if isinstance(content, bytes) else content.encode("utf-8", "replace"), ASSUME)
    assert found.prices or found.faults or name.endswith("toml")


# --- The lists that carriers send -----------------------------------------------------------------------------------

DECK = """Acme Wholesale;;;;;
Price list of October;;;;;
Destination;Codes;Rate (USD/min);Connect fee;Increments;Effective date
United Kingdom;44;0,0125;0,05;60/6;01.10.2026
UK Mobile;"447, 4479; 44740-44742";0,02;;1/1;1-Oct-2026
Hong Kong;852;0,05;;60/60;2026年11月1日
China;86;0,01;;60;20261101
Rates are subject to change;;;;;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_usual_deck_is_understood(encoding: str) -> None:
    """Titles above, closing words below, semicolons, decimal commas, lists and ranges of prefixes in one cell."""
    found = read("deck.csv", DECK.encode(encoding), ASSUME)
    assert sentences(found) == []
    assert [(price.traffic_type.value, price.value) for price in found.prices] == [
        ("international", "44"),
        ("international", "447"),
        ("international", "4479"),
        ("international", "44740"),
        ("international", "44741"),
        ("international", "44742"),
        ("hk_mo_tw", "852"),
        ("domestic", "+86"),
    ]
    kingdom, mobile, hong_kong, china = (found.prices[place] for place in (0, 1, 6, 7))
    assert kingdom.figures == Figures(60, 12_500, 6, 1_250)
    assert (kingdom.connection_fee_micro, kingdom.note) == (50_000, "United Kingdom")
    assert mobile.figures == Figures(1, 20_000, 1, 20_000, per_s=60)  # 0.02 a minute is not a whole micro a second
    assert (mobile.effective_from, hong_kong.effective_from) == (date(2026, 10, 1), date(2026, 11, 1))
    assert china.figures == Figures(60, 10_000, 60, 10_000)
    assert "line 8 holds neither price nor destination and is left out" in found.remarks


def test_a_chinese_list_is_understood() -> None:
    """Chinese headings, country names and words; the unit stands in the heading."""
    found = sheet("国家,资费（元/6秒）,计费单位,生效日期\n美国,0.24,6/6,2026/10/1\n英国、法国,0.36,6/6,2026/10/1\n")
    assert sentences(found) == []
    assert [(price.match, price.value, price.figures.step_fee_micro) for price in found.prices] == [
        ("country", "US", 240_000),
        ("country", "GB", 360_000),
        ("country", "FR", 360_000),
    ]
    local = one("话务类型,线路种类,起步时长,起步费率,起步后单位时长,起步后费率\n市话,固定电话,180,0.22,60,0.11\n")
    assert (local.traffic_type, local.line_kind, local.match) == (TrafficType.LOCAL, LineKind.FIXED, "any")
    assert (local.figures, local.effective_from) == (Figures(180, 220_000, 60, 110_000), TODAY)


def test_area_codes_beside_a_country_code_are_parts_of_a_prefix() -> None:
    """`44` and `20, 161` are 4420 and 44161; without a country code 区号 is an area of the home country."""
    found = sheet('country code,area codes,rate,increments\n44,"20, 161",0.02,60/60\n44,,0.03,60/60\n')
    assert [price.value for price in found.prices] == ["4420", "44161", "44"]
    area = one("区号,资费,计费单位\n0755,0.30,60/60\n")
    assert (area.match, area.value, area.traffic_type) == ("area", "0755", TrafficType.DOMESTIC)


def test_a_workbook_is_read_as_a_person_sees_it() -> None:
    """Numbers, days and text in any cell; a sheet without headings is named and left out."""
    book = openpyxl.Workbook()
    table = book.active
    table.title = "Rates"
    table.append(["Prefix", "Rate/min", "Interval 1", "Interval N", "Effective from"])
    table.append([44, 0.06 + 0.01, 60, 6, datetime(2026, 10, 1)])
    table.append(["+1 808", "0.05", "60", "60", "2026-10-01"])
    book.create_sheet("Notes").append(["call us"])
    content = io.BytesIO()
    book.save(content)
    found = read("deck.xlsx", content.getvalue(), ASSUME)
    assert sentences(found) == []
    assert [(price.value, price.figures) for price in found.prices] == [
        ("44", Figures(60, 70_000, 6, 7_000)),
        ("1808", Figures(60, 50_000, 60, 50_000)),
    ]
    assert found.remarks == ("sheet Notes has no headings of a price list and is left out",)


def test_what_the_file_leaves_open_is_said_by_the_operator() -> None:
    """Carrier, traffic type, increments, first day."""
    assume = replace(
        ASSUME, traffic_type=TrafficType.OTHER, increments=(30, 6), effective_from=date(2027, 1, 1), carrier="x"
    )
    price = one("prefix,rate\n12345,0.60\n", assume)
    assert (price.carrier, price.traffic_type, price.effective_from) == ("x", TrafficType.OTHER, date(2027, 1, 1))
    assert price.figures == Figures(30, 300_000, 6, 60_000)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("prefix,rate\n44,0.5\n", "line 2: nothing says in which increments it is charged"),
        ("prefix,rate,increments\n44,abc,60/60\n", "line 2: rate is 'abc', but an amount is expected, such as 0.07"),
        ("prefix,rate,increments\n44,-0.5,60/60\n", "line 2: rate is '-0.5', but an amount is expected"),
        ("prefix,rate,increments\n44,0.1234567890123456,60/60\n", "an amount of at most 15 decimals is expected"),
        ("prefix,rate,increments,setup fee\n44,1,60/60,0.1234567\n", "an amount of at most six decimals is expected"),
        ('prefix,rate,increments\n44,"1,234",60/60\n', "it may be 1.234 or 1234"),
        ("prefix,rate,increments\n4.42E+03,0.5,60/60\n", "a spreadsheet has made a number of it"),
        ("prefix,rate,increments\n44-49-50,0.5,60/60\n", "line 2: prefix is '44-49-50', but prefixes are expected"),
        ("prefix,rate,increments\n449-441,0.5,60/60\n", "a range of prefixes is expected, such as 44208-44212"),
        ("prefix,rate,increments\n44,0.5,six\n", "increments are expected, such as 60/6"),
        ("prefix,rate,increments,effective date\n44,1,6,10/11/2026\n", "a day is expected, such as 2026-10-01"),
        ("country,rate,increments\nAtlantis,1,6\n", "there is no country 'Atlantis'"),
        ("pattern,rate,increments\n3XXX,1,6\n", "the traffic type is missing"),
        ("pattern,traffic type,rate,increments\n3XXX[,other,1,6\n", "is not a number pattern"),
        ("prefix,traffic type,rate,increments\n3,phone,1,6\n", "traffic type is 'phone', but one of these is expected"),
        ("initial_s,initial_fee,step_s\n60,1,60\n", "step_fee is missing; an amount is expected"),
        ("prefix,rate,increments\n44,1,6\n44,2,6\n", "line 3: international 44 has another price in line 2"),
        ("hello\nworld\n", "line 1: no row of headings was found"),
        ("prefix,rate,increments\n", "line 1: there is no price below the headings"),
        ("", "no row of headings was found"),
    ],
)
def test_a_fault_has_its_line_its_value_and_what_would_be_right(text: str, fault: str) -> None:
    """And a file with a fault gives no half of its prices unasked: the faults come with them."""
    assert fault in "\n".join(sentences(sheet(text)))


def test_all_faults_of_a_file_are_told_at_once() -> None:
    """Three lines, four faults."""
    found = sheet("prefix,rate,increments\nx,y,60/60\n44,0.5,0/0\n45,0.5,60/60\n46,1.2.3.x,60/60\n")
    assert [fault.where for fault in found.faults] == ["line 2", "line 2", "line 3", "line 5"]


def test_the_same_price_twice_is_no_fault() -> None:
    """Only what contradicts itself is."""
    assert sentences(sheet("prefix,rate,increments\n44,1,6\n44,1,6\n")) == []


def test_other_files_are_named_for_what_they_are() -> None:
    """The old binary Excel file, and a workbook that is none."""
    assert ".xls" in sentences(read("deck.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ASSUME))[0]
    assert "not an XLSX workbook" in sentences(read("deck.xlsx", b"PK\x03\x04 broken", ASSUME))[0]


# --- TOML -----------------------------------------------------------------------------------------------------------

EDITED = """
[carrier]
name = "022-天津-电信"

[[prices]]
traffic_type = "domestic"
match = "area"
values = ["0755", "020"]
figures = { initial_s = 6, initial_fee = "0.07", step_s = 6, step_fee = "0.07" }
effective_from = 2026-10-01
windows = [
    { kind = "daily", from = "00:00", to = "07:00",\
 figures = { initial_s = 6, initial_fee = "0.04", step_s = 6, step_fee = "0.04" } },
]
"""


def test_a_table_with_several_values_is_several_prices() -> None:
    """Written by hand, in the words of the exported file."""
    found = read("x.toml", EDITED.encode(), Assumptions(TODAY))
    assert sentences(found) == []
    assert [price.value for price in found.prices] == ["0755", "020"]
    assert found.prices[0].windows == (Window("daily", 0, 7 * 3600, Figures(6, 40_000, 6, 40_000)),)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"0.07", step_s', "0.07, step_s", "line 5: figures is"),
        ('"domestic"', '"far"', "line 5: traffic_type is 'far', but one of these is expected: local, domestic"),
        ("2026-10-01", '"soon"', "effective_from is 'soon', but a day without quotes is expected"),
        ("effective_from", "from", "from is unknown; known are add_local"),
        ('name = "022-天津-电信"', "", "line 2: the carrier is missing"),
        ('kind = "daily"', 'kind = "lunch"', "one of these is expected: daily, weekend, holiday"),
        ("[carrier]", "[carrier", "is not valid TOML"),
        ('values = ["0755", "020"]', "values = []", "a list of texts is expected"),
        ("[[prices]]", "[prices]", "prices are expected as tables, each headed [[prices]]"),
        ("initial_s = 6, ", "", "initial_s is missing in it"),
    ],
)
def test_a_slip_in_the_editor_is_named_with_its_line(old: str, new: str, fault: str) -> None:
    """The line is that of the price it stands in."""
    assert fault in "\n".join(sentences(read("x.toml", EDITED.replace(old, new, 1).encode(), Assumptions(TODAY))))


# --- Cells ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "separator", "micro_units"),
    [
        ("0.07", None, 70_000),
        ("0,07", None, 70_000),
        ("¥0.07", None, 70_000),
        ("0.07元", None, 70_000),
        ("USD 0.0123", None, 12_300),
        ("1.234,56", None, 1_234_560_000),
        ("1,234.56", None, 1_234_560_000),
        ("1 234,5", None, 1_234_500_000),
        ("1,234", "comma", 1_234_000),
        ("1,234", "point", 1_234_000_000),
        ("1.234", "comma", 1_234_000_000),
        ("1.234", None, 1_234_000),
        ("1,234,567", None, 1_234_567_000_000),
        (".5", None, 500_000),
    ],
)
def test_amounts_are_read_as_they_are_meant(text: str, separator: cells.Separator | None, micro_units: int) -> None:
    """With point or comma, with or without thousands and a currency."""
    assert cells.amount(text, separator) == micro_units


@pytest.mark.parametrize("text", ["", "x", "1e3", "１", "0x1", "1_000", "--1", "1%", "nan", "9" * 30])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Also what Python would take for a number."""
    with pytest.raises(ValueError, match="amount"):
        cells.amount(text)


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30", "10/11/2026", "1.1.26", "tomorrow", "31/31/2026"])
def test_what_is_no_day_or_may_be_two_is_refused(text: str) -> None:
    """Nobody is to guess whether the tenth of November or the eleventh of October is meant."""
    with pytest.raises(ValueError, match="2026-10-01"):
        cells.day(text)


@pytest.mark.parametrize(
    "text", ["2026-10-13", "13/10/2026", "10/13/2026", "13.10.2026", "Oct 13, 2026", "13 October 2026", "46308"]
)
def test_days_are_read_in_the_usual_spellings(text: str) -> None:
    """46308 is what a spreadsheet makes of the thirteenth of October 2026."""
    assert cells.day(text) == date(2026, 10, 13)


def test_each_heading_is_known_for_one_thing() -> None:
    """A heading that meant two columns would be read as either."""
    from ippbx_billing.lists.tariffs.words import HEADINGS

    names = [columns.plain(name) for key, others in HEADINGS.items() for name in {key, *others.split("|")}]
    assert sorted({name for name in names if names.count(name) > 1} - {columns.plain(key) for key in HEADINGS}) == []


def test_far_and_near_go_by_the_home_country() -> None:
    """+1 and +44 are shared by several countries, of which one is home."""
    china, america = Home("CN"), Home("US")
    assert [china.of_prefix(code).value for code in ("86", "852", "1")] == ["domestic", "hk_mo_tw", "international"]
    assert [america.of_prefix(code).value for code in ("1212", "1416", "86")] == [
        "domestic",
        "international",
        "international",
    ]
    assert (china.country("美国"), china.country("United Kingdom"), china.country("us")) == ("US", "GB", "US")


def test_the_examples_in_the_rooms_are_true() -> None:
    """What a docstring shows is what happens."""
    assert doctest.testmod(cells).failed == 0
