"""One record of a document, and how its values are found by path.

The one idea: names are compared folded (`Call-ID` is `callid`), and a path that meets a list means every member
of it, so `members.outbound.from` finds the number whatever the member's place.

    Record({"ext": [{"extid": "101"}, {"extid": "106"}]}).texts(Path.of("ext.extid"))         -> ["101", "106"]
    Record(...).texts(Path.of("ext.extid[1/2]"))  the first of two                            -> ["101"]

`^sn` is `sn` in the document around the record, `@path` the last word of the URL's path, `@key` the name under
which the record stood. A name may hold `*` for any run of characters.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any, NamedTuple

from ippbx_billing.dialects.values import fold, text

MOST_REMEMBERED_NAMES = 1_000  # in one object; a stranger's heap of names is not worth remembering

_PLACE = re.compile(r"(.*)\[(\d+)/(\d+)\]")


class Path(NamedTuple):
    """The way to a value: folded names, where to begin, and which of several values is meant."""

    names: tuple[str, ...]
    origin: str = ""  # "" the record, "^" the document around it, "@" the delivery
    place: tuple[int, int] | None = None

    @classmethod
    def of(cls, written: str) -> "Path":
        """From the text of a TOML file; `.` is the record itself."""
        place = _PLACE.fullmatch(written)
        body = place[1] if place else written
        origin = body[0] if body[:1] in ("^", "@") else ""
        names = tuple(fold(name) for name in body[len(origin) :].split(".") if name)
        return cls(names, origin, (int(place[2]), int(place[3])) if place else None)


class Record:
    """A record with the document around it; `within` are the parts that share its names (FreeSWITCH's variables)."""

    __slots__ = ("_facts", "_named", "around", "body", "plan", "scopes")

    def __init__(
        self,
        body: Mapping[str, Any],
        around: Mapping[str, Any] | None = None,
        within: Iterable[Path] = (),
        facts: Mapping[str, str] | None = None,
    ) -> None:
        self.body = body
        self.around = body if around is None else around
        self.scopes = [body]
        for path in within:
            self.scopes += [part for part in walk([body], path.names) if isinstance(part, dict)]
        self._facts = facts or {}
        self.plan: Any = None  # what of its dialect can apply to it; see `plan`
        self._named: list[tuple[Mapping[str, Any], dict[str, tuple[str, ...]]]] | None = None

    def shape(self) -> tuple[tuple[str, ...], ...]:
        """The names of the record: one sender's records have few shapes."""
        return tuple(tuple(scope) for scope in self.scopes)

    def texts(self, path: Path) -> list[str]:
        """Every value at the path that says something."""
        found = []
        for value in self.values(path):
            said = text(value)
            if said is not None:
                found.append(said)
        if path.place is None:
            return found
        which, of = path.place
        return [found[which - 1]] if len(found) == of else []

    def has(self, path: Path) -> bool:
        """Whether anything stands at the path that is not empty."""
        return any(bool(one) if isinstance(one, dict | list) else text(one) is not None for one in self.values(path))

    def values(self, path: Path) -> list[Any]:
        """Every value at the path, whatever it is."""
        if path.origin == "@":
            return [self._facts.get(path.names[0], "")]
        if path.origin == "^":
            return walk([self.around], path.names)
        if len(path.names) == 1 and "*" not in path.names[0]:
            return self._by_name(path.names[0])
        return walk(self.scopes, path.names)

    def _by_name(self, name: str) -> list[Any]:
        """The common case without a detour: a plain value under its name."""
        found: list[Any] = []
        if self._named is None:
            self._named = [(scope, names_of(scope)) for scope in self.scopes]
        for scope, names in self._named:
            for key in names.get(name, ()):
                value = scope[key]
                if isinstance(value, list):
                    found += value
                else:
                    found.append(value)
        return found


def could_lead(path: Path, names: Iterable[str]) -> bool:
    """Whether a path can lead anywhere in a record with these folded names."""
    if path.origin or not path.names:
        return True
    first = path.names[0]
    return any(map(_wildcard(first).match, names)) if "*" in first else first in names


def walk(nodes: Iterable[Any], names: tuple[str, ...]) -> list[Any]:
    """The values that a path of folded names leads to, through lists as if they were not there."""
    level = list(_flat(nodes))
    for name in names:
        level = list(_flat(node[key] for node in level if isinstance(node, dict) for key in keys_of(node, name)))
    return level


def _flat(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, list):
            yield from _flat(node)
        else:
            yield node


def keys_of(node: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The keys of an object that fold to a name, or that fit it if it holds a `*`."""
    names = names_of(node)
    if "*" not in name:
        return names.get(name, ())
    pattern = _wildcard(name)
    return tuple(key for one, keys in names.items() if pattern.match(one) for key in keys)


def names_of(node: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The folded names of an object with its own spellings of each."""
    keys = tuple(node)
    return _folded(keys) if len(keys) <= MOST_REMEMBERED_NAMES else _folded.__wrapped__(keys)


@lru_cache(maxsize=512)
def _folded(keys: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Objects of one sender have the same names again and again: fold them once."""
    found: dict[str, tuple[str, ...]] = {}
    for key in keys:
        found[fold(key)] = (*found.get(fold(key), ()), key)
    return found


@lru_cache(maxsize=256)
def _wildcard(name: str) -> re.Pattern[str]:
    return re.compile(translate(name))


def scalars(node: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text below a node with the names that lead to it; a list's members share one path."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from scalars(value, (*names, str(name)))
    elif isinstance(node, list):
        for value in node:
            yield from scalars(value, names)
    elif (said := text(node)) is not None and names:
        yield names, said
