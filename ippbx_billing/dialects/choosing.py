"""Which dialect a document is written in, and where its records are.

The one idea: a dialect recognises a document by marks, names and words that are its own, and is believed if it explains
what stands there: times, parties, talk and outcome, as much of them as the common names do. The best match wins, and
a tie between strangers is a problem for the operator, not a guess.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ippbx_billing.calls import Problem, Reason
from ippbx_billing.dialects.definition import Dialect, Mark, Words
from ippbx_billing.dialects.evidence import Evidence, Seen
from ippbx_billing.dialects.explaining import explains
from ippbx_billing.dialects.habits import ReadingHabits
from ippbx_billing.dialects.plan import MOST_PLANS, ReadingPlan, could_be, first_said, plan_by_values, plan_for
from ippbx_billing.dialects.proving import proven
from ippbx_billing.dialects.record import Path, Record
from ippbx_billing.dialects.tables import CSV_ROW
from ippbx_billing.dialects.view import DocumentView, Facts, records_at, unwrapped, view_of

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
        self.habits = ReadingHabits(self.evidence)

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
    return DocumentView(decided.dialect, document, records, decided=decided, path=decided.path)


def choose_anew(document: Mapping[str, Any], dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | Problem:
    """The same without the memory.

    A document that nobody knows may be a wrapper around one that somebody does; and what is plain to a generic
    dialect may, unwrapped, be known to a specific one.
    """
    found = _fitting(document, dialects, chosen, facts)
    if isinstance(found, Problem) and CSV_ROW in document:
        return _proven(document[CSV_ROW], dialects, chosen, facts) or found
    if isinstance(found, DocumentView) and not _is_vague(found):
        return found
    for level in unwrapped(document):
        views = [view for inner in level if isinstance(view := _fitting(inner, dialects, chosen, facts), DocumentView)]
        if isinstance(found, DocumentView):
            views = [view for view in views if not view.dialect.generic]
        if len(views) == 1:
            return views[0]
        if views:
            break  # several side by side: nobody knows which of them the call is
    return found


def _proven(cells: object, dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | None:
    """A line that no dialect knows, in the common names that its values prove."""
    plain = next((one for one in dialects.values() if one.generic), None)
    if plain is None or not isinstance(cells, list):
        return None
    named = proven(cells, lambda said: plain.disposition_words.meaning(said) is not None)
    view = _fitting(named, dialects, chosen, facts) if named else None
    return view._replace(notes=(*view.notes, Reason("columns-proven"))) if isinstance(view, DocumentView) else None


def _is_vague(view: DocumentView) -> bool:
    return view.dialect.generic and view.path is not None


def _fitting(document: Mapping[str, Any], dialects: Dialects, chosen: str, facts: Facts) -> DocumentView | Problem:
    """The document as it stands, in the chosen dialect or the one that fits best."""
    if chosen == "auto":
        return _best(document, dialects, facts)
    dialect = dialects.get(chosen)
    if dialect is None:
        return Problem(Reason("no-such-dialect", {"dialect": chosen, "known": ", ".join(dialects)}))
    view = view_of(dialect, document, facts)
    if weight(view, facts):
        return view
    other = _best(document, dialects, facts)
    found = {"dialect": chosen, "wanted": _lack(view, facts)}
    if isinstance(other, DocumentView):
        return Problem(Reason("other-dialect-fits", {**found, "other": other.dialect.name}))
    return Problem(Reason("dialect-does-not-fit", found))


def _best(document: Mapping[str, Any], dialects: Dialects, facts: Facts) -> DocumentView | Problem:
    views = [(view, weight(view, facts)) for view in _views(document, dialects, facts)]
    found = [(view, heavy) for view, heavy in views if heavy]
    plain = next((view for view, _ in found if view.dialect.generic), None)
    specific = [one for one in found if not one[0].dialect.generic]
    if plain is not None and len(specific) > 0:
        specific = [one for one in specific if one[0].dialect.own or explains(one[0], plain)]
    best = _heaviest(specific) or _heaviest([one for one in found if one[0].dialect.generic])
    if not best:
        return Problem(Reason("no-dialect", {"names": _names(document)}))
    if len(best) > 1:
        best = _broken_tie(best)
    if len(best) == 1:
        return best[0]
    names = ", ".join(view.dialect.name for view in best)
    return Problem(Reason("several-dialects", {"dialects": names}))


def _views(document: Mapping[str, Any], dialects: Dialects, facts: Facts) -> Iterator[DocumentView]:
    return (view_of(one, document, facts) for one in dialects.candidates(document))


def _heaviest(found: list[tuple[DocumentView, int]]) -> list[DocumentView]:
    heaviest = max((heavy for _, heavy in found), default=0)
    return [view for view, heavy in found if heavy == heaviest]


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
    return ", ".join(shown) + (", …" if len(document) > 8 else "")


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
    """What the dialect would need to see; empty where none of its marks names anything."""
    record = Record(view.document, facts=facts)
    wanted: list[str] = []
    for mark in view.dialect.marks:
        wanted += [".".join(path.names) for path in mark.when.present if not record.has(path)]
        wanted += [".".join(path.names) for path, words in mark.when.said if not _any_in(words, record.texts(path))]
        wanted += [" or ".join(group) for group in mark.fields]
    return ", ".join(dict.fromkeys(wanted))


def _any_in(words: Words, texts: list[str]) -> bool:
    return any(text in words for text in texts)
