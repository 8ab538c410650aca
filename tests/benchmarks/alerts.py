"""What the alert rules cost the worker: the same records read, rated and written with them and without, step by step.

    python -m tests.benchmarks.alerts [--calls 40000] [--extensions 1000] [--json FILE] [--strict]

Two ledgers take the same batches in turn, one beside the other, so that a busy machine slows down both alike; the
processor time of this process is counted. The calls are an office's of the present hour, of a thousand extensions, so
that a thousand windows slide; four weeks of past stand behind each of them.
"""

import argparse
import asyncio
import gc
import random
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

from typer.testing import CliRunner

from ippbx_billing.alerts import DayHistory
from ippbx_billing.cli.app import app
from ippbx_billing.inbox import Delivery, Inbox, InboxWriter
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.watching import Watching
from ippbx_billing.pipeline.worker import GARBAGE_THRESHOLD
from ippbx_billing.settings import load
from tests.benchmarks.figures import Figure, add_options, write
from tests.bodies import gateway_cdr

MOST = 0.05
DAYS = 28
BATCH = 2_000
SHANGHAI = timedelta(hours=8)


def main() -> int:
    """Run, print, check; 1 where strict and more than a twentieth was taken."""
    options = _options()
    gc.set_threshold(GARBAGE_THRESHOLD)  # as the worker does
    with tempfile.TemporaryDirectory() as directory:
        site = Path(directory) / "site"
        CliRunner().invoke(app, ["--data-dir", str(site), "init", "--area-code", "022"])
        _fill(site, options.calls, options.extensions)
        _past(site, options.extensions)
        bare_s, watched_s, found = _measured(site)
    ratio = sum(watched_s) / sum(bare_s) - 1
    steps = statistics.median(b / a for a, b in zip(bare_s, watched_s, strict=True)) - 1
    calls = len(bare_s) * BATCH
    each_us = (sum(watched_s) - sum(bare_s)) / calls * 1e6
    figures = [
        Figure("alerts: more time of the worker", each_us, "µs a call", ratio=ratio, required=MOST, at_most=True),
        Figure("alerts: the worker without them", sum(bare_s) / calls * 1e6, "µs a call"),
    ]
    for one in figures:
        print(f"{one.name:40}{one.figure:>10,.1f} {one.unit}{'   MISSED' if one.missed else ''}")
    print(f"{ratio:.1%} more in all, {steps:.1%} in the median batch; {found} incidents")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=40_000)
    parser.add_argument("--extensions", type=int, default=1_000)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


def _fill(site: Path, calls: int, extensions: int) -> None:
    """Records of the present hour, each another call; one in fifty goes abroad."""
    chance, now = random.Random(1), datetime.now(UTC) + SHANGHAI

    async def keep() -> None:
        with InboxWriter(site / "inbox.db") as writer:
            waiting = []
            for number in range(calls):
                talk_s, end = chance.randint(1, 300), now - timedelta(seconds=3_600 * (calls - number) / calls)
                start = f"{end - timedelta(seconds=talk_s + 5):%Y-%m-%d %H:%M:%S}"
                callee = "90044207" if number % 50 == 0 else "9021"
                callee += f"{chance.randint(2, 8)}{chance.randint(0, 999_999):06}" + ("8" if callee == "9021" else "")
                body = gateway_cdr(str(2_000 + chance.randrange(extensions)), callee, talk_s, start=start)
                moment = int(time.time() * 1e6)
                waiting.append(writer.keep(Delivery(moment, "cdr", "192.168.6.169", "POST", "/", "", b"", body)))
                if len(waiting) == 500:
                    await asyncio.gather(*waiting)
                    waiting.clear()
            await asyncio.gather(*waiting)

    asyncio.run(keep())


def _past(site: Path, extensions: int) -> None:
    """A past of four weeks for each extension."""
    today = (datetime.now(UTC) + SHANGHAI).date()
    told = DayHistory(
        {str(2_000 + n): {1: 20, 2: 10, 5: 2} for n in range(extensions)},
        {str(2_000 + n): 2 for n in range(extensions)},
        dict.fromkeys(range(9, 18), 50000000),
        {"db01-0000-0001": {slot: {60: 100, 600: 3} for slot in range(18, 36)}},
        ["CN", "GB"],
        5_000,
    )
    days: dict[date, DayHistory] = {today - timedelta(days=number): told for number in range(1, DAYS + 1)}
    with Ledger(site / "ledger.db") as ledger:
        ledger.incidents.set("general", {"hours": "00:00-23:59"})
        ledger.incidents.set("spend-hour", {"least_fee": "100000"})
        ledger.incidents.set("spend-day", {"least_fee": "1000000"})
        with ledger.transaction():
            ledger.incidents.put_days(days)


def _measured(site: Path) -> tuple[list[float], list[float], int]:
    """The processor time of each batch, without the rules and with them."""
    shutil.copy(site / "ledger.db", site / "watched.db")
    settings = load(site)
    with (
        Inbox(settings.inbox_path) as inbox,
        Ledger(settings.ledger_path) as bare,
        Ledger(site / "watched.db") as watched,
    ):
        watching = Watching(watched, inbox, settings)
        alone = Pipeline(inbox, bare, lambda: Rules.of(bare, settings), batch_size=BATCH)
        both = Pipeline(inbox, watched, lambda: Rules.of(watched, settings), batch_size=BATCH, watching=watching)
        taken: tuple[list[float], list[float]] = [], []
        for pipeline in (alone, both):
            pipeline.step()  # the first batch fills the caches of both
        for number in count():
            pair = {one: _timed(one) for one in ((alone, both), (both, alone))[number % 2]}
            if None in pair.values():
                break
            for times, pipeline in zip(taken, (alone, both), strict=True):
                times.append(pair[pipeline] or 0.0)
        return *taken, len(watched.incidents.listed(everything=True, limit=100_000))


def _timed(pipeline: Pipeline) -> float | None:
    before = time.process_time()
    done = pipeline.step()
    return time.process_time() - before if done else None


if __name__ == "__main__":
    sys.exit(main())
