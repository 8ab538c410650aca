"""What the plans of the month took of one call, and the terms of departments, as every face shows them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from ippbx_billing import money
from ippbx_billing.documents.columns import Column, length
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import Period, View
    from ippbx_billing.tariffs.plans import Rest
    from ippbx_billing.tariffs.terms import BillingTerms


def plan_parts(ledger: "Ledger", view: "View", call: int, day: str, rest: "Rest") -> list[dict[str, Any]]:
    """What each plan of the month took of the call, in the order in which they were applied."""
    if not ledger.plans.plans():
        return []
    from ippbx_billing.reports.bills.lines import part_row
    from ippbx_billing.reports.plans import PlanMonth, month_of_day

    month = PlanMonth(ledger, view, month_of_day(date.fromisoformat(day)), rest)
    decimals = ledger.book.decimals()
    return [part_row(line, part, decimals) for line in month.lines for part in line.parts if part.call == call]


def plan_amounts(ledger: "Ledger", view: "View", period: "Period", rest: "Rest") -> list[tuple[str, str]]:
    """The lines of the site's bill of a month: name and amount."""
    from ippbx_billing.reports.plans import PlanMonth

    decimals = ledger.book.decimals()
    lines = PlanMonth(ledger, view, period, rest).lines if period.is_month else []
    return [
        (f"{one.plan.name} ({one.unit})" if one.unit else one.plan.name, money.text(one.amount_micro, decimals))
        for one in lines
    ]


def plan_sentence(part: Mapping[str, Any], currency: str) -> str:
    """`Plan 300 min: 1:00 counted, -0.22 CNY.`"""
    name = f"{part['plan']} ({part['unit']})" if part["unit"] else part["plan"]
    counted = length(part["seconds"])
    if part["amount"] is None:
        return tr("Plan {name}: {length} counted; what it takes off is not known without a price.", name=name,
                  length=counted)  # fmt: skip
    return tr("Plan {name}: {length} counted, {amount} {currency} on the month's bill.", name=name, length=counted,
              amount=part["amount"], currency=currency)  # fmt: skip


def terms_rows(terms: Iterable["BillingTerms"]) -> list[dict[str, Any]]:
    """The terms with the keys of the contract; null is what holds above in the tree."""
    return [
        {
            "department": one.department,
            "markup_percent": _percent(one.markup_percent),
            "markup_per_call": None if one.markup_per_call_micro is None else money.text(one.markup_per_call_micro),
            "tax_percent": _percent(one.tax_percent),
            "effective_from": one.effective_from.isoformat(),
        }
        for one in terms
    ]


def _percent(value: int | None) -> str | None:
    return None if value is None else money.text(value, 0)


def terms_columns() -> list[Column]:
    """The columns of `terms_rows`."""
    return [
        Column("department", tr("Department")),
        Column("markup_percent", tr("Mark-up %"), "money"),
        Column("markup_per_call", tr("Mark-up a call"), "money"),
        Column("tax_percent", tr("Tax %"), "money"),
        Column("effective_from", tr("Valid from"), "time"),
    ]
