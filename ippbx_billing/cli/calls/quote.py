"""`quote`: what a call would cost, and why, by the rules that rate the real ones."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ippbx_billing.calls import Call, Direction, Disposition
from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, OutputOption
from ippbx_billing.documents.columns import Format
from ippbx_billing.documents.render import lines, show
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.language.reasons import sentence, told
from ippbx_billing.reports.views import story


def quote(
    number: Annotated[str, typer.Argument(help=tr("the number as dialled, or as shown for an incoming call"))],
    seconds: Annotated[str, typer.Option(metavar="SECONDS", help=tr("talk time in seconds, e.g. 80 or 60.5"))],
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help=tr("start, e.g. 2026-10-01T09:30; default: now"))
    ] = None,
    direction: Annotated[Direction, typer.Option(help=tr("outbound, inbound or internal"))] = Direction.OUTBOUND,
    trunk: Annotated[str | None, typer.Option(help=tr("the trunk it goes through"))] = None,
    carrier: Annotated[str | None, typer.Option(help=tr("the carrier that charges it"))] = None,
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Rate an imagined call and tell its story."""
    if trunk and carrier:
        raise UsageError(tr("--trunk and --carrier exclude each other"), tr("a trunk has a carrier of its own"))
    from ippbx_billing.pipeline import Rules

    using = common.settings()
    start = _time(at, using) if at else common.now()
    talk_ms = _talk_ms(seconds)
    call = Call(
        pbx="quote",
        dialect="quote",
        started_at=start,
        billed_s=-(-talk_ms // 1000),
        billed_ms=talk_ms if talk_ms % 1000 else None,
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
        price = ledger.book.price(charge.price_id) if charge.price_id else None
        document = _document(call, classification, charge, price, using.currency, ledger)
    if form.is_data:
        show([document], common.all_columns(document), form, output, document=document)
        return
    lines(_told(document, charge), output, form)


def _document(call: Call, classification: Any, charge: Any, price: Any, currency: str, ledger: Any) -> dict[str, Any]:
    from ippbx_billing.lists.tariffs.views import figures_row
    from ippbx_billing.reports import fee_text

    decimals = ledger.book.carrier(charge.carrier).decimals if charge.carrier else 2
    figures = price and price.figures
    return {
        "number": call.number,
        "normalized": classification.normalized,
        "country": classification.country,
        "region": classification.region,
        "place": classification.place,
        "traffic_type": classification.traffic_type.value,
        "line_kind": classification.line_kind.value,
        "carrier": charge.carrier,
        "billed_s": call.billed_s,
        "fee": fee_text(charge.fee_micro, decimals),
        "currency": currency,
        "price": figures and figures_row(figures),
        "window": charge.window,
        "steps": story.steps(charge),
        "status": charge.status.value,
        **told(charge.reason),
        "why": classification.why,
    }


def _told(document: dict[str, Any], charge: Any) -> list[str]:
    where = " ".join(filter(None, (document["region"], document["place"]))) or document["country"] or ""
    heading = f"{document['number']}  {tr(document['traffic_type'])}  {where}".rstrip()
    if document["fee"] is None:
        last = tr("no fee: {reason}", reason=sentence(charge.reason))
    else:
        last = tr("Fee: {fee} {currency}", fee=document["fee"], currency=document["currency"])
    return [heading, *story.sentences(charge), last]


def _talk_ms(text: str) -> int:
    """The talk time in milliseconds."""
    from ippbx_billing.lists.tariffs.cells import MOST_SECONDS
    from ippbx_billing.tariffs.spelling import seconds

    try:
        talk_ms = seconds(text) * 1000
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option="--seconds", text=text), str(error)) from error
    if talk_ms != int(talk_ms) or talk_ms > MOST_SECONDS * 1000:
        wanted = tr("seconds with at most three decimals are wanted, such as 60.5")
        raise UsageError(tr("{option} is {text!r}", option="--seconds", text=text), wanted)
    return int(talk_ms)


def _time(text: str, using: Any) -> datetime:
    """A moment, on the site's clock where it names no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is no time", text=text), tr("write it like 2026-10-01T09:30")) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=using.site_zone)).astimezone(UTC)
