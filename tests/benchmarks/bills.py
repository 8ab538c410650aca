"""How long the bills of a large company take, as whole processes: its own bill, and one for each employee.

    python -m tests.benchmarks.bills [EMPLOYEES] [--calls-each N] [--folder] [--keep DIR] [--json FILE]

A site of so many employees in a tree of departments, each with an extension and a hundred calls in a month (fixed,
mobile, domestic, international, incoming, unanswered; two carriers). Every twentieth extension changes hands in the
middle of the month. Each line is one run of `ippbx-bill bill`: seconds by the clock, of the
processor (which other processes disturb less), peak memory, and the size of what it wrote.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.directory import EVER
from ippbx_billing.tariffs import Trunk
from tests.benchmarks.figures import Figure, add_options, write
from tests.benchmarks.rerate import _rated, rules_of

AT_ONCE = 20_000
PEOPLE_IN_A_DEPARTMENT = 25
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
FOLDER = ("--all", "folder")
COMMANDS = (
    ("--company", "company.pdf"),
    ("--company", "company.html"),
    ("--company", "company.xlsx"),
    ("--all", "everybody.pdf"),
    ("--all", "everybody.html"),
    ("--employee 100001", "one.pdf"),
    ("--employee 100001 --calls", "calls-of-one.pdf"),
)


ALL_AS_PDF, ALL_WITHIN_S, LARGE = "`bill --all` as PDF", 10.0, 5_000  # seconds, for so many employees


def main() -> int:
    """Fill a data directory, then time the commands; 1 where a figure is missed and --strict is given."""
    wanted = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    wanted.add_argument("employees", type=int, nargs="?", default=500)
    wanted.add_argument("--calls-each", type=int, default=100)
    wanted.add_argument("--keep", type=Path, help="a folder that keeps the data and the bills")
    wanted.add_argument("--lang", default="zh")
    wanted.add_argument("--folder", action="store_true", help="also a PDF for each employee, which takes minutes")
    wanted.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(wanted)
    given = wanted.parse_args()
    commands = (*COMMANDS, FOLDER) if given.folder else COMMANDS
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name)
        data = folder / "data"
        if not data.exists():
            run(data, "init", "--area-code", "022")
            fill(data / "ledger.db", given.employees, given.calls_each)
        print(f"{given.employees} employees, {given.employees * given.calls_each} calls in the month")
        figures = [
            one for options, output in commands for one in report(data, folder, options.split(), output, given.lang)
        ]
    size = f"{given.employees:,} employees with {given.employees * given.calls_each:,} calls"
    required = ALL_WITHIN_S if given.employees >= LARGE else None
    figures = [replace(one, required=required, at_most=True) if one.name == ALL_AS_PDF else one for one in figures]
    write(given.json, [replace(one, name=f"{size}: {one.name}") for one in figures])
    return int(given.strict and any(one.missed for one in figures))


def fill(path: Path, employees: int, calls_each: int) -> None:
    """People in departments of twenty-five, and their calls."""
    choose = random.Random(7)
    with Ledger(path) as ledger:
        carriers = ledger.book.carriers()
        ledger.book.put_trunk(Trunk("FXO-1", carriers[0].name))
        ledger.book.put_trunk(Trunk("FXO-2", carriers[-1].name))
        people(ledger, employees, choose)
        rules = rules_of(ledger)
        count = employees * calls_each
        for start in range(0, count, AT_ONCE):
            made = [_rated(number, count, choose, rules) for number in range(start, min(start + AT_ONCE, count))]
            with ledger.transaction():
                ledger.calls.add(
                    [
                        replace(one, call=replace(one.call, extension=str(10_000 + choose.randrange(employees))))
                        for one in made
                    ]
                )


def people(ledger: Ledger, employees: int, choose: random.Random) -> None:
    """Staff numbers 100000 and on, extensions 10000 and on."""
    with ledger.directory.changing():
        for number in range(employees):
            name = choose.choice(SURNAMES) + choose.choice(GIVEN) + choose.choice(["", *GIVEN])
            team, part = divmod(number // PEOPLE_IN_A_DEPARTMENT, 8)
            ledger.directory.add_employee(str(100_000 + number), name, f"总公司/第{team + 1}分公司/{part + 1}部")
            ledger.directory.assign(str(10_000 + number), EVER, employee=str(100_000 + number))
        for number in range(0, employees - 1, 20):
            ledger.directory.assign(str(10_000 + number), date(2026, 11, 16), employee=str(100_001 + number))


def report(data: Path, folder: Path, options: list[str], output: str, lang: str) -> list[Figure]:
    """One run in a process of its own: its processor time and its peak memory."""
    where = ["--out-dir" if output == "folder" else "--output", str(folder / output)]
    began = time.perf_counter()
    cpu_s, peak_mb = run(data, "bill", "--month", "2026-11", *options, *where, lang=lang)
    elapsed = time.perf_counter() - began
    written = folder / output
    files = list(written.iterdir()) if written.is_dir() else [written]
    size_mb = sum(one.stat().st_size for one in files) / 1e6
    figures = f"{elapsed:7.2f} s {cpu_s:7.2f} s CPU {peak_mb:5.0f} MB, wrote {size_mb:.2f} MB"
    print(f"bill {' '.join(options):28} {output:16} {figures}", flush=True)
    what = f"`bill {' '.join(options)}` as {f'{len(files):,} PDFs' if written.is_dir() else written.suffix[1:].upper()}"
    return [Figure(what, cpu_s, "s CPU"), Figure(f"{what}, memory", peak_mb, "MB")]


def run(data: Path, *arguments: str, lang: str = "en") -> tuple[float, float]:
    """Run the command; gives its seconds of processor time and its peak memory in megabytes."""
    script = (
        "import sys, re, time, atexit\n"
        "def tell():  # not by getrusage, which counts the memory of the process that began this one\n"
        "    peak_kb = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]\n"
        "    print(time.process_time(), peak_kb, file=sys.stderr)\n"
        "atexit.register(tell)\n"
        "from ippbx_billing.cli import main\nmain()\n"
    )
    command = [sys.executable, "-c", script, "--data-dir", str(data), "--lang", lang, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    cpu_s, peak_kb = done.stderr.split()[-2:]
    return float(cpu_s), int(peak_kb) / 1024


if __name__ == "__main__":
    sys.exit(main())
