"""The provider's list of calls: which column holds what, and each line as a call.

    found = read("october.xlsx", content, learned, currency="CNY")
    found.calls, found.items, found.problems, found.columns

The headings are the first row in which a time and a number are known. What a provider calls its columns is learned: a
heading that was named once, `--column fee="Amount due"`, is known from then on. What costs money and is no
call, such as the rent of a line, is an item; what the list says is its total is compared with its lines.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal

from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.lists.sheets import Row, Sheet, read_csv, read_xlsx
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.cells import DateOrder, Separator
from ippbx_billing.lists.tariffs.columns import plain
from ippbx_billing.lists.tariffs.units import length_s, unit

SEARCHED_ROWS = 60
MOST_CALL_S = 31 * 86_400
# What providers call their columns, by our key; a heading may tell a unit in brackets.
HEADINGS = {
    "start": "start time|call time|date and time|date/time|datetime|call date time|connect time|answer time|begin time|"
    "call start|start date time|started|通话时间|通话开始时间|开始时间|起始时间|呼叫时间|通话起始时间|计费开始时间|"
    "日期时间|开始日期时间",
    "date": "call date|day|start date|通话日期|日期|呼叫日期|开始日期",
    "time": "time of day|call start time|clock|时间|时刻|起始时刻|开始时刻",
    "number": "called number|called|destination number|dialled number|dialed number|number dialled|called party|"
    "b number|callee|to|phone number|对方号码|被叫号码|被叫|对端号码|拨打号码|通话号码|号码",
    "own": "calling number|calling|caller|a number|from|line|extension|cli|主叫号码|主叫|本机号码|计费号码|业务号码|"
    "线路号码",
    "duration": "length|seconds|billed duration|billable seconds|duration s|call duration|billed seconds|talk time|"
    "billsec|通话时长|时长|计费时长|通话时长秒|时长秒|通话秒数|秒数|时间长度|通话历时|minutes|billed minutes|"
    "计费分钟数|分钟数",
    "fee": "amount|charge|cost|price|total|net amount|charged amount|call charge|billed amount|话费|费用|金额|通话费|"
    "通话费用|应收|实收|实收费用|应收费用|总费用|合计费用|计费金额|费用元|金额元|话费元",
    "kind": "type|call type|service|destination|通话类型|话务类型|业务类型|呼叫类型|类型",
}
NEEDED = ("number", "duration", "fee")
_BRACKETS = re.compile(r"[(\[（【]([^)\]）】]*)[)\]）】]")
_MINUTES = ("minutes", "billed minutes", "计费分钟数", "分钟数")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?")
_SERIAL = re.compile(r"(\d{5})\.(\d+)", re.ASCII)  # how a spreadsheet counts moments
_TOGETHER = re.compile(r"(\d{4})(\d{2})(\d{2})[ T]?(\d{2}):?(\d{2}):?(\d{2})")
_SPOKEN = re.compile(r"(?:(\d+)\s*(?:h|小时|时))?\s*(?:(\d+)\s*(?:m|min|分钟|分))?\s*(?:(\d+)\s*(?:s|sec|秒))?")
_CLOCKED = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})")


@dataclass(frozen=True, slots=True)
class InvoiceCall:
    """One line of the bill: when it began on the provider's clock, whom it went to, seconds and micro-units."""

    where: str
    started_at: datetime
    number: str
    duration_s: int
    fee_micro: int
    own: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceItem:
    """A line that costs money and is not a call: the rent of a line, a package, a credit."""

    where: str
    text: str
    fee_micro: int


@dataclass(frozen=True, slots=True)
class InvoiceColumn:
    """A column of the list: what it holds, its heading, how many seconds a number in it stands for, of how many parts
    a whole unit of money is made."""

    key: str
    heading: str
    times_s: int = 1
    divisor: int = 1
    currencies: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a file says: calls, items that are none, lines that could not be read, headings by what they hold.

    `stated_micro` is the total that the list itself names; None where it names none.
    """

    calls: tuple[InvoiceCall, ...]
    problems: tuple[str, ...]
    columns: Mapping[str, str]
    items: tuple[InvoiceItem, ...] = ()
    stated_micro: int | None = None

    @property
    def total_micro(self) -> int:
        """What its lines come to."""
        return sum(one.fee_micro for one in self.calls) + sum(one.fee_micro for one in self.items)


@dataclass(slots=True)
class _Found:
    """What was read of one sheet so far."""

    calls: list[InvoiceCall] = field(default_factory=list)
    items: list[InvoiceItem] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stated: list[int] = field(default_factory=list)


def read(
    name: str,
    content: bytes,
    learned: Mapping[str, str] | None = None,
    *,
    dates: DateOrder | None = None,
    currency: str = "",
) -> Invoice:
    """The calls of a CSV file or a workbook; `learned` are headings by key that go before the known ones.

    Raises DataError where no sheet has the headings, or where they name another currency.
    """
    known = _known(learned or {})
    try:
        sheets = read_xlsx(content) if content[:2] == b"PK" else [read_csv(content, known)]
    except ValueError as error:
        raise DataError(f"{name}: {error}", tr("save it as CSV or XLSX")) from error
    found = [(sheet, columns, begin) for sheet in sheets for columns, begin in _headings(sheet, known)]
    if not found:
        raise DataError(
            tr("{name} has no row of headings with a time, a number, a length and a fee", name=name),
            tr("name them: `--column number=HEADING --column fee=HEADING`, keys: {keys}", keys=", ".join(HEADINGS)),
        )
    parts = [_calls(sheet, columns, begin, dates, currency) for sheet, columns, begin in found]
    told = {column.key: column.heading for _, columns, _ in found for column in columns.values()}
    return Invoice(
        tuple(call for one in parts for call in one.calls),
        tuple(text for one in parts for text in one.problems),
        told,
        tuple(item for one in parts for item in one.items),
        sum(stated) if (stated := [each for one in parts for each in one.stated[-1:]]) else None,
    )


def checked_columns(pairs: Mapping[str, str]) -> dict[str, str]:
    """Headings by key as they may be learned; UsageError for a key that is none."""
    for key in pairs:
        if key not in HEADINGS:
            raise UsageError(
                tr("there is no column {name!r}", name=key), tr("known: {known}", known=", ".join(HEADINGS))
            )
    return dict(pairs)


def _known(learned: Mapping[str, str]) -> dict[str, str]:
    """Every heading in plain spelling, with its key."""
    found = {plain(heading): key for key, heading in learned.items()}
    for key, others in HEADINGS.items():
        for name in (key, *others.split("|")):
            if key not in learned:
                found.setdefault(plain(name), key)
    return found


def _headings(sheet: Sheet, known: Mapping[str, str]) -> Iterator[tuple[dict[int, InvoiceColumn], int]]:
    for place, row in enumerate(sheet.rows[:SEARCHED_ROWS]):
        columns = _columns(row.cells, known)
        keys = {column.key for column in columns.values()}
        if set(NEEDED) <= keys and ("start" in keys or "date" in keys):
            yield columns, place + 1
            return


def _columns(row: tuple[str, ...], known: Mapping[str, str]) -> dict[int, InvoiceColumn]:
    found: dict[int, InvoiceColumn] = {}
    for place, cell in enumerate(row):
        column = _column(cell, known)
        if column and column.key not in {one.key for one in found.values()}:
            found[place] = column
    return found


def _column(heading: str, known: Mapping[str, str]) -> InvoiceColumn | None:
    inside, outside = " ".join(_BRACKETS.findall(heading)), _BRACKETS.sub(" ", heading)
    key = known.get(plain(heading)) or known.get(plain(outside))
    if key is None:
        return None
    column = InvoiceColumn(key, heading.strip())
    if key == "duration":
        return replace(column, times_s=_seconds_of(inside, plain(outside)))
    if key != "fee" or not inside:
        return column
    said = unit(inside, bare=True)
    return replace(column, divisor=said.divisor, currencies=said.currencies)


def _seconds_of(inside: str, outside: str) -> int:
    try:
        return length_s(inside.strip()) if inside.strip() else 60 if outside in _MINUTES else 1
    except (ValueError, KeyError):
        return 1


def _calls(
    sheet: Sheet, columns: Mapping[int, InvoiceColumn], begin: int, dates: DateOrder | None, currency: str
) -> _Found:
    by_key = {column.key: place for place, column in columns.items()}
    rows = [row for row in sheet.rows[begin:] if row]
    if not any(
        _CLOCK.search(cell) or _SERIAL.fullmatch(cell) or _TOGETHER.fullmatch(cell) for cell in _times(rows, by_key)
    ):
        raise DataError(
            tr("the list tells days but no time of day, so its calls cannot be told apart"),
            tr("ask the provider for the list with the time of each call, or name it: `--column time=HEADING`"),
        )
    order = dates or cells.order_of(_day_part(_cell(row, by_key.get("date", by_key.get("start")))) for row in rows)
    habits = _Habits(
        columns[by_key["fee"]], columns[by_key["duration"]].times_s, order,
        cells.separator_of(_cell(row, by_key["fee"]) for row in rows), currency,
    )  # fmt: skip
    found = _Found()
    for row in rows:
        told = {key: _cell(row, place) for key, place in by_key.items()}
        try:
            _take(found, row, told, habits)
        except ValueError as error:
            found.problems.append(f"{row.where}: {error}")
    return found


def _times(rows: list[Row], by_key: Mapping[str, int]) -> Iterator[str]:
    return (_cell(row, by_key[key]) for row in rows for key in ("start", "time", "date") if key in by_key)


@dataclass(frozen=True, slots=True)
class _Habits:
    """How one list writes fees, lengths and days."""

    fee: InvoiceColumn
    times_s: int
    order: DateOrder | None
    separator: Separator | None
    currency: str


def _take(found: _Found, row: Row, told: Mapping[str, str], habits: _Habits) -> None:
    """One line: a call, the total, or an item; headings once more and lines without a fee are none of them."""
    if re.search(r"\d", told["number"]) and (told.get("start") or told.get("date")):
        found.calls.append(_call(row, told, habits))
    elif re.search(r"\d", told["fee"]):
        text = " ".join(cell.strip() for cell in row.cells if cell.strip())
        micro = fee(told["fee"], habits.fee, habits.separator, habits.currency)
        if _TOTAL.search(text):
            found.stated.append(micro)
        elif not _SUBTOTAL.search(text):
            found.items.append(InvoiceItem(row.where, text.removesuffix(told["fee"]).strip(), micro))


_SUBTOTAL = re.compile(r"sub-?\s*total|小计", re.IGNORECASE)
_TOTAL = re.compile(r"(?<!sub)(?<!sub[- ])\b(?:grand )?total\b|合计|总计|总额", re.IGNORECASE)


def _cell(row: Row, place: int | None) -> str:
    return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


def _call(row: Row, told: Mapping[str, str], habits: _Habits) -> InvoiceCall:
    return InvoiceCall(
        row.where,
        moment(told, habits.order),
        told["number"],
        length(told["duration"], habits.times_s),
        fee(told["fee"], habits.fee, habits.separator, habits.currency),
        told.get("own", ""),
        told.get("kind", ""),
    )


def fee(text: str, column: InvoiceColumn, separator: Separator | None = None, currency: str = "") -> int:
    """Micro-units of an amount; -0.30 and (0.30) are credits. ValueError for another currency, or no amount."""
    match = _CREDIT.fullmatch(text.strip())
    micro, said = cells.exact((match[1] or match[2]) if match else text, separator)
    (said if said.currencies is not None else replace(said, currencies=column.currencies)).in_currency(currency)
    found = cells.bounded(cells.whole(cells.share(micro, said.divisor if said.divisor != 1 else column.divisor)))
    return -found if match else found


_CREDIT = re.compile(r"[-−]\s*(.+)|\((.+)\)")


def moment(told: Mapping[str, str], order: DateOrder | None) -> datetime:
    """When a call began, of one cell or of two; ValueError with what would be right."""
    if told.get("date"):
        return datetime.combine(cells.day(_day_part(told["date"]), order), _clock(told.get("time") or told["date"]))
    text = told["start"]
    if match := _TOGETHER.fullmatch(text):
        return datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    if match := _SERIAL.fullmatch(text):
        part = timedelta(seconds=round(Decimal("0." + match[2]) * 86_400))
        return datetime.combine(cells.day(match[1]), time()) + part
    return datetime.combine(cells.day(_day_part(text), order), _clock(text))


def _day_part(text: str) -> str:
    return re.sub(r"[\sT]*\d{1,2}:\d{2}.*$", "", text.strip())


def _clock(text: str) -> time:
    """The time of day in a text; a spreadsheet leaves midnight out."""
    found = _CLOCK.search(text)
    if found is None:
        return time()
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if half := (found[4] or "").lower():
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute, second)


def length(text: str, times_s: int = 1) -> int:
    """Seconds: 65, 65.0, 65秒, 1:05, 0:01:05, 1分5秒; a bare number is of `times_s`, 1.5 minutes are 90 s."""
    text = text.strip()
    if match := _CLOCKED.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + int(match[3])
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return _whole(text, times_s)
    match = _SPOKEN.fullmatch(text)
    if match and any(match.groups()):
        return sum(int(part or 0) * each for part, each in zip(match.groups(), (3600, 60, 1), strict=True))
    raise ValueError(tr("a length such as 65, 1:05 or 1 min 5 s is expected, not {text!r}", text=text))


def _whole(text: str, times_s: int) -> int:
    return min(int((Decimal(text) * times_s).to_integral_value(ROUND_CEILING)), MOST_CALL_S)
