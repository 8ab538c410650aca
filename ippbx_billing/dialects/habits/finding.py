"""Where in a template our fields stand, found once for all bodies of one shape whose words come to the same.

The one idea: the record of a template has slots for values, and the sources of a dialect lead to slots in it as they
lead to values in a true record. What has to be worked out of several slots, or by a pattern, gets a slot of its own.

    spots = Spots(template, key, record, plan)
    spots.of("caller")     -> Spot(place=4, source=…)     # None where the record never says it
    spots.derived          # what to add to the values of a body, in order
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from ippbx_billing.dialects import values
from ippbx_billing.dialects.definition import Source
from ippbx_billing.dialects.habits.templates import Key, Said, Slot, Template
from ippbx_billing.dialects.plan import AROUND, ReadingPlan, ReadingStep
from ippbx_billing.dialects.record import Path, Record
from ippbx_billing.dialects.values import text

IsExtension = Callable[[str], bool]
Derive = Callable[[Said, IsExtension], str | None]


class NotHabitualError(ValueError):
    """A field that has to be read with care each time."""


class Spot(NamedTuple):
    """Where the preferred value of a field is, by which source, and whether there are others for when it fails."""

    place: int
    source: Source
    alone: bool


class Spots:
    """Finds the slots of fields in a record whose values are slots."""

    def __init__(self, template: Template, key: Key, record: Record, plan: ReadingPlan) -> None:
        self._silent = {word.place for word, evidence in zip(template.words, key, strict=True) if evidence is None}
        self._record, self._plan, self.slots = record, plan, template.slots
        self.derived: list[Derive] = []

    def of(self, name: str) -> Spot | None:
        """Where a field's preferred value stands; raises NotHabitualError."""
        steps = self._plan.steps.get(name, ())
        if not steps:
            return None
        first = steps[0].source
        if first.unless_extension or first.only_extension:
            return Spot(self._add(self._first_that_fits(steps)), first, alone=False)
        place, alone = self._place(steps[0])
        return Spot(place, first, alone and len(steps) == 1)

    def _first_that_fits(self, steps: tuple[ReadingStep, ...]) -> Derive:
        """The first value that is an extension, or is none, where its source asks for that."""
        places = [(self._place(step), step.source) for step in steps]
        if not all(alone for (_, alone), _ in places):
            raise NotHabitualError
        candidates = [(place, source.unless_extension, source.only_extension) for (place, _), source in places]

        def first(said: Said, is_extension: IsExtension) -> str | None:
            for place, unless, only in candidates:
                found = said[place]
                if found is None or (unless and is_extension(found)):
                    continue
                if only and not is_extension(values.number(found) or ""):
                    continue
                return found
            return None

        return first

    def _place(self, step: ReadingStep) -> tuple[int, bool]:
        """Where the first text of a step stands, and whether it is the only one."""
        source = step.source
        if source.joined:
            return self._joined((source.path, *source.joined)), True
        if step.key is not None:
            value = (self._record.around if step.scope == AROUND else self._record.scopes[step.scope])[step.key]
            found = self._speaking(value if isinstance(value, list) else [value])
        else:
            found = self._at(source.path)
        if not found:
            raise NotHabitualError
        if source.pattern is None:
            return found[0], len(found) == 1
        if len(found) > 1:
            raise NotHabitualError
        return self._add(_part(found[0], source)), True

    def _at(self, path: Path) -> list[int]:
        found = self._speaking(self._record.values(path))
        if path.place is None:
            return found
        which, of = path.place
        return [found[which - 1]] if len(found) == of else []

    def _joined(self, paths: tuple[Path, ...]) -> int:
        parts = [self._at(path) for path in paths]
        if not all(parts):
            raise NotHabitualError
        places = [part[0] for part in parts]
        return self._add(lambda said, _: " ".join(said[place] or "" for place in places))

    def _speaking(self, found: list[Any]) -> list[int]:
        """The slots of those values that say something, in the bodies of this key."""
        return [place for value in found if (place := self._speaking_slot(value)) is not None]

    def _speaking_slot(self, value: Any) -> int | None:
        if isinstance(value, Slot):
            return None if value.place in self._silent else value.place
        if isinstance(value, bool | str):
            said = text(value)
            return None if said is None else self._add(lambda *_: said)
        if value is None or isinstance(value, dict | list):
            return None
        raise NotHabitualError  # nobody was to ask for it

    def _add(self, derive: Derive) -> int:
        self.derived.append(derive)
        return self.slots + len(self.derived) - 1


def _part(place: int, source: Source) -> Derive:
    """The group of a source's pattern in a text."""
    assert source.pattern is not None
    search = source.pattern.search

    def part(said: Said, _: IsExtension) -> str | None:
        match = search(said[place] or "")
        return (match[1] or None) if match else None

    return part
