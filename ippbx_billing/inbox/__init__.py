"""Keeps what the PBX said: every delivery byte for byte in `inbox.db`, and nothing else.

The file only ever grows and has one writer, so neither a long report nor a re-rating in `ledger.db` makes
the PBX wait. The writer commits in groups: a lone event is committed at once, and a flood shares its syncs.

    with InboxWriter(path, wake) as writer:
        await writer.keep(Delivery(...))  # returns when the bytes are safe on the disk

    for event in Inbox(path).after(position, limit=1000):
        ...
"""

import os
import sqlite3
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, chain
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

from ippbx_billing.calls import EventKind, RawEvent
from ippbx_billing.errors import CannotStartError, DataError, NotFoundError
from ippbx_billing.inbox import salvage
from ippbx_billing.language import tr
from ippbx_billing.sqlite import damage
from ippbx_billing.sqlite.locks import lock
from ippbx_billing.sqlite.opening import connect

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Handle

MAX_GROUP_EVENTS = 500  # 8 values each stay far below SQLite's 32,766 parameters a statement
GATHER_S = 0.005  # how long a group waits for its others; each commit costs two threads their sleep and a sync
AT_ONCE_S = 0.05  # a lone event is committed in the event loop where the last commit took no longer
MAX_READ_BYTES = 64 * 1024 * 1024  # bodies that `after` holds in memory at once

WRITER_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864",  # bytes; the log shrinks again after a long reading
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {one.value: one for one in EventKind}  # what the call of the class finds, in a fifth of its time
_COLUMNS = "received_at, kind, remote, method, path, query, headers, body"


class Delivery(NamedTuple):
    """One request as it stands in the table; `received_at` in microseconds of UTC, `path` and `query` in Latin-1."""

    received_at: int
    kind: str
    remote: str
    method: str
    path: str
    query: str
    headers: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class EventSummary:
    """What a list of events shows: everything but the content."""

    id: int
    received_at: datetime
    kind: EventKind
    remote: str
    body_bytes: int


Done = Callable[[str], None]  # told in the event loop why the bytes are not on the disk, or nothing when they are
_Item = tuple[Delivery | None, Done]  # what waits to be committed, and who waits for it


class Inbox:
    """Reads the inbox, also while the listener writes it; it can change nothing.

    Raises NotFoundError where there is no inbox and DataError where it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise NotFoundError(tr("there is no inbox at {path}", path=path), tr("`ippbx-bill init` creates it"))
        self.path = path
        self._open()

    def _open(self) -> None:
        with _plainly(self.path):
            self._file = _identity(self.path)
            self._connection = _connect(self.path)
            self._connection.execute("PRAGMA query_only = 1")

    def _follow_file(self) -> None:
        """Go on with the fresh file where a damaged one was moved aside; the old one would never tell of new events."""
        if _identity(self.path) not in (self._file, None):
            self._connection.close()
            self._open()

    def get(self, event_id: int) -> RawEvent | None:
        """The event with this id, or None."""
        with _plainly(self.path):
            row = self._connection.execute(f"SELECT id, {_COLUMNS} FROM events WHERE id = ?", (event_id,)).fetchone()
        return _event(row) if row else None

    def after(self, position: int, limit: int) -> list[RawEvent]:
        """The events that follow the id `position`, oldest first.

        At most `limit`, and fewer where their bodies would fill the memory; empty only when none follows.
        """
        sql = f"SELECT id, {_COLUMNS} FROM events WHERE id > ? ORDER BY id LIMIT ?"
        events: list[RawEvent] = []
        held_bytes = 0
        self._follow_file()
        with _plainly(self.path):
            for row in self._connection.execute(sql, (position, limit)):
                events.append(_event(row))
                held_bytes += len(row[-1])
                if held_bytes >= MAX_READ_BYTES:
                    break
        return events

    def last_id(self) -> int:
        """The id of the newest event ever kept, 0 where there was none; it stays when that event is pruned."""
        self._follow_file()
        return self._number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'")

    def last_before(self, moment: datetime) -> int:
        """The id of the last event that came before the moment, 0 where none did; ids are in order of arrival."""
        sql = "SELECT id, received_at FROM events WHERE id >= ? ORDER BY id LIMIT 1"
        found, end, wanted = 0, self.last_id() + 1, _microseconds(moment)
        with _plainly(self.path):
            while end - found > 1:
                middle = (found + end) // 2
                row = self._connection.execute(sql, (middle,)).fetchone()
                if row is None or row[1] >= wanted:
                    end = middle
                else:
                    found = row[0]
        return found

    def count(self) -> int:
        """How many events are kept."""
        return self._number("SELECT count(*) FROM events")

    def summaries(
        self,
        *,
        limit: int | None = None,
        ids: Collection[int] | None = None,
        after: int | None = None,
        before: int | None = None,
        kind: EventKind | None = None,
        remote: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[EventSummary]:
        """The events that fulfil every condition given, newest first; `after`, `before` and `until` are exclusive."""
        conditions: dict[str, Any] = {
            "id > ?": after,
            "id < ?": before,
            "kind = ?": kind.value if kind else None,
            "remote = ?": remote,
            "received_at >= ?": _microseconds(since) if since else None,
            "received_at < ?": _microseconds(until) if until else None,
            "id IN (SELECT value FROM json_each(?))": None if ids is None else str(list(ids)),
        }
        given = {sql: value for sql, value in conditions.items() if value is not None}
        sql = (
            "SELECT id, received_at, kind, remote, length(body) FROM events"
            f"{' WHERE ' if given else ''}{' AND '.join(given)} ORDER BY id DESC LIMIT ?"
        )
        with _plainly(self.path):
            rows = self._connection.execute(sql, (*given.values(), -1 if limit is None else limit)).fetchall()
        return [EventSummary(row[0], _moment(row[1]), EventKind(row[2]), row[3], row[4]) for row in rows]

    def faults(self) -> str:
        """What SQLite finds wrong with the file, or nothing."""
        with _plainly(self.path):
            found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(3)")]
        return "" if found == ["ok"] else "; ".join(found)

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _number(self, sql: str) -> int:
        with _plainly(self.path):
            return int(self._connection.execute(sql).fetchone()[0])


class Times:
    """A histogram of durations in seconds, as Prometheus counts them; one thread adds, others may look."""

    BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

    def __init__(self) -> None:
        self.total_s = 0.0
        self._counts = [0] * (len(self.BOUNDS_S) + 1)

    def add(self, duration_s: float) -> None:
        """Counts one more."""
        self.total_s += duration_s
        self._counts[bisect_left(self.BOUNDS_S, duration_s)] += 1

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self._counts)

    def cumulative(self) -> list[tuple[str, int]]:
        """For each bound how many took no longer; the last bound is infinite."""
        return list(zip([*map(str, self.BOUNDS_S), "+Inf"], accumulate(self._counts), strict=True))


class InboxWriter:
    """The one writer: commits what waits, group by group, in a thread of its own.

    While the disk works on one group, the event loop gathers the next. Large groups matter more than overlap: whatever
    the two threads do at once, they do under one interpreter lock, and each hand-over costs both of them.
    A lone event is committed in the event loop itself, if the disk is quick: handing it over would cost more than the
    commit. `wake` is called in the event loop after each commit; it must be quick. `failure` says why the last
    commit failed, and is empty while all is well. A file that turns out to be damaged, or that a reader found so and
    made `suspect`, is moved aside and followed by a fresh one, which `report` tells the operator.
    """

    def __init__(
        self,
        path: Path,
        wake: Callable[[], None] = lambda: None,
        report: Callable[[str], None] = lambda line: None,
        suspect: threading.Event | None = None,
    ) -> None:
        self.path = path
        self.suspect = suspect or threading.Event()
        self._report = report
        self.failure = ""
        self.kept = 0
        self.commits = 0
        self.last_kept_at: datetime | None = None
        self.commit_times = Times()
        self._wake = wake
        self._waiting: list[_Item] = []  # this and the next three are touched by the event loop alone
        self._committing = False
        self._expected = 1
        self._timer: Handle | None = None
        self._took_s = 0.0  # the last commit
        self._loop: AbstractEventLoop | None = None
        self._groups: SimpleQueue[list[_Item]] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._connect()
        self._thread = threading.Thread(target=self._work, name="inbox-writer", daemon=True)
        self._thread.start()

    def take(self, delivery: Delivery | None, done: Done, alone: bool = False) -> None:
        """Has the bytes put on the disk, and then calls `done`, which must not raise; no delivery: only a trial.

        `alone` says that no other can have come in this round of the event loop; then it may be done on return.
        """
        if self._loop is None:
            from asyncio import get_running_loop  # here, because who only reads the inbox needs no event loop

            self._loop = get_running_loop()
        self._waiting.append((delivery, done))
        if not self._committing:
            self._begin(alone)

    def keep(self, delivery: Delivery) -> "Future[None]":
        """Done when the bytes are on the disk; raises DataError when they are not, for the caller to refuse them."""
        return self._promise(delivery)

    def probe(self) -> "Future[None]":
        """Done when the disk takes a write, though no event; raises DataError when it does not."""
        return self._promise(None)

    @property
    def waiting(self) -> int:
        """How many events wait for the next commit."""
        return len(self._waiting)

    def close(self) -> None:
        """Ends the commit that is under way, then lets go of the file."""
        self._groups.put([])
        self._thread.join()
        self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _promise(self, delivery: Delivery | None) -> "Future[None]":
        from asyncio import get_running_loop

        committed: Future[None] = get_running_loop().create_future()

        def done(problem: str) -> None:
            if committed.done():  # cancelled: its request ended in the meantime
                return
            if problem:
                hint = tr("check the disk; the PBX's next attempt is taken again")
                committed.set_exception(DataError(problem, hint))
            else:
                committed.set_result(None)

        self.take(delivery, done)
        return committed

    def _begin(self, alone: bool = False) -> None:
        """Starts a commit when as many wait as last time, or after a moment; a lone event need not wait for others."""
        if not self._waiting or self._loop is None:
            return
        if len(self._waiting) < self._expected:
            if self._timer is None:
                self._timer = self._loop.call_later(GATHER_S, self._hand_over)
        elif self._expected == 1 and self._is_quick():
            if alone:
                self._commit_lone()
            elif self._timer is None:  # others may come in this round of the loop
                self._timer = self._loop.call_soon(self._commit_lone)
        else:
            self._hand_over()

    def _is_quick(self) -> bool:
        """Whether a commit is likely to be so short that nobody minds the event loop standing still; a trial is for
        the thread, as it shall show that it works."""
        is_trial = self._waiting[0][0] is None
        return self._took_s <= AT_ONCE_S and not (is_trial or self.failure or self.suspect.is_set())

    def _commit_lone(self) -> None:
        """Commits in place what waits alone."""
        if len(self._waiting) > 1:
            self._hand_over()
            return
        if self._timer is not None:
            self._timer.cancel()
        group, self._waiting, self._timer = self._waiting, [], None
        self._acknowledge(group, self._commit([delivery for delivery, _ in group if delivery is not None]))

    def _hand_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting[:MAX_GROUP_EVENTS], self._waiting[MAX_GROUP_EVENTS:]
        self._committing = True
        self._groups.put(group)

    def _acknowledge(self, group: list["_Item"], problem: str) -> None:
        for _, done in group:
            done(problem)
        self._committing = False
        self._expected = min(len(group) + len(self._waiting), MAX_GROUP_EVENTS)
        self._begin()
        if not problem:
            self._wake()

    def _work(self) -> None:
        while group := self._groups.get():
            problem = self._commit([delivery for delivery, _ in group if delivery is not None])
            assert self._loop is not None  # whoever added the first told it
            with suppress(RuntimeError):  # the loop is closed: the process goes down, and nobody waits any more
                self._loop.call_soon_threadsafe(self._acknowledge, group, problem)

    def _commit(self, deliveries: list[Delivery]) -> str:
        """Writes all of them or none; the answer says why not, and is empty when they are safe.

        One statement is one transaction in SQLite, and one statement lets go of the interpreter's lock once,
        where BEGIN, a row at a time and COMMIT would do so for each.
        """
        began = time.perf_counter()
        try:
            self._write(deliveries)
        except Exception as error:  # whatever it is: a dead thread would let the PBX wait for ever
            self._disconnect()  # a fresh connection finds the file again once the disk is well
            self.failure = f"{self.path} takes no events: {error}"
            return self.failure
        self.failure = ""
        self.commits += 1
        self._took_s = time.perf_counter() - began
        self.commit_times.add(self._took_s)
        if deliveries:
            self.kept += len(deliveries)
            self.last_kept_at = _moment(deliveries[-1].received_at)
        return ""

    def _write(self, deliveries: list[Delivery]) -> None:
        """One statement; a damaged file is replaced, and then the fresh one takes it."""
        statement, values = _insert(len(deliveries)), tuple(chain.from_iterable(deliveries))
        if self.suspect.is_set():
            self._replace(tr("a reader found a page that cannot be read"))
        try:
            self._connect().execute(statement, values)
        except sqlite3.DatabaseError as error:
            if not damage.is_damage(error):
                raise
            self._replace(str(error))
            self._connect().execute(statement, values)

    def _replace(self, problem: str) -> None:
        self._disconnect()
        self._report(replaced(self.path, problem))
        self.suspect.clear()

    def _connect(self) -> sqlite3.Connection:
        """The connection to the file that stands under the name; what went to one moved away would be lost."""
        if self._connection is None or _identity(self.path) != self._file:
            self._disconnect()
            self._connection, self._file = _connect(self.path), _identity(self.path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def keep_all(path: Path, deliveries: Sequence[Delivery]) -> None:
    """Puts deliveries on the disk at once, beside a listener that may be running; raises DataError."""
    with _plainly(path), closing(_connect(path)) as connection:
        for start in range(0, len(deliveries), MAX_GROUP_EVENTS):
            group = deliveries[start : start + MAX_GROUP_EVENTS]
            connection.execute(_insert(len(group)), tuple(chain.from_iterable(group)))


def create(path: Path) -> None:
    """Creates the inbox or brings an older one up to date; harmless to repeat. Nobody else may read the file.

    Where a ledger lies beside it the ids go on above those it knows, else it would take new events for old ones.
    """
    import sqlite_utils  # here, because reading events needs none of it

    from ippbx_billing.inbox import migrations

    with _plainly(path):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            if not path.stat().st_size:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # a new file can give back what is pruned
            connection.execute("PRAGMA journal_mode = WAL")
            migrations.inbox.apply(sqlite_utils.Database(connection))
            _go_on_above(connection, salvage.last_id_known(path.with_name("ledger.db")))


def _go_on_above(connection: sqlite3.Connection, last_id: int) -> None:
    """The next event gets an id above this one."""
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    if last_id > (given[0] if given else 0):
        with connection:
            connection.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
            connection.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (last_id,))


def replaced(path: Path, problem: str) -> str:
    """Moves a damaged inbox aside and puts a fresh one in its place, for the one writer; gives a line that says so.

    The ids go on above all that were ever given; where the damaged file does not tell them, some are left free for
    the events in it that nobody had read.
    """
    aside = damage.set_aside(path)
    create(path)
    last_id = salvage.last_id_in(aside)
    if last_id is None:
        last_id = salvage.last_id_known(path.with_name("ledger.db")) + salvage.RESERVED_IDS
    with _plainly(path), closing(sqlite3.connect(path)) as connection:
        _go_on_above(connection, last_id)
    return tr(
        "{path} is damaged ({problem}): moved aside as {aside}, a fresh one takes the events; "
        "`ippbx-bill events salvage {whole}` brings back what can be read of it",
        path=path,
        problem=problem,
        aside=aside.name,
        whole=aside,
    )


def replace_if_damaged(path: Path, report: Callable[[str], None]) -> None:
    """What `listen` does before it opens its doors: a sound inbox stays, a damaged one is replaced and told of."""
    if path.exists():
        with only_writer(path):
            if problem := damage.fault(path, "events", "id"):
                report(replaced(path, problem))


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Holds the inbox's lock, so that one data directory has one listener; the system frees it when the process ends.

    Raises CannotStartError when somebody else holds it.
    """
    with _opened(path.with_suffix(".lock")) as file:
        try:
            lock(file)
        except BlockingIOError as error:
            raise CannotStartError(
                tr("another listener already uses {path}", path=path.parent),
                tr("stop it first, or choose another --data-dir"),
            ) from error
        yield


def _opened(lock: Path) -> IO[str]:
    try:
        return open(lock, "a", opener=lambda name, flags: os.open(name, flags, 0o600))
    except OSError as error:
        raise CannotStartError(
            tr("{path} cannot be opened: {error}", path=lock, error=error.strerror),
            tr("`ippbx-bill init` creates the data directory; check its owner"),
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that commits each statement, and only when its bytes have reached the disk.

    It never creates the file: an inbox that was moved away must fail, not be replaced by an empty one.
    """
    # Below the 3 s after which the least patient PBX gives up.
    connection = connect(path, timeout_s=2.5, one_thread=False)
    for pragma in WRITER_PRAGMAS:
        connection.execute(pragma)
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under this name now, None where none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@lru_cache(MAX_GROUP_EVENTS + 1)
def _insert(rows: int) -> str:
    """The statement that keeps so many events; for none, one that writes to the disk and changes nothing."""
    if not rows:
        return "PRAGMA user_version = 0"
    return f"INSERT INTO events ({_COLUMNS}) VALUES " + ",".join(["(?,?,?,?,?,?,?,?)"] * rows)


def _event(row: tuple[Any, ...]) -> RawEvent:
    event_id, received_at, kind, remote, method, path, query, headers, body = row
    return RawEvent(
        event_id, _moment(received_at), _KINDS[kind], remote, method, path, query, headers.decode("latin-1"), body
    )


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    """Turns what SQLite and the system say into a sentence."""
    try:
        yield
    except sqlite3.Error as error:
        if damage.is_damage(error):
            hint = tr("`ippbx-bill listen` moves a damaged inbox aside and goes on with a fresh one")
            raise salvage.DamagedInboxError(_unusable(path, error), hint) from error
        raise DataError(_unusable(path, error), tr("check disk, owner and mode of the data directory")) from error
    except OSError as error:
        hint = tr("check disk, owner and mode of the data directory")
        raise DataError(_unusable(path, error.strerror), hint) from error


def _unusable(path: Path, error: object) -> str:
    return tr("{path} cannot be used: {error}", path=path, error=error)
