"""A tariff book that follows an edit answers what one made anew answers, however often it was changed."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Classification, Direction, LineKind, Reason, TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Price, TariffBook, Trunk

CALENDAR = HolidayCalendar("CN")
CARRIERS = [Carrier("A", "022", "天津", "电信", default=True), Carrier("B", "010", "北京", "联通")]
TYPES = (TrafficType.LOCAL, TrafficType.INTERNATIONAL, TrafficType.SERVICE_400_800, TrafficType.INTERNAL)
DAYS = [date(2026, 11, day) for day in (1, 10, 20)]
DESTINATIONS = (
    *(("prefix", value) for value in ("44", "442", "+44", "0044", "861")),
    *(("area", "022"), ("area", "10"), ("country", "gb"), ("country", "CN"), ("any", "")),
    *(("pattern", "44*"), ("called", "400*"), ("number", "442")),
)
NUMBERS = [
    _one
    for number, normalized, country, area in (
        ("00442071234", "+442071234", "GB", None),
        ("4420", "4420", "CN", "022"),
        ("86190", "+8610190", "CN", "010"),
    )
    for kind in TYPES
    for _one in [
        Classification(
            number=number,
            normalized=normalized,
            traffic_type=kind,
            line_kind=LineKind.FIXED,
            country=country,
            area_code=area,
            rule="test",
            why=Reason("local-length", {"count": 8, "area_code": "022"}),
        )
    ]
]

some_prices = st.lists(
    st.tuples(
        st.sampled_from("AB"),
        st.sampled_from(TYPES),
        st.integers(0, 9),
        st.sampled_from(DAYS),
        st.sampled_from(list(Direction)),
        st.sampled_from([None, LineKind.FIXED, LineKind.MOBILE]),
        st.sampled_from(DESTINATIONS),
        st.sampled_from(["open", "open", "ended", "blocked"]),
    ),
    max_size=8,
)


def prices(rows: Sequence[tuple], first_id: int) -> list[Price]:  # type: ignore[type-arg]
    """Price rows of what was drawn, each with an id of its own."""
    return [
        Price(
            id=first_id + place,
            carrier=carrier,
            traffic_type=kind,
            figures=Figures(60, fee, 6, 1),
            effective_from=day,
            direction=direction,
            line_kind=line,
            match=match,
            value=value,
            status=status,
        )
        for place, (carrier, kind, fee, day, direction, line, (match, value), status) in enumerate(rows)
    ]


def answers(book: TariffBook) -> list[object]:
    """What a book says of every sort of call on every day."""
    return [
        (
            book.price_for(carrier, number, direction, day, called=called),
            book.ranked(carrier, number, direction, day, called=called),
        )
        for carrier in CARRIERS
        for number in NUMBERS
        for direction in Direction
        for day in DAYS
        for called in (None, "4001234567")
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(some_prices, st.sets(st.integers(0, 20))), min_size=1, max_size=4))
def test_a_changed_book_answers_like_one_made_anew(steps: list[tuple[list[tuple], set[int]]]) -> None:  # type: ignore[type-arg]
    """Whatever comes and goes; and digits that matter are never said not to matter."""
    book, present = TariffBook(CARRIERS, [], [], CALENDAR), list[Price]()
    for step, (rows, ends) in enumerate(steps):
        gone = [price for place, price in enumerate(present) if place in ends]
        coming = prices(rows, 100 * step + 1)
        present = [price for price in present if price not in gone] + coming
        book = book.changed(CARRIERS, [], gone, coming, CALENDAR)
        anew = TariffBook(CARRIERS, [], present, CALENDAR)
        assert book.prices == anew.prices
        assert answers(book) == answers(anew)
        for carrier in CARRIERS:
            for kind in TYPES:
                for direction in Direction:
                    asked = carrier, kind, direction
                    assert book.looks_at_digits(*asked) or not anew.looks_at_digits(*asked)


def test_the_ledger_gives_the_book_of_the_moment(tmp_path: Path) -> None:
    """What somebody else edits is in the next book, whichever way it was edited; what was rolled back is in none."""
    with Ledger(tmp_path / "ledger.db") as ours, Ledger(tmp_path / "ledger.db") as theirs:
        for carrier in CARRIERS:
            theirs.book.add_carrier(carrier)
        rows = [
            ("A", TYPES[1], fee, DAYS[0], Direction.OUTBOUND, None, ("prefix", f"44{fee}"), "open") for fee in range(5)
        ]

        def held() -> None:
            assert ours.book.tariff_book(CALENDAR).prices == tuple(ours.book.prices())
            assert ours.book.tariff_book(CALENDAR).trunks.keys() == {trunk.name for trunk in ours.book.trunks()}

        held()
        theirs.book.add_prices(prices(rows, 1))
        held()
        theirs.book.put_trunk(Trunk("FXO-1", "B"))
        theirs.book.end_prices([2, 3])
        held()
        with ours.transaction():
            ours.book.add_prices(prices(rows[:1], 6))
            assert len(ours.book.tariff_book(CALENDAR).prices) == 4
            ours.connection.execute("DELETE FROM prices WHERE id = 6")
        held()
        theirs.book.add_carrier(Carrier("C", "021", "上海", "移动"))
        theirs.book.add_prices(prices([("C", *rows[0][1:])], 1))
        held()
        theirs.book.remove_carrier("C")
        theirs.book.add_carrier(Carrier("C", "021", "上海", "移动"))
        (number,) = theirs.book.add_prices(prices([("C", *rows[4][1:])], 1))
        held()
        assert number == 7  # not the one of the price that is deleted
