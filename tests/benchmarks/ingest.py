"""How many records a second are acknowledged, each safe on the disk, and how that compares.

    python -m tests.benchmarks.ingest [--seconds 2] [--rounds 1] [--strict]

Three servers run side by side: the true listener; a bare ASGI application on the same uvicorn that reads the body
and answers; and the obvious design, which commits each request by itself. Each gets the same load in turn from a
bounded client in this process: a 450-byte record over 1, 16 and 64 connections, kept open or one for each request.
The ratios carry over to other machines, the figures do not. Afterwards stored rows must equal acknowledgements.
"""

import argparse
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ippbx_billing.inbox import Inbox
from tests.listening import Listening, request

CONNECTIONS = (1, 16, 64)
REQUIRED = {("kept open", 64): 0.65, ("one each", 64): 0.85}

BODY = (b'{"callid":"0421c5a2-7f3e","caller":"8001","callee":"913800138000","start":"2024-05-01 10:00:00",').ljust(
    450, b" "
)
ANSWER_ENDS = b'"msg":"success"}'

_YARDSTICK = """
import socket, sqlite3, sys, uvicorn
commits = sys.argv[1] == "commit each"
if commits:
    db = sqlite3.connect(sys.argv[2], isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT, body BLOB)")
answer = b'{"code":0,"msg":"success"}'
headers = [(b"content-type", b"application/json"), (b"content-length", b"26")]

async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    if commits:
        db.execute("INSERT INTO events (path, body) VALUES (?, ?)", (scope["path"], body))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})

door = socket.create_server(("127.0.0.1", 0), backlog=2048)
print(door.getsockname()[1], flush=True)
config = uvicorn.Config(app, interface="asgi3", lifespan="off", ws="none", log_level="warning", access_log=False,
                        proxy_headers=False, server_header=False, date_header=False)
uvicorn.Server(config).run([door])
"""


@dataclass
class Run:
    """What one load brought: acknowledgements, the seconds they took, and each one's latency in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        return sorted(self.latencies)[int(share * (len(self.latencies) - 1))] * 1000


def main() -> int:
    """Runs every load on every server and prints the table; 1 when a row is missing or, if strict, a ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2, help="length of each load")
    parser.add_argument("--rounds", type=int, default=1, help="how often; the medians are printed")
    parser.add_argument("--strict", action="store_true", help="fail when a required ratio is missed")
    options = parser.parse_args()
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory()))
        listener = running.enter_context(Listening(directory, strict=False, max_requests_per_s=0))
        ports = {
            "bare": running.enter_context(_yardstick("bare", directory)),
            "listener": listener.cdr_port,
            "commit each": running.enter_context(_yardstick("commit each", directory)),
        }
        acknowledged, missed = _table(ports, options.seconds, options.rounds)
        exit_code = listener.stop()
        with Inbox(listener.inbox_path) as inbox:
            rows = inbox.count()
    print(f"\nlistener: {acknowledged} acknowledged, {rows} stored, exit code {exit_code}")
    return int(rows != acknowledged or exit_code != 0 or (options.strict and missed))


def _table(ports: dict[str, int], seconds: float, rounds: int) -> tuple[int, bool]:
    """Prints a line for each load and server; how much the listener acknowledged, and whether it was too slow."""
    print(f"{'load':<18}{'server':<14}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'to bare':>9}")
    acknowledged, missed = 0, False
    for mode in ("kept open", "one each"):
        for connections in CONNECTIONS:
            runs: dict[str, list[Run]] = {name: [] for name in ports}
            for _ in range(rounds):
                for name, port in ports.items():
                    runs[name].append(load(port, connections, seconds, kept_open=mode == "kept open"))
            acknowledged += sum(len(run.latencies) for run in runs["listener"])
            for name, all_runs in runs.items():
                ratio = statistics.median(
                    a.per_second / b.per_second for a, b in zip(all_runs, runs["bare"], strict=True)
                )
                required = REQUIRED.get((mode, connections), 0) if name == "listener" else 0
                missed |= ratio < required
                run = sorted(all_runs, key=lambda run: run.per_second)[len(all_runs) // 2]
                note = f"  (required {required})" if required else ""
                print(
                    f"{f'{mode}, {connections}':<18}{name:<14}{run.per_second:>11,.0f}{run.percentile_ms(0.5):>9.2f}"
                    f"{run.percentile_ms(0.99):>9.2f}{ratio:>9.2f}{note}"
                )
    return acknowledged, missed


def load(port: int, connections: int, seconds: float, *, kept_open: bool) -> Run:
    """Keeps so many connections busy, each with one request at a time, and waits for the last answers."""
    message = request(BODY, headers="" if kept_open else "Connection: close\r\n")
    run = Run()
    poll = select.poll()
    busy: dict[int, tuple[socket.socket, float]] = {}

    def begin(connection: socket.socket | None = None) -> None:
        began = time.perf_counter()
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", port))
            poll.register(connection, select.POLLIN)
        connection.sendall(message)
        busy[connection.fileno()] = connection, began

    started = time.perf_counter()
    for _ in range(connections):
        begin()
    while busy:
        for descriptor, _ in poll.poll():
            connection, began = busy.pop(descriptor)
            answer = connection.recv(4096)
            while not answer.endswith(ANSWER_ENDS):
                more = connection.recv(4096)
                if not more:
                    raise AssertionError(f"not acknowledged: {answer!r}")
                answer += more
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise AssertionError(f"not acknowledged: {answer!r}")
            now = time.perf_counter()
            run.latencies.append(now - began)
            goes_on = now - started < seconds
            if not (kept_open and goes_on):
                poll.unregister(descriptor)
                connection.close()
            if goes_on:
                begin(connection if kept_open else None)
    run.seconds = time.perf_counter() - started
    return run


@contextmanager
def _yardstick(design: str, directory: Path) -> Iterator[int]:
    """A server to compare with, in a process of its own; its port."""
    command = [sys.executable, "-c", _YARDSTICK, design, str(directory / "yardstick.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    sys.exit(main())
