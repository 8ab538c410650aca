"""How bills look to programs, and what is said of calls on nobody's bill; on paper they look as `bills.paper` says."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from ippbx_billing.documents.columns import AT_LEAST, all_columns
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr
from ippbx_billing.language.commands import command_line
from ippbx_billing.reports.bills import Billing, Statement
from ippbx_billing.reports.coverage import Coverage

LISTED_EXTENSIONS = 10


def single(bill: Statement, missing: Coverage) -> dict[str, Any]:
    """One bill as JSON has it."""
    return bill.document() | {"coverage": missing.document()}


def everybody(billing: Billing, bills: Iterable[Statement], missing: Coverage) -> dict[str, Any]:
    """Everybody's bills as JSON has them."""
    return {
        "site": billing.site or None,
        "month": billing.period.name,
        "from": billing.period.first.isoformat(),
        "to": billing.period.last.isoformat(),
        "currency": billing.view.currency,
        "bills": [one.document() for one in bills],
        "without_employee": billing.unassigned(),
        "coverage": missing.document(),
    }


def rows(bills: Iterable[Statement]) -> Listing:
    """The bills as CSV has them: a line for each call where these were asked for, else for each sum; read once."""
    found = (row for one in bills for row in one.rows())
    first = next(found, None)
    if first is None:
        return Listing([], all_columns(["number"]))
    return Listing(chain([first], found), all_columns(first))


def some(bills: Iterator[Statement]) -> Iterator[Statement] | None:
    """The same bills; None where there is not a single one."""
    first = next(bills, None)
    return None if first is None else chain([first], bills)


def whose_is(billing: Billing, extension: str) -> str:
    """What to do about an extension that no employee has, as commands for the same days."""
    add = command_line("extensions", "add", extension, "--name", "NAME")
    period = billing.period
    days = ("--month", period.name) if period.is_month else ("--from", period.first, "--to", period.last)
    bill = command_line("bill", *days, "--extension", extension)
    return tr("say whose it is: `{add}`; or hand out its own bill: `{bill}`", add=add, bill=bill)


def nobodys(billing: Billing) -> str:
    """What the calls cost whose extension no employee has; empty where there are none."""
    found = billing.unassigned()
    if not found["calls"]:
        return ""
    more = ", …" if len(found["extensions"]) > LISTED_EXTENSIONS else ""
    return tr(
        "{calls} calls for {fee} {currency} are on nobody's bill: no employee has the extension {listed}",
        calls=found["calls"],
        fee=(AT_LEAST if found["unpriced"] else "") + found["fee"],
        currency=billing.view.currency,
        listed=", ".join(found["extensions"][:LISTED_EXTENSIONS]) + more or "–",
    )
