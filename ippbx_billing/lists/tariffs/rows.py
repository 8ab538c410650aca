"""A row of a sheet -> the prices it means; and a price -> a row of our own columns.

The one idea: a reader takes what it can and notes every fault beside it, so that all problems of a file are shown at
once; a row with a fault gives no price, and a file with a fault is not imported.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeVar

from ippbx_billing.calls import Direction, TrafficType
from ippbx_billing.language import tr
from ippbx_billing.lists.sheets import Row
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.columns import Columns, DeckColumn
from ippbx_billing.lists.tariffs.home import Home
from ippbx_billing.lists.tariffs.words import DIRECTIONS, LINE_KINDS, MATCHES, TRAFFIC_TYPES
from ippbx_billing.tariffs.prices import Figures, Match, Price, Window

Value = TypeVar("Value")
Default = TypeVar("Default")
Destination = tuple[Match, str]

OWN_COLUMNS = (
    "carrier", "traffic_type", "direction", "line_kind", "match", "value", "initial_s", "initial_fee", "step_s",
    "step_fee", "per_s", "connection_fee", "free_s", "minimum_fee", "add_local", "effective_from", "windows", "note",
)  # fmt: skip
NUMBER_COLUMNS = {
    "initial_s", "initial_fee", "step_s", "step_fee", "per_s", "connection_fee", "free_s", "minimum_fee",
}  # fmt: skip
DESTINATION_KEYS = ("value", "area", "country", "prefix", "pattern", "called", "country_code")
PRICE_KEYS = ("rate", "initial_fee", "step_fee", "initial_rate")


class LineFault(NamedTuple):
    """What cannot be used: where it stands, and in a sentence what would be right."""

    where: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the operator says for all that the file leaves open."""

    today: date
    home: Home = field(default_factory=Home)
    carrier: str | None = None
    traffic_type: TrafficType | None = None
    effective_from: date | None = None
    increments: tuple[int, int] | None = None
    separator: cells.Separator | None = None

    def amount(self, text: str) -> int:
        """An amount in the file's spelling."""
        return cells.amount(text, self.separator)


class DeckLine:
    """A row being read: its texts by key, and the faults met so far."""

    def __init__(self, row: Row, columns: Columns) -> None:
        self.where = row.where
        self.faults: list[LineFault] = []
        self._columns = {column.key: column for column in columns.by_place.values()}
        self._texts = {
            column.key: row.cells[place] for place, column in columns.by_place.items() if place < len(row.cells)
        }

    def text(self, key: str) -> str:
        """The cell's text as it stands; empty where there is none."""
        return self._texts.get(key, "")

    def has(self, *keys: str) -> bool:
        """Whether one of these cells holds something."""
        return any(self.text(key).strip() for key in keys)

    def column(self, key: str) -> DeckColumn:
        """The column that holds it."""
        return self._columns.get(key) or DeckColumn(key, key)

    def read(self, key: str, reader: Callable[[str], Value], default: Default) -> Value | Default:
        """What the cell says; the default where it is empty, or where it cannot be read, which is noted."""
        text = self.text(key)
        if not text.strip():
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

    def fault(self, sentence: str) -> None:
        """Note what cannot be used."""
        self.faults.append(LineFault(self.where, sentence))


def is_remark(line: DeckLine) -> bool:
    """Whether the row holds neither a price nor a destination, as the closing words of a list do."""
    return not line.has(*PRICE_KEYS) and not line.has(*DESTINATION_KEYS)


def prices_of(line: DeckLine, assume: Assumptions) -> list[Price]:
    """The prices of a row, one for each destination in it; none where the line has a fault."""
    carrier = line.text("carrier") or assume.carrier
    if not carrier:
        line.fault(tr("the carrier is missing; name it with --carrier, or in a column headed carrier"))
    figures = figures_of(line, assume)
    destinations = list(_destinations(line, assume))
    types = [_traffic_type(line, destination, assume) for destination in destinations]
    connection, minimum = (line.read(key, assume.amount, 0) for key in ("connection_fee", "minimum_fee"))
    free_s = line.read("free_s", cells.seconds, 0)
    add_local = line.read("add_local", cells.flag, False)
    direction = line.read("direction", lambda text: cells.word(text, DIRECTIONS), Direction.OUTBOUND)
    line_kind = line.read("line_kind", lambda text: cells.word(text, LINE_KINDS), None)
    none: tuple[Window, ...] = ()
    windows = line.read("windows", cells.windows, none)
    first_day = line.read("effective_from", cells.day, assume.effective_from or assume.today)
    note = line.text("note") or " ".join(filter(None, (line.text("destination").strip(), _country_note(line))))
    found = []
    for (match, value), traffic_type in zip(destinations, types, strict=True):
        if line.faults or not carrier or figures is None or traffic_type is None:
            return []
        try:
            price = Price(
                id=None,
                carrier=carrier,
                traffic_type=traffic_type,
                figures=figures,
                effective_from=first_day,
                direction=direction,
                line_kind=line_kind,
                match=match,
                value=value,
                connection_fee_micro=connection,
                free_s=free_s,
                minimum_fee_micro=minimum,
                add_local=add_local,
                windows=windows,
                note=note,
            )
        except ValueError as error:
            line.fault(str(error))
        else:
            found.append(price)
    return found if not line.faults else []


# -- figures


def figures_of(line: DeckLine, assume: Assumptions) -> Figures | None:
    """The four figures as they stand, or from a rate per minute and its increments."""
    try:
        own = line.has("initial_fee", "step_fee")
        return _own_figures(line, assume) if own else _figures_of_rate(line, assume)
    except ValueError as error:
        line.fault(str(error))
        return None


def _own_figures(line: DeckLine, assume: Assumptions) -> Figures | None:
    initial_s, step_s = _increments(line, None) or (
        line.need("initial_s", cells.seconds, tr("whole seconds are wanted, such as 60")),
        line.need("step_s", cells.seconds, tr("whole seconds are wanted, such as 60")),
    )
    initial = line.need("initial_fee", assume.amount, tr("an amount is wanted, such as 0.07"))
    step = line.need("step_fee", assume.amount, tr("an amount is wanted, such as 0.07"))
    per_s = line.read("per_s", cells.seconds, 0)
    if initial_s is None or step_s is None or initial is None or step is None:
        return None
    return Figures(initial_s, initial, step_s, step, per_s)


def _figures_of_rate(line: DeckLine, assume: Assumptions) -> Figures | None:
    rate = line.need("rate", assume.amount, tr("an amount is wanted, such as 0.07"))
    initial_rate = line.read("initial_rate", assume.amount, rate or 0)
    rate = line.read("next_rate", assume.amount, rate or 0)
    increments = _increments(line, assume.increments)
    if increments is None and not line.faults:
        line.fault(
            tr("nothing says in which increments it is charged; add a column such as 60/6, or say --increments 60/6")
        )
    if increments is None or line.faults:
        return None
    return rated(increments, initial_rate, rate, line.column("rate").per_s)


def _increments(line: DeckLine, otherwise: tuple[int, int] | None) -> tuple[int, int] | None:
    if line.has("increments"):
        return line.read("increments", cells.increments, otherwise)
    if line.has("initial_s", "step_s") and line.has("rate"):
        step_s = line.read("step_s", cells.seconds, 0)
        initial_s = line.read("initial_s", cells.seconds, step_s)
        return initial_s, step_s or initial_s
    return otherwise


def rated(increments: tuple[int, int], initial_rate: int, rate: int, per_s: int) -> Figures:
    """The figures of a rate for `per_s` seconds: each block's own fee where that is exact, else the rate itself."""
    initial_s, step_s = increments
    initial, initial_rest = divmod(initial_rate * initial_s, per_s)
    step, step_rest = divmod(rate * step_s, per_s)
    if initial_rest or step_rest:
        return Figures(initial_s, initial_rate, step_s, rate, per_s)
    return Figures(initial_s, initial, step_s, step)


# -- destinations


def _destinations(line: DeckLine, assume: Assumptions) -> Iterator[Destination]:
    """The destinations named in a row; for all calls of its traffic type where none is named."""
    if line.has("match", "value"):
        anything: Match = "any"
        match = line.read("match", lambda text: cells.word(text, MATCHES), anything)
        yield match, "" if match == "any" else line.text("value")
        return
    named = list(_named(line, assume))
    if named or line.faults:
        yield from named
    elif line.has(*DESTINATION_KEYS):
        line.fault(tr("the destination {value!r} cannot be used", value=_country_note(line)))
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
    for country in line.read("country", lambda text: _countries(text, assume.home), nothing):
        yield "country", country


def _full_prefixes(line: DeckLine, assume: Assumptions) -> list[str]:
    """The prefixes, behind the country code where one stands in a column of its own."""
    nothing: list[str] = []
    codes = line.read("country_code", cells.prefixes, nothing) or [""]
    return [code + prefix for code in codes for prefix in line.read("prefix", cells.prefixes, nothing) or [""]]


def _areas(text: str) -> list[str]:
    found = cells.values(text)
    if not all(re.fullmatch(r"\d{1,6}", one, re.ASCII) for one in found):
        raise ValueError(tr("area codes are wanted, such as 0755, 020"))
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
                "there is no country {name!r}; two letters of ISO 3166 or its name are wanted, such as US",
                name=f"{error}",
            )
        ) from None


def _country_note(line: DeckLine) -> str:
    """The country's name as the list has it, where the destination is given by prefix."""
    return line.text("country").strip() if line.has("prefix", "country_code") else ""


def _traffic_type(line: DeckLine, destination: Destination, assume: Assumptions) -> TrafficType | None:
    """As the row says, else as the operator says, else by the destination."""
    if line.has("traffic_type"):
        return line.read("traffic_type", lambda text: cells.word(text, TRAFFIC_TYPES), None)
    match, value = destination
    if assume.traffic_type:
        return assume.traffic_type
    if match == "prefix":
        return assume.home.of_prefix(value)
    if match == "country":
        return assume.home.of_country(value)
    if match == "area":
        return TrafficType.DOMESTIC
    line.fault(tr("the traffic type is missing; add a column headed traffic type, or say --traffic-type"))
    return None


# -- our own columns


def row_of(price: Price) -> list[str]:
    """The price in the order of `OWN_COLUMNS`."""
    figures = price.figures
    return [
        price.carrier,
        price.traffic_type.value,
        price.direction.value,
        price.line_kind.value if price.line_kind else "",
        price.match,
        price.value,
        str(figures.initial_s),
        cells.amount_text(figures.initial_fee_micro),
        str(figures.step_s),
        cells.amount_text(figures.step_fee_micro),
        str(figures.per_s or ""),
        cells.amount_text(price.connection_fee_micro),
        str(price.free_s),
        cells.amount_text(price.minimum_fee_micro),
        str(int(price.add_local)),
        price.effective_from.isoformat(),
        cells.windows_text(price.windows),
        price.note,
    ]


def sheet_rows(prices: Sequence[Price]) -> Iterator[list[str]]:
    """All prices, a row each."""
    return map(row_of, prices)
