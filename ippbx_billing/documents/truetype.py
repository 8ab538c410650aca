"""A TrueType font: which signs it has, how wide they are, and a small font of only those that were used.

    font = Font(Path("wqy-microhei.ttc").read_bytes())
    font.width("话费 0.98")                  # in sizes of the letters
    font.subset([0, font.glyphs[ord("话")]])  # a font file with two glyphs, numbered 0 and 1

Written after the OpenType specification 1.9 (tables head, hhea, maxp, hmtx, cmap formats 4 and 12, loca, glyf). A font
is read once; a subset takes a millisecond, so that thousands of small files may each have theirs.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

COPIED = ("cvt ", "fpgm", "prep")  # the hints for small sizes, which do not name glyphs
WORDS, SCALE, MORE, BOTH_SCALES, MATRIX = 0x1, 0x8, 0x20, 0x40, 0x80  # flags of a composite glyph's parts


class Font:
    """The bytes of a font file, or one font of a collection (`.ttc`)."""

    def __init__(self, data: bytes, number: int = 0) -> None:
        self._data = data
        start = struct.unpack_from(">I", data, 12 + 4 * number)[0] if data[:4] == b"ttcf" else 0
        (count,) = struct.unpack_from(">H", data, start + 4)
        records = (struct.unpack_from(">4sIII", data, start + 12 + 16 * place) for place in range(count))
        self._tables = {tag.decode(): (offset, length) for tag, _, offset, length in records}
        head, hhea = self.table("head"), self.table("hhea")
        self.units: int = struct.unpack_from(">H", head, 18)[0]
        self.box: Sequence[int] = struct.unpack_from(">4h", head, 36)
        self.ascent, self.descent = struct.unpack_from(">2h", hhea, 4)
        (self._metrics,) = struct.unpack_from(">H", hhea, 34)
        (self.count,) = struct.unpack_from(">H", self.table("maxp"), 4)
        self.width = lru_cache(maxsize=100_000)(self._width)

    def table(self, tag: str) -> bytes:
        """A table's bytes; none where the font has no such table."""
        offset, length = self._tables.get(tag, (0, 0))
        return self._data[offset : offset + length]

    @cached_property
    def advances(self) -> Sequence[int]:
        """How far each glyph goes, in the font's units."""
        pairs = struct.unpack_from(f">{2 * self._metrics}H", self.table("hmtx"))
        return [*pairs[::2], *pairs[-2:-1] * (self.count - self._metrics)]

    @cached_property
    def glyphs(self) -> dict[int, int]:
        """The glyph of each code point of Unicode that the font has."""
        cmap = self.table("cmap")
        (count,) = struct.unpack_from(">H", cmap, 2)
        places = {struct.unpack_from(">I", cmap, 8 + 8 * place)[0] for place in range(count)}
        found: dict[int, int] = {}
        for place in sorted(places):
            (kind,) = struct.unpack_from(">H", cmap, place)
            if kind == 4:
                found |= _segments(cmap, place)
            elif kind == 12:
                found |= _groups(cmap, place)
        return found

    def _width(self, text: str) -> float:
        """How wide the text is at size 1; signs that the font lacks count as its box for them."""
        glyphs, advances = self.glyphs, self.advances
        return sum(advances[glyphs.get(ord(sign), 0)] for sign in text) / self.units

    def subset(self, wanted: Sequence[int]) -> bytes:
        """A font with these glyphs, numbered from 0 in this order (0 is the box for what is missing)."""
        order = list(wanted)
        outlines = [self._outline(glyph, order) for glyph in order]  # the order grows by the parts of glyphs meanwhile
        places = [0]
        for outline in outlines:
            places.append(places[-1] + len(outline))
        head, hhea, maxp = (bytearray(self.table(tag)) for tag in ("head", "hhea", "maxp"))
        struct.pack_into(">I", head, 8, 0)  # a sum over the whole file, which embedded fonts need not have
        struct.pack_into(">H", head, 50, 1)  # loca counts bytes, in four of them
        struct.pack_into(">H", hhea, 34, len(order))
        struct.pack_into(">H", maxp, 4, len(order))
        tables = {
            "head": bytes(head),
            "hhea": bytes(hhea),
            "maxp": bytes(maxp),
            "hmtx": b"".join(struct.pack(">Hh", self.advances[glyph], self._bearing(glyph)) for glyph in order),
            "loca": struct.pack(f">{len(places)}I", *places),
            "glyf": b"".join(outlines),
        }
        return _file(tables | {tag: self.table(tag) for tag in COPIED if tag in self._tables})

    def _bearing(self, glyph: int) -> int:
        place = 4 * glyph + 2 if glyph < self._metrics else 4 * self._metrics + 2 * (glyph - self._metrics)
        bearing: int = struct.unpack_from(">h", self._data, self._tables["hmtx"][0] + place)[0]
        return bearing

    @cached_property
    def _places(self) -> Sequence[int]:
        """Where each glyph's outline begins in the table glyf."""
        (long,) = struct.unpack_from(">h", self.table("head"), 50)
        if long:
            return struct.unpack(f">{self.count + 1}I", self.table("loca")[: 4 * self.count + 4])
        return [2 * place for place in struct.unpack(f">{self.count + 1}H", self.table("loca")[: 2 * self.count + 2])]

    def _outline(self, glyph: int, order: list[int]) -> bytes:
        """The glyph's outline; of a composite one the parts get their new numbers, and are added where they lack."""
        start = self._tables["glyf"][0]
        outline = bytearray(self._data[start + self._places[glyph] : start + self._places[glyph + 1]])
        if outline and struct.unpack_from(">h", outline)[0] < 0:
            for place in _parts(outline):
                (part,) = struct.unpack_from(">H", outline, place)
                if part not in order:
                    order.append(part)
                struct.pack_into(">H", outline, place, order.index(part))
        return bytes(outline) + b"\0" * (-len(outline) % 4)


def _parts(outline: bytearray) -> Iterable[int]:
    """Where the parts of a composite glyph are named."""
    place, flags = 10, MORE
    while flags & MORE:
        (flags,) = struct.unpack_from(">H", outline, place)
        yield place + 2
        place += 8 if flags & WORDS else 6
        place += 2 * bool(flags & SCALE) + 4 * bool(flags & BOTH_SCALES) + 8 * bool(flags & MATRIX)


def _segments(cmap: bytes, place: int) -> dict[int, int]:
    """A cmap of format 4: segments of code points, each with a distance or a list of glyphs."""
    found: dict[int, int] = {}
    count = struct.unpack_from(">H", cmap, place + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", cmap, place + 14)
    starts = struct.unpack_from(f">{count}H", cmap, place + 16 + 2 * count)
    distances = struct.unpack_from(f">{count}H", cmap, place + 16 + 4 * count)
    offsets = struct.unpack_from(f">{count}H", cmap, place + 16 + 6 * count)
    for number, (start, end, distance, offset) in enumerate(zip(starts, ends, distances, offsets, strict=True)):
        codes = range(start, min(end, 0xFFFE) + 1)
        if offset:
            listed = place + 16 + 6 * count + 2 * number + offset
            glyphs: Iterable[int] = struct.unpack_from(f">{len(codes)}H", cmap, listed)
            found |= {code: (glyph + distance) % 0x10000 for code, glyph in zip(codes, glyphs, strict=True) if glyph}
        else:
            found |= {code: (code + distance) % 0x10000 for code in codes}
    return found


def _groups(cmap: bytes, place: int) -> dict[int, int]:
    """A cmap of format 12: runs of code points with runs of glyphs."""
    (count,) = struct.unpack_from(">I", cmap, place + 12)
    found: dict[int, int] = {}
    for number in range(count):
        first, last, glyph = struct.unpack_from(">III", cmap, place + 16 + 12 * number)
        found |= {code: glyph + code - first for code in range(first, last + 1)}
    return found


def _file(tables: dict[str, bytes]) -> bytes:
    """A font file of these tables."""
    power = len(tables).bit_length() - 1
    header = struct.pack(">IHHHH", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    place, directory, contents = 12 + 16 * len(tables), b"", b""
    for tag, table in sorted(tables.items()):
        padded = table + b"\0" * (-len(table) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) % 2**32
        directory += struct.pack(">4sIII", tag.encode(), checksum, place + len(contents), len(table))
        contents += padded
    return header + directory + contents
