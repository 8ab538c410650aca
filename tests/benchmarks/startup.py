"""How long a command takes to start, as a whole process, beside an interpreter that does nothing.

    python -m tests.benchmarks.startup [ROUNDS] [--beside DIR] [--json FILE]

Each round runs bare Python and every command once, in turn, so that a busy machine slows all of them alike; a line is
the median, how much more it is than bare Python, and their ratio. `--beside` runs `--help` of another checkout as well.
Compiled modules are kept between the rounds, as an installation keeps them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.figures import Figure, add_options, write

BARE = "bare Python"
REQUIRED = {"report --month": 0.25}  # seconds more than bare Python, at most; of a ledger without calls


def seconds(command: list[str], place: Path | None = None) -> float:
    """How long a process takes by the clock; CalledProcessError if it fails."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPATH": str(place)} if place else {}
    begun = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - begun


def measured(data: Path, rounds: int, beside: Path | None) -> dict[str, list[float]]:
    """The seconds of each command, of every round."""
    bill = [sys.executable, "-m", "ippbx_billing"]
    commands: dict[str, tuple[list[str], Path | None]] = {
        BARE: ([sys.executable, "-c", "pass"], None),
        "--help": ([*bill, "--help"], None),
        "report --month": ([*bill, "--data-dir", str(data), "report", "--month", "2026-10"], None),
    }
    if beside:
        commands["--help of the other"] = (commands["--help"][0], beside)
    seconds([*bill, "--data-dir", str(data), "init", "--area-code", "022"])
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (command, place) in commands.items():
            taken[name].append(seconds(command, place))
    return taken


def figures(taken: dict[str, list[float]]) -> list[Figure]:
    """How much more than bare Python each command takes."""
    bare = median(taken[BARE])
    return [
        Figure(f"start-up, more than bare Python: {name}", median(each) - bare, "s", None, REQUIRED.get(name), True)
        for name, each in taken.items()
        if name != BARE
    ]


def main() -> int:
    """Measure, and print a line for each command; 1 where a figure is missed and --strict is given."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("rounds", nargs="?", type=int, default=10)
    options.add_argument("--beside", type=Path)
    options.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(options)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken = measured(Path(folder) / "data", given.rounds, given.beside)
    bare = median(taken[BARE])
    for name, each in taken.items():
        print(f"{name:20} {median(each):6.3f} s  +{median(each) - bare:.3f} s  x{median(each) / bare:.1f}")
    found = figures(taken)
    write(given.json, found)
    return int(given.strict and any(one.missed for one in found))


if __name__ == "__main__":
    sys.exit(main())
