"""A charge's story for people and programs, shared by `calls explain` and `quote`."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from ippbx_billing import language, money
from ippbx_billing.calls import Call, Charge, ChargeStatus, Classification, Reason, Step, TrafficType, priced_at
from ippbx_billing.language.reasons import told, told_why

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.settings import Settings
    from ippbx_billing.tariffs.plans import PlanCall, Rest


def of_stored(ledger: "Ledger", using: "Settings", row: Row, call: Call, classification: Classification) -> Charge:
    """The stored charge with its steps, worked out again from the very price row it rests on."""
    from ippbx_billing.ledger.reasons import loaded

    again = _again(ledger, using, row, call, classification)
    status, fee_micro = ChargeStatus(row["status"]), row["fee_micro"]
    if (again.status, again.fee_micro) == (status, fee_micro):
        return again
    return Charge(
        status=status,
        fee_micro=fee_micro,
        reason=loaded(row["reason"], row["reason_facts"]) if row["reason"] else Reason("rules-changed"),
        calendar=row["calendar"],
        price_id=row["price_id"],
        window=row["window"],
    )


def _again(ledger: "Ledger", using: "Settings", row: Row, call: Call, classification: Classification) -> Charge:
    """The call rated by the price that the stored charge rests on."""
    from ippbx_billing.pipeline import Rules
    from ippbx_billing.tariffs import TariffBook

    rules = Rules.of(ledger, using, reading=False)
    price = ledger.book.price(row["price_id"]) if row["price_id"] else None
    if price is not None:
        others = [one for one in rules.book.prices if one.traffic_type is TrafficType.LOCAL and one.id != price.id]
        kept = [] if price.traffic_type is TrafficType.LOCAL else others
        carriers = list(rules.book.carriers.values())
        rules.book = TariffBook(carriers, rules.book.trunks.values(), [price, *kept], rules.book.calendar)
    _, again = rules.explain(call, classification)
    return again


def rest_of(ledger: "Ledger", using: "Settings") -> "Rest":
    """Tells what a call would cost of which some seconds are covered: a call of the others, by the price it rests on.

    Where windows begin and end within a call, these seconds are the last ones. None where the stored fee
    is another than that price gives today, so that nobody can say.
    """
    from ippbx_billing.ledger.calls import call_of, classification_of

    def rest(wanted: "PlanCall", seconds: int) -> int | None:
        stored = ledger.calls.get(wanted.id)
        if stored is None or stored["fee_micro"] is None:
            return None
        call, meaning = call_of(stored), classification_of(stored)
        charge = of_stored(ledger, using, stored, call, meaning)
        if not charge.steps or charge.carrier is None:
            return None
        covered_s = call.billed_s - seconds
        parts_ms = None if call.billed_ms is None else call.billed_ms - covered_s * 1000
        shorter = replace(call, billed_s=seconds, billed_ms=parts_ms)
        if ledger.book.carrier(charge.carrier).crossing != "start":
            shorter = replace(shorter, answered_at=priced_at(call) + timedelta(seconds=covered_s))
        return _again(ledger, using, stored, shorter, meaning).fee_micro

    return rest


def begins_later(
    ledger: "Ledger", using: "Settings", row: Row, call: Call, classification: Classification
) -> str | None:
    """The first day on which the carrier has a price for a call that had none on its own day."""
    from datetime import date

    from ippbx_billing.pipeline import Rules

    if row["reason"] != "no-price" or call.direction is None:
        return None
    book = Rules.of(ledger, using, reading=False).book
    carrier = book.carrier_for(call.trunk)
    if carrier is None:
        return None
    kind = carrier.name, classification.traffic_type, call.direction
    own = {one.effective_from for one in book.prices if (one.carrier, one.traffic_type, one.direction) == kind}
    for day in sorted(one for one in own if one > date.fromisoformat(row["day"])):
        if book.price_for(carrier, classification, call.direction, day):
            return day.isoformat()
    return None


def steps(charge: Charge) -> list[dict[str, Any]]:
    """The steps as JSON: code, facts, what each adds to the fee, and the sentence that says it."""
    from ippbx_billing.language.stories import describe

    return [
        {
            "step": step.code,
            **step.facts,
            **_because(step),
            "amount": money.text(step.amount_micro),
            "text": describe(step, language.language()),
        }
        for step in charge.steps
    ]


def _because(step: Step) -> dict[str, Any]:
    """What a number is, or why there is no fee."""
    if step.code == "traffic":
        return told_why(step.reason)
    return told(step.reason) if step.reason else {}


def sentences(charge: Charge) -> Iterable[str]:
    """The story, numbered, to be read aloud."""
    for number, step in enumerate(steps(charge), start=1):
        yield f"{number}. {step['text']}"
