"""A site with a tree of departments and calls of everybody, and one operator for each role."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from ippbx_billing.tariffs.filters import CallFilter
from tests.bodies import fill, gateway_cdr
from tests.console.visitor import Clock, Visitor, operator

PEOPLE = {  # extension: staff number, name, department
    "8001": ("1001", "张三", "公司/工程部"),
    "8002": ("1002", "李四", "公司/工程部/一组"),
    "8003": ("1003", "王五", "公司/销售部"),
    "8004": ("1004", "<b>赵六</b>", "公司/销售部"),
}
NAMES = {"anna": Role.ADMINISTRATOR, "carla": Role.ACCOUNTANT, "victor": Role.VIEWER}


@pytest.fixture(scope="session")
def made_office(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy it, do not touch it."""
    site = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("office") / "data"))
    using = load(site)
    with Ledger(using.ledger_path) as ledger:
        for extension, (number, name, department) in PEOPLE.items():
            ledger.directory.add_employee(number, name, department)
            ledger.directory.assign(extension, date(2026, 1, 1), employee=number)
        # 8002 was somebody else's until 10 October, and those calls are not of the first group
        ledger.directory.add_employee("1009", "钱七", "公司/销售部")
        ledger.directory.assign("8002", date(2026, 1, 1), employee="1009")
        ledger.directory.assign("8002", date(2026, 10, 10), employee="1002")
        ledger.rules.add_filter(CallFilter(number="N0377"))  # the calls of 3 October, everybody's
    bodies = [
        gateway_cdr(extension, f"9021{extension}{day:02d}77", 60 + day, start=f"2026-10-{day:02d} 1{hour}:05:00")
        for day in (3, 9, 11, 13, 14)
        for hour, extension in enumerate(PEOPLE)
    ]
    bodies += [
        gateway_cdr("8001", "901062345678", 80, start="2026-10-14 11:00:00"),
        gateway_cdr("8003", "9<img src=x onerror=alert(1)>", 10, start="2026-10-14 11:30:00"),
        b'{"nonsense": true}',
    ]
    fill(using.inbox_path, bodies)
    with Inbox(using.inbox_path) as inbox, Ledger(using.ledger_path) as ledger:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()
    for name, role in NAMES.items():
        operator(site, name, role)
    operator(site, "hans", Role.HEAD, department="公司/工程部")
    operator(site, "emil", Role.EMPLOYEE, employee="1003")
    return site


@pytest.fixture
def office(made_office: Path, tmp_path: Path) -> Path:
    """The office, for this test alone."""
    return Path(shutil.copytree(made_office, tmp_path / "office"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visitor(office: Path, clock: Clock) -> Iterator[Visitor]:
    """Somebody who is not signed in."""
    with Visitor(office, clock) as somebody:
        yield somebody


@pytest.fixture
def anna(visitor: Visitor) -> Visitor:
    """The administrator, signed in."""
    assert visitor.sign_in("anna").status == 200
    return visitor
