"""What operators read, in their language: English in the code, Chinese in the gettext catalogue beside it.

    use("zh"); tr("calls")  ->  "通话"

The language belongs to whoever reads, not to the process: each thread and each asyncio task has its own, and
`speaking("zh")` lends it for a few lines.

`locale/zh/LC_MESSAGES/ippbx_billing.po` is the source; `catalogues` makes the `.mo` beside it when the package is
built.
"""

import gettext
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import pairwise
from pathlib import Path

LANGUAGES = ("en", "zh")
LOCALE_DIR = Path(__file__).parent / "locale"

gettext.bindtextdomain("ippbx_billing", LOCALE_DIR)
gettext.textdomain("ippbx_billing")

_in_use: ContextVar[str] = ContextVar("language")
_otherwise = "en"  # where a thread or task has not been told


def use(language: str) -> None:
    """Speak `zh` or `en` from now on, in this thread or task."""
    _in_use.set(language)


def begin_in(language: str) -> None:
    """The language of a command and of all its threads, until they are told another one."""
    global _otherwise
    _otherwise = language
    os.environ["LANGUAGE"] = language  # gettext goes by this for the words of Typer's own, such as "Options"
    use(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `zh` or `en` within, and afterwards what was spoken before."""
    token = _in_use.set(language)
    try:
        yield
    finally:
        _in_use.reset(token)


def tr(text: str, /, **facts: object) -> str:
    """The text in the language in use, with its {facts} filled in."""
    translated = _catalogue(language()).gettext(text) if text else ""
    return translated.format(**facts) if facts else translated


def en(text: str, /) -> str:
    """The English text itself, marked for the catalogue: `tr` translates it where it is shown."""
    return text


def language() -> str:
    """The language in use."""
    return _in_use.get(_otherwise)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """The texts of a language; English ones stand in the code."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("ippbx_billing", LOCALE_DIR, [language])


def preferred(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, site: Callable[[], str] = str
) -> str:
    """The language asked for by `--lang`, else `IPPBX_BILL_LANG`, else the site's, the system's, else English.

    Looked up before a command is read, because what is wrong with its words is told in it too. `site` tells what the
    settings file says; it is asked only where it counts.
    """
    environment = os.environ if environment is None else environment
    candidates = [value for name, value in _options(arguments) if name == "--lang"]
    candidates.append(environment.get("IPPBX_BILL_LANG", ""))
    if not any(candidates):
        candidates.append(site())
    candidates += [environment.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((candidate for candidate in candidates if candidate), "en")
    return "zh" if chosen.lower().startswith("zh") else "en"


def option_of(arguments: Sequence[str], name: str) -> str:
    """The value that a long option has among these words; "" where it is not there."""
    return next((value for known, value in _options(arguments) if known == name), "")


def _options(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Long options with their values, written as `--name value` or `--name=value`."""
    pairs = [tuple(word.split("=", 1)) for word in arguments if word.startswith("--") and "=" in word]
    pairs += list(pairwise(arguments))
    return [(pair[0], pair[1]) for pair in pairs]
