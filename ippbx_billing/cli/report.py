"""`report`: sums of a month's calls by extension, trunk, carrier, traffic type or day."""

from typing import TYPE_CHECKING, Annotated

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.render import Column, Format, show
from ippbx_billing.texts import language, tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Report

app = typer.Typer()

SHOWN_REASONS = 5


@app.callback(invoke_without_command=True)
def report(
    month: MonthOption = "this",
    by: Annotated[
        str, typer.Option(metavar="KEY[,KEY]", help=tr("extension, trunk, carrier, traffic-type, day"))
    ] = "extension",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask the ledger, print the sums, and say what they do not cover."""
    from ippbx_billing import reports

    using = common.settings()
    keys = reports.grouping(by)
    period = reports.Period.month(month or "this", common.now().astimezone(using.site_zone).date())
    with common.open_ledger(using) as ledger:
        answer = reports.report(ledger, reports.View(using.site_zone, using.currency), period, keys)
        provisional = form is Format.TABLE and _provisional(ledger, using.country, period.first.year)
    show(
        answer.rows,
        _columns(answer),
        form,
        output,
        total={**answer.total, keys[0]: tr("total")},
        document=answer.document(),
        title=tr("Calls of {month}", month=period.name),
        empty=tr("no calls in {month}", month=period.name),
    )
    if form is Format.TABLE:
        _footer(answer)
    if provisional:
        say(tr("{year} is provisional: make-up working days are not published", year=period.first.year))


def _provisional(ledger: "Ledger", country: str, year: int) -> bool:
    """Whether fees of the year may still change, because a discount goes by days off that nobody has published."""
    from ippbx_billing.tariffs import HolidayCalendar

    by_days_off = any(window.kind != "daily" for price in ledger.book.prices() for window in price.windows)
    return by_days_off and HolidayCalendar(country).is_provisional(year)


def _columns(answer: "Report") -> list[Column]:
    headings = {
        "extension": Column("extension", tr("Extension"), "code"),
        "trunk": Column("trunk", tr("Trunk")),
        "carrier": Column("carrier", tr("Carrier"), "code"),
        "traffic_type": Column("traffic_type", tr("Traffic type"), "word"),
        "day": Column("day", tr("Day"), "time"),
    }
    people = [Column("name", tr("Name"), rank=1), Column("department", tr("Department"), rank=3)]
    return [
        *(headings[key] for key in answer.by),
        *(people if "extension" in answer.by and any(row["name"] or row["department"] for row in answer.rows) else []),
        Column("calls", tr("Calls"), "number"),
        Column("answered", tr("Answered"), "number"),
        Column("duration_s", tr("Duration"), "length", rank=2),
        Column("billed_s", tr("Talk time"), "length"),
        Column("fee", tr("Fee ({currency})", currency=answer.currency), "money"),
    ]


def _footer(answer: "Report") -> None:
    """What the sums do not cover, so that nobody takes a part for the whole."""
    from ippbx_billing.explain import reason

    for text, count in list(answer.gaps.items())[:SHOWN_REASONS]:
        say(tr("{count} calls unrated: {reason}", count=count, reason=reason(text, language())))
    rest = list(answer.gaps.values())[SHOWN_REASONS:]
    if rest:
        say(tr("{count} calls unrated for other reasons: see `calls list --status unrated`", count=sum(rest)))
    if answer.filtered:
        say(tr("{count} calls kept but not billed (filtered)", count=answer.filtered))
