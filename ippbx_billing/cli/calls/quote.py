"""`quote`: what a call would cost, and why, by the rules that rate the real ones."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ippbx_billing.calls import Call, Direction, Disposition
from ippbx_billing.cli import common, given
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.documents.columns import Format, all_columns
from ippbx_billing.documents.render import lines, show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import en, tr


def quote(
    number: Annotated[
        str, typer.Argument(callback=given.number, help=en("the number as dialled, or as shown for an incoming call"))
    ],
    seconds: Annotated[str, typer.Option(metavar="SECONDS", help=en("talk time in seconds, e.g. 80 or 60.5"))],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help=en("start, e.g. 2026-10-01T09:30; default: now"))
    ] = None,
    direction: Annotated[Direction, typer.Option(help=en("outbound, inbound or internal"))] = Direction.OUTBOUND,
    trunk: Annotated[str | None, typer.Option(help=en("the trunk it goes through"))] = None,
    carrier: Annotated[str | None, typer.Option(help=en("the carrier that charges it"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Rate an imagined call and tell its story."""
    if trunk and carrier:
        raise UsageError(tr("--trunk and --carrier exclude each other"), tr("a trunk has a carrier of its own"))
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.reports.views import quotes

    using = common.settings()
    start = _time(at, using) if at else common.now()
    billed_s, billed_ms = _talk(seconds)
    call = Call(
        pbx="quote",
        dialect="quote",
        started_at=start,
        billed_s=billed_s,
        billed_ms=billed_ms,
        disposition=Disposition.ANSWERED,
        number=number,
        trunk=trunk,
        direction=direction,
    )
    with common.open_ledger(using) as ledger:
        rules = Rules.of(ledger, using, reading=False, prices=False)
        if trunk and trunk not in rules.book.trunks:
            raise UsageError(tr("there is no trunk {name}", name=trunk), tr("see `ippbx-bill trunks list`"))
        if carrier:
            rules = rules.with_default_carrier(ledger.book.carrier(carrier).name)
        classification, charge = rules.pricing(call, ledger).explain(call)
        document = quotes.quote(ledger, call, classification, charge, using.currency)
    if form.is_data:
        show([document], all_columns(document), form, output, document=document)
        return
    lines(quotes.sentences(document, charge), output, form)


def _talk(text: str) -> tuple[int, int | None]:
    from ippbx_billing.tariffs import spelling

    try:
        return spelling.talk(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option="--seconds", text=text), str(error)) from error


def _time(text: str, using: Any) -> datetime:
    """A moment, on the site's clock where it names no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a time", text=text), tr("write it like 2026-10-01T09:30")) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=using.site_zone)).astimezone(UTC)
