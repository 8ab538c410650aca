"""A child process beside the listener: it lives as long as a pipe to it does, and is started again where it dies.

    class Worker(WatchedChild):
        def child(self) -> subprocess.Popen[bytes]: ...     # with a pipe as its stdin

    with Worker(...) as worker:
        worker.start()

The one idea: the end of the pipe tells the child to end, by whatever way the listener went; its own end is told and
started again, and is never the listener's.
"""

import subprocess
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import IO, ClassVar, Self


class WatchedChild(ABC):
    """The child and the thread that watches it; `end_s` is how long it may take to end before it is killed."""

    end_s: ClassVar[float]

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Begin; called when the listener is ready, so that one which may not start has started nothing."""
        self._process = self.child()
        threading.Thread(target=self._restart_when_dead, name="child-watch", daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pipe and wait until the child has done what it does at its end."""
        self._ending.set()
        if self._process is None:
            return
        with suppress(OSError):
            pipe_of(self._process).close()
        try:
            self._process.wait(self.end_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @abstractmethod
    def child(self) -> subprocess.Popen[bytes]:
        """A new process, whose stdin is the pipe."""

    @abstractmethod
    def pause_s(self, code: int) -> float:
        """It ended with that exit code: how long to wait before it is started again."""

    @abstractmethod
    def starts_again(self, code: int) -> None:
        """It is started again now, because it ended with that exit code: told to whoever looks after it."""

    def _restart_when_dead(self) -> None:
        while self._process is not None:
            code = self._process.wait()
            if self._ending.wait(self.pause_s(code)):
                return
            with suppress(OSError):
                pipe_of(self._process).close()
            self.starts_again(code)
            self._process = self.child()


def pipe_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    """The pipe to a child."""
    assert process.stdin is not None
    return process.stdin
