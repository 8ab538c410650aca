"""What operators read, in their language: English in the code, Chinese in the gettext catalogue beside it.

    use("zh"); tr("calls")  ->  "通话"

`locale/zh/LC_MESSAGES/ippbx_billing.po` is the source; `catalogues` makes the `.mo` beside it when the package is
built.
"""

import gettext
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

LANGUAGES = ("en", "zh")
LOCALE_DIR = Path(__file__).parent / "locale"

gettext.bindtextdomain("ippbx_billing", LOCALE_DIR)
gettext.textdomain("ippbx_billing")

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def use(language: str) -> None:
    """Speak `zh` or `en` from now on."""
    global _catalogue, _language
    _language = language
    os.environ["LANGUAGE"] = language  # gettext goes by this for the words of Typer's own, such as "Options"
    _catalogue = gettext.NullTranslations()
    if language != "en":
        _catalogue = gettext.translation("ippbx_billing", LOCALE_DIR, [language])


def tr(text: str, /, **facts: object) -> str:
    """The text in the language in use, with its {facts} filled in."""
    translated = _catalogue.gettext(text)
    return translated.format(**facts) if facts else translated


def language() -> str:
    """The language in use."""
    return _language


def preferred(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """The language asked for by `--lang`, else `IPPBX_BILL_LANG`, else the system's, else English.

    Looked up before the commands are made, because their help texts are in it too.
    """
    environment = os.environ if environment is None else environment
    candidates = [value for name, value in _options(arguments) if name == "--lang"]
    candidates += [environment.get(name, "") for name in ("IPPBX_BILL_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((candidate for candidate in candidates if candidate), "en")
    return "zh" if chosen.lower().startswith("zh") else "en"


def _options(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Long options with their values, written as `--name value` or `--name=value`."""
    pairs = [tuple(word.split("=", 1)) for word in arguments if word.startswith("--") and "=" in word]
    pairs += list(pairwise(arguments))
    return [(pair[0], pair[1]) for pair in pairs]
