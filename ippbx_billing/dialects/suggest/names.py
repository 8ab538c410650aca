"""What a field's name says: a known synonym, a misspelt one, or the words that it is made of.

The synonyms are the names that the known dialects read; there is no second list. `words.toml` helps with
names that nobody has seen before: `callStartAt` is taken apart, and `start` remains.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ippbx_billing.dialects.definition import Dialect
from ippbx_billing.dialects.suggest.evidence import EvidenceSentence, said
from ippbx_billing.dialects.values import fold

RESEMBLES = 0.9
MOSTLY = 0.66
SHORTEST_TO_RESEMBLE = 6

# Fields of call status alone, and durations of which nobody knows what they mean: they are proposed for no name.
NO_SYNONYMS = ("state", "at", "unclear_s", "number")

Synonyms = Mapping[str, Mapping[str, tuple[str, ...]]]  # field -> folded name -> who calls it so


@dataclass(frozen=True, slots=True)
class Hint:
    """How strongly something speaks for a field, 0 to 1 for a name, and the sentence that says why."""

    score: float
    sentence: EvidenceSentence


def synonyms_of(known: Mapping[str, Dialect]) -> Synonyms:
    """The names that dialects read, field by field, each with the titles of the dialects that do.

    Names of two levels stay so (`ext.id`): the last word alone would mean something else.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for dialect in sorted(known.values(), key=lambda one: one.generic):
        for field, sources in dialect.sources.items():
            plain = [".".join(one.path.names) for one in sources if not (one.pattern or one.joined or one.path.place)]
            for name in dict.fromkeys(plain):
                if field not in NO_SYNONYMS and "*" not in name:
                    users = found.setdefault(field, {}).get(name, ())
                    found[field][name] = users if users and dialect.generic else (*users, dialect.title)
    return found


class Names:
    """Reads names with the synonyms it is given."""

    def __init__(self, synonyms: Synonyms) -> None:
        self._synonyms = synonyms
        self._fields_of: dict[str, list[str]] = {}
        self._hints: dict[tuple[str, str], Hint | None] = {}
        for field, names in synonyms.items():
            for name in names:
                self._fields_of.setdefault(name, []).append(field)

    def hint(self, field: str, path: str) -> Hint | None:
        """What the name at the end of a path says for a field; `None` where it says nothing."""
        if (field, path) not in self._hints:
            self._hints[field, path] = self._hint(field, path)
        return self._hints[field, path]

    def _hint(self, field: str, path: str) -> Hint | None:
        names = path.lstrip("^").split(".")
        folded = fold(names[-1])
        two = ".".join(map(fold, names[-2:]))
        return self._known(field, two) or self._known(field, folded) or self._unknown(field, folded, names[-1])

    def is_misleading(self, name: str) -> bool:
        """Whether a name is known for a waiting time alone, or says of itself that it measures something else."""
        known = self._fields_of.get(fold(name))
        return known == ["waiting_s"] if known else bool(_vocabulary().misleading.intersection(_words_of(name)))

    def _known(self, field: str, folded: str) -> Hint | None:
        users = self._synonyms.get(field, {}).get(folded)
        if users is None:
            return None
        others = {other: len(self._synonyms[other][folded]) for other in self._fields_of[folded] if other != field}
        share = len(users) / (len(users) + sum(others.values()))
        facts = {"field": field, "by": _some(users), "others": ", ".join(others)}
        if share > MOSTLY:
            return Hint(0.4 + 0.6 * share, said("its name is a known synonym of {field} ({by})", **facts))
        doubtful = said("its name is a known synonym of {field} ({by}), though elsewhere of {others}", **facts)
        return Hint(0.4 + 0.6 * share, doubtful)

    def _unknown(self, field: str, folded: str, name: str) -> Hint | None:
        if folded in self._fields_of:
            return None
        return self._resembling(field, folded) or self._spoken(field, name)

    def _resembling(self, field: str, folded: str) -> Hint | None:
        if len(folded) < SHORTEST_TO_RESEMBLE:
            return None
        nearest = difflib.get_close_matches(folded, self._synonyms.get(field, ()), n=1, cutoff=RESEMBLES)
        if not nearest:
            return None
        by = _some(self._synonyms[field][nearest[0]])
        near = said("its name resembles {name}, a synonym of {field} ({by})", name=nearest[0], field=field, by=by)
        return Hint(0.7, near)

    def _spoken(self, field: str, name: str) -> Hint | None:
        words = _words_of(name)
        if any(word in _vocabulary().misleading for word in words):
            return None
        word = next((word for word in words if word in _vocabulary().fields.get(field, ())), None)
        if word is None:
            return None
        return Hint(0.5 if len(words) == 1 else 0.4, said("its name says “{word}”", word=word))


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    filler: frozenset[str]
    misleading: frozenset[str]
    fields: Mapping[str, frozenset[str]]


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    document = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    fields = {field: frozenset(words) for field, words in document["fields"].items()}
    return _Vocabulary(frozenset(document["filler"]), frozenset(document["misleading"]), fields)


@lru_cache(maxsize=4_096)
def _words_of(name: str) -> list[str]:
    """`callStartAt` -> start: the words of a name without filler, or the one word that filler is made of."""
    spaced = re.sub(r"([a-z])([A-Z])|([A-Z]+)(?=[A-Z][a-z])", r"\1\3 \2", name)
    words = [word for word in re.split(r"[\W_\d]+", spaced.lower()) if word]
    kept = [rest for word in words if (rest := _without_filler(word))]
    return kept or [fold(name)]


def _without_filler(word: str) -> str:
    """`callfrom` -> from: filler written together with the word is laid aside, as long as a known word remains."""
    vocabulary = _vocabulary()
    known = vocabulary.misleading.union(*vocabulary.fields.values())
    if word in known or word in vocabulary.filler:
        return "" if word in vocabulary.filler else word
    for filler in sorted(vocabulary.filler, key=len, reverse=True):
        for rest in (word.removeprefix(filler), word.removesuffix(filler)):
            if rest in known:
                return rest
    return word


def _some(users: Iterable[str]) -> str:
    shown = list(dict.fromkeys(users))
    return ", ".join(shown[:3]) + (", …" if len(shown) > 3 else "")
