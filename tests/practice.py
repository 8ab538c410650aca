"""A practice PBX behind a real socket of 127.0.0.1: one server for all tests, a device of its own for each.

with served(PracticePbx(Firmware())) as address, PbxAdmin(address, …) as pbx:
    pbx.read("api")
"""

import atexit
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from ippbx_billing.simulation.practice_pbx import PracticePbx
from ippbx_billing.simulation.practice_pbx.web import app

PATIENCE_S = 60
Certificate = tuple[Path, Path]


class _Thread(threading.Thread):
    """uvicorn on a free port, in front of whatever device is set."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        super().__init__(daemon=True)
        self.device: Any = None
        self.socket = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if certificate else "http"
        self.address = f"{scheme}://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(self._answer, lifespan="off", log_level="critical", interface="asgi3")
        if certificate:
            config.ssl_certfile, config.ssl_keyfile = certificate
        self.server = uvicorn.Server(config)
        self.start()
        deadline = time.monotonic() + PATIENCE_S
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await self.device(scope, receive, send)

    def run(self) -> None:
        self.server.run([self.socket])

    def end(self) -> None:
        self.server.should_exit = True
        self.join(PATIENCE_S)
        self.socket.close()


_running: list[_Thread] = []


@contextmanager
def served(device: PracticePbx | Any) -> Iterator[str]:
    """The address of a device, or of any application, while it is served; the server goes on for the next test."""
    if not _running:
        _running.append(_Thread())
        atexit.register(_running[0].end)
    _running[0].device = app(device) if isinstance(device, PracticePbx) else device
    yield _running[0].address


def current() -> Any:
    """The server that `served` uses; its `device` may be exchanged."""
    return _running[0]


@contextmanager
def served_with(certificate: Certificate, device: PracticePbx) -> Iterator[str]:
    """The device's HTTPS address, on a server of its own that ends afterwards."""
    thread = _Thread(certificate)
    thread.device = app(device)
    try:
        yield thread.address
    finally:
        thread.end()
