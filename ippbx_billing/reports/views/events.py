"""How a list of events looks."""

from ippbx_billing.documents.columns import Column
from ippbx_billing.language import tr


def columns() -> list[Column]:
    """The columns of `reports.events` for people."""
    return [
        Column("id", tr("ID"), "code"),
        Column("received_at", tr("Received"), "time"),
        Column("kind", tr("Kind"), "word"),
        Column("remote", tr("From"), "code", rank=1),
        Column("bytes", tr("Bytes"), "number", rank=2),
        Column("status", tr("Status"), "word"),
        Column("reason", tr("Reason")),
    ]
