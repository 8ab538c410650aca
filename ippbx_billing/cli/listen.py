"""`listen`: both doors in this process, the pipeline in a process of its own beside it.

Two processes, so that reading and rating take the other core and a slow ledger never makes the PBX wait. The listener
wakes the worker through a pipe; when the pipe closes, however this process ended, the worker finishes and ends too.
"""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import say
from ippbx_billing.errors import CannotStartError, NotFoundError
from ippbx_billing.texts import tr

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings


def listen(
    host: Annotated[str | None, typer.Option(help=tr("address to listen on; 0.0.0.0 is every interface"))] = None,
    cdr_port: Annotated[int | None, typer.Option(help=tr("port for call records"))] = None,
    status_port: Annotated[int | None, typer.Option(help=tr("port for call status"))] = None,
    dialect: Annotated[str | None, typer.Option(help=tr("PBX model, see `dialects list`"))] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and exit 0."""
    from ippbx_billing import listener
    from ippbx_billing.pbx_admin.tokens import KnownTokens, allowed
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
            report=say,
            facts=worker.facts,
            figures=lambda: _figures(using),
            admits=KnownTokens(using.data_dir).admit,
            senders=listener.Senders(using.allow, using.proxies, using.pages_from, lambda: allowed(using.data_dir)),
            tls_certificate=_path(using, using.tls_certificate),
            tls_key=_path(using, using.tls_key),
            **{limit.name: getattr(using, limit.name) for limit in fields(listener.Limits)},
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


def _figures(using: "Settings") -> dict[str, Any]:
    """What /metrics tells of the ledger; what cannot be read now is left out."""
    from ippbx_billing.errors import BillingError
    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import figures

    try:
        found = figures.read(using.ledger_path)
        position = found.pop("position")
        with Inbox(using.inbox_path) as inbox:
            return {**found, "backlog_events": max(0, inbox.last_id() - position)}
    except BillingError:
        return {}


def _path(using: "Settings", name: str) -> str:
    """A file that the settings name, as seen from the data directory."""
    return str(using.data_dir / name) if name else ""


def _answer_of(using: "Settings") -> str:
    from ippbx_billing import dialects

    known = dialects.load(using.dialects_dir)
    return known[using.dialect].answer if using.dialect in known else ""
