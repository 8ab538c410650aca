"""`backup` and `restore`: all that an installation is, elsewhere and back."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import WaitOption, say
from ippbx_billing.language import en, tr


def backup(
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="FILE.zip|DIR", help=en("where to: a .zip file, or a directory that gets one by the time")
        ),
    ],
    keep: Annotated[int | None, typer.Option(min=1, metavar="N", help=en("keep so many in DIR, remove older"))] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help=en("say nothing where all is well"))] = False,
) -> None:
    """Both databases while they are in use, settings, secrets, own dialects and number data."""
    from ippbx_billing.upkeep import backups

    using = common.settings()
    common.open_ledger(using).close()
    common.open_inbox(using).close()
    with common.progress(tr("copying and checking")):
        made = backups.make(using, to, common.now(), keep)
    if quiet:
        return
    say(tr("{path}: {events} events, {calls} calls, checked", path=made.path, events=made.events, calls=made.calls))
    for path in made.removed:
        say(tr("removed {path}", path=path))


def restore(
    source: Annotated[Path, typer.Argument(metavar="FROM", help=en("a backup's directory or .zip file"))],
    wait: WaitOption = 0,
) -> None:
    """Into the data directory in use, or the one named by --data-dir."""
    from ippbx_billing.settings import default_data_dir
    from ippbx_billing.upkeep import restoring

    data_dir = common.state.data_dir or default_data_dir()
    with common.progress(tr("checking and restoring")):
        done = restoring.restore(source, data_dir, common.now(), wait)
    made_at = done.backup.made_at.astimezone(common.settings().site_zone)
    say(tr("{path} is as it was at {time}:", path=data_dir, time=f"{made_at:%Y-%m-%d %H:%M:%S}"))
    say(tr("{events} events, {calls} calls, checked", events=done.backup.events, calls=done.backup.calls))
    if done.aside:
        say(tr("what was there lies in {path}", path=done.aside))
    if done.newer_events:
        say(tr("{count} events there are newer than the backup; to take them over:", count=done.newer_events))
        say(f"  ippbx-bill events salvage {shlex.quote(f'{done.aside}/inbox.db')}")
