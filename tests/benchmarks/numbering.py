"""How many numbers a second are classified on one core: `python -m tests.benchmarks.numbering`.

"Repeating" is the traffic of an office, 2,000 numbers called again and again; "all different" never asks
for the same number twice; "of the world" mixes the plans of all countries.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterable

import phonenumbers

from ippbx_billing.numbering import Numbering
from ippbx_billing.numbering.tables import areas, blocks
from tests.benchmarks.figures import Figure, add_options, write

WANTED = {"repeating": 200_000, "all different": 20_000}


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


def rate(numbering: Numbering, numbers: Iterable[str]) -> float:
    """Classifications a second."""
    numbers = list(numbers)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_options(parser)
    options = parser.parse_args()
    site = {"country": "CN", "area_code": "022", "outside_prefix": "9"}
    Numbering(**site).classify("13800138000")
    office = chinese_numbers(2_000)
    different = chinese_numbers(60_000, seed=3)
    rates = {
        "repeating": rate(Numbering(**site), random.Random(4).choices(office, k=400_000)),
        "all different": rate(Numbering(**site), different),
    }
    world = Numbering(**site)
    rate(world, world_numbers(3_000, seed=5))
    rates["of the world, all different"] = rate(world, world_numbers(20_000))
    for name, value in rates.items():
        wanted = f"   (wanted: {WANTED[name]:,})" if name in WANTED else ""
        print(f"{name:30} {value:12,.0f} a second{wanted}")
    imported_ms = import_ms()
    print(f"{'import':30} {imported_ms:12.1f} ms         (wanted: at most 15)")
    figures = [
        Figure(f"numbers, {name}", value, "classified a second", None, WANTED.get(name))
        for name, value in rates.items()
    ]
    write(options.json, [*figures, Figure("numbers, import", imported_ms, "ms", None, 15, at_most=True)])


if __name__ == "__main__":
    main()
