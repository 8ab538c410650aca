"""Numbering: what a number is, seen from one site."""

import json
from pathlib import Path

import pytest

from ippbx_billing.calls import Direction
from ippbx_billing.numbering import Numbering

CASES = [
    json.loads(line) for line in (Path(__file__).parent / "data" / "number_cases.jsonl").read_text("utf-8").splitlines()
]


def _expected(case):
    names = {"operator_network": "operator"}
    wanted = {names.get(key, key): value for key, value in case["expect"].items() if key != "kind"}
    return {key: value for key, value in wanted.items() if key not in case.get("ignore", ())}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['group']} {case['home_country']} {case['number']}")
def test_case(case):
    """Every case of the collection comes out in all fields that it names."""
    settings = case.get("settings", {})
    numbering = Numbering(
        country=case["home_country"],
        area_code=case["home_area"],
        outside_prefix=settings.get("outside_prefix", ""),
        extension_patterns=settings.get("internal_patterns", ()),
    )
    found = numbering.classify(case["number"], Direction(case["direction"]))
    expected = _expected(case)
    assert {key: getattr(found, key) for key in expected} == expected, found.why
    assert found.rule
    assert found.why
