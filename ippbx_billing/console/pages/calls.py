"""Calls (通话记录): the list with one filter bar, and a call with its story."""

from typing import IO, Any

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import FORMS, download
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import write_listing
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import Role
from ippbx_billing.pipeline.replaying import read_again
from ippbx_billing.reports import calls
from ippbx_billing.reports.paging import calls_page
from ippbx_billing.reports.queries import CHOICES, shortcut_titles
from ippbx_billing.reports.views import explained
from ippbx_billing.reports.views.calls import columns, listed

ROWS = 50


def listing(desk: Desk) -> Response:
    """The calls that fulfil every condition, the newest first, a page at a time."""
    query = desk.query("week")
    after = desk.request.query_params.get("after", "")
    page = calls_page(desk.ledger, desk.view, query.calls(desk.scope), size=ROWS, after=after)
    return desk.page(
        "calls.html",
        query=query,
        page=page,
        after=after,
        columns=columns(Format.TABLE, desk.using.currency),
        forms=FORMS,
        **filter_bar(),
    )


def filter_bar() -> dict[str, Any]:
    """What the filter bar of every page offers."""
    return {"shortcuts": shortcut_titles(), "choices": CHOICES}


def files(desk: Desk) -> Response:
    """Exactly this list, all of it, as a file."""
    form = Format(desk.choice("form", FORMS, "csv"))
    query, using, view, scope = desk.query("week"), desk.using, desk.view, desk.scope

    def write(stream: IO[bytes]) -> None:
        with Ledger(using.ledger_path) as ledger:
            rows = calls(ledger, view, query.calls(scope))
            write_listing(stream, listed(rows, form, query.period, query.conditions, view), form)

    answer = download(write, f"calls-{query.period.name}", form)
    desk.note("calls download", query.period.name, after={"form": form.value, **query.conditions})
    return answer


def one(desk: Desk) -> Response:
    """A call, why it costs that, and where it came from."""
    number = desk.number("call")
    found = explained.explain(desk.ledger, desk.inbox, desk.using, number, history=True, scope=desk.scope)
    document, charge = found.document, found.charge
    return desk.page(
        "call.html",
        call=document,
        heading_line=explained.heading(document),
        facts=explained.facts(document),
        accountant=Role.ACCOUNTANT,
        viewer=Role.VIEWER,
        source=explained.source(document),
        doubts=explained.doubts(document, charge),
        verdict=explained.verdict(document, charge),
        fee=explained.fee_line(document),
        earlier=explained.history_lines(document),
        candidates=explained.candidates(desk.ledger, desk.using, number),
        row_columns=columns(Format.TABLE, desk.using.currency),
    )


def again(desk: Desk) -> Response:
    """Read its event once more with the dialects, numbers and prices of today."""
    number = desk.number("call")
    before = explained.explain(desk.ledger, desk.inbox, desk.using, number).document
    now = read_again(desk.ledger, desk.inbox, desk.using, number)
    after = explained.explain(desk.ledger, desk.inbox, desk.using, now).document
    facts = ("status", "fee", "carrier", "reason")
    desk.note(
        "events replay",
        str(before["event"]),
        before={name: before[name] for name in facts},
        after={name: after[name] for name in facts},
    )
    same = before["fee"] == after["fee"] and before["status"] == after["status"]
    word = tr("Priced again: nothing changed.") if same else tr("Priced again: the fee is another one now.")
    return desk.back(f"/calls/{now}", done=word)


def event(desk: Desk) -> Response:
    """An event as the PBX sent it, byte for byte."""
    number = desk.number("event")
    found = desk.inbox.get(number)
    if found is None:
        raise NotFoundError(tr("there is no event {id}", id=number), tr("see `ippbx-bill events list`"))
    of_event = [row["id"] for row in desk.ledger.calls.of_event(number)]
    return desk.page(
        "event.html",
        event=found,
        body=found.body.decode("utf-8", "backslashreplace"),
        calls=of_event,
    )


def body(desk: Desk) -> Response:
    """The event's bytes as a file that no browser opens."""
    number = desk.number("event")
    found = desk.inbox.get(number)
    if found is None:
        raise NotFoundError(tr("there is no event {id}", id=number), tr("see `ippbx-bill events list`"))
    name = f'attachment; filename="event-{number}.bin"'
    return Response(found.body, media_type="application/octet-stream", headers={"content-disposition": name})


WAYS = (
    Way("/calls", listing, Role.EMPLOYEE),
    Way("/calls/file", files, Role.EMPLOYEE),
    Way("/calls/{call:int}", one, Role.EMPLOYEE),
    Way("/calls/{call:int}/again", again, Role.ACCOUNTANT, post=True),
    Way("/events/{event:int}", event, Role.VIEWER),
    Way("/events/{event:int}/bytes", body, Role.VIEWER),
)
MENU = (MenuEntry("/calls", lambda: tr("Call records"), Role.EMPLOYEE),)
