"""The cookie that a visit is recognized by."""

from starlette.requests import Request
from starlette.responses import Response

from ippbx_billing.operators.visits import REMEMBERED

COOKIE = "ippbx_visit"


def give_cookie(request: Request, answer: Response, secret: str, *, remembered: bool) -> None:
    """The visit's id for the browser: no script reads it, no other site sends it along, TLS alone carries it."""
    most = int(REMEMBERED.total_seconds()) if remembered else None
    answer.set_cookie(COOKIE, secret, max_age=most, path="/", secure=is_secure(request), httponly=True, samesite="lax")


def take_cookie(request: Request, answer: Response) -> None:
    """The browser forgets it."""
    answer.delete_cookie(COOKIE, path="/", secure=is_secure(request), httponly=True, samesite="lax")


def is_secure(request: Request) -> bool:
    """Whether the browser spoke TLS, with us or with the proxy before us."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
