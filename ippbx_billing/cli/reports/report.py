"""`report`: sums of the calls of a period by one or two keys; `named_reports` has those with a name of their own."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.announced import announcing, loaded
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.reports.options import Asking, asked
from ippbx_billing.cli.reports.present import present
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import sums
from ippbx_billing.reports.views.coverage import covered
from ippbx_billing.reports.views.plans import plan_amounts
from ippbx_billing.reports.views.sheets import ReportSheet
from ippbx_billing.reports.views.story import rest_of

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period, Report, View, Where
    from ippbx_billing.reports.named import Answer

    Ask = Callable[[Ledger, View, Period, Where], Report | Answer]

NAMED = {
    "ranking": ("reports.named:ranking", en("Rank who or what cost most.")),
    "time-of-day": ("reports.named:time_of_day", en("Show when the calls are: by hour and day of the week.")),
    "regions": ("reports.named:regions", en("Show where calls go to and come from.")),
    "numbers": ("reports.named:numbers", en("List the numbers that were called or called us.")),
    "pins": ("reports.named:pins", en("Show what each personal PIN cost.")),
    "idle": ("reports.named:idle", en("List the directory's extensions without a call.")),
    "categories": ("reports.named:categories", en("Sum up departments and their extensions by traffic type.")),
    "busy-hour": ("reports.named:busy_hour", en("Show how full each trunk was: calls at once, load in erlang.")),
    "changes": ("reports.changes:changes", en("Show what changed in days whose bill was handed out.")),
    "unrated": ("reports.named:unrated", en("List the calls without a price by reason, and what to do.")),
}

app = Commands(cls=announcing(NAMED), no_args_is_help=False)

GROUPS_HELP = en(
    "one or two of extension, employee, department, trunk, carrier, traffic-type, line-kind, direction, disposition, "
    "country, region, place, number, pin, month, day, weekday, hour"
)
SortOption = Annotated[
    str | None, typer.Option(metavar="KEY", help=en("the largest first of fee, calls, billed-s, …; -fee: the smallest"))
]
TopOption = Annotated[int | None, typer.Option(min=1, help=en("only the first so many rows"))]


@app.callback(invoke_without_command=True)
@asked
def report(
    ctx: typer.Context,
    asking: Asking,
    by: Annotated[str, typer.Option(metavar="KEY[,KEY]", help=GROUPS_HELP)] = "extension",
    sort: SortOption = None,
    top: TopOption = None,
    compare: Annotated[
        Literal["previous", "last-year"] | None, typer.Option(help=en("beside the days before, or a year earlier"))
    ] = None,
) -> None:
    """Ask the ledger, print the sums, and say what they do not cover."""
    if ctx.invoked_subcommand:
        _hand_down(ctx)
        return
    from ippbx_billing import reports

    keys = reports.grouping(by)

    def ask(ledger: "Ledger", view: "View", period: "Period", where: "Where") -> "Report":
        return reports.report(ledger, view, period, keys, where=where, sort=sort, top=top, compare=compare)

    tell(asking, ask, lambda answer: sums.sheet(answer, sort, top))


def _hand_down(ctx: typer.Context) -> None:
    """Options that were written before a named report's name are the named report's, where it has them."""
    given = {
        name: getattr(value, "value", value)
        for name, value in ctx.params.items()
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    name = str(ctx.invoked_subcommand)
    known = {one.name for one in loaded(NAMED, name).params}
    for stranger in sorted(given.keys() - known):
        raise UsageError(
            tr("`report {name}` has no --{option}", name=name, option=stranger.replace("_", "-")),
            tr("see `ippbx-bill report {name} --help`", name=name),
        )
    ctx.default_map = {name: given}


def tell(asking: Asking, ask: "Ask", sheet: Callable[[Any], ReportSheet]) -> None:
    """Ask for the answer, find out what it does not cover, show both."""
    from ippbx_billing import reports

    using = common.settings()
    period, where = asking.period(using), asking.where()
    view = reports.View(using.site_zone, using.currency)
    with common.open_ledger(using) as ledger:
        answer = ask(ledger, view, period, where)
        told = covered(using, ledger, period, unrated=answer.gaps, filtered=answer.filtered, now=common.now())
        if isinstance(answer, reports.Report) and not where.given():  # plans are lines of the whole site's bill
            told = replace(told, plans=plan_amounts(ledger, view, period, rest_of(ledger, using)))
    present(sheet(answer), told, asking)
