"""The console's process: on its own port, beside the listener or alone; nobody notices when it ends but its readers.

serve(using, announce=print)  # until SIGTERM or Ctrl-C
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import FrameType

import uvicorn

from ippbx_billing.console.app import application
from ippbx_billing.console.desk import House
from ippbx_billing.language import tr
from ippbx_billing.listener.server import bound, secured, url
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import Settings

log = logging.getLogger("ippbx_billing.console")

END_S = 5  # what is under way gets so long; nobody's call depends on it
NICENESS = 10  # where processors are short the doors and the worker go first
MOST_CONNECTIONS = 500
PIPE_BYTES = 4096


class _Server(uvicorn.Server):
    """Says when it is ready, and ends the streams of open pages before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, house: House, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._house = house
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._house.feed.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def serve(using: Settings, announce: Callable[[str], object], *, until_stdin_ends: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C, or until the process that holds our stdin is gone. Raises CannotStartError.

    `announce` is told the address, and while there is no operator yet, the one where the first one sets a password.
    """
    made = application(using)
    certificate, key = (_path(using, name) for name in (using.tls_certificate, using.tls_key))
    security = secured(certificate, key)
    with bound(using.console_host, {"--port": using.console_port}) as (door,):
        port = door.getsockname()[1]
        address = url(using.console_host, port, "https" if security else "http")

        def ready() -> None:
            announce(tr("web page: {address}", address=address))
            if welcome := first_address(using, address):
                announce(tr("nobody can sign in yet; set a name and a password at {address}", address=welcome))

        config = uvicorn.Config(
            made,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=END_S,
        )
        config.load()
        config.ssl = security
        server = _Server(config, made.state.house, ready)
        if until_stdin_ends:
            threading.Thread(target=_end_with_stdin, args=(server,), name="stdin", daemon=True).start()
        asyncio.run(server.serve([door]))


def first_address(using: Settings, address: str) -> str:
    """Where the first administrator sets a name and a password, once; empty where there are operators."""
    with OperatorFile(using.operators_path) as file:
        if not file.operators.is_empty():
            return ""
        return f"{address}welcome/{file.operators.invite(None, datetime.now(UTC))}"


def _path(using: Settings, name: str) -> str:
    return str(using.data_dir.joinpath(name)) if name else ""


def _end_with_stdin(server: uvicorn.Server) -> None:
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), PIPE_BYTES):
            pass
    server.should_exit = True


def begin_nicely() -> None:
    """Behind the doors and the worker where processors are short."""
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICENESS)
