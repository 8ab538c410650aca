"""What a form says of prices: one price with all its terms, what is to become of it, and what is assumed of a file.

    given = {"way": "set", "carrier": "022-天津-电信", "traffic_type": "domestic", "initial_s": "60", …}
    change = change_of(given, ledger, using, today)     # Changes, nothing is changed
    save(ledger, change, mark_of(change))               # the same, done, if it is still what was looked at

The one idea: a form's fields are the columns of the file in which tariffs come and go, read by the same reader. So no
term of a price is lost by looking at it in a form, and a slip is told in the same words.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, get_args

from ippbx_billing.calls import TrafficType
from ippbx_billing.errors import BillingError, NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists import sheets
from ippbx_billing.lists.tariffs import Assumptions, Home, LineFault, cells, read
from ippbx_billing.lists.tariffs.rows import OWN_COLUMNS, row_of
from ippbx_billing.lists.tariffs.views import change_rows
from ippbx_billing.settings import Settings
from ippbx_billing.tariffs import Changes, Price
from ippbx_billing.tariffs.changes import changes, ended

SET, END, REMOVE = "set", "end", "remove"
WAYS = (SET, END, REMOVE)
SEVERAL = ("area", "country", "prefix")
FILE_WORDS = ("carrier", "traffic_type", "increments", "first_day", "decimal", "dates", "ignore", "off_peak",
              "all_calls", "whole")  # fmt: skip


def fields_of(price: Price) -> dict[str, str]:
    """The texts of a price, by the names of a form's fields."""
    return dict(zip(OWN_COLUMNS, row_of(price), strict=True))


def price_of(ledger: Ledger, number: int) -> Price:
    """The price in use with this id; NotFoundError where there is none."""
    found = next((one for one in ledger.book.prices() if one.id == number), None)
    if found is None:
        raise NotFoundError(tr("there is no price {id}", id=number), tr("see `ippbx-bill tariffs show`"))
    return found


def change_of(given: Mapping[str, str], ledger: Ledger, using: Settings, today: date) -> Changes:
    """What a form asks for; UsageError where it cannot be meant, and where it would change nothing."""
    match given.get("way"):
        case "end":
            old = price_of(ledger, _number(given.get("id", "")))
            wanted = [ended(old, _said(tr("No longer from"), given.get("effective_from", ""), cells.day))]
        case "remove":
            return Changes(removed=(price_of(ledger, _number(given.get("id", ""))),))
        case "set":
            wanted = prices_of(given, _assumed(using, today, given.get("carrier", "")))
        case _:
            raise UsageError(tr("{text!r} is not one of them", text=given.get("way", "")[:100]), ", ".join(WAYS))
    for name in sorted({price.carrier for price in wanted}):
        ledger.book.carrier(name)
    names = {price.carrier for price in wanted}
    change = changes([one for one in ledger.book.prices() if one.carrier in names], wanted)
    if not change:
        raise UsageError(tr("this price is in force already"), tr("change something in it, or its first day"))
    return change


def prices_of(given: Mapping[str, str], assume: Assumptions) -> list[Price]:
    """The price of a form; several where it names several destinations. UsageError with everything that is wrong."""
    lines = [[{**given, "value": value}.get(name, "") for name in OWN_COLUMNS] for value in _values(given)]
    found = read("price.csv", sheets.write_csv(OWN_COLUMNS, lines), assume)
    if found.faults or not found.prices:
        told = "; ".join(dict.fromkeys(one.sentence for one in found.faults)) or tr("the price is not told")
        raise UsageError(told, tr("go back and correct it"))
    return list(found.prices)


def _values(given: Mapping[str, str]) -> list[str]:
    """The destinations: area codes, countries and prefixes may stand side by side."""
    text = given.get("value", "")
    return cells.values(text) if given.get("match") in SEVERAL and text else [text]


def _assumed(using: Settings, today: date, carrier: str) -> Assumptions:
    home = Home(using.country, using.area_code)
    return Assumptions(today=today, home=home, carrier=carrier or None, currency=using.currency)


def assumptions_of(given: Mapping[str, str], using: Settings, today: date) -> Assumptions:
    """What a form says for all that a file leaves open, as the options of `tariffs import` do."""
    kind = given.get("traffic_type", "")
    return replace(
        _assumed(using, today, given.get("carrier", "")),
        traffic_type=_one_of(list(TrafficType), kind, TrafficType) if kind else None,
        effective_from=_said(tr("Valid from"), given.get("first_day", ""), cells.day),
        increments=_said(tr("Increments"), given.get("increments", ""), cells.increments),
        separator=_one_of(get_args(cells.Separator), given.get("decimal", ""), str) or None,
        dates=_one_of(get_args(cells.DateOrder), given.get("dates", ""), str) or None,
        ignored=tuple(part.strip() for part in given.get("ignore", "").split(",") if part.strip()),
        off_peak=_said(tr("Off-peak"), given.get("off_peak", ""), cells.times_of_day),
        all_calls=bool(given.get("all_calls")),
    )


def _one_of(known: Iterable[Any], text: str, made: Callable[[str], Any]) -> Any:
    if text and text not in tuple(known):
        raise UsageError(tr("{text!r} is not one of them", text=text[:100]), ", ".join(map(str, known)))
    return made(text)


def _said(title: str, text: str, reader: Callable[[str], Any]) -> Any:
    """What a field says; None where it is empty."""
    if not text:
        return None
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(tr("{option} is {text!r}", option=title, text=text[:100]), str(error)) from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise UsageError(tr("{text!r} is not a number", text=text[:100]))
    return int(text)


def mark_of(change: Changes, settings: Iterable[tuple[str, Any, Any]] = ()) -> str:
    """A few characters that are others as soon as something else would be changed."""
    told = json.dumps(change_rows(change, settings), ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def check_mark(seen: str, change: Changes, settings: Iterable[tuple[str, Any, Any]] = ()) -> None:
    """BillingError where what would be changed is not what was looked at."""
    if seen != mark_of(change, settings):
        raise BillingError(
            tr("the prices have been changed meanwhile, nothing was saved"), tr("look at the preview once more")
        )


def save(ledger: Ledger, change: Changes, seen: str) -> None:
    """Make the change, if it is the one that was looked at."""
    check_mark(seen, change)
    ledger.book.change_prices(change)


def first_day(change: Changes) -> date | None:
    """The first day whose calls have another price then."""
    return min((price.effective_from for price in (*change.coming, *change.gone)), default=None)


def day_of(text: str) -> date:
    """A day; UsageError where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(tr("{text!r} is not a day", text=text[:100]), tr("write it like 2026-10-01")) from None


def told_faults(faults: Iterable[LineFault], limit: int) -> list[dict[str, str]]:
    """Faults as rows of a table: where each stands, and what would be right."""
    return [{"where": one.where, "problem": one.sentence} for one, _ in zip(faults, range(limit), strict=False)]
