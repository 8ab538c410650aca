"""Calls by column say what each call's row of the ledger says, and times stand as `datetime` writes them."""

import shutil
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing import money
from ippbx_billing.language.reasons import english, plain, told
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.reasons import loaded, loaded_notes
from ippbx_billing.reports import CALL_KEYS, View, WantedCalls, call_columns, calls, calls_by_column
from ippbx_billing.reports.clock import IsoClock
from tests.benchmarks.exports import fill

ZONES = ("Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "UTC")
VIEW = View(ZoneInfo("Asia/Shanghai"), "CNY")


@given(st.lists(st.integers(-(10**10), 10**10)), st.sampled_from(ZONES))
def test_the_clock_tells_what_datetime_tells(moments: list[int], zone: str) -> None:
    """Any second of five centuries, also those of local mean times and of clocks that are set."""
    check(moments, ZoneInfo(zone))


@pytest.mark.parametrize("zone", [*map(ZoneInfo, ZONES), timezone(timedelta(seconds=1))])
def test_the_clock_is_set_within_an_hour(zone: tzinfo) -> None:
    """Each second of the night in which Berlin's clock goes back, and of the one in which Lord Howe's goes on."""
    for start in (datetime(2026, 10, 25, 0, 58, tzinfo=UTC), datetime(2026, 10, 3, 15, 28, tzinfo=UTC)):
        first = int(start.timestamp())
        check(list(range(first, first + 240)), zone)


def check(moments: list[int], zone: tzinfo) -> None:
    wanted = [datetime.fromtimestamp(one, UTC).astimezone(zone).isoformat() for one in moments]
    assert IsoClock(zone).texts([None, *moments]) == [None, *wanted]


def test_the_clock_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory that is full begins anew."""
    monkeypatch.setattr("ippbx_billing.reports.clock.MOST_REMEMBERED", 2)
    check([900 * place for place in range(9)], VIEW.zone)


@pytest.fixture(scope="module")
def ledger(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("calls") / "data")) / "ledger.db"
    fill(path, 700)
    with Ledger(path) as ledger, ledger.transaction():
        ledger.connection.execute("UPDATE calls SET trunk = '', pin = 'a\"b', record_id = 'x\n' WHERE id % 50 = 1")
        ledger.connection.execute("UPDATE calls SET notes = '[[\"no-talk\",{}]]', place = '=1' WHERE id % 7 = 0")
    with Ledger(path) as ledger:
        yield ledger


def test_calls_by_column_are_the_ledgers_rows(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key of each call, worked out here one by one from the tables."""
    monkeypatch.setattr(call_columns, "MOST_REMEMBERED", 5)
    listed = list(calls(ledger, VIEW, WantedCalls()))
    assert [list(row) for row in listed[:1]] == [list(CALL_KEYS)]
    rows = ledger.connection.execute(_ROWS).fetchall()
    paths = ledger.directory.paths()
    assert len(listed) == len(rows) == 700
    assert listed == [expected(row, paths) for row in rows]


def test_batches_grow(ledger: Ledger) -> None:
    """Few at first, so that a list begins at once; every key has as many values as there are calls."""
    batches = list(calls_by_column(ledger, VIEW, WantedCalls()).batches)
    assert [len(batch["id"]) for batch in batches] == [64, 636]
    assert {len(column) for column in batches[1].values()} == {636}


_ROWS = """
SELECT c.*, g.status, g.fee_micro, g.reason, g.reason_facts, r.name AS carrier, r.decimals, e.name AS person,
    h.department_id
FROM calls c JOIN charges g ON g.id = c.id LEFT JOIN carriers r ON r.id = g.carrier_id
LEFT JOIN holders h ON h.extension = c.extension AND h.first_day <= c.day AND h.end_day > c.day
LEFT JOIN employees e ON e.id = h.employee_id ORDER BY c.day, c.started_at, c.id
"""
_PLAIN = (
    "id", "call_id", "pbx", "caller", "callee", "extension", "number", "duration_s", "billed_s", "disposition",
    "trunk", "direction", "country", "region", "place", "traffic_type", "line_kind", "carrier", "status", "record_id",
    "dialect", "did", "pin",
)  # fmt: skip


def expected(row: Any, paths: dict[int | None, str]) -> dict[str, Any]:
    notes, decimals = loaded_notes(row["notes"]), row["decimals"]
    fee = None if row["fee_micro"] is None else money.text(row["fee_micro"], 2 if decimals is None else decimals)
    return {
        **{key: row[key] for key in _PLAIN},
        **{key: VIEW.time(row[key]) for key in ("started_at", "answered_at", "ended_at")},
        **told(loaded(row["reason"], row["reason_facts"])),
        "event": row["event_id"],
        "name": row["person"],
        "department": paths.get(row["department_id"]),
        "fee": fee,
        "currency": "CNY",
        "notes": [english(note) for note in notes],
        "note_reasons": [{"code": note.code, "facts": plain(note.facts)} for note in notes],
    }


def test_pyarrow_is_told_the_same(ledger: Ledger, tmp_path: Path) -> None:
    """Parquet read back: the fees exact, the moments the same, the rest as told."""
    from decimal import Decimal

    import pyarrow.parquet

    from ippbx_billing.delivery import parquet

    parquet.write(calls_by_column(ledger, VIEW, WantedCalls()), tmp_path / "calls.parquet")
    read = pyarrow.parquet.read_table(tmp_path / "calls.parquet").to_pylist()
    for row, wanted in zip(read, calls(ledger, VIEW, WantedCalls()), strict=True):
        assert row["fee"] == (wanted["fee"] and Decimal(wanted["fee"]))
        assert row["started_at"] == datetime.fromisoformat(wanted["started_at"])
        assert {key: row[key] for key in _PLAIN} == {key: wanted[key] for key in _PLAIN}
        assert row["notes"] == wanted["notes"]
