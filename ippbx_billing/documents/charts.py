"""The figures of a chart, worked out once for all writers: which labels, how long each bar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.cells import cell_len, set_cell_size

from ippbx_billing.documents.columns import Column, Row, cell, shown
from ippbx_billing.documents.document import Chart
from ippbx_billing.language import tr

MOST_BARS = 20  # more of them nobody compares at a glance; the table has them all
LABEL_CELLS = 24  # a Chinese sign takes two


@dataclass(frozen=True, slots=True)
class Points:
    """Labels with their values and how the values are written; in the order of the rows."""

    kind: str
    labels: Sequence[str]
    values: Sequence[Decimal]
    texts: Sequence[str]
    caption: str = ""

    @property
    def highest(self) -> int:
        """The place of the highest value."""
        return max(range(len(self.values)), key=self.values.__getitem__)

    def share(self, value: Decimal) -> float:
        """The value as part of the highest one, for drawing; nothing is drawn for a negative one."""
        top = self.values[self.highest]
        return float(max(value, Decimal(0)) / top) if top > 0 else 0.0

    def numbered(self) -> Iterator[tuple[int, Decimal]]:
        return iter(enumerate(self.values))

    def marked(self, most: int) -> range:
        """The places that get a label where there is room for so many."""
        return range(0, len(self.values), max(1, -(-len(self.values) // most)))


def points(chart: Chart, columns: Sequence[Column], rows: Sequence[Row]) -> Points:
    """What the chart shows of the rows: all of a line, the first bars of a longer table."""
    kinds = {column.key: column.kind for column in columns}
    value = next((one for one in columns if one.key == chart.value_key), Column(chart.value_key, "", "number"))
    found = [row for row in rows if row.get(chart.value_key) is not None]
    caption = ""
    if chart.kind == "bar":
        caption, found = first_of(len(found)), found[:MOST_BARS]
    return Points(
        chart.kind,
        [_label(cell(row.get(chart.label_key), kinds.get(chart.label_key, "text"))) for row in found],
        [Decimal(str(row[chart.value_key])) for row in found],
        [shown(row, value) for row in found],
        caption,
    )


def first_of(rows: int) -> str:
    """What must be told of a chart of bars that does not show all rows; empty where it does."""
    return tr("the first {shown} of {count}", shown=MOST_BARS, count=rows) if rows > MOST_BARS else ""


def _label(text: str) -> str:
    if cell_len(text) <= LABEL_CELLS:
        return text
    return set_cell_size(text, LABEL_CELLS - 1).rstrip() + "…"
