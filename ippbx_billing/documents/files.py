"""Files that appear whole or not at all: written beside their place, flushed to the disk, then renamed into it.

    with whole(Path("bill.pdf")) as stream:
        stream.write(b"...")

Whatever goes wrong meanwhile, the earlier file stays as it was and nothing half-written is left.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr


@contextmanager
def whole(output: Path) -> Iterator[IO[bytes]]:
    """A binary stream whose bytes become the file when the block ends well; BillingError if they cannot.

    A device or a pipe (`/dev/stdout`) is written to directly, since nothing can be renamed into its place.
    """
    try:
        if output.exists() and not output.is_file():
            with output.open("wb") as stream:
                yield stream
            return
        with _beside(output.resolve()) as stream:
            yield stream
    except OSError as error:
        raise _unwritten(output, error, tr("name another --output")) from error


@contextmanager
def _beside(target: Path) -> Iterator[IO[bytes]]:
    """A new file in the target's own folder, so that renaming it is one step of the file system."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    beside = Path(name)
    try:
        with open(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _give_mode(beside, target)
        beside.replace(target)
        _settle(target.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """A hidden folder within this one, which is made where it is not there; its files move into it when the block ends
    well, and none of them if it does not. BillingError if they cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=folder) as name:
            yield Path(name)
            for path in sorted(one for one in Path(name).rglob("*") if one.is_file()):
                target = folder / path.relative_to(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
            _settle(folder)
    except OSError as error:
        raise _unwritten(folder, error, tr("name another folder")) from error
    except BillingError as error:
        if isinstance(error.__cause__, OSError):  # nobody knows the name of the file beside
            raise _unwritten(folder, error.__cause__, tr("name another folder")) from error
        raise


def _unwritten(path: Path, error: OSError, otherwise: str) -> BillingError:
    reason = tr(error.strerror) if error.strerror else str(error)
    hint = tr("make room, or write elsewhere") if error.errno == errno.ENOSPC else otherwise
    return BillingError(tr("{path} cannot be written: {error}", path=path, error=reason), hint)


def _settle(folder: Path) -> None:
    """The new names survive a power cut, too; where folders cannot be flushed (Windows) the system sees to it."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _give_mode(beside: Path, target: Path) -> None:
    """The mode of the file that is replaced; for a new one what the umask leaves, as for any other file."""
    if target.exists():
        shutil.copymode(target, beside)
        return
    mask = os.umask(0o077)
    os.umask(mask)
    beside.chmod(0o666 & ~mask)
