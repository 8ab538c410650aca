"""What the service says on stderr: a line a problem, in both forms, and never a flood."""

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from ippbx_billing.service import logs

log = logging.getLogger("ippbx_billing.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The process's own lines are set up again as they were."""
    import sys

    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers = root.handlers[:]
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.handlers[:] = handlers
    sys.excepthook, threading.excepthook = hooks


def started(form: str, period_s: float = 3600) -> tuple[io.StringIO, logging.Handler]:
    stream = io.StringIO()
    return stream, logs.start(form, stream=stream, period_s=period_s)


def test_information_is_a_plain_line_and_a_problem_has_time_and_level() -> None:
    """`listening: …` is what people wait for; a problem says when, how bad, and what is known."""
    stream, _ = started("text")
    log.info("listening: CDRs on %s", "http://127.0.0.1:8181/")
    log.warning("refused: %s", "too large", extra={"sender": "192.168.6.169"})
    first, second = stream.getvalue().splitlines()
    assert first == "listening: CDRs on http://127.0.0.1:8181/"
    time, _, rest = second.partition(" ")
    assert time[10] == "T"
    assert rest == "warning: refused: too large (sender=192.168.6.169)"


def test_json_is_an_object_a_line_also_with_a_traceback() -> None:
    """A collector reads each line alone."""
    stream, _ = started("json")
    try:
        raise ValueError("no such thing")
    except ValueError:
        log.exception("could not\ndo it", extra={"event": 17})
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["level"], told["message"], told["event"]) == ("error", "could not\ndo it", 17)
    assert told["time"].endswith("+00:00")
    assert "ValueError: no such thing" in told["trace"]


def test_a_flood_is_a_line_and_then_a_count() -> None:
    """A thousand times the same from one sender: told once, and once more with its number; another sender is news."""
    stream, handler = started("json")
    for sender in ["10.0.0.1"] * 1_000 + ["10.0.0.2"]:
        log.warning("refused", extra={"sender": sender})
    handler.close()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(one["sender"], one.get("repeated")) for one in told] == [
        ("10.0.0.1", None),
        ("10.0.0.2", None),
        ("10.0.0.1", 999),
    ]


def test_the_count_comes_by_itself_when_the_period_is_over() -> None:
    """Nobody has to send another bad request for it."""
    written = threading.Event()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            if "1 more" in text:
                written.set()
            return super().write(text)

    logs.start("text", stream=Watched(), period_s=0.05)
    for _ in range(2):
        log.warning("refused", extra={"sender": "10.0.0.1"})
    assert written.wait(20)


def test_many_senders_do_not_fill_the_memory() -> None:
    """Beyond a thousand they are counted together."""
    stream, handler = started("json")
    for number in range(logs.MAX_PROBLEMS + 500):
        log.warning("refused", extra={"sender": number})
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == logs.MAX_PROBLEMS + 2
    assert lines[-1]["repeated"] == 499


def test_what_a_terminal_would_obey_does_not_reach_it() -> None:
    """A sender's own words may hold escape sequences and line ends."""
    stream, _ = started("text")
    log.warning("refused: %s", "\x1b[2J\nroot logged in")
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line


def test_an_uncaught_error_is_a_line_too() -> None:
    """Also one that ends a thread."""
    stream, _ = started("json")
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    told = json.loads(stream.getvalue())
    assert (told["level"], "ZeroDivisionError" in told["trace"]) == ("critical", True)
