"""The columns of a line that no dialect knows, where its own values prove what they are.

The one idea: a start and an end that are as far apart as a number in the same line leave no doubt which columns they
are; what is left of numbers is the talk, if it fits as well, and the two telephone numbers are the parties, the caller
first. Where anything fits twice, or nothing does, the line stays unknown.

    proven(["8001", "13800138000", "2026-05-21 22:00:00", "2026-05-21 22:01:12", "72", "65", "ANSWERED"])
    -> {"caller": "8001", "callee": "13800138000", "start_time": …, "end_time": …, "duration": "72", "billsec": "65", …}
"""

import re
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from ippbx_billing.dialects import values
from ippbx_billing.dialects.clocks import Hints, may_be_ambiguous
from ippbx_billing.dialects.values import Unreadable

MOST_CELLS = 40
SLACK_S = 1
LONGEST_S = 86_400
_PHONE = re.compile(r"\+?[\d*#]{3,20}")


def proven(cells: Sequence[str], is_outcome: Callable[[str], bool]) -> dict[str, str] | None:
    """The cells under common names; None where the values do not prove what they are."""
    if len(cells) > MOST_CELLS:
        return None
    times = {place: moment for place, said in enumerate(cells) if (moment := _time(said))}
    lengths = {
        place: length
        for place, said in enumerate(cells)
        if place not in times and (length := _length(said)) is not None
    }
    if len(times) not in (2, 3):
        return None
    span = min(times, key=times.__getitem__), max(times, key=times.__getitem__)
    if not _spanned(times, *span, lengths):
        return None
    named = _named(times, lengths, span)
    parties = [place for place, said in enumerate(cells) if _is_party(place, said, times, named.values())]
    words = [place for place, said in enumerate(cells) if said and is_outcome(said)]
    if len(parties) != 2 or len(words) > 1:
        return None
    places = {**named, "caller": parties[0], "callee": parties[1]} | ({"disposition": words[0]} if words else {})
    return {name: cells[place] for name, place in places.items()}


def _named(times: dict[int, datetime], lengths: dict[int, int], span: tuple[int, int]) -> dict[str, int]:
    """Which cells hold start, end, answer, the whole and the talk."""
    start, end = span
    whole = _spanned(times, start, end, lengths)
    named = {"start_time": start, "end_time": end, "duration": whole[0]}
    answer = next((place for place in times if place not in span), None)
    if answer is not None and times[start] <= times[answer] <= times[end]:
        named["answer_time"] = answer
    talks = [place for place, length in lengths.items() if place not in whole and _is_talk(place, length, times, named)]
    if len(talks) == 1:
        named["billsec"] = talks[0]
    elif len(whole) > 1:
        named["billsec"] = whole[1]
    return named


def _is_talk(place: int, length: int, times: dict[int, datetime], named: dict[str, int]) -> bool:
    """Whether a number beside the whole is the talk: it fits the answer, or into the call and stands by it."""
    start, end = times[named["start_time"]], times[named["end_time"]]
    if "answer_time" in named:
        return abs((end - times[named["answer_time"]]).total_seconds() - length) <= SLACK_S
    return length <= (end - start).total_seconds() and abs(place - named["duration"]) == 1


def _spanned(times: dict[int, datetime], start: int, end: int, lengths: dict[int, int]) -> list[int]:
    """The numbers that say how far two times are apart."""
    span_s = (times[end] - times[start]).total_seconds()
    return [place for place, length in lengths.items() if span_s > 0 and abs(span_s - length) <= SLACK_S]


def _is_party(place: int, said: str, times: dict[int, datetime], taken: Collection[int]) -> bool:
    return place not in times and place not in taken and _PHONE.fullmatch(said) is not None


def _time(said: str) -> datetime | None:
    if ":" not in said or may_be_ambiguous(said):
        return None
    try:
        return values.dated(said, UTC, Hints())[0]
    except Unreadable:
        return None


def _length(said: str) -> int | None:
    try:
        length = values.seconds(said) if said else None
    except Unreadable:
        return None
    return length if length is not None and length <= LONGEST_S else None
