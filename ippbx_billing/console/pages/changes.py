"""What changed (更正) in days whose bill was handed out: calls that came late, were corrected or rated again."""

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import FORMS, download
from ippbx_billing.console.ways import Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.listing import Listing
from ippbx_billing.documents.render import write_listing
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.reports import Period
from ippbx_billing.reports.changes import HandedOut, moment_of, since_handed_out
from ippbx_billing.reports.views import changes as views

PATH = "/reports/changes"
MOST_ROWS = 500  # of a page; a file has them all


def page(desk: Desk) -> Response:
    """All days before the one on which the bill was handed out, unless a month is named; first it asks when."""
    given = desk.request.query_params
    listing = _changes(desk) if given.get("since") else None
    rows = [dict(row) for row in listing.rows] if listing else []
    unknown = views.totals(rows)["unknown"]
    return desk.page(
        "changes.html",
        listing=listing,
        rows=rows[:MOST_ROWS],
        more=rows[MOST_ROWS:],
        note=tr("{count} of them have no known amount: the difference is not whole", count=unknown) if unknown else "",
        since=given.get("since", ""),
        month=given.get("month", ""),
        forms=FORMS,
    )


def files(desk: Desk) -> Response:
    """The same as a file, whole."""
    form, listing = Format(desk.choice("form", FORMS, "csv")), _changes(desk)
    desk.note("changes download", listing.title, after={"form": form.value})
    return download(lambda stream: write_listing(stream, listing, form), "changes", form)


def _changes(desk: Desk) -> Listing:
    given = desk.request.query_params
    moment = moment_of(given.get("since", ""), desk.using.site_zone)
    period = Period.month(given["month"], desk.today) if given.get("month") else None
    asked = HandedOut.at(moment, desk.inbox, period)
    return views.changes(since_handed_out(desk.ledger, desk.view, asked), asked, desk.using.currency)


WAYS = (Way(PATH, page, Role.VIEWER), Way("/reports/changes/file", files, Role.VIEWER))
