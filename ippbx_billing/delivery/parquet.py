"""Calls as Parquet, for those who ask their own questions: exact fees, times that know their zone. Needs `pyarrow`.

    write(calls(ledger, view, CallFilter(period=period)), Path("calls/month=2026-10/calls.parquet"))

The folders `month=2026-10` are what DuckDB, pandas and Spark take for a partition.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from ippbx_billing.documents.columns import Row
from ippbx_billing.errors import BillingError
from ippbx_billing.files import whole
from ippbx_billing.language import tr
from ippbx_billing.reports import CALL_KEYS

ROWS_AT_ONCE = 50_000
NUMBERS = ("id", "event", "duration_s", "billed_s")
TIMES = ("started_at", "answered_at", "ended_at")
FACTS = ("reason_facts", "note_reasons")  # JSON in a text: each reason has facts of its own


def write(rows: Iterable[Row], path: Path) -> None:
    """Write calls as `reports.calls` gives them; BillingError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing() from None
    schema = _schema(pyarrow)
    path.parent.mkdir(parents=True, exist_ok=True)
    remaining = iter(rows)
    with whole(path) as stream, pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        while batch := [_values(row) for row in islice(remaining, ROWS_AT_ONCE)]:
            writer.write_table(pyarrow.Table.from_pylist(batch, schema))


def missing() -> BillingError:
    """What to say where pyarrow is not there."""
    return BillingError(tr("Parquet needs pyarrow"), tr("pip install 'ippbx-bill[parquet]'"))


def _schema(pyarrow: Any) -> Any:
    """A column for each key, always of the same type: files of empty months fit those of full ones."""
    types: dict[str, Any] = dict.fromkeys(CALL_KEYS, pyarrow.string())
    types |= dict.fromkeys(NUMBERS, pyarrow.int64())
    types |= dict.fromkeys(TIMES, pyarrow.timestamp("s", "UTC"))
    types |= {"fee": pyarrow.decimal128(18, 6), "notes": pyarrow.list_(pyarrow.string())}
    return pyarrow.schema(list(types.items()))


def _values(row: Row) -> dict[str, Any]:
    values = dict(row)
    for key in TIMES:
        values[key] = row[key] and datetime.fromisoformat(row[key])
    for key in FACTS:
        values[key] = json.dumps(row[key], ensure_ascii=False) if row[key] else None
    return values | {"fee": row["fee"] and Decimal(row["fee"])}
