"""What of a dialect can apply to records of one shape; worked out once, then used for every such record.

The one idea: one sender's records have the same names again and again. A source or rule that asks for a name which
is not there can never apply, and a plain name needs no search: its key is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ippbx_billing.dialects.definition import Condition, Dialect, Mark, Rule, Source
from ippbx_billing.dialects.record import Path, Record, could_lead, keys_of, names_of
from ippbx_billing.dialects.tables import LINE
from ippbx_billing.dialects.values import fold, text

MOST_PLANS = 256  # for one dialect; strangers' shapes must not fill the memory

Shape = tuple[tuple[str, ...], ...]


AROUND = -1  # the scope that is the document around the record


class ReadingStep(NamedTuple):
    """One source that can apply, and its key in a scope of the record, or around it, where it is a plain name."""

    source: Source
    scope: int = 0
    key: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """The sources and rules of a dialect that can apply to one shape of record."""

    marks: tuple[Mark, ...]
    steps: Mapping[str, tuple[ReadingStep, ...]]
    kinds: tuple[Rule, ...]
    directions: tuple[Rule, ...]
    dispositions: tuple[Rule, ...]
    twins: tuple[Rule, ...]


def plan_for(dialect: Dialect, record: Record) -> ReadingPlan:
    """The plan for a record, remembered with its dialect; a record belongs to one dialect only."""
    if record.plan is not None:
        return record.plan  # type: ignore[no-any-return]
    shape = record.shape()
    plan = dialect.plans.get(shape)
    if plan is None:
        if len(dialect.plans) >= MOST_PLANS:
            dialect.plans.clear()
        plan = dialect.plans[shape] = _planned(dialect, record)
    record.plan = plan
    return plan


def plan_by_values(dialect: Dialect, record: Record) -> ReadingPlan:
    """The plan for a record and all of the same evidence: what holds in it, and the sources that say something."""
    plan = plan_for(dialect, record)

    def holding(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        first = next((rule for rule in rules if rule.when.holds(record)), None)
        return () if first is None else (first._replace(when=Condition()),)

    return ReadingPlan(
        marks=plan.marks,
        steps={
            name: tuple(_plainer(step, record) for step in steps if said_by(step, record))
            for name, steps in plan.steps.items()
        },
        kinds=holding(plan.kinds),
        directions=holding(plan.directions),
        dispositions=holding(plan.dispositions),
        twins=holding(plan.twins),
    )


def _plainer(step: ReadingStep, record: Record) -> ReadingStep:
    """A step whose condition is known to hold, and whose name has one place in the record, needs no search."""
    source = step.source
    if step.key is not None or source.pattern or source.joined or not _is_plain(source.path, "", "^"):
        return step
    name = source.path.names[0]
    keys = _keys(record, name) if not source.path.origin else [(AROUND, key) for key in keys_of(record.around, name)]
    return ReadingStep(source, *keys[0]) if len(keys) == 1 else step


def said_by(step: ReadingStep, record: Record) -> list[str]:
    """What the record says at a step, each value that says something."""
    if step.key is None:
        return step.source.texts(record)
    value = (record.around if step.scope == AROUND else record.scopes[step.scope])[step.key]
    if not isinstance(value, str):
        return step.source.texts(record)
    said = text(value)
    return [] if said is None else [said]


def first_said(plan: ReadingPlan, record: Record, name: str) -> str | None:
    """The preferred text of a field."""
    for step in plan.steps.get(name, ()):
        if said := said_by(step, record):
            return said[0]
    return None


def kind_of(dialect: Dialect, plan: ReadingPlan, record: Record) -> tuple[str, str]:
    """What a record is, by the first rule that holds, and why; one that fits no rule is a CDR.

    By common names a record that tells a whole call is one, whatever state or event it names.
    """
    rule = next((one for one in plan.kinds if one.when.holds(record)), None)
    if rule is None or (rule.then == "status" and dialect.generic and is_whole(plan, record)):
        return "cdr", ""
    return rule.then, rule.because


def is_whole(plan: ReadingPlan, record: Record) -> bool:
    """Whether a record tells both parties of a call, when it was, and how long it lasted."""

    def tells(*names: str) -> bool:
        return any(first_said(plan, record, name) is not None for name in names)

    lasted = (tells("started_at") and tells("ended_at")) or (
        tells("started_at", "ended_at") and tells("billed_s", "duration_s", "unclear_s")
    )
    return lasted and tells("caller") and tells("callee")


def _planned(dialect: Dialect, record: Record) -> ReadingPlan:
    names = frozenset(name for scope in record.scopes for name in names_of(scope))

    def possible(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if could_hold(rule.when, names))

    return ReadingPlan(
        marks=tuple(mark for mark in dialect.marks if could_show(mark, names)),
        steps={field: steps for field, sources in dialect.sources.items() if (steps := _steps(sources, record, names))},
        kinds=possible(dialect.kinds),
        directions=possible(dialect.directions),
        dispositions=possible(dialect.dispositions),
        twins=possible(dialect.twins),
    )


def _steps(sources: tuple[Source, ...], record: Record, names: frozenset[str]) -> tuple[ReadingStep, ...]:
    steps: list[ReadingStep] = []
    for source in sources:
        if not could_lead(source.path, names) or (source.when is not None and not could_hold(source.when, names)):
            continue
        if _is_plain(source.path, "") and (source.when, source.pattern, source.joined) == (None, None, ()):
            steps += [ReadingStep(source, scope, key) for scope, key in _keys(record, source.path.names[0])]
        else:
            steps.append(ReadingStep(source))
    return tuple(steps)


def _is_plain(path: Path, *origins: str) -> bool:
    """Whether a path is one name, looked for in one of these: the record itself, or what is around it."""
    return len(path.names) == 1 and path.origin in origins and path.place is None and "*" not in path.names[0]


def _keys(record: Record, name: str) -> list[tuple[int, str]]:
    return [(place, key) for place, scope in enumerate(record.scopes) for key in names_of(scope).get(name, ())]


def could_hold(condition: Condition, names: frozenset[str]) -> bool:
    """Whether a condition can hold in a record with these folded names."""
    return all(could_lead(path, names) for path, _ in condition.said) and all(
        could_lead(path, names) for path in condition.present
    )


def could_show(mark: Mark, names: frozenset[str]) -> bool:
    """Whether a mark can show in a document with these folded names."""
    return could_hold(mark.when, names) and (not mark.any_of or any(could_lead(path, names) for path in mark.any_of))


def could_be(dialect: Dialect, document: Mapping[str, object]) -> bool:
    """Whether a dialect can recognise a document with these names at all."""
    names = frozenset(fold(name) for name in document)
    return (
        any(could_show(mark, names) for mark in dialect.marks)
        or any(could_lead(path, names) for path in dialect.record_paths)
        or any(name in names for name in dialect.opened)
        or bool(dialect.layouts and LINE in names)
    )
