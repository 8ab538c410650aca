"""What an imagined call would cost, and why, told as `calls explain` tells of a real one."""

from collections.abc import Iterator, Mapping
from typing import Any

from ippbx_billing.calls import Call, Charge, Classification
from ippbx_billing.language import language, tr
from ippbx_billing.language.countries import country_name
from ippbx_billing.language.reasons import sentence, told, told_why
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.tariffs.views import figures_row
from ippbx_billing.reports import fee_text
from ippbx_billing.reports.views import story


def quote(ledger: Ledger, call: Call, classification: Classification, charge: Charge, currency: str) -> dict[str, Any]:
    """The call and its charge with the keys of the contract."""
    price = ledger.book.price(charge.price_id) if charge.price_id else None
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
        **told_why(classification.why),
    }


def sentences(document: Mapping[str, Any], charge: Charge) -> Iterator[str]:
    """For people: the number, the story of its charge, and the fee."""
    where = " ".join(filter(None, (document["region"], document["place"])))
    where = where or (country_name(document["country"], language()) if document["country"] else "")
    heading = f"{document['number']}  {tr(document['traffic_type'])}  {where}".rstrip()
    if document["fee"] is None:
        last = tr("no fee: {reason}", reason=sentence(charge.reason))
    else:
        last = tr("Fee: {fee} {currency}", fee=document["fee"], currency=document["currency"])
    yield from (heading, *story.sentences(charge), last)
