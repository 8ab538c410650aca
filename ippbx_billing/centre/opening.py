"""A connection to the centre's PostgreSQL, and its errors as sentences.

with opened(dsn) as connection: ...                 # as the centre itself
with opened(dsn, tenant="acme") as connection: ...  # as a tenant's reader: row-level security holds
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ippbx_billing.centre import schema  # isort: skip  it says what to do where psycopg is missing
import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.types.string import TextLoader

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

__all__ = ["Connection", "Row", "connected", "opened", "plainly", "tuple_row"]

Row = dict[str, Any]
Connection = psycopg.Connection[Row]


def connected(dsn: str, tenant: str | None = None) -> Connection:
    """A connection that commits each statement; days come as text like `2026-12-01`. Raises DataError."""
    with plainly():
        connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row, application_name="ippbx-bill")
        connection.adapters.register_loader("date", TextLoader)
        if tenant is not None:
            connection.execute("SELECT set_config('ippbx_bill.tenant', %s, false)", [tenant])
            connection.execute("SET ROLE " + schema.READER)
        return connection


@contextmanager
def opened(dsn: str, tenant: str | None = None) -> Iterator[Connection]:
    """The same, closed at the end; refuses a centre that was not set up, or is of another release."""
    connection = connected(dsn, tenant)
    try:
        with plainly():
            if tenant is None and schema.version(connection) < len(schema.STEPS):
                raise DataError(
                    tr("the centre's tables are not there, or not up to date"), tr("run `ippbx-bill centre init DSN`")
                )
            yield connection
    finally:
        connection.close()


@contextmanager
def plainly() -> Iterator[None]:
    """What PostgreSQL says as a sentence; no word of the password in it."""
    try:
        yield
    except psycopg.Error as error:
        told = str(error).strip().splitlines()
        raise DataError(
            tr("the centre's database does not answer: {error}", error=told[0] if told else type(error).__name__),
            tr("check the DSN, and that PostgreSQL runs; see `ippbx-bill help centre`"),
        ) from error
