"""A carrier's whole tariff as one TOML file, to be read and edited by people.

Prices that differ in their destination alone stand together as `values`. Nothing is left out: what is exported and
imported again is the same tariff.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any, get_args

from ippbx_billing import money
from ippbx_billing.calls import Direction
from ippbx_billing.language import tr
from ippbx_billing.lists.tariffs import cells
from ippbx_billing.lists.tariffs.rows import Assumptions, LineFault
from ippbx_billing.lists.tariffs.words import DIRECTIONS, LINE_KINDS, MATCHES, STATUSES, TRAFFIC_TYPES, WINDOW_KINDS
from ippbx_billing.tariffs import spelling
from ippbx_billing.tariffs.prices import (
    DECIMALS,
    Carrier,
    Crossing,
    Figures,
    PartSecond,
    Price,
    Seconds,
    Window,
    clock,
)

HEADER = """\
# The tariff of {name}. Edit it and bring it back with `ippbx-bill tariffs import`: a preview shows what would change.
# This file is the whole tariff: a price that is taken out of it is taken out of use.
#
# A price: initial_s seconds cost initial_fee, then each begun step_s seconds cost step_fee; step_s 0 is a flat fee
# per call. With per_s the fees are rates for that many seconds. Amounts stand in quotes. `values` is a list of
# destinations; match says what they are: area, country, prefix, pattern or called. A price holds from effective_from
# until another one for the same calls begins. Windows go before the price's own figures within their time.
# Less common: in figures tiers = "300:60:0.05" (from 300 s on each 60 s at 0.05), counting = "completed"; in a price
# maximum_fee, grace_s, fee_decimals, fee_rounding; in a window days = "sat,sun", dates = "12-24", minutes = "0-14".
"""
PRICE_KEYS = {
    "traffic_type", "direction", "line_kind", "match", "value", "values", "figures", "connection_fee", "free_s",
    "minimum_fee", "add_local", "effective_from", "windows", "status", "note", *spelling.PRICE_TERMS,
}  # fmt: skip
CARRIER_KEYS = {
    "name", "area_code", "place", "operator", "default", "decimals", "crossing", "rounding", "part_second", "tax",
}  # fmt: skip
FIGURE_KEYS = {"initial_s", "initial_fee", "step_s", "step_fee", "per_s", *cells.FIGURE_WORDS}
WINDOW_KEYS = {"kind", "from", "to", "figures", "priority", "name", *spelling.WINDOW_TERMS}


def write(carrier: Carrier, prices: Sequence[Price]) -> str:
    """The carrier and its prices as text."""
    names = ("name", "area_code", "place", "operator", "decimals", "crossing")
    settings = [f"{name} = {_value(getattr(carrier, name))}" for name in names]
    lines = [HEADER.format(name=_one_line(carrier.name)), "[carrier]", *settings]
    lines += [f"{name} = {_value(text)}" for name, text in _carrier_terms(carrier)]
    if carrier.default:
        lines.append("default = true")
    for _, group in groupby(enumerate(prices), key=_table):
        lines += ["", *_price_lines([price for _, price in group])]
    return "\n".join(lines) + "\n"


def _carrier_terms(carrier: Carrier) -> Iterator[tuple[str, str]]:
    """How a carrier rounds, where that is not as usual, and its tax."""
    if carrier.rounding != "half_up":
        yield "rounding", carrier.rounding
    if carrier.part_second != "up":
        yield "part_second", carrier.part_second
    if carrier.tax_micro:
        yield "tax", spelling.tax_text(carrier.tax_micro)


def _table(numbered: tuple[int, Price]) -> object:
    """What prices of one table have in common: all but their destination; one for all calls stands alone."""
    place, price = numbered
    return place if price.match == "any" else (replace(price, id=None, match="any", value=""), price.match)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _price_lines(group: list[Price]) -> Iterator[str]:
    """One table for prices that differ in their destination alone."""
    price = group[0]
    yield "[[prices]]"
    yield f"traffic_type = {_value(price.traffic_type.value)}"
    if price.direction is not Direction.OUTBOUND:
        yield f"direction = {_value(price.direction.value)}"
    if price.line_kind:
        yield f"line_kind = {_value(price.line_kind.value)}"
    if price.match != "any":
        yield f"match = {_value(price.match)}"
        yield f"values = {_value([one.value for one in group])}"
    yield f"figures = {_figures(price.figures)}"
    for name, micro in (("connection_fee", price.connection_fee_micro), ("minimum_fee", price.minimum_fee_micro)):
        if micro:
            yield f"{name} = {_value(money.text(micro))}"
    terms = spelling.price_terms(price)
    yield from (f"{name} = {_value(terms[name])}" for name in spelling.PRICE_TERMS if name in terms)
    if price.free_s:
        yield f"free_s = {price.free_s}"
    if price.add_local:
        yield "add_local = true"
    yield f"effective_from = {price.effective_from.isoformat()}"
    if price.status != "open":
        yield f"status = {_value(price.status)}"
    if price.windows:
        yield "windows = ["
        yield from (f"    {_window(window)}," for window in price.windows)
        yield "]"
    if price.note:
        yield f"note = {_value(price.note)}"


def _figures(figures: Figures) -> str:
    more = f", per_s = {_seconds_value(figures.per_s)}" if figures.per_s else ""
    terms = spelling.figure_terms(figures)
    more += "".join(f", {name} = {_value(terms[name])}" for name in cells.FIGURE_WORDS if name in terms)
    return (
        f"{{ initial_s = {_seconds_value(figures.initial_s)}, "
        f"initial_fee = {_value(money.text(figures.initial_fee_micro))}, "
        f"step_s = {_seconds_value(figures.step_s)}, step_fee = {_value(money.text(figures.step_fee_micro))}{more} }}"
    )


def _seconds_value(seconds: Seconds) -> str:
    """A whole number as such, a part of a second in quotes, as amounts are."""
    text = spelling.seconds_text(seconds)
    return _value(text) if "." in text else text


def _window(window: Window) -> str:
    more = "" if window.priority is None else f", priority = {window.priority}"
    more += f", name = {_value(window.name)}" if window.name else ""
    terms = spelling.window_terms(window)
    more += "".join(f", {name} = {_value(terms[name])}" for name in spelling.WINDOW_TERMS if name in terms)
    times = f'from = "{clock(window.start_s)}", to = "{clock(window.end_s)}"'
    return f'{{ kind = "{window.kind}", {times}, figures = {_figures(window.figures)}{more} }}'


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)


# -- reading


def read(text: str, assume: Assumptions) -> tuple[dict[str, Any], list[Price], list[LineFault]]:
    """The carrier's settings, its prices, and all that cannot be used; `{}` and no prices for what is not TOML."""
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        line = tr("line {line}", line=where[1] if where else text.count("\n") + 1)
        return {}, [], [LineFault(line, tr("this is not valid TOML: {error}", error=error))]
    except RecursionError:
        return {}, [], [LineFault(tr("line {line}", line=1), tr("this is not valid TOML: {error}", error="too deep"))]
    places = _Places(text)
    faults = [LineFault(places.of(key), tr("{key} is unknown; only [carrier] and [[prices]] are expected", key=key))
              for key in document if key not in ("carrier", "prices")]  # fmt: skip
    carrier = _Table(document.get("carrier", {}), places.of("carrier"), CARRIER_KEYS, faults)
    settings = _settings(carrier, assume)
    tables = document.get("prices", [])
    if not isinstance(tables, list):
        faults.append(LineFault(places.of("prices"), tr("prices are expected as tables, each headed [[prices]]")))
        tables = []
    prices = []
    for number, table in enumerate(tables):
        prices += _prices(_Table(table, places.table(number), PRICE_KEYS, faults), settings.get("name", ""))
    return settings, prices, faults


class _Places:
    """On which lines the tables begin, because the parser does not tell."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._tables = [
            number for number, line in enumerate(self._lines, start=1) if re.match(r"\s*\[\[\s*prices\s*]]", line)
        ]

    def table(self, number: int) -> str:
        if number >= len(self._tables):
            return tr("price {number}", number=number + 1)
        return tr("line {line}", line=self._tables[number])

    def of(self, key: str) -> str:
        pattern = re.compile(rf"\s*(\[+\s*)?{re.escape(key)}\b")
        return tr("line {line}", line=next((n for n, line in enumerate(self._lines, 1) if pattern.match(line)), 1))


class _Table:
    """A table of the document: values by key, checked as they are asked for."""

    def __init__(self, values: Any, where: str, keys: set[str], faults: list[LineFault]) -> None:
        self.where, self.faults = where, faults
        self.values: Mapping[str, Any] = values if isinstance(values, dict) else {}
        self.sound = True
        if not isinstance(values, dict):
            self.fault(tr("a table is expected"))
        for key in self.values:
            if key not in keys:
                self.fault(tr("{key} is unknown; known are {keys}", key=key, keys=", ".join(sorted(keys))))

    def fault(self, sentence: str) -> None:
        self.sound = False
        self.faults.append(LineFault(self.where, sentence))

    def get(self, key: str, reader: Any, default: Any = None, *, needed: bool = False) -> Any:
        if key not in self.values:
            if needed:
                self.fault(tr("{column} is missing; {wanted}", column=key, wanted=_wanted(reader)))
            return default
        try:
            return reader(self.values[key])
        except (ValueError, TypeError) as error:
            self.fault(tr("{column} is {value!r}, but {wanted}", column=key, value=self.values[key], wanted=error))
            return default


def _settings(table: _Table, assume: Assumptions) -> dict[str, Any]:
    """The carrier's settings that the file names."""
    name = assume.carrier or table.get("name", _text)
    if not name:
        table.fault(tr('the carrier is missing; write name = "022-天津-电信" below [carrier], or say --carrier'))
    found = {"name": name or ""}
    for key, reader in (
        ("area_code", _text),
        ("place", _text),
        ("operator", _text),
        ("decimals", _decimals),
        ("crossing", _crossing),
        ("rounding", _spelled(cells.rounding)),
        ("part_second", _part_second),
        ("tax", _spelled(spelling.tax)),
        ("default", _flag),
    ):
        if key in table.values:
            found["tax_micro" if key == "tax" else key] = table.get(key, reader)
    return found


def _spelled(reader: Any) -> Any:
    """A term in its spelling; a bare whole number is its own."""
    return lambda value: reader(str(value) if type(value) is int else _text(value))


def _prices(table: _Table, carrier: str) -> list[Price]:
    """The prices of a table: one for each of its values."""
    traffic_type = table.get("traffic_type", _word(TRAFFIC_TYPES), needed=True)
    figures = table.get("figures", _read_figures, needed=True)
    effective_from = table.get("effective_from", _day, needed=True)
    match = table.get("match", _word(MATCHES), "any")
    values = table.get("values", _texts) if "values" in table.values else [table.get("value", _text, "")]
    common = {
        "direction": table.get("direction", _word(DIRECTIONS), Direction.OUTBOUND),
        "line_kind": table.get("line_kind", _word(LINE_KINDS)),
        "connection_fee_micro": table.get("connection_fee", _amount, 0),
        "free_s": table.get("free_s", _seconds, 0),
        "minimum_fee_micro": table.get("minimum_fee", _amount, 0),
        "add_local": table.get("add_local", _flag, False),
        "windows": tuple(table.get("windows", _windows, [])),
        "note": table.get("note", _text, ""),
        "status": table.get("status", _word(STATUSES), "open"),
    }
    for name in spelling.PRICE_TERMS:
        if name in table.values:
            common[spelling.NAMES.get(name, name)] = table.get(name, _spelled(cells.TERMS[name]))
    if not table.sound or not carrier:
        return []
    try:
        return [
            Price(None, carrier, traffic_type, figures, effective_from, match=match, value=value, **common)
            for value in values
        ]
    except ValueError as error:
        table.fault(str(error))
        return []


def _word(words: Any) -> Any:
    return lambda value: cells.word(_text(value), words)


def _wanted(reader: Any) -> str:
    """What a reader would take, in the words of its own complaint."""
    try:
        reader(None)
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(tr("text in quotes is expected"))
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError(tr('a list of texts is expected, such as ["0755", "020"]'))
    return list(map(_text, value))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(tr("true or false is expected"))
    return value


def _amount(value: Any) -> int:
    return cells.bounded(_fee(value))


def _fee(value: Any) -> int:
    """Of a rate for many seconds, any amount."""
    if isinstance(value, str) or (type(value) is int and value >= 0):
        micro, said = cells.exact(str(value), "point")
        return cells.whole(cells.share(micro, said.divisor))
    raise ValueError(tr('an amount is expected in quotes, such as "0.07"'))


def _seconds(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= cells.MOST_SECONDS:
        raise ValueError(tr("whole seconds are expected, such as 60"))
    return value


def _block_seconds(value: Any) -> Seconds:
    return cells.block_seconds(value) if isinstance(value, str) else _seconds(value)


def _term(value: Any) -> str:
    return str(value) if type(value) is int else _text(value)


def _per(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= money.MAX_MICRO:
        raise ValueError(tr("whole seconds are expected, such as 60"))
    return value


def _day(value: Any) -> date:
    if type(value) is not date:
        raise ValueError(tr("a day without quotes is expected, such as 2026-10-01"))
    return value


def _decimals(value: Any) -> int:
    if type(value) is not int or value not in DECIMALS:
        raise ValueError(tr("a whole number from -6 to 6 is expected"))
    return value


def _crossing(value: Any) -> str:
    return _one_of(value, get_args(Crossing))


def _part_second(value: Any) -> str:
    return _one_of(value, get_args(PartSecond))


def _one_of(value: Any, words: Sequence[str]) -> str:
    if value not in words:
        raise ValueError(tr("one of these is expected: {words}", words=", ".join(words)))
    return str(value)


def _known(value: Any, keys: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(tr("a table in braces is expected"))
    for key in value:
        if key not in keys:
            raise ValueError(tr("{key} is unknown; known are {keys}", key=key, keys=", ".join(sorted(keys))))
    return value


def _read_figures(value: Any) -> Figures:
    table = _known(value, FIGURE_KEYS)
    missing = [key for key in ("initial_s", "initial_fee", "step_s", "step_fee") if key not in table]
    if missing:
        example = '{ initial_s = 180, initial_fee = "0.22", step_s = 60, step_fee = "0.11" }'
        raise ValueError(tr("{keys} is missing in it; {example} is expected", keys=", ".join(missing), example=example))
    figures = Figures(
        _block_seconds(table["initial_s"]),
        _fee(table["initial_fee"]),
        _block_seconds(table["step_s"]),
        _fee(table["step_fee"]),
        _per(table.get("per_s", 0)),
        **cells.figure_terms({name: _term(table[name]) for name in cells.FIGURE_WORDS if name in table}),
    )
    return cells.believable(figures)


def _windows(value: Any) -> Iterable[Window]:
    if not isinstance(value, list):
        raise ValueError(tr("a list of windows is expected"))
    return [_read_window(one) for one in value]


def _read_window(value: Any) -> Window:
    table = _known(value, WINDOW_KEYS)
    missing = [key for key in ("kind", "from", "to", "figures") if key not in table]
    if missing:
        example = '{ kind = "daily", from = "00:00", to = "07:00", figures = { … } }'
        raise ValueError(tr("{keys} is missing in it; {example} is expected", keys=", ".join(missing), example=example))
    priority = table.get("priority")
    if priority is not None and type(priority) is not int:
        raise ValueError(tr("a priority is a whole number, such as 40"))
    return Window(
        kind=cells.word(_text(table["kind"]), WINDOW_KINDS),
        start_s=cells.second_of_day(_text(table["from"])),
        end_s=cells.second_of_day(_text(table["to"])),
        figures=_read_figures(table["figures"]),
        priority=priority,
        name=_text(table.get("name", "")),
        **{name: cells.TERMS[name](_term(table[name])) for name in spelling.WINDOW_TERMS if name in table},
    )
