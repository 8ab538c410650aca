"""Each role sees its own calls on every page, in every file and in every sum, and no byte of others'."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.console.desk import scope_of
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.reports import Period, View, WantedCalls, Where, calls, report
from ippbx_billing.reports.paging import arrived, calls_page, newest_id
from ippbx_billing.settings import load
from tests.console.visitor import Visitor

OWN = {  # what each sees of October: extension and day of the month
    "hans": lambda extension, day: extension == "8001" or (extension == "8002" and day >= 10),
    "emil": lambda extension, day: extension == "8003",
}


def everything(site: Path) -> list[dict[str, object]]:
    using = load(site)
    with Ledger(using.ledger_path) as ledger:
        return list(calls(ledger, View(using.site_zone, "CNY"), WantedCalls()))


def seen(site: Path, name: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The calls that they may see, and all others."""
    rows = everything(site)
    own = [row for row in rows if OWN[name](row["extension"], int(str(row["started_at"])[8:10]))]
    return own, [row for row in rows if row not in own]


@pytest.mark.parametrize("name", OWN)
def test_no_page_names_a_call_of_others(visitor: Visitor, office: Path, name: str) -> None:
    """Every page that the links lead to, from the first one on: none holds a number that only others dialled."""
    own, others = seen(office, name)
    assert own
    assert others
    hidden = {str(row["number"]) for row in others} - {str(row["number"]) for row in own}
    visitor.sign_in(name)
    todo, done = ["/", "/calls?period=this-month", "/reports", "/bills"], set[str]()
    while todo and len(done) < 60:
        path = todo.pop(0)
        if path in done:
            continue
        done.add(path)
        page = visitor.get(path)
        for number in hidden:
            assert number.encode() not in page.body, (path, number)
        if "text/html" in page.headers["content-type"]:
            todo += [one for one in page.links() if one.startswith("/") and not one.startswith("/static")]
    assert len(done) > 10


@pytest.mark.parametrize("name", OWN)
def test_calls_of_others_are_not_there(visitor: Visitor, office: Path, name: str) -> None:
    """By their number in the address too, and not even that they exist is told."""
    own, others = seen(office, name)
    visitor.sign_in(name)
    unknown = visitor.get("/calls/99999")
    for row in others:
        answer = visitor.get(f"/calls/{row['id']}")
        assert answer.status == 404
        told, nobodys = answer.text.partition("<main")[2], unknown.text.partition("<main")[2]
        assert re.sub(rf"call {row['id']}\b", "call ID", told) == nobodys.replace("call 99999", "call ID")
    assert visitor.get(f"/calls/{own[0]['id']}").status == 200
    assert visitor.get(f"/events/{own[0]['event']}").status == 403


@pytest.mark.parametrize("name", OWN)
def test_files_hold_ones_own_calls(visitor: Visitor, office: Path, name: str) -> None:
    """All of them, and no other."""
    own, _ = seen(office, name)
    visitor.sign_in(name)
    body = visitor.get("/calls/file?period=this-month&form=csv").body.decode("utf-8-sig")
    assert sorted(row["id"] for row in csv.DictReader(io.StringIO(body))) == sorted(str(row["id"]) for row in own)
    listed = json.loads(visitor.get("/calls/file?period=this-month&form=json").body)
    assert listed == own


@pytest.mark.parametrize("name", OWN)
def test_hints_name_nobody_else(visitor: Visitor, office: Path, name: str) -> None:
    """A slip of the pen is not answered with the names of others."""
    visitor.sign_in(name)
    for wrong in ("extension=9999", "employee=赵", "department=公司/销售", "trunk=x", "carrier=y", "region=z"):
        page = visitor.get(f"/calls?period=this-month&{wrong}")
        assert page.status in (400, 404)
        assert not re.search("800|100[0-9]|销售部|赵六|天津", page.text.partition("<main")[2].replace("8180", "")), (
            wrong
        )


QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "extension": st.sampled_from(["8001", "8003", "80..", "8*", "8001,8003"]),
        "direction": st.sampled_from(["outbound", "inbound"]),
        "traffic_type": st.sampled_from(["local", "domestic"]),
        "department": st.sampled_from(["公司", "公司/工程部", "公司/销售部"]),
        "employee": st.sampled_from(["1001", "1002", "1003", "1009"]),
        "disposition": st.just("answered"),
    },
)
DAYS = st.tuples(st.integers(1, 31), st.integers(1, 31)).map(sorted)
KEYS = st.sampled_from([("extension",), ("day",), ("department",), ("employee",), ("trunk",), ("country", "place"),
                        ("hour",), ("number",), ("extension", "traffic_type"), ("month",)])  # fmt: skip


@pytest.mark.parametrize("name", OWN)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=QUESTIONS, days=DAYS, by=KEYS)
def test_sums_are_sums_of_what_one_may_see(
    made_office: Path, name: str, question: dict[str, str], days: list[int], by: tuple[str, ...]
) -> None:
    """Whatever is asked, by whichever source it is answered: list, pages and sum agree, and hold no more."""
    using = load(made_office)
    view = View(using.site_zone, "CNY")
    period = Period.days(*(Period.days(*2 * [view_day(day)]).first for day in days))
    with OperatorFile(using.operators_path) as file, Ledger(using.ledger_path) as ledger:
        scope = scope_of(ledger, file.operators.named(name))
        wanted = WantedCalls(scope=scope, period=period, **question)
        listed = list(calls(ledger, view, wanted))
        answer = report(ledger, view, period, by, where=Where(scope=scope, **question))
        paged, after = [], ""
        while True:
            page = calls_page(ledger, view, wanted, size=3, after=after)
            paged += page.rows
            after = page.next
            if not after:
                break
        assert answer.filtered == sum(row["status"] == "filtered" for row in listed)
        came = arrived(ledger, view, Where(scope=scope), after=0, most=1_000)
        assert newest_id(ledger) >= len(came)
    assert all(OWN[name](row["extension"], int(row["started_at"][8:10])) for row in [*listed, *came])
    assert answer.total["calls"] == sum(row["status"] != "filtered" for row in listed)
    assert sorted(row["id"] for row in paged) == sorted(row["id"] for row in listed)
    assert [row["started_at"] for row in paged] == sorted((row["started_at"] for row in paged), reverse=True)


def view_day(day: int):  # type: ignore[no-untyped-def]
    from datetime import date

    return date(2026, 10, day)


def test_a_department_that_is_gone_lets_nothing_be_seen(office: Path) -> None:
    """Nobody sees more because a name was changed."""
    using = load(office)
    with OperatorFile(using.operators_path) as file, Ledger(using.ledger_path) as ledger:
        ledger.directory.rename_department("公司/工程部", "研发部")
        ledger.directory.rename_employee("1003", new_number="2003")
        for name in OWN:
            scope = scope_of(ledger, file.operators.named(name))
            assert list(calls(ledger, View(using.site_zone, "CNY"), WantedCalls(scope=scope))) == []
