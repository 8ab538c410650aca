"""The tables of the manual that nobody types: all commands, all settings, the keys of JSON.

section("commands", "zh")  ->  what stands between the marks in zh/commands.md
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer.main
from typer.testing import CliRunner

from ippbx_billing import language as texts
from ippbx_billing.cli.announced import loaded
from ippbx_billing.cli.app import COMMANDS, app
from ippbx_billing.cli.reports.report import NAMED
from ippbx_billing.language import tr
from ippbx_billing.settings import Settings
from tests import EXAMPLES

MADE_BY = "made by python -m tests.manual"
COMMON = {"--format", "--output", "--help", "--version"}

HEADS = {
    "en": {
        "option": "what it takes",
        "meaning": "meaning",
        "default": "default",
        "setting": "setting",
        "section": "section",
    },
    "zh": {"option": "参数", "meaning": "含义", "default": "默认值", "setting": "设置项", "section": "节"},
}

# Commands whose rows are shown in `json.md`, on the data of the demonstration.
KEYED = (
    *("calls list", "calls explain 1", "calls live", "quote 902162345678 --seconds 80"),
    *("events list", "events show 1", "events import examples/cdr.json --dry-run"),
    *("carriers list", "trunks list", "tariffs show 022-天津-电信", "tariffs check", "holidays list"),
    *("departments list", "employees list", "employees show 8015", "extensions list", "extensions history 8015"),
    *("dialects list", "numbers lookup 13820000000"),
    *("bill --month last --employee 8015 --calls", "bill --month last --department 销售部"),
    *("bill --month last --company", "bill --month last --all"),
    *("compare --month last", "rerate --month last --dry-run", "report changes --month last --since 2026-11-02T09:00"),
    *("doctor", "help"),
)


def tree() -> Any:
    """The root command with everything loaded."""
    root = typer.main.get_command(app)
    root.commands = {name: loaded(COMMANDS, name) for name in COMMANDS}
    root.commands["report"].commands = {name: loaded(NAMED, name) for name in NAMED}
    return root


def below(command: Any) -> dict[str, Any]:
    """The commands of a group; none for a command."""
    return getattr(command, "commands", {})


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it; a group before what stands below it."""
    own = [(path, command)] if path else []
    return own + [one for name, child in below(command).items() for one in commands(child, (*path, name))]


def command_section(language: str) -> str:
    """Each command with its help and its options; must run where the texts were loaded in this language."""
    return "\n\n".join(_command(path, command, HEADS[language]) for path, command in commands(tree()))


def _command(path: tuple[str, ...], command: Any, heads: Mapping[str, str]) -> str:
    depth = "##" if len(path) == 1 else "###"
    parts = [f"{depth} `{' '.join(path)}`", _cell(tr(command.help or ""))]
    context = command.context_class(command, info_name=path[-1])
    records = [_spoken(one).get_help_record(context) for one in command.params if not COMMON & set(one.opts)]
    rows = [f"| `{_cell(name)}` | {_cell(about)} |" for name, about in filter(None, records)]
    if rows:
        parts.append("\n".join([f"| {heads['option']} | {heads['meaning']} |", "| --- | --- |", *rows]))
    return "\n\n".join(part for part in parts if part)


def _spoken(one: Any) -> Any:
    """A copy of an option or argument with its help in the language in use."""
    spoken = copy(one)
    spoken.help = tr(one.help or "")
    return spoken


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def settings_section(language: str) -> str:
    """A row a setting, as `settings.toml` tells it."""
    heads = HEADS[language]
    with texts.speaking(language):
        rows = [_setting(item) for item in fields(Settings) if item.metadata["section"]]
    names = (heads["setting"], heads["section"], heads["default"], heads["meaning"])
    return "\n".join([f"| {' | '.join(names)} |", "| --- | --- | --- | --- |", *rows])


def _setting(item: Any) -> str:
    assert item.default is not MISSING
    value = json.dumps(item.default, ensure_ascii=False)
    return f"| `{item.name}` | {item.metadata['section']} | `{value}` | {_cell(tr(item.metadata['about']))} |"


def keys_section(language: str, site: Path) -> str:
    """A line a command: the keys of a row, and of what lies within it."""
    heads = {"en": ("command", "keys"), "zh": ("命令", "键")}[language]
    rows = [f"| `{line}` | {_keys(_asked(line, site))} |" for line in KEYED]
    return "\n".join([f"| {heads[0]} | {heads[1]} |", "| --- | --- |", *rows])


def _asked(line: str, site: Path) -> Any:
    words = [word.replace("examples/", f"{EXAMPLES}/") for word in shlex.split(line)]
    result = CliRunner().invoke(app, ["--data-dir", str(site), *words, "--format", "json"])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def _keys(document: Any) -> str:
    row = document[0] if isinstance(document, list) else document
    own = ", ".join(f"`{key}`" for key in row)
    within = [f"`{key}` → {', '.join(f'`{one}`' for one in inner)}" for key, inner in _inner(row) if inner]
    return "; ".join([own, *within])


def _inner(row: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for key, value in row.items():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and key not in ("reason_facts", "unrated_reasons", "unrated_by_reason"):
            yield key, list(first)


def with_section(page: str, name: str, made: str) -> str:
    """The page with this between its two marks; ValueError where they are not there."""
    begins, ends = f"<!-- {name}: {MADE_BY} -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(begins)
    _, ended, after = rest.partition(ends)
    if not found or not ended:
        raise ValueError(f"the page needs the lines {begins} and {ends}")
    return f"{before}{begins}\n\n{made}\n\n{ends}{after}"
