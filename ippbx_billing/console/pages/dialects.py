"""Dialects (话单格式): what was not understood, a proposal with evidence, saved, tried, and the records read again."""

from typing import Any

from starlette.responses import Response

from ippbx_billing import dialects
from ippbx_billing.calls import EventStatus, RawEvent
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.dialects.checking import check
from ippbx_billing.dialects.teaching import own_words
from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import proposing
from ippbx_billing.pipeline.replaying import replay
from ippbx_billing.reports import events as events_of
from ippbx_billing.reports.views import dialects as views
from ippbx_billing.reports.views import events as event_views
from ippbx_billing.reports.views import fees

PATH = "/dialects"
MOST_SHOWN = 100


def listing(desk: Desk) -> Response:
    """The records that nobody understood, the words that nobody knows, and the dialects there are."""
    known = dialects.load(desk.using.dialects_dir)
    rows = events_of(
        desk.ledger, desk.inbox, desk.using.site_zone, status=EventStatus.REJECTED, kind=None, limit=MOST_SHOWN
    )
    return desk.page(
        "dialects.html",
        rejected=event_views.in_words(rows),
        event_columns=event_views.columns(),
        taught=views.words(desk.ledger.calls.unknown_words(), own_words(desk.using.dialects_dir).disposition),
        listing=views.dialects(known, spoken=True),
        administrator=Role.ADMINISTRATOR,
    )


def checked(desk: Desk) -> Response:
    """What one event is read to mean, field by field: found, missing, left over."""
    number = desk.number("event")
    event = desk.inbox.get(number)
    if event is None:
        raise NotFoundError(tr("there is no event {id}", id=number), tr("see `ippbx-bill events list`"))
    found = check(
        event,
        dialects.load(desk.using.dialects_dir),
        chosen=desk.using.dialect,
        zone=desk.using.pbx_zone,
        is_extension=proposing.numbering_of(desk.using, desk.ledger).is_extension,
    )
    title = tr("event {id}", id=number)
    parts = [(part, None) if isinstance(part, str) else ("", part) for part in views.checked_told(title, found)]
    return desk.page("dialects_check.html", title=title, number=number, parts=parts)


def suggestion(desk: Desk) -> Response:
    """A proposal for the rejected records, each field with its evidence; nothing is written."""
    found = proposing.proposed(desk.using, _numbering(desk), _bodies(desk), None)
    makes: list[tuple[Listing, list[str]]] = [(table, list(views.doubts(make))) for make, table in views.makes(found)]
    return desk.page(
        "dialects_suggest.html",
        makes=makes,
        problems=found.problems,
        usable=bool(found.usable),
        toml=found.as_toml("mine") if found.proposals else "",
    )


def save(desk: Desk) -> Response:
    """Save it as a dialect of the site's own, and say what it makes of the same records."""
    name, bodies, numbering = desk.text("name"), _bodies(desk), _numbering(desk)
    path = proposing.target(desk.using, name, force=bool(desk.text("replace")))
    proposing.save(path, proposing.proposed(desk.using, numbering, bodies, name), name)
    told = proposing.tried(desk.using, numbering, bodies, name).sentences(name, desk.using.data_dir, desk.using.dialect)
    desk.note("dialects suggest", name, after={"told": told})
    return desk.back(PATH, done="; ".join([tr("wrote {path}", path=path), *told]))


def read_again(desk: Desk) -> Response:
    """The rejected records with the present dialects; what came of it is told."""
    done = replay(desk.ledger, desk.inbox, desk.using, lambda ledger: ledger.journey.events_with(EventStatus.REJECTED))
    count, changed = done.replayed.events, done.replayed.fees
    told = tr("read {count} events again; {left} are still rejected or unrated", count=count, left=done.left)
    if count:
        desk.note("events replay", told, before=changed.before._asdict(), after=changed.after._asdict())
    sentences = fees.sentences(changed.before, changed.after, changed.changed, desk.using.currency) if count else ()
    return desk.back(PATH, done="; ".join([told, *sentences]))


def _bodies(desk: Desk) -> list[RawEvent]:
    found: list[Any] = [desk.inbox.get(one) for one in proposing.rejected(desk.ledger, desk.inbox)]
    if not found:
        raise NotFoundError(tr("nothing to do: no call record was rejected"), tr("see the list at {path}", path=PATH))
    return found


def _numbering(desk: Desk) -> Any:
    return proposing.numbering_of(desk.using, desk.ledger)


WAYS = (
    Way(PATH, listing, Role.VIEWER),
    Way("/dialects/check/{event:int}", checked, Role.VIEWER),
    Way("/dialects/suggest", suggestion, Role.ADMINISTRATOR),
    Way("/dialects/suggest", save, Role.ADMINISTRATOR, post=True),
    Way("/dialects/replay", read_again, Role.ADMINISTRATOR, post=True),
)
MENU = (MenuEntry(PATH, lambda: tr("Record formats"), Role.VIEWER),)
