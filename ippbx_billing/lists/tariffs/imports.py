"""A tariff file brought into the book: read, planned beside what is there, and carried out whole or not at all.

found = read_file(Path("list.xlsx"), assumptions)
plan = plan_import(ledger, found, "list.xlsx", assumptions)
if plan: carry_out(ledger, plan)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ippbx_billing.errors import DataError, NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.lists.tariffs import Assumptions, Imported, read
from ippbx_billing.tariffs import Carrier, Changes, changes
from ippbx_billing.tariffs.changes import succeeding

SHOWN_FAULTS = 100

Setting = tuple[str, Any, Any]  # its name, what it is, what it would be
Heard = Callable[[int, int], None]  # how many of how many are done


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do: changes of prices, of the carrier's settings, and a carrier that is new."""

    changes: Changes
    settings: tuple[Setting, ...] = ()
    carrier: str | None = None
    new_carrier: Carrier | None = None

    def __bool__(self) -> bool:
        return bool(self.changes or self.settings or self.new_carrier)

    def __len__(self) -> int:
        """How many lines tell it."""
        return len(self.changes.coming) + len(self.changes.removed) + len(self.settings)

    @property
    def touched(self) -> set[str]:
        """The carriers whose prices change."""
        return {price.carrier for price in (*self.changes.coming, *self.changes.gone)}


def read_file(file: Path, assume: Assumptions, heard: Heard) -> Imported:
    """The file's prices; DataError lists every fault with its place, NotFoundError where it cannot be read."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise NotFoundError(
            tr("{file} cannot be read: {error}", file=file, error=error.strerror),
            tr("check name and place of the file"),
        ) from error
    found = read(file.name, content, assume, heard)
    if found.faults:
        lines = [f"  {fault}" for fault in found.faults[:SHOWN_FAULTS]]
        if (more := len(found.faults) - SHOWN_FAULTS) > 0:
            lines.append("  " + tr("and {count} more", count=more))
        heading = tr("{file}: {count} faults", file=file, count=len(found.faults))
        raise DataError("\n".join([heading, *lines]), tr("nothing was imported; correct these lines and try again"))
    return found


def plan_import(ledger: Ledger, found: Imported, file: str, assume: Assumptions, *, whole: bool = False) -> ImportPlan:
    """What the file would change of the present book; NotFoundError names carriers that do not exist.

    With `whole` the file is the carrier's new list: prices that are not in it end, and their past stays.
    """
    known = {one.name: one for one in ledger.book.carriers()}
    names = {price.carrier for price in found.prices} | ({found.settings["name"]} if found.settings else set())
    unknown = sorted(names - set(known))
    new_carrier = _new_carrier(found, file) if found.settings and unknown and not assume.carrier else None
    if unknown and new_carrier is None:
        raise NotFoundError(
            tr("{file} is for carrier {names}, which does not exist", file=file, names=", ".join(unknown)),
            tr("make it with `ippbx-bill carriers add`, or name another one with --carrier"),
        )
    present = [price for price in ledger.book.prices() if price.carrier in names]
    settings = () if new_carrier or not found.settings else tuple(_settings(found, known, assume.carrier))
    if whole and not found.whole:
        change = succeeding(present, found.prices, assume.today, assume.effective_from)
    else:
        change = changes(present, found.prices, whole=found.whole)
    return ImportPlan(change, settings, found.settings.get("name"), new_carrier)


def _new_carrier(found: Imported, file: str) -> Carrier:
    """The carrier that a TOML file describes."""
    missing = [key for key in ("area_code", "place", "operator") if key not in found.settings]
    if missing:
        raise DataError(
            tr("{file}: the carrier {name} is new, but its {keys} is missing below [carrier]",
               file=file, name=found.settings["name"], keys=", ".join(missing)),
            tr("add it, or name an existing carrier"),
        )  # fmt: skip
    return Carrier(**found.settings)


def _settings(found: Imported, known: dict[str, Carrier], carrier: str | None) -> Iterator[Setting]:
    """The carrier's settings that the file has otherwise; of another carrier's file only how it charges."""
    present = known[found.settings["name"]]
    charging = ("decimals", "crossing", "rounding", "part_second", "tax_micro")
    names = charging if carrier else ("area_code", "place", "operator", *charging, "default")
    for name in names:
        before, after = getattr(present, name), found.settings.get(name)
        if after is not None and before != after and not (name == "default" and not after):
            yield name, before, after


def between(ledger: Ledger, first: str, second: str) -> ImportPlan:
    """The way from one carrier's tariff to another's; ids, names and notes aside. NotFoundError for an unknown one."""
    for name in (first, second):
        ledger.book.carrier(name)
    prices = ledger.book.prices()
    theirs = [replace(one, carrier=first, note="") for one in prices if one.carrier == second]
    ours = [replace(one, note="") for one in prices if one.carrier == first]
    return ImportPlan(changes(ours, theirs, whole=True))


def carry_out(ledger: Ledger, plan: ImportPlan, heard: Heard = lambda done, total: None) -> None:
    """Everything in one transaction."""
    with ledger.transaction():
        if plan.new_carrier:
            ledger.book.add_carrier(plan.new_carrier)
        elif plan.settings:
            renamed = {"default": "is_default"}
            values = {renamed.get(name, name): after for name, _, after in plan.settings}
            ledger.book.change_carrier(plan.carrier or "", **values)
        ledger.book.change_prices(plan.changes, heard)
