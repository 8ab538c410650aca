"""Delivers bodies over HTTP as switches do: so many at once, with or without patience, again when told so.

    tally = asyncio.run(post(deliveries, connections=4))
    tally.acknowledged

The one idea: a body counts as delivered when its answer is 200, and as nothing else. Without `retries` a body is
posted once, as most switches do; what was refused or got no answer is counted, not hidden. Doubled and unordered
delivery are habits of the bodies' order: `doubled` and `unordered` make them of any iterable.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import httpx

Anything = TypeVar("Anything")

REQUEST_TIMEOUT_S = 30.0
RETRY_PAUSE_S = 1.0
PATIENCE = 5  # posts in a row without any answer, after which nobody is there


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body on its way to an event URL."""

    url: str
    body: bytes
    content_type: str = "application/json"


@dataclass(slots=True)
class Tally:
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


async def post(
    deliveries: Iterable[Delivery],
    *,
    connections: int = 4,
    new_connection_per_event: bool = False,
    retries: int = 0,
    retry_pause_s: float = RETRY_PAUSE_S,
    per_second: float | None = None,
    patience: int = PATIENCE,
    on_ack: Callable[[Delivery], None] | None = None,
) -> Tally:
    """Post everything, at most `connections` at once and `per_second` begun a second; never raises for an answer.

    With `retries`, anything but a 200 is posted again that often, `retry_pause_s` later. It gives up where `patience`
    posts in a row got no answer at all, and says why in the tally.
    """
    import httpx

    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    headers = {"Connection": "close"} if new_connection_per_event else {}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        poster = _Poster(client, iter(deliveries), retries, retry_pause_s, per_second, patience, on_ack)
        begun = monotonic()
        async with asyncio.TaskGroup() as workers:
            for _ in range(connections):
                workers.create_task(poster.work())
        poster.tally.seconds = monotonic() - begun
    return poster.tally


class _Poster:
    """Several workers that take from one iterator, so that each body is taken once."""

    def __init__(
        self,
        client: "httpx.AsyncClient",
        deliveries: Iterator[Delivery],
        retries: int,
        retry_pause_s: float,
        per_second: float | None,
        patience: int,
        on_ack: Callable[[Delivery], None] | None,
    ) -> None:
        self.tally = Tally()
        self._client = client
        self._deliveries = deliveries
        self._retries = retries
        self._retry_pause_s = retry_pause_s
        self._interval_s = 1 / per_second if per_second else 0.0
        self._next_at = monotonic()
        self._on_ack = on_ack
        self._patience = patience
        self._silence = 0

    async def work(self) -> None:
        """Deliver until nothing is left, or nobody is there."""
        while not self.tally.gave_up:
            await self._wait_for_turn()
            delivery = next(self._deliveries, None)
            if delivery is None:
                return
            await self._deliver(delivery)

    async def _wait_for_turn(self) -> None:
        """Keep the pace: each turn is one interval after the one before; lost time is made up."""
        if self._interval_s:
            self._next_at += self._interval_s
            await asyncio.sleep(max(0.0, self._next_at - self._interval_s - monotonic()))

    async def _deliver(self, delivery: Delivery) -> None:
        """Post once, and again while it is not acknowledged and retries are left."""
        status = await self._post(delivery)
        for _ in range(self._retries):
            if status == 200 or self.tally.gave_up:
                break
            await asyncio.sleep(self._retry_pause_s)
            self.tally.repeated += 1
            status = await self._post(delivery)
        if status == 200:
            self.tally.acknowledged += 1
            if self._on_ack:
                self._on_ack(delivery)
        elif status is None:
            self.tally.unanswered += 1
        else:
            self.tally.refused[status] += 1

    async def _post(self, delivery: Delivery) -> int | None:
        """The answer's status, or None where there was no answer."""
        import httpx

        headers = {"Content-Type": delivery.content_type}
        try:
            answer = await self._client.post(delivery.url, content=delivery.body, headers=headers)
        except httpx.TransportError as error:
            self._silence += 1
            if self._silence >= self._patience:
                self.tally.gave_up = f"{delivery.url} does not answer: {str(error) or type(error).__name__}"
            return None
        self._silence = 0
        return answer.status_code


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
