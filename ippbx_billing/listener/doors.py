"""What both doors share: who may come in, how often, and the pages; the judgement about a sender.

A connection asks `enter` when it is made, `objection` for each request, `capacity.overload` before the bytes are
handed on.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from ippbx_billing.calls import EventKind
from ippbx_billing.inbox import InboxWriter
from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import Refusal
from ippbx_billing.listener.capacity import Capacity
from ippbx_billing.listener.exchange import Connection, Exchange
from ippbx_billing.listener.limits import Limits, Rates
from ippbx_billing.listener.pages import Pages
from ippbx_billing.listener.senders import Senders

DEFAULT_ANSWER = '{"code":0,"msg":"success"}'
GREETING = "ippbx-bill takes call records here; GET /healthz tells how it is.\n"
MOST_TOLD = 256  # connections beyond the limit that still get a sentence; further ones are closed at once


class Doors:
    """Both doors; `kinds` tells by the local port which one a connection came through."""

    def __init__(
        self,
        writer: InboxWriter,
        kinds: Mapping[int, EventKind],
        *,
        answer: str = DEFAULT_ANSWER,
        limits: Limits | None = None,
        senders: Senders | None = None,
        facts: Callable[[], Mapping[str, Any]] = dict,
        figures: Callable[[], Mapping[str, Any]] = dict,
        admits: Callable[[str], bool] = lambda path: True,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.writer = writer
        self.kinds = {port: kind.value for port, kind in kinds.items()}
        self.text = answer
        self.greeting = GREETING
        self.limits = limits or Limits()
        self.capacity = Capacity(writer, self.limits, report)
        self.senders = senders or Senders()
        self.admits = admits
        self.connections: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._rates = Rates(self.limits.max_requests_per_s)
        self._pages = Pages(self.capacity, lambda: len(self.connections), facts, figures)
        self._showing: set[asyncio.Task[None]] = set()
        self._probe: asyncio.Future[None] | None = None

    # What connections ask

    def enter(self, connection: Connection) -> Refusal | None:
        """Lets a connection in; what is to be said to each of its requests where it is one too many."""
        self.connections.add(connection)
        self._of_address[connection.peer] += 1
        too_many = len(self.connections) - self.limits.max_connections
        if too_many > MOST_TOLD:
            self.capacity.note(answers.TOO_MANY, connection.peer)
            connection.turn_away()
        if too_many > 0:
            return answers.TOO_MANY
        if self.senders.is_proxy(connection.peer):
            return None
        if not self.senders.may_post(connection.peer):
            return answers.STRANGER
        most = self.limits.max_connections_per_address
        return answers.TOO_MANY_OF_ADDRESS if 0 < most < self._of_address[connection.peer] else None

    def leave(self, connection: Connection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        self._of_address[connection.peer] -= 1
        if not self._of_address[connection.peer]:
            del self._of_address[connection.peer]

    def objection(self, connection: Connection, path: bytes, headers: bytes) -> Refusal | None:
        """Why this request is not taken from this sender, or nothing."""
        if self.senders.is_proxy(connection.peer):
            connection.sender = self.senders.behind(connection.peer, headers)
            if not self.senders.may_post(connection.sender):
                return answers.STRANGER
        if self.limits.max_requests_per_s and not self._rates.admits(connection.sender, time.monotonic()):
            return answers.TOO_OFTEN
        if not self.admits(_unquoted(path)):
            return answers.UNKNOWN_PATH
        return None

    # Pages

    def page(self, path: bytes) -> str | None:
        """The page that stands at this path, if any."""
        return self._pages.at(path)

    def shows_pages_to(self, connection: Connection, headers: bytes, own_address: str) -> bool:
        """Whether whoever asks may see them; a proxy on this machine does not make its clients local."""
        if self.senders.is_proxy(connection.peer):
            return self.senders.may_look(self.senders.behind(connection.peer, headers), "")
        return self.senders.may_look(connection.peer, own_address.removeprefix("::ffff:"))

    def show(self, page: str, exchange: Exchange) -> None:
        """Answers with a page once it is made."""
        task = asyncio.get_running_loop().create_task(self._pages.show(page, exchange))
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)

    # What the clock tells

    def look_around(self) -> None:
        """Once a second: the disk, and connections that have waited too long."""
        now = time.monotonic()
        self.capacity.look_around(now)
        if self.writer.suspect.is_set():
            self.when_writer_answers(lambda: None)  # its next write replaces the file, also while nobody posts
        for connection in list(self.connections):
            connection.look_at_clock(now)
        self._rates.forget_full(now)
        if int(now) % 60 == 0:
            self.senders.forget()

    def when_writer_answers(self, then: Callable[[], object]) -> None:
        """Calls back once the writer's thread has tried a write, whether or not the disk took it."""
        if self._probe is None or self._probe.done():  # one that hangs is not asked again
            self._probe = self.writer.probe()
            self._probe.add_done_callback(lambda answered: (answered.exception(), then()))

    def cut_off(self) -> None:
        """Ends even those who do not take their last answer."""
        for connection in list(self.connections):
            connection.turn_away()

    def close(self) -> None:
        """The last words."""
        self.capacity.close()

    def stop(self) -> None:
        """Ends every connection that is still there."""
        for connection in list(self.connections):
            connection.stop()


def _unquoted(path: bytes) -> str:
    return (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8", "replace")
