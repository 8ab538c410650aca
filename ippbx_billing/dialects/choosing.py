"""Which dialect a document is written in, and where its records are.

The one idea: a dialect recognises a document by marks, names and words that are its own; the best match wins, and
a tie between strangers is a problem for the operator, not a guess.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ippbx_billing.calls import Problem
from ippbx_billing.dialects.definition import Dialect, Mark, Words
from ippbx_billing.dialects.evidence import Evidence, Seen
from ippbx_billing.dialects.plan import MOST_PLANS, ReadingPlan, could_be, first_said, plan_by_values, plan_for
from ippbx_billing.dialects.record import Path, Record
from ippbx_billing.dialects.view import DocumentView, Facts, records_at, unwrapped, view_of

MOST_WRAPPERS = 3
LOOKED_AT = 3  # records of a batch that are looked at to recognise its dialect
MOST_DECISIONS = 1_024
LARGEST_DECISION = 8_000  # characters of evidence; one sender's records need a tenth of it


class Decision(NamedTuple):
    """How documents of one evidence are read: with which dialect, where their records are, each by which plan."""

    dialect: Dialect
    path: Path | None
    plans: tuple[ReadingPlan, ...]


class Dialects(Mapping[str, Dialect]):
    """The known dialects by name, in order."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = dict(sorted(dialects.items()))
        self._candidates: dict[tuple[str, ...], tuple[Dialect, ...]] = {}
        self._decisions: dict[tuple[str, Seen], Decision] = {}
        self.evidence = Evidence(self._dialects.values())

    def __getitem__(self, name: str) -> Dialect:
        return self._dialects[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dialects)

    def __len__(self) -> int:
        return len(self._dialects)

    def without(self, *names: str) -> "Dialects":
        """The others, for the question what would be understood without these."""
        return Dialects({name: one for name, one in self._dialects.items() if name not in names})

    def decided(self, chosen: str, evidence: Seen) -> "Decision | None":
        """What was decided for documents with this evidence."""
        return self._decisions.get((chosen, evidence))

    def decide(self, chosen: str, evidence: Seen, decision: "Decision") -> None:
        """Remember it for the next such document."""
        if len(repr(evidence)) > LARGEST_DECISION:
            return
        if len(self._decisions) >= MOST_DECISIONS:
            self._decisions.clear()
        self._decisions[chosen, evidence] = decision

    def candidates(self, document: Mapping[str, Any]) -> tuple[Dialect, ...]:
        """The dialects that can recognise a document with these names, specific ones first."""
        shape = tuple(document)
        found = self._candidates.get(shape)
        if found is None:
            if len(self._candidates) >= MOST_PLANS:
                self._candidates.clear()
            possible = [one for one in self._dialects.values() if could_be(one, document)]
            found = self._candidates[shape] = tuple(sorted(possible, key=lambda one: one.generic))
        return found


def choose(document: Mapping[str, Any], dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | Problem:
    """How a document is to be read: by the chosen dialect if it fits, with `auto` by the best match.

    What was decided once holds for every document with the same evidence; a problem is always looked at anew.
    """
    evidence = dialects.evidence.of(document, facts)
    if evidence is None:
        return choose_anew(document, dialects, chosen, facts)
    decided = dialects.decided(chosen, evidence)
    if decided is not None:
        return _as_decided(decided, document, facts)
    view = choose_anew(document, dialects, chosen, facts)
    if isinstance(view, DocumentView) and view.document is document:
        plans = tuple(plan_by_values(view.dialect, record) for record in view.records)
        dialects.decide(chosen, evidence, Decision(view.dialect, view.path, plans))
    return view


def _as_decided(decided: Decision, document: Mapping[str, Any], facts: Facts) -> DocumentView:
    """The document in the dialect of its like, its records with the plans of theirs; none has texts to be opened."""
    records = records_at(decided.path, decided.dialect, document, facts)
    for record, plan in zip(records, decided.plans, strict=True):
        record.plan = plan
    return DocumentView(decided.dialect, document, records)


def choose_anew(document: Mapping[str, Any], dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | Problem:
    """The same without the memory.

    A document that nobody knows may be a wrapper around one that somebody does; and what is plain to a generic
    dialect may, unwrapped, be known to a specific one.
    """
    found = _fitting(document, dialects, chosen, facts)
    inner: Mapping[str, Any] | None = document
    for _ in range(MOST_WRAPPERS):
        inner = unwrapped(inner) if inner and (isinstance(found, Problem) or _is_vague(found)) else None
        if inner is None:
            break
        again = _fitting(inner, dialects, chosen, facts)
        if isinstance(again, DocumentView) and not (isinstance(found, DocumentView) and again.dialect.generic):
            return again
    return found


def _is_vague(view: DocumentView) -> bool:
    return view.dialect.generic and view.path is not None


def _fitting(document: Mapping[str, Any], dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | Problem:
    """The document as it stands, in the chosen dialect or the one that fits best."""
    if chosen == "auto":
        return _best(document, dialects, facts)
    dialect = dialects.get(chosen)
    if dialect is None:
        return Problem(f"there is no dialect {chosen!r}; known are {', '.join(dialects)}")
    view = view_of(dialect, document, facts)
    if weight(view, facts):
        return view
    other = _best(document, dialects, facts)
    hint = f"; the dialect {other.dialect.name} would fit" if isinstance(other, DocumentView) else ""
    return Problem(f"the body does not fit the dialect {chosen}: {_lack(view, facts)}{hint}")


def _best(document: Mapping[str, Any], dialects: Dialects, facts: Facts) -> DocumentView | Problem:
    best: list[DocumentView] = []
    heaviest = 0
    for one in dialects.candidates(document):
        if one.generic and best and not best[0].dialect.generic:
            break  # a generic dialect steps back when a specific one knows the body
        view = view_of(one, document, facts)
        found = weight(view, facts)
        if found and found >= heaviest:
            best, heaviest = [*best, view] if found == heaviest else [view], found
    if not best:
        return Problem(f"no dialect knows this body; its names are {_names(document)}")
    if len(best) > 1:
        best = _broken_tie(best)
    if len(best) == 1:
        return best[0]
    names = ", ".join(view.dialect.name for view in best)
    return Problem(f"the body fits several dialects equally well: {names}; choose one of them in the settings")


def _broken_tie(best: list[DocumentView]) -> list[DocumentView]:
    """More fields of ours found, then the site's own dialect before a packaged one, then any of one family."""
    most = max(map(_mapped, best))
    best = [view for view in best if _mapped(view) == most]
    best = [view for view in best if view.dialect.own] or best
    families = {view.dialect.family for view in best}
    return best[:1] if len(families) == 1 and families != {""} else best


def _mapped(view: DocumentView) -> int:
    """How many of our fields the first record gives."""
    return sum(
        any(source.texts(record) for source in sources)
        for record in view.records[:1]
        for sources in view.dialect.sources.values()
    )


def _names(document: Mapping[str, Any]) -> str:
    shown = [str(name)[:40].encode("utf-8", "replace").decode() for name in list(document)[:8]]
    return ", ".join(shown) + (", …" if len(document) > 8 else "") if shown else "none"


# -- recognising


def weight(view: DocumentView, facts: Facts) -> int:
    """How well a document shows a dialect's marks, itself or in its first records; 0 when it is not recognised."""
    records = view.records[:LOOKED_AT]
    if len(records) != 1 or records[0].body is not view.document or view.dialect.within:
        records = [Record(view.document, facts=facts), *records]
    heaviest = 0
    for record in records:
        for mark in plan_for(view.dialect, record).marks:
            heaviest = max(heaviest, _weight(mark, view.dialect, record))
    return heaviest


def _weight(mark: Mark, dialect: Dialect, record: Record) -> int:
    if not mark.when.holds(record):
        return 0
    present = 0
    for path in mark.any_of:
        present += record.has(path)
    if (mark.any_of and not present) or (mark.fields and not _says(mark, dialect, record)):
        return 0
    return mark.weight + present + len(mark.fields)


def _says(mark: Mark, dialect: Dialect, record: Record) -> bool:
    """Whether a record holds one field out of each group."""
    plan = plan_for(dialect, record)
    return all(any(first_said(plan, record, name) is not None for name in group) for group in mark.fields)


def _lack(view: DocumentView, facts: Facts) -> str:
    """What the dialect would need to see."""
    record = Record(view.document, facts=facts)
    wanted: list[str] = []
    for mark in view.dialect.marks:
        wanted += [".".join(path.names) for path in mark.when.present if not record.has(path)]
        wanted += [".".join(path.names) for path, words in mark.when.said if not _any_in(words, record.texts(path))]
        wanted += [" or ".join(group) for group in mark.fields]
    return f"it looks for {', '.join(dict.fromkeys(wanted))}" if wanted else "none of its marks is there"


def _any_in(words: Words, texts: list[str]) -> bool:
    return any(text in words for text in texts)
