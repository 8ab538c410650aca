"""Limits, prepaid accounts and barrings: what people have set, what they paid in, what the PBX was asked to do.

ledger.limits.put(UsageLimit("extension", "8001", fee_micro=200_000_000, warn=(80, 100)))
ledger.limits.pay("extension", "8001", 50_000_000, date(2026, 11, 1), now, "cash")
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ippbx_billing.calls import Reason
from ippbx_billing.ledger.editing import editing
from ippbx_billing.ledger.reasons import loaded, stored

KINDS = ("extension", "employee", "department", "pin")
AUTOMATIC = ""  # `wanted_by` where no person did
WARN = (80, 100)


@dataclass(frozen=True, slots=True)
class UsageLimit:
    """How much somebody may spend (micro-units) or talk (seconds) in a `month` or `day`.

    `object` is an extension, a PIN, or the id of an employee or a department. `warn` are per cent; with `bars` whoever
    reaches the limit is to be barred, without it they are only told of.
    """

    kind: str
    object: str
    fee_micro: int | None = None
    time_s: int | None = None
    per: str = "month"
    warn: tuple[int, ...] = WARN
    bars: bool = False


@dataclass(frozen=True, slots=True)
class PrepaidAccount:
    """Money paid in advance: fees count from `first_day` on; below `reserve_micro` it is told of."""

    id: int
    kind: str
    object: str
    first_day: date
    reserve_micro: int
    bars: bool
    paid_micro: int


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One payment, or with a minus one that was given back; `at` is seconds of UTC, `day` the site's."""

    id: int
    at: int
    day: date
    amount_micro: int
    note: str


@dataclass(frozen=True, slots=True)
class Barring:
    """One request to the PBX: `action` bar or unbar, `state` asked, confirmed or failed."""

    id: int
    kind: str
    object: str
    action: str
    state: str
    reason: Reason
    wanted_by: str
    asked_at: int
    done_at: int | None
    error: str


class LimitTables:
    """The tables `usage_limits`, `accounts`, `account_entries` and `barrings`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    # -- limits

    def all(self) -> list[UsageLimit]:
        """Every limit, by kind and object."""
        rows = self.connection.execute("SELECT * FROM usage_limits ORDER BY kind, length(object), object")
        return [
            UsageLimit(
                row["kind"], row["object"], row["fee_micro"], row["time_s"], row["per"],
                tuple(map(int, filter(None, row["warn"].split(",")))), bool(row["bars"]),
            )
            for row in rows
        ]  # fmt: skip

    def put(self, one: UsageLimit) -> None:
        """Set a limit; an earlier one of the same is gone."""
        with editing(self.connection):
            self.connection.execute(
                "INSERT OR REPLACE INTO usage_limits VALUES (?, ?, ?, ?, ?, ?, ?)",
                [one.kind, one.object, one.fee_micro, one.time_s, one.per, ",".join(map(str, one.warn)), one.bars],
            )

    def remove(self, kind: str, what: str) -> bool:
        """Limit somebody no more; gives whether there was a limit."""
        sql = "DELETE FROM usage_limits WHERE kind = ? AND object = ?"
        with editing(self.connection):
            return bool(self.connection.execute(sql, [kind, what]).rowcount)

    # -- prepaid accounts

    def accounts(self) -> list[PrepaidAccount]:
        """Every account, by kind and object."""
        rows = self.connection.execute(
            "SELECT a.*, ifnull(sum(e.amount_micro), 0) AS paid_micro FROM accounts a "
            "LEFT JOIN account_entries e ON e.account_id = a.id GROUP BY a.id ORDER BY kind, length(object), object"
        )
        return [
            PrepaidAccount(
                row["id"], row["kind"], row["object"], date.fromisoformat(row["first_day"]), row["reserve_micro"],
                bool(row["bars"]), row["paid_micro"],
            )
            for row in rows
        ]  # fmt: skip

    def account(self, kind: str, what: str) -> PrepaidAccount | None:
        """One account; None where there is none."""
        return next((one for one in self.accounts() if (one.kind, one.object) == (kind, what)), None)

    def top_up(
        self,
        kind: str,
        what: str,
        amount_micro: int,
        day: date,
        at: int,
        note: str = "",
        *,
        first_day: date,
        reserve_micro: int | None = None,
        bars: bool | None = None,
    ) -> None:
        """A payment; the first one opens the account, whose fees count from `first_day` on."""
        with editing(self.connection):
            self.connection.execute(
                "INSERT OR IGNORE INTO accounts (kind, object, first_day, reserve_micro, bars) VALUES (?, ?, ?, 0, 0)",
                [kind, what, first_day.isoformat()],
            )
            self.connection.execute(
                "UPDATE accounts SET reserve_micro = ifnull(?, reserve_micro), bars = ifnull(?, bars) "
                "WHERE kind = ? AND object = ?",
                [reserve_micro, bars, kind, what],
            )
            self.connection.execute(
                "INSERT INTO account_entries (account_id, at, day, amount_micro, note) "
                "SELECT id, ?, ?, ?, ? FROM accounts WHERE kind = ? AND object = ?",
                [at, day.isoformat(), amount_micro, note, kind, what],
            )

    def entries(self, account: int) -> list[AccountEntry]:
        """The payments of an account, the oldest first."""
        rows = self.connection.execute("SELECT * FROM account_entries WHERE account_id = ? ORDER BY id", [account])
        return [
            AccountEntry(row["id"], row["at"], date.fromisoformat(row["day"]), row["amount_micro"], row["note"])
            for row in rows
        ]

    def close(self, account: int) -> None:
        """An account with its payments is gone."""
        with editing(self.connection):
            self.connection.execute("DELETE FROM account_entries WHERE account_id = ?", [account])
            self.connection.execute("DELETE FROM accounts WHERE id = ?", [account])

    # -- what the PBX was asked to do

    def barred(self) -> Mapping[tuple[str, str], Barring]:
        """Whom the PBX bars because of us, by kind and object: those whose last confirmed request was to bar."""
        rows = self.connection.execute(
            "SELECT * FROM barrings WHERE id IN (SELECT max(id) FROM barrings WHERE state = 'confirmed' "
            "GROUP BY kind, object) AND action = 'bar'"
        )
        return {(one.kind, one.object): one for one in map(_barring, rows)}

    def ask(self, kind: str, what: str, action: str, reason: Reason, by: str, now: int) -> int:
        """Note that the PBX is about to be asked; gives the number of the request."""
        with editing(self.connection):
            number = self.connection.execute(
                "INSERT INTO barrings (kind, object, action, state, reason, reason_facts, wanted_by, asked_at) "
                "VALUES (?, ?, ?, 'asked', ?, ?, ?, ?)",
                [kind, what, action, *stored(reason), by, now],
            ).lastrowid
        assert number is not None
        return number

    def answered(self, number: int, error: str | None, now: int) -> None:
        """What came of a request: confirmed, or what went wrong."""
        state = "confirmed" if error is None else "failed"
        with editing(self.connection):
            self.connection.execute(
                "UPDATE barrings SET state = ?, done_at = ?, error = ? WHERE id = ?",
                [state, now, (error or "")[:500], number],
            )

    def automatic_since(self, moment: int) -> int:
        """How many barrings were asked for without a person's word since a moment, whatever came of them."""
        sql = "SELECT count(*) FROM barrings WHERE action = 'bar' AND wanted_by = ? AND asked_at > ?"
        return int(self.connection.execute(sql, [AUTOMATIC, moment]).fetchone()[0])

    def last_asked(self, kind: str, what: str) -> Barring | None:
        """The last request about somebody."""
        sql = "SELECT * FROM barrings WHERE kind = ? AND object = ? ORDER BY id DESC LIMIT 1"
        row = self.connection.execute(sql, [kind, what]).fetchone()
        return None if row is None else _barring(row)

    def journal(self, limit: int = 100) -> list[Barring]:
        """The requests, the newest first."""
        return [*map(_barring, self.connection.execute("SELECT * FROM barrings ORDER BY id DESC LIMIT ?", [limit]))]


def _barring(row: sqlite3.Row) -> Barring:
    return Barring(
        row["id"], row["kind"], row["object"], row["action"], row["state"],
        loaded(row["reason"], row["reason_facts"]), row["wanted_by"], row["asked_at"], row["done_at"], row["error"],
    )  # fmt: skip
