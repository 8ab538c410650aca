"""Bills (话费账单): who has one for a month, the bill as it is on paper, and all of them as a file."""

from typing import IO

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import FORMS, download
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.delivery.bills import write_all, write_one
from ippbx_billing.documents.columns import Format
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import Role
from ippbx_billing.reports.bills import paper, whose
from ippbx_billing.reports.bills.desk import desk as bills_of
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.queries import Query, shortcut_titles
from ippbx_billing.reports.views import bills as views

EVERYBODY = "all"
MONTHS = ("this-month", "last-month")


def listing(desk: Desk) -> Response:
    """Everybody who has a bill for these days, department by department."""
    query = _query(desk)
    with desk.ledger.reading():
        billing = bills_of(desk.using, desk.ledger, query.period, scope=desk.scope)
        found = whose.whose(billing)
    notes = paper.overview(billing, _told(desk, query).notes()).notes
    return desk.page(
        "bills.html",
        query=query,
        shortcuts={name: title for name, title in shortcut_titles().items() if name in MONTHS},
        found=found,
        whole=desk.scope is None,
        columns=paper.employee_columns(found.whole),
        notes=[*notes, *filter(None, [views.nobodys(billing)])],
    )


def files(desk: Desk) -> Response:
    """A bill, or all of them, in the form asked for; HTML is shown as it is on paper."""
    form = Format(desk.choice("form", FORMS, "html"))
    given = desk.request.query_params
    of, with_calls = given.get("of", EVERYBODY), bool(given.get("calls"))
    query, using, scope = _query(desk), desk.using, desk.scope
    missing = _told(desk, query)

    def put(stream: IO[bytes]) -> None:
        with Ledger(using.ledger_path) as ledger, ledger.reading():
            billing = bills_of(using, ledger, query.period, charged_only=bool(given.get("charged")), scope=scope)
            if of == EVERYBODY:
                write_all(stream, billing, missing, form, with_calls)
            else:
                write_one(stream, whose.one_of(billing, of, with_calls=with_calls), missing, form)

    name = "-".join(("bill", query.period.name, of.replace(":", "-").replace("/", "-")))
    sent = download(put, name, form, inline=form is Format.HTML and not given.get("save"))
    desk.note("bills download", of, after={"form": form.value, "days": query.period.name})
    return sent


def _query(desk: Desk) -> Query:
    return desk.query("last-month")


def _told(desk: Desk, query: Query) -> Coverage:
    """What the period's bills do not cover; each says itself what of its calls has no fee."""
    return desk.coverage(query.period, {}, 0)


WAYS = (Way("/bills", listing, Role.EMPLOYEE), Way("/bills/file", files, Role.EMPLOYEE))
MENU = (MenuEntry("/bills", lambda: tr("Bills"), Role.EMPLOYEE),)
