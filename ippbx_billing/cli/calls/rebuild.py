"""`events rebuild`: the ledger made anew from the inbox."""

from pathlib import Path
from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.calls.fees import tell_fees
from ippbx_billing.cli.common import WaitOption, say
from ippbx_billing.language import en, tr


def rebuild(
    book: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=en("take tariffs and directory from this ledger, such as a backup's")),
    ] = None,
    wait: WaitOption = 0,
) -> None:
    """Read and rate every event again into a new ledger, and put it in the place of the present one."""
    from ippbx_billing.pipeline import Rules, rebuilding

    using = common.settings()
    common.open_inbox(using).close()
    with common.progress(tr("rebuilding")) as progress:
        done = rebuilding.rebuild(
            using.inbox_path,
            using.ledger_path,
            lambda ledger: Rules.of(ledger, using),
            book=book,
            progress=progress,
            wait_s=wait,
            min_free_bytes=using.min_free_bytes,
        )
    say(tr("read {events} events, made {calls} calls of them", events=f"{done.events:,}", calls=f"{done.calls:,}"))
    if done.compared:
        tell_fees(using, done.compared.before, done.compared.after, done.compared.changed)
        if done.compared.otherwise.calls:
            say(tr("{count} calls are read otherwise now, or as none", count=f"{done.compared.otherwise.calls:,}"))
    if done.kept:
        say(tr("kept {count} calls whose events were pruned, with their charges", count=f"{done.kept:,}"))
    if done.before:
        say(tr("the ledger as it was: {path}", path=done.before))
