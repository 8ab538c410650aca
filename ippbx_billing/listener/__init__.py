"""The two doors: one for call records, one for call status. What is answered 200 is on the disk.

A switch may send each record only once, so the posting path understands nothing: it takes the request as it
came, hands it to the inbox, and answers 200 when the commit has returned. Reading it is somebody else's work.

    options = ServeOptions(inbox_path=Path("inbox.db"), host="0.0.0.0", cdr_port=8181, status_port=8182)
    serve(options, ServeHooks(wake=pipeline.wake))

Promises: any path and method, any body. Whatever is refused gets a plain sentence, is counted by its reason at /healthz
and /metrics, and is told to the operator once a minute (the reasons stand in `answers`).

    server    sockets, TLS, signals, the clock       protocol   one connection: requests in, answers out, in their order
    doors     what all connections share and ask     senders    who may post and look; complaints
    limits    every bound, buckets of requests       answers    the bytes of answers, the list of refusals
    pages     /healthz, /metrics                     metrics    Prometheus' text
    options   what it is told at its start, whom it tells and asks
    smdr      a third door, for lines over TCP       lines      a stream of lines -> bodies
    files     files that grow or are brought, into the same inbox
"""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ippbx_billing import __version__, inbox
from ippbx_billing.calls import EventKind
from ippbx_billing.errors import CannotStartError, DataError
from ippbx_billing.inbox import InboxWriter
from ippbx_billing.language import tr
from ippbx_billing.listener.doors import DEFAULT_ANSWER, Doors
from ippbx_billing.listener.limits import Limits
from ippbx_billing.listener.options import NOBODY, ServeHooks, ServeOptions, Watch
from ippbx_billing.listener.senders import Senders

__all__ = [
    "DEFAULT_ANSWER",
    "Doors",
    "Limits",
    "Senders",
    "ServeHooks",
    "ServeOptions",
    "Watch",
    "__version__",
    "serve",
]


def serve(options: ServeOptions, hooks: ServeHooks = NOBODY) -> None:
    """Serves both doors until SIGTERM or Ctrl-C, then finishes what was accepted and returns; CannotStartError."""
    from ippbx_billing.listener import server, smdr

    bounds = replace(options.limits, max_connections=server.files_for(options.limits.max_connections))
    security = server.secured(options.tls_certificate, options.tls_key)
    with ExitStack() as open_things:
        open_things.enter_context(inbox.only_writer(options.inbox_path))
        sockets = open_things.enter_context(server.bound(options.host, options.ports))
        writer = open_things.enter_context(_writer(options.inbox_path, hooks))
        taken = [door.getsockname()[1] for door in sockets]
        doors = _doors(writer, taken, replace(options, limits=bounds), hooks)
        urls = [server.url(options.host, port, "https" if security else "http") for port in taken]
        line = tr("listening: CDRs on {cdr}, call status on {status}", cdr=urls[0], status=urls[1])
        lines = None
        if options.smdr_port:
            line += tr(", lines on port {port}", port=taken[2])
            has_room = lambda: doors.capacity.overload() is None  # noqa: E731
            lines = smdr.SmdrDoor(writer, doors.senders.may_post, has_room, hooks.report), sockets[2]
        with server.tuned_interpreter():
            ready = lambda: hooks.announce(line)  # noqa: E731
            server.Server(doors, security, ready, hooks.watch, lines).run(sockets[:2])


def _doors(writer: InboxWriter, ports: list[int], options: ServeOptions, hooks: ServeHooks) -> Doors:
    return Doors(
        writer,
        dict(zip(ports, (EventKind.CDR, EventKind.STATUS), strict=False)),
        answer=options.answer,
        limits=options.limits,
        senders=options.senders,
        facts=hooks.facts,
        figures=hooks.figures,
        admits=hooks.admits,
        report=hooks.report,
    )


def _writer(path: Path, hooks: ServeHooks) -> InboxWriter:
    try:
        inbox.create(path)
        return InboxWriter(path, hooks.wake, hooks.report, hooks.suspect)
    except DataError as error:
        raise CannotStartError(error.message, error.hint) from error
