"""The practice PBX's web server: the addresses of a LuCI, over HTTP or HTTPS.

    app(PracticePbx())                                  # an ASGI application, for tests
    serve(pbx, host="127.0.0.1", port=8088, …)          # until SIGTERM or Ctrl-C

A session's address holds its token before the first node, and the cookie must go with it; anything else is led
back to the sign-in page.
"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ippbx_billing.errors import CannotStartError
from ippbx_billing.language import tr
from ippbx_billing.simulation.practice_pbx.calling import Habits, Switchboard
from ippbx_billing.simulation.practice_pbx.firmware import PracticeFault
from ippbx_billing.simulation.practice_pbx.pages import PracticePages
from ippbx_billing.simulation.practice_pbx.screens import menu
from ippbx_billing.simulation.practice_pbx.state import PracticePbx, Session

Say = Callable[[str], None]
METHODS = ["GET", "POST"]


def serve(
    pbx: PracticePbx,
    *,
    host: str,
    port: int,
    habits: Habits,
    certificate: tuple[Path, Path] | None = None,
    announce: Say = lambda line: None,
    tell: Say = lambda line: None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `announce` gets the address when it is open, `tell` what happens then.

    Port 0 takes a free one; `certificate` is the files of a certificate and its key. Raises CannotStartError.
    """
    switchboard = Switchboard(pbx, habits, tell)
    config = uvicorn.Config(
        app(pbx, switchboard),
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    scheme = "https" if certificate else "http"
    with _bound(host, port) as door:
        address = f"{scheme}://{host}:{door.getsockname()[1]}/"
        _Server(config, lambda: announce(address)).run([door])


def app(pbx: PracticePbx, switchboard: Switchboard | None = None) -> Starlette:
    """The application; with a switchboard it also telephones."""
    web = _Web(pbx)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        calling = asyncio.create_task(switchboard.run()) if switchboard else None
        yield
        if calling:
            calling.cancel()
            with suppress(asyncio.CancelledError):
                await calling

    return Starlette(routes=[Route("/{path:path}", web.answer, methods=METHODS)], lifespan=lifespan)


class _Web:
    """Finds the page for an address."""

    def __init__(self, pbx: PracticePbx) -> None:
        self.pbx = pbx
        self.pages = PracticePages(pbx)
        token = r"(?:/;stok=([0-9a-f]+))?" if pbx.firmware.stok else "()"
        self._address = re.compile(re.escape(pbx.firmware.script) + token + r"(?:/(.*))?")

    async def answer(self, request: Request) -> Response:
        """The page that was asked for."""
        if self.pbx.gone:
            return _Cut()
        path = request.url.path
        found = self._address.fullmatch(path)
        if found is None:
            return HTMLResponse(self.pages.entrance()) if path == "/" else PlainTextResponse("Not Found", 404)
        stok, node = found.group(1) or "", (found.group(2) or "").strip("/")
        fields = await _posted(request)
        session = self.pbx.session(stok, request.cookies.get("sysauth", ""))
        if session is None and not stok:
            return self._sign_in(path, fields, began="sysauth" in request.cookies)
        if session is None:
            return self._ended()
        forged = self.pbx.firmware.token and request.method == "POST" and ("token", session.token) not in fields
        if forged:
            return HTMLResponse(self.pages.message(session, "token"), 403)
        return self._inside(request.method, session, node, fields)

    def _ended(self) -> Response:
        """The answer to whoever has no session any more."""
        return Response(status_code=403) if self.pbx.silent else RedirectResponse("/", 302)

    def _sign_in(self, path: str, fields: list[tuple[str, str]], began: bool) -> Response:
        posted = dict(fields)
        user, password = self.pages.sign_in_fields
        if user not in posted and began and self.pbx.silent and not self.pbx.firmware.stok:
            return Response(status_code=403)
        if user not in posted:
            return HTMLResponse(self.pages.sign_in(path), 403)
        session = self.pbx.sign_in(posted[user], posted.get(password, ""))
        if session is None:
            complaint = "locked" if self.pbx.locked else "wrong"
            return HTMLResponse(self.pages.sign_in(path, complaint), 403)
        if self.pbx.firmware.shut_out:
            return HTMLResponse("")
        script = self.pbx.firmware.script
        paths = {"session": f"{script}/;stok={session.stok}", "script": script + "/", "root": "/"}
        cookie = f"sysauth={session.cookie}; path={paths[self.pbx.firmware.cookie_path]}"
        if self.pbx.firmware.old_sign_in:
            return HTMLResponse(self.pages.home(session, "admin/status"), headers={"set-cookie": cookie})
        return Response(
            status_code=302,
            headers={"location": self.pages.address(session, "admin/status"), "set-cookie": cookie},
        )

    def _inside(self, method: str, session: Session, node: str, fields: list[tuple[str, str]]) -> Response:
        if node.startswith(("admin/uci/", "servicectl/")):
            return self._change(method, session, node, fields)
        if node == "admin/logout":
            self.pbx.end(session)
            return RedirectResponse("/", 302)
        screen = next((one for one in self.pbx.screens() if one.node == node), None)
        if screen is None:
            known = node in ("", "admin") or any(group.node == node for group in menu())
            return HTMLResponse(self.pages.home(session, node), 200 if known else 404)
        if method == "POST" and ("cbi.submit", "1") in fields:
            if self._expires():
                self.pbx.end_sessions()
                return self._ended()
            wrong = self.pbx.save(screen, fields)
            return self._cut(PracticeFault.CUT_AFTER_SAVE, PracticeFault.GONE_AFTER_SAVE) or HTMLResponse(
                self.pages.screen(session, screen, wrong)
            )
        return HTMLResponse(self.pages.screen(session, screen, []))

    def _change(self, method: str, session: Session, node: str, fields: list[tuple[str, str]]) -> Response:
        """The nodes that apply, discard and restart; newer LuCI lets only POST do that."""
        if self.pbx.firmware.unchecked and node != "admin/uci/changes":
            return self._unchecked(session, node, fields)
        if self.pbx.firmware.token and method != "POST" and node not in ("admin/uci/changes", "servicectl/status"):
            return PlainTextResponse("Method Not Allowed", 405)
        if node.startswith("servicectl/restart/"):
            self.pbx.restart()
            return PlainTextResponse("OK")
        if node == "servicectl/status":
            return PlainTextResponse("running" if self.pbx.restarting else "finish")
        if node in ("admin/uci/saveapply", "admin/uci/apply"):
            return self._apply(session, node)
        if node == "admin/uci/revert" and PracticeFault.REFUSE_DISCARD in self.pbx.faults:
            return HTMLResponse(self.pages.message(session, "refused"), 500)
        if node == "admin/uci/revert":
            self.pbx.discard()
        return HTMLResponse(self.pages.changes(session))

    def _unchecked(self, session: Session, node: str, fields: list[tuple[str, str]]) -> Response:
        """What a script of 18.06 posts, with the session's two secrets."""
        if {("sid", session.stok), ("token", session.token)} - set(fields):
            return PlainTextResponse("Forbidden", 403)
        if node == "admin/uci/apply_unchecked":
            return self._apply(session, "admin/uci/saveapply")
        if node != "admin/uci/revert":
            return PlainTextResponse("Not Found", 404)
        if PracticeFault.REFUSE_DISCARD in self.pbx.faults:
            return PlainTextResponse("Internal Server Error", 500)
        self.pbx.discard()
        return PlainTextResponse("{}")

    def _apply(self, session: Session, node: str) -> Response:
        if PracticeFault.REFUSE_APPLY in self.pbx.faults:
            return HTMLResponse(self.pages.message(session, "refused"), 500)
        configs = sorted({key.split(".")[0] for key in self.pbx.staged})
        if node.endswith("saveapply") and PracticeFault.IGNORE_APPLY not in self.pbx.faults:
            self.pbx.commit()
        if PracticeFault.SILENT_403 in self.pbx.faults:
            self.pbx.faults.discard(PracticeFault.SILENT_403)
            self.pbx.end_sessions()
            return self._ended()
        return self._cut(PracticeFault.CUT_AFTER_APPLY) or HTMLResponse(self.pages.applied(session, configs))

    def _expires(self) -> bool:
        once = PracticeFault.EXPIRE_ON_SAVE in self.pbx.faults
        self.pbx.faults.discard(PracticeFault.EXPIRE_ON_SAVE)
        return once or PracticeFault.EXPIRE_EVERY_SAVE in self.pbx.faults

    def _cut(self, *faults: PracticeFault) -> "Response | None":
        """Ends the connection without an answer, where one of the faults says so."""
        wanted = self.pbx.faults & set(faults)
        if not wanted:
            return None
        self.pbx.faults -= wanted
        self.pbx.gone = PracticeFault.GONE_AFTER_SAVE in wanted
        return _Cut()


class _Cut(Response):
    """An answer that breaks off in the middle: more is promised than comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"<html>", "more_body": True})


async def _posted(request: Request) -> list[tuple[str, str]]:
    """The fields of a posted form in order, multipart or plain."""
    if request.method != "POST":
        return []
    body = await request.body()
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + body)
    return [(str(part.get_param("name", "", "content-disposition")), _content(part)) for part in message.iter_parts()]


def _content(part: Any) -> str:
    payload: bytes = part.get_payload(decode=True) or b""
    return payload.decode("utf-8", "replace")


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and ends with exit code 0 on a signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _bound(host: str, port: int) -> Any:
    import socket

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problem = tr("the practice PBX cannot listen on {host}:{port}: {reason}", host=host, port=port, reason=reason)
        raise CannotStartError(problem, tr("choose another --port or --host")) from error
