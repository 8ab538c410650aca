"""The files in which tariffs come and go: CSV and XLSX as carriers send them or as we write them, TOML to be edited.

The one idea: a file is read whole, every fault with its place, and only then it is asked what would change; nothing
half read ever reaches the book.

    found = read("deck.xlsx", content, Assumptions(today, carrier="022-天津-电信", increments=(60, 6)))
    found.faults or changes(present, found.prices, whole=found.whole)

`cells` reads one cell, `units` and `prefixes` what stands in it of units and codes, `columns` knows the headings,
`habits` what the whole list shows, `notices` what it says around its table, `rows` makes prices of a row, `toml` is one
of the files, `words` the words of both languages, `home` tells near from far.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from ippbx_billing.language import tr
from ippbx_billing.lists import sheets
from ippbx_billing.lists.tariffs import columns, habits, notices, toml
from ippbx_billing.lists.tariffs.home import Home
from ippbx_billing.lists.tariffs.rows import (
    NUMBER_COLUMNS,
    OWN_COLUMNS,
    Assumptions,
    DeckLine,
    LineFault,
    Placed,
    is_of_messages,
    is_remark,
    prices_of,
    rated,
    row_of,
)
from ippbx_billing.tariffs.changes import Identity, ended, identity
from ippbx_billing.tariffs.prices import Carrier, Price

__all__ = ["Assumptions", "FileForm", "Home", "Imported", "LineFault", "form_of", "rated", "read", "write"]


ROWS_AT_ONCE = 1000
Heard = Callable[[int, int], None]


def _unheard(done: int, total: int) -> None:
    """Nobody watches."""


class FileForm(StrEnum):
    """How a tariff is written to a file."""

    TOML = "toml"
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file says: prices, settings of the carrier (TOML), faults with their places, remarks worth telling.

    `whole` says that the file is a carrier's whole tariff, so that what is not in it is taken out.
    """

    prices: tuple[Price, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    faults: tuple[LineFault, ...] = ()
    remarks: tuple[str, ...] = ()
    whole: bool = False


def form_of(name: str, content: bytes = b"") -> FileForm:
    """What sort of file it is: by its content where that is plain, else by the ending of its name."""
    ending = name.lower().rpartition(".")[2]
    if content.startswith(b"PK") or ending in ("xlsx", "xlsm"):
        return FileForm.XLSX
    return FileForm.TOML if ending == "toml" else FileForm.CSV


def read(name: str, content: bytes, assume: Assumptions, heard: Heard = _unheard) -> Imported:
    """What the file says; never raises for what is in it. `heard` is told how many rows of how many are read."""
    form = form_of(name, content)
    if form is FileForm.TOML:
        return _read_toml(content, assume)
    if form is FileForm.CSV and content.startswith(b"\xd0\xcf\x11\xe0"):
        return Imported(faults=(LineFault(name, tr("this is an old Excel file (.xls); save it as .xlsx or .csv")),))
    try:
        found = _sheets(form, content, assume.encoding)
    except ValueError as error:
        return Imported(faults=(LineFault(name, str(error)),))
    return _read_sheets(found, assume, heard)


def _sheets(form: FileForm, content: bytes, encoding: str) -> list[sheets.Sheet]:
    if form is FileForm.XLSX:
        return sheets.read_xlsx(content)
    return [sheets.read_csv(content, columns.known_headings(), encoding)]


def write(form: FileForm, carriers: Sequence[Carrier], prices: Sequence[Price]) -> bytes:
    """A file of these prices; TOML holds one carrier, with its settings."""
    if form is FileForm.TOML:
        (carrier,) = carriers
        return toml.write(carrier, prices).encode("utf-8", "replace")
    rows = map(row_of, prices)
    if form is FileForm.CSV:
        return sheets.write_csv(OWN_COLUMNS, rows)
    title = carriers[0].name if len(carriers) == 1 else "tariffs"
    return sheets.write_xlsx(title, OWN_COLUMNS, rows, numbers=NUMBER_COLUMNS, wide=("windows", "note"))


def _read_toml(content: bytes, assume: Assumptions) -> Imported:
    settings, prices, faults = toml.read(sheets.decoded(content), assume)
    again = _twice((price, tr("price {number}", number=number)) for number, price in enumerate(prices, start=1))
    return Imported(tuple(prices), settings, (*faults, *again), whole=True)


def _read_sheets(found: Iterable[sheets.Sheet], assume: Assumptions, heard: Heard) -> Imported:
    """The prices of all sheets that have headings; the others are named."""
    placed: list[Placed] = []
    faults: list[LineFault] = []
    remarks: list[str] = []
    any_table = False
    for sheet in found:
        table = columns.find(sheet, assume.ignored)
        if table is None:
            if any(sheet.rows) and sheet.name:
                remarks.append(tr("sheet {name} has no headings of a price list and is left out", name=sheet.name))
            continue
        any_table = True
        if sheet.encoding:
            remarks.append(sheets.read_as(sheet.encoding))
        table = habits.settled(sheet, table)
        seen = habits.habits_of(sheet, table, assume.home.access)
        spoken = habits.with_spoken(seen, assume.separator, assume.dates)
        said = notices.read(sheet, table, spoken.dates, assume.ignored)
        table = notices.applied(table, said)
        heading = sheet.rows[table.begin - 1].where
        faults += [LineFault(*problem) for problem in notices.problems(said)]
        told = [LineFault(heading, one) for one in habits.problems(sheet, table, assume.currency, assume.ignored)]
        faults += told
        if table.unknown and not told:
            remarks.append(tr("not used: {columns}", columns=", ".join(table.unknown.values())))
        own = replace(
            assume,
            habits=spoken,
            effective_from=assume.effective_from or said.first_day,
            increments=assume.increments or said.increments,
            last_day=said.last_day,
        )
        placed += _read_rows(sheet, table, own, faults, remarks, heard)
    if not any_table:
        faults.append(_no_headings())
    elif not placed and not faults:
        faults.append(LineFault(tr("line {line}", line=1), tr("there is no price below the headings")))
    placed = _with_ends(_without_labels(placed))
    faults += _twice((one.price, one.where) for one in placed)
    return Imported(tuple(one.price for one in placed), {}, tuple(faults), tuple(dict.fromkeys(remarks)))


def _read_rows(
    sheet: sheets.Sheet,
    table: columns.Columns,
    assume: Assumptions,
    faults: list[LineFault],
    remarks: list[str],
    heard: Heard,
) -> list[Placed]:
    placed: list[Placed] = []
    known: dict[object, Any] = {}
    for number, row in enumerate(sheet.rows[table.begin :]):
        if number % ROWS_AT_ONCE == 0:
            heard(number, len(sheet.rows))
        if not row or columns.is_repeated(row.cells, table):
            continue
        line = DeckLine(row, table)
        if is_remark(line) or notices.is_sentence(row):
            remarks.append(tr("{where} holds neither price nor destination and is left out", where=row.where))
        elif is_of_messages(line):
            remarks.append(tr("{where} is for messages and is left out", where=row.where))
        else:
            placed += prices_of(line, assume, known)
            faults += line.faults
    return placed


def _without_labels(placed: list[Placed]) -> list[Placed]:
    """A column Type is but a label where the code alone tells the rows apart: 9379 is of mobiles whatever is said."""
    if not any(one.labelled for one in placed):
        return placed
    kinds: dict[object, set[object]] = {}
    for one in placed:
        kinds.setdefault(_calls(one.price), set()).add(one.price.line_kind)
    return [
        one._replace(price=replace(one.price, line_kind=None))
        if one.labelled and one.price.match == "prefix" and len(kinds[_calls(one.price)]) == 1
        else one
        for one in placed
    ]


def _calls(price: Price) -> tuple[object, ...]:
    """For which calls a price is, whatever their line."""
    return price.carrier, price.traffic_type, price.direction, price.match, price.value, price.effective_from


def _with_ends(placed: list[Placed]) -> list[Placed]:
    """The prices, and behind each that ends before another takes its place, the end itself."""
    if all(one.end is None for one in placed):
        return placed
    begins: dict[object, list[date]] = {}
    for one in placed:
        begins.setdefault(identity(one.price)[:-1], []).append(one.price.effective_from)
    found: list[Placed] = []
    for one in placed:
        found.append(one)
        if one.end is None:
            continue
        first, end = one.price.effective_from, one.end + timedelta(days=1)
        if not any(first < other <= end for other in begins[identity(one.price)[:-1]]):
            found.append(Placed(ended(one.price, end), one.where))
    return found


def _no_headings() -> LineFault:
    own = "traffic_type, match, value, initial_s, initial_fee, step_s, step_fee"
    return LineFault(
        tr("line {line}", line=1),
        tr("no row of headings was found; wanted are, for example: {own}; or: {deck}",
           own=own, deck="destination, prefix, rate, increments, effective date"),
    )  # fmt: skip


def _twice(placed: Iterable[tuple[Price, str]]) -> list[LineFault]:
    """Prices for the very same calls from the same day on that differ: nobody can say which is meant."""
    first: dict[Identity, tuple[Price, str]] = {}
    faults = []
    for price, where in placed:
        earlier, there = first.setdefault(identity(price), (price, where))
        if earlier is not price and replace(earlier, value=price.value, note=price.note) != price:
            faults.append(
                LineFault(
                    where,
                    tr(
                        "{what} has another price in {where} from the same day on; keep one of them",
                        what=described(price),
                        where=there,
                    ),
                )
            )
    return faults


def described(price: Price) -> str:
    """For which calls a price is, in a few words."""
    words = [tr(price.traffic_type.value), tr(price.line_kind.value) if price.line_kind else "", price.value]
    return " ".join(filter(None, words))
