"""`listen`: both doors in this process, the pipeline in a process of its own beside it.

Two processes, so that reading and rating take the other core and a slow ledger never makes the PBX wait. The listener
wakes the worker through a pipe; when the pipe closes, however this process ended, the worker finishes and ends too.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.errors import CannotStartError, NotFoundError
from ippbx_billing.texts import tr

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings

TOKENS = "tokens"


def listen(
    host: Annotated[str | None, typer.Option(help=tr("address to listen on; 0.0.0.0 is every interface"))] = None,
    cdr_port: Annotated[int | None, typer.Option(help=tr("port for call records"))] = None,
    status_port: Annotated[int | None, typer.Option(help=tr("port for call status"))] = None,
    dialect: Annotated[str | None, typer.Option(help=tr("PBX model, see `dialects list`"))] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and exit 0."""
    from ippbx_billing import listener
    from ippbx_billing.worker import Worker

    using = common.settings(host=host, cdr_port=cdr_port, status_port=status_port, dialect=dialect)
    _check_set_up(using)

    def ready(line: str) -> None:
        worker.start()
        say(line)

    with Worker(using, report=say) as worker:
        listener.serve(
            inbox_path=using.inbox_path,
            host=using.host,
            cdr_port=using.cdr_port,
            status_port=using.status_port,
            answer=using.answer or _answer_of(using) or listener.DEFAULT_ANSWER,
            wake=worker.wake,
            announce=ready,
            admits=_admits(using.data_dir),
            facts=worker.facts,
            max_body_bytes=using.max_body_bytes,
            max_header_bytes=using.max_header_bytes,
            max_connections=using.max_connections,
            idle_timeout_s=using.idle_timeout_s,
            request_timeout_s=using.request_timeout_s,
            shutdown_timeout_s=using.shutdown_timeout_s,
        )


def _check_set_up(using: "Settings") -> None:
    """Both files are there and up to date, and the rules can be made: better said now than found in a log later."""
    from ippbx_billing import inbox
    from ippbx_billing.pipeline import Rules

    try:
        with common.open_ledger(using) as ledger:
            Rules.of(ledger, using)
        common.open_inbox(using).close()
    except NotFoundError as error:
        raise CannotStartError(error.message, error.hint) from error
    inbox.create(using.inbox_path)


def _admits(data_dir: Path) -> Callable[[str], bool]:
    """Whether a path may post: any one while no token is set; the file is looked at again whenever it changes."""
    tokens_file = data_dir / TOKENS
    known: tuple[int, frozenset[str]] = (0, frozenset())

    def admits(path: str) -> bool:
        nonlocal known
        try:
            changed_at = tokens_file.stat().st_mtime_ns
        except OSError:
            return True
        from ippbx_billing.pbx_admin import tokens

        if changed_at != known[0]:
            known = changed_at, tokens.known_tokens(data_dir)
        return tokens.accepts(path, known[1])

    return admits


def _answer_of(using: "Settings") -> str:
    from ippbx_billing import dialects

    known = dialects.load(using.dialects_dir)
    return known[using.dialect].answer if using.dialect in known else ""
