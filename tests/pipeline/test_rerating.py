"""Rating again: the same fees as for a live call, the earlier ones kept, nothing half done."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing.calls import Call, Direction, Disposition, LineKind, TrafficType
from ippbx_billing.language.reasons import english
from ippbx_billing.ledger import Ledger, RatedCall, reasons
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.pipeline import Rules, SiteRules, rerating
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.pipeline.rerating.deciding import Clock
from ippbx_billing.tariffs import (
    CallFilter,
    Carrier,
    DayOverride,
    Figures,
    HolidayCalendar,
    Price,
    TariffBook,
    Trunk,
    Window,
    spelling,
    standard,
)
from ippbx_billing.tariffs.prices import Tier

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TELECOM, UNICOM = "022-天津-电信", "022-天津-联通"
OCTOBER = Wanted(date(2026, 10, 1), date(2026, 10, 31))
MORNING = datetime(2026, 10, 13, 10, tzinfo=ZONE)
NIGHT = Window("daily", 0, 7 * 3600, Figures(6, 40_000, 6, 40_000))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as ledger:
        carriers, prices = standard("CN", "022", "天津")
        for carrier in carriers:
            ledger.book.add_carrier(carrier)
        ledger.book.add_prices(prices)
        ledger.book.put_trunk(Trunk("unicom", UNICOM))
        yield ledger


def rules_of(ledger: Ledger, outside_prefix: str = "9", zone: ZoneInfo = ZONE) -> Rules:
    """The rules as the ledger has them now."""
    days = {one.day: one.kind for one in ledger.rules.day_overrides()}
    book = ledger.book.tariff_book(HolidayCalendar("CN", days))
    site = SiteRules("CN", "022", zone, zone, "auto", outside_prefix, ("8XXX",))
    return Rules(site, {}, book, (), ledger.book.overrides(), None, ledger.rules.cleanups(), ledger.rules.filters())  # type: ignore[arg-type]


def talk(number: str, seconds: int, **changes: object) -> Call:
    call = Call(
        pbx="pbx-1",
        dialect="uc",
        started_at=MORNING.astimezone(UTC),
        billed_s=seconds,
        disposition=Disposition.ANSWERED,
        extension="8001",
        number=number,
        direction=Direction.OUTBOUND,
    )
    return replace(call, **changes)  # type: ignore[arg-type]


def put(ledger: Ledger, *calls: Call) -> None:
    """Into the ledger, rated as the pipeline does it."""
    rules = rules_of(ledger)
    first = ledger.connection.execute("SELECT count(*) FROM calls").fetchone()[0]
    rated = []
    for place, call in enumerate(calls):
        meaning = rules.classify(call)
        charge = rules.charge(call, meaning)
        start = rules.local_start(call)
        known = replace(call, record_id=f"{first}-{place}")
        rated.append(RatedCall(place, known, meaning, charge, start.date().isoformat(), "old", start.hour))
    with ledger.transaction():
        ledger.calls.add(rated)


def stored(ledger: Ledger) -> list[tuple[object, ...]]:
    columns = "id, status, fee_micro, carrier_id, price_id, window, reason, reason_facts"
    return [tuple(row) for row in ledger.connection.execute(f"SELECT {columns} FROM charges ORDER BY id")]


def expected(ledger: Ledger) -> list[tuple[object, ...]]:
    """What the rules that rate live calls say of every stored call."""
    rules, carriers = rules_of(ledger), ledger.calls.carrier_ids()
    found = []
    for row in ledger.connection.execute("SELECT * FROM calls ORDER BY id"):
        one = rules.charge(call_of(row), classification_of(row))
        carrier = carriers.get(one.carrier or "")
        reason = reasons.stored(one.reason)
        found.append((row["id"], one.status.value, one.fee_micro, carrier, one.price_id, one.window, *reason))
    return found


def fees(ledger: Ledger) -> list[int | None]:
    return [row[2] for row in stored(ledger)]  # type: ignore[misc]


def dearer(ledger: Ledger, traffic_type: TrafficType, step_micro: int = 10_000) -> None:
    """New versions in the place of the old."""
    old = [one for one in ledger.book.prices() if one.traffic_type is traffic_type]
    ledger.book.end_prices(one.id for one in old if one.id)
    more = [replace(one.figures, step_fee_micro=one.figures.step_fee_micro + step_micro) for one in old]
    ledger.book.add_prices(replace(one, id=None, figures=figures) for one, figures in zip(old, more, strict=True))


def rerate(ledger: Ledger, wanted: Wanted = OCTOBER) -> rerating.RerateOutcome:
    return Rerating(ledger, rules_of(ledger), wanted).run(NOW)


def test_a_new_price_reaches_the_calls_of_its_days(ledger: Ledger) -> None:
    """The domestic call costs more; the local one, and one of another month, stay as they are."""
    put(ledger, talk("902162345678", 80), talk("58674577", 64), talk("902162345678", 80, started_at=NOW))
    dearer(ledger, TrafficType.DOMESTIC)
    outcome = rerate(ledger)
    assert fees(ledger) == [1_110_000, 220_000, 980_000]
    assert (outcome.calls, outcome.changed, outcome.before_micro, outcome.after_micro) == (2, 1, 980_000, 1_110_000)


def test_a_preview_tells_the_difference_and_changes_nothing(ledger: Ledger) -> None:
    """By extension, before anything is done; the run then does exactly that."""
    put(ledger, talk("902162345678", 80), talk("902162345678", 6, extension="8002"), talk("58674577", 64))
    dearer(ledger, TrafficType.DOMESTIC)
    before = stored(ledger)
    preview = Rerating(ledger, rules_of(ledger), OCTOBER).preview()
    assert stored(ledger) == before
    assert {name: (one.calls, one.after_micro - one.before_micro) for name, one in preview.items()} == {
        "8001": (1, 130_000),
        "8002": (1, 0),
    }
    assert rerate(ledger).changed == 2
    assert Rerating(ledger, rules_of(ledger), OCTOBER).preview() == {}


def test_calls_without_talk_are_told_apart_by_direction(ledger: Ledger) -> None:
    """Of two kinds that cost the same with talk, one belongs to a carrier without talk and the other to none."""
    put(ledger, talk("902162345678", 0, direction=Direction.INTERNAL), talk("8002", 0))
    rerate(ledger)
    assert stored(ledger) == expected(ledger)
    assert [row[3] is None for row in stored(ledger)] == [True, False]


def test_earlier_charges_stay_in_the_history(ledger: Ledger) -> None:
    """Oldest first, one for each run that changed the call; a run that changes nothing leaves no trace."""
    put(ledger, talk("902162345678", 80), talk("58674577", 64))
    for step_micro in (10_000, 20_000):
        dearer(ledger, TrafficType.DOMESTIC, step_micro)
        rerate(ledger)
    rerate(ledger)
    assert [(row["fee_micro"], row["status"], row["carrier"]) for row in ledger.rerates.history(1)] == [
        (980_000, "rated", TELECOM),
        (1_110_000, "rated", TELECOM),
    ]
    assert ledger.rerates.history(2) == []
    assert ledger.connection.execute("SELECT count(*) FROM rerate_runs").fetchone()[0] == 2


def test_old_calls_keep_the_price_of_their_day(ledger: Ledger) -> None:
    """A version that begins on the fifteenth is for the calls from then on, in one run over the month."""
    early, late = (
        talk("902162345678", 6),
        talk("902162345678", 6, started_at=MORNING.astimezone(UTC) + timedelta(days=9)),
    )
    put(ledger, late, early, late)
    ledger.book.add_prices(
        [Price(None, TELECOM, TrafficType.DOMESTIC, Figures(6, 50_000, 6, 50_000), date(2026, 10, 15))]
    )
    assert rerate(ledger).changed == 2
    assert fees(ledger) == [50_000, 70_000, 50_000]


def test_the_days_are_those_of_the_clock_of_today(ledger: Ledger) -> None:
    """A site set its time zone anew: the calls of its October are found, though they were stored under other days."""
    starts = [datetime(2026, 10, 1, 2, tzinfo=ZONE), datetime(2026, 11, 1, 2, tzinfo=ZONE)]
    put(ledger, *[talk("902162345678", 80, started_at=start.astimezone(UTC)) for start in starts])
    dearer(ledger, TrafficType.DOMESTIC)
    moved = rules_of(ledger, zone=ZoneInfo("America/New_York"))
    assert Rerating(ledger, moved, OCTOBER).run(NOW).changed == 1
    assert fees(ledger) == [560_000, 1_110_000]  # the night price, as before, and the new one of two in the afternoon


def test_only_the_wanted_calls_are_touched(ledger: Ledger) -> None:
    """By traffic type and by carrier."""
    put(ledger, talk("902162345678", 6), talk("902162345678", 6, trunk="unicom"), talk("58674577", 240))
    for kind in TrafficType:
        dearer(ledger, kind)
    assert Rerating(ledger, rules_of(ledger), replace(OCTOBER, traffic_type=TrafficType.LOCAL)).run(NOW).changed == 1
    wanted = replace(OCTOBER, carrier=UNICOM)
    assert Rerating(ledger, rules_of(ledger), wanted).run(NOW).changed == 1
    assert [row["fee_micro"] for row in ledger.rerates.history(1)] == []
    assert len(ledger.rerates.history(2)) == len(ledger.rerates.history(3)) == 1


def test_filters_and_days_off_reach_earlier_calls(ledger: Ledger) -> None:
    """A call filter by extension takes calls off the bill, and brings them back when it is gone."""
    put(ledger, talk("58674577", 64), talk("58674577", 64, extension="8077"), talk("13820000000", 4, twin="leg B"))
    kept = ledger.rules.add_filter(CallFilter(None, extension="807X"))
    assert rerate(ledger).changed == 1
    assert [row[1] for row in stored(ledger)] == ["rated", "filtered", "filtered"]
    assert stored(ledger)[1][6:] == ("left-out", f'{{"filter":{kept.id},"extension":"807X"}}')
    ledger.rules.remove_filter(kept.id or 0)
    ledger.rules.put_days([DayOverride(MORNING.date(), "holiday")])
    ledger.book.add_prices(
        [
            Price(
                None,
                TELECOM,
                TrafficType.LOCAL,
                Figures(180, 220_000, 60, 110_000),
                date(2026, 10, 1),
                line_kind=LineKind.FIXED,
                windows=(Window("holiday", 0, 0, Figures(60, 10_000, 60, 10_000)),),
            )
        ]
    )
    assert rerate(ledger).changed == 2
    assert fees(ledger) == [20_000, 20_000, 0]


def test_calls_that_had_no_price_get_one(ledger: Ledger) -> None:
    """The preview counts those that were unrated and those that stay so."""
    put(ledger, talk("11185", 60), talk("116114", 60), talk("", 60))
    ledger.book.add_prices(
        [Price(None, TELECOM, TrafficType.OTHER, Figures(60, 100_000, 60, 100_000), date(2026, 1, 1), match="pattern",
               value="111XX")]
    )  # fmt: skip
    (difference,) = Rerating(ledger, rules_of(ledger), OCTOBER).preview().values()
    assert (difference.calls, difference.unrated_before, difference.unrated_after) == (1, 1, 0)
    rerate(ledger)
    assert fees(ledger) == [100_000, None, None]
    assert '"match":"number","value":"116114"' in str(stored(ledger)[1][7])


def test_a_price_of_another_type_that_names_the_area_is_found_as_for_a_live_call(ledger: Ledger) -> None:
    """Of a kind of calls is known whether they have a full number, by which alone such a price is found."""
    ledger.book.end_prices(one.id for one in ledger.book.prices() if one.id and one.carrier == TELECOM)
    put(ledger, talk("902162345678", 60), talk("95588", 60))
    figures = Figures(60, 100_000, 60, 100_000)
    row = Price(None, TELECOM, TrafficType.LOCAL, figures, date(2026, 1, 1), match="area", value="021")
    ledger.book.add_prices([row])
    assert rerate(ledger).priced == 1
    assert [charge[2] for charge in stored(ledger)] == [100_000, None]
    assert stored(ledger) == expected(ledger)


def test_a_list_for_abroad_leaves_calls_at_home_to_their_kind(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only calls whose number begins as some full number of the list are looked at one by one."""
    put(ledger, talk("902162345678", 60), talk("00447123456789", 60), talk("00862162345678", 60))
    figures = Figures(60, 100_000, 60, 100_000)
    row = Price(None, TELECOM, TrafficType.INTERNATIONAL, figures, date(2026, 1, 1), match="prefix", value="447")
    ledger.book.add_prices([row])
    asked: list[int] = []
    digits = ledger.rerates.digits
    monkeypatch.setattr(ledger.rerates, "digits", lambda ids: asked.extend(ids) or digits(ids))
    assert rerate(ledger).changed == 1
    assert asked == [2]
    assert stored(ledger) == expected(ledger)


def test_numbers_are_looked_up_again_only_when_asked_to(ledger: Ledger) -> None:
    """A correction of a prefix changes old calls with `reclassify` alone; the old meaning stays in the history."""
    from ippbx_billing.numbering import Override

    put(ledger, talk("902162345678", 80), talk("58674577", 64))
    ledger.book.put_override(Override(prefix="02162", traffic_type=TrafficType.LOCAL))
    assert rerate(ledger).changed == 0
    wanted = replace(OCTOBER, reclassify=True)
    preview = Rerating(ledger, rules_of(ledger), wanted).preview()
    assert {name: one.calls for name, one in preview.items()} == {"8001": 1}
    assert Rerating(ledger, rules_of(ledger), wanted).run(NOW).changed == 1
    row = ledger.calls.get(1)
    assert row is not None
    assert (row["traffic_type"], row["fee_micro"]) == ("local", 220_000)
    assert row["data_version"] == rules_of(ledger).data_version
    (earlier,) = ledger.rerates.history(1)
    assert json.loads(earlier["meaning"])["traffic_type"] == "domestic"
    assert stored(ledger) == expected(ledger)
    assert rerate(ledger).changed == 0


def test_sentences_that_an_earlier_release_kept_are_no_other_meaning(ledger: Ledger) -> None:
    """What a number is was a sentence once: looked up again such calls mean the same, and another sentence does not."""
    put(ledger, talk("902162345678", 80), talk("913800138000", 64))
    rows = [row for number in (1, 2) if (row := ledger.calls.get(number))]
    sentences = [(english(reasons.loaded_why(row["why"])), row["id"]) for row in rows]
    assert sentences[0] == ("area code 021 is Shanghai; outside the home area 022", 1)
    with ledger.connection:
        ledger.connection.executemany("UPDATE calls SET why = ? WHERE id = ?", sentences)
    wanted = replace(OCTOBER, reclassify=True)
    assert Rerating(ledger, rules_of(ledger), wanted).run(NOW).changed == 0
    with ledger.connection:
        ledger.connection.execute("UPDATE calls SET why = 'area code 021 is Nanjing' WHERE id = 1")
    assert Rerating(ledger, rules_of(ledger), wanted).run(NOW).changed == 1
    row = ledger.calls.get(1)
    assert row is not None
    assert json.loads(row["why"])[0] == "area-code"


# --- Whatever the tariff, the same as for a live call ----------------------------------------------------------------

numbers = st.sampled_from(
    ["902162345678", "58674577", "913820000000", "00447123456789", "0018082345678", "10086", "95588", "110", "8002",
     "4006001234", "1795102162345678", "19302162345678", "0085223456789", "", "anonymous", "16812345", "00862162345678"]
)  # fmt: skip
moments = st.one_of(
    st.integers(0, 31 * 86_400 - 1),
    st.builds(lambda day, second: day * 86_400 + second, st.integers(0, 30), st.sampled_from([25_199, 25_200, 86_399])),
)
calls_any = st.builds(
    lambda number, seconds, at, disposition, trunk, direction, extension, did, twin: talk(
        number,
        seconds if disposition is Disposition.ANSWERED else 0,
        started_at=datetime(2026, 9, 30, 16, tzinfo=UTC) + timedelta(seconds=at),
        disposition=disposition,
        trunk=trunk,
        direction=direction,
        extension=extension,
        did=did,
        twin=twin,
    ),
    numbers,
    st.one_of(st.integers(0, 400), st.sampled_from([-5, 0, 86_400, 10**9])),
    moments,
    st.sampled_from([Disposition.ANSWERED, Disposition.ANSWERED, Disposition.NO_ANSWER]),
    st.sampled_from([None, "unicom", "nobody's"]),
    st.sampled_from([Direction.OUTBOUND, Direction.OUTBOUND, Direction.INBOUND, Direction.INTERNAL, None]),
    st.sampled_from([None, "8001", "8077"]),
    st.sampled_from([None, "4006001234"]),
    st.sampled_from([None, None, "leg B of another record"]),
).flatmap(
    lambda call: st.sampled_from(
        [call, replace(call, billed_ms=call.billed_s * 1000 - 500)] if 0 < call.billed_s < 10**6 else [call]
    )
)
tiers_any = st.sampled_from([(), (), (Tier(130, 10, 5_000),), (Tier(120, 0, 70_000), Tier(200, 60, 100_000, 60))])
figures_any = st.builds(
    Figures,
    st.integers(0, 120),
    st.integers(0, 900_000),
    st.integers(0, 90),
    st.integers(0, 900_000),
    tiers=tiers_any,
    counting=st.sampled_from(["begun", "completed"]),
    step_decimals=st.sampled_from([None, 2]),
)
windows_any = st.builds(
    Window,
    st.sampled_from(["daily", "weekend", "holiday"]),
    st.sampled_from([0, 7 * 3600, 22 * 3600 + 90]),
    st.sampled_from([0, 7 * 3600, 12 * 3600]),
    figures_any,
    days=st.sampled_from([(), (), (2, 7)]),
    dates=st.sampled_from([(), (), spelling.dates("10-13..10-20")]),
    minutes=st.sampled_from([(), (), (0, 1, 30)]),
)
destinations = st.sampled_from(
    [("any", ""), ("area", "021"), ("prefix", "1808"), ("prefix", "4471"), ("pattern", "100XX"), ("country", "GB"),
     ("called", "400N"), ("pattern", "0216N"), ("prefix", "+8621"), ("prefix", "+852"), ("area", "022")]
)  # fmt: skip
prices_any = st.builds(
    lambda destination, **rest: Price(None, match=destination[0], value=destination[1], **rest),
    destinations,
    carrier=st.sampled_from([TELECOM, UNICOM]),
    traffic_type=st.sampled_from(TrafficType),
    figures=figures_any,
    effective_from=st.sampled_from([date(2026, 1, 1), date(2026, 10, 10), date(2026, 10, 20)]),
    direction=st.sampled_from([Direction.OUTBOUND, Direction.OUTBOUND, Direction.INBOUND]),
    line_kind=st.sampled_from([None, None, LineKind.FIXED]),
    free_s=st.sampled_from([0, 0, 30]),
    add_local=st.booleans(),
    windows=st.lists(windows_any, max_size=2).map(tuple),
    grace_s=st.sampled_from([0, 0, 40]),
    maximum_fee_micro=st.sampled_from([0, 0, 2_000_000]),
    decimals=st.sampled_from([None, None, 1]),
    rounding=st.sampled_from([None, "up"]),
)
filters_any = st.builds(
    CallFilter,
    st.none(),
    st.sampled_from([None, Direction.INBOUND]),
    st.sampled_from([None, "807X"]),
    st.sampled_from([None, "10086", "N", "X"]),
    st.sampled_from(["unicom", "N"]),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(calls_any, min_size=1, max_size=25),
    prices=st.lists(prices_any, max_size=8),
    filters=st.lists(filters_any, max_size=2),
    rounded=st.fixed_dictionaries(
        {
            "crossing": st.sampled_from(["start", "split", "step"]),
            "part_second": st.sampled_from(["up", "up", "down", "exact"]),
            "tax_micro": st.sampled_from([0, 60_000]),
            "rounding": st.sampled_from(["half_up", "down"]),
        }
    ),
    at_once=st.sampled_from([1, 7, 1000]),
    usual=st.booleans(),
)
def test_every_call_is_charged_as_if_it_came_today(
    tmp_path: Path,
    calls: list[Call],
    prices: list[Price],
    filters: list[CallFilter],
    rounded: dict[str, object],
    at_once: int,
    usual: bool,
) -> None:
    """By new prices beside or without the usual ones, versions, windows, filters, rounding; the preview had said so."""
    path = tmp_path / "any.db"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with Ledger(path) as ledger, pytest.MonkeyPatch.context() as patch:
        patch.setattr(rerating, "CALLS_AT_ONCE", at_once)
        for name in (TELECOM, UNICOM):
            ledger.book.add_carrier(Carrier(name, "022", "天津", name[-2:], default=name == TELECOM))
        ledger.book.put_trunk(Trunk("unicom", UNICOM))
        every = standard("CN", "022", "天津")[1] if usual else ()
        ledger.book.add_prices(one for one in every if one.carrier in (TELECOM, UNICOM))
        put(ledger, *calls)
        ledger.book.add_prices(prices)
        ledger.book.change_carrier(TELECOM, decimals=3, **rounded)
        for one in filters:
            ledger.rules.add_filter(one)
        before = fees(ledger)
        preview = Rerating(ledger, rules_of(ledger), OCTOBER).preview()
        outcome = rerate(ledger)
        assert stored(ledger) == expected(ledger)
        assert sum(one.calls for one in preview.values()) == outcome.changed
        difference = sum(one.after_micro - one.before_micro for one in preview.values())
        assert difference == sum(fee or 0 for fee in fees(ledger)) - sum(fee or 0 for fee in before)
        kept = ledger.connection.execute("SELECT call_id, fee_micro FROM charge_history").fetchall()
        assert all(before[row["call_id"] - 1] == row["fee_micro"] for row in kept)
        assert len(kept) == outcome.changed
        assert rerate(ledger).changed == 0


@pytest.mark.parametrize("night", [date(2026, 10, 25), date(2027, 3, 28), date(2026, 11, 4)])
@pytest.mark.parametrize("crossing", ["split", "start", "step"])
def test_a_window_is_remembered_no_longer_than_it_lasts(night: date, crossing: str) -> None:
    """Asked in any order, also in the nights in which the clocks are put: the same as asked for the first time."""
    zone = ZoneInfo("Europe/Berlin")
    rules = Rules(
        SiteRules("DE", "030", zone, zone, "auto", "9", ()), {}, TariffBook((), (), (), HolidayCalendar("DE"))
    )  # type: ignore[arg-type]
    carrier = Carrier(TELECOM, "030", "Berlin", "", crossing=crossing)  # type: ignore[arg-type]
    windows = (NIGHT, replace(NIGHT, kind="weekend", start_s=0, end_s=0))
    figures = Figures(60, 100_000, 60, 100_000)
    price = Price(None, TELECOM, TrafficType.LOCAL, figures, date(2026, 1, 1), windows=windows)
    remembering, begin = Clock(carrier, price, rules), int(datetime(*night.timetuple()[:3], tzinfo=UTC).timestamp())
    for number in range(600):
        start = begin + number * 997 % 172_800 - 86_400
        assert remembering.window(start, 3_000) == Clock(carrier, price, rules).window(start, 3_000)


# --- While others work ----------------------------------------------------------------------------------------------


def test_memory_stays_bounded_by_forgetting(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two charges only, the run is slower and just as right."""
    put(ledger, *[talk("902162345678", seconds) for seconds in range(1, 60)])
    dearer(ledger, TrafficType.DOMESTIC)
    monkeypatch.setattr(rerating, "MOST_FEES", 2)
    monkeypatch.setattr(rerating, "CALLS_AT_ONCE", 10)
    assert rerate(ledger).changed == 59
    assert stored(ledger) == expected(ledger)


def test_others_write_between_the_stretches(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is held for a stretch at a time: another connection comes to its turn while the run goes on."""
    put(ledger, *[talk("902162345678", seconds) for seconds in range(1, 40)])
    dearer(ledger, TrafficType.DOMESTIC)
    monkeypatch.setattr(rerating, "CALLS_AT_ONCE", 10)
    turns = []

    def write_too(done: int, total: int) -> None:
        with Ledger(ledger.path) as other:
            other.connection.execute("PRAGMA busy_timeout = 0")
            if done < total:
                other.journey.advance(done)
                turns.append(done)

    Rerating(ledger, rules_of(ledger), OCTOBER, write_too).run(NOW)
    assert turns == [10, 20, 30]
    assert stored(ledger) == expected(ledger)


def test_an_interrupted_run_is_run_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done stays done with its history, the next run does the rest, and nothing is charged twice."""
    put(ledger, *[talk("902162345678", 60 + seconds) for seconds in range(40)])
    dearer(ledger, TrafficType.DOMESTIC)
    monkeypatch.setattr(rerating, "CALLS_AT_ONCE", 10)

    def stop(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Rerating(ledger, rules_of(ledger), OCTOBER, stop).run(NOW)
    changed = sum(a != b for a, b in zip(stored(ledger), expected(ledger), strict=True))
    assert changed == 20
    assert rerate(ledger).changed == 20
    assert stored(ledger) == expected(ledger)
    assert all(len(ledger.rerates.history(number)) == 1 for number in range(1, 41))


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
def test_a_killed_run_leaves_a_sound_ledger(ledger: Ledger) -> None:
    """SIGKILL in the middle: every charge is the old one or the new one, and the next run completes it.

    The run tells each stretch and waits for a word; after five it gets one more and is killed, wherever it is then.
    """
    put(ledger, *[talk("902162345678", 60 + number % 500) for number in range(3_000)])
    dearer(ledger, TrafficType.DOMESTIC)
    before, after = dict(enumerate(fees(ledger), 1)), {row[0]: row[2] for row in expected(ledger)}
    script = (
        "import sys; from pathlib import Path; from tests.pipeline.test_rerating import *\n"
        "rerating.CALLS_AT_ONCE = 100\n"
        "with Ledger(Path(sys.argv[1])) as ledger:\n"
        "    slow = lambda done, total: (print(done, flush=True), sys.stdin.readline())\n"
        "    Rerating(ledger, rules_of(ledger), OCTOBER, slow).run(NOW)\n"
    )
    command = [sys.executable, "-c", script, str(ledger.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
            process.stdin.write("on\n")
        time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    now = dict(enumerate(fees(ledger), 1))
    assert all(now[one] in (before[one], after[one]) for one in now)
    assert {one for one in now if now[one] != before[one]} == {
        row[0] for row in ledger.connection.execute("SELECT DISTINCT call_id FROM charge_history")
    }
    assert 0 < rerate(ledger).changed < 3_000
    assert stored(ledger) == expected(ledger)
