"""What can still be read of a damaged inbox comes back, once, under its own ids."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ippbx_billing.errors import DataError
from ippbx_billing.inbox import create
from ippbx_billing.inbox.salvage import last_id_known, salvage, salvaged_are_read

EVENTS = 400


def an_inbox(path: Path, bodies: list[str]) -> Path:
    create(path)
    with closing(sqlite3.connect(path)) as inbox, inbox:
        inbox.executemany(
            "INSERT INTO events (received_at, kind, remote, method, path, query, headers, body) "
            "VALUES (1, 'cdr', '10.0.0.1', 'POST', '/', '', x'', ?)",
            [(body.encode(),) for body in bodies],
        )
    with closing(sqlite3.connect(path)) as inbox:
        inbox.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def bodies(path: Path) -> dict[int, bytes]:
    with closing(sqlite3.connect(path)) as inbox:
        return dict(inbox.execute("SELECT id, body FROM events"))


def test_a_spoilt_page_costs_its_events_alone(tmp_path: Path) -> None:
    """All others come back with their bytes and ids; a second run finds nothing more to do."""
    damaged = an_inbox(tmp_path / "damaged.db", [f"{number:0300}" for number in range(EVENTS)])
    whole = bodies(damaged)
    with damaged.open("r+b") as stream:
        stream.seek(12 * 4096)
        stream.write(b"\xa5" * 4096)
    fresh = an_inbox(tmp_path / "inbox.db", [])
    found = salvage(damaged, fresh)
    assert EVENTS - 20 < found.readable < EVENTS
    assert len(found.ids) == found.readable
    assert bodies(fresh).items() < whole.items()
    assert salvage(damaged, fresh).missing == 0
    salvaged_are_read(fresh, found.ids)
    assert salvage(damaged, fresh).ids == ()


def test_an_id_that_was_given_anew_keeps_both_events(tmp_path: Path) -> None:
    """The newer event stays where it is, the salvaged one comes after the newest."""
    damaged = an_inbox(tmp_path / "damaged.db", ["old 1", "old 2"])
    fresh = an_inbox(tmp_path / "inbox.db", ["new 1"])
    salvage(damaged, fresh)
    assert sorted(bodies(fresh).values()) == [b"new 1", b"old 1", b"old 2"]
    assert bodies(fresh)[1] == b"new 1"


def test_a_file_that_is_no_database_is_told_plainly(tmp_path: Path) -> None:
    """With what else may still help."""
    (tmp_path / "damaged.db").write_bytes(b"\xa5" * 8192)
    with pytest.raises(DataError, match="cannot be read") as error:
        salvage(tmp_path / "damaged.db", an_inbox(tmp_path / "inbox.db", []))
    assert "recover" in error.value.hint


def test_a_ledger_that_cannot_be_read_knows_no_id(tmp_path: Path) -> None:
    """A missing ledger is one of those."""
    assert last_id_known(tmp_path / "ledger.db") == 0
