"""The pages: a module for each trade, with its ways, its place in the menu, and its templates.

A new page is a module here with `WAYS` and, where it belongs in the menu, `MENU`; it is added to `MODULES`, in the
order of the menu. See the head of `ways` for a table, `calls` for an example.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from ippbx_billing.console.pages import (
    account,
    alerts,
    bills,
    calls,
    carriers,
    changes,
    dialects,
    help,
    home,
    limits,
    live,
    operators,
    pbx,
    people,
    prices,
    reports,
    rules,
    settings,
    sign_in,
    upkeep,
    verify,
    work,
)
from ippbx_billing.console.ways import MenuEntry, Way

if TYPE_CHECKING:
    from ippbx_billing.console.desk import Desk

MODULES: tuple[ModuleType, ...] = (
    home,
    calls,
    work,
    reports,
    bills,
    changes,
    carriers,
    prices,
    rules,
    verify,
    people,
    limits,
    alerts,
    pbx,
    dialects,
    upkeep,
    settings,
    operators,
    help,
    account,
    live,
    sign_in,
)


def ways() -> list[Way]:
    """Every way of every page."""
    return [way for module in MODULES for way in module.WAYS]


def menu(desk: "Desk") -> list[MenuEntry]:
    """The menu of whoever is signed in."""
    entries: list[MenuEntry] = [entry for module in MODULES for entry in getattr(module, "MENU", ())]
    return [entry for entry in entries if desk.may(entry.least)]
