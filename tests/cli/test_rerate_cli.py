"""`rerate` and `calls explain --history`, as an administrator uses them after entering a new tariff."""

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.calls import Charge
from ippbx_billing.cli import common
from ippbx_billing.pipeline import rerating
from ippbx_billing.pipeline.rerating.deciding import Deciding
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

TELECOM = "022-天津-电信"


@pytest.fixture
def dearer(cli: Cli, site: Path) -> Cli:
    """Two domestic calls and a local one of October, then a domestic price of 0.60 a minute from 1 October."""
    bodies = [("8001", "902162345678", 64), ("8002", "902162345678", 64), ("8001", "958674577", 64)]
    fill(site / "inbox.db", [gateway_cdr(*one) for one in bodies])
    assert cli("events", "replay").exit_code == 0
    price = ["--initial", "60:0.60", "--step", "60:0.60", "--from", "2026-10-01"]
    result = cli("tariffs", "set", TELECOM, "domestic", *price)
    assert result.exit_code == 0, result.stderr
    assert "`ippbx-bill rerate --from 2026-10-01`" in result.stderr
    return cli


def answer(cli: Cli, *arguments: str) -> dict[str, object]:
    result = cli(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def fees(cli: Cli) -> list[str]:
    return [call["fee"] for call in answer(cli, "calls", "list")]  # type: ignore[attr-defined]


def test_a_price_and_a_list_are_tried_on_last_months_calls(
    dearer: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --dry-run both say what these cost and would cost, as rating again makes it, and change nothing."""
    monkeypatch.setattr(common, "now", lambda: datetime(2026, 11, 2, 1, 30, tzinfo=UTC))
    assert dearer("rerate", "--month", "2026-10").exit_code == 0
    told = "2 calls from 2026-10-01 to 2026-10-31 are concerned: 2.40 CNY before, 4.00 CNY after, +1.60 CNY"
    price = ["--initial", "60:1", "--step", "60:1"]
    tried = dearer("tariffs", "set", TELECOM, "domestic", *price, "--from", "2026-10-01", "--dry-run")
    assert told in tried.stderr
    later = dearer("tariffs", "set", TELECOM, "domestic", *price, "--from", "2027-01-01", "--dry-run")
    assert told in later.stderr
    assert "as if it had been in force" in later.stderr
    deck = tmp_path / "deck.csv"
    row = f"{TELECOM},domestic,any,60,1,60,1,2026-10-01"
    deck.write_text(f"carrier,traffic_type,match,initial_s,initial_fee,step_s,step_fee,effective_from\n{row}\n")
    before = fees(dearer)
    assert told in dearer("tariffs", "import", str(deck), "--dry-run").stderr
    assert "0.60" in dearer("tariffs", "show", TELECOM, "--traffic-type", "domestic").stdout
    assert fees(dearer) == before


def test_a_dry_run_shows_the_difference_and_changes_nothing(dearer: Cli) -> None:
    """By extension and in total, exact; the local call is not in it."""
    before = fees(dearer)
    found = answer(dearer, "rerate", "--month", "2026-10", "--dry-run")
    rows = [{key: row[key] for key in ("extension", "calls", "before", "after", "difference")} for row in found["rows"]]  # type: ignore[attr-defined]
    assert rows == [
        {"extension": "8001", "calls": 1, "before": "0.77", "after": "1.20", "difference": "0.43"},
        {"extension": "8002", "calls": 1, "before": "0.77", "after": "1.20", "difference": "0.43"},
    ]
    assert found["total"]["difference"] == "0.86"  # type: ignore[index]
    assert (found["from"], found["to"]) == ("2026-10-01", "2026-10-31")
    assert fees(dearer) == before
    told = dearer("rerate", "--month", "2026-10", "--dry-run")
    assert "nothing has been changed" in told.stderr
    assert "0.86" in told.stdout


def test_a_run_changes_the_charges_and_keeps_the_earlier_ones(dearer: Cli) -> None:
    """The history says what the call cost before and until when; the second run finds nothing to change."""
    result = dearer("rerate", "--from", "2026-10-01", "--to", "2026-10-31")
    assert result.exit_code == 0, result.stderr
    assert "rated 3 calls again, 2 have another charge now" in result.stderr
    assert "1.54 CNY before and 2.40 now: 0.86" in result.stderr
    assert fees(dearer) == ["1.20", "1.20", "0.22"]
    history = answer(dearer, "calls", "explain", "1", "--history")["history"]
    assert [(one["fee"], one["status"], one["carrier"]) for one in history] == [("0.77", "rated", TELECOM)]  # type: ignore[attr-defined]
    assert f"0.77 CNY, {TELECOM}" in dearer("calls", "explain", "1", "--history").stdout
    assert "This is its first charge." in dearer("calls", "explain", "3", "--history").stdout
    assert "history" not in answer(dearer, "calls", "explain", "1")
    again = answer(dearer, "rerate", "--month", "2026-10")
    assert (again["calls"], again["changed"], again["difference"]) == (3, 0, "0.00")


def test_ctrl_c_ends_a_run_between_two_stretches(dearer: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed while SQLite asks for a charge: what was begun is completed, and the next run does the rest."""
    found = Deciding.charge

    def pressed(*asked: Any) -> Charge:
        signal.raise_signal(signal.SIGINT)
        return found(*asked)

    monkeypatch.setattr(rerating, "CALLS_AT_ONCE", 1)
    with monkeypatch.context() as patch:
        patch.setattr(Deciding, "charge", pressed)
        result = dearer("rerate", "--month", "2026-10")
    assert result.exit_code == 130
    assert "rror" not in result.stderr
    assert sorted(fees(dearer)) == ["0.22", "0.77", "1.20"]
    assert answer(dearer, "rerate", "--month", "2026-10")["changed"] == 1
    assert fees(dearer) == ["1.20", "1.20", "0.22"]


def test_only_what_was_asked_for_is_rated_again(dearer: Cli) -> None:
    """By traffic type and by carrier."""
    assert answer(dearer, "rerate", "--month", "2026-10", "--traffic-type", "local")["changed"] == 0
    assert answer(dearer, "rerate", "--month", "2026-10", "--carrier", "022-天津-联通")["changed"] == 0
    assert answer(dearer, "rerate", "--month", "2026-10", "--carrier", TELECOM)["changed"] == 2


def test_a_corrected_prefix_reaches_earlier_calls_by_reclassify(dearer: Cli) -> None:
    """The number is looked up again; the history tells what it was held for."""
    added = dearer("numbers", "override", "add", "02162", "--traffic-type", "local", "--line-kind", "fixed")
    assert added.exit_code == 0, added.stderr
    assert answer(dearer, "rerate", "--month", "2026-10", "--reclassify")["changed"] == 2
    (earlier,) = answer(dearer, "calls", "explain", "1", "--history")["history"]  # type: ignore[misc]
    assert earlier["meaning"]["traffic_type"] == "domestic"
    assert "held for domestic" in dearer("calls", "explain", "1", "--history").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "say which days"),
        (["--month", "2026-10", "--from", "2026-10-01"], "say which days"),
        (["--from", "2026-10-31", "--to", "2026-10-01"], "2026-10-31 is after 2026-10-01"),
        (["--from", "October"], "'October' is not a day"),
        (["--month", "2026-13"], "'2026-13' is not a month"),
    ],
)
def test_days_that_make_no_sense_are_told(cli: Cli, arguments: list[str], sentence: str) -> None:
    """Wrong usage: exit 2, what is wrong, and nothing is touched."""
    result = cli("rerate", *arguments)
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.stderr


def test_an_unknown_carrier_is_told(cli: Cli) -> None:
    """With the carriers there are."""
    result = cli("rerate", "--month", "2026-10", "--carrier", "nobody")
    assert result.exit_code == 1
    assert "nobody" in result.stderr
    assert TELECOM in result.stderr


def test_a_run_says_what_is_priced_now_what_is_not_and_what_costs_other(dearer: Cli, site: Path) -> None:
    """Each call is counted once: priced now, still without a price and why, or another fee."""
    fill(site / "inbox.db", [gateway_cdr("8001", number, 61) for number in ("911185", "90014165550123", "9119")])
    dearer("events", "replay")
    price = ["--initial", "60:0.30", "--step", "60:0.30", "--match", "prefix=11185", "--from", "2026-10-01"]
    assert dearer("tariffs", "set", TELECOM, "other", *price).exit_code == 0
    waiting = answer(dearer, "report", "--month", "2026-10")["unrated"]
    told = dearer("rerate", "--month", "2026-10").stderr
    assert "priced now: 1 calls, 0.60 CNY" in told
    assert "fee changed: 2 calls, 1.54 -> 2.40 CNY" in told
    found = answer(dearer, "rerate", "--month", "2026-10")
    left = answer(dearer, "report", "--month", "2026-10")["unrated"]
    assert left == waiting - 1  # type: ignore[operator]
    assert (found["priced"], found["fee_changed"], found["unpriced"]) == (0, 0, left)
    assert sum(one["count"] for one in found["unpriced_by_reason"]) == left  # type: ignore[attr-defined]


def test_calls_that_stay_without_a_price_come_with_their_reason(cli: Cli, site: Path) -> None:
    """For people in a sentence, for programs by code."""
    fill(site / "inbox.db", [gateway_cdr("8001", "911185", 61)])
    assert cli("events", "replay").exit_code == 0
    assert f"still without a price: 1, {TELECOM} has no price for" in cli("rerate", "--month", "2026-10").stderr
    (reason,) = answer(cli, "rerate", "--month", "2026-10")["unpriced_by_reason"]  # type: ignore[misc]
    assert (reason["reason_code"], reason["count"]) == ("no-price", 1)  # type: ignore[index]
