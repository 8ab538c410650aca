"""The README is true: its commands exist, and every command, setting, report and dialect is mentioned."""

import re
import shlex
from dataclasses import fields
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from ippbx_billing import dialects
from ippbx_billing.cli.announced import loaded
from ippbx_billing.cli.app import COMMANDS, app
from ippbx_billing.cli.reports.report import NAMED
from ippbx_billing.reports import GROUPS
from ippbx_billing.settings import Settings
from tests import PROJECT

README = PROJECT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def below(command: Any) -> dict[str, Any]:
    """The commands of a group; none for a command."""
    return getattr(command, "commands", {})


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command with the words that call it."""
    return [one for name, child in below(command).items() for one in commands(child, (*path, name))] or [path]


ROOT = typer.main.get_command(app)
ROOT.commands = {name: loaded(COMMANDS, name) for name in COMMANDS}  # the tree with everything loaded
ROOT.commands["report"].commands = {name: loaded(NAMED, name) for name in NAMED}


@pytest.mark.parametrize("path", commands(ROOT), ids=" ".join)
def test_every_command_is_mentioned(path: tuple[str, ...]) -> None:
    """The reference's table names each command, grouped ones under their group."""
    row = next((line for line in TEXT.splitlines() if line.startswith(f"| `{path[0]}")), "")
    assert row, path
    assert path[-1] in row


def shell_lines() -> list[str]:
    """The `ippbx-bill …` lines of the README's shell blocks, without comments and output names."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    found = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in found if line.startswith("ippbx-bill ")]


@pytest.mark.parametrize("line", shell_lines())
def test_every_command_line_is_understood(line: str) -> None:
    """Each line's command and options exist: asking for help with them is no usage error."""
    words = [word for word in shlex.split(line)[1:] if word not in (";", "|")]
    command, path = ROOT, []
    for word in words:
        if word in below(command):
            command = below(command)[word]
            path.append(word)
        else:
            break
    assert path, line
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= options | {"--lang", "--data-dir"}, line
    assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0


@pytest.mark.parametrize("name", [item.name for item in fields(Settings) if item.name != "data_dir"])
def test_every_setting_is_described(name: str) -> None:
    """The table of settings has a row for each, with its default."""
    assert re.search(rf"^\| `{name}` \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(dialects.load()))
def test_every_dialect_is_named(name: str) -> None:
    """The list of PBX families is complete."""
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_every_grouping_is_named(name: str) -> None:
    """What `report --by` understands."""
    assert name.replace("_", "-") in TEXT
