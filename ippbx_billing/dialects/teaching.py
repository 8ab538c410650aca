"""What a person of the site said once about a word that nobody knew: kept in the data directory, beside its dialects.

    teach(data_dir / "dialects", "konuşuldu", Disposition.ANSWERED)      # writes dialects/_words.toml
    own_words(data_dir / "dialects").disposition                          # {"answered": ["konuşuldu"]}

The file has the form of the packaged `families/_words.toml`, so that it can be edited and handed on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ippbx_billing import files
from ippbx_billing.calls import Disposition
from ippbx_billing.dialects.definition import COMMON_WORDS, Words, read_toml
from ippbx_billing.dialects.values import fold
from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

_HEAD = "# Words for the outcome of a call, as this site's PBX uses them. Written by `ippbx-bill dialects words set`.\n"


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The words of the site for each outcome."""

    disposition: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def outcomes(self) -> dict[str, Words]:
        """The same as a vocabulary compares them."""
        return {meaning: Words.of(words) for meaning, words in self.disposition.items()}


def own_words(directory: Path) -> OwnWords:
    """The site's words; none where it has taught none. Raises DataError for a file that cannot be read."""
    path = directory / COMMON_WORDS
    if not path.exists():
        return OwnWords()
    table = read_toml(path).get("disposition", {})
    if not isinstance(table, dict) or not all(one in tuple(Disposition) for one in table):
        expected = tr("a table of {names}", names=", ".join(Disposition))
        problem = tr("{path}: {key} must be {expected}", path=path, key="disposition", expected=expected)
        raise DataError(problem, tr("correct or remove the file"))
    return OwnWords({meaning: [str(word) for word in words] for meaning, words in table.items()})


def teach(directory: Path, word: str, meaning: Disposition) -> Path:
    """Say what a word means, once and for all; gives the file. Raises DataError and OSError."""
    known = own_words(directory).disposition
    others = {one: [said for said in words if fold(said) != fold(word)] for one, words in known.items()}
    others[meaning.value] = [*others.get(meaning.value, ()), word]
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / COMMON_WORDS
    files.write(path, _HEAD + _as_toml(others))
    return path


def _as_toml(words: Mapping[str, list[str]]) -> str:
    lines = [
        f"{meaning} = {json.dumps(sorted(said), ensure_ascii=False)}" for meaning, said in sorted(words.items()) if said
    ]
    return "\n[disposition]\n" + "\n".join(lines) + "\n"
