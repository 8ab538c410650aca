"""`listen` and `calls live --watch` on a terminal, and the same in a pipe or under a service manager."""

import signal
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from ippbx_billing.calls import EventKind
from ippbx_billing.inbox import Delivery, keep_all
from ippbx_billing.reports.views.arriving import Onlooker
from ippbx_billing.settings import load
from tests.bodies import gateway_cdr, read_all
from tests.conftest import Cli
from tests.service_process import Service
from tests.terminals import Terminal

LISTEN = ("listen", "--host", "127.0.0.1", "--cdr-port", "0", "--status-port", "0")


def test_the_first_of_each_sender_is_a_line_and_the_numbers_follow(site: Path) -> None:
    """Calls, and bodies that nobody understands; each sender by itself, in the order in which they came."""
    using = load(site)
    onlooker = Onlooker(using)
    assert (onlooker.look(), onlooker.status()) == ([], "0 received, 0 rated, 0 unrated, 0 waiting")

    def came(sender: str, *bodies: bytes) -> None:
        keep_all(using.inbox_path, [Delivery(1, "cdr", sender, "POST", "/", "", b"", one) for one in bodies])

    came("10.0.0.7", gateway_cdr("8001", "02258674577", 61), gateway_cdr("8002", "02258674578", 5), b"rubbish")
    came("10.0.0.8", b"more rubbish")
    assert onlooker.look() == []
    assert onlooker.status() == "4 received, 0 rated, 0 unrated, 4 waiting"
    read_all(site)
    lines = onlooker.look()
    assert lines[0].startswith("first call from 10.0.0.7: 8001 → 02258674577, 1:01, ")
    assert lines[0].endswith("see `ippbx-bill calls explain 1`")
    assert [one.partition(" that ")[0] for one in lines[1:]] == [
        "first record from 10.0.0.7",
        "first record from 10.0.0.8",
    ]
    assert "`ippbx-bill events show 4`" in lines[2]
    came("10.0.0.7", gateway_cdr("8001", "02258674579", 61, start="2026-10-13 11:00:00"), b"rubbish again")
    came("10.0.0.8", gateway_cdr("8001", "02258674577", 61, start="2026-10-13 12:00:00"))
    read_all(site)
    (line,) = onlooker.look()
    assert line.startswith("first call from 10.0.0.8: ")
    assert (onlooker.look(), onlooker.status()) == ([], "7 received, 4 rated, 0 unrated, 0 waiting")


@pytest.mark.parametrize(
    ("lang", "listening", "first", "numbers"),
    [
        (
            "en",
            r"listening: .*?(http://[0-9.:]+/)",
            r"first call from 127\.0\.0\.1: 8001 → 02258674577",
            "1 received, ",
        ),
        ("zh", r"正在接收：.*?(http://[0-9.:]+/)", r"127\.0\.0\.1 的第一次通话：8001 → 02258674577", "已接收 1，"),
    ],
)
def test_a_terminal_shows_the_first_call_and_a_status_line(
    site: Path, lang: str, listening: str, first: str, numbers: str
) -> None:
    """And Ctrl-C ends in good order."""
    with Terminal(site, "--lang", lang, *LISTEN) as terminal:
        url = terminal.wait_for(listening)[1]
        httpx.post(url, content=gateway_cdr("8001", "02258674577", 61), trust_env=False)
        terminal.wait_for(first)
        terminal.wait_for(numbers)
        assert terminal.end(signal.SIGINT) == 0


@pytest.mark.parametrize("environment", [{}, {"INVOCATION_ID": "1"}])
def test_a_pipe_and_a_service_hear_nothing_of_calls(site: Path, environment: dict[str, str]) -> None:
    """A line there tells a problem."""
    if environment:
        with Terminal(site, *LISTEN, **environment) as terminal:
            url = terminal.wait_for(r"listening: .*?(http://[0-9.:]+/)")[1]
            httpx.post(url, content=gateway_cdr("8001", "02258674577", 61), trust_env=False)
            assert terminal.end() == 0
            said = terminal.text()
    else:
        with Service(site) as service:
            service.post(gateway_cdr("8001", "02258674577", 61))
            service.wait_until_read()
            service.end()
            said = service.said()
    assert "listening" in said
    assert "received" not in said
    assert "first call" not in said


def test_calls_in_progress_are_watched_on_a_terminal(site: Path) -> None:
    """A call that begins meanwhile appears; Ctrl-C ends it, which is not a failure."""
    with Terminal(site, "calls", "live", "--watch") as terminal:
        terminal.wait_for("no calls in progress")
        body = b'{"status": [{"callid": "c-17", "state": "ring", "caller": "8001", "callee": "02258674577"}]}'
        moment = int(datetime.now(UTC).timestamp() * 1_000_000)
        path = load(site).inbox_path
        keep_all(path, [Delivery(moment, EventKind.STATUS.value, "10.0.0.7", "POST", "/", "", b"", body)])
        read_all(site)
        terminal.wait_for("02258674577")
        assert terminal.end(signal.SIGINT) == 0


def test_watching_wants_a_terminal(cli: Cli) -> None:
    """In a pipe it says what gives the same once."""
    result = cli("calls", "live", "--watch")
    assert result.exit_code == 2
    assert "`ippbx-bill calls live --format json`" in result.stderr
