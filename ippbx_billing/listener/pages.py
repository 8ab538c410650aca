"""The pages for those who look after the listener: /healthz for people and checks, /metrics for Prometheus.

They are few and rare, so each is asked of Starlette in a task of its own, and its answer takes its turn like any other.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ippbx_billing import __version__
from ippbx_billing.errors import DataError
from ippbx_billing.listener import metrics
from ippbx_billing.listener.capacity import Capacity
from ippbx_billing.listener.exchange import Exchange
from ippbx_billing.sqlite import damage

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Message


class Pages:
    """`facts` adds to what /healthz tells and is asked in the event loop; `figures` of /metrics may take its time."""

    def __init__(
        self,
        capacity: Capacity,
        connections: Callable[[], int],
        facts: Callable[[], Mapping[str, Any]],
        figures: Callable[[], Mapping[str, Any]],
    ) -> None:
        from starlette.applications import Starlette
        from starlette.routing import Route

        self._capacity = capacity
        self._connections = connections
        self._facts = facts
        self._figures = figures
        routes = [Route("/healthz", self._healthz), Route("/metrics", self._metrics)]
        self._application = Starlette(routes=routes)
        self._paths = {route.path.encode(): route.path for route in routes}

    def at(self, path: bytes) -> str | None:
        """The page of this path, if there is one."""
        return self._paths.get(path)

    async def show(self, page: str, exchange: Exchange) -> None:
        """Has Starlette make the page and answers with it."""
        status, kind, body = 500, b"text/plain; charset=utf-8", b""

        async def receive() -> "Message":
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: "Message") -> None:
            nonlocal status, kind, body
            status = message.get("status", status)
            kind = dict(message.get("headers", ())).get(b"content-type", kind)
            body += message.get("body", b"")

        scope = {"type": "http", "method": "GET", "path": page, "query_string": b"", "headers": []}
        try:
            await self._application(scope, receive, send)
        finally:
            exchange.show(status, kind, body)

    async def _healthz(self, request: "Request") -> "Response":
        """How it is: 200 while events are kept, 503 while the store fails."""
        from starlette.responses import JSONResponse

        counts, writer = self._capacity.counts, self._capacity.writer
        if writer.failure:
            with suppress(DataError):
                await writer.probe()  # so that a repaired disk is noticed before the PBX posts again
        failure = writer.failure or self._capacity.shortage()
        last = writer.last_kept_at
        health = {
            "status": "failing" if failure else "ok",
            "failure": failure or None,
            "version": __version__,
            "received": counts.received,
            "acknowledged": counts.acknowledged,
            "greeted": counts.greeted,
            "refused": dict(counts.refused),
            "last_event_at": last.isoformat() if last else None,
            "backlog": writer.waiting,
            "connections": self._connections(),
            "damaged_files": damage.files_aside(writer.path),
            **self._facts(),
        }
        return JSONResponse(health, status_code=503 if failure else 200)

    async def _metrics(self, request: "Request") -> "Response":
        """What Prometheus reads."""
        from starlette.responses import PlainTextResponse

        figures = await asyncio.to_thread(self._figures)
        text = metrics.text(self._capacity, self._connections(), figures)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")
