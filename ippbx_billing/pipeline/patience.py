"""How long the worker may take for one event: a body that is slow to read must not hold up those behind it.

    with patience(1.0):
        reading = rules.read(event)      # raises TookTooLong after a second of this process's own time

The time is that of the processor, so a busy machine makes nothing late. Only a process's main thread can be stopped so,
and only where the system has such a timer (not on Windows); elsewhere the block takes as long as it takes.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

READING_S = 1.0


class TookTooLong(Exception):
    """The block took more of the processor's time than it may."""


@contextmanager
def patience(seconds: float = READING_S) -> Iterator[None]:
    """Raises TookTooLong within the block when it has used so many seconds of the processor."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong
