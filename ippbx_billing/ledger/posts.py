"""The outbox: what is to be told on which channel, from the first attempt to the last.

A post is `waiting` until it is due, `sending` while a sender is at it, and ends as `sent`, `merged` (told in a digest),
`cancelled` (nobody need be told any more) or `dead` (given up). What a killed sender left `sending` may have arrived or
not: it is sent once more, and says so.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ippbx_billing.alerts import Severity
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger.incidents import Incident, IncidentTables

INTERRUPTED = "interrupted"
_MANY = 500


@dataclass(frozen=True, slots=True)
class Message:
    """Something to be told: `kind` says which text, `incident` what it is about; times in seconds of UTC."""

    id: int
    key: str
    kind: str
    severity: Severity
    facts: Mapping[str, Any]
    created_at: int
    incident: Incident | None = None


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message on its way to one channel; `repeat` where an earlier attempt may have arrived."""

    id: int
    channel: str
    state: str
    due_at: int
    attempts: int
    message: Message
    error: str = ""
    sent_at: int | None = None
    first_at: int = 0
    escalation: bool = False
    merged: tuple["QueuedMessage", ...] = field(default=())

    @property
    def repeat(self) -> bool:
        """Whether nobody knows if an earlier attempt arrived."""
        return self.error == INTERRUPTED


class PostTables:
    """The table `alert_posts`; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._incidents = IncidentTables(connection)

    def new_messages(self) -> list[Message]:
        """Messages that no channel has been found for yet, oldest first."""
        rows = self.connection.execute("SELECT * FROM alert_messages WHERE state = 'new' ORDER BY id").fetchall()
        return [self._message(row) for row in rows]

    def address(self, message: Message, posts: Iterable[tuple[str, int, bool]]) -> None:
        """The channels that a message goes to, each with the moment from which on, and whether as an escalation."""
        self.connection.executemany(
            "INSERT OR IGNORE INTO alert_posts (message_id, channel, state, due_at, escalation) "
            "VALUES (?, ?, 'waiting', ?, ?)",
            [(message.id, channel, due_at, escalation) for channel, due_at, escalation in posts],
        )
        self.connection.execute("UPDATE alert_messages SET state = 'addressed' WHERE id = ?", [message.id])

    def due(self, channel: str, now: int) -> list[QueuedMessage]:
        """What a channel is to be told now, the loudest and oldest first."""
        rows = self.connection.execute(
            "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id "
            "WHERE p.state = 'waiting' AND p.channel = ? AND p.due_at <= ? "
            "ORDER BY m.severity = 'critical' DESC, p.id LIMIT ?",
            [channel, now, _MANY],
        ).fetchall()
        return [self._post(row) for row in rows]

    def next_due_at(self) -> int | None:
        """When the next post is due; None where none waits."""
        found = self.connection.execute("SELECT min(due_at) FROM alert_posts WHERE state = 'waiting'").fetchone()[0]
        return None if found is None else int(found)

    def tried_since(self, channel: str, moment: int) -> list[int]:
        """When posts of a channel were last tried since a moment."""
        sql = "SELECT tried_at FROM alert_posts WHERE channel = ? AND tried_at > ?"
        return [int(row[0]) for row in self.connection.execute(sql, [channel, moment])]

    def of_open_incidents(self) -> list[Message]:
        """The messages of incidents that go on."""
        rows = self.connection.execute(
            "SELECT m.* FROM alert_messages m JOIN alert_incidents i ON i.id = m.incident_id "
            "WHERE i.closed_at IS NULL ORDER BY m.id"
        ).fetchall()
        return [self._message(row) for row in rows]

    def begin(self, post: QueuedMessage, now: int) -> None:
        """A sender is at it."""
        self.connection.execute(
            "UPDATE alert_posts SET state = 'sending', attempts = attempts + 1, tried_at = ? WHERE id = ?",
            [now, post.id],
        )

    def sent(self, post: QueuedMessage, now: int) -> None:
        """It arrived."""
        self.connection.execute(
            "UPDATE alert_posts SET state = 'sent', sent_at = ?, error = '' WHERE id = ?", [now, post.id]
        )

    def failed(self, post: QueuedMessage, error: str, due_at: int | None) -> None:
        """It did not; tried again from `due_at` on, or given up where that is None."""
        state = "dead" if due_at is None else "waiting"
        self.connection.execute(
            "UPDATE alert_posts SET state = ?, due_at = coalesce(?, due_at), error = ? WHERE id = ?",
            [state, due_at, error[:500], post.id],
        )

    def postpone(self, posts: Iterable[QueuedMessage], due_at: int) -> None:
        """Not tried before that."""
        ids = [(due_at, post.id) for post in posts]
        self.connection.executemany("UPDATE alert_posts SET due_at = max(due_at, ?) WHERE id = ?", ids)

    def cancel(self, posts: Iterable[QueuedMessage]) -> None:
        """Nobody need be told any more."""
        ids = [(post.id,) for post in posts]
        self.connection.executemany("UPDATE alert_posts SET state = 'cancelled' WHERE id = ?", ids)

    def merge(self, posts: Sequence[QueuedMessage], now: int) -> None:
        """Tell these in one digest, which waits in their place."""
        channel, severity = posts[0].channel, max((one.message.severity for one in posts), key=lambda one: one.rank)
        key = f"digest/{channel}/{posts[0].id}-{posts[-1].id}"
        self._incidents.message(key, "digest", severity, now)
        row = self.connection.execute("SELECT * FROM alert_messages WHERE key = ?", [key]).fetchone()
        self.address(self._message(row), [(channel, now, False)])
        sql = "SELECT id FROM alert_posts WHERE message_id = ? AND channel = ?"
        (digest,) = self.connection.execute(sql, [row["id"], channel]).fetchone()
        self.connection.executemany(
            "UPDATE alert_posts SET state = 'merged', digest_id = ? WHERE id = ?", [(digest, one.id) for one in posts]
        )

    def interrupted(self) -> int:
        """What a sender that is gone was at waits again; gives how many. Only for who holds the sender's lock."""
        return self.connection.execute(
            "UPDATE alert_posts SET state = 'waiting', error = ? WHERE state = 'sending'", [INTERRUPTED]
        ).rowcount

    def again(self, channel: str | None, now: int) -> int:
        """Dead posts wait anew, as after their cause was removed; gives how many."""
        condition, values = ("AND channel = ?", [channel]) if channel else ("", [])
        return self.connection.execute(
            "UPDATE alert_posts SET state = 'waiting', attempts = 0, due_at = ?, tried_at = NULL "
            f"WHERE state = 'dead' {condition}",
            [now, *values],
        ).rowcount

    # -- looking at them

    def listed(self, states: Sequence[str], limit: int = 100) -> list[QueuedMessage]:
        """Posts in these states, the newest first."""
        marks = ", ".join("?" * len(states))
        rows = self.connection.execute(
            "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id "
            f"WHERE p.state IN ({marks}) ORDER BY p.id DESC LIMIT ?",
            [*states, limit],
        ).fetchall()
        return [self._post(row) for row in rows]

    def of_incident(self, number: int) -> list[QueuedMessage]:
        """What was told of an incident, and where."""
        rows = self.connection.execute(
            "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id "
            "WHERE m.incident_id = ? ORDER BY p.id",
            [number],
        ).fetchall()
        return [self._post(row) for row in rows]

    def by_key(self, key: str) -> list[QueuedMessage]:
        """The posts of the message with this key."""
        rows = self.connection.execute(
            "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id "
            "WHERE m.key = ? ORDER BY p.id",
            [key],
        ).fetchall()
        return [self._post(row) for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many posts each channel has in each state."""
        found: dict[str, dict[str, int]] = {}
        for channel, state, count in self.connection.execute(
            "SELECT channel, state, count(*) FROM alert_posts GROUP BY 1, 2"
        ):
            found.setdefault(channel, {})[state] = count
        return found

    def count(self, state: str) -> int:
        """How many posts are in this state, on all channels together."""
        return int(self.connection.execute("SELECT count(*) FROM alert_posts WHERE state = ?", [state]).fetchone()[0])

    def last_sent(self) -> dict[str, int]:
        """When each channel took its last message."""
        rows = self.connection.execute(
            "SELECT channel, max(sent_at) FROM alert_posts WHERE sent_at IS NOT NULL GROUP BY 1"
        )
        return {channel: int(at) for channel, at in rows}

    def get(self, number: int) -> QueuedMessage:
        """One post; NotFoundError where there is none of this number."""
        row = self.connection.execute(
            "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id WHERE p.id = ?",
            [number],
        ).fetchone()
        if row is None:
            raise NotFoundError(tr("there is no message {number}", number=number), tr("see `ippbx-bill alerts sent`"))
        return self._post(row)

    def forget(self, before: int) -> None:
        """Drop what was told, and closed, long ago."""
        self.connection.execute(
            "DELETE FROM alert_posts WHERE state NOT IN ('waiting', 'sending') AND message_id IN "
            "(SELECT id FROM alert_messages WHERE created_at < ?)",
            [before],
        )
        self.connection.execute(
            "DELETE FROM alert_messages WHERE created_at < ? AND state != 'new' AND id NOT IN "
            "(SELECT message_id FROM alert_posts)",
            [before],
        )

    def _post(self, row: sqlite3.Row) -> QueuedMessage:
        told = self.connection.execute("SELECT * FROM alert_messages WHERE id = ?", [row["message_id"]]).fetchone()
        merged: tuple[QueuedMessage, ...] = ()
        if told["kind"] == "digest":
            rows = self.connection.execute(
                "SELECT p.*, m.created_at FROM alert_posts p JOIN alert_messages m ON m.id = p.message_id "
                "WHERE p.digest_id = ? ORDER BY p.id",
                [row["id"]],
            ).fetchall()
            merged = tuple(map(self._post, rows))
        return QueuedMessage(
            row["id"], row["channel"], row["state"], row["due_at"], row["attempts"], self._message(told),
            row["error"], row["sent_at"], row["created_at"], bool(row["escalation"]), merged,
        )  # fmt: skip

    def _message(self, row: sqlite3.Row) -> Message:
        number = row["incident_id"]
        return Message(
            row["id"], row["key"], row["kind"], Severity(row["severity"]), json.loads(row["facts"]),
            row["created_at"], None if number is None else self._incidents.get(number),
        )  # fmt: skip
