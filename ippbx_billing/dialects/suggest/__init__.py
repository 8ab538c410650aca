"""Bodies that no dialect knows -> a proposal for a dialect, each field with its evidence.

    suggestion = suggest(events, known=load(), zone=zone, is_extension=numbering.is_extension)
    suggestion.proposals, suggestion.as_toml("mine")

The one idea: two witnesses, heard apart. `names` says what a name means elsewhere, `clock` and `clues` what the
values do over all records. They are weighed together, and where values contradict a name the values win.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from ippbx_billing.calls import Classification, EventKind, LineKind, RawEvent
from ippbx_billing.dialects import PACKAGED, Dialect
from ippbx_billing.dialects.bodies import open_body
from ippbx_billing.dialects.definition import common_words
from ippbx_billing.dialects.suggest.clues import SiteHints
from ippbx_billing.dialects.suggest.columns import RecordLayout, Shape, columns, shapes
from ippbx_billing.dialects.suggest.evidence import EvidenceSentence, said
from ippbx_billing.dialects.suggest.names import Names, Synonyms, synonyms_of
from ippbx_billing.dialects.suggest.weighing import Candidate, Witnesses, weigh
from ippbx_billing.dialects.suggest.writing import dialect_toml
from ippbx_billing.language.reasons import sentence

__all__ = ["EvidenceSentence", "FieldProposal", "Proposal", "Suggestion", "suggest", "synonyms_of"]


TIMES = ("started_at", "answered_at", "ended_at")


@dataclass(frozen=True, slots=True)
class FieldProposal:
    """One field of a call, the path proposed for it, and what speaks for it; alternatives are the next best paths."""

    field: str
    path: str
    example: str
    score: float
    evidence: tuple[EvidenceSentence, ...]
    unit: str = "s"
    words: tuple[tuple[str, str], ...] = ()
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for records of one make: findings by field, doubts, and the paths that are left over."""

    layouts: tuple[RecordLayout, ...]
    records: int
    findings: tuple[FieldProposal, ...]
    doubts: tuple[EvidenceSentence, ...]
    left_over: tuple[str, ...]
    always: tuple[str, ...]

    @property
    def paths(self) -> dict[str, str]:
        """Our fields with the path proposed for each."""
        return {one.field: one.path for one in self.findings}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every path of these records."""
        return (*self.paths.values(), *self.left_over)

    @property
    def is_usable(self) -> bool:
        """Whether a dialect made of it could read a call: a time, and a number."""
        return bool({*TIMES} & set(self.paths)) and bool({"caller", "callee"} & set(self.paths))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposal for each make of record in the bodies, the most numerous first, and what could not be opened."""

    proposals: tuple[Proposal, ...]
    problems: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Proposal, ...]:
        """The proposals that could read a call."""
        return tuple(one for one in self.proposals if one.is_usable)

    def as_toml(self, name: str) -> str:
        """The dialect file, its comments holding the evidence; of the usable proposals, if there are any."""
        return dialect_toml(name, self.usable or self.proposals)


def suggest(
    bodies: Sequence[RawEvent | bytes],
    *,
    known: Mapping[str, Dialect],
    zone: tzinfo,
    is_extension: Callable[[str], bool],
    classify: Callable[[str], Classification] | None = None,
    synonyms: Synonyms | None = None,
    use_names: bool = True,
    use_values: bool = True,
) -> Suggestion:
    """Propose a dialect for these bodies; never raises for what they hold.

    `known` are the dialects whose names serve as synonyms; `synonyms` takes the place of their names. `classify` says
    whether a text is a number of the numbering plan; without it, any seven to fifteen digits are.
    """
    opened = [open_body(_event(body)) for body in bodies]
    documents = [document for one in opened for document in one.documents if document]
    names = Names(synonyms_of(known) if synonyms is None else synonyms) if use_names else None
    site = _site(is_extension, classify) if use_values else None
    proposals = [_proposal(shape, zone, names, site) for shape in shapes(documents, zone)]
    problems = dict.fromkeys(sentence(problem.told) for one in opened for problem in one.problems)
    return Suggestion(tuple(proposals), tuple(problems))


def _proposal(shape: Shape, zone: tzinfo, names: Names | None, site: SiteHints | None) -> Proposal:
    table = columns(shape.rows, zone)
    findings = tuple(_finding(name, ranked) for name, ranked in weigh(Witnesses(table, names, site)).items())
    records = len(table[0].texts) if table else 0
    used = {one.path for one in findings}
    return Proposal(
        layouts=shape.layouts,
        records=records,
        findings=findings,
        doubts=tuple(_doubts({one.field for one in findings}, records)),
        left_over=tuple(one.path for one in table if one.path not in used),
        always=tuple(one.path for one in table if one.filled == len(one.texts)),
    )


def _finding(name: str, ranked: Sequence[Candidate]) -> FieldProposal:
    best, *others = ranked
    return FieldProposal(
        field=name,
        path=best.column.path,
        example=best.column.example,
        score=round(best.score, 2),
        evidence=best.evidence,
        unit=best.unit,
        words=best.words,
        alternatives=tuple(dict.fromkeys(one.column.path for one in others if one.column is not best.column))[:3],
    )


def _event(body: RawEvent | bytes) -> RawEvent:
    if isinstance(body, RawEvent):
        return body
    return RawEvent(0, datetime(1970, 1, 1, tzinfo=UTC), EventKind.CDR, "", "POST", "/", "", "", body)


def _site(
    is_extension: Callable[[str], bool],
    classify: Callable[[str], Classification] | None,
) -> SiteHints:
    def is_number(number: str) -> bool:
        digits = number.removeprefix("+")
        if classify is None or not 3 <= len(digits) <= 20 or not digits.isdigit():
            return digits.isdigit() and 7 <= len(digits) <= 15
        return classify(number).line_kind is not LineKind.UNKNOWN

    words = common_words(PACKAGED)
    return SiteHints(is_extension, is_number, {name: words[name].meaning for name in ("direction", "disposition")})


def _doubts(found: set[str], records: int) -> Iterator[EvidenceSentence]:
    """What an engineer should know before trusting the proposal."""
    if not found & {*TIMES}:
        yield said("no column holds a time, so these may not be call records")
    if not found & {"caller", "callee"}:
        yield said("no column holds the numbers of a call")
    if records < 3:
        yield said(
            "only {count} different records: more of them prove more, best with an unanswered one", count=records
        )
    if "billed_s" not in found and not {"answered_at", "ended_at"} <= found:
        yield said("no talk time was found: the whole duration would be billed")
