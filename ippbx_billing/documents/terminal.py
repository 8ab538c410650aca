"""Rows as a table in a terminal, or in a file that looks like one.

    write_table(sys.stdout, rows, columns, total, title, empty)

Numbers are never cut; a table that is too wide loses headings' spaces first, then its least important columns.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Any

from ippbx_billing.documents.columns import Column, Row, shown
from ippbx_billing.documents.page_layout import wrap

WIDTH_WITHOUT_TERMINAL = 200
WRAPPED_WIDTH = 16  # what a text column that wraps is content with
GAP = 2  # between two columns
MOST_READABLE = 80  # places of a sentence's line
LONG_TABLE = 200  # rows from which on speed counts for more than bold headings


def write_table(
    stream: IO[str], rows: Iterable[Row], columns: Sequence[Column], total: Row | None, title: str, empty: str
) -> None:
    """A table for the width of the stream, its least important columns left out; `empty` where there is no row."""
    body = [[shown(row, column) for column in columns] for row in rows]
    if not body and empty:
        stream.write(empty + "\n")
        return
    feet = [shown(total, one) if total and one.key in total else "" for one in columns]
    width = _width(stream)
    kept, headings = _layout(columns, [*body, feet], width)
    chosen = [columns[place] for place in kept]
    grid = [[line[place] for place in kept] for line in (headings, *body, *([feet] if total is not None else []))]
    if (len(grid) > LONG_TABLE or not stream.isatty()) and _write_plain(stream, chosen, grid, total, title, width):
        return
    _write_rich(stream, chosen, grid, total, title)


def _write_plain(
    stream: IO[str], columns: Sequence[Column], grid: list[list[str]], total: Row | None, title: str, width: int
) -> bool:
    """Write a table in which nothing must be broken as `_write_rich` would, only much quicker; else give False."""
    widths = [max(_cells(line[place]) for line in grid) for place in range(len(columns))]
    whole = sum(widths) + GAP * len(widths)
    if max(whole, _cells(title)) > width or _cells(title) > whole or any("\n" in heading for heading in grid[0]):
        return False
    sides = [column.to_the_right for column in columns]

    def line(cells: list[str]) -> str:
        padded = (
            " " * (size - _cells(text)) + text if right else text + " " * (size - _cells(text))
            for text, size, right in zip(cells, widths, sides, strict=True)
        )
        return f" {(' ' * GAP).join(padded)} \n"

    blank, rule = " " * whole + "\n", f" {'─' * (whole - GAP)} \n"
    if title:
        stream.write(f"{title}{' ' * (whole - _cells(title))}\n")
    body, foot = (grid[1:-1], grid[-1:]) if total is not None else (grid[1:], [])
    stream.writelines([blank, line(grid[0]), rule, *map(line, body), blank])
    stream.writelines([one for cells in foot for one in (line(cells), blank)])
    return True


def _write_rich(
    stream: IO[str], columns: Sequence[Column], grid: list[list[str]], total: Row | None, title: str
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    body, feet = (grid[1:-1], grid[-1]) if total is not None else (grid[1:], [""] * len(columns))
    table = Table(
        box=box.SIMPLE_HEAD,
        title=title or None,
        title_justify="left",
        show_footer=total is not None,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1, 0, 0),
    )
    for column, heading, foot in zip(columns, grid[0], feet, strict=True):
        right = "right" if column.to_the_right else "left"
        table.add_column(
            heading,
            footer=foot,
            justify=right,  # type: ignore[arg-type]
            no_wrap=not column.may_wrap,
            overflow="fold",
        )
    for line in body:
        table.add_row(*map(Text, line))
    console(stream).print(table)


def _layout(columns: Sequence[Column], lines: Sequence[Sequence[str]], width: int) -> tuple[list[int], list[str]]:
    """Which columns fit, by place, and their headings: numbers are never cut, so what matters least goes first.

    Headings are broken at spaces before a column goes; text that may wrap counts with the width it can live with.
    """
    kept = list(range(len(columns)))
    headings = [column.title for column in columns]
    contents = [max((_cells(line[place]) for line in lines), default=0) for place in kept]

    def needed(place: int) -> int:
        heading = max(_cells(part) for part in headings[place].split("\n"))
        content = contents[place]
        return GAP + max(heading, min(content, WRAPPED_WIDTH) if columns[place].may_wrap else content)

    if sum(map(needed, kept)) > width:
        headings = [heading.replace(" ", "\n") for heading in headings]
    while sum(map(needed, kept)) > width and any(columns[place].rank for place in kept):
        kept.remove(max(kept, key=lambda place: columns[place].rank))
    return kept, headings


def _cells(text: str) -> int:
    """How many places of a terminal's line a text takes: Chinese two each; most cells are digits and need no table."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _width(stream: IO[str]) -> int:
    """The width that a table may have; see `console`."""
    if stream.isatty() or os.environ.get("COLUMNS"):
        return int(console(stream).width)
    return WIDTH_WITHOUT_TERMINAL


def wrapped(text: str, stream: IO[str]) -> list[str]:
    """A sentence in lines for a terminal, broken between words and Chinese signs; elsewhere one line."""
    if not (stream.isatty() or os.environ.get("COLUMNS")):
        return [text]
    width = min(shutil.get_terminal_size().columns, MOST_READABLE)
    first, *rest = wrap(text, max(width - GAP, 1), _cells)
    return [first, *(" " * GAP + line for line in rest)]


def console(stream: IO[str] | None = None) -> Any:
    """A rich console on the stream; as wide as the terminal, or roomy enough to cut nothing where there is none."""
    from rich.console import Console

    stream = stream or sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, highlight=False, width=width)
