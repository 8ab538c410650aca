"""The tables that people edit: carriers, trunks, prices and number overrides."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from ippbx_billing.calls import Direction, LineKind, TrafficType
from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger.editing import editing
from ippbx_billing.tariffs import Calendar, Carrier, Changes, Figures, Price, TariffBook, Trunk, Window, spelling

if TYPE_CHECKING:
    from sqlite_utils import Database

    from ippbx_billing.numbering import Override


ROWS_AT_ONCE = 1000
MANY = 1000  # prices that are read one by one; of more it is quicker to read all
LONGEST_NUMBER = 40


def _unheard(done: int, total: int) -> None:
    """Nobody watches."""


class BookTables:
    """Reading is plain SQL; editing goes through sqlite-utils, each change a transaction of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._made: TariffBook | None = None

    # -- the whole book

    def tariff_book(self, calendar: Calendar, prices: Iterable[Price] | None = None) -> TariffBook:
        """Everything that rating needs to know, at this moment; with these `prices` alone where they are given.

        Asked again, it reads only the prices that came since: a worker must not stand still because one price of a list
        of hundreds of thousands was edited.
        """
        if prices is not None:
            return TariffBook(self.carriers(), self.trunks(), prices, calendar)
        if self.connection.in_transaction:  # what it sees may never be: a rollback gives the ids to other prices
            return self._at_this_moment(calendar)
        with _reading(self.connection):
            self._made = self._at_this_moment(calendar)
        return self._made

    def _at_this_moment(self, calendar: Calendar) -> TariffBook:
        """The book, made of the last one where that had the same carriers."""
        carriers, made = self.carriers(), self._made
        if made is None or list(made.carriers.values()) != carriers:
            return TariffBook(carriers, self.trunks(), self.prices(), calendar)
        gone, coming = self._changed_since(made.prices)
        return made.changed(carriers, self.trunks(), gone, coming, calendar)

    def _changed_since(self, known: Sequence[Price]) -> tuple[list[Price], list[Price]]:
        """The prices that were in use and are not, and those that are new; a price that has an id never changes."""
        cursor = self.connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(
            "SELECT id FROM prices WHERE NOT ended AND carrier_id IN (SELECT id FROM carriers WHERE NOT ended)"
        )
        present, before = {number for (number,) in rows}, {price.id for price in known}
        return [price for price in known if price.id not in present], self._prices_of(present - before)

    def _prices_of(self, ids: Collection[int]) -> list[Price]:
        if len(ids) > MANY:
            return [price for price in self.prices() if price.id in ids]
        return [price for one in sorted(ids) if (price := self.price(one))]

    def editing(self) -> "AbstractContextManager[Database]":
        """One change, all or nothing; a change within a change belongs to the outer one."""
        return editing(self.connection)

    # -- carriers

    def carriers(self) -> list[Carrier]:
        """The carriers in use, by name."""
        rows = self.connection.execute("SELECT * FROM carriers WHERE NOT ended ORDER BY name")
        return [_carrier(row) for row in rows]

    def carrier(self, name: str) -> Carrier:
        """The carrier of this name; NotFoundError names those there are."""
        return _carrier(self._carrier_row(name))

    def decimals(self) -> int:
        """The decimals that fees of all carriers together are shown with."""
        return max((one.decimals for one in self.carriers()), default=2)

    def add_carrier(self, carrier: Carrier) -> None:
        """Add a carrier; the first one becomes the default. UsageError where the name is taken."""
        with self.editing() as database:
            if self.connection.execute("SELECT 1 FROM carriers WHERE name = ?", [carrier.name]).fetchone():
                raise UsageError(
                    tr("there is already a carrier {name}", name=carrier.name),
                    tr("choose another name, or use set-region"),
                )
            first = not self.carriers()
            if carrier.default:
                self.connection.execute("UPDATE carriers SET is_default = 0")
            database.table("carriers").insert(
                {
                    "name": carrier.name,
                    "area_code": carrier.area_code,
                    "place": carrier.place,
                    "operator": carrier.operator,
                    "is_default": int(first or carrier.default),
                    "decimals": carrier.decimals,
                    "crossing": carrier.crossing,
                    "rounding": carrier.rounding,
                    "part_second": carrier.part_second,
                    "tax_micro": carrier.tax_micro,
                    "ended": 0,
                }
            )

    def change_carrier(self, name: str, /, **changes: Any) -> None:
        """Change columns of a carrier; a new name must be free."""
        row = self._carrier_row(name)
        with self.editing() as database:
            if (
                changes.get("name", name) != name
                and self.connection.execute("SELECT 1 FROM carriers WHERE name = ?", [changes["name"]]).fetchone()
            ):
                raise UsageError(
                    tr("there is already a carrier {name}", name=changes["name"]),
                    tr("remove it first, or choose another name"),
                )
            if changes.get("is_default"):
                self.connection.execute("UPDATE carriers SET is_default = 0")
            database.table("carriers").update(row["id"], changes)

    def remove_carrier(self, name: str) -> None:
        """Take a carrier out of use; its rated calls keep it. Not the default one, and not one that trunks use."""
        row = self._carrier_row(name)
        with self.editing():
            trunks = [
                found["name"]
                for found in self.connection.execute("SELECT name FROM trunks WHERE carrier_id = ?", [row["id"]])
            ]
            if trunks:
                raise BillingError(
                    tr("{name} is the carrier of trunk {trunks}", name=name, trunks=", ".join(trunks)),
                    tr("give the trunk another carrier first"),
                )
            if row["is_default"]:
                raise BillingError(
                    tr("{name} is the default carrier", name=name),
                    tr("make another one the default: carriers add --default"),
                )
            used = self.connection.execute("SELECT 1 FROM charges WHERE carrier_id = ? LIMIT 1", [row["id"]]).fetchone()
            if used:
                ended_name = f"{name} ({row['id']})"
                self.connection.execute("UPDATE carriers SET ended = 1, name = ? WHERE id = ?", [ended_name, row["id"]])
            else:
                self._never_again()
                for statement in (
                    "DELETE FROM windows WHERE price_id IN (SELECT id FROM prices WHERE carrier_id = ?)",
                    "DELETE FROM prices WHERE carrier_id = ?",
                    "DELETE FROM plans WHERE carrier_id = ?",
                    "DELETE FROM carriers WHERE id = ?",
                ):
                    self.connection.execute(statement, [row["id"]])

    def _never_again(self) -> None:
        """The ids of prices that are deleted are not given to others: see `tariff_book`."""
        self.connection.execute("INSERT OR REPLACE INTO state (name, value) VALUES ('last_price', ?)", [self._newest()])

    def _newest(self) -> int:
        """The highest id that a price ever had."""
        (newest,) = self.connection.execute(
            "SELECT max(ifnull((SELECT max(id) FROM prices), 0), "
            "ifnull((SELECT CAST(value AS INTEGER) FROM state WHERE name = 'last_price'), 0))"
        ).fetchone()
        return int(newest)

    def _carrier_row(self, name: str) -> sqlite3.Row:
        row: sqlite3.Row | None = self.connection.execute(
            "SELECT * FROM carriers WHERE name = ? AND NOT ended", [name]
        ).fetchone()
        if row is None:
            known = ", ".join(carrier.name for carrier in self.carriers()) or "none"
            raise NotFoundError(
                tr("there is no carrier {name}", name=name), tr("the carriers are: {names}", names=known)
            )
        return row

    # -- trunks

    def trunks(self) -> list[Trunk]:
        """The trunks, by name."""
        rows = self.connection.execute(
            "SELECT t.*, c.name AS carrier FROM trunks t JOIN carriers c ON c.id = t.carrier_id ORDER BY t.name"
        )
        return [Trunk(row["name"], row["carrier"], row["number"], row["outside_prefix"]) for row in rows]

    def put_trunk(self, trunk: Trunk) -> None:
        """Add a trunk, or change the one of that name."""
        carrier_id = self._carrier_row(trunk.carrier)["id"]
        with self.editing() as database:
            database.table("trunks").upsert(
                {
                    "name": trunk.name,
                    "number": trunk.number,
                    "outside_prefix": trunk.outside_prefix,
                    "carrier_id": carrier_id,
                },
                pk="name",
            )

    def remove_trunk(self, name: str) -> None:
        """Take a trunk out of the book."""
        with self.editing():
            if not self.connection.execute("DELETE FROM trunks WHERE name = ?", [name]).rowcount:
                known = ", ".join(trunk.name for trunk in self.trunks()) or "none"
                raise NotFoundError(
                    tr("there is no trunk {name}", name=name), tr("the trunks are: {names}", names=known)
                )

    # -- prices

    def prices(self, *, ended: bool = False, numbers: Sequence[str] = ()) -> list[Price]:
        """The prices with their windows, of carriers in use; with `ended` also those that only old charges rest on.

        With `numbers` only such rows by prefix as one of these numbers may begin with, anywhere in its digits.
        """
        begins = sorted({digits for number in numbers for digits in _parts_of(number)})
        chosen = f" AND (p.match != 'prefix' OR p.value IN ({', '.join('?' * len(begins))}))" if numbers else ""
        windows: dict[int, list[Window]] = {}
        for row in self.connection.execute("SELECT * FROM windows ORDER BY price_id, rowid"):
            windows.setdefault(row["price_id"], []).append(_window(row))
        rows = self.connection.execute(
            "SELECT p.*, c.name AS carrier FROM prices p JOIN carriers c ON c.id = p.carrier_id"
            + (" WHERE 1" if ended else " WHERE NOT p.ended AND NOT c.ended")
            + chosen
            + " ORDER BY p.id",
            begins,
        )
        return [_price(row, tuple(windows.get(row["id"], ()))) for row in rows]

    def goes_by_days_off(self) -> bool:
        """Whether a price in use has a window of weekends or holidays."""
        found = self.connection.execute(
            "SELECT 1 FROM windows w JOIN prices p ON p.id = w.price_id JOIN carriers c ON c.id = p.carrier_id "
            "WHERE w.kind != 'daily' AND NOT p.ended AND NOT c.ended LIMIT 1"
        )
        return found.fetchone() is not None

    def price(self, price_id: int) -> Price | None:
        """The price row with this id, in use or not."""
        row = self.connection.execute(
            "SELECT p.*, c.name AS carrier FROM prices p JOIN carriers c ON c.id = p.carrier_id WHERE p.id = ?",
            [price_id],
        ).fetchone()
        if row is None:
            return None
        windows = self.connection.execute("SELECT * FROM windows WHERE price_id = ? ORDER BY rowid", [price_id])
        return _price(row, tuple(_window(window) for window in windows))

    def add_prices(self, prices: Iterable[Price], heard: Callable[[int, int], None] = _unheard) -> list[int]:
        """Store price rows with their windows; gives their ids. `heard` is told how many of how many are stored."""
        prices, carriers = list(prices), {one.name: self._carrier_row(one.name)["id"] for one in self.carriers()}
        with self.editing():
            newest = self._newest()
            for begin in range(0, len(prices), ROWS_AT_ONCE):
                heard(begin, len(prices))
                some = list(enumerate(prices[begin : begin + ROWS_AT_ONCE], start=newest + 1 + begin))
                self._insert("prices", [_price_row(id_, one, self._id_of(one, carriers)) for id_, one in some])
                self._insert("windows", [_window_row(id_, window) for id_, one in some for window in one.windows])
        return list(range(newest + 1, newest + 1 + len(prices)))

    def _id_of(self, price: Price, carriers: dict[str, int]) -> int:
        return carriers.get(price.carrier) or int(self._carrier_row(price.carrier)["id"])

    def _insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Rows by plain SQL, because a carrier's list may have hundreds of thousands."""
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            statement = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})"
            self.connection.executemany(statement, (list(row.values()) for row in rows))

    def change_prices(self, changes: Changes, heard: Callable[[int, int], None] = _unheard) -> None:
        """Bring the tariffs to what was wanted: what is replaced or taken out is ended, never deleted."""
        with self.editing():
            self.end_prices(price.id for price in changes.gone if price.id is not None)
            self.add_prices(changes.coming, heard)

    def end_prices(self, price_ids: Iterable[int]) -> None:
        """Take price rows out of use; charges that rest on them keep them."""
        with self.editing():
            self.connection.executemany("UPDATE prices SET ended = 1 WHERE id = ?", [(one,) for one in price_ids])

    # -- corrections of the numbering plan

    def overrides(self) -> "list[Override]":
        "Correct the numbering plan for this site, by prefix."
        from ippbx_billing.numbering import Override

        rows = self.connection.execute("SELECT * FROM overrides ORDER BY prefix")
        return [
            Override(
                prefix=row["prefix"],
                traffic_type=TrafficType(row["traffic_type"]) if row["traffic_type"] else None,
                line_kind=LineKind(row["line_kind"]) if row["line_kind"] else None,
                country=row["country"],
                region=row["region"],
                place=row["place"],
            )
            for row in rows
        ]

    def put_override(self, override: "Override") -> None:
        """Add a correction, or change the one of that prefix."""
        with self.editing() as database:
            database.table("overrides").upsert(
                {
                    "prefix": override.prefix,
                    "traffic_type": override.traffic_type,
                    "line_kind": override.line_kind,
                    "country": override.country,
                    "region": override.region,
                    "place": override.place,
                },
                pk="prefix",
            )

    def remove_override(self, prefix: str) -> None:
        """Take a correction out."""
        with self.editing():
            if not self.connection.execute("DELETE FROM overrides WHERE prefix = ?", [prefix]).rowcount:
                raise NotFoundError(
                    tr("there is no override of {prefix}", prefix=prefix), tr("see `ippbx-bill numbers override list`")
                )


@contextmanager
def _reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Several questions about the same moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _parts_of(number: str) -> Iterator[str]:
    """All runs of digits in a number, each with a + before it as well; the country code of 400 and 800 is Chinese."""
    digits = "".join(filter(str.isdecimal, number))[:LONGEST_NUMBER]
    for text in (digits, "86" + digits):
        for begin in range(len(text)):
            for end in range(begin + 1, len(text) + 1):
                yield text[begin:end]
                yield "+" + text[begin:end]


def _carrier(row: sqlite3.Row) -> Carrier:
    return Carrier(
        row["name"],
        row["area_code"],
        row["place"],
        row["operator"],
        bool(row["is_default"]),
        row["decimals"],
        row["crossing"],
        row["rounding"],
        row["part_second"],
        row["tax_micro"],
    )


def _figures(row: sqlite3.Row, terms: Mapping[str, str]) -> Figures:
    plain = {
        "initial_s": row["initial_s"],
        "initial_fee_micro": row["initial_fee_micro"],
        "step_s": row["step_s"],
        "step_fee_micro": row["step_fee_micro"],
        "per_s": row["per_s"],
    }
    return Figures(**(plain | spelling.read_terms(terms, spelling.FIGURE_TERMS) if terms else plain))


def _terms(text: str) -> dict[str, str]:
    """The less common terms, of which most rows have none."""
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def _terms_text(terms: dict[str, str]) -> str:
    return json.dumps(terms, ensure_ascii=False) if terms else ""


def _figures_row(figures: Figures) -> dict[str, int]:
    """Whole figures; seconds with a part stand among the terms, here they are the whole ones."""
    return {
        "initial_s": int(figures.initial_s),
        "initial_fee_micro": figures.initial_fee_micro,
        "step_s": int(figures.step_s),
        "step_fee_micro": figures.step_fee_micro,
        "per_s": int(figures.per_s),
    }


def _window(row: sqlite3.Row) -> Window:
    terms = _terms(row["terms"])
    more = spelling.read_terms(terms, spelling.WINDOW_TERMS)
    figures = _figures(row, terms)
    return Window(row["kind"], row["start_s"], row["end_s"], figures, row["priority"], row["name"], **more)


def _window_row(price_id: int, window: Window) -> dict[str, Any]:
    return {
        "price_id": price_id,
        "kind": window.kind,
        "start_s": window.start_s,
        "end_s": window.end_s,
        **_figures_row(window.figures),
        "priority": window.priority,
        "name": window.name,
        "terms": _terms_text(spelling.window_terms(window)),
    }


def _price(row: sqlite3.Row, windows: tuple[Window, ...]) -> Price:
    terms = _terms(row["terms"])
    return Price(
        id=row["id"],
        carrier=row["carrier"],
        traffic_type=TrafficType(row["traffic_type"]),
        figures=_figures(row, terms),
        effective_from=date.fromisoformat(row["effective_from"]),
        direction=Direction(row["direction"]),
        line_kind=LineKind(row["line_kind"]) if row["line_kind"] else None,
        match=row["match"],
        value=row["value"],
        connection_fee_micro=row["connection_fee_micro"],
        free_s=row["free_s"],
        minimum_fee_micro=row["minimum_fee_micro"],
        add_local=bool(row["add_local"]),
        windows=windows,
        note=row["note"],
        status=row["status"],
        **(spelling.read_terms(terms, spelling.PRICE_TERMS) if terms else {}),
    )


def _price_row(price_id: int, price: Price, carrier_id: int) -> dict[str, Any]:
    return {
        "id": price_id,
        "carrier_id": carrier_id,
        "traffic_type": price.traffic_type,
        "direction": price.direction,
        "line_kind": price.line_kind,
        "match": price.match,
        "value": price.value,
        **_figures_row(price.figures),
        "connection_fee_micro": price.connection_fee_micro,
        "free_s": price.free_s,
        "minimum_fee_micro": price.minimum_fee_micro,
        "add_local": int(price.add_local),
        "effective_from": price.effective_from.isoformat(),
        "note": price.note,
        "status": price.status,
        "terms": _terms_text(spelling.price_terms(price)),
        "ended": 0,
    }
