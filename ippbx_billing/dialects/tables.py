"""Lines of text that are records: cells between separators, with a heading or without, and lines of a fixed layout.

The one idea: the separator is the one that cuts most lines into equally many cells. A heading names the cells; without
one, each line is kept whole and in cells, and a dialect that knows the layout names them.

    rows_of(["caller;callee;start_time", "8001;13800138000;2026-05-21 22:00:00"])  -> [{"caller": "8001", …}]
    rows_of(["27;2026-10-12 09:33:37;65;16"])                                       -> [{"csv": […], "line": "27;…"}]
"""

import csv
import re
from collections import Counter
from typing import Any

CSV_ROW = "csv"  # the cells of a line without a heading
LINE = "line"  # the line itself, for layouts with columns of fixed width
SEPARATORS = (",", ";", "\t", "|", "^", "~")
FEWEST_CELLS = 4
LONGEST_LINE = 4_000
MOST_JUDGED = 50  # lines by which the separator is found

_BLANKS = re.compile(r"\s{2,}|\t")
_DIGITS = re.compile(r"\d")
_RULE = re.compile(r"[\s=_*+|#-]*")  # a line drawn under a heading
_TYPE = re.compile(
    r"(?:INTEGER|INT|BIGINT|VARCHAR|CHAR|STRING|TEXT|UNIQUEIDENTIFIER|DATETIME|TIMESTAMP|BOOLEAN|FLOAT)\b", re.I
)
_NAME = re.compile(r"[^\W\d][^\n]{0,59}")
_VALUE = re.compile(r"\d{1,4}[-/.:]\d{1,2}[-/.:]\d{1,4}|\d{1,2}:\d{2}|\d{5,}|\+\d+")
_UNIT = re.compile(r"\s*[\[({（【]\s*([^\])}）】]*?)\s*[\])}）】]\s*$")
_UNITS = {"ms": "_ms", "msec": "_ms", "millisecond": "_ms", "milliseconds": "_ms", "毫秒": "_ms"}


def is_table(lines: list[str]) -> bool:
    """Whether lines are cut into cells, at least two lines alike."""
    return len(lines) > 1 and _separator([line for line in lines if line.strip()][:MOST_JUDGED]) is not None


def rows_of(lines: list[str]) -> list[dict[str, Any]] | None:
    """Each record as a document; none where a heading stands alone; None where the lines are of no such kind."""
    lines = [line[:LONGEST_LINE] for line in lines if line.strip() and not _RULE.fullmatch(line)]
    if not lines:
        return None
    separator = _separator(lines[:MOST_JUDGED])
    if separator is None:
        records = [_aligned(line) for line in lines if _looks_like_record(line)]
        return records or None
    rows = _cells(lines, separator)
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    start = next((at for at, row in enumerate(rows) if len(row) >= min(width, FEWEST_CELLS)), 0)
    if _is_heading(rows[start]):
        names = _names(rows[start])
        return [dict(zip(names, row, strict=False)) for row in rows[start + 1 :] if not _is_types(row) and len(row) > 1]
    return [
        {CSV_ROW: row, LINE: line}
        for row, line in zip(rows, lines, strict=True)
        if len(row) > 2 or _looks_like_record(line)
    ]


def _aligned(line: str) -> dict[str, Any]:
    """A line of aligned columns: between two of them stand several blanks."""
    cells = _BLANKS.split(line.strip())
    return {CSV_ROW: cells, LINE: line} if len(cells) >= FEWEST_CELLS else {LINE: line}


def _separator(lines: list[str]) -> str | None:
    """The separator that cuts most lines into equally many cells, enough of them for a record."""
    best, found = 0, None
    for separator in SEPARATORS:
        if not any(line.count(separator) >= FEWEST_CELLS - 1 for line in lines):
            continue
        widths = Counter(len(row) for row in _cells(lines, separator))
        width, often = widths.most_common(1)[0]
        if width < FEWEST_CELLS:
            width, often = max(widths), widths[max(widths)]
        if width >= FEWEST_CELLS and width * often > best:
            best, found = width * often, separator
    return found


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    rows = []
    for line in lines:
        try:
            rows.append(
                [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
            )
        except csv.Error:
            rows.append([cell.strip() for cell in line.split(separator)])
    return rows


def _looks_like_record(line: str) -> bool:
    """A record holds a time of day or a number; headings and page numbers do not."""
    return len(_DIGITS.findall(line)) >= 8 and _VALUE.search(line) is not None


# -- headings


def _is_heading(row: list[str]) -> bool:
    """Names alone: no times, no phone numbers."""
    named = [cell for cell in row if cell]
    return len(named) >= 3 and all(_NAME.fullmatch(cell) and not _VALUE.search(cell) for cell in named)


def _is_types(row: list[str]) -> bool:
    """A second heading that tells the type of each column, as Cisco's files have."""
    return len(row) > 2 and all(_TYPE.match(cell) for cell in row if cell)


def _names(heading: list[str]) -> list[str]:
    """The names without their units: `Duration (s)` is the duration, `Duration (ms)` is `Duration_ms`."""
    bare = [_without_unit(name) for name in heading]
    return [short if bare.count(short) == 1 else name for short, name in zip(bare, heading, strict=True)]


def _without_unit(name: str) -> str:
    match = _UNIT.search(name)
    if match is None or match.start() == 0:
        return name
    return name[: match.start()] + _UNITS.get(match[1].lower(), "")
