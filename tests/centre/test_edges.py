"""What leaves a site, and what comes of it at the centre when something goes wrong; failure modes by their numbers."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ippbx_billing.centre.collecting import ShipAnswer
from ippbx_billing.centre.opening import connected
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.errors import DataError, UsageError
from ippbx_billing.inbox import epochs
from ippbx_billing.settings import load
from ippbx_billing.ship import keys, state
from ippbx_billing.ship.batches import Batch, FormatError, Shipped, SignatureError, packed, unpacked
from ippbx_billing.ship.shipping import RefusedError, Route
from ippbx_billing.upkeep.backups import make
from ippbx_billing.upkeep.restoring import restore
from tests.centre.sites import Centre, Sent, at_centre, at_home, delivery, fill, records

KEY = bytes(range(32))
EVENT = Shipped(3, 1_790_000_000_000_000, "cdr", "10.0.0.2", "POST", "/ä", "a=%E4", b"x: \xff", bytes(range(256)))
BATCH = Batch("hq", "e" * 32, 2, 4, (EVENT,))


@pytest.fixture
def centre(dsn: str) -> Iterator[Centre]:
    made = Centre(dsn)
    yield made
    made.close()


@pytest.mark.parametrize("form", [1, 2])
def test_11_both_formats_bring_the_same_bytes(form: int) -> None:
    """The present format and the one before it."""
    assert unpacked(*packed(BATCH, KEY, 0, form), KEY) == BATCH


def test_11_another_format_is_refused_with_a_reason() -> None:
    headers, body = packed(BATCH, KEY, 0, 3)
    with pytest.raises(FormatError, match="format 3 are not read here, only 2, 1"):
        unpacked(headers, body, KEY)


@pytest.mark.parametrize("name", ["site", "epoch", "after", "last", "rows", "sent", "format"])
def test_18_a_header_that_was_changed_is_not_signed(name: str) -> None:
    headers, body = packed(BATCH, KEY, 0)
    with pytest.raises(SignatureError):
        unpacked({**headers, f"ippbx-{name}": "7"}, body, KEY)


def test_a_batch_that_is_not_what_it_says_is_refused() -> None:
    """Positions outside those named, or a stream that is cut off."""
    for bad in (replace(BATCH, after=3), replace(BATCH, last=2), replace(BATCH, events=(EVENT, EVENT))):
        with pytest.raises(DataError, match="its positions"):
            unpacked(*packed(bad, KEY, 0), KEY)


def test_a_centre_elsewhere_is_reached_by_https_alone(tmp_path: Path) -> None:
    for url in ("http://centre.example.com", "ftp://127.0.0.1", "centre", "http://10.0.0.1:8190"):
        with pytest.raises(UsageError, match="no address of a centre"):
            _ = Route(url, "hq", tmp_path).address
    assert Route("http://127.0.0.1:8190/", "hq", tmp_path).address == "http://127.0.0.1:8190/ship"


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.write(tmp_path / "ship.key", KEY)
    assert keys.read(tmp_path / "ship.key") == KEY
    (tmp_path / "ship.key").chmod(0o640)
    with pytest.raises(DataError, match="can be read by others"):
        keys.read(tmp_path / "ship.key")


# -- the way


def lossy(chance: Random) -> Callable[[Sent], Sent]:
    """A way that loses batches, loses answers, and brings batches twice."""

    def way(sent: Sent) -> Sent:
        def take(headers: Mapping[str, str], body: bytes) -> ShipAnswer:
            luck = chance.random()
            if luck < 0.25:
                return ShipAnswer(HTTPStatus.BAD_GATEWAY)
            answer = sent(headers, body)
            if luck < 0.5:
                return ShipAnswer(HTTPStatus.GATEWAY_TIMEOUT)
            return sent(headers, body) if luck < 0.75 else answer

        return take

    return way


def test_1_a_lost_answer_and_a_batch_sent_twice_are_once(
    centre: Centre, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is lost or comes twice on the way, each row is there once and each call is charged once."""
    monkeypatch.setattr("ippbx_billing.ship.shipping.MOST_ROWS", 10)
    centre.add("hq", site)
    fill(site, records(30))
    with centre.shipper("hq", site, lossy(Random(7))) as shipper:
        pauses = [shipper.step(0.0) for _ in range(120)]
        assert shipper.waiting() == 0
    assert any(1 / 2 <= pause <= 1 for pause in pauses)  # the first pause, of which chance took up to half
    assert centre.asked(
        "SELECT count(*) AS rows, count(DISTINCT position) AS some, max(position) AS last FROM raw"
    ) == [(shipper.state.position,) * 3]
    centre.rate()
    assert at_centre(centre.dsn, "hq") == at_home(site)


def test_2_other_bytes_at_a_position_are_refused_and_an_incident(centre: Centre, site: Path) -> None:
    """Never overwritten; a site that goes on trying is one incident."""
    key = centre.add("hq", site)
    first = centre.collector.take(*packed(BATCH := Batch("hq", "e", 0, 3, (EVENT,)), key, 0))
    other = packed(replace(BATCH, events=(EVENT._replace(body=b"other"),)), key, 0)
    answers = [centre.collector.take(*other) for _ in range(2)]
    assert (first.told, [one.status for one in answers]) == ({"have": 3}, [HTTPStatus.CONFLICT] * 2)
    assert centre.asked("SELECT kind, position FROM incidents") == [("other-bytes", 3)]
    assert centre.asked("SELECT bytes FROM raw") == [(EVENT.framed(),)]


def test_3_a_restored_inbox_is_of_another_epoch(centre: Centre, site: Path, tmp_path: Path) -> None:
    """Its positions come again for other events: none is lost, and a call that came before is charged once."""
    from datetime import UTC, datetime

    centre.add("hq", site)
    fill(site, records(10))
    made = make(load(site), tmp_path / "backups", datetime(2026, 11, 1, tzinfo=UTC))
    fill(site, records(5, seed=2))
    centre.ship("hq", site)
    before = epochs.epoch(site / "inbox.db")
    restore(made.path, site, datetime(2026, 11, 2, tzinfo=UTC))
    fill(site, records(20, seed=3))
    centre.ship("hq", site)
    centre.rate()
    assert epochs.epoch(site / "inbox.db") != before
    assert centre.asked("SELECT ordinal FROM epochs ORDER BY 1") == [(1,), (2,)]
    assert sum(calls for calls, *_ in at_centre(centre.dsn, "hq").values()) == 35
    assert at_centre(centre.dsn, "hq") == at_centre(centre.dsn, "hq", "rollups")


@pytest.mark.parametrize("more", [0, 60])
def test_3_an_older_file_put_back_by_hand_is_noticed(centre: Centre, site: Path, tmp_path: Path, more: int) -> None:
    """By a position that went back, or by another event under an id that the centre has."""
    centre.add("hq", site)
    fill(site, records(5))
    shutil.copy(site / "inbox.db", tmp_path / "older.db")
    fill(site, records(5, seed=2))
    centre.ship("hq", site)
    for name in ("inbox.db-wal", "inbox.db-shm"):
        (site / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "older.db", site / "inbox.db")
    fill(site, records(more, seed=3))
    centre.ship("hq", site)
    centre.rate()
    assert centre.asked("SELECT count(*) FROM epochs") == [(2,)]
    assert sum(calls for calls, *_ in at_centre(centre.dsn, "hq").values()) == 10 + more


def test_4_positions_that_are_gone_are_a_gap(centre: Centre, site: Path) -> None:
    centre.add("hq", site)
    fill(site, [delivery(b"%d" % number) for number in range(8)])
    with sqlite3.connect(site / "inbox.db") as database:
        database.execute("DELETE FROM events WHERE id IN (1, 4, 5, 8)")
    assert centre.ship("hq", site) == 8
    assert centre.asked("SELECT first, last FROM gaps ORDER BY 1") == [(1, 1), (4, 5), (8, 8)]


def test_4_a_batch_beyond_the_edge_waits_for_what_is_before_it(centre: Centre, site: Path) -> None:
    key = centre.add("hq", site)
    answer = centre.collector.take(*packed(Batch("hq", "e", 2, 3, (EVENT,)), key, 0))
    assert (answer.told, centre.asked("SELECT count(*) FROM raw")) == ({"have": 0}, [(0,)])


def test_15_a_centre_that_is_down_is_a_pause(centre: Centre, site: Path) -> None:
    """The edge keeps what it has, and comes back when it was told to."""
    centre.add("hq", site)
    fill(site, records(3))
    down = ShipAnswer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "full"}, 30)
    with centre.shipper("hq", site, lambda sent: lambda headers, body: down) as shipper:
        assert 30 <= shipper.step(0.0) <= 31
        with pytest.raises(RefusedError, match="full"):
            shipper.drain()
    kept = state.load(site)
    assert (kept.problem, kept.position, kept.behind_since) == ("full", 0, 1793458800)


def test_18_a_stolen_revoked_or_foreign_key_brings_nothing(centre: Centre, site: Path) -> None:
    """A key opens its own site alone; one that is pinned begins no other inbox; one that is revoked is refused."""
    hq, shop = centre.add("hq", site), centre.add("shop", site)

    def status(batch: Batch, key: bytes) -> int:
        return centre.collector.take(*packed(batch, key, 0)).status

    good = Batch("hq", "e", 0, 3, (EVENT,))
    assert [status(good, shop), status(replace(good, site="nobody"), hq), status(good, KEY)] == [401] * 3
    assert status(good, hq) == 200
    with connected(centre.dsn) as connection:
        table = SiteTable(connection)
        table.pin_present("hq")
        assert [status(good, hq), status(replace(good, epoch="f"), hq)] == [200, 403]
        table.revoke("hq")
    assert status(good, hq) == 403
    assert centre.asked("SELECT kind FROM incidents") == [("other-epoch",)]


def test_20_a_centre_put_back_from_its_backup_is_sent_the_rest_again(centre: Centre, site: Path) -> None:
    """It says how far it is, and the edge begins there."""
    centre.add("hq", site)
    fill(site, records(10))
    last = centre.ship("hq", site)
    with connected(centre.dsn) as connection:
        connection.execute("DELETE FROM raw WHERE position > 7")
        connection.execute("UPDATE epochs SET edge = 7")
    fill(site, records(1, seed=2))
    assert centre.ship("hq", site) > last
    assert centre.asked("SELECT count(*) = max(position) FROM raw") == [(True,)]


# -- rating


def test_5_a_record_that_fails_three_times_is_set_aside(
    centre: Centre, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its reason; everything before and behind it is rated."""
    from ippbx_billing.centre import rating

    poison = b'{"poison": 1}'
    real = rating.write

    def write(ledger: Any, shelf: Any, understood: Any) -> None:
        if any(one.event.body == poison for one in understood):
            raise ValueError("poison")
        real(ledger, shelf, understood)

    monkeypatch.setattr(rating, "write", write)
    centre.add("hq", site)
    fill(site, [*records(10), delivery(poison), *records(10, seed=2)])
    centre.ship("hq", site)
    centre.rate()
    assert at_centre(centre.dsn, "hq") == at_home(site)
    ((reason, facts, tries),) = centre.asked("SELECT reason, reason_facts, tries FROM set_aside WHERE tries > 1")
    assert (reason, json.loads(facts)["error"], tries) == ("not-kept", "ValueError('poison')", 3)
    assert centre.asked("SELECT count(*) FROM attempts") == [(0,)]


def test_6_two_raters_never_hold_one_site(centre: Centre, site: Path) -> None:
    """While one is at a site, the other finds nothing there to do."""
    from ippbx_billing.centre.rating import Rater

    centre.add("hq", site)
    fill(site, records(3))
    centre.ship("hq", site)
    with connected(centre.dsn) as one, connected(centre.dsn) as two:
        with one.transaction():
            assert Rater(one, two, 0)._take() is not None
            assert Rater(two, one, 0)._take() is None
        assert Rater(two, one, 0)._take() is not None


def test_8_the_same_call_on_two_sites_is_two(centre: Centre, site: Path, tmp_path: Path) -> None:
    shop = Path(shutil.copytree(site, tmp_path / "shop"))
    for name, folder in (("hq", site), ("shop", shop)):
        centre.add(name, folder)
        fill(folder, records(10))
        epochs.renew(folder / "inbox.db")
        centre.ship(name, folder)
    centre.rate()
    assert at_centre(centre.dsn, "hq") == at_centre(centre.dsn, "shop") == at_home(site)


def test_16_a_tenant_sees_its_own_sites_alone(centre: Centre, site: Path, tmp_path: Path) -> None:
    """Row-level security, whatever is asked; of keys and books nothing at all."""
    import psycopg

    shop = Path(shutil.copytree(site, tmp_path / "shop"))
    for name, folder, tenant in (("hq", site, "acme"), ("shop", shop, "zeta")):
        centre.add(name, folder, tenant)
        fill(folder, records(5))
        centre.ship(name, folder)
    centre.rate()
    from ippbx_billing.centre.schema import SEEN

    with connected(centre.dsn, tenant="zeta") as connection:
        for table in ("sites", *SEEN):
            rows = connection.execute(f"SELECT DISTINCT site FROM {table}").fetchall()  # type: ignore[call-overload]
            assert [row["site"] for row in rows] in ([], ["shop"])
        assert connection.execute("SELECT DISTINCT site FROM calls").fetchall() == [{"site": "shop"}]
        for hidden in ("raw", "site_keys", "books"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {hidden}")  # type: ignore[call-overload]
