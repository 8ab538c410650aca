"""Makes calls and charges of what came, site by site; any number of these processes work side by side.

    rater = Rater(connection, notes)
    while rater.step(): ...

A step takes one site that nobody else holds, reads its next rows by the site's book, and writes calls, charges, sums
and the mark in one transaction. What dies in between has done nothing. An attempt is noted beforehand on another
connection: rows that failed are tried again in ever smaller batches, and the one record that fails three times is set
aside with the reason, so that the rest goes on.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg

from ippbx_billing.calls import FROM_FILE, EventKind, Problem, RawEvent, Reason, together
from ippbx_billing.centre.books import Shelf
from ippbx_billing.centre.ledger import CentreLedger
from ippbx_billing.centre.opening import Connection
from ippbx_billing.centre.schema import EVENTS_AN_EPOCH
from ippbx_billing.ledger.reasons import stored
from ippbx_billing.pipeline import ANSWER_EXPIRES, Understood, understand
from ippbx_billing.pipeline.patience import READING_S
from ippbx_billing.pipeline.writing import Writing
from ippbx_billing.ship.batches import of_framed

POLL_S = 1.0  # how long a rater rests where nothing waits
BATCH_ROWS = 2_000
SMALLER = 8  # by so much a batch that failed shrinks
MOST_TRIES = 3  # of one record alone
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for a site next: its epoch, the position it is rated up to, its book."""

    site: str
    epoch: str
    ordinal: int
    position: int
    edge: int
    book: str


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How often the rows from this position on were tried, and how many they were last."""

    rows: int = 0
    tries: int = 0
    reason: str = ""

    def next_rows(self) -> int:
        """How many to try now."""
        return max(1, self.rows // SMALLER) if self.tries else BATCH_ROWS


class Rater:
    """One process's share of the work; `notes` is a second connection, on which attempts are noted at once."""

    def __init__(self, connection: Connection, notes: Connection, reading_s: float = READING_S) -> None:
        self._connection, self._notes = connection, notes
        self._reading_s = reading_s
        self._shelves: dict[str, tuple[str, Shelf]] = {}
        notes.execute("SET synchronous_commit = off")  # a try that the server forgot is tried once more

    def close(self) -> None:
        """Put the books back."""
        for _, shelf in self._shelves.values():
            shelf.close()

    def step(self) -> int:
        """Rate the next rows of some site; gives how many positions went by, 0 where nothing waits for us."""
        work, attempt = None, _Attempt()
        try:
            with self._connection.transaction():
                work = self._take()
                if work is None:
                    return 0
                attempt = self._begin(work)
                return self._rate(work, attempt)
        except psycopg.OperationalError:
            raise  # of the server or the line, not of a record
        except Exception as error:
            if work is None:
                raise
            self._note_failure(work, error)
            return 1

    def _take(self) -> _Work | None:
        """A site with rows to rate that no other rater holds; its oldest epoch first."""
        row = self._connection.execute(
            """
            SELECT m.site, m.epoch, m.ordinal FROM marks m JOIN sites s USING (site)
            WHERE m.ordinal = (
                SELECT min(n.ordinal) FROM marks n JOIN epochs e USING (site, epoch)
                WHERE n.site = m.site AND e.edge > n.position
            )
            ORDER BY random() LIMIT 1 FOR NO KEY UPDATE OF s, m SKIP LOCKED
            """
        ).fetchone()
        if row is None:
            return None
        now = self._connection.execute(  # asked under the lock: another may have moved on just before
            "SELECT edge, position, book FROM epochs JOIN marks USING (site, epoch) JOIN sites USING (site) "
            "WHERE site = %s AND epoch = %s",
            [row["site"], row["epoch"]],
        ).fetchone()
        assert now is not None
        if now["position"] >= now["edge"]:
            return None
        return _Work(row["site"], row["epoch"], row["ordinal"], now["position"], now["edge"], now["book"])

    def _begin(self, work: _Work) -> _Attempt:
        """Note that these rows are tried; gives what was known of them before."""
        key = [work.site, work.epoch, work.position]
        row = self._notes.execute(
            "SELECT rows, tries, reason FROM attempts WHERE site = %s AND epoch = %s AND position = %s", key
        ).fetchone()
        found = _Attempt(row["rows"], row["tries"], row["reason"]) if row else _Attempt()
        rows = found.next_rows()
        tries = found.tries + 1 if rows == 1 and found.rows == 1 else 1
        self._notes.execute(
            "INSERT INTO attempts (site, epoch, position, rows, tries) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (site, epoch, position) DO UPDATE SET rows = excluded.rows, tries = excluded.tries",
            [*key, rows, tries],
        )
        return found

    def _note_failure(self, work: _Work, error: Exception) -> None:
        self._notes.execute(
            "UPDATE attempts SET reason = %s WHERE site = %s AND epoch = %s AND position = %s",
            [repr(error).replace("\0", "?")[:500], work.site, work.epoch, work.position],
        )

    def _rate(self, work: _Work, attempt: _Attempt) -> int:
        """The rows into calls, in the caller's transaction."""
        events = self._events(work, attempt.next_rows())
        last = events[-1].id % EVENTS_AN_EPOCH if len(events) == attempt.next_rows() else work.edge
        if len(events) == 1 and attempt.rows == 1 and attempt.tries >= MOST_TRIES:
            reason = Reason("not-kept", {"error": attempt.reason or "the rater ended while it was at this record"})
            self._set_aside(work, [(events[0].id, reason)], attempt.tries)
        else:
            self._write(work, events)
        self._connection.execute(
            "UPDATE marks SET position = %s WHERE site = %s AND epoch = %s", [last, work.site, work.epoch]
        )
        self._connection.execute(
            "DELETE FROM attempts WHERE site = %s AND epoch = %s AND position = %s",
            [work.site, work.epoch, work.position],
        )
        return last - work.position

    def _events(self, work: _Work, rows: int) -> list[RawEvent]:
        """The next rows as events; their ids tell the epoch and the position."""
        found = self._connection.execute(
            "SELECT position, bytes FROM raw WHERE site = %s AND epoch = %s AND position > %s AND position <= %s "
            "ORDER BY position LIMIT %s",
            [work.site, work.epoch, work.position, work.edge, rows],
        ).fetchall()
        return [event_of(work.ordinal, row["position"], bytes(row["bytes"])) for row in found]

    def _write(self, work: _Work, events: Sequence[RawEvent]) -> None:
        shelf = self._shelf(work.site, work.book)
        ledger = CentreLedger(self._connection, work.site, shelf, work.book)
        understood = [understand(event, shelf.rules, self._reading_s) for event in events]
        write(ledger, shelf, understood)
        ledger.settle()
        problems = [(one.event.id, _told(one.reading.problems)) for one in understood if one.reading.problems]
        self._set_aside(work, problems, 1)

    def _set_aside(self, work: _Work, problems: Sequence[tuple[int, Reason]], tries: int) -> None:
        """List what was not understood, or not kept, with the reason; the row itself stays."""
        rows = [
            (work.site, event_id, work.epoch, event_id % EVENTS_AN_EPOCH, *_plain(reason), tries)
            for event_id, reason in problems
        ]
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO set_aside (site, event_id, epoch, position, reason, reason_facts, tries) "
                    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (site, event_id) DO UPDATE SET "
                    "reason = excluded.reason, reason_facts = excluded.reason_facts, tries = excluded.tries",
                    rows,
                )

    def _shelf(self, site: str, book: str) -> Shelf:
        """The site's book, unfolded once as long as it stays the same."""
        known = self._shelves.get(site)
        if known is not None and known[0] == book:
            return known[1]
        row = self._connection.execute(
            "SELECT content FROM books WHERE site = %s AND hash = %s", [site, book]
        ).fetchone()
        assert row is not None  # a site names none but its own
        if known is not None:
            known[1].close()
        shelf = Shelf(bytes(row["content"]))
        self._shelves[site] = (book, shelf)
        return shelf


def write(ledger: CentreLedger, shelf: Shelf, understood: Sequence[Understood]) -> None:
    """Calls, corrections and joined rows of these events, as a site's own pipeline writes them."""
    arrived = {one.event.id: one.event.received_at for one in understood}
    imported = {one.event.id for one in understood if one.event.method == FROM_FILE}
    writing = Writing(ledger, shelf.rules, [one.rated for one in understood], arrived, imported)
    for one in understood:
        writing.write(one.rated)
        for step in one.reading.states:
            writing.joining.answered(step, one.event.received_at)
    writing.finish()
    if any(one.reading.states for one in understood):
        ledger.rows.forget_answers(int((understood[-1].event.received_at - ANSWER_EXPIRES).timestamp()))


def event_of(ordinal: int, position: int, framed: bytes) -> RawEvent:
    """The event that a row of `raw` holds."""
    one = of_framed(position, framed)
    return RawEvent(
        ordinal * EVENTS_AN_EPOCH + position,
        _EPOCH + timedelta(microseconds=one.received_at),
        EventKind(one.kind),
        one.remote,
        one.method,
        one.path,
        one.query,
        one.headers.decode("latin-1"),
        one.body,
    )


def _told(problems: Sequence[Problem]) -> Reason:
    return together(one.told for one in problems)


def _plain(reason: Reason) -> tuple[str, str]:
    """Code and facts as text that PostgreSQL takes."""
    code, facts = stored(reason)
    return code, facts.replace("\0", "\ufffd")


def serve(connection: Connection, notes: Connection, wait: Callable[[int], bool]) -> None:
    """Rate for as long as `wait` says so: it is asked after each step with what that did."""
    gc.set_threshold(100_000)  # a batch makes many objects that live until its end
    rater = Rater(connection, notes)
    try:
        while wait(rater.step()):
            pass
    finally:
        rater.close()
