"""The two doors: one for call records, one for call status. What is answered 200 is on the disk.

A switch may send each record only once, so the posting path understands nothing: it takes the request as it
came, hands it to the inbox, and answers 200 when the commit has returned. Reading it is somebody else's work.

    serve(inbox_path=Path("inbox.db"), host="0.0.0.0", cdr_port=8181, status_port=8182, wake=pipeline.wake)

Promises: any path and method, any body. 400 for what is not HTTP or has too large a header, 408 for a request that does
not end, 413 for too large a body, 503 with Retry-After when the store fails, too many connections are
open or the listener is stopping. Each is a plain sentence and is counted at /healthz.
"""

import asyncio
import gc
import json
import re
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import httptools
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ippbx_billing import __version__, inbox
from ippbx_billing.calls import EventKind
from ippbx_billing.errors import CannotStartError, DataError
from ippbx_billing.inbox import Delivery, InboxWriter

DEFAULT_ANSWER = '{"code":0,"msg":"success"}'
GREETING = "ippbx-bill takes call records here; GET /healthz tells how it is.\n"
RETRY_AFTER_S = 5

# How long the interpreter lets one thread run before another's turn. With its default of 5 ms the writer, back
# from the disk, waits for the event loop; with this, a connection per request is taken half as fast again.
SWITCH_INTERVAL_S = 0.0002

# Objects made before the interpreter looks for cycles. A request makes none, so looking every 700 objects is wasted.
COLLECT_AFTER = 10_000

_ASKING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What the doors put up with: sizes in bytes, times in seconds."""

    max_body_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
    max_connections: int = 10_000
    request_timeout_s: int = 60  # from a connection's first moment, or a request's first byte, to its last
    idle_timeout_s: int = 75  # between two requests
    shutdown_timeout_s: int = 10

    @property
    def max_drained_bytes(self) -> int:
        """How much of too large a body is read, and thrown away, so that its sender hears the answer."""
        return 4 * self.max_body_bytes


@dataclass(slots=True)
class Counts:
    """What came through the doors since the start."""

    received: int = 0
    acknowledged: int = 0
    greeted: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def serve(
    *,
    inbox_path: Path,
    host: str,
    cdr_port: int,
    status_port: int,
    answer: str = DEFAULT_ANSWER,
    wake: Callable[[], None] = lambda: None,
    announce: Callable[[str], None] | None = None,
    facts: Callable[[], Mapping[str, Any]] = dict,
    admits: Callable[[str], bool] = lambda path: True,
    **limits: int,
) -> None:
    """Serves both doors until SIGTERM or Ctrl-C, then finishes what was accepted and returns.

    `wake` is called after each commit, `announce` with one line when the doors are open, `facts` adds to what /healthz
    tells, `admits` says whether a path may post; port 0 takes a free one; `limits` are those of `Limits`. Raises
    CannotStartError.
    """
    bounds = Limits(**limits)
    with ExitStack() as open_things:
        open_things.enter_context(inbox.only_writer(inbox_path))
        sockets = [open_things.enter_context(door) for door in _bind(host, cdr_port, status_port)]
        writer = open_things.enter_context(_writer(inbox_path, wake))
        ports = [door.getsockname()[1] for door in sockets]
        kinds = dict(zip(ports, (EventKind.CDR, EventKind.STATUS), strict=True))
        app = Doors(writer, kinds, answer=answer, limits=bounds, facts=facts, admits=admits)
        line = "listening: CDRs on {}, call status on {}".format(*(_url(host, port) for port in ports))
        server = _Server(app, ready=lambda: announce(line) if announce else None)
        with _tuned_interpreter():
            server.run(sockets)


class Doors:
    """The application behind both doors; `kinds` tells by the local port which door a request came through."""

    def __init__(
        self,
        writer: InboxWriter,
        kinds: Mapping[int, EventKind],
        *,
        answer: str = DEFAULT_ANSWER,
        limits: Limits | None = None,
        facts: Callable[[], Mapping[str, Any]] = dict,
        admits: Callable[[str], bool] = lambda path: True,
    ) -> None:
        self.writer = writer
        self.kinds = {port: kind.value for port, kind in kinds.items()}
        self.limits = limits or Limits()
        self.facts = facts
        self.admits = admits
        self.counts = Counts()
        self.connections: set[Any] = set()
        self._ok = _response(200, answer)
        self._greeting = _response(200, GREETING)
        routes = [Route("/healthz", self._healthz)]
        self._pages = Starlette(routes=routes)
        self._page_paths = frozenset(route.path for route in routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asking = scope["method"] in _ASKING_METHODS
        if asking and scope["path"] in self._page_paths:
            await self._pages(scope, receive, send)
            return
        self.counts.received += 1
        try:
            delivery = await self._delivery(scope, receive)
            if asking and not delivery.body and not delivery.query:  # somebody tries the address in a browser
                self.counts.greeted += 1
                start, body = self._greeting
            else:
                await self.writer.keep(delivery)
                self.counts.acknowledged += 1
                start, body = self._ok
        except _Refused as refused:
            start, body = self._refusal(refused.refusal)
        except DataError:
            start, body = self._refusal(_STORE_FAILS)
        except asyncio.CancelledError:  # the time to finish is over; the sender shall know that nothing is promised
            start, body = self._refusal(_STOPPING)
        await send(start)
        await send(body)

    async def _delivery(self, scope: Scope, receive: Receive) -> Delivery:
        """The request as it came; raises _Refused when it is too large or does not end."""
        headers = _header_block(scope)
        if len(headers) > self.limits.max_header_bytes:
            raise _Refused(_HEADER_TOO_LARGE)
        if len(self.connections) > self.limits.max_connections:
            raise _Refused(_TOO_MANY)
        if not self.admits(scope["path"]):
            raise _Refused(_UNKNOWN_PATH)
        message = await receive()
        body = message.get("body", b"")
        if message.get("more_body") or message["type"] != "http.request" or len(body) > self.limits.max_body_bytes:
            body = await self._long_body(scope, receive, message)
        client = scope["client"]
        return Delivery(
            time.time_ns() // 1000,
            self.kinds[scope["server"][1]],
            client[0].removeprefix("::ffff:") if client else "",  # an IPv4 sender at an IPv6 door stays itself
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            body,
        )

    async def _long_body(self, scope: Scope, receive: Receive, message: Message) -> bytes:
        """The rest of a body that comes in parts; beyond the limit it is read on for a while, but not held."""
        parts: list[bytes] = []
        size = 0
        while True:
            if message["type"] != "http.request":
                reason = scope.get("refused", "incomplete")
                raise _Refused(Refusal(400, reason, "The request ended before its body did."))
            size += len(message["body"])
            parts.append(message["body"])
            if size > self.limits.max_body_bytes:
                parts.clear()
            if not message["more_body"] or size > self.limits.max_drained_bytes:
                break
            message = await receive()
        if size > self.limits.max_body_bytes:
            sentence = f"The body is larger than the {self.limits.max_body_bytes} bytes allowed."
            raise _Refused(Refusal(413, "too_large", sentence))
        return b"".join(parts)

    def _refusal(self, refusal: "Refusal") -> tuple[Message, Message]:
        self.counts.refused[refusal.reason] += 1
        return _response(refusal.status, refusal.sentence + "\n", closing=True)

    async def _healthz(self, request: Request) -> JSONResponse:
        """How it is: 200 while events are kept, 503 while the store fails."""
        if self.writer.failure:
            with suppress(DataError):
                await self.writer.probe()  # so that a mended disk is noticed before the PBX posts again
        failure = self.writer.failure
        counts = self.counts
        last = self.writer.last_kept_at
        health = {
            "status": "failing" if failure else "ok",
            "failure": failure or None,
            "version": __version__,
            "received": counts.received,
            "acknowledged": counts.acknowledged,
            "greeted": counts.greeted,
            "refused": dict(counts.refused),
            "last_event_at": last.isoformat() if last else None,
            "backlog": self.writer.waiting,
            "connections": len(self.connections),
            **self.facts(),
        }
        return JSONResponse(health, status_code=503 if failure else 200)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not kept: the status, a stable word to count it by, and a sentence for its sender."""

    status: int
    reason: str
    sentence: str


_STORE_FAILS = Refusal(503, "store_failing", "The record could not be stored; please send it again later.")
_STOPPING = Refusal(503, "stopping", "The listener is stopping; please send the record again later.")
_TOO_MANY = Refusal(503, "too_many_connections", "Too many connections are open; please send the record again later.")
_HEADER_TOO_LARGE = Refusal(400, "header_too_large", "The header of the request is too large.")
_BROKEN = Refusal(400, "broken", "This is not a valid HTTP request.")
_UNKNOWN_PATH = Refusal(403, "unknown_path", "This address takes no records.")
_TOO_SLOW = Refusal(408, "too_slow", "The request took too long to arrive.")


class _Refused(Exception):
    """Carries a refusal from where it is found to where it is answered."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, with what switches need: nothing is lost to a slip of the sender, and patience has its limits."""

    app: Doors
    scope: Any  # None until the first byte of the first request
    awaited_since: float | None = None  # when the request that is not yet complete began
    _reading = False  # between a request's first byte and its last
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.awaited_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if not self._reading and not _PLAIN_REQUEST.match(data):
            data = _mended(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(_BROKEN)
        if self._reading and "method" not in self.scope:
            self._head_bytes += len(data)  # the parser holds an unfinished header without a bound of its own
            if self._head_bytes > self.app.limits.max_header_bytes:
                self._refuse(_HEADER_TOO_LARGE)

    def eof_received(self) -> bool:  # type: ignore[override]
        """A sender that closes its half after a complete request (`nc -N`, simple clients) still gets its answer."""
        due = self._answer_is_due()
        if due:
            self.cycle.keep_alive = False
        return due

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = True
        self._head_bytes = 0
        self.awaited_since = self.loop.time()
        self._sent_headers: list[bytes] = []
        self.scope["sent_headers"] = self._sent_headers

    def on_header(self, name: bytes, value: bytes) -> None:
        """As uvicorn's, which keeps the names in lower case only."""
        self._sent_headers += (name, b": ", value, b"\r\n")
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading = False
        self.awaited_since = None
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def give_up(self) -> None:
        """Ends a connection whose request does not."""
        if self._reading:
            self._refuse(_TOO_SLOW)
        else:  # not a byte came: nothing was asked, nothing is answered
            self.transport.close()

    def _parse(self, data: bytes) -> None:
        """Reads on, and declines offers to upgrade, which Java's clients make with every request.

        The parser takes such a request to end with its header, and would lose the body. So it gets
        the same request again without the `Upgrade` line, followed by the body.
        """
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                method = self.parser.get_method()
                if method == b"CONNECT":
                    raise httptools.HttpParserError("this is no proxy") from offer
                sent = zip(self._sent_headers[::4], self._sent_headers[2::4], strict=True)
                head = b"".join(b"%b: %b\r\n" % header for header in sent if header[0].lower() != b"upgrade")
                data = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self.url, head, data[offer.args[0] :])

    def _refuse(self, refusal: Refusal) -> None:
        """Answers what never became a whole request, and ends the connection."""
        if self._answer_is_due():  # stray bytes (a NUL, a line) after a good request: it gets its answer, they get none
            self.cycle.keep_alive = False
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.scope["refused"] = refusal.reason  # counted where its body is awaited
        else:
            self.app.counts.refused[refusal.reason] += 1
        start, body = _response(refusal.status, refusal.sentence + "\n", closing=True)
        head = b"".join(b"%b: %b\r\n" % header for header in start["headers"])
        self.transport.write(STATUS_LINE[refusal.status] + head + b"\r\n" + body["body"])
        self.transport.close()

    def _answer_is_due(self) -> bool:
        """Whether a request has arrived whole and is being worked on."""
        return self.cycle is not None and not self.cycle.more_body and not self.cycle.response_complete


class _Server(uvicorn.Server):
    """One uvicorn for both sockets: says when it is ready, ends late requests, and stops in good order."""

    def __init__(self, app: Doors, ready: Callable[[], object]) -> None:
        limits = app.limits
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # nobody may claim another address than its own
            server_header=False,
            date_header=False,
            timeout_keep_alive=limits.idle_timeout_s,
            timeout_graceful_shutdown=limits.shutdown_timeout_s,
        )
        super().__init__(config)
        app.connections = self.server_state.connections
        self._limits = limits
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            self._end_late_requests()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends in good order. uvicorn would raise the signal once more afterwards, and the exit code would not be 0."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    def _end_late_requests(self) -> None:
        latest = asyncio.get_running_loop().time() - self._limits.request_timeout_s
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol) and (connection.awaited_since or latest) < latest:
                connection.give_up()


def _bind(host: str, cdr_port: int, status_port: int) -> list[socket.socket]:
    """The sockets of the CDR door and the status door; raises CannotStartError, and then holds neither."""
    if cdr_port == status_port != 0:
        raise CannotStartError(f"both doors are set to port {cdr_port}", "choose two with --cdr-port and --status-port")
    with ExitStack() as bound:
        doors = [
            bound.enter_context(_bound(host, port, option))
            for port, option in ((cdr_port, "--cdr-port"), (status_port, "--status-port"))
        ]
        bound.pop_all()
    return doors


def _bound(host: str, port: int, option: str) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=both)
    except (OSError, OverflowError) as error:
        reason, *_ = (getattr(error, "strerror", None) or str(error)).split(" (while")  # the address comes twice
        raise CannotStartError(
            f"cannot listen on {_url(host, port)}: {reason}",
            f"choose another port with {option}, or an address with --host",
        ) from error


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _writer(path: Path, wake: Callable[[], None]) -> InboxWriter:
    try:
        inbox.create(path)
        return InboxWriter(path, wake)
    except DataError as error:
        raise CannotStartError(error.message, error.hint) from error


def _header_block(scope: Scope) -> bytes:
    """`Name: value` lines as they were sent, each ended by CRLF."""
    sent: list[bytes] | None = scope.get("sent_headers")
    if sent is None:
        sent = [part for name, value in scope["headers"] for part in (name, b": ", value, b"\r\n")]
    return b"".join(sent)


_PLAIN_REQUEST = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.[01]\r\n")
_ODD_REQUEST = re.compile(rb"([A-Z]+) +(?:([^\r\n]*[^\r\n ]) +)?(HTTP/1\.[01]\r\n)")
_NO_PATH = re.compile(rb"([a-z]+://[^/?]*)(?!/)(?=\?|$)")


def _mended(data: bytes) -> bytes:
    """A request whose first line no parser takes, with that line as its sender meant it.

    OpenVox's manual prints `POST HTTP/1.1`; simple senders put names and times into a query as they are.
    What a target may not hold is percent-encoded, which every reader of a query undoes.
    """
    line = _ODD_REQUEST.match(data)
    if line is None:
        return data
    method, target, version = line.groups()
    target = _NO_PATH.sub(rb"\1/", target or b"/")
    target = quote(target, safe=_TARGET_SAFE).encode()
    return b"%b %b %b" % (method, target, version) + data[line.end() :]


_TARGET_SAFE = "".join(map(chr, range(0x21, 0x7F)))


def _response(status: int, text: str, *, closing: bool = False) -> tuple[Message, Message]:
    """The two messages of an answer; its type is what the text looks like."""
    body = text.encode()
    headers = [(b"content-type", _content_type(text)), (b"content-length", b"%d" % len(body))]
    if closing:
        headers.append((b"connection", b"close"))
    if status == 503:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


def _content_type(text: str) -> bytes:
    if text.startswith("<"):
        return b"text/xml; charset=utf-8"
    with suppress(ValueError):
        json.loads(text)
        return b"application/json"
    return b"text/plain; charset=utf-8"


@contextmanager
def _tuned_interpreter() -> Iterator[None]:
    """Thread switches and garbage collection as many small requests want them; as it was afterwards."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
