"""Delivers bodies over HTTP as switches do: so many at once, with or without patience, again when told so.

    tally = post(deliveries, connections=4)
    tally.acknowledged

The one idea: a body counts as delivered when its answer is 200, and as nothing else. Without `retries` a body is
posted once, as most switches do; what was refused or got no answer is counted, not hidden. Doubled and unordered
delivery are habits of the bodies' order: `doubled` and `unordered` make them of any iterable.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import httpx

Anything = TypeVar("Anything")

REQUEST_TIMEOUT_S = 30.0
RETRY_PAUSE_S = 1.0
PATIENCE = 5  # posts in a row without any answer, after which nobody is there


@dataclass(frozen=True, slots=True)
class Post:
    """One body on its way to an event URL."""

    url: str
    body: bytes
    content_type: str = "application/json"


@dataclass(slots=True)
class PostTally:
    """What became of the deliveries; `refused` counts answers other than 200 by their status."""

    acknowledged: int = 0
    unanswered: int = 0
    repeated: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    gave_up: str = ""

    @property
    def failed(self) -> int:
        """Bodies that were posted and never acknowledged."""
        return self.unanswered + self.refused.total()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a switch delivers: connections at once, posts begun a second, and what it does about anything but a 200.

    With `retries` such a post is repeated that often, `retry_pause_s` later. `patience` posts in a row without
    any answer end the work.
    """

    connections: int = 4
    new_connection_per_event: bool = False
    per_second: float | None = None
    retries: int = 0
    retry_pause_s: float = RETRY_PAUSE_S
    patience: int = PATIENCE


def post(
    deliveries: Iterable[Post],
    manner: Manner | None = None,
    *,
    on_ack: Callable[[Post], None] | None = None,
    stop: Event | None = None,
) -> PostTally:
    """Post everything and count the answers; blocks until done, until `stop` is set, or until nobody answers.

    `on_ack` is called in the posting threads, one call at a time. An answer never raises.
    """
    manner = manner or Manner()
    poster = _Poster(iter(deliveries), manner, on_ack, stop or Event())
    begun = monotonic()
    with ThreadPoolExecutor(manner.connections, "posting") as threads:
        workers = [threads.submit(poster.work) for _ in range(manner.connections)]
        try:
            for worker in workers:
                worker.result()
        except BaseException:
            poster.stop.set()
            raise
    poster.tally.seconds = monotonic() - begun
    return poster.tally


class _Poster:
    """Several threads that take from one iterator, so that each body is taken once; each has its own connection."""

    def __init__(
        self,
        deliveries: Iterator[Post],
        manner: Manner,
        on_ack: Callable[[Post], None] | None,
        stop: Event,
    ) -> None:
        import httpx

        self.tally = PostTally()
        self.stop = stop
        self._deliveries = deliveries
        self._manner = manner
        self._on_ack = on_ack
        self._lock = Lock()
        self._next_at = 0.0
        self._silence = 0
        self._trust = httpx.create_ssl_context(trust_env=False)

    def work(self) -> None:
        """Deliver until nothing is left, or there is reason to stop."""
        try:
            with self._client() as client:
                while self._turn_comes() and not self.tally.gave_up:
                    with self._lock:
                        delivery = next(self._deliveries, None)
                    if delivery is None:
                        return
                    self._deliver(client, delivery)
        except BaseException:
            self.stop.set()
            raise

    def _client(self) -> "httpx.Client":
        import httpx

        headers = {"Connection": "close"} if self._manner.new_connection_per_event else {}
        return httpx.Client(headers=headers, timeout=REQUEST_TIMEOUT_S, trust_env=False, verify=self._trust)

    def _turn_comes(self) -> bool:
        """Keep the pace: each turn is one interval after the one before, lost time is made up. False on stop."""
        if not self._manner.per_second:
            return not self.stop.is_set()
        with self._lock:
            turn_at = self._next_at or monotonic()
            self._next_at = turn_at + 1 / self._manner.per_second
        return not self.stop.wait(max(0.0, turn_at - monotonic()))

    def _deliver(self, client: "httpx.Client", delivery: Post) -> None:
        """Post once, and again while it is not acknowledged and retries are left."""
        status = self._post(client, delivery)
        for _ in range(self._manner.retries):
            if status == 200 or self.tally.gave_up or self.stop.wait(self._manner.retry_pause_s):
                break
            with self._lock:
                self.tally.repeated += 1
            status = self._post(client, delivery)
        with self._lock:
            self._count(status, delivery)

    def _count(self, status: int | None, delivery: Post) -> None:
        if status == 200:
            self.tally.acknowledged += 1
            if self._on_ack:
                self._on_ack(delivery)
        elif status is None:
            self.tally.unanswered += 1
        else:
            self.tally.refused[status] += 1

    def _post(self, client: "httpx.Client", delivery: Post) -> int | None:
        """The answer's status, or None where there was no answer."""
        import httpx

        headers = {"Content-Type": delivery.content_type}
        try:
            answer = client.post(delivery.url, content=delivery.body, headers=headers)
        except httpx.TransportError as error:
            self._miss(delivery, error)
            return None
        self._silence = 0
        return answer.status_code

    def _miss(self, delivery: Post, error: Exception) -> None:
        """Nobody answered; after several times in a row nobody will."""
        with self._lock:
            self._silence += 1
            if self._silence >= self._manner.patience:
                self.tally.gave_up = f"{delivery.url} does not answer: {str(error) or type(error).__name__}"


def doubled(things: Iterable[Anything], share: float, random: Random) -> Iterator[Anything]:
    """The same in the same order, some of them twice: a retry that was not needed."""
    for one in things:
        yield one
        if random.random() < share:
            yield one


def unordered(things: Iterable[Anything], reach: int, random: Random) -> Iterator[Anything]:
    """The same, each up to about `reach` places from where it belongs: several senders, each with its own delay."""
    waiting: list[Anything] = []
    for one in things:
        waiting.append(one)
        if len(waiting) > reach:
            yield waiting.pop(random.randrange(len(waiting)))
    while waiting:
        yield waiting.pop(random.randrange(len(waiting)))
