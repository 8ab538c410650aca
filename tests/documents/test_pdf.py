"""How words come onto the pages of a PDF."""

from contextlib import closing

import pytest

from ippbx_billing.documents import pdf
from ippbx_billing.documents.document import FONT, Document


@pytest.mark.parametrize("text", ["天津 (022) 1,234.50", "a\\b) (", "8001", "—"])
def test_words_are_put_as_the_library_puts_them(text: str) -> None:
    """Signs, place and colour: the quick way writes what fpdf's own `text` does."""
    press = pdf._Press(Document("title"), FONT)
    with closing(press.letters):
        press.pdf.add_page()
        press.y = 100
        press._text(30, text, 9, pdf.QUIET)
        ours = bytes(press.pdf.pages[1].contents or b"").splitlines()[-1]
        press.pdf.set_text_color(*pdf.QUIET)
        press.pdf.set_fill_color(*pdf.QUIET)
        press.pdf.text(30, 100, text)
        theirs = bytes(press.pdf.pages[1].contents or b"").splitlines()[-1]
    assert ours == theirs
