"""Parquet below the command line: one schema whatever the calls, groups worth their header, whole or nothing."""

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.delivery import parquet as writing
from ippbx_billing.documents.batches import Batches
from ippbx_billing.errors import BillingError
from ippbx_billing.ledger import Ledger
from ippbx_billing.reports import CALL_KEYS, Period, View, WantedCalls, calls, calls_by_column
from ippbx_billing.settings import load
from tests.benchmarks.exports import fill

pyarrow_parquet = pytest.importorskip("pyarrow.parquet")

CALLS = 700
EMPTY = WantedCalls(period=Period.month("2001-01", datetime(2026, 10, 1, tzinfo=UTC).date()))


@pytest.fixture(scope="module")
def ledger(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Calls with every kind of value: without a price, with notes, without times."""
    data_dir = Path(shutil.copytree(fresh_site, tmp_path_factory.mktemp("parquet") / "data"))
    fill(data_dir / "ledger.db", CALLS)
    with Ledger(data_dir / "ledger.db") as ledger, ledger.transaction():
        ledger.connection.execute("UPDATE calls SET notes = '[[\"no-talk\",{}]]' WHERE id % 7 = 0")
        ledger.connection.execute("UPDATE calls SET answered_at = NULL WHERE id % 5 = 0")
        ledger.connection.execute(
            "UPDATE charges SET status = 'unrated', fee_micro = NULL, reason = 'unknown-trunk', "
            'reason_facts = \'{"trunk":"9"}\' WHERE id % 11 = 0'
        )
    with Ledger(data_dir / "ledger.db") as ledger:
        yield ledger


@pytest.fixture
def view(fresh_site: Path) -> View:
    using = load(fresh_site)
    return View(using.site_zone, using.currency)


def written(ledger: Ledger, view: View, path: Path, wanted: WantedCalls = WantedCalls()) -> Any:  # noqa: B008
    writing.write(calls_by_column(ledger, view, wanted), path)
    return pyarrow_parquet.ParquetFile(path)


def test_every_key_of_the_contract_is_a_column_of_one_type(ledger: Ledger, view: View, tmp_path: Path) -> None:
    """A month without calls has the same schema as a full one, so that they are read as one table."""
    full = written(ledger, view, tmp_path / "full.parquet").schema_arrow
    empty = written(ledger, view, tmp_path / "empty.parquet", EMPTY)
    assert full.equals(empty.schema_arrow)
    assert full.names == list(CALL_KEYS)
    assert empty.metadata.num_rows == 0
    types = {name: str(full.field(name).type) for name in ("id", "fee", "started_at", "notes", "number")}
    assert types == {
        "id": "int64",
        "fee": "decimal128(18, 6)",
        "started_at": "timestamp[ms, tz=UTC]",  # of whole seconds; the format knows no coarser unit
        "notes": types["notes"],
        "number": "string",
    }
    assert types["notes"].startswith("list<")


def test_what_is_not_known_is_null_and_never_a_zero(ledger: Ledger, view: View, tmp_path: Path) -> None:
    """An unrated call has no fee; its reason is told with its facts, which are JSON."""
    rows = written(ledger, view, tmp_path / "calls.parquet").read().to_pylist()
    told = {row["id"]: row for row in calls(ledger, view, WantedCalls())}
    assert len(rows) == len(told) == CALLS
    unrated = [row for row in rows if row["id"] % 11 == 0]
    assert {row["fee"] for row in unrated} == {None}
    assert {row["reason_code"] for row in unrated} == {"unknown-trunk"}
    assert {row["reason_facts"] for row in unrated} == {json.dumps({"trunk": "9"})}
    rated = [row for row in rows if told[row["id"]]["status"] == "rated"]
    assert len(rated) > CALLS // 2
    assert all(row["fee"] == Decimal(told[row["id"]]["fee"]) and row["reason_facts"] is None for row in rated)
    assert {row["answered_at"] for row in rows if row["id"] % 5 == 0} == {None}
    assert all(
        row["answered_at"] == datetime.fromisoformat(told[row["id"]]["answered_at"])
        for row in rows
        if told[row["id"]]["answered_at"]
    )
    assert {tuple(row["notes"]) for row in rows if row["id"] % 7 == 0} == {("answered without talk time",)}


def test_rows_are_written_in_groups(
    ledger: Ledger, view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches are put together until a group is worth its header; the last one holds what is left."""
    whole = written(ledger, view, tmp_path / "whole.parquet")
    assert whole.metadata.num_row_groups == 1
    monkeypatch.setattr(writing, "ROWS_AT_ONCE", 1)
    parts = written(ledger, view, tmp_path / "parts.parquet")
    sizes = [parts.metadata.row_group(place).num_rows for place in range(parts.metadata.num_row_groups)]
    assert sizes == [64, CALLS - 64]
    assert parts.read().equals(whole.read())


def test_the_same_calls_are_the_same_bytes(ledger: Ledger, view: View, tmp_path: Path) -> None:
    """Whoever compares two exports sees what has changed, and nothing else."""
    for name in ("one", "two"):
        written(ledger, view, tmp_path / name / "month=2026-10" / "calls.parquet")
    one, two = (tmp_path / name / "month=2026-10" / "calls.parquet" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_file_is_whole_or_as_it_was(ledger: Ledger, view: View, tmp_path: Path) -> None:
    """Where reading the calls fails half-way, yesterday's file stays and nothing lies beside it."""
    path = tmp_path / "calls.parquet"
    before = written(ledger, view, path, EMPTY).read()
    batches = calls_by_column(ledger, view, WantedCalls())

    def failing() -> Iterator[Any]:
        yield next(iter(batches.batches))
        raise OSError("the disk is gone")

    with pytest.raises(BillingError, match="cannot be written: the disk is gone"):
        writing.write(Batches(batches.keys, failing()), path)
    assert pyarrow_parquet.read_table(path).equals(before)
    assert list(tmp_path.iterdir()) == [path]


def test_without_pyarrow_the_hint_is_the_command(
    ledger: Ledger, view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the folder is made."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BillingError, match="Parquet needs pyarrow") as raised:
        writing.write(calls_by_column(ledger, view, WantedCalls()), tmp_path / "month=2026-10" / "calls.parquet")
    assert raised.value.hint == "pip install 'ippbx-bill[parquet]'"
    assert list(tmp_path.iterdir()) == []
