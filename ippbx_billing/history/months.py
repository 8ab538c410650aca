"""Which files are a closed month of a site, and how one version of them takes the place of another.

    history/site=hq/month=2026-10/calls-4f1d….parquet     a piece; its name is its content's
    history/site=hq/month=2026-10/month.json              the pieces in force, their sums, and the versions before

A month is in force by its `month.json`, which is renamed into place: readers see one version or the other, never half
of each. Files of earlier versions stay, so that an old bill can still be explained.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ippbx_billing import files, money
from ippbx_billing.errors import DataError, NotFoundError, UsageError
from ippbx_billing.history import pieces
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger

FORMAT = 1
ROWS_IN_A_PIECE = 1_000_000
NAME = "month.json"
_SITE, _MONTH = re.compile(r"[\w.-]{1,64}"), re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_AT = {name: place for place, name in enumerate(pieces.COLUMNS)}


@dataclass(frozen=True, slots=True)
class PastTotals:
    """What calls come to: their number, their fees in micro-units, how many have no price."""

    calls: int = 0
    fee_micro: int = 0
    unrated: int = 0

    def and_(self, other: "PastTotals") -> "PastTotals":
        """Both together."""
        return PastTotals(self.calls + other.calls, self.fee_micro + other.fee_micro, self.unrated + other.unrated)

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]]) -> "PastTotals":
        """The totals of rows as `pieces.COLUMNS` orders them."""
        status, fee = _AT["status"], _AT["fee_micro"]
        return cls(len(rows), sum(row[fee] or 0 for row in rows), sum(row[status] == "unrated" for row in rows))


@dataclass(frozen=True, slots=True)
class PastFile:
    """A file of a month: its name, which tells its content, and what its calls come to."""

    name: str
    sha256: str
    totals: PastTotals


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A month of a site as it is in force. `masked` says that its numbers were made unreadable before it was closed."""

    folder: Path
    site: str
    month: str
    closed: str
    pieces: tuple[PastFile, ...]
    masked: bool = False
    earlier: tuple[tuple[PastFile, ...], ...] = field(default=(), repr=False)

    @property
    def totals(self) -> PastTotals:
        """What all its calls come to."""
        found = PastTotals()
        for piece in self.pieces:
            found = found.and_(piece.totals)
        return found

    @property
    def paths(self) -> list[Path]:
        """The files in force."""
        return [self.folder / piece.name for piece in self.pieces]


def of_ledger(ledger: Ledger, first: str, last: str) -> Iterator[Sequence[Any]]:
    """The calls of these local days as rows in the order of `pieces.COLUMNS`, streamed."""
    carriers = {number: name for name, number in ledger.calls.carrier_ids().items()}
    names = [name for name in pieces.COLUMNS if name != "carrier"]
    place = _AT["carrier"]
    for row in ledger.calls.of_days(first, last):
        values = [row[name] for name in names]
        values.insert(place, carriers.get(row["carrier_id"]))
        yield values


def write(
    history: Path, site: str, month: str, rows: Iterable[Sequence[Any]], closed: datetime, *, masked: bool = False
) -> ClosedMonth:
    """Write a month and put it in force; one that is there already with the same calls stays as it is.

    UsageError for a name that cannot be a folder's; DataError where the month is closed with other calls.
    """
    folder = folder_of(history, site, month)
    found = tuple(_write_pieces(folder, iter(rows)))
    new = ClosedMonth(folder, site, month, closed.isoformat(), found, masked)
    if (folder / NAME).exists():
        standing = read(folder)
        if standing.pieces != found:
            problem = tr("{month} of {site} is closed with other calls", month=month, site=site)
            raise DataError(problem, tr("late calls belong to the month that is open, as corrections"))
        return standing
    _write_down(new)
    return new


def folder_of(history: Path, site: str, month: str) -> Path:
    """Where a month of a site lies; UsageError for a name that cannot be a folder's."""
    if not _SITE.fullmatch(site) or site.startswith("."):
        raise UsageError(tr("the site {site!r} cannot name a folder", site=site), tr("take letters, digits, - and _"))
    if not _MONTH.fullmatch(month):
        raise UsageError(tr("{month!r} is not a month", month=month), tr("write YYYY-MM"))
    return history / f"site={site}" / f"month={month}"


def _write_pieces(folder: Path, rows: Iterator[Sequence[Any]]) -> Iterator[PastFile]:
    """The rows as files of at most `ROWS_IN_A_PIECE`; a month without calls has one empty file."""
    first = list(islice(rows, 1))
    while True:
        with new_piece(folder) as new:
            for chunk in new.file.write(islice(chain(first, rows), ROWS_IN_A_PIECE)):
                new.totals = new.totals.and_(PastTotals.of(chunk))
        yield new.placed
        if not (first := list(islice(rows, 1))):
            return


@dataclass(slots=True)
class NewPiece:
    """A piece on its way: what takes its rows, what they come to so far; `placed` once it is whole."""

    file: pieces.PieceWriter
    totals: PastTotals = PastTotals()
    placed: PastFile = PastFile("", "", PastTotals())


@contextmanager
def new_piece(folder: Path) -> Iterator[NewPiece]:
    """Write a piece out of sight; when the block ends well it lies in the folder, named by its content."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".piece-", dir=folder) as hidden:
        path = Path(hidden) / "calls.parquet"
        with pieces.writing(path) as file:
            new = NewPiece(file)
            yield new
        digest = digest_of(path)
        new.placed = PastFile(f"calls-{digest[:16]}.parquet", digest, new.totals)
        path.replace(folder / new.placed.name)


def digest_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def closed_months(history: Path, site: str | None = None, month: str | None = None) -> list[ClosedMonth]:
    """The closed months, by site and month; NotFoundError where none is meant."""
    found = [read(path.parent) for path in sorted(history.glob(f"site={site or '*'}/month={month or '*'}/{NAME}"))]
    if not found:
        raise NotFoundError(
            tr("no closed month in {folder}", folder=history), "ippbx-bill centre close --month YYYY-MM"
        )
    return found


def read(folder: Path) -> ClosedMonth:
    """The month that a folder holds; DataError where its description is damaged."""
    path = folder / NAME
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise DataError(
                tr("{path} is of format {number}, which this release does not know", path=path, number=told["format"]),
                tr("`pip install --upgrade ippbx-bill` brings a newer one"),
            )
        versions = [tuple(map(_piece, version)) for version in (told["pieces"], *told["earlier"])]
        return ClosedMonth(
            folder, told["site"], told["month"], told["closed"], versions[0], told["masked"], tuple(versions[1:])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = tr("{path} cannot be read: {error}", path=path, error=error)
        raise DataError(problem, tr("take it from a backup, or close the month again")) from error


def _piece(told: dict[str, Any]) -> PastFile:
    totals = PastTotals(told["calls"], money.parse(told["fee"]), told["unrated"])
    return PastFile(told["name"], told["sha256"], totals)


def _told(piece: PastFile) -> dict[str, Any]:
    told = asdict(piece.totals)
    fee = money.text(told.pop("fee_micro"), 6)
    return {"name": piece.name, "sha256": piece.sha256, **told, "fee": fee}


def _write_down(month: ClosedMonth) -> None:
    told = {
        "format": FORMAT,
        "site": month.site,
        "month": month.month,
        "closed": month.closed,
        "masked": month.masked,
        "pieces": list(map(_told, month.pieces)),
        "earlier": [list(map(_told, version)) for version in month.earlier],
    }
    files.write(month.folder / NAME, json.dumps(told, indent=1) + "\n")


def put_in_force(before: ClosedMonth, now: Sequence[PastFile]) -> ClosedMonth:
    """Other pieces of the same calls take the place of these, in one rename; the earlier ones are kept.

    DataError where the month is another one by now, or the calls are not the same number.
    """
    standing = read(before.folder)
    if standing.pieces != before.pieces:
        problem = tr("{month} of {site} was changed meanwhile", month=before.month, site=before.site)
        raise DataError(problem, tr("rate the month again"))
    if tuple(now) == before.pieces:
        return before
    if sum(one.totals.calls for one in now) != before.totals.calls:
        raise DataError(tr("the new files of {month} of {site} lack calls", month=before.month, site=before.site))
    after = replace(before, pieces=tuple(now), earlier=(before.pieces, *standing.earlier))
    _write_down(after)
    return after


def bring_in_force(standing: ClosedMonth, names: Sequence[str]) -> ClosedMonth:
    """Files that lie in the folder already take their place, as a database says that they have; DataError if gone."""
    found = tuple(_measured(standing.folder, name) for name in names)
    return put_in_force(standing, found)


def _measured(folder: Path, name: str) -> PastFile:
    """A file by what it holds."""
    totals = PastTotals()
    for batch in pieces.batches(folder / name):
        fees, status = batch.values("fee_micro"), batch.values("status")
        one = PastTotals(len(batch), sum(fee or 0 for fee in fees), sum(word == "unrated" for word in status))
        totals = totals.and_(one)
    return PastFile(name, digest_of(folder / name), totals)


def damaged(month: ClosedMonth) -> list[Path]:
    """The files in force that are gone or hold something else than what was written."""
    return [
        path
        for path, piece in zip(month.paths, month.pieces, strict=True)
        if not path.exists() or digest_of(path) != piece.sha256
    ]
