"""Operators: who may sign in and as what, where they are signed in, and the log of who did what."""

from urllib.parse import urlencode

from starlette.responses import Response

from ippbx_billing.console.cookies import is_secure
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import LANGUAGES, tr
from ippbx_billing.operators import Operator, Role
from ippbx_billing.operators.log import MOST_SHOWN
from ippbx_billing.reports.scopes import check_named
from ippbx_billing.reports.views import audit
from ippbx_billing.reports.views import operators as views

PATH = "/operators"
LOG = "/operators/log"


def listing(desk: Desk, address: str = "", invited: str = "") -> Response:
    """Everybody who may sign in, and where they are signed in; `address` is shown once, after an invitation."""
    everybody, visits = desk.operators.operators.all(), desk.operators.visits.all(desk.now)
    rows = views.rows(everybody, visits)
    sessions = views.visit_rows(visits, {one.id: one.name for one in everybody}, desk.using.site_zone)
    return desk.page(
        "operators.html",
        operators=list(zip(everybody, rows, strict=True)),
        columns=views.columns(),
        sessions=sessions,
        session_columns=views.visit_columns(),
        roles=list(Role),
        languages=LANGUAGES,
        address=address,
        invited=invited,
    )


def add(desk: Desk) -> Response:
    """A new operator; the page that follows shows the address at which they set their password, once."""
    role, department, employee = _role(desk)
    with desk.operators.transaction():
        made = desk.operators.operators.add(
            desk.text("name"),
            role,
            desk.now,
            department=department,
            employee=employee,
            language=desk.text("language"),
        )
        desk.note("operators add", made.name, after=made.facts())
        address = _address(desk, made)
    return listing(desk, address, made.name)


def invite(desk: Desk) -> Response:
    """A new address, for somebody who has forgotten their password; earlier ones are worth nothing then."""
    operator = _operator(desk)
    with desk.operators.transaction():
        address = _address(desk, operator)
        desk.note("operators password", operator.name, after={"link": True})
    return listing(desk, address, operator.name)


def change_role(desk: Desk) -> Response:
    """It holds at once, also for those who are signed in."""
    role, department, employee = _role(desk)
    before = _operator(desk)
    with desk.operators.transaction():
        after = desk.operators.operators.change(before, role=role, department=department, employee=employee)
        desk.note("operators role", after.name, before=before.facts(), after=after.facts())
    return desk.back(PATH, done=tr("{name} is {role} now", name=after.name, role=tr(after.role.value)))


def disable(desk: Desk) -> Response:
    """Or let them sign in again; whoever is disabled is signed out everywhere."""
    before, is_off = _operator(desk), desk.text("disabled") == "yes"
    with desk.operators.transaction():
        after = desk.operators.operators.change(before, disabled=is_off)
        if is_off:
            desk.operators.visits.end_all_of(after.id)
        desk.note("operators disable", after.name, before=before.facts(), after=after.facts())
    done = tr("{name} cannot sign in any more", name=after.name)
    return desk.back(PATH, done=done if is_off else tr("{name} may sign in again", name=after.name))


def end_session(desk: Desk) -> Response:
    """They are signed out there at the next thing that they click."""
    number = desk.number("visit")
    if not desk.operators.visits.end(number):
        raise NotFoundError(tr("there is no such visit"))
    desk.note("operators sign-out", str(number), after={"sessions": 1})
    return desk.back(PATH, done=tr("Signed out there."))


def log(desk: Desk) -> Response:
    """Who did what, the newest first; nothing in it can be changed."""
    asked = desk.request.query_params
    who, action = asked.get("who", "").strip(), asked.get("action", "").strip()
    entries = list(
        desk.operators.log.entries(who=who or None, action=action or None, before_id=_before(desk), limit=MOST_SHOWN)
    )
    kept = {name: value for name, value in (("who", who), ("action", action)) if value}
    older = urlencode({**kept, "before": entries[-1].id}) if len(entries) == MOST_SHOWN else ""
    return desk.page(
        "log.html",
        rows=audit.shown(audit.rows(entries, desk.using.site_zone)),
        columns=audit.columns(),
        who=who,
        action=action,
        older=older,
    )


def _before(desk: Desk) -> int | None:
    text = desk.request.query_params.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise UsageError(tr("{text!r} is not a page", text=text), tr("begin at the first page"))
    return int(text)


def _operator(desk: Desk) -> Operator:
    """Whom the path names."""
    found = desk.operators.operators.get(desk.number("operator"))
    if found is None:
        raise NotFoundError(tr("there is no such operator"), tr("see `ippbx-bill operators list`"))
    return found


def _role(desk: Desk) -> tuple[Role, str | None, str | None]:
    """The role of the form, with the department or the staff number that goes with it."""
    if desk.text("role") not in list(Role):
        raise UsageError(tr("{text!r} is not one of them", text=desk.text("role")), ", ".join(Role))
    role = Role(desk.text("role"))
    department = desk.text("department") or None if role is Role.HEAD else None
    employee = desk.text("employee") or None if role is Role.EMPLOYEE else None
    check_named(desk.ledger, department, employee)
    return role, department, employee


def _address(desk: Desk, operator: Operator) -> str:
    """Where they set their password, by the name under which this browser knows us."""
    scheme = "https" if is_secure(desk.request) else "http"
    return f"{scheme}://{desk.request.url.netloc}/welcome/{desk.operators.operators.invite(operator, desk.now)}"


WAYS = (
    Way(PATH, listing, Role.ADMINISTRATOR),
    Way(PATH, add, Role.ADMINISTRATOR, post=True),
    Way("/operators/{operator:int}/link", invite, Role.ADMINISTRATOR, post=True),
    Way("/operators/{operator:int}/role", change_role, Role.ADMINISTRATOR, post=True),
    Way("/operators/{operator:int}/disable", disable, Role.ADMINISTRATOR, post=True),
    Way("/operators/sessions/{visit:int}/end", end_session, Role.ADMINISTRATOR, post=True),
    Way(LOG, log, Role.ADMINISTRATOR),
)
MENU = (MenuEntry(PATH, lambda: tr("Operators"), Role.ADMINISTRATOR),)
