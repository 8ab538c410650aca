"""What of a document decides how it is read, so that the decision need be made once.

The one idea: a dialect looks at the names of a document, at which of its values say something, and at the words under
a few names. Two documents that are equal in all of that are read in the same way, whatever their numbers and times
are; so that part of a document, its evidence, is what decisions are remembered by.

    evidence = Evidence(dialects.values())
    evidence.of({"sn": "db01", "cdr": [{"src": "8001"}]}, {"path": "cdr"})

Where the evidence would be large, or lies inside a text that has yet to be opened, there is none.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any, NamedTuple

from ippbx_billing.dialects.definition import Condition, Dialect, Source
from ippbx_billing.dialects.record import Path
from ippbx_billing.dialects.tables import CSV_ROW, LINE
from ippbx_billing.dialects.values import fold, text

MOST_SHAPES = 256  # of objects, whose names are looked up once
MOST_WORDS = 1_024  # that were compared under one name
MOST_NAMES = 100  # in one object
MOST_MEMBERS = 8  # of one list; a long list shares one decision among its records anyway
DEEPEST = 6
DELIVERED = "@"  # begins the name of what the delivery says beside its body

Seen = tuple[Any, ...]
Test = Callable[[str], bool]


class TooMuch(Exception):
    """The document is larger, or less open, than what is worth remembering; its decision is made each time."""


class Heed(NamedTuple):
    """What is asked of the values under a name: which tests its words pass, and whether they may hold a document.

    Without `answers` all that counts is whether a value says something.
    """

    answers: Callable[[str], object] | None
    opened: bool


class Evidence:
    """Finds the evidence in documents, for a set of dialects."""

    def __init__(self, dialects: Iterable[Dialect]) -> None:
        self._asked: dict[str, list[Test]] = {}
        self._opened: set[str] = set()
        self._heed_of: dict[str, Heed | None] = {}
        for dialect in dialects:
            self._opened.update(dialect.opened)
            for path, test in _asked(dialect):
                tests = self._asked.setdefault(_last(path), [])
                if test is not None:
                    tests.append(test)
        self._wild = [(re.compile(translate(name)), name) for name in self._asked if "*" in name]
        self._heeds = lru_cache(MOST_SHAPES)(self._heeds_for)
        self._delivered = lru_cache(MOST_SHAPES)(self._delivery)

    def of(self, document: Mapping[str, Any], facts: Mapping[str, str]) -> Seen | None:
        """All that the reading can depend on but numbers, times and texts; None where it is too much to remember."""
        if LINE in document or CSV_ROW in document:
            return None
        try:
            return (self._delivered(tuple(facts.items())), self._object(document, DEEPEST))
        except TooMuch:
            return None

    def heed(self, name: str) -> Heed | None:
        """What is asked of the values under a name of a document; None where nobody looks at them."""
        return self._heed(fold(name))

    def _delivery(self, facts: tuple[tuple[str, str], ...]) -> Seen:
        """The evidence in what the delivery says; one sender's says the same each time."""
        return self._object({DELIVERED + name: value for name, value in facts}, 1)

    def _object(self, node: Mapping[str, Any], depth: int) -> Seen:
        if len(node) > MOST_NAMES or not depth:
            raise TooMuch
        names = tuple(node)
        # What begins with 1 to 9, as times and most numbers do, says something.
        return (
            names,
            *[
                True
                if heed is not None and isinstance(value, str) and "1" <= value < ":" and heed.answers is None
                else self._value(value, heed, depth)
                for value, heed in zip(node.values(), self._heeds(names), strict=True)
            ],
        )

    def _value(self, value: object, heed: Heed | None, depth: int) -> object:
        if isinstance(value, str):
            return None if heed is None else evidence_of(value, heed)
        if isinstance(value, dict):
            return self._object(value, depth - 1)
        if isinstance(value, list):
            if len(value) > MOST_MEMBERS or not depth:
                raise TooMuch
            return ("list", *[self._value(one, heed, depth - 1) for one in value])
        return text(value)

    def _heeds_for(self, names: tuple[str, ...]) -> tuple[Heed | None, ...]:
        return tuple(self._heed(name if name.startswith(DELIVERED) else fold(name)) for name in names)

    def _heed(self, name: str) -> Heed | None:
        """What is asked of the values under a folded name; None where nobody looks at them."""
        asked = [name, *(wild for pattern, wild in self._wild if pattern.match(name))]
        if not any(one in self._asked for one in asked) and name not in self._opened:
            return None
        tests = [test for one in asked for test in self._asked.get(one, ())]
        return Heed(_answers(tests) if tests else None, name in self._opened)


def evidence_of(value: str, heed: Heed) -> object:
    """What a text comes to; raises TooMuch where it may hold a document that has yet to be opened."""
    if heed.opened and value.lstrip()[:1] in ("{", "["):
        raise TooMuch
    said = text(value)
    return None if said is None else True if heed.answers is None else heed.answers(said)


def _answers(tests: list[Test]) -> Callable[[str], object]:
    """Which of the tests a text passes; the few words under such a name come again and again."""
    return lru_cache(MOST_WORDS)(lambda said: (True, *[test(said) for test in tests]))


def _last(path: Path) -> str:
    """The name whose values count: on the way to it there are only objects, and those are always seen."""
    return (DELIVERED if path.origin == DELIVERED else "") + (path.names[-1] if path.names else "")


def _asked(dialect: Dialect) -> Iterator[tuple[Path, Test | None]]:
    """Every path that a dialect looks at, with the test for what it says there where its words count."""
    for mark in dialect.marks:
        yield from _by_condition(mark.when)
        yield from ((path, None) for path in mark.any_of)
    for rule in (*dialect.kinds, *dialect.directions, *dialect.dispositions, *dialect.twins):
        yield from _by_condition(rule.when)
    for sources in dialect.sources.values():
        for source in sources:
            yield from _by_source(source)


def _by_source(source: Source) -> Iterator[tuple[Path, Test | None]]:
    pattern = source.pattern
    yield source.path, None if pattern is None else lambda said: bool((match := pattern.search(said)) and match[1])
    yield from ((path, None) for path in source.joined)
    yield from _by_condition(source.when or Condition())


def _by_condition(condition: Condition) -> Iterator[tuple[Path, Test | None]]:
    yield from ((path, words.__contains__) for path, words in condition.said)
    yield from ((path, None) for path in (*condition.present, *condition.absent))
