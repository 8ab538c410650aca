"""The worked examples of plans in the manual: exactly the commands shown, and every line of their answers."""

import re
import shlex

import pytest

from tests import PROJECT
from tests.conftest import Cli

SECTION = "### Plans of the month"


def sessions() -> list[tuple[str, list[str]]]:
    """The commands of the section's console blocks in their order, each with the lines shown below it."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    section = text.partition(SECTION)[2].partition("\n### ")[0]
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", section, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(" ".join(line.split()))
    return found


def test_the_worked_examples_of_plans(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a new site of 022, one command after another; each line shown is a line of the answer."""
    monkeypatch.chdir(PROJECT)
    shown = 0
    for command, wanted in sessions():
        program, *words = shlex.split(command)
        assert program == "ippbx-bill"
        result = cli(*words)
        assert result.exit_code == 0, (command, result.output)
        lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
        assert [line for line in wanted if line not in lines] == [], (command, result.stdout)
        shown += len(wanted)
    assert shown >= 25, "the section is there"
