"""Joins the rows of one call in the ledger, in the transaction in which a row of it was written.

    joining = Joining(ledger, rules, arrived)
    joining.added(numbers, rated)
    joining.settle()

Whatever came first: the rows of a call are looked at together each time one of them is written, so that a row that
arrives late can change which is billed. `arrived` are the moments at which the events of the batch came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from ippbx_billing.calls import Call, CallStatus, Disposition, Phase, Reason
from ippbx_billing.ledger import RatedCall, masking
from ippbx_billing.ledger.calls import FACTS, call_of, classification_of, facts, instant
from ippbx_billing.ledger.promise import KeepsCalls
from ippbx_billing.ledger.records import ROWS, Change
from ippbx_billing.ledger.rows import OWN, link_of, links_of
from ippbx_billing.pipeline.records import end
from ippbx_billing.pipeline.rows import CallRow, join

if TYPE_CHECKING:
    from ippbx_billing.pipeline import Rules

MOST_ROWS = 60  # an id that more rows share is not a call's
OPEN = ("talk-not-told", "length-not-told")  # the notes of a record that does not tell the talk


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row as it stands in the ledger, and as its record tells it."""

    stored: Row
    billed_id: int | None
    own: Mapping[str, Any]
    call: Call


class Joining:
    """What a batch brought of calls that have several rows."""

    def __init__(self, ledger: KeepsCalls, rules: "Rules", arrived: Mapping[int, datetime]) -> None:
        self._ledger, self._rules, self._arrived = ledger, rules, arrived
        self._links: set[int] = set()
        self._ids: set[int] = set()
        self._new: set[int] = set()
        self._open: set[int] = set()  # calls whose record does not tell for how long they talked
        self._answers: list[tuple[int, int, int]] = []
        self._put_anew: dict[int, RatedCall] = {}

    def added(self, numbers: Sequence[int], rated: Sequence[RatedCall]) -> None:
        """New calls stand in the ledger."""
        links = [(link, number) for number, one in zip(numbers, rated, strict=True) for link in links_of(one.call)]
        self._ledger.rows.link(links)
        self._links.update(link for link, _ in links)
        self._new.update(number for _, number in links)
        self._open.update(n for n, one in zip(numbers, rated, strict=True) if one.call.call_id and _is_open(one.call))

    def corrected(self, number: int, before: Call, rated: RatedCall) -> None:
        """A later version of its record took the place of a call."""
        self.leaving(number, before)
        links = links_of(rated.call)
        self._ledger.rows.link((link, number) for link in links)
        self._links.update(links)
        self._ids.add(number)

    def leaving(self, number: int, call: Call) -> None:
        """A call goes out of the ledger, or changes: those that were joined with it are looked at again."""
        self._ids.update(self._ledger.rows.rows_of(number))
        self._ids.discard(number)
        self._ledger.rows.unlink(call, number)

    def answered(self, step: CallStatus, received_at: datetime) -> None:
        """An event told that a call was answered: its record may not tell, whichever comes first."""
        if step.call_id and step.phase is Phase.TALKING:
            link, told_at = link_of(step.pbx, step.call_id), int(received_at.timestamp())
            self._answers.append((link, int(step.at.timestamp()) if step.at else told_at, told_at))

    def settle(self) -> None:
        """Let the rows of every call that the batch touched be billed as they belong together."""
        rows = self._ledger.rows
        rows.answered(self._answers)
        related = rows.related(sorted(self._links), MOST_ROWS)
        seeds = {number for ids in related.values() for number in ids} | self._ids | self._open
        seeds.update(rows.of_links(link for link, *_ in self._answers))
        before = self._ledger.journey.state(masking.STATE) or ""
        while seeds:
            kept = self._together(seeds.pop())
            seeds -= kept.keys()
            if kept and all(one.stored["day"] >= before for one in kept.values()):
                self._join(kept)

    def as_counted(self, numbers: Sequence[int], rated: Sequence[RatedCall]) -> list[RatedCall]:
        """These calls as the joining left them: of a call's rows but one is billed."""
        if not self._put_anew:
            return list(rated)
        return [self._put_anew.get(number, one) for number, one in zip(numbers, rated, strict=True)]

    def _together(self, number: int) -> dict[int, _Kept]:
        """All rows that share an id with this one, or with one that does."""
        found: dict[int, _Kept] = {}
        waiting = {number}
        while waiting and len(found) < MOST_ROWS:
            fresh = self._load(waiting)
            found.update(fresh)
            links = sorted({link for one in fresh.values() for link in links_of(one.call)})
            related = self._ledger.rows.related(links, MOST_ROWS)
            waiting = {one for ids in related.values() for one in ids} - found.keys()
        return found

    def _load(self, ids: Iterable[int]) -> dict[int, _Kept]:
        wanted = sorted(ids)
        joined = self._ledger.rows.joined(wanted)
        found: dict[int, _Kept] = {}
        for number in wanted:
            stored = self._ledger.calls.get(number)
            if stored is not None:
                billed_id, own = joined.get(number, (None, {}))
                told = {name: stored[name] for name in (*FACTS, "notes")} | own
                found[number] = _Kept(stored, billed_id, own, call_of(told))
        return found

    def _join(self, kept: Mapping[int, _Kept]) -> None:
        told = {number: self._with_answer(one.call) for number, one in kept.items()}
        rows = [CallRow(number, call, kept[number].stored["normalized"] or "") for number, call in told.items()]
        joined = join(rows, self._rules.numbering_for(None).is_extension)
        cause = max((one.stored["event_id"] for one in kept.values()), key=lambda one: (one in self._arrived, one))
        for number, one in kept.items():
            alone = number if told[number] is not one.call else None
            billed_id, call = joined.get(number, (alone, told[number]))
            if billed_id is None and one.billed_id is None:
                continue
            self._put(number, one, call, cause)
            if billed_id is None:
                self._ledger.rows.part(number)
            elif billed_id != one.billed_id:
                self._ledger.rows.join(number, billed_id, _own_facts(one))

    def _with_answer(self, call: Call) -> Call:
        """The call with the answer that an event told, where its record tells the end alone."""
        if not call.call_id or not _is_open(call):
            return call
        answers = self._ledger.rows.answers(links_of(call))
        answered_at = instant(min(answers.values())) if answers else None
        ended_at = end(call)
        if answered_at is None or not call.started_at <= answered_at <= ended_at:
            return call
        return replace(
            call,
            answered_at=answered_at,
            billed_s=round((ended_at - answered_at).total_seconds()),
            disposition=Disposition.ANSWERED,
            notes=(*(one for one in call.notes if one.code not in OPEN), Reason("told-apart")),
        )

    def _put(self, number: int, one: _Kept, call: Call, cause: int) -> None:
        """The call as it counts now, where that is something else than before."""
        stored = one.stored
        if facts(call) == tuple(stored[name] for name in FACTS):
            return
        meaning, start = classification_of(stored), self._rules.local_start(call)
        rated = RatedCall(
            stored["event_id"],
            call,
            meaning,
            self._rules.charge(call, meaning),
            stored["day"],
            stored["data_version"],
            start.hour,
            stored["key"],
        )
        self._ledger.calls.correct(number, rated)
        self._put_anew[number] = rated
        if number not in self._new:
            self._changed(number, stored, cause)

    def _changed(self, number: int, stored: Row, cause: int) -> None:
        moment = self._arrived.get(cause)
        if moment is not None:
            was = stored["day"], stored["status"], stored["fee_micro"]
            change = Change(int(moment.timestamp()), cause, stored["event_id"], number, ROWS, *was)
            self._ledger.records.change([change])


def _is_open(call: Call) -> bool:
    """Whether the record does not tell for how long they talked."""
    return any(one.code in OPEN for one in call.notes)


def _own_facts(one: _Kept) -> dict[str, Any]:
    """What the record says of the facts that the joining may change."""
    return {name: one.own[name] if one.own else one.stored[name] for name in (*OWN, "notes")}
