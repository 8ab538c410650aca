"""How many records a second are acknowledged, each safe on the disk, and how that compares.

    python -m tests.benchmarks.ingest [--seconds 2] [--rounds 1] [--wrk] [--json FILE] [--strict]

Four servers, each in processes of its own, get the same loads in turn: 450-byte records, all different, over 1, 16
and 64 connections, kept open or one for each request.

    bare          an ASGI application on the same uvicorn that reads the body and answers: the yardstick
    doors         our two doors alone
    listen        the true `ippbx-bill listen`, whose worker reads and rates what arrives on the other core meanwhile
    commit each   the obvious design, which commits each request by itself

The client is a process of its own too: this one, or wrk, which takes less of the cores from those it measures. Ratios
are to the bare application in the same round and carry over to other machines, the figures do not; on a busy machine
the processor time that a server takes for a record tells more than the rate. Before the next load the worker may finish
what it was given. Afterwards the rows stored must equal the acknowledgements.

A quiet PBX has one connection and waits for each answer. There the obvious design is the yardstick, and so much hangs
on the disk that the two take very short turns, many of them; the median of their ratios counts.
"""

import argparse
import os
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from tests.benchmarks.figures import Figure, add_options, write
from tests.bodies import gateway_cdr
from tests.listening import Listening, request
from tests.service_process import Service

CONNECTIONS = (1, 16, 64)
REQUIRED = {("kept open", 64): 0.65, ("one each", 64): 0.85}
OURS = ("doors", "listen")
LONE_REQUIRED = 1.0  # of a commit for each request in place
LONE_S = 0.1  # a turn
DRAIN_S = 120  # how long the true listen may take to rate what it has taken

BODY = gateway_cdr("8001", "913800000000", 65).ljust(450)
BEFORE, AFTER = BODY.split(b"913800000000")
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

_WRK_SCRIPT = """
local number = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%s
request = function()
  number = number + 1
  return wrk.format(nil, nil, nil, string.format([==[%s%%012d%s]==], 913800000000 + number))
end
"""


@dataclass
class Run:
    """What one load brought: acknowledgements, the seconds they took, the latencies, the server's processor time."""

    acknowledged: int
    seconds: float
    p50_ms: float
    p99_ms: float
    processor_s: float = 0.0

    @property
    def processor_us(self) -> float:
        """Processor time for one record."""
        return self.processor_s / self.acknowledged * 1_000_000

    @property
    def per_second(self) -> float:
        return self.acknowledged / self.seconds


@dataclass
class Row:
    """A line of the table: the median run of one load on one server, and its ratio to the bare application."""

    load: str
    server: str
    run: Run
    ratio: float
    required: float = 0.0

    @property
    def missed(self) -> bool:
        return self.ratio < self.required

    def figures(self, bare: Run) -> list[Figure]:
        """What is saved of it: the rate and, because it stays true on a busy machine, the processor time."""
        name, processor_us = f"ingest, {self.load}: {self.server}", self.run.processor_us
        return [
            Figure(name, self.run.per_second, "acknowledged/s", self.ratio, self.required or None),
            Figure(
                f"{name}, processor time", processor_us, "µs", processor_us / (bare.processor_us or 1), at_most=True
            ),
        ]


@dataclass(frozen=True)
class Server:
    """Where a server listens, and its process."""

    port: int
    process_id: int

    def processor_s(self) -> float:
        """The processor time it has taken so far, its children not counted; 0 where the system does not tell."""
        try:
            numbers = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


Load = Callable[[int, int, float, bool], Run]


def main() -> int:
    """Runs every load on every server and prints the table; 1 when a row is missing or, if strict, a ratio."""
    options = _options()
    load = with_wrk if options.wrk else with_sockets
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory()))
        service = running.enter_context(_true_listen(directory / "site"))
        doors = running.enter_context(Listening(_made(directory / "doors"), strict=False, max_requests_per_s=0))
        servers = {
            "bare": running.enter_context(_yardstick("bare", directory)),
            "doors": Server(doors.cdr_port, doors.process.pid),
            "listen": Server(int(service.cdr_url.rstrip("/").rpartition(":")[2]), service.process.pid),
            "commit each": running.enter_context(_yardstick("commit each", directory)),
        }
        rows = _table(servers, load, options, pause=lambda: _until_read(service))
        lone = list(_lone(servers, options.turns))
        counted = {name: _acknowledged(server.port) for name, server in servers.items() if name in OURS}
        ends = {"doors": doors.stop(), "listen": _end(service)}
        stored = {"doors": _stored(doors.inbox_path), "listen": _stored(service.data_dir / "inbox.db")}
    for name in OURS:
        print(f"{name}: {counted[name]:,} acknowledged, {stored[name]:,} stored, exit code {ends[name]}")
    bare = {row.load: row.run for row in rows if row.server == "bare"}
    ours = [row for row in rows if row.server in OURS and row.required]
    write(options.json, [*(figure for row in ours for figure in row.figures(bare[row.load])), *lone])
    missed = options.strict and any(one.missed for one in (*rows, *lone))
    return int(stored != counted or any(ends.values()) or missed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=2, help="length of each load")
    parser.add_argument("--rounds", type=int, default=1, help="how often; the medians are printed")
    parser.add_argument("--quick", action="store_const", dest="seconds", const=0.5, help="loads of half a second")
    parser.add_argument("--turns", type=int, default=40, help="of the one connection that waits for each answer")
    parser.add_argument("--wrk", action="store_true", help="let wrk make the load (it must be installed)")
    add_options(parser)
    parser.add_argument("--strict", action="store_true", help="fail when a required ratio is missed")
    options = parser.parse_args()
    if options.wrk and not shutil.which("wrk"):
        parser.error("wrk is not installed")
    return options


def _table(servers: dict[str, Server], load: Load, options: argparse.Namespace, pause: Callable[[], None]) -> list[Row]:
    """Prints a line for each load and server, and gives them all; `pause` comes between two loads."""
    print(f"{'load':<18}{'server':<14}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'to bare':>9}")
    rows = []
    for mode in ("kept open", "one each"):
        for connections in CONNECTIONS:
            runs: dict[str, list[Run]] = {name: [] for name in servers}
            for _ in range(options.rounds):
                for name, server in servers.items():
                    before_s = server.processor_s()
                    runs[name].append(load(server.port, connections, options.seconds, mode == "kept open"))
                    runs[name][-1].processor_s = server.processor_s() - before_s
                    pause()
            for name in servers:
                required = REQUIRED.get((mode, connections), 0.0) if name in OURS else 0.0
                rows.append(_row(f"{mode}, {connections}", name, runs[name], runs["bare"], required))
                _print(rows[-1])
    return rows


def _row(load: str, server: str, runs: list[Run], bare: list[Run], required: float) -> Row:
    ratio = statistics.median(ours.per_second / theirs.per_second for ours, theirs in zip(runs, bare, strict=True))
    median = sorted(runs, key=lambda run: run.per_second)[len(runs) // 2]
    return Row(load, server, median, ratio, required)


def _print(row: Row) -> None:
    note = f"  (required {row.required})" if row.required else ""
    print(
        f"{row.load:<18}{row.server:<14}{row.run.per_second:>11,.0f}{row.run.p50_ms:>9.2f}{row.run.p99_ms:>9.2f}"
        f"{row.run.processor_us:>9.0f}{row.ratio:>9.2f}{note}",
        flush=True,
    )


def _lone(servers: dict[str, Server], turns: int) -> Iterator[Figure]:
    """One connection that waits for each answer: what we take of it, beside the obvious design."""
    for mode in ("kept open", "one each"):
        for name in OURS:
            ratios = []
            for _ in range(turns):
                ours, theirs = (
                    with_sockets(servers[one].port, 1, LONE_S, mode == "kept open").per_second
                    for one in (name, "commit each")
                )
                ratios.append(ours / theirs)
            ratio = statistics.median(ratios)
            figure = Figure(f"one connection, {mode}: {name}", ratio, "of a commit each", ratio, LONE_REQUIRED)
            print(f"{figure.name:42}{ratio:>8.2f} {figure.unit}{'   MISSED' if figure.missed else ''}", flush=True)
            yield figure


# The two clients


@dataclass
class _Client:
    """Keeps so many connections busy, each with one request at a time."""

    port: int
    kept_open: bool
    numbers: Iterator[int] = field(default_factory=lambda: iter(count(913800000000)))
    latencies: list[float] = field(default_factory=list)
    busy: dict[int, tuple[socket.socket, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.poll = select.poll()
        whole = request(BODY, headers="" if self.kept_open else "Connection: close\r\n")
        self.before, self.after = whole.split(b"913800000000")

    def begin(self, connection: socket.socket | None = None) -> None:
        began = time.perf_counter()
        if connection is None:
            connection = socket.create_connection(("127.0.0.1", self.port))
            self.poll.register(connection, select.POLLIN)
        connection.sendall(b"%b%d%b" % (self.before, next(self.numbers), self.after))
        self.busy[connection.fileno()] = connection, began

    def finish(self, descriptor: int) -> socket.socket:
        """Reads the whole answer, which must be a 200."""
        connection, began = self.busy.pop(descriptor)
        answer = connection.recv(4096)
        while not answer.endswith(ANSWER_ENDS):
            if not (more := connection.recv(4096)):
                break
            answer += more
        if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(ANSWER_ENDS):
            raise AssertionError(f"not acknowledged: {answer!r}")
        self.latencies.append((time.perf_counter() - began) * 1000)
        return connection


def with_sockets(port: int, connections: int, seconds: float, kept_open: bool) -> Run:
    """The load from this process; waits for the last answers."""
    client = _Client(port, kept_open)
    started = time.perf_counter()
    for _ in range(connections):
        client.begin()
    while client.busy:
        for descriptor, _ in client.poll.poll():
            connection = client.finish(descriptor)
            goes_on = time.perf_counter() - started < seconds
            if not (kept_open and goes_on):
                client.poll.unregister(descriptor)
                connection.close()
            if goes_on:
                client.begin(connection if kept_open else None)
    taken, sorted_ms = time.perf_counter() - started, sorted(client.latencies)
    last = len(sorted_ms) - 1
    return Run(len(sorted_ms), taken, sorted_ms[int(0.5 * last)], sorted_ms[int(0.99 * last)])


def with_wrk(port: int, connections: int, seconds: float, kept_open: bool) -> Run:
    """The load from wrk."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        closing = "" if kept_open else 'wrk.headers["Connection"] = "close"'
        script.write(_WRK_SCRIPT % (closing, BEFORE.decode(), AFTER.decode()))
        script.flush()
        url = f"http://127.0.0.1:{port}/"
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            script.name,
            "--latency",
            url,
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors: connect" in said:
        raise AssertionError(said)
    done = re.search(r"(\d+) requests in ([\d.]+)(m?s)", said)
    assert done is not None
    percentiles = {name: _ms(value) for name, value in re.findall(r"(50|99)%\s+([\d.]+[mu]?s)", said)}
    taken = float(done[2]) / (1000 if done[3] == "ms" else 1)
    return Run(int(done[1]), taken, percentiles["50"], percentiles["99"])


def _ms(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)([mu]?s)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


# The servers


@contextmanager
def _yardstick(design: str, directory: Path) -> Iterator[Server]:
    """A server to compare with, in a process of its own."""
    command = [sys.executable, "-c", _YARDSTICK, design, str(directory / "yardstick.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


@contextmanager
def _true_listen(data_dir: Path) -> Iterator[Service]:
    """`init` and `listen` as an operator runs them; only the limit of an address is lifted: all load is from one."""
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(data_dir), "init", "--area-code", "022"]
    subprocess.run(command, check=True, capture_output=True)
    with Service(data_dir, IPPBX_BILL_MAX_REQUESTS_PER_S="0") as service:
        yield service


def _until_read(service: Service) -> None:
    """Until the worker has nothing left to do."""
    deadline = time.monotonic() + DRAIN_S
    with Inbox(service.data_dir / "inbox.db") as inbox, Ledger(service.data_dir / "ledger.db") as ledger:
        while ledger.journey.position() < inbox.last_id():
            assert time.monotonic() < deadline, "the worker does not come to an end"
            time.sleep(0.05)


def _end(service: Service) -> int:
    """SIGTERM, and the time to rate what was taken; the exit code."""
    service.process.terminate()
    return service.process.wait(DRAIN_S)


def _acknowledged(port: int) -> int:
    """What the doors say they have answered 200, requests that nobody waited for any more included."""
    return int(httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).json()["acknowledged"])


def _stored(path: Path) -> int:
    with Inbox(path) as inbox:
        return inbox.count()


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


if __name__ == "__main__":
    sys.exit(main())
