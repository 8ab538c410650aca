"""Home (主页): today in five figures, the live table, the calls in progress, the state of all, the system log."""

from typing import Any

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.running import running_fees
from ippbx_billing.reports import Where, scopes, today
from ippbx_billing.reports.paging import calls_page, newest_id
from ippbx_billing.reports.queries import Query
from ippbx_billing.reports.views import live_table, progress
from ippbx_billing.upkeep import doctor
from ippbx_billing.upkeep.happenings import happenings

ROWS = 50
LOG_LINES = 12
SHARED_S = 3.0  # open pages ask every five seconds


def home(desk: Desk) -> Response:
    """The first page."""
    with desk.ledger.reading():
        position = newest_id(desk.ledger)
        wanted = Query.of({}, desk.today, "week").calls(desk.scope)
        rows = calls_page(desk.ledger, desk.view, wanted, size=ROWS).rows
    return desk.page(
        "home.html",
        position=position,
        columns=live_table.page_columns(desk.using.currency),
        rows=[live_table.page_row(row) for row in rows],
        **_figures(desk),
        **_progress(desk),
        **(_state(desk) if desk.scope is None else {"state": None, "log": None}),
    )


def figures(desk: Desk) -> Response:
    """The five figures alone."""
    return desk.shared_fragment("home_figures.html", SHARED_S, lambda: _figures(desk))


def in_progress(desk: Desk) -> Response:
    """The calls in progress alone."""
    return desk.shared_fragment("home_progress.html", SHARED_S, lambda: _progress(desk))


def state(desk: Desk) -> Response:
    """State and system log alone."""
    return desk.shared_fragment("home_state.html", SHARED_S, lambda: _state(desk))


def _figures(desk: Desk) -> dict[str, Any]:
    titles = {
        "calls": Column("value", tr("Calls"), "number"),
        "answered": Column("value", tr("Answered"), "number"),
        "billed_s": Column("value", tr("Talk time"), "length"),
        "fee": Column("value", tr("Fee ({currency})", currency=desk.using.currency), "money", unpriced="unpriced"),
        "unpriced": Column("value", tr("Without price"), "number"),
    }
    found = today.figures(desk.ledger, desk.view, desk.today, Where(scope=desk.scope))
    return {
        "figures": [(one, titles[one.key], {"value": one.value, "unpriced": one.unpriced}) for one in found],
        "days": today.DAYS,
    }


def _progress(desk: Desk) -> dict[str, Any]:
    found = scopes.live(desk.ledger, desk.scope, desk.ledger.journey.live(progress.asked_since(desk.now)), desk.today)
    rules = Rules.of(desk.ledger, desk.using, reading=False, prices=False) if found else None
    fees = running_fees(desk.ledger, rules, found, desk.now) if rules else {}
    rows = progress.rows(found, fees, desk.now, desk.view, desk.ledger.book.decimals())
    return {"calls_now": rows, "progress_columns": progress.columns(desk.using.currency)}


def _state(desk: Desk) -> dict[str, Any]:
    with desk.house.operators() as operators:
        log = happenings(desk.ledger, desk.inbox, operators, limit=LOG_LINES)
    return {"state": list(doctor.glance(desk.using, desk.now)), "log": log}


WAYS = (
    Way("/", home, Role.EMPLOYEE),
    Way("/home/figures", figures, Role.EMPLOYEE),
    Way("/home/progress", in_progress, Role.EMPLOYEE),
    Way("/home/state", state, Role.VIEWER),
)
MENU = (MenuEntry("/", lambda: tr("Home"), Role.EMPLOYEE),)
