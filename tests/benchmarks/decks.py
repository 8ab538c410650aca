"""How long a carrier's list of very many codes takes: to bring in, to check, to ask for one price beside it.

    python -m tests.benchmarks.decks [ROWS] [--checked ROWS] [--json FILE] [--strict]

Lists as carriers send them (prefix, destination, rate of four decimals, connect fee, increments, first day), codes of
sixty countries, made up. Each line is one run of a whole process, in seconds of the processor, which other processes
disturb less. `tariffs check` is run on a tenth as many rows as well: ten times the rows may take twelve times as long
above an empty process. A quote's line is how much longer it takes beside the list than without one, the median of
some runs.
"""

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ippbx_billing.ledger import Ledger
from tests.benchmarks.bills import run
from tests.benchmarks.figures import Figure, add_options, write

ROWS, CHECKED = 200_000, 20_000
IMPORT_S, CHECK_S, QUOTE_S, MOST_TIMES = 20.0, 2.0, 0.3, 12.0  # what is required of so many rows
ROUNDS = 5
CODES = (20, 27, *range(30, 35), 36, *range(39, 42), *range(43, 50), 51, 52, 54, 55, 57, *range(60, 67), 81, 82, 84,
         *range(90, 93), 94, 98, 212, 213, 216, 220, 225, 233, 234, 254, 255, 351, 353, 358, 370, 371, 380, 420, 421,
         961, 962, 965, 966, 971, 972, 994, 998)  # fmt: skip
HEADINGS = "Prefix,Destination,Rate,Connect Fee,Increments,Effective Date"
NUMBER = "00442071234567"


def main() -> int:
    """Make the lists, run the commands, print the table; 1 where a figure is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", type=int, nargs="?", default=ROWS)
    parser.add_argument("--checked", type=int, default=CHECKED, help="rows of the list that is checked")
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often a quote is asked for")
    add_options(parser)
    options = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as directory:
        for figure in measured(Path(directory), options.rows, options.checked, options.rounds):
            figures.append(figure)
            print(told(figure), flush=True)
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def measured(folder: Path, rows: int, checked: int, rounds: int) -> Iterator[Figure]:
    """The lines of the table; what is required is said where the list is as long as it is said of."""
    big, middle, small = (filled(folder, count) for count in (rows, checked, checked // 10))
    cpu_s, peak_mb = big[1:]
    yield _of(f"`tariffs import` of {rows:,} rows", cpu_s, IMPORT_S, rows >= ROWS)
    yield replace(_of(f"`tariffs import` of {rows:,} rows, memory", peak_mb, 0, False), unit="MB")
    run(folder / "bare", "init", "--area-code", "022")
    long_s, short_s = (checked_s(data) for data, *_ in (middle, small))
    yield _of(f"`tariffs check` of {checked:,} rows", long_s, CHECK_S, checked >= CHECKED)
    empty_s = statistics.median(checked_s(folder / "bare") for _ in range(rounds))
    times = (long_s - empty_s) / max(short_s - empty_s, 0.001)
    name = f"`tariffs check` of {checked:,} rows ÷ of {checked // 10:,}"
    yield Figure(name, long_s, "s CPU", times, MOST_TIMES if checked >= CHECKED else None, at_most=True)
    beside, without = (quoted(data, rounds) for data in (big[0], folder / "bare"))
    yield _of(f"`quote` beside {rows:,} rows, above one without", beside - without, QUOTE_S, rows >= ROWS)


def filled(folder: Path, rows: int) -> tuple[Path, float, float]:
    """A new installation with a list of so many rows; what bringing it in took: seconds of the processor, megabytes."""
    data, deck = folder / str(rows), folder / f"{rows}.csv"
    deck.write_text("\n".join([HEADINGS, *lines(rows)]), "utf-8")
    run(data, "init", "--area-code", "022")
    with Ledger(data / "ledger.db") as ledger:
        carrier = ledger.book.carriers()[0].name
    options = ("--carrier", carrier, "--traffic-type", "international", "--yes")
    return data, *run(data, "tariffs", "import", str(deck), *options)


def lines(rows: int) -> Iterator[str]:
    """Rows of a list, no code twice."""
    choose, seen = random.Random(2), set[str]()
    while len(seen) < rows:
        code = str(choose.choice(CODES)) + "".join(choose.choices("123456789", k=choose.randint(1, 6)))
        if code not in seen:
            seen.add(code)
            rate, fee = choose.randint(10, 9000) / 10_000, choose.choice(("0", "0", "0.0100"))
            steps = choose.choice(("1/1", "60/60", "6/6", "30/6", "60/1"))
            yield f"{code},Destination {code[:3]},{rate:.4f},{fee},{steps},2026-12-01"


def checked_s(data: Path) -> float:
    """Seconds of the processor that a check of all lists takes."""
    return run(data, "tariffs", "check", "--format", "csv")[0]


def quoted(data: Path, rounds: int) -> float:
    """Seconds of the processor that a quote takes."""
    command = ("quote", NUMBER, "--seconds", "80", "--at", "2026-12-05T10:00", "--format", "json")
    return statistics.median(run(data, *command)[0] for _ in range(rounds))


def _of(name: str, seconds: float, at_most: float, whole: bool) -> Figure:
    return Figure(name, seconds, "s CPU", None, at_most if whole else None, at_most=True)


def told(figure: Figure) -> str:
    """A figure as a line of the table."""
    ratio = "" if figure.ratio is None else f"{figure.ratio:6.1f} times"
    wanted = "" if figure.required is None else f"  (at most {figure.required:g}){'  MISSED' if figure.missed else ''}"
    return f"{figure.name:<58}{figure.figure:>9.2f} {figure.unit}{ratio}{wanted}"


if __name__ == "__main__":
    sys.exit(main())
