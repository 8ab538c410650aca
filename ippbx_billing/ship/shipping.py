"""Sends what the inbox holds beyond the centre's position, batch by batch, until nothing is left.

    with Shipper(route, inbox_path, key) as shipper:
        pause_s = shipper.step(time.time())   # 0: at once again; else how long to wait

The one idea: nobody remembers what was sent. The centre answers up to which position it has all, whatever it was sent,
and the next batch begins there; so a lost answer, a lost batch and a centre put back from a backup are one case.
"""

import hashlib
import random
import time
from dataclasses import dataclass, replace
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from ippbx_billing.calls import RawEvent
from ippbx_billing.errors import BillingError, DataError, UsageError
from ippbx_billing.inbox import Inbox, epochs
from ippbx_billing.language import tr
from ippbx_billing.ship import state as states
from ippbx_billing.ship.batches import MOST_ROWS, Batch, Shipped, packed

GATHER_S = 5.0  # so long a few events wait for others
PAUSES_S = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)  # after one failure, two, …; then always the last
MOST_PAUSE_S = 3_600.0  # whatever a centre asks for
BATCH_BYTES = 8 * 1024 * 1024  # of bodies and headers; one larger event goes alone
TIMEOUT_S = 30.0
PATH = "/ship"


@dataclass(frozen=True, slots=True)
class Route:
    """Where the events go: the centre's address, our name there, the certificate it is known by ("" for the usual)."""

    url: str
    site: str
    data_dir: Path
    certificate: str = ""

    @property
    def address(self) -> str:
        """Where a batch is posted; UsageError where that would leave this machine in the clear."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" and parts.hostname:
            return self.url.rstrip("/") + PATH
        if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
            return self.url.rstrip("/") + PATH
        raise UsageError(
            tr("{url} is not an address of a centre", url=self.url),
            tr("write https://…; http:// is for this machine itself, such as http://127.0.0.1:8190"),
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class RefusedError(BillingError):
    """The centre does not take what we send; `pause_s` is how long to leave it alone, 0 where it did not say."""

    def __init__(self, message: str, hint: str = "", pause_s: float = 0.0) -> None:
        super().__init__(message, hint)
        self.pause_s = pause_s


class Shipper:
    """One inbox on its way to one centre."""

    def __init__(self, route: Route, inbox_path: Path, key: bytes, chance: random.Random | None = None) -> None:
        self._route, self._address, self._key = route, route.address, key
        self._path = inbox_path
        self._inbox = Inbox(inbox_path)
        verify: Any = route.certificate or True
        self._client = httpx.Client(timeout=TIMEOUT_S, verify=_trusting(verify), follow_redirects=False)
        self._chance = chance or random.Random()
        self._failures = 0
        self._asked = False  # whether this process has heard from the centre how far it is
        self.state = states.load(route.data_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the inbox and the line."""
        self._inbox.close()
        self._client.close()

    def step(self, now: float, gather_s: float = GATHER_S) -> float:
        """Send the next batch, if there is one; gives how long to wait before the next step, 0 where more waits."""
        try:
            more = self._send(now)
        except (RefusedError, httpx.HTTPError) as error:
            return self._failed(error)
        self._failures = 0
        return 0.0 if more else gather_s

    def drain(self) -> int:
        """Send until the centre has all; gives its position. Raises what keeps a batch from arriving."""
        while self._send(time.time()):
            pass
        return self.state.position

    def waiting(self) -> int:
        """How many positions the centre does not have yet."""
        return max(0, self._inbox.last_id() - self.state.position)

    def _send(self, now: float) -> bool:
        """One batch, or at the beginning an empty one that asks; gives whether more waits."""
        self.state = self.state.for_(self._route.url, self._route.site, self._epoch())
        batch = self._next()
        if batch is None:
            self._keep(replace(self.state, behind_since=None) if self.state.behind_since else self.state)
            return False
        if self.state.behind_since is None and batch.events:
            self.state = replace(self.state, behind_since=batch.events[0].received_at // 1_000_000)
        have = self._post(batch, int(now))
        self._asked = True
        self._keep(self._settled(self.state.reached(have, self._digest(have), int(now))))
        return self.waiting() > 0

    def _epoch(self) -> str:
        """The inbox's epoch. Where the centre has more than this inbox ever held, or another event under the same id,
        somebody put an older file in its place by hand: its ids come again, so that it needs another epoch."""
        found = epochs.epoch(self._path)
        if found != self.state.epoch:
            return found
        gone_back = self.state.position > self._inbox.last_id()
        here = self._digest(self.state.position)
        return epochs.renew(self._path) if gone_back or (here and self.state.digest not in ("", here)) else found

    def _digest(self, position: int) -> str:
        """What tells the event at a position from any other; nothing where it is gone."""
        event = self._inbox.get(position)
        return "" if event is None else hashlib.sha256(_shipped(event).framed()).hexdigest()

    def _next(self) -> Batch | None:
        position, last = self.state.position, self._inbox.last_id()
        events = [_shipped(one) for one in self._inbox.after(position, MOST_ROWS)] if last > position else []
        events = _bounded(events)
        if events:
            return Batch(self._route.site, self.state.epoch, position, events[-1].position, tuple(events))
        if last > position:  # ids that have no event any more
            return Batch(self._route.site, self.state.epoch, position, last)
        return None if self._asked else Batch(self._route.site, self.state.epoch, position, position)

    def _settled(self, state: states.ShipState) -> states.ShipState:
        """No longer behind where nothing waits."""
        return state if self._inbox.last_id() > state.position else replace(state, behind_since=None)

    def _post(self, batch: Batch, sent: int) -> int:
        headers, body = packed(batch, self._key, sent)
        answer = self._client.post(self._address, content=body, headers=headers)
        if answer.status_code != HTTPStatus.OK:
            raise _refused(answer)
        try:
            have = answer.json()["have"]
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError(tr("what answers at {url} is not a centre", url=self._address)) from error
        if not isinstance(have, int) or have < 0:
            raise RefusedError(tr("what answers at {url} is not a centre", url=self._address))
        return have

    def _failed(self, error: BillingError | httpx.HTTPError) -> float:
        """Told in the state; gives the pause, of which chance takes up to half, so that sites do not come at once."""
        problem = error.message if isinstance(error, BillingError) else f"{type(error).__name__}: {error}"
        self._keep(replace(self.state, problem=problem))
        asked_s = min(getattr(error, "pause_s", 0.0), MOST_PAUSE_S)
        usual_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        chance = self._chance.random()
        return asked_s + usual_s * chance if asked_s else usual_s * (1 + chance) / 2

    def _keep(self, state: states.ShipState) -> None:
        if state != states.load(self._route.data_dir):
            states.save(self._route.data_dir, state)
        self.state = state


def _trusting(verify: Any) -> Any:
    """What httpx needs to know the centre by: a file with its certificate, or the system's authorities."""
    if verify is True:
        return True
    import ssl

    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, ssl.SSLError) as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=verify, error=error), tr("it must be a PEM file")
        ) from error


def _refused(answer: httpx.Response) -> RefusedError:
    try:
        told = answer.json()
        message, hint = str(told["error"]), str(told.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        message, hint = tr("the centre answered {status}", status=answer.status_code), ""
    pause = answer.headers.get("retry-after", "")
    return RefusedError(message, hint, float(pause) if pause.isdigit() else 0.0)


def _bounded(events: list[Shipped]) -> list[Shipped]:
    """As many of them as a batch takes; the first in any case."""
    held = 0
    for count, one in enumerate(events):
        held += len(one.body) + len(one.headers)
        if held > BATCH_BYTES and count:
            return events[:count]
    return events


def _shipped(event: RawEvent) -> Shipped:
    moment = event.received_at
    micro = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    headers = event.headers.encode("latin-1")
    return Shipped(
        event.id, micro, event.kind.value, event.remote, event.method, event.path, event.query, headers, event.body
    )
