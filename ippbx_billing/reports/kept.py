"""Answers that many ask for at once, worked out once and kept for a moment.

kept = Kept()
kept.get(("figures", "en"), 4.0, lambda: figures(...))
"""

import threading
from collections.abc import Callable, Hashable
from time import monotonic
from typing import Any

MOST_KEPT = 500


class Kept:
    """Answers by key; safe for threads. Whoever asks while one is worked out waits for it; an error is not kept."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, seconds: float, work_out: Callable[[], Any]) -> Any:
        """The answer, no older than so many seconds."""
        with self._lock:
            if len(self._locks) >= MOST_KEPT:
                self._locks.clear()
                self._answers.clear()
            own = self._locks.setdefault(key, threading.Lock())
        with own:
            at, answer = self._answers.get(key, (float("-inf"), None))
            if monotonic() - at >= seconds:
                answer = work_out()
                self._answers[key] = monotonic(), answer
        return answer
