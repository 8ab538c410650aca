"""The page of the manual on tariffs as carriers sell them: its commands run in their order, in both languages."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from tests import PACKAGE


def commands(page: Path) -> list[tuple[str, str | None]]:
    """Each command of the page with the line that is shown below it."""
    found: list[tuple[str, str | None]] = []
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ ippbx-bill "):
                found.append((line.removeprefix("$ ippbx-bill "), None))
            else:
                found[-1] = (found[-1][0], line)
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_example_costs_what_the_page_says(tmp_path: Path, lang: str) -> None:
    """The page is read from top to bottom in one data directory; each quoted fee is the one that is printed."""
    shown = 0
    for command, wanted in commands(PACKAGE / "manual" / lang / "tariff-terms.md"):
        arguments = ["--data-dir", str(tmp_path), "--lang", lang, *shlex.split(command)]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (command, result.output)
        if wanted:
            shown += 1
            assert wanted in result.output.splitlines(), (command, result.output)
    assert shown >= 12


def test_both_languages_show_the_same_commands() -> None:
    """A page is translated, its commands are not."""
    pages = [commands(PACKAGE / "manual" / lang / "tariff-terms.md") for lang in ("en", "zh")]
    assert [command for command, _ in pages[0]] == [command for command, _ in pages[1]]
