"""One record, one call: whether a record tells of a call that is known, and which of its versions counts.

    known = Known(ledger, understood, may_change_parties)
    earlier = known.find(rated)          # the version that counts so far; None for a call that is new
    verdict(rated, earlier)              # why the record changes nothing; no reason where it is a correction

An id alone proves nothing: counters start again, two PBXs stand behind one address, legs share an id. A later version
is one that can be of the same call: it started within minutes, the two overlap, and the parties are the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from sqlite3 import Row
from typing import Any

from ippbx_billing.calls import Call, Reason
from ippbx_billing.ledger import RatedCall, masking
from ippbx_billing.ledger.calls import FACTS, call_of, facts, seconds
from ippbx_billing.ledger.promise import KeepsCalls

NEAR_S = 300  # a correction may move the start by so much
LEAST_DIGITS = 3  # of a number that the other version writes with a prefix


@dataclass(slots=True)
class Standing:
    """The version of a record that counts: its call's id (None while new), its event, what it says.

    `row` and `own` are what is stored; `rated` is a version of this batch. `masked` says that its numbers were made
    unreadable, so that nothing may bring them back.
    """

    event_id: int
    number: int | None = None
    rated: RatedCall | None = None
    row: Row | None = None
    own: dict[str, Any] | None = None
    masked: bool = False

    @property
    def call(self) -> Call:
        """The call as its record tells it."""
        if self.rated is not None:
            return self.rated.call
        assert self.row is not None
        return call_of(_with_own(self.row, self.own))

    def take(self, rated: RatedCall) -> None:
        """A later version counts from now on."""
        self.event_id, self.rated = rated.event_id, rated

    def says_the_same(self, call: Call) -> bool:
        """Whether a record of the same call holds the same facts."""
        if self.rated is not None:
            return facts(call) == facts(self.rated.call)
        assert self.row is not None
        told = _with_own(self.row, self.own)
        return facts(call) == tuple(told[name] for name in FACTS)


def _with_own(row: Row, own: dict[str, Any] | None) -> Any:
    return row if not own else {**{name: row[name] for name in row.keys()}, **own}  # noqa: SIM118  see sqlite3.Row


class Known:
    """The calls that the records of a batch may tell of, in the ledger and among each other."""

    def __init__(
        self, ledger: KeepsCalls, rated: Iterable[RatedCall], any_parties: Callable[[str], bool] = lambda dialect: False
    ) -> None:
        self._ledger = ledger
        self._any_parties = any_parties
        self._masked_before = ledger.journey.state(masking.STATE) or ""
        keys = list(dict.fromkeys(one.key for one in rated))
        found = ledger.calls.known(keys)
        own = ledger.rows.joined(row["id"] for row in found.values())
        self._first = {key: self._of(row, own) for key, row in found.items()}
        self._reused = ledger.records.reused(keys)
        self._further: dict[tuple[bytes, int], list[Standing]] = defaultdict(list)

    def find(self, rated: RatedCall) -> Standing | None:
        """The version that counts of the call that this record tells of; None where it is a call of its own."""
        first = self._first.get(rated.key)
        if first is not None and (not rated.call.record_id or self._can_be(rated, first)):
            return first
        if first is None and rated.key not in self._reused:
            return None
        return next((one for one in self._others(rated) if self._can_be(rated, one)), None)

    def first(self, rated: RatedCall) -> Standing | None:
        """The first call with the id of this record, whether or not it can be the same."""
        return self._first.get(rated.key)

    def keep(self, rated: RatedCall) -> None:
        """A call of its own is known from now on."""
        standing = Standing(rated.event_id, None, rated)
        if self._first.setdefault(rated.key, standing) is not standing:
            self._reused.add(rated.key)
            self._further[rated.key, _bucket(rated.call)].append(standing)

    def _others(self, rated: RatedCall) -> Iterable[Standing]:
        """The further calls with the id of this record that started about then."""
        place = _bucket(rated.call)
        here = [one for near in (place, place - 1, place + 1) for one in self._further.get((rated.key, near), ())]
        yield from here
        taken = {one.number for one in here}
        for number in self._ledger.records.near(rated.key, seconds(rated.call.started_at) or 0, NEAR_S):
            if number not in taken:
                standing = self._of(self._ledger.calls.known_by_id(number), self._ledger.rows.joined([number]))
                self._further[rated.key, _bucket(standing.call)].append(standing)
                yield standing

    def _of(self, row: Row, joined: dict[int, tuple[int, dict[str, Any]]]) -> Standing:
        own = joined.get(row["id"])
        masked = row["day"] < self._masked_before
        return Standing(row["event_id"], row["id"], None, row, own[1] if own else None, masked)

    def _can_be(self, rated: RatedCall, standing: Standing) -> bool:
        return can_be_same(rated.call, standing.call, any_parties=self._any_parties(rated.call.dialect))


def _bucket(call: Call) -> int:
    return int(call.started_at.timestamp() // NEAR_S)


def can_be_same(one: Call, other: Call, *, any_parties: bool = False) -> bool:
    """Whether two records with one id can tell of the same call; `any_parties` where its parties may change."""
    if abs((one.started_at - other.started_at).total_seconds()) > NEAR_S:
        return False
    if one.started_at != other.started_at and not (one.started_at < end(other) and other.started_at < end(one)):
        return False
    return any_parties or (same_number(one.caller, other.caller) and same_number(one.callee, other.callee))


def same_number(one: str | None, other: str | None) -> bool:
    """Whether two ways of writing can be one number: with a prefix or without, masked or not; nothing fits anything."""
    if not one or not other or one == other:
        return True
    if "X" in one or "X" in other:
        return masking.masked(one) == masking.masked(other)
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= LEAST_DIGITS and longer.endswith(shorter) and shorter.isdigit()


def end(call: Call) -> Any:
    """When the call was over, as far as its record tells."""
    if call.ended_at is not None:
        return call.ended_at
    return max(
        call.started_at + timedelta(seconds=call.duration_s or 0),
        (call.answered_at or call.started_at) + timedelta(seconds=call.billed_s),
    )


def verdict(rated: RatedCall, standing: Standing) -> Reason:
    """Why a record of a known call changes nothing; no reason where it is a correction.

    The version that ends later is the final one; of two that end together the one that came later.
    """
    event = {"event": standing.event_id}
    if standing.masked:
        return Reason("anonymized", event)
    if standing.says_the_same(rated.call):
        return Reason("delivered-before", event)
    told, known = end(rated.call), end(standing.call)
    if told < known:
        return Reason("older-version", event)
    return Reason("corrected-by", event) if told == known and rated.event_id < standing.event_id else Reason()
