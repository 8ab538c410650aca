"""The provider's bill beside our calls: what only they have, what only we have, what differs, and why.

    found = verify(ledger, rules, zone, period, carrier, invoice)
    found.their_micro - found.our_micro == sum(one.micro for one in found.causes)

The one idea: each line of the bill is given at most one of our calls and each call at most one line, the likeliest
pairs first; every fen by which the two sums differ then belongs to a pair, to a line or to a call, and so to a cause.
"""

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from statistics import median_low

from ippbx_billing.calls import ChargeStatus, Direction, Disposition
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.lists.invoices import Invoice, InvoiceCall, checked_columns, read
from ippbx_billing.lists.tariffs.cells import DateOrder
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports.conditions import Period
from ippbx_billing.settings import Settings
from ippbx_billing.tariffs import Carrier

TAIL = 7  # digits by which numbers in any spelling are alike, at the least
TOLERANCE_S = 60
LENGTH_S = 2
_MASKED = re.compile(r"[*xX?]")
_SHIFT_STEP_S, _MOST_SHIFT_S, _FEWEST = 30, 26 * 3600, 5


class DifferenceCause(StrEnum):
    """Why the two sums differ."""

    UNKNOWN = "unknown-call"  # only they have it
    TWICE = "billed-twice"
    UNANSWERED = "unanswered"
    ELSEWHERE = "other-carrier"
    INCOMING = "not-outgoing"
    LEFT_OUT = "left-out"  # a filter of ours, or a twin
    OTHER_MONTH = "other-month"
    ITEM = "no-call"
    MISSING = "not-billed"  # only we have it
    LENGTH = "length"
    PRICE = "price"
    ROUNDING = "rounding"
    UNRATED = "unrated"  # we have it, and do not know its fee


@dataclass(frozen=True, slots=True)
class OurCall:
    """One of our calls as far as it is compared: seconds of UTC, seconds, micro-units (None: not known)."""

    id: int
    started: int
    answered: int
    number: str
    billed_s: int
    fee_micro: int | None
    day: str
    extension: str
    against: DifferenceCause | None  # why the provider should not have billed it

    def distance_s(self, moment: float) -> float:
        """How far its beginning, or its answer, is from a moment."""
        return min(abs(moment - self.started), abs(moment - self.answered))


@dataclass(frozen=True, slots=True)
class BillDifference:
    """One line or call by which the sums differ, on the site's clock; `parts` are micro-units by cause."""

    parts: tuple[tuple[DifferenceCause, int], ...]
    where: str
    started_at: datetime | None
    number: str
    theirs_s: int | None = None
    ours_s: int | None = None
    their_micro: int | None = None
    our_micro: int | None = None
    call: int | None = None
    extension: str = ""

    @property
    def cause(self) -> DifferenceCause:
        """The one that weighs most."""
        return max(self.parts, key=lambda part: abs(part[1]))[0]

    @property
    def micro(self) -> int:
        """What they ask more than we do."""
        return sum(micro for _, micro in self.parts)


@dataclass(frozen=True, slots=True)
class CauseSum:
    """How often a cause was found, and what it comes to."""

    cause: DifferenceCause
    count: int
    micro: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The whole answer: both sums in micro-units, how many lines agree, the differences, what limits the answer."""

    their_micro: int
    our_micro: int
    lines: int
    agreed: int
    matched: int
    differences: tuple[BillDifference, ...]
    unrated: int
    shift_s: int
    stated_micro: int | None
    problems: tuple[str, ...]
    other_lengths: int  # pairs whose lengths differ without any effect on the fee

    @property
    def causes(self) -> list[CauseSum]:
        """The causes, what weighs most first."""
        sums: Counter[DifferenceCause] = Counter()
        counts: Counter[DifferenceCause] = Counter()
        for one in self.differences:
            for cause, micro in one.parts:
                sums[cause] += micro
                counts[cause] += 1
        found = [CauseSum(cause, counts[cause], sums[cause]) for cause in counts]
        return sorted(found, key=lambda one: (-abs(one.micro), one.cause))


@dataclass(frozen=True, slots=True)
class Tolerance:
    """By how many seconds a beginning and a length may differ and still be the same."""

    time_s: int = TOLERANCE_S
    length_s: int = LENGTH_S


def verify_file(
    ledger: Ledger,
    settings: Settings,
    period: Period,
    carrier: str,
    name: str,
    content: bytes,
    headings: Mapping[str, str],
    tolerance: Tolerance,
    dates: str = "",
) -> tuple[str, Verification]:
    """The carrier's name and the answer for a file; headings that were named are remembered for this carrier.

    Raises NotFoundError for an unknown carrier, DataError for a file that is not a list of calls.
    """
    told = ledger.book.carrier(carrier) if carrier else _only_carrier(ledger)
    state = f"invoice-columns/{told.name}"
    learned = json.loads(ledger.journey.state(state) or "{}") | checked_columns(headings)
    order: DateOrder | None = "dmy" if dates == "dmy" else "mdy" if dates == "mdy" else None
    invoice = read(name, content, learned, dates=order, currency=settings.currency)
    if headings:
        with ledger.transaction():
            ledger.journey.set_state(state, json.dumps(learned, ensure_ascii=False))
    rules = Rules.of(ledger, settings, reading=False)
    return told.name, verify(ledger, rules, settings.site_zone, period, told.name, invoice, tolerance)


def headings_of(words: Iterable[str]) -> dict[str, str]:
    """`fee=Amount` says which heading holds what; UsageError for a word that does not."""
    found = {}
    for word in words:
        key, mark, heading = word.partition("=")
        if not mark or not heading.strip():
            raise UsageError(
                tr("{text!r} names no column", text=word), "ippbx-bill verify october.csv --column fee=Amount"
            )
        found[key.strip()] = heading.strip()
    return found


def _only_carrier(ledger: Ledger) -> Carrier:
    """The one whose lines are used, where that leaves no doubt."""
    carriers = ledger.book.carriers()
    used = {one.carrier for one in ledger.book.trunks()} | {one.name for one in carriers if one.default}
    found = [one for one in carriers if one.name in used]
    if len(found) != 1:
        raise UsageError(
            tr("whose bill is it?"), tr("say --carrier; known: {known}", known=", ".join(one.name for one in carriers))
        )
    return found[0]


def verify(
    ledger: Ledger,
    rules: Rules,
    zone: tzinfo,
    period: Period,
    carrier: str,
    invoice: Invoice,
    tolerance: Tolerance | None = None,
) -> Verification:
    """Compare a bill with the calls of a period that went over the carrier's lines; nothing is written."""
    allowed = tolerance or Tolerance()
    ours = list(_our_calls(ledger, rules, carrier, *_days(period, invoice.calls)))
    lines = [_Line(one, one.started_at.replace(tzinfo=zone).timestamp()) for one in invoice.calls]
    spelt = _Spelling(rules, next((one.name for one in rules.book.trunks.values() if one.carrier == carrier), None))
    shift = _shift(lines, ours, spelt, allowed.time_s)
    lines = [replace(one, moment=one.moment - shift) for one in lines]
    pairs = _pairs(lines, ours, spelt, allowed)
    return _Judge(ledger, rules, zone, period, invoice, allowed).judged(lines, ours, pairs, shift, spelt)


def _days(period: Period, calls: Sequence[InvoiceCall]) -> tuple[date, date]:
    """The days of which our calls may be in the bill: a clock may be hours off, and a line of another month."""
    days = [one.started_at.date() for one in calls]
    first, last = min([period.first, *days]), max([period.last, *days])
    return first - timedelta(days=2), last + timedelta(days=2)


def _our_calls(ledger: Ledger, rules: Rules, carrier: str, first: date, last: date) -> Iterator[OurCall]:
    names = {number: name for name, number in ledger.calls.carrier_ids().items()}
    for row in ledger.calls.of_days(first.isoformat(), last.isoformat()):
        started = row["started_at"]
        yield OurCall(
            row["id"], started, row["answered_at"] or started, _digits(row["normalized"] or row["number"] or ""),
            row["billed_s"], row["fee_micro"], row["day"], row["extension"] or "",
            _against(row, rules, names, carrier),
        )  # fmt: skip


def _against(row: sqlite3.Row, rules: Rules, names: Mapping[int, str], carrier: str) -> DifferenceCause | None:
    by_trunk = rules.book.carrier_for(row["trunk"])
    told = names.get(row["carrier_id"]) or (by_trunk.name if by_trunk else None)
    if told != carrier:
        return DifferenceCause.ELSEWHERE
    if row["fee_micro"]:
        return None
    if row["direction"] != Direction.OUTBOUND:
        return DifferenceCause.INCOMING
    if row["status"] == ChargeStatus.FILTERED:
        return DifferenceCause.LEFT_OUT
    talked = row["disposition"] == Disposition.ANSWERED and row["billed_s"]
    return None if talked else DifferenceCause.UNANSWERED


# -- numbers in any spelling


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


class _Spelling:
    """The provider's numbers as ours are spelt."""

    def __init__(self, rules: Rules, trunk: str | None) -> None:
        self._numbering = rules.numbering_for(trunk)
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        """The digits of a number as we keep them."""
        if text not in self._known:
            plain = re.sub(r"[\s()\-./]", "", text)
            self._known[text] = _digits(self._numbering.classify(plain, Direction.OUTBOUND).normalized) or _digits(
                plain
            )
        return self._known[text]

    def fits(self, line: str, ours: str) -> bool:
        """Whether both may be the same number; digits that the provider hides may be any."""
        if _MASKED.search(line):
            shown = re.sub(r"[^\d*xX?]", "", line).lstrip("0")
            pattern = re.compile(r"\d*" + re.sub(r"\D", r"\\d", shown) + "$")
            return pattern.fullmatch(ours) is not None
        return _same_end(self.of(line), ours) or _same_end(_digits(line), ours)


def _same_end(one: str, other: str) -> bool:
    """Whether the numbers are equal, but for what stands before the shorter one."""
    short, long = sorted((one.lstrip("0"), other.lstrip("0")), key=len)
    return bool(short) and (short == long or (len(short) >= TAIL and long.endswith(short)))


# -- which line is which call


@dataclass(frozen=True, slots=True)
class _Line:
    call: InvoiceCall
    moment: float  # seconds of UTC


class _Index:
    """Our calls by the end of their numbers, and all of them, each in the order of time."""

    def __init__(self, ours: Sequence[OurCall]) -> None:
        self._lists: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, one in enumerate(ours):
            for moment in {one.started, one.answered}:
                self._lists[one.number[-TAIL:]].append((moment, place))
                self._lists["*"].append((moment, place))
        for found in self._lists.values():
            found.sort()

    def near(self, key: str, moment: float, within_s: float) -> set[int]:
        """The places of the calls with this end that begin, or are answered, so near."""
        found = self._lists.get(key, [])
        low, high = bisect_left(found, (moment - within_s, -1)), bisect_right(found, (moment + within_s, 1 << 60))
        return {place for _, place in found[low:high]}


def _key(line: _Line, spelt: _Spelling) -> str:
    return "*" if _MASKED.search(line.call.number) else spelt.of(line.call.number)[-TAIL:]


def _pairs(lines: Sequence[_Line], ours: Sequence[OurCall], spelt: _Spelling, allowed: Tolerance) -> dict[int, int]:
    """For lines by place the place of their call; the likeliest pairs first, those that should be billed before all."""
    index, likely = _Index(ours), []
    for place, line in enumerate(lines):
        for other in index.near(_key(line, spelt), line.moment, allowed.time_s):
            one = ours[other]
            if spelt.fits(line.call.number, one.number):
                apart = one.distance_s(line.moment) + abs(one.billed_s - line.call.duration_s)
                likely.append((one.against is not None, apart, place, other))
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, place, other in sorted(likely):
        if place not in found and other not in taken:
            found[place] = other
            taken.add(other)
    return found


def _shift(lines: Sequence[_Line], ours: Sequence[OurCall], spelt: _Spelling, within_s: int) -> int:
    """By how many seconds the provider's clock is ahead of ours, where most lines say the same; else 0."""
    billed = [one for one in ours if one.against is None]
    index = _Index(billed)
    apart: Counter[int] = Counter()
    told: dict[int, list[float]] = defaultdict(list)
    for line in lines:
        key = _key(line, spelt)
        for place in index.near(key, line.moment, _MOST_SHIFT_S) if key != "*" else ():
            if abs(billed[place].billed_s - line.call.duration_s) <= LENGTH_S:
                by = line.moment - billed[place].answered
                apart[step := round(by / _SHIFT_STEP_S)] += 1
                told[step].append(by)
    if not apart:
        return 0
    step, count = max(apart.items(), key=lambda item: (item[1], -abs(item[0])))
    near = sum(many for one, many in apart.items() if abs(one) * _SHIFT_STEP_S <= within_s)
    enough = count >= _FEWEST and count * 2 > len(lines) and count > 2 * near
    return round(median_low(told[step])) if enough else 0


# -- what differs


@dataclass(frozen=True, slots=True)
class _Judge:
    ledger: Ledger
    rules: Rules
    zone: tzinfo
    period: Period
    invoice: Invoice
    allowed: Tolerance

    def judged(
        self,
        lines: Sequence[_Line],
        ours: Sequence[OurCall],
        pairs: Mapping[int, int],
        shift: int,
        spelt: _Spelling,
    ) -> Verification:
        """The answer, once it is known which line is which call."""
        twice = self._twice(lines, pairs, spelt)
        beside = [(line, ours[pairs[place]] if place in pairs else None) for place, line in enumerate(lines)]
        parts = [self._parts(line, one, place in twice) for place, (line, one) in enumerate(beside)]
        agreed = [pair for pair, told in zip(beside, parts, strict=True) if not told]
        taken = {one.id for _, one in beside if one}
        missing = [one for one in ours if self._is_missing(one, taken)]
        found = [self._of_line(*pair, told) for pair, told in zip(beside, parts, strict=True) if told]
        found += [*map(self._of_call, missing), *self._items()]
        return Verification(
            self.invoice.total_micro,
            sum(map(self._counted, ours)),
            lines=len(lines),
            agreed=len(agreed),
            matched=len(pairs),
            differences=tuple(sorted(found, key=_weight)),
            unrated=sum(one.call is not None and one.our_micro is None and _is_unknown(one) for one in found),
            shift_s=shift,
            stated_micro=self.invoice.stated_micro,
            problems=self.invoice.problems,
            other_lengths=sum(self._other_length(*pair) for pair in agreed),
        )

    def _items(self) -> Iterator[BillDifference]:
        for one in self.invoice.items:
            if one.fee_micro:
                parts = ((DifferenceCause.ITEM, one.fee_micro),)
                yield BillDifference(parts, one.where, None, one.text, their_micro=one.fee_micro)

    def _counted(self, one: OurCall) -> int:
        """What a call adds to our sum: the fee of one of this carrier and this month."""
        return (one.fee_micro or 0) if one.against is None and self._is_of_month(one) else 0

    def _is_of_month(self, one: OurCall) -> bool:
        return self.period.first.isoformat() <= one.day <= self.period.last.isoformat()

    def _is_missing(self, one: OurCall, taken: set[int]) -> bool:
        return one.against is None and one.id not in taken and self._is_of_month(one) and one.fee_micro != 0

    def _parts(self, line: _Line, one: OurCall | None, is_twice: bool) -> tuple[tuple[DifferenceCause, int], ...]:
        fee = line.call.fee_micro
        if one is None:
            cause = DifferenceCause.TWICE if is_twice else DifferenceCause.UNKNOWN
            if not is_twice and not self.period.first <= line.call.started_at.date() <= self.period.last:
                cause = DifferenceCause.OTHER_MONTH
            return ((cause, fee),) if fee else ()
        if one.against or not self._is_of_month(one):
            return ((one.against or DifferenceCause.OTHER_MONTH, fee),) if fee else ()
        if one.fee_micro is None:
            return ((DifferenceCause.UNRATED, fee),)
        return self._priced(line, one, one.fee_micro) if fee != one.fee_micro else ()

    def _priced(self, line: _Line, one: OurCall, ours: int) -> tuple[tuple[DifferenceCause, int], ...]:
        """A pair with two fees: what its length makes of it by our price, and what is left to the price."""
        fee = line.call.fee_micro
        at_length = self._at_length(one, line.call.duration_s) if line.call.duration_s != one.billed_s else ours
        of_length = 0 if at_length is None else at_length - ours
        rest = fee - ours - of_length
        cause = DifferenceCause.ROUNDING if abs(rest) < self._last_unit() else DifferenceCause.PRICE
        return tuple(part for part in ((DifferenceCause.LENGTH, of_length), (cause, rest)) if part[1])

    def _at_length(self, one: OurCall, length_s: int) -> int | None:
        """Our fee of the call had it lasted so long; None where its present price is not the one it was charged by."""
        row = self.ledger.calls.get(one.id)
        if row is None:
            return None
        call, meaning = call_of(row), classification_of(row)
        if self.rules.charge(call, meaning).fee_micro != one.fee_micro:
            return None
        return self.rules.charge(replace(call, billed_s=length_s, billed_ms=None), meaning).fee_micro

    def _last_unit(self) -> int:
        """Micro-units of one in the last decimal that the bill shows."""
        fees = [one.fee_micro for one in self.invoice.calls]
        return next((10**places for places in range(6, 0, -1) if not any(fee % 10**places for fee in fees)), 1)

    def _other_length(self, line: _Line, one: OurCall | None) -> bool:
        theirs = line.call.duration_s
        if one is None or abs(theirs - one.billed_s) <= self.allowed.length_s:
            return False
        return theirs != -(-one.billed_s // 60) * 60  # begun minutes are not other length

    def _twice(self, lines: Sequence[_Line], pairs: Mapping[int, int], spelt: _Spelling) -> set[int]:
        """Lines without a call that say what another line says: the same number, at the same time, for as long."""
        known: dict[str, list[_Line]] = defaultdict(list)
        for place in pairs:
            known[spelt.of(lines[place].call.number)].append(lines[place])
        return {
            place
            for place, line in enumerate(lines)
            if place not in pairs and any(self._same(line, one) for one in known[spelt.of(line.call.number)])
        }

    def _same(self, line: _Line, other: _Line) -> bool:
        apart = abs(line.moment - other.moment)
        as_long = abs(line.call.duration_s - other.call.duration_s) <= self.allowed.length_s
        return as_long and apart <= min(self.allowed.time_s, max(line.call.duration_s, 1))

    def _of_line(
        self, line: _Line, one: OurCall | None, parts: tuple[tuple[DifferenceCause, int], ...]
    ) -> BillDifference:
        told = BillDifference(
            parts, line.call.where, line.call.started_at, line.call.number,
            theirs_s=line.call.duration_s, their_micro=line.call.fee_micro,
        )  # fmt: skip
        if one is None:
            return told
        return replace(told, ours_s=one.billed_s, our_micro=one.fee_micro, call=one.id, extension=one.extension)

    def _of_call(self, one: OurCall) -> BillDifference:
        started = datetime.fromtimestamp(one.started, UTC).astimezone(self.zone).replace(tzinfo=None)
        return BillDifference(
            ((DifferenceCause.MISSING, -(one.fee_micro or 0)),), "", started, one.number,
            ours_s=one.billed_s, our_micro=one.fee_micro, call=one.id, extension=one.extension,
        )  # fmt: skip


def _is_unknown(one: BillDifference) -> bool:
    """Whether what we should have been asked for it is not known."""
    return one.cause in (DifferenceCause.UNRATED, DifferenceCause.MISSING)


def _weight(one: BillDifference) -> tuple[int, datetime, str]:
    return -abs(one.micro), one.started_at or datetime.min, one.where
