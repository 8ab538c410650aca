"""The inbox keeps every byte, acknowledges only what is on the disk, and lends itself to readers meanwhile."""

import asyncio
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing import inbox as inbox_module
from ippbx_billing.calls import EventKind
from ippbx_billing.errors import CannotStartError, DataError, NotFoundError
from ippbx_billing.inbox import (
    AT_ONCE_S,
    MAX_GROUP_EVENTS,
    Delivery,
    Inbox,
    InboxWriter,
    create,
    migrations,
    only_writer,
)

NOON = 1_714_564_800_123_456  # 2024-05-01 12:00:00.123456 UTC


def delivery(body: bytes = b"{}", *, at: int = NOON, kind: str = "cdr", remote: str = "10.0.0.9") -> Delivery:
    return Delivery(at, kind, remote, "POST", "/push", "a=1", b"Host: x\r\nX-Name: \xd5\xc5\r\n", body)


def keep(path: Path, *deliveries: Delivery) -> None:
    async def all_of_them() -> None:
        with InboxWriter(path) as writer:
            await asyncio.gather(*(writer.keep(one) for one in deliveries))

    asyncio.run(all_of_them())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "inbox.db")
    return tmp_path / "inbox.db"


def test_an_event_comes_back_as_it_was_kept(path: Path) -> None:
    """Every fact of a request is read again: the time to the microsecond, headers and body to the byte."""
    keep(path, delivery(b"\x00\xff{"))
    with Inbox(path) as inbox:
        event = inbox.get(1)
    assert event is not None
    assert event.received_at == datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (event.kind, event.remote, event.method, event.path, event.query) == (
        EventKind.CDR,
        "10.0.0.9",
        "POST",
        "/push",
        "a=1",
    )
    assert event.headers.encode("latin-1") == b"Host: x\r\nX-Name: \xd5\xc5\r\n"
    assert event.body == b"\x00\xff{"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=30), path_bytes=st.binary(max_size=40))
def test_any_bytes_are_kept_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[bytes], path_bytes: bytes
) -> None:
    """Whatever the bodies hold, they are stored byte for byte and in the order they came."""
    path = tmp_path_factory.mktemp("any") / "inbox.db"
    create(path)
    text = path_bytes.decode("latin-1")
    keep(path, *(Delivery(NOON, "status", "", "PUT", text, text, path_bytes, body) for body in bodies))
    with Inbox(path) as inbox:
        events = inbox.after(0, 100)
    assert [event.body for event in events] == bodies
    assert {event.path.encode("latin-1") for event in events} == {path_bytes}
    assert {event.query.encode("latin-1") for event in events} == {path_bytes}
    assert {event.headers.encode("latin-1") for event in events} == {path_bytes}


def test_who_awaits_an_event_finds_it_on_the_disk(path: Path) -> None:
    """When `keep` returns, another connection sees the row: the commit came first."""

    async def story() -> list[int]:
        seen = []
        with InboxWriter(path) as writer, Inbox(path) as inbox:
            for _ in range(5):
                await writer.keep(delivery())
                seen.append(inbox.count())
        return seen

    assert asyncio.run(story()) == [1, 2, 3, 4, 5]


def test_a_lone_event_is_committed_in_place_until_the_disk_is_slow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the event loop's own thread; after a slow commit, and for a trial, by the writer's, so that the loop lives."""
    threads, commit = list[str](), InboxWriter._commit

    def noted(self: InboxWriter, deliveries: list[Delivery]) -> str:
        threads.append(threading.current_thread().name)
        return commit(self, deliveries)

    monkeypatch.setattr(InboxWriter, "_commit", noted)

    async def story() -> None:
        with InboxWriter(path) as writer:
            done: list[str] = []
            for took_s in (0.0, AT_ONCE_S + 1, 0.0):
                writer._took_s = took_s
                await writer.keep(delivery())
            writer._took_s = 0.0
            writer.take(delivery(), done.append, alone=True)
            assert done == [""]
            await writer.probe()

    asyncio.run(story())
    here = threading.main_thread().name
    assert threads == [here, "inbox-writer", here, here, "inbox-writer"]


def test_what_waits_together_is_committed_together(path: Path) -> None:
    """A thousand events at once share a few commits, and one call of `wake` follows each."""
    wakes = []

    async def story() -> InboxWriter:
        with InboxWriter(path, lambda: wakes.append(1)) as writer:
            await asyncio.gather(*(writer.keep(delivery()) for _ in range(2 * MAX_GROUP_EVENTS)))
        return writer

    writer = asyncio.run(story())
    assert writer.kept == 2 * MAX_GROUP_EVENTS
    assert writer.commits == len(wakes) == 2  # all came in one round of the event loop
    assert writer.waiting == 0


def test_a_single_event_does_not_wait_for_others(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet PBX gets its answer at once, even if gathering took ever so long."""
    monkeypatch.setattr(inbox_module, "GATHER_S", 3600)

    async def story() -> None:
        with InboxWriter(path) as writer:
            for _ in range(3):
                await asyncio.wait_for(writer.keep(delivery()), timeout=20)

    asyncio.run(story())


def test_the_last_of_a_flood_wait_only_a_moment(path: Path) -> None:
    """After a large group, fewer events than it had are committed as well."""

    async def story() -> None:
        with InboxWriter(path) as writer:
            await asyncio.gather(*(writer.keep(delivery()) for _ in range(50)))
            await asyncio.wait_for(asyncio.gather(*(writer.keep(delivery()) for _ in range(3))), timeout=20)

    asyncio.run(story())


def test_a_failing_disk_refuses_and_recovers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is full who waits is told, and nothing of the group stays; with room again all is well."""
    connect = inbox_module._connect

    def full(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 8")
        return connection

    big = delivery(b"x" * 100_000)

    async def story() -> tuple[list[object], str, str]:
        monkeypatch.setattr(inbox_module, "_connect", full)
        with InboxWriter(path) as writer:
            tries = await asyncio.gather(*(writer.keep(big) for _ in range(3)), return_exceptions=True)
            failure = writer.failure
            with pytest.raises(DataError):
                await writer.keep(big)
            monkeypatch.setattr(inbox_module, "_connect", connect)
            # The connection of the last failure is gone, so the next event opens a fresh one.
            await writer.keep(delivery(b"after"))
            return list(tries), failure, writer.failure

    tries, failure, afterwards = asyncio.run(story())
    assert all(isinstance(one, DataError) for one in tries)
    assert failure == f"{path} takes no events: database or disk is full"
    assert afterwards == ""
    with Inbox(path) as inbox:
        assert [event.body for event in inbox.after(0, 10)] == [b"after"]


def test_an_inbox_that_was_moved_away_is_not_replaced(path: Path) -> None:
    """A missing file is a failure to tell, never an empty inbox in its place; once it is back, all goes on."""
    away = path.with_name("away.db")

    async def story() -> str:
        with InboxWriter(path) as writer:
            await writer.keep(delivery(b"before"))
            writer._disconnect()  # as after any failure
            path.rename(away)
            with pytest.raises(DataError, match="unable to open database file"):
                await writer.keep(delivery(b"lost"))
            assert not path.exists()
            away.rename(path)
            await writer.keep(delivery(b"after"))
            return writer.failure

    assert asyncio.run(story()) == ""
    with Inbox(path) as inbox:
        assert [event.body for event in inbox.after(0, 10)] == [b"before", b"after"]


def test_a_probe_tells_whether_the_disk_is_well_and_keeps_nothing(path: Path) -> None:
    """It ends a failure once the disk works again, without an event."""

    async def story() -> tuple[str, str]:
        with InboxWriter(path) as writer:
            writer._disconnect()
            path.rename(path.with_suffix(".away"))
            with pytest.raises(DataError):
                await writer.probe()
            failure = writer.failure
            path.with_suffix(".away").rename(path)
            await writer.probe()
            return failure, writer.failure

    failure, afterwards = asyncio.run(story())
    assert "takes no events" in failure
    assert afterwards == ""
    with Inbox(path) as inbox:
        assert inbox.count() == 0


def test_a_cancelled_wait_harms_nobody_else(path: Path) -> None:
    """A request that ends early takes no other's acknowledgement with it."""

    async def story() -> None:
        with InboxWriter(path) as writer:
            first, second = writer.keep(delivery(b"1")), writer.keep(delivery(b"2"))
            first.cancel()
            await second

    asyncio.run(story())


def test_ids_never_come_again(path: Path) -> None:
    """After the newest rows were pruned, the next event still gets a new id, and `last_id` does not fall back."""
    keep(path, delivery(), delivery(), delivery())
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM events")
    connection.close()
    with Inbox(path) as inbox:
        assert (inbox.count(), inbox.last_id()) == (0, 3)
        keep(path, delivery())
        assert [event.id for event in inbox.after(0, 10)] == [4]


def test_reading_on_from_a_position(path: Path) -> None:
    """`after` gives the next events in order, at most as many as asked for."""
    keep(path, *(delivery(b"%d" % number) for number in range(10)))
    with Inbox(path) as inbox:
        assert [event.body for event in inbox.after(3, 4)] == [b"3", b"4", b"5", b"6"]
        assert [event.id for event in inbox.after(8, 100)] == [9, 10]
        assert inbox.after(10, 100) == []


def test_reading_on_does_not_fill_the_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large bodies come in smaller helpings, but always at least one event."""
    monkeypatch.setattr(inbox_module, "MAX_READ_BYTES", 1000)
    keep(path, *(delivery(b"x" * 600) for _ in range(5)))
    with Inbox(path) as inbox:
        assert [len(inbox.after(position, 10)) for position in (0, 2, 4)] == [2, 2, 1]


def test_summaries_are_newest_first_and_filtered(path: Path) -> None:
    """The list of events shows no content, and every condition narrows it."""
    minute = 60_000_000
    keep(
        path,
        delivery(b"1", remote="10.0.0.1"),
        delivery(b"22", at=NOON + minute, kind="status"),
        delivery(b"333", at=NOON + 2 * minute),
    )
    noon = datetime(2024, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)

    def ids(**conditions: Any) -> list[int]:
        with Inbox(path) as inbox:
            return [summary.id for summary in inbox.summaries(**conditions)]

    with Inbox(path) as inbox:
        newest = inbox.summaries(limit=1)[0]
    assert (newest.id, newest.received_at, newest.kind, newest.remote, newest.body_bytes) == (
        3,
        noon + timedelta(minutes=2),
        EventKind.CDR,
        "10.0.0.9",
        3,
    )
    assert ids() == [3, 2, 1]
    assert ids(limit=2) == [3, 2]
    assert ids(limit=0) == []
    assert ids(kind=EventKind.STATUS) == [2]
    assert ids(remote="10.0.0.1") == [1]
    assert ids(ids=[1, 3, 77]) == [3, 1]
    assert ids(ids=[]) == []
    assert ids(after=1) == [3, 2]
    assert ids(before=3) == [2, 1]
    assert ids(since=noon + timedelta(minutes=1)) == [3, 2]
    assert ids(until=noon + timedelta(minutes=1)) == [1]
    assert ids(kind=EventKind.CDR, after=1) == [3]


def test_a_reader_can_change_nothing(path: Path) -> None:
    """Whoever reads the inbox cannot lose an event by mistake."""
    with Inbox(path) as inbox, pytest.raises(sqlite3.OperationalError, match="readonly"):
        inbox._connection.execute("DELETE FROM events")


def test_no_inbox_is_a_sentence(tmp_path: Path) -> None:
    """A missing file names itself and what creates it; it is not created by looking."""
    with pytest.raises(NotFoundError, match="there is no inbox at") as raised:
        Inbox(tmp_path / "inbox.db")
    assert "init" in raised.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_inbox_is_a_sentence(path: Path) -> None:
    """What is not a database is said to be none, by every question."""
    path.write_bytes(b"this is not a database, but long enough to be looked at" * 100)
    with pytest.raises(DataError, match="file is not a database"):
        Inbox(path)


def test_creating_twice_harms_nothing(path: Path) -> None:
    """`create` may be repeated: what is kept stays, and every step of the schema was run once."""
    keep(path, delivery())
    create(path)
    with Inbox(path) as inbox:
        assert inbox.count() == 1
    with sqlite3.connect(path) as connection:
        steps = [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert steps == migrations.inbox.names


def test_nobody_else_may_read_the_files(path: Path) -> None:
    """Who called whom is nobody's business: the database, its log and the lock are for their owner alone."""
    with only_writer(path):
        keep(path, delivery())
        with Inbox(path) as inbox:
            inbox.count()
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert set(modes) >= {"inbox.db", "inbox.db-wal", "inbox.lock"}
    assert set(modes.values()) == {0o600}


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    """The writer's connection syncs at every commit and keeps a write-ahead log."""
    connection = inbox_module._connect(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_one_directory_has_one_writer(path: Path) -> None:
    """A second holder of the lock is refused in a sentence; when the first is gone, the next may come."""
    refused = pytest.raises(CannotStartError, match="another listener already uses")
    with only_writer(path), refused, only_writer(path):
        pass
    with only_writer(path):
        pass


def test_an_error_under_the_lock_stays_what_it_is(path: Path) -> None:
    """The lock does not dress up what fails while it is held."""
    with pytest.raises(PermissionError), only_writer(path):
        raise PermissionError


def test_a_missing_directory_cannot_be_locked(tmp_path: Path) -> None:
    """Without a data directory the listener cannot start, and says how to get one."""
    with (
        pytest.raises(CannotStartError, match="No such file or directory") as raised,
        only_writer(tmp_path / "no" / "x.db"),
    ):
        pass
    assert "init" in raised.value.hint
