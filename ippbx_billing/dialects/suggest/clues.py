"""What values say about the fields that no arithmetic proves: the two numbers, the words, the ids.

1001 | 02258674577     fits the extensions | a number of the plan     caller, callee
ANSWERED | NO ANSWER   the word varies with talk = 0                  disposition
1505352445.265         another one in each record, no number          call id
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, permutations

from ippbx_billing.dialects import values
from ippbx_billing.dialects.definition import UNUSABLE
from ippbx_billing.dialects.suggest.columns import ASTERISK_ID, SampleColumn
from ippbx_billing.dialects.suggest.evidence import EvidenceSentence, said

MOST_NUMBERS = 8  # columns that are tried as caller and callee
SHORTEST_ID = 4
AUDIO = re.compile(r"(?i)\.(wav|mp3|gsm|ogg|yswav|opus|amr)(\W|$)")
ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}(:\d+)?")
UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
SIP_PORTS = frozenset(map(str, range(5060, 5100)))  # four digits that look like extensions
SERIAL = re.compile(r"(?=(?:.*\d){4})[0-9A-Za-z:\-]{6,40}")

Pairs = tuple[tuple[str, str], ...]
Meaning = Callable[[str], str | None]  # our word for a PBX's, where somebody has taught it
NameScore = Callable[[str, SampleColumn], float]


@dataclass(frozen=True, slots=True)
class SiteHints:
    """What is known about the site and about words, to hold values against."""

    is_extension: Callable[[str], bool]
    is_number: Callable[[str], bool]
    meaning: Mapping[str, Meaning]  # of words for direction and disposition


@dataclass(frozen=True, slots=True)
class Clue:
    """A column that may be a field, by its values alone: how much speaks for it, why, and words it taught us."""

    field: str
    column: SampleColumn
    score: float
    evidence: tuple[EvidenceSentence, ...]
    words: Pairs = ()  # theirs -> ours


# -- the two numbers


def party_of(text: str) -> str:
    """The number in a caller's or callee's text, without hyphens and brackets."""
    return re.sub(r"[\s().\-]", "", values.number(text) or "")


def looks_like_parties(column: SampleColumn, site: SiteHints, *, only_extensions: bool = False) -> bool:
    """Whether every value fits the extensions or the numbering plan, and is longer than most durations."""
    numbers = {party_of(text) for text in column.distinct}
    fits = [site.is_extension(one) or (not only_extensions and site.is_number(one)) for one in numbers]
    return all(fits) and all(len(one) >= 3 for one in numbers)


def parties(
    columns: Sequence[SampleColumn], site: SiteHints, weigh_name: NameScore, directions: Sequence[str | None]
) -> list[tuple[Clue, Clue]]:
    """Pairs of caller and callee, the best first; `directions` are our words for each record's, where known."""
    again = echoes(columns)
    numbers = [one for column in columns if (one := _number(column, site, again[column])) is not None]
    numbers.sort(key=lambda one: -one.score - max(weigh_name("caller", one.column), weigh_name("callee", one.column)))
    pairs = [
        _paired(first, second, site, directions)
        for first, second in permutations(numbers[:MOST_NUMBERS], 2)
        if first.column.texts != second.column.texts
    ]
    return sorted(pairs, key=lambda pair: -sum(one.score + weigh_name(one.field, one.column) for one in pair))


@dataclass(frozen=True, slots=True)
class _Number:
    column: SampleColumn
    score: float
    fit: tuple[EvidenceSentence, ...]


def _number(column: SampleColumn, site: SiteHints, echo: int) -> _Number | None:
    """How well a column's values fit the extensions and the numbering plan; `None` where none does."""
    numbers = [party_of(text) for text in column.texts if text]
    if column.is_time or 2 * column.filled < len(column.texts) or all(one in SIP_PORTS for one in numbers):
        return None
    own = sum(len(one) >= 2 and site.is_extension(one) for one in numbers)
    outside = sum(not site.is_extension(one) and site.is_number(one) for one in numbers)
    alike = sum(bool(re.fullmatch(r"\+?\d{7,15}", one)) for one in numbers) - outside
    fit = [said("fits the extensions in {count} of {total}", count=own, total=len(numbers))] if own else []
    if outside:
        fit.append(said("is a number of the numbering plan in {count} of {total}", count=outside, total=len(numbers)))
    if alike > 0 and not outside:
        fit.append(said("is as long as phone numbers are in {count} of {total}", count=alike, total=len(numbers)))
    never_changes = len(column.distinct) == 1 and len(numbers) >= 3
    score = (own + outside + 0.4 * max(0, alike)) / len(column.texts) * (0.4 if never_changes else 1.0)
    if echo:
        fit.append(said("stands in {count} other places as well", count=echo))
    return _Number(column, score + 0.1 * min(echo, 3), tuple(fit)) if score else None


def _paired(first: _Number, second: _Number, site: SiteHints, directions: Sequence[str | None]) -> tuple[Clue, Clue]:
    agreeing, contradicting = _with_directions(first.column, second.column, directions, site)
    told = max(1, sum(one in ("outbound", "inbound") for one in directions))
    in_order = first.column.place < second.column.place
    score = 0.3 * (agreeing - contradicting) / told + 0.1 * in_order
    why = said("the side that is ours goes with the direction's word in {count} of {total}", count=agreeing, total=told)
    shared = [why] if agreeing > contradicting else []
    caller = (*first.fit, *shared, *([said("the first of two numbers")] if in_order else []))
    callee = (*second.fit, *shared, *([said("the second of two numbers")] if in_order else []))
    return (
        Clue("caller", first.column, first.score + score, caller),
        Clue("callee", second.column, second.score + score, callee),
    )


def _with_directions(
    caller: SampleColumn, callee: SampleColumn, directions: Sequence[str | None], site: SiteHints
) -> tuple[int, int]:
    """In how many records the extension is on the side that the direction says, and on the other."""
    expected = {"outbound", "inbound"}
    seen = [side_of(source, target, site) for source, target in zip(caller.texts, callee.texts, strict=True)]
    pairs = [(side, told) for side, told in zip(seen, directions, strict=False) if {side, told} <= expected]
    agreeing = sum(side == told for side, told in pairs)
    return agreeing, len(pairs) - agreeing


def side_of(caller: str, callee: str, site: SiteHints) -> str:
    """The direction that follows from which side fits the extensions; empty where neither does."""
    ours = site.is_extension(party_of(caller)), site.is_extension(party_of(callee))
    return {(True, True): "internal", (True, False): "outbound", (False, True): "inbound"}.get(ours, "")


def sides(caller: SampleColumn, callee: SampleColumn, site: SiteHints) -> list[str]:
    """The same for each record."""
    return [side_of(source, target, site) for source, target in zip(caller.texts, callee.texts, strict=True)]


# -- words


def known_words(field_name: str, columns: Iterable[SampleColumn], site: SiteHints) -> Iterator[Clue]:
    """Columns whose every text is a word that is known to be used for this field."""
    meaning = site.meaning[field_name]
    for column in columns:
        if 2 * column.filled < len(column.texts) or not column.is_word:
            continue
        words = {text: ours for text in sorted(column.distinct) if (ours := meaning(text))}
        if len(words) == len(column.distinct):
            told = {text: ours for text, ours in words.items() if ours != UNUSABLE}
            why = said("its words are known: {words}", words=_told(told))
            nothing = said("its words are known, but say nothing of the outcome")
            score = (0.9 + 0.1 * len(set(told.values())) if told else 0.3) - 0.5 * column.is_length
            yield Clue(field_name, column, score, (why if told else nothing,))
        elif 3 * len(words) >= len(column.distinct) and set(words.values()) - {UNUSABLE}:
            strange = _either(column.distinct - words.keys())
            why = said(
                "some of its words are known: {words}; nobody knows {strange}", words=_told(words), strange=strange
            )
            yield Clue(field_name, column, 0.5 * len(words) / len(column.distinct), (why,))


def words_with_talk(columns: Iterable[SampleColumn], talked: Sequence[bool | None]) -> Iterator[Clue]:
    """Columns whose word is one where there was talk and another where there was none."""
    if not {True, False} <= set(talked):
        return
    for column in columns:
        with_talk = {text for text, talk in zip(column.texts, talked, strict=True) if talk}
        without = {text for text, talk in zip(column.texts, talked, strict=True) if talk is False}
        if not _is_vocabulary(column) or "" in with_talk | without or with_talk & without:
            continue
        why = said("varies with talk = 0: {answered} with talk, {unanswered} without",
                   answered=_either(with_talk), unanswered=_either(without))  # fmt: skip
        words = {**dict.fromkeys(with_talk, "answered"), **dict.fromkeys(without, "no_answer")}
        yield Clue("disposition", column, 0.8 - 0.3 * column.is_length, (why,), tuple(words.items()))


def words_with_sides(columns: Iterable[SampleColumn], seen: Sequence[str], known: Meaning) -> Iterator[Clue]:
    """Columns whose word goes with which side is the extension."""
    for column in columns:
        meanings: dict[str, set[str]] = {}
        for text, side in zip(column.texts, seen, strict=True):
            meanings.setdefault(text, set()).add(side)
        words = {text: next(iter(one)) for text, one in sorted(meanings.items()) if len(one) == 1 and one != {""}}
        if any(known(text) not in (None, ours) for text, ours in words.items()):
            continue
        if (
            _is_vocabulary(column)
            and "" not in meanings
            and 1 < len(words) == len(meanings)
            and len(set(words.values())) > 1
        ):
            why = said("varies with which side is the extension: {words}", words=_told(words))
            yield Clue("direction", column, 0.8 - 0.3 * column.is_length, (why,), tuple(words.items()))


def _is_vocabulary(column: SampleColumn) -> bool:
    """Whether its words come back, or look like words: an id is another one each time, and has digits."""
    digits = any(len(re.findall(r"\d", text)) > 3 for text in column.distinct)
    return column.is_word and not digits and len(column.distinct) <= 1 + column.filled // 2


def _told(words: Mapping[str, str]) -> str:
    return ", ".join(f"{theirs} = {ours}" for theirs, ours in words.items())


def _either(texts: Iterable[str]) -> str:
    return "/".join(sorted(texts))


# -- ids and the rest


def echoes(columns: Sequence[SampleColumn]) -> dict[SampleColumn, int]:
    """How many other columns hold the very texts of a column: what matters is told more than once."""
    count = Counter(column.texts for column in columns)
    return {column: count[column.texts] - 1 for column in columns}


def ids(columns: Sequence[SampleColumn], times: Sequence[SampleColumn]) -> Iterator[Clue]:
    """Columns that are another text in each record and none of the things that change anyway."""
    again = echoes(columns)
    for clue in _ids(columns, times):
        count = again[clue.column]
        why = [said("stands in {count} other places as well", count=count)] if count else []
        yield replace(clue, score=clue.score + 0.1 * min(count, 3), evidence=(*clue.evidence, *why))


def _ids(columns: Sequence[SampleColumn], times: Sequence[SampleColumn]) -> Iterator[Clue]:
    for column in columns:
        example = column.example
        is_text = not (
            column.is_time or AUDIO.search(example) or re.search(r"\s", example) or ADDRESS.fullmatch(example)
        )
        whole = column.filled == len(column.texts) == len(column.distinct)
        if is_text and whole and re.search(r"\d", example):
            yield from _id_clues(column, times)


def _id_clues(column: SampleColumn, times: Sequence[SampleColumn]) -> Iterator[Clue]:
    count = len(column.texts)
    different = [said("another one in each of {count} records", count=count)] if count > 1 else []
    if all(map(ASTERISK_ID.fullmatch, column.texts)):
        form = said("has the form of an Asterisk call id, epoch seconds and a counter")
        yield Clue("call_id", column, 0.9, (form, *different))
    elif all(map(UUID.fullmatch, column.texts)):
        yield Clue("call_id", column, 0.9, (said("has the form of a UUID"), *different))
    elif any(_repeats(column, time) for time in times):
        yield Clue("record_id", column, 0.8, (said("holds the digits of the record's own time"), *different))
    elif counts_up(column):
        yield Clue(
            "record_id", column, 0.6, (said("counts up from record to record; make sure that it never begins again"),)
        )
    elif count > 1 and all(len(text) >= SHORTEST_ID for text in column.texts):
        yield Clue("call_id", column, 0.5, tuple(different))


def counts_up(column: SampleColumn) -> bool:
    """Whether it ends with a number that grows by one from record to record."""
    ends = [re.search(r"\d{1,12}$", text) for text in column.texts]
    numbers = [int(end[0]) for end in ends if end]
    return len(numbers) == len(column.texts) > 2 and {later - first for first, later in pairwise(numbers)} == {1}


def _repeats(column: SampleColumn, time: SampleColumn) -> bool:
    pairs = [
        (re.sub(r"\D", "", own), re.sub(r"\D", "", told)) for own, told in zip(column.texts, time.texts, strict=True)
    ]
    return all(len(told) >= 12 and told in own for own, told in pairs)


def constants(columns: Iterable[SampleColumn]) -> Iterator[Clue]:
    """Columns that look like a serial number and never change: the PBX itself."""
    for column in columns:
        count = len(column.texts)
        is_steady = len(column.distinct) == 1 and column.filled == count > 1
        serial = SERIAL.fullmatch(column.example) or (
            column.outside_record and re.fullmatch(r"\S{8,40}", column.example)
        )
        if is_steady and not column.is_time and serial:
            around = [said("stands outside the records")] if column.outside_record else []
            why = said("one and the same serial number in all {count} records", count=count)
            yield Clue("pbx", column, 0.4 + 0.3 * column.outside_record, (why, *around))


def recordings(columns: Iterable[SampleColumn]) -> Iterator[Clue]:
    """Columns that name a sound file."""
    for column in columns:
        if column.filled and all(AUDIO.search(text) for text in column.distinct):
            why = said("names a sound file in {count} of {total}", count=column.filled, total=len(column.texts))
            yield Clue("recording", column, 0.9, (why,))


def trunks(columns: Iterable[SampleColumn], seen: Sequence[str]) -> Iterator[Clue]:
    """Columns that say something exactly in the calls that leave the site."""
    if not {"internal"} < set(seen):
        return
    for column in columns:
        if all(bool(text) == (side != "internal") for text, side in zip(column.texts, seen, strict=True)):
            yield Clue("trunk", column, 0.6, (said("filled exactly in the calls that are not internal"),))
