"""The epoch of an inbox: a random name for its row of ids, made with the file and anew after each restore.

epoch(Path("inbox.db"))    # "9f86d081884c7d659a2feaa0c55ad015"
renew(Path("inbox.db"))    # its ids may come again for other events from now on
"""

import secrets
from contextlib import closing
from pathlib import Path

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.sqlite.opening import connect, plainly


def epoch(path: Path) -> str:
    """The epoch in force; DataError for an inbox of an earlier release that nobody has brought up to date."""
    hint = tr("`ippbx-bill listen` brings the inbox up to date")
    with plainly(path, hint), closing(connect(path, "ro")) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'epoch'").fetchone()
        found = connection.execute("SELECT name FROM epoch").fetchone() if known else None
    if found is None:
        raise DataError(tr("{path} has no epoch yet", path=path), hint)
    return str(found[0])


def renew(path: Path) -> str:
    """Give the inbox another epoch; gives that."""
    fresh = secrets.token_hex(16)
    with plainly(path, tr("check disk, owner and mode of the data directory")), closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS epoch (name TEXT NOT NULL)")
        connection.execute("DELETE FROM epoch")
        connection.execute("INSERT INTO epoch VALUES (?)", [fresh])
        connection.execute("COMMIT")
    return fresh
