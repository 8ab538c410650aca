"""`compare`: what a month's real calls would have cost with each carrier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ippbx_billing.cli import common
from ippbx_billing.cli.common import FormatOption, MonthOption, OutputOption, say
from ippbx_billing.documents.columns import Column, Format
from ippbx_billing.documents.document import Document, Section
from ippbx_billing.documents.render import show
from ippbx_billing.language import en, tr

if TYPE_CHECKING:
    from ippbx_billing.reports import Period
    from ippbx_billing.reports.comparison import Comparison, Offer


def compare(
    month: MonthOption = "last",
    carriers: Annotated[str, typer.Option(metavar="A,B,…", help=en("the carriers; default: all"))] = "",
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
    _show(answer, period, using.currency, form, output)


def _show(answer: "Comparison", period: "Period", currency: str, form: Format, output: Path | None) -> None:
    """The offers side by side; what the star means and what has no price goes with them wherever they go."""
    rows, total = _rows(answer), _total(answer)
    headings = _headings(answer)
    document = {
        "month": period.name,
        "currency": currency,
        "carriers": [_offer(one, answer) for one in answer.offers],
        "rows": rows,
        "total": total,
    }
    if form is Format.CSV:
        show(rows, [*headings, *(Column(one.unpriced, "", "number") for one in headings if one.unpriced)], form, output)
        return
    title = tr("Fees of {month} ({currency}) with each carrier", month=period.name, currency=currency)
    empty = tr("no calls in {month}", month=period.name)
    foot = {**total, "traffic_type": tr("total")}
    paper = None
    if form.is_document:
        paper = Document(title, sections=[Section("", headings, rows, total=foot, empty=empty)], notes=_notes(answer))
    show(rows, headings, form, output, total=foot, document=document, title=title, empty=empty, paper=paper)
    if form is Format.TABLE:
        for note in _notes(answer):
            say(note)


def _headings(answer: "Comparison") -> list[Column]:
    return [
        Column("traffic_type", tr("Traffic type"), "word"),
        Column("calls", tr("Calls"), "number"),
        *(
            Column(one.carrier.name, _heading(one, answer), "money", unpriced=_unpriced(one.carrier.name))
            for one in answer.offers
        ),
    ]


def _unpriced(carrier: str) -> str:
    """The key of a row under which the number of calls stands that this carrier has no price for."""
    return f"unpriced {carrier}"


def _heading(offer: "Offer", answer: "Comparison") -> str:
    return f"{offer.carrier.name} *" if offer in answer.cheapest else offer.carrier.name


def _rows(answer: "Comparison") -> list[dict[str, Any]]:
    return [
        {
            "traffic_type": traffic_type,
            "calls": count,
            **{one.carrier.name: _fee(one, one.fees[traffic_type]) for one in answer.offers},
            **{_unpriced(one.carrier.name): one.unpriced[traffic_type] for one in answer.offers},
        }
        for traffic_type, count in sorted(answer.calls.items())
    ]


def _total(answer: "Comparison") -> dict[str, Any]:
    fees = {one.carrier.name: _fee(one, one.fees.total()) for one in answer.offers}
    unpriced = {_unpriced(one.carrier.name): one.unpriced.total() for one in answer.offers}
    return {"calls": answer.calls.total(), **fees, **unpriced}


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


def _notes(answer: "Comparison") -> list[str]:
    """What the star means, and which calls an offer says nothing about."""
    star = [tr("* the cheapest of those that have a price for the most calls")] if answer.cheapest else []
    return [*star, *(_missing(one) for one in answer.offers if one.unpriced)]


def _missing(offer: "Offer") -> str:
    kinds = ", ".join(f"{tr(name)} {count}" for name, count in sorted(offer.unpriced.items()))
    count = offer.unpriced.total()
    return tr("{name} has no price for {count} calls: {kinds}", name=offer.carrier.name, count=count, kinds=kinds)
