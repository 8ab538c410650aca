"""The font in a PDF: exactly the glyphs that were used, drawn as in the whole font, and as wide."""

import struct

import pytest

from ippbx_billing.documents.pdf import FONT
from ippbx_billing.documents.truetype import Font


@pytest.fixture(scope="module")
def font() -> Font:
    return Font(FONT.read_bytes())


def drawn(font: Font, glyph: int) -> list[bytes]:
    """The outlines of a glyph, those of a composite one part by part."""
    order = [glyph]
    outline = font._outline(glyph, order)
    if len(order) == 1:
        return [outline]
    return [part for one in order[1:] for part in drawn(font, one)]


def cut(font: Font, text: str) -> Font:
    """The font with the glyphs of the text, read again."""
    return Font(font.subset([0, *(font.glyphs[ord(sign)] for sign in text)]))


def test_the_font_has_what_operators_write(font: Font) -> None:
    """All of GB2312, Latin with its accents, and the signs of our tables."""
    gb2312 = "".join(
        bytes([row, cell]).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF)
    )
    wanted = gb2312 + "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])) + "–—…€□→·￥"
    assert len(gb2312) > 7000
    assert [sign for sign in wanted if ord(sign) not in font.glyphs] == []


def test_widths_are_those_of_the_font(font: Font) -> None:
    """A Chinese sign is as wide as it is high, figures are alike, a text is the sum of its signs."""
    assert font.width("话") == pytest.approx(1, abs=0.001)
    assert len({font.width(figure) for figure in "0123456789"}) == 1
    assert font.width("话费 1") == pytest.approx(sum(map(font.width, "话费 1")))


@pytest.mark.parametrize("text", ["话费 0.98", "Zürich à la carte ÀÉÎÕÜ", "张伟" * 3])
def test_a_subset_draws_the_same(font: Font, text: str) -> None:
    """Each glyph under its new number, accents with the letters below them, every checksum right."""
    small = cut(font, text)
    for number, sign in enumerate(text, start=1):
        glyph = font.glyphs[ord(sign)]
        assert small.advances[number] == font.advances[glyph]
        assert drawn(small, number) == drawn(font, glyph), sign
    assert small.count >= len(text) + 1


def test_the_tables_of_a_subset_add_up(font: Font) -> None:
    """Viewers that check find nothing wrong."""
    data = font.subset([0, font.glyphs[ord("é")]])
    (count,) = struct.unpack_from(">H", data, 4)
    for place in range(count):
        _, checksum, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * place)
        padded = data[offset : offset + length] + b"\0" * (-length % 4)
        assert sum(struct.unpack(f">{len(padded) // 4}I", padded)) % 2**32 == checksum
        assert offset % 4 == 0
    assert len(data) < 10_000
