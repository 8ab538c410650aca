"""One record as a call or a call's state, by the rules of its dialect.

The one idea: `Fields` finds our fields in a record by the dialect's names; everything after that is the same for
every PBX. Problems and notes are sentences; nothing here raises for what a record holds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import chain, islice, product

from ippbx_billing.calls import Call, CallStatus, Direction, Disposition, Phase, Problem
from ippbx_billing.dialects import values
from ippbx_billing.dialects.definition import STATES, UNUSABLE, Dialect, Rule, Source, Vocabulary
from ippbx_billing.dialects.plan import ReadingPlan, ReadingStep, plan_for, said_by
from ippbx_billing.dialects.record import Record
from ippbx_billing.dialects.settling import TOLERANCE_S, Said, settle
from ippbx_billing.dialects.values import Unreadable, text

_PHASES = (None, Phase.RINGING, Phase.TALKING, Phase.ENDED)  # how far a call has come


Found = tuple[Source, str]  # a value that was found: by which source, and its text


@dataclass(slots=True)
class Site:
    """What reading needs to know of the place where the PBX stands; `remote` is the sender's address."""

    zone: tzinfo
    is_extension: Callable[[str], bool]
    remote: str = ""


@dataclass(slots=True)
class Fields:
    """Our fields in one record; remembers what was used, for the account of a reading, and collects doubts."""

    dialect: Dialect
    record: Record
    site: Site
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    used: dict[str, Found] = field(default_factory=dict)
    plan: ReadingPlan = field(init=False)
    preferred: dict[str, Found] = field(init=False)  # of each field the first value that says something

    def __post_init__(self) -> None:
        self.plan, self.preferred = plan_for(self.dialect, self.record), {}
        holders = [*self.record.scopes, self.record.around]  # the last is `AROUND`
        for name, steps in self.plan.steps.items():
            if not steps:
                continue
            source, scope, key = steps[0]
            said = None if key is None or source.unless_extension else text(holders[scope][key])
            found = next(self._every(steps), None) if said is None else (source, said)
            if found is not None:
                self.preferred[name] = found

    def _every(self, steps: tuple[ReadingStep, ...]) -> Iterator[Found]:
        for step in steps:
            for said in said_by(step, self.record):
                if not (step.source.unless_extension and self.site.is_extension(said)):
                    yield step.source, said

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
            self.faults.append(f"{source.name}: {error}")
            return None

    def instant(self, name: str, *, later: bool = False) -> datetime | None:
        """A field as a point in time: the first of its values that is one."""
        for source, said in self.every(name):
            try:
                moment = values.instant(said, self.site.zone, later=later)
            except Unreadable as error:
                self.notes.append(f"{source.name}: {error}")
                continue
            if moment is not None:
                self.used[name] = source, said
                return moment
        return None

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
            self.notes.append(f"{unknown[0].name}: the word {unknown[1][:60]!r} is not known")
        return None

    def follows(self, rules: tuple[Rule, ...]) -> Rule | None:
        """The first rule whose condition holds."""
        for rule in rules:
            if rule.when.holds(self.record):
                return rule
        return None


# -- calls


def call_of(fields: Fields) -> Call | Problem:
    """The call that a record describes, or what is missing for one."""
    dialect, notes = fields.dialect, fields.notes
    caller, callee = _parties(fields)
    settled = settle(_said(fields), notes)
    if fields.faults:
        return Problem("; ".join(fields.faults))
    if settled.started_at is None:
        return Problem(_missing(fields, "time of start, answer or end", ("started_at", "answered_at", "ended_at")))
    if caller is None and callee is None:
        return Problem(_missing(fields, "caller or callee", ("caller", "callee")))
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
        record_id=fields.text("record_id"),
        group_id=fields.text("group_id"),
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
        notes=tuple(dict.fromkeys(notes)) if notes else (),
    )


def _parties(fields: Fields) -> tuple[str | None, str | None]:
    """Caller and callee; a record that only tells our side and the other tells by its direction which is which."""
    caller, callee = fields.number("caller"), fields.number("callee")
    if caller is not None or callee is not None:
        return caller, callee
    extension, number = fields.number("extension"), fields.number("number")
    if extension is None or number is None:
        return None, None
    inward = fields.meaning("direction", fields.dialect.direction_words) == Direction.INBOUND
    return (number, extension) if inward else (extension, number)


def _missing(fields: Fields, what: str, names: tuple[str, ...]) -> str:
    """Which of the dialect's names for something were looked for in vain."""
    known = [source.name for name in names for source in fields.dialect.sources.get(name, ())]
    doubts = f" ({'; '.join(fields.notes)})" if fields.notes else ""
    shown = ", ".join(known[:6]) + (", …" if len(known) > 6 else "")
    return f"no {what}{doubts}: {fields.dialect.name} looks for {shown or 'none'}"


def _said(fields: Fields) -> Said:
    """What the record says of times, durations and outcome."""
    ruled = fields.follows(fields.plan.dispositions)
    word = ruled.then if ruled else fields.meaning("disposition", fields.dialect.disposition_words)
    started_at, ended_at = fields.instant("started_at"), fields.instant("ended_at")
    duration_s, billed_s = fields.seconds("duration_s"), fields.seconds("billed_s")
    if started_at and ended_at and _is_doubtful(started_at, ended_at, duration_s):
        started_at, ended_at = _across_clock_change(fields, started_at, ended_at, duration_s)
    return Said(
        started_at=started_at,
        answered_at=fields.instant("answered_at"),
        ended_at=ended_at,
        duration_s=duration_s,
        billed_s=billed_s,
        waiting_s=fields.seconds("waiting_s"),
        unclear_s=_unclear(fields),
        disposition=Disposition(word) if word else None,
        tells_answer="answered_at" in fields.plan.steps,
    )


def _unclear(fields: Fields) -> int | None:
    """A duration of unclear meaning, unless the same name has been read with a clear one."""
    found = fields.first("unclear_s")
    for name in ("billed_s", "duration_s"):
        clear = fields.used.get(name)
        if found is None or (clear is not None and clear[0].path == found[0].path):
            fields.used.pop("unclear_s", None)
            return None
    return fields.seconds("unclear_s")


def _is_doubtful(started_at: datetime, ended_at: datetime, duration_s: int | None) -> bool:
    span_s = (ended_at - started_at).total_seconds()
    return span_s < 0 or (duration_s is not None and abs(span_s - duration_s) > TOLERANCE_S)


def _across_clock_change(
    fields: Fields, started_at: datetime, ended_at: datetime, duration_s: int | None
) -> tuple[datetime, datetime]:
    """At the end of summer time one clock time means two instants: take the pair that fits the duration."""
    starts = (started_at, fields.instant("started_at", later=True) or started_at)
    ends = (ended_at, fields.instant("ended_at", later=True) or ended_at)

    def misfit(pair: tuple[datetime, datetime]) -> tuple[bool, float]:
        span_s = (pair[1] - pair[0]).total_seconds()
        return span_s < 0, abs(span_s - (duration_s or 0))

    return min(product(starts, ends), key=misfit)


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
    if own_caller and own_callee:
        return Direction.INTERNAL
    if own_caller:
        return Direction.OUTBOUND if callee else None
    return Direction.INBOUND if own_callee and caller else None


def _is_leg_of_ours(fields: Fields, caller: str | None, callee: str | None) -> bool:
    """Whether "inbound" is said of the leg from our extension into the switch, as FreeSWITCH does: the call goes out.

    Only where names are generic; a dialect that knows its PBX knows what its words mean.
    """
    dialled_out = callee is not None and _is_own(fields, caller) and not _is_own(fields, callee)
    if not (fields.dialect.generic and dialled_out) or fields.first("source_trunk"):
        return False
    fields.notes.append("called inbound by the PBX, but an extension of the site called a number outside")
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
    number = fields.number("number")
    if number is None:
        is_called_side = direction is Direction.INBOUND or (direction is Direction.INTERNAL and extension == callee)
        number = caller if is_called_side else callee
    return extension, number


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


def status_of(fields: Fields) -> CallStatus | str:
    """The state that a record reports, or a sentence why it is no step of a call."""
    state = _state(fields)
    if state is None:
        said = fields.text("state")
        return f"an event {said[:60]!r} that is no step of a call" if said else "an event without a state"
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
        at=fields.instant("at"),
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
