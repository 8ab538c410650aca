"""What a record costs the worker of the processor: `python -m tests.benchmarks.worker [RECORDS] [--strict]`.

An inbox is filled with the records of an office, 450 bytes of JSON each, every one with ids of its own. A pipeline
takes them all into a ledger, with numbers that repeat as in real traffic, and with numbers that are all different; the
first tenth is not counted. Beside that stands what its parts take of the same records: reading them by habit and with
care, telling what the numbers are, and finding the fees.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from random import Random

from ippbx_billing.calls import EventKind, RawEvent
from ippbx_billing.inbox import Delivery, Inbox, InboxWriter
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.patience import READING_S
from ippbx_billing.pipeline.worker import GARBAGE_THRESHOLD
from ippbx_billing.settings import load
from ippbx_billing.simulation.traffic import cdr_body, office
from tests.benchmarks.chain import init
from tests.benchmarks.figures import Figure, add_options, write
from tests.benchmarks.numbering import chinese_numbers

REQUIRED_US = 110
DIFFERENT_CALLS = 5_000
AT_ONCE = 500


def main() -> int:
    """Measure, print, check; 1 where a record was lost, or, if strict, where a figure was missed."""
    options = _options()
    gc.set_threshold(GARBAGE_THRESHOLD)
    figures = []
    for name, differ in (("numbers repeat", False), ("all numbers differ", True)):
        with tempfile.TemporaryDirectory() as directory:
            site = Site(Path(directory) / "site", list(bodies(options.records, differ)))
            figures.append(Figure(f"worker, {name}", site.whole_us(), "µs a record", None, REQUIRED_US, at_most=True))
            figures += [Figure(f"worker, {name}: {part}", us, "µs a record") for part, us in site.parts_us().items()]
    for one in figures:
        print(f"{one.name:48}{one.figure:>10,.1f} {one.unit}{'   MISSED' if one.missed else ''}")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("records", type=int, nargs="?", default=40_000)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


def bodies(count: int, differ: bool) -> Iterator[bytes]:
    """The calls of an office over and over, each time under ids of its own; numbers outside all different if wanted."""
    calls = office(seed=1, calls=DIFFERENT_CALLS, first=date(2026, 10, 1), last=date(2026, 10, 31))
    numbers = chinese_numbers(count) if differ else []
    for number, call in zip(range(count), cycle(calls), strict=False):
        body = json.loads(cdr_body(call))
        (record,) = body["cdr"]
        record |= {"cdr_id": f"{number:08x}-1", "uuid": f"{number:032x}"}
        if differ and record["direction"] == "outbound":
            record["callee_number"] = numbers[number]
        elif differ and record["direction"] == "inbound":
            record["caller_number"] = numbers[number].removeprefix("9")
        yield json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Site:
    """A new site with these bodies in its inbox."""

    data_dir: Path
    bodies: Sequence[bytes]

    def __post_init__(self) -> None:
        init(self.data_dir)
        self.settings = load(self.data_dir, {})
        asyncio.run(_keep(self.settings.inbox_path, self.bodies))

    def whole_us(self) -> float:
        """From the inbox into the ledger, as the worker does it."""
        settings = self.settings
        with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
            batch = min(settings.batch_size, len(self.bodies) // 10)
            pipeline = Pipeline(
                inbox, ledger, lambda: Rules.of(ledger, settings), batch_size=batch, reading_s=READING_S
            )
            while pipeline.waiting() > 0.9 * len(self.bodies):
                pipeline.step()
            left = pipeline.waiting()
            taken_us = _took_us(left, pipeline.drain)
            (calls,) = ledger.connection.execute("SELECT count(*) FROM calls").fetchone()
            assert calls == len(self.bodies), f"{calls} calls of {len(self.bodies)} records"
        return taken_us

    def parts_us(self) -> dict[str, float]:
        """What its parts take."""
        with Ledger(self.settings.ledger_path) as ledger:
            rules = Rules.of(ledger, self.settings)
            anew = Rules.of(ledger, self.settings)
        moment = datetime(2026, 11, 1, tzinfo=UTC)
        events = [RawEvent(0, moment, EventKind.CDR, "192.0.2.7", "POST", "/", "", "", body) for body in self.bodies]
        some = events[: len(events) // 10 or 1]
        for event in some:
            rules.read(event)
        found = [rules.read(event).calls[0] for event in events]
        meanings = [rules.classify(call) for call in found]
        anew.dialects.habits.learn = lambda *given: None  # type: ignore[method-assign]
        return {
            "reading by habit": _took_us(len(events), lambda: [rules.read_by_habit(event) for event in events]),
            "reading with care": _took_us(len(some), lambda: [anew.read(event) for event in some]),
            "classification": _took_us(len(found), lambda: [anew.classify(call) for call in found]),
            "rating": _took_us(len(found), lambda: [anew.charge(*one) for one in zip(found, meanings, strict=True)]),
        }


async def _keep(inbox_path: Path, bodies: Sequence[bytes]) -> None:
    random = Random(1)
    with InboxWriter(inbox_path) as writer:
        for start in range(0, len(bodies), AT_ONCE):
            now = 1_793_500_000_000_000 + start
            kept = (
                Delivery(now, "cdr", f"192.0.2.7:{random.randrange(60_000)}", "POST", "/", "", b"", body)
                for body in bodies[start : start + AT_ONCE]
            )
            await asyncio.gather(*map(writer.keep, kept))


def _took_us(count: int, work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return 1_000_000 * (time.process_time() - started) / count


if __name__ == "__main__":
    sys.exit(main())
