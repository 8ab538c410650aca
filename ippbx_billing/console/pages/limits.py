"""Limits (停复机控制): what somebody may spend or talk, accounts paid in advance, who would be barred and why."""

from starlette.responses import Response

from ippbx_billing.console.desk import Desk
from ippbx_billing.console.ways import MenuEntry, Way
from ippbx_billing.delivery.barring import carry_out
from ippbx_billing.delivery.limiting import WantedLimit, WantedTopUp, names, remove_limit, set_limit
from ippbx_billing.delivery.limiting import top_up as pay_in
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.lists.people.deeds import first_day
from ippbx_billing.operators import Role
from ippbx_billing.reports.limits import LimitBook, plan
from ippbx_billing.reports.limits import statement as entries_of
from ippbx_billing.reports.views import limits as views

PATH = "/limits"


def page(desk: Desk) -> Response:
    """The limits with what is used, the accounts with what is left, the plan, and what the PBX was asked for."""
    book = LimitBook(desk.ledger, desk.today)
    usages, balances = book.usages(), book.balances()
    return desk.page(
        "limits.html",
        limits=views.limits(usages),
        accounts=views.accounts(balances, desk.using.currency),
        notes=views.notes([*usages, *balances]),
        steps=views.steps(plan(desk.ledger, desk.today)),
        journal=views.journal(desk.ledger.limits.journal(), desk.using.site_zone),
        can_bar=bool(desk.using.bar_command),
        accountant=Role.ACCOUNTANT,
        administrator=Role.ADMINISTRATOR,
    )


def put(desk: Desk) -> Response:
    """Limit somebody's fees or time, in a month or a day."""
    wanted = WantedLimit(
        desk.text("fee"), desk.text("time"), desk.text("per", "month"), desk.text("warn", "80,100"),
        bool(desk.text("bars")),
    )  # fmt: skip
    with desk.noting("limits set", desk.text("who")):
        told = set_limit(desk.ledger, desk.text("who"), wanted, desk.today)
    return desk.back(PATH, done=told)


def remove(desk: Desk) -> Response:
    """Limit somebody no more."""
    kind, _, what = desk.text("key").partition(":")
    name = LimitBook(desk.ledger, desk.today).name(kind, what)
    with desk.noting("limits remove", name):
        told = remove_limit(desk.ledger, (kind, what), name)
    return desk.back(PATH, done=told)


def top_up(desk: Desk) -> Response:
    """Pay in; the first time opens the account."""
    who, first = desk.text("who"), desk.text("from")
    bars = {"yes": True, "no": False}.get(desk.text("bars"))
    day = first_day(first, desk.today) if first else None
    wanted = WantedTopUp(desk.text("amount"), desk.text("note"), day, desk.text("reserve") or None, bars)
    with desk.noting("accounts top-up", who):
        row = views.balance(pay_in(desk.ledger, who, wanted, desk.now, desk.today))
    left = tr(
        "{name}: {balance} {currency} are left", name=row["who"], balance=row["balance"], currency=desk.using.currency
    )
    return desk.back(PATH, done=left)


def statement(desk: Desk) -> Response:
    """Payments and fees, with what was left after each."""
    given = desk.request.query_params
    account = desk.ledger.limits.account(given.get("kind", ""), given.get("object", ""))
    if account is None:
        raise NotFoundError(tr("there is no such account"), tr("see the list of accounts at {path}", path=PATH))
    entries = entries_of(desk.ledger, account, desk.today)
    name = LimitBook(desk.ledger, desk.today).name(account.kind, account.object)
    listing = views.statement(entries, name, desk.using.currency)
    return desk.page("limits_statement.html", listing=listing, notes=views.notes(entries))


def apply(desk: Desk) -> Response:
    """Do what the plan says, through the site's own command, or note that it was done by hand."""
    if not desk.text("read"):
        raise UsageError(tr("nobody is barred without a word"), tr("tick that the plan has been read"))
    steps = plan(desk.ledger, desk.today, names(desk.text("exempt")))
    with desk.noting("limits apply", desk.text("exempt")):
        by_hand = bool(desk.text("by_hand"))
        done = [*carry_out(desk.ledger, desk.using, steps, desk.operator.name, desk.now, by_hand=by_hand)]
    listing = views.outcomes(done)
    return desk.page("limits_statement.html", listing=listing, notes=())


WAYS = (
    Way(PATH, page, Role.VIEWER),
    Way("/limits/statement", statement, Role.VIEWER),
    Way("/limits/set", put, Role.ACCOUNTANT, post=True),
    Way("/limits/remove", remove, Role.ACCOUNTANT, post=True),
    Way("/limits/top-up", top_up, Role.ACCOUNTANT, post=True),
    Way("/limits/apply", apply, Role.ADMINISTRATOR, post=True),
)
MENU = (MenuEntry(PATH, lambda: tr("Limits"), Role.VIEWER),)
