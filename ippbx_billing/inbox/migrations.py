"""The inbox's biography: every step from an empty file to today's table.

Each step opens with why it exists. A step that has been released is never edited; a change is a new step.

    with closing(sqlite_utils.Database("inbox.db")) as database:
        inbox.apply(database)  # runs what is pending, each step in a transaction of its own
"""

from typing import TYPE_CHECKING

from ippbx_billing.sqlite.steps import Steps

if TYPE_CHECKING:
    from sqlite_utils import Database

inbox = Steps("inbox")


@inbox()
def m001_events(db: "Database") -> None:
    """One row per delivery, byte for byte, before anybody understands it.

    AUTOINCREMENT, because the pipeline remembers the last id it has read: an id must never come again,
    not even after the newest rows were pruned. No index: arrival order is the id's order, and every index would
    make the PBX wait. `received_at` is in microseconds of UTC; `headers` is the block `Name: value` CRLF …;
    `path` and `query` are the bytes of the request line read as Latin-1, which loses none.
    """
    db.execute(
        """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            received_at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            remote TEXT NOT NULL,
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            query TEXT NOT NULL,
            headers BLOB NOT NULL,
            body BLOB NOT NULL
        )
        """
    )


@inbox()
def m002_salvaged(db: "Database") -> None:
    """Events that came back from a damaged inbox and that nobody has read yet.

    They enter this list in the transaction that brings them back, and leave it when they were read: a salvage that is
    killed in between is completed by repeating it.
    """
    db.execute("CREATE TABLE IF NOT EXISTS salvaged (event_id INTEGER PRIMARY KEY)")


@inbox()
def m003_epoch(db: "Database") -> None:
    """The name of this row of ids, for whoever copies the events elsewhere by their ids.

    A restored inbox gives ids a second time, to other events; then the epoch is another, and no copy mixes the two.
    """
    db.execute("CREATE TABLE IF NOT EXISTS epoch (name TEXT NOT NULL)")
    db.execute("INSERT INTO epoch SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM epoch)")
