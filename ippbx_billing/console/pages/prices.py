"""Prices of a carrier: set, given a new version, ended, taken out, brought in from a file; each looked at first.

The one idea: a form is sent twice. The first time it is tried on the real calls of a month, and the page tells what
these would cost; the second time it is saved, if it is still what was looked at.
"""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.uploads import UploadedFile, uploaded
from ippbx_billing.console.ways import Way
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr
from ippbx_billing.lists.tariffs import Imported, forms, read, views
from ippbx_billing.lists.tariffs.imports import ImportPlan, carry_out, plan_import
from ippbx_billing.lists.tariffs.rows import OWN_COLUMNS
from ippbx_billing.lists.tariffs.words import MATCHES
from ippbx_billing.operators import Role
from ippbx_billing.pipeline.losing import lost_by
from ippbx_billing.pipeline.repricing import Repricing, repriced
from ippbx_billing.reports.queries import Query, shortcut_titles
from ippbx_billing.reports.views import repricing
from ippbx_billing.tariffs import Changes, HolidayCalendar, Price

MONTHS = ("last-month", "this-month")
MOST_SHOWN = 100
MOST_EXTENSIONS = 20
MOST_BYTES = 16_777_216  # of a form with its file
FIELDS = ("way", "id", "month", *OWN_COLUMNS)
FILE_FIELDS = ("month", *forms.FILE_WORDS)


# -- one price


def new(desk: Desk) -> Response:
    """A form for a price that is not there yet."""
    carrier = desk.ledger.book.carrier(desk.request.query_params.get("carrier", "")).name
    kind = desk.choice("traffic_type", ("", *TrafficType), "")
    blank = {"carrier": carrier, "traffic_type": kind, "effective_from": desk.today.isoformat(), "match": "any"}
    return _form(desk, dict.fromkeys(OWN_COLUMNS, "") | blank | {"way": forms.SET})


def edit(desk: Desk) -> Response:
    """A price with all its terms; another first day makes a new version of it."""
    price = forms.price_of(desk.ledger, desk.number("price"))
    return _form(desk, {"way": forms.SET, "id": f"{price.id}", **forms.fields_of(price)}, price)


def again(desk: Desk) -> Response:
    """Back from the preview, with what was typed."""
    given = desk.fields(FIELDS)
    price = forms.price_of(desk.ledger, int(given["id"])) if given.get("id", "").isdecimal() else None
    return _form(desk, {name: given.get(name, "") for name in FIELDS}, price)


def _form(desk: Desk, given: dict[str, str], price: Price | None = None, wrong: BillingError | None = None) -> Response:
    return desk.page(
        "price.html",
        400 if wrong else 200,
        given=given,
        price=price,
        what=views.what(price) if price else "",
        costs=views.in_words(price) if price else "",
        wrong=wrong,
        kinds=list(TrafficType),
        lines=list(LineKind),
        directions=list(Direction),
        matches=list(MATCHES),
        months=_months(),
    )


def attempt(desk: Desk) -> Response:
    """What it would do to a month's calls; nothing is changed."""
    given = desk.fields(FIELDS)
    try:
        change = forms.change_of(given, desk.ledger, desk.using, desk.today)
    except BillingError as error:
        if given.get("way") != forms.SET:
            raise
        price = forms.price_of(desk.ledger, int(given["id"])) if given.get("id", "").isdecimal() else None
        return _form(desk, {name: given.get(name, "") for name in FIELDS}, price, error)
    return desk.page(
        "price_try.html",
        given=given,
        mark=forms.mark_of(change),
        listing=views.plan(ImportPlan(change)),
        carrier=_carriers(change)[0],
        **_tried(desk, change, given.get("month", "")),
    )


def save(desk: Desk) -> Response:
    """Do it, if it is what was looked at; then rating again is offered."""
    change = forms.change_of(desk.fields(FIELDS), desk.ledger, desk.using, desk.today)
    with desk.noting("tariffs set", views.title_of(change)):
        forms.save(desk.ledger, change, desk.text("mark"))
    return _saved(desk, change)


def _saved(desk: Desk, change: Changes) -> Response:
    """To the prices, or first to the question whether calls are to be rated again."""
    carrier, told = _carriers(change)[0], views.summed_up(change)
    first = forms.first_day(change)
    if first is None or first > desk.today:
        return desk.back(f"/carriers/prices?{urlencode({'carrier': carrier, 'versions': 1})}", done=told)
    asked = urlencode({"carrier": carrier, "from": first.isoformat()})
    return desk.back(f"/carriers/prices/saved?{asked}", done=told)


def saved(desk: Desk) -> Response:
    """Calls already rated keep their price until somebody asks for more; here they may."""
    first = forms.day_of(desk.request.query_params.get("from", ""))
    return desk.page("price_saved.html", carrier=desk.request.query_params.get("carrier", ""), first=first)


def _carriers(change: Changes) -> list[str]:
    return sorted({price.carrier for price in (*change.coming, *change.gone)})


def _tried(desk: Desk, change: Changes, month: str) -> dict[str, Any]:
    """The difference on a month's calls, as the pages show it."""
    period = Query.of({"period": month if month in MONTHS else MONTHS[0]}, desk.today).period
    found: Repricing = repriced(desk.ledger, desk.using, change, period.first, period.last)
    decimals = desk.ledger.book.decimals()
    listing = repricing.differences(found, desk.using.currency, decimals)
    return {
        "sentences": list(repricing.sentences(found, desk.using.currency, decimals)),
        "differences": listing,
        "rows": list(listing.rows)[:MOST_EXTENSIONS],
        "more": len(list(listing.rows)) > MOST_EXTENSIONS,
    }


def _months() -> dict[str, str]:
    titles = shortcut_titles()
    return {name: titles[name] for name in MONTHS}


# -- a whole list


def choose(desk: Desk) -> Response:
    """Which file, whose prices they are, and what the file leaves open."""
    return _choose(desk, {"carrier": desk.request.query_params.get("carrier", "")})


def _choose(desk: Desk, given: dict[str, str], name: str = "", found: Imported | None = None) -> Response:
    faults = found.faults if found else ()
    return desk.page(
        "prices_import.html",
        400 if faults else 200,
        given=given,
        name=name,
        faults=forms.told_faults(faults, MOST_SHOWN),
        count=len(faults),
        remarks=found.remarks if found else (),
        carriers=[one.name for one in desk.ledger.book.carriers()],
        kinds=list(TrafficType),
        months=_months(),
    )


def look(desk: Desk) -> Response:
    """What the file says, line by line where it cannot be used; else what it would change, and on real calls."""
    given = desk.fields(FILE_FIELDS)
    sent = uploaded(desk.form.get("file"), given)
    found, plan = _read(desk, sent)
    if plan is None:
        return _choose(desk, given, sent.name, found)
    changes, using = plan.changes, desk.using
    listing = views.plan(plan, MOST_SHOWN)
    return desk.page(
        "prices_import_try.html",
        name=sent.name,
        token=desk.house.uploads.keep(desk.visit.id, sent) if plan else "",
        mark=forms.mark_of(changes, plan.settings),
        summed_up=views.summed_up(changes),
        new_carrier=plan.new_carrier,
        listing=listing,
        rest=len(plan) > MOST_SHOWN,
        remarks=found.remarks,
        warnings=_warnings(desk, plan),
        examples=list(views.examples(plan, desk.ledger.book.carriers(), using.currency)),
        **_tried(desk, changes, given.get("month", "")),
    )


def _read(desk: Desk, sent: UploadedFile) -> tuple[Imported, ImportPlan | None]:
    """What the file says, and what it would change; None where it has faults."""
    assume = forms.assumptions_of(sent.given, desk.using, desk.today)
    found = read(sent.name, sent.content, assume)
    if found.faults:
        return found, None
    whole = bool(sent.given.get("whole"))
    return found, plan_import(desk.ledger, found, sent.name, assume, whole=whole)


def _warnings(desk: Desk, plan: ImportPlan) -> list[str]:
    using = desk.using
    lost = lost_by(desk.ledger, plan, desk.today, HolidayCalendar(using.country))
    return list(views.warnings(plan, lost, using.country, using.area_code, MOST_SHOWN))


def bring_in(desk: Desk) -> Response:
    """The file that was looked at, if it would still do what was told."""
    sent = desk.house.uploads.take(desk.visit.id, desk.text("token"))
    _, plan = _read(desk, sent)
    if plan is None:
        return desk.back("/carriers/import", wrong=tr("nothing was imported"))
    forms.check_mark(desk.text("mark"), plan.changes, plan.settings)
    with desk.noting("tariffs import", sent.name):
        carry_out(desk.ledger, plan)
    if not plan.changes:
        return desk.back("/carriers", done=tr("imported"))
    return _saved(desk, plan.changes)


WAYS = (
    Way("/carriers/prices/new", new, Role.ACCOUNTANT),
    Way("/carriers/prices/{price:int}", edit, Role.ACCOUNTANT),
    Way("/carriers/prices/again", again, Role.ACCOUNTANT, post=True),
    Way("/carriers/prices/try", attempt, Role.ACCOUNTANT, post=True),
    Way("/carriers/prices/save", save, Role.ACCOUNTANT, post=True),
    Way("/carriers/prices/saved", saved, Role.ACCOUNTANT),
    Way("/carriers/import", choose, Role.ACCOUNTANT),
    Way("/carriers/import/try", look, Role.ACCOUNTANT, post=True, most_bytes=MOST_BYTES),
    Way("/carriers/import/do", bring_in, Role.ACCOUNTANT, post=True),
)
