"""The files in which tariffs come and go: CSV and XLSX as carriers send them or as we write them, TOML to be edited.

The one idea: a file is read whole, every fault with its place, and only then it is asked what would change; nothing
half read ever reaches the book.

    found = read("deck.xlsx", content, Assumptions(today, carrier="022-天津-电信", increments=(60, 6)))
    found.faults or changes(present, found.prices, whole=found.whole)

`cells` reads one cell, `columns` knows the headings, `rows` makes prices of a row, `toml` is one of the files,
`words` the words of both languages, `home` tells near from far.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ippbx_billing.language import tr
from ippbx_billing.lists import sheets
from ippbx_billing.lists.tariffs import cells, columns, toml
from ippbx_billing.lists.tariffs.home import Home
from ippbx_billing.lists.tariffs.rows import (
    NUMBER_COLUMNS,
    OWN_COLUMNS,
    Assumptions,
    DeckLine,
    LineFault,
    is_remark,
    prices_of,
    rated,
    row_of,
)
from ippbx_billing.tariffs.changes import Identity, identity
from ippbx_billing.tariffs.prices import Carrier, Price

__all__ = ["Assumptions", "FileForm", "Home", "Imported", "LineFault", "form_of", "rated", "read", "write"]


AMOUNTS = {
    "rate", "initial_rate", "next_rate", "initial_fee", "step_fee", "connection_fee", "minimum_fee",
}  # fmt: skip


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


def read(name: str, content: bytes, assume: Assumptions) -> Imported:
    """What the file says; never raises for what is in it."""
    form = form_of(name, content)
    if form is FileForm.TOML:
        return _read_toml(content, assume)
    if form is FileForm.CSV:
        if content.startswith(b"\xd0\xcf\x11\xe0"):
            return Imported(faults=(LineFault(name, tr("this is an old Excel file (.xls); save it as .xlsx or .csv")),))
        return _read_sheets([sheets.read_csv(content, columns.known_headings())], assume)
    try:
        return _read_sheets(sheets.read_xlsx(content), assume)
    except ValueError as error:
        return Imported(faults=(LineFault(name, str(error)),))


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


def _read_sheets(found: Iterable[sheets.Sheet], assume: Assumptions) -> Imported:
    """The prices of all sheets that have headings; the others are named."""
    placed: list[tuple[Price, str]] = []
    faults: list[LineFault] = []
    remarks: list[str] = []
    any_table = False
    for sheet in found:
        table = columns.find(sheet)
        if table is None:
            if any(sheet.rows) and sheet.name:
                remarks.append(tr("sheet {name} has no headings of a price list and is left out", name=sheet.name))
            continue
        any_table = True
        if table.unknown:
            remarks.append(tr("not used: {columns}", columns=", ".join(table.unknown)))
        known = assume.separator or cells.separator_of(_amounts(sheet, table))
        placed += _read_rows(sheet, table, replace(assume, separator=known), faults, remarks)
    if not any_table:
        faults.append(_no_headings())
    elif not placed and not faults:
        faults.append(LineFault(tr("line {line}", line=1), tr("there is no price below the headings")))
    faults += _twice(placed)
    return Imported(tuple(price for price, _ in placed), {}, tuple(faults), tuple(dict.fromkeys(remarks)))


def _amounts(sheet: sheets.Sheet, table: columns.Columns) -> Iterator[str]:
    """The texts of all cells that hold amounts."""
    places = [place for place, column in table.by_place.items() if column.key in AMOUNTS]
    return (row.cells[place] for row in sheet.rows[table.begin :] for place in places if place < len(row.cells))


def _read_rows(
    sheet: sheets.Sheet, table: columns.Columns, assume: Assumptions, faults: list[LineFault], remarks: list[str]
) -> list[tuple[Price, str]]:
    placed = []
    for row in sheet.rows[table.begin :]:
        if not row:
            continue
        line = DeckLine(row, table)
        if is_remark(line):
            remarks.append(tr("{where} holds neither price nor destination and is left out", where=row.where))
            continue
        placed += [(price, row.where) for price in prices_of(line, assume)]
        faults += line.faults
    return placed


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
        if replace(earlier, value=price.value, note=price.note) != price:
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
