"""The calls of bodies of one shape whose words come to the same, read without looking for anything.

The one idea: which names are asked, which rules hold and which words decide was worked out when the shape was learned.
What is left is a number here and a time there, as long as they agree with each other. A record that gives the least
reason for doubt is not read here at all: None, and it is read with care.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from operator import itemgetter
from typing import NamedTuple

from ippbx_billing.calls import Call, Direction, Disposition, Reason
from ippbx_billing.dialects import values
from ippbx_billing.dialects.clocks import may_be_ambiguous
from ippbx_billing.dialects.definition import UNUSABLE, Dialect, Rule, Vocabulary
from ippbx_billing.dialects.habits.finding import Derive, IsExtension, NotHabitualError, Spots
from ippbx_billing.dialects.habits.templates import Said
from ippbx_billing.dialects.plan import ReadingPlan
from ippbx_billing.dialects.reading import LengthsTold, TimesTold, is_doubtful, part_of_second
from ippbx_billing.dialects.settling import TOLERANCE_S, settle
from ippbx_billing.dialects.settling import Said as Told
from ippbx_billing.dialects.values import Unreadable, identity, number, seconds

MOST_HOURS = 4_096
DAY_S = 86_400
# Start, answer, end, total and talk seconds, disposition, doubt, notes.
Outcome = tuple[
    datetime, datetime | None, datetime | None, int | None, int, Disposition, Reason | None, tuple[Reason, ...]
]


class Doubt(Exception):
    """The record has to be read with care."""


class ZoneClock:
    """TimesTold of the PBX's zone; the offset of an hour is worked out once, unless it changes within it."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._ahead: dict[str, timedelta] = {}

    def __call__(self, said: str) -> datetime | None:
        """The moment that a text tells; raises Doubt where that takes more than a look."""
        if len(said) != 19 or said[4] != "-":
            return self._otherwise(said)
        try:
            ahead = self._ahead.get(said[:13])
            return datetime.fromisoformat(said + "+00:00") - (self._learned(said) if ahead is None else ahead)
        except ValueError as error:
            raise Doubt from error

    def _otherwise(self, said: str) -> datetime | None:
        if not said.strip("0 :.-"):
            return None
        if may_be_ambiguous(said):
            raise Doubt
        try:
            return values.instant(said, self._zone)
        except Unreadable as error:
            raise Doubt from error

    def _learned(self, said: str) -> timedelta:
        first, last = (datetime.fromisoformat(f"{said[:13]}:{rest}") for rest in ("00:00", "59:59"))
        ahead = self._zone.utcoffset(first) or timedelta()
        is_odd = ahead != (self._zone.utcoffset(last) or timedelta())
        if is_odd or not values.EARLIEST_YEAR < first.year < values.LATEST_YEAR:
            raise Doubt
        if len(self._ahead) >= MOST_HOURS:
            self._ahead.clear()
        self._ahead[said[:13]] = ahead
        return ahead


_UTC_CLOCK = ZoneClock(UTC)


@dataclass(slots=True)
class Circumstances:
    """What a reader needs to know of the place where the PBX stands."""

    clock: ZoneClock
    is_extension: IsExtension
    remote: str


class _Time(NamedTuple):
    """Where a time stands, in which zone, and whether it is the only one."""

    place: int
    is_utc: bool = False
    alone: bool = True


class _Length(NamedTuple):
    """Where a duration stands, and in which unit."""

    place: int
    unit: str = "s"


class _Meaning(NamedTuple):
    """Our word for a field: of a rule, or of a text by a vocabulary."""

    place: int
    vocabulary: Vocabulary
    alone: bool = True
    ruled: str | None = None

    def of(self, said: Said) -> str | None:
        """The word; raises Doubt for one that nobody knows, or where another value may tell more."""
        if self.ruled is not None:
            return self.ruled
        word = said[self.place]
        if word is None:
            return None
        meaning = self.vocabulary.meaning(word)
        if meaning is None or (meaning == UNUSABLE and not self.alone):
            raise Doubt
        return None if meaning == UNUSABLE else meaning


_TEXTS = ("pbx", "call_id", "record_id", "group_id", "extension", "number", "did", "pin", "recording")
_TRUNKS = ("source_trunk", "trunk", "destination_trunk")
_DISPOSITIONS = {one.value: one for one in Disposition}
_DIRECTIONS = {one.value: one for one in Direction}


class Reader:
    """Reads the call of a body of one template and key; raises NotHabitualError where none can be read so."""

    def __init__(self, dialect: Dialect, plan: ReadingPlan, spots: Spots) -> None:
        found = {name: spots.of(name) for name in _ASKED}
        self._derived: tuple[Derive, ...] = tuple(spots.derived)
        self._found = {name: spot for name, spot in found.items() if spot is not None}
        self._nowhere = spots.slots + len(self._derived)
        self.dialect, self._is_generic = dialect.name, dialect.generic
        self._caller, self._callee = self._must("caller"), self._must("callee")
        self._start, self._answer, self._end = map(self._time, ("started_at", "answered_at", "ended_at"))
        self._call_s, self._talk_s, self._waiting_s = map(self._length, ("duration_s", "billed_s", "waiting_s"))
        self._either_s = self._unclear()
        self._disposition = self._meaning("disposition", dialect.disposition_words, plan.dispositions)
        self._direction = self._meaning("direction", dialect.direction_words, plan.directions)
        self._texts = itemgetter(*map(self._place, _TEXTS))
        self._trunks = itemgetter(*map(self._place, _TRUNKS))
        self._tells_answer = "answered_at" in plan.steps
        self._twin = plan.twins[0].because if plan.twins else None
        extension = self._found.get("extension")
        self._may_tell_side = extension is not None and not extension.alone

    # -- where things stand

    def _place(self, name: str) -> int:
        spot = self._found.get(name)
        return self._nowhere if spot is None else spot.place

    def _must(self, name: str) -> int:
        if name not in self._found:
            raise NotHabitualError
        return self._found[name].place

    def _time(self, name: str) -> _Time:
        spot = self._found.get(name)
        return _Time(self._nowhere) if spot is None else _Time(spot.place, spot.source.is_utc, spot.alone)

    def _length(self, name: str) -> _Length:
        spot = self._found.get(name)
        return _Length(self._nowhere) if spot is None else _Length(spot.place, spot.source.unit)

    def _unclear(self) -> _Length:
        """A duration of unclear meaning, unless the same name is read with a clear one."""
        spot = self._found.get("unclear_s")
        clear = [self._found[name].source.path for name in ("billed_s", "duration_s") if name in self._found]
        return _Length(self._nowhere) if spot is None or spot.source.path in clear else self._length("unclear_s")

    def _meaning(self, name: str, vocabulary: Vocabulary, rules: tuple[Rule, ...]) -> _Meaning:
        spot = self._found.get(name)
        ruled = str(rules[0].then) if rules else None
        alone = spot is None or spot.alone
        return _Meaning(self._place(name), vocabulary, alone, ruled)

    # -- what a body says

    def call(self, said: Said, site: Circumstances) -> Call:
        """The call; raises Doubt for a record that has to be read with care."""
        for derive in self._derived:
            said.append(derive(said, site.is_extension))
        said.append(None)
        caller, callee = number(said[self._caller]), number(said[self._callee])
        if caller is None or callee is None:
            raise Doubt
        settled = self._settled(said, site.clock)
        pbx, call_id, record_id, group_id, own, other, did, pin, recording = self._texts(said)
        came_by, by, left_by = self._trunks(said)
        direction = self._way(said, site.is_extension, caller, callee)
        inward = direction is Direction.INBOUND
        extension, talk = number(own), said[self._talk_s.place]
        if extension is None and direction is not None:
            extension = callee if inward else caller
            if came_by is not None and left_by is not None and not site.is_extension(extension):
                extension = None
        called = number(other)
        if called is None:
            called = caller if inward or (direction is Direction.INTERNAL and extension == callee) else callee
        return Call(
            pbx=pbx or site.remote,
            dialect=self.dialect,
            started_at=settled[0],
            answered_at=settled[1],
            ended_at=settled[2],
            duration_s=settled[3],
            billed_s=settled[4],
            disposition=settled[5],
            call_id=call_id,
            record_id=identity(record_id),
            group_id=identity(group_id),
            caller=caller,
            callee=callee,
            extension=extension,
            number=called,
            trunk=(came_by or by or left_by) if inward else (left_by or by or came_by),
            direction=direction,
            did=did,
            pin=pin,
            recording=recording,
            twin=self._twin,
            billed_ms=None if talk is None else part_of_second(talk, self._talk_s.unit, settled[4]),
            doubt=settled[6],
            notes=settled[7],
        )

    def _settled(self, said: Said, clock: ZoneClock) -> Outcome:
        """TimesTold, lengths and outcome that agree with each other."""
        start, answer = self._moment(self._start, said, clock), self._moment(self._answer, said, clock)
        end = self._moment(self._end, said, clock)
        call_s, talk_s = _seconds(self._call_s, said), _seconds(self._talk_s, said)
        waiting_s, either_s = _seconds(self._waiting_s, said), _seconds(self._either_s, said)
        word = self._disposition.of(said)
        disposition = None if word is None else _DISPOSITIONS[word]
        if start is not None and end is not None and talk_s is not None and waiting_s is None:
            found = _plain(start, answer, end, call_s, talk_s, either_s, disposition)
            if found is not None:
                return found
        if start is None and answer is None and end is None:
            raise Doubt
        if is_doubtful(TimesTold(start, answer, end), LengthsTold(call_s, talk_s, either_s)):
            raise Doubt
        notes: list[Reason] = []
        told = Told(start, answer, end, call_s, talk_s, waiting_s, either_s, disposition, self._tells_answer)
        settled = settle(told, notes)
        if settled.started_at is None:
            raise Doubt
        return (
            settled.started_at,
            settled.answered_at,
            settled.ended_at,
            settled.duration_s,
            settled.billed_s,
            settled.disposition,
            settled.doubt,
            tuple(dict.fromkeys(notes)),
        )

    def _moment(self, time: _Time, said: Said, clock: ZoneClock) -> datetime | None:
        text = said[time.place]
        if text is None:
            return None
        moment = (_UTC_CLOCK if time.is_utc else clock)(text)
        if moment is None and not time.alone:
            raise Doubt
        return moment

    def _way(self, said: Said, is_extension: IsExtension, caller: str, callee: str) -> Direction | None:
        """The PBX's word for the direction, else what trunks and numbers show."""
        word = self._direction.of(said)
        came_by, _, left_by = self._trunks(said)
        if word is not None:
            if word == Direction.INBOUND and self._is_generic and came_by is None and is_extension(caller):
                raise Doubt  # perhaps a leg of ours into the switch
            return _DIRECTIONS[word]
        own_caller, own_callee = is_extension(caller), is_extension(callee)
        if (left_by is None) != (came_by is None):
            return Direction.INBOUND if left_by is None else Direction.OUTBOUND
        if left_by is not None:
            return Direction.INBOUND if own_callee else Direction.OUTBOUND
        if own_caller:
            return Direction.INTERNAL if own_callee else Direction.OUTBOUND
        if not own_callee and self._may_tell_side:
            raise Doubt
        return Direction.INBOUND if own_callee else None


_ASKED = (
    *("caller", "callee", "started_at", "answered_at", "ended_at", "duration_s", "billed_s", "waiting_s", "unclear_s"),
    *("disposition", "direction", *_TEXTS, *_TRUNKS),
)


def _seconds(length: _Length, said: Said) -> int | None:
    text = said[length.place]
    if text is None:
        return None
    try:
        return seconds(text, length.unit)
    except Unreadable as error:
        raise Doubt from error


def _plain(
    start: datetime,
    answer: datetime | None,
    end: datetime,
    call_s: int | None,
    talk_s: int,
    either_s: int | None,
    word: Disposition | None,
) -> Outcome | None:
    """What `settle` makes of times and lengths that agree; None where they do not, or not quite."""
    span_s = _between(start, end)
    talked_s = span_s if answer is None else _between(answer, end)
    if span_s < 0 or talked_s < 0 or talked_s > span_s:
        return None
    missed_s = 0 if answer is None else abs(talked_s - talk_s)
    if call_s is not None:
        missed_s += abs(span_s - call_s)
    if either_s is not None:
        missed_s += abs(span_s - either_s)
        if call_s is None:
            call_s = either_s
    if call_s is None:
        call_s = span_s
    if missed_s > TOLERANCE_S or talk_s > min(call_s, span_s) + TOLERANCE_S:
        return None
    if talk_s > 0:
        if word is not None and word is not Disposition.ANSWERED:
            return None
        word = Disposition.ANSWERED
    elif word is None:
        word = Disposition.NO_ANSWER if answer is None else Disposition.ANSWERED
    if word is not Disposition.ANSWERED:
        answer = None
    elif answer is None:
        answer = max(end - timedelta(seconds=talk_s), start)
    return start, answer, end, call_s, talk_s, word, None, ()


def _between(first: datetime, second: datetime) -> int:
    apart = second - first
    return apart.days * DAY_S + apart.seconds
