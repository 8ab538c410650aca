"""`events import`: files and lines through the same inbox as what a PBX posts."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.calls import EventKind, RawEvent
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.inbox import Delivery
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline, Rules
    from ippbx_billing.settings import Settings

LOOK_EVERY_S = 1.0
SHOWN_PROBLEMS = 3


def import_files(
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help=en("files with records"))] = None,
    follow: Annotated[
        list[Path] | None,
        typer.Option(
            "--follow", metavar="DIR|FILE", help=en("go on taking what is added there, until stopped; repeatable")
        ),
    ] = None,
    pbx: Annotated[
        str, typer.Option(metavar="ADDRESS", help=en("the PBX they are of, where it posts as well; default: the files"))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=en("only show what would be read"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Take what is new in the files, read it, and say what came of it."""
    from ippbx_billing.inbox import keep_all
    from ippbx_billing.listener.files import Files

    using = common.settings()
    paths, followed = files or [], follow or []
    _must_be_there([*paths, *followed])
    if not paths and not followed:
        raise UsageError(tr("name a file, or --follow a folder or a file"), tr("see `ippbx-bill events import --help`"))
    common.open_inbox(using).close()
    if dry_run:
        rows = list(_tried(using, [*paths, *_within(followed)], pbx))
    else:
        taking = Files(using.data_dir, lambda deliveries: keep_all(using.inbox_path, deliveries), pbx=pbx)
        rows = list(_taken(using, taking, paths))
    if paths or dry_run:
        show(rows, _columns(dry_run), form, output, document={"files": rows}, empty=tr("nothing to read"))
    if followed and not dry_run:
        _follow(using, taking, followed)


def _must_be_there(paths: Sequence[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise NotFoundError(tr("there is no file {path}", path=path), tr("check the name"))


def _within(followed: Sequence[Path]) -> Iterator[Path]:
    from ippbx_billing.listener.files import wanted

    for path in followed:
        yield from wanted(path) if path.is_dir() else [path]


def _columns(dry_run: bool) -> list[Column]:
    counted = [
        Column("calls", tr("Calls"), "number"),
        Column("duplicates", tr("Known already"), "number"),
        Column("not_understood", tr("Not understood"), "number"),
    ]
    return [
        Column("file", tr("File")),
        Column("events", tr("Events"), "number"),
        Column("known_bytes", tr("Taken before (bytes)"), "number", rank=1),
        *(one for one in counted if not (dry_run and one.key == "duplicates")),
        Column("problem", tr("First problem"), rank=2),
    ]


# -- taking


def _taken(using: "Settings", taking: Any, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Each file with what came of its events."""
    with _pipeline(using) as (ledger, pipeline):
        for path in paths:
            pipeline.drain()
            first = ledger.journey.position()
            took = taking.take(path)
            pipeline.drain()
            yield {
                "file": str(path), "events": took.events, "known_bytes": took.known_bytes,
                **_came_of(ledger, first, ledger.journey.position()),
            }  # fmt: skip


@contextmanager
def _pipeline(using: "Settings") -> "Iterator[tuple[Ledger, Pipeline]]":
    from ippbx_billing.pipeline import Pipeline, Rules

    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        yield ledger, Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=using.batch_size)


def _came_of(ledger: "Ledger", after: int, last: int) -> dict[str, Any]:
    """Calls, duplicates and rejected events between two events; a listener's own may lie among them."""
    from ippbx_billing.calls import EventStatus

    outcomes = ledger.journey.outcomes(range(after + 1, last + 1))
    statuses = Counter(status for status, _ in outcomes.values())
    problem = next((reason for status, reason in outcomes.values() if status is EventStatus.REJECTED), None)
    return {
        "calls": sum(len(ledger.calls.of_event(one)) for one in range(after + 1, last + 1)),
        "duplicates": statuses[EventStatus.DUPLICATE],
        "not_understood": statuses[EventStatus.REJECTED],
        "problem": str(problem) if problem else None,
    }


# -- following


def _follow(using: "Settings", taking: Any, paths: Sequence[Path]) -> None:
    """Until SIGTERM or Ctrl-C; what is taken is read at once, by us or by a listener beside us."""
    from ippbx_billing.listener.files import Follower

    stopped = threading.Event()
    before = {one: signal.signal(one, lambda *_: stopped.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    follower = Follower(taking, paths)
    say(tr("following {paths}; Ctrl-C ends it", paths=", ".join(map(str, paths))))
    try:
        with _pipeline(using) as (_, pipeline):
            while not stopped.is_set():
                if took := follower.look().events:
                    pipeline.drain()
                    say(tr("took {count} events", count=took))
                stopped.wait(LOOK_EVERY_S)
    finally:
        follower.close()
        for number, handler in before.items():
            signal.signal(number, handler)


# -- trying


def _tried(using: "Settings", paths: Sequence[Path], pbx: str) -> Iterator[dict[str, Any]]:
    """What each file would be read as; nothing is kept."""
    from ippbx_billing.listener.files import Files
    from ippbx_billing.pipeline import Rules

    with common.open_ledger(using) as ledger:
        rules = Rules.of(ledger, using)
        for path in paths:
            found: list[Delivery] = []
            took = Files(using.data_dir, found.extend, pbx=pbx, dry_run=True).take(path)
            yield {
                "file": str(path), "events": took.events, "known_bytes": took.known_bytes, **_read(rules, found),
            }  # fmt: skip


def _read(rules: "Rules", deliveries: "Sequence[Delivery]") -> dict[str, Any]:
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


def _event(place: int, one: "Delivery") -> RawEvent:
    from datetime import UTC, datetime

    arrived = datetime.fromtimestamp(one.received_at / 1_000_000, UTC)
    kind = EventKind(one.kind)
    return RawEvent(
        place, arrived, kind, one.remote, one.method, one.path, one.query, one.headers.decode("latin-1"), one.body
    )
