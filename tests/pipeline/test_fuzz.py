"""Whatever is thrown at the doors and at the readers: they stay alive, keep what they acknowledged, and say the rest.

A few seconds in the suite; `FUZZ_EXAMPLES=20000 python -m pytest tests/pipeline/test_fuzz.py` goes on for longer.
"""

import asyncio
import gzip
import http.client
import os
import socket
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ippbx_billing import dialects, inbox
from ippbx_billing.calls import EventKind, Problem, RawEvent, Reading
from ippbx_billing.inbox import Inbox, InboxWriter
from ippbx_billing.language.reasons import sentence
from ippbx_billing.listener import Doors, Limits
from tests.bodies import gateway_cdr
from tests.listening import Answer, Listening, Wire, request

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SENTENCES = {400, 403, 408, 413, 429, 503}


def fuzzed(few: int) -> Any:
    """So many examples in the suite, or as many as the environment asks for."""
    return settings(
        max_examples=EXAMPLES or few,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """One real listener for all examples: it must survive them, and end well with nothing on stderr."""
    directory = tmp_path_factory.mktemp("fuzz")
    with Listening(directory, max_body_bytes=20_000, max_header_bytes=4_000, max_requests_per_s=0) as service:
        yield service
        assert service.post(b"alive").status == 200
        health = service.health()
        assert health["refused"].get("fault", 0) == 0
        with Inbox(service.inbox_path) as reader:
            assert reader.count() == health["acknowledged"]
        assert service.stop() == 0
        assert service.rest_of_lines() == []


def newest(service: Listening) -> RawEvent:
    with Inbox(service.inbox_path) as reader:
        event = reader.get(reader.last_id())
    assert event is not None
    return event


def is_plain_sentence(answer: Answer) -> bool:
    """One line of English for the sender's log: no markup, no traceback, no word of our insides."""
    text = answer.body.decode()
    return answer.status in SENTENCES and text.endswith(".\n") and text.count("\n") == 1 and "<" not in text


# The doors


FIRST_LINES = """
POST / HTTP/1.1|POST  / HTTP/1.1|GET /?a=b HTTP/1.0|PUT /x HTTP/1.1|POST HTTP/1.1|OPTIONS * HTTP/1.1|PRI * HTTP/2.0
CONNECT a:1 HTTP/1.1|POST http://h?x HTTP/1.1|POST /a b HTTP/1.1|GET /healthz HTTP/1.1|HEAD / HTTP/1.1|get / http/1.1
"""
HEADER_LINES = """
Content-Length: 5|content-length:5|Content-Length: 99999999999999999999|Content-Length: -1|Transfer-Encoding: chunked
Transfer-Encoding: gzip, chunked|Connection: close|Connection: Upgrade|Upgrade: h2c|Expect: 100-continue|Host: x| folded
"""
OTHERS = [b"5\r\nabcde\r\n", b"0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"\r\n", b"\n", b"\0", b"X: \0\r\n", b"X" * 5_000]
SAID = [line.encode() + b"\r\n" for line in (FIRST_LINES + HEADER_LINES).replace("|", "\n").split("\n") if line]
LINES = st.sampled_from(SAID + OTHERS)
PIECES = st.lists(st.one_of(LINES, st.binary(max_size=40)), min_size=1, max_size=12)


@fuzzed(150)
@given(pieces=PIECES)
@example(pieces=[b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"])
def test_raw_bytes_at_the_door(service: Listening, pieces: list[bytes]) -> None:
    """Any bytes, in any pieces: each answer is a 200 for something stored, or a plain sentence, and nothing hangs."""
    before = service.health()["acknowledged"]
    with service.connect() as connection:
        connection.settimeout(10)
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError:  # it was refused before we had said everything
            received = b""
    good = 0
    for answer in answers_in(received):
        if answer.status == 200:
            good += answer.body == b'{"code":0,"msg":"success"}'
        else:
            assert answer.status == 100 or is_plain_sentence(answer), answer
    assert service.health()["acknowledged"] - before >= good


def answers_in(received: bytes) -> list[Answer]:
    """All the answers of a connection, in their order; nothing may be left over."""
    found = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        assert end, received
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        without_body = not rest or rest.startswith(b"HTTP/1.1 ")  # the answer to a HEAD
        length = 0 if without_body else int(headers.get("content-length", "0"))
        found.append(Answer(int(first.split()[1]), headers, rest[:length]))
        assert len(rest) >= length
        received = rest[length:]
    return found


TOKEN = st.text("!#$%&'*+-.^_`|~ABCxyz019", min_size=1, max_size=12)
PLAIN = st.text([chr(code) for code in range(0x21, 0x7F)], max_size=40)


@fuzzed(150)
@given(
    method=st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "NOTIFY", "PROPFIND", "GET"]),
    path=PLAIN,
    headers=st.lists(st.tuples(TOKEN.map("X-{}".format), PLAIN), max_size=4),
    body=st.one_of(
        st.binary(min_size=1, max_size=300), st.binary(min_size=1, max_size=50).map(lambda part: part * 600)
    ),
    chunked=st.booleans(),
)
def test_any_request_of_a_client(
    service: Listening, method: str, path: str, headers: list[tuple[str, str]], body: bytes, chunked: bool
) -> None:
    """Method, path, header and body of any kind, by a real client: a 200 stands as it came, all else is a sentence."""
    assume(not (method == "GET" and path.partition("?")[0] in ("healthz", "metrics")))
    client = http.client.HTTPConnection("127.0.0.1", service.cdr_port, timeout=10)
    try:
        client.putrequest(method, "/" + path, skip_accept_encoding=True)
        for name, value in headers:
            client.putheader(name, value)
        client.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))))
        client.endheaders(iter([body]) if chunked else body, encode_chunked=chunked)
        answer = client.getresponse()
        text = answer.read()
    finally:
        client.close()
    if answer.status != 200:
        assert is_plain_sentence(Answer(answer.status, {}, text))
        assert len(body) > 20_000
        return
    event = newest(service)
    assert (event.method, event.body) == (method, body)
    assert f"{event.path}{'?' if '?' in path else ''}{event.query}" == "/" + path
    for name, value in headers:
        assert f"{name}: {value.strip()}\r\n" in event.headers


@fuzzed(150)
@given(pieces=PIECES, cuts=st.lists(st.integers(0, 200), max_size=4), ends=st.booleans())
def test_raw_bytes_without_a_network(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], cuts: list[int], ends: bool
) -> None:
    """However the network cuts them: no callback raises, and no memory stays accounted for when the sender has gone."""
    file = tmp_path_factory.getbasetemp() / "fuzz-wire.db"
    if not file.exists():
        inbox.create(file)
    whole = b"".join(pieces)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})

    async def story() -> tuple[int, int, int]:
        with InboxWriter(file) as writer:
            doors = Doors(writer, {8181: EventKind.CDR}, limits=Limits(max_body_bytes=1_000, max_header_bytes=500))
            wire = Wire(doors)
            for begin, end in pairwise(places):
                wire.hear(whole[begin:end])
            if ends and not wire.closed:
                wire.protocol.eof_received()
            await writer.probe()  # all that was taken before is on the disk now
            wire.protocol.look_at_clock(time.monotonic() + 100)
            wire.end()
            return doors.capacity.held_bytes, len(doors.connections), doors.capacity.counts.refused["fault"]

    assert asyncio.run(story()) == (0, 0, 0)


# The readers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
SEEDS = [
    gateway_cdr("8001", "58674577", 35),
    b'{"action":"NewCdr","callid":"1","timestart":"2024-05-01 10:00:00","callfrom":"8001","callto":"10086"}',
    b"src=8001&dst=10086&start=2024-05-01+10%3A00%3A00&billsec=35",
    b"Event: Cdr\r\nSource: 8001\r\nDestination: 10086\r\nStartTime: 2024-05-01 10:00:00\r\n\r\n",
]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """A body that some PBX sends, cut, doubled, or with bytes changed, packed or not."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(body) - 1)))
        body[place : place + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    pack = draw(st.sampled_from([bytes, bytes, gzip.compress, zlib.compress]))
    return pack(bytes(body) * draw(st.integers(1, 3)))


def event_of(body: bytes, kind: EventKind = EventKind.CDR, query: str = "", headers: str = "") -> RawEvent:
    return RawEvent(1, datetime(2026, 3, 1, tzinfo=UTC), kind, "192.0.2.7", "POST", "/", query, headers, body)


KNOWN = dialects.load()


def read(event: RawEvent) -> Reading:
    """As the pipeline reads it."""
    return dialects.read(event, KNOWN, chosen="auto", zone=UTC, is_extension=lambda number: len(number) == 4)


@fuzzed(250)
@given(
    body=st.one_of(bent(), st.binary(max_size=200), JSON.map(lambda value: repr(value).replace("'", '"').encode())),
    kind=st.sampled_from(EventKind),
    query=st.one_of(st.just(""), st.text(max_size=40)),
    headers=st.sampled_from(
        ["", "Content-Encoding: gzip\r\n", "content-encoding: deflate\r\n", "Content-Encoding: br\r\n"]
    ),
)
def test_reading_never_raises(body: bytes, kind: EventKind, query: str, headers: str) -> None:
    """Whatever was posted is read or becomes listed problems, in bounded time."""
    began = time.process_time()
    reading = read(event_of(body, kind, query, headers))
    assert time.process_time() - began < 5
    assert all(isinstance(problem, Problem) and sentence(problem.told) for problem in reading.problems)
    assert reading.calls or reading.states or reading.problems or reading.nothing


PATTERNS = [
    b'{"a":',
    b'["',
    b'"',
    b"a=b&",
    b"a[b]=c&",
    b"<a>",
    b'<a b="',
    b'"a,',
    b"Key: value\r\n",
    b"%7B",
    b"\\",
    b"{}",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("before", "after"), [(b"", b""), (b"{", b"}"), (b'{"a":"', b"}")])
def test_a_large_body_of_nonsense_does_not_hold_up_the_others(pattern: bytes, before: bytes, after: bytes) -> None:
    """Whatever is repeated, and however it is wrapped: a quarter of a megabyte is done with in bounded time."""
    began = time.process_time()
    read(event_of(before + pattern * (250_000 // len(pattern)) + after))
    assert time.process_time() - began < 3


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seeds_are_understood(seed: bytes) -> None:
    """The fuzzing begins with bodies that are read, or it would only ever try the first line of defence."""
    assert read(event_of(seed)).problems == ()


def test_the_answer_of_a_fuzzed_door_is_read_as_any_other(service: Listening) -> None:
    """The reader of several answers in one piece finds them all."""
    with service.connect() as connection:
        connection.sendall(request(b"one") + request(b"two", headers="Connection: close\r\n"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert [answer.status for answer in answers_in(received)] == [200, 200]
