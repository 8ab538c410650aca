"""The rows of one call: which of them a carrier bills as one conversation, for how long, and to whom.

    for row, (billed_id, call) in zip(rows, join(rows, is_own)): ...

The one idea: a carrier bills the time that its trunk was used with one number, whatever moved on our side of it. Rows
that share an id and tell of the same number outside are one conversation while one goes on from the other: the legs of
a bridged call, a queue and its agents, a trunk that was tried before another, what a transfer cut in two. It is billed
once, by the row of the extension that caused it; the other rows are kept, and name that row.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ippbx_billing.calls import ROW_OF, Call, Direction, Disposition, Reason
from ippbx_billing.pipeline.records import end

TOUCH_S = 10  # so long after a row its continuation may begin
SAME_S = 2  # clocks of two legs may lie so far apart
TAIL_DIGITS = 7  # of a number with and without prefixes

IsOwn = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class CallRow:
    """A row: the call's id, what its record tells, the number on the other side without prefixes."""

    id: int
    call: Call
    normalized: str


Joined = tuple[int, Call]  # the row that is billed, and the call as it counts


def join(rows: Sequence[CallRow], is_own: IsOwn) -> dict[int, Joined]:
    """The rows that are not billed as their record says: which row is billed, and what each counts as.

    Whatever order they came in, the answer is the same. A leg that its dialect keeps off the bill keeps its reason, but
    tells how long the trunk was used.
    """
    ordered = sorted(rows, key=_place)
    found: dict[int, Joined] = {}
    for conversation in _conversations(ordered, is_own):
        told = [one for one in conversation if not one.call.twin]
        if not told:
            continue
        billed = _billed(told, is_own)
        lasting = [*conversation, *_handed_over(conversation, ordered, is_own)]
        call = _as_a_whole(billed, lasting, ordered, is_own)
        if len(conversation) > 1 or call is not billed.call:
            found[billed.id] = billed.id, call
        for row in conversation:
            if row is not billed:
                found[row.id] = billed.id, replace(row.call, twin=row.call.twin or f"{ROW_OF}{billed.id}")
    return found


def _place(row: CallRow) -> tuple[datetime, int, str, int]:
    """By what rows are ordered: their start, the longer talk first, then what their records say."""
    return row.call.started_at, -row.call.billed_s, row.call.key, row.id


# -- what is one conversation


def _conversations(rows: Iterable[CallRow], is_own: IsOwn) -> list[list[CallRow]]:
    """The rows, earliest first, by the conversation that each is part of."""
    found: list[list[CallRow]] = []
    for row in rows:
        for conversation in reversed(found):
            if _same_other_side(conversation[0], row, is_own) and _goes_on(conversation, row):
                conversation.append(row)
                break
        else:
            found.append([row])
    return found


def _handed_over(conversation: Sequence[CallRow], rows: Sequence[CallRow], is_own: IsOwn) -> list[CallRow]:
    """Rows in which somebody whom we called talks on with another number outside: both trunks are in use."""
    first = conversation[0]
    if first.call.direction is not Direction.OUTBOUND or not any(one.call.billed_s for one in conversation):
        return []
    number = _outside(first, is_own) or ""
    return [
        row
        for row in rows
        if row not in conversation
        and row.call.billed_s
        and _ends_alike(row.call.caller or "", number)
        and not is_own(row.call.callee or "")
        and _goes_on(conversation, row)
    ]


def _goes_on(conversation: Sequence[CallRow], row: CallRow) -> bool:
    """Whether a row tells of the same use of a trunk as those before it."""
    over = max(end(one.call) for one in conversation)
    if row.call.started_at > over + timedelta(seconds=TOUCH_S):
        return False
    return not any(_is_another_call(one, row) for one in conversation)


def _same_other_side(one: CallRow, other: CallRow, is_own: IsOwn) -> bool:
    """Whether the number outside is the same; legs of a call among ourselves have the same two parties."""
    numbers = _outside(one, is_own), _outside(other, is_own)
    if None in numbers:
        return numbers == (None, None) and _parties(one) == _parties(other)
    return numbers[0] == numbers[1] or _ends_alike(numbers[0] or "", numbers[1] or "")


def _ends_alike(one: str, other: str) -> bool:
    """Whether two numbers are one, apart from prefixes."""
    tails = one[-TAIL_DIGITS:], other[-TAIL_DIGITS:]
    return tails[0] == tails[1] and len(tails[0]) == TAIL_DIGITS


def _outside(row: CallRow, is_own: IsOwn) -> str | None:
    """The number outside; "" where it was withheld, None within the site.

    A switch calls its leg to an extension outbound, whoever called: then the caller is the number.
    """
    call = row.call
    if call.direction is Direction.INTERNAL:
        return None
    if call.direction is None:
        return next((one for one in (call.callee, call.caller) if one and not is_own(one)), None)
    if call.direction is Direction.OUTBOUND and call.callee and is_own(call.callee):
        return call.caller if call.caller and not is_own(call.caller) else None
    return row.normalized


def _parties(row: CallRow) -> tuple[str | None, str | None]:
    return row.call.caller, row.call.callee


def _is_another_call(one: CallRow, other: CallRow) -> bool:
    """Whether the number was called twice: again by the same extension, or at once by two of them."""
    calls = one.call, other.call
    if any(call.direction is not Direction.OUTBOUND or not call.billed_s for call in calls):
        return False
    follows = other.call.started_at >= end(one.call) - timedelta(seconds=SAME_S)
    same = calls[0].extension == calls[1].extension
    return same if follows else not same and calls[0].call_id != calls[1].call_id and _both_dialled(*calls)


def _both_dialled(one: Call, other: Call) -> bool:
    return one.trunk is not None and other.trunk is not None and one.extension is not None


# -- who is billed, and for how long


def _billed(conversation: Sequence[CallRow], is_own: IsOwn) -> CallRow:
    """The row of the extension that caused the cost, or that talked where somebody called us."""
    talked = [one for one in conversation if one.call.billed_s > 0] or list(conversation)
    own = [one for one in talked if one.call.extension and is_own(one.call.extension)] or talked
    if _goes_out(conversation, is_own):
        return next((one for one in own if one.call.direction is Direction.OUTBOUND), own[0])
    inward = [one for one in own if one.call.direction is Direction.INBOUND] or own
    if not inward[0].call.billed_s:
        return inward[0]
    return next((one for one in inward if not any(_holds(one, other) for other in inward)), inward[0])


def _goes_out(conversation: Sequence[CallRow], is_own: IsOwn) -> bool:
    """Whether we called: the first row says so, and not of a leg to an extension."""
    first = conversation[0].call
    return first.direction is Direction.OUTBOUND and not (first.callee and is_own(first.callee))


def _holds(one: CallRow, other: CallRow) -> bool:
    """Whether a row is the queue that another, the agent's, stands in."""
    begin, stop = one.call.started_at, end(one.call)
    inner_begin, inner_stop = other.call.started_at, end(other.call)
    longer = stop - begin > inner_stop - inner_begin
    return one.call.extension != other.call.extension and begin <= inner_begin and stop >= inner_stop and longer


def _as_a_whole(billed: CallRow, conversation: Sequence[CallRow], rows: Sequence[CallRow], is_own: IsOwn) -> Call:
    """The call of the billed row with what the other rows know better."""
    call = billed.call
    trunk = call.trunk or next((one.call.trunk for one in conversation if one.call.trunk), None)
    extension = call.extension
    if extension is None or not is_own(extension):
        extension = _cause(billed, rows, is_own) or extension
    if (trunk, extension) != (call.trunk, call.extension):
        call = replace(call, trunk=trunk, extension=extension)
    return _for_the_time_used(call, conversation)


def _for_the_time_used(call: Call, conversation: Sequence[CallRow]) -> Call:
    """The call from the first answer on the trunk until its last row ended."""
    talked = [one.call for one in conversation if one.call.billed_s > 0]
    used = [one for one in talked if one.trunk] or talked
    if not used:
        return _put_together(call, conversation)
    answered_at, ended_at = min(map(_answer, used)), max(map(end, used))
    billed_s = round((ended_at - answered_at).total_seconds())
    if abs(billed_s - call.billed_s) <= SAME_S:
        return call
    return replace(
        call,
        answered_at=answered_at,
        ended_at=ended_at,
        duration_s=round((ended_at - call.started_at).total_seconds()),
        billed_s=billed_s,
        disposition=Disposition.ANSWERED,
        notes=(*call.notes, Reason("time-used", {"seconds": billed_s, "rows": len(conversation)})),
    )


def _put_together(call: Call, conversation: Sequence[CallRow]) -> Call:
    """One record told of the answer and another of the end: the talk lies between them."""
    answers = [one.call.answered_at for one in conversation if one.call.answered_at and one.call.ended_at is None]
    ends = [one.call.ended_at for one in conversation if one.call.ended_at and one.call.answered_at is None]
    if not answers or not ends or max(ends) <= min(answers):
        return call
    answered_at, ended_at = min(answers), max(ends)
    return replace(
        call,
        answered_at=answered_at,
        ended_at=ended_at,
        duration_s=round((ended_at - call.started_at).total_seconds()),
        billed_s=round((ended_at - answered_at).total_seconds()),
        disposition=Disposition.ANSWERED,
        doubt=None,  # what one record leaves open, the other tells
        notes=(*call.notes, Reason("told-apart")),
    )


def _answer(call: Call) -> datetime:
    return call.answered_at or end(call) - timedelta(seconds=call.billed_s)


def _cause(billed: CallRow, rows: Sequence[CallRow], is_own: IsOwn) -> str | None:
    """The extension of ours that was in the call last before this row: it forwarded, or transferred."""
    for row in reversed([one for one in rows if one.call.started_at <= billed.call.started_at and one is not billed]):
        call = row.call
        party = call.callee if call.direction is Direction.INTERNAL else call.extension
        if party and is_own(party):
            return party
    return None
