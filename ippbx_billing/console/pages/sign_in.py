"""Signing in and out, and the one-time address at which somebody sets their password."""

from starlette.responses import RedirectResponse, Response

from ippbx_billing.console.cookies import give_cookie, take_cookie
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.frame import inner_path
from ippbx_billing.console.ways import Way
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.operators import Operator, Role


def form(desk: Desk) -> Response:
    """The page that greets."""
    asked = inner_path(desk.request.query_params.get("next"))
    if desk.guest.operator is not None:
        return desk.back(asked)
    return desk.page("sign_in.html", next=asked, name="", problem="")


def sign_in(desk: Desk) -> Response:
    """One answer for every failure, whoever it is that is tried: nobody learns which names there are."""
    name, asked = desk.text("name"), inner_path(desk.text("next"))
    file = desk.operators
    pause_s = file.visits.pause_s(name, desk.guest.address, desk.now)
    password = desk.form.get("password")
    operator = None if pause_s or not isinstance(password, str) else file.operators.recognized(name, password)
    if operator is None:
        if not pause_s:
            file.visits.failed(name, desk.guest.address, desk.now)
        desk.note("sign-in refused", after={"paused_s": pause_s} if pause_s else None)
        problem = tr("Name or password is wrong, or there were too many tries. Wait a little and try again.")
        answer = desk.page("sign_in.html", 429 if pause_s else 403, next=asked, name=name, problem=problem)
        if pause_s:
            answer.headers["retry-after"] = str(pause_s)
        return answer
    file.visits.succeeded(name, desk.guest.address)
    return _begun(desk, operator, asked, remembered=desk.text("remember") == "yes")


def _begun(desk: Desk, operator: Operator, path: str, *, remembered: bool) -> Response:
    """A new visit; one that the browser brought along ends, so that nobody can have prepared it."""
    file = desk.operators
    if desk.guest.visit is not None:
        file.visits.end(desk.guest.visit.id)
    secret = file.visits.begin(
        operator.id,
        desk.now,
        remembered=remembered,
        address=desk.guest.address,
        agent=desk.request.headers.get("user-agent", ""),
    )
    desk.guest = type(desk.guest)(desk.guest.address, operator)
    desk.note("sign-in")
    answer = RedirectResponse(path, status_code=303)
    give_cookie(desk.request, answer, secret, remembered=remembered)
    return answer


def sign_out(desk: Desk) -> Response:
    """The visit ends here and in the file."""
    desk.operators.visits.end(desk.visit.id)
    desk.note("sign-out")
    answer = RedirectResponse("/sign-in", status_code=303)
    take_cookie(desk.request, answer)
    return answer


def welcome(desk: Desk) -> Response:
    """The one-time address."""
    return _welcome_page(desk, _invited(desk), "", "")


def set_password(desk: Desk) -> Response:
    """The first administrator chooses name and password, everybody else a password; then they are signed in."""
    operator = _invited(desk)
    name = desk.text("name")
    try:
        return _set(desk, operator, name)
    except UsageError as error:
        return _welcome_page(desk, operator, name, f"{error.message}. {error.hint}", 400)


def _set(desk: Desk, operator: Operator | None, name: str) -> Response:
    password = str(desk.form.get("password", ""))
    if password != desk.form.get("again"):
        raise UsageError(tr("the two passwords differ"), tr("write the same one twice"))
    file = desk.operators
    with file.transaction():
        if operator is None:
            operator = file.operators.add(name, Role.ADMINISTRATOR, desk.now)
            desk.note("operators add", operator.name, after=operator.facts())
        file.operators.set_password(operator.id, password)
        file.operators.spend(_secret(desk))
        file.visits.end_all_of(operator.id)
    desk.guest = type(desk.guest)(desk.guest.address, operator)
    desk.note("operators password", operator.name)
    return _begun(desk, operator, "/", remembered=False)


def _invited(desk: Desk) -> Operator | None:
    """Whose address it is; NotFoundError for one that was used, is too old, or never was."""
    is_good, operator = desk.operators.operators.invited(_secret(desk), desk.now)
    if not is_good:
        raise NotFoundError(
            tr("this address holds no longer"), tr("`ippbx-bill operators password NAME --link` gives a new one")
        )
    return operator


def _secret(desk: Desk) -> str:
    return str(desk.request.path_params["secret"])


def _welcome_page(desk: Desk, operator: Operator | None, name: str, problem: str, status: int = 200) -> Response:
    return desk.page("welcome.html", status, operator=operator, name=name, problem=problem)


WAYS = (
    Way("/sign-in", form, None),
    Way("/sign-in", sign_in, None, post=True),
    Way("/sign-out", sign_out, Role.EMPLOYEE, post=True),
    Way("/welcome/{secret}", welcome, None),
    Way("/welcome/{secret}", set_password, None, post=True),
)
