"""How every transaction of the ledger begins: with the write lock, and not while a new ledger takes this one's place.

A ledger that was built anew is checked against the present one, and then copied over it. Between these two steps nobody
may write, or it would be lost; SQLite has no lock that lasts from the one to the other, so a mark in the file stands
for it. It names the holder of the lock for maintenance: a mark whose run was killed is worth nothing, since the lock is
free again, or another's.
"""

import sqlite3
import time
from pathlib import Path

from ippbx_billing.errors import BusyError
from ippbx_billing.language import tr
from ippbx_billing.sqlite.locks import holder, is_under_maintenance

REPLACING = "being_replaced"  # in `state`, while a new ledger is copied over this one
PATIENCE_S = 60
ASKED_AGAIN_S = 0.05


def begin(connection: sqlite3.Connection) -> None:
    """Begin a transaction that nobody else writes beside; BusyError where the ledger is being replaced for too long."""
    until = time.monotonic() + PATIENCE_S
    while True:
        connection.execute("BEGIN IMMEDIATE")
        if not _being_replaced(connection):
            return
        connection.execute("ROLLBACK")
        if time.monotonic() > until:
            raise BusyError(tr("a new ledger is taking the place of this one"), tr("try again later"))
        time.sleep(ASKED_AGAIN_S)


def _being_replaced(connection: sqlite3.Connection) -> bool:
    mark = connection.execute("SELECT value FROM state WHERE name = ?", [REPLACING]).fetchone()
    if mark is None:
        return False
    path = next(row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main")
    data_dir = Path(path).parent
    if is_under_maintenance(data_dir) and mark[0] == holder(data_dir):
        return True
    connection.execute("DELETE FROM state WHERE name = ?", [REPLACING])
    return False
