"""What files bring: taken into the inbox and read, or only tried, with what came of each file.

    for row in taken(ledger, pipeline, Files(data_dir, keep), [Path("Master.csv")]): ...
    for row in tried(rules, data_dir, [Path("Master.csv")]): ...

A row has the keys of the contract: file, events, known_bytes, calls, not_understood, problem; what was taken also
`duplicates`, what was tried also `problems` and `dialects`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ippbx_billing.calls import EventKind, EventStatus, RawEvent
from ippbx_billing.inbox import Delivery
from ippbx_billing.ledger import Ledger
from ippbx_billing.listener.files import Files, Took
from ippbx_billing.pipeline import Pipeline, Rules

SHOWN_PROBLEMS = 3
MICROSECONDS = 1_000_000


def taken(ledger: Ledger, pipeline: Pipeline, files: Files, paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Take what is new in each file, read it, and say what came of its events."""
    for path in paths:
        pipeline.drain()
        first = ledger.journey.position()
        took = files.take(path)
        pipeline.drain()
        yield {**_file(path, took), **_came_of(ledger, first, ledger.journey.position())}


def tried(rules: Rules, data_dir: Path, paths: Iterable[Path], pbx: str = "") -> Iterator[dict[str, Any]]:
    """What each file would be read as; nothing is kept."""
    for path in paths:
        found: list[Delivery] = []
        took = Files(data_dir, found.extend, pbx=pbx, dry_run=True).take(path)
        yield {**_file(path, took), **_read(rules, found)}


def _file(path: Path, took: Took) -> dict[str, Any]:
    return {"file": str(path), "events": took.events, "known_bytes": took.known_bytes}


def _came_of(ledger: Ledger, after: int, last: int) -> dict[str, Any]:
    """Calls, duplicates and rejected events between two events; a listener's own may lie among them."""
    outcomes = ledger.journey.outcomes(range(after + 1, last + 1))
    statuses = Counter(status for status, _ in outcomes.values())
    problem = next((reason for status, reason in outcomes.values() if status is EventStatus.REJECTED), None)
    return {
        "calls": sum(len(ledger.calls.of_event(one)) for one in range(after + 1, last + 1)),
        "duplicates": statuses[EventStatus.DUPLICATE],
        "not_understood": statuses[EventStatus.REJECTED],
        "problem": str(problem) if problem else None,
    }


def _read(rules: Rules, deliveries: Sequence[Delivery]) -> dict[str, Any]:
    readings = [rules.read(_event(place, one)) for place, one in enumerate(deliveries, start=1)]
    problems = [str(one) for reading in readings for one in reading.problems]
    dialects = Counter(reading.dialect for reading in readings if reading.dialect)
    return {
        "calls": sum(len(reading.calls) for reading in readings),
        "not_understood": sum(bool(reading.problems) for reading in readings),
        "problem": problems[0] if problems else None,
        "problems": problems[:SHOWN_PROBLEMS],
        "dialects": dict(dialects),
    }


def _event(place: int, one: Delivery) -> RawEvent:
    arrived = datetime.fromtimestamp(one.received_at / MICROSECONDS, UTC)
    kind = EventKind(one.kind)
    return RawEvent(
        place, arrived, kind, one.remote, one.method, one.path, one.query, one.headers.decode("latin-1"), one.body
    )
