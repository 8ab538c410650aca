"""`report`: sums of the calls of a period by one or two keys, and the reports that have a name of their own."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing.cli import common, named_views
from ippbx_billing.cli.asking import Asking, asked
from ippbx_billing.cli.covering import covered
from ippbx_billing.cli.report_views import Sheet, key_columns, measure_columns, present, row_keys
from ippbx_billing.errors import UsageError
from ippbx_billing.texts import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period, Report, View, Where
    from ippbx_billing.reports.named import Answer

    Ask = Callable[[Ledger, View, Period, Where], Report | Answer]

app = typer.Typer()

GROUPS_HELP = tr(
    "one or two of extension, employee, department, trunk, carrier, traffic-type, line-kind, direction, disposition, "
    "country, region, place, number, pin, month, day, weekday, hour"
)
SortOption = Annotated[
    str | None, typer.Option(metavar="KEY", help=tr("the largest first of fee, calls, billed-s, …; -fee: the smallest"))
]
TopOption = Annotated[int | None, typer.Option(min=1, help=tr("only the first so many rows"))]


@app.callback(invoke_without_command=True)
@asked
def report(
    ctx: typer.Context,
    asking: Asking,
    by: Annotated[str, typer.Option(metavar="KEY[,KEY]", help=GROUPS_HELP)] = "extension",
    sort: SortOption = None,
    top: TopOption = None,
    compare: Annotated[
        Literal["previous", "last-year"] | None, typer.Option(help=tr("beside the days before, or a year earlier"))
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

    _tell(asking, ask, lambda answer: _sums_sheet(answer, sort, top))


@app.command("ranking", help=tr("Who or what cost most, with its rank."))
@asked
def ranking(
    asking: Asking,
    by: Annotated[str, typer.Option(metavar="KEY", help=GROUPS_HELP)] = "extension",
    sort: SortOption = "fee",
    top: TopOption = 20,
) -> None:
    """The first of an order."""
    from ippbx_billing.reports import grouping, named

    _tell(asking, partial(named.ranking, by=grouping(by), sort=sort, top=top), named_views.ranking)


@app.command("time-of-day", help=tr("When the calls are: by hour and day of the week."))
@asked
def time_of_day(asking: Asking) -> None:
    """The 24 hours."""
    from ippbx_billing.reports import named

    _tell(asking, named.time_of_day, named_views.time_of_day)


@app.command("regions", help=tr("Where calls go to and come from."))
@asked
def regions(
    asking: Asking,
    by: Annotated[Literal["country", "region", "place"], typer.Option(help=tr("how finely"))] = "region",
    top: TopOption = None,
) -> None:
    """Countries, their regions, or places."""
    from ippbx_billing.reports import named

    _tell(asking, partial(named.regions, by=by, top=top), named_views.regions)


@app.command("numbers", help=tr("The numbers that were called or called us."))
@asked
def numbers(asking: Asking, sort: SortOption = "fee", top: TopOption = 50) -> None:
    """The other side of the calls."""
    from ippbx_billing.reports import named

    _tell(asking, partial(named.numbers, sort=sort, top=top), named_views.numbers)


@app.command("pins", help=tr("What each personal PIN cost."))
@asked
def pins(asking: Asking, sort: SortOption = "fee") -> None:
    """Personal PINs."""
    from ippbx_billing.reports import named

    _tell(asking, partial(named.pins, sort=sort), named_views.pins)


@app.command("idle", help=tr("The directory's extensions without a call."))
@asked
def idle(asking: Asking) -> None:
    """Extensions that nobody uses."""
    from ippbx_billing.reports import named

    _tell(asking, named.idle, named_views.idle)


@app.command("categories", help=tr("Departments and their extensions by traffic type."))
@asked
def categories(
    asking: Asking,
    show: Annotated[Literal["fee", "calls", "billed-s"], typer.Option(help=tr("what the cells hold"))] = "fee",
) -> None:
    """The bill by category."""
    from ippbx_billing.reports.categories import categories

    _tell(asking, categories, partial(named_views.categories, measure=show.replace("-", "_")))


@app.command("busy-hour", help=tr("How full each trunk was: calls at once, load in erlang."))
@asked
def busy_hour(asking: Asking) -> None:
    """How full the lines were."""
    from ippbx_billing.reports.lines import busy_hour

    _tell(asking, busy_hour, named_views.busy_hour)


@app.command("unrated", help=tr("The calls without a price by reason, and what to do."))
@asked
def unrated(asking: Asking) -> None:
    """What has no price yet."""
    from ippbx_billing.reports import named

    _tell(asking, named.unrated, named_views.unrated)


def _hand_down(ctx: typer.Context) -> None:
    """Options that were written before a named report's name are the named report's, where it has them."""
    given = {
        name: getattr(value, "value", value)
        for name, value in ctx.params.items()
        if (source := ctx.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
    name = str(ctx.invoked_subcommand)
    command: Any = ctx.command
    known = {one.name for one in command.get_command(ctx, name).params}
    for stranger in sorted(given.keys() - known):
        raise UsageError(
            tr("`report {name}` has no --{option}", name=name, option=stranger.replace("_", "-")),
            tr("see `ippbx-bill report {name} --help`", name=name),
        )
    ctx.default_map = {name: given}


def _tell(asking: Asking, ask: "Ask", sheet: Callable[[Any], Sheet]) -> None:
    """Ask for the answer, find out what it does not cover, show both."""
    from ippbx_billing import reports

    using = common.settings()
    period, where = asking.period(using), asking.where()
    with common.open_ledger(using) as ledger:
        answer = ask(ledger, reports.View(using.site_zone, using.currency), period, where)
        told = covered(using, ledger, period, unrated=answer.gaps, filtered=answer.filtered)
    present(sheet(answer), told, asking)


def _sums_sheet(answer: "Report", sort: str | None, top: int | None) -> Sheet:
    """The sums by keys; by extension alone they are shown as they always were."""
    from ippbx_billing.reports.sums import sort_key

    measure = sort_key(sort or "fee")
    measure = measure if measure in answer.total else "fee"
    compared, plain = answer.compared is not None, answer.by == ("extension",)
    columns = measure_columns(answer.currency, measure, compared=compared, drawn=not plain)
    if plain and not (sort or top or compared):
        columns = [one for one in columns if one.key in ("calls", "answered", "duration_s", "billed_s", "fee")]
    return Sheet(
        title=tr("Calls of {month}", month=answer.period.name),
        columns=[*key_columns(answer.by, answer.rows), *columns],
        keys=row_keys(answer.by, answer.total),
        rows=answer.rows,
        total=answer.total,
        document=answer.document(),
        period=answer.period,
        empty=tr("no calls in {month}", month=answer.period.name),
        label=answer.by[0] if len(answer.by) == 1 else "",
        measure=measure,
        drawn=not plain or bool(sort or top),
    )
