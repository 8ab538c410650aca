"""A backup: both databases, the settings and the secrets, made while the listener runs, checked before it counts.

    made = make(settings, Path("/srv/backup"), now, keep=14)   # a directory: a new one in it, named by the time
    made = make(settings, Path("office.zip"), now)             # a file: one archive

The ledger is copied first, the inbox after it. The ledger knows how far the inbox was read; copied in this order, the
inbox holds at least that far, and what came in between is simply read again after a restore. The other way round the
ledger would claim to have read events that the inbox does not hold, and would skip those that get their ids next.

A backup appears under its name when all of it is written, read again and on the disk; before that it is `….part`.
"""

import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ippbx_billing import __version__
from ippbx_billing.errors import BillingError, BusyError, DataError, UsageError
from ippbx_billing.files import flush, whole, write
from ippbx_billing.language import tr
from ippbx_billing.ledger import Ledger, gauges
from ippbx_billing.settings import FILE_NAME, Settings
from ippbx_billing.sqlite import copies
from ippbx_billing.upkeep.pruning import STATE as PRUNED

MANIFEST = "backup.json"
FORMAT = 1
DATABASES = ("ledger.db", "inbox.db")  # in the order in which they are copied
OPERATORS = "operators.db"  # only where there is one
OTHERS = (FILE_NAME, "tokens", "allowed", "pbx.toml", "dialects", "numbers")
TRIES = 3
LEFTOVER_S = 86_400  # what is unfinished for so long is not being written any more
STATE = "last_backup_at"  # in the ledger, for the doctor

_NAMED = re.compile(r"ippbx-bill-\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: where it is, when it was made, and what it holds."""

    path: Path
    made_at: datetime
    rows: dict[str, dict[str, int]]
    removed: tuple[Path, ...] = ()

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.rows["inbox.db"].get("events", 0)

    @property
    def calls(self) -> int:
        """How many calls it holds."""
        return self.rows["ledger.db"].get("calls", 0)


def make(using: Settings, to: Path, now: datetime, keep: int | None = None) -> Backup:
    """Make a backup; with `keep`, only that many of the directory's backups stay, the newest.

    Raises UsageError for a target that cannot be meant, BillingError where anything is not as it should be; then
    nothing is left of it, and the earlier ones stay.
    """
    is_file = _is_file(to)
    if keep is not None and is_file:
        raise UsageError(tr("--keep needs a directory, but {path} is one file", path=to), tr("name a directory"))
    folder = to.absolute().parent if is_file else to.absolute()
    target = to.absolute() if is_file else folder / f"ippbx-bill-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    with _plainly(to), _under_construction(folder, target.name) as part:
        rows = _fill(using, part)
        _describe(part, now, rows)
        _seal(_packed(part) if is_file else part, target)
    _remember(using, now)
    return Backup(target, now, rows, _rotate(folder, keep))


def _is_file(to: Path) -> bool:
    if to.is_dir() or not to.suffix:
        return False
    if to.suffix.lower() != ".zip":
        raise UsageError(
            tr("{path} is neither a directory nor a .zip file", path=to), tr("name one of them, e.g. office.zip")
        )
    return True


@contextmanager
def _under_construction(folder: Path, name: str) -> Iterator[Path]:
    """A directory beside the target that only its owner can look into; gone afterwards, however it ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _clear_leftovers(folder)
    part = folder / f".{name}.{os.getpid()}.part"
    part.mkdir(mode=0o700)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        _packed_name(part).unlink(missing_ok=True)


def _fill(using: Settings, part: Path) -> dict[str, dict[str, int]]:
    """Everything into `part`, the databases checked; gives the rows of their tables."""
    _must_fit(using, part)
    rows = _copied(using, part)
    for name in (*OTHERS, *_tls_files(using)):
        _copy_private(using.data_dir / name, part / name)
    return rows


def _copied(using: Settings, part: Path) -> dict[str, dict[str, int]]:
    """Both databases, checked. They are copied anew where events that the ledger's copy has not read were pruned
    before the inbox was copied: then neither would hold their calls."""
    for _ in range(TRIES):
        rows = {}
        for name in databases(using):
            (part / name).unlink(missing_ok=True)
            rows[name] = copies.copy(using.data_dir / name, part / name)
            copies.check(part / name, rows[name])
        with Ledger(using.ledger_path) as ledger:
            pruned = int(ledger.journey.state(PRUNED) or 0)
        if pruned <= gauges.position_of_copy(part / "ledger.db"):
            return rows
    raise BusyError(tr("events are pruned quicker than they are copied"), tr("make the backup when `prune` is done"))


def databases(using: Settings) -> tuple[str, ...]:
    """The databases of this site, in the order in which they are copied."""
    return (*DATABASES, OPERATORS) if using.operators_path.exists() else DATABASES


def _must_fit(using: Settings, part: Path) -> None:
    needed = sum((using.data_dir / name).stat().st_size for name in databases(using))
    free = shutil.disk_usage(part).free
    if free < needed:
        problem = tr(
            "a backup needs {needed} MB, but {free} MB are free", needed=needed // 1024**2 + 1, free=free // 1024**2
        )
        raise BillingError(problem, tr("make room, or name another --to"))


def _tls_files(using: Settings) -> Iterator[str]:
    """Certificate and key, where they lie in the data directory."""
    for name in (using.tls_certificate, using.tls_key):
        if name and not Path(name).is_absolute() and ".." not in Path(name).parts:
            yield name


def _copy_private(source: Path, target: Path) -> None:
    """A file or folder, for its owner only; what is not there is not copied."""
    if source.is_dir():
        target.mkdir(mode=0o700)
        for path in sorted(source.iterdir()):
            _copy_private(path, target / path.name)
    elif source.is_file():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb") as read, whole(target, private=True) as written:
            shutil.copyfileobj(read, written)


def _describe(part: Path, now: datetime, rows: dict[str, Any]) -> None:
    files = {
        path.relative_to(part).as_posix(): {"bytes": path.stat().st_size, "sha256": digest(path)}
        for path in sorted(part.rglob("*"))
        if path.is_file()
    }
    manifest = {
        "format": FORMAT,
        "program": f"ippbx-bill {__version__}",
        "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "rows": rows,
        "files": files,
    }
    write(part / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2), private=True)


def _packed_name(part: Path) -> Path:
    return part.with_name(part.name + ".zip")


def _packed(part: Path) -> Path:
    """The directory as one archive beside it, its checksums read again."""
    packed = _packed_name(part)
    with open(os.open(packed, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(part.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(part).as_posix())
        with zipfile.ZipFile(stream) as archive:
            if bad := archive.testzip():
                raise DataError(tr("{path} is damaged: {faults}", path=packed, faults=bad), tr("check the disk"))
    return packed


def _seal(made: Path, target: Path) -> None:
    """On the disk, then under its name."""
    for path in (*made.rglob("*"), made) if made.is_dir() else (made,):
        flush(path)
    made.replace(target)
    flush(target.parent)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _remember(using: Settings, now: datetime) -> None:
    with Ledger(using.ledger_path) as ledger, ledger.transaction():
        ledger.journey.set_state(STATE, now.astimezone(UTC).isoformat(timespec="seconds"))


def _rotate(folder: Path, keep: int | None) -> tuple[Path, ...]:
    """Remove the oldest backups beyond `keep`; whatever else lies in the directory is not ours."""
    if keep is None:
        return ()
    ours = sorted(path for path in folder.iterdir() if _NAMED.fullmatch(path.name) and (path / MANIFEST).exists())
    old = tuple(ours[: max(0, len(ours) - keep)])
    for path in old:  # under another name first, so that no half of it is ever taken for a backup
        shutil.rmtree(path.replace(folder / f".{path.name}.{os.getpid()}.part"))
    return old


def _clear_leftovers(folder: Path) -> None:
    """What a backup left behind that was killed or lost its power."""
    for path in folder.glob(".ippbx-bill-*.part"):
        if time.time() - path.stat().st_mtime > LEFTOVER_S:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BillingError(
            tr("{path} cannot be written: {error}", path=path, error=error.strerror or error),
            tr("name another --to"),
        ) from error
