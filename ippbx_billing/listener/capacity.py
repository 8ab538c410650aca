"""What all connections share of this machine: memory, the disk, the writer's patience; and what came of it, counted.

capacity.held_bytes += len(body)
capacity.overload()   ->  the refusal, while nothing can be taken from anybody
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ippbx_billing.inbox import InboxWriter
from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import Refusal
from ippbx_billing.listener.limits import Limits
from ippbx_billing.listener.senders import Complaints


@dataclass(slots=True)
class Counts:
    """What came through the doors since the start."""

    received: int = 0
    acknowledged: int = 0
    greeted: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Capacity:
    """How much more can be taken; every refusal is counted here and told to the operator."""

    def __init__(self, writer: InboxWriter, limits: Limits, report: Callable[[str], None]) -> None:
        self.writer = writer
        self.limits = limits
        self.counts = Counts()
        self.held_bytes = 0  # of bodies that are being received or committed
        self.disk_is_low = False
        self._complaints = Complaints(report)

    def overload(self) -> Refusal | None:
        """Why nothing can be taken from anybody now, or nothing."""
        if self.disk_is_low:
            return answers.DISK_LOW
        return answers.BUSY if self.writer.waiting >= self.limits.max_waiting_events else None

    def shortage(self) -> str:
        """What the disk lacks, or nothing."""
        if not self.disk_is_low:
            return ""
        return f"less than {self.limits.min_free_bytes} bytes are free at {self.writer.path.parent}"

    def note(self, refusal: Refusal, sender: str) -> None:
        """Counts a refusal and lets the operator know."""
        self.counts.refused[refusal.reason] += 1
        self._complaints.note(refusal.complaint, sender, time.monotonic())

    def look_around(self, now: float) -> None:
        """Once a second: the disk, and what the operator is to be told."""
        self.disk_is_low = self.limits.min_free_bytes > _free_bytes(self.writer.path)
        self._complaints.tell(now)

    def close(self) -> None:
        """The last words."""
        self._complaints.tell(time.monotonic(), at_last=True)


def _free_bytes(path: Path) -> float:
    """What an ordinary program may still write to the disk of this file; unknown counts as plenty."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return float("inf")
