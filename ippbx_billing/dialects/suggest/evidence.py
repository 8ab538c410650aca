"""A sentence that says why, kept apart from its facts so that it can be said in another language.

said("equals {end} − {start} in {count} of {total} records", end="`stop`", start="`begin`", count=3, total=3)
"""

from typing import NamedTuple


class EvidenceSentence(NamedTuple):
    """A sentence in English with {places} for its facts."""

    text: str
    facts: dict[str, object]

    def __str__(self) -> str:
        return self.text.format(**self.facts)


def said(text: str, **facts: object) -> EvidenceSentence:
    """The sentence with its facts."""
    return EvidenceSentence(text, facts)
