"""The price lists and calls of `data/rating_field.jsonl`: what people send, and what is right.

Each case is a site of its own; its commands are run as they stand there. `outcome` says how it went: `right`,
`refused` (nothing was imported, though it could have been), or `wrong` (imported, at another price).
"""

import io
import json
import shlex
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from ippbx_billing.cli.app import app

CASES = {
    case["id"]: case
    for case in map(
        json.loads,
        (Path(__file__).parent.parent / "data" / "rating_field.jsonl").read_text(encoding="utf-8").splitlines(),
    )
}
DECKS = sorted(name for name, case in CASES.items() if case["kind"] == "deck")
QUOTES = sorted(name for name, case in CASES.items() if case["kind"] == "quote")
NUMBERS = sorted(name for name, case in CASES.items() if case["kind"] == "number")

# What is refused though it could be understood, with the reason; nothing in it is wrong.
REFUSED = {
    "peak-offpeak": "the list does not say at which hours its off-peak rate holds: --off-peak does",
    "unknown-fees": "a list in USD for a site whose accounts are in EUR, with five seconds of grace",
}


class Site:
    """A data directory made by the case's `setup`, with its input file beside it."""

    def __init__(self, case: dict[str, Any], folder: Path) -> None:
        self.case, self.folder = case, folder
        self.said = ""
        for command in case["setup"].split(" ; "):
            assert self.run(command).exit_code == 0, self.said
        self.deck = folder / ("deck.xlsx" if case.get("input_sheets") else "deck.csv")
        self.deck.write_bytes(_content(case))

    def run(self, command: str) -> Result:
        """One command of the case; its file names mean those of the case."""
        words = [str(self.deck) if word.startswith("deck.") else word for word in shlex.split(command)]
        result = CliRunner().invoke(app, ["--data-dir", str(self.folder / "data"), *words])
        self.said += f"$ {command}\n{result.stdout}{result.stderr}"
        assert result.exception is None or isinstance(result.exception, SystemExit), self.said
        return result

    def fee(self, number: str, seconds: int, at: str | None) -> Decimal | None:
        """What such a call costs; None where it has no price."""
        when = f" --at {at}" if at else ""
        result = self.run(f"quote {shlex.quote(number)} --seconds {seconds}{when} --format json")
        fee = json.loads(result.stdout)["fee"]
        return None if fee is None else Decimal(fee)


def _content(case: dict[str, Any]) -> bytes:
    if case.get("input_sheets"):
        return _workbook(case["input_sheets"])
    text: str = case.get("input") or ""
    return text.encode("latin-1" if case["id"].startswith("enc-") else "utf-8")


def _workbook(sheets: list[dict[str, Any]]) -> bytes:
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    for described in sheets:
        sheet = book.create_sheet(described["name"])
        for row in described["rows"]:
            sheet.append(list(map(_cell, row)))
        for cells in described["merged"]:
            sheet.merge_cells(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S")
    except (TypeError, ValueError):
        return value


def outcome(site: Site) -> str:
    """How the import of the case went: right, refused, or wrong."""
    command = site.case["command"].split(";")[0].strip()
    imported = site.run(command).exit_code == 0
    expect = site.case["expect"]
    if isinstance(expect, str):
        return _outcome_in_words(site, expect, imported)
    if not imported:
        return "refused" if expect["import"] == "imported" else "right"
    if expect["import"] == "refused":
        return "wrong"
    return "right" if all(_is_right(site, wanted) for wanted in expect["quotes"]) else "wrong"


def _outcome_in_words(site: Site, expect: str, imported: bool) -> str:
    if "or a refusal" in expect:
        wanted = Decimal(expect.split()[0])
        return "right" if not imported or site.fee("00442079460000", 60, None) == wanted else "wrong"
    return "right" if imported else "refused"


def _is_right(site: Site, wanted: dict[str, Any]) -> bool:
    fee = site.fee(wanted["number"].replace(" ", ""), wanted["seconds"], wanted["at"])
    right = wanted["fee"]
    return right == "either" or (None if right is None else Decimal(str(right))) == fee


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_is_priced_as_its_sender_means_it(name: str, tmp_path: Path) -> None:
    """What is imported costs what is right; the few that are refused are known."""
    site = Site(CASES[name], tmp_path)
    assert outcome(site) == ("refused" if name in REFUSED else "right"), site.said


@pytest.mark.parametrize("name", QUOTES)
def test_a_call_costs_what_is_right(name: str, tmp_path: Path) -> None:
    """One call under one tariff."""
    case = CASES[name]
    site = Site(case, tmp_path)
    if isinstance(case["expect"], str):
        assert site.run(case["command"]).exit_code == 0, site.said
        return
    fee = json.loads(site.run(case["command"] + " --format json").stdout)["fee"]
    assert Decimal(fee) == Decimal(str(case["expect"]["fee"])), site.said


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_what_its_plan_says(name: str, tmp_path: Path) -> None:
    """Whatever the case names of it."""
    case = CASES[name]
    site = Site(case, tmp_path)
    found = json.loads(site.run(case["command"]).stdout)
    found = found[0] if isinstance(found, list) else found
    assert {key: found[key] for key in case["expect"]} == case["expect"], site.said
