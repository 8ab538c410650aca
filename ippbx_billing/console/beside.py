"""The console as a child of the listener, without loading any of it here.

with Beside(using, report=log.warning) as beside:
    beside.start()
"""

import subprocess
import sys
from collections.abc import Callable
from itertools import chain, repeat

from ippbx_billing.language import tr
from ippbx_billing.service.children import WatchedChild
from ippbx_billing.settings import Settings

RESTART_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # then always the last one
END_S = 10.0
STOPS_WITH_STDIN = "--beside"


class Beside(WatchedChild):
    """The console as a child of the listener: its end is told and it is started again, and never the listener's own."""

    end_s = END_S

    def __init__(self, using: Settings, report: Callable[[str], None]) -> None:
        super().__init__()
        self._using = using
        self._report = report
        self._pauses = chain(RESTART_PAUSES_S, repeat(RESTART_PAUSES_S[-1]))

    def child(self) -> subprocess.Popen[bytes]:
        """The console's own command, told where to listen."""
        using = self._using
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(using.data_dir), "console"]
        options = [STOPS_WITH_STDIN, "--host", using.console_host, "--port", str(using.console_port)]
        return subprocess.Popen([*command, *options], stdin=subprocess.PIPE)

    def pause_s(self, code: int) -> float:
        """Longer from end to end."""
        return next(self._pauses)

    def starts_again(self, code: int) -> None:
        """Told in a line; no record is waiting for it."""
        self._report(tr("the console ended (exit {code}) and is started again; records are taken as before", code=code))
