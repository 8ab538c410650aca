"""Lines and tables: any separator, headings in any language, none at all; and what proves the columns then."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.calls import Call, EventKind, RawEvent, Reading
from ippbx_billing.dialects import load, read
from ippbx_billing.dialects.tables import rows_of

KNOWN = load()
ZONE = ZoneInfo("Asia/Shanghai")
START, ANSWER, END = "2026-05-21 22:00:00", "2026-05-21 22:00:07", "2026-05-21 22:01:12"
ROW = ["8001", "13800138000", START, END, "72", "65", "ANSWERED", "SIP1"]


def reading(text: str | bytes) -> Reading:
    body = text if isinstance(text, bytes) else text.encode()
    arrived = datetime(2026, 11, 28, tzinfo=UTC)
    event = RawEvent(1, arrived, EventKind.CDR, "10.1.2.3:5", "POST", "/", "", "", body)
    return read(event, KNOWN, chosen="auto", zone=ZONE, is_extension=lambda said: len(said) == 4, country="CN")


def told(call: Call) -> tuple[object, ...]:
    return call.caller, call.callee, call.duration_s, call.billed_s, str(call.disposition), str(call.direction)


THE_CALL = ("8001", "13800138000", 72, 65, "answered", "outbound")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "heading",
    [
        "caller callee start_time end_time duration billsec disposition trunk",
        "主叫号码 被叫号码 开始时间 结束时间 总时长 通话时长 通话结果 中继",
        "Caller Callee Start_Time End_Time Duration_(s) Billsec_[sec] Disposition Trunk",
        "主叫 被叫 呼叫时间 挂断时间 总时长(秒) 通话时长(秒) 状态 中继",
    ],
)
def test_a_heading_names_the_columns(separator: str, heading: str) -> None:
    """Whatever stands between the cells, in English or Chinese, with units or without, in UTF-8 or GB18030."""
    text = separator.join(heading.split()) + "\n" + separator.join(ROW) + "\r\n"
    for body in (text.encode(), text.encode("gb18030")):
        assert [told(call) for call in reading(body).calls] == [THE_CALL]


def test_quotes_types_and_titles_are_no_records() -> None:
    """A line of types under the heading, a title above it, a rule between, a heading alone."""
    heading = '"caller";"callee";"start_time";"billsec"'
    rows = rows_of(["PBX 1", heading, "VARCHAR(50);VARCHAR(50);INTEGER;INTEGER", "-----", '"8001";"9;1";"x";"65"'])
    assert rows == [{"caller": "8001", "callee": "9;1", "start_time": "x", "billsec": "65"}]
    assert rows_of([heading]) == []
    assert reading(heading).nothing.code == "heading-alone"


@pytest.mark.parametrize(
    "cells",
    [
        ROW,
        ["8001", "13800138000", START, ANSWER, END, "72", "65", "ANSWERED"],
        ["1779372000.1", "8001", "13800138000", START, END, "00:01:12", "00:01:05", "已接听"],
        [START, END, "72", "65", "8001", "13800138000", "Meier"],
    ],
)
def test_without_a_heading_the_values_prove_the_columns(cells: list[str]) -> None:
    """Start, end and the seconds between them leave no doubt; the call says where its columns come from."""
    for separator in (",", ";", "|"):
        (call,) = reading(separator.join(cells) + "\n").calls
        assert told(call) == THE_CALL
        assert [note.code for note in call.notes] == ["columns-proven"]


@pytest.mark.parametrize(
    "cells",
    [
        ["8001", "13800138000", "22888800", START, END, "72", "65", "ANSWERED"],  # three numbers: who called whom?
        ["8001", "13800138000", START, END, "5", "3", "x"],  # no length fits
        ["8001", "13800138000", START, "72", "65", "ANSWERED"],  # nothing proves the lengths
    ],
)
def test_what_nothing_proves_stays_unknown(cells: list[str]) -> None:
    """No guess: the line is rejected, and a dialect can be proposed for it."""
    found = reading(";".join(cells) + "\n")
    assert (found.calls, len(found.problems)) == ((), 1)


@pytest.mark.parametrize(
    ("line", "dialect", "facts"),
    [
        ("2026/07/09 17:55:10,00:01:05,7,13912345678,I,8003,02288880000,,0,1000051,0,T9001,Line 1.1,E8003,Extn8003,0,0",
         "avaya-ipoffice", ("13912345678", "8003", 72, 65, "answered", "inbound")),
        ("2026/07/09 17:55:10,00:00:00,20,13912345678,I,8003,02288880000,,0,1000053,0,T9001,Line,E8003,Extn8003,0,0",
         "avaya-ipoffice", ("13912345678", "8003", 20, 0, "no_answer", "inbound")),
        ("POT  22:00 05/21 002  00:01:05 8001       13800138000          08754",
         "nec", ("8001", "13800138000", 65, 65, "answered", "outbound")),
        ("PIN  22:12 05/21 002                      13912345678          NO ANSWER",
         "nec", ("13912345678", None, None, 0, "no_answer", "inbound")),
        (" 05/21 22:00  00:01:05 8001    9 13800138000             A T101",
         "mitel", ("8001", "13800138000", 65, 65, "answered", "outbound")),
        ("-05/21 22:10:00 0000:02:10 T102 005 8003                  8003",
         "mitel", (None, "8003", 135, 130, "answered", "inbound")),
        ("27;2026-10-12 09:33:37;0;17;user busy;192.168.16.200;sip-user;undef;8001;8001;192.168.16.1;trunk-SS7;G0;"
         "13800138000;13800138000;2026-10-12 09:33:35;2026-10-12 09:34:42;",
         "eltex", ("8001", "13800138000", 67, 0, "busy", "outbound")),
        ("134044416000000000;0;134044416700000000;8001;Anna;13800138000;;outgoing;19;No answer",
         "dlink", ("8001", "13800138000", 70, 0, "no_answer", "outbound")),
        ("O 05/21 22:00:00 00:01:05 8001 13800138000 123 01",
         "panasonic", ("8001", "13800138000", 65, 65, "answered", "outbound")),
    ],
)  # fmt: skip
def test_lines_of_makers(line: str, dialect: str, facts: tuple[object, ...]) -> None:
    """Layouts of which the maker's manual tells, in a call's different ends."""
    found = reading(line + "\r\n")
    assert found.dialect == dialect, found.problems
    assert [told(call) for call in found.calls] == [facts]


def test_a_dialect_of_the_site_describes_lines_of_fixed_width(tmp_path: object) -> None:
    """A pattern with named groups, in a file of the data directory."""
    from pathlib import Path

    folder = Path(str(tmp_path))
    pattern = r"(?P<day>\\d{8}) (?P<clock>\\d{6}) (?P<who>.{6})(?P<whom>.{16})(?P<secs>\\d{5})"
    (folder / "mine.toml").write_text(
        f"""
[[recognise]]
all = ["who", "whom", "secs"]
[[lines]]
pattern = {json.dumps(pattern.replace(chr(92) * 2, chr(92)))}
[fields]
started_at = [{{join = ["day", "clock"]}}]
caller = ["who"]
callee = ["whom"]
billed_s = ["secs"]
""",
        encoding="utf-8",
    )
    body = b"20260521 220000 8001  13800138000     00065\n"
    event = RawEvent(1, datetime(2026, 11, 28, tzinfo=UTC), EventKind.CDR, "", "POST", "/", "", "", body)
    (call,) = read(event, load(folder), chosen="auto", zone=ZONE, is_extension=lambda said: len(said) == 4).calls
    assert (call.dialect, call.caller, call.callee, call.billed_s) == ("mine", "8001", "13800138000", 65)


def test_a_dialect_is_proposed_for_aligned_lines() -> None:
    """Several blanks between columns are a separator, so that a proposal can be made of such lines."""
    lines = [f"07  800{n}  1380013800{n}  2026-05-2{n} 22:00:00  2026-05-2{n} 22:01:0{n}  x" for n in range(1, 6)]
    rows = rows_of(["No  Ext  Number  Start  End", *lines])
    assert rows is not None
    assert [row["csv"][1:3] for row in rows] == [[f"800{n}", f"1380013800{n}"] for n in range(1, 6)]
