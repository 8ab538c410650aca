"""An operator's own things: language, password, where they are signed in."""

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.frame import inner_path
from ippbx_billing.console.ways import Way
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import LANGUAGES, tr
from ippbx_billing.operators import Role


def account(desk: Desk) -> Response:
    """What is theirs."""
    visits = [one for one in desk.operators.visits.all(desk.now) if one.operator_id == desk.operator.id]
    return desk.page("account.html", visits=visits)


def language(desk: Desk) -> Response:
    """The language of everything they read."""
    wanted = desk.text("language")
    if wanted not in LANGUAGES:
        raise UsageError(tr("only en and zh are known"))
    desk.operators.operators.change(desk.operator, language=wanted)
    return desk.back(inner_path(desk.text("next"), "/account"))


def password(desk: Desk) -> Response:
    """A new password; every other visit ends."""
    file = desk.operators
    pause_s = file.visits.pause_s(desk.operator.name, desk.guest.address, desk.now)
    known = None if pause_s else file.operators.recognized(desk.operator.name, str(desk.form.get("present", "")))
    if known is None:
        if not pause_s:
            file.visits.failed(desk.operator.name, desk.guest.address, desk.now)
        return desk.back("/account", wrong=tr("The present password is another one."))
    new = str(desk.form.get("password", ""))
    if new != desk.form.get("again"):
        return desk.back("/account", wrong=tr("the two passwords differ"))
    try:
        file.operators.set_password(desk.operator.id, new)
    except UsageError as error:
        return desk.back("/account", wrong=f"{error.message}. {error.hint}")
    for one in file.visits.all(desk.now):
        if one.operator_id == desk.operator.id and one.id != desk.visit.id:
            file.visits.end(one.id)
    desk.note("operators password", desk.operator.name)
    return desk.back("/account", done=tr("The password is changed; you are signed out everywhere else."))


def end_visit(desk: Desk) -> Response:
    """Sign out somewhere else."""
    number = desk.number("visit")
    own = {one.id for one in desk.operators.visits.all(desk.now) if one.operator_id == desk.operator.id}
    if number not in own:
        raise NotFoundError(tr("there is no such visit"))
    desk.operators.visits.end(number)
    desk.note("sign-out", str(number))
    return desk.back("/account", done=tr("Signed out there."))


WAYS = (
    Way("/account", account, Role.EMPLOYEE),
    Way("/account/language", language, Role.EMPLOYEE, post=True),
    Way("/account/password", password, Role.EMPLOYEE, post=True),
    Way("/account/visits/{visit:int}/end", end_visit, Role.EMPLOYEE, post=True),
)
