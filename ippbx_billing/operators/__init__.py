"""Who signs in, and who did what: one SQLite file of its own, because no record of a PBX can bring it back.

    with OperatorFile(using.operators_path) as file:
        anna = file.operators.add("anna", Role.VIEWER)
        file.operators.set_password(anna.id, "correct horse battery")
        file.log.write(now, Actor.of_system(), "operators add", "anna", after={"role": "viewer"})

A sibling is one group of tables: `people` the operators and their one-time addresses, `visits` who is signed in and how
many tries failed, `log` who did what. `roles` says what a role may see, `passwords` how one is kept.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ippbx_billing.errors import DataError
from ippbx_billing.files import give_to_owner_of
from ippbx_billing.language import tr
from ippbx_billing.operators.log import LogTables
from ippbx_billing.operators.migrations import operators as STEPS
from ippbx_billing.operators.people import Operator, OperatorTables
from ippbx_billing.operators.roles import Role
from ippbx_billing.operators.visits import VisitTables
from ippbx_billing.sqlite.opening import OpenFile

__all__ = ["Operator", "OperatorFile", "Role"]

SCHEMA = len(STEPS)
BUSY_TIMEOUT_S = 15


class OperatorFile(OpenFile):
    """The open file; use it in one thread. It is made where there is none, for its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.connection = _connect(path)
            self._bring_up_to_date()
        except (sqlite3.DatabaseError, OSError) as error:
            raise DataError(
                tr("{path} cannot be used: {error}", path=path, error=error),
                tr("check disk, owner and mode of the data directory"),
            ) from error
        self.operators = OperatorTables(self.connection)
        self.visits = VisitTables(self.connection)
        self.log = LogTables(self.connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; two writers wait for each other."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def _bring_up_to_date(self) -> None:
        version = int(self.connection.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA:
            raise DataError(
                tr("{path} was written by a newer ippbx-bill", path=self.path), tr("update ippbx-bill on this machine")
            )
        if version < SCHEMA:
            from sqlite_utils import Database

            STEPS.apply(Database(self.connection, execute_plugins=False))
            self.connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; a new file belongs to the owner of the data directory, also if root makes it."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        give_to_owner_of(path.parent, path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # nothing brings back a line of the log that a power cut took
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
