"""How a table fits a page: which way round the paper lies, the size of the letters, each column's width.

Lengths are in points; a `Measure` tells how wide a text is at size 1. Figures are never cut: text wraps first, then
the paper is turned, then the columns that matter least go, and only then do the letters become small.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ippbx_billing.documents.columns import Column

Measure = Callable[[str], float]

MARGIN = 40.0
A4 = (595.28, 841.89)
GAP = 10.0  # between two columns
AIRY = 36.0  # what a column of a narrow table gets at most beyond its need
SIZES = ((False, 9.0), (False, 8.0), (True, 9.0), (True, 8.0))  # lying paper or not, and the size, as people like best
TIGHT = ((False, 8.0), (True, 8.0), (True, 7.0))
CONTENT_EM = 7.0  # what a text that wraps can live with, in sizes of its letters
MOST_LINES = 3  # of one cell
OPENING = "[（《「『【〔“‘]*"  # never ends a line
CLOSING = "[，。；：！？、）》」』】〕”’…]*"  # never begins one
PIECE = rf"{OPENING}(?:[^\s“‘\u2e80-\uffff]+|\S){CLOSING}"  # a word, or one Chinese sign
WORDS = re.compile(rf"\s+|{PIECE}")
BREAKS = re.compile(rf"\s+|{OPENING}`[^`]+`[^\s\u2e80-\uffff]*{CLOSING}|{PIECE}")  # a command stays in one line


@dataclass(frozen=True, slots=True)
class PageLayout:
    """How one table lies on paper: `places` are the columns that are shown, `widths` theirs."""

    landscape: bool
    size: float
    places: Sequence[int]
    widths: Sequence[float]


def page_width(landscape: bool) -> float:
    """What a line may take."""
    return A4[1 if landscape else 0] - 2 * MARGIN


def layout(columns: Sequence[Column], natural: Sequence[float], headings: Sequence[float]) -> PageLayout:
    """The layout for columns of these widths (at size 1): of their contents, and of their headings' longest word."""
    wide = [max(pair) for pair in zip(natural, headings, strict=True)]
    least = [
        max(min(content, CONTENT_EM), heading) if column.may_wrap else max(content, heading)
        for column, content, heading in zip(columns, natural, headings, strict=True)
    ]
    kept = list(range(len(columns)))
    while True:
        for needs, sizes in ((wide, SIZES), (least, TIGHT)):
            for landscape, size in sizes:
                spare = _spare(kept, needs, size, landscape)
                if spare >= 0:
                    return PageLayout(landscape, size, kept, _spread(kept, needs, wide, size, spare))
        if not any(columns[place].rank for place in kept):
            return _small(kept, least)
        kept.remove(max(kept, key=lambda place: columns[place].rank))


def _spare(kept: Sequence[int], needs: Sequence[float], size: float, landscape: bool) -> float:
    """What is left of the line; negative where the columns are too wide."""
    return page_width(landscape) - sum(needs[place] * size + GAP for place in kept)


def _spread(
    kept: Sequence[int], needs: Sequence[float], wide: Sequence[float], size: float, spare: float
) -> list[float]:
    """What is left goes to the columns that must wrap, or loosens a narrow table a little."""
    missing = [(wide[place] - needs[place]) * size for place in kept]
    total = sum(missing)
    if total:
        extra = [part * min(1.0, spare / total) for part in missing]
    else:
        extra = [min(AIRY, spare / len(kept))] * len(kept) if kept else []
    return [needs[place] * size + GAP + more for place, more in zip(kept, extra, strict=True)]


def _small(kept: Sequence[int], least: Sequence[float]) -> PageLayout:
    """Letters as small as the table needs them."""
    size = (page_width(True) - GAP * len(kept)) / sum(least[place] for place in kept)
    return PageLayout(True, size, kept, [least[place] * size + GAP for place in kept])


def wrap(text: str, width: float, measure: Measure, most: int | None = None) -> list[str]:
    """The text in lines of at most `width` (at size 1), broken between words and Chinese signs; … where it is cut."""
    if measure(text) <= width:
        return [text]
    found = _lines(text, width, measure)
    if most is not None and len(found) > most:
        last = found[most - 1]
        while last and measure(last + "…") > width:
            last = last[:-1]
        found = [*found[: most - 1], last + "…"]
    return found


def _lines(text: str, width: float, measure: Measure) -> list[str]:
    lines, line = [], ""
    for piece in _pieces(text, width, measure):
        if line and measure(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()]


def _pieces(text: str, width: float, measure: Measure) -> Iterator[str]:
    """What may stand on one line: commands, words, or their letters where a word alone is too long."""
    for piece in BREAKS.findall(text):
        if measure(piece) <= width:
            yield piece
            continue
        for word in WORDS.findall(piece):
            yield from [word] if measure(word) <= width else word
