"""`compare`: what a month's real calls would have cost with each carrier."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.render import show
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.reports.comparison import Comparison, Offer


def compare(
    month: MonthOption = "last",
    carriers: Annotated[str, typer.Option(metavar="A,B,…", help=tr("the carriers; default: all"))] = "",
    form: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """A column a carrier, a row a traffic type, the cheapest marked."""
    from ippbx_billing import reports
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.reports import comparison

    using = common.settings()
    period = reports.Period.month(month or "last", common.today(using))
    with common.open_ledger(using) as ledger:
        names = [name.strip() for name in carriers.split(",") if name.strip()]
        chosen = [ledger.book.carrier(name) for name in names] or ledger.book.carriers()
        answer = comparison.compare(ledger, Rules.of(ledger, using, reading=False), period, chosen)
    rows, total = _rows(answer), _total(answer)
    headings = [
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("calls", tr("Calls"), "number"),
        *(Column(one.carrier.name, _heading(one, answer), "money") for one in answer.offers),
    ]
    document = {
        "month": period.name,
        "currency": using.currency,
        "carriers": [_offer(one, answer) for one in answer.offers],
        "rows": rows,
        "total": total,
    }
    title = tr("Fees of {month} ({currency}) with each carrier", month=period.name, currency=using.currency)
    empty = tr("no calls in {month}", month=period.name)
    table_total = {**total, "traffic_type": tr("total")}
    show(rows, headings, form, output, total=table_total, document=document, title=title, empty=empty)
    if form is Format.TABLE:
        _footer(answer)


def _heading(offer: "Offer", answer: "Comparison") -> str:
    return f"{offer.carrier.name} *" if offer in answer.cheapest else offer.carrier.name


def _rows(answer: "Comparison") -> list[dict[str, Any]]:
    return [
        {
            "traffic_type": traffic_type,
            "calls": count,
            **{one.carrier.name: _fee(one, one.fees[traffic_type]) for one in answer.offers},
        }
        for traffic_type, count in sorted(answer.calls.items())
    ]


def _total(answer: "Comparison") -> dict[str, Any]:
    fees = {one.carrier.name: _fee(one, one.fees.total()) for one in answer.offers}
    return {"calls": answer.calls.total(), **fees}


def _offer(offer: "Offer", answer: "Comparison") -> dict[str, Any]:
    return {
        "name": offer.carrier.name,
        "fee": _fee(offer, offer.fees.total()),
        "unpriced": offer.unpriced.total(),
        "unpriced_by_traffic_type": dict(sorted(offer.unpriced.items())),
        "cheapest": offer in answer.cheapest,
    }


def _fee(offer: "Offer", micro: int) -> str:
    from ippbx_billing.reports import fee_text

    return str(fee_text(micro, offer.carrier.decimals))


def _footer(answer: "Comparison") -> None:
    """What the star means, and which calls an offer says nothing about."""
    say(tr("* the cheapest of those that have a price for the most calls"))
    for offer in answer.offers:
        if offer.unpriced:
            kinds = ", ".join(f"{tr(name)} {count}" for name, count in sorted(offer.unpriced.items()))
            count = offer.unpriced.total()
            say(tr("{name} has no price for {count} calls: {kinds}", name=offer.carrier.name, count=count, kinds=kinds))
