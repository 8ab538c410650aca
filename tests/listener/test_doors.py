"""Who may post and look, and the limits that keep one sender, or a full disk, from becoming everybody's trouble."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ippbx_billing import inbox
from ippbx_billing.calls import EventKind
from ippbx_billing.inbox import Inbox, InboxWriter
from ippbx_billing.listener import Doors, Limits, Senders, capacity, doors
from ippbx_billing.listener.limits import Rates
from ippbx_billing.listener.senders import LOOPBACK, PRIVATE, Complaints, networks, within
from ippbx_billing.pbx import tokens
from ippbx_billing.settings import Settings
from tests.listening import Listening, Wire, read_answer, request
from tests.service_process import Service

Story = Callable[[Doors], Any]


@pytest.fixture
def writer_file(tmp_path: Path) -> Path:
    inbox.create(tmp_path / "inbox.db")
    return tmp_path / "inbox.db"


def told(file: Path, story: Story, **options: Any) -> Any:
    """What `story` finds out about two doors without a network."""

    async def run() -> Any:
        with InboxWriter(file) as writer:
            return await story(Doors(writer, {8181: EventKind.CDR, 8182: EventKind.STATUS}, **options))

    return asyncio.run(run())


def status(answer: bytes) -> int:
    return int(answer.split()[1])


async def posted(doors: Doors, peer: str, *, path: str = "/", headers: str = "", body: bytes = b"x") -> int:
    """The status that a sender of this address gets for one record."""
    wire = Wire(doors, peer=peer)
    wire.hear(request(body, path=path, headers=headers))
    answer = await wire.answer()
    wire.end()
    return status(answer)


async def asked(doors: Doors, peer: str, path: str, headers: str = "") -> tuple[int, bytes]:
    """Status and body of a page that somebody at this address asks for."""
    wire = Wire(doors, peer=peer)
    wire.hear(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    answer = await wire.answer()
    wire.end()
    return status(answer), answer.partition(b"\r\n\r\n")[2]


# Who may post


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", 200),
        ("192.168.6.169", 200),
        ("172.31.255.254", 200),
        ("10.0.0.1", 200),
        ("169.254.7.7", 200),
        ("::1", 200),
        ("fe80::1%eth0", 200),
        ("fd12::9", 200),
        ("203.0.113.5", 403),
        ("172.32.0.1", 403),
        ("2001:db8::1", 403),
    ],
)
def test_by_default_private_networks_may_post(writer_file: Path, peer: str, expected: int) -> None:
    """A PBX stands in the same house; whoever comes from the internet is told that it may not post."""
    assert told(writer_file, lambda doors: posted(doors, peer)) == expected
    with Inbox(writer_file) as reader:
        assert reader.count() == (expected == 200)


def test_an_ipv4_sender_at_an_ipv6_door_is_known_by_its_own_address(writer_file: Path) -> None:
    """::ffff:192.168.6.169 is 192.168.6.169, and ::ffff:203.0.113.5 is not a friend."""

    async def story(doors: Doors) -> list[int]:
        return [await posted(doors, f"::ffff:{peer}") for peer in ("192.168.6.169", "203.0.113.5")]

    assert told(writer_file, story) == [200, 403]


def test_an_allow_list_is_exact(writer_file: Path) -> None:
    """Where only the PBX is named, nobody else posts, not even from this machine."""
    senders = Senders(allow=("192.168.6.169", "10.9.0.0/24"))

    async def story(doors: Doors) -> list[int]:
        return [await posted(doors, peer) for peer in ("192.168.6.169", "192.168.6.170", "10.9.0.7", "127.0.0.1")]

    assert told(writer_file, story, senders=senders) == [200, 403, 200, 403]


def test_a_pbx_let_in_later_may_post_at_once(writer_file: Path) -> None:
    """`configure-pbx` adds the PBX to a small file: the running listener takes its next record."""
    directory = writer_file.parent

    async def story(doors: Doors) -> list[int]:
        first = await posted(doors, "203.0.113.5")
        tokens.allow(directory, "203.0.113.5")
        return [first, await posted(doors, "203.0.113.5"), await posted(doors, "203.0.113.6")]

    assert told(writer_file, story, senders=Senders(also=lambda: tokens.allowed(directory))) == [403, 200, 403]
    assert (directory / "allowed").stat().st_mode & 0o777 == 0o600


def test_a_refusal_is_counted_and_said_once_a_minute(writer_file: Path) -> None:
    """A stranger's first request is told to the operator at once, the others as a number, never silently dropped."""
    lines: list[str] = []

    async def story(doors: Doors) -> dict[str, int]:
        for _ in range(5):
            await posted(doors, "203.0.113.5")
        return dict(doors.capacity.counts.refused)

    assert told(writer_file, story, report=lines.append) == {"stranger": 5}
    assert lines == ["refused a request from 203.0.113.5: Records are not taken from this address. (setting allow)"]


def test_complaints_come_once_a_minute_and_are_bounded() -> None:
    """What came together is one line a minute; a thousand senders do not make a thousand lines."""
    lines: list[str] = []
    complaints = Complaints(lines.append)
    for second in range(90):
        complaints.note("No.", "10.0.0.1", second)
        complaints.tell(second)
    assert lines == ["refused a request from 10.0.0.1: No.", "refused 60 more requests from 10.0.0.1: No."]
    complaints.tell(10_000)
    complaints.tell(20_000)
    complaints.note("No.", "10.0.0.1", 20_001)
    assert lines[2:] == ["refused 29 more requests from 10.0.0.1: No.", "refused a request from 10.0.0.1: No."]
    complaints.note("No.", "10.0.0.1", 20_001)
    complaints.tell(20_002, at_last=True)
    assert lines[4:] == ["refused 1 more request from 10.0.0.1: No."]
    lines.clear()
    for number in range(1_000):
        complaints.note("No.", f"10.1.{number // 256}.{number % 256}", 20_002)
    assert len(lines) == Complaints.MOST_KINDS
    assert lines[-1] == "refused a request from further senders: they are counted at /healthz"


def test_the_operator_reads_of_a_stranger_on_stderr(site: Path) -> None:
    """The true `listen` says who was refused and why, and its page counts it; the PBX's address alone is let in."""
    with Service(site, IPPBX_BILL_ALLOW="192.168.6.169") as service:
        for _ in range(3):
            answer = service.post(b"x")
            assert (answer.status_code, answer.text) == (403, "Records are not taken from this address.\n")
        line = service.lines.get(timeout=20)
        assert "refused a request from 127.0.0.1: Records are not taken from this address. (setting allow)" in line
        health = httpx.get(service.cdr_url + "healthz", trust_env=False).json()
        assert health["refused"] == {"stranger": 3}
        assert service.end() == 0
        assert "refused 2 more requests from 127.0.0.1" in service.lines.get(timeout=20)


# Secret paths


def test_a_known_path_is_compared_whole(tmp_path: Path) -> None:
    """Neither a beginning, nor a longer text, nor other letters are the token."""
    tokens.add_token(tmp_path, "3kq9abc")
    tokens.add_token(tmp_path, "zzz")
    known = tokens.KnownTokens(tmp_path)
    taken = [path for path in ("/3kq9abc/", "/3kq9abc/cdr", "/zzz", "//zzz/x", "/3kq9ab", "/3kq9abcd", "/", "/3KQ9ABC",
                               "/x/zzz", "/é") if known.admit(path)]  # fmt: skip
    assert taken == ["/3kq9abc/", "/3kq9abc/cdr", "/zzz", "//zzz/x"]


def test_every_token_is_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tokens are looked at by compare_digest, whichever of them matches, so that time tells nothing."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(tokens.hmac, "compare_digest", compare)
    assert tokens.accepts("/b/", ["a", "b", "c"])
    assert sorted(compared) == [(b"b", b"a"), (b"b", b"b"), (b"b", b"c")]


def test_a_token_set_later_counts_at_once_and_a_removed_one_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further token is looked for before a path is turned away; the end of all tokens is noticed within a second."""
    now = [100.0]
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now[0])
    known = tokens.KnownTokens(tmp_path)
    assert known.admit("/anything")
    tokens.add_token(tmp_path, "first")
    now[0] += 1.1
    assert not known.admit("/anything")
    assert known.admit("/first/")
    tokens.add_token(tmp_path, "second")
    assert known.admit("/second/")
    tokens.remove_token(tmp_path, "first")
    tokens.remove_token(tmp_path, "second")
    assert known.admit("/anything")


# Proxies


def test_only_a_named_proxy_is_believed(writer_file: Path) -> None:
    """Anybody can write X-Forwarded-For: it counts from a proxy of ours, then its last address that is not a proxy."""
    senders = Senders(allow=("192.168.6.0/24",), proxies=("10.0.0.5", "10.0.0.6"))

    chain = "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: 192.168.6.170, 10.0.0.6\r\n"

    async def story(doors: Doors) -> list[int]:
        return [
            await posted(doors, "192.168.6.9", headers="X-Forwarded-For: 203.0.113.5\r\n"),
            await posted(doors, "10.0.0.5", headers="X-Forwarded-For: 192.168.6.169\r\n"),
            await posted(doors, "10.0.0.5", headers="x-forwarded-for: 192.168.6.1, 203.0.113.5\r\n"),
            await posted(doors, "10.0.0.5", headers=chain),
            await posted(doors, "10.0.0.5", headers="X-Forwarded-For: 192.168.6.1, nonsense\r\n"),
            await posted(doors, "10.0.0.5"),
        ]  # fmt: skip

    assert told(writer_file, story, senders=senders) == [200, 200, 403, 200, 403, 403]
    with Inbox(writer_file) as reader:
        assert [event.remote for event in reader.after(0, 9)] == ["192.168.6.9", "192.168.6.169", "192.168.6.170"]


def test_pages_are_for_this_machine_and_those_named(writer_file: Path) -> None:
    """Health and figures are nobody else's business; a proxy here does not make the world local."""
    senders = Senders(pages_from=(*LOOPBACK, "192.168.6.2"), proxies=("127.0.0.1",))

    async def story(doors: Doors) -> list[int]:
        peers = ["192.168.6.2", "192.168.6.3", "10.0.0.1", "::1"]  # 10.0.0.1 is our own side of the wire
        plain = [(await asked(doors, peer, page))[0] for peer in peers for page in ("/healthz", "/metrics")]
        behind = await asked(doors, "127.0.0.1", "/healthz", "X-Forwarded-For: 192.168.6.3\r\n")
        return [*plain, behind[0]]

    assert told(writer_file, story, senders=senders) == [200, 200, 403, 403, 200, 200, 200, 200, 403]


# Limits


def test_the_settings_and_the_listener_agree_on_every_default() -> None:
    """Each limit is a setting of the same name with the same default, and so are the lists."""
    settings = Settings()
    assert {limit.name: getattr(settings, limit.name) for limit in fields(Limits)} == {
        limit.name: getattr(Limits(), limit.name) for limit in fields(Limits)
    }
    assert sorted(settings.allow) == sorted(PRIVATE)
    assert settings.pages_from == LOOPBACK


def test_a_flood_from_one_address_is_slowed_and_others_go_on(writer_file: Path) -> None:
    """Beyond so many requests a second an address is answered 429 and told when to come again; its neighbour is not."""

    async def story(doors: Doors) -> tuple[list[int], int]:
        flood = [await posted(doors, "10.0.0.2") for _ in range(30)]
        return flood, await posted(doors, "10.0.0.3")

    flood, neighbour = told(writer_file, story, limits=Limits(max_requests_per_s=2))
    assert flood[:2] == [200, 200]
    assert 429 in flood[2:]
    assert neighbour == 200


def test_a_bucket_fills_again() -> None:
    """Ten a second: ten at once, then one each tenth of a second, and never more saved up than a second's."""
    rates = Rates(10)
    assert [rates.admits("a", 100.0) for _ in range(11)] == [True] * 10 + [False]
    assert [rates.admits("a", 100.125), rates.admits("a", 100.125)] == [True, False]
    assert [rates.admits("a", 500.0) for _ in range(11)] == [True] * 10 + [False]
    assert rates.admits("b", 500.0)


def test_buckets_do_not_pile_up() -> None:
    """A hundred thousand addresses that came once are forgotten again."""
    rates = Rates(10)
    for number in range(100_000):
        rates.admits(str(number), number / 10_000)
    rates.forget_full(10.0)
    assert len(rates._buckets) <= 10_000


def test_connections_of_one_address_are_bounded(tmp_path: Path) -> None:
    """The third connection of an address is told so; those it has go on, and when one ends there is room again."""
    with Listening(tmp_path, max_connections_per_address=2) as service:
        with service.connect() as first, service.connect():
            answer = service.post(b"x")
            assert (answer.status, answer.headers["retry-after"]) == (429, "5")
            assert answer.body == b"Too many connections from this address are open; please use fewer.\n"
            first.sendall(request(b"goes on"))
            assert read_answer(first).status == 200
        deadline = time.monotonic() + 20
        while (answer := service.post(b"y")).status != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert answer.status == 200


def test_far_too_many_connections_are_closed_at_once(writer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even refusing would cost too much, the connection ends without a word, and is counted."""
    monkeypatch.setattr(doors, "MOST_TOLD", 2)

    async def story(doors: Doors) -> tuple[list[bool], dict[str, int]]:
        wires = [Wire(doors) for _ in range(5)]
        return [wire.closed for wire in wires], dict(doors.capacity.counts.refused)

    closed, refused = told(writer_file, story, limits=Limits(max_connections=1))
    assert closed == [False, False, False, True, True]
    assert refused == {"too_many_connections": 2}


def test_a_long_queue_is_refused_while_the_disk_is_slow(writer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten may wait for the disk beside those being written; the eleventh is told to come again, none waits in vain."""
    commit, free, at_work = InboxWriter._commit, threading.Event(), threading.Event()

    def slow(self: InboxWriter, deliveries: Any) -> str:
        at_work.set()
        assert free.wait(20)
        return commit(self, deliveries)

    monkeypatch.setattr(InboxWriter, "_commit", slow)
    monkeypatch.setattr("ippbx_billing.inbox.AT_ONCE_S", -1)  # as if the last commit had been slow already

    async def story(doors: Doors) -> list[int]:
        first = Wire(doors)
        first.hear(request(b"first"))
        await asyncio.to_thread(at_work.wait, 20)  # the first is being written now
        wires = [Wire(doors) for _ in range(12)]
        for wire in wires:
            wire.hear(request(b"x"))
        assert [status(wire.sent) for wire in wires[10:]] == [503, 503]
        assert b"retry-after" in wires[10].sent
        free.set()
        return [status(await wire.answer()) for wire in [first, *wires]]

    assert told(writer_file, story, limits=Limits(max_waiting_events=10)) == [200] * 11 + [503] * 2


def test_bodies_under_way_are_bounded_together(writer_file: Path) -> None:
    """Many senders with large bodies cannot fill the memory: beyond the bound they are told to come again."""

    async def story(doors: Doors) -> tuple[list[int], int]:
        wires = [Wire(doors, peer=f"10.0.0.{number}") for number in range(1, 5)]
        whole = request(b"x" * 400)
        for wire in wires:
            wire.hear(whole[:-1])
        held = doors.capacity.held_bytes
        for wire in wires:
            wire.hear(whole[-1:])
        statuses = [status(await wire.answer()) for wire in wires]
        assert doors.capacity.held_bytes == 0
        return statuses, held

    statuses, held = told(writer_file, story, limits=Limits(max_held_bytes=1_000))
    assert statuses == [200, 200, 503, 503]
    assert held <= 1_000


def test_memory_is_given_back_however_a_request_ends(writer_file: Path) -> None:
    """Half a body whose sender goes away, one too large, one broken off: nothing stays accounted for."""

    async def story(doors: Doors) -> list[int]:
        held = []
        for body in (b"x" * 50, b"x" * 500):
            wire = Wire(doors)
            wire.hear(request(body)[:-10])
            wire.end()
            held.append(doors.capacity.held_bytes)
        wire = Wire(doors)
        wire.hear(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nZZ\r\n")
        wire.end()
        return [*held, doors.capacity.held_bytes, len(doors.connections)]

    assert told(writer_file, story, limits=Limits(max_body_bytes=100)) == [0, 0, 0, 0]


def test_a_disk_nearly_full_is_left_to_others(tmp_path: Path) -> None:
    """With less free than the setting says, records are answered 503 and the page says why; 0 takes whatever fits."""
    free = shutil.disk_usage(tmp_path).free
    with Listening(tmp_path, min_free_bytes=free * 2) as service:
        answer = service.post(b"x")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.body == b"There is too little room on the disk; please send the record again later.\n"
        health = service.health()
        assert (health["status"], health["failure"]) == (
            "failing",
            f"less than {free * 2} bytes are free at {tmp_path}",
        )
        assert health["refused"] == {"disk_low": 1}
    with Listening(tmp_path, min_free_bytes=0) as service:
        assert service.post(b"x").status == 200


def test_room_on_the_disk_is_noticed_within_seconds(writer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is asked again and again, not once."""
    free = [10]
    monkeypatch.setattr(capacity.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 0, free[0]))

    async def story(doors: Doors) -> list[int]:
        doors.look_around()
        first = await posted(doors, "10.0.0.1")
        free[0] = 50
        doors.look_around()
        return [first, await posted(doors, "10.0.0.1")]

    assert told(writer_file, story, limits=Limits(min_free_bytes=20)) == [503, 200]


def test_a_large_body_that_is_announced_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """Whoever asks with Expect: 100-continue hears 413 instead, and sends nothing."""
    with Listening(tmp_path, max_body_bytes=1_000) as service:
        answer = service.send(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"
        assert service.send(head).status == 100


def test_a_refused_sender_hears_so_after_its_large_body(tmp_path: Path) -> None:
    """What it sends is read and thrown away first: a connection cut in the middle would hide the sentence."""
    with Listening(tmp_path, max_connections=1) as service, service.connect() as first:
        first.sendall(request(b"kept"))
        assert read_answer(first).status == 200
        assert service.post(b"x" * 3_000_000).status == 503


def test_one_who_does_not_read_its_answers_is_let_go(tmp_path: Path) -> None:
    """A sender that posts and never reads holds neither memory nor a connection for long."""
    with Listening(tmp_path, request_timeout_s=1, max_requests_per_s=0) as service, service.connect() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(20)
        with pytest.raises(ConnectionError):
            deaf.sendall(request(b"") * 200_000)
        assert service.post(b"next").status == 200
        assert service.health()["refused"] == {}


def stuff(service: Listening, deaf: socket.socket) -> None:
    """Posts without reading an answer until the listener takes no more of it."""
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.settimeout(0.25)
    before = -1
    while (received := service.health()["received"]) > before or service.health()["backlog"]:
        before = received
        with suppress(TimeoutError):
            for _ in range(1_000):
                deaf.sendall(request(b"") * 1_000)


def test_one_who_does_not_read_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """1. A sender posts and never reads. 2. SIGTERM: after the time to finish and a last word the process ends well."""
    with Listening(tmp_path, shutdown_timeout_s=1, max_requests_per_s=0) as service, service.connect() as deaf:
        stuff(service, deaf)
        assert service.stop() == 0


def test_requests_sent_in_one_go_are_no_large_header(writer_file: Path) -> None:
    """A piece of the network's that ends within a header counts for the last request alone, not for those before it."""

    async def story(doors: Doors) -> int:
        wire = Wire(doors)
        whole = request(b"x" * 1_000) * 100
        wire.hear(whole[:-1_010])
        wire.hear(whole[-1_010:])
        while wire.sent.count(b"HTTP/1.1 200") < 100:
            await asyncio.sleep(0.01)
            assert not wire.closed
        return wire.sent.count(b"HTTP/1.1 200")

    assert told(writer_file, story, limits=Limits(max_header_bytes=1_000)) == 100


def test_many_requests_at_once_are_answered_in_their_order(writer_file: Path) -> None:
    """A page, a greeting, a record and a refusal sent in one piece: each answer takes its turn, the last one closes."""

    async def story(doors: Doors) -> list[int]:
        wire = Wire(doors, peer="127.0.0.1")
        wire.hear(
            request(b"1")
            + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            + request(b"2")
            + request(b"x" * 200)
            + request(b"3")
        )
        while not wire.closed:
            await asyncio.sleep(0.01)
        return [int(part[:3]) for part in wire.sent.split(b"HTTP/1.1 ")[1:]]

    assert told(writer_file, story, limits=Limits(max_body_bytes=100)) == [200, 200, 200, 200, 413]
    with Inbox(writer_file) as reader:
        assert [event.body for event in reader.after(0, 9)] == [b"1", b"2"]


def test_http_1_0_may_keep_its_connection(writer_file: Path) -> None:
    """Who asks for it in HTTP/1.0 is told that the connection stays, and it does."""

    async def story(doors: Doors) -> bytes:
        wire = Wire(doors)
        wire.hear(b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx")
        answer = await wire.answer()
        assert not wire.closed
        return answer

    assert b"connection: keep-alive\r\n" in told(writer_file, story)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    directory = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (directory / "door.pem").write_bytes(made.public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "door.key").write_bytes(plain)
    locked = serialization.BestAvailableEncryption(b"secret")
    (directory / "locked.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, locked))
    return directory / "door.pem", directory / "door.key"


def test_both_doors_speak_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    """With a certificate the doors speak HTTPS and keep their promises; plain HTTP gets no answer."""
    pem, key = certificate
    with Listening(tmp_path, tls_certificate=str(pem), tls_key=str(key)) as service:
        assert service.announcement.startswith("listening: CDRs on https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(pem))
        for port, body in ((service.cdr_port, b"one"), (service.status_port, b"y" * 300_000)):
            with trusted.wrap_socket(service.connect(port), server_hostname="localhost") as connection:
                for _ in range(2):
                    connection.sendall(request(body))
                    assert read_answer(connection).status == 200  # type: ignore[arg-type]
        with pytest.raises(ConnectionError):
            service.post(b"plain")
        assert service.stop() == 0
        assert service.rest_of_lines() == []
    with Inbox(tmp_path / "inbox.db") as reader:
        assert [len(event.body) for event in reader.after(0, 9)] == [3, 3, 300_000, 300_000]


@pytest.mark.parametrize(
    ("pem", "key", "words"),
    [
        ("door.pem", "", "tls_key is not set"),
        ("", "door.key", "tls_certificate is not set"),
        ("missing.pem", "door.key", "missing.pem cannot be read: No such file or directory"),
        ("door.pem", "missing.key", "missing.key cannot be read: No such file or directory"),
        ("door.key", "door.key", "are not a certificate and its key"),
        ("door.pem", "locked.key", "the key is protected by a password"),
    ],
)
def test_wrong_tls_files_are_a_sentence(
    tmp_path: Path, certificate: tuple[Path, Path], pem: str, key: str, words: str
) -> None:
    """What is wrong with them stands in one sentence with a hint, and the exit code is 3."""
    directory = certificate[0].parent
    files = {"tls_certificate": str(directory / pem) if pem else "", "tls_key": str(directory / key) if key else ""}
    code, lines = Listening(tmp_path, **files).failure()
    assert code == 3
    assert len(lines) == 1
    assert words in lines[0]
    assert "|" in lines[0]


def test_a_wrong_certificate_keeps_listen_from_starting(site: Path) -> None:
    """The settings' path counts from the data directory; what is wrong is one sentence, and the exit code is 3."""
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(site), "listen", "--cdr-port", "0"]
    environment = {**os.environ, "IPPBX_BILL_TLS_CERTIFICATE": "door.pem", "IPPBX_BILL_TLS_KEY": "door.key"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 3
    assert f"tls_certificate: {site / 'door.pem'} cannot be read: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pbx_is_pointed_at_doors_that_speak_tls(tmp_path: Path) -> None:
    """Once the doors have a certificate, the addresses given to the PBX begin with https."""
    from ippbx_billing.pbx.urls import our_urls

    plain, secured = Settings(), Settings(tls_certificate="door.pem", tls_key="door.key")
    assert our_urls("10.0.0.1", plain, "t").cdr == "http://10.0.0.1:8181/t/"
    assert our_urls("10.0.0.1", secured, "t").status == "https://10.0.0.1:8182/t/"


# Figures


def test_metrics_tell_what_happened(site: Path) -> None:
    """Received, acknowledged, refused, duplicates, backlog, rated and unrated calls, commit times, the last event."""
    from tests.bodies import gateway_cdr

    with Service(site, IPPBX_BILL_MAX_BODY_BYTES="10000") as service:
        for seconds in (50, 60, 50):
            service.post(gateway_cdr("8001", "58674577", seconds))
        service.post(b"not understood")
        assert service.post(b"x" * 10_001).status_code == 413
        service.wait_until_read()
        page = httpx.get(service.status_url + "metrics", trust_env=False)
        service.end()
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    values = dict(line.rsplit(" ", 1) for line in page.text.splitlines() if not line.startswith("#"))
    told = {name.removeprefix("ippbx_bill_"): float(value) for name, value in values.items()}
    expected = {
        "received_total": 5,
        "acknowledged_total": 4,
        'refused_total{reason="too_large"}': 1,
        "waiting_events": 0,
        "backlog_events": 0,
        "store_failing": 0,
        'events{status="duplicate"}': 1,
        'events{status="rejected"}': 1,
        'calls{status="rated"}': 2,
        'commit_seconds_bucket{le="+Inf"}': told["commit_seconds_count"],
    }
    assert {name: told.get(name) for name in expected} == expected
    assert 0 < told["commit_seconds_count"] <= 4
    assert 0 <= told["last_event_age_seconds"] < 60
    buckets = [value for name, value in told.items() if name.startswith("commit_seconds_bucket")]
    assert buckets == sorted(buckets)


def test_metrics_are_well_formed(writer_file: Path) -> None:
    """Each family has its help and type once and before its samples; a quote in a reason breaks no line."""
    figures = {"unrated_calls": {'no "price"\nfor \\ this': 3}, "last_event_at": datetime.now(UTC)}
    _, page = told(writer_file, lambda doors: asked(doors, "::1", "/metrics"), figures=lambda: figures)
    lines = page.decode().splitlines()
    assert 'ippbx_bill_unrated_calls{reason="no \\"price\\"\\nfor \\\\ this"} 3' in lines
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    for line in lines:
        assert line.startswith("# ") or line.split("{")[0].split(" ")[0].startswith(tuple(families)), line


def test_health_and_metrics_come_through_while_records_are_refused(writer_file: Path) -> None:
    """An operator sees what is wrong, however crowded the doors are."""

    async def story(doors: Doors) -> tuple[int, Any]:
        crowd = [Wire(doors) for _ in range(3)]
        code, body = await asked(doors, "127.0.0.1", "/healthz")
        assert not any(wire.closed for wire in crowd)
        return code, json.loads(body)["connections"]

    assert told(writer_file, story, limits=Limits(max_connections=1)) == (200, 4)


# Small parts


def test_networks_are_addresses_or_networks() -> None:
    """A single address is a network of one; host bits do not matter; what is not an address lies nowhere."""
    wanted = networks(["192.168.6.169", "10.1.2.3/8", "fe80::/10"])
    inside = [address for address in ("192.168.6.169", "192.168.6.1", "10.255.0.1", "fe80::1%eth0", "", "name")
              if within(address, wanted)]  # fmt: skip
    assert inside == ["192.168.6.169", "10.255.0.1", "fe80::1%eth0"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_the_system_s_limit_of_files_bounds_the_connections(tmp_path: Path) -> None:
    """Where the system gives few files, the doors promise no more connections than it gives: 503, not silence."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (70, hard))
    try:
        from ippbx_billing.listener.server import files_for

        assert files_for(1_000_000_000) == hard - 64
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        assert files_for(5) == 5
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
