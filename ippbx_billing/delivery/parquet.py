"""Calls as Parquet, for those who ask their own questions: exact fees, times that know their zone. Needs `pyarrow`.

    write(calls_by_column(ledger, view, WantedCalls(period=period)), Path("calls/month=2026-10/calls.parquet"))

The folders `month=2026-10` are what DuckDB, pandas and Spark take for a partition.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ippbx_billing.documents.batches import Batches, FewValues
from ippbx_billing.errors import BillingError
from ippbx_billing.files import whole
from ippbx_billing.language import tr
from ippbx_billing.reports import CALL_KEYS
from ippbx_billing.reports.call_columns import TIMES, CallBatch

ROWS_AT_ONCE = 50_000
NUMBERS = ("id", "event", "duration_s", "billed_s")
FACTS = ("reason_facts", "note_reasons")  # JSON in a text: each reason has facts of its own


def write(calls: Batches[CallBatch], path: Path) -> None:
    """Write calls as `reports.calls_by_column` gives them; BillingError where pyarrow is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise missing() from None
    schema = _schema(pyarrow)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as stream, pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(_record_batch(pyarrow, schema, one) for one in calls.batches):
            writer.write_table(pyarrow.Table.from_batches(group))


def _groups(batches: Iterable[Any]) -> Iterator[list[Any]]:
    """Batches together, so that a group of rows is worth its own header."""
    group: list[Any] = []
    for batch in batches:
        group.append(batch)
        if sum(one.num_rows for one in group) >= ROWS_AT_ONCE:
            yield group
            group = []
    if group:
        yield group


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


def _record_batch(pyarrow: Any, schema: Any, batch: CallBatch) -> Any:
    return pyarrow.record_batch([_column(pyarrow, one, _values(batch, one.name)) for one in schema], schema)


def _values(batch: CallBatch, key: str) -> Sequence[Any]:
    return batch.single[key] if key in TIMES else batch[key]


def _column(pyarrow: Any, wanted: Any, values: Sequence[Any]) -> Any:
    """A column of the wanted type; Arrow reads exact fees out of their texts."""
    if isinstance(values, FewValues):
        different = _column(pyarrow, wanted, values.different)
        return different.take(pyarrow.array(values.places, pyarrow.int32()))
    if wanted.name in FACTS:
        values = [json.dumps(one, ensure_ascii=False) if one else None for one in values]
    if wanted.name == "fee":
        return pyarrow.array(values, pyarrow.string()).cast(wanted.type)
    return pyarrow.array(values, wanted.type)
