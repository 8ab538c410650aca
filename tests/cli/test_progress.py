"""What takes longer than a moment shows on a terminal that it goes on; a pipe and stdout hear nothing of it."""

import io
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippbx_billing import settings
from ippbx_billing.cli import common
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import replaying
from ippbx_billing.upkeep import backups
from tests.bodies import gateway_cdr
from tests.conftest import Cli
from tests.terminals import Terminal


class Screen(io.StringIO):
    """A terminal that keeps what was written."""

    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """From now on stderr is a terminal; called in the test, because pytest sets stderr anew after the fixtures."""
    made = Screen()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_what_lasts_is_shown_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of how many, as far as that is known; the items go by unchanged, and stdout is not touched."""
    screen, data = on_screen(monkeypatch), io.StringIO()
    monkeypatch.setattr(sys, "stdout", data)
    monkeypatch.setattr(common, "SHOWN_AFTER_S", 0.0)
    with common.progress("taking in files") as told:
        passed = []
        for one in common.counted("abc", told, 3):
            passed.append(one)
            print(one)
            deadline = time.monotonic() + 40
            while "taking in files" not in screen.getvalue():  # the bar begins in a thread of its own
                assert time.monotonic() < deadline, screen.getvalue()
                time.sleep(0.01)
    assert passed == ["a", "b", "c"]
    assert "3/3" in screen.getvalue()
    assert data.getvalue() == "a\nb\nc\n"


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar that is gone before it was seen would only flicker."""
    screen = on_screen(monkeypatch)
    with common.progress("nothing to wait for") as told:
        told(1, None)
    assert screen.getvalue() == ""


def test_a_pipe_hears_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """However long it takes."""
    monkeypatch.setattr(common, "SHOWN_AFTER_S", 0.0)
    with common.progress("in silence") as told:
        told(1, 2)
    assert capsys.readouterr() == ("", "")


def test_commands_end_well_below_a_bar(site: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import, backup and restore on a terminal say what they say in a pipe."""
    (tmp_path / "calls.json").write_bytes(gateway_cdr("8001", "02258674577", 61))
    for words, said in (
        (["events", "import", str(tmp_path / "calls.json")], "calls.json"),
        (["backup", "--to", str(tmp_path / "all.zip")], "1 events, 1 calls, checked"),
        (["restore", str(tmp_path / "all.zip")], "is as it was at"),
    ):
        with Terminal(site, "--lang", "en", *words, columns=200) as terminal:
            assert terminal.process.wait(40) == 0, terminal.text()
            terminal.wait_for(said)


def test_maintenance_tells_how_much_of_all_is_done(site: Path, tmp_path: Path, cli: Cli) -> None:
    """A backup by its pages, a replay by its events: the last that is told is all of them."""
    (tmp_path / "calls.json").write_bytes(gateway_cdr("8001", "02258674577", 61))
    assert cli("events", "import", str(tmp_path / "calls.json")).exit_code == 0
    using, pages, events = settings.load(site), list[tuple[int, int]](), list[tuple[int, int]]()
    backups.make(using, tmp_path / "all.zip", datetime.now(UTC), heard=lambda *told: pages.append(told))
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        replaying.replay(ledger, inbox, using, lambda _: [1], heard=lambda *told: events.append(told))
    assert pages[-1][0] == pages[-1][1] > 0
    assert events == [(1, 1)]
