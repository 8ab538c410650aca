"""Questions over years: DuckDB asks the files in force, and can reach nothing else.

answer = ask(history, "SELECT site, month, sum(fee) AS fee FROM calls GROUP BY ALL ORDER BY ALL")
answer.columns, answer.rows
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ippbx_billing.errors import BillingError, UsageError
from ippbx_billing.history.months import ClosedMonth, closed_months
from ippbx_billing.language import tr


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """The columns' names and the rows; amounts are exact decimal text, times ISO 8601."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def ask(history: Path, question: str, site: str | None = None, month: str | None = None) -> HistoryAnswer:
    """The answer to an SQL question about `calls`, which has the columns of the files, `site` and `month`.

    UsageError where DuckDB does not understand the question; BillingError where DuckDB is not installed.
    """
    months = closed_months(history, site, month)
    duckdb = _duckdb()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET allowed_directories = [{_quoted(str(history.resolve()) + '/')}]")
        connection.execute("SET enable_external_access = false")
        connection.execute(f"CREATE VIEW calls AS {_view(months)}")
        connection.execute("SET lock_configuration = true")
        try:
            found = connection.execute(question)
            rows = found.fetchall()
        except duckdb.Error as error:
            example = "SELECT site, month, sum(fee) AS fee FROM calls GROUP BY ALL ORDER BY ALL"
            problem = tr("DuckDB does not take the question: {error}", error=str(error).splitlines()[0])
            raise UsageError(problem, f'ippbx-bill centre ask "{example}"') from error
        names = tuple(one[0] for one in found.description or ())
    return HistoryAnswer(names, [tuple(map(_plain, row)) for row in rows])


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise BillingError(tr("questions need DuckDB"), tr("`pip install 'ippbx-bill[history]'` installs it")) from None
    return duckdb


def _view(months: Sequence[ClosedMonth]) -> str:
    """One table of the files that are in force; the folders' names are columns."""
    paths = ", ".join(_quoted(str(path.resolve())) for month in months for path in month.paths)
    types = "{'site': VARCHAR, 'month': VARCHAR}"
    return f"FROM read_parquet([{paths}], hive_partitioning = true, hive_types = {types})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
