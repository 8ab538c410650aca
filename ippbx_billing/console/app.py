"""The application: every way of the table with the same care around it.

A request goes through `Frame`, is recognized by its cookie, must have the role of its way, and is answered in a thread,
in the operator's language. An error of ours becomes a page with its sentence and hint, any other one a plain sorry.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope as AsgiScope

from ippbx_billing import language as texts
from ippbx_billing.console.cookies import COOKIE, give_cookie
from ippbx_billing.console.desk import Desk, Guest, House
from ippbx_billing.console.frame import Frame, TooLargeError, limited
from ippbx_billing.console.live import Feed
from ippbx_billing.console.pages import ways
from ippbx_billing.console.templates import STATIC
from ippbx_billing.console.ways import FORM_BYTES, Way
from ippbx_billing.errors import BillingError, BusyError, DataError, NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.listener.senders import networks, within
from ippbx_billing.operators import OperatorFile
from ippbx_billing.settings import Settings

log = logging.getLogger("ippbx_billing.console")

MOST_FIELDS, MOST_FILES = 1_000, 1
STATUS_OF = ((NotFoundError, 404), (UsageError, 400), (BusyError, 503), (DataError, 503))


def application(using: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Starlette:
    """The console of this data directory; `clock` gives the present moment."""
    house = House(using, clock, Feed(using, clock))
    routes = [_route(house, way) for way in ways()]
    names = (using.console_host, using.own_address, *using.console_names)
    made = Starlette(
        routes=[*routes, Mount("/static", _Static(directory=STATIC, packages=None))],
        middleware=[Middleware(Frame, names=names)],
        exception_handlers={HTTPException: _http_problem(house)},
    )
    made.state.house = house
    return made


def _route(house: House, way: Way) -> Route:
    async def endpoint(request: Request) -> Response:
        guest = None
        if way.most_bytes > FORM_BYTES:  # a large body is read only of those who may send it
            guest, refusal = await run_in_threadpool(_refused, house, way, request)
            if refusal is not None:
                return refusal
        try:
            form = await _form(request, way)
        except TooLargeError:
            return PlainTextResponse("This is larger than this page takes.\n", status_code=413)
        try:
            return await run_in_threadpool(_answered, house, way, request, form, guest)
        finally:
            await form.close()

    name = f"{'post' if way.post else 'get'} {way.path}"
    return Route(way.path, endpoint, methods=["POST"] if way.post else ["GET"], name=name)


async def _form(request: Request, way: Way) -> FormData:
    if not way.post:
        return FormData()
    return await limited(request, way.most_bytes).form(
        max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=way.most_bytes
    )


def _answered(house: House, way: Way, request: Request, form: FormData, guest: Guest | None) -> Response:
    """In a thread of its own: nobody waits for anybody's report."""
    guest = guest or _recognized(house, request)
    with texts.speaking(_language(house, request, guest)):
        desk = Desk(house, request, guest, form)
        try:
            answer = _allowed(way, desk) or way.answer(desk)
        except BillingError as error:
            answer = _told(desk, error)
        except Exception:
            log.exception("a page failed", extra={"path": way.path})
            answer = desk.page(
                "problem.html", 500, title=tr("Something went wrong"), message="", hint=tr("see the log")
            )
        finally:
            desk.close()
    _renew(request, answer, guest)
    return answer


def _refused(house: House, way: Way, request: Request) -> tuple[Guest, Response | None]:
    """Who it is, and what stands in the way, before anything of the form is read."""
    guest = _recognized(house, request)
    with texts.speaking(_language(house, request, guest)):
        desk = Desk(house, request, guest)
        try:
            answer = _allowed(way, desk)
            if answer is not None:
                _renew(request, answer, guest)
            return guest, answer
        finally:
            desk.close()


def _allowed(way: Way, desk: Desk) -> Response | None:
    """What stands in the way; None where nothing does."""
    if way.least is None:
        return None
    if desk.guest.operator is None:
        url = desk.request.url
        asked = quote(f"{url.path}?{url.query}" if url.query else url.path)
        return RedirectResponse("/sign-in" if way.post else f"/sign-in?next={asked}", status_code=303)
    if not desk.operator.role.may(way.least):
        return desk.page(
            "problem.html",
            403,
            title=tr("This is not for you"),
            message=tr("It takes the role of {role} at least.", role=tr(way.least.value)),
            hint=tr("ask an administrator"),
        )
    return None


def _recognized(house: House, request: Request) -> Guest:
    """Who it is, by the cookie; disabled operators are nobody."""
    address = _address(house.using, request)
    secret = request.cookies.get(COOKIE)
    if not secret:
        return Guest(address)
    with OperatorFile(house.using.operators_path) as file:
        visit = file.visits.of(secret, house.clock())
        operator = file.operators.get(visit.operator_id) if visit else None
    if visit is None or operator is None or operator.disabled:
        return Guest(address)
    return Guest(address, operator, visit)


def _address(using: Settings, request: Request) -> str:
    """Where it comes from; what a proxy of ours says of that is believed."""
    address = request.client.host if request.client else ""
    proxies = networks(using.proxies)
    if not within(address, proxies):
        return address
    forwarded = [one.strip() for one in request.headers.get("x-forwarded-for", "").split(",")]
    return next((one for one in reversed(forwarded) if one and not within(one, proxies)), address)


def _language(house: House, request: Request, guest: Guest) -> str:
    """The operator's own, else the browser's, else the site's."""
    if guest.operator is not None and guest.operator.language:
        return guest.operator.language
    for part in request.headers.get("accept-language", "").split(","):
        wanted = part.partition(";")[0].strip().lower()[:2]
        if wanted in texts.LANGUAGES:
            return wanted
    return house.using.lang or "en"


def _renew(request: Request, answer: Response, guest: Guest) -> None:
    if guest.visit is not None and guest.visit.new_secret and "set-cookie" not in answer.headers:
        give_cookie(request, answer, guest.visit.new_secret, remembered=True)


def _told(desk: Desk, error: BillingError) -> Response:
    status = next((code for kind, code in STATUS_OF if isinstance(error, kind)), 400)
    return desk.page("problem.html", status, title=error.message, message="", hint=error.hint)


def _http_problem(house: House) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A path that is none, a form that is none: said in a sentence, on a page."""

    def answered(request: Request, status: int) -> Response:
        guest = _recognized(house, request)
        with texts.speaking(_language(house, request, guest)):
            desk = Desk(house, request, guest)
            title = tr("There is no such page") if status == 404 else tr("This cannot be answered")
            return desk.page("problem.html", status, title=title, message="", hint=tr("begin at the first page"))

    async def handler(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return await run_in_threadpool(answered, request, status)

    return handler


class _Static(StaticFiles):
    """Files that a browser may keep for as long as their address stays the same."""

    async def get_response(self, path: str, scope: AsgiScope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "public, max-age=31536000, immutable"
        return answer
