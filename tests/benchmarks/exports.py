"""How long a month's `export` takes in each form, as whole processes: processor time and peak memory.

    python -m tests.benchmarks.exports [CALLS] [--keep DIR] [--json FILE] [--strict]

A site of 1,500 employees in departments and its calls of a month (fixed, mobile, domestic, international, incoming,
unanswered; two carriers), as `bills` has them. Each form is written by a process of its own, three times; the median
counts. Seconds are of the processor, which other processes disturb less; what is required holds for 300,000 calls.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ippbx_billing.ledger import Ledger
from tests.benchmarks import bills
from tests.benchmarks.figures import Figure, add_options, write

CALLS, EMPLOYEES, MONTH = 300_000, 1_500, "2026-11"
REQUIRED = {"csv": 5.0, "xlsx": 20.0, "parquet": 3.0}
MOST_MEGABYTES = 250
ROUNDS = 3


def main() -> int:
    """Fill a data directory, export it, print the table; 1 where a figure is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=CALLS)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a folder that keeps the data")
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    add_options(parser)
    options = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as scratch:
        data = options.keep or Path(scratch) / "data"
        if not data.exists():
            bills.run(data, "init", "--area-code", "022")
            fill(data / "ledger.db", options.calls)
        for figure in measured(data, Path(scratch), options.calls, options.rounds):
            figures.append(figure)
            print(told(figure), flush=True)
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def fill(path: Path, calls: int) -> None:
    """People, and their calls of the month; every thirteenth call without a price, as after a change of carrier."""
    employees = min(EMPLOYEES, max(2, calls // 20))
    bills.fill(path, employees, -(-calls // employees))
    with Ledger(path) as ledger, ledger.transaction():
        ledger.connection.execute("DELETE FROM calls WHERE id > ?", [calls])
        ledger.connection.execute("DELETE FROM charges WHERE id > ?", [calls])
        ledger.connection.execute(
            "UPDATE charges SET status = 'unrated', fee_micro = NULL, reason = 'no-price' WHERE id % 13 = 0"
        )
        ledger.rollups.rebuild()


def measured(data: Path, folder: Path, calls: int, rounds: int) -> Iterator[Figure]:
    """Each form's processor time, and its memory."""
    for form, most_s in REQUIRED.items():
        command = ("export", "--month", MONTH, "--formats", form, "--out-dir", str(folder / form), "--quiet")
        runs = [bills.run(data, *command) for _ in range(rounds)]
        required = most_s if calls >= CALLS else None
        name = f"export of {calls:,} calls as {form.upper() if form != 'parquet' else 'Parquet'}"
        time = Figure(name, statistics.median(cpu_s for cpu_s, _ in runs), "s CPU", None, required, at_most=True)
        yield time
        memory = max(peak_mb for _, peak_mb in runs)
        yield replace(time, name=f"{name}, memory", figure=memory, unit="MB", required=MOST_MEGABYTES)


def told(figure: Figure) -> str:
    """A figure as a line of the table."""
    wanted = "" if figure.required is None else f"  (at most {figure.required:g}){'  MISSED' if figure.missed else ''}"
    return f"{figure.name:<50}{figure.figure:>9.2f} {figure.unit}{wanted}"


if __name__ == "__main__":
    sys.exit(main())
