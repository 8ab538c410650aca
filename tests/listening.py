"""A real listener in a process of its own, and raw sockets to talk to it as switches do.

with Listening(directory) as listener:
    answer = listener.post(b"{}")
    assert answer.status == 200
"""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

from ippbx_billing.listener import Doors
from ippbx_billing.listener.protocol import Protocol

PATIENCE_S = 120

_SERVE = """
import json, sys
from pathlib import Path
from ippbx_billing.errors import BillingError
from ippbx_billing.listener import Limits, ServeHooks, ServeOptions, serve
options = json.loads(sys.argv[1])
options["inbox_path"] = Path(options["inbox_path"])
options["limits"] = Limits(**{name: options.pop(name) for name in list(options) if hasattr(Limits, name)})
try:
    serve(ServeOptions(**options), ServeHooks(announce=lambda line: print(line, file=sys.stderr, flush=True)))
except BillingError as error:
    print(error.message, "|", error.hint, file=sys.stderr)
    sys.exit(error.exit_code)
"""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, lower-case headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Listening:
    """Starts the listener on free ports of `host` and waits for its announcement; at the end, SIGKILL."""

    def __init__(self, directory: Path, *, host: str = "127.0.0.1", strict: bool = True, **options: Any) -> None:
        self.inbox_path = directory / "inbox.db"
        self.host = host
        checks = ["-X", "dev", "-W", "error"] if strict else []  # they would slow a benchmark down
        chosen = {"inbox_path": str(self.inbox_path), "host": host, "cdr_port": 0, "status_port": 0, **options}
        self.process = subprocess.Popen(
            [sys.executable, *checks, "-c", _SERVE, json.dumps(chosen)],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        self.announcement = self.lines.get(timeout=PATIENCE_S)
        ports = re.findall(r":(\d+)/", self.announcement)
        if len(ports) != 2:
            self.__exit__()
            raise AssertionError(f"it did not start: {self.announcement} {self.rest_of_lines()}")
        self.cdr_port, self.status_port = map(int, ports)
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        if self.process.stderr:
            self.process.stderr.close()

    def connect(self, port: int | None = None) -> socket.socket:
        """A connection to the CDR door, or to `port`."""
        return socket.create_connection((self.host, port or self.cdr_port), timeout=PATIENCE_S)

    def send(self, request: bytes, port: int | None = None) -> Answer:
        """Sends these bytes on a fresh connection and reads one answer."""
        with self.connect(port) as connection:
            connection.sendall(request)
            return read_answer(connection)

    def post(self, body: bytes, *, path: str = "/", method: str = "POST", port: int | None = None) -> Answer:
        """One ordinary request with this body."""
        return self.send(request(body, path=path, method=method), port)

    def health(self) -> dict[str, Any]:
        """What /healthz tells."""
        answer = self.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return dict(json.loads(answer.body))

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """Ends the process by a signal; the answer is its exit code."""
        self.process.send_signal(with_signal)
        return self.wait()

    def wait(self) -> int:
        """Waits for the process to end by itself; the answer is its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def failure(self) -> tuple[int, list[str]]:
        """Waits for a start that does not succeed: its exit code and what it said."""
        code = self.wait()
        self.__exit__()
        return code, self.rest_of_lines()

    def rest_of_lines(self) -> list[str]:
        """What it said on stderr and nobody has read."""
        lines = []
        while True:
            try:
                lines.append(self.lines.get_nowait())
            except Empty:
                return lines

    def _read_lines(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line.rstrip("\n"))


def request(body: bytes, *, path: str = "/", method: str = "POST", headers: str = "") -> bytes:
    """An HTTP/1.1 request with a body; `headers` are further lines, each ended by CRLF."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def read_answer(connection: socket.socket) -> Answer:
    """The next answer on a connection, and no byte of the one behind it; ConnectionError where it ends before that."""
    head, body = b"", b""
    while not head.endswith(b"\r\n\r\n"):
        head += _more(connection, 1)
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        body += _more(connection, length - len(body))
    return Answer(int(first.split()[1]), headers, body)


def _more(connection: socket.socket, most: int) -> bytes:
    data = connection.recv(most)
    if not data:
        raise ConnectionError("the connection ended before the answer")
    return data


class Wire:
    """A connection without a network, from 10.1.2.3: what the doors hear is given, what they send is gathered."""

    def __init__(self, doors: Doors, *, port: int = 0, peer: str = "10.1.2.3") -> None:
        self.sent = b""
        self.closed = False
        self._told = asyncio.Event()
        self._info = {"peername": (peer, 5555), "sockname": ("10.0.0.1", port or next(iter(doors.kinds)))}
        self.protocol = Protocol(doors)
        self.protocol.connection_made(self)

    def hear(self, data: bytes) -> None:
        """Bytes that arrive."""
        if not self.closed:
            self.protocol.data_received(data)

    async def answer(self) -> bytes:
        """What has been sent once something has."""
        await asyncio.wait_for(self._told.wait(), PATIENCE_S)
        return self.sent

    def end(self) -> None:
        """The other side goes away."""
        self.closed = True
        self.protocol.connection_lost(None)

    # As the protocol sees it

    def get_extra_info(self, name: str) -> Any:
        return self._info.get(name)

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent += data
        self._told.set()

    def close(self) -> None:
        self.closed = True
        self._told.set()

    def abort(self) -> None:
        self.close()

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """The test goes on giving; what was given is not lost."""

    def resume_reading(self) -> None:
        """See above."""
