"""The console as a child of the listener, without loading any of it here.

with Beside(using, report=log.warning) as beside:
    beside.start()
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from types import TracebackType
from typing import IO, Self

from ippbx_billing.settings import Settings

RESTART_PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # then always the last one
END_S = 10.0
STOPS_WITH_STDIN = "--beside"


class Beside:
    """The console as a child of the listener: its end is told and mended, and never the listener's own."""

    def __init__(self, using: Settings, report: Callable[[str], None]) -> None:
        self._using = using
        self._report = report
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Begin; called when the listener is ready."""
        self._process = self._child()
        threading.Thread(target=self._restart_when_dead, name="console-watch", daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        if self._process is None:
            return
        with suppress(OSError):
            _stdin(self._process).close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _child(self) -> subprocess.Popen[bytes]:
        using = self._using
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(using.data_dir), "console"]
        options = [STOPS_WITH_STDIN, "--host", using.console_host, "--port", str(using.console_port)]
        return subprocess.Popen([*command, *options], stdin=subprocess.PIPE)

    def _restart_when_dead(self) -> None:
        pauses = chain(RESTART_PAUSES_S, repeat(RESTART_PAUSES_S[-1]))
        while self._process is not None:
            code = self._process.wait()
            if self._ending.wait(next(pauses)):
                return
            with suppress(OSError):
                _stdin(self._process).close()
            self._report(f"the console ended (exit {code}) and is started again; records are taken as before")
            self._process = self._child()


def _stdin(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin
