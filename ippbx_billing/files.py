"""The one way to write a file: it appears whole or not at all, written beside its place, flushed to the disk, renamed.

    with whole(Path("bill.pdf")) as stream:
        stream.write(b"...")
    write(Path("settings.toml"), "country = 'CN'\\n", private=True)

Whatever goes wrong meanwhile, the earlier file stays as it was. A link leads to the file that is written; a file that
is there keeps its mode and, where we may, its owner. What a killed run leaves lies beside as `.NAME.….ippbx-bill.part`;
its writer held a lock on it, which ends with the process, and the next who writes into that folder removes it.
"""

import errno
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.language import tr

ENDING = ".ippbx-bill.part"
_OPEN_FILE = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


@contextmanager
def whole(output: Path, *, private: bool = False, hint: str = "") -> Iterator[IO[bytes]]:
    """A binary stream whose bytes become the file when the block ends well; BillingError if they cannot.

    A device, a pipe or an open file (`/dev/stdout`) is written to directly, since nothing can be renamed into its
    place. `private` is for what may hold secrets: a new file is its owner's only. `hint` is what to do otherwise.
    """
    try:
        with _stream(output) if is_stream(output) else _beside(output.resolve(), private) as stream:
            yield stream
    except OSError as error:
        raise _unwritten(output, error, hint or tr("name another --output")) from error


def write(output: Path, content: str | bytes, *, private: bool = False, hint: str = "") -> None:
    """Write all of a file at once, text as UTF-8; as `whole` does."""
    with whole(output, private=private, hint=hint) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def read(path: Path) -> bytes:
    """All of a file; DataError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            tr("{path} cannot be read: {error}", path=path, error=error), tr("check the file's owner and mode")
        ) from error


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """A hidden folder within this one, which is made where it is not there; its files move into it when the block ends
    well, and none of them if it does not. BillingError if they cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clear(folder)
        with _hidden(folder) as hidden:
            yield hidden
            for path in sorted(one for one in hidden.rglob("*") if one.is_file()):
                target = folder / path.relative_to(hidden)
                target.parent.mkdir(parents=True, exist_ok=True)
                _move(path, target)
            flush(folder)
    except OSError as error:
        raise _unwritten(folder, error, tr("name another folder")) from error
    except BillingError as error:
        if isinstance(error.__cause__, OSError):  # nobody knows the name of the file beside
            raise _unwritten(folder, error.__cause__, tr("name another folder")) from error
        raise


def clear(folder: Path) -> None:
    """Remove from a folder what writers left there that are gone."""
    for path in folder.glob(f".*{ENDING}"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _lock(handle):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


def is_stream(output: Path) -> bool:
    """Whether the name stands for a pipe, a device or a file that is open already."""
    return _descriptor(output) is not None or (output.exists() and not output.is_file())


def _descriptor(output: Path) -> int | None:
    """The number of the open file that a name such as `/dev/stdout`, or a link to it, stands for."""
    path = Path(os.path.abspath(output))
    for _ in range(8):
        if (found := _OPEN_FILE.fullmatch(str(path))) or str(path) in _STANDARD:
            return int(found[1]) if found else _STANDARD[str(path)]
        if not path.is_symlink():
            return None
        path = Path(os.path.abspath(path.parent / path.readlink()))
    return None


@contextmanager
def _stream(output: Path) -> Iterator[IO[bytes]]:
    """Where the open file stands, not at its beginning: `>> FILE` keeps what FILE held."""
    number = _descriptor(output)
    if number is None:
        with output.open("wb") as stream:
            yield stream
        return
    sys.stdout.flush()
    with open(os.dup(number), "wb") as stream:
        yield stream


@contextmanager
def _beside(target: Path, private: bool) -> Iterator[IO[bytes]]:
    """A new file in the target's own folder, so that renaming it is one step of the file system."""
    clear(target.parent)
    handle, beside = _made(target)
    try:
        with open(handle, "wb") as stream:
            yield stream
            stream.flush()
            _give_mode(beside, target, private)
            os.fsync(stream.fileno())
            if os.name == "nt":  # an open file cannot be renamed there; elsewhere its lock protects it until then
                stream.close()
            beside.replace(target)
        flush(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def _made(target: Path) -> tuple[int, Path]:
    """A file that is ours: one that was cleared away before we had locked it is made again."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:60]}.", suffix=ENDING, dir=target.parent)
        if _is_ours(handle):
            return handle, Path(name)
        os.close(handle)
        Path(name).unlink(missing_ok=True)


def _is_ours(handle: int) -> bool:
    try:
        return os.name == "nt" or (_lock(handle) and os.fstat(handle).st_nlink > 0)
    except OSError:  # a file system without locks: then nobody can clear it away either
        return True


@contextmanager
def _hidden(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".", suffix=ENDING, dir=folder) as name:
        if os.name == "nt":
            yield Path(name)
            return
        handle = os.open(name, os.O_RDONLY)
        try:
            with suppress(OSError):
                _lock(handle)
            yield Path(name)
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    """Whether this open file is ours alone now; the lock ends with the process, however that ends."""
    if sys.platform == "win32":  # there nobody can remove what another has open
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _move(path: Path, target: Path) -> None:
    """A finished file to its place; through a link, or into a pipe, by copying where it cannot be renamed."""
    if is_stream(target) or target.is_symlink():
        with path.open("rb") as source, whole(target) as stream:
            shutil.copyfileobj(source, stream)
        return
    if target.exists():
        _give_mode(path, target, private=False)
    path.replace(target)


def _unwritten(path: Path, error: OSError, otherwise: str) -> BillingError:
    reason = tr(error.strerror) if error.strerror else str(error)
    hint = tr("make room, or write elsewhere") if error.errno == errno.ENOSPC else otherwise
    return BillingError(tr("{path} cannot be written: {error}", path=path, error=reason), hint)


def flush(path: Path) -> None:
    """Wait until a file or a folder is on the disk; Windows does so for folders by itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _give_mode(beside: Path, target: Path, private: bool) -> None:
    """Mode and owner of the file that is replaced; for a new one what the umask leaves, as for any other file."""
    if target.exists():
        present = target.stat()
        if hasattr(os, "chown"):
            with suppress(OSError):  # only root may give a file away
                os.chown(beside, present.st_uid, present.st_gid)
        beside.chmod(stat.S_IMODE(present.st_mode) & (0o770 if private else 0o777))
        return
    mask = os.umask(0o077)
    os.umask(mask)
    beside.chmod((0o600 if private else 0o666) & ~mask)


def give_to_owner_of(folder: Path, *paths: Path) -> None:
    """What root made belongs to the user whose folder it is in; otherwise that user's listener could not open it."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = folder.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)
