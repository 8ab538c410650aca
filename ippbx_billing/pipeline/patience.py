"""How long the worker may take for one event: a body that is slow to read must not hold up those behind it.

    with patience(allowed_s(event.body)):
        reading = rules.read(event)      # raises TookTooLong after so much of this process's own time

The time is that of the processor, so a busy machine makes nothing late. Only a process's main thread can be stopped so,
and only where the system has such a timer (not on Windows); elsewhere the block takes as long as it takes.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

READING_S = 1.0  # for any body
BYTES_A_S = 100_000  # and a second more for so many bytes; a body of 20,000 good records needs a tenth of that
ASKED_AGAIN_S = 0.1  # code that loses the first word, such as a destructor, hears another


class TookTooLong(BaseException):
    """The block took more of the processor's time than it may; no `except Exception` within may hide it."""


def allowed_s(body: bytes, reading_s: float = READING_S) -> float:
    """How long a body may take: time grows with the size, and no faster."""
    return reading_s + len(body) / BYTES_A_S


@contextmanager
def patience(seconds: float = READING_S) -> Iterator[None]:
    """Raises TookTooLong within the block when it has used so many seconds of the processor."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, ASKED_AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong
