"""What takes longer than a moment shows on a terminal that it goes on; a pipe and stdout hear nothing of it."""

import io
import sys
import time
from pathlib import Path

import pytest

from ippbx_billing.cli import common
from tests.bodies import gateway_cdr
from tests.conftest import Cli
from tests.terminals import Terminal


class Screen(io.StringIO):
    """A terminal that keeps what was written."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_what_lasts_is_shown_with_its_count(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of how many, as far as that is known; the items go by unchanged."""
    monkeypatch.setattr(common, "SHOWN_AFTER_S", 0.0)
    with common.progress("taking in files") as told:
        passed = []
        for one in common.counted("abc", told, 3):
            passed.append(one)
            while "taking in files" not in screen.getvalue():  # the bar begins in a thread of its own
                time.sleep(0.01)
    assert passed == ["a", "b", "c"]
    assert "3/3" in screen.getvalue()


def test_what_is_quick_shows_nothing(screen: Screen) -> None:
    """A bar that is gone before it was seen would only flicker."""
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
