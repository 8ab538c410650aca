"""`holidays`: the days off that discount windows go by, and the site's own corrections of them."""

from typing import Annotated, Literal

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption, say
from ippbx_billing.cli.helping import Commands
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import show_listing
from ippbx_billing.language import en, tr
from ippbx_billing.reports.views import rules

app = Commands()


@app.command("list", help=en("List the days of a year that are not as the day of the week says, and the site's own."))
def list_days(
    year: Annotated[int | None, typer.Option(min=1990, max=2100, help=en("default: this year"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Holidays, make-up working days, and every day that the site has an entry for."""
    from ippbx_billing.tariffs import HolidayCalendar

    using = common.settings()
    year = year or common.now().astimezone(using.site_zone).year
    with common.open_ledger(using) as ledger:
        own = ledger.rules.day_overrides()
    calendar = HolidayCalendar(using.country, {one.day: one.kind for one in own})
    show_listing(rules.unusual_days(year, calendar, own), form, output)
    if calendar.is_provisional(year):
        say(tr("{year} is provisional: make-up working days are not published", year=year))


@app.command("add", help=en("Set what a day, or the days up to --to, are: work, rest or holiday."))
def add(
    day: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help=en("the day"))],
    kind: Annotated[Literal["work", "rest", "holiday"], typer.Argument(help=en("work, rest (a weekend) or holiday"))],
    to: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help=en("the last day of several"))] = None,
    note: Annotated[str, typer.Option(help=en("why, e.g. 春节调休"))] = "",
) -> None:
    """Goes before the national calendar; calls already rated follow with `rerate`."""
    from ippbx_billing.lists.rules import day_entries

    days = day_entries(common.day(day), common.day(to or day), kind, note)
    with common.open_ledger(common.settings()) as ledger:
        ledger.rules.put_days(days)
    say(tr("{count} days are {kind} now", count=len(days), kind=tr(kind)))


@app.command("remove", help=en("Let the national calendar decide again."))
def remove(day: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help=en("the day"))]) -> None:
    """Only an entry of the site can be removed."""
    with common.open_ledger(common.settings()) as ledger:
        ledger.rules.remove_day(common.day(day))
    say(tr("removed {name}", name=day))
