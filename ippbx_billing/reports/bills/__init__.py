"""Bills: what an employee, a department or the company owes for the calls of a period, sums first, calls on request.

The one idea: the sums of the whole period are fetched once, by department, employee, extension, direction and traffic
type; every bill is a part of them, so that five thousand bills cost one question, and all of them together add up to
the company's.

    desk = Billing(ledger, View(zone, currency), Period.month("2026-10", today), site="某某公司")
    bill = desk.of_employee("1001", with_calls=True)
    write(paper.document(bill, notes), "pdf", Path("bill.pdf"))

`statements` says what stands in a bill, `paper` how it looks.
"""

from ippbx_billing.reports.bills.statements import Billing, Statement

__all__ = ["Billing", "Statement"]
