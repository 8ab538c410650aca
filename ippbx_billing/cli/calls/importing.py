"""`events import`: files and lines through the same inbox as what a PBX posts."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline
    from ippbx_billing.settings import Settings

LOOK_EVERY_S = 1.0


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
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.pipeline.importing import taken, tried
    from ippbx_billing.reports.views import importing as views

    using = common.settings()
    paths, followed = files or [], follow or []
    _must_be_there([*paths, *followed])
    if not paths and not followed:
        raise UsageError(tr("name a file, or --follow a folder or a file"), tr("see `ippbx-bill events import --help`"))
    common.open_inbox(using).close()
    if dry_run:
        with common.open_ledger(using) as ledger, common.progress(tr("reading files")):
            rows = list(tried(Rules.of(ledger, using), using.data_dir, [*paths, *_within(followed)], pbx))
    else:
        taking = Files(using.data_dir, lambda deliveries: keep_all(using.inbox_path, deliveries), pbx=pbx)
        with _pipeline(using) as (ledger, pipeline), common.progress(tr("taking in files")) as told:
            rows = list(common.counted(taken(ledger, pipeline, taking, paths), told, len(paths)))
    if paths or dry_run:
        show_listing(views.files(rows, tried=dry_run), form, output)
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


@contextmanager
def _pipeline(using: "Settings") -> "Iterator[tuple[Ledger, Pipeline]]":
    from ippbx_billing.pipeline import Pipeline, Rules

    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        yield ledger, Pipeline(inbox, ledger, lambda: Rules.of(ledger, using), batch_size=using.batch_size)


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
