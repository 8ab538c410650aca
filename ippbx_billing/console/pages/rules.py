"""Trunks, filters, days off and numbers (中继、过滤、节假日、号码): lists to look at, to add to, and to take from.

The one idea: each form names the command that does the same, by its way; both hand over to `lists.rules`.
"""

from collections.abc import Callable
from typing import Any

from starlette.responses import RedirectResponse, Response

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, PageFunction, Way
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.lists.rules import DAY_WORDS, entered
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import Rules
from ippbx_billing.reports.views import rules as views
from ippbx_billing.tariffs import HolidayCalendar

PATH = "/rules"
DEEDS = {  # the way of a form: the command that does the same, its fields, and the page that follows
    "trunks/put": ("trunks add", ("name", "carrier", "number", "outside_prefix"), "trunks"),
    "trunks/remove": ("trunks remove", ("name",), "trunks"),
    "filters/add": ("filters cdr add", ("direction", "extension", "number", "trunk", "note"), "filters"),
    "filters/remove": ("filters cdr remove", ("id",), "filters"),
    "cleanups/put": ("filters cleanup add", ("prefix", "delete", "length"), "filters"),
    "cleanups/remove": ("filters cleanup remove", ("prefix",), "filters"),
    "holidays/put": ("holidays add", ("day", "to", "kind", "note"), "holidays"),
    "holidays/remove": ("holidays remove", ("day",), "holidays"),
    "numbers/put": ("numbers override add", ("prefix", "traffic_type", "line_kind", "country", "region", "place"),
                    "numbers"),
    "numbers/remove": ("numbers override remove", ("prefix",), "numbers"),
}  # fmt: skip
YEARS = range(1990, 2101)


def first(desk: Desk) -> Response:
    """The trunks are the first of the four."""
    return RedirectResponse(f"{PATH}/trunks", status_code=303)


def trunks(desk: Desk) -> Response:
    """The lines of the PBX, and whose they are."""
    book = desk.ledger.book
    return _page(desk, "trunks.html", listing=views.trunks(book.trunks()), carriers=[c.name for c in book.carriers()])


def filters(desk: Desk) -> Response:
    """Calls that are nobody's bill, and digits that are only dialled."""
    tables = desk.ledger.rules
    return _page(
        desk,
        "filters.html",
        filters=views.filters(tables.filters()),
        cleanups=views.cleanups(tables.cleanups()),
        directions=list(Direction),
    )


def holidays(desk: Desk) -> Response:
    """The days of a year that are not as the day of the week says."""
    year = _year(desk)
    own = desk.ledger.rules.day_overrides()
    calendar = HolidayCalendar(desk.using.country, {one.day: one.kind for one in own})
    return _page(
        desk,
        "holidays.html",
        year=year,
        listing=views.unusual_days(year, calendar, own),
        provisional=calendar.is_provisional(year),
        kinds=DAY_WORDS,
    )


def _year(desk: Desk) -> int:
    text = desk.request.query_params.get("year", "") or f"{desk.today.year}"
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in YEARS):
        raise UsageError(tr("{text!r} is not a year", text=text[:100]), tr("write it like 2026"))
    return int(text)


def numbers(desk: Desk) -> Response:
    """What a number is and why, and the site's corrections."""
    asked = desk.request.query_params.get("number", "").strip()[:100]
    direction = Direction(desk.choice("direction", tuple(Direction), Direction.OUTBOUND))
    known = Rules.of(desk.ledger, desk.using, reading=False, prices=False).numbering_for(None) if asked else None
    return _page(
        desk,
        "numbers.html",
        asked=asked,
        direction=direction,
        found=views.numbers([known.classify(asked, direction)]) if known else None,
        listing=views.overrides(desk.ledger.book.overrides()),
        directions=list(Direction),
        kinds=list(TrafficType),
        lines=list(LineKind),
    )


def _page(desk: Desk, template: str, **facts: Any) -> Response:
    return desk.page(template, accountant=Role.ACCOUNTANT, **facts)


def _deed(way: str) -> PageFunction:
    action, fields, follows = DEEDS[way]

    def done(desk: Desk) -> Response:
        given = desk.fields(fields)
        with desk.noting(action, next(iter(given.values()), "")):
            told = entered(action, given, desk.ledger)
        return desk.back(f"{PATH}/{follows}", done=told)

    return done


_PAGES: dict[str, Callable[[Desk], Response]] = {
    "trunks": trunks,
    "filters": filters,
    "holidays": holidays,
    "numbers": numbers,
}
WAYS = (
    Way(PATH, first, Role.VIEWER),
    *(Way(f"{PATH}/{name}", page, Role.VIEWER) for name, page in _PAGES.items()),
    *(Way(f"{PATH}/{way}", _deed(way), Role.ACCOUNTANT, post=True) for way in DEEDS),
)
MENU = (MenuEntry(PATH, lambda: tr("Lines and rules"), Role.VIEWER),)
