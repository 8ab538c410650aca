"""Believable traffic: the same from the same seed, read as planned, delivered as switches deliver."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from ippbx_billing import dialects
from ippbx_billing.calls import Call, Direction, Disposition, EventKind, LineKind, Phase, RawEvent, Reading, TrafficType
from ippbx_billing.numbering import Numbering
from ippbx_billing.simulation.traffic import (
    CONTENT_TYPES,
    PROFILES,
    Form,
    PlannedCall,
    SimulatedSite,
    cdr_body,
    office,
    status_bodies,
)
from ippbx_billing.simulation.traffic.posting import Manner, Post, doubled, post, unordered
from ippbx_billing.simulation.traffic.site import CHINA
from ippbx_billing.tariffs import HolidayCalendar

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
TIANJIN = Numbering(country="CN", area_code="022", outside_prefix="9", extension_patterns=["8XXX"])


def october(count: int, seed: int = 1, profile: str = "office") -> list[PlannedCall]:
    return list(office(seed, calls=count, profile=profile, first=FIRST, last=LAST))


def read(body: bytes, form: Form, chosen: str, kind: EventKind) -> Reading:
    headers = f"Content-Type: {CONTENT_TYPES[form]}"
    event = RawEvent(1, datetime(2026, 11, 1, tzinfo=UTC), kind, "127.0.0.1:5060", "POST", "/", "", headers, body)
    return dialects.read(event, dialects.load(), chosen=chosen, zone=CHINA, is_extension=TIANJIN.is_extension)


def facts(call: Call | PlannedCall) -> dict[str, object]:
    names = (
        "pbx", "call_id", "record_id", "caller", "callee", "extension", "number", "trunk", "direction", "disposition",
        "started_at", "answered_at", "ended_at", "duration_s", "billed_s",
    )  # fmt: skip
    return {name: getattr(call, name) for name in names}


def test_the_same_seed_is_the_same_traffic_to_the_byte() -> None:
    """A demonstration can be repeated; another seed is another site."""
    first, again, other = (b"".join(map(cdr_body, october(200, seed))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("profile", PROFILES)
def test_calls_come_in_order_within_their_days_each_with_its_own_ids(profile: str) -> None:
    """As many as were asked for; every record can be told from every other."""
    calls = october(500, profile=profile)
    assert len(calls) == 500
    starts = [call.started_at for call in calls]
    assert starts == sorted(starts)
    assert {start.astimezone(CHINA).month for start in starts} == {10}
    assert len({call.record_id for call in calls}) == len({call.call_id for call in calls}) == 500


def test_an_office_telephones_when_offices_do() -> None:
    """Busy in working hours, less at lunch, quiet at weekends and in the National Day holidays."""
    calls, kind_of = october(4_000), HolidayCalendar("CN").day_kind
    hours = Counter(call.started_at.hour for call in calls)
    assert sum(hours[hour] for hour in range(8, 19)) > 0.9 * len(calls)
    assert hours[12] < 0.5 * hours[10]
    days = Counter(kind_of(call.started_at.date()) for call in calls)
    assert days["holiday"] / 7 < days["weekend"] / 7 < days["working"] / 17 / 4


def test_a_hotel_is_awake_when_an_office_sleeps() -> None:
    """Profiles differ in what they are about."""
    evening = {
        profile: sum(call.started_at.hour >= 19 for call in october(1_000, profile=profile)) for profile in PROFILES
    }
    assert evening["hotel"] > 4 * max(evening["office"], evening["school"])


def test_calls_end_as_calls_end() -> None:
    """Two thirds to four fifths are answered; talks are mostly short, some long; what was not answered has no talk."""
    calls = october(3_000)
    ends = Counter(call.disposition for call in calls)
    assert 0.65 < ends[Disposition.ANSWERED] / len(calls) < 0.8
    assert ends[Disposition.NO_ANSWER] > ends[Disposition.BUSY] > ends[Disposition.FAILED] > 0
    talks = sorted(call.billed_s for call in calls if call.answered_at)
    assert talks[0] >= 1
    assert 45 < talks[len(talks) // 2] < 100
    assert talks[-1] > 900
    assert all((call.billed_s > 0) is (call.answered_at is not None) for call in calls)


def test_every_number_is_what_it_was_made_as() -> None:
    """Local, domestic, abroad, services: the numbering plan knows every number, and all kinds occur."""
    kinds = Counter[tuple[Direction, TrafficType]]()
    for call in october(3_000):
        found = TIANJIN.classify(call.number, call.direction)
        kinds[call.direction, found.traffic_type] += 1
        assert found.country is not None or found.line_kind is LineKind.EXTENSION, call.number
        assert (found.line_kind is LineKind.EXTENSION) is (call.direction is Direction.INTERNAL)
    outbound = {kind for direction, kind in kinds if direction is Direction.OUTBOUND}
    assert outbound == {
        TrafficType.LOCAL, TrafficType.DOMESTIC, TrafficType.HK_MO_TW, TrafficType.INTERNATIONAL,
        TrafficType.SERVICE_400_800, TrafficType.OTHER,
    }  # fmt: skip
    assert kinds[Direction.OUTBOUND, TrafficType.LOCAL] > kinds[Direction.OUTBOUND, TrafficType.INTERNATIONAL] * 5
    assert kinds[Direction.INBOUND, TrafficType.LOCAL] > kinds[Direction.INBOUND, TrafficType.DOMESTIC] > 0


@pytest.mark.parametrize("area_code", ["010", "0335", "0991"])
def test_local_numbers_are_local_elsewhere_too(area_code: str) -> None:
    """A site in another city calls the numbers of that city."""
    there = Numbering(country="CN", area_code=area_code, outside_prefix="9", extension_patterns=["8XXX"])
    calls = office(1, calls=400, area_code=area_code, first=FIRST, last=LAST)
    types = Counter(
        (found.traffic_type, found.line_kind)
        for call in calls
        if call.direction is Direction.OUTBOUND
        for found in [there.classify(call.number)]
    )
    assert types[TrafficType.LOCAL, LineKind.FIXED] > types[TrafficType.DOMESTIC, LineKind.FIXED] > 0
    assert types[TrafficType.LOCAL, LineKind.MOBILE] > types[TrafficType.DOMESTIC, LineKind.MOBILE] > 0


def test_people_differ_and_call_the_same_numbers_again() -> None:
    """Some extensions never call, some all day; the most called number is not due to chance."""
    site = SimulatedSite(1)
    calls = list(site.calls(3_000, FIRST, LAST))
    assert len(site.people) == 40
    assert len({person.extension for person in site.people}) == 40
    used = Counter(call.extension for call in calls)
    assert len(used) < 40
    assert used.most_common(1)[0][1] > 3 * 3_000 / 40
    outside = [call.number for call in calls if call.direction is Direction.OUTBOUND]
    assert len(set(outside)) < 0.6 * len(outside)


def test_nobody_talks_to_two_at_once() -> None:
    """An extension's next call begins after its last one, but for the rare moment when all are busy."""
    busy_until: dict[str, datetime] = {}
    overlaps = 0
    for call in october(2_000):
        overlaps += busy_until.get(call.extension, call.started_at) > call.started_at
        busy_until[call.extension] = call.ended_at
    assert overlaps <= 10


@pytest.mark.parametrize("chosen", ["uc", "auto"])
@pytest.mark.parametrize("form", ["json", "form"])
def test_every_record_is_read_as_it_was_planned(form: Form, chosen: str) -> None:
    """All facts of every call, whichever way the body is written and however the dialect is found."""
    for call in october(150):
        reading = read(cdr_body(call, form), form, chosen, EventKind.CDR)
        assert not reading.problems
        assert reading.dialect == "uc"
        assert [facts(one) for one in reading.calls] == [facts(call)]
        assert reading.calls[0].notes == ()


@pytest.mark.parametrize("chosen", ["uc", "auto"])
@pytest.mark.parametrize("form", ["json", "form"])
def test_the_steps_of_a_call_are_read_as_states(form: Form, chosen: str) -> None:
    """Ringing, talking where somebody answered, ended; all of the same call."""
    for call in october(60):
        states = [
            state for body in status_bodies(call, form) for state in read(body, form, chosen, EventKind.STATUS).states
        ]
        talking = [Phase.TALKING] if call.answered_at else []
        assert [state.phase for state in states] == [Phase.RINGING, *talking, Phase.ENDED]
        assert {state.call_id for state in states} == {call.call_id}
        assert {(one.dialect, one.pbx, one.caller, one.callee, one.direction, one.trunk) for one in states} == {
            ("uc", call.pbx, call.caller, call.callee, call.direction, call.trunk)
        }


class Receiver(BaseHTTPRequestHandler):
    """Answers each post with the next of `answers`, the last one for ever; notes what came over which connection."""

    protocol_version = "HTTP/1.1"
    answers: list[int]
    bodies: list[bytes]
    clients: set[tuple[str, int]]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.clients.add(self.client_address)
        self.send_response(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def receiving(*answers: int) -> Iterator[tuple[str, type[Receiver]]]:
    handler = type("OneReceiver", (Receiver,), {"answers": list(answers), "bodies": [], "clients": set()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", handler
        finally:
            server.shutdown()
            thread.join()


def bodies(url: str, count: int) -> list[Post]:
    return [Post(url, b"%d" % number) for number in range(count)]


def test_every_body_is_posted_once_and_counted() -> None:
    """Several connections share the work, and each acknowledgement is told."""
    with receiving(200) as (url, receiver):
        told: list[Post] = []
        tally = post(bodies(url, 30), Manner(connections=3), on_ack=told.append)
    assert sorted(receiver.bodies) == sorted(b"%d" % number for number in range(30))
    assert tally.acknowledged == len(told) == 30
    assert tally.failed == 0
    assert len(receiver.clients) <= 3


def test_a_new_connection_per_event_where_asked_for() -> None:
    """As switches without keep-alive deliver."""
    with receiving(200) as (url, receiver):
        post(bodies(url, 5), Manner(connections=1, new_connection_per_event=True))
    assert len(receiver.clients) == 5


def test_anything_but_200_is_posted_again_only_where_asked_for() -> None:
    """Two refusals, then a 200: delivered with two retries, lost without; 204 is not an acknowledgement."""
    with receiving(503, 204, 200) as (url, receiver):
        tally = post(bodies(url, 1), Manner(retries=2, retry_pause_s=0))
        assert (tally.acknowledged, tally.repeated, tally.failed, len(receiver.bodies)) == (1, 2, 0, 3)
    with receiving(503, 204, 200) as (url, receiver):
        tally = post(bodies(url, 2), Manner(connections=1))
        assert (tally.acknowledged, dict(tally.refused), len(receiver.bodies)) == (0, {503: 1, 204: 1}, 2)


def test_it_gives_up_where_nobody_answers() -> None:
    """A closed port ends the work after a few posts, with a sentence, however many are left."""
    with receiving(200) as (url, _):
        pass
    tally = post(bodies(url, 10_000), Manner(connections=2))
    assert url in tally.gave_up
    assert "does not answer" in tally.gave_up
    assert tally.unanswered < 10


def test_the_pace_is_kept() -> None:
    """Twenty posts at a hundred a second take a fifth of a second, not less."""
    with receiving(200) as (url, _):
        tally = post(bodies(url, 20), Manner(per_second=100))
    assert tally.acknowledged == 20
    assert tally.seconds >= 0.18


def test_it_stops_when_told() -> None:
    """What was begun is finished, the rest is left; nothing waits for its turn."""
    with receiving(200) as (url, receiver):
        stop = Event()
        tally = post(bodies(url, 10_000), Manner(connections=2, per_second=20), on_ack=lambda _: stop.set(), stop=stop)
    assert 1 <= tally.acknowledged == len(receiver.bodies) <= 3


def test_doubled_and_unordered_lose_nothing() -> None:
    """Twice means twice, late means at most a little late."""
    numbers = list(range(500))
    assert list(doubled(numbers, 1.0, Random(1)))[:4] == [0, 0, 1, 1]
    assert list(doubled(numbers, 0.0, Random(1))) == numbers
    mixed = list(unordered(numbers, 8, Random(1)))
    assert mixed != numbers
    assert sorted(mixed) == numbers
    assert all(place >= number - 8 for place, number in enumerate(mixed))
    assert list(unordered(numbers, 0, Random(1))) == numbers


def test_the_habits_lie_in_the_package() -> None:
    """The data file is shipped beside the code."""
    import ippbx_billing.simulation.traffic

    assert (Path(ippbx_billing.simulation.traffic.__file__).parent / "cn.toml").is_file()
