"""Rates calls again after a tariff, a filter or the calendar changed; earlier charges stay in the history.

    rerating = Rerating(ledger, rules, Wanted(date(2026, 10, 1), date(2026, 10, 31)))
    rerating.preview()      # the differences, by extension; nothing is changed
    rerating.run(now)       # the same, done, a short transaction for each stretch of calls

`deciding` says what a call's charge depends on; SQLite does what is the same for all calls of a kind, and the few that
their kind does not decide (a price by number, a filter by extension, a call cut at a window's border) are looked at one
by one. A run that was interrupted is simply run again: it finds the calls already rated anew unchanged.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from sqlite3 import Row
from typing import Any

from ippbx_billing.calls import Call, Charge, Classification, TrafficType
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger, masking
from ippbx_billing.ledger.calls import CHARGE, MEANING, call_of, doubt_of, is_meant, kind_of, meaning_row
from ippbx_billing.ledger.reasons import stored
from ippbx_billing.ledger.rerates import CallRange, ChangedCharges, ChargeRow, Span
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.rerating.deciding import CallKind, Deciding, Digits, RatingPlan, moment
from ippbx_billing.sqlite.locks import maintenance

__all__ = ["Difference", "RerateOutcome", "Rerating", "Wanted"]

CALLS_AT_ONCE = 50_000  # a stretch is written in about a tenth of a second
PAUSE_S = 0.001  # between two stretches, so that others come to write
MOST_FEES = 200_000  # charges remembered beyond a stretch; if there are more, they are learnt anew

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are rated again: local days from `first` to `last`, and only of this traffic type or carrier.

    With `reclassify` their numbers are looked up again as well, by the numbering data of today.
    """

    first: date
    last: date
    traffic_type: TrafficType | None = None
    carrier: str | None = None
    reclassify: bool = False

    @property
    def conditions(self) -> str:
        """The conditions as text, for the history."""
        return ", ".join(filter(None, (self.traffic_type, self.carrier, "reclassify" if self.reclassify else None)))


@dataclass(slots=True)
class Difference:
    """What changes for some calls: their number, their fees before and after, how many were and stay unrated."""

    calls: int = 0
    before_micro: int = 0
    after_micro: int = 0
    unrated_before: int = 0
    unrated_after: int = 0

    def add(self, other: "Difference") -> None:
        """Count another difference in."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(frozen=True, slots=True)
class RerateOutcome:
    """What a run did: how many calls lie in its time, how many changed, and what these cost before and after.

    `priced` calls had no price before; the `fees` of others were known and are others now.
    """

    calls: int
    changed: int
    before_micro: int
    after_micro: int
    priced: int
    priced_micro: int
    fees: int
    fees_before_micro: int
    fees_after_micro: int


@dataclass(slots=True)
class Asked:
    """What a statement asked for: calls whose charge is new with these charges, and calls to be looked at."""

    new: list[int] = field(default_factory=list)
    fees: dict[int, ChargeRow] = field(default_factory=dict)
    single: list[int] = field(default_factory=list)


class Rerating:
    """One rating again, on one connection; `progress` hears how many of how many calls are done."""

    def __init__(
        self, ledger: Ledger, rules: Rules, wanted: Wanted, progress: Progress = lambda done, total: None
    ) -> None:
        _must_be_readable(ledger, wanted.first)
        self.ledger, self.rules, self.wanted, self.progress = ledger, rules, wanted, progress
        self._tables = ledger.rerates
        self._carriers = ledger.calls.carrier_ids()
        self._decide = Deciding(rules)
        self._kinds: dict[int, CallKind] = {}
        self._plans: dict[int, RatingPlan] = {}
        self._asked = Asked()
        self._learnt = 0
        self._spans: list[Span] = []
        self._single = Single(self)
        self._tables.prepare(self._decide.clock, self._missing)

    def preview(self) -> dict[str | None, Difference]:
        """The differences by extension that `run` would make; nothing is changed."""
        found: dict[str | None, Difference] = {}
        for stretch in self._stretches():
            if self.wanted.reclassify:
                for row, _, charge in self._reclassified(stretch):
                    self._tables.settle([row["id"]])
                    _count(found, row["extension"], row["status"], row["fee_micro"], charge)
            self._find(stretch)
            for row in self._tables.differences():
                found.setdefault(row["extension"], Difference()).add(Difference(*tuple(row)[1:]))
        return found

    def run(self, now: datetime, wait_s: float = 0) -> RerateOutcome:
        """Change the charges; each stretch is complete by itself, so that an interruption leaves nothing half done.

        Raises BusyError where other maintenance lasts longer than `wait_s`.
        """
        with maintenance(self.ledger.path.parent, "rerate", wait_s):
            return self._run(now)

    def _run(self, now: datetime) -> RerateOutcome:
        days = (self.wanted.first.isoformat(), self.wanted.last.isoformat())
        with self.ledger.transaction():
            run = self._tables.begin_run(int(now.timestamp()), *days, self.wanted.conditions)
        changes = ChangedCharges()
        try:
            for stretch in self._stretches():
                with self.ledger.transaction():
                    changes = changes.and_(self._change(run, stretch))
                time.sleep(PAUSE_S)
        finally:
            with self.ledger.transaction():
                self._tables.end_run(run, int(now.timestamp()))
        return RerateOutcome(sum(span.calls for span in self._spans), *changes)

    def _change(self, run: int, stretch: CallRange) -> ChangedCharges:
        """One stretch, in the caller's transaction."""
        reclassified = self._reclassify(run, stretch) if self.wanted.reclassify else ChangedCharges()
        self._find(stretch)
        return reclassified.and_(self._tables.change(run))

    def _find(self, stretch: CallRange) -> None:
        """Gather the calls of a stretch whose charge is to change."""
        self._tables.begin_stretch()
        if self._learnt > MOST_FEES:
            self._forget()
        for calls in self._until_known():
            self._tables.find_changed(stretch, calls)
        self._tables.put_changed(self._single.changed(self._asked.single, stretch.end))
        self._asked.single.clear()

    # -- which calls

    def _stretches(self) -> Iterator[CallRange]:
        """The calls in pieces, within times in which every price keeps its version; the plans are made for each."""
        versions = self._versions()
        self._spans = [self._tables.span(*days) for days in versions]
        total, done = sum(span.last - span.first + 1 for span in self._spans), 0
        for (day, last), span in zip(versions, self._spans, strict=True):
            self._plan(day)
            for start in range(span.first, span.last + 1, CALLS_AT_ONCE):
                stop = min(start + CALLS_AT_ONCE - 1, span.last)
                yield CallRange(start, stop, *self._times(day, last), self.wanted.reclassify)
                done += stop - start + 1
                self.progress(done, total)

    def _versions(self) -> list[tuple[date, date]]:
        """The wanted days, cut where some price begins."""
        begins = sorted({price.effective_from for price in self.rules.book.prices})
        days = [self.wanted.first, *(day for day in begins if self.wanted.first < day <= self.wanted.last)]
        lasts = [*(day - timedelta(days=1) for day in days[1:]), self.wanted.last]
        return list(zip(days, lasts, strict=True))

    def _times(self, first: date, last: date) -> tuple[int, int]:
        """These local days as seconds of UTC, the end not included."""
        days = (first, last + timedelta(days=1))
        begin, end = (datetime.combine(day, clock_time(), self.rules.site.zone).timestamp() for day in days)
        return int(begin), int(end)

    # -- how their kinds are charged

    def _plan(self, day: date) -> None:
        """Decide every kind that is wanted, for this day and the next ones."""
        self._decide.begin(day)
        self._forget()
        self._kinds = {row["id"]: CallKind.of(row) for row in self._tables.kinds()}
        self._plans = {one.id: self._decide.plan(one) for one in self._kinds.values() if self._is_wanted(one)}
        self._single.begin(self._kinds, self._decide)
        self._tables.plan(
            (number, plan.how, plan.base, self._carriers.get(self._carrier(self._kinds[number])))
            for number, plan in self._plans.items()
        )

    def _is_wanted(self, kind: CallKind) -> bool:
        wanted = self.wanted
        if wanted.traffic_type not in (None, kind.classification.traffic_type):
            return False
        return wanted.carrier in (None, self._carrier(kind))

    def _carrier(self, kind: CallKind) -> str:
        """The name of the carrier that such calls go through; empty for none."""
        carrier = self.rules.book.carrier_for(kind.call.trunk)
        return carrier.name if carrier else ""

    def _missing(self, code: int | None, kind_id: int, started_at: int, billed_s: int, call: int) -> int:
        """Asked by SQLite about a call whose charge is not learnt: find it, or look at the call itself later."""
        if code is None:
            self._asked.single.append(call)
            return 0
        if code not in self._asked.fees:
            kind, plan = self._kinds[kind_id], self._plans[kind_id]
            charge = self._decide.charge(plan, kind.call, kind.classification, started_at, billed_s)
            self._asked.fees[code] = self.row_of(charge)
        self._asked.new.append(call)
        return 0

    def _until_known(self) -> Iterator[Sequence[int] | None]:
        """First every call of a stretch, then again those whose charge was learnt meanwhile."""
        yield None
        while self._asked.new:
            calls = list(self._asked.new)
            self._learnt += len(self._asked.fees)
            self._tables.learn(self._asked.fees.items())
            self._asked.new.clear()
            self._asked.fees.clear()
            yield calls

    def _forget(self) -> None:
        self._tables.forget()
        self._learnt = 0

    def row_of(self, charge: Charge) -> ChargeRow:
        """A charge as the ledger keeps it."""
        carrier = self._carriers.get(charge.carrier or "")
        reason = stored(charge.reason)
        return charge.status.value, charge.fee_micro, carrier, charge.price_id, charge.window, *reason, charge.calendar

    # -- numbers looked up again

    def _reclassified(self, stretch: CallRange) -> Iterator[tuple[Row, Classification, ChargeRow]]:
        """The calls of a stretch whose number is now something else than what is stored with them."""
        for row in self._tables.planned(stretch):
            call = call_of(row)
            classification = self.rules.classify(call)
            if not is_meant(row, classification):
                yield row, classification, self.row_of(self.rules.charge(call, classification))

    def _reclassify(self, run: int, stretch: CallRange) -> ChangedCharges:
        """Give such calls their new meaning and charge, and keep both old ones."""
        changes = ChangedCharges()
        meanings: list[tuple[Any, ...]] = []
        charges: list[tuple[int, ChargeRow, str | None]] = []
        for row, classification, charge in self._reclassified(stretch):
            kind = self.ledger.calls.kind_id(kind_of(call_of(row), classification))
            meanings.append((*meaning_row(classification), self.rules.data_version, kind, row["id"]))
            earlier = json.dumps({name: row[name] for name in MEANING}, ensure_ascii=False)
            charges.append((row["id"], charge, earlier))
            changes = changes.and_(ChangedCharges.of_call(row["status"], row["fee_micro"], charge[1]))
        self._tables.reclassify(run, meanings, charges)
        self._tables.settle(number for number, _, _ in charges)
        return changes


_AFTER = 1 + len(CHARGE)  # where a call's own values begin in a row of `RerateTables.digits`


class Single:
    """Calls that their kind does not decide; those whose digits mean the same to the tariff are decided together."""

    def __init__(self, rerating: Rerating) -> None:
        self._rerating = rerating
        self._kinds: dict[int, CallKind] = {}
        self._decide: Deciding = rerating._decide
        self._groups: dict[int, Callable[[Digits], object]] = {}
        self._plans: dict[tuple[int, object], RatingPlan] = {}
        self._charges: dict[int, ChargeRow] = {}

    def begin(self, kinds: dict[int, CallKind], decide: Deciding) -> None:
        """From now on these kinds and plans hold."""
        self._kinds, self._decide = kinds, decide
        self._forget()
        self._groups.clear()

    def changed(self, ids: Sequence[int], end: int) -> list[tuple[int, ChargeRow]]:
        """Those of these calls whose charge is to change, with the new one; until `end` the prices at hand hold."""
        found = []
        for row in self._rerating.ledger.rerates.digits(ids) if ids else ():
            number, before, (priced_at, billed_s, kind_id) = row[0], tuple(row[1:_AFTER]), row[_AFTER : _AFTER + 3]
            after = self._charge(kind_id, Digits(*row[_AFTER + 3 :]), priced_at, billed_s, end)
            if after[:-1] != before[:-1]:  # another calendar alone changes nobody's bill
                found.append((number, after))
        if len(self._plans) + len(self._charges) > MOST_FEES:
            self._forget()
        return found

    def _charge(self, kind_id: int, digits: Digits, priced_at: int, billed_s: int, end: int) -> ChargeRow:
        group = self._groups.get(kind_id)
        if group is None:
            group = self._groups[kind_id] = self._decide.group(self._kinds[kind_id])
        key = (kind_id, group(digits))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._decide.plan_of(*self._call(kind_id, digits))
        code = self._decide.code(plan, priced_at, billed_s) if priced_at < end else None
        if code is None:
            call, classification = self._call(kind_id, digits)
            again = replace(call, started_at=moment(priced_at), billed_s=billed_s)
            return self._rerating.row_of(self._rerating.rules.charge(again, classification))
        charge = self._charges.get(code)
        if charge is None:
            kind = self._kinds[kind_id]
            found = self._decide.charge(plan, kind.call, kind.classification, priced_at, billed_s)
            charge = self._charges[code] = self._rerating.row_of(found)
        return charge

    def _call(self, kind_id: int, digits: Digits) -> tuple[Call, Classification]:
        """The kind's call with these digits in it."""
        kind = self._kinds[kind_id]
        call = replace(
            kind.call,
            twin=digits.twin,
            doubt=doubt_of(digits.doubt),
            number=digits.number,
            callee=digits.callee,
            did=digits.did,
            extension=digits.extension,
            billed_ms=digits.billed_ms,
        )
        return call, replace(kind.classification, number=digits.number or "", normalized=digits.normalized or "")

    def _forget(self) -> None:
        self._plans.clear()
        self._charges.clear()


def _must_be_readable(ledger: Ledger, first: date) -> None:
    """A tariff goes by digits, and anonymized calls have lost some of theirs."""
    before = ledger.journey.state(masking.STATE) or ""
    if first.isoformat() < before:
        problem = tr("calls before {day} are anonymized and cannot be rated again", day=before)
        raise UsageError(problem, tr("begin with {day}", day=before))


def _count(
    found: dict[str | None, Difference], extension: str | None, was: str, before: int | None, after: ChargeRow
) -> None:
    """One call's difference, to its extension."""
    status, fee_micro = after[0], after[1]
    one = Difference(1, before or 0, fee_micro or 0, int(was == "unrated"), int(status == "unrated"))
    found.setdefault(extension, Difference()).add(one)
