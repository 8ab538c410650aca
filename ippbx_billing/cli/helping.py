"""Groups and commands whose help is translated when it is shown, for whoever reads it.

    app = Commands()

    @app.command("list", help=en("The carriers."))
    def list_carriers(region: Annotated[str | None, typer.Option(help=en("only this region"))] = None) -> None: ...

The one idea: the code names a help text in English and marks it with `en`; a command translates a copy of itself.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, TypeVar

import typer

from ippbx_billing.cli.parsing import Command, CommandGroup
from ippbx_billing.language import tr

Function = TypeVar("Function", bound=Callable[..., Any])


class _Translated:
    """The help of a command or a group in the language in use, with that of its options and arguments."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        spoken: Any = _spoken(self)
        spoken.params = [_spoken(one) for one in spoken.params]
        super(_Translated, spoken).format_help(ctx, formatter)  # type: ignore[misc]

    def get_short_help_str(self, limit: int = 45) -> str:
        told: str = super(_Translated, _spoken(self)).get_short_help_str(limit)  # type: ignore[misc]
        return told


def _spoken(one: Any) -> Any:
    """A copy of a command or parameter with its help translated."""
    spoken = copy(one)
    spoken.help = tr(one.help) if one.help else one.help
    return spoken


class HelpedCommand(_Translated, Command):
    """A command that helps in the reader's language."""


class HelpedGroup(_Translated, CommandGroup):
    """A group that helps in the reader's language, and lists its commands in it."""


class Commands(typer.Typer):
    """A group as it is written down: `command` and `add_typer` as Typer has them, help when no command is named."""

    def __init__(self, **given: Any) -> None:
        usual: dict[str, Any] = {"cls": HelpedGroup, "no_args_is_help": True, "add_completion": False}
        super().__init__(**usual | given)

    def command(self, name: str | None = None, **given: Any) -> Callable[[Function], Function]:
        """As Typer's own, for commands that are translated."""
        return super().command(name, **{"cls": HelpedCommand} | given)
