"""Figures as pictures of plain characters: a bar in a table's cell, a sparkline, a chart as wide as the terminal.

>>> bar(5, 8, width=4)
'██▌'
>>> sparkline([0, 1, 4, 8])
'▁▂▅█'
>>> print(*plot(["8001", "8002"], [8, 2], ["0.80", "0.20"], width=20), sep="\\n")
8001 ██████████ 0.80
8002 ██▌        0.20
"""

from collections.abc import Sequence
from decimal import Decimal

Number = int | Decimal

EIGHTHS = " ▏▎▍▌▋▊▉█"
STEPS = "▁▂▃▄▅▆▇█"
LEAST_WIDTH = 8  # of a chart's bars, however narrow the terminal is
LONGEST_LABEL = 24  # cells


def bar(value: Number, most: Number, width: int = 8) -> str:
    """A bar of at most `width` cells, full for `most`; nothing for zero and less, and never nothing for more."""
    if value <= 0 or most <= 0:
        return ""
    eighths = max(1, round(value * width * 8 / most))
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def sparkline(values: Sequence[Number]) -> str:
    """A cell for each value, as high as it is beside the highest."""
    most = max(values, default=0)
    if most <= 0:
        return STEPS[0] * len(values)
    return "".join(STEPS[max(0, min(7, int(value * 8 / most)))] for value in values)


def plot(labels: Sequence[str], values: Sequence[Number], texts: Sequence[str], width: int) -> list[str]:
    """A line for each value: its label, its bar and how it is written; `width` is that of the terminal in cells."""
    from rich.cells import cell_len, set_cell_size

    names = max((min(cell_len(label), LONGEST_LABEL) for label in labels), default=0)
    figures = max((cell_len(text) for text in texts), default=0)
    room = max(LEAST_WIDTH, width - names - figures - 2)
    most = max(values, default=0)
    return [
        f"{set_cell_size(label, names)} {set_cell_size(bar(value, most, room), room)} {text:>{figures}}"
        for label, value, text in zip(labels, values, texts, strict=True)
    ]
