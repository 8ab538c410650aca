"""The ledger: what the events mean and what they cost, in one SQLite file that can be rebuilt from the inbox.

    with Ledger(path) as ledger, ledger.transaction():
        ledger.calls.add(rated_calls)
        ledger.journey.advance(position)

A sibling is one group of tables: `book` the tables that people edit (carriers, trunks, prices), `plans` the plans of
the month, mark-up and tax, `directory` who has which extension, `rules` what the site knows better (days off,
clean-ups, filters), `calls` the calls and charges, `records` which record is which call, `rows` the rows of one call,
`rollups` their sums, `rerates` what new tariffs changed, `journey` the inbox position, the outcomes of events and the
calls in progress, `incidents` what alert rules found, `posts` what is told of it on which channel, `heard` what the
rules ask of the calls, `arrivals` what becomes of the events of the last moments, `deliveries` what is mailed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.ledger.arrivals import ArrivalTables
from ippbx_billing.ledger.book import BookTables
from ippbx_billing.ledger.calls import CallTables, RatedCall
from ippbx_billing.ledger.deliveries import DeliveryTables
from ippbx_billing.ledger.directory import DirectoryTables
from ippbx_billing.ledger.heard import HeardTables
from ippbx_billing.ledger.incidents import IncidentTables
from ippbx_billing.ledger.journey import JourneyTables, LiveCall
from ippbx_billing.ledger.limits import LimitTables
from ippbx_billing.ledger.migrations import ledger as STEPS
from ippbx_billing.ledger.plans import PlanTables
from ippbx_billing.ledger.posts import PostTables
from ippbx_billing.ledger.records import RecordTables
from ippbx_billing.ledger.replays import ReplayTables
from ippbx_billing.ledger.rerates import RerateTables
from ippbx_billing.ledger.rollups import RollupTables
from ippbx_billing.ledger.rows import RowTables
from ippbx_billing.ledger.rules import RuleTables
from ippbx_billing.ledger.writing import begin
from ippbx_billing.sqlite.opening import OpenFile

__all__ = ["Ledger", "LiveCall", "RatedCall"]

SCHEMA = len(STEPS)  # the version of the tables that this code knows
FIRST_WITH_SUMS = 7  # files before that step have no sums yet
BUSY_TIMEOUT_S = 60


class Ledger(OpenFile):
    """An open ledger; use it in one thread. A file of an older version is brought up to date on opening."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.connection = _connect(path)
            self._bring_up_to_date()
        except sqlite3.DatabaseError as error:
            raise DataError(
                tr("{path} cannot be used: {error}", path=path, error=error),
                tr("check disk, owner and mode of the data directory"),
            ) from error
        self.book = BookTables(self.connection)
        self.rollups = RollupTables(self.connection)
        self.calls = CallTables(self.connection, self.rollups)
        self.directory = DirectoryTables(self.connection)
        self.plans = PlanTables(self.connection, self.directory)
        self.journey = JourneyTables(self.connection)
        self.rerates = RerateTables(self.connection, self.rollups)
        self.replays = ReplayTables(self.connection)
        self.rules = RuleTables(self.connection)
        self.records = RecordTables(self.connection)
        self.rows = RowTables(self.connection)
        self.incidents = IncidentTables(self.connection)
        self.posts = PostTables(self.connection)
        self.heard = HeardTables(self.connection)
        self.arrivals = ArrivalTables(self.connection)
        self.limits = LimitTables(self.connection)
        self.deliveries = DeliveryTables(self.connection)
        self._version = self.changed_by_others()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; the write lock is taken at once, so that two writers wait instead of failing."""
        begin(self.connection)
        try:
            self._believe_nothing_old()
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            self.calls.forget_kinds()
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """All questions asked within are answered from one state of the file, whoever writes meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def sync(self) -> None:
        """All that was committed is on the disk when this returns, and not only in the memory of the system.

        The log is one file: what is synced with this commit is synced with all before it.
        """
        self.connection.execute("PRAGMA synchronous = FULL")
        try:
            with self.transaction():
                self.journey.set_state("synced", str(self.journey.position()))
        finally:
            self.connection.execute("PRAGMA synchronous = NORMAL")

    def changed_by_others(self) -> int:
        """A number that changes whenever somebody else wrote to this file."""
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def _believe_nothing_old(self) -> None:
        """What this connection remembers of ids may be another's now, if somebody put a new ledger in place."""
        version = self.changed_by_others()
        if version != self._version:
            self.calls.forget_kinds()
            self._version = version

    def faults(self) -> str:
        """What SQLite finds wrong with the file, or nothing."""
        found = [row[0] for row in self.connection.execute("PRAGMA quick_check(3)")]
        return "" if found == ["ok"] else "; ".join(found)

    def _bring_up_to_date(self) -> None:
        version = int(self.connection.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA:
            raise DataError(
                tr("{path} was written by a newer ippbx-bill", path=self.path), tr("update ippbx-bill on this machine")
            )
        if version < SCHEMA:
            _migrate(self.connection, version)


def _connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; the file is for its owner only from its first byte."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # The inbox is the durable one: after a power cut the ledger's last transactions are worked out again from it.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Imported here, because sqlite-utils costs more to load than a report takes."""
    from sqlite_utils import Database

    STEPS.apply(Database(connection, execute_plugins=False))
    if version < FIRST_WITH_SUMS:
        connection.execute("BEGIN IMMEDIATE")
        RollupTables(connection).rebuild()
        connection.execute("COMMIT")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
