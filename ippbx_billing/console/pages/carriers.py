"""Carriers (运营商设置): the list, the change of region as the right click did it, prices with versions, comparison."""

from typing import IO

from starlette.responses import Response

from ippbx_billing.calls import TrafficType
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.downloads import FORMS, download
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.listing import Listing
from ippbx_billing.documents.render import write_listing
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.carriers import moved
from ippbx_billing.lists.tariffs import views as prices_views
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports import comparison
from ippbx_billing.reports.queries import shortcut_titles
from ippbx_billing.reports.views import comparison as offers
from ippbx_billing.reports.views import rules
from ippbx_billing.tariffs.changes import in_force, in_order

MONTHS = ("this-month", "last-month")
MOST_ROWS = 500  # of a page; a file has them all


def listing(desk: Desk) -> Response:
    """The carriers, each with its prices a click away."""
    return desk.page(
        "carriers.html",
        listing=rules.carriers(desk.ledger.book.carriers()),
        accountant=Role.ACCOUNTANT,
    )


def region(desk: Desk) -> Response:
    """Another home area: place and name follow the area code."""
    name, code = desk.text("name"), desk.text("area_code")
    place, operator = desk.text("place") or None, desk.text("operator") or None
    before = desk.ledger.book.carrier(name)
    new = moved(desk.ledger, name, code, country=desk.using.country, place=place, operator=operator)
    desk.note("carriers set-region", name, before={"name": before.name, "area_code": before.area_code},
              after={"name": new, "area_code": code})  # fmt: skip
    return desk.back("/carriers", done=tr("{old} is now {new}", old=name, new=new))


def prices(desk: Desk) -> Response:
    """A carrier's prices in force today, or every version of them."""
    carrier, kind = desk.request.query_params.get("carrier", ""), _kind(desk)
    every = bool(desk.request.query_params.get("versions"))
    found = _prices(desk, desk.ledger)
    return desk.page(
        "prices.html",
        carrier=carrier,
        accountant=Role.ACCOUNTANT,
        kind=kind,
        versions=every,
        kinds=list(TrafficType),
        rows=list(found.for_people or ())[:MOST_ROWS],
        listing=found,
        more=len(list(found.rows)) > MOST_ROWS,
        kept={"carrier": carrier, "traffic_type": kind, "versions": "1" if every else ""},
        forms=FORMS,
    )


def price_files(desk: Desk) -> Response:
    """The same as a file, whole."""
    form, found = Format(desk.choice("form", FORMS, "csv")), _prices(desk, desk.ledger)
    sent = download(lambda stream: write_listing(stream, found, form), f"prices-{found.title}", form)
    desk.note("tariffs download", found.title, after={"form": form.value})
    return sent


def _prices(desk: Desk, ledger: Ledger) -> Listing:
    carrier, kind = desk.request.query_params.get("carrier", ""), _kind(desk)
    ledger.book.carrier(carrier)
    found = [one for one in ledger.book.prices() if one.carrier == carrier and kind in ("", one.traffic_type)]
    if not desk.request.query_params.get("versions"):
        found = in_force(found, desk.today)
    return prices_views.prices(in_order(found), carrier)


def _kind(desk: Desk) -> str:
    return str(desk.choice("traffic_type", ("", *TrafficType), ""))


def compared(desk: Desk) -> Response:
    """What a month's real calls would have cost with each carrier."""
    query = desk.query("last-month")
    found = _compared(desk, desk.ledger)
    return desk.page(
        "compare.html",
        query=query,
        shortcuts={name: title for name, title in shortcut_titles().items() if name in MONTHS},
        listing=found,
        notes=found.paper.notes if found.paper else (),
        forms=FORMS,
    )


def compared_files(desk: Desk) -> Response:
    """The same as a file."""
    form, found = Format(desk.choice("form", FORMS, "csv")), _compared(desk, desk.ledger)

    def put(stream: IO[bytes]) -> None:
        write_listing(stream, found, form)

    sent = download(put, "compare", form)
    desk.note("compare download", desk.query("last-month").period.name, after={"form": form.value})
    return sent


def _compared(desk: Desk, ledger: Ledger) -> Listing:
    period = desk.query("last-month").period
    found = comparison.compare(ledger, Rules.of(ledger, desk.using, reading=False), period, ledger.book.carriers())
    return offers.offers(found, period, desk.using.currency)


WAYS = (
    Way("/carriers", listing, Role.VIEWER),
    Way("/carriers/region", region, Role.ACCOUNTANT, post=True),
    Way("/carriers/prices", prices, Role.VIEWER),
    Way("/carriers/prices/file", price_files, Role.VIEWER),
    Way("/carriers/compare", compared, Role.VIEWER),
    Way("/carriers/compare/file", compared_files, Role.VIEWER),
)
MENU = (MenuEntry("/carriers", lambda: tr("Carriers"), Role.VIEWER),)
