"""The ledger: calls beside charges, a book that people edit, a journey that moves with the calls."""

import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ippbx_billing.calls import (
    Call,
    CallStatus,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    EventKind,
    EventStatus,
    LineKind,
    Phase,
    RawEvent,
    Reason,
    TrafficType,
)
from ippbx_billing.errors import BillingError, DataError, NotFoundError, UsageError
from ippbx_billing.ledger import Ledger, RatedCall
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.numbering import Override
from ippbx_billing.tariffs import Carrier, Figures, HolidayCalendar, Price, Trunk, Window

START = datetime(2026, 10, 1, 1, 30, tzinfo=UTC)
TELECOM = Carrier("022-天津-电信", "022", "天津", "电信", True)
NIGHT = Window("daily", 0, 7 * 3600, Figures(6, 40_000, 6, 40_000))
DOMESTIC = Price(
    None,
    TELECOM.name,
    TrafficType.DOMESTIC,
    Figures(6, 70_000, 6, 70_000),
    date(2026, 1, 1),
    windows=(NIGHT,),
    note="x",
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.book.add_carrier(TELECOM)
        yield ledger


def rated(**changes: object) -> RatedCall:
    call = Call(
        pbx="pbx-1",
        dialect="uc",
        started_at=START,
        billed_s=80,
        disposition=Disposition.ANSWERED,
        caller="8001",
        callee="902162345678",
        extension="8001",
        number="902162345678",
        direction=Direction.OUTBOUND,
        duration_s=90,
        answered_at=START + timedelta(seconds=10),
        ended_at=START + timedelta(seconds=90),
        notes=(Reason("past-midnight"),),
    )
    meaning = Classification(
        number="902162345678",
        normalized="02162345678",
        traffic_type=TrafficType.DOMESTIC,
        line_kind=LineKind.FIXED,
        country="CN",
        region="上海",
        place="上海",
        area_code="021",
        rule="area-code",
        why=Reason("area-code", {"area_code": "021", "place": "上海", "place_en": "Shanghai"}),
    )
    charge = Charge(status=ChargeStatus.RATED, fee_micro=980_000, carrier=TELECOM.name, price_id=1)
    return RatedCall(7, replace(call, **changes), meaning, charge, "2026-10-01", "test", 0)  # type: ignore[arg-type]


def test_a_call_comes_back_as_it_went_in(ledger: Ledger) -> None:
    """Facts, meaning and charge survive the file."""
    one = rated()
    with ledger.transaction():
        ledger.calls.add([one])
    row = ledger.calls.get(1)
    assert row is not None
    assert call_of(row) == one.call
    assert classification_of(row) == one.classification
    assert (row["status"], row["fee_micro"], row["event_id"], row["day"]) == ("rated", 980_000, 7, "2026-10-01")


def test_a_record_is_known_again_by_its_key(ledger: Ledger) -> None:
    """Within one PBX the record's id decides, without one the facts; another PBX is another call."""
    with ledger.transaction():
        ledger.calls.add([rated(record_id="5"), rated()])
    same_id = rated(record_id="5", billed_s=81)
    assert set(ledger.calls.known([same_id.key, rated().key])) == {same_id.key, rated().key}
    assert ledger.calls.known([rated(billed_s=81).key, rated(pbx="pbx-2").key, rated(record_id="6").key]) == {}


def test_forgetting_an_event_takes_its_calls_and_charges(ledger: Ledger) -> None:
    """A replay begins with a clean place."""
    with ledger.transaction():
        ledger.calls.add([rated()])
        ledger.calls.forget_events([7])
    assert ledger.calls.get(1) is None
    assert ledger.connection.execute("SELECT count(*) FROM charges").fetchone()[0] == 0


def test_position_and_calls_move_together(ledger: Ledger) -> None:
    """What fails half-way leaves neither a call nor a position."""

    def fail_half_way() -> None:
        with ledger.transaction():
            ledger.calls.add([rated()])
            ledger.journey.advance(9)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert ledger.journey.position() == 0
    assert ledger.calls.get(1) is None


def test_the_book_gives_back_what_was_put_in(ledger: Ledger) -> None:
    """Carriers, trunks, prices with windows and overrides."""
    ledger.book.put_trunk(Trunk("main", TELECOM.name, "02258674500", "0"))
    (price_id,) = ledger.book.add_prices([DOMESTIC])
    override = Override(prefix="0225867", place="滨海", traffic_type=TrafficType.LOCAL)
    ledger.book.put_override(override)
    assert ledger.book.carriers() == [TELECOM]
    assert ledger.book.trunks() == [Trunk("main", TELECOM.name, "02258674500", "0")]
    assert ledger.book.prices() == [replace(DOMESTIC, id=price_id)]
    assert ledger.book.price(price_id) == replace(DOMESTIC, id=price_id)
    assert ledger.book.overrides() == [override]
    assert ledger.book.tariff_book(HolidayCalendar("CN")).carrier_for("main") == TELECOM


def test_one_carrier_is_the_default(ledger: Ledger) -> None:
    """A new default takes the place of the old one."""
    ledger.book.add_carrier(Carrier("022-天津-联通", "022", "天津", "联通", True))
    assert [one.name for one in ledger.book.carriers() if one.default] == ["022-天津-联通"]


def test_a_carrier_in_use_is_not_lost(ledger: Ledger) -> None:
    """The default and a trunk's carrier stay; one with rated calls is only taken out of use, its price rows too."""
    other = Carrier("022-天津-联通", "022", "天津", "联通")
    ledger.book.add_carrier(other)
    (price_id,) = ledger.book.add_prices([replace(DOMESTIC, carrier=other.name)])
    with pytest.raises(BillingError, match="default carrier"):
        ledger.book.remove_carrier(TELECOM.name)
    ledger.book.put_trunk(Trunk("t1", other.name))
    with pytest.raises(BillingError, match="trunk t1"):
        ledger.book.remove_carrier(other.name)
    ledger.book.remove_trunk("t1")
    charge = Charge(status=ChargeStatus.RATED, fee_micro=1, carrier=other.name, price_id=price_id)
    with ledger.transaction():
        ledger.calls.add([replace(rated(), charge=charge)])
    ledger.book.remove_carrier(other.name)
    assert [one.name for one in ledger.book.carriers()] == [TELECOM.name]
    assert ledger.book.prices() == []
    assert ledger.book.price(price_id) is not None
    ledger.book.add_carrier(other)  # the name is free again


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda book: book.carrier("x"), NotFoundError, "there is no carrier x"),
        (lambda book: book.add_carrier(TELECOM), UsageError, "already a carrier"),
        (lambda book: book.remove_trunk("x"), NotFoundError, "there is no trunk x"),
        (lambda book: book.remove_override("x"), NotFoundError, "there is no override of x"),
        (lambda book: book.put_trunk(Trunk("t", "nobody")), NotFoundError, "there is no carrier nobody"),
    ],
)
def test_what_is_not_there_is_named(ledger: Ledger, action, error: type[BillingError], message: str) -> None:  # type: ignore[no-untyped-def]
    """A sentence, and a hint that says what there is."""
    with pytest.raises(error, match=message) as caught:
        action(ledger.book)
    assert caught.value.hint


def test_others_edits_are_noticed(ledger: Ledger) -> None:
    """The pipeline asks this number whether its rules are still those of the ledger."""
    before = ledger.changed_by_others()
    with Ledger(ledger.path) as other:
        other.book.put_override(Override(prefix="0225867", place="滨海"))
    assert ledger.changed_by_others() != before


def event(number: int, second: int) -> RawEvent:
    at = START + timedelta(seconds=second)
    return RawEvent(number, at, EventKind.STATUS, "192.168.6.169", "POST", "/", "", "", b"")


def state(word: str, phase: Phase | None, **more: str) -> CallStatus:
    return CallStatus(pbx="p", dialect="uc", state=word, phase=phase, **{"call_id": "c1", **more})  # type: ignore[arg-type]


def test_a_live_call_goes_forward_only(ledger: Ledger) -> None:
    """Ringing, talking, ended; a late ring revives nothing, and what one event leaves out another may tell."""
    steps = [state("ring", Phase.RINGING, caller="13800138000"), state("answer", Phase.TALKING, extension="8001")]
    for number, step in enumerate(steps):
        ledger.journey.follow(event(number, number), step)
    ledger.journey.follow(event(2, 2), state("ring", Phase.RINGING))
    (live,) = ledger.journey.live(START)
    assert (live.phase, live.caller, live.extension) == (Phase.TALKING, "13800138000", "8001")
    assert live.answered_at == START + timedelta(seconds=1)
    ledger.journey.follow(event(3, 60), state("bye", Phase.ENDED))
    ledger.journey.follow(event(4, 61), state("answer", Phase.TALKING))
    assert [one.phase for one in ledger.journey.live(START)] == [Phase.ENDED]
    ledger.journey.follow(event(5, 62), state("idle", None))
    assert len(ledger.journey.live(START)) == 1


def test_outcomes_say_what_is_not_plainly_done(ledger: Ledger) -> None:
    """A done event without a reason needs no row; a later outcome replaces the earlier one."""
    ledger.journey.record(1, EventStatus.DONE, Reason())
    ledger.journey.record(2, EventStatus.REJECTED, Reason("not-xml"))
    ledger.journey.record(3, EventStatus.REJECTED, Reason("not-xml"))
    ledger.journey.record(3, EventStatus.DONE, Reason())
    assert ledger.journey.outcomes([1, 2, 3]) == {2: (EventStatus.REJECTED, Reason("not-xml"))}
    assert ledger.journey.events_with(EventStatus.REJECTED) == [2]


def test_the_file_is_its_owners_only(ledger: Ledger) -> None:
    """Who called whom is nobody else's business."""
    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_a_newer_or_broken_file_is_refused_in_words(tmp_path: Path) -> None:
    """Neither is touched."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="newer ippbx-bill"):
        Ledger(path)
    path.write_bytes(b"this is not a database, but it is long enough to look like one" * 20)
    with pytest.raises(DataError, match="cannot be used"):
        Ledger(path)
