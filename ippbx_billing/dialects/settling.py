"""Times and durations that fit together: what the PBX said of a call, completed and checked.

The one idea: a record says some of start, answer, end, total and talk, often in disagreement; `settle` gives all
of them by fixed rules and a note for each doubt. Nothing is rejected for a contradiction; where one decides the fee,
the call has a `doubt` and stays unrated.

    answered = talk > 0, or the PBX says so and no talk time speaks against it
    end      = start + total, else answer + talk          answer = end - talk
    total    = end - start                                talk   = end - answer, when answered
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ippbx_billing.calls import Disposition, Reason

DAY = timedelta(days=1)
TOLERANCE_S = 2  # clocks are read one after the other, and seconds are rounded


class Said(NamedTuple):
    """What a record says, each part only where it says it.

    `unclear_s` is a duration of which nobody documented whether it is total or talk; `tells_answer` says that
    the record has a place for the time of the answer, so that an empty one means something.
    """

    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: int | None = None
    billed_s: int | None = None
    waiting_s: int | None = None
    unclear_s: int | None = None
    disposition: Disposition | None = None
    tells_answer: bool = False
    unknown_word: str | None = None  # for the outcome, in a language nobody has taught us


class Settled(NamedTuple):
    """The same, complete; `started_at` is None where no time at all was said."""

    started_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_s: int | None
    billed_s: int
    disposition: Disposition
    doubt: Reason | None = None


def settle(said: Said, notes: list[Reason]) -> Settled:
    """Complete and check what was said; doubts are added to `notes`."""
    said = _in_seconds(_past_midnight(said, notes), notes)
    duration_s, talk_s = _clear(said, notes)
    span_s = _between(said.started_at, said.ended_at)
    disposition, billed_s = _outcome(said, duration_s if duration_s is not None else span_s, talk_s, notes)
    answered = disposition is Disposition.ANSWERED
    started_at = _start(said, duration_s, billed_s)
    ended_at = _end(said, started_at, duration_s, billed_s if answered else None, notes)
    answered_at = _answer(said, started_at, ended_at, billed_s, notes) if answered else None
    if duration_s is None and said.ended_at is None and said.answered_at is None and said.waiting_s is not None:
        duration_s = said.waiting_s + billed_s
        ended_at = _end(said, started_at, duration_s, None, notes)
        answered_at = _answer(said, started_at, ended_at, billed_s, notes) if answered else None
    if duration_s is None:
        duration_s = _between(started_at, ended_at)
    doubt = _unknown_outcome(said, talk_s) or _contradiction(duration_s, billed_s, span_s)
    _check(duration_s, billed_s, _between(started_at, ended_at), notes)
    return Settled(started_at, answered_at, ended_at, duration_s, billed_s, disposition, doubt)


def _in_seconds(said: Said, notes: list[Reason]) -> Said:
    """Durations far longer than the call itself are milliseconds, where a thousandth of them fits into it."""
    span_s = _between(said.started_at, said.ended_at)
    if span_s is None:
        return _in_thousands(said, notes)
    changed: dict[str, Any] = {}
    for name in ("duration_s", "billed_s", "waiting_s", "unclear_s"):
        length: int | None = getattr(said, name)
        if length is None or length < 1_000 or length < 10 * span_s or length > 1_000 * (span_s + TOLERANCE_S):
            continue
        changed[name] = -(-length // 1_000)
        notes.append(Reason("taken-as-milliseconds", {"length": length, "span_s": span_s}))
    return said._replace(**changed) if changed else said


def _in_thousands(said: Said, notes: list[Reason]) -> Said:
    """Without an end: several durations that are all whole thousands are counted in milliseconds."""
    names = ("duration_s", "billed_s", "unclear_s")
    lengths = {name: length for name in names if (length := getattr(said, name))}
    if len(lengths) < 2 or any(length % 1_000 for length in lengths.values()):
        return said
    longest = max(lengths.values())
    notes.append(Reason("thousands-as-milliseconds", {"length": longest}))
    changed: dict[str, Any] = {name: length // 1_000 for name, length in lengths.items()}
    return said._replace(**changed)


def _unknown_outcome(said: Said, talk_s: int | None) -> Reason | None:
    """A word nobody knows is all there is to tell whether anybody spoke."""
    if said.unknown_word is None or not _hangs_on_word(said, talk_s):
        return None
    return Reason("unknown-outcome", {"word": said.unknown_word})


def _hangs_on_word(said: Said, talk_s: int | None) -> bool:
    """Whether nothing but the word for the outcome tells if a call was answered."""
    return said.disposition is None and talk_s is None and said.answered_at is None and not said.tells_answer


def _contradiction(duration_s: int | None, billed_s: int, span_s: int | None) -> Reason | None:
    """More talk than there was time for; which of the two is wrong, nobody can tell."""
    whole_s = min((one for one in (duration_s, span_s) if one is not None), default=None)
    if whole_s is None or billed_s <= whole_s + TOLERANCE_S:
        return None
    return Reason("talk-exceeds-call", {"billed_s": billed_s, "duration_s": whole_s})


def _past_midnight(said: Said, notes: list[Reason]) -> Said:
    """Clock times that were all given the day of the start: what lies most of a day before it is of the next day."""
    start = said.started_at
    if start is None or (said.answered_at or start) >= start <= (said.ended_at or start):
        return said
    moved = {
        name: moment + DAY
        for name in ("answered_at", "ended_at")
        if (moment := getattr(said, name)) and DAY / 2 < start - moment < DAY
    }
    if not moved:
        return said
    notes.append(Reason("past-midnight"))
    return said._replace(**moved)


def _between(first: datetime | None, second: datetime | None) -> int | None:
    """Whole seconds from one to the other; None where one is missing or they run backwards."""
    if first is None or second is None or second < first:
        return None
    return int((second - first).total_seconds())


def _clear(said: Said, notes: list[Reason]) -> tuple[int | None, int | None]:
    """Total and talk seconds; a duration of unclear meaning is what the times show it to be."""
    unclear = said.unclear_s
    if unclear is None or (said.billed_s is not None and said.duration_s is not None):
        return said.duration_s, said.billed_s
    if said.billed_s is not None:
        whole_s = _between(said.started_at, said.ended_at)
        is_talk = unclear == said.billed_s and whole_s is not None and whole_s > unclear + TOLERANCE_S
        return (None if is_talk else unclear), said.billed_s
    if said.duration_s is not None:
        return said.duration_s, unclear
    span_s, talk_s = _between(said.started_at, said.ended_at), _between(said.answered_at, said.ended_at)
    if span_s is not None and abs(span_s - unclear) <= TOLERANCE_S:
        whole_s = span_s if unclear == span_s + 1 else unclear  # a begun second of it is none of the times
        return whole_s, None if talk_s is None else min(talk_s, whole_s)
    if talk_s is not None and abs(talk_s - unclear) <= TOLERANCE_S:
        return None, unclear
    waited_s = _between(said.started_at, said.answered_at)
    if waited_s is not None and unclear < waited_s:  # shorter than the ringing: it cannot hold the ringing
        return None, unclear
    if unclear == 0 and span_s is not None and said.answered_at is None:
        return None, 0  # a call that lasted cannot have lasted nothing: it is the talk
    if span_s is not None and unclear < span_s and said.disposition is Disposition.ANSWERED:
        return None, unclear  # shorter than the call: the talk
    notes.append(Reason("unclear-duration"))
    return unclear, None


def _outcome(said: Said, total_s: int | None, talk_s: int | None, notes: list[Reason]) -> tuple[Disposition, int]:
    word = said.disposition
    if talk_s is None:
        talk_s = _talk(said, total_s, notes)
    if talk_s > 0:
        if word not in (None, Disposition.ANSWERED):
            notes.append(Reason("contradicted-outcome", {"disposition": str(word), "seconds": talk_s}))
        return Disposition.ANSWERED, talk_s
    if word is None:
        word = Disposition.ANSWERED if said.answered_at else Disposition.NO_ANSWER
    return word, 0


def _talk(said: Said, total_s: int | None, notes: list[Reason]) -> int:
    """Talk seconds that the record does not name."""
    word = said.disposition
    if word not in (None, Disposition.ANSWERED) or (said.unknown_word and _hangs_on_word(said, None)):
        return 0
    if word is None and said.answered_at is None and said.tells_answer:
        return 0
    talk_s = _between(said.answered_at, said.ended_at)
    if talk_s is not None:
        return talk_s
    waited_s = said.waiting_s if said.waiting_s is not None else _between(said.started_at, said.answered_at)
    if total_s is not None and waited_s is not None:
        return max(0, total_s - waited_s)
    if total_s:
        notes.append(Reason("talk-not-told", {"seconds": total_s}))
    elif word is not None:
        notes.append(Reason("length-not-told"))
    return total_s or 0


def _start(said: Said, duration_s: int | None, billed_s: int) -> datetime | None:
    if said.started_at is not None:
        return said.started_at
    if said.ended_at is not None and duration_s is not None:
        return said.ended_at - timedelta(seconds=duration_s)
    if said.answered_at is not None or said.ended_at is None:
        return said.answered_at
    return said.ended_at - timedelta(seconds=billed_s)


def _end(
    said: Said, started_at: datetime | None, duration_s: int | None, billed_s: int | None, notes: list[Reason]
) -> datetime | None:
    if said.ended_at is not None and started_at is not None:
        if said.ended_at >= started_at:
            return said.ended_at
        notes.append(Reason("end-before-start"))
    if started_at is not None and duration_s is not None:
        return started_at + timedelta(seconds=duration_s)
    if billed_s is None or started_at is None:
        return None
    return max(started_at, said.answered_at or started_at) + timedelta(seconds=billed_s)


def _answer(
    said: Said, started_at: datetime | None, ended_at: datetime | None, billed_s: int, notes: list[Reason]
) -> datetime | None:
    given = said.answered_at
    if given is not None:
        if (started_at is None or given >= started_at) and (ended_at is None or given <= ended_at):
            return given
        notes.append(Reason("answer-outside"))
    if ended_at is None:
        return None
    answered_at = ended_at - timedelta(seconds=billed_s)
    return max(answered_at, started_at) if started_at else answered_at


def _check(duration_s: int | None, billed_s: int, span_s: int | None, notes: list[Reason]) -> None:
    if duration_s is not None and billed_s > duration_s + TOLERANCE_S:
        notes.append(Reason("talk-exceeds-call", {"billed_s": billed_s, "duration_s": duration_s}))
    if duration_s is not None and span_s is not None and duration_s > span_s + TOLERANCE_S:
        notes.append(Reason("duration-exceeds-span", {"duration_s": duration_s, "span_s": span_s}))
