"""Alert rules: from what is heard of calls to incidents, without clock, file or network.

    watch = Watch(config, history, hours)
    watch.calls(rated, arrived)      # calls that have just been written
    watch.tick(now, live_calls)      # what follows from nothing happening, and from calls that are not over
    for finding in watch.found(): ...

A sibling is one idea: `rules` the set with its starting values, `hours` working time, `history` what is usual,
`watch` the rules themselves, `trying` the same on stored calls. A finding is not yet an incident: the ledger opens,
grows and closes those.
"""

from ippbx_billing.alerts.findings import Occurrence, Over, Severity
from ippbx_billing.alerts.history import DayHistory, History, day_history
from ippbx_billing.alerts.hours import Hours
from ippbx_billing.alerts.rules import RULES, AlertRule, Config, Exception_
from ippbx_billing.alerts.watch import AlertWatch, Heard, LiveFact, Measured

__all__ = [
    "RULES",
    "AlertRule",
    "AlertWatch",
    "Config",
    "DayHistory",
    "Exception_",
    "Heard",
    "History",
    "Hours",
    "LiveFact",
    "Measured",
    "Occurrence",
    "Over",
    "Severity",
    "day_history",
]
