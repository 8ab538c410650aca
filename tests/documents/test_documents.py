"""Documents for people: every figure in every form, nothing obeyed that came from outside, whole or not there."""

import io
import re
import time
import zipfile
from base64 import b64decode
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from ippbx_billing.documents import FORMS, Chart, Document, Section, write, write_each
from ippbx_billing.documents.batches import Batches
from ippbx_billing.documents.columns import Column
from ippbx_billing.documents.page_layout import wrap
from ippbx_billing.documents.terminal import wrapped
from ippbx_billing.errors import BillingError

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
    assert not re.search(r"https?://|url\((?!data:)|@import|src=", page)


def test_html_carries_the_chinese_signs_it_shows() -> None:
    """Also where no Chinese font is installed; a page that shows none carries no font."""
    page = written("html").decode()
    (carried,) = re.findall(r"url\(data:font/woff;base64,([^)]+)\)", page)
    assert {chr(code) for code in TTFont(io.BytesIO(b64decode(carried))).getBestCmap()} == set("张伟")
    assert "carried" in page.split("</style>")[0]
    assert "@font-face" not in written("html", document(rows=[{"name": "Smith", "fee": "1"}])).decode()


def test_files_of_html_share_their_signs(tmp_path: Path) -> None:
    """Cutting the font takes longer than writing a bill; the pages are the same as one by one but for that."""
    names = {"张三": tmp_path / "1.html", "李四": tmp_path / "2.html"}
    write_each(((document(rows=[{"name": name, "fee": "1"}]), path) for name, path in names.items()), "html")
    pages = [path.read_text(encoding="utf-8") for path in names.values()]
    assert len({page[page.index("@font-face") :] for page in pages}) == 1
    assert [name in page for name, page in zip(names, pages, strict=True)] == [True, True]


@pytest.mark.parametrize("name", ["张" * 30, "Maximilian von und zu Hohenzollern"])
def test_a_long_label_of_a_chart_is_shortened(name: str) -> None:
    """The bars keep their room; the table has the whole name."""
    page = Texts(
        written("html", document(rows=[{"name": name, "fee": "1"}], chart=Chart("bar", "name", "fee"))).decode()
    )
    (label,) = (text for text in page.texts if text.endswith("…"))
    assert name.startswith(label[:-1].rstrip())
    assert len(label.encode("gbk", "replace")) <= 26
    assert name in page.texts


def test_a_chart_of_some_rows_says_so() -> None:
    """Nobody takes the first twenty bars for all of them."""
    rows = [{"name": f"{number:03d}", "fee": "1.00"} for number in range(21)]
    shown = document(rows=rows, total=None, chart=Chart("bar", "name", "fee", "Fees"))
    assert "the first 20 of 21" in Texts(written("html", shown).decode()).texts
    assert "the first 20 of 21" in pages(shown)[0]
    with zipfile.ZipFile(io.BytesIO(written("xlsx", shown))) as parts:
        assert "Fees: the first 20 of 21" in parts.read("xl/charts/chart1.xml").decode()
    assert "the first" not in pages(document(rows=rows[:20], total=None, chart=Chart("bar", "name", "fee")))[0]


def test_html_streams_its_rows() -> None:
    """A row is written before the next one is asked for, so that a list of any length fits."""
    stream = io.BytesIO()

    def rows() -> Any:
        for number in range(3):
            assert number == 0 or f">{number - 1:04d}<".encode() in stream.getvalue()
            yield {"extension": f"{number:04d}"}

    write(document(rows=rows()), "html", stream)
    assert stream.getvalue().count(b"<tr>") == 5


def test_markdown_keeps_signs_as_text() -> None:
    """A pipe, a star or a tag in a name changes no table."""
    name = "a|b *c* `d` [e](f) <g> & \\ #"
    page = written("markdown", document(rows=[{"extension": "*60#", "name": name}])).decode()
    shown = r"| \*60\# | a\|b \*c\* \`d\` \[e\](f) &lt;g&gt; &amp; \\ \# | – | – | – | – |"
    assert shown in page.splitlines()
    assert "| **total** |  | **12,346** | **1:02:08** |  | **1,234.63** |" in page.splitlines()
    assert "| --- | --- | ---: | ---: | --- | ---: |" in page.splitlines()


def workbook(*documents: Document, computed: bool = True) -> Any:
    """Read back with the values that formulas have where nobody computes, or with the formulas."""
    return openpyxl.load_workbook(io.BytesIO(written("xlsx", *documents)), data_only=computed)


def test_a_workbook_has_figures_to_compute_with() -> None:
    """Numbers, durations and times are such; a code keeps its zeros; the heading is frozen and has filters."""
    sheet = workbook()["By extension"]
    assert [cell.value for cell in sheet[1]] == [column.title for column in COLUMNS]
    first, last = sheet[2], sheet[4]
    assert [cell.value for cell in first[:3]] == ["8001", "张伟", 12_345]
    assert (first[3].value, first[3].number_format) == (timedelta(seconds=3723), "[h]:mm:ss")
    assert (first[4].value, first[4].number_format) == (datetime(2026, 10, 1, 9, 30), "yyyy-mm-dd hh:mm:ss")
    assert (first[5].value, first[5].number_format) == (1234.56, "#,##0.00")
    assert (last[0].value, last[5].value, last[5].font.bold) == ("total", 1234.63, True)
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:F3")


def test_a_share_is_a_percentage() -> None:
    """Excel shows 33.3 % and computes with a third."""
    section = Section("Shares", [Column("share", "Share", "percent")], [{"share": "0.3333"}])
    cell = workbook(Document("Shares", sections=[section]))["Shares"]["A2"]
    assert (cell.value, cell.number_format) == (0.3333, "0.0%")


def test_a_cover_sheet_tells_the_facts() -> None:
    """Title, who and when, and what the figures do not cover; behind the table, which is what opens."""
    book = workbook()
    assert (book.sheetnames, book.active.title) == (["By extension", "About"], "By extension")
    cover = book["About"]
    texts = [cell.value for row in cover for cell in row if cell.value]
    assert texts[:5] == ["Calls of 2026-10", "Tianjin", "Period", "2026-10-01 – 2026-10-31", "3 calls unrated"]


def test_a_workbook_keeps_every_fee_to_the_digit() -> None:
    """Fifteen digits are a number that reads back exactly; what has more stays text rather than be rounded."""
    fees = ["0.07", "0.1", "1234567.89", "999999999999.999", "0.000001", "12345678901234.56", "-3.30"]
    sheet = workbook(document(rows=[{"fee": fee} for fee in fees], total=None))["By extension"]
    values = [sheet.cell(place, 6).value for place in range(2, 2 + len(fees))]
    assert [Decimal(f"{value:.15g}") if not isinstance(value, str) else value for value in values] == [
        fee if fee == "12345678901234.56" else Decimal(fee) for fee in fees
    ]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "{=1}", "http://a.example/", "\x1b[2J"])
def test_nothing_in_a_workbook_is_a_formula_or_a_link(name: str) -> None:
    """What looks like one is text, control characters are made visible."""
    sheet = workbook(document(rows=[{"name": name}], title=name)).worksheets[0]
    cell = sheet["B2"]
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert cell.value == name.replace("\x1b", "\ufffd")


def test_sheets_have_names_that_excel_takes() -> None:
    """Long, forbidden and equal names become possible ones."""
    sections = [
        Section(title, COLUMNS, []) for title in ("工程部/一组:*?[]" * 4, "工程部/一组:*?[]" * 4, "", "CALLS", "Calls")
    ]
    names = workbook(Document("Bill", sections=sections)).sheetnames
    assert len({name.lower() for name in names}) == 5
    assert all(len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)


@pytest.mark.parametrize("kind", ["bar", "line"])
def test_a_workbook_draws_its_chart_from_its_cells(kind: Any) -> None:
    """The chart follows the table and stands beside it; no label of a bar is left out."""
    with zipfile.ZipFile(io.BytesIO(written("xlsx", document(chart=Chart(kind, "name", "fee", "Fees"))))) as parts:
        chart = parts.read("xl/charts/chart1.xml").decode()
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        anchor = parts.read("xl/drawings/drawing1.xml").decode()
    assert "'By extension'!$B$2:$B$3" in chart
    assert "'By extension'!$F$2:$F$3" in chart
    assert "<drawing " in sheet
    assert "frozen" in sheet
    assert f"<xdr:from><xdr:col>{len(COLUMNS) + 1}</xdr:col>" in anchor
    assert ('<c:tickLblSkip val="1"/>' in chart) == (kind == "bar")


def test_a_long_label_gets_the_room_that_it_needs() -> None:
    """The bars begin behind the longest one, and the chart is wider by what that takes."""
    starts = []
    for name in ("张伟", "天津市滨海新区第一营业部技术支持组"):
        drawn = document(rows=[{"name": name, "fee": "1.00"}], total=None, chart=Chart("bar", "name", "fee"))
        with zipfile.ZipFile(io.BytesIO(written("xlsx", drawn))) as parts:
            chart = parts.read("xl/charts/chart1.xml").decode()
            extent = re.search(r"<xdr:to><xdr:col>(\d+)", parts.read("xl/drawings/drawing1.xml").decode())
        start = re.search(r'<c:x val="([\d.]+)"/>', chart)
        assert start
        assert extent
        starts.append((float(start[1]), int(extent[1])))
    assert starts[0][0] < starts[1][0] < 0.5
    assert starts[0][1] < starts[1][1]


def test_a_total_is_what_the_filters_show() -> None:
    """A formula with its value, for counts, durations and fees, and where nothing is known of some of them."""
    cells = {cell.coordinate: cell.value for cell in workbook(computed=False)["By extension"][4]}
    wanted = {one: f"=SUBTOTAL(109,{one[0]}2:{one[0]}3)" for one in ("C4", "D4", "F4")}
    assert {one: cells[one] for one in wanted} == wanted
    assert any("follow the filters" in str(row[0]) for row in workbook()["About"].values)


@pytest.mark.parametrize(
    ("fees", "total", "formula"),
    [
        (["0.10", "0.20", None], "0.30", True),
        (["1.00", "1.00", "2.00"], "2.00", False),  # a sum of departments that holds those below
        (["999999999999999.99", "0.01"], "1000000000000000.00", False),  # the first is text
        (["0.07"] * 1500, "105.00", True),
    ],
)
def test_a_formula_stands_only_where_it_gives_the_total(fees: list[str | None], total: str, formula: bool) -> None:
    """To the last digit, in decimals; row by row and column by column."""
    columns, rows = [Column("fee", "Fee", "money")], [{"fee": fee} for fee in fees]
    for listed in (rows, Batches(["fee"], [{"fee": fees}])):
        drawn = Document("Fees", sections=[Section("Fees", columns, listed, total={"fee": total})])
        foot = workbook(drawn, computed=False)["Fees"].cell(len(fees) + 2, 1).value
        assert str(foot).startswith("=SUBTOTAL(109,A2:") == formula
        assert workbook(drawn)["Fees"].cell(len(fees) + 2, 1).value in (float(total), total)


def test_a_sum_that_excel_would_round_is_told() -> None:
    """The value is exact; what Excel makes of so many long ones may differ in the last digit."""
    rows = [{"fee": "9876543.123456"}] * 90
    section = Section("Fees", [Column("fee", "Fee", "money")], rows, total={"fee": "888888881.111040"})
    book = workbook(Document("Fees", sections=[section]))
    assert Decimal(str(book["Fees"]["A92"].value)) == Decimal("888888881.11104")
    told = [str(row[0].value) for row in book["About"].rows]
    assert [line.rpartition("it is ")[2] for line in told if "rounds" in line] == ["888,888,881.111040"]


def pages(*documents: Document) -> list[str]:
    """The texts of a PDF's pages."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(written("pdf", *documents))).pages]


def test_a_pdf_shows_chinese_with_its_own_font() -> None:
    """Every text can be found, and the letters are in the file."""
    data = written("pdf")
    (page,) = pypdf.PdfReader(io.BytesIO(data)).pages
    text = page.extract_text()
    for wanted in ("Calls of 2026-10", "张伟", "12,345", "1:02:03", "2026-10-01 09:30:00", "1,234.63", "1 / 1"):
        assert wanted in text, wanted
    (font,) = page["/Resources"]["/Font"].values()
    assert "/FontFile2" in font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
    assert len(data) < 100_000  # the signs that occur, not the whole font of five megabytes


def test_a_long_table_repeats_its_heading_and_counts_its_pages() -> None:
    """Each document by itself; no row is lost or printed twice, and the total does not stand alone."""
    rows = [{"extension": f"{number:04d}", "fee": "0.10"} for number in range(100)]
    found = pages(document(rows=rows), document())
    last = len(found) - 1
    assert last >= 2
    assert [text.count("Extension") for text in found] == [1] * len(found)
    for number, text in enumerate(found[:-1], start=1):
        assert f"{number} / {last}" in text
    assert "1 / 1" in found[-1]
    printed = re.findall(r"^(\d{4}) ", "\n".join(found[:-1]), re.MULTILINE)
    assert printed == [row["extension"] for row in rows]
    assert "0099" in found[last - 1]
    assert "1,234.63" in found[last - 1]


def test_a_month_of_days_is_one_page() -> None:
    """With its chart, its conditions, its total and a note: no page holds nothing but a last line."""
    rows = [{"when": f"2026-10-{day:02d}", "calls": day, "fee": f"{day}.00"} for day in range(1, 32)]
    section = Section("", COLUMNS[2:], rows, {"fee": "496.00"}, Chart("line", "when", "fee", "Fees"))
    conditions = [("Days", "2026-10"), ("Direction", "outbound"), ("Currency", "CNY"), ("Time zone", "Asia/Shanghai")]
    assert len(pages(Document("Calls of 2026-10", facts=conditions, sections=[section], notes=["one note"]))) == 1


def test_figures_are_never_cut_on_paper() -> None:
    """A table too wide for the page wraps its texts, is turned, loses what matters least; its numbers stay whole."""
    columns = [*COLUMNS, *(Column(f"extra{number}", f"Extra {number}", rank=number) for number in range(1, 12))]
    row = ROWS[0] | {f"extra{number}": "some longer words here" for number in range(1, 12)}
    row |= {"name": "A very long name " * 20, "calls": 10**15}
    (text,) = pages(Document("Wide", sections=[Section("", columns, [row])]))
    for figure in ("8001", "1,000,000,000,000,000", "1:02:03", "2026-10-01 09:30:00", "1,234.56"):
        assert figure in text
    assert "…" in text


def test_a_sign_the_font_lacks_is_a_box() -> None:
    """Better than nothing where something was."""
    assert "a□b" in pages(document(rows=[{"name": "a😀b"}]))[0]


@given(st.text(max_size=60), st.integers(1, 30))
def test_wrapping_loses_no_sign(text: str, width: int) -> None:
    """Only spaces at the breaks; and no line is too wide that could be narrower."""
    lines = wrap(text, width, len)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "12 events of these days were not understood, and so are in no sum: see `events list --status rejected`",
            ["12 events of these days were not understood, and so are in no sum: see",
             "  `events list --status rejected`"],
        ),
        (
            "这几天有十二个事件无法识别，因此不计入任何合计；请先查看拒收清单，然后补全方言定义再重放（参见“事件”一节），合计随后自动更新。",
            ["这几天有十二个事件无法识别，因此不计入任何合计；请先查看拒收清单，然后补全方言",
             "  定义再重放（参见“事件”一节），合计随后自动更新。"],
        ),
        ("字" * 38 + "，（完）", ["字" * 38 + "，", "  （完）"]),
    ],
)  # fmt: skip
def test_a_note_in_a_terminal_breaks_between_words(
    text: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 columns: a command stays whole, no sign that closes begins a line; a file has it in one line."""
    monkeypatch.setenv("COLUMNS", "80")
    assert wrapped(text, io.StringIO()) == lines
    monkeypatch.delenv("COLUMNS")
    assert wrapped(text, io.StringIO()) == [text]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_document_gives_the_same_bytes(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nightly export that says nothing new is the same file, whatever the clock says."""
    first = written(form)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    assert written(form) == first


@pytest.mark.parametrize("form", FORMS)
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


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_a_sentence(form: str) -> None:
    """As the system tells it, whichever library was writing; the device itself is still there."""
    with pytest.raises(BillingError, match=r"/dev/full cannot be written: No space left on device"):
        write(document(), form, Path("/dev/full"))
    assert Path("/dev/full").is_char_device()


def test_the_mode_of_a_file_stays_and_a_link_too(tmp_path: Path) -> None:
    """Who may read last month's file may read this month's; the file behind a link is replaced, not the link."""
    target, link = tmp_path / "bill.html", tmp_path / "link.html"
    write(document(), "html", target)
    target.chmod(0o640)
    link.symlink_to(target)
    write(document(title="other"), "html", link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert b"other" in target.read_bytes()
