"""A price is edited beside a carrier's list of very many codes while records arrive: how long the worker stands still.

    python -m tests.benchmarks.edits [ROWS] [--per-second 500] [--edits 5] [--json FILE] [--strict]

The true `ippbx-bill listen` takes records at a steady rate. Meanwhile `tariffs set` puts prices into the list, each by
a process of its own, with pauses between. Looked at fifty times a second is how far the worker has come: it stands
still for as long as records wait and none of them is taken. Beside it stands the longest such time without an edit,
for the worker lets records gather; and what its new rules take of the processor. The command's own time is that of its
process; a part of it is the log of who did what, which is told apart.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.snapshots import EditWatch
from ippbx_billing.pipeline import Rules
from ippbx_billing.settings import load
from tests.benchmarks.bills import run
from tests.benchmarks.chain import Look, Watch, under_load
from tests.benchmarks.decks import ROWS, filled
from tests.benchmarks.figures import Figure, add_options, write
from tests.service_process import Service

STANDS_STILL_S = 0.5  # at most, beside so many ROWS
PAUSE_S = 1.0  # between two edits
QUIET_S = 2.0  # without an edit, before the first
ROUNDS = 3
WARM_S = 1.0  # of records before all, until the worker has read its prices


def main() -> int:
    """Fill, listen, edit, print; 1 where a figure is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rows", type=int, nargs="?", default=ROWS)
    parser.add_argument("--per-second", type=int, default=500, help="records that arrive")
    parser.add_argument("--edits", type=int, default=5)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        site, *_ = filled(Path(directory), options.rows)
        figures = measured(site, options.rows, options.per_second, options.edits)
    for one in figures:
        print(f"{one.name:62}{one.figure:>8.3f} {one.unit}{'   MISSED' if one.missed else ''}")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def measured(site: Path, rows: int, per_second: int, count: int) -> list[Figure]:
    """The lines of the table."""
    editor = Editor(site, count)
    with Service(site, IPPBX_BILL_MAX_REQUESTS_PER_S="0") as service:
        watch = Watch(service)
        under_load(service, per_second, WARM_S, watch)
        watch.until_drained()
        seconds = QUIET_S + count * (PAUSE_S + editor.takes_s())
        watch.looks.clear()
        thread = threading.Thread(target=editor.work, args=(watch, watch.inbox.last_id()))
        thread.start()
        under_load(service, per_second, seconds, watch, first=round(per_second * WARM_S))
        watch.until_drained()
        thread.join()
    beside = f"an edit beside {rows:,} rows"
    required = STANDS_STILL_S if rows >= ROWS else None
    first, last = editor.began_s[0], editor.ended_s[-1] + PAUSE_S
    during, quiet = still_s(watch.looks, first, last), still_s(watch.looks, 0, first)
    return [
        Figure(f"{beside}: the worker stands still", during, "s", None, required, at_most=True),
        Figure(f"{beside}: the same without an edit", quiet, "s"),
        Figure(f"{beside}: the worker takes it up", _taken_up_s(site), "s CPU", None, required, at_most=True),
        Figure(f"{beside}: the command", statistics.median(editor.cpu_s), "s CPU"),
        Figure(f"{beside}: the log of who did what", _log_s(site), "s CPU"),
    ]


def still_s(looks: Sequence[Look], first_s: float, last_s: float) -> float:
    """The longest time between these moments in which records waited and the worker took none."""
    longest, since = 0.0, None
    before = None
    for look in looks:
        if not first_s <= look.at_s <= last_s:
            continue
        if not look.backlog or before is None or look.position != before.position:
            since = look.at_s
        elif since is not None:
            longest = max(longest, look.at_s - since)
        before = look
    return longest


@dataclass
class Editor:
    """Somebody who sets one price after the other on the command line."""

    site: Path
    count: int
    began_s: list[float] = field(default_factory=list)
    ended_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        with Ledger(self.site / "ledger.db") as ledger:
            self.carrier = ledger.book.carriers()[0].name

    def takes_s(self) -> float:
        """One edit beforehand: how long it takes on this machine, by the clock."""
        began = time.monotonic()
        self._set(0)
        return time.monotonic() - began

    def work(self, watch: Watch, position: int) -> None:
        """All edits, the first after a quiet time, which begins when records come."""
        while not watch.looks or watch.looks[-1].position <= position:
            time.sleep(0.01)
        time.sleep(QUIET_S)
        for number in range(1, self.count + 1):
            self.began_s.append(time.time())
            self.cpu_s.append(self._set(number))
            self.ended_s.append(time.time())
            time.sleep(PAUSE_S)

    def _set(self, number: int) -> float:
        price = ("--match", f"prefix=4420{number}", "--rate", f"0.{number + 1:02}", "--increments", "60/60")
        return run(self.site, "tariffs", "set", self.carrier, "international", *price)[0]


def _taken_up_s(site: Path) -> float:
    """What the worker's new rules take of the processor, which does not depend on who else wants it."""
    settings, taken_s = load(site, {}), []
    with Ledger(settings.ledger_path) as ours, Ledger(settings.ledger_path) as theirs:
        Rules.of(ours, settings)
        for newest in theirs.book.prices()[-ROUNDS:]:
            theirs.book.end_prices([newest.id or 0])
            began = time.process_time()
            rules = Rules.of(ours, settings)
            taken_s.append(time.process_time() - began)
            assert newest.id not in {price.id for price in rules.book.prices[-ROUNDS:]}
    return statistics.median(taken_s)


def _log_s(site: Path) -> float:
    """What finding the rows of one edit takes, which is all that the log adds to a command."""
    with Ledger(site / "ledger.db") as ledger, EditWatch(site / "ledger.db") as watch:
        newest = ledger.book.prices()[-1]
        ledger.book.end_prices([newest.id or 0])
        began = time.process_time()
        was, now = watch.differences()
        assert [row["id"] for row in (*was, *now)] == [newest.id, newest.id]
        return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
