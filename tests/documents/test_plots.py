"""Pictures of plain characters hold their width, whatever the figures and labels are."""

from decimal import Decimal

import pytest
from rich.cells import cell_len

from ippbx_billing.documents.plots import LEAST_WIDTH, LONGEST_LABEL, bar, plot


@pytest.mark.parametrize("value", [1, 7, 500, 999, 1000])
def test_a_bar_is_never_nothing_and_never_too_wide(value: int) -> None:
    """What is more than zero can be seen, and the most fills the cells exactly."""
    assert 1 <= len(bar(value, 1000)) <= 8
    assert (bar(value, 1000) == "█" * 8) == (value >= 999)


@pytest.mark.parametrize(("value", "most"), [(0, 5), (-1, 5), (0, 0), (3, 0)])
def test_nothing_has_no_bar(value: int, most: int) -> None:
    """Zero, less than zero, and a table of zeros."""
    assert bar(value, most) == ""


@pytest.mark.parametrize("width", [1, 40, 120])
def test_lines_of_a_plot_are_equally_wide(width: int) -> None:
    """Wide characters count as two cells, long labels are cut, and a narrow terminal still has bars."""
    labels = ["8001", "市场部", "a label that is longer than anybody would read"]
    lines = plot(labels, [Decimal("0.5"), Decimal(8), Decimal(0)], ["0.50", "8.00", "0"], width)
    least = LONGEST_LABEL + 4 + 2 + LEAST_WIDTH
    assert {cell_len(line) for line in lines} == {max(width, least)}
