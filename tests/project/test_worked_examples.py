"""The page of the manual on plans of the month: exactly the commands shown, and every line of their answers."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from tests import PACKAGE, PROJECT


def sessions(lang: str) -> list[tuple[str, list[str]]]:
    """The commands of the page in their order, each with the lines shown below it."""
    text = (PACKAGE / "manual" / lang / "plans.md").read_text(encoding="utf-8")
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(" ".join(line.split()))
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_worked_examples_of_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    """On a new site, one command after another; each line shown is a line of the answer."""
    monkeypatch.chdir(PROJECT)
    shown = 0
    for command, wanted in sessions(lang):
        program, *words = shlex.split(command)
        assert program == "ippbx-bill"
        result = CliRunner().invoke(app, ["--data-dir", str(tmp_path / "data"), "--lang", lang, *words])
        assert result.exit_code == 0, (command, result.output)
        lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
        assert [line for line in wanted if line not in lines] == [], (command, result.stdout)
        shown += len(wanted)
    assert shown >= 25, "the page is there"


def test_both_pages_show_the_same_commands() -> None:
    """A page is translated, its commands are not."""
    assert [command for command, _ in sessions("en")] == [command for command, _ in sessions("zh")]
