"""Work list (待办): what keeps calls from having a price, by cause; each is resolved here, tried first."""

from starlette.responses import Response

from ippbx_billing.calls import Disposition
from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.language import tr
from ippbx_billing.operators import Role
from ippbx_billing.pipeline import remedies
from ippbx_billing.reports.views import fees
from ippbx_billing.reports.views import work as views

FIELDS = ("cause", "code", "facts", "word", "way", "trunk", "carrier", "traffic_type", "direction", "initial", "step",
          "first_day", "meaning")  # fmt: skip


def listing(desk: Desk) -> Response:
    """Every cause, with what resolves it."""
    return desk.page(
        "work.html",
        jobs=views.jobs(desk.ledger),
        carriers=[one.name for one in desk.ledger.book.carriers()],
        meanings=list(Disposition),
        accountant=Role.ACCOUNTANT,
    )


def attempt(desk: Desk) -> Response:
    """What a remedy would do to the calls concerned; nothing is changed."""
    given = _given(desk)
    remedy = views.remedy_of(given, desk.ledger)
    found = remedies.attempt(desk.ledger, desk.inbox, desk.using, remedy)
    return desk.page(
        "work_try.html",
        given=given,
        title=views.in_words(remedy),
        sentences=list(views.sentences(found, desk.using.currency, desk.ledger.book.decimals())),
        worth=views.changes_something(found),
    )


def carry_out(desk: Desk) -> Response:
    """Do it, and read the events concerned again."""
    given = _given(desk)
    remedy = views.remedy_of(given, desk.ledger)
    done = remedies.carry_out(desk.ledger, desk.inbox, desk.using, remedy).replayed
    told = [
        views.in_words(remedy),
        tr("{count} events were read again", count=done.events),
        *fees.sentences(done.fees.before, done.fees.after, done.fees.changed, desk.using.currency),
    ]
    desk.note("work mend", told[0], before=done.fees.before._asdict(), after=done.fees.after._asdict())
    return desk.back("/work-list", done="; ".join(told))


def _given(desk: Desk) -> dict[str, str]:
    return {name: text for name in FIELDS if (text := desk.text(name))}


WAYS = (
    Way("/work-list", listing, Role.VIEWER),
    Way("/work-list/try", attempt, Role.ACCOUNTANT, post=True),
    Way("/work-list/do", carry_out, Role.ACCOUNTANT, post=True),
)
MENU = (MenuEntry("/work-list", lambda: tr("Work list"), Role.VIEWER),)
