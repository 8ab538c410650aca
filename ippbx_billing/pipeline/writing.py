"""Writes what a batch of events means into the ledger: new calls in one go, corrections where they belong.

writing = Writing(ledger, rules, batches, arrived)
for rated in batches:
    writing.write(rated)   # why records of it change nothing
writing.finish()
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ippbx_billing.calls import EventStatus, Reason
from ippbx_billing.ledger import RatedCall
from ippbx_billing.ledger.calls import seconds
from ippbx_billing.ledger.journey import Outcome
from ippbx_billing.ledger.promise import KeepsCalls
from ippbx_billing.ledger.records import CORRECTED, Change, Reused
from ippbx_billing.pipeline.joining import Joining
from ippbx_billing.pipeline.records import Known, Standing, end, verdict

if TYPE_CHECKING:
    from ippbx_billing.pipeline import Rules

LATE_S = 2 * 3600  # a call that came so long after its end is history


class Writing:
    """One batch on its way into the ledger, in the caller's transaction.

    `arrived` is when each event came, `imported` which of them came from files.
    """

    def __init__(
        self,
        ledger: KeepsCalls,
        rules: "Rules",
        batches: Sequence[Sequence[RatedCall]],
        arrived: Mapping[int, datetime],
        imported: Collection[int] = (),
    ) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self.joining = Joining(ledger, rules, arrived)
        self._ledger, self._arrived, self._imported = ledger, arrived, imported
        self._known = Known(ledger, [one for rated in batches for one in rated], rules.any_parties)
        self._fresh: dict[bytes, RatedCall] = {}
        self._reused: dict[bytes, bytes] = {}  # the key of a call, the key of the id that was another's
        self._corrected: list[tuple[RatedCall, int]] = []  # a version that is not written, the event that corrects it

    def write(self, rated: Sequence[RatedCall]) -> list[Reason]:
        """The calls of one event; gives the reasons of those that change nothing."""
        repeated = []
        for place, one in enumerate(rated):
            standing = self._known.find(one)
            if standing is None:
                self._add(one, place)
            elif reason := verdict(one, standing):
                repeated.append(reason)
            else:
                self._correct(one, standing)
        return repeated

    def finish(self) -> list[RatedCall]:
        """The new calls, what was reused and corrected, and the rows that belong together; gives the new calls as they
        count then."""
        fresh = list(self._fresh.values())
        numbers = self._ledger.calls.add(fresh)
        ids = {one.key: number for number, one in zip(numbers, fresh, strict=True)}
        self._ledger.records.remember(
            Reused(base, seconds(self._fresh[key].call.started_at) or 0, ids[key], self._fresh[key].day)
            for key, base in self._reused.items()
        )
        self._ledger.records.change(self._change(one, ids[one.key], event_id) for one, event_id in self._corrected)
        self._ledger.records.mark_late(self._late(numbers, fresh))
        self.joining.added(numbers, fresh)
        self.joining.settle()
        return self.joining.as_counted(numbers, fresh)

    def _late(self, numbers: Sequence[int], fresh: Sequence[RatedCall]) -> Iterator[tuple[int, int, bool]]:
        """The calls that came long after they ended, or from a file."""
        for number, one in zip(numbers, fresh, strict=True):
            late_s = int((self._arrived[one.event_id] - end(one.call)).total_seconds())
            imported = one.event_id in self._imported
            if imported or late_s > LATE_S:
                yield number, max(0, late_s), imported

    def _add(self, one: RatedCall, place: int) -> None:
        """A call of its own, perhaps under an id that was another's."""
        first = self._known.first(one)
        self._known.keep(one)
        if first is not None:
            base, one.key = one.key, one.key_of_its_own(place)
            self._reused[one.key] = base
            note = Reason("reused-id", {"event": first.event_id})
            one.call = replace(one.call, notes=(*one.call.notes, note))
        self._fresh[one.key] = one

    def _correct(self, one: RatedCall, standing: Standing) -> None:
        """The record's later version; both events say that the one took the place of the other."""
        earlier = standing.event_id
        if earlier != one.event_id:
            self.outcomes[earlier] = EventStatus.DONE, Reason("corrected-by", {"event": one.event_id})
        note = Reason("correction", {"event": earlier})
        one.call = replace(one.call, notes=(*one.call.notes, note))
        if standing.number is None:
            assert standing.rated is not None
            one.key = standing.rated.key
            self._corrected.append((standing.rated, one.event_id))
            self._fresh[one.key] = one
        else:
            self._replace(standing.number, one, standing)
        standing.take(one)

    def _replace(self, number: int, one: RatedCall, standing: Standing) -> None:
        """In the place of a call that stands in the ledger."""
        stored = self._ledger.calls.get(number)
        assert stored is not None
        one.key = stored["key"]
        moment = int(self._arrived[one.event_id].timestamp())
        was = stored["day"], stored["status"], stored["fee_micro"]
        self._ledger.records.change([Change(moment, one.event_id, standing.event_id, number, CORRECTED, *was)])
        self.joining.corrected(number, standing.call, one)
        self._ledger.calls.correct(number, one)
        self._ledger.records.move(number, seconds(one.call.started_at) or 0, one.day)

    def _change(self, before: RatedCall, number: int, event_id: int) -> Change:
        """A version that was corrected before it was written."""
        charge = before.charge
        moment = int(self._arrived[event_id].timestamp())
        was = before.day, charge.status.value, charge.fee_micro
        return Change(moment, event_id, before.event_id, number, CORRECTED, *was)
