"""One record as a call or a call's state, by the rules of its dialect.

The one idea: `Fields` finds our fields in a record by the dialect's names; everything after that is the same for
every PBX. Problems and notes are reasons; nothing here raises for what a record holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import chain, islice, product
from typing import NamedTuple

from ippbx_billing.calls import Call, CallStatus, Direction, Disposition, Phase, Problem, Reason, together
from ippbx_billing.dialects import values
from ippbx_billing.dialects.clocks import NO_HINTS, Hints, may_be_ambiguous
from ippbx_billing.dialects.definition import STATES, UNUSABLE, Dialect, Rule, Source, Vocabulary
from ippbx_billing.dialects.plan import ReadingPlan, ReadingStep, plan_for, said_by
from ippbx_billing.dialects.record import Record
from ippbx_billing.dialects.settling import TOLERANCE_S, Said, settle
from ippbx_billing.dialects.values import Unreadable, text

_PHASES = (None, Phase.RINGING, Phase.TALKING, Phase.ENDED)  # how far a call has come


DATE_ORDER_OPEN = "date-order-open"  # the note of a call whose date may be another one; `doctor` counts them

Found = tuple[Source, str]  # a value that was found: by which source, and its text


@dataclass(slots=True)
class Site:
    """What reading needs to know of the place where the PBX stands; `remote` is the sender's address."""

    zone: tzinfo
    is_extension: Callable[[str], bool]
    remote: str = ""
    hints: Callable[[], Hints] = field(default=lambda: NO_HINTS)  # for dates whose order is not plain


@dataclass(slots=True)
class Fields:
    """Our fields in one record; remembers what was used, for the account of a reading, and collects doubts."""

    dialect: Dialect
    record: Record
    site: Site
    notes: list[Reason] = field(default_factory=list)
    faults: list[Reason] = field(default_factory=list)
    used: dict[str, Found] = field(default_factory=dict)
    unknown_words: dict[str, str] = field(default_factory=dict)  # of each field the word that nobody knows
    plan: ReadingPlan = field(init=False)
    preferred: dict[str, Found] = field(init=False)  # of each field the first value that says something

    def __post_init__(self) -> None:
        self.plan, self.preferred = plan_for(self.dialect, self.record), {}
        holders = [*self.record.scopes, self.record.around]  # the last is `AROUND`
        for name, steps in self.plan.steps.items():
            if not steps:
                continue
            source, scope, key = steps[0]
            said = (
                None if key is None or source.unless_extension or source.only_extension else text(holders[scope][key])
            )
            found = next(self._every(steps), None) if said is None else (source, said)
            if found is not None:
                self.preferred[name] = found

    def _every(self, steps: tuple[ReadingStep, ...]) -> Iterator[Found]:
        for step in steps:
            for said in said_by(step, self.record):
                source = step.source
                if source.unless_extension and self.site.is_extension(said):
                    continue
                if source.only_extension and not self.site.is_extension(values.number(said) or ""):
                    continue
                yield source, said

    def every(self, name: str) -> Iterable[Found]:
        """Every value of a field, the preferred first; the others are looked for when it does not serve."""
        preferred = self.preferred.get(name)
        if preferred is None:
            return ()
        return chain((preferred,), islice(self._every(self.plan.steps[name]), 1, None))

    def first(self, name: str) -> Found | None:
        """The preferred value of a field."""
        found = self.preferred.get(name)
        if found is not None:
            self.used[name] = found
        return found

    def text(self, name: str) -> str | None:
        """A field as text."""
        found = self.preferred.get(name)
        if found is None:
            return None
        self.used[name] = found
        return found[1]

    def number(self, name: str) -> str | None:
        """A field as a phone number."""
        return values.number(self.text(name))

    def seconds(self, name: str) -> int | None:
        """A field as whole seconds; one that cannot be read is a fault of the record, for it decides the fee."""
        found = self.first(name)
        if found is None:
            return None
        source, said = found
        try:
            return values.seconds(said, source.unit)
        except Unreadable as error:
            self.faults.append(error.of(source.name))
            return None

    def instant(self, name: str, *, later: bool = False) -> datetime | None:
        """A field as a point in time: the first of its values that is one."""
        for source, said in self.every(name):
            try:
                moment = self._instant(said, UTC if source.is_utc else self.site.zone, later=later)
            except Unreadable as error:
                self.notes.append(error.of(source.name))
                continue
            if moment is not None:
                self.used[name] = source, said
                return moment
        return None

    def _instant(self, said: str, zone: tzinfo, *, later: bool) -> datetime | None:
        if not may_be_ambiguous(said):
            return values.instant(said, zone, later=later)
        moment, is_open = values.dated(said, zone, self.site.hints(), later=later)
        if is_open and not later:
            self.notes.append(Reason(DATE_ORDER_OPEN, {"said": said[:60]}))
        return moment

    def meaning(self, name: str, vocabulary: Vocabulary) -> str | None:
        """Our word for a field: the first of its values that is understood and says something."""
        unknown: Found | None = None
        for source, said in self.every(name):
            meaning = vocabulary.meaning(said)
            if meaning is not None and meaning != UNUSABLE:
                self.used[name] = source, said
                return meaning
            unknown = unknown or ((source, said) if meaning is None else None)
        if unknown is not None:
            self.unknown_words[name] = unknown[1]
            self.notes.append(Reason("unknown-word", {"field": unknown[0].name, "said": unknown[1][:60]}))
        return None

    def follows(self, rules: tuple[Rule, ...]) -> Rule | None:
        """The first rule whose condition holds."""
        for rule in rules:
            if rule.when.holds(self.record):
                return rule
        return None


# -- calls


def _billed_ms(fields: Fields, billed_s: int) -> int | None:
    found = fields.preferred.get("billed_s")
    return None if found is None else part_of_second(found[1], found[0].unit, billed_s)


def part_of_second(said: str, unit: str, billed_s: int) -> int | None:
    """The talk time in milliseconds where the record tells a part of a second, and it is the one that is billed."""
    if said.isdigit() and unit == "s":
        return None
    told_ms = values.milliseconds(said, unit)
    return told_ms if told_ms is not None and told_ms % 1000 and -(-told_ms // 1000) == billed_s else None


def call_of(fields: Fields) -> Call | Problem:
    """The call that a record describes, or what is missing for one."""
    dialect, notes = fields.dialect, fields.notes
    caller, callee = _parties(fields)
    settled = settle(_said(fields), notes)
    if fields.faults:
        return Problem(together(fields.faults))
    if settled.started_at is None:
        return Problem(_missing(fields, "no-time", ("started_at", "answered_at", "ended_at")))
    if caller is None and callee is None:
        return Problem(_missing(fields, "no-party", ("caller", "callee")))
    direction = _direction(fields, caller, callee)
    extension, number = _sides(fields, direction, caller, callee)
    twin = fields.follows(fields.plan.twins)
    return Call(
        pbx=_pbx(fields),
        dialect=dialect.name,
        started_at=settled.started_at,
        answered_at=settled.answered_at,
        ended_at=settled.ended_at,
        duration_s=settled.duration_s,
        billed_s=settled.billed_s,
        disposition=settled.disposition,
        call_id=fields.text("call_id"),
        record_id=values.identity(fields.text("record_id")),
        group_id=values.identity(fields.text("group_id")),
        caller=caller,
        callee=callee,
        extension=extension,
        number=number,
        trunk=_trunk(fields, direction),
        direction=direction,
        did=fields.text("did"),
        pin=fields.text("pin"),
        recording=fields.text("recording"),
        twin=twin.because if twin else None,
        doubt=settled.doubt,
        billed_ms=_billed_ms(fields, settled.billed_s),
        notes=tuple(dict.fromkeys(notes)) if notes else (),
    )


def _parties(fields: Fields) -> tuple[str | None, str | None]:
    """Caller and callee; a record that tells our side and the other tells by its direction which is which."""
    caller, callee = fields.number("caller"), fields.number("callee")
    if caller is not None and callee is not None:
        return caller, callee
    extension, number = fields.number("extension"), fields.number("number")
    if extension is None:
        return caller, callee
    word = fields.meaning("direction", fields.dialect.direction_words)
    called_us = word is None and caller is not None and not _is_own(fields, caller) and _is_own(fields, extension)
    inward = word == Direction.INBOUND or called_us
    if caller is None and callee is None:
        return (None, None) if number is None else (number, extension) if inward else (extension, number)
    if caller is None:
        other = number if inward else extension
        return (None if other == callee else other), callee
    other = extension if inward else number
    return caller, None if other == caller else other


def _missing(fields: Fields, code: str, names: tuple[str, ...]) -> Reason:
    """Which of the dialect's names for something were looked for in vain."""
    known = [source.name for name in names for source in fields.dialect.sources.get(name, ())]
    shown = ", ".join(known[:6]) + (", …" if len(known) > 6 else "")
    return Reason(code, {"dialect": fields.dialect.name, "names": shown, "reasons": tuple(fields.notes)})


def _said(fields: Fields) -> Said:
    """What the record says of times, durations and outcome."""
    ruled = fields.follows(fields.plan.dispositions)
    word = ruled.then if ruled else fields.meaning("disposition", fields.dialect.disposition_words)
    times = TimesTold(fields.instant("started_at"), fields.instant("answered_at"), fields.instant("ended_at"))
    duration_s, billed_s = fields.seconds("duration_s"), fields.seconds("billed_s")
    unclear_s = _unclear(fields)
    lengths = LengthsTold(duration_s, billed_s, unclear_s)
    if is_doubtful(times, lengths):
        times = _across_clock_change(fields, times, lengths)
    return Said(
        started_at=times.start,
        answered_at=times.answer,
        ended_at=times.end,
        duration_s=duration_s,
        billed_s=billed_s,
        waiting_s=fields.seconds("waiting_s"),
        unclear_s=unclear_s,
        disposition=Disposition(word) if word else None,
        tells_answer="answered_at" in fields.plan.steps,
        unknown_word=None if word else fields.unknown_words.get("disposition"),
    )


class TimesTold(NamedTuple):
    """When a record says that the call began, was answered, and ended."""

    start: datetime | None
    answer: datetime | None
    end: datetime | None


class LengthsTold(NamedTuple):
    """How long a record says that the call, the talk, and either of the two lasted."""

    call_s: int | None
    talk_s: int | None
    either_s: int | None


def _unclear(fields: Fields) -> int | None:
    """A duration of unclear meaning, unless the same name has been read with a clear one."""
    found = fields.first("unclear_s")
    for name in ("billed_s", "duration_s"):
        clear = fields.used.get(name)
        if found is None or (clear is not None and clear[0].path == found[0].path):
            fields.used.pop("unclear_s", None)
            return None
    return fields.seconds("unclear_s")


def is_doubtful(times: TimesTold, lengths: LengthsTold) -> bool:
    """Whether times run backwards, or contradict what the record says of their lengths."""
    return _misfit(times, lengths) > (False, TOLERANCE_S)


def _misfit(times: TimesTold, lengths: LengthsTold) -> tuple[bool, float]:
    """Whether times run backwards, and by how many seconds they miss the lengths."""
    call_s, talk_s = _seconds_between(times.start, times.end), _seconds_between(times.answer, times.end)
    waited_s = _seconds_between(times.start, times.answer)
    missed = 0.0
    if call_s is not None and (length := lengths.call_s) is not None:
        missed += abs(call_s - length)
    if talk_s is not None and (length := lengths.talk_s) is not None:
        missed += abs(talk_s - length)
    if (length := lengths.either_s) is not None:
        missed += min((abs(one - length) for one in (call_s, talk_s) if one is not None), default=0)
    return any(one is not None and one < 0 for one in (call_s, talk_s, waited_s)), missed


def _seconds_between(first: datetime | None, second: datetime | None) -> float | None:
    return None if first is None or second is None else (second - first).total_seconds()


def _across_clock_change(fields: Fields, times: TimesTold, lengths: LengthsTold) -> TimesTold:
    """At the end of summer time one clock time means two instants: those that fit the lengths, the first of equals."""
    choices = [
        (moment, fields.instant(name, later=True) or moment) if moment is not None else (None,)
        for name, moment in zip(("started_at", "answered_at", "ended_at"), times, strict=True)
    ]
    if all(len(set(one)) == 1 for one in choices):
        return times
    return min((TimesTold(*one) for one in product(*choices)), key=lambda one: _misfit(one, lengths))


# -- sides


def _direction(fields: Fields, caller: str | None, callee: str | None) -> Direction | None:
    """The PBX's word, else what trunks and numbers show."""
    dialect = fields.dialect
    ruled = fields.follows(fields.plan.directions)
    word = ruled.then if ruled else fields.meaning("direction", dialect.direction_words)
    if word and not (word == Direction.INBOUND and _is_leg_of_ours(fields, caller, callee)):
        return Direction(word)
    own_caller, own_callee = _is_own(fields, caller), _is_own(fields, callee)
    outward = fields.first("destination_trunk") is not None
    inward = fields.first("source_trunk") is not None
    if outward != inward:
        return Direction.OUTBOUND if outward else Direction.INBOUND
    if outward:  # trunk to trunk: forwarded, and the second half is what costs money
        return Direction.INBOUND if own_callee else Direction.OUTBOUND
    if not own_caller and not own_callee and (side := _side_of_extension(fields)):
        return side
    if own_caller and own_callee:
        return Direction.INTERNAL
    if own_caller:
        return Direction.OUTBOUND if callee else None
    if callee is None and caller:  # only who answered is told
        return Direction.INBOUND if _is_own(fields, fields.number("extension")) else None
    return Direction.INBOUND if own_callee and caller else None


_CALLERS = ("channel", "src", "source", "cnum", "account", "from")  # names of what belongs to whoever calls


def _side_of_extension(fields: Fields) -> Direction | None:
    """Where both numbers are outside ones, the channel or the account of an extension tells who called whom."""
    found = fields.first("extension")
    if found is None or not found[0].only_extension:
        return None
    name = found[0].path.names[-1]
    return Direction.OUTBOUND if name.startswith(_CALLERS) else Direction.INBOUND


def _is_leg_of_ours(fields: Fields, caller: str | None, callee: str | None) -> bool:
    """Whether "inbound" is said of the leg from our extension into the switch, as FreeSWITCH does: the call goes out.

    Only where names are generic; a dialect that knows its PBX knows what its words mean.
    """
    dialled_out = callee is not None and _is_own(fields, caller) and not _is_own(fields, callee)
    if not (fields.dialect.generic and dialled_out) or fields.first("source_trunk"):
        return False
    fields.notes.append(Reason("called-inbound"))
    return True


def _is_own(fields: Fields, number: str | None) -> bool:
    return number is not None and fields.site.is_extension(number)


def _sides(
    fields: Fields, direction: Direction | None, caller: str | None, callee: str | None
) -> tuple[str | None, str | None]:
    """Our side and the other side of a call."""
    extension = fields.number("extension")
    if extension is None:
        extension = callee if direction is Direction.INBOUND else caller if direction else None
        if _is_forwarded(fields, extension):
            extension = None
    number = fields.number("number")
    if number is None:
        is_called_side = direction is Direction.INBOUND or (direction is Direction.INTERNAL and extension == callee)
        number = caller if is_called_side else callee
    return extension, number


def _is_forwarded(fields: Fields, extension: str | None) -> bool:
    """Whether a call came by one trunk and left by another: whoever called from outside is not an extension of ours."""
    came, left = fields.first("source_trunk"), fields.first("destination_trunk")
    return came is not None and left is not None and not _is_own(fields, extension)


def _trunk(fields: Fields, direction: Direction | None) -> str | None:
    inward = direction is Direction.INBOUND
    order = ("source_trunk", "trunk", "destination_trunk") if inward else ("destination_trunk", "trunk", "source_trunk")
    for name in order:
        found = fields.text(name)
        if found is not None:
            return found
    return None


def _pbx(fields: Fields) -> str:
    return fields.text("pbx") or fields.site.remote


# -- states


def status_of(fields: Fields) -> CallStatus | Reason:
    """The state that a record reports, or why it is not a step of a call."""
    state = _state(fields)
    if state is None:
        said = fields.text("state")
        return Reason("no-step", {"said": said[:60]}) if said else Reason("no-state")
    caller, callee = fields.number("caller"), fields.number("callee")
    direction = _direction(fields, caller, callee)
    extension, number = _sides(fields, direction, caller, callee)
    return CallStatus(
        pbx=_pbx(fields),
        dialect=fields.dialect.name,
        state=state,
        phase=STATES[state],
        call_id=fields.text("call_id"),
        caller=caller,
        callee=callee,
        extension=extension,
        number=number,
        trunk=_trunk(fields, direction),
        direction=direction,
        at=(fields.instant("answered_at") if STATES[state] is Phase.TALKING else None) or fields.instant("at"),
        duration_s=fields.seconds("duration_s"),
        billed_s=fields.seconds("billed_s"),
    )


def _state(fields: Fields) -> str | None:
    """The state of the call: of several members' states the one that has come furthest, the last of equals."""
    furthest: tuple[int, str] | None = None
    for found in fields.every("state"):
        state = fields.dialect.state_words.meaning(found[1])
        if state is None or state == UNUSABLE:
            continue
        rank = _PHASES.index(STATES[state])
        if furthest is None or rank >= furthest[0]:
            furthest = (rank, state)
            fields.used["state"] = found
    return furthest[1] if furthest else None
