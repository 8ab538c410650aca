"""Records as the field sends them, delivered and read: each case is the calls that its source says it is."""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ippbx_billing.calls import EventKind
from ippbx_billing.cli.app import app
from ippbx_billing.inbox import Delivery, Inbox, InboxWriter
from ippbx_billing.ledger import Ledger
from ippbx_billing.listener import Doors
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.reports import View, WantedCalls, calls
from ippbx_billing.settings import load
from tests import DATA
from tests.listening import Wire

CASES = [json.loads(line) for line in (DATA / "field_records.jsonl").read_text(encoding="utf-8").splitlines()]
ARRIVAL = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
TIMES = {"start": "started_at", "answer": "answered_at", "end": "ended_at"}
Sites = Callable[[tuple[str, ...]], Path]


@pytest.fixture(scope="module")
def site_of(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The data directory that `init` makes with these options; copy it, do not touch it."""

    @cache
    def made(options: tuple[str, ...]) -> Path:
        data_dir = tmp_path_factory.mktemp("field") / "data"
        result = CliRunner().invoke(app, ["--data-dir", str(data_dir), "init", *options])
        assert result.exit_code == 0, result.output
        return data_dir

    return made


@pytest.fixture
def read(site_of: Sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], list[Any]]:
    """Delivers a case as its sender does, reads it, and gives the calls as `calls list` shows them."""

    def reading(case: dict[str, Any]) -> list[dict[str, Any]]:
        site = Path(shutil.copytree(site_of(tuple(case["settings"])), tmp_path / "data"))
        for name, value in case.get("env", {}).items():
            monkeypatch.setenv(name, value)
        settings = load(site, environment=os.environ)
        asyncio.run(_deliver(settings.inbox_path, case))
        with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
            Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()
            found = calls(ledger, View(settings.site_zone, settings.currency), WantedCalls())
            return [call for call in found if call["status"] != "filtered"]  # a record of a call told by another one

    return reading


async def _deliver(inbox_path: Path, case: dict[str, Any]) -> None:
    with InboxWriter(inbox_path) as writer:
        if "raw_b64" in case:
            wire = Wire(Doors(writer, {8181: EventKind.CDR}))
            wire.hear(base64.b64decode(case["raw_b64"]))
            wire.protocol.eof_received()  # the sender has said all it has to say
            await wire.answer()
            wire.end()
            return
        for one in (case, *case.get("more", ())):
            await writer.keep(_delivery(case | one))


def _delivery(one: dict[str, Any]) -> Delivery:
    body = base64.b64decode(one["body_b64"]) if "body_b64" in one else one["body"].encode()
    names = {"content-type": one["content_type"], **one.get("headers", {})}
    headers = "\r\n".join(f"{name}: {value}" for name, value in names.items()).encode("latin-1")
    arrived = int(ARRIVAL.timestamp() * 1_000_000)
    return Delivery(arrived, "cdr", "10.1.2.3", one["method"], one["path"], one["query"], headers, body)


def differences(call: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    """Where a call is not what its source settles, as (ours, right)."""
    return {
        key: (ours, right)
        for key, right in expect.items()
        if (ours := call[TIMES.get(key, key)]) != right and not (key in TIMES and _same_moment(ours, right))
    }


def _same_moment(ours: str | None, right: str | None) -> bool:
    return bool(ours and right) and datetime.fromisoformat(str(ours)) == datetime.fromisoformat(str(right))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in CASES])
def test_a_delivery_is_the_calls_it_tells_of(read: Callable[..., list[Any]], case: dict[str, Any]) -> None:
    """As many calls as the source tells of, each with the facts that it settles."""
    found = read(case)
    assert len(found) == len(case["expect"])
    best = min(
        ([differences(*pair) for pair in zip(order, case["expect"], strict=True)] for order in permutations(found)),
        key=lambda pairs: sum(map(len, pairs)),
    )
    assert not any(best), best
