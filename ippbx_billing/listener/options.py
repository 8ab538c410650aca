"""What the listener is told at its start: what it opens, and whom it tells and asks while it runs.

ServeOptions(inbox_path=Path("inbox.db"), host="0.0.0.0", cdr_port=8181, status_port=8182)
ServeHooks(wake=pipeline.wake, announce=print)
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ippbx_billing.listener.doors import DEFAULT_ANSWER
from ippbx_billing.listener.limits import Limits
from ippbx_billing.listener.senders import Senders


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Where the doors are, who may come in and how much; port 0 takes a free one (of the third door: none)."""

    inbox_path: Path
    host: str
    cdr_port: int
    status_port: int
    smdr_port: int = 0  # a third door, for lines over TCP
    answer: str = DEFAULT_ANSWER  # the body of a 200
    tls_certificate: str = ""
    tls_key: str = ""
    senders: Senders | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def ports(self) -> dict[str, int]:
        """Each door's port by the option that sets it, in the order in which they are opened."""
        doors = {"--cdr-port": self.cdr_port, "--status-port": self.status_port}
        return {**doors, "--smdr-port": self.smdr_port} if self.smdr_port else doors


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks after the service: called every so many seconds while loop and writer answer, and when it stops."""

    alive: Callable[[], object] = lambda: None
    stopping: Callable[[], object] = lambda: None
    every_s: float = 0  # 0: never


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeHooks:
    """Whom the listener tells, and whom it asks; left out, nobody is told and everybody may post."""

    wake: Callable[[], None] = lambda: None  # after each commit
    announce: Callable[[str], None] = lambda line: None  # one line, when the doors are open
    report: Callable[[str], None] = lambda line: None  # a line about what was refused
    facts: Callable[[], Mapping[str, Any]] = dict  # more for /healthz
    figures: Callable[[], Mapping[str, Any]] = dict  # more for /metrics; asked in a thread, it may take its time
    admits: Callable[[str], bool] = lambda path: True  # whether events may be posted to this path
    watch: Watch = Watch()
    suspect: threading.Event | None = None  # set by whoever finds the inbox damaged


NOBODY = ServeHooks()
