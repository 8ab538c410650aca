"""A dialect as its TOML file defines it: checked, folded and made ready for reading.

The one idea: every rule of a dialect is a `Condition` on the record's own names, and every field of ours a list
of `Source`s, the first of which that says something is taken. `uc.toml` shows and explains each key.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ippbx_billing.calls import Direction, Disposition, Phase
from ippbx_billing.dialects import values
from ippbx_billing.dialects.record import Path as RecordPath
from ippbx_billing.dialects.record import Record
from ippbx_billing.dialects.values import fold
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

ANSWER = '{"code":0,"msg":"success"}'
COMMON_WORDS = "_words.toml"

TIMES = ("started_at", "answered_at", "ended_at", "at")
SECONDS = ("duration_s", "billed_s", "waiting_s", "unclear_s")
NUMBERS = ("caller", "callee", "number", "extension")
TEXTS = (
    "record_id", "call_id", "group_id", "trunk", "source_trunk", "destination_trunk",
    "direction", "disposition", "state", "did", "pin", "recording", "pbx",
)  # fmt: skip
FIELDS = TIMES + SECONDS + NUMBERS + TEXTS

# The normalised states of a live call, and where the call stands then.
STATES: dict[str, Phase | None] = {
    "setup": Phase.RINGING, "incoming": Phase.RINGING, "invite": Phase.RINGING, "alert": Phase.RINGING,
    "ring": Phase.RINGING, "early_media": Phase.RINGING, "queue": Phase.RINGING,
    "answer": Phase.TALKING, "answered": Phase.TALKING, "bridge": Phase.TALKING, "hold": Phase.TALKING,
    "transfer": Phase.TALKING, "bye": Phase.ENDED, "failed": Phase.ENDED,
    "idle": None, "busy": None, "online": None, "offline": None,
}  # fmt: skip
KINDS = ("cdr", "status", "cdr and status", "nothing")
UNUSABLE = "unusable"  # words that are understood to say nothing


@lru_cache(maxsize=4_096)
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(translate(word))


@dataclass(frozen=True, slots=True)
class Words:
    """A set of words, compared folded; a word may hold `*` for any run of characters."""

    exact: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, words: Iterable[object]) -> "Words":
        """From the words of a TOML list."""
        folded = [fold(str(word).lower() if isinstance(word, bool) else str(word)) for word in words]
        return cls(frozenset(one for one in folded if "*" not in one), tuple(_pattern(w) for w in folded if "*" in w))

    def __contains__(self, said: object) -> bool:
        folded = fold(str(said))
        return folded in self.exact or any(pattern.match(folded) for pattern in self.patterns)


class Condition(NamedTuple):
    """What must hold of a record: names with their words, names that must be there, names that must not."""

    said: tuple[tuple[RecordPath, Words], ...] = ()
    present: tuple[RecordPath, ...] = ()
    absent: tuple[RecordPath, ...] = ()

    def holds(self, record: Record) -> bool:
        """Whether the record fulfils all of it."""
        for path, words in self.said:
            if not any(said in words for said in record.texts(path)):
                return False
        return all(record.has(path) for path in self.present) and not any(record.has(path) for path in self.absent)


class Source(NamedTuple):
    """Where one of our fields may stand in a record, and what is done with the text there."""

    path: RecordPath
    name: str
    unit: str = "s"
    pattern: re.Pattern[str] | None = None
    when: Condition | None = None
    joined: tuple[RecordPath, ...] = ()
    unless_extension: bool = False
    only_extension: bool = False

    @property
    def is_utc(self) -> bool:
        """Whether the name itself says that a time under it is in UTC."""
        return bool(self.path.names) and self.path.names[-1].endswith("utc")

    def texts(self, record: Record) -> list[str]:
        """What the record says there, each value that says something."""
        if self.when is not None and not self.when.holds(record):
            return []
        if self.joined:
            parts = [next(iter(record.texts(path)), "") for path in (self.path, *self.joined)]
            return [" ".join(parts)] if all(parts) else []
        found = record.texts(self.path)
        if self.pattern is None:
            return found
        return [match[1] for said in found if (match := self.pattern.search(said)) and match[1]]


class Rule(NamedTuple):
    """A condition, what follows from it, and the reason written beside it."""

    when: Condition
    then: str
    because: str


class Vocabulary:
    """What the words of a field mean; a dialect's own words come before those that every PBX uses."""

    def __init__(self, own: Mapping[str, Words], common: "Vocabulary | None" = None) -> None:
        self._own = own
        self._common = common
        self._remembered: dict[str, str | None] = {}

    def meaning(self, said: str) -> str | None:
        """Our word for theirs; None for a word that nobody has taught us."""
        if said not in self._remembered and len(self._remembered) < 4_096:
            self._remembered[said] = self._find(said)
        return self._remembered.get(said)

    def _find(self, said: str) -> str | None:
        folded = fold(said)
        exact = next((meaning for meaning, words in self._own.items() if folded in words.exact), None)
        found = exact or next((meaning for meaning, words in self._own.items() if said in words), None)
        return found or (self._common.meaning(said) if self._common else None)


class Layout(NamedTuple):
    """How a line without a heading is cut: the names of its cells, or a pattern whose groups are the names."""

    columns: tuple[str, ...] = ()
    fewest: int = 0
    pattern: re.Pattern[str] | None = None


class Mark(NamedTuple):
    """One way to recognise a dialect: conditions on the document, and how much their fulfilment says."""

    when: Condition
    any_of: tuple[RecordPath, ...]
    fields: tuple[tuple[str, ...], ...]

    @property
    def weight(self) -> int:
        """A name that is there counts one, a name with the right word two."""
        return len(self.when.present) + 2 * len(self.when.said)


@dataclass(frozen=True, eq=False)
class Dialect:
    """How one family of PBXs spells a call; `answer` is the text of the 200 that it likes to hear."""

    name: str
    title: str
    description: str = ""
    answer: str = ANSWER
    generic: bool = False
    family: str = ""
    parties_change: str = ""  # why a later version of a record may name other parties
    own: bool = False  # the site's, not ours
    marks: tuple[Mark, ...] = ()
    record_paths: tuple[RecordPath, ...] = ()
    within: tuple[RecordPath, ...] = ()
    opened: tuple[str, ...] = ()
    layouts: tuple[Layout, ...] = ()
    kinds: tuple[Rule, ...] = ()
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    directions: tuple[Rule, ...] = ()
    dispositions: tuple[Rule, ...] = ()
    twins: tuple[Rule, ...] = ()
    direction_words: Vocabulary = field(default_factory=lambda: Vocabulary({}))
    disposition_words: Vocabulary = field(default_factory=lambda: Vocabulary({}))
    state_words: Vocabulary = field(default_factory=lambda: Vocabulary({}))

    plans: dict[object, Any] = field(default_factory=dict, repr=False)  # what `plan` has worked out

    def taught(self, outcomes: Mapping[str, Words]) -> "Dialect":
        """The same where the site says what words for an outcome mean, before anybody else does."""
        return replace(self, disposition_words=Vocabulary(outcomes, self.disposition_words), plans={})

    def mapping(self) -> dict[str, list[str]]:
        """Our fields with the names that this dialect knows for them."""
        return {name: [source.name for source in sources] for name, sources in self.sources.items()}


# -- from TOML


def common_words(directory: Path) -> dict[str, Vocabulary]:
    """The words that mean the same wherever they are used."""
    table = read_toml(directory / COMMON_WORDS)
    return {
        kind: Vocabulary({meaning: Words.of(words) for meaning, words in table[kind].items()})
        for kind in ("direction", "disposition", "states")
    }


def read_dialect(path: Path, common: Mapping[str, Vocabulary], *, own: bool = False) -> Dialect:
    """The dialect in a TOML file; raises DataError naming the file and the key."""
    reader = _Reader(path, read_toml(path))
    return reader.dialect(common, own)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; raises DataError naming it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: {error}", tr("correct the file, or remove it to use the packaged dialect")) from error


class _Reader:
    """Checks one TOML table key by key; every complaint names file and key."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        self._path = path
        self._table = table

    def dialect(self, common: Mapping[str, Vocabulary], own: bool) -> Dialect:
        """The whole file."""
        table = self._table
        self._know(table, "", _TOP_KEYS)
        records = self._dict(table, "records")
        self._know(records, "records", {"paths", "within", "open"})
        return Dialect(
            name=self._path.stem,
            title=self._text(table, "title") or self._path.stem,
            description=self._text(table, "description"),
            answer=self._text(table, "answer") or ANSWER,
            generic=bool(table.get("generic", False)),
            family=self._text(table, "family"),
            parties_change=self._text(table, "parties_change"),
            own=own,
            marks=tuple(self._mark(one, f"recognise[{i}]") for i, one in enumerate(self._tables(table, "recognise"))),
            record_paths=self._paths(records, "records.paths"),
            within=self._paths(records, "records.within"),
            opened=tuple(fold(name) for name in self._texts(records, "records.open")),
            layouts=self._layouts(),
            kinds=self._rules("kinds", KINDS),
            sources=self._sources(self._dict(table, "fields"), with_units=bool(table.get("generic", False))),
            directions=self._rules("directions", tuple(Direction)),
            dispositions=self._rules("dispositions", tuple(Disposition)),
            twins=self._rules("twins", None),
            direction_words=self._words("direction", (*Direction, UNUSABLE), common["direction"]),
            disposition_words=self._words("disposition", (*Disposition, UNUSABLE), common["disposition"]),
            state_words=self._words("states", (*STATES, UNUSABLE), common["states"]),
        )

    def _mark(self, table: dict[str, Any], key: str) -> Mark:
        self._know(table, key, {"all", "any", "none", "words", "fields"})
        words = self._dict(table, f"{key}.words")
        when = Condition(
            said=tuple((RecordPath.of(name), Words.of(_list(words[name]))) for name in words),
            present=self._paths(table, f"{key}.all"),
            absent=self._paths(table, f"{key}.none"),
        )
        fields = tuple(tuple(self._field(one, key) for one in _list(group)) for group in table.get("fields", []))
        return Mark(when, self._paths(table, f"{key}.any"), fields)

    def _layouts(self) -> tuple[Layout, ...]:
        """`[csv]` is one, and every `[[lines]]`."""
        csv = self._dict(self._table, "csv")
        written = [(csv, "csv")] if csv else []
        written += [(one, f"lines[{index}]") for index, one in enumerate(self._tables(self._table, "lines"))]
        return tuple(self._layout(one, key) for one, key in written)

    def _layout(self, table: dict[str, Any], key: str) -> Layout:
        self._know(table, key, {"columns", "at_least", "pattern"})
        columns = self._texts(table, f"{key}.columns")
        if "pattern" not in table:
            return Layout(columns, int(table.get("at_least", len(columns))))
        pattern = self._regex(table["pattern"], f"{key}.pattern")
        if not pattern.groupindex:
            raise self._wrong(f"{key}.pattern", tr("a regular expression with names, such as (?P<caller>[0-9]+)"))
        return Layout(pattern=pattern)

    def _sources(self, table: dict[str, Any], *, with_units: bool) -> dict[str, tuple[Source, ...]]:
        sources = {
            self._field(name, "fields"): tuple(self._source(one, f"fields.{name}") for one in _list(listed))
            for name, listed in table.items()
        }
        if with_units:
            for name in SECONDS:
                sources[name] = (*sources.get(name, ()), *_with_units(sources.get(name, ())))
        return sources

    def _source(self, listed: object, key: str) -> Source:
        if isinstance(listed, str):
            return Source(RecordPath.of(listed), listed)
        if not isinstance(listed, dict):
            raise self._wrong(key, tr("a name, or a table with `path`"))
        self._know(listed, key, {"path", "unit", "pattern", "when", "join", "unless_extension", "only_extension"})
        first, *others = self._texts(listed, "join") or (self._text(listed, "path"),)
        unit = listed.get("unit", "s")
        if not first or unit not in values.UNITS:
            raise self._wrong(key, tr("a `path`, and a `unit` out of {names}", names=", ".join(values.UNITS)))
        return Source(
            path=RecordPath.of(first),
            name=" + ".join((first, *others)),
            unit=unit,
            pattern=self._regex(listed["pattern"], key) if "pattern" in listed else None,
            when=self._condition(listed["when"], f"{key}.when") if "when" in listed else None,
            joined=tuple(RecordPath.of(one) for one in others),
            unless_extension=bool(listed.get("unless_extension", False)),
            only_extension=bool(listed.get("only_extension", False)),
        )

    def _regex(self, pattern: object, key: str) -> re.Pattern[str]:
        try:
            compiled = re.compile(str(pattern), re.IGNORECASE)
        except re.error as error:
            raise self._wrong(key, tr("a regular expression ({error})", error=error)) from error
        if compiled.groups < 1:
            raise self._wrong(key, tr("a regular expression with one group in parentheses"))
        return compiled

    def _condition(self, table: object, key: str) -> Condition:
        """`{name = "word"}`, `{name = ["one", "other"]}`, `{name = true}` is there, `{name = false}` is not."""
        if not isinstance(table, dict):
            raise self._wrong(key, tr("a table of names"))
        paths = {name: RecordPath.of(name) for name in table}
        return Condition(
            said=tuple(
                (paths[name], Words.of(_list(said))) for name, said in table.items() if said not in (True, False)
            ),
            present=tuple(paths[name] for name, said in table.items() if said is True),
            absent=tuple(paths[name] for name, said in table.items() if said is False),
        )

    def _rules(self, key: str, outcomes: tuple[str, ...] | None) -> tuple[Rule, ...]:
        return tuple(
            self._rule(one, f"{key}[{index}]", outcomes) for index, one in enumerate(self._tables(self._table, key))
        )

    def _rule(self, table: dict[str, Any], key: str, outcomes: tuple[str, ...] | None) -> Rule:
        self._know(table, key, {"when", "is", "because"})
        outcome = str(table.get("is", ""))
        if outcomes is not None and outcome not in outcomes:
            raise self._wrong(f"{key}.is", tr("one of: {names}", names=", ".join(outcomes)))
        if (outcomes is None or outcome == "nothing") and not table.get("because"):
            raise self._wrong(f"{key}.because", tr("the reason in words"))
        return Rule(self._condition(table.get("when", {}), f"{key}.when"), outcome, str(table.get("because", "")))

    def _words(self, key: str, meanings: tuple[str, ...], common: Vocabulary) -> Vocabulary:
        table = self._dict(self._table, key)
        self._know(table, key, set(meanings))
        return Vocabulary({meaning: Words.of(_list(words)) for meaning, words in table.items()}, common)

    # -- small checks

    def _field(self, name: object, key: str) -> str:
        if name not in FIELDS:
            raise self._wrong(f"{key}.{name}", tr("one of our fields: {names}", names=", ".join(FIELDS)))
        return str(name)

    def _know(self, table: dict[str, Any], key: str, known: Iterable[str]) -> None:
        for name in table:
            if name not in known:
                raise self._wrong(
                    f"{key}.{name}".strip("."), tr("a key out of {names}", names=", ".join(sorted(known)))
                )

    def _dict(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        found = table.get(key.rpartition(".")[2], {})
        if not isinstance(found, dict):
            raise self._wrong(key, tr("a table"))
        return found

    def _tables(self, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = table.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._wrong(key, tr("a list of tables, each headed {heading}", heading=f"[[{key}]]"))
        return found

    def _text(self, table: dict[str, Any], key: str) -> str:
        found = table.get(key, "")
        if not isinstance(found, str):
            raise self._wrong(key, tr("a text"))
        return found

    def _texts(self, table: dict[str, Any], key: str) -> tuple[str, ...]:
        found = _list(table.get(key.rpartition(".")[2], []))
        if not all(isinstance(one, str) for one in found):
            raise self._wrong(key, tr("a list of names"))
        return tuple(str(one) for one in found)

    def _paths(self, table: dict[str, Any], key: str) -> tuple[RecordPath, ...]:
        return tuple(RecordPath.of(name) for name in self._texts(table, key))

    def _wrong(self, key: str, expected: str) -> DataError:
        problem = tr("{path}: {key} must be {expected}", path=self._path, key=key, expected=expected)
        return DataError(problem, tr("see the comments in the packaged uc.toml"))


def _with_units(sources: tuple[Source, ...]) -> Iterator[Source]:
    """The names of durations with their unit in them: `talk_time_ms`, `ms_duration`."""
    for one in sources:
        if one.unit == "s" and one.when is None and len(one.path.names) == 1:
            for unit, spelt in _UNITS_IN_NAMES:
                for name in (one.name + spelt, spelt + one.name):
                    yield Source(RecordPath.of(name), name, unit)


_UNITS_IN_NAMES = (("ms", "_ms"), ("ms", "_msec"), ("ms", "_milliseconds"), ("ms", "_millis"), ("us", "_us"))

_TOP_KEYS = {
    "title", "description", "answer", "generic", "family", "parties_change", "recognise", "records", "csv", "lines",
    "kinds", "fields", "directions", "direction", "dispositions", "disposition", "states", "twins",
}  # fmt: skip


def _list(found: object) -> list[object]:
    return list(found) if isinstance(found, list) else [found]
