"""What the console costs: the doors beside fifty open pages, and the server's time for a page over many calls.

    python -m tests.benchmarks.console [--pages 50] [--per-second 1000] [--seconds 20] [--calls 10000000]
        [--ledger DIR] [--rounds 9] [--json FILE] [--strict]

First the true `listen --console` takes records at a steady rate, in turns without and with fifty first pages open, each
with its stream; the answers' p99 with them is compared with the one without, in the same run. The console's memory is
taken in the middle and at the end. Then the pages are asked for over a year of calls: the list in several filters, the
first page, a call's story; the time is the server's own, without network and browser. `--ledger` names a data directory
with such a year; the ledger in it is brought up to date, so give it a copy.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx

from ippbx_billing.console.app import application
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load
from tests.benchmarks import chain, reports
from tests.benchmarks.figures import Figure, add_options, write
from tests.service_process import Service

PASSWORD = "correct horse battery"
NAME = "anna"
TURN_IDS = 10_000_000  # the numbers of each turn's records are its own, or they would not be new calls
TURNS = 3  # by default: without and with pages, in turns, so that a busy moment of the machine is nobody's alone
MOST_RATIO, MOST_GROWTH = 1.5, 1.1
LIST_WITHIN_S, HOME_WITHIN_S = 0.2, 0.1
LONG_S = 20.0
LARGE = 10_000_000  # of so many calls these are required
TODAY = datetime(reports.YEAR, 12, 31, 6, 0, tzinfo=UTC)
LISTS = {
    "today": "period=today",
    "this month": "period=this-month",
    "the year": "period=this-year",
    "the year, one extension": "period=this-year&extension=8800",
    "the year, one number": "period=this-year&number=00862212345678",
    "the year, abroad and dear": "period=this-year&traffic_type=international&min_fee=0.5",
    "the year, without price": "period=this-year&status=unrated",
    "the year, a PIN that nobody has": "period=this-year&pin=4711",
}


def main() -> int:
    """Run and print; 1 where, if strict, a figure was missed."""
    options = _options()
    figures = [*_beside(options), *_pages(options)]
    for one in figures:
        value, unit = (one.figure, one.unit) if one.ratio is None else (one.ratio, "times")
        wanted = "" if one.required is None else f"  (at most {one.required:g})"
        print(f"{one.name:<62}{value:>10.3f} {unit:<6}{wanted}{'  MISSED' if one.missed else ''}")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pages", type=int, default=50, help="first pages open at once")
    parser.add_argument("--per-second", type=int, default=1_000, help="records posted a second")
    parser.add_argument("--seconds", type=float, default=20, help="how long each of the turns lasts")
    parser.add_argument("--calls", type=int, default=LARGE, help="how many calls the pages are over")
    parser.add_argument("--ledger", type=Path, help="a data directory with a year of calls, instead of making one")
    parser.add_argument("--turns", type=int, default=TURNS, help="how often without and with pages")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


def an_operator(site: Path) -> None:
    """Somebody who can sign in."""
    with OperatorFile(load(site).operators_path) as file:
        if file.operators.is_empty():
            made = file.operators.add(NAME, Role.ADMINISTRATOR, TODAY)
            file.operators.set_password(made.id, PASSWORD)


# -- the doors beside open pages


def _beside(options: argparse.Namespace) -> list[Figure]:
    """The answers' p99 without and with open pages, and the console's memory."""
    with tempfile.TemporaryDirectory() as directory:
        site = Path(directory) / "site"
        chain.init(site)
        an_operator(site)
        environment = {"IPPBX_BILL_MAX_REQUESTS_PER_S": "0", "IPPBX_BILL_CONSOLE_PORT": "0"}
        with Service(site, "--console", **environment) as service:
            base = service.console_address()
            return _turns(options, service, base, _console_process(service))


def _turns(options: argparse.Namespace, service: Service, base: str, console: int) -> list[Figure]:
    alone, beside, memory = list[chain.Sent](), list[chain.Sent](), list[float]()
    watch, told = chain.Watch(service), 0
    with _open_pages(base, options.pages) as pages:
        for turn in range(options.turns):
            pages.away()
            alone.append(chain.under_load(service, options.per_second, options.seconds, watch, 2 * turn * TURN_IDS))
            pages.come()
            told_before, first = pages.events, (2 * turn + 1) * TURN_IDS
            beside.append(chain.under_load(service, options.per_second, options.seconds, watch, first))
            told += pages.events - told_before
            memory.append(chain.rss_mb(console))
    watch.until_drained()
    without, with_pages = (statistics.median(one.p99_s for one in turns) for turns in (alone, beside))
    rate = sum(one.acknowledged for one in beside) / sum(one.seconds for one in beside)
    name = f"console, {options.pages} open pages:"
    return [
        Figure(f"{name} acknowledged", rate, "calls/s"),
        Figure(f"{name} answer without them, p99", 1_000 * without, "ms"),
        Figure(f"{name} answer with them, p99", 1_000 * with_pages, "ms", with_pages / without, MOST_RATIO, True),
        Figure(f"{name} events a page was sent", told / max(1, options.pages * options.turns), "events"),
        Figure(f"{name} memory of the console", memory[-1], "MB", memory[-1] / memory[0], MOST_GROWTH, True),
    ]


def _console_process(service: Service) -> int:
    """The listener's child that is the console."""
    listener = service.process.pid
    children = Path(f"/proc/{listener}/task/{listener}/children").read_text().split()
    # the console may have been started by another thread of the listener
    for task in Path(f"/proc/{listener}/task").iterdir():
        children += (task / "children").read_text().split()
    return next(int(pid) for pid in children if b"console" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))


@dataclass
class _Pages:
    """Open first pages with their streams, in an event loop of their own; `events` is what all of them were sent."""

    base: str
    count: int
    loop: asyncio.AbstractEventLoop
    cookie: str
    events: int = 0

    def __post_init__(self) -> None:
        self._streams: list[asyncio.Task[None]] = []

    def come(self) -> None:
        """Open them; returns when each has its stream."""
        asyncio.run_coroutine_threadsafe(self._come(), self.loop).result()

    def away(self) -> None:
        """Close them."""
        asyncio.run_coroutine_threadsafe(self._away(), self.loop).result()

    async def _come(self) -> None:
        ready = [asyncio.Event() for _ in range(self.count)]
        self._streams = [asyncio.create_task(self._page(one)) for one in ready]
        waiting = asyncio.gather(*(one.wait() for one in ready))
        done, _ = await asyncio.wait({waiting, *self._streams}, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()

    async def _away(self) -> None:
        for one in self._streams:
            one.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)
        self._streams = []

    async def _page(self, ready: asyncio.Event) -> None:
        """What a browser does: the page, its stream, and every five seconds the figures and the calls in progress."""
        limits = httpx.Limits(max_connections=6)  # as a browser has them
        cookies = {"ippbx_visit": self.cookie}
        async with httpx.AsyncClient(
            base_url=self.base, cookies=cookies, trust_env=False, timeout=60, limits=limits
        ) as client:
            (await client.get("/")).raise_for_status()
            asking = asyncio.create_task(self._ask_now_and_then(client))
            try:
                async with client.stream("GET", "/live?after=0") as stream:
                    stream.raise_for_status()
                    async for line in stream.aiter_lines():
                        ready.set()
                        self.events += line.startswith("id: ")
            finally:
                asking.cancel()

    async def _ask_now_and_then(self, client: httpx.AsyncClient) -> None:
        while True:
            await asyncio.sleep(5)
            for part in ("/home/figures", "/home/progress"):
                (await client.get(part)).raise_for_status()


@contextmanager
def _open_pages(base: str, count: int) -> Iterator[_Pages]:
    with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
        form = {"name": NAME, "password": PASSWORD}
        signed_in = client.post("/sign-in", data=form, headers={"origin": base})
        assert signed_in.status_code == 303, signed_in.text
        cookie = client.cookies["ippbx_visit"]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    pages = _Pages(base, count, loop, cookie)
    try:
        yield pages
        pages.away()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


# -- pages over many calls


def _pages(options: argparse.Namespace) -> Iterator[Figure]:
    """The server's time for each page, the middle of several rounds."""
    if options.ledger is not None:
        yield from _asked(options.ledger, options.rounds)
        return
    with tempfile.TemporaryDirectory() as directory:
        site = Path(directory) / "site"
        chain.init(site)
        with Ledger(site / "ledger.db") as ledger:
            reports.prepare(ledger, 2_000)
            reports.fill(ledger, 1, options.calls, options.calls, 2_000)
            reports.worked_out(ledger)
        yield from _asked(site, options.rounds)


def _asked(site: Path, rounds: int) -> Iterator[Figure]:
    an_operator(site)
    with Ledger(load(site).ledger_path) as ledger:  # brought up to date before anything is measured
        count, last = ledger.connection.execute("SELECT count(*), max(id) FROM calls").fetchone()
    asking = _Asking(site)
    of = f"over {count:,} calls"
    list_s, home_s = (LIST_WITHIN_S, HOME_WITHIN_S) if count >= LARGE else (None, None)
    yield Figure(f"console, home {of}", asking.seconds("/", rounds), "s", None, home_s, True)
    for name, question in LISTS.items():
        yield Figure(
            f"console, calls of {name} {of}", asking.seconds(f"/calls?{question}", rounds), "s", None, list_s, True
        )
    deep = f"/calls?period=this-year&after={date(reports.YEAR, 3, 1)}.{_at(date(reports.YEAR, 3, 1))}.{last}"
    yield Figure(f"console, a page far down {of}", asking.seconds(deep, rounds), "s", None, list_s, True)
    yield Figure(f"console, a call's story {of}", asking.seconds(f"/calls/{last}", rounds), "s", None, list_s, True)
    asking.close()


def _at(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


class _Asking:
    """One who is signed in, asking the application without a network in between."""

    def __init__(self, site: Path) -> None:
        transport = httpx.ASGITransport(application(load(site), lambda: TODAY))
        self._runner = asyncio.Runner()
        base = "http://127.0.0.1:8180"
        self._client = httpx.AsyncClient(transport=transport, base_url=base, headers={"origin": base}, timeout=None)
        form = {"name": NAME, "password": PASSWORD}
        signed_in = self._runner.run(self._client.post("/sign-in", data=form))
        assert signed_in.status_code == 303, signed_in.text

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def seconds(self, path: str, rounds: int) -> float:
        """The middle of the rounds; the first one, which reads from the disk, is not counted. Two are enough of what
        takes long."""
        taken = list[float]()
        while len(taken) < 2 or (len(taken) <= rounds and sum(taken) < LONG_S):
            began = time.perf_counter()
            answer = self._runner.run(self._client.get(path))
            taken.append(time.perf_counter() - began)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[:2_000])
        return statistics.median(taken[1:])


if __name__ == "__main__":
    sys.exit(main())
