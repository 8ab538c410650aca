"""`listen`: both doors in this process, the pipeline in a process of its own beside it.

Processes of their own, so that reading and rating take the other core and a slow ledger never makes the PBX wait. The
listener wakes the worker through a pipe; when the pipe closes, however this process ended, the worker finishes and ends
too. A third process sends messages, and ends in the same way.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.site import looking_on as looking
from ippbx_billing.errors import BillingError, CannotStartError, DataError, NotFoundError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.pipeline.worker import Worker
    from ippbx_billing.settings import Settings

log = logging.getLogger(__name__)

SHIPPER = "ippbx_billing.ship.running"  # a process of its own: a centre that stalls delays no record
SENDER = "ippbx_billing.delivery.alerts.running"  # a process of its own: a mail server that stalls delays no record


def listen(
    host: Annotated[str | None, typer.Option(help=en("address to listen on; 0.0.0.0 is every interface"))] = None,
    cdr_port: Annotated[int | None, typer.Option(help=en("port for call records"))] = None,
    status_port: Annotated[int | None, typer.Option(help=en("port for call status"))] = None,
    smdr_port: Annotated[
        int | None, typer.Option(help=en("also take lines over TCP at this port, as PBXs print them (SMDR)"))
    ] = None,
    dialect: Annotated[str | None, typer.Option(help=en("PBX model, see `dialects list`"))] = None,
    console: Annotated[bool, typer.Option("--console", help=en("also the web page, in a process of its own"))] = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted and exit 0."""
    from ippbx_billing.service.notify import taking_long

    with _starting():
        using = common.settings(
            host=host, cdr_port=cdr_port, status_port=status_port, smdr_port=smdr_port, dialect=dialect
        )
    with looking.status_line(using) as line, _lines_on_stderr(using):
        with _starting(), taking_long():
            _check_set_up(using)
        with looking.looking_on(using, line):
            _serve(using, console)


def _serve(using: "Settings", console: bool) -> None:
    from ippbx_billing import listener
    from ippbx_billing.console.beside import Beside
    from ippbx_billing.pbx.tokens import KnownTokens, allowed
    from ippbx_billing.pipeline import gauges
    from ippbx_billing.pipeline.worker import Worker
    from ippbx_billing.service.installation import installation
    from ippbx_billing.service.notify import notify, watchdog_s
    from ippbx_billing.ship.looking import facts as ship_facts

    def ready(line: str) -> None:
        worker.start()
        sender.start()
        if shipper is not None:
            shipper.start()
        log.info("%s", line)
        notify("READY=1")
        if beside is not None:
            beside.start()

    def alive() -> None:
        if worker.is_well():  # a worker that stands still is started again together with the service
            notify("WATCHDOG=1")

    own = {"installation": installation(using.data_dir)}
    suspect = threading.Event()  # the worker reads old pages, the writer never does
    with ExitStack() as children:
        sender = children.enter_context(Worker(using, log.warning, module=SENDER, name="sender"))
        shipper = _shipper(using, children)
        worker = children.enter_context(Worker(using, report=log.warning, damaged=suspect.set))
        beside = children.enter_context(Beside(using, report=log.warning)) if console else None
        options = listener.ServeOptions(
            inbox_path=using.inbox_path,
            host=using.host,
            cdr_port=using.cdr_port,
            status_port=using.status_port,
            smdr_port=using.smdr_port,
            answer=using.answer or _answer_of(using) or listener.DEFAULT_ANSWER,
            tls_certificate=_path(using, using.tls_certificate),
            tls_key=_path(using, using.tls_key),
            senders=listener.Senders(using.allow, using.proxies, using.pages_from, lambda: allowed(using.data_dir)),
            limits=listener.Limits(**{limit.name: getattr(using, limit.name) for limit in fields(listener.Limits)}),
        )
        hooks = listener.ServeHooks(
            wake=worker.wake,
            announce=ready,
            report=log.warning,
            facts=lambda: {**worker.facts(), **ship_facts(using), **own},
            figures=lambda: gauges.read(using),
            admits=KnownTokens(using.data_dir).admit,
            watch=listener.Watch(alive, lambda: notify("STOPPING=1"), watchdog_s()),
            suspect=suspect,
        )
        listener.serve(options, hooks)


def _shipper(using: "Settings", children: ExitStack) -> "Worker | None":
    """The process that ships, where it is set whereto; what is missing for it is told before a door opens."""
    from ippbx_billing.pipeline.worker import Worker

    if not using.ship_to:
        return None
    from ippbx_billing.ship.running import shipper_of

    shipper_of(using).close()
    return children.enter_context(Worker(using, log.warning, module=SHIPPER, name="shipper"))


@contextmanager
def _starting() -> Iterator[None]:
    """What is missing or cannot be used is a reason not to start; systemd and scripts go by the exit code."""
    try:
        yield
    except (NotFoundError, DataError) as error:
        raise CannotStartError(error.message, error.hint) from error


@contextmanager
def _lines_on_stderr(using: "Settings") -> Iterator[None]:
    """All that this process says in the form that is set, also why it could not start."""
    from ippbx_billing.service import logs

    logs.start(using.log_format)
    try:
        yield
    except BillingError as error:
        if using.log_format != "json":
            raise
        log.critical("%s", error.message, extra={"hint": error.hint})
        raise typer.Exit(error.exit_code) from error


def _check_set_up(using: "Settings") -> None:
    """Both files are there and up to date, and the rules can be made: better said now than found in a log later."""
    from ippbx_billing import inbox
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.sqlite import damage

    inbox.replace_if_damaged(using.inbox_path, log.warning)
    try:
        common.open_inbox(using).close()
        with common.open_ledger(using) as ledger:
            Rules.of(ledger, using)
    except DataError as error:
        if not damage.is_damage(error.__cause__):
            raise
        log.warning("%s: %s", error, _what_to_do_about_the_ledger())  # no reason to turn a PBX away
    inbox.create(using.inbox_path)


def _what_to_do_about_the_ledger() -> str:
    return tr(
        "records are kept, but none is rated; stop `listen`, make it anew with "
        "`ippbx-bill events rebuild --book LEDGER` from that of a backup, and start it again"
    )


def _path(using: "Settings", name: str) -> str:
    """A file that the settings name, as seen from the data directory."""
    return str(using.data_dir / name) if name else ""


def _answer_of(using: "Settings") -> str:
    from ippbx_billing import dialects

    known = dialects.load(using.dialects_dir)
    return known[using.dialect].answer if using.dialect in known else ""
