"""The reports with a name: each worked out a second time, by hand or call by call."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Reason
from ippbx_billing.errors import UsageError
from ippbx_billing.reports import Period, Where, named, report
from ippbx_billing.reports.categories import categories
from ippbx_billing.reports.trunk_load import busy_hour, lines_for
from tests.books import Books, opened

OCTOBER = Period.month("2026-10", date(2026, 11, 1))
ANY = Where()


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with opened(tmp_path / "ledger.db") as found:
        yield found


def ask(books: Books, question: Any, where: Where = ANY, period: Period = OCTOBER, **more: Any) -> named.Answer:
    """The answer, after all that was noted is written."""
    if books.waiting:
        books.write()
    answer = question(books.ledger, books.view, period, where, **more)
    assert isinstance(answer, named.Answer)
    return answer


# -- ranking, time of day, regions, numbers, PINs


def test_those_who_are_equal_share_their_rank(books: Books) -> None:
    """1, 1, 3: nobody is second because of the order in which rows happen to come."""
    for extension, fee in (("8003", "1.00"), ("8001", "3.00"), ("8002", "3.00")):
        books.call("2026-10-13 10:00:00", extension, fee=fee)
    answer = ask(books, named.ranking, by=("extension",))
    assert [(row["rank"], row["extension"]) for row in answer.rows] == [(1, "8001"), (1, "8002"), (3, "8003")]
    assert answer.total is not None
    assert answer.total["fee"] == "7.00"


def test_a_ranking_by_another_measure_and_its_first_rows(books: Books) -> None:
    """The most calls first; those left out are counted, and stay in the total."""
    for extension in ("8001", "8002", "8002", "8003", "8003", "8003"):
        books.call("2026-10-13 10:00:00", extension)
    answer = ask(books, named.ranking, by=("extension",), sort="calls", top=2)
    assert [(row["extension"], row["calls"]) for row in answer.rows] == [("8003", 3), ("8002", 2)]
    assert answer.document()["omitted"] == 1
    assert answer.document()["total"]["calls"] == 6


def test_the_day_has_24_hours_on_the_sites_clock(books: Books) -> None:
    """Each call is in its hour, by direction and by day of the week; hours without calls are there too."""
    books.call("2026-10-12 00:00:00", direction="inbound")  # a Monday
    books.call("2026-10-18 23:59:59", direction="outbound")  # a Sunday
    books.call("2026-10-18 23:00:00", direction=None)
    answer = ask(books, named.time_of_day)
    assert [row["hour"] for row in answer.rows] == list(range(24))
    first, last = answer.rows[0], answer.rows[23]
    assert (first["calls"], first["inbound"], first["outbound"], first["weekdays"]) == (1, 1, 0, [1, 0, 0, 0, 0, 0, 0])
    assert (last["calls"], last["inbound"], last["outbound"], last["weekdays"]) == (2, 0, 1, [0, 0, 0, 0, 0, 0, 2])
    assert sum(row["calls"] for row in answer.rows) == answer.document()["total"]["calls"] == 3
    assert set(answer.rows[5]) == set(first)
    assert (answer.rows[5]["calls"], answer.rows[5]["fee"]) == (0, "0.00")


def test_regions_and_numbers_come_dearest_first(books: Books) -> None:
    """Countries, regions within, places within; a number has its place beside it."""
    books.call("2026-10-13 10:00:00", number="+12125550100", fee="8.00", place=("US", None, None))
    books.call("2026-10-13 10:00:00", number="+862158674577", fee="1.00", place=("CN", "上海", "上海"))
    books.call("2026-10-13 10:00:00", number="+862158674577", fee="2.00", place=("CN", "上海", "上海"))
    by_region = ask(books, named.regions, by="region").rows
    assert [(row["country"], row["region"], row["fee"]) for row in by_region] == [
        ("US", None, "8.00"),
        ("CN", "上海", "3.00"),
    ]
    assert [row["country"] for row in ask(books, named.regions, by="country", top=1).rows] == ["US"]
    numbers = ask(books, named.numbers, Where(direction="outbound"), sort="calls").rows
    assert [(row["number"], row["region"], row["calls"]) for row in numbers] == [
        ("+862158674577", "上海", 2),
        ("+12125550100", None, 1),
    ]


def test_calls_without_a_pin_are_counted_apart(books: Books) -> None:
    """Each PIN's sum, and how many calls nobody's PIN paid for."""
    for pin in ("1234", "1234", "9999", None):
        books.call("2026-10-13 10:00:00", pin=pin)
    answer = ask(books, named.pins, sort="calls")
    assert [(row["pin"], row["calls"]) for row in answer.rows] == [("1234", 2), ("9999", 1)]
    assert answer.document()["without_pin"] == 1


# -- idle extensions


def test_idle_is_who_was_there_and_did_not_call(books: Books) -> None:
    """With the day of their last call; who had left before the period, or came after it, is not idle in it."""
    directory = books.ledger.directory
    directory.add_department("公司/销售部")
    for number in ("8001", "8002", "8003", "8004", "8005"):
        directory.assign(number, date.min, department="公司/销售部")
    directory.remove_extension("8004", date(2026, 9, 1))
    directory.forget_extension("8005")
    directory.assign("8005", date(2026, 11, 1), department="公司/销售部")
    books.call("2026-10-31 23:59:59", "8001")
    books.call("2026-07-05 10:00:00", "8002")
    books.call("2026-07-31 10:00:00", "8002", direction="inbound")
    answer = ask(books, named.idle)
    assert [(row["extension"], row["last_call"]) for row in answer.rows] == [("8002", "2026-07-31"), ("8003", None)]
    assert answer.total == {"idle": 2, "extensions": 3}


def test_idle_can_be_asked_of_some(books: Books) -> None:
    """By pattern, department, holder, or by what kind of call they did not make."""
    directory = books.ledger.directory
    directory.add_employee("1001", "张三", "公司/销售部")
    directory.assign("8001", date.min, employee="1001")
    directory.assign("8002", date.min, department="公司/财务部")
    directory.assign("9001", date.min)
    books.call("2026-10-13 10:00:00", "8001", direction="inbound")

    def idle(**where: str) -> list[str]:
        return [row["extension"] for row in ask(books, named.idle, Where(**where)).rows]

    assert idle() == ["8002", "9001"]
    assert idle(direction="outbound") == ["8001", "8002", "9001"]
    assert idle(extension="80..") == ["8002"]
    assert idle(department="公司") == ["8002"]
    assert idle(department="公司/销售部", direction="outbound") == ["8001"]
    assert idle(employee="张三", direction="outbound") == ["8001"]


# -- bill by category


def test_categories_add_up_the_tree(books: Books) -> None:
    """An extension that moved stands in both departments; a department's sum holds those below; all is the total."""
    directory = books.ledger.directory
    directory.add_employee("1001", "张三", "公司/一部")
    directory.place("1001", date(2026, 10, 16), "公司")
    directory.assign("8001", date.min, employee="1001")
    directory.assign("8002", date.min, department="公司/二部")
    books.call("2026-10-01 10:00:00", "8001", fee="1.00")
    books.call("2026-10-20 10:00:00", "8001", fee="2.00", traffic_type="domestic")
    books.call("2026-10-20 10:00:00", "8002", fee="4.00")
    books.call("2026-10-20 10:00:00", "8009", fee="8.00")
    books.call("2026-10-20 10:00:00", "8002", fee="0.00", status="filtered")
    books.call("2026-10-20 10:00:00", "8002", fee=None, reason="why not")
    answer = ask(books, categories)
    assert [
        (row["department"], row["level"], row["extension"], row["subtotal"], row["fee"]) for row in answer.rows
    ] == [
        ("公司", 0, "8001", False, "2.00"),
        ("公司", 0, None, True, "7.00"),
        ("公司/一部", 1, "8001", False, "1.00"),
        ("公司/一部", 1, None, True, "1.00"),
        ("公司/二部", 1, "8002", False, "4.00"),
        ("公司/二部", 1, None, True, "4.00"),
        (None, 0, "8009", False, "8.00"),
        (None, 0, None, True, "8.00"),
    ]
    assert answer.rows[1]["traffic_types"] == {
        "domestic": {"calls": 1, "billed_s": 60, "fee": "2.00", "unpriced": 0},
        "local": {"calls": 3, "billed_s": 180, "fee": "5.00", "unpriced": 1},
    }
    assert answer.total is not None
    gaps = {Reason("text", {"text": "why not"}): 1}
    assert (answer.total["calls"], answer.total["fee"], answer.filtered, answer.gaps) == (5, "15.00", 1, gaps)


def test_categories_of_one_department_hold_nobody_else(books: Books) -> None:
    """With the departments below it."""
    books.ledger.directory.assign("8001", date.min, department="公司/一部")
    books.ledger.directory.assign("8002", date.min, department="公司/二部")
    for extension in ("8001", "8002", "8003"):
        books.call("2026-10-01 10:00:00", extension)
    answer = ask(books, categories, Where(department="公司/二部"))
    assert {row["extension"] for row in answer.rows if not row["subtotal"]} == {"8002"}
    assert answer.document()["total"]["calls"] == 1


# -- what has no price


def test_unrated_calls_come_by_reason_with_an_example(books: Books) -> None:
    """The most frequent reason first; what has a price is not in it, nor are other months."""
    books.call("2026-10-01 10:00:00")
    for day in ("02", "03"):
        books.call(f"2026-10-{day} 10:00:00", fee=None, reason="no price", number="95588", trunk="FXO-2")
    books.call("2026-10-04 10:00:00", fee=None, reason="no trunk", trunk=None)
    books.call("2026-09-30 23:59:59", fee=None, reason="no price")
    answer = ask(books, named.unrated)
    assert [(row["reason"], row["calls"], row["example"], row["number"]) for row in answer.rows] == [
        ("no price", 2, 3, "95588"),
        ("no trunk", 1, 4, "58674577"),
    ]
    assert answer.total == {"calls": 3, "billed_s": 180}
    assert [row["calls"] for row in ask(books, named.unrated, Where(trunk="FXO-2")).rows] == [2]


# -- lines


def test_as_many_lines_as_erlangs_table_says() -> None:
    """Erlang B for 1 % of blocking: the largest load for so many lines, and a little more needs one line more."""
    table = {1: 0.0101, 2: 0.153, 5: 1.36, 10: 4.46, 20: 12.0, 30: 20.3, 60: 46.9}
    for lines, erlang in table.items():
        assert lines_for(erlang * 0.995) == lines
        assert lines_for(erlang * 1.01) == lines + 1
    assert lines_for(0) == 0


def test_a_line_is_held_from_ringing_to_the_end(books: Books) -> None:
    """A call that ends as another begins is not at once with it; a twin holds no line, a filtered call does."""
    books.call("2026-10-13 10:00:00", ring_s=30, talk_s=30)
    books.call("2026-10-13 10:01:00", ring_s=60, talk_s=0)
    books.call("2026-10-13 10:01:30", twin="of the other leg", fee="0.00", status="filtered")
    books.call("2026-10-13 10:01:59", trunk="FXO-2", fee="0.00", status="filtered", talk_s=7200)
    books.call("2026-10-13 10:01:59", trunk=None, talk_s=7200)
    answer = ask(books, busy_hour)
    rows = {row["trunk"]: row for row in answer.rows}
    assert rows["FXO-1"]["peak_calls"] == 1
    assert rows["FXO-1"]["peak_at"] == "2026-10-13T10:00:00+08:00"
    assert (rows["FXO-1"]["busy_hour"], rows["FXO-1"]["busy_hour_erlang"]) == ("2026-10-13T10:00:00+08:00", "0.03")
    assert (rows["FXO-2"]["busy_hour"], rows["FXO-2"]["busy_hour_erlang"]) == ("2026-10-13T11:00:00+08:00", "1.00")
    assert answer.total is not None
    assert (answer.total["peak_calls"], answer.total["calls"]) == (2, 3)


def test_a_call_over_midnight_counts_in_both_months(books: Books) -> None:
    """With the seconds that lie in each."""
    books.call("2026-09-30 23:30:00", talk_s=3600)
    october = ask(books, busy_hour)
    september = ask(books, busy_hour, period=Period.month("2026-09", date(2026, 11, 1)))
    assert [row["busy_hour_erlang"] for row in (*october.rows, *september.rows)] == ["0.50", "0.50"]
    assert october.rows[0]["peak_at"] == "2026-10-01T00:00:00+08:00"


def test_hours_are_those_of_the_sites_clock_also_in_india(tmp_path: Path) -> None:
    """Half past on Greenwich's clock is the full hour there."""
    with opened(tmp_path / "ledger.db", ZoneInfo("Asia/Kolkata")) as books:
        books.call("2026-10-13 10:00:00", talk_s=3600)
        (row,) = ask(books, busy_hour).rows
    assert (row["busy_hour"], row["busy_hour_erlang"]) == ("2026-10-13T10:00:00+05:30", "1.00")


NOON = datetime(2026, 9, 30, 22, 0, 0)
some_calls = st.lists(
    st.tuples(st.integers(0, 14_400), st.integers(0, 5_000), st.sampled_from(["A", "B"])), min_size=1, max_size=12
)
folder = count()
SORTS = st.sampled_from(["fee", "-fee", "calls", "billed-s", "share", "average-fee", "number"])


@given(calls=some_calls)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_are_counted_as_by_somebody_who_watches(tmp_path: Path, calls: list[tuple[int, int, str]]) -> None:
    """Second by second: how many lines are held, in the month alone, on each trunk and on all."""
    with opened(tmp_path / f"{next(folder)}.db") as books:
        for start, length, trunk in calls:
            books.call(str(NOON + timedelta(seconds=start)), talk_s=length, trunk=trunk)
        answer = ask(books, busy_hour)
    october = 7_200  # seconds after NOON at which the month begins
    for row, wanted in ((answer.total or {}, {"A", "B"}), *((row, {row["trunk"]}) for row in answer.rows)):
        held = Counter(
            second
            for start, length, trunk in calls
            if trunk in wanted
            for second in range(max(start, october), start + length)
        )
        hours = Counter(second // 3600 for second in held.elements())
        assert row["peak_calls"] == max(held.values(), default=0)
        assert Decimal(row["busy_hour_erlang"]) == round(Decimal(max(hours.values(), default=0)) / 3600, 2)


# -- all of them


def test_sums_of_names_are_the_sums_of_report(books: Books) -> None:
    """Whatever the name, the total is that of `report` under the same conditions."""
    for day in range(1, 29):
        extension = f"80{day % 7:02d}"
        books.call(f"2026-10-{day:02d} {day % 24:02d}:10:00", extension, talk_s=day * 7, pin=str(day % 3))
    where = Where(extension="800.")
    books.write()
    total = report(books.ledger, books.view, OCTOBER, ("trunk",), where=where).total
    for question, more in (
        (named.ranking, {"by": ("extension",)}),
        (named.time_of_day, {}),
        (named.regions, {}),
        (named.numbers, {}),
        (named.pins, {}),
        (categories, {}),
    ):
        found = ask(books, question, where, **more).total
        assert found is not None
        assert {key: found[key] for key in ("calls", "billed_s", "fee")} == {
            key: total[key] for key in ("calls", "billed_s", "fee")
        }


@given(fees=st.lists(st.sampled_from(["0.00", "0.10", "0.20"]), max_size=12), top=st.integers(1, 8), sort=SORTS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_rows_are_those_of_the_whole(tmp_path: Path, fees: list[str], top: int, sort: str) -> None:
    """Those that are equal at the edge stand in the same order, and what is left out is counted."""
    with opened(tmp_path / f"{next(folder)}.db") as books:
        for place, fee in enumerate(fees):
            books.call("2026-10-13 10:00:00", number=str(place * 7 % 12), fee=fee, talk_s=place % 3)
        books.write()
        asked = books.ledger, books.view, OCTOBER, ("number", "region")
        whole, first = report(*asked, sort=sort), report(*asked, sort=sort, top=top)
    assert first.rows == whole.rows[:top]
    assert (first.omitted, first.total) == (max(0, len(whole.rows) - top), whole.total)


def test_what_cannot_be_asked_is_refused(books: Books) -> None:
    """As `report` refuses it."""
    with pytest.raises(UsageError, match="cannot be sorted by 'beauty'"):
        ask(books, named.ranking, by=("extension",), sort="beauty")
    with pytest.raises(UsageError, match="cannot be sorted by 'fee-difference'"):
        report(books.ledger, books.view, OCTOBER, ("extension",), sort="fee-difference")
