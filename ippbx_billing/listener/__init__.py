"""The two doors: one for call records, one for call status. What is answered 200 is on the disk.

A switch may send each record only once, so the posting path understands nothing: it takes the request as it
came, hands it to the inbox, and answers 200 when the commit has returned. Reading it is somebody else's work.

    serve(inbox_path=Path("inbox.db"), host="0.0.0.0", cdr_port=8181, status_port=8182, wake=pipeline.wake)

Promises: any path and method, any body. Whatever is refused gets a plain sentence, is counted by its reason at /healthz
and /metrics, and is told to the operator once a minute (the reasons stand in `answers`).

    server    sockets, TLS, signals, the clock       protocol   one connection: requests in, answers out, in their order
    doors     what all connections share and ask     senders    who may post and look; complaints
    limits    every bound, buckets of requests       answers    the bytes of answers, the list of refusals
    pages     /healthz, /metrics                     metrics    Prometheus' text
    smdr      a third door, for lines over TCP       lines      a stream of lines -> bodies
    files     files that grow or are brought, into the same inbox
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ippbx_billing import __version__, inbox
from ippbx_billing.calls import EventKind
from ippbx_billing.errors import CannotStartError, DataError
from ippbx_billing.inbox import InboxWriter
from ippbx_billing.language import tr
from ippbx_billing.listener.doors import DEFAULT_ANSWER, Doors
from ippbx_billing.listener.limits import Limits
from ippbx_billing.listener.senders import Senders

if TYPE_CHECKING:
    from ippbx_billing.listener.server import Watch

__all__ = ["DEFAULT_ANSWER", "Doors", "Limits", "Senders", "__version__", "serve"]


def serve(
    *,
    inbox_path: Path,
    host: str,
    cdr_port: int,
    status_port: int,
    smdr_port: int = 0,
    answer: str = DEFAULT_ANSWER,
    wake: Callable[[], None] = lambda: None,
    announce: Callable[[str], None] | None = None,
    report: Callable[[str], None] = lambda line: None,
    facts: Callable[[], Mapping[str, Any]] = dict,
    figures: Callable[[], Mapping[str, Any]] = dict,
    admits: Callable[[str], bool] = lambda path: True,
    senders: Senders | None = None,
    tls_certificate: str = "",
    tls_key: str = "",
    watch: "Watch | None" = None,
    suspect: threading.Event | None = None,
    **limits: int,
) -> None:
    """Serves both doors until SIGTERM or Ctrl-C, then finishes what was accepted and returns.

    `wake` is called after each commit, `announce` with one line when the doors are open, `report` with a line about
    what was refused; `facts` adds to what /healthz tells, `figures` to /metrics (in a thread, it may take its time);
    `admits` says whether a path may post, `senders` who may; `watch` is told that all is alive; `suspect` is set by
    whoever finds the inbox damaged; `smdr_port` opens a third door, for lines over TCP; port 0 takes a free one (of
    that door: none); `limits` are those of `Limits`. Raises CannotStartError.
    """
    from ippbx_billing.listener import server, smdr

    bounds = Limits(**limits)
    bounds = replace(bounds, max_connections=server.files_for(bounds.max_connections))
    security = server.secured(tls_certificate, tls_key)
    with ExitStack() as open_things:
        open_things.enter_context(inbox.only_writer(inbox_path))
        ports = {"--cdr-port": cdr_port, "--status-port": status_port}
        if smdr_port:
            ports["--smdr-port"] = smdr_port
        sockets = open_things.enter_context(server.bound(host, ports))
        writer = open_things.enter_context(_writer(inbox_path, wake, report, suspect))
        taken = [door.getsockname()[1] for door in sockets]
        kinds = dict(zip(taken, (EventKind.CDR, EventKind.STATUS), strict=False))
        doors = Doors(
            writer,
            kinds,
            answer=answer,
            limits=bounds,
            senders=senders,
            facts=facts,
            figures=figures,
            admits=admits,
            report=report,
        )
        urls = [server.url(host, port, "https" if security else "http") for port in taken]
        line = tr("listening: CDRs on {cdr}, call status on {status}", cdr=urls[0], status=urls[1])
        lines = None
        if smdr_port:
            line += tr(", lines on port {port}", port=taken[2])
            has_room = lambda: doors.capacity.overload() is None  # noqa: E731
            lines = smdr.SmdrDoor(writer, doors.senders.may_post, has_room, report), sockets[2]
        with server.tuned_interpreter():
            ready = (lambda: announce(line)) if announce else (lambda: None)
            server.Server(doors, security, ready, watch or server.Watch(), lines).run(sockets[:2])


def _writer(
    path: Path, wake: Callable[[], None], report: Callable[[str], None], suspect: threading.Event | None
) -> InboxWriter:
    try:
        inbox.create(path)
        return InboxWriter(path, wake, report, suspect)
    except DataError as error:
        raise CannotStartError(error.message, error.hint) from error
