"""Writes the manual's page "What was measured": runs benchmarks, saves their figures, and makes the table of those.

    python -m tests.benchmarks.readme                     the table again, of the saved figures
    python -m tests.benchmarks.readme chain rating        run these two first
    python -m tests.benchmarks.readme --all [--quick]     run all of them; quick ones take a minute or two

The one idea: nobody types a figure. A benchmark writes what it measured with `--json`; `figures.json` beside this file
keeps it together with the command that was run, and the table shows exactly that.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ippbx_billing.manual import FOLDER
from tests.benchmarks.figures import rounded

PAGES = {language: FOLDER / language / "measured.md" for language in ("en", "zh")}
SAVED = Path(__file__).parent / "figures.json"
BEGINS, ENDS = "<!-- measured: made by tests/benchmarks/readme.py -->", "<!-- end of measured -->"


@dataclass(frozen=True)
class Benchmark:
    """The arguments of a whole run and of a quick one."""

    whole: str
    quick: str


BENCHMARKS = {
    "ingest": Benchmark("--seconds 1.5 --rounds 2 --wrk", "--quick"),
    "chain": Benchmark("--per-second 5000 --seconds 30", "--per-second 1000 --quick"),
    "worker": Benchmark("", "3000"),
    "numbering": Benchmark("", "--quick"),
    "rating": Benchmark("", "50000"),
    "rebuild": Benchmark("1000000", "10000"),
    "rerate": Benchmark("1000000", "50000"),
    "reports": Benchmark("10000000", "30000"),
    "suggest": Benchmark("", ""),
    "bills": Benchmark("5000", "100"),
    "decks": Benchmark("200000", "1000 --checked 500"),
    "edits": Benchmark("200000", "300 --per-second 100 --edits 1"),
    "peers": Benchmark("100000", "1500 --deck 500"),
    "growth": Benchmark("10000 100000 1000000", "1000 2000 --extensions 5"),
    "exports": Benchmark("300000", "2000"),
    "startup": Benchmark("20", "5"),
    "console": Benchmark("", "--pages 10 --seconds 2 --calls 30000 --rounds 3"),
}

Saved = dict[str, dict[str, Any]]  # by benchmark: `command`, `load` and `rows`


def main() -> int:
    """Run what was asked for, then write the table; 1 where a benchmark failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--all", action="store_true", help="run every benchmark")
    parser.add_argument("--quick", action="store_true", help="short runs")
    options = parser.parse_args()
    failed = []
    for name in BENCHMARKS if options.all else options.names:
        benchmark = BENCHMARKS[name]
        measured = run(name, benchmark.quick if options.quick else benchmark.whole)
        if measured is None:
            failed.append(name)
        else:
            SAVED.write_text(json.dumps({**saved(), name: measured}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for language, page in PAGES.items():
        page.write_text(with_section(page.read_text("utf-8"), section(saved(), language)), "utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def run(name: str, arguments: str) -> dict[str, Any] | None:
    """Run one benchmark, which prints its own table; None where it failed.

    Kept with the rows are the command, and how busy the machine was before it: figures of a busy one are low.
    """
    command = ["-m", f"tests.benchmarks.{name}", *shlex.split(arguments)]
    print(f"== python {shlex.join(command)}", flush=True)
    busy = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "figures.json"
        done = subprocess.run([sys.executable, *command, "--json", str(path)], check=False)
        if done.returncode or not path.exists():
            return None
        rows = json.loads(path.read_text("utf-8"))
        return {"command": f"python {shlex.join(command)}", "load": busy, "rows": rows}


def saved() -> Saved:
    """The figures that were measured last."""
    found: Saved = json.loads(SAVED.read_text("utf-8")) if SAVED.exists() else {}
    return found


def section(measured: Mapping[str, Mapping[str, Any]], language: str = "en") -> str:
    """The tables, one for each benchmark, in the order of `BENCHMARKS`."""
    return "\n\n".join(_table(measured[name], language) for name in BENCHMARKS if name in measured)


def with_section(page: str, made: str) -> str:
    """The page with this between its two marks; ValueError where they are not there."""
    before, begins, rest = page.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not begins or not ends:
        raise ValueError(f"the page needs the lines {BEGINS} and {ENDS}")
    return f"{before}{BEGINS}\n{made}\n{ENDS}{after}"


HEAD = {"en": "| measured | figure | ratio | required |", "zh": "| 测量项 | 数值 | 比值 | 要求 |"}
LOAD = {"en": "load before it: {}", "zh": "运行前的负载：{}"}


def _table(measured: Mapping[str, Any], language: str) -> str:
    title = f"`{measured['command']}` ({LOAD[language].format(measured['load'])})"
    return "\n".join([title, "", HEAD[language], "| --- | --: | --: | --: |", *_lines(measured["rows"])])


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        figure = row.get("figure", row.get("value"))
        ratio = "" if row.get("ratio") is None else f"{row['ratio']:,}"
        yield f"| {row['name']} | {rounded(figure):,} {row['unit']} | {ratio} | {_required(row)} |"


def _required(row: Mapping[str, Any]) -> str:
    if row.get("required") is None:
        return ""
    at_most = row["at_most"] if "at_most" in row else not row.get("at_least", True)
    return f"{'≤' if at_most else '≥'} {row['required']:,}"


if __name__ == "__main__":
    sys.exit(main())
