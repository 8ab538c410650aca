"""The command line: each command reads its options, calls one function and renders its answer.

stdout is data, stderr is talk. An error is a sentence, a blank line and a hint; exit 1 is a failure,
2 wrong usage, 3 could not start.
"""

import atexit
import gc
import io
import os
import sys
from pathlib import Path

from ippbx_billing import language

GARBAGE_AFTER = 10_000  # new objects; the usual 700 make a start look through all that was just loaded again and again


def main() -> None:
    """The console script: choose the language first, so that whatever is shown or refused is in it."""
    os.umask(0o077)  # whatever a command writes holds who called whom: it is its owner's to give away
    gc.set_threshold(GARBAGE_AFTER)
    atexit.register(gc.freeze)  # the process gives its memory back whole: nobody takes its objects apart one by one
    _write_what_the_terminal_lacks()
    language.begin_in(language.preferred(sys.argv[1:], site=_language_of_the_site))
    from ippbx_billing.cli.app import app

    app()


def _language_of_the_site() -> str:
    """What the settings of the data directory in use say; a file that cannot be read is complained of later."""
    from ippbx_billing.settings import default_data_dir, stored_language

    named = language.option_of(sys.argv[1:], "--data-dir")
    return stored_language(Path(named) if named else default_data_dir())


def _write_what_the_terminal_lacks() -> None:
    """Signs that stdout's encoding has not (Chinese on a western Windows) are written as JSON escapes them."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
