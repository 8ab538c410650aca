"""`report changes`: what is no longer as it was in days whose bill was handed out."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.settings import Settings

ADDED = ("what", "changed_at", "status_before", "fee_before", "difference")


def changes(
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD[THH:MM]", help=en("when the bill was handed out, on the site's clock"))
    ],
    month: MonthOption = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Calls that came late, were corrected, joined or rated again; all earlier days unless a month is named."""
    from ippbx_billing import reports
    from ippbx_billing.reports.changes import since_handed_out

    using = common.settings()
    moment = _moment(since, using)
    days = _days(month, moment.date(), using)
    with common.open_ledger(using) as ledger, common.open_inbox(using) as inbox:
        last_event = inbox.last_before(moment) or _before_the_first(inbox)
        view = reports.View(using.site_zone, using.currency)
        rows = since_handed_out(ledger, view, moment, last_event, days)
    total = _total(rows)
    document = {
        "since": moment.isoformat(), "from": days[0], "to": days[1], "currency": using.currency, "rows": rows,
        "total": total,
    }  # fmt: skip
    title = tr("What changed since {since}", since=f"{moment:%Y-%m-%d %H:%M}")
    footer = {"id": tr("total"), **total}
    headings = _columns(form, using.currency)
    empty = tr("nothing changed in these days")
    show(rows, headings, form, output, total=footer, document=document, title=title, empty=empty)
    if form is Format.TABLE and total["unknown"]:
        say(tr("{count} of them have no known amount: the difference is not whole", count=total["unknown"]))


def _moment(text: str, using: "Settings") -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            tr("{text!r} is no time", text=text), tr("write it like 2026-11-02 or 2026-11-02T09:30")
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=using.site_zone)


def _days(month: str | None, handed_out: date, using: "Settings") -> tuple[str, str]:
    """The days asked about, at most up to the day before."""
    from ippbx_billing.reports import Period

    if month is None:
        return "0001-01-01", str(handed_out - timedelta(days=1))
    period = Period.month(month, common.today(using))
    return str(period.first), str(period.last)


def _before_the_first(inbox: Any) -> int:
    """Where all earlier events were pruned, what is left came later."""
    first = inbox.after(0, 1)
    return first[0].id - 1 if first else 0


def _total(rows: list[dict[str, Any]]) -> dict[str, Any]:
    known = [Decimal(row["difference"]) for row in rows if row["difference"] is not None]
    return {
        "calls": len(rows),
        "difference": str(sum(known, Decimal(0))) if known else "0.00",
        "unknown": len(rows) - len(known),
    }


def _columns(form: Format, currency: str) -> list[Column]:
    if form is Format.CSV:
        from ippbx_billing.reports import CALL_KEYS

        return [Column(key, key) for key in (*ADDED, *CALL_KEYS)]
    return [
        Column("id", tr("ID"), "code"),
        Column("what", tr("What"), "word"),
        Column("changed_at", tr("Changed"), "time", rank=2),
        Column("extension", tr("Extension"), "code"),
        Column("started_at", tr("Start"), "time"),
        Column("number", tr("Number"), "code", rank=1),
        Column("fee_before", tr("Before ({currency})", currency=currency), "money"),
        Column("fee", tr("After ({currency})", currency=currency), "money"),
        Column("difference", tr("Difference"), "money"),
    ]
