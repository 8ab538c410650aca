"""Who did what: a log that only grows, with what was there before and what is there now.

file.log.write(now, Actor("anna", Role.ACCOUNTANT, CONSOLE, "192.168.6.20"), "tariffs set", "022-天津-电信",
               before={"step_fee": "0.11"}, after={"step_fee": "0.12"})
"""

import getpass
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

CONSOLE, COMMAND_LINE = "console", "command line"
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it and where from: an operator's name and role, or a user of the system, who has none."""

    name: str
    role: str = ""
    face: str = COMMAND_LINE
    address: str = ""

    @classmethod
    def of_system(cls) -> "Actor":
        """Who runs this process; behind sudo, whoever called it."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError, ImportError):
            name = str(os.getuid()) if hasattr(os, "getuid") else "?"
        caller = os.environ.get("SUDO_USER", "")
        address = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
        return cls(f"{caller} (sudo)" if caller and caller != name else name, address=address)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One thing that somebody did."""

    id: int
    at: datetime
    actor: Actor
    action: str
    object: str
    before: Any = None
    after: Any = None
    reason: str = ""


class LogTables:
    """The table `log`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def write(
        self,
        now: datetime,
        actor: Actor,
        action: str,
        what: str = "",
        *,
        before: Any = None,
        after: Any = None,
        reason: str = "",
    ) -> None:
        """One more entry; `before` and `after` are whatever JSON can hold."""
        self.connection.execute(
            "INSERT INTO log (at, who, role, face, address, action, object, before, after, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                int(now.timestamp()),
                actor.name,
                actor.role,
                actor.face,
                actor.address,
                action,
                what,
                *(None if one is None else json.dumps(one, ensure_ascii=False) for one in (before, after)),
                reason,
            ],
        )

    def entries(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        before_id: int | None = None,
        limit: int | None = MOST_SHOWN,
    ) -> Iterator[LogEntry]:
        """The entries, newest first: of one person, of actions that begin so, older than an id."""
        terms = {
            "who = ?": who,
            "substr(action, 1, length(?)) = ?": action and (action, action),
            "id < ?": before_id,
        }
        given = {clause: value for clause, value in terms.items() if value}
        values = [part for value in given.values() for part in (value if isinstance(value, tuple) else (value,))]
        rows = self.connection.execute(
            f"SELECT * FROM log WHERE {' AND '.join(given) or '1'} ORDER BY id DESC LIMIT ?",
            [*values, -1 if limit is None else limit],
        )
        return (_entry(row) for row in rows)


def _entry(row: sqlite3.Row) -> LogEntry:
    return LogEntry(
        id=row["id"],
        at=datetime.fromtimestamp(row["at"], UTC),
        actor=Actor(row["who"], row["role"], row["face"], row["address"]),
        action=row["action"],
        object=row["object"],
        before=json.loads(row["before"]) if row["before"] else None,
        after=json.loads(row["after"]) if row["after"] else None,
        reason=row["reason"],
    )
