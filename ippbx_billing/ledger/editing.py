"""One change of the tables that people edit: all or nothing, also where it is made of several."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ippbx_billing.ledger.writing import begin

if TYPE_CHECKING:
    from sqlite_utils import Database


@contextmanager
def editing(connection: sqlite3.Connection) -> "Iterator[Database]":
    """A transaction with sqlite-utils at hand; a change within a change belongs to the outer one."""
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)
    if connection.in_transaction:
        yield database
        return
    begin(connection)
    try:
        yield database
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
