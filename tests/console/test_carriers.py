"""Carriers: the list, another region, prices and their versions, and what each carrier would have cost."""

import csv
import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import load
from tests.console.visitor import Visitor


def carriers(site: Path) -> list[tuple[str, str, str]]:
    with Ledger(load(site).ledger_path) as ledger:
        return [(one.name, one.area_code, one.place) for one in ledger.book.carriers()]


def test_the_place_and_the_name_follow_the_area_code(anna: Visitor, office: Path) -> None:
    """As the manual's right click does it; noted, and refused for what is not an area code."""
    name = next(one for one, _, _ in carriers(office) if one.endswith("电信"))
    assert anna.post("/carriers/region", {"name": name, "area_code": "0999999"}).status == 400
    assert anna.post("/carriers/region", {"name": "nobody", "area_code": "010"}).status == 404
    page = anna.post("/carriers/region", {"name": name, "area_code": "010"})
    assert f"{name} is now 010-北京-电信" in page.text
    assert ("010-北京-电信", "010", "北京") in carriers(office)
    with OperatorFile(load(office).operators_path) as file:
        entry = next(file.log.entries(action="carriers set-region"))
    assert (entry.before["name"], entry.after["name"]) == (name, "010-北京-电信")


def test_prices_in_force_and_every_version(anna: Visitor, office: Path) -> None:
    """Today's by default; a later and an earlier version stand among all; a file has the same rows."""
    with Ledger(load(office).ledger_path) as ledger:
        name = ledger.book.carriers()[0].name
        one = next(price for price in ledger.book.prices() if price.carrier == name)
        ledger.book.add_prices([replace(one, id=None, effective_from=date(2027, 1, 1))])
        count = sum(price.carrier == name for price in ledger.book.prices())
    path = f"/carriers/prices?carrier={name}"
    assert "2027-01-01" not in anna.get(path).text
    page = anna.get(f"{path}&versions=1")
    assert "2027-01-01" in page.text
    body = anna.get(f"{path.replace('prices?', 'prices/file?')}&versions=1&form=csv").body.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(body)))) == count == len(page.tree().xpath("//main//tbody/tr"))
    kind = anna.get(f"{path}&traffic_type=international")
    place = kind.texts("th").index("Traffic type") + 1
    assert set(kind.tree().xpath(f"//main//tbody/tr/td[{place}]/text()")) == {"international"}
    assert anna.get("/carriers/prices?carrier=nobody").status == 404
    assert anna.get(f"{path}&traffic_type=x").status == 400


def test_carriers_are_compared(anna: Visitor) -> None:
    """The page says what `compare` says."""
    page = anna.get("/carriers/compare?period=this-month")
    told = json.loads(anna.get("/carriers/compare/file?period=this-month&form=json").body)
    assert told["total"]["calls"] == 18
    assert len(page.tree().xpath("//main//tbody/tr")) == len(told["rows"])
    assert anna.get("/carriers/compare?from=2025-01-01&to=2025-01-31").status == 200


@pytest.mark.parametrize("name", ["victor", "hans", "emil"])
def test_who_may_what(visitor: Visitor, name: str) -> None:
    visitor.sign_in(name)
    status = 200 if name == "victor" else 403
    for path in ("/carriers", "/carriers/compare"):
        assert visitor.get(path).status == status
    assert not visitor.get("/carriers").tree().xpath("//main//form[@method='post']")
    assert visitor.post("/carriers/region", {"name": "x", "area_code": "010"}).status == 403


def test_in_chinese(anna: Visitor) -> None:
    anna.post("/account/language", {"language": "zh"})
    assert anna.get("/carriers").texts("h1") == ["运营商设置"]
