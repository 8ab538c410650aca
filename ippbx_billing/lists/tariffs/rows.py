"""A row of a sheet -> the prices it means; and a price -> a row of our own columns.

The one idea: a reader takes what it can and notes every fault beside it, so that all problems of a file are shown at
once; a row with a fault gives no price, and a file with a fault is not imported.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import partial
from math import lcm
from typing import Any, NamedTuple, TypeVar

from ippbx_billing import money
from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.language import tr
from ippbx_billing.lists.sheets import Row
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.cells import Exact, share
from ippbx_billing.lists.tariffs.columns import Columns, DeckColumn, plain
from ippbx_billing.lists.tariffs.habits import ListHabits
from ippbx_billing.lists.tariffs.home import Home
from ippbx_billing.lists.tariffs.prefixes import prefixes, without_trunk_zero
from ippbx_billing.lists.tariffs.units import MINUTE_S, AmountUnit
from ippbx_billing.lists.tariffs.words import DIRECTIONS, LINE_KINDS, MATCHES, STATUSES, TRAFFIC_TYPES
from ippbx_billing.tariffs import spelling
from ippbx_billing.tariffs.prices import (
    DAY_S,
    NO_FIGURES,
    Counting,
    Figures,
    Match,
    Price,
    PriceStatus,
    Seconds,
    Tier,
    Window,
)

Value = TypeVar("Value")
Default = TypeVar("Default")
Word = TypeVar("Word", bound=str)
Destination = tuple[Match, str]

OWN_COLUMNS = (
    "carrier", "traffic_type", "direction", "line_kind", "match", "value", "initial_s", "initial_fee", "step_s",
    "step_fee", "per_s", "connection_fee", "free_s", "minimum_fee", "add_local", "effective_from", "windows", "status",
    "note", "maximum_fee", "grace_s", "tiers", "counting", "step_decimals", "fee_decimals",
    "fee_rounding",
)  # fmt: skip
OWN_TERMS = OWN_COLUMNS[OWN_COLUMNS.index("note") + 1 :]
NUMBER_COLUMNS = {
    "initial_s", "initial_fee", "step_s", "step_fee", "per_s", "connection_fee", "free_s", "minimum_fee",
    "maximum_fee", "grace_s", "step_decimals", "fee_decimals",
}  # fmt: skip
DESTINATION_KEYS = ("value", "area", "country", "prefix", "pattern", "called", "country_code")
NAMING_KEYS = frozenset((*DESTINATION_KEYS, "match", "note", "destination", "carrier"))
RATES_ALONE = frozenset(("rate", "new_rate", "old_rate", "initial_fee", "step_fee"))
PRICE_KEYS = ("rate", "new_rate", "initial_fee", "step_fee", "initial_rate", "status")
OWN_TYPE_HEADINGS = ("traffic type", "话务类型", "话务种类")
TEXT_MESSAGES = ("sms", "mms", "text", "短信", "彩信")
NEVER_ENDS_YEAR = 2099


class LineFault(NamedTuple):
    """What cannot be used: where it stands, and in a sentence what would be right."""

    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the operator says for all that the file leaves open; `currency` is what the site keeps its accounts in."""

    today: date
    home: Home = field(default_factory=Home)
    carrier: str | None = None
    traffic_type: TrafficType | None = None
    effective_from: date | None = None
    increments: tuple[int, int] | None = None
    separator: cells.Separator | None = None
    dates: cells.DateOrder | None = None
    currency: str = ""
    ignored: tuple[str, ...] = ()
    off_peak: tuple[int, int] | None = None
    all_calls: bool = False
    last_day: date | None = None
    habits: ListHabits = field(default_factory=ListHabits)
    encoding: str = ""  # what a CSV file was saved in; "" where nobody says

    @property
    def first_day(self) -> date:
        """From when on prices hold that name no day."""
        return self.effective_from or self.today

    def amount(self, text: str, unit: AmountUnit) -> tuple[Exact, int]:
        """An amount in the file's spelling, in micro-units, and for how many seconds it is."""
        micro, said = cells.exact(text, self.habits.separator)
        told = said.beside(unit)
        told.in_currency(self.currency)
        return cells.share(micro, told.divisor), told.per_s or MINUTE_S


class Placed(NamedTuple):
    """A price that a row means: where it stands, on which day it ends, and whether its line kind is but a label."""

    price: Price
    where: str
    end: date | None = None
    labelled: bool = False


class DeckLine:
    """A row being read: its texts by key, and the faults met so far."""

    def __init__(self, row: Row, columns: Columns) -> None:
        self.where = row.where
        self.faults: list[LineFault] = []
        self._by_place = columns.by_place
        texts, width = row.cells, len(row.cells)
        self.beyond = [cell for cell in texts[columns.width :] if cell.strip()] if width > columns.width else []
        self._texts = {
            column.key: text
            for place, column in columns.by_place.items()
            if place < width and (text := texts[place]) and (column.key == "note" or not text.isspace())
        }

    def text(self, key: str) -> str:
        """The cell's text as it stands; empty where there is none."""
        return self._texts.get(key, "")

    def has(self, *keys: str) -> bool:
        """Whether one of these cells holds something."""
        return not self._texts.keys().isdisjoint(keys)

    def words(self, without: Collection[str] = ()) -> tuple[tuple[str, str], ...]:
        """What the row says beside its destinations and notes."""
        left_out = NAMING_KEYS.union(without) if without else NAMING_KEYS
        return tuple([item for item in self._texts.items() if item[0] not in left_out])

    def names(self, *keys: str) -> bool:
        """Whether the list has one of these columns."""
        return any(column.key in keys for column in self._by_place.values())

    def column(self, key: str) -> DeckColumn:
        """The column that holds it."""
        found = None
        for column in self._by_place.values():
            if column.key == key:
                found = column
        return found or DeckColumn(key, key)

    def read(self, key: str, reader: Callable[[str], Value], default: Default) -> Value | Default:
        """What the cell says; the default where it is empty, or where it cannot be read, which is noted."""
        text = self._texts.get(key)
        if text is None:
            return default
        try:
            return reader(text)
        except ValueError as error:
            heading = self.column(key).heading
            self.fault(tr("{column} is {value!r}, but {wanted}", column=heading, value=text.strip(), wanted=error))
            return default

    def need(self, key: str, reader: Callable[[str], Value], wanted: str) -> Value | None:
        """The same where the cell must not be empty."""
        if not self.has(key):
            self.fault(tr("{column} is missing; {wanted}", column=self.column(key).heading, wanted=wanted))
        return self.read(key, reader, None)

    def seconds(self, key: str) -> Callable[[str], int]:
        """The reader of a length of time, in the unit of its heading."""
        return partial(cells.seconds, times_s=self.column(key).times_s)

    def block_seconds(self, key: str) -> Callable[[str], Seconds]:
        """The same where parts of a second may stand."""
        return partial(cells.block_seconds, times_s=self.column(key).times_s)

    def money(self, key: str, assume: Assumptions) -> Callable[[str], tuple[Exact, int]]:
        """The reader of an amount, in the unit of its heading."""
        return partial(assume.amount, unit=self.column(key).unit)

    def fault(self, sentence: str) -> None:
        """Note what cannot be used."""
        self.faults.append(LineFault(self.where, sentence))


def is_remark(line: DeckLine) -> bool:
    """Whether the row holds neither a price nor a destination, as the closing words of a list do."""
    return not line.has(*PRICE_KEYS) and not line.has(*DESTINATION_KEYS)


def is_of_messages(line: DeckLine) -> bool:
    """Whether the row is the price of text messages, which are not calls."""
    return line.text("traffic_type").strip().lower() in TEXT_MESSAGES


class Terms(NamedTuple):
    """What a row says beside its destinations: the same in most rows of a list."""

    figures: Figures | None
    labels: TrafficType | LineKind | Direction | None
    common: dict[str, Any]
    end: date | None


def prices_of(line: DeckLine, assume: Assumptions, known: dict[object, Any]) -> list[Placed]:
    """The prices of a row, one for each destination in it; none where the line has a fault.

    `known` holds what earlier rows of the same list said in the same words, and is added to.
    """
    if line.beyond:
        line.fault(tr("the row has more cells than there are headings, so that its columns may be shifted"))
    carrier = assume.carrier or line.text("carrier")
    if not carrier:
        line.fault(tr("the carrier is missing; name it with --carrier, or in a column headed carrier"))
    terms = _terms(line, assume, known)
    note = line.text("note") or _note(line, assume)
    labelled = isinstance(terms.labels, LineKind) and not line.has("line_kind")
    found: list[Placed] = []
    for match, value in list(_destinations(line, assume)):
        traffic_type = _traffic_type(line, (match, value), terms.labels, assume)
        if line.faults or not carrier or terms.figures is None or traffic_type is None:
            continue
        try:
            spelt = _full(match, value, traffic_type, line, assume)
            price = Price(
                None, carrier, traffic_type, terms.figures, match=match, value=spelt, note=note, **terms.common
            )
        except ValueError as error:
            line.fault(str(error))
        else:
            found.append(Placed(price, line.where, terms.end, labelled))
    return found if not line.faults else []


def _terms(line: DeckLine, assume: Assumptions, known: dict[object, Any]) -> Terms:
    """What the row says of its price, remembered for rows that say the same."""
    words = line.words()
    found: Terms | None = known.get(words)
    if found is not None:
        return found
    before = len(line.faults)
    line.read("currency", partial(cells.currency, wanted=assume.currency), None)
    status = _status(line)
    figures = NO_FIGURES if status != "open" else figures_of(line, assume)
    found = _settled(line, assume, status, known)._replace(figures=figures)
    if len(line.faults) == before:
        known[words] = found
    return found


def _settled(line: DeckLine, assume: Assumptions, status: PriceStatus, known: dict[object, Any]) -> Terms:
    """The same without the figures, which differ most."""
    words = status, line.words(RATES_ALONE)
    found: Terms | None = known.get(words) if not line.has("weekend_rate", "off_peak_rate") else None
    if found is not None:
        return found
    before = len(line.faults)
    labels = _labels(line)
    end = line.read("end_date", partial(cells.last_day, order=assume.habits.dates), assume.last_day)
    ends = end if end and end.year < NEVER_ENDS_YEAR else None
    found = Terms(None, labels, _common(line, assume, labels, status), ends)
    if len(line.faults) == before:
        known[words] = found
    return found


def _common(line: DeckLine, assume: Assumptions, labels: object, status: PriceStatus) -> dict[str, Any]:
    """What all prices of a row have in common, apart from figures and destination."""
    none: tuple[Window, ...] = ()
    is_open = status == "open"
    order = partial(cells.day, order=assume.habits.dates)
    label = labels if isinstance(labels, LineKind) else None
    direction = labels if isinstance(labels, Direction) else Direction.OUTBOUND
    return {
        "effective_from": line.read(
            "effective_from", partial(_first_day, order=order, assume=assume), assume.first_day
        ),
        "direction": line.read("direction", lambda text: cells.word(text, DIRECTIONS), direction),
        "line_kind": line.read("line_kind", lambda text: cells.word(text, LINE_KINDS), label),
        "connection_fee_micro": _fee(line, "connection_fee", assume) if is_open else 0,
        "free_s": line.read("free_s", line.seconds("free_s"), 0) if is_open else 0,
        "minimum_fee_micro": _fee(line, "minimum_fee", assume) if is_open else 0,
        "add_local": line.read("add_local", cells.flag, False),
        "windows": line.read("windows", cells.windows, none) + _rate_windows(line, assume) if is_open else none,
        "status": status,
        "maximum_fee_micro": _fee(line, "maximum_fee", assume) if is_open else 0,
        "grace_s": line.read("grace_s", line.seconds("grace_s"), 0) if is_open else 0,
        "decimals": line.read("fee_decimals", cells.decimals, None),
        "rounding": line.read("fee_rounding", cells.rounding, None),
    }


def _first_day(text: str, order: Callable[[str], date], assume: Assumptions) -> date:
    """The day of a cell; "immediately" is the day from which the list holds."""
    at_once = text.strip().lower() in ("immediate", "immediately", "asap", "now", "at once", "立即", "即时", "即日起")
    return assume.first_day if at_once else order(text)


def _note(line: DeckLine, assume: Assumptions) -> str:
    """The names that a list gives to its codes: destination, network, country."""
    network = line.text("carrier").strip() if assume.carrier and line.text("carrier") != assume.carrier else ""
    return " ".join(filter(None, (line.text("destination").strip(), network, _country_note(line))))


def _status(line: DeckLine) -> PriceStatus:
    """What the row says of its code, in a column of its own or in place of a rate; a blocked one is never free."""
    opened: PriceStatus = "open"
    said = line.read("status", lambda text: cells.word(text, STATUSES), opened)
    for key in ("new_rate", "rate", "initial_fee"):
        text = line.text(key).strip()
        if said != "open" or not text:
            continue
        if text in ("-", "–", "—", "--", "---"):
            return "blocked"
        try:
            return "open" if text[0].isdecimal() else cells.word(text, STATUSES)
        except ValueError:
            return said
    return said


def _labels(line: DeckLine) -> TrafficType | LineKind | Direction | None:
    """What a column headed Type, Direction or Service says; words that say nothing to us are the sender's own."""
    text = line.text("traffic_type")
    if not text.strip():
        return None
    if plain(line.column("traffic_type").heading) in OWN_TYPE_HEADINGS:
        return line.read("traffic_type", lambda text: cells.word(text, TRAFFIC_TYPES), None)
    return _known(text, TRAFFIC_TYPES) or _known(text, LINE_KINDS) or _known(text, DIRECTIONS)


def _known(text: str, words: Mapping[Word, str]) -> Word | None:
    try:
        return cells.word(text, words)
    except ValueError:
        return None


# -- figures


def figures_of(line: DeckLine, assume: Assumptions) -> Figures | None:
    """The four figures as they stand, or from a rate per minute and its increments."""
    try:
        own = line.has("initial_fee", "step_fee")
        found = _own_figures(line, assume) if own else _figures_of_rate(line, assume)
        return _with_terms(found, line) if found and line.has(*cells.FIGURE_WORDS) else found
    except ValueError as error:
        line.fault(str(error))
        return None


def _with_terms(figures: Figures, line: DeckLine) -> Figures:
    """The figures with their tiers, and with how steps count."""
    none: tuple[Tier, ...] = ()
    begun: Counting = "begun"
    return cells.believable(
        replace(
            figures,
            tiers=line.read("tiers", spelling.tiers, none),
            counting=line.read("counting", cells.counting, begun),
            step_decimals=line.read("step_decimals", cells.decimals, None),
        )
    )


def _own_figures(line: DeckLine, assume: Assumptions) -> Figures | None:
    pair: tuple[Seconds, Seconds] | None = _increments(line, None) if line.has("increments") else None
    initial_s, step_s = pair or (
        line.need("initial_s", line.block_seconds("initial_s"), tr("whole seconds are expected, such as 60")),
        line.need("step_s", line.block_seconds("step_s"), tr("whole seconds are expected, such as 60")),
    )
    initial = line.need("initial_fee", line.money("initial_fee", assume), tr("an amount is expected, such as 0.07"))
    step = line.need("step_fee", line.money("step_fee", assume), tr("an amount is expected, such as 0.07"))
    per_s = line.read("per_s", cells.per, 0)
    if initial_s is None or step_s is None or initial is None or step is None:
        return None
    if per_s or (initial[0].denominator == step[0].denominator == 1):
        return _scaled(initial_s, initial[0], step_s, step[0], per_s)
    if not initial_s or not step_s or isinstance(initial_s, Fraction) or isinstance(step_s, Fraction):
        cells.whole(initial[0])
        cells.whole(step[0])
        return _scaled(initial_s, initial[0], step_s, step[0], 0)
    together = lcm(initial_s, step_s)  # each fee as a rate for so many seconds
    return _scaled(initial_s, initial[0] * (together // initial_s), step_s, step[0] * (together // step_s), together)


def _figures_of_rate(line: DeckLine, assume: Assumptions) -> Figures | None:
    rate = line.read("new_rate", line.money("new_rate", assume), None) if line.has("new_rate") else None
    key = "next_rate" if line.has("next_rate") and not line.names("rate") else "rate"
    rate = rate or line.need(key, line.money(key, assume), tr("an amount is expected, such as 0.07"))
    if rate is None:
        return None
    initial = rate
    if line.has("initial_rate", "next_rate"):
        initial = line.read("initial_rate", line.money("initial_rate", assume), rate)
        rate = line.read("next_rate", line.money("next_rate", assume), rate)
    increments = _increments(line, assume.increments or _by_the_minute(line))
    if increments is None and not line.faults:
        line.fault(
            tr("nothing says in which increments it is charged; add a column such as 60/6, or say --increments 60/6")
        )
    if increments is None or line.faults:
        return None
    per_s = lcm(initial[1], rate[1])
    return rated(increments, initial[0] * (per_s // initial[1]), rate[0] * (per_s // rate[1]), per_s)


def _by_the_minute(line: DeckLine) -> tuple[int, int] | None:
    """A first minute and additional ones are increments of a minute."""
    if not (line.has("initial_rate") and line.has("next_rate")):
        return None
    minutes = all(re.search(r"minute|分钟", line.column(key).heading, re.I) for key in ("initial_rate", "next_rate"))
    return (60, 60) if minutes else None


def _fee(line: DeckLine, key: str, assume: Assumptions) -> int:
    """An amount for a call, whatever its length."""
    unit = line.column(key).unit
    return line.read(key, lambda text: cells.bounded(cells.whole(assume.amount(text, unit)[0])), 0)


def _rate_windows(line: DeckLine, assume: Assumptions) -> tuple[Window, ...]:
    """Rates of the weekend and of quiet hours, beside the usual one."""
    if line.faults or not line.has("weekend_rate", "off_peak_rate"):
        return ()
    increments = _increments(line, assume.increments)
    if increments is None:
        return ()
    found = []
    if weekend := line.read("weekend_rate", line.money("weekend_rate", assume), None):
        figures = rated(increments, weekend[0], weekend[0], weekend[1])
        found.append(Window("weekend", 0, DAY_S, figures))
    if quiet := line.read("off_peak_rate", line.money("off_peak_rate", assume), None):
        if assume.off_peak is None:
            line.fault(tr("nothing says when {column} holds; say --off-peak 18:00-08:00",
                          column=line.column("off_peak_rate").heading))  # fmt: skip
            return ()
        figures = rated(increments, quiet[0], quiet[0], quiet[1])
        found.append(Window("daily", *assume.off_peak, figures))
    return tuple(found)


def _increments(line: DeckLine, otherwise: tuple[int, int] | None) -> tuple[int, int] | None:
    """The initial and the next seconds, in one column or in two; what only one of them says is not guessed."""
    none: tuple[int, int] | None = None
    pair = line.read("increments", partial(cells.increments, times_s=line.column("increments").times_s), none)
    if pair and not line.has("initial_s", "step_s"):
        return pair
    initial_s = line.read("initial_s", line.seconds("initial_s"), None)
    step_s = line.read("step_s", line.seconds("step_s"), None)
    if pair is None:
        if (initial_s is None and step_s is None) or not line.has("rate", "new_rate", "next_rate"):
            return otherwise
        step = step_s or (otherwise[1] if otherwise and step_s is None else initial_s) or 0
        return (initial_s if initial_s is not None else step), step or 1
    if (initial_s is None or initial_s == pair[0]) and step_s in (None, pair[1]):
        return pair
    if pair[0] == pair[1] and (initial_s is None or step_s is None):
        return (pair[0], step_s) if step_s else (initial_s if initial_s else pair[0], pair[1])
    line.fault(tr("{one} and {other} contradict each other", one=line.column("increments").heading,
                  other=line.column("initial_s" if initial_s is not None else "step_s").heading))  # fmt: skip
    return None


def rated(increments: tuple[int, int], initial_rate: Exact, rate: Exact, per_s: int) -> Figures:
    """The figures of a rate for `per_s` seconds: each block's own fee where that is exact, else the rate itself."""
    initial_s, step_s = increments
    initial, step = share(initial_rate * initial_s, per_s), share(rate * step_s, per_s)
    if initial.denominator == step.denominator == 1:
        return cells.believable(Figures(initial_s, initial.numerator, step_s, step.numerator))
    return _scaled(initial_s, initial_rate, step_s, rate, per_s)


def _scaled(initial_s: Seconds, initial: Exact, step_s: Seconds, step: Exact, per_s: int) -> Figures:
    """Figures whose fees may have more decimals than a micro-unit: 0.31135104 a minute is 31.135104 for 100 minutes."""
    times = 1
    while (initial * times).denominator != 1 or (step * times).denominator != 1:
        times *= 10
    fees = (initial * times).numerator, (step * times).numerator
    if max(fees) > money.MAX_MICRO or per_s * times > money.MAX_MICRO:
        raise ValueError(tr("an amount with fewer digits is expected"))
    return cells.believable(Figures(initial_s, fees[0], step_s, fees[1], per_s * times))


# -- destinations


def _destinations(line: DeckLine, assume: Assumptions) -> Iterator[Destination]:
    """The destinations named in a row; for all calls of its traffic type where none is named and none could be."""
    if line.has("match", "value"):
        anything: Match = "any"
        match = line.read("match", lambda text: cells.word(text, MATCHES), anything)
        yield match, "" if match == "any" else line.text("value")
        return
    named = list(_named(line, assume))
    if named or line.faults:
        yield from named
    elif line.has("prefix", "country_code", "area", "pattern", "called"):
        line.fault(tr("the destination {value!r} cannot be used", value=_country_note(line)))
    elif not assume.all_calls and (assume.habits.names_codes or line.has("destination")):
        line.fault(tr("the row names no code; if it is for all calls of its traffic type, say --all-calls"))
    else:
        yield "any", ""


def _named(line: DeckLine, assume: Assumptions) -> Iterator[Destination]:
    nothing: list[str] = []
    if line.has("prefix", "country_code"):
        for prefix in _full_prefixes(line, assume):
            yield "prefix", prefix
        return
    for area in line.read("area", _areas, nothing):
        yield "area", area
    for pattern in line.read("pattern", _patterns, nothing):
        yield "pattern", pattern
    for called in line.read("called", _patterns, nothing):
        yield "called", called
    if line.names("prefix", "country_code"):
        return  # a row without its code is not the whole country
    for country in line.read("country", lambda text: _countries(text, assume.home), nothing):
        yield "country", country
    if not assume.habits.names_codes and line.has("destination"):
        for country in line.read("destination", lambda text: _countries(text, assume.home), nothing):
            yield "country", country


def _full_prefixes(line: DeckLine, assume: Assumptions) -> list[str]:
    """The prefixes, behind the country code where one stands in a column of its own."""
    nothing: list[str] = []
    reader = partial(prefixes, access=assume.habits.access)
    codes = line.read("country_code", reader, nothing)
    if not codes or assume.habits.whole_codes:
        found = line.read("prefix", reader, nothing) or codes
        if (
            found
            and any(one.startswith("0") for one in found)
            and not (assume.traffic_type or line.has("traffic_type"))
        ):
            line.fault(tr("{column} is {value!r}, but no country has a code that begins with 0",
                          column=line.column("prefix").heading, value=line.text("prefix")))  # fmt: skip
        return found
    areas = line.read("prefix", _area_digits, nothing) or [""]
    return [code + without_trunk_zero(code, area) for code in codes for area in areas]


def _area_digits(text: str) -> list[str]:
    """Area codes behind a country code: lists and ranges, each with its trunk zero or without."""
    found = []
    for part in cells.values(re.sub(r"[()]", " ", text)):
        first, dash, last = part.partition("-")
        digits = [re.sub(r"\s", "", first), re.sub(r"\s", "", last)]
        if not digits[0].isdecimal() or (dash and not (digits[1].isdecimal() and len(digits[0]) == len(digits[1]))):
            raise ValueError(tr("area codes are expected, such as 0755, 020"))
        ends = range(int(digits[0]), int(digits[1] or digits[0]) + 1)
        found += [str(number).zfill(len(digits[0])) for number in ends]
    return found


def _full(match: Match, value: str, traffic_type: TrafficType, line: DeckLine, assume: Assumptions) -> str:
    """The value; a code of the home country with a + before it, so that calls of every traffic type find it."""
    if match != "prefix" or line.has("match", "value") or traffic_type in (*ABROAD, *BY_DIGITS):
        return value
    told = line.has("traffic_type") or assume.traffic_type
    return "+" + value if not told or assume.home.is_own(value, traffic_type) else value


ABROAD = (TrafficType.INTERNATIONAL, TrafficType.HK_MO_TW)
BY_DIGITS = (TrafficType.IP_LONG_DISTANCE, TrafficType.DIALUP, TrafficType.INTERNAL)


def _areas(text: str) -> list[str]:
    found = cells.values(text)
    if not all(re.fullmatch(r"\d{1,6}", one, re.ASCII) for one in found):
        raise ValueError(tr("area codes are expected, such as 0755, 020"))
    return found


def _patterns(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;；、\n]", text) if part.strip()]


def _countries(text: str, home: Home) -> list[str]:
    try:
        return [home.country(text)]
    except ValueError:
        pass
    try:
        return [home.country(part) for part in cells.values(text)]
    except ValueError as error:
        raise ValueError(
            tr(
                "there is no country {name!r}; two letters of ISO 3166 or its name are expected, such as US",
                name=f"{error}",
            )
        ) from None


def _country_note(line: DeckLine) -> str:
    """The country's name as the list has it, where the destination is given by prefix."""
    return line.text("country").strip() if line.has("prefix", "country_code") else ""


def _traffic_type(line: DeckLine, destination: Destination, label: object, assume: Assumptions) -> TrafficType | None:
    """As the row says, else as the operator says, else by the destination."""
    match, value = destination
    by_code = assume.home.of_prefix(value) if match == "prefix" else None
    own = line.has("traffic_type") and plain(line.column("traffic_type").heading) in OWN_TYPE_HEADINGS
    if isinstance(label, TrafficType) and (own or by_code not in ABROAD):
        return label
    if own:
        return None  # its fault is told already
    if assume.traffic_type:
        return assume.traffic_type
    if by_code:
        return by_code
    if match == "country":
        return assume.home.of_country(value)
    if match == "area":
        return TrafficType.DOMESTIC
    line.fault(tr("the traffic type is missing; add a column headed traffic type, or say --traffic-type"))
    return None


# -- our own columns


def row_of(price: Price) -> list[str]:
    """The price in the order of `OWN_COLUMNS`."""
    figures, terms = price.figures, spelling.price_terms(price)
    return [
        price.carrier,
        price.traffic_type.value,
        price.direction.value,
        price.line_kind.value if price.line_kind else "",
        price.match,
        price.value,
        spelling.seconds_text(figures.initial_s),
        cells.amount_text(figures.initial_fee_micro),
        spelling.seconds_text(figures.step_s),
        cells.amount_text(figures.step_fee_micro),
        str(figures.per_s or ""),
        cells.amount_text(price.connection_fee_micro),
        str(price.free_s),
        cells.amount_text(price.minimum_fee_micro),
        str(int(price.add_local)),
        price.effective_from.isoformat(),
        cells.windows_text(price.windows),
        "" if price.status == "open" else price.status,
        price.note,
        *(terms.get(name, "") for name in OWN_TERMS),
    ]


def sheet_rows(prices: Sequence[Price]) -> Iterator[list[str]]:
    """All prices, a row each."""
    return map(row_of, prices)
