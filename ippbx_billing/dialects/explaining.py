"""Whether a dialect explains a document as well as the common names do.

The one idea: names that one maker's records share with everybody's recognise little. A dialect that passes over the
end, the answer, the talk or the outcome, where the common names find it, has taken a stranger for its own; and a record
that tells a whole call is a call, whatever event it names.

    explains(view_of(yeastar, document, facts), view_of(uc, document, facts))
"""

from ippbx_billing.dialects.definition import Source
from ippbx_billing.dialects.plan import ReadingPlan, is_whole, kind_of, plan_for, said_by
from ippbx_billing.dialects.record import Path, Record
from ippbx_billing.dialects.view import DocumentView

LOOKED_AT = 3  # records of a batch
# What decides a call and its fee; a dialect may find each of them under any of these fields of ours.
FACTS: dict[str, tuple[str, ...]] = {
    "start": ("started_at",),
    "answer": ("answered_at",),
    "end": ("ended_at",),
    "caller": ("caller", "extension", "number"),
    "callee": ("callee", "extension", "number"),
    "talk": ("billed_s",),
    "length": ("duration_s", "unclear_s"),
    "outcome": ("disposition",),
}
MADE_UP_FOR = {"length": ("ended_at", "billed_s"), "outcome": ("answered_at", "billed_s")}  # tell as much
PLAIN = {"caller": ("caller",), "callee": ("callee",)}  # by which names the common reading knows a fact for sure


def explains(view: DocumentView, plain: DocumentView) -> bool:
    """Whether a dialect's view accounts for all that the common names find in the same records."""
    if len(view.records) != len(plain.records):
        return len(view.records) > len(plain.records) or not any(one.is_whole for one in _read(plain))
    return all(_explains(*pair) for pair in zip(_read(view), _read(plain), strict=True))


class Sayings:
    """What one record says by a dialect: of each field the sources that say something, and what it is."""

    def __init__(self, view: DocumentView, record: Record) -> None:
        self.plan: ReadingPlan = plan_for(view.dialect, record)
        self.record = record
        self.is_call = "cdr" in kind_of(view.dialect, self.plan, record)[0]
        self.is_whole = self.is_call and is_whole(self.plan, record)

    def sources(self, *fields: str) -> list[Source]:
        """The sources of these fields that say something."""
        steps = [step for field in fields for step in self.plan.steps.get(field, ())]
        return [step.source for step in steps if said_by(step, self.record)]

    def paths(self) -> set[Path]:
        """Every place that any field is taken from, or could be."""
        return {path for name in self.plan.steps for one in self.sources(name) for path in (one.path, *one.joined)}


def _read(view: DocumentView) -> list[Sayings]:
    return [Sayings(view, record) for record in view.records[:LOOKED_AT]]


def _explains(own: Sayings, plain: Sayings) -> bool:
    if not plain.is_call:
        return True
    if not own.is_call:
        return not plain.is_whole
    seen: set[Path] | None = None
    for fact, fields in FACTS.items():
        told = plain.sources(*PLAIN.get(fact, fields))
        if not told or (fact != "talk" and own.sources(*fields, *MADE_UP_FOR.get(fact, ()))):
            continue
        seen = own.paths() if seen is None else seen
        if not any(path in seen for path in (told[0].path, *told[0].joined)):
            return False
    return True
