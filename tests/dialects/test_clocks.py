"""Times as PBXs write them, and the order of day and month: by the text, other dates, the arrival, the country."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ippbx_billing.calls import Call, EventKind, RawEvent
from ippbx_billing.dialects import load, read
from ippbx_billing.dialects.clocks import Hints, proven_order, written
from ippbx_billing.dialects.values import Unreadable, dated

KNOWN = load()
ZONE = ZoneInfo("Asia/Shanghai")
ARRIVAL = datetime(2026, 5, 21, 15, tzinfo=UTC)
EVENING = datetime(2026, 5, 21, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        "21-May-2026 22:00:00",
        "21 May 2026 22:00",
        "21/May/2026:22:00:00 +0800",
        "May 21 2026 10:00:00 PM",
        "May 21, 2026, 10:00 p.m.",
        "Thu May 21 22:00:00 2026",
        "Thu May 21 22:00:00 CST 2026",
        "22:00:00.000 GMT+8 Thu May 21 2026",
        "*14:00:00.123 UTC Thu May 21 2026",
        "2026-05-21 22:00:00 GMT+08:00",
        "2026-05-21 22:00:00 UTC+8",
        "2026-05-21T22:00:00+08:00[Asia/Shanghai]",
        "2026-05-21 22:00:00 +0800 CST",
        "2026-05-21T14:00:00.123456789Z",
        "2026/5/21 下午10:00:00",
        "2026年5月21日 下午10时00分00秒",
        "2026-05-21 10:00:00 PM",
        "5/21/2026 10:00:00 PM",
        "10:00:00 PM 05/21/2026",
        "2026-05-21 22:00pm",
        "26-05-21 22:00:00",
        "21.05.26 22:00",
        "05/21 22:00",
        "22:00 05/21",
        "260521220000",
        "20260521 22:00:00",
        "134238456000000000",
        "63946591200",
        "63946591200000",
        "46163.916666667",
    ],
)
def test_one_evening_in_many_spellings(said: str) -> None:
    """Named months, half days, zones by offset, counts of Windows and Erlang, years of two digits or none."""
    assert dated(said, ZONE, Hints("CN", ARRIVAL)) == (EVENING, False)


def test_twenty_four_o_clock_is_the_next_day() -> None:
    """ISO 8601 lets a day end at 24:00:00."""
    assert written("2026-05-20 24:00:00").moment == datetime(2026, 5, 21)


@pytest.mark.parametrize("said", ["2026-13-41 10:00:00", "31/02/2026 10:00", "99:99:99 05/21", "noon", "05/21/2026"])
def test_what_is_no_time_is_refused(said: str) -> None:
    """Also where it looks like one."""
    with pytest.raises(Unreadable):
        dated(said, ZONE, Hints("CN", ARRIVAL))


@pytest.mark.parametrize(
    ("hints", "month", "is_open"),
    [
        (Hints(), 3, True),  # nothing helps: day first, and said so
        (Hints("US"), 7, False),
        (Hints("DE"), 3, False),
        (Hints("CN"), 3, True),
        (Hints("CN", datetime(2026, 7, 3, 12, tzinfo=UTC)), 7, False),  # it arrives on the day of the call
        (Hints("US", datetime(2026, 3, 7, 12, tzinfo=UTC)), 3, False),  # no call is recorded before it is made
        (Hints("CN", datetime(2026, 9, 1, tzinfo=UTC)), 3, True),
        (Hints("DE", proven="mdy"), 7, False),
    ],
)
def test_the_order_of_day_and_month(hints: Hints, month: int, is_open: bool) -> None:
    """07/03/2026 is the 3rd of July or the 7th of March."""
    found = written("07/03/2026 09:41:49", hints)
    assert (found.moment.month, found.is_open) == (month, is_open)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["07/03/2026 09:41:49", "07/31/2026 09:41:49"], "mdy"),
        (["31/07/2026 09:41", "07/03/2026 09:41"], "dmy"),
        (["07/03/2026 09:41"], ""),
    ],
)
def test_other_dates_prove_the_order(texts: list[str], order: str) -> None:
    """One day that no month can be settles all dates of a delivery."""
    assert proven_order(texts) == order


def call_of(start: str, *, country: str = "CN", **more: object) -> Call:
    """The call of a plain record that begins then."""
    record = {"call_id": "c", "caller": "8001", "callee": "13800138000", "start_time": start, "billsec": 65}
    body = json.dumps(record | more).encode()
    event = RawEvent(1, datetime(2026, 9, 1, tzinfo=UTC), EventKind.CDR, "10.1.2.3:5", "POST", "/", "", "", body)
    reading = read(
        event, KNOWN, chosen="auto", zone=ZONE, is_extension=lambda said: said.startswith("8"), country=country
    )
    (call,) = reading.calls
    return call


def test_what_stays_open_is_a_note_on_the_call() -> None:
    """Never a silent guess: the call says that its date may be another one."""
    assert [note.code for note in call_of("07/03/2026 09:41:49").notes] == ["date-order-open"]
    assert call_of("07/03/2026 09:41:49", country="US").notes == ()
    assert call_of("2026-07-03 09:41:49").notes == ()
