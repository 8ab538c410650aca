"""`tariffs`: what each carrier charges: show it, set it, bring it in from a file and out to one, compare, check."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing import files
from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.cli.rules import plans
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.lists.tariffs import Assumptions, FileForm, Imported
    from ippbx_billing.lists.tariffs.imports import ImportPlan
    from ippbx_billing.settings import Settings
    from ippbx_billing.tariffs import Changes, Price

app = Commands()
app.add_typer(
    plans.app, name="plans", help=en("Manage plans of the month: free minutes, included amounts, volume, fees.")
)

SHOWN_BEFORE_ASKING = 30
SHOWN_WARNINGS = 10

CarrierArgument = Annotated[str, typer.Argument(metavar="CARRIER", help=en("the carrier, see `carriers list`"))]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=en("a CSV, XLSX or TOML file"))]
DayOption = Annotated[
    str | None,
    typer.Option("--from", metavar="YYYY-MM-DD", help=en("first day of prices that name none; default: today")),
]
TypeOption = Annotated[
    TrafficType | None, typer.Option(help=en("for prices whose traffic type the file does not tell"))
]
IncrementsOption = Annotated[
    str | None, typer.Option(metavar="60/6", help=en("initial and next seconds, where the file has no such column"))
]
DecimalOption = Annotated[
    Literal["comma", "point"] | None,
    typer.Option("--decimal", help=en("what 1,234 means, where the file leaves it open")),
]
DatesOption = Annotated[
    Literal["dmy", "mdy"] | None,
    typer.Option("--dates", help=en("which number of 10/11/2026 is the day, where the file leaves it open")),
]
IgnoreOption = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="COLUMN", help=en("a column that says nothing about these prices; repeatable")),
]
OffPeakOption = Annotated[
    str | None, typer.Option("--off-peak", metavar="18:00-08:00", help=en("when the file's off-peak rates hold"))
]
AllCallsOption = Annotated[
    bool, typer.Option("--all-calls", help=en("rows without a code are for all calls of their traffic type"))
]
EncodingOption = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help=en("what a CSV file was saved in, such as gb18030 or cp1252"))
]
ReplaceOption = Annotated[
    bool,
    typer.Option("--replace", help=en("the file is the whole tariff: prices that are not in it end, their past stays")),
]


@app.command("show", help=en("List the prices of a carrier, or of all."))
def show_prices(
    carrier: Annotated[str | None, typer.Argument(help=en("the carrier; default: all"))] = None,
    traffic_type: Annotated[TrafficType | None, typer.Option(help=en("only this traffic type"))] = None,
    on: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help=en("only the versions in force on that day"))
    ] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Every version of every price, or those of one day."""
    from ippbx_billing.lists.tariffs import views
    from ippbx_billing.tariffs.changes import in_force, in_order

    with common.open_ledger(common.settings()) as ledger:
        if carrier:
            ledger.book.carrier(carrier)
        prices = [one for one in ledger.book.prices() if carrier in (None, one.carrier)]
    if traffic_type:
        prices = [one for one in prices if one.traffic_type is traffic_type]
    if on:
        prices = in_force(prices, _day(on, "--on"))
    show_listing(views.prices(in_order(prices), carrier), form, output)


@app.command("set", help=en("Set one price: for which calls, what they cost, from which day on."))
def set_price(
    ctx: typer.Context,
    carrier: CarrierArgument,
    traffic_type: Annotated[TrafficType, typer.Argument(metavar="TRAFFIC_TYPE", help=en("local, domestic, …"))],
    initial: Annotated[str | None, typer.Option(metavar="180:0.22", help=en("initial seconds and their fee"))] = None,
    step: Annotated[str | None, typer.Option(metavar="60:0.11", help=en("then each begun so many seconds"))] = None,
    flat: Annotated[str | None, typer.Option(metavar="0.30", help=en("a fee per call, whatever its length"))] = None,
    rate: Annotated[str | None, typer.Option(metavar="0.02", help=en("a price per minute, with --increments"))] = None,
    increments: Annotated[
        str | None, typer.Option(metavar="60/6", help=en("initial and next seconds of --rate"))
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="KIND=VALUE", help="area=0755 | country=US | prefix=1808 | pattern=3XXX | called=N"),
    ] = None,
    line_kind: Annotated[LineKind | None, typer.Option(help=en("only for this sort of line"))] = None,
    direction: Annotated[Direction, typer.Option(help=en("outbound, inbound or internal"))] = Direction.OUTBOUND,
    connection_fee: Annotated[str | None, typer.Option(metavar="0.05", help=en("for every answered call"))] = None,
    free_seconds: Annotated[int, typer.Option(min=0, help=en("seconds that cost nothing"))] = 0,
    minimum: Annotated[str | None, typer.Option(metavar="0.10", help=en("what a call costs at least"))] = None,
    maximum: Annotated[str | None, typer.Option(metavar="2.00", help=en("what a call costs at most"))] = None,
    grace_seconds: Annotated[int, typer.Option(min=0, help=en("calls of so many seconds are free"))] = 0,
    tier: Annotated[
        list[str] | None,
        typer.Option(metavar="300:60:0.05", help=en("from 300 s on each 60 s at 0.05; repeatable")),
    ] = None,
    completed: Annotated[bool, typer.Option("--completed", help=en("only completed steps are charged"))] = False,
    step_decimals: Annotated[
        int | None, typer.Option(min=-6, max=6, help=en("the cost of each step is rounded to so many"))
    ] = None,
    fee_decimals: Annotated[
        int | None, typer.Option(min=-6, max=6, help=en("the fee is rounded to so many; default: the carrier's"))
    ] = None,
    fee_rounding: Annotated[
        Literal["half_up", "half_even", "up", "down"] | None,
        typer.Option(help=en("how the fee is rounded; default: the carrier's")),
    ] = None,
    add_local: Annotated[bool, typer.Option("--add-local", help=en("the local fee comes on top"))] = False,
    window: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WINDOW", help=en('other figures at a time, e.g. "daily 00:00-07:00 6:0.04 6:0.04"; repeatable')
        ),
    ] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("first day of the price; default: today"))
    ] = None,
    note: Annotated[str, typer.Option(help=en("where the price comes from"))] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=en("only show what last month's calls would cost with it"))
    ] = False,
) -> None:
    """A price for the same calls from the same day on is replaced; an earlier one holds for earlier calls."""
    from ippbx_billing.lists.tariffs import cells, views
    from ippbx_billing.tariffs import Price, changes

    using = common.settings()
    kind, value = _match(match)
    try:
        price = Price(
            id=None,
            carrier=carrier,
            traffic_type=traffic_type,
            figures=_with_terms(
                _figures(initial, step, flat, rate, increments), tier or (), step_decimals, completed=completed
            ),
            effective_from=_day(first_day, "--from") if first_day else common.today(using),
            direction=direction,
            line_kind=line_kind,
            match=kind,
            value=value,
            connection_fee_micro=_read("--connection-fee", connection_fee, cells.amount, 0),
            free_s=free_seconds,
            minimum_fee_micro=_read("--minimum", minimum, cells.amount, 0),
            maximum_fee_micro=_read("--maximum", maximum, cells.amount, 0),
            grace_s=grace_seconds,
            decimals=fee_decimals,
            rounding=fee_rounding,
            add_local=add_local,
            windows=tuple(_read("--window", one, cells.window) for one in window or ()),
            note=note,
        )
    except ValueError as error:
        raise UsageError(str(error), tr("see `ippbx-bill tariffs set --help`")) from error
    with common.open_ledger(using) as ledger:
        ledger.book.carrier(carrier)
        change = changes([one for one in ledger.book.prices() if one.carrier == carrier], [price])
        if dry_run:
            say(views.told(change))
            _tell_difference(ledger, using, change)
            return
        ledger.book.change_prices(change)
        say(views.told(change))
        _tell_of_earlier(ctx, ledger, price)
    _hint_at_rerate(using, [price] if change else [])


def _tell_difference(ledger: "Ledger", using: "Settings", change: "Changes") -> None:
    """What last month's calls cost, and what they would cost with these prices."""
    from ippbx_billing.pipeline.repricing import repriced
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.views import repricing

    month = Period.month("last", common.today(using))
    with common.progress(tr("rating again")) as heard:
        found = repriced(ledger, using, change, month.first, month.last, heard)
    for sentence in repricing.sentences(found, using.currency, ledger.book.decimals()):
        say(sentence)
    say(tr("nothing has been changed; without --dry-run it is"))


def _tell_of_earlier(ctx: typer.Context, ledger: "Ledger", price: "Price") -> None:
    """Calls that wait for such a price since before it begins: it does not help them."""
    kind = price.carrier, price.traffic_type, price.direction
    count, first = ledger.calls.unpriced_before(*kind, price.effective_from.isoformat())
    if count:
        command = common.this_command(ctx, first_day=first)
        say(tr("{count} calls without a price are earlier; for these: `{command}`, then `{rerate}`",
               count=count, command=command, rerate=f"ippbx-bill rerate --from {first}"))  # fmt: skip


def _match(text: str | None) -> tuple[Any, str]:
    """`area=0755` as its two parts."""
    from ippbx_billing.lists.tariffs.cells import word
    from ippbx_billing.lists.tariffs.words import MATCHES

    if not text:
        return "any", ""
    kind, _, value = text.partition("=")
    try:
        found = word(kind, MATCHES)
    except ValueError:
        found = "any"
    if found == "any" or not value.strip():
        raise UsageError(
            tr("--match is {text!r}", text=text), tr("write it like area=0755, country=US, prefix=1808 or pattern=3XXX")
        )
    return found, value.strip()


def _figures(initial: str | None, step: str | None, flat: str | None, rate: str | None, increments: str | None) -> Any:
    """The figures from whichever of the three ways to say them was taken."""
    from ippbx_billing.lists.tariffs import cells, rated
    from ippbx_billing.tariffs import Figures

    ways = [bool(initial and step), bool(flat), bool(rate and increments)]
    given = [one is not None for one in (initial, step, flat, rate, increments)]
    if ways.count(True) != 1 or given.count(True) != (1 if flat else 2):
        raise UsageError(
            tr("the price is not told, or told twice"),
            tr("say --initial 180:0.22 --step 60:0.11, or --flat 0.30, or --rate 0.02 --increments 60/6"),
        )
    if flat:
        return Figures(0, _read("--flat", flat, cells.amount), 0, 0)
    if rate:
        per_minute = _read("--rate", rate, cells.per_minute)
        return rated(_read("--increments", increments, cells.increments), per_minute, per_minute, 60)
    blocks = (*_read("--initial", initial, cells.block), *_read("--step", step, cells.block))
    return cells.believable(Figures(*blocks))


def _with_terms(figures: Any, tiers: Iterable[str], step_decimals: int | None, *, completed: bool) -> Any:
    """The figures with their tiers, and with how steps count."""
    from ippbx_billing.tariffs import spelling

    return replace(
        figures,
        tiers=tuple(_read("--tier", one, spelling.tier) for one in tiers),
        counting="completed" if completed else "begun",
        step_decimals=step_decimals,
    )


def _read(option: str, text: str | None, reader: Any, default: Any = None) -> Any:
    """The option's value; UsageError names option, value and what would be right."""
    if text is None:
        return default
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option=option, text=text), str(error)) from error


def _day(text: str, option: str) -> date:
    from ippbx_billing.lists.tariffs import cells

    found: date = _read(option, text, cells.day)
    return found


@app.command("remove", help=en("Take a price out of use; calls already rated keep it."))
def remove(price: Annotated[int, typer.Argument(metavar="ID", help=en("the price's id, see `tariffs show`"))]) -> None:
    """Its row stays for the charges that rest on it."""
    from ippbx_billing.lists.tariffs.views import in_words, what

    with common.open_ledger(common.settings()) as ledger:
        found = next((one for one in ledger.book.prices() if one.id == price), None)
        if found is None:
            raise NotFoundError(tr("there is no price {id}", id=price), tr("see `ippbx-bill tariffs show`"))
        ledger.book.end_prices([price])
    say(tr("removed {what}: {price}", what=what(found), price=in_words(found)))


# -- files


@app.command("export", help=en("Write a carrier's tariff to a file: TOML to edit, CSV or XLSX for spreadsheets."))
def export(
    carrier: Annotated[str | None, typer.Argument(help=en("the carrier; default: all (CSV and XLSX)"))] = None,
    output: OutputOption = None,
    file_format: Annotated[
        Literal["toml", "csv", "xlsx"] | None,
        typer.Option("--format", help=en("default: by the file's name, else toml")),
    ] = None,
) -> None:
    """Nothing is left out: the file imported again is the same tariff."""
    from ippbx_billing.lists import tariffs as exchange
    from ippbx_billing.tariffs.changes import in_order

    form = _form(file_format, output)
    with common.open_ledger(common.settings()) as ledger:
        carriers = [ledger.book.carrier(carrier)] if carrier else ledger.book.carriers()
        prices = [one for one in ledger.book.prices() if carrier in (None, one.carrier)]
    if form is exchange.FileForm.TOML and len(carriers) != 1:
        raise UsageError(
            tr("a TOML file holds one carrier"), tr("name the carrier, or write all of them with --format csv")
        )
    _write(exchange.write(form, carriers, in_order(prices)), form, output)


def _form(wanted: str | None, output: Path | None) -> "FileForm":
    from ippbx_billing.lists.tariffs import FileForm

    if wanted:
        return FileForm(wanted)
    ending = output.suffix.lower().lstrip(".") if output else "toml"
    if ending not in set(FileForm):
        raise UsageError(tr("{path} ends in neither .toml, .csv nor .xlsx", path=output), tr("say --format as well"))
    return FileForm(ending)


def _write(content: bytes, form: "FileForm", output: Path | None) -> None:
    """To the file, which appears whole or not at all, or to stdout."""
    if output is None or str(output) == "-":
        if form == "xlsx" and output is None:
            raise UsageError(tr("a workbook cannot be shown on a terminal"), tr("name a file: --output tariff.xlsx"))
        typer.get_binary_stream("stdout").write(content)
        return
    files.write(output, content)
    say(tr("wrote {path}", path=output))


@app.command("import", help=en("Import prices from a file, after showing what would change."))
def import_file(
    file: FileArgument,
    carrier: Annotated[str | None, typer.Option(help=en("whose prices they are"))] = None,
    traffic_type: TypeOption = None,
    increments: IncrementsOption = None,
    first_day: DayOption = None,
    decimal: DecimalOption = None,
    dates: DatesOption = None,
    ignore: IgnoreOption = None,
    off_peak: OffPeakOption = None,
    all_calls: AllCallsOption = False,
    encoding: EncodingOption = "",
    whole: ReplaceOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=en("only show what would change"))] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=en("do not ask"))] = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """All of the file or nothing of it: every fault is listed with its line first."""
    from ippbx_billing.lists.tariffs import views
    from ippbx_billing.lists.tariffs.imports import carry_out, plan_import

    using = common.settings()
    assume = _assumptions(
        using, carrier, traffic_type, increments, first_day, decimal, dates, ignore, off_peak, all_calls, encoding
    )
    found = _read_file(file, assume)
    with common.open_ledger(using) as ledger:
        plan = plan_import(ledger, found, str(file), assume, whole=whole)
        if dry_run:
            show_listing(views.plan(plan), form, output)
            say(views.summed_up(plan.changes))
            _tell_difference(ledger, using, plan.changes)
            return
        if not plan:
            say(tr("nothing would change: {count} prices are in force already", count=plan.changes.same))
            return
        _preview(plan, file)
        for example in views.examples(plan, ledger.book.carriers(), using.currency):
            say(example)
        _warn(plan, ledger, using)
        say(views.summed_up(plan.changes))
        if not yes and not _agreed():
            raise BillingError(tr("nothing was changed"), tr("say --yes to import without being asked"))
        with common.progress(tr("Storing")) as heard, common.nothing_collected():
            carry_out(ledger, plan, heard)
    say(tr("imported"))
    _hint_at_rerate(using, [*plan.changes.coming, *plan.changes.removed])


@app.command("diff", help=en("Show what a file would change, or in what two carriers' tariffs differ."))
def diff(
    first: Annotated[str, typer.Argument(metavar="FILE|CARRIER", help=en("a file, or a carrier"))],
    second: Annotated[str | None, typer.Argument(metavar="CARRIER", help=en("the carrier to compare with"))] = None,
    traffic_type: TypeOption = None,
    increments: IncrementsOption = None,
    first_day: DayOption = None,
    decimal: DecimalOption = None,
    dates: DatesOption = None,
    ignore: IgnoreOption = None,
    off_peak: OffPeakOption = None,
    all_calls: AllCallsOption = False,
    encoding: EncodingOption = "",
    whole: ReplaceOption = False,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """From the present tariff to the file's, or from the first carrier's to the second one's."""
    from ippbx_billing.lists.tariffs import views
    from ippbx_billing.lists.tariffs.imports import between, plan_import

    using = common.settings()
    with common.open_ledger(using) as ledger:
        if Path(first).is_file():
            assume = _assumptions(
                using,
                second,
                traffic_type,
                increments,
                first_day,
                decimal,
                dates,
                ignore,
                off_peak,
                all_calls,
                encoding,
            )
            plan = plan_import(ledger, _read_file(Path(first), assume), first, assume, whole=whole)
        elif second:
            plan = between(ledger, first, second)
        else:
            hint = tr("name a file, or two carriers to compare with one another")
            raise UsageError(tr("there is no file {name}", name=first), hint)
    show_listing(views.plan(plan), form, output)
    say(views.summed_up(plan.changes))


def _assumptions(
    using: "Settings",
    carrier: str | None,
    traffic_type: TrafficType | None,
    increments: str | None,
    first_day: str | None,
    decimal: Any,
    dates: Any,
    ignore: Sequence[str] | None,
    off_peak: str | None,
    all_calls: bool,
    encoding: str,
) -> "Assumptions":
    """What the options say for all that the file leaves open."""
    from ippbx_billing.lists.tariffs import Assumptions, Home, cells

    return Assumptions(
        today=common.today(using),
        home=Home(using.country, using.area_code),
        carrier=carrier,
        traffic_type=traffic_type,
        effective_from=_day(first_day, "--from") if first_day else None,
        increments=_read("--increments", increments, cells.increments),
        separator=decimal,
        dates=dates,
        currency=using.currency,
        ignored=tuple(ignore or ()),
        off_peak=_read("--off-peak", off_peak, cells.times_of_day),
        all_calls=all_calls,
        encoding=encoding,
    )


def _read_file(file: Path, assume: "Assumptions") -> "Imported":
    """The file's prices; what was noticed in it is told."""
    from ippbx_billing.lists.tariffs.imports import read_file

    with common.progress(tr("Reading")) as heard, common.nothing_collected():
        found = read_file(file, assume, heard)
    for remark in found.remarks:
        say(f"{file}: {remark}")
    return found


def _preview(plan: "ImportPlan", file: Path) -> None:
    """Before asking: the first changes, and how many there are, on stderr."""
    import sys
    from contextlib import redirect_stdout

    from ippbx_billing.lists.tariffs import views

    with redirect_stdout(sys.stderr):
        show_listing(views.plan(plan, SHOWN_BEFORE_ASKING))
    if len(plan) > SHOWN_BEFORE_ASKING:
        more = len(plan) - SHOWN_BEFORE_ASKING
        say(tr("and {count} more; `ippbx-bill tariffs diff {file}` shows all", count=more, file=file))
    if plan.new_carrier:
        say(tr("{name} is a new carrier", name=plan.new_carrier.name))


def _warn(plan: "ImportPlan", ledger: "Ledger", using: "Settings") -> None:
    """Rows that no call can find, and numbers of the last months that would have no price any more."""
    from ippbx_billing.lists.tariffs import views
    from ippbx_billing.pipeline.losing import lost_by
    from ippbx_billing.tariffs import HolidayCalendar

    lost = lost_by(ledger, plan, common.today(using), HolidayCalendar(using.country))
    for sentence in views.warnings(plan, lost, using.country, using.area_code, SHOWN_WARNINGS):
        say(sentence)


def _agreed() -> bool:
    try:
        return typer.confirm(tr("Import?"), err=True)
    except typer.Abort:
        return False


def _hint_at_rerate(using: "Settings", prices: Sequence["Price"]) -> None:
    """Calls already rated keep their price until somebody asks for more."""
    first = min((price.effective_from for price in prices), default=None)
    if first is not None and first < common.today(using):
        say(tr("calls already rated keep their fee until `ippbx-bill rerate --from {day}`", day=first))


# -- checks


@app.command("check", help=en("Find calls without a price, prices that cannot be told apart, amounts hard to believe."))
def check(
    carrier: Annotated[str | None, typer.Argument(help=en("the carrier; default: all"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Exit code 1 where prices contradict each other; the rest is worth a look."""
    from ippbx_billing.lists.tariffs import views
    from ippbx_billing.tariffs import checks

    using = common.settings()
    with common.open_ledger(using) as ledger:
        carriers = [ledger.book.carrier(carrier)] if carrier else ledger.book.carriers()
        prices = ledger.book.prices()
        found = [
            one
            for own in carriers
            for one in checks.check(own, prices, common.today(using), country=using.country, area_code=using.area_code)
        ]
        show_listing(views.doubts(found, ledger, carrier), form, output)
    if any(one.severity == "error" for one in found):
        raise typer.Exit(1)
