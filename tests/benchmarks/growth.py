"""How the cost of a report, of rating again and of an export grows with the ledger: flat, or by the call.

    python -m tests.benchmarks.growth [CALLS …] [--extensions 200] [--json FILE] [--strict]

A year of office calls, as `reports` makes it, in ledgers of 10,000, 100,000, 1,000,000 and 10,000,000 calls. Each line
is a whole process: a month's report by extension in seconds of the processor, which should stay what it is; a year
rated again and a month's export as CSV in microseconds for each of their calls, which should not rise; and the peak
memory of each, which is bounded. A ratio is to the smallest ledger for what should stay, to the one before for what
goes by the call. The last ledger takes minutes to be made and 4 GB while it lasts.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ippbx_billing.ledger import Ledger
from tests.benchmarks import bills, reports
from tests.benchmarks.figures import Figure, add_options, write

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
EXTENSIONS = 200
FLAT, BY_THE_CALL = 1.5, 1.3  # so many times as much at most, where the smallest has SIZES[0] calls
MOST_MEGABYTES = 200  # of any process beside any ledger
YEAR = ("--from", f"{reports.YEAR}-01-01", "--to", f"{reports.YEAR}-12-31")


def main() -> int:
    """Fill the ledgers one after the other and print the table; 1 where a figure is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="*", default=SIZES)
    parser.add_argument("--extensions", type=int, default=EXTENSIONS)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    options = parser.parse_args()
    figures = []
    for figure in measured(options.calls, options.extensions):
        figures.append(figure)
        print(told(figure), flush=True)
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def measured(sizes: Sequence[int], extensions: int) -> Iterator[Figure]:
    """The lines of all sizes, each beside the same of a smaller one."""
    first: dict[str, float] = {}
    before: dict[str, float] = {}
    whole = sizes[0] >= SIZES[0]
    for size in sizes:
        with tempfile.TemporaryDirectory() as directory:
            for name, unit, figure in _of(Path(directory) / "data", size, extensions):
                if unit == "MB":
                    yield Figure(f"{size:,} calls: {name}", figure, unit, None, MOST_MEGABYTES, at_most=True)
                    continue
                by_the_call = unit == "µs a call"
                beside = (before if by_the_call else first).get(name)
                ratio = None if beside is None else figure / beside
                required = (BY_THE_CALL if by_the_call else FLAT) if whole and ratio is not None else None
                yield Figure(f"{size:,} calls: {name}", figure, unit, ratio, required, at_most=True)
                before[name] = figure
                first.setdefault(name, figure)


def _of(data: Path, calls: int, extensions: int) -> Iterator[tuple[str, str, float]]:
    """What is measured of one ledger: name, unit, figure."""
    bills.run(data, "init", "--area-code", "022")
    in_month = filled(data / "ledger.db", calls, extensions)
    month = ("--month", reports.MONTH)
    cpu_s, peak_mb = bills.run(data, "report", *month, "--by", "extension", "--format", "csv")
    yield "a month by extension", "s CPU", cpu_s
    yield "a month by extension, memory", "MB", peak_mb
    cpu_s, peak_mb = bills.run(data, "export", *month, "--formats", "csv", "--out-dir", str(data / "out"), "--quiet")
    yield "a month as CSV", "µs a call", cpu_s * 1e6 / max(in_month, 1)
    yield "a month as CSV, memory", "MB", peak_mb
    cpu_s, peak_mb = bills.run(data, "rerate", *YEAR)
    yield "a year rated again", "µs a call", cpu_s * 1e6 / calls
    yield "a year rated again, memory", "MB", peak_mb


def filled(path: Path, calls: int, extensions: int) -> int:
    """A year of so many calls; gives how many of them are in the month."""
    with Ledger(path) as ledger:
        reports.prepare(ledger, extensions)
        reports.fill(ledger, 1, calls, calls, extensions)
        with ledger.transaction():
            ledger.rollups.rebuild()
        like = f"{reports.MONTH}-%"
        return int(ledger.connection.execute("SELECT count(*) FROM calls WHERE day LIKE ?", [like]).fetchone()[0])


def told(figure: Figure) -> str:
    """A figure as a line of the table."""
    ratio = "" if figure.ratio is None else f"{figure.ratio:8.2f} times"
    wanted = "" if figure.required is None else f"  (at most {figure.required:g}){'  MISSED' if figure.missed else ''}"
    return f"{figure.name:<50}{figure.figure:>10.2f} {figure.unit:<10}{ratio}{wanted}"


if __name__ == "__main__":
    sys.exit(main())
