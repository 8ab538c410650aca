"""Calls by column, as the contract tells them: what a query gave of some thousand calls, and each key worked out of it.

    for batch in call_batches(connection, view, paths, sql, values):
        batch["fee"]                   # ["0.98", None, …]

Two ideas. A key is worked out for a whole column, and only when somebody asks for it. And much of a call is that of
thousands of others (trunk, place, status, reason, notes): the query packs it into one text, which is taken apart and
put into words once.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ippbx_billing import money
from ippbx_billing.documents.batches import FewValues
from ippbx_billing.language.reasons import coded, english, told
from ippbx_billing.ledger.reasons import loaded, loaded_notes
from ippbx_billing.reports.clock import IsoClock
from ippbx_billing.reports.conditions import View

CALL_KEYS = (
    "id", "event", "call_id", "pbx", "caller", "callee", "extension", "name", "department", "number",
    "started_at", "answered_at", "ended_at", "duration_s", "billed_s", "disposition", "trunk", "direction",
    "country", "region", "place", "traffic_type", "line_kind", "carrier", "fee", "currency", "status", "reason",
    "record_id", "dialect", "did", "pin", "notes", "reason_code", "reason_facts", "note_reasons",
)  # fmt: skip
TIMES = ("started_at", "answered_at", "ended_at")
PACKED = {
    **{key: f"c.{key}" for key in ("pbx", "dialect", "disposition", "trunk", "direction", "country", "region")},
    **{key: f"c.{key}" for key in ("place", "traffic_type", "line_kind", "notes")},
    **{key: f"g.{key}" for key in ("status", "reason", "reason_facts")},
    "carrier": "r.name",
    "decimals": "r.decimals",
}  # what many calls have in common
SINGLE = {
    **{key: f"c.{key}" for key in ("id", "call_id", "caller", "callee", "extension", "number", *TIMES)},
    **{key: f"c.{key}" for key in ("duration_s", "billed_s", "record_id", "did", "pin")},
    "event": "c.event_id",
    "name": "e.name",
    "department_id": "h.department_id",
    "fee_micro": "g.fee_micro",
}
STORED = f"{', '.join(SINGLE.values())}, json_array({', '.join(PACKED.values())})"  # what a query has to give
FEW, MANY = 64, 4_096  # calls at once: few at first, since many a list is looked at for its beginning
MOST_REMEMBERED = 20_000  # packed texts


def call_batches(
    connection: sqlite3.Connection, view: View, paths: Mapping[int | None, str], sql: str, values: Sequence[Any]
) -> Iterator["CallBatch"]:
    """The calls that a query of the `STORED` columns gives, in its order; `paths` are those of departments."""
    cursor = connection.cursor()
    cursor.row_factory = None
    cursor.execute(sql, values)
    telling, unpacked, size = _Telling(view, paths, IsoClock(view.zone)), _Unpacked(), FEW
    while rows := cursor.fetchmany(size):
        *single, packed = zip(*rows, strict=True)
        yield CallBatch(dict(zip(SINGLE, single, strict=True)), unpacked.shared(packed), telling)
        size = MANY


class _Unpacked(dict[str, dict[str, Any]]):
    """What packed texts tell, as the contract tells it, each worked out once."""

    def shared(self, packed: Sequence[str]) -> FewValues:
        """What these texts tell."""
        numbers = {text: number for number, text in enumerate(dict.fromkeys(packed))}
        return FewValues([self[text] for text in numbers], list(map(numbers.__getitem__, packed)))

    def __missing__(self, packed: str) -> dict[str, Any]:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        found = dict(zip(PACKED, json.loads(packed), strict=True))
        found |= _told(found["reason"], found["reason_facts"]) | _notes(found["notes"])
        self[packed] = found
        return found


@dataclass(frozen=True, slots=True)
class _Telling:
    """What the keys of all calls are worked out with."""

    view: View
    paths: Mapping[int | None, str]
    clock: IsoClock


@dataclass(frozen=True, slots=True)
class CallBatch(Mapping[str, Sequence[Any]]):
    """Some calls, each key of the contract a column."""

    single: Mapping[str, Sequence[Any]]  # each call's own columns, as the ledger keeps them
    common: FewValues  # what each has in common with others
    telling: _Telling
    _told: dict[str, Sequence[Any]] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Sequence[Any]:
        found = self._told.get(key)
        if found is None:
            found = self._told[key] = self._work_out(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(CALL_KEYS)

    def __len__(self) -> int:
        return len(CALL_KEYS)

    def _work_out(self, key: str) -> Sequence[Any]:
        if key in TIMES:
            return self.telling.clock.texts(self.single[key])
        match key:
            case "department":
                return list(map(self.telling.paths.get, self.single["department_id"]))
            case "fee":
                return list(map(fee_text, self.single["fee_micro"], self._in_common("decimals")))
            case "currency":
                return FewValues([self.telling.view.currency], [0] * len(self.common))
        return self.single[key] if key in self.single else self._in_common(key)

    def _in_common(self, key: str) -> FewValues:
        return FewValues([one[key] for one in self.common.different], self.common.places)


@lru_cache(maxsize=16_384)
def fee_text(fee_micro: int | None, decimals: int | None) -> str | None:
    """A fee as exact decimal text, with the carrier's decimals."""
    return None if fee_micro is None else money.text(fee_micro, 2 if decimals is None else decimals)


# The same reasons and notes are the same objects, by which a writer knows what it has written before.


@lru_cache(maxsize=4_096)
def _told(code: str, facts: str) -> dict[str, Any]:
    return told(loaded(code, facts))


@lru_cache(maxsize=4_096)
def _notes(text: str) -> dict[str, Any]:
    notes = loaded_notes(text)
    return {
        "notes": [english(note) for note in notes],
        "note_reasons": list(map(coded, notes)),
    }
