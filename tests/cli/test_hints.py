"""Hints are commands: each one that the product prints is run as it stands, and puts right what it was printed for."""

import json
import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.language import LOCALE_DIR
from ippbx_billing.ledger import Ledger
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

TELECOM, MOBILE = "022-天津-电信", "022-天津-移动"
READERS = {"FEE": "0.30", "CARRIER": TELECOM, "NAME": TELECOM}  # what only the person at the keyboard knows


def commands(text: str) -> list[list[str]]:
    """The commands of a hint, with what the reader adds filled in."""
    found = []
    for told in re.findall(r"`ippbx-bill ([^`]*)`", text):
        filled = re.sub(r"\b(FEE|CARRIER|NAME)\b", lambda word: READERS[word[0]], told)
        found.append(shlex.split(filled))
    return found


def unrated(cli: Cli) -> list[dict[str, Any]]:
    result = cli("report", "unrated", "--month", "2026-10", "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["rows"]  # type: ignore[no-any-return]


def run_all(cli: Cli, hint: str) -> None:
    wanted = commands(hint)
    assert wanted, hint
    for words in wanted:
        result = cli(*words)
        assert result.exit_code == 0, (words, result.stderr)


@pytest.fixture
def waiting(site: Path, cli: Cli) -> Cli:
    """October calls of every kind that the standard tariff of a carrier leaves open."""
    numbers = ["911185", "90014165550123", "9008522345678", "916812345", "911651", "902162345678"]
    fill(site / "inbox.db", [gateway_cdr("8001", number, 61) for number in numbers])
    return cli


@pytest.mark.parametrize("carrier", [TELECOM, MOBILE])
def test_each_hint_of_the_unrated_calls_mends_them(waiting: Cli, site: Path, carrier: str) -> None:
    """As printed, one after the other; each leaves fewer calls without a price, and at last there are none."""
    settled_as(waiting, carrier)
    left = unrated(waiting)
    assert left
    while left:
        run_all(waiting, left[0]["hint"])
        now = unrated(waiting)
        assert sum(row["calls"] for row in now) < sum(row["calls"] for row in left), left[0]
        left = now


def settled_as(cli: Cli, carrier: str) -> None:
    """All calls are this carrier's."""
    if carrier != TELECOM:
        assert cli("trunks", "add", "1", "--carrier", carrier).exit_code == 0
    assert cli("events", "replay").exit_code == 0


def test_commands_stand_whole_below_a_narrow_table(waiting: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of 80 columns breaks them; what is copied into a shell must be one line."""
    settled_as(waiting, TELECOM)
    monkeypatch.setenv("COLUMNS", "80")
    shown = waiting("report", "unrated", "--month", "2026-10")
    (row, *_) = unrated(waiting)
    for told in re.findall(r"`(ippbx-bill [^`]*)`", row["hint"]):
        assert told not in shown.stdout
        assert told in shown.stderr.splitlines()


def test_hints_about_trunks_mend_them(waiting: Cli, site: Path) -> None:
    """Without a default carrier nobody charges the calls until somebody is named."""
    with Ledger(site / "ledger.db") as ledger:
        ledger.book.change_carrier(TELECOM, is_default=False)
    waiting("events", "replay")
    before = {row["reason_code"] for row in unrated(waiting)}
    assert before
    assert before <= {"unknown-trunk", "no-trunk"}
    for row in unrated(waiting):
        run_all(waiting, row["hint"].replace("CARRIER", MOBILE))
    assert not {row["reason_code"] for row in unrated(waiting)} & before


def test_a_price_that_begins_today_says_what_it_does_not_reach(waiting: Cli) -> None:
    """The earlier calls are counted, and the command that prices them is told whole; the call names the later price."""
    settled_as(waiting, TELECOM)
    others = [one for one in unrated(waiting) if one["traffic_type"] == "other"]
    row, count = others[0], sum(one["calls"] for one in others)
    result = waiting("tariffs", "set", TELECOM, "other", "--initial", "60:0.30", "--step", "60:0.30")
    assert f"{count} calls without a price are earlier" in result.stderr
    explained = waiting("calls", "explain", str(row["example"]), "--format", "json")
    begins = json.loads(explained.stdout)["price_begins"]
    assert begins > "2026-10-31"
    assert f"begins only on {begins}" in waiting("calls", "explain", str(row["example"])).stdout
    run_all(waiting, result.stderr)
    assert "other" not in {one["traffic_type"] for one in unrated(waiting)}


# -- commands within texts


def told_commands() -> list[str]:
    """Every command that stands in quotes in a text of the product, in either language."""
    found = set()
    for entry in texts():
        for told in re.findall(r"`ippbx-bill ([^`]+)`", entry):
            found.add(told)
    return sorted(found)


def texts() -> list[str]:
    return (LOCALE_DIR / "zh" / "LC_MESSAGES" / "ippbx_billing.po").read_text(encoding="utf-8").split("\n\n")


@pytest.mark.parametrize("told", told_commands())
def test_each_command_that_a_text_names_exists_with_its_options(cli: Cli, told: str) -> None:
    """Whoever types it as it stands is understood; values in braces and capitals are the reader's."""
    words = [word for word in told.split() if word != "…"]
    options = [word for word in words if word.startswith("--") and word != "--help"]
    names = list(takewhile(lambda word: re.fullmatch(r"[a-z][a-z-]*", word), words))
    named = next(tried for tried in (names[:length] for length in range(len(names), 0, -1)) if is_command(cli, tried))
    assert named
    shown = cli(*named, "--help").stdout
    assert named == names or "Commands:" not in shown, f"{named[-1]} has no {names[len(named)]}"
    for option in options:
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", shown), (named, option)


def is_command(cli: Cli, names: list[str]) -> bool:
    return cli(*names, "--help").exit_code == 0
