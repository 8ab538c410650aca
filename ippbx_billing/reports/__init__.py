"""The questions, each answered from the ledger: rows with the contract's keys, exact fees, times on the site's clock.

    view = View(zone, currency)
    for row in calls(ledger, view, WantedCalls(extension="8001")): ...
    report(ledger, view, Period.month("2026-10", today), ("extension",), where=Where(trunk="FXO-1"))

A sibling is one kind of question: `listing` the calls and events one by one, `sums` the sums by group, which it gets
from `sources`; `conditions` holds what is asked for, `views` how answers look on every face.
"""

from ippbx_billing.reports.call_columns import CALL_KEYS, fee_text
from ippbx_billing.reports.conditions import Period, Scope, View, WantedCalls, Where
from ippbx_billing.reports.listing import calls, calls_by_column, event_row, events, other_rows
from ippbx_billing.reports.sums import DIFFERENCES, GROUPS, MEASURES, Report, grouping, report

__all__ = [
    "CALL_KEYS",
    "DIFFERENCES",
    "GROUPS",
    "MEASURES",
    "Period",
    "Report",
    "Scope",
    "View",
    "WantedCalls",
    "Where",
    "calls",
    "calls_by_column",
    "event_row",
    "events",
    "fee_text",
    "grouping",
    "other_rows",
    "report",
]
