"""Rates closed months again by the same library as the first time; what was in force stays until it is replaced.

for again in rate_again(months, books):
    again.difference          # calls that change, fees before and after
    put_in_force(again.month, again.pieces)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.history import pieces
from ippbx_billing.history.books import Books
from ippbx_billing.history.months import ClosedMonth, PastFile, PastTotals, new_piece
from ippbx_billing.history.pieces import CHARGED, PieceBatch
from ippbx_billing.language import tr
from ippbx_billing.ledger.calls import FACTS, MEANING, call_of, classification_of
from ippbx_billing.ledger.reasons import stored
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.rerating import Difference

ChargeValues = tuple[Any, ...]  # in the order of `CHARGED`
_RATED_BY = tuple(dict.fromkeys((*FACTS, *MEANING)))


@dataclass(frozen=True, slots=True)
class FileAgain:
    """A file rated again: the new one, or the same one where no charge changes."""

    piece: PastFile
    difference: Difference


@dataclass(frozen=True, slots=True)
class MonthAgain:
    """A month rated again and not yet in force."""

    month: ClosedMonth
    pieces: tuple[PastFile, ...]
    difference: Difference


def rate_again(months: Iterable[ClosedMonth], books: Mapping[str, Books]) -> Iterator[MonthAgain]:
    """Rate months one after the other in this process."""
    for month in months:
        rules = books_for(month, books).rules()
        yield together(month, [rate_piece(month.folder, piece, rules) for piece in month.pieces])


def books_for(month: ClosedMonth, books: Mapping[str, Books]) -> Books:
    """The books of a month's site; an error where there are none, or where its numbers were masked."""
    if month.masked:
        problem = tr("{month} of {site} is anonymized and cannot be rated again", month=month.month, site=month.site)
        raise UsageError(problem, tr("rate other months"))
    found = books.get(month.site)
    if found is None:
        raise NotFoundError(tr("no books of the site {site}", site=month.site), "ippbx-bill centre sites list")
    return found


def together(month: ClosedMonth, found: Iterable[FileAgain]) -> MonthAgain:
    """The files of a month, each rated again, as one."""
    difference, new = Difference(), []
    for one in found:
        difference.add(one.difference)
        new.append(one.piece)
    return MonthAgain(month, tuple(new), difference)


def rate_piece(folder: Path, piece: PastFile, rules: Rules) -> FileAgain:
    """Rate the calls of a file again; a file of changed charges is written beside it."""
    difference = Difference()
    with new_piece(folder) as new_file:
        for batch in pieces.batches(folder / piece.name):
            before = list(zip(*(batch.values(name) for name in CHARGED), strict=True))
            after = [_kept(old, new) for old, new in zip(before, _charges(batch, rules), strict=True)]
            for old, new in zip(before, after, strict=True):
                if old != new:
                    difference.add(_difference(old, new))
            new_file.file.put(_columns(batch, after))
            new_file.totals = new_file.totals.and_(_totals(after))
    return FileAgain(new_file.placed if difference.calls else piece, difference)


def _charges(batch: PieceBatch, rules: Rules) -> Iterator[ChargeValues]:
    """What the calls of a batch cost by these rules."""
    columns = [batch.values(name) for name in _RATED_BY]
    for values in zip(*columns, strict=True):
        row = dict(zip(_RATED_BY, values, strict=True), notes="")
        charge = rules.charge(call_of(row), classification_of(row))
        yield (
            charge.status.value,
            charge.fee_micro,
            charge.carrier,
            charge.price_id,
            charge.window,
            *stored(charge.reason),
            charge.calendar,
        )


def _kept(old: ChargeValues, new: ChargeValues) -> ChargeValues:
    """The new charge; the old one where it is the same but for the calendar's version, which changes nobody's bill."""
    return old if old[:-1] == new[:-1] else new


def _difference(old: ChargeValues, new: ChargeValues) -> Difference:
    return Difference(1, old[1] or 0, new[1] or 0, int(old[0] == "unrated"), int(new[0] == "unrated"))


def _columns(batch: PieceBatch, charges: list[ChargeValues]) -> dict[str, Any]:
    """The columns of a batch with other charges."""
    columns = {name: batch.column(name) for name in pieces.COLUMNS if name not in CHARGED}
    return columns | dict(zip(CHARGED, zip(*charges, strict=True), strict=True))


def _totals(charges: list[ChargeValues]) -> PastTotals:
    return PastTotals(len(charges), sum(one[1] or 0 for one in charges), sum(one[0] == "unrated" for one in charges))
