"""What has no price is never shown as zero, whichever report and form it is asked in."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

QUESTIONS: dict[str, list[str]] = {
    "report": ["report", "--by", "traffic-type"],
    "categories": ["report", "categories"],
    "bill": ["bill", "--company"],
}


@pytest.fixture
def october(site: Path, cli: Cli) -> Cli:
    """A local call for 0.22, and two to a service number without a price."""
    fill(site / "inbox.db", [gateway_cdr("8001", number, 61) for number in ("958674577", "911185", "911183")])
    assert cli("events", "replay").exit_code == 0
    return cli


def asked(cli: Cli, name: str, form: str) -> str:
    result = cli(*QUESTIONS[name], "--month", "2026-10", "--format", form)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("form", ["table", "html", "markdown"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_cell_and_the_sum_say_so(october: Cli, name: str, form: str) -> None:
    """The cell of the service numbers counts them, the sum is at least what it holds."""
    text = asked(october, name, form)
    assert "unpriced 2" in text
    assert "≥ 0.22" in text
    assert "0.00" not in text


@pytest.mark.parametrize("name", QUESTIONS)
def test_programs_are_told_how_many(october: Cli, name: str) -> None:
    """Fees stay exact decimals; the number of calls beside them tells what they leave out."""
    found: dict[str, Any] = json.loads(asked(october, name, "json"))
    assert (found["total"]["fee"], found["total"]["unpriced"]) == ("0.22", 2)
    rows = list(csv.DictReader(io.StringIO(asked(october, name, "csv"))))
    assert {row["unpriced"] for row in rows} <= {"0", "2"}
    assert "2" in {row["unpriced"] for row in rows}


def test_a_sum_of_everything_priced_is_plain(october: Cli) -> None:
    """Nothing is said where nothing is missing."""
    price = ["other", "--flat", "0.10", "--from", "2026-10-01"]
    assert october("tariffs", "set", "022-天津-电信", *price).exit_code == 0
    assert october("rerate", "--month", "2026-10").exit_code == 0
    for name in QUESTIONS:
        text = asked(october, name, "table")
        assert "0.42" in text
        assert "≥" not in text
        assert "unpriced" not in text
