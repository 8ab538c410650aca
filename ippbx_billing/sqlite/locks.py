"""Locks on files, which the system frees when their process ends, however it ends; and the one for maintenance.

    with maintenance(data_dir, "events rebuild", wait_s=60):
        ...

The one idea: what rewrites many events or calls, or counts from a cursor, does so alone. The listener and its worker,
reports and edits go on meanwhile. Whoever has to wait is told for whom, and since when.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from ippbx_billing.errors import BusyError, DataError
from ippbx_billing.language import tr

MAINTENANCE = "maintenance.lock"
ASKED_AGAIN_S = 0.2
BEYOND_THE_TEXT = 1 << 30  # Windows locks bytes, and others shall read who holds the lock


def lock(file: IO[str]) -> None:
    """Take the file's lock until the process ends or closes it; BlockingIOError when somebody else has it."""
    if os.name == "nt":
        import msvcrt

        file.seek(BEYOND_THE_TEXT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except PermissionError as error:
            raise BlockingIOError from error
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def maintenance(data_dir: Path, work: str, wait_s: float = 0) -> Iterator[None]:
    """Nobody else does maintenance on this data directory meanwhile; `work` is the command as its operator knows it.

    Raises BusyError where somebody else is at it for longer than `wait_s`, and names the work, its process and since
    when.
    """
    path = data_dir / MAINTENANCE
    with _opened(path) as file:
        _wait(file, path, time.monotonic() + wait_s)
        file.truncate(0)
        file.write(
            json.dumps(
                {
                    "work": work,
                    "pid": os.getpid(),
                    "id": os.urandom(8).hex(),
                    "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                }
            )
        )
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def is_under_maintenance(data_dir: Path) -> bool:
    """Whether somebody holds the lock at this moment."""
    with suppress(FileNotFoundError), open(data_dir / MAINTENANCE, "r+", encoding="utf-8") as file:
        try:
            lock(file)
        except BlockingIOError:
            return True
    return False


def holder(data_dir: Path) -> str:
    """What the present holder of the lock says of itself, or the last one where nobody holds it."""
    with suppress(FileNotFoundError):
        return (data_dir / MAINTENANCE).read_text(encoding="utf-8")
    return ""


def _wait(file: IO[str], path: Path, until: float) -> None:
    while True:
        try:
            return lock(file)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise _busy(path) from None
            time.sleep(ASKED_AGAIN_S)


def _busy(path: Path) -> BusyError:
    hint = tr("wait for its end, or let this one wait: --wait SECONDS")
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        since = datetime.fromisoformat(holder["since"]).astimezone()
        told = {"work": holder["work"], "pid": holder["pid"], "since": f"{since:%Y-%m-%d %H:%M:%S}"}
    except (OSError, ValueError, KeyError, TypeError):
        return BusyError(tr("other maintenance is under way"), hint)
    return BusyError(tr("`{work}` is under way (process {pid}, since {since})", **told), hint)


def _opened(path: Path) -> IO[str]:
    try:
        return open(path, "a+", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600))
    except OSError as error:
        problem = tr("{path} cannot be opened: {error}", path=path, error=error.strerror)
        raise DataError(problem, tr("`ippbx-bill init` creates the data directory; check its owner")) from error
