"""Documents for people: every figure in every form, nothing obeyed that came from outside, whole or not there."""

import io
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing.documents import Chart, Document, Section, write
from ippbx_billing.errors import BillingError
from ippbx_billing.render import Column

COLUMNS = [
    Column("extension", "Extension", "code"),
    Column("name", "Name"),
    Column("calls", "Calls", "number"),
    Column("billed_s", "Talk time", "length"),
    Column("started_at", "Start", "time"),
    Column("fee", "Fee", "money"),
]
START = "2026-10-01T09:30:00+08:00"
KEYS = [column.key for column in COLUMNS]
ROWS: list[dict[str, Any]] = [
    dict(zip(KEYS, values, strict=True))
    for values in (
        ("8001", "张伟", 12_345, 3723, START, "1234.56"),
        ("8002", "O'Neil & <b>Sons</b> | x", 1, 5, None, "0.07"),
    )
]
TOTAL = {"extension": "total", "calls": 12_346, "billed_s": 3728, "fee": "1234.63"}


def document(**changes: Any) -> Document:
    section = {"title": "By extension", "columns": COLUMNS, "rows": ROWS, "total": TOTAL} | changes
    return Document(
        "Calls of 2026-10",
        "Tianjin",
        facts=[("Period", "2026-10-01 – 2026-10-31")],
        sections=[Section(**section)],
        notes=["3 calls unrated"],
        dated=date(2026, 10, 31),
    )


def written(form: str, *documents: Document) -> bytes:
    stream = io.BytesIO()
    write(documents or [document()], form, stream)
    return stream.getvalue()


class Texts(HTMLParser):
    """The tags of a page, and its visible texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def test_html_shows_everything_once() -> None:
    """Title, facts, headings, figures as people read them, total, notes."""
    page = Texts(written("html").decode())
    for text in ("Tianjin", "Period", "Talk time", "张伟", "12,345", "1:02:03", "3 calls unrated"):
        assert page.texts.count(text) == 1, text
    assert page.texts.count("Calls of 2026-10") == 2  # in the window's title and on the page
    assert page.tags.count("tr") == 4
    assert "2026-10-01 09:30:00" in page.texts


def test_html_escapes_what_the_pbx_sent_and_fetches_nothing() -> None:
    """A name cannot become a tag, a control character not a surprise; no other machine is asked."""
    hostile = '<script>alert(1)</script>"\x1b[2J\u202e'
    rows = [{"extension": hostile, "name": hostile, "fee": "1"}]
    chart = Chart("bar", "name", "fee", title=hostile)
    page = written("html", document(title=hostile, rows=rows, chart=chart)).decode()
    assert "script" not in Texts(page).tags
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert not re.search(r"https?://|url\(|@import|src=", page)


def test_html_streams_its_rows() -> None:
    """A row is written before the next one is asked for, so that a list of any length fits."""
    stream = io.BytesIO()

    def rows() -> Any:
        for number in range(3):
            assert number == 0 or f">{number - 1:04d}<".encode() in stream.getvalue()
            yield {"extension": f"{number:04d}"}

    write(document(rows=rows()), "html", stream)
    assert stream.getvalue().count(b"<tr>") == 5


@pytest.mark.parametrize("form", ["html"])
def test_the_same_document_gives_the_same_bytes(form: str) -> None:
    """A nightly export that says nothing new is the same file."""
    assert written(form) == written(form)


@pytest.mark.parametrize("form", ["html"])
def test_a_file_is_whole_or_not_there(form: str, tmp_path: Path) -> None:
    """Neither rows that fail half-way nor a folder that is missing leave anything behind."""
    target = tmp_path / f"bill.{form}"
    write(document(), form, target)
    before = target.read_bytes()

    def failing() -> Any:
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(document(rows=failing()), form, target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(BillingError, match=r"nowhere/bill cannot be written: No such file"):
        write(document(), form, tmp_path / "nowhere" / "bill")
