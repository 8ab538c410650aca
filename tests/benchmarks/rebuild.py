"""What it takes to build the ledger anew: `python -m tests.benchmarks.rebuild [EVENTS] [--strict]`.

An inbox is filled with the records of an office, numbers repeating as in real traffic, each with ids of its own, and
read by a worker's pipeline. Then `events rebuild` makes the ledger again in one go. Told are events a second of the
whole rebuild, with all that it compares and copies, and the memory that it took. The new ledger must hold the calls and
charges of the old one to the byte.
"""

import argparse
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules, rebuilding
from tests.benchmarks.figures import Figure, add_options, write
from tests.benchmarks.worker import Site, bodies

REQUIRED = 12_000


def main() -> int:
    """Measure, print, check; 1 where a call is another now, or, if strict, where a figure was missed."""
    options = _options()
    with tempfile.TemporaryDirectory() as directory:
        site = Site(Path(directory) / "site", list(bodies(options.events, differ=False)))
        _read(site)
        ledger_path, settings = site.settings.ledger_path, site.settings
        before = _content(ledger_path)
        wall, processor = time.perf_counter(), time.process_time()
        done = rebuilding.rebuild(settings.inbox_path, ledger_path, lambda ledger: Rules.of(ledger, settings))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        after = _content(ledger_path)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = [
        Figure("rebuild, events", done.events / wall, "events/s", None, REQUIRED),
        Figure("rebuild, processor time", 1_000_000 * processor / done.events, "µs an event"),
        Figure("rebuild, memory", memory_mb, "MB"),
    ]
    for one in figures:
        print(f"{one.name:28}{one.figure:>10,.1f} {one.unit}{'   MISSED' if one.missed else ''}")
    write(options.json, figures)
    return int(before != after or (options.strict and any(one.missed for one in figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("events", type=int, nargs="?", default=200_000)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


def _read(site: Site) -> None:
    settings = site.settings
    with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()


def _content(ledger_path: Path) -> str:
    """A digest of all calls with their charges in the order of their events, the numbers of calls left out."""
    digest = blake2b()
    with closing(sqlite3.connect(ledger_path)) as ledger:
        cursor = ledger.execute("SELECT * FROM calls JOIN charges USING (id) ORDER BY event_id, key")
        left_out = [column[0] for column in cursor.description].index("id")
        for row in cursor:
            digest.update(repr(row[:left_out] + row[left_out + 1 :]).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
