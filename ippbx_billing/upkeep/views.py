"""How it looks what was found wrong: the doctor's table, and that of `pbx check`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from ippbx_billing.upkeep.doctor import Diagnosis


def diagnoses(found: "Iterable[Diagnosis]") -> Listing:
    """A line for each thing that was looked at, and what to do about it."""
    rows: list[dict[str, Any]] = [
        {"check": one.check, "state": one.state.value, "finding": one.text, "hint": one.hint or None} for one in found
    ]
    headings = [
        Column("state", tr("State"), "word"),
        Column("check", tr("Check")),
        Column("finding", tr("Finding")),
        Column("hint", tr("Hint")),
    ]
    return Listing(rows, headings)
