"""The command line: each command reads its options, calls one function and renders its answer.

stdout is data, stderr is talk. An error is a sentence, a blank line and a hint; exit 1 is a failure,
2 wrong usage, 3 could not start.
"""

import atexit
import gc
import io
import os
import sys

from ippbx_billing import language

GARBAGE_AFTER = 10_000  # new objects; the usual 700 make a start look through all that was just loaded again and again


def main() -> None:
    """The console script: choose the language first, so that whatever is shown or refused is in it."""
    os.umask(0o077)  # whatever a command writes holds who called whom: it is its owner's to give away
    gc.set_threshold(GARBAGE_AFTER)
    atexit.register(gc.freeze)  # the process gives its memory back whole: nobody takes its objects apart one by one
    _write_what_the_terminal_lacks()
    language.begin_in(language.preferred(sys.argv[1:]))
    from ippbx_billing.cli.app import app

    app()


def _write_what_the_terminal_lacks() -> None:
    """Signs that stdout's encoding has not (Chinese on a western Windows) are written as JSON escapes them."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
