"""A site's book at the centre: settings, prices, people and dialects by which its calls are rated, as one file.

    book = packed(Path("/srv/centre/books/hq"))     # a data directory, kept with the usual commands
    with unfolded(book.content) as shelf: shelf.rules, shelf.department("8001", "2026-12-01")

The book is named by its digest, and each charge tells by which it was made.
"""

import hashlib
import io
import tempfile
import zipfile
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from ippbx_billing.errors import NotFoundError
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.books import copied
from ippbx_billing.pipeline import Rules
from ippbx_billing.settings import FILE_NAME, load

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the time of every file in the archive, so that equal books are equal bytes


@dataclass(frozen=True, slots=True)
class Book:
    """The archive with its digest, and what the centre asks of it most."""

    hash: str
    content: bytes
    zone: str
    currency: str


def packed(data_dir: Path) -> Book:
    """The book that a data directory holds; raises NotFoundError where there is no ledger, DataError."""
    settings = load(data_dir, environment={})
    if not settings.ledger_path.exists():
        raise NotFoundError(
            tr("there is no ledger in {path}", path=data_dir), tr("`ippbx-bill init` creates it; or name a backup")
        )
    files = {FILE_NAME: (data_dir / FILE_NAME).read_bytes() if (data_dir / FILE_NAME).exists() else b""}
    for folder in (settings.dialects_dir, settings.numbers_dir):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                files[path.relative_to(data_dir).as_posix()] = path.read_bytes()
    files["ledger.db"], rows = copied(settings.ledger_path)
    told = {**files, "ledger.db": rows.encode("utf-8", "surrogatepass")}  # the file itself holds when it was made
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + told[name] for name in sorted(told))).hexdigest()
    return Book(digest, _archive(files), settings.timezone, settings.currency)


def _archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), files[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


class Shelf:
    """An unfolded book: the rules that it makes, and who has which extension."""

    def __init__(self, content: bytes) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ippbx-bill-book-")
        data_dir = Path(self._folder.name)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(data_dir)
        settings = load(data_dir, environment={})
        with Ledger(settings.ledger_path) as ledger:
            self.rules = Rules.of(ledger, settings)
            names = ledger.directory.paths()
            self._spans: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
            for row in ledger.connection.execute(
                "SELECT extension, first_day, end_day, department_id FROM holders ORDER BY extension, first_day"
            ):
                department = names.get(row["department_id"]) or ""
                self._spans[row["extension"]].append((row["first_day"], row["end_day"], department))

    def close(self) -> None:
        """Its files go."""
        self._folder.cleanup()

    def department(self, extension: str | None, day: str) -> str:
        """The path of the department that the extension belongs to on a day; "" where it belongs to none."""
        spans = self._spans.get(extension or "")
        if not spans:
            return ""
        place = bisect_right(spans, (day, "9999-99-99", "")) - 1
        return spans[place][2] if place >= 0 and day < spans[place][1] else ""
