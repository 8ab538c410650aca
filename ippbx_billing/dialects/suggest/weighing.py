"""Weighs what names and values say, field by field, into one choice.

The one idea: the clock's columns are chosen together, then the two numbers together, then every other field takes
the column that most speaks for; a column serves one field, and what contradicts its own values is not a candidate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ippbx_billing.dialects.suggest import clues
from ippbx_billing.dialects.suggest.clock import Arrangement, arrangements
from ippbx_billing.dialects.suggest.clues import Clue, Pairs, SiteHints
from ippbx_billing.dialects.suggest.columns import SampleColumn
from ippbx_billing.dialects.suggest.evidence import EvidenceSentence
from ippbx_billing.dialects.suggest.names import Names

NAME_WEIGHT = 1.5  # of a known synonym, beside about 1 for values that fit
LEAST_SCORE = 0.3
LEAST_NAME_SCORE = 0.7  # of a name that no values support
LEAST_RECORD_ID_NAME_SCORE = 1.1  # a wrong record id would lose calls
CLOCK = {"start": "started_at", "answer": "answered_at", "end": "ended_at", "total": "duration_s", "talk": "billed_s"}
PARTIES = ("caller", "callee")
OTHERS = (
    "direction", "disposition", "record_id", "call_id", "group_id", "pbx", "trunk", "source_trunk",
    "destination_trunk", "extension", "did", "pin", "recording", "waiting_s",
)  # fmt: skip
FIELDS = (*CLOCK.values(), *PARTIES, *OTHERS)
LENGTHS = ("duration_s", "billed_s", "waiting_s")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may be a field: the weight of everything that speaks for it, and the sentences."""

    field: str
    column: SampleColumn
    score: float
    evidence: tuple[EvidenceSentence, ...]
    unit: str = "s"
    words: Pairs = ()


@dataclass(frozen=True)
class Witnesses:
    """What can be heard: the columns, their names unless unwanted, their values unless unwanted."""

    columns: Sequence[SampleColumn]
    names: Names | None
    site: SiteHints | None

    def weigh_name(self, field_name: str, column: SampleColumn) -> float:
        """What a column's name adds to a field, and takes away from a duration that is something else by name."""
        if self.names is None:
            return 0.0
        if field_name in ("duration_s", "billed_s") and self.names.is_misleading(column.name):
            return -NAME_WEIGHT
        hint = self.names.hint(field_name, column.path)
        return NAME_WEIGHT * hint.score if hint else 0.0

    def heard(self, clue: Clue, unit: str = "s") -> Candidate:
        """A clue of the values together with what the name says."""
        hint = self.names.hint(clue.field, clue.column.path) if self.names else None
        evidence = (hint.sentence, *clue.evidence) if hint else clue.evidence
        score = clue.score + self.weigh_name(clue.field, clue.column)
        return Candidate(clue.field, clue.column, score, evidence, unit, clue.words)

    def by_name(self, fields: Iterable[str]) -> Iterator[Candidate]:
        """What the names alone propose."""
        for name in fields if self.names else ():
            for column in self.columns:
                if self.weigh_name(name, column) > 0:
                    yield self.heard(Clue(name, column, 0.0, ()))


def weigh(witnesses: Witnesses) -> dict[str, list[Candidate]]:
    """Each field that was found with its candidates, the chosen one first."""
    if witnesses.site is None:
        return _choose(witnesses.by_name(FIELDS), {}, witnesses)
    clock = _clock(witnesses, witnesses.site)
    chosen = {name: found for name, found in clock.items() if found}
    directions = _directions(witnesses, witnesses.site)
    chosen |= _parties(_free(witnesses, chosen), witnesses.site, directions)
    others = _others(_free(witnesses, chosen), witnesses.site, chosen)
    return _choose(others, chosen, witnesses)


def _choose(
    candidates: Iterable[Candidate], chosen: Mapping[str, list[Candidate]], witnesses: Witnesses
) -> dict[str, list[Candidate]]:
    """The heaviest first; a field and a column are given once."""
    ranked = sorted(candidates, key=lambda one: (-one.score, -one.column.filled, one.column.place))
    found = {name: list(ranked_there) for name, ranked_there in chosen.items()}
    taken = {one[0].column for one in found.values()}
    for one in ranked:
        if one.field not in found and one.column not in taken and one.score >= LEAST_SCORE:
            found[one.field] = [one]
            taken.add(one.column)
    for one in ranked:
        if one.field in found and one.field not in chosen:
            found[one.field].append(one)
    return {name: found[name] for name in FIELDS if name in found}


def _free(witnesses: Witnesses, chosen: Mapping[str, list[Candidate]]) -> Witnesses:
    taken = {one[0].column for one in chosen.values()}
    return replace(witnesses, columns=[column for column in witnesses.columns if column not in taken])


# -- the clock


def _clock(witnesses: Witnesses, site: SiteHints) -> dict[str, list[Candidate]]:
    """Times and durations of the arrangement that explains most; where there is no time, by name alone."""

    def weigh_role(role: str, column: SampleColumn) -> float:
        weight = witnesses.weigh_name(CLOCK[role], column)
        if role == "talk" and weight >= 0:  # what is called a duration and is not the total is the talk
            return max(weight, 0.4 * witnesses.weigh_name("duration_s", column))
        if weight == 0 and role != "total":  # what is called an answer is hardly the end
            return -0.7 * max(witnesses.weigh_name(CLOCK[other], column) for other in ("start", "answer", "end"))
        return weight

    def may_be_length(column: SampleColumn, unit: str) -> bool:
        if clues.counts_up(column) or clues.looks_like_parties(column, site, only_extensions=unit != "s"):
            return False
        return not _never_changes(column) or max(witnesses.weigh_name(name, column) for name in LENGTHS[:2]) > 0

    ranked = arrangements(witnesses.columns, weigh_role, may_be_length)
    if not ranked:
        named = [one for one in witnesses.by_name(LENGTHS[:2]) if one.column.is_length]
        return _choose(named, {}, witnesses)
    return {name: _of_arrangements(role, ranked, witnesses) for role, name in CLOCK.items()}


def _of_arrangements(role: str, ranked: Sequence[Arrangement], witnesses: Witnesses) -> list[Candidate]:
    """The best arrangement's column in a role, then those of the next best; empty where the best has none."""
    found: dict[SampleColumn, Candidate] = {}
    for arranged in ranked[:200]:
        part = next((one for one in arranged.parts if one.role == role), None)
        if part is None and not found:
            return []
        if part is not None and part.column not in found:
            heard = witnesses.heard(Clue(CLOCK[role], part.column, 0.0, part.evidence), part.unit or "s")
            found[part.column] = replace(heard, score=part.score)
    return list(found.values())


def _never_changes(column: SampleColumn) -> bool:
    return len(column.distinct) == 1 and len(column.texts) > 1


# -- the numbers


def _directions(witnesses: Witnesses, site: SiteHints) -> list[str | None]:
    """Our words for the records' directions, where a column tells them in words that are known."""
    known = [witnesses.heard(clue) for clue in clues.known_words("direction", witnesses.columns, site)]
    best = max(known, key=lambda one: one.score, default=None)
    return [site.meaning["direction"](text) for text in best.column.texts] if best else []


def _parties(witnesses: Witnesses, site: SiteHints, directions: Sequence[str | None]) -> dict[str, list[Candidate]]:
    pairs = clues.parties(witnesses.columns, site, witnesses.weigh_name, directions)
    found: dict[str, dict[SampleColumn, Candidate]] = {name: {} for name in PARTIES}
    for pair in pairs:
        for clue in pair:
            found[clue.field].setdefault(clue.column, witnesses.heard(clue))
    if pairs:
        return {name: list(candidates.values()) for name, candidates in found.items()}
    named = [one for one in witnesses.by_name(PARTIES) if not one.column.is_time]
    return _choose(named, {}, witnesses)


# -- everything else


def _others(witnesses: Witnesses, site: SiteHints, chosen: Mapping[str, list[Candidate]]) -> list[Candidate]:
    """What speaks for the remaining fields; a name counts where its values do not contradict it."""
    heard = [witnesses.heard(clue) for clue in _clues(witnesses.columns, site, chosen)]
    spoken = {(one.field, one.column) for one in heard}
    named = [one for one in witnesses.by_name(OTHERS) if (one.field, one.column) not in spoken]
    named = [one for one in named if one.score >= LEAST_NAME_SCORE]
    named = [one for one in named if one.field != "record_id" or one.score >= LEAST_RECORD_ID_NAME_SCORE]
    return [one for one in (*heard, *named) if _possible(one, site)]


def _clues(columns: Sequence[SampleColumn], site: SiteHints, chosen: Mapping[str, list[Candidate]]) -> Iterator[Clue]:
    best = {name: found[0] for name, found in chosen.items()}
    yield from clues.known_words("direction", columns, site)
    yield from clues.known_words("disposition", columns, site)
    if "billed_s" in best:
        lengths = best["billed_s"].column.lengths(best["billed_s"].unit)
        yield from clues.words_with_talk(columns, [None if one is None else one > 0 for one in lengths])
    if "caller" in best and "callee" in best:
        seen = clues.sides(best["caller"].column, best["callee"].column, site)
        yield from clues.words_with_sides(columns, seen, site.meaning["direction"])
        yield from clues.trunks(columns, seen)
    times = [best[name].column for name in ("started_at", "ended_at") if name in best]
    yield from clues.ids(columns, times)
    yield from clues.constants(columns)
    yield from clues.recordings(columns)


def _possible(one: Candidate, site: SiteHints) -> bool:
    """A record id must tell records apart, else calls would be lost as repetitions; a length must be one."""
    column = one.column
    if one.field == "record_id":
        return column.filled == len(column.texts) == len(column.distinct) and not column.is_time
    if one.field == "call_id":
        return not column.is_time and (len(column.distinct) > 1 or len(column.texts) < 3)
    if one.field in LENGTHS:
        return column.is_length
    if one.field == "extension":
        return any(site.is_extension(clues.party_of(text)) for text in column.texts)
    return not column.is_time
