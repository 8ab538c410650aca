"""The collector as a web service: one door for batches, one page for whoever watches over it.

run(Collector(Connections(dsn)), host="0.0.0.0", port=8190, announce=print)
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ippbx_billing.centre.collecting import MOST_BODY_BYTES, Collector, ShipAnswer
from ippbx_billing.errors import CannotStartError
from ippbx_billing.language import tr
from ippbx_billing.ship.shipping import PATH

if TYPE_CHECKING:
    import socket


def app(collector: Collector) -> Starlette:
    """The web application."""

    async def ship(request: Request) -> JSONResponse:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BODY_BYTES:
                return JSONResponse({"error": tr("the batch is too large"), "hint": ""}, 413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        return _response(await run_in_threadpool(collector.take, headers, bytes(body)))

    async def healthz(request: Request) -> JSONResponse:
        well = await run_in_threadpool(collector.is_well)
        return JSONResponse({"status": "ok" if well else "no database"}, 200 if well else 503)

    return Starlette(routes=[Route(PATH, ship, methods=["POST"]), Route("/healthz", healthz)])


def _response(answer: ShipAnswer) -> JSONResponse:
    pause = {"retry-after": str(answer.pause_s)} if answer.pause_s else None
    return JSONResponse(dict(answer.told), int(answer.status), headers=pause)


class _Server(uvicorn.Server):
    """Uvicorn's, which says where it listens once it does."""

    announce: Callable[[str], None]

    async def startup(self, sockets: "list[socket.socket] | None" = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            scheme = "https" if self.config.is_ssl else "http"
            self.announce(f"{scheme}://{self.config.host}:{port}")


def run(
    collector: Collector,
    host: str,
    port: int,
    announce: Callable[[str], None],
    certificate: str | None = None,
    key: str | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `announce` is told the address. CannotStartError where the port is taken."""
    config = uvicorn.Config(
        app(collector), host, port, log_level="warning", access_log=False, ssl_certfile=certificate, ssl_keyfile=key
    )
    server = _Server(config)
    server.announce = announce
    try:
        server.run()
    except SystemExit as error:
        raise CannotStartError(
            tr("the collector cannot listen at {host}:{port}", host=host, port=port), tr("is the port taken?")
        ) from error
