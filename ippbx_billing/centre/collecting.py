"""Takes the sites' batches into PostgreSQL; it keeps nothing itself, so that any number of copies may run.

    answer = Collector(connections).take(headers, body)     # ShipAnswer(200, {"have": 1000})

A row is there once, whatever is sent how often: its key is site, epoch and position. The answer says up to which
position all is there, and nothing else is ever promised.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from queue import Empty, LifoQueue
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ippbx_billing.centre.opening import Connection, connected
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.errors import BillingError
from ippbx_billing.language import tr
from ippbx_billing.ship.batches import Batch, FormatError, SignatureError, is_signed, unpacked

CONNECTIONS = 4
PATIENCE_S = 5.0  # for a connection, before a site is asked to come again
BUSY_PAUSE_S, DOWN_PAUSE_S = 5, 30
MOST_BODY_BYTES = 64 * 1024 * 1024
CLOCK_S = 300  # a site's clock that differs by more is told


@dataclass(frozen=True, slots=True)
class ShipAnswer:
    """What a site is answered: the status, a document, and for how long it should pause (0: not said)."""

    status: HTTPStatus
    told: Mapping[str, Any] = field(default_factory=dict)
    pause_s: int = 0


class _OtherBytesError(Exception):
    """Where the centre holds something else than what was sent."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Connections:
    """A few connections that requests share; each is made when it is first needed, and anew after a failure."""

    def __init__(self, dsn: str, count: int = CONNECTIONS) -> None:
        self._dsn = dsn
        self._free: LifoQueue[Connection | None] = LifoQueue()
        for _ in range(count):
            self._free.put(None)

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection for this thread; raises queue.Empty where all stay in use."""
        connection = self._free.get(timeout=PATIENCE_S)
        try:
            if connection is None or connection.closed:
                connection = connected(self._dsn)
                connection.execute(
                    "CREATE TEMP TABLE incoming (position bigint, bytes bytea, sha256 bytea) ON COMMIT DELETE ROWS"
                )
            yield connection
        except psycopg.OperationalError:
            if connection is not None:
                connection.close()
            raise
        finally:
            self._free.put(connection)

    def close(self) -> None:
        """Let go of all that are free."""
        while not self._free.empty():
            if (connection := self._free.get_nowait()) is not None:
                connection.close()


class Collector:
    """What becomes of a batch."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def take(self, headers: Mapping[str, str], body: bytes) -> ShipAnswer:
        """Keep the batch, each row once; never raises for what a site sent, nor for a database that is down."""
        try:
            with self._connections.one() as connection:
                return self._take(connection, headers, body)
        except Empty:
            return ShipAnswer(HTTPStatus.TOO_MANY_REQUESTS, _told(tr("the centre is busy")), BUSY_PAUSE_S)
        except (psycopg.Error, BillingError):
            return ShipAnswer(HTTPStatus.SERVICE_UNAVAILABLE, _told(tr("the centre cannot keep it now")), DOWN_PAUSE_S)

    def is_well(self) -> bool:
        """Whether the database answers."""
        try:
            with self._connections.one() as connection:
                return connection.execute("SELECT 1").fetchone() is not None
        except (psycopg.Error, BillingError, Empty):
            return False

    def _take(self, connection: Connection, headers: Mapping[str, str], body: bytes) -> ShipAnswer:
        site = SiteTable(connection).find(headers.get("ippbx-site", ""))
        if site is None or not is_signed(headers, body, site.key):
            return ShipAnswer(HTTPStatus.UNAUTHORIZED, _told(tr("no site of this name has this key")))
        if site.revoked_at is not None:
            return ShipAnswer(HTTPStatus.FORBIDDEN, _told(tr("this site's key was revoked")))
        try:
            batch = unpacked(headers, body, site.key)
        except (FormatError, SignatureError) as error:
            return ShipAnswer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _told(error.message, error.hint))
        except BillingError as error:
            return ShipAnswer(HTTPStatus.BAD_REQUEST, _told(error.message, error.hint))
        if site.pinned_epoch not in (None, batch.epoch):
            _note_incident(connection, "other-epoch", batch, batch.after, {})
            hint = tr("`ippbx-bill centre sites unpin {name}` at the centre, if it was restored", name=site.name)
            return ShipAnswer(HTTPStatus.FORBIDDEN, _told(tr("the centre takes no other inbox of this site"), hint))
        return _kept(connection, batch, headers)


def _kept(connection: Connection, batch: Batch, headers: Mapping[str, str]) -> ShipAnswer:
    """What becomes of the rows; none is taken where one is another than before."""
    try:
        with connection.transaction():
            return ShipAnswer(HTTPStatus.OK, {"have": _stored(connection, batch, _clock_ahead_s(headers))})
    except _OtherBytesError as error:
        _note_incident(connection, "other-bytes", batch, error.position, {})
        problem = tr("at position {position} the centre holds other bytes; nothing was taken", position=error.position)
        hint = tr("if the inbox was put back by hand: `ippbx-bill ship --renew` gives it another epoch")
        return ShipAnswer(HTTPStatus.CONFLICT, _told(problem, hint))


def _stored(connection: Connection, batch: Batch, ahead_s: int) -> int:
    """Keep the rows, in the caller's transaction, and move the edge behind them; gives the edge."""
    edge = _edge(connection, batch)
    if batch.after > edge:
        return edge
    differing = _insert(connection, batch)
    if differing is not None:
        raise _OtherBytesError(differing)
    _note_gaps(connection, batch, edge)
    connection.execute(
        "UPDATE epochs SET edge = greatest(edge, %s), last_at = now(), clock_ahead_s = %s "
        "WHERE site = %s AND epoch = %s",
        [batch.last, ahead_s, batch.site, batch.epoch],
    )
    return max(edge, batch.last)


def _edge(connection: Connection, batch: Batch) -> int:
    """Up to which position all is there; whoever asks holds the epoch until the end of the transaction."""
    key = [batch.site, batch.epoch]
    ask = "SELECT edge FROM epochs WHERE site = %s AND epoch = %s FOR UPDATE"
    row = connection.execute(ask, key).fetchone()
    if row is None:
        connection.execute("LOCK TABLE epochs IN SHARE ROW EXCLUSIVE MODE")  # two epochs at once get two ordinals
        connection.execute(
            "INSERT INTO epochs (site, epoch, ordinal) SELECT %s, %s, coalesce(max(ordinal), 0) + 1 FROM epochs "
            "WHERE site = %s ON CONFLICT DO NOTHING",
            [*key, batch.site],
        )
        connection.execute(
            "INSERT INTO marks (site, epoch, ordinal) SELECT site, epoch, ordinal FROM epochs "
            "WHERE site = %s AND epoch = %s ON CONFLICT DO NOTHING",
            key,
        )
        row = connection.execute(ask, key).fetchone()
    assert row is not None
    return int(row["edge"])


def _insert(connection: Connection, batch: Batch) -> int | None:
    """The rows that are not there yet; the first position at which others are, None where there is none."""
    if not batch.events:
        return None
    with connection.cursor() as cursor, cursor.copy("COPY incoming FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int8", "bytea", "bytea"])
        for one in batch.events:
            framed = one.framed()
            copy.write_row((one.position, framed, sha256(framed).digest()))
    new = connection.execute(
        "INSERT INTO raw (site, epoch, position, bytes, sha256) SELECT %s, %s, position, bytes, sha256 FROM incoming "
        "ON CONFLICT DO NOTHING",
        [batch.site, batch.epoch],
    ).rowcount
    if new == len(batch.events):
        return None
    row = connection.execute(
        "SELECT min(position) AS position FROM raw JOIN incoming USING (position) "
        "WHERE site = %s AND epoch = %s AND raw.sha256 <> incoming.sha256",
        [batch.site, batch.epoch],
    ).fetchone()
    assert row is not None
    differing: int | None = row["position"]
    return differing


def _note_gaps(connection: Connection, batch: Batch, edge: int) -> None:
    """Positions beyond the edge that the site's inbox does not hold any more."""
    found, before = [], max(batch.after, edge)
    for position in (*(one.position for one in batch.events if one.position > before), batch.last + 1):
        if position > before + 1:
            found.append((batch.site, batch.epoch, before + 1, position - 1))
        before = position
    if found:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO gaps (site, epoch, first, last) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", found
            )


def _note_incident(connection: Connection, kind: str, batch: Batch, position: int, facts: Mapping[str, Any]) -> None:
    """Once for each place: a site that goes on trying is one incident."""
    connection.execute(
        "INSERT INTO incidents (site, kind, epoch, position, facts) SELECT %s, %s, %s, %s, %s WHERE NOT EXISTS "
        "(SELECT 1 FROM incidents WHERE site = %s AND kind = %s AND epoch = %s AND position = %s)",
        [batch.site, kind, batch.epoch, position, Jsonb(dict(facts)), batch.site, kind, batch.epoch, position],
    )


def _clock_ahead_s(headers: Mapping[str, str]) -> int:
    """By how much the site's clock is ahead of ours, 0 for what is the way's; bounded, since it may say anything."""
    sent = headers.get("ippbx-sent", "")
    ahead_s = int(sent) - int(time.time()) if sent.isdigit() and len(sent) < 12 else 0
    return max(-(2**31), min(2**31 - 1, ahead_s)) if abs(ahead_s) > CLOCK_S else 0


def _told(error: str, hint: str = "") -> dict[str, str]:
    return {"error": error, "hint": hint}
