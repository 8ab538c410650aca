"""How it looks what files brought, or would bring."""

from collections.abc import Sequence
from typing import Any

from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.listing import Listing
from ippbx_billing.language import tr


def files(rows: Sequence[dict[str, Any]], *, tried: bool) -> Listing:
    """The rows of `pipeline.importing`; what was only tried knows nothing of duplicates."""
    headings = [
        Column("file", tr("File")),
        Column("events", tr("Events"), "number"),
        Column("known_bytes", tr("Taken before (bytes)"), "number", rank=1),
        Column("calls", tr("Calls"), "number"),
        *([] if tried else [Column("duplicates", tr("Known already"), "number")]),
        Column("not_understood", tr("Not understood"), "number"),
        Column("problem", tr("First problem"), rank=2),
    ]
    return Listing(rows, headings, document={"files": rows}, empty=tr("nothing to read"))
