"""Times and durations of a call, told apart by arithmetic: which time is the answer, which number is the talk.

    start 10:00:00, answer 10:00:11, end 10:00:14  and  14, 3
    14 equals end - start, so it is the total; 3 equals end - answer, so it is talk

The one idea: try every arrangement of the times and numbers that a record holds, strike out those that any
record contradicts, and keep the one that explains most. A name adds to an arrangement's score but never saves
one that its own times contradict.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

from ippbx_billing.dialects.suggest.columns import LONGEST_CALL_S, SampleColumn
from ippbx_billing.dialects.suggest.evidence import EvidenceSentence, said
from ippbx_billing.dialects.values import UNITS

TOLERANCE_S = 1  # switches round each figure for itself
LEAST_COUNTED_S = 4
MOST_TIMES = 9  # of one hand; more would make the search slow and the answer no better
MOST_UNPROVEN = 12  # numbers that are tried as durations though no times prove them

NameScore = Callable[[str, SampleColumn], float]
Lengths = tuple[float | None, ...]  # seconds in each record


@dataclass(frozen=True, slots=True)
class ClockRole:
    """One column in a role (`start`, `answer`, `end`, `total`, `talk`): what speaks for it and how much."""

    role: str
    column: SampleColumn
    score: float
    evidence: tuple[EvidenceSentence, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A reading of a record's clock that no record contradicts."""

    parts: tuple[ClockRole, ...] = ()

    @property
    def score(self) -> float:
        """How much it explains."""
        return sum(part.score for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Times:
    """The three times of an arrangement, and what they measure."""

    start: SampleColumn
    answer: SampleColumn | None
    end: SampleColumn | None

    @property
    def total_s(self) -> Lengths | None:
        return _between(self.start, self.end) if self.end else None


@dataclass(frozen=True, slots=True)
class _Length:
    """A column of numbers read in one unit."""

    column: SampleColumn
    unit: str

    @property
    def least_s(self) -> int:
        """What a length must exceed to prove anything: any small number of milliseconds is about a second."""
        return TOLERANCE_S if self.unit == "s" else LEAST_COUNTED_S

    @property
    def seconds(self) -> Lengths:
        return self.column.lengths(self.unit)


def arrangements(
    columns: Sequence[SampleColumn], weigh_name: NameScore, may_be_length: Callable[[SampleColumn, str], bool]
) -> list[Arrangement]:
    """All readings of the clock, the best first; empty where no column is a time.

    `may_be_length` says of a column and a unit whether its numbers may be lengths, for all that no times say; numbers
    in seconds that the times prove need no such leave.
    """
    lengths = [column for column in columns if column.is_length]
    lengths.sort(key=lambda one: -max(weigh_name("total", one), weigh_name("talk", one)))
    readings = {unit: _readings(lengths, unit) for unit in UNITS}
    allowed = {unit: [one for one in listed if may_be_length(one.column, unit)] for unit, listed in readings.items()}
    proven = [*readings["s"], *allowed["ms"], *allowed["us"]]
    found: list[Arrangement] = []
    for family in _families(columns, weigh_name):
        search = _Search(family, proven, allowed["s"][:MOST_UNPROVEN], weigh_name)
        found += [one for times in _orders(family) for one in search.with_times(times)]
    return sorted(found, key=lambda one: -one.score)


def _families(columns: Sequence[SampleColumn], weigh_name: NameScore) -> Iterator[list[SampleColumn]]:
    """Times that were written by one hand, in one place and one form; all together where each tells only one."""
    families: dict[tuple[str, str], list[SampleColumn]] = {}
    for column in columns:
        if column.is_time:
            families.setdefault((column.parent, column.form), []).append(column)
    told = [_without_echoes(family, weigh_name) for family in families.values()]
    if len(told) > 1 and max(map(len, told)) == 1:
        told.append(_without_echoes([one for family in families.values() for one in family], weigh_name))
    yield from (family[:MOST_TIMES] for family in told)


def _without_echoes(times: Sequence[SampleColumn], weigh_name: NameScore) -> list[SampleColumn]:
    """Of columns that tell the same times: the first, and those whose name fits a role better."""
    courses: dict[tuple[datetime | None, ...], list[SampleColumn]] = {}
    for column in times:
        courses.setdefault(column.times, []).append(column)
    kept = {
        max(echoes, key=lambda one: (weigh_name(role, one), -one.place))
        for echoes in courses.values()
        for role in ("start", "answer", "end")
    }
    return sorted(kept, key=lambda one: one.place)


def _orders(times: Sequence[SampleColumn]) -> Iterator[_Times]:
    """Each choice of start, answer and end that is in order in every record."""
    for start, answer, end in product(times, [None, *times], [None, *times]):
        roles = [one for one in (start, answer, end) if one is not None]
        different = len({one.place for one in roles}) == len(roles)
        if different and start.filled == len(start.texts) and _in_order(roles):
            yield _Times(start, answer, end)


def _in_order(roles: Sequence[SampleColumn]) -> bool:
    for times in zip(*(role.times for role in roles), strict=True):
        present = [time for time in times if time is not None]
        if present != sorted(present):
            return False
    return True


class _Search:
    """Fits durations to the times of one family; remembers what a pair of times proves, for it is asked often."""

    def __init__(
        self,
        family: Sequence[SampleColumn],
        lengths: Sequence[_Length],
        unproven: Sequence[_Length],
        weigh_name: NameScore,
    ) -> None:
        self._family = family
        self._lengths = lengths
        self._unproven = unproven
        self._weigh_name = weigh_name
        self._totals: dict[tuple[int, int], list[ClockRole]] = {}
        self._talks: dict[tuple[int, int], list[ClockRole]] = {}

    def with_times(self, times: _Times) -> Iterator[Arrangement]:
        """The arrangements of these times with each pair of total and talk that they allow, and with none."""
        for total in [*self._totals_of(times), None]:
            for talk in [*self._talks_of(times, total), None]:
                yield _weighed(times, self._family, total, talk, self._weigh_name)

    def _totals_of(self, times: _Times) -> list[ClockRole]:
        key = times.start.place, times.end.place if times.end else -1
        if key not in self._totals:
            readings = self._lengths if times.end else self._unproven
            self._totals[key] = self._best("total", (_as_total(one, times, self._family) for one in readings))
        return self._totals[key]

    def _talks_of(self, times: _Times, total: ClockRole | None) -> list[ClockRole]:
        if times.answer is None or times.end is None:
            talks = self._best("talk", (_shorter(one, times, total) for one in self._unproven))
        else:
            key = times.answer.place, times.end.place
            if key not in self._talks:
                self._talks[key] = self._best("talk", (_as_talk(one, times) for one in self._lengths))
            talks = self._talks[key]
        return [one for one in talks if total is None or one.column is not total.column]

    def _best(self, role: str, parts: Iterable[ClockRole | None]) -> list[ClockRole]:
        found = [part for part in parts if part]
        return sorted(found, key=lambda one: (-one.score - self._weigh_name(role, one.column), one.column.place))[:3]


def _readings(columns: Iterable[SampleColumn], unit: str) -> list[_Length]:
    readings = [_Length(column, unit) for column in columns]
    return [one for one in readings if any(one.seconds) or (unit == "s" and 0 in one.seconds)]


def _as_total(length: _Length, times: _Times, family: Sequence[SampleColumn]) -> ClockRole | None:
    """A number as the total: it must be end - start where both are told, and reach to every other time."""
    if times.end is not None and times.total_s is not None:
        proven = _equal(length.seconds, times.total_s, length.least_s)
        if proven is None or (not proven and length.unit != "s"):
            return None
        why = said(
            "equals {later} − {earlier} in {count} of {total} records, so it is the total",
            **_names(times.start, times.end),
        )
        return _proven("total", length, proven, why)
    if length.unit != "s" or not _within(length.seconds, _endless(length)):
        return None
    if not all(_within(_between(times.start, other), length.seconds) for other in family):
        return None
    return ClockRole("total", length.column, 0.3, (said("a number of seconds that no time contradicts"),), length.unit)


def _as_talk(length: _Length, times: _Times) -> ClockRole | None:
    """A number as the talk, where answer and end are told: it must be their difference."""
    if times.answer is None or times.end is None:
        return None
    proven = _equal(length.seconds, _between(times.answer, times.end), length.least_s)
    if proven is None or (not proven and length.unit != "s"):
        return None
    why = said(
        "equals {later} − {earlier} in {count} of {total} records, so it is talk time",
        **_names(times.answer, times.end),
    )
    return _proven("talk", length, proven, why)


def _names(earlier: SampleColumn, later: SampleColumn) -> dict[str, str]:
    return {"earlier": f"`{earlier.name}`", "later": f"`{later.name}`"}


def _proven(role: str, length: _Length, proven: int, why: EvidenceSentence) -> ClockRole:
    if not proven:
        none = said("contradicted by no time, but no record has a length that proves it")
        return ClockRole(role, length.column, 0.2, (none,), length.unit)
    counted = said(why.text, **why.facts, count=proven, total=len(length.column.texts))
    score = 1.0 + 0.5 * proven / len(length.column.texts) + 0.5 * (length.unit == "s")
    return ClockRole(role, length.column, score, (counted,), length.unit)


def _shorter(length: _Length, times: _Times, total: ClockRole | None) -> ClockRole | None:
    """Talk that no difference of times proves: it never exceeds the whole call, and sometimes falls short of it."""
    whole: Lengths | None = None
    if length.unit != "s":
        return None
    if times.end is not None:
        whole, name = times.total_s, f"`{times.end.name}` − `{times.start.name}`"
    elif total is not None:
        whole, name = total.column.lengths(total.unit), f"`{total.column.name}`"
    if whole is None:
        return _beside_answer(length, times)
    if not _within(length.seconds, whole):
        return None
    shorter = sum(own < all_ for own, all_ in _both(length.seconds, whole))
    if not shorter:  # only a name can tell
        return ClockRole("talk", length.column, -0.1, (said("never longer than {whole}", whole=name),), "s")
    score = 0.8 if times.end is not None else 0.5
    why = said(
        "never longer than {whole} and shorter in {count} of {total} records, so it is talk and not the total",
        whole=name,
        count=shorter,
        total=len(whole),
    )
    return ClockRole("talk", length.column, score, (why,), "s")


def _beside_answer(length: _Length, times: _Times) -> ClockRole | None:
    """The only duration beside an answer time without an end: 0 exactly where nobody answered."""
    if times.answer is None or not _within(length.seconds, _endless(length)):
        return None
    if any((time is None) != (not own) for time, own in zip(times.answer.times, length.seconds, strict=True)):
        return None
    if times.answer.filled == len(times.answer.times):
        return ClockRole(
            "talk", length.column, 0.2, (said("the record tells no end that it could be measured against"),), "s"
        )
    why = said("0 exactly where {answer} is missing, so it is talk", answer=f"`{times.answer.name}`")
    return ClockRole("talk", length.column, 1.0, (why,), "s")


def _weighed(
    times: _Times,
    family: Sequence[SampleColumn],
    total: ClockRole | None,
    talk: ClockRole | None,
    weigh_name: NameScore,
) -> Arrangement:
    parts = [_start_part(times, family), *_answer_part(times, talk), *_end_part(times, family)]
    parts += [part for part in (total, talk) if part]
    return Arrangement(tuple(replace(one, score=one.score + weigh_name(one.role, one.column)) for one in parts))


def _start_part(times: _Times, family: Sequence[SampleColumn]) -> ClockRole:
    if len(family) == 1:
        return ClockRole("start", times.start, 0.5, (said("always a time, and the only one in the record"),))
    if all(_in_order([times.start, other]) for other in family):
        why = said("always a time, and never later than {others}", others=_listed(times.start, family))
        return ClockRole("start", times.start, 0.8, (why,))
    return ClockRole("start", times.start, 0.3, (said("always a time"),))


def _answer_part(times: _Times, talk: ClockRole | None) -> list[ClockRole]:
    if times.answer is None:
        return []
    if talk and times.answer.filled < len(times.answer.times):
        lengths = talk.column.lengths(talk.unit)
        if all(not own for time, own in zip(times.answer.times, lengths, strict=True) if time is None):
            why = said("a time that is missing exactly where {talk} is 0", talk=f"`{talk.column.name}`")
            return [ClockRole("answer", times.answer, 0.8, (why,))]
    if talk and talk.score > 1 and times.end:
        why = said("{talk} counts from it to {end}", talk=f"`{talk.column.name}`", end=f"`{times.end.name}`")
        return [ClockRole("answer", times.answer, 0.6, (why,))]
    if times.end is None:
        why = said("a time, and never before {start}", start=f"`{times.start.name}`")
    else:
        why = said("always between {start} and {end}", start=f"`{times.start.name}`", end=f"`{times.end.name}`")
    return [ClockRole("answer", times.answer, 0.1, (why,))]


def _end_part(times: _Times, family: Sequence[SampleColumn]) -> list[ClockRole]:
    if times.end is None:
        return []
    if times.end.filled < len(times.end.times):
        return [ClockRole("end", times.end, -0.5, (said("a time after the start, though missing in some records"),))]
    if all(_in_order([other, times.end]) for other in family):
        why = said("always a time, and never earlier than {others}", others=_listed(times.end, family))
        return [ClockRole("end", times.end, 0.6, (why,))]
    return [ClockRole("end", times.end, 0.2, (said("always a time after the start"),))]


def _listed(one: SampleColumn, family: Sequence[SampleColumn]) -> str:
    others = [f"`{other.name}`" for other in family if other is not one]
    return ", ".join(others[:3]) + (", …" if len(others) > 3 else "")


def _endless(length: _Length) -> Lengths:
    return (float(LONGEST_CALL_S),) * len(length.column.texts)


def _between(earlier: SampleColumn, later: SampleColumn) -> Lengths:
    """Seconds from one time to the other in each record; `None` where either is missing."""
    return tuple(
        None if first is None or last is None else (last - first).total_seconds()
        for first, last in zip(earlier.times, later.times, strict=True)
    )


def _both(one: Lengths, other: Lengths) -> list[tuple[float, float]]:
    return [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]


def _equal(one: Lengths, other: Lengths, least_s: int) -> int | None:
    """In how many records the two are the same and more than nothing; `None` where they differ or seldom meet."""
    pairs = _both(one, other)
    if (
        not pairs
        or 2 * len(pairs) < sum(length is not None for length in other)
        or any(abs(a - b) > TOLERANCE_S for a, b in pairs)
    ):
        return None
    return sum(b > least_s for _, b in pairs)


def _within(one: Lengths, whole: Lengths | None) -> bool:
    """Whether it never exceeds the whole; what is missing contradicts nothing, but somewhere they must meet."""
    return whole is None or (bool(_both(one, whole)) and all(a <= b + TOLERANCE_S for a, b in _both(one, whole)))
