"""What surrounds every page: who may ask for what, how much, from where, and what a browser is told to refuse.

The one idea: a request that could change something must come from our own page. A browser says so twice, in `Origin`
and in `Sec-Fetch-Site`; the second is not sent over plain HTTP to an address of the network, so the first must do then.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Frame:
    """Refuses requests for other names, methods and origins, and adds the headers that keep a browser safe."""

    def __init__(self, application: ASGIApp, names: Iterable[str]) -> None:
        self._application = application
        self._names = {name.casefold() for name in names if name} | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send_on)
        else:
            await self._application(scope, receive, send_on)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            return PlainTextResponse(
                "This name is not known here. Add it to console_names in settings.toml.\n", status_code=421
            )
        if scope["method"] in SAFE_METHODS:
            return None
        if scope["method"] != "POST":
            return PlainTextResponse("Only GET, HEAD and POST are answered.\n", status_code=405)
        if not is_own_request(headers):
            return PlainTextResponse(
                "This form was not sent from this page. Open the page in the browser and send it there.\n",
                status_code=403,
            )
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a browser may reach us by that name. An address cannot be made to point elsewhere, a name can."""
        name = urlsplit(f"//{host}").hostname or "" if host.isprintable() and "/" not in host else ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.casefold() in self._names
        return True


def is_own_request(headers: Headers) -> bool:
    """Whether a browser sent it from a page of this very host; both of its words must say so where it says both."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    return bool(origin) and urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold()


class TooLargeError(Exception):
    """A body that is larger than this page takes."""


def limited(request: Request, most_bytes: int) -> Request:
    """The request with a body that breaks off with TooLargeError beyond the limit."""
    if int(request.headers.get("content-length") or 0) > most_bytes:
        raise TooLargeError
    left = most_bytes

    async def receive() -> Message:
        nonlocal left
        message = await request.receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLargeError
        return message

    return Request(request.scope, receive)


def inner_path(text: str | None, otherwise: str = "/") -> str:
    """The text if it is a path of our own, and nothing that a browser takes for another host."""
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\") or not text.isprintable() or "\\" in text:
        return otherwise
    parts = urlsplit(text)
    return otherwise if parts.scheme or parts.netloc else text
