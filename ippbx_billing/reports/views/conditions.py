"""What a paper says above its rows, so that nobody has to ask how it was made: days, conditions, currency, time zone.

facts(period, {"direction": "outbound"}, view)
# [("Days", "2026-10-01 – 2026-10-31"), ("Direction", "outbound"), ("Currency", "CNY"), ("Time zone", "Asia/Shanghai")]
"""

from collections.abc import Callable, Mapping
from typing import Any

from ippbx_billing.documents.columns import cell
from ippbx_billing.language import tr
from ippbx_billing.reports.conditions import Period, View
from ippbx_billing.reports.views.sheets import kind_of_key, title_of_key

Conditions = Mapping[str, Any]

_OTHERS: Mapping[str, Callable[[], tuple[str, str]]] = {
    "min_fee": lambda: (tr("Fee from"), "money"),
    "status": lambda: (tr("Status"), "word"),
    "day": lambda: (tr("Day"), "code"),
    "limit": lambda: (tr("At most"), "number"),
}


def facts(period: Period | None, conditions: Conditions, view: View) -> list[tuple[str, str]]:
    """The facts of a list or report of these calls; without a period it is of all days."""
    days = tr("all") if period is None else f"{period.first} – {period.last}"
    told = [] if conditions.get("day") else [(tr("Days"), days)]
    return [*told, *spoken(conditions), (tr("Currency"), view.currency), (tr("Time zone"), str(view.zone))]


def spoken(conditions: Conditions) -> list[tuple[str, str]]:
    """The conditions that were given, in the reader's words."""
    return [_spoken(name, value) for name, value in conditions.items() if value]


def _spoken(name: str, value: Any) -> tuple[str, str]:
    title, kind = _OTHERS[name]() if name in _OTHERS else (title_of_key(name), kind_of_key(name))
    plain = getattr(value, "value", value)
    return title, cell(plain.upper() if kind == "country" else plain, kind)
