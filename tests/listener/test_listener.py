"""The doors keep whatever comes, answer 200 only for what is on the disk, and refuse in plain sentences."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ippbx_billing import inbox, listener
from ippbx_billing.calls import EventKind, RawEvent
from ippbx_billing.errors import CannotStartError
from ippbx_billing.inbox import Inbox, InboxWriter
from ippbx_billing.listener import Doors, Limits
from tests.listening import Answer, Listening, Wire, read_answer, request


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """One real listener for the tests that leave it as they found it."""
    with Listening(tmp_path_factory.mktemp("shared")) as service:
        yield service
        assert service.stop() == 0
        assert service.rest_of_lines() == []


def newest(service: Listening) -> RawEvent:
    with Inbox(service.inbox_path) as reader:
        event = reader.get(reader.last_id())
    assert event is not None
    return event


def count(service: Listening) -> int:
    with Inbox(service.inbox_path) as reader:
        return reader.count()


# What is kept


def test_the_announcement_names_both_doors(shared: Listening) -> None:
    """When it is ready it says where, with the ports it really has."""
    expected = (
        f"listening: CDRs on http://127.0.0.1:{shared.cdr_port}/, call status on http://127.0.0.1:{shared.status_port}/"
    )
    assert shared.announcement == expected


def test_a_post_is_answered_when_it_is_on_the_disk(shared: Listening) -> None:
    """The moment the 200 arrives, another process finds the row, as it was sent."""
    answer = shared.post(b'{"caller":"8001"}', path="/push/cdr?uuid=1?x=2")
    event = newest(shared)
    assert answer == Answer(
        200, {"content-type": "application/json", "content-length": "26"}, b'{"code":0,"msg":"success"}'
    )
    assert (event.kind, event.remote, event.method) == (EventKind.CDR, "127.0.0.1", "POST")
    assert (event.path, event.query) == ("/push/cdr", "uuid=1?x=2")
    assert event.headers == "Host: 127.0.0.1\r\nContent-Length: 17\r\n"
    assert event.body == b'{"caller":"8001"}'
    assert abs(event.received_at.timestamp() - time.time()) < 60


def test_each_door_gives_its_kind(shared: Listening) -> None:
    """What comes to the second port is call status."""
    assert shared.post(b"x", port=shared.status_port).status == 200
    assert newest(shared).kind is EventKind.STATUS


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "DELETE", "PATCH", "PROPFIND"])
def test_any_method_with_a_body_is_kept(shared: Listening, method: str) -> None:
    """NewRock sends its records by GET with a body; nobody is turned away for a method."""
    body = f"<cdr by='{method}'/>".encode()
    assert shared.post(body, method=method).status == 200
    assert (newest(shared).method, newest(shared).body) == (method, body)


def test_a_query_is_kept_without_a_body(shared: Listening) -> None:
    """Kazoo and LinuxBox put the record into the address."""
    assert shared.send(b"GET /cdr?src=8001&dst=10086 HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    assert (newest(shared).method, newest(shared).query, newest(shared).body) == ("GET", "src=8001&dst=10086", b"")


def test_an_empty_post_is_kept_and_answered(shared: Listening) -> None:
    """Some switches try the address with an empty POST, and must get a 200."""
    before = count(shared)
    assert shared.post(b"").status == 200
    assert count(shared) == before + 1


@pytest.mark.parametrize("target", ["/", "/favicon.ico"])
def test_a_look_with_a_browser_is_greeted_and_not_kept(shared: Listening, target: str) -> None:
    """A GET that carries nothing is not a record."""
    before = count(shared)
    answer = shared.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert b"/healthz" in answer.body
    assert count(shared) == before


def test_head_gets_no_body(shared: Listening) -> None:
    """HEAD is answered like GET, without the text."""
    with shared.connect() as connection:
        connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n")


def test_http_1_0_is_spoken(shared: Listening) -> None:
    """NewRock speaks HTTP/1.0; the connection ends after the answer."""
    with shared.connect() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""
    assert newest(shared).body == b"abc"


def test_a_connection_may_stay_open(shared: Listening) -> None:
    """Several records over one connection, also sent without waiting for the answers, are kept in order."""
    with shared.connect() as connection:
        for number in range(3):
            connection.sendall(request(b"waiting %d" % number))
            assert read_answer(connection).status == 200
        connection.sendall(b"".join(request(b"pipelined %d" % number) for number in range(5)))
        answers = b""
        while answers.count(b'"msg":"success"}') < 5:
            answers += connection.recv(65536)
        assert answers.count(b"HTTP/1.1 200 OK") == 5
    with Inbox(shared.inbox_path) as reader:
        bodies = [event.body for event in reader.after(reader.last_id() - 8, 8)]
    assert bodies == [b"waiting %d" % n for n in range(3)] + [b"pipelined %d" % n for n in range(5)]


def test_connection_close_is_obeyed(shared: Listening) -> None:
    """OpenVox closes after each record."""
    with shared.connect() as connection:
        connection.sendall(request(b"x", headers="Connection: close\r\n"))
        assert read_answer(connection).headers["connection"] == "close"
        assert connection.recv(1) == b""


def test_a_chunked_body_is_put_together(shared: Listening) -> None:
    """Chunks are the transport's, not the record's."""
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (b"\x00{", b"x" * 70_000, b"}")) + b"0\r\n\r\n"
    answer = shared.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.status == 200
    assert newest(shared).body == b"\x00{" + b"x" * 70_000 + b"}"


def test_continue_is_said_at_once(shared: Listening) -> None:
    """FreeSWITCH asks before it sends a body above one kilobyte, and then waits."""
    with shared.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert read_answer(connection).status == 100
        connection.sendall(b"body")
        assert read_answer(connection).status == 200
    assert newest(shared).body == b"body"


def test_an_offer_to_upgrade_loses_nothing(shared: Listening) -> None:
    """Java's client offers HTTP/2 with every request: its body is kept all the same, and the connection goes on."""
    offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    with shared.connect() as connection:
        connection.sendall(request(b"offered", headers=offer, path="/a?b=c"))
        assert read_answer(connection).status == 200
        event = newest(shared)
        assert (event.body, event.path, event.query) == (b"offered", "/a", "b=c")
        assert event.headers == (
            "Host: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "HTTP2-Settings: AAMAAABk\r\nContent-Length: 7\r\n"
        )
        connection.sendall(request(b"x" * 200_000, headers=offer) + request(b"next"))
        assert read_answer(connection).status == 200
        assert read_answer(connection).status == 200
    with Inbox(shared.inbox_path) as reader:
        assert [len(event.body) for event in reader.after(reader.last_id() - 2, 2)] == [200_000, 4]


@pytest.mark.parametrize(
    ("line", "path", "query"),
    [
        (b"POST HTTP/1.1", "/", ""),  # as OpenVox's manual prints it
        (b"POST  HTTP/1.1", "/", ""),
        (b"POST http://10.0.0.1:8181 HTTP/1.1", "/", ""),
        (b"POST http://10.0.0.1:8181?a=1 HTTP/1.1", "/", "a=1"),
        (b"POST http://10.0.0.1:8181/cdr?a=1 HTTP/1.1", "/cdr", "a=1"),
        (b"POST /?start=2024-05-01 10:00:00&a=1 HTTP/1.1", "/", "start=2024-05-01%2010:00:00&a=1"),
        ("POST /推?名=张 HTTP/1.1".encode(), "/%E6%8E%A8", "%E5%90%8D=%E5%BC%A0"),
        ("POST /?name=张 HTTP/1.1".encode("gbk"), "/", "name=%D5%C5"),
    ],
)
def test_a_careless_request_line_is_understood(shared: Listening, line: bytes, path: str, query: str) -> None:
    """A target that is missing, absolute, or holds what must be percent-encoded costs no record."""
    answer = shared.send(line + b"\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
    event = newest(shared)
    assert (answer.status, event.path, event.query, event.body) == (200, path, query, b"abc")


def test_a_body_that_looks_like_a_request_line_is_left_alone(shared: Listening) -> None:
    """Only the first line of a request is repaired, never a body, wherever the network cuts it."""
    with shared.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n")
        time.sleep(0.1)
        connection.sendall(b"POST HTTP/1.1\r\n")
        assert read_answer(connection).status == 200
    assert newest(shared).body == b"POST HTTP/1.1\r\n"


@pytest.mark.parametrize("stray", [b"\0", b"\r\n", b"\r\n\r\n\0\0", b"junk"])
def test_stray_bytes_after_a_request_do_not_spoil_its_answer(shared: Listening, stray: bytes) -> None:
    """A trailing NUL or line is not a reason to tell a good record that it was bad."""
    assert shared.send(request(b"good") + stray).status == 200
    assert newest(shared).body == b"good"


def test_a_sender_may_close_its_half_before_the_answer(shared: Listening) -> None:
    """Simple clients send, close their side and then listen."""
    with shared.connect() as connection:
        connection.sendall(request(b"half"))
        connection.shutdown(socket.SHUT_WR)
        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""


def test_a_sender_that_does_not_wait_is_heard(shared: Listening) -> None:
    """NewRock closes without reading the answer: the record is kept all the same."""
    before = count(shared)
    with shared.connect() as connection:
        connection.sendall(request(b"gone"))
    deadline = time.monotonic() + 20
    while count(shared) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert newest(shared).body == b"gone"


def test_ten_megabytes_are_kept(shared: Listening) -> None:
    """A large body, cut into many pieces, arrives whole."""
    body = os.urandom(1 << 20) * 10
    assert shared.post(body).status == 200
    assert newest(shared).body == body


# What is refused


def refused(service: Listening, reason: str) -> int:
    return int(service.health()["refused"].get(reason, 0))


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # somebody speaks TLS
        b"8001,10086,2024-05-01 10:00:00,35\r\n",  # somebody sends CSV lines
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc",
        b"CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_sentence(shared: Listening, rubbish: bytes) -> None:
    """A broken request is answered 400 in plain words, counted once, and not kept."""
    before, kept = refused(shared, "broken"), count(shared)
    answer = shared.send(rubbish)
    assert (answer.status, answer.body) == (400, b"This is not a valid HTTP request.\n")
    assert answer.headers["connection"] == "close"
    assert refused(shared, "broken") == before + 1
    assert count(shared) == kept


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: " + b"a" * 400_000,  # and no end of it
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: " + b"a" * 800_000,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"X: a\r\n" * 200_000,
    ],
)
def test_an_endless_header_is_refused(shared: Listening, head: bytes) -> None:
    """A header beyond its limit is answered 400, also when it never ends."""
    before = refused(shared, "header_too_large")
    answer = shared.send(head)
    assert (answer.status, answer.body) == (400, b"The header of the request is too large.\n")
    assert refused(shared, "header_too_large") == before + 1


def test_an_unfinished_request_is_not_kept(shared: Listening) -> None:
    """When the sender breaks off in the middle, there is nothing to acknowledge; it is counted."""
    before, kept = refused(shared, "incomplete"), count(shared)
    with shared.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
    deadline = time.monotonic() + 20
    while refused(shared, "incomplete") == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert refused(shared, "incomplete") == before + 1
    assert count(shared) == kept


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large_a_body_is_refused_and_its_sender_hears_it(tmp_path: Path, chunked: bool) -> None:
    """One byte beyond the limit is answered 413, whether its length was announced or not; the limit itself is taken."""
    with Listening(tmp_path, max_body_bytes=100_000) as service:
        for size, status in ((100_000, 200), (100_001, 413), (300_000, 413)):
            body = b"x" * size
            if chunked:
                head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                answer = service.send(head + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body))
            else:
                answer = service.post(body)
            assert answer.status == status, size
        assert answer.body == b"The body is larger than the 100000 bytes allowed.\n"
        assert refused(service, "too_large") == 2
        assert count(service) == 1


def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    """Far beyond the limit nobody reads on: the connection ends, and the next record is taken."""
    with Listening(tmp_path, max_body_bytes=1000) as service:
        endless = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n" + b"x" * 90_000_000
        with service.connect() as connection, pytest.raises(ConnectionError):
            connection.sendall(endless)
        assert service.post(b"next").status == 200


def test_a_slow_sender_is_let_go(tmp_path: Path) -> None:
    """A request that does not end in time gets 408; a connection on which nothing is asked is closed."""
    with Listening(tmp_path, request_timeout_s=1) as service:
        with service.connect() as head, service.connect() as body, service.connect() as silent:
            head.sendall(b"POST / HTTP/1.1\r\nHost:")
            body.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
            for connection in (head, body):
                answer = read_answer(connection)
                assert (answer.status, answer.body) == (408, b"The request took too long to arrive.\n")
            assert silent.recv(1) == b""
        assert service.health()["refused"] == {"too_slow": 2}


def test_too_many_connections_are_told_to_come_again(tmp_path: Path) -> None:
    """Beyond the limit the answer is 503 with Retry-After; when others have gone, it is 200 again."""
    with Listening(tmp_path, max_connections=2) as service:
        with service.connect() as first, service.connect() as second:
            for connection in (first, second):
                connection.sendall(request(b"kept"))
                assert read_answer(connection).status == 200
            answer = service.post(b"refused")
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert answer.body == b"Too many connections are open; please send the record again later.\n"
        deadline = time.monotonic() + 20
        while service.post(b"again").status != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert newest(service).body == b"again"
        assert service.health()["refused"]["too_many_connections"] >= 1


def test_a_failing_store_is_told_and_mended(tmp_path: Path) -> None:
    """1. Another program locks the file: 503 with Retry-After, /healthz says failing. 2. It lets go: 200 again."""
    with Listening(tmp_path) as service:
        blocker = sqlite3.connect(service.inbox_path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        answer = service.post(b"refused")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert answer.body == b"The record could not be stored; please send it again later.\n"
        with service.connect() as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            health = read_answer(connection)
        assert health.status == 503
        assert json.loads(health.body)["status"] == "failing"
        assert json.loads(health.body)["failure"] == f"{service.inbox_path} takes no events: database is locked"
        blocker.execute("ROLLBACK")
        blocker.close()
        assert service.health()["status"] == "ok"
        assert service.post(b"kept").status == 200
        assert service.health()["refused"] == {"store_failing": 1}
        assert newest(service).body == b"kept"
        assert count(service) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_told_and_mended(tmp_path: Path) -> None:
    """1. A real disk of 3 MB fills up: what was answered 200 is there. 2. Room is made: records are taken again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this system lets nobody mount a disk")
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 1_500_000)
        with Listening(disk, min_free_bytes=0) as service:
            statuses = [service.post(b"x" * 50_000).status for _ in range(40)]
            kept = statuses.count(200)
            assert set(statuses) == {200, 503}
            assert service.health()["refused"] == {"store_failing": statuses.count(503)}
            assert count(service) == kept
            ballast.unlink()
            assert service.health()["status"] == "ok"
            assert service.post(b"after").status == 200
            assert count(service) == kept + 1
            assert service.stop() == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# How it lives


def test_health_tells_what_came_through(tmp_path: Path) -> None:
    """/healthz counts what was received, acknowledged and greeted, on both doors."""
    with Listening(tmp_path) as service:
        assert service.health() == {
            "status": "ok",
            "failure": None,
            "version": listener.__version__,
            "received": 0,
            "acknowledged": 0,
            "greeted": 0,
            "refused": {},
            "last_event_at": None,
            "backlog": 0,
            "connections": 1,
            "damaged_files": [],
        }
        service.post(b"1")
        service.post(b"2", port=service.status_port)
        service.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", port=service.status_port)
        health = json.loads(service.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", port=service.status_port).body)
        assert (health["received"], health["acknowledged"], health["greeted"]) == (3, 2, 1)
        assert health["last_event_at"] == newest(service).received_at.isoformat()
        assert service.stop() == 0


def test_the_answer_is_a_setting(tmp_path: Path) -> None:
    """Some switches want a text of their own; its type follows its look."""
    with Listening(tmp_path, answer="OK") as service:
        answer = service.post(b"x")
    assert (answer.body, answer.headers["content-type"]) == (b"OK", "text/plain; charset=utf-8")


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, with_signal: int) -> None:
    """SIGTERM and Ctrl-C: exit code 0, nothing on stderr, also with idle and half-open connections."""
    with Listening(tmp_path) as service:
        with service.connect(), service.connect() as half:
            half.sendall(b"POST / HTTP/1.1\r\n")
            assert service.post(b"kept").status == 200
            assert service.stop(with_signal) == 0
        assert service.rest_of_lines() == []
        assert count(service) == 1


def test_a_request_under_way_is_finished_on_sigterm(tmp_path: Path) -> None:
    """1. Half a body is sent. 2. SIGTERM. 3. The other half is sent: it is kept and answered, then the process ends."""
    with Listening(tmp_path) as service, service.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        while service.health()["received"] == 0:
            time.sleep(0.02)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
        connection.sendall(b"56789")
        assert read_answer(connection).status == 200
        assert service.wait() == 0
        assert newest(service).body == b"0123456789"


def test_a_request_that_never_ends_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """After the time to finish, its sender is told that nothing was kept, and the process ends with 0."""
    with Listening(tmp_path, shutdown_timeout_s=1) as service, service.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        while service.health()["received"] == 0:
            time.sleep(0.02)
        assert service.stop() == 0
        assert read_answer(connection).status == 503
        assert count(service) == 0


class Load:
    """Eight connections that post numbered bodies as fast as they are answered, until the listener is gone."""

    def __init__(self, service: Listening) -> None:
        self.service = service
        self.acknowledged: list[bytes] = []
        self.threads = [threading.Thread(target=self._post, args=(number,)) for number in range(8)]
        for thread in self.threads:
            thread.start()

    def wait_for(self, answers: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.acknowledged) < answers and time.monotonic() < deadline:
            time.sleep(0.01)

    def join(self) -> list[bytes]:
        for thread in self.threads:
            thread.join(20)
        return self.acknowledged

    def _post(self, number: int) -> None:
        kept_open = number % 2 == 0
        try:
            connection = self.service.connect()
            for turn in range(100_000):
                body = b"%d/%d" % (number, turn)
                connection.sendall(request(body))
                if read_answer(connection).status == 200:
                    self.acknowledged.append(body)
                if not kept_open:
                    connection.close()
                    connection = self.service.connect()
        except OSError:
            pass
        finally:
            connection.close()


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_acknowledged_is_there_however_it_ended(tmp_path: Path, with_signal: int) -> None:
    """1. Eight senders post without a pause. 2. The process is killed or stopped. 3. Every 200 has its row, once."""
    with Listening(tmp_path) as service:
        load = Load(service)
        load.wait_for(300)
        code = service.stop(with_signal)
        acknowledged = load.join()
        with Inbox(service.inbox_path) as reader:
            kept = [event.body for event in reader.after(0, 1_000_000)]
    assert len(acknowledged) >= 300
    assert set(acknowledged) <= set(kept)
    assert len(kept) == len(set(kept))
    assert code == (-signal.SIGKILL if with_signal == signal.SIGKILL else 0)


def test_it_starts_again_after_a_kill(tmp_path: Path) -> None:
    """Neither a lock nor a log left behind keeps the next one from starting, on the same data."""
    for turn in range(2):
        with Listening(tmp_path) as service:
            assert service.post(b"%d" % turn).status == 200
            service.stop(signal.SIGKILL)
    with Inbox(tmp_path / "inbox.db") as reader:
        assert [event.body for event in reader.after(0, 10)] == [b"0", b"1"]


def test_a_second_listener_is_refused(tmp_path: Path) -> None:
    """Two writers on one data directory would tread on each other: the second says so and ends with 3."""
    with Listening(tmp_path) as service:
        sentence = f"another listener already uses {tmp_path} | stop it first, or choose another --data-dir"
        assert Listening(tmp_path).failure() == (3, [sentence])
        assert service.post(b"x").status == 200


@pytest.mark.parametrize("taken_option", ["cdr_port", "status_port"])
def test_a_taken_port_is_one_sentence(tmp_path: Path, taken_option: str) -> None:
    """The address is named, and the option that helps; exit code 3."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = Listening(tmp_path, **{taken_option: port}).failure()
        assert code == 3
        assert lines == [
            f"cannot listen on http://127.0.0.1:{port}/: Address already in use | "
            f"choose another port with --{taken_option.replace('_', '-')}, or an address with --host"
        ]


def start(tmp_path: Path, **options: Any) -> None:
    chosen = {"host": "127.0.0.1", "cdr_port": 0, "status_port": 0, **options}
    listener.serve(listener.ServeOptions(inbox_path=tmp_path / "inbox.db", **chosen))


def test_what_keeps_it_from_starting_is_a_sentence(tmp_path: Path) -> None:
    """A foreign address, one port for both doors, no directory, a file that is not an inbox: each says what it is."""
    with pytest.raises(CannotStartError, match=r"cannot listen on http://192\.0\.2\.1:0/: Cannot assign"):
        start(tmp_path, host="192.0.2.1")
    with pytest.raises(CannotStartError, match="both doors are set to port 8181"):
        start(tmp_path, cdr_port=8181, status_port=8181)
    with pytest.raises(CannotStartError, match="cannot be opened: No such file or directory"):
        start(tmp_path / "missing")
    (tmp_path / "inbox.db").write_bytes(b"something else entirely" * 1000)
    with pytest.raises(CannotStartError, match="file is not a database"):
        start(tmp_path)


def test_ipv6_is_spoken(tmp_path: Path) -> None:
    """The address stands in brackets, and the sender is kept as it is."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this system has no IPv6")
    with Listening(tmp_path, host="::1") as service:
        assert service.announcement.startswith(
            f"listening: CDRs on http://[::1]:{service.cdr_port}/, call status on http://["
        )
        assert service.post(b"x").status == 200
        assert newest(service).remote == "::1"


def test_an_ipv4_sender_at_an_ipv6_door_stays_itself(tmp_path: Path) -> None:
    """With `::` both kinds of addresses are served, and 127.0.0.1 is not kept as ::ffff:127.0.0.1."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this system has no IPv6")
    with Listening(tmp_path, host="::") as service:
        service.host = "127.0.0.1"
        assert service.post(b"x").status == 200
        assert newest(service).remote == "127.0.0.1"


# In this process


TOKEN = st.text("!#$%&'*+-.^_`|~ABCxyz019", min_size=1, max_size=10).map(str.encode)
VISIBLE = st.text([chr(code) for code in range(0x21, 0x7F)], max_size=30).map(str.encode)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([b"POST", b"PUT", b"GET", b"NOTIFY"]),
    path=VISIBLE.map(lambda tail: b"/" + tail.replace(b"?", b"-")),
    query=VISIBLE,
    headers=st.lists(st.tuples(TOKEN.map(lambda name: b"X-" + name), VISIBLE), max_size=5),
    body=st.binary(min_size=1, max_size=600),
    cuts=st.lists(st.integers(0, 800), max_size=5),
)
def test_whatever_comes_is_stored_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory,
    method: bytes,
    path: bytes,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    cuts: list[int],
) -> None:
    """Any target, header and body, wherever the network cuts it, is answered 200 and stands in the inbox as it came."""
    file = tmp_path_factory.mktemp("any") / "inbox.db"
    inbox.create(file)
    lines = b"".join(
        name + b": " + value + b"\r\n" for name, value in [*headers, (b"Content-Length", b"%d" % len(body))]
    )
    whole = b"%b %b?%b HTTP/1.1\r\n%b\r\n%b" % (method, path, query, lines, body)
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})

    async def story() -> bytes:
        with InboxWriter(file) as writer:
            wire = Wire(Doors(writer, {8182: EventKind.STATUS}))
            for begin, end in pairwise(places):
                wire.hear(whole[begin:end])
            return await wire.answer()

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200 OK\r\n")
    with Inbox(file) as reader:
        (event,) = reader.after(0, 10)
    assert (event.method.encode(), event.body) == (method, body)
    assert event.path.encode("latin-1") == path
    assert event.query.encode("latin-1") == query
    assert event.headers.encode("latin-1") == lines
    assert (event.kind, event.remote) == (EventKind.STATUS, "10.1.2.3")


def test_nothing_is_answered_before_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk is at work there is no answer, however long it takes."""
    file = tmp_path / "inbox.db"
    inbox.create(file)
    disk, at_work = threading.Event(), threading.Event()
    commit = InboxWriter._commit

    def slow(self: InboxWriter, deliveries: Any) -> str:
        at_work.set()
        assert disk.wait(20)
        return commit(self, deliveries)

    monkeypatch.setattr(InboxWriter, "_commit", slow)
    monkeypatch.setattr(inbox, "AT_ONCE_S", -1)  # as if the last commit had been slow already

    async def story() -> bytes:
        with InboxWriter(file) as writer:
            wire = Wire(Doors(writer, {8182: EventKind.CDR}))
            wire.hear(request(b"x"))
            await asyncio.to_thread(at_work.wait, 20)
            await asyncio.sleep(0.1)
            assert wire.sent == b""
            disk.set()
            return await wire.answer()

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_limits_are_those_of_the_settings() -> None:
    """A limit nobody knows is a mistake in the program, not something to ignore."""
    assert Limits().max_drained_bytes == 4 * Limits().max_body_bytes
    with pytest.raises(TypeError):
        Limits(max_boddy_bytes=1)  # type: ignore[call-arg]


# --- What is not quite HTTP -----------------------------------------------------------------------------------------


def answered(connection: socket.socket, requests: int) -> bool:
    """Whether so many requests are answered 200, however the answers are cut."""
    received = b""
    while received.count(b"HTTP/1.1 200") < requests and (more := connection.recv(65536)):
        received += more
    return received.count(b"HTTP/1.1 200") == received.count(b"HTTP/1.1 ") == requests


RECORD = '{"caller":"8001","callee":"013820000000","name":"张三"}'.encode()


@pytest.mark.parametrize(
    "head",
    [
        b"POST /cdr HTTP/1.0\r\nHost: x\r\n\r\n",
        b"POST /cdr HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"PUT /cdr HTTP/1.0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize("closes", [True, False])
def test_a_body_without_a_length_ends_with_the_connection(
    shared: Listening, head: bytes, pieces: int, closes: bool
) -> None:
    """However it is cut, all of it is kept before it is answered; one that waits for its answer gets it, too."""
    data = head + RECORD * 40
    step = -(-len(data) // pieces)
    with shared.connect() as connection:
        for start in range(0, len(data), step):
            connection.sendall(data[start : start + step])
            time.sleep(0.01)
        if closes:
            connection.shutdown(socket.SHUT_WR)
        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""
    assert newest(shared).body == RECORD * 40


def test_a_posting_without_a_body_or_a_length_is_answered(shared: Listening) -> None:
    """A record may stand in the query alone."""
    assert shared.send(b"POST /?caller=8001 HTTP/1.0\r\n\r\n").status == 200
    event = newest(shared)
    assert (event.query, event.body) == ("caller=8001", b"")


def test_a_body_without_a_length_has_its_bounds(tmp_path: Path) -> None:
    """Too large is too large."""
    with Listening(tmp_path, max_body_bytes=1_000) as service:
        assert service.send(b"POST / HTTP/1.0\r\n\r\n" + b"x" * 1_001).status == 413


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("following", [b"", request(b"next")])
def test_a_length_in_characters_loses_no_byte(shared: Listening, encoding: str, following: bytes) -> None:
    """Content-Length counts characters where bytes are meant: the body is kept whole."""
    text = '{"name":"张三李四","caller":"8001","callee":"013820000000"}'
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n".encode()
    with shared.connect() as connection:
        connection.sendall(head + text.encode(encoding) + following)
        assert answered(connection, 2 if following else 1)
    with Inbox(shared.inbox_path) as reader:
        last = reader.last_id()
        bodies = [event.body for event in reader.after(last - 2, 2)]
    assert bodies[-2 if following else -1] == text.encode(encoding)
    assert bodies[-1] == (b"next" if following else text.encode(encoding))


def test_a_length_in_characters_is_answered_once_where_commits_are_quick(tmp_path: Path) -> None:
    """A lone record is committed at once; the rest of its body is not a broken request behind it."""
    text = '{"name":"张三李四","caller":"8001"}'
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n\r\n".encode()
    with Listening(tmp_path) as service, service.connect() as connection:
        for _ in range(5):
            connection.sendall(request(b"quick"))
            assert answered(connection, 1)
        connection.sendall(head + text.encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200") == received.count(b"HTTP/1.1 ") == 1, received


def test_a_right_length_takes_nothing_of_the_next_request(shared: Listening) -> None:
    """Chinese characters and a request behind: both are kept as they are."""
    with shared.connect() as connection:
        connection.sendall(request(RECORD) + request(b"second"))
        assert answered(connection, 2)
    assert newest(shared).body == b"second"


@pytest.mark.parametrize("cut", range(1, 16))
def test_an_odd_first_line_may_come_in_two_packets(shared: Listening, cut: int) -> None:
    """`POST HTTP/1.1`, as a manual prints it, wherever the network cuts it."""
    data = b"POST HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nodd!"
    with shared.connect() as connection:
        connection.sendall(data[:cut])
        time.sleep(0.02)
        connection.sendall(data[cut:])
        assert read_answer(connection).status == 200
    assert newest(shared).body == b"odd!"


def test_a_pipeline_goes_on_behind_an_odd_first_line(shared: Listening) -> None:
    """Good, odd, good, odd: four records in one piece, four answers."""
    odd = b"POST HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%b"
    before = count(shared)
    with shared.connect() as connection:
        connection.sendall(request(b"one") + odd % b"two" + request(b"three") + odd % b"4th")
        assert answered(connection, 4)
    assert count(shared) == before + 4
    assert newest(shared).body == b"4th"
