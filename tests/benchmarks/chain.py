"""From the PBX's POST to the rated row, by the true `ippbx-bill listen`: at a steady rate, for as long as it is told.

    python -m tests.benchmarks.chain [--per-second 5000] [--seconds 30] [--dialect auto] [--quick] [--soak MINUTES]

A client in a process of its own posts the records of an office, numbers repeating as in real traffic, each with ids
of its own, over 64 open connections and never faster than asked. Beside it the position of the pipeline is looked at
fifty times a second. Printed are what was acknowledged, how long a record took from its arrival to its rated row, the
backlog and the memory of both processes over time; at the end every acknowledgement must be one call with one charge.
"""

import argparse
import multiprocessing
import os
import select
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.simulation.traffic import cdr_body, office
from tests.benchmarks.figures import Figure, add_options, write
from tests.listening import request
from tests.service_process import Service

CONNECTIONS = 64
DIFFERENT_CALLS = 5_000
LOOK_EVERY_S = 0.02
DRAIN_S = 300  # how long the pipeline may take for what is left at the end
RATED_WITHIN_S = 1.0
MOST_US = {"listener": 50.0, "worker": 110.0}  # of processor time a record, required of a run at the full rate
FULL_RATE = 3_000
MOST_GROWTH = 1.15  # of memory over a soak, from its first tenth on; a short run is still filling its caches
ANSWER_ENDS = b'"msg":"success"}'
Source = Callable[[int], Iterator[bytes]]  # requests numbered from there on


def main() -> int:
    """Run, print, check; 1 where a record was lost or doubled, or, if strict, where a figure was missed."""
    options = _options()
    seconds = options.soak * 60 if options.soak else options.seconds
    with tempfile.TemporaryDirectory() as directory:
        site = Path(directory) / "site"
        init(site, options.dialect)
        with Service(site, IPPBX_BILL_MAX_REQUESTS_PER_S="0") as service:
            watch = Watch(service)
            sent = under_load(service, options.per_second, seconds, watch)
            drained_s = watch.until_drained()
            service.process.terminate()
            code = service.process.wait(DRAIN_S)
        latencies_s = sorted(watch.latencies_s())
        counts = _counted(site)
    figures = _figures(options, sent, latencies_s, watch)
    watch.print()
    for one in figures:
        print(f"{one.name:44}{one.figure:>12,.3f} {one.unit}{'   MISSED' if one.missed else ''}")
    print(f"drained {drained_s:.1f} s after the last answer; exit code {code}")
    print(f"acknowledged {sent.acknowledged:,}; " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    write(options.json, figures)
    whole = set(counts.values()) == {sent.acknowledged} and code == 0
    return int(not whole or (options.strict and any(one.missed for one in figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--per-second", type=int, default=5_000, help="records posted a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--quick", action="store_const", dest="seconds", const=3, help="three seconds only")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="that long instead; the memory must stay flat")
    parser.add_argument("--dialect", default="auto", help="what the site's settings say")
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


def init(site: Path, dialect: str = "auto") -> None:
    """A new site as an operator makes it."""
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(site), "init", "--area-code", "022"]
    subprocess.run(command, check=True, capture_output=True)
    with (site / "settings.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'\ndialect = "{dialect}"\n' if dialect != "auto" else "")


def _figures(options: argparse.Namespace, sent: "Sent", latencies_s: list[float], watch: "Watch") -> list[Figure]:
    last = len(latencies_s) - 1
    name = f"chain, {options.dialect}:"
    figures = [
        Figure(
            f"{name} acknowledged", sent.acknowledged / sent.seconds, "calls/s", sent.acknowledged / sent.asked, 0.99
        ),
        Figure(f"{name} answer, p99", 1_000 * sent.p99_s, "ms"),
        Figure(f"{name} arrival to rated row, p50", latencies_s[last // 2], "s"),
        Figure(f"{name} arrival to rated row, p99", latencies_s[int(0.99 * last)], "s", None, RATED_WITHIN_S, True),
        Figure(f"{name} largest backlog", max(look.backlog for look in watch.looks), "records"),
    ]
    for place, process in enumerate(("listener", "worker")):
        most = MOST_US[process] if options.per_second >= FULL_RATE else None
        taken_us = watch.processor_us(place)
        figures.append(Figure(f"{name} processor time of the {process}", taken_us, "µs a record", None, most, True))
        first, end = watch.memory_mb(place)
        figures.append(
            Figure(
                f"{name} memory of the {process}", end, "MB", end / first, MOST_GROWTH if options.soak else None, True
            )
        )
    return figures


# -- what is seen from beside


@dataclass(frozen=True)
class Look:
    """What there was at one moment: how far the pipeline had come, how many records waited."""

    at_s: float
    position: int
    backlog: int
    memory_mb: tuple[float, float] | None = None
    processor_s: tuple[float, float] = (0.0, 0.0)


@dataclass
class Watch:
    """Looks at the files of a running site and at its two processes."""

    service: Service
    looks: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        listener = self.service.process.pid
        children = Path(f"/proc/{listener}/task/{listener}/children").read_text().split()
        self.processes = (listener, int(children[0]))
        self.ended_s = [0.0, 0.0]
        self.inbox = Inbox(self.service.data_dir / "inbox.db")
        self.ledger = Ledger(self.service.data_dir / "ledger.db")

    def look(self) -> Look:
        """Look once; at the memory only once a second."""
        last, now = self.inbox.last_id(), time.time()
        position = self.ledger.journey.position()
        is_new_second = not self.looks or int(self.looks[-1].at_s) != int(now)
        memory = (rss_mb(self.processes[0]), rss_mb(self.processes[1])) if is_new_second else None
        taken = (_processor_s(self.processes[0]), _processor_s(self.processes[1])) if is_new_second else (0.0, 0.0)
        self.looks.append(Look(time.time(), position, last - position, memory, taken))
        return self.looks[-1]

    def until_drained(self) -> float:
        """Look on until nothing waits; the seconds it took."""
        began = time.monotonic()
        while self.look().backlog:
            assert time.monotonic() - began < DRAIN_S, "the pipeline does not come to an end"
            time.sleep(LOOK_EVERY_S)
        self.ended_s = [_processor_s(pid) for pid in self.processes]
        return time.monotonic() - began

    def processor_us(self, place: int) -> float:
        """What a record took of a core, which does not depend on how many others want that core; the start and the
        first tenth of the time, when all is new, are not counted."""
        seen = [look for look in self.looks if look.memory_mb]
        first = seen[len(seen) // 10 + 1 if len(seen) > 1 else 0]
        records = self.looks[-1].position - first.position
        return 1_000_000 * (self.ended_s[place] - first.processor_s[place]) / max(1, records)

    def latencies_s(self) -> Iterator[float]:
        """For each record the time from its arrival to the first look that found it rated."""
        positions = [look.position for look in self.looks]
        with closing(sqlite3.connect(self.inbox.path)) as connection:
            for number, received_at in connection.execute("SELECT id, received_at FROM events"):
                yield self.looks[bisect_left(positions, number)].at_s - received_at / 1_000_000

    def memory_mb(self, place: int) -> tuple[float, float]:
        """What a process held when a tenth of the time was over, and at the end."""
        seen = [look.memory_mb[place] for look in self.looks if look.memory_mb]
        return seen[len(seen) // 10], seen[-1]

    def print(self) -> None:
        """A line for each tenth of the time."""
        seen = [look for look in self.looks if look.memory_mb]
        print(f"{'second':>8}{'backlog':>10}{'listener MB':>14}{'worker MB':>12}")
        for look in seen[:: max(1, len(seen) // 10)]:
            listener, worker = look.memory_mb or (0.0, 0.0)
            print(f"{look.at_s - seen[0].at_s:>8.0f}{look.backlog:>10,}{listener:>14.1f}{worker:>12.1f}")


def rss_mb(pid: int) -> float:
    """The memory of a process that is not shared away or swapped out."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _processor_s(pid: int) -> float:
    """Seconds of a core that a process has had, in its own work and in the system's for it."""
    behind_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(behind_name[11]) + int(behind_name[12])) / os.sysconf("SC_CLK_TCK")


def _counted(site: Path) -> dict[str, int]:
    """What must be one for each acknowledgement."""
    with Inbox(site / "inbox.db") as inbox, Ledger(site / "ledger.db") as ledger:

        def number(sql: str) -> int:
            return int(ledger.connection.execute(sql).fetchone()[0])

        return {
            "kept": inbox.count(),
            "events with a call": number("SELECT count(DISTINCT event_id) FROM calls"),
            "calls": number("SELECT count(*) FROM calls"),
            "charges": number("SELECT count(*) FROM charges"),
            "in the sums": number("SELECT sum(calls) FROM rollup_months"),
        }


# -- the client


@dataclass
class Sent:
    """What became of a client's records."""

    asked: int
    acknowledged: int
    seconds: float
    p99_s: float


def under_load(
    service: Service, per_second: int, seconds: float, watch: Watch, first: int = 0, source: Source | None = None
) -> Sent:
    """Look on while the client posts records numbered from `first` on; one with a number that was there is no call.

    `source` gives other requests than an office's; it is a function of a module, for it is called in another process.
    """
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    port = int(service.cdr_url.rstrip("/").rpartition(":")[2])
    client = multiprocessing.get_context("spawn").Process(
        target=_client, args=(port, per_second, seconds, theirs, first, source or _requests)
    )
    client.start()
    theirs.close()  # else a client that fails would be waited for
    try:
        ours.recv()  # it is ready
        ours.send("go")
        while not ours.poll(LOOK_EVERY_S):
            watch.look()
        sent: Sent = ours.recv()
    finally:
        client.join(DRAIN_S)
    return sent


def _client(port: int, per_second: int, seconds: float, parent: Connection, first: int, source: Source) -> None:
    """Post at a steady rate, as many at once as there are connections; what is late is made up for."""
    requests = source(first)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    poll, busy = select.poll(), dict[int, tuple[socket.socket, float]]()
    for connection in idle:
        poll.register(connection, select.POLLIN)
    parent.send("ready")
    parent.recv()
    asked, sent, taken_s = round(per_second * seconds), 0, list[float]()
    began = time.perf_counter()
    while sent < asked or busy:
        due = min(asked, int((time.perf_counter() - began) * per_second) + 1)
        while idle and sent < due:
            connection = idle.pop(0)  # in turns: one that rests too long is closed by the listener
            busy[connection.fileno()] = connection, time.perf_counter()
            connection.sendall(next(requests))
            sent += 1
        for descriptor, _ in poll.poll(1 if idle else 1_000):
            connection, posted = busy.pop(descriptor)
            _read_answer(connection)
            taken_s.append(time.perf_counter() - posted)
            idle.append(connection)
    took = time.perf_counter() - began
    parent.send(Sent(asked, len(taken_s), took, sorted(taken_s)[int(0.99 * (len(taken_s) - 1))]))


def _requests(number: int = 0) -> Iterator[bytes]:
    """The records of an office over and over, each under ids of a record and a call that no other has."""
    calls = office(seed=1, calls=DIFFERENT_CALLS, first=date(2026, 10, 1), last=date(2026, 10, 31))
    parts = [_around_ids(cdr_body(call), call) for call in calls]
    return (
        b"%b%0*d%b%032x%b" % (first, width, n, middle, n, last)
        for n, (first, width, middle, last) in enumerate(cycle(parts), number)
    )


def _around_ids(body: bytes, call: Any) -> tuple[bytes, int, bytes, bytes]:
    record_id, call_id = call.record_id.encode(), call.call_id.encode()
    first, rest = request(body, headers="Content-Type: application/json\r\n").split(record_id, 1)
    middle, last = rest.split(call_id, 1)
    return first, len(record_id), middle, last


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(4096)
    while answer and not answer.endswith(ANSWER_ENDS):
        answer += connection.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(f"not acknowledged: {answer!r}")


if __name__ == "__main__":
    sys.exit(main())
