"""Real servers on loopback that take messages, and misbehave as they are told: HTTP robots and a mail server."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Got:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Robot:
    """An HTTP service; `plan` says what each request is answered, the last one for all that follow.

    A number is a status, bytes are the body of a 200, `stall` waits until the end, `die` cuts the answer in the middle.
    """

    plan: list[Any] = field(default_factory=lambda: [b'{"errcode":0,"code":0}'])
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)

    def __enter__(self) -> Self:
        robot, ended = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                step = robot.plan[min(len(robot.got), len(robot.plan) - 1)]
                robot.got.append(Got(self.path, dict(self.headers), body, time.time()))
                if step == "stall":
                    ended.wait(60)
                    self.close_connection = True
                elif step == "die":
                    self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"errc')
                    self.close_connection = True
                else:
                    self._answer(*((step, b"{}") if isinstance(step, int) else (200, step)))

            do_GET = do_POST

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                for name, value in robot.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._ended = ended
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class PostOffice:
    """A mail server; `refuse` decides over recipients, `answer` over whole mails, `login` is what it wants to hear."""

    refuse: Callable[[str], str | None] = lambda _: None
    answer: Callable[[int], str] = lambda _: "250 taken"
    login: tuple[str, str] | None = None
    tls: tuple[str, str] | None = None
    starttls: bool = False
    mails: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if said := self.refuse(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = self.answer(len(self.mails)) if session.authenticated or not self.login else "530 log in first"
        if said.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content))
            self.recipients.append(list(envelope.rcpt_tos))
            self.sessions.add(id(session))
        return said

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        told = data.login.decode(), data.password.decode()
        return AuthResult(success=told == self.login)

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        more: dict[str, Any] = {}
        if self.tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*self.tls)
            more = {"tls_context": context, "require_starttls": True} if self.starttls else {"ssl_context": context}
        if self.login is not None:
            more |= {"authenticator": self._authenticate, "auth_require_tls": self.starttls}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **more)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def subjects(self) -> list[str]:
        return [str(make_header(decode_header(one["Subject"]))) for one in self.mails]
