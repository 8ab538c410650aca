"""The options by which a PBX is reached stand once, and every command of `pbx` takes them from there."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest
import typer

from ippbx_billing.cli.pbx import configure
from ippbx_billing.cli.pbx.access import Access

NAMES = [one.name for one in fields(Access)]
LEFT_OUT = {
    "show": {"yes", "dry_run"},
    "check": {"remember", "yes", "dry_run"},
    "discard": {"remember", "dry_run"},
}


def options(command: str) -> dict[str, list[str]]:
    """Each parameter of a command of `pbx` with the options that set it."""
    known = typer.main.get_command(configure.app).commands  # type: ignore[attr-defined]
    return {one.name: one.opts for one in known[command].params}


@pytest.mark.parametrize("command", ["enable-api", "set-password", "set-event-urls", "show", "check", "discard"])
def test_every_command_takes_what_reaching_a_pbx_needs(command: str) -> None:
    """In one order, before the command's own options; what it has no use for it does not take."""
    wanted = [name for name in NAMES if name not in LEFT_OUT.get(command, ())]
    taken = options(command)
    assert list(taken)[: len(wanted)] == wanted
    assert not LEFT_OUT.get(command, set()) & set(taken)
    assert all(taken[name][0] == "--" + name.replace("_", "-") for name in wanted)


def test_no_option_of_reaching_a_pbx_stands_twice() -> None:
    """Neither as an option spelled out, nor as a parameter of a function that takes them."""
    folder = Path(configure.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    for name in NAMES:
        assert sum(text.count(f'"--{name.replace("_", "-")}"') for text in texts) == 1, name
    marked = [
        node
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and any("reaching(" in ast.unparse(one) for one in node.decorator_list)
    ]
    assert len(marked) == 7
    for node in marked:
        assert not {one.arg for one in node.args.args} & set(NAMES), node.name
