"""Closed months as files: `python -m tests.benchmarks.history [CALLS] [--processes 2]`.

Calls of a month of five sites are written, rated again in one process, then by Dask workers of which one is killed
half-way, and asked for their sums by DuckDB. Every amount is compared; the ratios are of one run.
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from ippbx_billing.calls import TrafficType
from ippbx_billing.history import months, questions, rating, spreading
from ippbx_billing.history.books import Books
from ippbx_billing.history.months import ClosedMonth
from ippbx_billing.ledger import Ledger
from ippbx_billing.tariffs import Trunk, standard
from tests.history.test_history import many
from tests.pipeline.test_rerating import UNICOM, dearer, put, rules_of

SITES = ("east", "hq", "north", "south", "west")
CLOSED = datetime(2026, 11, 5, tzinfo=UTC)
DIFFERENT = 4_000  # calls that are made one by one; the month repeats them under other ids


def written(history: Path, ledger: Ledger, calls: int) -> list[ClosedMonth]:
    """A month of each site with its share of the calls."""
    carriers, prices = standard("CN", "022", "天津")
    for carrier in carriers:
        ledger.book.add_carrier(carrier)
    ledger.book.add_prices(prices)
    ledger.book.put_trunk(Trunk("unicom", UNICOM))
    put(ledger, *many(min(DIFFERENT, calls)))
    known = [tuple(row) for row in months.of_ledger(ledger, "2026-10-01", "2026-10-31")]
    return [
        months.write(history, site, "2026-10", _numbered(known, share), CLOSED)
        for site, share in zip(SITES, _shares(calls), strict=True)
    ]


def _numbered(rows: list[tuple[Any, ...]], count: int) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(islice(cycle(rows), count), start=1):
        yield (number, number, *row[2:])


def _shares(calls: int) -> list[int]:
    share = calls // len(SITES)
    return [share] * (len(SITES) - 1) + [calls - share * (len(SITES) - 1)]


def _killing(after: float) -> spreading.Progress:
    """Kills one worker once this share of the files is done."""
    killed: list[int] = []

    def progress(done: int, total: int) -> None:
        from distributed import default_client

        if not killed and done >= total * after:
            killed.append(min(default_client().run(os.getpid).values()))  # type: ignore[no-untyped-call]
            os.kill(killed[0], signal.SIGKILL)

    return progress


def measured(calls: int, processes: int) -> dict[str, float | int | bool]:
    """Seconds by the clock of each step, and whether all ways came to the same."""
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "history"
        with Ledger(Path(folder) / "ledger.db") as ledger:
            began = time.perf_counter()
            closed = written(history, ledger, calls)
            wrote = time.perf_counter() - began
            for kind in (TrafficType.DOMESTIC, TrafficType.LOCAL):
                dearer(ledger, kind)
            books = dict.fromkeys(SITES, Books.of(rules_of(ledger)))
        began, cpu = time.perf_counter(), time.process_time()
        alone = list(rating.rate_again(closed, books))
        one, one_cpu = time.perf_counter() - began, time.process_time() - cpu
        found = {"calls": calls, "write_s": wrote, "one_process_s": one, "us_a_call": one_cpu / calls * 1e6}
        if processes > 1:
            began = time.perf_counter()
            spread = spreading.spread(closed, books, processes=processes, progress=_killing(0.5))
            found |= {"spread_s": time.perf_counter() - began, "same": spread == alone}
        began = time.perf_counter()
        answer = questions.ask(history, "SELECT site, month, sum(fee) FROM calls GROUP BY ALL")
        size = sum(path.stat().st_size for one_month in closed for path in one_month.paths)
        return found | {"ask_s": time.perf_counter() - began, "sites": len(answer.rows), "bytes_a_call": size / calls}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("calls", type=int, nargs="?", default=1_000_000)
    asked.add_argument("--processes", type=int, default=2)
    wanted = asked.parse_args()
    for name, value in measured(wanted.calls, wanted.processes).items():
        print(f"{name:>15} {value:,.2f}" if isinstance(value, float) else f"{name:>15} {value}")


if __name__ == "__main__":
    main()
