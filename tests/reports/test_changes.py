"""`report changes`: what is no longer as the bill said that was handed out."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.calls import EventKind
from ippbx_billing.inbox import Delivery, InboxWriter
from ippbx_billing.settings import load
from tests.conftest import Cli

FACTS = {"caller": "8001", "callee": "58674577", "start_time": "2026-10-05 10:00:00", "duration": 70, "billsec": 64}


@pytest.fixture
def arrive(site: Path, cli: Cli) -> Any:
    """Bodies that arrive at a moment of the site's clock, and are read."""

    def arriving(moment: str, *bodies: dict[str, Any]) -> None:
        at = int(datetime.fromisoformat(moment + "+08:00").timestamp() * 1_000_000)

        async def keep() -> None:
            with InboxWriter(load(site).inbox_path) as writer:
                for body in bodies:
                    await writer.keep(
                        Delivery(at, EventKind.CDR, "10.0.0.1", "POST", "/", "", b"", json.dumps(body).encode())
                    )

        asyncio.run(keep())
        assert cli("events", "replay").exit_code == 0

    return arriving


def changes(cli: Cli, *more: str) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    result = cli("report", "changes", "--since", "2026-11-02T09:00", "--format", "json", *more)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    keys = ("what", "extension", "fee_before", "fee", "difference")
    return [tuple(row[key] for key in keys) for row in found["rows"]], found["total"]


def test_what_came_late_or_was_corrected_is_listed_with_both_fees(arrive: Any, cli: Cli) -> None:
    """Calls of days that were handed out: new ones, longer ones, none of those that stayed or came in time."""
    arrive("2026-10-05T10:02", FACTS | {"cdr_id": "a"}, FACTS | {"cdr_id": "b", "caller": "8002"})
    assert changes(cli) == ([], {"calls": 0, "difference": "0.00", "unknown": 0})
    arrive(
        "2026-11-03T08:00",
        FACTS | {"cdr_id": "a"},  # again: nothing changes
        FACTS | {"cdr_id": "b", "caller": "8002", "billsec": 285, "duration": 291},
        FACTS | {"cdr_id": "c", "caller": "8003"},
        FACTS | {"cdr_id": "d", "start_time": "2026-11-03 07:00:00"},
    )
    arrive("2026-11-04T08:00", FACTS | {"cdr_id": "c", "caller": "8003", "billsec": 285, "duration": 291})
    assert changes(cli) == (
        [("corrected", "8002", "0.22", "0.44", "0.22"), ("late", "8003", None, "0.44", "0.44")],
        {"calls": 2, "difference": "0.66", "unknown": 0},
    )
    assert changes(cli, "--month", "2026-09")[0] == []
    assert changes(cli, "--month", "2026-10")[1]["calls"] == 2


def test_a_row_that_comes_late_and_a_rating_again_are_listed(arrive: Any, cli: Cli) -> None:
    """The call that was handed over is billed longer; a new price changes another one."""
    row = FACTS | {"linkedid": "l1", "callee": "13800138000"}
    arrive("2026-10-05T10:02", row, FACTS | {"caller": "8002"})
    later = {
        "caller": "13800138000",
        "callee": "8005",
        "start_time": "2026-10-05 10:01:10",
        "duration": 65,
        "billsec": 60,
    }
    arrive("2026-11-03T08:00", later | {"linkedid": "l1"})
    (first, second), total = changes(cli)
    assert first == ("rows", "8001", "0.77", "1.54", "0.77")
    assert second[:2] == ("late", "8005")
    assert total["difference"] == "0.77"
    story = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)
    assert [(one["id"], one["status"]) for one in story["rows"]] == [(3, "filtered")]
    assert "call 3:" in cli("calls", "explain", "1").stdout
    assert json.loads(cli("calls", "explain", "3", "--format", "json").stdout)["rows"][0]["id"] == 1


def test_a_moment_that_is_none_is_said(cli: Cli) -> None:
    """Exit 2 and a sentence."""
    result = cli("report", "changes", "--since", "yesterday")
    assert (result.exit_code, "is not a time" in result.stderr) == (2, True)


def test_ids_used_again_and_corrections_stand_under_a_report_and_in_doctor(arrive: Any, cli: Cli) -> None:
    """Counted for the days asked about."""
    arrive("2026-10-05T10:02", FACTS | {"cdr_id": "a"}, FACTS | {"cdr_id": "a", "caller": "8002"})
    arrive("2026-10-05T10:03", FACTS | {"cdr_id": "a", "billsec": 285, "duration": 291})
    result = cli("report", "--month", "2026-10", "--format", "json")
    coverage = json.loads(result.stdout)["coverage"]
    assert (coverage["reused_ids"], coverage["corrected_calls"]) == (1, 1)
    assert "1 calls whose record has an id that another call had" in cli("report", "--month", "2026-10").stderr
    assert "record ids" in cli("doctor").stdout
