"""Who is signed in, and how many tries failed.

The one idea: the cookie holds a random id, the file only its digest, so that whoever reads the file can sign in as
nobody. A remembered visit gets a new id every day that it is used; the one before is good for another minute, because
a browser asks for several things at once.
"""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe

from ippbx_billing.operators.people import digest

HOLDS = timedelta(hours=12)  # without "remember me", since it was last used
REMEMBERED = timedelta(days=30)
NEW_ID_AFTER = timedelta(days=1)
EARLIER_ID_HOLDS = timedelta(minutes=1)
SEEN_EVERY = timedelta(minutes=1)  # no need to write at each request

# Failed tries that are free, and how long the pause after one more is; it doubles with each further one.
FREE_TRIES = {"both": 5, "name": 15, "address": 30}
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2, 900
FORGIVEN_AFTER_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who is signed in; `new_secret` is to be given to the browser in place of the one it sent."""

    id: int
    operator_id: int
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    remembered: bool
    address: str
    agent: str
    new_secret: str = ""


class VisitTables:
    """The tables `visits` and `failed_tries`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def begin(self, operator_id: int, now: datetime, *, remembered: bool, address: str, agent: str) -> str:
        """The secret of a new visit; never one that a browser brought along."""
        secret, at = token_urlsafe(32), int(now.timestamp())
        ends_at = at + int((REMEMBERED if remembered else HOLDS).total_seconds())
        self.connection.execute("DELETE FROM visits WHERE ends_at <= ?", [at])
        self.connection.execute(
            "INSERT INTO visits (digest, changed_at, operator_id, began_at, seen_at, ends_at, remembered, address, "
            "agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [digest(secret), at, operator_id, at, at, ends_at, int(remembered), address, agent[:200]],
        )
        return secret

    def of(self, secret: str, now: datetime) -> Visit | None:
        """The visit of this secret while it lasts; it is noted that it was used."""
        at, asked = int(now.timestamp()), digest(secret)
        row = self.connection.execute(
            "SELECT * FROM visits WHERE ends_at > ? AND (digest = ? OR (earlier = ? AND changed_at > ?))",
            [at, asked, asked, at - int(EARLIER_ID_HOLDS.total_seconds())],
        ).fetchone()
        if row is None:
            return None
        new_secret = ""
        if row["remembered"] and row["digest"] == asked and at - row["changed_at"] > NEW_ID_AFTER.total_seconds():
            new_secret = self._changed(row["id"], asked, at)
        if at - row["seen_at"] >= SEEN_EVERY.total_seconds():
            ends_at = at + int((REMEMBERED if row["remembered"] else HOLDS).total_seconds())
            self.connection.execute("UPDATE visits SET seen_at = ?, ends_at = ? WHERE id = ?", [at, ends_at, row["id"]])
        return _visit(row, new_secret)

    def _changed(self, visit: int, earlier: bytes, at: int) -> str:
        """A new secret; "" where another request of the same browser has just changed it."""
        secret = token_urlsafe(32)
        done = self.connection.execute(
            "UPDATE visits SET digest = ?, earlier = ?, changed_at = ? WHERE id = ? AND digest = ?",
            [digest(secret), earlier, at, visit, earlier],
        )
        return secret if done.rowcount else ""

    def all(self, now: datetime) -> list[Visit]:
        """The visits that last, the latest used first."""
        rows = self.connection.execute(
            "SELECT * FROM visits WHERE ends_at > ? ORDER BY seen_at DESC, id DESC", [int(now.timestamp())]
        )
        return [_visit(row) for row in rows]

    def end(self, visit: int) -> bool:
        """End it; whether there was one."""
        return bool(self.connection.execute("DELETE FROM visits WHERE id = ?", [visit]).rowcount)

    def end_all_of(self, operator_id: int) -> int:
        """End every visit of an operator, because their password or role changed; gives how many."""
        return self.connection.execute("DELETE FROM visits WHERE operator_id = ?", [operator_id]).rowcount

    # -- failed tries

    def pause_s(self, name: str, address: str, now: datetime) -> int:
        """How long nobody may try this name from this address; 0 where they may. It says nothing of whether the name
        is anybody's."""
        at = int(now.timestamp())
        return max(self._pause_s(kind, key, at) for kind, key in _keys(name, address).items())

    def _pause_s(self, kind: str, key: str, at: int) -> int:
        row = self.connection.execute("SELECT count, last_at FROM failed_tries WHERE key = ?", [key]).fetchone()
        if row is None or at - row["last_at"] > FORGIVEN_AFTER_S or row["count"] < FREE_TRIES[kind]:
            return 0
        pause = min(FIRST_PAUSE_S << min(row["count"] - FREE_TRIES[kind], 20), LONGEST_PAUSE_S)
        return int(max(0, row["last_at"] + pause - at))

    def failed(self, name: str, address: str, now: datetime) -> None:
        """Count a try that failed."""
        at = int(now.timestamp())
        self.connection.execute("DELETE FROM failed_tries WHERE last_at < ?", [at - FORGIVEN_AFTER_S])
        for key in _keys(name, address).values():
            self.connection.execute(
                "INSERT INTO failed_tries VALUES (?, 1, ?) "
                "ON CONFLICT (key) DO UPDATE SET count = count + 1, last_at = excluded.last_at",
                [key, at],
            )

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failed tries of this name from this address."""
        keys = _keys(name, address)
        self.connection.execute("DELETE FROM failed_tries WHERE key IN (?, ?)", [keys["both"], keys["name"]])


def _keys(name: str, address: str) -> dict[str, str]:
    """Names are digested: people type their password into the wrong field."""
    who = digest(name.strip().casefold()).hex()
    return {"both": f"{who} {address}", "name": who, "address": address}


def _visit(row: sqlite3.Row, new_secret: str = "") -> Visit:
    began_at, seen_at, ends_at = (datetime.fromtimestamp(row[one], UTC) for one in ("began_at", "seen_at", "ends_at"))
    return Visit(
        id=row["id"],
        operator_id=row["operator_id"],
        began_at=began_at,
        seen_at=seen_at,
        ends_at=ends_at,
        remembered=bool(row["remembered"]),
        address=row["address"],
        agent=row["agent"],
        new_secret=new_secret,
    )
