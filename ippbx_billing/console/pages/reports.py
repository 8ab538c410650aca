"""Reports (报表): every report of the command line, with its chart, its calls a click away, and all its forms."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from markupsafe import Markup
from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import FORMS, download
from ippbx_billing.console.pages.calls import filter_bar
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import write_listing
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.reports import Report
from ippbx_billing.reports.coverage import Coverage
from ippbx_billing.reports.queries import Query
from ippbx_billing.reports.views import asked as views
from ippbx_billing.reports.views.plans import plan_amounts
from ippbx_billing.reports.views.story import rest_of


def one(desk: Desk) -> Response:
    """A report: its table, its chart, what is not in it; each row leads to its calls."""
    query, wanted, found, told = _asked(desk)
    sheet = found.sheet
    rows = sheet.rows[: views.MOST_ROWS]
    leads = [views.behind(found, query, row) for row in rows]
    paths = [None if lead is None else f"/calls{lead}" for lead in leads]
    answer = views.listing(sheet, told, query.conditions, desk.view)
    assert answer.paper is not None
    return desk.page(
        "reports.html",
        query=query,
        wanted=wanted,
        kept=wanted.kept(),
        sheet=sheet,
        rows=rows,
        paths=paths,
        drawing=Markup(views.drawing(answer.paper, rows, paths)),  # every text in it is escaped there
        notes=answer.paper.notes,
        titles=views.titles(),
        keys=views.key_titles(),
        sorts=views.sort_titles(),
        shown_in_cells=views.SHOWN,
        forms=FORMS,
        **filter_bar(),
    )


def files(desk: Desk) -> Response:
    """Exactly this report as a file, with all its rows."""
    form = Format(desk.choice("form", FORMS, "csv"))
    query, wanted, found, told = _asked(desk)
    answer = views.listing(found.sheet, told, query.conditions, desk.view)
    name = f"{wanted.name}-{query.period.name}"
    sent = download(lambda stream: write_listing(stream, answer, form), name, form)
    desk.note("report download", name, after={"form": form.value, **wanted.kept(), **query.conditions})
    return sent


def _asked(desk: Desk) -> tuple[Query, views.WantedReport, views.AskedReport, Coverage]:
    given: Mapping[str, str] = dict(desk.request.query_params)
    query, wanted = desk.query().without("status"), views.WantedReport.of(given)
    with desk.ledger.reading():
        where = query.where(desk.scope)
        found = views.asked(desk.ledger, desk.view, query.period, where, wanted)
        told = desk.coverage(query.period, found.gaps, found.answer.filtered)
        if isinstance(found.answer, Report) and desk.scope is None and not where.given():
            plans = partial(plan_amounts, desk.ledger, desk.view, query.period)
            told = replace(told, plans=plans(rest_of(desk.ledger, desk.using)))
    return query, wanted, found, told


WAYS = (Way("/reports", one, Role.EMPLOYEE), Way("/reports/file", files, Role.EMPLOYEE))
MENU = (MenuEntry("/reports", lambda: tr("Reports"), Role.EMPLOYEE),)
