"""A practice PBX behind a real socket of 127.0.0.1, one server for all tests and a device of its own for each.

    with served(PracticePbx(Firmware())) as address:
        PbxAdmin(address, "admin", "admin", profile=load_profile("uc")).read("api")
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from ippbx_billing.practice_pbx import PracticePbx
from ippbx_billing.practice_pbx.web import app

PATIENCE_S = 10


class _Thread(threading.Thread):
    """uvicorn on a free port, in front of whatever device is set."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.device: Any = None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(self._answer, lifespan="off", log_level="critical", interface="asgi3"))
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
def served(pbx: PracticePbx) -> Iterator[str]:
    """The device's address while it is served; the server itself goes on for the next test."""
    if not _running:
        _running.append(_Thread())
    thread = _running[0]
    thread.device = app(pbx)
    yield thread.address


def end() -> None:
    """End the server, when the last test that needs it is over."""
    while _running:
        _running.pop().end()
