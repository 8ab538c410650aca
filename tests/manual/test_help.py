"""`ippbx-bill help`: the pages in the reader's language, in a pipe as they are written, on a terminal as Markdown."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ippbx_billing import manual
from tests.conftest import Cli


def test_the_pages_are_listed_in_the_order_of_a_site(cli: Cli) -> None:
    """Each with its title, in the language asked for."""
    rows = json.loads(cli("help", "--format", "json").stdout)
    assert [row["page"] for row in rows] == [page.topic for page in manual.pages("en")]
    assert rows[0] == {"page": "start", "title": "From nothing to the first bill"}
    assert "从零到第一张账单" in cli("--lang", "zh", "help").stdout


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("topic", [page.topic for page in manual.pages("en")])
def test_a_page_in_a_pipe_is_its_file(cli: Cli, topic: str, language: str) -> None:
    """Not a sign of it is changed."""
    text = (manual.FOLDER / language / f"{topic}.md").read_text("utf-8")
    assert cli("--lang", language, "help", topic).stdout == text


def test_a_page_on_a_terminal_is_drawn() -> None:
    """Headings, lists and tables without the signs of Markdown, at the terminal's width."""
    printed = on_a_terminal("help", "prices")
    assert "Prices: carriers, trunks, tariffs, discounts" in printed
    assert "# Prices" not in printed
    assert "see ippbx-bill help start" in " ".join(printed.split())
    assert "**Codes**" not in printed
    assert max(len(line) for line in printed.splitlines()) <= 80


def on_a_terminal(*words: str) -> str:
    """What the command shows where stdout is a terminal of 80 columns, without colours."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ippbx_billing", *words]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=theirs, stdin=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    received = b""
    while True:
        try:
            more = os.read(ours, 65_536)
        except OSError:  # the other side is closed
            break
        if not more:
            break
        received += more
    os.close(ours)
    assert process.wait(60) == 0
    return re.sub(r"\x1b\[[\d;]*m", "", received.decode()).replace("\r\n", "\n")


def test_a_command_has_its_own_help(cli: Cli) -> None:
    """`help tariffs import` is `tariffs import --help`."""
    asked, own = cli("help", "tariffs", "import"), cli("tariffs", "import", "--help")
    assert asked.exit_code == 0
    assert asked.stdout.splitlines()[1:] == own.stdout.splitlines()[1:]


def test_what_is_no_page_names_those_that_tell_of_it(cli: Cli) -> None:
    """The best first, as a command to type; else the list."""
    asked = cli("help", "anonymize")
    assert asked.exit_code == 1
    assert "the manual has no page 'anonymize'" in asked.stderr
    assert "ippbx-bill help" in asked.stderr
    assert "upkeep" in asked.stderr
    assert "`ippbx-bill help` lists the pages" in cli("help", "zzzz").stderr


def test_a_page_is_written_to_a_file(cli: Cli, tmp_path: Path) -> None:
    """To hand on, as HTML or PDF too."""
    target = tmp_path / "prices.md"
    assert cli("help", "prices", "--output", str(target)).exit_code == 0
    assert target.read_text("utf-8").startswith("# Prices")
