"""`listen` for somebody who sits before it: a line for what is new, and below it a line that says how far it is.

On a terminal alone; in a pipe, under a service manager and in JSON a line tells a problem, not a call.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ippbx_billing.errors import BillingError

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings

LOOK_EVERY_S = 1.0
SERVICE_MANAGERS = ("NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM")


def somebody_looks(using: "Settings") -> bool:
    """Whether stderr is a terminal that a person reads."""
    managed = any(os.environ.get(name) for name in SERVICE_MANAGERS)
    return sys.stderr.isatty() and using.log_format == "text" and not managed


@contextmanager
def status_line(using: "Settings") -> Iterator[Any]:
    """A line at the foot of the terminal, above which all else that is said goes by; None where nobody looks."""
    if not somebody_looks(using):
        yield None
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True, redirect_stdout=False) as line:
        yield line


@contextmanager
def looking_on(using: "Settings", line: Any) -> Iterator[None]:
    """Keeps the status line up to date while the block runs, in a thread of its own."""
    if line is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(using, line, over), name="onlooker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(LOOK_EVERY_S)


def _tell(using: "Settings", line: Any, over: threading.Event) -> None:
    from rich.text import Text

    from ippbx_billing.documents.columns import harmless
    from ippbx_billing.reports.views.arriving import Onlooker

    onlooker = Onlooker(using)
    while not over.wait(LOOK_EVERY_S):
        with suppress(BillingError):  # a file that cannot be read now is told by those who need it
            for said in onlooker.look():
                line.console.print(Text(harmless(said)))
            line.update(Text(onlooker.status()), refresh=True)
