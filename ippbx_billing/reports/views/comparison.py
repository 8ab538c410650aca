"""How a comparison of carriers looks: a column a carrier, a row a traffic type, the cheapest marked."""

from typing import Any

from ippbx_billing.documents.columns import Column, cell
from ippbx_billing.documents.document import Document, Section
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.reports import Period, fee_text
from ippbx_billing.reports.comparison import Comparison, Offer


def offers(answer: Comparison, period: Period, currency: str) -> Listing:
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
    title = tr("Fees of {month} ({currency}) with each carrier", month=period.name, currency=currency)
    empty = tr("no calls in {month}", month=period.name)
    foot = {**total, "traffic_type": tr("total")}
    return Listing(
        rows,
        headings,
        csv=[*headings, *(Column(one.unpriced, "", "number") for one in headings if one.unpriced)],
        document=document,
        paper=Document(
            title,
            facts=_facts(answer, period, currency),
            sections=[Section("", headings, rows, total=foot, empty=empty)],
            notes=notes(answer),
            dated=period.last,
        ),
        total=foot,
        title=title,
        empty=empty,
    )


def _facts(answer: Comparison, period: Period, currency: str) -> list[tuple[str, str]]:
    names = ", ".join(one.carrier.name for one in answer.offers)
    return [
        (tr("Days"), f"{period.first} – {period.last}"),
        (tr("Carrier"), names or "–"),
        (tr("Currency"), currency),
    ]


def _headings(answer: Comparison) -> list[Column]:
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


def _heading(offer: Offer, answer: Comparison) -> str:
    return f"{offer.carrier.name} *" if offer in answer.cheapest else offer.carrier.name


def _rows(answer: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "traffic_type": traffic_type,
            "calls": count,
            **{one.carrier.name: _fee(one, one.fees[traffic_type]) for one in answer.offers},
            **{_unpriced(one.carrier.name): one.unpriced[traffic_type] for one in answer.offers},
        }
        for traffic_type, count in sorted(answer.calls.items())
    ]


def _total(answer: Comparison) -> dict[str, Any]:
    fees = {one.carrier.name: _fee(one, one.fees.total()) for one in answer.offers}
    unpriced = {_unpriced(one.carrier.name): one.unpriced.total() for one in answer.offers}
    return {"calls": answer.calls.total(), **fees, **unpriced}


def _offer(offer: Offer, answer: Comparison) -> dict[str, Any]:
    return {
        "name": offer.carrier.name,
        "fee": _fee(offer, offer.fees.total()),
        "unpriced": offer.unpriced.total(),
        "unpriced_by_traffic_type": dict(sorted(offer.unpriced.items())),
        "cheapest": offer in answer.cheapest,
    }


def _fee(offer: Offer, micro: int) -> str:
    return str(fee_text(micro, offer.carrier.decimals))


def notes(answer: Comparison) -> list[str]:
    """What the star means, and which calls an offer says nothing about."""
    star = [tr("* the cheapest of those that have a price for the most calls")] if answer.cheapest else []
    return [*star, *(_missing(one) for one in answer.offers if one.unpriced)]


def _missing(offer: Offer) -> str:
    kinds = ", ".join(f"{cell(name, 'word')} {count}" for name, count in sorted(offer.unpriced.items()))
    count = offer.unpriced.total()
    return tr("{name} has no price for {count} calls: {kinds}", name=offer.carrier.name, count=count, kinds=kinds)
