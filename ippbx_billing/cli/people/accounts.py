"""`accounts`: money paid in advance: top-ups, what is left, and a statement."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.people.limits import WhoArgument
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

app = Commands()

AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help=en("what is paid in; -20 gives back"))]


@app.command(
    "top-up",
    help=en("Pay in; the first time opens the account."),
    context_settings={"ignore_unknown_options": True},
)
def top_up(
    who: WhoArgument,
    amount: AmountArgument,
    note: Annotated[str, typer.Option(help=en("what stands in the statement"))] = "",
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help=en("first day whose calls it pays; default: today")),
    ] = None,
    reserve: Annotated[str | None, typer.Option(help=en("alert when less than this is left"))] = None,
    bar: Annotated[
        bool | None, typer.Option("--bar/--no-bar", help=en("bar outside calls when nothing is left"))
    ] = None,
) -> None:
    """Calls count when they are over: one that goes on may cost more than is left."""
    from ippbx_billing.delivery.limiting import WantedTopUp
    from ippbx_billing.delivery.limiting import top_up as pay_in
    from ippbx_billing.reports.views import limits as views

    using, today = common.settings(), common.today(common.settings())
    wanted = WantedTopUp(amount, note, common.day(first) if first else None, reserve, bar)
    with common.open_ledger(using) as ledger:
        row = views.balance(pay_in(ledger, who, wanted, common.now(), today))
    say(tr("{name}: {balance} {currency} are left", name=row["who"], balance=row["balance"], currency=using.currency))


@app.command("balance", help=en("Show what is left, of somebody or of all."))
def balance(
    who: Annotated[str | None, typer.Argument(metavar="[WHO]", help=en("default: all accounts"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Payments less the fees since the account was opened."""
    from ippbx_billing.reports.limits import LimitBook, account_of
    from ippbx_billing.reports.views import limits as views

    using, today = common.settings(), common.today(common.settings())
    with common.open_ledger(using) as ledger:
        book = LimitBook(ledger, today)
        found = book.balances() if who is None else [book.balance(account_of(ledger, who, today))]
    show_listing(views.accounts(found, using.currency), form, output)
    for text in views.notes(found):
        say(text)


@app.command("statement", help=en("List payments and fees, with what was left after each."))
def statement(who: WhoArgument, form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The fees of each month stand on its last day."""
    from ippbx_billing.reports.limits import LimitBook, account_of
    from ippbx_billing.reports.limits import statement as entries_of
    from ippbx_billing.reports.views import limits as views

    using, today = common.settings(), common.today(common.settings())
    with common.open_ledger(using) as ledger:
        account = account_of(ledger, who, today)
        entries = entries_of(ledger, account, today)
        name = LimitBook(ledger, today).name(account.kind, account.object)
    show_listing(views.statement(entries, name, using.currency), form, output)
    for text in views.notes(entries):
        say(text)


@app.command("close", help=en("Close an account; its payments are deleted with it."))
def close(who: WhoArgument, yes: Annotated[bool, typer.Option("--yes", help=en("really"))] = False) -> None:
    """Only after a word."""
    from ippbx_billing.reports.limits import account_of

    using, today = common.settings(), common.today(common.settings())
    with common.open_ledger(using) as ledger:
        account = account_of(ledger, who, today)
        if not yes:
            raise UsageError(
                tr("the account of {name} and its payments would be deleted", name=who),
                f"ippbx-bill accounts statement {who}; ippbx-bill accounts close {who} --yes",
            )
        ledger.limits.close(account.id)
    say(tr("removed {name}", name=who))
