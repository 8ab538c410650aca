"""What is new since somebody looked last: calls that came, calls that were corrected, calls that were rated again.

    since = Cursor.of(ledger.journey.state("export_cursor"))
    until = newest(ledger)
    for row in changed_calls(ledger, view, since): ...

The one idea: three numbers that only grow say how far somebody has read. A call has its id once; a record that corrects
it brings a later event; a re-rating that changes its fee leaves a mark with the run's number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ippbx_billing.ledger import Ledger
from ippbx_billing.reports.conditions import View
from ippbx_billing.reports.listing import calls_with_ids


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last call, event and re-rating that were read."""

    call: int = 0
    event: int = 0
    run: int = 0

    @classmethod
    def of(cls, text: str | None) -> "Cursor":
        """The cursor as it was kept; the beginning where none was."""
        return cls(*map(int, text.split(","))) if text else cls()

    def __str__(self) -> str:
        return f"{self.call},{self.event},{self.run}"


def newest(ledger: Ledger) -> Cursor:
    """How far one can read now. A re-rating that did not end, and all after it, are not counted: theirs are read again.

    Runs may end in another order than they began, or be killed; what such a run changed late has its early number.
    """
    row = ledger.connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM calls), (SELECT coalesce(max(event_id), 0) FROM calls), "
        "(SELECT coalesce(max(id), 0) FROM rerate_runs WHERE id < "
        "(SELECT coalesce(min(id), 1 << 62) FROM rerate_runs WHERE ended_at IS NULL))"
    ).fetchone()
    return Cursor(*row)


def changed_calls(ledger: Ledger, view: View, since: Cursor) -> Iterator[dict[str, Any]]:
    """The calls that came or changed after `since`, each once as it is now, by id; keys as in the contract."""
    ids = (
        "SELECT id FROM calls WHERE id > ? UNION SELECT id FROM calls WHERE event_id > ? "
        "UNION SELECT call_id FROM charge_history WHERE run_id > ?"
    )
    return calls_with_ids(ledger, view, ids, [since.call, since.event, since.run])
