"""One Parquet file of calls: the facts, what the number is, the charge. Fees are exact decimals, times UTC.

    with writing(Path("calls.parquet")) as file:
        file.write(rows)            # each row the values of `COLUMNS`, times and fees as the ledger keeps them
    for batch in batches(Path("calls.parquet")):
        batch.values("fee_micro")   # a list, one value a call

Any program that reads Parquet reads these: `fee` is decimal(18,6), `started_at` a timestamp with its zone.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from ippbx_billing.delivery.parquet import missing
from ippbx_billing.errors import DataError
from ippbx_billing.files import whole
from ippbx_billing.language import tr
from ippbx_billing.ledger.calls import FACTS, MEANING

ROWS_AT_ONCE = 50_000

CHARGED = ("status", "fee_micro", "carrier", "price_id", "window", "reason", "reason_facts", "calendar")
COLUMNS = ("id", "event_id", "day", "notes", "data_version", *FACTS, *MEANING, *CHARGED)
_NUMBERS = {"id", "event_id", "duration_s", "billed_s", "billed_ms", "price_id"}
_TIMES = {"started_at", "answered_at", "ended_at"}
_MICRO = Decimal("0.000001")


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise missing() from None
    return pyarrow


def _type(pyarrow: Any, name: str) -> Any:
    if name in _TIMES:
        return pyarrow.timestamp("s", "UTC")
    if name == "emergency":
        return pyarrow.bool_()
    if name == "fee_micro":
        return pyarrow.decimal128(18, 6)
    return pyarrow.int64() if name in _NUMBERS else pyarrow.string()


def stored_name(name: str) -> str:
    """How a column is called in the file: a fee there is no count of micro-units but an amount."""
    return "fee" if name == "fee_micro" else name


def _schema(pyarrow: Any) -> Any:
    return pyarrow.schema([(stored_name(name), _type(pyarrow, name)) for name in COLUMNS])


@dataclass(frozen=True, slots=True)
class PieceWriter:
    """An open file that takes rows."""

    pyarrow: Any
    writer: Any

    def write(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
        """Write rows, each the values of `COLUMNS`; gives what was written, a stretch of rows at a time."""
        source = iter(rows)
        while chunk := list(islice(source, ROWS_AT_ONCE)):
            self.put(dict(zip(COLUMNS, zip(*chunk, strict=True), strict=True)))
            yield chunk

    def put(self, columns: dict[str, Any]) -> None:
        """Write columns of values; those that are Arrow arrays already are taken as they are."""
        arrays = [self._array(name, columns[name]) for name in COLUMNS]
        self.writer.write_batch(self.pyarrow.record_batch(arrays, _schema(self.pyarrow)))

    def _array(self, name: str, values: Any) -> Any:
        pyarrow = self.pyarrow
        if isinstance(values, pyarrow.Array):
            return values
        wanted = _type(pyarrow, name)
        if name == "fee_micro":
            return exact_fees(pyarrow.array(values, pyarrow.int64()))
        if name in _TIMES:
            return pyarrow.array(values, pyarrow.int64()).cast(wanted)
        if name == "emergency":
            values = [bool(value) for value in values]
        return pyarrow.array(values, wanted)


def exact_fees(micro: Any) -> Any:
    """Micro-units as amounts of six decimals, by exact decimal arithmetic."""
    pyarrow = _pyarrow()
    whole_numbers = micro.cast(pyarrow.decimal128(19, 0))
    return pyarrow.compute.multiply(whole_numbers, pyarrow.scalar(_MICRO)).cast(pyarrow.decimal128(18, 6))


@contextmanager
def writing(path: Path) -> Iterator[PieceWriter]:
    """A new file, there whole or not at all; BillingError where pyarrow is not installed or the disk refuses."""
    pyarrow = _pyarrow()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        whole(path) as stream,
        pyarrow.parquet.ParquetWriter(stream, _schema(pyarrow), compression="zstd") as writer,
    ):
        yield PieceWriter(pyarrow, writer)


@dataclass(frozen=True, slots=True)
class PieceBatch:
    """Some calls of a file, by column."""

    batch: Any

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def column(self, name: str) -> Any:
        """A column as Arrow has it."""
        return self.batch.column(stored_name(name))

    def values(self, name: str) -> list[Any]:
        """A column as the ledger keeps its values: times as seconds of UTC, fees as micro-units."""
        column = self.column(name)
        if name in _TIMES:
            column = column.cast(_type(_pyarrow(), name)).cast("int64")  # Parquet itself knows no whole seconds
        if name == "fee_micro":
            column = micro_units(column)
        found: list[Any] = column.to_pylist()
        return found


def micro_units(fees: Any) -> Any:
    """Amounts as whole micro-units; the arithmetic is that of decimals, so nothing is rounded."""
    pyarrow = _pyarrow()
    wide = fees.cast(pyarrow.decimal128(25, 6))
    return pyarrow.compute.multiply(wide, pyarrow.scalar(Decimal(10**6))).cast("int64")


def batches(path: Path) -> Iterator[PieceBatch]:
    """The calls of a file in their order; DataError where it is not one of ours or is damaged."""
    pyarrow = _pyarrow()
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            if file.schema_arrow.names != [stored_name(name) for name in COLUMNS]:
                raise DataError(tr("{path}: not a file of past calls", path=path), "")
            yield from map(PieceBatch, file.iter_batches(ROWS_AT_ONCE))
    except (pyarrow.ArrowException, OSError) as error:
        problem = tr("{path} cannot be read: {error}", path=path, error=str(error).splitlines()[0])
        raise DataError(problem, tr("take it from a backup, or close the month again")) from error
