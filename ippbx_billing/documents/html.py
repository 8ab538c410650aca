"""A document as one HTML file: no script, nothing fetched, everything escaped; it prints on A4 as it reads.

Chinese shows also where no Chinese font is installed: behind the last row the page carries the signs that it has used.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import chain
from pathlib import Path
from typing import IO

from ippbx_billing.documents.charts import Points, points
from ippbx_billing.documents.columns import Column, Row, harmless, shown
from ippbx_billing.documents.document import FONT, Document, Letterhead, Section
from ippbx_billing.files import whole

MOST_UPRIGHT = 8  # columns of a table on upright paper
FIRST_CHINESE = "\u2e80"  # the signs of Latin and other letters before it are on any machine
STYLE = """
:root { color: #1b1f24; background: #fff; font: 15px/1.45 "Noto Sans", "Noto Sans CJK SC", "PingFang SC",
  "Microsoft YaHei", carried, system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1.25rem; }
article + article { margin-top: 4rem; break-before: page; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.subtitle { color: #57606a; margin: .2rem 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.25rem; margin: 1rem 0; }
dt { color: #57606a; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; min-width: 5em; }
th { border-bottom: 2px solid #57606a; position: sticky; top: 0; background: #fff; }
td { border-bottom: 1px solid #d8dee4; }
.r { text-align: right; } .r, .n { white-space: nowrap; overflow-wrap: normal; min-width: 0; }
.wide { page: lying; }
tfoot td { font-weight: 600; border-top: 2px solid #57606a; border-bottom: 0; }
.letterhead { display: flex; justify-content: space-between; align-items: start; gap: 2rem; color: #57606a;
  border-bottom: 1px solid #d8dee4; margin-bottom: 1.2rem; padding-bottom: .8rem; }
.letterhead p { margin: 0; } .letterhead strong { color: #1b1f24; }
.letterhead img { max-height: 4rem; max-width: 14rem; }
.foot { color: #57606a; border-top: 1px solid #d8dee4; margin-top: 2rem; padding-top: .5rem; font-size: .9em; }
.notes { color: #57606a; margin-top: 2rem; padding-left: 1.2rem; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0 1rem; }
.page-break { break-before: page; }
@page { size: A4; margin: 15mm 12mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); } }
@page lying { size: A4 landscape; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 9.5pt; } th { position: static; }
  thead { display: table-header-group; } tfoot { display: table-row-group; } tr, svg { break-inside: avoid; }
  h1, h2 { break-after: avoid; } }
"""


def write(documents: Iterable[Document], stream: IO[bytes], letters: str | None = None) -> None:
    """Write the documents as articles of one page, each row as it comes; `letters` is a style with their signs."""
    remaining = iter(documents)
    first = next(remaining, Document(""))
    used = set[str]()
    stream.write(_head(first).encode())
    for document in chain([first], remaining):
        for part in _article(document):
            used.update(part)
            stream.write(part.encode())
    stream.write(f"{_letters(used) if letters is None else letters}</body>\n</html>\n".encode())


def write_each(files: Iterable[tuple[Document, Path]]) -> None:
    """Write each document to a file of its own; so many at once carry the same signs."""
    from ippbx_billing.documents.font_subset import batches

    for batch, wanted in batches(files):
        letters = _letters(wanted)
        for document, path in batch:
            with whole(path) as stream:
                write([document], stream, letters)


def _letters(used: set[str]) -> str:
    """A style that brings along those signs that a machine's own fonts may lack; empty where there are none."""
    wanted = {sign for sign in used if sign >= FIRST_CHINESE}
    if not wanted:
        return ""
    from ippbx_billing.documents.font_subset import cut

    source = f"url(data:font/woff;base64,{b64encode(cut(FONT, wanted, 'woff')).decode()})"
    return f'<style>@font-face {{ font-family: carried; src: {source} format("woff"); }}</style>\n'


def _head(document: Document) -> str:
    lang = "zh-CN" if document.language == "zh" else "en"
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(document.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )


def _article(document: Document) -> Iterator[str]:
    lying = any(len(section.columns) > MOST_UPRIGHT for section in document.sections)
    yield f"<article{' class=' + chr(34) + 'wide' + chr(34) if lying else ''}>\n"
    if document.letterhead:
        yield from _letterhead(document, document.letterhead)
    yield f"<h1>{_text(document.title)}</h1>\n"
    if document.subtitle and not document.letterhead:
        yield f'<p class="subtitle">{_text(document.subtitle)}</p>\n'
    if document.facts:
        facts = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>\n" for name, value in document.facts)
        yield f"<dl>\n{facts}</dl>\n"
    for section in document.sections:
        yield from _section(section)
    if document.notes:
        notes = "".join(f"<li>{_text(note)}</li>\n" for note in document.notes)
        yield f'<ul class="notes">\n{notes}</ul>\n'
    if document.letterhead and document.letterhead.footer:
        yield f'<p class="foot">{_text(document.letterhead.footer)}</p>\n'
    yield "</article>\n"


def _letterhead(document: Document, head: Letterhead) -> Iterator[str]:
    lines = "".join(f"<br>{_text(line)}" for line in head.address)
    yield f'<header class="letterhead"><p><strong>{_text(document.subtitle)}</strong>{lines}</p>'
    if head.logo:
        yield f'<img alt="" src="data:{head.media_type};base64,{b64encode(head.logo).decode()}">'
    yield "</header>\n"


def _section(section: Section) -> Iterator[str]:
    yield f"<section{' class=' + chr(34) + 'page-break' + chr(34) if section.page_break else ''}>\n"
    if section.title:
        yield f"<h2>{_text(section.title)}</h2>\n"
    rows = section.rows
    if section.chart is not None:
        rows = list(rows)
        data = points(section.chart, section.columns, rows)
        yield _picture(data, section.chart.title)
        yield f'<p class="subtitle">{_text(data.caption)}</p>\n' if data.caption else ""
    yield from _table(section, iter(rows))
    yield "</section>\n"


def _table(section: Section, rows: Iterator[Row]) -> Iterator[str]:
    first = next(rows, None)
    if first is None and section.empty:
        yield f"<p>{_text(section.empty)}</p>\n"
        return
    headings = "".join(f"<th{_class(column)}>{_text(column.title)}</th>" for column in section.columns)
    yield f"<table>\n<thead><tr>{headings}</tr></thead>\n<tbody>\n"
    for row in chain([] if first is None else [first], rows):
        yield _line(row, section.columns)
    yield "</tbody>\n"
    if section.total is not None:
        yield f"<tfoot>{_line(section.total, section.columns, total=True)}</tfoot>\n"
    yield "</table>\n"


def _line(row: Row, columns: Sequence[Column], total: bool = False) -> str:
    """A row; in the total's, what has no sum stays empty."""
    cells = ("" if total and row.get(one.key) is None else _text(shown(row, one)) for one in columns)
    return (
        "<tr>" + "".join(f"<td{_class(one)}>{text}</td>" for one, text in zip(columns, cells, strict=True)) + "</tr>\n"
    )


def _class(column: Column) -> str:
    """Figures to the right; what must not be broken stays in one line."""
    return ' class="r"' if column.to_the_right else "" if column.may_wrap else ' class="n"'


def _text(text: str) -> str:
    return escape(harmless(text))


def _picture(data: Points, title: str) -> str:
    """The chart as inline SVG: horizontal bars with their labels, or a line over time."""
    if not data.values:
        return ""
    label = f'role="img" aria-label="{_text(title)}"'
    body, height = _bars(data) if data.kind == "bar" else _curve(data)
    return f'<svg viewBox="0 0 800 {height}" {label} font-size="12" fill="#1b1f24">\n{body}</svg>\n'


def _bars(data: Points) -> tuple[str, int]:
    lines = []
    for place, (label, value, text) in enumerate(zip(data.labels, data.values, data.texts, strict=True)):
        top = 20 * place
        width = 500 * data.share(value)
        lines.append(
            f'<text x="190" y="{top + 14}" text-anchor="end">{_text(label)}</text>'
            f'<rect x="200" y="{top + 3}" width="{width:.1f}" height="14" fill="#2f6fb0"/>'
            f'<text x="{206 + width:.1f}" y="{top + 14}">{_text(text)}</text>\n'
        )
    return "".join(lines), 20 * len(lines)


def _curve(data: Points) -> tuple[str, int]:
    step = 740 / max(len(data.values) - 1, 1)
    path = " ".join(f"{30 + step * place:.1f},{170 - 150 * data.share(value):.1f}" for place, value in data.numbered())
    marks = "".join(
        f'<text x="{30 + step * place:.1f}" y="190" text-anchor="middle">{_text(data.labels[place])}</text>\n'
        for place in data.marked(10)
    )
    top = f'<text x="30" y="12">{_text(data.texts[data.highest])}</text>\n'
    base = '<path d="M30 170H770" stroke="#8c959f"/>\n'
    line = f'<polyline points="{path}" fill="none" stroke="#2f6fb0" stroke-width="2"/>\n'
    return top + base + line + marks, 200
