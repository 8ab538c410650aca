"""`tariffs plans`: free minutes, included amounts, volume prices, monthly fees: the lines of a month's bill."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ippbx_billing import files
from ippbx_billing.calls import TrafficType
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format, all_columns
from ippbx_billing.documents.render import show
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.tariffs.plans import Plan

app = Commands()

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help=en("the plan's name, as bills show it"))]
SHOWN_FAULTS = 100


@app.command("list", help=en("List the plans of the month, every version of each."))
def list_plans(form: FormatOption = Format.TABLE, output: OutputOption = None) -> None:
    """By name, the oldest version first."""
    from ippbx_billing.lists import plans as lists

    with common.open_ledger(common.settings()) as ledger:
        found = ledger.plans.plans()
    if form.is_data:
        rows = list(map(lists.plan_row, found))
        show(rows, all_columns(rows[0] if rows else {"name": None, "kind": None}), form, output)
        return
    show(map(lists.shown, found), lists.columns(), form, output, empty=tr("no plans"))


@app.command("set", help=en("Set a plan: what it gives or takes each month, for whose calls, from which day on."))
def set_plan(
    name: NameArgument,
    free_minutes: Annotated[int | None, typer.Option(min=1, help=en("so many minutes a month cost nothing"))] = None,
    included: Annotated[
        str | None, typer.Option(metavar="50.00", help=en("so much of the fees a month is included"))
    ] = None,
    beyond: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MINUTES:RATE", help=en("beyond so many minutes, 500:0.10 a minute or 500:-20%; repeatable")
        ),
    ] = None,
    monthly_fee: Annotated[str | None, typer.Option(metavar="100.00", help=en("a fee for each month"))] = None,
    all_minutes: Annotated[
        bool, typer.Option("--all-minutes", help=en("the step reached is for all minutes of the month"))
    ] = False,
    count_by: Annotated[
        str | None, typer.Option(metavar="minute|second|N", help=en("talk time is counted by begun units of this"))
    ] = None,
    carrier: Annotated[str | None, typer.Option(help=en("only calls over this carrier"))] = None,
    scope: Annotated[
        str,
        typer.Option(
            metavar="site|trunk|department|extension[=NAME]", help=en("whose calls; without a name each has its own")
        ),
    ] = "site",
    traffic_type: Annotated[
        list[TrafficType] | None, typer.Option(help=en("only this traffic type; repeatable"))
    ] = None,
    direction: Annotated[
        Literal["outbound", "inbound", "internal", "any"], typer.Option(help=en("which way calls go"))
    ] = "outbound",
    part_month: Annotated[
        Literal["whole", "days"], typer.Option(help=en("what a month counts in which it holds for some days"))
    ] = "whole",
    decimals: Annotated[int | None, typer.Option(min=0, max=6, help=en("how each call's part is rounded"))] = None,
    first_day: Annotated[
        str | None,
        typer.Option("--from", metavar="YYYY-MM-DD", help=en("first day; default: the first of this month")),
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help=en("last day; default: until further notice"))
    ] = None,
    note: Annotated[str, typer.Option(help=en("where the plan comes from"))] = "",
) -> None:
    """A version holds until the next one of its name begins; one from the same day on is replaced."""
    from ippbx_billing.lists import plans as lists

    using = common.settings()
    kind = _kind(free_minutes, included, beyond, monthly_fee)
    place, _, value = scope.partition("=")
    day = common.day(first_day) if first_day else common.today(using).replace(day=1)
    texts = {
        "name": name.strip(),
        "kind": kind,
        "carrier": carrier or "",
        "scope": place,
        "scope_value": value.strip(),
        "traffic_types": ", ".join(traffic_type or ()),
        "direction": direction,
        "amount": included or monthly_fee or "",
        "included_s": f"{free_minutes} min" if free_minutes else "",
        "unit_s": {"minute": "60", "second": "1", None: ""}.get(count_by, count_by or ""),
        "steps": ", ".join(beyond or ()),
        "reach": "all" if all_minutes else "marginal",
        "part_month": part_month,
        "decimals": "" if decimals is None else str(decimals),
        "effective_from": day.isoformat(),
        "effective_to": common.day(last_day).isoformat() if last_day else "",
        "note": note,
    }
    try:
        plan = lists.plan_of(texts)
    except ValueError as error:
        raise UsageError(str(error), tr("see `ippbx-bill tariffs plans set --help`")) from error
    with common.open_ledger(using) as ledger:
        _must_be_known(ledger, plan)
        ledger.plans.put(plan)
        kept = next(one for one in ledger.plans.plan(plan.name) if one.effective_from == plan.effective_from)
    say(tr("{name} from {day}: {plan}; {who}", name=kept.name, day=kept.effective_from, plan=lists.in_words(kept),
           who=lists.for_whom(kept)))  # fmt: skip


def _kind(free_minutes: int | None, included: str | None, beyond: Any, monthly_fee: str | None) -> str:
    """Which kind of plan the options say."""
    ways = {"free_time": free_minutes, "included_amount": included, "volume": beyond, "monthly_fee": monthly_fee}
    given = [kind for kind, value in ways.items() if value]
    if len(given) != 1:
        raise UsageError(
            tr("what the plan gives or takes is not told, or told twice"),
            tr("say one of --free-minutes 300, --included 50.00, --beyond 500:0.10 and --monthly-fee 100.00"),
        )
    return given[0]


def _must_be_known(ledger: "Ledger", plan: "Plan") -> None:
    """A trunk of that name, and an extension that the directory or a call has; the others are looked up when stored."""
    from ippbx_billing.reports import Where
    from ippbx_billing.reports.names import who_is_meant

    if plan.scope == "trunk" and plan.scope_value:
        who_is_meant(ledger, Where(trunk=plan.scope_value), None)
    elif plan.scope == "extension" and plan.scope_value:
        who_is_meant(ledger, Where(extension=plan.scope_value), None)


@app.command("remove", help=en("Remove a plan from all months; with --from it ends, and earlier months keep it."))
def remove(
    name: NameArgument,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help=en("the first day without it"))
    ] = None,
) -> None:
    """Bills are worked out when they are asked for, so those of earlier months change with a plan that is taken out."""
    day = common.day(first_day) if first_day else None
    with common.open_ledger(common.settings()) as ledger:
        ledger.plans.remove(name, day)
    say(tr("{name} ends before {day}", name=name, day=day) if day else tr("removed {name}", name=name))


@app.command("export", help=en("Write all plans to a file: TOML to edit, CSV or XLSX for spreadsheets."))
def export(
    output: OutputOption = None,
    file_format: Annotated[
        Literal["toml", "csv", "xlsx"] | None,
        typer.Option("--format", help=en("default: by the file's name, else toml")),
    ] = None,
) -> None:
    """Nothing is left out: the file imported again is the same plans."""
    from ippbx_billing.lists import plans as lists
    from ippbx_billing.lists.tariffs import FileForm

    ending = output.suffix.lower().lstrip(".") if output else "toml"
    if not file_format and ending not in set(FileForm):
        raise UsageError(tr("{path} ends in neither .toml, .csv nor .xlsx", path=output), tr("say --format as well"))
    form = FileForm(file_format or ending)
    with common.open_ledger(common.settings()) as ledger:
        content = lists.write(form, ledger.plans.plans())
    if output and str(output) != "-":
        files.write(output, content)
        say(tr("wrote {path}", path=output))
    elif form is FileForm.XLSX and output is None:
        raise UsageError(tr("a workbook cannot be shown on a terminal"), tr("name a file: --output plans.xlsx"))
    else:
        typer.get_binary_stream("stdout").write(content)


@app.command("import", help=en("Import plans from a file, all or none; every fault is listed with its place."))
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=en("a CSV, XLSX or TOML file"))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=en("only show what would change"))] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help=en("the file holds all plans: others are taken out of all months"))
    ] = False,
) -> None:
    """Versions of the same name and first day are replaced."""
    from ippbx_billing.lists import plans as lists

    wanted = _read_file(file)
    with common.open_ledger(common.settings()) as ledger, ledger.transaction():
        change = lists.plan_changes(ledger.plans.plans(), wanted, whole=replace)
        if not dry_run:
            ledger.plans.forget(change.gone)
            ledger.plans.put(*change.coming)
    for one in change.coming:
        say(tr("{name} from {day}: {plan}; {who}", name=one.name, day=one.effective_from, plan=lists.in_words(one),
               who=lists.for_whom(one)))  # fmt: skip
    for one in change.gone:
        say(tr("removed {name}", name=f"{one.name} ({one.effective_from})"))
    say(tr("{changed} plans set, {removed} removed, {same} as before", changed=len(change.coming),
           removed=len(change.gone), same=change.same))  # fmt: skip


def _read_file(file: Path) -> "tuple[Plan, ...]":
    from ippbx_billing.lists import plans as lists

    try:
        found = lists.read(file.name, file.read_bytes())
    except OSError as error:
        raise NotFoundError(
            tr("{file} cannot be read: {error}", file=file, error=error.strerror),
            tr("check name and place of the file"),
        ) from error
    if found.faults:
        heading = tr("{file}: {count} faults", file=file, count=len(found.faults))
        lines = [f"  {fault}" for fault in found.faults[:SHOWN_FAULTS]]
        raise DataError("\n".join([heading, *lines]), tr("nothing was imported; correct these lines and try again"))
    return found.plans
