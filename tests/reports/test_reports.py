"""The questions: months on the site's clock, sums that agree with the calls, and what is not in them."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.documents.columns import Column
from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.reports import CALL_KEYS, GROUPS, Period, Report, View, WantedCalls, Where, calls, grouping, report
from ippbx_billing.reports.paging import calls_page
from ippbx_billing.reports.views import sheets
from ippbx_billing.settings import load
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("2026-02", "2026-02-01", "2026-02-28", "2026-02"),
        ("2028-02", "2028-02-01", "2028-02-29", "2028-02"),
        ("2026-12", "2026-12-01", "2026-12-31", "2026-12"),
        ("this", "2026-03-01", "2026-03-31", "2026-03"),
        ("last", "2026-02-01", "2026-02-28", "2026-02"),
    ],
)
def test_a_month_has_its_days(text: str, first: str, last: str, name: str) -> None:
    """February in both kinds of years, December, `this` and `last`."""
    period = Period.month(text, TODAY)
    assert (str(period.first), str(period.last), period.name) == (first, last, name)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-01", "2026-1", "oct", "", "2026-01-01", "2026/01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    """The sentence repeats what was written."""
    with pytest.raises(UsageError, match="is not a month"):
        Period.month(text, TODAY)


def test_groupings_are_written_as_people_like() -> None:
    """With hyphen or underscore, one or several, none twice."""
    assert grouping("traffic-type, day") == ("traffic_type", "day")
    for wrong in ("", "colour", "day,day"):
        with pytest.raises(UsageError):
            grouping(wrong)


@pytest.fixture
def month(site: Path) -> Iterator[Ledger]:
    """Calls of all kinds, also on both sides of midnight at the end of October."""
    bodies = [
        gateway_cdr("8001", "902162345678", 80),
        gateway_cdr("8001", "958674577", 285, start="2026-10-14 10:00:00", port=2),
        gateway_cdr("8002", "911185", 30),
        gateway_cdr("8002", "913800138000", 0, start="2026-10-15 10:00:00"),
        gateway_cdr("13800138000", "8001", 50, direction="gsm->ip"),
        gateway_cdr("8001", "958674577", 10, start="2026-10-31 23:59:59"),
        gateway_cdr("8001", "958674577", 10, start="2026-11-01 00:00:00"),
    ]
    fill(site / "inbox.db", bodies)
    settings = load(site)
    with Inbox(settings.inbox_path) as inbox, Ledger(settings.ledger_path) as ledger:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
        yield ledger


def view(site: Path) -> View:
    return View(load(site).site_zone, "CNY")


def test_a_month_is_the_sites_not_greenwichs(month: Ledger, site: Path) -> None:
    """One second before local midnight belongs to October, midnight to November."""
    october = report(month, view(site), Period.month("2026-10", TODAY), ("day",))
    november = report(month, view(site), Period.month("2026-11", TODAY), ("day",))
    assert october.total["calls"] == 6
    assert [(row["day"], row["calls"]) for row in november.rows] == [("2026-11-01", 1)]


def told(ledger: Ledger, call: dict[str, Any], key: str) -> Any:
    """The group of a listed call."""
    start = datetime.fromisoformat(call["started_at"])
    match key:
        case "day" | "month":
            return call["started_at"][: 10 if key == "day" else 7]
        case "weekday" | "hour":
            return start.isoweekday() if key == "weekday" else start.hour
        case "employee":
            return call["name"]
        case "number":
            return ledger.calls.get(call["id"])["normalized"]
    return call[key]


@pytest.mark.parametrize("key", sorted(GROUPS))
def test_groups_add_up_to_the_total_and_to_the_calls(month: Ledger, site: Path, key: str) -> None:
    """Whatever the grouping, every call is in one row and every fee is counted once."""
    period = Period.month("2026-10", TODAY)
    answer = report(month, view(site), period, (key,))
    listed = list(calls(month, view(site), WantedCalls(period=period)))
    assert Counter({row[key]: row["calls"] for row in answer.rows}) == Counter(
        told(month, call, key) for call in listed
    )
    fees = sum((Decimal(call["fee"]) for call in listed if call["fee"]), Decimal())
    assert Decimal(answer.total["fee"]) == fees == sum(Decimal(row["fee"]) for row in answer.rows)
    assert answer.total["billed_s"] == sum(call["billed_s"] for call in listed)
    assert answer.total["answered"] == sum(call["disposition"] == "answered" for call in listed)


def test_what_the_sums_do_not_cover_is_told(month: Ledger, site: Path, cli: Cli) -> None:
    """The unrated call is counted, with its reason, in JSON and below the table."""
    answer = json.loads(cli("report", "--month", "2026-10", "--format", "json").stdout)
    assert answer["unrated"] == 1
    assert sum(answer["unrated_reasons"].values()) == 1
    assert "unrated: 1, " in cli("report", "--month", "2026-10").stderr


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (WantedCalls(extension="8001"), 5),
        (WantedCalls(number="+862258674577"), 3),
        (WantedCalls(number="958674577"), 3),
        (WantedCalls(trunk="2"), 1),
        (WantedCalls(direction="inbound"), 1),
        (WantedCalls(disposition="answered", extension="8002"), 2),
        (WantedCalls(traffic_type="domestic"), 3),
        (WantedCalls(status="unrated"), 1),
        (WantedCalls(day="2026-10-13", extension="8001"), 2),
        (WantedCalls(carrier="022-天津-电信", status="rated"), 4),
        (WantedCalls(limit=2), 2),
        (WantedCalls(event=1), 1),
    ],
    ids=str,
)
def test_every_filter_narrows_the_list(month: Ledger, site: Path, wanted: WantedCalls, count: int) -> None:
    """Each condition alone and two together."""
    assert len(list(calls(month, view(site), wanted))) == count


def test_a_call_has_the_contracts_keys_in_every_format(month: Ledger, cli: Cli) -> None:
    """JSON and CSV hold the same keys in the same order; the table is for people."""
    rows = json.loads(cli("calls", "list", "--format", "json").stdout)
    header = cli("calls", "list", "--format", "csv").stdout.splitlines()[0].split(",")
    assert list(rows[0]) == header == list(CALL_KEYS)
    contract = (
        "id event call_id pbx caller callee extension name department number started_at answered_at ended_at "
        "duration_s billed_s disposition trunk direction country region place traffic_type line_kind carrier "
        "fee currency status reason"
    )
    assert header[: len(contract.split())] == contract.split()


def test_explain_tells_the_call_its_event_and_its_steps(month: Ledger, cli: Cli) -> None:
    """In JSON the steps add up to the fee; in words they can be read aloud."""
    document = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)
    assert document["event_received"]["id"] == 1
    assert sum(Decimal(step["amount"]) for step in document["steps"]) == Decimal(document["fee"]) == Decimal("0.98")
    told = cli("calls", "explain", "1").stdout
    assert "Fee: 0.98 CNY" in told
    assert "021" in told
    assert "话费：0.98 CNY" in cli("--lang", "zh", "calls", "explain", "1").stdout


def test_an_explanation_stays_with_the_price_that_was_charged(month: Ledger, cli: Cli, site: Path) -> None:
    """A later tariff does not change what an old fee is explained by."""
    price_id = month.calls.get(1)["price_id"]
    month.book.end_prices([price_id])
    document = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)
    assert document["fee"] == "0.98"
    assert sum(Decimal(step["amount"]) for step in document["steps"]) == Decimal("0.98")


@pytest.mark.parametrize(
    ("period", "how", "first", "last", "name"),
    [
        (Period.month("2026-01", TODAY), "previous", "2025-12-01", "2025-12-31", "2025-12"),
        (Period.month("2028-02", TODAY), "last-year", "2027-02-01", "2027-02-28", "2027-02"),
        (Period.year("2026", TODAY), "previous", "2025-01-01", "2025-12-31", "2025"),
        (Period.year("last", TODAY), "last-year", "2024-01-01", "2024-12-31", "2024"),
        (Period.days(date(2026, 10, 12), date(2026, 10, 18)), "previous", "2026-10-05", "2026-10-11", None),
        (Period.days(date(2028, 2, 29), date(2028, 2, 29)), "last-year", "2027-02-28", "2027-02-28", "2027-02-28"),
    ],
)
def test_what_a_period_is_compared_with(period: Period, how: str, first: str, last: str, name: str | None) -> None:
    """The month, the year or as many days before; the same days a year earlier, 29 February included."""
    other = period.compared(how)
    assert (str(other.first), str(other.last), other.name) == (first, last, name or f"{first}..{last}")


def test_periods_that_cannot_be() -> None:
    """A year that is none, days the wrong way round, another word for comparing, nothing before the first year."""
    for wrong in ("26", "20266", "next", "", "²⁰²⁶", "0000"):
        with pytest.raises(UsageError, match="is not a year"):
            Period.year(wrong, TODAY)
    with pytest.raises(UsageError, match="2026-10-02 is after 2026-10-01"):
        Period.days(date(2026, 10, 2), date(2026, 10, 1))
    with pytest.raises(UsageError, match="cannot be compared"):
        Period.month("2026-10", TODAY).compared("yesterday")
    with pytest.raises(UsageError, match="no days before"):
        Period.year("0001", TODAY).compared("previous")


def october(ledger: Ledger, site: Path, *by: str, **asked: Any) -> Report:
    return report(ledger, view(site), Period.month("2026-10", TODAY), by, **asked)


def test_the_measures_follow_from_the_sums(month: Ledger, site: Path) -> None:
    """Rates and shares have four places, averages are by answered call, all rounded half up."""
    answer = october(month, site, "traffic_type")
    for row in [*answer.rows, answer.total]:
        fee, whole = Decimal(row["fee"]), Decimal(answer.total["fee"])
        assert row["answer_rate"] == str(
            (Decimal(row["answered"]) / row["calls"]).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        )
        assert row["share"] == str((fee / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP))
        if row["answered"]:
            assert row["average_fee"] == str((fee / row["answered"]).quantize(Decimal("0.01"), ROUND_HALF_UP))
            assert row["average_s"] == int(
                (Decimal(row["billed_s"]) / row["answered"]).quantize(Decimal(1), ROUND_HALF_UP)
            )
    assert answer.total["share"] == "1.0000"


def test_rows_come_in_the_order_asked_for(month: Ledger, site: Path) -> None:
    """By key, by a measure the largest first or the smallest; those left out are counted, the total covers them."""
    fees = [Decimal(row["fee"]) for row in october(month, site, "day", sort="fee").rows]
    assert fees == sorted(fees, reverse=True)
    assert [Decimal(row["fee"]) for row in october(month, site, "day", sort="-fee").rows] == sorted(fees)
    days = [row["day"] for row in october(month, site, "day").rows]
    assert days == sorted(days)
    assert [row["day"] for row in october(month, site, "day", sort="-day").rows] == days[::-1]
    top = october(month, site, "day", top=1)
    assert (len(top.rows), top.omitted, Decimal(top.rows[0]["fee"])) == (1, len(fees) - 1, fees[0] if fees else None)
    assert top.total == october(month, site, "day").total


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"sort": "colour"}, "cannot be sorted by 'colour'"),
        ({"top": 0}, "0 rows are none"),
        ({"source": "memory"}, "is not a source of sums"),
        ({"where": Where(min_fee="much")}, "not an amount"),
        ({"where": Where(department="nowhere")}, "there is no department nowhere"),
        ({"where": Where(employee="nobody")}, "there is no employee nobody"),
    ],
)
def test_what_cannot_be_asked_gets_a_sentence(month: Ledger, site: Path, asked: dict[str, Any], message: str) -> None:
    """Each says what is wrong with it."""
    with pytest.raises(BillingError, match=message):
        october(month, site, "extension", **asked)


def test_a_comparison_tells_both_periods_and_the_difference(month: Ledger, site: Path) -> None:
    """Also for groups that one of them does not have; days stand beside the days they are compared with."""
    answer = report(month, view(site), Period.month("2026-11", TODAY), ("extension",), compare="previous")
    before = {row["extension"]: row for row in october(month, site, "extension").rows}
    assert {row["extension"] for row in answer.rows} >= before.keys()
    for row in answer.rows:
        earlier = before.get(row["extension"], {"calls": 0, "fee": "0.00"})
        assert (row["previous_calls"], Decimal(row["previous_fee"])) == (earlier["calls"], Decimal(earlier["fee"]))
        assert row["calls_difference"] == row["calls"] - earlier["calls"]
        whole = not row["unpriced"] and not row["previous_unpriced"]
        told = row["fee_difference"]
        assert told is None if not whole else Decimal(told) == Decimal(row["fee"]) - Decimal(earlier["fee"])
    by_day = report(month, view(site), Period.month("2026-11", TODAY), ("day",), compare="previous")
    assert all(row["day"].startswith("2026-11") for row in by_day.rows)
    assert sum(row["previous_calls"] for row in by_day.rows) == by_day.total["previous_calls"] == 6


def test_departments_hold_those_below_them(month: Ledger, site: Path) -> None:
    """A row for each on the way up, told apart by level; the top ones and the calls of nobody make the total."""
    month.directory.assign("8001", date(2026, 1, 1), department="公司/工程部/一组")
    month.directory.assign("8002", date(2026, 1, 1), department="公司/工程部")
    rows = {row["department"]: row for row in october(month, site, "department").rows}
    assert [
        (path, rows[path]["level"], rows[path]["subtotal"]) for path in ("公司", "公司/工程部", "公司/工程部/一组")
    ] == [
        ("公司", 0, True),
        ("公司/工程部", 1, True),
        ("公司/工程部/一组", 2, False),
    ]
    assert rows["公司"]["calls"] == rows["公司/工程部"]["calls"] > rows["公司/工程部/一组"]["calls"]
    top = sum(row["calls"] for row in rows.values() if row["level"] == 0)
    assert top == october(month, site, "department").total["calls"]


@pytest.mark.parametrize(
    "wanted", [WantedCalls(), WantedCalls(extension="8001"), WantedCalls(status="rated", trunk="1")]
)
def test_a_list_of_calls_sorts_no_more_than_a_day(month: Ledger, site: Path, wanted: WantedCalls) -> None:
    """The index of days gives the order, so that a long list begins at once and takes no memory."""
    said: list[str] = []
    month.connection.set_trace_callback(said.append)
    listed = list(calls(month, view(site), wanted))
    month.connection.set_trace_callback(None)
    plan = [
        row[3]
        for row in month.connection.execute(
            f"EXPLAIN QUERY PLAN {next(one for one in said if 'CROSS JOIN charges' in one)}"
        )
    ]
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    assert any("calls_by_day" in step for step in plan)
    starts = [datetime.fromisoformat(call["started_at"]) for call in listed]
    assert starts == sorted(starts)


def test_the_few_calls_of_a_pin_are_found_by_it(month: Ledger, site: Path) -> None:
    """A page of them reads no other calls; a PIN that nobody has is answered as quickly."""
    newest = month.connection.execute("SELECT id FROM calls ORDER BY started_at DESC, id DESC LIMIT 2").fetchall()
    with month.transaction():
        month.connection.executemany("UPDATE calls SET pin = '4711' WHERE id = ?", map(tuple, newest))
    said: list[str] = []
    month.connection.set_trace_callback(said.append)
    page = calls_page(month, view(site), WantedCalls(pin="4711"), size=50)
    nobody = calls_page(month, view(site), WantedCalls(pin="4712"), size=50)
    month.connection.set_trace_callback(None)
    assert [row["id"] for row in page.rows] == [number for (number,) in newest]
    assert nobody.rows == []
    plan = month.connection.execute(f"EXPLAIN QUERY PLAN {next(one for one in said if 'ORDER BY c.day DESC' in one)}")
    assert any("USING INDEX calls_by_pin (pin=?)" in row[3] for row in plan)


@pytest.mark.parametrize(
    "where", [Where(), Where(direction="outbound"), Where(min_fee="0.01"), Where(extension="80..")]
)
@pytest.mark.parametrize("by", [("number",), ("number", "extension"), ("pin",), ("extension", "hour")])
def test_both_ways_through_the_calls_add_up_alike(
    month: Ledger, site: Path, by: tuple[str, ...], where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they came, or found by the index of days; beside calls without a price and filtered ones."""
    with month.transaction():
        for status in ("filtered", "unrated"):
            (number,) = month.connection.execute("SELECT max(id) FROM charges WHERE status = 'rated'").fetchone()
            month.rollups.count_out([number])
            month.connection.execute("UPDATE charges SET status = ?, fee_micro = NULL WHERE id = ?", [status, number])
            month.rollups.count_in([number])
    in_order, raw = october(month, site, *by, where=where), october(month, site, *by, where=where, source="calls")
    monkeypatch.setattr("ippbx_billing.reports.sources.MOST_OTHERS", 0)
    indexed = october(month, site, *by, where=where)
    assert in_order.document() == indexed.document() == raw.document()
    assert (in_order.total["unpriced"], in_order.filtered) == by_hand(month, where)
    assert in_order.total["calls"] > 0


def by_hand(ledger: Ledger, where: Where) -> tuple[int, int]:
    """How many of October's calls have no price, and how many were left out."""
    clause = "c.direction = 'outbound'" if where.direction else "g.fee_micro >= 10000" if where.min_fee else "1"
    return tuple(
        ledger.connection.execute(
            "SELECT count(*) FROM calls c JOIN charges g USING (id) WHERE c.day LIKE '2026-10-%' AND g.status = ? "
            f"AND {clause} {'AND c.extension GLOB ?' if where.extension else ''}",
            [status, *(["80??"] if where.extension else [])],
        ).fetchone()[0]
        for status in ("unrated", "filtered")
    )


def test_ten_thousand_bars_need_one_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing the bars looks for the largest figure once, not once a row."""
    looked = []

    def counted(values: list[Any]) -> Any:
        looked.append(len(values))
        return sorted(values)[-1]

    monkeypatch.setattr(sheets, "max", counted, raising=False)
    rows = [{"number": str(number), "fee": f"{number}.00"} for number in range(1_000)]
    columns = [Column("number", "Number", "code"), Column("fee", "Fee", "money")]
    day = date(2026, 10, 1)
    sheet = sheets.ReportSheet(
        title="", columns=columns, keys=["number"], rows=rows, total=None, document={}, period=Period.days(day, day),
        empty="", label="number",
    )  # fmt: skip
    drawn = sheets.with_bars(sheet)
    assert looked == [1_000]
    assert [len(drawn.rows[place]["bar"]) for place in (0, 999)] == [0, 8]
