"""The ledger in a few numbers, for those who watch over it: cheap enough to be asked every few seconds.

read(path)  ->  {"position": 17, "events": {"duplicate": 2}, "calls": {"rated": 14}, "unrated_calls": {…}}
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import english
from ippbx_billing.ledger.reasons import loaded
from ippbx_billing.sqlite import copies
from ippbx_billing.sqlite.opening import connect

_QUESTIONS = {
    "events": "SELECT status, count(*) FROM outcomes GROUP BY 1",
    "calls": "SELECT status, sum(calls) FROM rollup_month_extensions GROUP BY 1 HAVING sum(calls) > 0",
}
_UNRATED = "SELECT reason, reason_facts, count(*) FROM charges WHERE status = 'unrated' GROUP BY 1, 2"


def read(path: Path) -> dict[str, Any]:
    """The inbox position reached, and how many events and calls there are of each kind; raises DataError."""
    try:
        with closing(connect(path, "ro", timeout_s=1)) as connection:
            row = connection.execute("SELECT value FROM state WHERE name = 'position'").fetchone()
            numbers = {name: dict(connection.execute(sql).fetchall()) for name, sql in _QUESTIONS.items()}
            unrated = connection.execute(_UNRATED).fetchall()
    except sqlite3.Error as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=error), tr("see `ippbx-bill doctor`")
        ) from error
    reasons = {english(loaded(code, facts)): count for code, facts, count in unrated}
    return {"position": int(row[0]) if row else 0, **numbers, "unrated_calls": reasons}


def position_of_copy(path: Path) -> int:
    """The inbox position that a copy of a ledger has reached, which nobody uses."""
    return copies.asked(path, "SELECT value FROM state WHERE name = 'position'")
