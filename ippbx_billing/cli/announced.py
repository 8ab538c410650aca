"""Groups that name their commands from a table, and load a command's module when it is called.

app = Commands(cls=announcing({"quote": ("calls.quote:quote", en("What a call would cost, and why."))}))
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import typer

from ippbx_billing.cli.helping import Commands, HelpedCommand, HelpedGroup

Table = Mapping[str, tuple[str, str]]  # name: (module of `cli`:what in it, help)
Panels = Sequence[tuple[str, Sequence[str]]]  # headings of the help, each with the commands below it


def announcing(table: Table, headed: Panels = (), group: type[HelpedGroup] = HelpedGroup) -> type[HelpedGroup]:
    """A group of these commands that knows no more of them than the table says, until one is called."""

    class Announced(group):  # type: ignore[valid-type, misc]
        panels = headed

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = {
                name: HelpedCommand(name, help=text, rich_markup_mode=None) for name, (_, text) in table.items()
            }

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, _, rest = super().resolve_command(ctx, args)
            if name is None:
                return name, None, rest
            found = loaded(table, name)
            if ctx.parent is not None:
                return name, found, rest
            from ippbx_billing.cli.noting import noted  # here, because the list of commands needs none of it

            return name, noted(found, name), rest

    return Announced


def loaded(table: Table, name: str) -> Any:
    """A command of the table, or a group with all that stands below it, ready to be run."""
    place, text = table[name]
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"ippbx_billing.cli.{module}"), attribute)
    alone = Commands(pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name, help=text)
    else:
        alone.command(name, help=text)(found)
    return typer.main.get_group(alone).commands[name]
