"""`limits`: how much somebody may spend or talk, who has reached it, and who is barred because of it."""

from typing import Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say, say_wrapped
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

app = Commands()

WhoArgument = Annotated[
    str,
    typer.Argument(metavar="WHO", help=en("8001, 1001, a department, pin:1234; extension:, employee:, department:")),
]


@app.command("set", help=en("Limit somebody's fees a month, or the time: `limits set 8001 200 --time 10h`."))
def set_limit(
    who: WhoArgument,
    fee: Annotated[str | None, typer.Argument(metavar="[FEE]", help=en("the most that calls may cost"))] = None,
    time: Annotated[str | None, typer.Option(metavar="10h|90min", help=en("the most that may be talked"))] = None,
    month: Annotated[bool, typer.Option("--month", help=en("a month; the default"))] = False,
    day: Annotated[bool, typer.Option("--day", help=en("a day"))] = False,
    warn: Annotated[str, typer.Option(metavar="80,100", help=en("the percentages at which to alert"))] = "80,100",
    bar: Annotated[
        bool, typer.Option("--bar", help=en("bar outside calls when it is reached, see `limits plan`"))
    ] = False,
) -> None:
    """A limit only warns unless --bar is said."""
    from ippbx_billing.delivery.limiting import WantedLimit
    from ippbx_billing.delivery.limiting import set_limit as put_limit

    if month and day:
        raise UsageError(tr("a month or a day, not both"), f"ippbx-bill limits set {who} 200 --day")
    using, today = common.settings(), common.today(common.settings())
    wanted = WantedLimit(fee or "", time or "", "day" if day else "month", warn, bar)
    with common.open_ledger(using) as ledger:
        told = put_limit(ledger, who, wanted, today)
    say(told)


@app.command("list", help=en("List the limits, and how much of each is used."))
def list_limits(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """Of the present month or day."""
    from ippbx_billing.reports.limits import LimitBook
    from ippbx_billing.reports.views import limits as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        found = LimitBook(ledger, common.today(using)).usages()
    show_listing(views.limits(found), form, output)
    for note in views.notes(found):
        say_wrapped(note)


@app.command("remove", help=en("Remove somebody's limit."))
def remove(who: WhoArgument) -> None:
    """Whoever was barred because of it is freed by the service, or by `limits apply`."""
    from ippbx_billing.delivery.limiting import remove_limit
    from ippbx_billing.reports.limits import person

    using = common.settings()
    with common.open_ledger(using) as ledger:
        say(remove_limit(ledger, person(ledger, who, common.today(using)), who))


@app.command("plan", help=en("Show who would be barred or freed, and why; nothing is done."))
def show_plan(
    exempt: Annotated[str, typer.Option(metavar="8001,8002", help=en("without these"))] = "",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Those whose limit only warns stand there as well."""
    from ippbx_billing.delivery.limiting import names
    from ippbx_billing.reports.limits import plan
    from ippbx_billing.reports.views import limits as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        show_listing(views.steps(plan(ledger, common.today(using), names(exempt))), form, output)


@app.command("apply", help=en("Do what `limits plan` says, through bar_command."))
def apply(
    yes: Annotated[bool, typer.Option("--yes", help=en("really: the plan has been read"))] = False,
    exempt: Annotated[str, typer.Option(metavar="8001,8002", help=en("without these"))] = "",
    by_hand: Annotated[bool, typer.Option("--by-hand", help=en("it was done in the PBX; only note it"))] = False,
    form: FormatOption = Format.TABLE,
) -> None:
    """Exit 1 where the PBX did not do all of it."""
    import getpass

    from ippbx_billing.delivery.barring import carry_out
    from ippbx_billing.delivery.limiting import names
    from ippbx_billing.reports.limits import plan
    from ippbx_billing.reports.views import limits as views

    if not yes:
        raise UsageError(tr("nobody is barred without a word"), "ippbx-bill limits plan; ippbx-bill limits apply --yes")
    using = common.settings()
    with common.open_ledger(using) as ledger:
        steps = plan(ledger, common.today(using), names(exempt))
        done = [*carry_out(ledger, using, steps, getpass.getuser(), common.now(), by_hand=by_hand)]
    show_listing(views.outcomes(done), form)
    if any(error for _, error in done):
        raise typer.Exit(1)


@app.command("journal", help=en("Show what the PBX was asked for, and what came of it."))
def journal(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """The newest first."""
    from ippbx_billing.reports.views import limits as views

    using = common.settings()
    with common.open_ledger(using) as ledger:
        show_listing(views.journal(ledger.limits.journal(), using.site_zone), form, output)
