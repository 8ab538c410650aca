"""The names that somebody may be about to type, for completion: read quickly, waiting for nobody, changing nothing.

known(path, "carrier")  # [("022-天津-电信", "")], names with what is said beside them
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from ippbx_billing.sqlite.opening import connect

PATIENCE_S = 0.2

_QUESTIONS = {
    "carrier": "SELECT name, '' FROM carriers WHERE NOT ended ORDER BY is_default DESC, name",
    "trunk": "SELECT name, ifnull(number, '') FROM trunks ORDER BY name",
    "month": "SELECT DISTINCT printf('%04d-%02d', month / 12, month % 12 + 1), '' FROM rollup_month_extensions "
    "WHERE calls > 0 ORDER BY 1 DESC",
    "employee": "SELECT number, name FROM employees ORDER BY number",
    "department": """
        WITH RECURSIVE tree (id, path) AS (
            SELECT id, name FROM departments WHERE parent_id IS NULL AND NOT ended
            UNION ALL
            SELECT d.id, tree.path || '/' || d.name FROM departments d JOIN tree ON d.parent_id = tree.id
            WHERE NOT d.ended
        )
        SELECT path, '' FROM tree ORDER BY path
    """,
    "extension": """
        SELECT extension, max(name) FROM (
            SELECT extension, '' AS name FROM rollup_extensions WHERE extension IS NOT NULL
            UNION ALL
            SELECT extension, '' FROM assignments
            UNION ALL
            SELECT h.extension, e.name FROM holders h JOIN employees e ON e.id = h.employee_id
            WHERE h.end_day > date('now', 'localtime')
        ) GROUP BY extension ORDER BY extension
    """,
}


def known(ledger: Path, kind: str) -> list[tuple[str, str]]:
    """The names of a kind, each with a few words to tell it by; none where the ledger cannot tell at once."""
    try:
        with closing(connect(ledger, "ro", timeout_s=PATIENCE_S)) as connection:
            return [(str(name), str(told)) for name, told in connection.execute(_QUESTIONS[kind])]
    except sqlite3.Error:
        return []
