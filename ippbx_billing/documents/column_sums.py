"""What a workbook's column adds up to, exactly: whether a formula may stand for its total.

    found = ColumnSum(is_figure)
    found.add(["0.98", "1.02"])
    found.is_total("2.00")       # True: =SUBTOTAL(109, …) shows what the total says

The one idea: a formula stands only where the sum of the cells is the total to the last digit. Averages, sums that hold
those of departments below, and the first sheets of a list that goes on have none: they keep the value.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

ROUNDING = Decimal(2) ** -53  # of one addition in Excel's binary floating point, as part of the sum
MOST_DIFFERENT = 20_000  # values that are only counted so far


class ColumnSum:
    """The sum of the cells written so far; `is_figure` tells those that Excel can add up from texts."""

    __slots__ = ("_absolute", "_cells", "_counts", "_is_figure", "_sum", "_whole")

    def __init__(self, is_figure: Callable[[Any], bool]) -> None:
        self._is_figure = is_figure
        self._counts: Counter[Any] = Counter()
        self._sum = self._absolute = Decimal(0)
        self._cells = 0
        self._whole = True

    def add(self, values: Iterable[Any]) -> None:
        """More cells; None is none."""
        self._counts.update(values)
        if len(self._counts) > MOST_DIFFERENT:
            self._add_up()

    def add_one(self, value: Any) -> None:
        """One more cell."""
        self._counts[value] += 1

    def is_total(self, total: Any) -> bool:
        """Whether the cells are all that the total holds."""
        self._add_up()
        try:
            return self._whole and self._cells > 0 and self._sum == Decimal(str(total))
        except InvalidOperation:
            return False

    def may_be_rounded(self, total: Any) -> bool:
        """Whether Excel, adding up so many cells one by one, could show another last digit than the total has."""
        self._add_up()
        decimals = -int(Decimal(str(total)).as_tuple().exponent)
        return self._cells * self._absolute * ROUNDING >= Decimal(5).scaleb(-decimals - 1)

    def _add_up(self) -> None:
        for value, count in self._counts.items():
            if value is not None:
                self._add(value, count)
        self._counts.clear()

    def _add(self, value: Any, count: int) -> None:
        if not self._is_figure(value):
            self._whole = False
            return
        figure = Decimal(str(value)) * count
        self._sum += figure
        self._absolute += abs(figure)
        self._cells += count
