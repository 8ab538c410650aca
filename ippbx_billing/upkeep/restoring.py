"""Puts a backup back: checked first, then in one go, with what was there kept aside.

    done = restore(Path("/srv/backup/ippbx-bill-20261123T021500Z"), data_dir, now)
    done.aside  ->  where the files lie that were there

Nothing is touched before the whole backup was read and found sound. The inbox is the first to go and the last to come:
should the power fail in between, `listen` finds no inbox and refuses to start, and the same command is given again.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from ippbx_billing.errors import BillingError, DataError, NotFoundError, UsageError
from ippbx_billing.files import flush, give_to_owner_of, whole, write
from ippbx_billing.inbox import Inbox, epochs, only_writer
from ippbx_billing.language import tr
from ippbx_billing.ledger import SCHEMA
from ippbx_billing.sqlite import copies
from ippbx_billing.sqlite.locks import maintenance
from ippbx_billing.upkeep.backups import DATABASES, FORMAT, MANIFEST, OPERATORS, OTHERS, Backup, digest

EXCHANGING = "restore-under-way"  # names the folder with what lies aside
COMPANIONS = ("-wal", "-shm")  # what SQLite keeps beside a database; it goes where the database goes
MOVED = ("inbox.db", "ledger.db", *OTHERS)  # the inbox first


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, where the earlier files are, and how many of their events are newer than the backup."""

    backup: Backup
    aside: Path | None
    newer_events: int


def restore(source: Path, data_dir: Path, now: datetime, wait_s: float = 0) -> Restored:
    """Put this backup in the place of what `data_dir` holds.

    Raises NotFoundError where there is no backup, DataError where it is damaged or of a newer version,
    CannotStartError while a listener uses the directory, and BusyError where other maintenance lasts longer than
    `wait_s`; then nothing has changed. A restore that was cut off is undone first, and then done from the beginning.
    """
    _must_be_a_backup(source)
    with _plainly(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            maintenance(data_dir, "restore", wait_s),
            only_writer(data_dir / "inbox.db"),
            _unpacked(source, data_dir) as part,
        ):
            manifest = _checked(part, source)
            _undo_what_was_cut_off(data_dir)
            newer = _newer_events(data_dir, part)
            epochs.renew(part / "inbox.db")  # the ids after the backup's last come again, for other events
            give_to_owner_of(data_dir, *part.rglob("*"))
            aside = _new_name(data_dir / f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
            _exchange(part, data_dir, aside)
    backup = Backup(source, datetime.fromisoformat(manifest["made_at"]), manifest["rows"])
    return Restored(backup, aside if aside.exists() else None, newer)


def _must_be_a_backup(source: Path) -> None:
    """Before anything is copied: whole disks can be named by a slip."""
    if not source.exists():
        raise NotFoundError(tr("there is no {path}", path=source), tr("name a backup's directory or .zip file"))
    if source.is_dir() and not (source / MANIFEST).is_file():
        backups = sorted(path.parent for path in source.glob(f"ippbx-bill-*/{MANIFEST}"))
        if backups:
            hint = tr("it holds some; the newest is {path}", path=backups[-1])
            raise UsageError(tr("{path} is not a backup", path=source), hint)
        raise _no_backup(source, tr("there is no {path}", path=MANIFEST))


def _new_name(path: Path) -> Path:
    """This name, or with a number behind it the first that nobody has: what lies aside is never overwritten."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(one for one in chain([path], numbered) if not one.exists())


@contextmanager
def _unpacked(source: Path, data_dir: Path) -> Iterator[Path]:
    """The backup's files beside the place where they are to be, for their owner only; what remains goes afterwards."""
    for leftover in data_dir.glob(".restore.*.part"):  # of one that was killed; we hold the lock
        shutil.rmtree(leftover)
    part = data_dir / f".restore.{os.getpid()}.part"
    part.mkdir(mode=0o700)
    try:
        if source.is_dir():
            for path in source.rglob("*"):
                if path.is_file():
                    with path.open("rb") as stream:
                        _write(part / path.relative_to(source), stream)
        else:
            _unpack(source, part)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unpack(source: Path, part: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                target = (part / entry.filename).resolve()
                if not entry.is_dir() and target.is_relative_to(part.resolve()):
                    with archive.open(entry) as stream:
                        _write(target, stream)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise _no_backup(source, str(error)) from error


def _write(target: Path, stream: Any) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with whole(target, private=True) as written:
        shutil.copyfileobj(stream, written, 1024 * 1024)


def _checked(part: Path, source: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole: every file as it was written, every row there, nothing too new."""
    try:
        manifest: dict[str, Any] = json.loads((part / MANIFEST).read_text(encoding="utf-8"))
        is_newer = manifest["format"] != FORMAT or _schema(part) > SCHEMA
        expected = {name: facts["sha256"] for name, facts in manifest["files"].items()}
        held = (*DATABASES, *(name for name in (OPERATORS,) if name in manifest["rows"]))
        rows = {name: dict(manifest["rows"][name]) for name in held}
        datetime.fromisoformat(manifest["made_at"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_backup(source, f"{MANIFEST}: {error}") from error
    if is_newer:
        problem = tr("{path} was made by a newer {program}", path=source, program=manifest.get("program"))
        raise DataError(problem, tr("update ippbx-bill on this machine"))
    found = {path.relative_to(part).as_posix(): digest(path) for path in part.rglob("*") if path.is_file()}
    del found[MANIFEST]
    for name in {*found, *expected}:
        if found.get(name) != expected.get(name):
            raise DataError(tr("{name} in this backup is not as it was written", name=name), tr("use another backup"))
    for name in held:
        copies.check(part / name, rows[name])
    return manifest


def _schema(part: Path) -> int:
    return copies.schema(part / "ledger.db") if (part / "ledger.db").is_file() else 0


def _no_backup(source: Path, why: str) -> DataError:
    return DataError(
        tr("{path} is not a backup ({why})", path=source, why=why),
        tr("name a directory or .zip file that `backup` made"),
    )


def _newer_events(data_dir: Path, part: Path) -> int:
    """How many events the present inbox took after the backup; 0 where there is none, or where it cannot be read."""
    try:
        with Inbox(data_dir / "inbox.db") as present, Inbox(part / "inbox.db") as earlier:
            return max(0, present.last_id() - earlier.last_id())
    except BillingError:
        return 0


def _undo_what_was_cut_off(data_dir: Path) -> None:
    """What a restore that was killed had moved aside goes back, in the place of what it had put there."""
    mark = data_dir / EXCHANGING
    if not mark.exists():
        return
    aside = data_dir / mark.read_text(encoding="utf-8").strip()
    for path in sorted(aside.iterdir()) if aside.is_dir() else []:
        target = data_dir / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    if aside.is_dir():
        aside.rmdir()
    flush(data_dir)
    mark.unlink()


def _exchange(part: Path, data_dir: Path, aside: Path) -> None:
    """Move what is there aside and the backup's files in; should one step fail, all steps before it are undone.

    A mark tells of it for as long as it lasts, so that a repeat knows what lies aside.
    """
    done: list[tuple[Path, Path]] = []
    mark = data_dir / EXCHANGING
    write(mark, aside.name)
    try:
        # A backup from before there were operators leaves those of today in their place.
        moved = (*MOVED, *(name for name in (OPERATORS,) if (part / name).exists()))
        for name in (name + more for name in moved for more in ("", *COMPANIONS)):
            if (data_dir / name).exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                _move(data_dir / name, aside / name, done)
        names = {path.name for path in part.iterdir()} - {MANIFEST, "inbox.db"}
        for name in (*sorted(names), "inbox.db"):
            _flush_all(part / name)
            _move(part / name, data_dir / name, done)
    except BaseException:  # also Ctrl-C
        for before, after in reversed(done):
            after.replace(before)
        mark.unlink()
        raise
    flush(data_dir)
    mark.unlink()


def _move(before: Path, after: Path, done: list[tuple[Path, Path]]) -> None:
    before.rename(after)
    done.append((before, after))


def _flush_all(path: Path) -> None:
    for one in (*path.rglob("*"), path):
        flush(one)


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BillingError(
            tr("{path} cannot be written: {error}", path=path, error=error.strerror or error),
            tr("check its owner and the free space"),
        ) from error
