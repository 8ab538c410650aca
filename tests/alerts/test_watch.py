"""Each rule by itself: when it speaks, and when it must not."""

import random
from datetime import date, datetime, timedelta

import pytest

from ippbx_billing.alerts import RULES, Config, Exception_, History, Hours, LiveFact, Severity, day_history
from ippbx_billing.alerts.history import PastCall, most_at_once
from ippbx_billing.alerts.rules import checked
from ippbx_billing.calls import ChargeStatus, Direction, TrafficType
from tests.alerts.calls import ZONE, Site, at, call, days, usual

INTL = {"traffic": TrafficType.INTERNATIONAL, "country": "US", "number": "0012125550100"}


def rules_of(found: list) -> list[str]:  # type: ignore[type-arg]
    return [one.rule for one in found]


def test_a_burst_speaks_at_its_floor_and_counts_ten_minutes_only() -> None:
    """The twentieth call within ten minutes, not the twentieth of the day."""
    site, start = Site(history=usual()), at("2026-11-03 10:00")
    for number in range(40):  # every 40 s: 15 in ten minutes
        assert site.hear(call(start + timedelta(seconds=40 * number))) == []
    quick = at("2026-11-03 15:00")
    said = [site.hear(call(quick + timedelta(seconds=10 * number), 5)) for number in range(20)]
    assert [rules_of(one) for one in said] == [[]] * 19 + [["burst"]]
    (found,) = said[19]
    assert (found.object, found.severity, found.reason.facts["calls"]) == ("8001", Severity.CRITICAL, 20)


def test_a_burst_goes_by_the_extensions_own_past() -> None:
    """A call centre that makes 30 calls in ten minutes every day may make a hundred before somebody is called."""
    site, start = Site(history=usual(burst={"8001": 30})), at("2026-11-03 10:00")
    said = [rules_of(site.hear(call(start + timedelta(seconds=number), 1))) for number in range(130)]
    assert said.index(["burst"]) == 119
    young = Site(history=History(days=13, burst={"8001": 30}, countries={"CN"}))  # too little past: the floor alone
    said = [rules_of(young.hear(call(start + timedelta(seconds=number), 1))) for number in range(20)]
    assert said.index(["burst"]) == 19


def test_twins_inbound_and_internal_calls_are_no_burst() -> None:
    """What is not billed, comes in or stays in the house counts for nothing."""
    site, start = Site(history=usual()), at("2026-11-03 10:00")
    for number in range(60):
        when = start + timedelta(seconds=number)
        assert site.hear(call(when, 1, status=ChargeStatus.FILTERED)) == []
        assert site.hear(call(when, 1, direction=Direction.INBOUND)) == []
        assert site.hear(call(when, 1, traffic=TrafficType.INTERNAL)) == []


def test_a_run_to_one_prefix_ends_with_another_number() -> None:
    """Ten in a row; one call elsewhere begins anew."""
    site, start = Site(history=usual()), at("2026-11-03 10:00")
    numbers = ["13900001234"] * 9 + ["02161234567"] + ["13900001234"] * 10
    said = [rules_of(site.hear(call(start + timedelta(minutes=2 * n), 5, number=one))) for n, one in enumerate(numbers)]
    assert said == [[]] * 19 + [["same-prefix-run"]]


def test_far_calls_at_night_warn_and_then_wake() -> None:
    """One is a warning, the third within an hour is critical, and so are thirty minutes of talk."""
    site = Site(history=usual())
    assert site.hear(call(at("2026-11-03 14:00"), **INTL)) == []
    one = site.hear(call(at("2026-11-03 23:00"), **INTL))
    assert [(f.rule, f.severity) for f in one] == [("after-hours-intl", Severity.WARNING)]
    site.hear(call(at("2026-11-03 23:10"), **INTL))
    (third,) = site.hear(call(at("2026-11-03 23:20"), **INTL))
    assert third.severity is Severity.CRITICAL
    (long,) = Site(history=usual()).hear(call(at("2026-11-04 01:00"), 1_800, **INTL))
    assert (long.severity, long.reason.facts["minutes"]) == (Severity.CRITICAL, 30)


@pytest.mark.parametrize(
    ("moment", "speaks"),
    [
        ("2026-11-07 11:00", True),  # a Saturday
        ("2026-10-10 11:00", False),  # a Saturday that makes up for the national holiday
        ("2026-10-01 11:00", True),  # the holiday
        ("2026-11-03 08:59", True),
        ("2026-11-03 09:00", False),
        ("2026-11-03 18:00", True),
    ],
)
def test_working_hours_follow_the_calendar(moment: str, speaks: bool) -> None:
    """Holidays are not working days, make-up Saturdays are."""
    assert bool(Site(history=usual()).hear(call(at(moment), **INTL))) is speaks


def test_late_and_imported_calls_raise_nothing() -> None:
    """A record that comes three hours after its end is history; it says so by its delay alone."""
    site = Site(history=usual())
    assert site.hear(call(at("2026-11-03 23:00"), **INTL), late_s=3 * 3600) == []
    assert rules_of(site.hear(call(at("2026-11-03 23:00"), **INTL), late_s=60)) == ["after-hours-intl"]


def test_new_countries_are_told_once_and_trusted_ones_only_with_a_list() -> None:
    """The first call to a country is news; the list is asked once it exists and the rule is on."""
    site = Site(history=usual())
    french = {"traffic": TrafficType.INTERNATIONAL, "country": "FR", "number": "0033145678901"}
    assert rules_of(site.hear(call(at("2026-11-03 10:00"), **french))) == ["new-country"]
    assert site.hear(call(at("2026-11-03 11:00"), **french)) == []
    listed = Site(Config({"trusted-countries": {"on": "on", "countries": "CN,US"}}), usual())
    assert rules_of(listed.hear(call(at("2026-11-03 10:00"), **french))) == ["new-country", "trusted-countries"]
    assert listed.hear(call(at("2026-11-03 10:00"), **INTL)) == []


def test_an_exception_silences_an_extension_for_a_country_until_its_day() -> None:
    """8001 may call the US at night until the 3rd, and nobody else."""
    one = Exception_("after-hours-intl", "8001/US", date(2026, 11, 3))
    site = Site(Config(exceptions=[one]), usual())
    assert site.hear(call(at("2026-11-03 23:00"), **INTL)) == []
    assert rules_of(site.hear(call(at("2026-11-03 23:00"), extension="8002", **INTL))) == ["after-hours-intl"]
    assert rules_of(site.hear(call(at("2026-11-04 23:00"), **INTL))) == ["after-hours-intl"]


def test_fees_of_the_hour_and_the_day_are_set_beside_their_own_weeks() -> None:
    """Above the floor and three times the usual; each hour and each day is told once."""
    site, start = Site(history=usual()), at("2026-11-03 10:00")
    found = [one for n in range(120) for one in site.hear(call(start + timedelta(minutes=n * 4), fee=10_000_000))]
    hours = [one for one in found if one.rule == "spend-hour"]
    assert {one.object for one in hours} == {f"2026-11-03 {hour}" for hour in range(10, 18)}
    first = next(one for one in found if one.rule == "spend-day")
    assert first.reason.facts == {"day": "2026-11-03", "fee_micro": 510_000_000, "limit_micro": 500_000_000}
    assert first.once
    rich = Site(history=usual(spend_day={1: 400_000_000}, spend_hour={(1, 10): 90_000_000}))
    quiet = [one for n in range(120) for one in rich.hear(call(start + timedelta(minutes=n * 4), fee=9_000_000))]
    assert "spend-day" not in rules_of(quiet)


def test_calls_without_a_price_are_told_by_share_or_number() -> None:
    """Five of a hundred, or twenty of however many; fewer than five are nobody's night."""
    site, start = Site(history=usual()), at("2026-11-03 09:00")
    for number in range(96):
        assert site.hear(call(start + timedelta(minutes=number * 4))) == []
    late = at("2026-11-03 16:00")
    said = [
        site.hear(call(late + timedelta(minutes=n), status=ChargeStatus.UNRATED, number=f"0{n}1")) for n in range(5)
    ]
    assert [rules_of(one) for one in said] == [[], [], [], [], ["unrated"]]
    assert said[4][0].reason.facts["unrated"] == 5


def test_a_clock_that_goes_wrong_is_told_and_ends() -> None:
    """The median of twenty records, so that one late record says nothing."""
    site, start = Site(history=usual()), at("2026-11-03 10:00")
    said = [site.hear(call(start + timedelta(minutes=3 * n), number=f"02{n}"), late_s=600) for n in range(20)]
    assert [rules_of(one) for one in said] == [[]] * 19 + [["clock"]]
    assert said[19][0].reason.facts["minutes"] == 10
    for number in range(19):
        site.hear(
            call(start + timedelta(hours=2, minutes=3 * number), number=f"02{number}"), late_s=3600 * (number == 4)
        )
    site.watch.found()
    last = call(start + timedelta(hours=4), number="021")
    site.watch.calls([last], {last.event_id: start + timedelta(hours=4, minutes=1)})
    assert [(one.rule, one.object) for one in site.watch.found()[1]] == [("clock", "uc")]


def test_long_dear_and_forwarded_calls() -> None:
    """Four hours; a fee or a fee per minute above what was set; from outside to outside at night."""
    priced = Config({"dear-call": {"on": "on", "call_fee": "20", "minute_fee": "5"}})
    site = Site(priced, usual())
    assert rules_of(site.hear(call(at("2026-11-03 10:00"), 4 * 3600, fee=0))) == ["long-call"]
    assert rules_of(site.hear(call(at("2026-11-03 15:00"), 600, fee=20_000_001))) == ["dear-call"]
    assert site.hear(call(at("2026-11-03 15:20"), 600, fee=20_000_000)) == []
    (dear,) = site.hear(call(at("2026-11-03 15:40"), 120, fee=10_000_200))
    assert dear.reason.facts["minute_micro"] == 5_000_100
    assert rules_of(site.hear(call(at("2026-11-03 23:40"), extension=None, caller="13800138000"))) == ["forwarding"]
    assert site.hear(call(at("2026-11-03 11:40"), extension=None, caller="13800138000")) == []


def test_calls_in_progress_are_heard_before_they_end() -> None:
    """Too many at once, too long, too dear, a trunk nearly full: nobody waits for the record."""
    config = Config({"concurrency": {"trunks": "SIP=5"}, "dear-call": {"on": "on", "call_fee": "20"}})
    site, now = Site(config, usual(at_once={"8001": 2})), at("2026-11-03 23:00")
    moment = int(now.timestamp())
    live = [LiveFact(f"c{n}", "8001", "0012125550100", "SIP", True, moment - 60, moment - 60) for n in range(5)]
    long = LiveFact(
        "long", "8002", "0012125550100", "SIP2", True, moment - 14_400, moment - 14_400, "US", True, 25_000_000
    )
    site.watch.tick(now.timestamp(), [*live[:4], long])
    found = {(one.rule, one.object) for one in site.watch.found()[0]}
    assert found == {("long-call", "long"), ("dear-call", "long"), ("after-hours-intl", "8002")}
    site.watch.tick(now.timestamp(), live)
    found = {(one.rule, one.object) for one in site.watch.found()[0]}
    assert found == {("concurrency", "8001"), ("concurrency", "SIP")}


def test_every_setting_is_checked() -> None:
    """A wrong value says what would be right; a setting that does not exist is none."""
    assert checked("burst", "calls", " 30 ") == "30"
    assert checked("spend-day", "least_fee", "12.50") == "12.50"
    assert checked("trusted-countries", "countries", "cn, hk") == "CN,HK"
    for rule, name, value in [
        ("burst", "calls", "many"),
        ("spend-day", "least_fee", "-1"),
        ("trusted-countries", "countries", "China"),
        ("general", "hours", "9-18"),
        ("general", "heartbeat", "25:00"),
        ("concurrency", "trunks", "SIP"),
        ("burst", "on", "yes"),
    ]:
        with pytest.raises(ValueError, match=r"."):
            checked(rule, name, value)
    with pytest.raises(KeyError):
        checked("burst", "colour", "1")
    for rule in RULES.values():
        for name, value in rule.values.items():
            assert checked(rule.name, name, value) == value


# -- silence


def office_day(day: date, hours: Hours, chance: random.Random) -> list[datetime]:
    """When a small office's calls end: every few minutes, none at lunch, none on days off, a few at the edges."""
    if hours.day_class(day) == 7:
        return []
    zero = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    lunch = 12 * 60 + chance.randint(-10, 10), 13 * 60 + 30 + chance.randint(-10, 10)
    minute, found = 8 * 60 + 50.0, []
    while minute < 18 * 60 + 20:
        if not lunch[0] <= minute < lunch[1]:
            found.append(zero + timedelta(minutes=minute))
        minute += chance.expovariate(1 / 4)
    return found


def past(moments: list[datetime]) -> list[PastCall]:
    return [
        PastCall("uc", "8001", int(one.timestamp()) - 60, int(one.timestamp()), one.hour, True, 100_000, "CN")
        for one in moments
    ]


def test_silence_is_found_within_a_minute_and_no_lunch_is_one() -> None:
    """Four weeks of past, then three with lunch breaks, a national holiday and its make-up Saturday; then it breaks."""
    chance = random.Random(7)
    hours = Site().hours
    known = {day: day_history(past(office_day(day, hours, chance)), hours) for day in days(date(2026, 8, 24), 28)}
    history = History.of(known, hours, date(2026, 9, 21))
    assert history.days == 28
    site = Site(history=history)
    for day in days(date(2026, 9, 21), 21):  # with 1–7 October off, and 10 October made up for
        calls = office_day(day, hours, chance)
        moment, end = datetime(day.year, day.month, day.day, tzinfo=ZONE), iter(calls)
        waiting = next(end, None)
        while moment.date() == day:
            while waiting is not None and waiting <= moment:
                site.watch.heard("uc", waiting.timestamp())
                waiting = next(end, None)
            assert site.tick(moment)[0] == [], moment
            moment += timedelta(minutes=1)
    broke = datetime(2026, 10, 12, 10, 0, tzinfo=ZONE)  # a Monday
    site.watch.heard("uc", broke.timestamp())
    limit = timedelta(seconds=site.watch.silence_limit_s("uc", broke.timestamp()))
    assert timedelta(minutes=30) <= limit <= timedelta(minutes=70)  # three times the usual twenty
    moment = broke
    while not (found := site.tick(moment)[0]):
        moment += timedelta(seconds=10)
    assert limit <= moment - broke <= limit + timedelta(minutes=1)
    assert (found[0].rule, found[0].object, found[0].closes_at) == ("silence", "uc", None)
    site.watch.heard("uc", moment.timestamp())
    assert [one.rule for one in site.tick(moment)[1]] == ["silence"]


def test_silence_counts_working_time_only() -> None:
    """Friday evening to Monday morning is ten minutes; so is a lunch that the hours leave out."""
    site = Site(history=usual(), hours="09:00-12:00,13:30-18:00")
    site.watch.heard("uc", at("2026-11-06 17:55").timestamp())
    assert site.tick(at("2026-11-08 12:00"))[0] == []
    assert site.tick(at("2026-11-09 09:20"))[0] == []
    assert rules_of(site.tick(at("2026-11-09 09:25"))[0]) == ["silence"]
    site.watch.heard("uc", at("2026-11-09 11:50").timestamp())
    assert site.tick(at("2026-11-09 13:40"))[0] == []


def test_most_at_once_counts_what_overlaps() -> None:
    """An end and a beginning in the same second do not."""
    assert most_at_once([(0, 10), (5, 15), (9, 12), (10, 20)]) == 3
    assert most_at_once([]) == 0
