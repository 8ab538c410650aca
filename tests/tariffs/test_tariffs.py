"""Tariffs: which price a call has, which window holds, which days are worked, and what a new site begins with."""

import csv
import doctest
import subprocess
import sys
from datetime import date, datetime

import pytest
from holidays import country_holidays

from ippbx_billing import money
from ippbx_billing.calls import Classification, Direction, LineKind, TrafficType
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Match, Price, TariffBook, Trunk, Window, standard
from ippbx_billing.tariffs import prices as prices_room
from ippbx_billing.tariffs.calendar import PUBLISHED
from ippbx_billing.tariffs.prices import clock, pattern_regex, pattern_weight
from ippbx_billing.tariffs.windows import window_at
from tests import DATA

TELECOM = Carrier("022-天津-电信", "022", "天津", "电信", default=True)
UNICOM = Carrier("022-天津-联通", "022", "天津", "联通")
SIX_SECONDS = Figures(6, 70_000, 6, 70_000)
TODAY = date(2026, 11, 23)  # a Monday
CALENDAR = HolidayCalendar("CN")


def price(
    note: str,
    traffic_type: TrafficType = TrafficType.DOMESTIC,
    match: Match = "any",
    value: str = "",
    *,
    line_kind: LineKind | None = None,
    direction: Direction = Direction.OUTBOUND,
    effective_from: date = date(2000, 1, 1),
    carrier: Carrier = TELECOM,
    windows: tuple[Window, ...] = (),
) -> Price:
    """A price known by its note."""
    return Price(
        id=None,
        carrier=carrier.name,
        traffic_type=traffic_type,
        figures=SIX_SECONDS,
        effective_from=effective_from,
        direction=direction,
        line_kind=line_kind,
        match=match,
        value=value,
        windows=windows,
        note=note,
    )


def number(
    dialled: str,
    traffic_type: TrafficType = TrafficType.DOMESTIC,
    line_kind: LineKind = LineKind.FIXED,
    *,
    normalized: str = "",
    area_code: str | None = None,
    country: str | None = "CN",
    ip_prefix: str | None = None,
) -> Classification:
    return Classification(
        number=dialled,
        normalized=normalized or dialled,
        traffic_type=traffic_type,
        line_kind=line_kind,
        area_code=area_code,
        country=country,
        ip_prefix=ip_prefix,
    )


def chosen(
    prices: list[Price],
    classification: Classification,
    *,
    direction: Direction = Direction.OUTBOUND,
    day: date = TODAY,
    called: str | None = None,
) -> str | None:
    """The note of the price that is in force for such a call."""
    book = TariffBook([TELECOM, UNICOM], [], prices, CALENDAR)
    found = book.price_for(TELECOM, classification, direction, day, called=called)
    again = book.price_for(TELECOM, classification, direction, day, called=called)
    assert found is again
    return found.note if found else None


# --- Carriers and trunks ----------------------------------------------------------------------------------------


def test_a_trunk_belongs_to_its_carrier_and_any_other_to_the_default() -> None:
    """A configured trunk's carrier, else the default carrier; a trunk of a carrier that nobody knows has none."""
    book = TariffBook([TELECOM, UNICOM], [Trunk("FXO-1", UNICOM.name), Trunk("FXO-2", "gone")], [], CALENDAR)
    assert book.carrier_for("FXO-1") is UNICOM
    assert book.carrier_for("FXO-9") is TELECOM
    assert book.carrier_for(None) is TELECOM
    assert book.carrier_for("") is TELECOM
    assert book.carrier_for("FXO-2") is None


def test_without_a_default_no_carrier_is_guessed() -> None:
    """One lone carrier that is not the default is not taken for one."""
    assert TariffBook([UNICOM], [], [], CALENDAR).carrier_for("FXO-1") is None


# --- Which price ------------------------------------------------------------------------------------------------


def test_the_area_code_goes_before_any() -> None:
    """A row for 0755 serves Shenzhen, with or without the trunk zero; other areas get the row for any."""
    prices = [price("any"), price("shenzhen", match="area", value="0755")]
    assert chosen(prices, number("075582345678", area_code="0755")) == "shenzhen"
    assert chosen(prices, number("075582345678", area_code="755")) == "shenzhen"
    assert chosen(prices, number("02162345678", area_code="021")) == "any"


def test_the_longest_prefix_goes_before_the_country() -> None:
    """Hawaii may cost something else than the United States; the normalised number counts, not how it was dialled."""
    prices = [
        price("any", TrafficType.INTERNATIONAL),
        price("us", TrafficType.INTERNATIONAL, "country", "us"),
        price("one", TrafficType.INTERNATIONAL, "prefix", "+1"),
        price("hawaii", TrafficType.INTERNATIONAL, "prefix", "1808"),
    ]
    dialled = number("0018085551234", TrafficType.INTERNATIONAL, normalized="+18085551234", country="US")
    assert chosen(prices, dialled) == "hawaii"
    assert chosen(prices[:3], dialled) == "one"
    assert chosen(prices[:2], dialled) == "us"
    assert chosen(prices[:1], dialled) == "any"


def test_a_prefix_may_be_what_was_dialled() -> None:
    """193 + number is a service of its own, which the normalised number no longer shows."""
    prices = [price("direct"), price("193", match="prefix", value="193")]
    dialled = number("193 021 6234 5678", normalized="+862162345678", ip_prefix="193")
    assert chosen(prices, dialled) == "193"
    assert chosen(prices, number("9193 021 6234 5678", normalized="+862162345678", ip_prefix="193")) == "193"
    assert chosen(prices, number("02162345678", normalized="+862162345678")) == "direct"


def test_the_same_number_dialled_otherwise_may_have_another_price() -> None:
    """What the book remembers of one call does not serve the next that was dialled with another prefix."""
    prices = [price("direct"), price("0086", match="prefix", value="0086"), price("021", match="prefix", value="021")]
    book = TariffBook([TELECOM], [], prices, CALENDAR)
    notes = []
    for dialled in ("02162345678", "008602162345678", "+862162345678", "02162345678"):
        found = book.price_for(
            TELECOM, number(dialled, normalized="+862162345678", area_code="021"), Direction.OUTBOUND, TODAY
        )
        notes.append(found.note if found else None)
    assert notes == ["021", "0086", "direct", "021"]


def test_an_ip_prefix_is_no_country() -> None:
    """The 1 of 17951 is not the 1 of the United States."""
    prices = [price("us", TrafficType.IP_LONG_DISTANCE, "prefix", "1")]
    london = number(
        "17951 00 44 20 7946 0123",
        TrafficType.IP_LONG_DISTANCE,
        normalized="+442079460123",
        country="GB",
        ip_prefix="17951",
    )
    assert chosen(prices, london) is None
    newyork = number(
        "17951 00 1 212 555 0123", TrafficType.IP_LONG_DISTANCE, normalized="+12125550123", ip_prefix="17951"
    )
    assert chosen(prices, newyork) == "us"


def test_an_area_code_abroad_is_none_of_ours() -> None:
    """020 is Guangzhou behind 17951 0, and London behind 17951 0044."""
    prices = [price("guangzhou", TrafficType.IP_LONG_DISTANCE, "area", "020")]
    ip_call = TrafficType.IP_LONG_DISTANCE
    home = number("17951 020 8344 3785", ip_call, area_code="020", ip_prefix="17951")
    abroad = number("17951 0044 20 7946 0123", ip_call, area_code="020", country="GB", ip_prefix="17951")
    assert chosen(prices, home) == "guangzhou"
    assert chosen(prices, abroad) is None


@pytest.mark.parametrize(
    ("dialled", "expected"), [("3456", "3XXX"), ("3411", "34XX"), ("34567", "3N"), ("3400", "3400"), ("4567", None)]
)
def test_the_pattern_that_names_most_digits_wins(dialled: str, expected: str | None) -> None:
    """3XXX is four digits beginning with 3; N is any run of digits; the order of the rows does not matter."""
    values = ["3N", "3XXX", "34XX", "3400"]
    values = values if dialled != "3456" else values[:2]
    prices = [price(value, TrafficType.OTHER, "pattern", value) for value in values]
    assert chosen(prices, number(dialled, TrafficType.OTHER, LineKind.SERVICE)) == expected
    assert chosen(prices[::-1], number(dialled, TrafficType.OTHER, LineKind.SERVICE)) == expected


def test_the_own_line_kind_goes_before_any_kind() -> None:
    """A mobile number takes the mobile row, a satellite phone too if there is none of its own; others take any."""
    prices = [
        price("fixed", TrafficType.LOCAL, line_kind=LineKind.FIXED),
        price("mobile", TrafficType.LOCAL, line_kind=LineKind.MOBILE),
        price("any", TrafficType.LOCAL),
    ]
    satellite = price("satellite", TrafficType.LOCAL, line_kind=LineKind.SATELLITE)
    for kind, expected in (
        (LineKind.FIXED, "fixed"),
        (LineKind.MOBILE, "mobile"),
        (LineKind.SATELLITE, "mobile"),
        (LineKind.SERVICE, "any"),
        (LineKind.UNKNOWN, "any"),
    ):
        assert chosen(prices, number("1", TrafficType.LOCAL, kind)) == expected
    assert chosen([*prices, satellite], number("1", TrafficType.LOCAL, LineKind.SATELLITE)) == "satellite"
    assert chosen(prices[:2], number("1", TrafficType.LOCAL, LineKind.SERVICE)) is None


def test_the_destination_goes_before_the_line_kind() -> None:
    """A row for the area serves its mobiles as well, although there is one for mobiles anywhere."""
    prices = [price("mobiles", line_kind=LineKind.MOBILE), price("shenzhen", match="area", value="0755")]
    assert chosen(prices, number("13800000000", line_kind=LineKind.MOBILE, area_code="0755")) == "shenzhen"


def test_a_call_keeps_the_price_of_its_day() -> None:
    """The newest version not later than the call's day is in force, also on the very day it begins."""
    prices = [
        price("2026", effective_from=date(2026, 7, 1)),
        price("2020", effective_from=date(2020, 1, 1)),
        price("2023", effective_from=date(2023, 1, 1)),
    ]
    for day, expected in (
        (date(2019, 12, 31), None),
        (date(2020, 1, 1), "2020"),
        (date(2026, 6, 30), "2023"),
        (date(2026, 7, 1), "2026"),
        (date(9999, 12, 31), "2026"),
    ):
        assert chosen(prices, number("02162345678"), day=day) == expected


def test_a_general_price_holds_until_the_special_one_begins() -> None:
    """Before its first day a more specific row does not exist."""
    prices = [price("any"), price("shenzhen", match="area", value="0755", effective_from=TODAY)]
    shenzhen = number("075582345678", area_code="0755")
    assert chosen(prices, shenzhen, day=date(2026, 11, 22)) == "any"
    assert chosen(prices, shenzhen, day=TODAY) == "shenzhen"


def test_of_two_equal_rows_the_later_given_is_in_force() -> None:
    """A tie is settled the same way every time."""
    assert chosen([price("first"), price("second")], number("02162345678")) == "second"


def test_prices_of_other_carriers_directions_and_traffic_types_do_not_count() -> None:
    """A price is for its own carrier, direction and traffic type only."""
    prices = [
        price("unicom", carrier=UNICOM),
        price("incoming", direction=Direction.INBOUND),
        price("local", TrafficType.LOCAL),
    ]
    assert chosen(prices, number("02162345678")) is None
    assert chosen(prices, number("02162345678"), direction=Direction.INBOUND) == "incoming"


def test_a_400_number_of_ours_is_charged_by_the_called_number() -> None:
    """Whoever calls, a call to our 400 number costs what its row says; calls to other numbers do not."""
    ours = price("ours", TrafficType.SERVICE_400_800, "called", "400820XXXX", direction=Direction.INBOUND)
    caller = number("13800000000", TrafficType.DOMESTIC, LineKind.MOBILE)
    assert chosen([ours], caller, direction=Direction.INBOUND, called="4008201234") == "ours"
    assert chosen([ours], caller, direction=Direction.INBOUND, called="400-820-1234") == "ours"
    assert chosen([ours], caller, direction=Direction.INBOUND, called="58674577") is None
    assert chosen([ours], caller, direction=Direction.OUTBOUND, called="4008201234") is None


def test_an_internal_price_serves_internal_calls_however_they_are_known() -> None:
    """Whether the PBX says that a call is internal, or its number does."""
    internal = [price("internal", TrafficType.INTERNAL)]
    extension = number("801", TrafficType.INTERNAL, LineKind.EXTENSION)
    assert chosen(internal, extension) == "internal"
    assert chosen(internal, extension, direction=Direction.INTERNAL) == "internal"
    assert chosen(internal, number("3456", TrafficType.OTHER), direction=Direction.INTERNAL) == "internal"
    assert chosen(internal, number("3456", TrafficType.OTHER)) is None


def test_many_different_numbers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search remembers only so many numbers, and finds the others all the same."""
    monkeypatch.setattr("ippbx_billing.tariffs.book.CACHE_LIMIT", 10)
    book = TariffBook([TELECOM], [], [price("three", TrafficType.OTHER, "pattern", "3XXX")], CALENDAR)
    for digits in range(3000, 3100):
        found = book.price_for(TELECOM, number(str(digits), TrafficType.OTHER), Direction.OUTBOUND, TODAY)
        assert found is not None
    (prices,) = book._lists.values()
    assert len(prices._cache) <= 10


# --- Words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Figures(-1, 0, 0, 0), "initial_s must not be negative"),
        (lambda: Window("daily", 0, 90_000, SIX_SECONDS), "between 00:00 and 24:00"),
        (lambda: Window("night", 0, 1, SIX_SECONDS), "daily, weekend or holiday"),  # type: ignore[arg-type]
        (lambda: Carrier("c", "022", "", "", decimals=7), "decimals must be -6 to 6"),
        (lambda: price("p", match="area"), "cannot have the value ''"),
        (lambda: price("p", value="0755"), "cannot have the value '0755'"),
        (lambda: price("p", match="pattern", value="3[XX"), "not a number pattern"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(make: object, sentence: str) -> None:
    """What cannot be a price is refused when it is made, not when a call meets it."""
    with pytest.raises(ValueError, match=sentence):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("3XXX", ["3000", "3999"], ["300", "30000", "4000"]),
        ("400N", ["400", "4008201234"], ["40", "500"]),
        ("[1-8]XX", ["801", "100"], ["901", "80"]),
        (r"8\d{2,3}", ["800", "8000"], ["80", "80000"]),
    ],
)
def test_patterns_read_x_as_one_digit_and_n_as_any(pattern: str, fits: list[str], fails: list[str]) -> None:
    """The manual's notation, and plain regular expressions beside it."""
    assert all(pattern_regex(pattern).fullmatch(number) for number in fits)
    assert not any(pattern_regex(pattern).fullmatch(number) for number in fails)


def test_the_weight_of_a_pattern_counts_the_digits_it_names() -> None:
    """Digits inside a class or a repeat count are not named ones."""
    assert sorted(["3N", r"3\d{2,3}", "34XX", "3XXX", "3400"], key=pattern_weight)[0] == "3N"
    assert pattern_weight("34XX")[0] == 2
    assert pattern_weight(r"[1-8]\d{2,3}")[0] == 0


def test_times_of_day_are_shown_as_people_write_them() -> None:
    """Seconds appear only where there are any; the day ends at 24:00."""
    assert [clock(0), clock(25_200), clock(86_399), clock(86_400)] == ["00:00", "07:00", "23:59:59", "24:00"]


def test_the_examples_of_the_documentation_are_true() -> None:
    """What the module says about itself is what it does."""
    assert doctest.testmod(prices_room) == doctest.TestResults(failed=0, attempted=3)


# --- Windows ----------------------------------------------------------------------------------------------------

NIGHT = Window("daily", 22 * 3600, 7 * 3600, SIX_SECONDS)
WEEKEND = Window("weekend", 0, 0, SIX_SECONDS)
HOLIDAY = Window("holiday", 0, 86_400, SIX_SECONDS)


def in_force(windows: tuple[Window, ...], moment: str) -> Window | None:
    at = datetime.fromisoformat(moment)
    ordered = price("windows", windows=windows).windows
    return window_at(ordered, at.date(), at.hour * 3600 + at.minute * 60 + at.second, CALENDAR)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-11-23T21:59:59", False),
        ("2026-11-23T22:00:00", True),
        ("2026-11-23T23:59:59", True),
        ("2026-11-24T00:00:00", True),
        ("2026-11-24T06:59:59", True),
        ("2026-11-24T07:00:00", False),
    ],
)
def test_a_window_runs_across_midnight_and_its_end_is_not_included(moment: str, holds: bool) -> None:
    """22:00 to 07:00 begins with 22:00:00 and ends before 07:00:00."""
    assert (in_force((NIGHT,), moment) is NIGHT) == holds


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-10-01T23:00:00", HOLIDAY),  # National Day, a Thursday
        ("2026-10-03T12:00:00", HOLIDAY),  # National Day, a Saturday
        ("2026-10-07T12:00:00", HOLIDAY),  # a Wednesday off, made up for on Saturday the 10th
        ("2026-10-10T12:00:00", None),  # that Saturday is worked
        ("2026-10-10T23:00:00", NIGHT),
        ("2026-11-22T23:00:00", WEEKEND),  # a Sunday
        ("2026-11-23T23:00:00", NIGHT),
        ("2026-11-23T12:00:00", None),
    ],
)
def test_holiday_goes_before_weekend_before_daily(moment: str, expected: Window | None) -> None:
    """Whatever the order in which the windows were given; make-up days are working days."""
    assert in_force((NIGHT, WEEKEND, HOLIDAY), moment) is expected
    assert in_force((HOLIDAY, NIGHT, WEEKEND), moment) is expected


def test_a_saturday_that_is_a_holiday_is_still_a_weekend_day() -> None:
    """Where no holiday price is set, a holiday on Saturday costs what a Saturday costs."""
    assert in_force((WEEKEND,), "2026-10-03T12:00:00") is WEEKEND
    assert in_force((WEEKEND,), "2026-10-01T12:00:00") is None


def test_a_window_may_have_a_priority_of_its_own() -> None:
    """Night before holiday, where the carrier wants it so."""
    night = Window("daily", 22 * 3600, 7 * 3600, SIX_SECONDS, priority=40)
    assert in_force((HOLIDAY, night), "2026-10-01T23:00:00") is night
    assert in_force((HOLIDAY, night), "2026-10-01T12:00:00") is HOLIDAY


def test_of_two_equal_windows_the_shorter_wins() -> None:
    """It is the exception within the longer one."""
    day = Window("daily", 8 * 3600, 20 * 3600, SIX_SECONDS)
    noon = Window("daily", 12 * 3600, 13 * 3600, SIX_SECONDS)
    assert in_force((day, noon), "2026-11-23T12:30:00") is noon
    assert in_force((noon, day), "2026-11-23T13:00:00") is day


# --- The calendar -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-10-10", "working"),  # Saturday, made up for 7 October
        ("2026-09-20", "working"),  # Sunday, made up for 6 October
        ("2026-01-04", "working"),
        ("2005-12-31", "working"),  # Saturday, made up for a day of the next year
        ("2026-10-07", "holiday"),
        ("2026-02-17", "holiday"),
        ("2026-10-04", "weekend"),
        ("2026-11-21", "weekend"),
        ("2026-11-23", "working"),
    ],
)
def test_make_up_days_are_working_days(day: str, kind: str) -> None:
    """调休: what people do on a day counts, not its name."""
    assert HolidayCalendar("CN").day_kind(date.fromisoformat(day)) == kind


def test_the_sites_own_days_go_before_the_national_ones() -> None:
    """An override makes any day a working day, a day of rest or a holiday."""
    days = {date(2026, 10, 1): "work", date(2026, 11, 23): "rest", date(2026, 11, 24): "holiday"}
    calendar = HolidayCalendar("CN", days)  # type: ignore[arg-type]
    assert [calendar.day_kind(day) for day in days] == ["working", "weekend", "holiday"]


def test_the_package_knows_the_years_that_it_is_not_asked_for() -> None:
    """A year is called published without a look only where the package would say so."""
    for country, year in PUBLISHED.items():
        assert year in country_holidays(country).special_public_holidays


def test_a_year_without_published_make_up_days_is_provisional() -> None:
    """Until the notice comes out, or the site enters its working days; countries without such days never are."""
    assert not HolidayCalendar("CN").is_provisional(2026)
    assert HolidayCalendar("CN").is_provisional(2090)
    assert not HolidayCalendar("CN", {date(2090, 1, 7): "work"}).is_provisional(2090)
    assert not HolidayCalendar("US").is_provisional(2090)


def test_a_country_without_a_calendar_has_its_weekends() -> None:
    """Nothing is raised for a country that nobody knows, nor at the ends of time."""
    nowhere = HolidayCalendar("ZZ")
    assert nowhere.day_kind(date(2026, 11, 22)) == "weekend"
    assert nowhere.day_kind(date(2026, 12, 25)) == "working"
    assert not nowhere.is_provisional(2090)
    assert HolidayCalendar("CN").day_kind(date.max) == "working"
    assert HolidayCalendar("CN").day_kind(date.min) == "working"


def test_the_holidays_are_loaded_when_a_price_asks_for_them() -> None:
    """Importing the room, and asking a price without weekend windows, costs no calendar."""
    program = (
        "import sys; from ippbx_billing.tariffs import *; from ippbx_billing.tariffs import rating;"
        "from datetime import date; c = HolidayCalendar('CN'); assert 'holidays' not in sys.modules;"
        "assert not {'sqlite3', 'phonenumbers', 'starlette', 'typer', 'rich'} & set(sys.modules);"
        "c.day_kind(date(2026, 11, 23)); assert 'holidays' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- The standard tariff ----------------------------------------------------------------------------------------

FACTS = DATA / "cn_carrier_tariffs_facts.csv"


def test_a_chinese_site_begins_with_three_carriers() -> None:
    """Named after area, place and operator; the first is the default."""
    carriers, prices = standard("CN", "022", "天津")
    assert [carrier.name for carrier in carriers] == ["022-天津-电信", "022-天津-联通", "022-天津-移动"]
    assert [carrier.default for carrier in carriers] == [True, False, False]
    assert {price.carrier for price in prices} == {carrier.name for carrier in carriers}


def test_a_site_elsewhere_begins_with_one_carrier_and_no_prices() -> None:
    """Nobody's tariff is invented: its calls are unrated until its own prices are entered."""
    carriers, prices = standard("US", "212", "New York")
    assert [(carrier.name, carrier.default) for carrier in carriers] == [("212-New York-local", True)]
    assert prices == []
    assert standard("SG", "", "")[0][0].name == "SG-local"


def test_every_standard_price_stands_in_its_source() -> None:
    """Each figure of the packaged tariff is a row of the collected facts, from the source that it names."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        facts = {(row["source"], *amounts(row)) for row in csv.DictReader(file)}
    for row in standard("CN", "022", "天津")[1]:
        source = row.note.partition("source: ")[2]
        assert source, row
        if row.traffic_type in (TrafficType.SERVICE_400_800, TrafficType.OTHER):
            continue  # they cost the local price or nothing: rules, not rows of the collection
        for figures in (row.figures, *(window.figures for window in row.windows)):
            assert (
                source,
                figures.initial_s,
                figures.initial_fee_micro,
                figures.step_s,
                figures.step_fee_micro,
            ) in facts


def amounts(row: dict[str, str]) -> tuple[int, int, int, int]:
    first, following = (money.parse(row[name]) for name in ("first_unit_price", "next_unit_price"))
    return int(row["first_unit_s"] or 0), first, int(row["next_unit_s"] or 0), following


def test_a_400_number_costs_the_local_price_and_an_800_number_nothing() -> None:
    """The caller of a 400 number pays what a local call costs."""
    carriers, prices = standard("CN", "022", "天津")
    book = TariffBook(carriers, [], prices, CALENDAR)
    local = book.price_for(carriers[0], number("58674577", TrafficType.LOCAL), Direction.OUTBOUND, TODAY)
    for dialled, expected in (("4006123456", local and local.figures), ("8008101234", Figures(0, 0, 0, 0))):
        service = number(dialled, TrafficType.SERVICE_400_800, LineKind.SERVICE)
        found = book.price_for(carriers[0], service, Direction.OUTBOUND, TODAY)
        assert found is not None
        assert found.figures == expected


@pytest.mark.parametrize(
    ("dialled", "free_with"),
    [("10000", "电信"), ("10010", "联通"), ("10018", "联通"), ("10086", "移动")]
    + [(number, "") for number in ("114", "12306", "12315", "12345", "12366", "12333", "95588", "955880", "96315")],
)
def test_everyday_numbers_have_a_price(dialled: str, free_with: str) -> None:
    """A carrier's own hotline is free, with another carrier it costs the local price, as the other short numbers do."""
    carriers, prices = standard("CN", "022", "天津")
    book = TariffBook(carriers, [], prices, CALENDAR)
    for carrier in carriers:
        found = book.price_for(carrier, number(dialled, TrafficType.OTHER, LineKind.SERVICE), Direction.OUTBOUND, TODAY)
        local = book.price_for(carrier, number("58674577", TrafficType.LOCAL), Direction.OUTBOUND, TODAY)
        assert found is not None
        assert local is not None
        assert found.figures == (Figures(0, 0, 0, 0) if carrier.operator == free_with else local.figures)
        assert "source: " in found.note


def test_what_no_source_gives_has_no_price() -> None:
    """China Mobile's direct international calls and everybody's audiotex are left to the site's contract."""
    carriers, prices = standard("CN", "022", "天津")
    book = TariffBook(carriers, [], prices, CALENDAR)
    abroad = number("0044", TrafficType.INTERNATIONAL, country="GB")
    audiotex = number("16812345", TrafficType.AUDIOTEX, LineKind.SERVICE)
    assert book.price_for(carriers[2], abroad, Direction.OUTBOUND, TODAY) is None
    assert book.price_for(carriers[0], audiotex, Direction.OUTBOUND, TODAY) is None
    assert book.price_for(carriers[0], abroad, Direction.OUTBOUND, TODAY) is not None


def test_unicoms_193_service_has_a_price_of_its_own_but_a_193_mobile_has_not() -> None:
    """193 is a carrier prefix before a long-distance number, and a block of mobile numbers."""
    carriers, prices = standard("CN", "022", "天津")
    book = TariffBook(carriers, [], prices, CALENDAR)
    service = number("19302162345678", normalized="+862162345678", ip_prefix="193", area_code="021")
    mobile = number("19303681234", line_kind=LineKind.MOBILE, normalized="+8619303681234", area_code="021")
    dear = book.price_for(carriers[1], service, Direction.OUTBOUND, TODAY)
    plain = book.price_for(carriers[1], mobile, Direction.OUTBOUND, TODAY)
    assert dear is not None
    assert plain is not None
    assert (dear.figures.step_fee_micro, plain.figures.step_fee_micro) == (60_000, 70_000)
