"""How many numbers a second are classified on one core: `python -m tests.benchmarks.numbering`.

"Repeating" is the traffic of an office, 2,000 numbers called again and again; "all different" never asks
for the same number twice; "of the world" mixes the plans of all countries. Memory is tidied as seldom as in the worker.
"""

import argparse
import gc
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from random import Random

import phonenumbers

from ippbx_billing.numbering import Numbering
from ippbx_billing.numbering.tables import areas, blocks
from ippbx_billing.pipeline.worker import GARBAGE_THRESHOLD
from tests.benchmarks.figures import Figure, add_options, write

WANTED = {"repeating": 1_000_000, "all different": 200_000, "of the world, all different": 100_000}
ROUNDS = 5  # the best of them is what the core can do when nobody else uses it


def chinese_numbers(count: int, seed: int = 1) -> list[str]:
    """Different numbers as an office dials them: half mobiles, a third of other areas, the rest local."""
    chance = random.Random(seed)
    prefixes = [block.prefix for block in blocks().values() if block.kind == "mobile"]
    codes = [one for one in areas().values() if not one.merged_into]
    numbers: set[str] = set()
    while len(numbers) < count:
        kind = chance.random()
        if kind < 0.5:
            prefix = chance.choice(prefixes)
            numbers.add("9" + prefix + _digits(chance, 11 - len(prefix)))
        elif kind < 0.83:
            one = chance.choice(codes)
            numbers.add("9" + one.code + str(chance.randint(2, 8)) + _digits(chance, one.subscriber_digits[0] - 1))
        else:
            numbers.add("9" + str(chance.randint(2, 8)) + _digits(chance, 7))
    return list(numbers)


def world_numbers(count: int, seed: int = 2) -> list[str]:
    """Different numbers of all countries, dialled with 00."""
    chance = random.Random(seed)
    examples = [phonenumbers.example_number(country) for country in sorted(phonenumbers.SUPPORTED_REGIONS)]
    stems = [f"00{one.country_code}{phonenumbers.national_significant_number(one)}" for one in examples if one]
    return list({chance.choice(stems)[:-4] + _digits(chance, 4) for _ in range(count)})


def _digits(chance: random.Random, count: int) -> str:
    return str(chance.randrange(10**count)).zfill(count)


def rate(site: dict[str, str], numbers: Sequence[str], warm: Sequence[str] = ()) -> float:
    """Classifications a second of processor time, each round by a plan of its own with numbers of its own."""
    return max(_rate(Numbering(**site), numbers[place::ROUNDS], warm) for place in range(ROUNDS))


def _rate(numbering: Numbering, numbers: Sequence[str], warm: Sequence[str]) -> float:
    for number in warm:
        numbering.classify(number)
    started = time.process_time()
    for number in numbers:
        numbering.classify(number)
    return len(numbers) / (time.process_time() - started)


def import_ms() -> float:
    """What importing the room adds to a program that has the standard library and the words already."""
    script = (
        "import csv, re, dataclasses, datetime, enum, pathlib, typing, array, struct, zlib, unicodedata, time\n"
        "import ippbx_billing.calls, ippbx_billing.errors\n"
        "started = time.process_time()\n"
        "import ippbx_billing.numbering\n"
        "print((time.process_time() - started) * 1000)"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout) for _ in range(5)
    ]
    return min(times)


def main() -> int:
    """Measure, print, check; 1 where a figure was missed, if strict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few numbers")
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    options = parser.parse_args()
    gc.set_threshold(GARBAGE_THRESHOLD)
    site = {"country": "CN", "area_code": "022", "outside_prefix": "9"}
    count = 5_000 if options.quick else 100_000
    office, random = chinese_numbers(2_000), Random(4)
    rates = {
        "repeating": rate(site, random.choices(office, k=2 * count), office),
        "all different": rate(site, chinese_numbers(count, seed=3), chinese_numbers(5_000, seed=9)),
        "of the world, all different": rate(site, world_numbers(count), world_numbers(3_000, seed=5)),
    }
    figures = [
        Figure(f"numbers, {name}", value, "classified a second", None, WANTED[name]) for name, value in rates.items()
    ]
    figures.append(Figure("numbers, import", import_ms(), "ms", None, 15, at_most=True))
    for one in figures:
        print(f"{one.name:40}{one.figure:>12,.1f} {one.unit}{'   MISSED' if one.missed else ''}")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


if __name__ == "__main__":
    sys.exit(main())
