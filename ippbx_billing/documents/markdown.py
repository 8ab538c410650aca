"""A document as Markdown with tables, for a wiki or a chat: what came from outside stays text."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

from ippbx_billing.documents.columns import Column, Row, harmless, shown
from ippbx_billing.documents.document import Document, Section


def write(documents: Iterable[Document], stream: IO[bytes]) -> None:
    """Write the documents one after another, with a rule between them."""
    for place, document in enumerate(documents):
        for part in chain(["\n---\n\n"] if place else [], _parts(document)):
            stream.write(part.encode())


def _parts(document: Document) -> Iterator[str]:
    yield f"# {_text(document.title)}\n"
    if document.subtitle:
        yield f"\n{_text(document.subtitle)}\n"
    if document.letterhead and document.letterhead.address:
        yield "\n" + "  \n".join(map(_text, document.letterhead.address)) + "\n"
    if document.facts:
        yield "\n" + "".join(f"- {_text(name)}: {_text(value)}\n" for name, value in document.facts)
    for section in document.sections:
        yield from _section(section)
    if document.notes:
        yield "\n" + "".join(f"- {_text(note)}\n" for note in document.notes)
    if document.letterhead and document.letterhead.footer:
        yield f"\n{_text(document.letterhead.footer)}\n"


def _section(section: Section) -> Iterator[str]:
    if section.title:
        yield f"\n## {_text(section.title)}\n"
    rows = iter(section.rows)
    first = next(rows, None)
    if first is None and section.empty:
        yield f"\n{_text(section.empty)}\n"
        return
    yield "\n" + _line(_text(column.title) for column in section.columns)
    yield _line("---:" if column.to_the_right else "---" for column in section.columns)
    for row in chain([] if first is None else [first], rows):
        yield _line(_cells(row, section.columns))
    if section.total is not None:
        yield _line(f"**{text}**" if text else "" for text in _cells(section.total, section.columns, total=True))


def _cells(row: Row, columns: Sequence[Column], total: bool = False) -> Iterator[str]:
    return ("" if total and row.get(one.key) is None else _text(shown(row, one)) for one in columns)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _text(text: str) -> str:
    """The text with everything escaped that Markdown, or the HTML in it, would take for a sign of its own."""
    escaped = re.sub(r"([\\|*_`\[\]#~])", r"\\\1", harmless(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
