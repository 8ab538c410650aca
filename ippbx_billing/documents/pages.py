"""A PDF file, page by page: text in one embedded font, lines and bars, written as soon as the pages are complete.

    file = PdfFile(stream, font, title="October", lang="zh-CN", dated=date(2026, 10, 31))
    page = Page(*A4)
    page.text(40, 60, "话费", file.font, size=9)
    file.add([page])
    file.close()

Written after ISO 32000-1 (PDF 1.4): a Type 0 font with the glyphs that were used, and a table that turns them back
into text for those who search and copy. Lengths are points, counted from the page's left upper corner. Only the places
of the objects are kept in memory.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import IO

from ippbx_billing.documents.truetype import Font

Colour = tuple[int, int, int]
BLACK = (0, 0, 0)

CATALOG, PAGES, TYPE0, CID_FONT, DESCRIPTOR, FONT_FILE, TO_UNICODE, INFO = range(1, 9)
NAME = "IPPBXB+WenQuanYiMicroHei"  # six letters and a plus say that it is a subset
AT_ONCE = 100  # entries that one block of a ToUnicode table may have


class Letters:
    """The signs that were used so far, numbered as the embedded font will number them."""

    def __init__(self, font: Font) -> None:
        self.font = font
        self.numbers: dict[str, int] = {"\0": 0}
        self.written = lru_cache(maxsize=100_000)(self._written)

    def _written(self, text: str) -> str:
        """The text as a PDF string of glyph numbers."""
        numbers = self.numbers
        return "<" + "".join(f"{numbers.setdefault(sign, len(numbers)):04x}" for sign in text) + ">"

    def glyphs(self) -> list[int]:
        return [self.font.glyphs.get(ord(sign), 0) for sign in self.numbers]


class Page:
    """One page while it is drawn."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.marks: list[str] = []
        self._font_size = 0.0
        self._ink, self._pen = BLACK, (1.0, BLACK)

    def text(
        self, x: float, y: float, text: str, letters: Letters, size: float, colour: Colour = BLACK, bold: bool = False
    ) -> None:
        """The text with its foot at `y`; bold letters are drawn with a thin line around them."""
        self._set_ink(colour)
        if bold:
            self._set_pen(size / 36, colour)
        if size != self._font_size:
            self._font_size = size
            self.marks.append(f"/F1 {size:g} Tf")
        shown = f"BT {x:.2f} {self.height - y:.2f} Td {letters.written(text)} Tj ET"
        self.marks.append(f"2 Tr {shown} 0 Tr" if bold else shown)

    def path(self, points: Sequence[tuple[float, float]], width: float, colour: Colour) -> None:
        """A line from point to point."""
        self._set_pen(width, colour)
        (x, y), *others = points
        lines = " ".join(f"{x:.2f} {self.height - y:.2f} l" for x, y in others)
        self.marks.append(f"{x:.2f} {self.height - y:.2f} m {lines} S")

    def bar(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle, `y` its upper edge."""
        self._set_ink(colour)
        self.marks.append(f"{x:.2f} {self.height - y - height:.2f} {width:.2f} {height:.2f} re f")

    def _set_ink(self, colour: Colour) -> None:
        if colour != self._ink:
            self._ink = colour
            self.marks.append(f"{_parts(colour)} rg")

    def _set_pen(self, width: float, colour: Colour) -> None:
        if (width, colour) != self._pen:
            self._pen = width, colour
            self.marks.append(f"{width:.2f} w {_parts(colour)} RG")


class PdfFile:
    """The file while it is written: pages go to the stream at once, the font follows when all its letters are known."""

    def __init__(self, stream: IO[bytes], font: Font, *, title: str, lang: str, dated: date) -> None:
        self.letters = Letters(font)
        self._stream, self._font = stream, font
        self._places: dict[int, int] = {}
        self._length = 0
        self._pages: list[int] = []
        self._write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")  # four bytes beyond ASCII: nobody takes the file for text
        self._object(
            CATALOG,
            f"<< /Type /Catalog /Pages {PAGES} 0 R /Lang ({lang}) /ViewerPreferences << /DisplayDocTitle true >> >>",
        )
        created = f"(D:{dated:%Y%m%d}000000Z)"
        self._object(INFO, f"<< /Title {_string(title)} /Producer (ippbx-bill) /CreationDate {created} >>")

    def add(self, pages: Iterable[Page]) -> None:
        """Write these pages; nothing more can be drawn on them."""
        for page in pages:
            content = INFO + 1 + 2 * len(self._pages)
            self._data(content, "\n".join(page.marks).encode())
            size = f"/MediaBox [0 0 {page.width:g} {page.height:g}]"
            self._object(content + 1, f"<< /Type /Page /Parent {PAGES} 0 R {size} /Contents {content} 0 R >>")
            self._pages.append(content + 1)

    def close(self) -> None:
        """Write the font, the list of pages, and where all objects are."""
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        resources = f"<< /Font << /F1 {TYPE0} 0 R >> >>"
        self._object(PAGES, f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} /Resources {resources} >>")
        self._embed()
        start, count = self._length, len(self._places) + 1
        places = "".join(f"{self._places[number]:010d} 00000 n \n" for number in range(1, count))
        self._write(f"xref\n0 {count}\n0000000000 65535 f \n{places}".encode())
        self._write(f"trailer\n<< /Size {count} /Root {CATALOG} 0 R /Info {INFO} 0 R >>\n".encode())
        self._write(f"startxref\n{start}\n%%EOF\n".encode())

    def _embed(self) -> None:
        font, glyphs = self._font, self.letters.glyphs()
        widths = " ".join(f"{_thousandths(font, font.advances[glyph])}" for glyph in glyphs)
        box = " ".join(f"{_thousandths(font, edge)}" for edge in font.box)
        ascent, descent = _thousandths(font, font.ascent), _thousandths(font, font.descent)
        self._object(
            TYPE0,
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{NAME} /Encoding /Identity-H "
            f"/DescendantFonts [{CID_FONT} 0 R] /ToUnicode {TO_UNICODE} 0 R >>",
        )
        self._object(
            CID_FONT,
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{NAME} /CIDToGIDMap /Identity "
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            f"/FontDescriptor {DESCRIPTOR} 0 R /W [0 [{widths}]] >>",
        )
        self._object(
            DESCRIPTOR,
            f"<< /Type /FontDescriptor /FontName /{NAME} /Flags 4 /FontBBox [{box}] /ItalicAngle 0 "
            f"/Ascent {ascent} /Descent {descent} /CapHeight {ascent} /StemV 80 /FontFile2 {FONT_FILE} 0 R >>",
        )
        file = font.subset(glyphs)
        self._data(FONT_FILE, file, f"/Length1 {len(file)} ")
        self._data(TO_UNICODE, _to_unicode(list(self.letters.numbers)))

    def _object(self, number: int, text: str) -> None:
        self._places[number] = self._length
        self._write(f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1"))

    def _data(self, number: int, data: bytes, more: str = "") -> None:
        packed = zlib.compress(data)
        self._places[number] = self._length
        self._write(f"{number} 0 obj\n<< /Filter /FlateDecode {more}/Length {len(packed)} >>\nstream\n".encode())
        self._write(packed)
        self._write(b"\nendstream\nendobj\n")

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._length += len(data)


def _parts(colour: Colour) -> str:
    return " ".join(f"{part / 255:.3g}" for part in colour)


def _thousandths(font: Font, length: int) -> int:
    """A length of the font's units as PDF counts them."""
    return round(1000 * length / font.units)


def _string(text: str) -> str:
    """Any text as a PDF string."""
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def _to_unicode(signs: Sequence[str]) -> bytes:
    """The table by which glyph numbers become text again."""
    entries = [f"<{number:04x}> <{sign.encode('utf-16-be').hex()}>" for number, sign in enumerate(signs) if number]
    blocks = (entries[start : start + AT_ONCE] for start in range(0, len(entries), AT_ONCE))
    listed = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{listed}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
