"""Requests to the PBX's own address, and the pages that answer.

    with closing(PbxConnection("https://192.168.6.169", tls, timeout_s=15)) as connection:
        page = connection.page(Request("GET", "https://192.168.6.169/"), is_sign_in)

Nothing is sent to another address, wherever the PBX leads; the certificate is checked before anything is sent.
"""

import ssl
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx

from ippbx_billing.language import tr
from ippbx_billing.pbx.pages import Page
from ippbx_billing.pbx.problems import PbxError, Unreachable
from ippbx_billing.pbx.sending import Request
from ippbx_billing.pbx.trust import plain_hint

MAX_REDIRECTS = 10


class PbxConnection:
    """A client of one address; `date` is the PBX's clock, as the last answer's Date header tells it."""

    def __init__(self, address: str, tls: ssl.SSLContext | None, timeout_s: float) -> None:
        self.address = address
        self.date = ""
        self._client = httpx.Client(
            verify=tls if tls is not None else True,
            timeout=timeout_s,
            trust_env=False,
            cookies=CookieJar(),
            event_hooks={"response": [self._noted]},
        )

    def page(self, request: Request, ends: Callable[[Page], bool], timeout_s: float | None = None) -> Page:
        """The page that answers, redirects followed until one `ends` it; raises Unreachable, PbxError."""
        page, onward = self._exchange(request, timeout_s)
        for _ in range(MAX_REDIRECTS):
            if onward is None or ends(page):
                break
            page, onward = self._exchange(Request("GET", urljoin(page.url, onward)), timeout_s)
        return page

    def forget(self) -> None:
        """Let go of the cookies, and so of the session."""
        self._client.cookies.clear()

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _exchange(self, request: Request, timeout_s: float | None) -> tuple[Page, str | None]:
        """One request and its answer: the page, and where it sends us, if it does."""
        if _origin(request.url) != _origin(self.address):
            facts = {"address": self.address, "other": _origin(request.url)}
            raise PbxError(
                tr("{address} leads to {other}; nothing is sent there.", **facts),
                tr("if that is the PBX's address, give it with --pbx"),
            )
        try:
            more = _encoded(request) | ({} if timeout_s is None else {"timeout": timeout_s})
            response = self._client.request(request.method, request.url, **more)
        except httpx.ConnectError as error:
            raise Unreachable(
                tr("{address} cannot be reached: {error}.", address=self.address, error=_reason(error)),
                plain_hint(self.address, str(error)),
            ) from error
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            raise Unreachable(
                tr("the connection to {address} was cut: {error}.", address=self.address, error=_reason(error)),
                tr("see that the PBX is up and try again"),
            ) from error
        page = Page(response.content, str(response.url), response.charset_encoding, response.status_code)
        return page, response.headers.get("location") if response.is_redirect else page.refresh()

    def _noted(self, response: httpx.Response) -> None:
        """Remember the PBX's clock, and let its cookies go with every page.

        The cookie's path holds the `;stok=…` of the address, which cookie jars cut off in ways of their own.
        """
        self.date = response.headers.get("date", self.date)
        for cookie in list(self._client.cookies.jar):
            if cookie.path != "/":
                self._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
                cookie.path = "/"
                self._client.cookies.jar.set_cookie(cookie)


def _encoded(request: Request) -> dict[str, Any]:
    """The fields as the form wants them: in the address, as a multipart body, or as a plain one."""
    if request.method == "GET":
        return {"params": request.fields} if request.fields else {}
    if request.multipart:
        return {"files": [(name, (None, value.encode())) for name, value in request.fields]}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return {"content": urlencode(request.fields).encode(), "headers": kind}


def _origin(url: str) -> str:
    """Scheme, host and port, the usual port left out."""
    parsed = httpx.URL(url)
    return str(parsed.copy_with(path="", query=None, fragment=None, userinfo=b"")).rstrip("/")


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
