"""The process around the doors: sockets, TLS, the beat of the clock, a good end.

uvicorn brings the event loop, the signals and the orderly stop; our protocol takes the place of its own.
"""

import asyncio
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from ippbx_billing.errors import CannotStartError
from ippbx_billing.language import tr
from ippbx_billing.listener.doors import Doors
from ippbx_billing.listener.options import Watch
from ippbx_billing.listener.protocol import Protocol
from ippbx_billing.listener.smdr import SmdrDoor

# How long the interpreter lets one thread run before another's turn. With its default of 5 ms the writer, back
# from the disk, waits for the event loop; with this, a connection per request is taken half as fast again.
SWITCH_INTERVAL_S = 0.0002

# Objects made before the interpreter looks for cycles. A request makes none, so looking every 700 objects is wasted.
COLLECT_AFTER = 10_000

LAST_WORD_S = 1  # how long those who are told at the end that we stop have to hear it

SPARE_FILES = 64  # descriptors that are not connections: the databases, the pipe to the worker, …


class Server(uvicorn.Server):
    """One server for both sockets: says when it is ready, ends late requests, and stops in good order."""

    def __init__(
        self,
        doors: Doors,
        secured: ssl.SSLContext | None,
        ready: Callable[[], object],
        watch: Watch,
        lines: tuple[SmdrDoor, socket.socket] | None = None,
    ) -> None:
        config = uvicorn.Config(
            _no_application,
            http=lambda **_: Protocol(doors),  # type: ignore[arg-type]
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,  # its lines go where the other lines of the process go
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
        )
        super().__init__(config)
        config.load()
        config.ssl = secured
        self._doors = doors
        self._ready = ready
        self._watch = watch
        self._alive_at = 0.0
        self._lines = lines
        self._line_server: asyncio.Server | None = None
        self.server_state.connections = doors.connections  # type: ignore[assignment]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._lines is not None:
            door, listening = self._lines
            self._line_server = await asyncio.start_server(door.connection, sock=listening)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            self._doors.look_around()
            self._show_life()
        return self.should_exit

    def _show_life(self) -> None:
        """Every so often the writer is asked; no sign of life where it or this loop hangs."""
        now = asyncio.get_running_loop().time()
        if self._watch.every_s and now >= self._alive_at + self._watch.every_s:
            self._alive_at = now
            self._doors.when_writer_answers(self._watch.alive)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._watch.stopping()
        if self._lines is not None and self._line_server is not None:
            self._line_server.close()
            await self._lines[0].close()
        loop, patience_s = asyncio.get_running_loop(), self._doors.limits.shutdown_timeout_s
        timers = [
            loop.call_later(patience_s, self._doors.stop),
            loop.call_later(patience_s + LAST_WORD_S, self._doors.cut_off),
        ]
        await super().shutdown(sockets)
        for timer in timers:
            timer.cancel()
        self._doors.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Ends in good order. uvicorn would raise the signal once more afterwards, and the exit code would not be 0."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


async def _no_application(scope: Any, receive: Any, send: Any) -> None:
    """uvicorn wants an application; our protocol answers without one."""


def secured(certificate: str, key: str) -> ssl.SSLContext | None:
    """TLS with this certificate and key, or nothing where neither is set; raises CannotStartError for bad files."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        missing = "tls_key" if certificate else "tls_certificate"
        raise CannotStartError(
            tr("TLS needs a certificate and its key, but {missing} is not set", missing=missing),
            tr("set both, or neither"),
        )
    for name, path in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise CannotStartError(
                tr("{name}: {path} cannot be read: {error}", name=name, path=path, error=error.strerror),
                tr("check path and owner"),
            ) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise CannotStartError(
            tr(
                "{certificate} and {key} are not a certificate and its key: {reason}",
                certificate=certificate,
                key=key,
                reason=str(reason).replace("_", " ").lower(),
            ),
            tr("both are expected as PEM, the key without a password and belonging to this certificate"),
        ) from error
    return context


def _no_password() -> str:
    """A service has nobody to type it."""
    raise ValueError("the key is protected by a password")


@contextmanager
def bound(host: str, ports: dict[str, int]) -> Iterator[list[socket.socket]]:
    """A socket for each port, named by the option that sets it; raises CannotStartError, and then holds none."""
    chosen = [port for port in ports.values() if port]
    if len(set(chosen)) < len(chosen):
        raise CannotStartError(
            tr("both doors are set to port {port}", port=max(ports.values())),
            tr("choose two with {options}", options=", ".join(ports)),
        )
    with ExitStack() as doors:
        yield [doors.enter_context(_bound(host, port, option)) for option, port in ports.items()]


def _bound(host: str, port: int, option: str) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=both)
    except (OSError, OverflowError) as error:
        reason, *_ = (getattr(error, "strerror", None) or str(error)).split(" (while")  # the address comes twice
        raise CannotStartError(
            tr("cannot listen on {url}: {reason}", url=url(host, port), reason=reason),
            tr("choose another port with {option}, or an address with --host", option=option),
        ) from error


def url(host: str, port: int, scheme: str = "http") -> str:
    """The address of a door."""
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


def files_for(connections: int) -> int:
    """How many connections the system lets us hold, at most as many as wanted; it is asked for more files first."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, soft - SPARE_FILES))


@contextmanager
def tuned_interpreter() -> Iterator[None]:
    """Thread switches and garbage collection as many small requests want them; as it was afterwards."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
