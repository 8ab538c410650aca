"""A body of JSON as a pattern: what is the same in all bodies of one shape, with a group for each value that counts.

The one idea: a sender writes its records with the same names in the same order, so a whole body is one regular
expression, and reading it is one match. A body that fits is the very document that the JSON parser would make of it,
each value as the PBX wrote it; one that does not fit is some other shape, or no plain JSON at all.

    template = template_of('{"src":"8001","dst":""}', evidence)
    template.said('{"src":"8002","dst":""}')   -> (["8002", None], (None,))     the values that count, and what decides

What a dialect may ask of a value is its `Heed`. A value that only needs to say something is held to a form whose text
is the value itself; where its words count, or where its form is another, the value is looked at each time.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ippbx_billing.dialects.evidence import Evidence, Heed, TooMuch, evidence_of
from ippbx_billing.dialects.values import text as text_of

LONGEST_BODY = 16_000  # characters; a record has some hundreds
MOST_SLOTS = 90  # values of one body that count
MOST_WORDS = 2_048  # remembered under one name
LONGEST_WORD = 256

Said = list[str | None]  # what a body says: a text for each slot, None where it says nothing
Key = tuple[object, ...]  # what the words of a body come to; bodies of one template and key are read alike


class Slot(NamedTuple):
    """The place of a value among what a template finds."""

    place: int
    looked_at: bool = False  # each time, because its words count or its form is not plain


class Ignored:
    """The place of a value under a name that no dialect asks for."""


IGNORED = Ignored()


class Word:
    """A slot whose values are looked at each time: what they come to, and their text, is remembered."""

    __slots__ = ("_heed", "_known", "place")

    def __init__(self, place: int, heed: Heed) -> None:
        self.place, self._heed = place, heed
        self._known: dict[str, tuple[object, str | None]] = {}

    def told(self, value: str) -> tuple[object, str | None]:
        """The evidence in a value, and its text; raises TooMuch where it is too much to remember."""
        found = self._known.get(value)
        if found is None:
            if len(value) > LONGEST_WORD:
                raise TooMuch
            if len(self._known) >= MOST_WORDS:
                self._known.clear()
            plain = json.loads(f'"{value}"', strict=False) if "\\" in value else value
            found = self._known[value] = evidence_of(plain, self._heed), text_of(plain)
        return found


class Template:
    """The pattern of one shape; `document` is that shape with a `Slot` in the place of each value."""

    __slots__ = ("_match", "document", "readers", "slots", "words")

    def __init__(self, pattern: str, document: dict[str, Any], words: tuple[Word, ...]) -> None:
        compiled = re.compile(pattern)
        self._match, self.slots = compiled.fullmatch, compiled.groups
        self.words = words
        self.document = document
        self.readers: dict[Key, Any] = {}  # what was worked out for each key

    def said(self, text: str) -> tuple[Said, Key] | None:
        """What a body says and comes to; None where it has another shape. Raises TooMuch as `Word` does."""
        match = self._match(text)
        if match is None:
            return None
        said: Said = list(match.groups())
        key = []
        for word in self.words:
            place = word.place
            evidence, said[place] = word.told(said[place] or "")
            key.append(evidence)
        return said, tuple(key)


class NoTemplateError(ValueError):
    """The body is not plain JSON, or more than is worth a pattern."""


def template_of(text: str, evidence: Evidence) -> Template:
    """The template of a body, and of all that have its shape; raises NoTemplateError."""
    if len(text) > LONGEST_BODY:
        raise NoTemplateError
    writer = _Writer(text, evidence)
    document = writer.value()
    if not isinstance(document, dict) or writer.has_more():
        raise NoTemplateError
    return Template("".join(writer.pattern), document, tuple(writer.words))


_TOKEN = re.compile(
    r'[ \t\r\n]+|[{}\[\]:,]|"(?:[^"\\]|\\.)*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null'
)
_CONSTANTS = {"true": True, "false": False, "null": None}

# Forms of values whose text is the value itself: see `values.text`. None begins as a word for "nothing" does.
_SHOWN = r"[!#$&-\[\]-~]"  # printable, and neither blank, quote, backslash nor per cent
_FIRST = r"""(?:[!#&'*+,./1-9:;=?@A-MO-TV-Z\]^_a-mo-tv-z|~]|0(?!000-00-00))"""
_TIME = r"[12][0-9]{3}-[0-9][0-9]-[0-9][0-9][ T][0-9][0-9]:[0-9][0-9]:[0-9][0-9]"
_PLAIN = rf"{_FIRST}{_SHOWN}{{0,500}}+"
_SPACED = rf"{_FIRST}(?:[ !#$&-\[\]-~]{{0,500}}{_SHOWN})?"
_DIGITS = r"(?:0|[1-9][0-9]{0,18}+)"
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_TEXT = r"""(?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"""
_FORMS = [(re.compile(form), form) for form in (_TIME, _PLAIN, _SPACED)]


class _Writer:
    """Writes the pattern of a body while it reads it."""

    def __init__(self, text: str, evidence: Evidence) -> None:
        self._tokens = _tokens(text)
        self._token = ""
        self._evidence = evidence
        self.pattern: list[str] = []
        self.words: list[Word] = []
        self._slots = 0
        self._next()

    def has_more(self) -> bool:
        """Whether anything stands behind the document."""
        return self._token != ""

    def value(self, heed: Heed | None = None) -> Any:
        """The next value; a slot where it is a text or a number."""
        token = self._token
        if token == "{":
            return self._object()
        if token == "[":
            return self._list(heed)
        if token in _CONSTANTS:
            self._take(token)
            return _CONSTANTS[token]
        if token[:1] == '"':
            return self._text(token[1:-1], heed)
        if token[:1] in "-0123456789" and token:
            return self._number(token, heed)
        raise NoTemplateError

    def _object(self) -> dict[str, Any]:
        self._take("{")
        found: dict[str, Any] = {}
        while self._token != "}":
            if found:
                self._take(",")
            name = self._token[1:-1]
            if self._token[:1] != '"' or name in found or "\\" in name:
                raise NoTemplateError
            self._take(self._token)
            self._take(":")
            found[name] = self.value(self._evidence.heed(name))
        self._take("}")
        return found

    def _list(self, heed: Heed | None) -> list[Any]:
        self._take("[")
        found: list[Any] = []
        while self._token != "]":
            if found:
                self._take(",")
            found.append(self.value(heed))
        self._take("]")
        return found

    def _text(self, said: str, heed: Heed | None) -> Slot | Ignored:
        if heed is None:
            self._put(f'"{_TEXT}"')
            return IGNORED
        form = next((form for pattern, form in _FORMS if pattern.fullmatch(said)), None)
        if form is None or heed.answers is not None or heed.opened:
            self._put(f'"({_TEXT})"')
            return self._word(heed)
        self._put(f'"({form})"')
        return self._slot()

    def _number(self, said: str, heed: Heed | None) -> Slot | Ignored:
        form = _DIGITS if re.fullmatch(_DIGITS, said) else _NUMBER
        if heed is None:
            self._put(_NUMBER)
            return IGNORED
        self._put(f"({form})")
        return self._slot() if heed.answers is None else self._word(heed)

    def _slot(self) -> Slot:
        if self._slots >= MOST_SLOTS:
            raise NoTemplateError
        self._slots += 1
        return Slot(self._slots - 1)

    def _word(self, heed: Heed) -> Slot:
        slot = self._slot()
        self.words.append(Word(slot.place, heed))
        return slot._replace(looked_at=True)

    def _take(self, token: str) -> None:
        """One token that is the same in every body of this shape."""
        if self._token != token or not token:
            raise NoTemplateError
        self._put(re.escape(token))

    def _put(self, pattern: str) -> None:
        self.pattern.append(pattern)
        self._next()

    def _next(self) -> None:
        self._token = next(self._tokens, "")
        while self._token[:1] in (" ", "\t", "\r", "\n") and self._token:
            self.pattern.append(re.escape(self._token))
            self._token = next(self._tokens, "")


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise NoTemplateError
        yield match[0]
        position = match.end()
