"""A ledger with what people entered and without a call: the book by which somebody else rates the same events.

content, rows = copied(Path("ledger.db"))    # the file's bytes; its rows as text, which tell books apart
"""

import tempfile
from pathlib import Path

from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.rebuilds import EDITED


def copied(path: Path) -> tuple[bytes, str]:
    """The book of this ledger, which is brought up to date; the file tells when it was made, the rows do not."""
    with Ledger(path):
        pass
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "ledger.db"
        with Ledger(fresh) as ledger:
            run = ledger.connection.execute
            run("ATTACH ? AS old", [str(path)])
            run("BEGIN")
            run("PRAGMA defer_foreign_keys = ON")
            for table in EDITED:
                run(f"INSERT OR REPLACE INTO {table} SELECT * FROM old.{table}")
            run("COMMIT")
            rows = repr([sorted(repr(tuple(row)) for row in run(f"SELECT * FROM {table}")) for table in EDITED])
            run("DETACH old")
            run("PRAGMA journal_mode = DELETE")
            run("VACUUM")
        return fresh.read_bytes(), rows
