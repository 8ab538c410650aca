"""An answer of rows, with all that any face needs to show it: how it is headed, summed up and told to programs.

    Listing(rows, [Column("number", tr("Staff no."), "code")], empty=tr("no employees"))

The one idea: a view makes a Listing and knows no face; a writer takes a Listing and knows no view.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ippbx_billing.documents.columns import Column, Format, Row

if TYPE_CHECKING:
    from ippbx_billing.documents.document import Document


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows with the keys of the contract, and how they look.

    `for_people` are the same rows in words, where people read something else than programs; `csv` the columns of a
    CSV, where it has more of them; `document` what JSON shows where it is more than the rows; `paper` what is handed
    on where it is more than this one table. `total` is the last line, `empty` what stands in place of no rows.
    """

    rows: Iterable[Row]
    columns: Sequence[Column]
    for_people: Iterable[Row] | None = None
    csv: Sequence[Column] | None = None
    document: Any = None
    paper: "Document | None" = None
    total: Row | None = None
    title: str = ""
    empty: str = ""

    def rows_for(self, form: Format) -> Iterable[Row]:
        """The rows as this form tells them."""
        return self.rows if form.is_data or self.for_people is None else self.for_people

    def columns_for(self, form: Format) -> Sequence[Column]:
        """The columns that this form shows."""
        return self.csv if form is Format.CSV and self.csv is not None else self.columns
