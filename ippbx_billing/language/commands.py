"""Commands as hints print them: to be copied into a shell as they stand.

>>> command_line("tariffs", "set", "022-天津-电信", "local", "--note", "two words")
"ippbx-bill tariffs set 022-天津-电信 local --note 'two words'"
"""

import re
import shlex


def command_line(*words: object) -> str:
    """The command with these words; quoted is only what a shell would take apart, never letters of another script."""
    return " ".join(["ippbx-bill", *(_quoted(str(word)) for word in words)])


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w@%+=:,./-]+", word) else shlex.quote(word)
