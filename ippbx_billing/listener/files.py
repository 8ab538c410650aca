"""Takes files, and files that grow, into the inbox; what was taken once is known again under any name.

    files = Files(data_dir, keep)
    files.take(Path("Master.csv"))          # all of it that is new
    Follower(files, [Path("/var/log/cdr")]).look()   # once a second: new files, new lines, rotated files

The one idea: of each file is remembered how far it was taken and the digest of all before. A file that begins with the
same bytes goes on there, whether it grew, was renamed by a rotation, or was copied back from an archive.
"""

import gzip
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from ippbx_billing.calls import FROM_FILE, EventKind
from ippbx_billing.errors import DataError
from ippbx_billing.files import whole
from ippbx_billing.inbox import Delivery
from ippbx_billing.language import tr
from ippbx_billing.listener.lines import Lines

STATE = "imports.json"
CHUNK_BYTES = 1024 * 1024
MOST_KEPT_AT_ONCE = 200
MOST_REMEMBERED = 10_000  # files
MOST_OPEN = 100
LAST_BYTES = 256
QUIET_S = 5.0  # a document that does not go on for so long is taken as it is
UNFINISHED = (".tmp", ".part", ".swp", "~", ".filepart", ".crdownload")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Keep = Callable[[Sequence[Delivery]], object]


@dataclass(slots=True)
class Taken:
    """How far a file was taken: the bytes, their digest, the lines that name its columns."""

    name: str
    device: int = 0
    inode: int = 0
    offset: int = 0
    sha256: str = ""
    heading: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Took:
    """What one look at a file brought: events, their bytes, and how many bytes had been taken before."""

    events: int = 0
    bytes: int = 0
    known_bytes: int = 0


class Files:
    """The files of one data directory; `keep` puts deliveries on the disk and raises DataError if it cannot."""

    def __init__(
        self, data_dir: Path, keep: Keep, *, pbx: str = "", kind: EventKind = EventKind.CDR, dry_run: bool = False
    ) -> None:
        self._dry_run = dry_run  # how far files were taken is not noted
        self._state = data_dir / STATE
        self._keep, self._pbx, self._kind = keep, pbx, kind
        self._taken = _remembered(self._state)
        self._hot: dict[tuple[int, int], tuple[Taken, Any, bytes]] = {}  # by device and inode, with what stands last

    def take(self, path: Path) -> Took:
        """All that is new in a file, its last line too. Raises DataError."""
        try:
            with path.open("rb") as file:
                return self.take_from(file, path.name, to_the_end=True)
        except OSError as error:
            raise DataError(
                tr("{path} cannot be read: {error}", path=path, error=error.strerror or error),
                tr("check path and owner"),
            ) from error

    def take_from(self, file: IO[bytes], name: str, *, to_the_end: bool) -> Took:
        """What is new in an open file; a line or document that is not complete waits unless this is its end."""
        known = self.known(file, name)
        took = Took(known_bytes=known.offset)
        plain, packed = _plain(file, known.offset)
        lines = Lines(line.encode("utf-8", "surrogateescape") for line in known.heading)
        waiting: list[Delivery] = []
        while chunk := plain.read(CHUNK_BYTES):
            lines.feed(chunk)
            waiting += self._deliveries(lines.complete(), name)
            if len(waiting) >= MOST_KEPT_AT_ONCE:
                self._put(waiting, took)
        at = os.fstat(file.fileno()).st_size if packed else file.tell() - lines.unread
        if to_the_end or packed:
            waiting += self._deliveries(lines.rest(), name)
        self._put(waiting, took)
        if at != known.offset and not self._dry_run:
            self._remember(file, known, at, lines.heading)
        return took

    def known(self, file: IO[bytes], name: str) -> Taken:
        """How far this file was taken, by its bytes; a fresh one from its beginning."""
        found = os.fstat(file.fileno())
        hot = self._hot.get(_identity(found))
        if hot is not None and found.st_size >= hot[0].offset and _last(file, hot[0].offset) == hot[2]:
            return hot[0]
        best, digest = self._known_by_digest(file, found.st_size)
        fresh = Taken(name, found.st_dev, found.st_ino)
        taken = fresh if best is None else replace(fresh, offset=best.offset, sha256=best.sha256, heading=best.heading)
        self._hot[_identity(found)] = taken, digest, _last(file, taken.offset)
        return taken

    def _known_by_digest(self, file: IO[bytes], size: int) -> tuple[Taken | None, Any]:
        """What was taken of any file that began with the same bytes, as far as possible; and the digest so far."""
        offsets = sorted({one.offset for one in self._taken.values() if 0 < one.offset <= size})
        best: tuple[Taken | None, Any] = None, hashlib.sha256()
        digest, at = hashlib.sha256(), 0
        file.seek(0)
        for offset in offsets:
            _digest(file, digest, offset - at)
            at = offset
            found = self._taken.get((offset, digest.hexdigest()))
            best = (found, digest.copy()) if found else best
        return best

    def _remember(self, file: IO[bytes], known: Taken, at: int, heading: Iterable[bytes]) -> None:
        digest = self._hot[known.device, known.inode][1]
        file.seek(known.offset)
        _digest(file, digest, at - known.offset)
        self._taken.pop((known.offset, known.sha256), None)
        names = [line.decode("utf-8", "surrogateescape") for line in heading]
        entry = replace(known, offset=at, sha256=digest.hexdigest(), heading=names)
        self._taken[entry.offset, entry.sha256] = entry
        self._hot[known.device, known.inode] = entry, digest, _last(file, at)
        kept = list(self._taken.values())[-MOST_REMEMBERED:]
        with whole(self._state) as stream:
            stream.write(json.dumps([asdict(one) for one in kept], ensure_ascii=True, indent=0).encode())

    def _deliveries(self, bodies: Iterable[bytes], name: str) -> list[Delivery]:
        now = time.time_ns() // 1_000
        remote = self._pbx or f"file:{name}"
        header = f"file: {name}".encode("utf-8", "surrogateescape").replace(b"\n", b" ")
        return [Delivery(now, self._kind.value, remote, FROM_FILE, "/", "", header, body) for body in bodies]

    def _put(self, waiting: list[Delivery], took: Took) -> None:
        if waiting:
            self._keep(waiting)
            took.events += len(waiting)
            took.bytes += sum(len(one.body) for one in waiting)
            waiting.clear()


def _remembered(path: Path) -> dict[tuple[int, str], Taken]:
    try:
        entries = [Taken(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as error:
        hint = tr("remove it: files are then taken from their beginning, and their records known as duplicates")
        raise DataError(tr("{path} cannot be used: {error}", path=path, error=error), hint) from error
    return {(one.offset, one.sha256): one for one in entries}


def _last(file: IO[bytes], offset: int) -> bytes:
    """What stands before this place: a file that was emptied and written anew shows other bytes there."""
    file.seek(max(0, offset - LAST_BYTES))
    return file.read(min(offset, LAST_BYTES))


def _digest(file: IO[bytes], digest: Any, count: int) -> None:
    while count > 0 and (chunk := file.read(min(count, CHUNK_BYTES))):
        digest.update(chunk)
        count -= len(chunk)


def _plain(file: IO[bytes], offset: int) -> tuple[IO[bytes], bool]:
    """The text of a file from there on; one that is packed, or in UTF-16, can only be taken as a whole."""
    import io

    file.seek(0)
    head = file.read(2)
    if head == b"\x1f\x8b" and offset == 0:
        file.seek(0)
        with gzip.open(file) as unpacked:
            return io.BytesIO(unpacked.read()), True
    if head in UTF_16 and offset == 0:
        file.seek(0)
        return io.BytesIO(file.read().decode("utf-16", "replace").encode()), True
    file.seek(offset)
    return file, False


class Follower:
    """Files that grow and folders that fill, as `tail -F` follows them; `look` is called again and again."""

    def __init__(self, files: Files, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._paths, self._clock = files, paths, clock
        self._open: dict[Path, IO[bytes]] = {}
        self._seen: dict[tuple[int, int], tuple[int, float, bool]] = {}  # by device and inode: size, when, at its end

    def look(self) -> Took:
        """Everything that is new since the last look."""
        took = Took()
        for path in self._present():
            with suppress(FileNotFoundError):
                for one in self._of(path):
                    took.events += one.events
                    took.bytes += one.bytes
        return took

    def close(self) -> None:
        """Let go of the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()

    def _present(self) -> list[Path]:
        found: list[Path] = []
        for path in self._paths:
            found += wanted(path) if path.is_dir() else [path]
        return found

    def _of(self, path: Path) -> Iterator[Took]:
        """The file under a name; one that was moved away is first taken to its end."""
        status = path.stat()
        file = self._open.get(path)
        if file is not None and _identity(os.fstat(file.fileno())) != _identity(status):
            yield self._files.take_from(file, path.name, to_the_end=True)
            self._open.pop(path).close()
            file = None
        if file is None:
            if self._seen.get(_identity(status), (-1, 0.0, False))[0] == status.st_size and path not in self._paths:
                return
            file = self._open[path] = path.open("rb")
            self._let_go_of_the_oldest()
        yield from self._news(file, path, status)

    def _news(self, file: IO[bytes], path: Path, status: os.stat_result) -> Iterator[Took]:
        """What was written since the last look; what is not complete, once nothing more came for a while."""
        key, now = _identity(status), self._clock()
        size, since, ended = self._seen.get(key, (-1, now, False))
        if size != status.st_size:
            self._seen[key] = status.st_size, now, False
            yield self._files.take_from(file, path.name, to_the_end=False)
        elif not ended and now - since >= QUIET_S:
            self._seen[key] = size, since, True
            yield self._files.take_from(file, path.name, to_the_end=True)

    def _let_go_of_the_oldest(self) -> None:
        while len(self._open) > MOST_OPEN:
            path = next(iter(self._open))
            self._open.pop(path).close()


def wanted(folder: Path) -> list[Path]:
    """The files of a folder that are complete or grow, the oldest first."""
    return sorted(filter(_is_wanted, folder.iterdir()), key=_age)


def _is_wanted(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and not path.name.endswith(UNFINISHED)


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
