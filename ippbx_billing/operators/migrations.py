"""The operators' file from empty to today's tables.

A step that has been released is never edited; a change is a new step.
"""

from typing import TYPE_CHECKING

from ippbx_billing.sqlite.steps import Steps

if TYPE_CHECKING:
    from sqlite_utils import Database

operators = Steps("operators")


@operators()
def m001_operators(db: "Database") -> None:
    """Operators, who is signed in, failed tries, and the log, which nobody may change afterwards.

    Secrets are kept as digests only: of a password argon2's, of a random id SHA-256, since that one cannot be guessed.
    `key` is the name as it is compared. Times are whole seconds of UTC. A scope is kept by the name of a department and
    the number of an employee, because their ids change when a ledger is built anew.
    """
    for statement in (
        """
        CREATE TABLE operators (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            key TEXT NOT NULL UNIQUE,
            role TEXT NOT NULL,
            department TEXT,
            employee TEXT,
            language TEXT NOT NULL DEFAULT '',
            password TEXT,
            disabled INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE invitations (
            digest BLOB PRIMARY KEY,
            operator_id INTEGER REFERENCES operators (id),
            expires_at INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE visits (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            digest BLOB NOT NULL UNIQUE,
            earlier BLOB,
            changed_at INTEGER NOT NULL,
            operator_id INTEGER NOT NULL REFERENCES operators (id),
            began_at INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL,
            remembered INTEGER NOT NULL,
            address TEXT NOT NULL,
            agent TEXT NOT NULL
        )
        """,
        "CREATE INDEX visits_by_earlier ON visits (earlier)",
        "CREATE TABLE failed_tries (key TEXT PRIMARY KEY, count INTEGER NOT NULL, last_at INTEGER NOT NULL)",
        """
        CREATE TABLE log (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            who TEXT NOT NULL,
            role TEXT NOT NULL,
            face TEXT NOT NULL,
            address TEXT NOT NULL,
            action TEXT NOT NULL,
            object TEXT NOT NULL,
            before TEXT,
            after TEXT,
            reason TEXT NOT NULL
        )
        """,
        "CREATE TRIGGER log_is_not_changed BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END",
        "CREATE TRIGGER log_is_not_cut BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log only grows'); END",
    ):
        db.execute(statement)
