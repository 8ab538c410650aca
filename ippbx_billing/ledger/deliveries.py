"""Bills and reports that are mailed: what is wanted, which periods were made, and each mail from first to last attempt.

A mail is `waiting` until it is due, `sending` while a sender is at it, and ends as `sent`, `dead` (given up) or
`nobody` (there is no address). What a killed sender left `sending` may have arrived or not: it is sent once more, with
the same Message-ID, and says so.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.departments import nearest
from ippbx_billing.ledger.editing import editing

OWN = "own"  # as a recipient: each bill goes to the address of whom it is for
_MANY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """What is mailed to whom, and when.

    `what` is bill or report; `whose` is company, all, employee, department (each its own), employee:1001,
    department:PATH, or the report's name. `every` is month, week or day; `on_day` counts from the first day after the
    period, `at` is a time on the site's clock. Periods that begin before `first_day` are not mailed.
    """

    name: str
    what: str
    whose: str
    asked: Mapping[str, str]
    form: str
    every: str
    on_day: int
    at: str
    recipients: tuple[str, ...]
    lang: str
    note: str
    first_day: date
    state: str = "on"
    token: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class MadePeriod:
    """A period whose files were made: when, and how far the inbox was read by then."""

    delivery: int
    first: date
    last: date
    edition: int
    made_at: int
    last_event: int
    checked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledMail:
    """One mail to one address: whose bill it is, its file with its hash, and what its text tells."""

    delivery_id: int
    first_day: date
    last_day: date
    edition: int
    whose: str
    recipient: str
    file: str
    sha256: str
    size: int
    told: Mapping[str, Any]
    before: Mapping[str, Any] = field(default_factory=dict)
    state: str = "waiting"
    due_at: int = 0
    attempts: int = 0
    first_tried_at: int | None = None
    tried_at: int | None = None
    sent_at: int | None = None
    repeated: bool = False
    error: str = ""
    message_id: str = ""
    id: int = 0

    def identified(self, token: str) -> str:
        """The local part of its Message-ID: the same for the same mail, whoever makes it."""
        words = (token, self.first_day, self.edition, self.whose, self.recipient)
        return f"{token}.{hashlib.sha256(json.dumps(words, default=str).encode()).hexdigest()[:24]}"


class DeliveryTables:
    """The tables `deliveries`, `delivery_periods`, `delivery_mails`; what is said to write runs in a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # -- what is wanted

    def add(self, one: Mailing) -> Mailing:
        """Keep a delivery; UsageError where its name is taken."""
        row = {name: getattr(one, name) for name in _DELIVERY if name != "id"}
        row |= {"asked": json.dumps(one.asked, ensure_ascii=False), "recipients": json.dumps(one.recipients)}
        row |= {"first_day": one.first_day.isoformat()}
        try:
            with editing(self.connection):
                self.connection.execute(
                    f"INSERT INTO deliveries ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                    list(row.values()),
                )
        except sqlite3.IntegrityError:
            raise UsageError(
                tr("there is a delivery {name} already", name=one.name),
                f"ippbx-bill deliver remove {one.name}",
            ) from None
        return self.get(one.name)

    def listed(self, *, enabled: bool = False) -> list[Mailing]:
        """The deliveries by name, all that are not removed or only those that are switched on."""
        condition = "= 'on'" if enabled else "<> 'removed'"
        rows = self.connection.execute(f"SELECT * FROM deliveries WHERE state {condition} ORDER BY name")
        return [_delivery(row) for row in rows]

    def get(self, name: str) -> Mailing:
        """The delivery of this name; NotFoundError where there is none."""
        known = {one.name: one for one in self.listed()}
        if name not in known:
            hint = nearest(name, list(known), tr("see `ippbx-bill deliver list`"))
            raise NotFoundError(tr("there is no delivery {name}", name=name), hint)
        return known[name]

    def by_id(self, number: int) -> Mailing:
        """A delivery by its id, also one that was removed."""
        return _delivery(self.connection.execute("SELECT * FROM deliveries WHERE id = ?", [number]).fetchone())

    def set_state(self, name: str, state: str) -> None:
        """Switch it `on` or `off`, or take it away (`removed`): then its waiting mails are never sent."""
        one = self.get(name)
        with editing(self.connection):
            self.connection.execute("UPDATE deliveries SET state = ? WHERE id = ?", [state, one.id])
            if state == "removed":
                self.connection.execute(
                    "UPDATE delivery_mails SET state = 'cancelled' WHERE delivery_id = ? AND state = 'waiting'",
                    [one.id],
                )

    # -- periods

    def put(self, period: MadePeriod, mails: Iterable[FiledMail], token: str) -> None:
        """Keep a made period with its mails, in the caller's transaction; what is there already stays as it is."""
        self.connection.execute(
            "INSERT OR IGNORE INTO delivery_periods VALUES (?, ?, ?, ?, ?, ?, ?)",
            [period.delivery, str(period.first), str(period.last), *_numbers(period)],
        )
        for one in mails:
            self._put_mail(replace(one, due_at=period.made_at), token)

    def readdress(self, mail: FiledMail, addresses: Iterable[str], token: str, now: int) -> None:
        """What nobody could be sent waits for these addresses; in the caller's transaction."""
        self.connection.execute("DELETE FROM delivery_mails WHERE id = ? AND state = 'nobody'", [mail.id])
        for one in addresses:
            self._put_mail(replace(mail, recipient=one, state="waiting", due_at=now), token)

    def _put_mail(self, one: FiledMail, token: str) -> None:
        row = {name: getattr(one, name) for name in _MAIL if name != "id"}
        row |= {name: json.dumps(row[name], ensure_ascii=False) for name in ("told", "before")}
        row |= {"first_day": str(one.first_day), "last_day": str(one.last_day)}
        row |= {"message_id": one.identified(token)}
        self.connection.execute(
            f"INSERT OR IGNORE INTO delivery_mails ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            list(row.values()),
        )

    def last_edition(self, delivery: int, first: date) -> MadePeriod | None:
        """The latest that was made of a period; None where nothing was."""
        row = self.connection.execute(
            "SELECT * FROM delivery_periods WHERE delivery_id = ? AND first_day = ? ORDER BY edition DESC LIMIT 1",
            [delivery, str(first)],
        ).fetchone()
        return None if row is None else _period(row)

    def newest_of(self, delivery: int) -> MadePeriod | None:
        """The last period of a delivery that was made; None where none was."""
        row = self.connection.execute(
            "SELECT * FROM delivery_periods WHERE delivery_id = ? ORDER BY first_day DESC, edition DESC LIMIT 1",
            [delivery],
        ).fetchone()
        return None if row is None else _period(row)

    def newest_periods(self, since: date) -> list[MadePeriod]:
        """The latest edition of each period that ended since a day, of deliveries that are switched on."""
        rows = self.connection.execute(
            "SELECT p.* FROM delivery_periods p JOIN deliveries d ON d.id = p.delivery_id WHERE d.state = 'on' "
            "AND p.last_day >= ? AND NOT EXISTS (SELECT 1 FROM delivery_periods n WHERE n.delivery_id = p.delivery_id "
            "AND n.first_day = p.first_day AND n.edition > p.edition) ORDER BY p.first_day, p.delivery_id",
            [str(since)],
        ).fetchall()
        return [_period(row) for row in rows]

    def checked(self, period: MadePeriod, now: int) -> None:
        """Somebody looked whether the period has changed, in the caller's transaction."""
        self.connection.execute(
            "UPDATE delivery_periods SET checked_at = ? WHERE delivery_id = ? AND first_day = ? AND edition = ?",
            [now, period.delivery, str(period.first), period.edition],
        )

    def last_told(self, delivery: int, first: date) -> dict[str, Mapping[str, Any]]:
        """What the newest mails of a period told, by whose bill it was."""
        rows = self.connection.execute(
            "SELECT whose, told FROM delivery_mails WHERE delivery_id = ? AND first_day = ? ORDER BY edition",
            [delivery, str(first)],
        )
        return {whose: json.loads(told) for whose, told in rows}

    # -- mails

    def due(self, now: int, limit: int = _MANY) -> list[FiledMail]:
        """What is to be sent now; what was tried least comes first, so that one that fails holds up no other."""
        return self._where("state = 'waiting' AND due_at <= ? ORDER BY attempts, id LIMIT ?", [now, limit])

    def has_work(self) -> bool:
        """Whether anything may be made or sent at all."""
        sql = (
            "SELECT EXISTS (SELECT 1 FROM deliveries WHERE state = 'on') "
            "OR EXISTS (SELECT 1 FROM delivery_mails WHERE state IN ('waiting', 'sending'))"
        )
        return bool(self.connection.execute(sql).fetchone()[0])

    def tried_since(self, moment: int) -> list[int]:
        """When mails were last tried since a moment."""
        return [int(row[0]) for row in self.connection.execute(_TRIED, [moment])]

    def interrupted(self) -> int:
        """What a sender that is gone was at may have arrived: it waits again, and says so; gives how many.

        In the caller's transaction, under the senders' lock.
        """
        return self.connection.execute(
            "UPDATE delivery_mails SET state = 'waiting', repeated = 1 WHERE state = 'sending'"
        ).rowcount

    def claim(self, mail: FiledMail, now: int) -> bool:
        """A sender is at it; False where somebody else was first. In the caller's transaction."""
        return bool(
            self.connection.execute(
                "UPDATE delivery_mails SET state = 'sending', attempts = attempts + 1, tried_at = ?, "
                "first_tried_at = coalesce(first_tried_at, ?) WHERE id = ? AND state = 'waiting'",
                [now, now, mail.id],
            ).rowcount
        )

    def sent(self, mail: FiledMail, now: int) -> None:
        """It arrived; in the caller's transaction."""
        self.connection.execute(
            "UPDATE delivery_mails SET state = 'sent', sent_at = ?, error = '' WHERE id = ?", [now, mail.id]
        )

    def failed(self, mail: FiledMail, error: str, due_at: int | None, *, doubtful: bool) -> None:
        """It did not; tried again from `due_at` on, or given up where that is None. In the caller's transaction."""
        self.connection.execute(
            "UPDATE delivery_mails SET state = ?, due_at = coalesce(?, due_at), error = ?, repeated = max(repeated, ?) "
            "WHERE id = ?",
            ["dead" if due_at is None else "waiting", due_at, error[:500], int(doubtful), mail.id],
        )

    def postpone(self, due_at: int) -> None:
        """Nothing that waits is tried before that; in the caller's transaction."""
        self.connection.execute("UPDATE delivery_mails SET due_at = max(due_at, ?) WHERE state = 'waiting'", [due_at])

    def again(self, name: str | None, now: int) -> int:
        """What was given up waits anew, of all deliveries or of one; gives how many."""
        condition, values = ("AND delivery_id = ?", [self.get(name).id]) if name else ("", [])
        with editing(self.connection):
            return self.connection.execute(
                "UPDATE delivery_mails SET state = 'waiting', attempts = 0, first_tried_at = NULL, due_at = ? "
                f"WHERE state = 'dead' {condition}",
                [now, *values],
            ).rowcount

    def mails(self, *, name: str | None = None, states: Sequence[str] = (), limit: int = 1_000) -> list[FiledMail]:
        """Mails, the newest first: of one delivery, in these states."""
        conditions, values = ["1"], list[Any]()
        if name:
            conditions.append("delivery_id IN (SELECT id FROM deliveries WHERE name = ?)")
            values.append(name)
        if states:
            conditions.append(f"state IN ({', '.join('?' * len(states))})")
            values += states
        return self._where(f"{' AND '.join(conditions)} ORDER BY id DESC LIMIT ?", [*values, limit])

    def counts(self) -> dict[int, dict[str, int]]:
        """How many mails each delivery has in each state."""
        found: dict[int, dict[str, int]] = {}
        for number, state, count in self.connection.execute(
            "SELECT delivery_id, state, count(*) FROM delivery_mails GROUP BY 1, 2"
        ):
            found.setdefault(number, {})[state] = count
        return found

    def last_sent(self) -> dict[int, int]:
        """When the last mail of each delivery was taken."""
        rows = self.connection.execute(
            "SELECT delivery_id, max(sent_at) FROM delivery_mails WHERE sent_at IS NOT NULL GROUP BY 1"
        )
        return {number: int(at) for number, at in rows}

    def by_message_id(self, message_id: str) -> FiledMail | None:
        """The mail with this local part of its Message-ID."""
        found = self._where("message_id = ?", [message_id])
        return found[0] if found else None

    def _where(self, condition: str, values: Sequence[Any]) -> list[FiledMail]:
        rows = self.connection.execute(f"SELECT * FROM delivery_mails WHERE {condition}", values).fetchall()
        return [_mail(row) for row in rows]


_TRIED = "SELECT tried_at FROM delivery_mails WHERE tried_at > ?"
_DELIVERY = tuple(one.name for one in fields(Mailing))
_MAIL = tuple(one.name for one in fields(FiledMail))


def _numbers(period: MadePeriod) -> tuple[int, int, int, int]:
    return period.edition, period.made_at, period.last_event, period.checked_at


def _delivery(row: sqlite3.Row) -> Mailing:
    told = {name: row[name] for name in _DELIVERY}
    told |= {"asked": json.loads(row["asked"]), "recipients": tuple(json.loads(row["recipients"]))}
    return Mailing(**told | {"first_day": date.fromisoformat(row["first_day"])})


def _period(row: sqlite3.Row) -> MadePeriod:
    first, last = date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"])
    numbers = (row[name] for name in ("edition", "made_at", "last_event", "checked_at"))
    return MadePeriod(row["delivery_id"], first, last, *numbers)


def _mail(row: sqlite3.Row) -> FiledMail:
    told = {name: row[name] for name in _MAIL}
    told |= {name: json.loads(row[name]) for name in ("told", "before")}
    told |= {name: date.fromisoformat(row[name]) for name in ("first_day", "last_day")}
    return FiledMail(**told | {"repeated": bool(row["repeated"])})
