"""Makes the numbers in old calls unreadable, and leaves everything that sums are made of as it is.

    13800138000 -> 1380013XXXX      8002 -> XXXX      in sentences: "no rule … fits 13800138000" -> "… 1380013XXXX"

Masked are the other side's number wherever it stands in a call, its charge and its earlier charges, and the PIN; the
recording's name is forgotten. The extension, times, lengths, places and fees stay.
"""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from ippbx_billing.calls import ROW_OF, Fact, Reason
from ippbx_billing.ledger.reasons import loaded, loaded_notes, loaded_why, stored, stored_notes, stored_why

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger

STATE = "anonymized_before"
DIGITS = 4
LONG_NUMBER = 7  # so many digits in a sentence are somebody's number, fewer an area code or a price

_DIGITS = re.compile(r"[\dX]{3,}")  # shorter ones are not number worth hiding
_LETTERS = re.compile(r"\w")
_WHOLE = ("caller", "callee", "number", "normalized", "pin")
_MASKED = (*_WHOLE, "why", "twin", "notes", "recording")
_TOLD = ("value", "said", "number", "text", "digits", "prefix")  # the facts of a reason that may be somebody's number


@lru_cache(10_000)  # a number stands in several columns of its call
def masked(text: str | None) -> str | None:
    """The text with its last four digits as X; with fewer digits, a short code or a name, every letter and digit."""
    if not text:
        return text
    places = [place for place, character in enumerate(text) if character.isdigit() or character == "X"]
    if len(places) < DIGITS:
        return _LETTERS.sub("X", text)
    characters = list(text)
    for place in places[-DIGITS:]:
        characters[place] = "X"
    return "".join(characters)


def masked_text(text: str | None, numbers: Sequence[str | None] = ()) -> str | None:
    """A text with these numbers masked, and every other that is long enough to be somebody's."""
    if not text:
        return text
    own = {one.lstrip("+") for one in numbers if one}

    def hidden(run: re.Match[str]) -> str:
        digits = run[0]
        return masked(digits) or "" if len(digits) >= LONG_NUMBER or digits in own else digits

    return _DIGITS.sub(hidden, text)


class MaskTables:
    """What is masked in the tables of calls; writing methods run in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def last_call(self) -> int:
        """The highest id of a call."""
        return int(self.connection.execute("SELECT coalesce(max(id), 0) FROM calls").fetchone()[0])

    def mask(self, first: int, last: int, before: str) -> int:
        """Mask the calls between two ids that are of days before that one; gives how many were readable."""
        stretch = [first, last, before]
        earlier = [_charge(row) for row in self.connection.execute(_HISTORY, stretch)]
        self.connection.executemany(_UPDATE_HISTORY, earlier)
        rows = self.connection.execute(_CALLS, stretch).fetchall()
        changed = {row["id"]: new for row in rows if (new := _new(row)) != tuple(row)[2:-1]}
        self.connection.executemany(_UPDATE, [(*new[1:], call) for call, new in changed.items()])
        self.connection.executemany(_UPDATE_CHARGES, [(new[0], call) for call, new in changed.items()])
        self.connection.executemany("UPDATE call_rows SET own = '{}' WHERE id = ?", [(call,) for call in changed])
        return len(changed)

    def readable(self, first: int, last: int, before: str) -> int:
        """How many calls `mask` would change."""
        rows = self.connection.execute(_CALLS, [first, last, before])
        return sum(_new(row) != tuple(row)[2:-1] for row in rows)

    def forget_live(self, before: datetime) -> None:
        """Calls in progress that were last heard of before."""
        self.connection.execute("DELETE FROM live_calls WHERE last_event_at < ?", [int(before.timestamp())])

    def overwrite(self) -> None:
        """What is replaced does not stay readable in the file's free pages."""
        self.connection.execute("PRAGMA secure_delete = ON")

    def shrink_log(self) -> None:
        """Nor in the log; it is carried over now, or by the next writer while somebody reads."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_masked(ledger: "Ledger", event_id: int) -> bool:
    """Whether the calls of an event are masked, so that it must not be read again."""
    before = ledger.journey.state(STATE)
    rows = ledger.calls.of_event(event_id) if before else []
    if not before or not any(row["day"] < before for row in rows):
        return False
    tables = MaskTables(ledger.connection)
    return all(row["day"] < before and not tables.readable(row["id"], row["id"], before) for row in rows)


def mask_again(ledger: "Ledger", event_ids: Iterable[int]) -> None:
    """Mask calls of anonymized days that an event, read again, brought; in the caller's transaction."""
    before = ledger.journey.state(STATE)
    if before:
        tables = MaskTables(ledger.connection)
        for number in (row["id"] for one in event_ids for row in ledger.calls.of_event(one) if row["day"] < before):
            tables.mask(number, number, before)


_DAYS = "c.id BETWEEN ? AND ? AND c.day < ?"
_CALLS = (
    f"SELECT c.id, g.reason, g.reason_facts, {', '.join(f'c.{name}' for name in _MASKED)}, c.extension "
    f"FROM calls c JOIN charges g USING (id) WHERE {_DAYS}"
)
_HISTORY = (
    "SELECT h.reason, h.reason_facts, h.meaning, h.run_id, h.call_id, c.number, c.normalized FROM rerate_runs r "
    f"JOIN calls c ON {_DAYS} JOIN charge_history h ON h.run_id = r.id AND h.call_id = c.id"
)
_UPDATE_HISTORY = "UPDATE charge_history SET reason_facts = ?, meaning = ? WHERE run_id = ? AND call_id = ?"
_UPDATE_CHARGES = "UPDATE charges SET reason_facts = ? WHERE id = ?"
_UPDATE = f"UPDATE calls SET {', '.join(f'{name} = ?' for name in _MASKED)} WHERE id = ?"


def _new(row: sqlite3.Row) -> tuple[str | None, ...]:
    """The facts of its charge's reason, then the values of `_MASKED`, as they are to be."""
    numbers = (row["number"], row["normalized"])
    own = row["extension"]
    whole = [row[name] if row[name] == own else masked(row[name]) for name in _WHOLE]
    why = stored_why(_masked_reason(loaded_why(row["why"]), numbers))
    notes = stored_notes(_masked_reason(one, numbers) for one in loaded_notes(row["notes"]))
    return (_masked_facts(row, numbers), *whole, why, _masked_text(row["twin"], numbers), notes, None)


def _masked_text(text: str | None, numbers: Sequence[str | None]) -> str | None:
    """The id of the call that a row belongs to is nobody's number."""
    return text if text and text.startswith(ROW_OF) else masked_text(text, numbers)


def _masked_facts(row: sqlite3.Row, numbers: Sequence[str | None]) -> str:
    """The facts of a stored reason as they are to be."""
    return stored(_masked_reason(loaded(row["reason"], row["reason_facts"]), numbers))[1]


def _masked_reason(reason: Reason, numbers: Sequence[str | None]) -> Reason:
    """The reason with every number in its facts masked, those of the reasons within as well."""
    facts: dict[str, Fact] = {}
    for name, value in reason.facts.items():
        if isinstance(value, tuple):
            value = tuple(_masked_reason(one, numbers) for one in value)
        elif isinstance(value, str) and name in _TOLD and reason.facts.get("match") not in ("area", "country"):
            value = masked_text(value, numbers) or ""
        facts[name] = value
    return replace(reason, facts=facts)


def _charge(row: sqlite3.Row) -> tuple[str | int | None, ...]:
    numbers = (row["number"], row["normalized"])
    meaning = masked_text(row["meaning"], numbers)
    return (_masked_facts(row, numbers), meaning, row["run_id"], row["call_id"])
