"""How the command line is read and explained: commands and groups that speak the language in use.

    class HelpedCommand(_Translated, Command): ...   # see `helping`, which makes all groups and commands

What differs from Typer's own: `--data-dir` and `--lang` stand in front of a command or behind it, values are also known
by their Chinese words (`words`), help is never cut and wraps Chinese, and a wrong use ends as any error does, in a
sentence, a blank line and a hint (`mistakes`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from ippbx_billing import language as texts
from ippbx_billing.cli import completing, given
from ippbx_billing.documents.help_pages import HelpPage, widest
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.settings import default_data_dir

EVERYWHERE = ("--data-dir", "--lang")


class GlobalOptions:
    """The options that stand anywhere on the line, as this run was given them."""

    data_dir: Path | None = None
    lang: str | None = None

    def take(self, name: str, value: str) -> None:
        """Remember an option's value; UsageError where it cannot be meant."""
        if name == "--lang":
            self.speak(value)
        else:
            self.data_dir = Path(given.not_empty(name, value) or "")

    def speak(self, lang: str) -> None:
        """Speak this language from now on."""
        if lang not in texts.LANGUAGES:
            raise UsageError(tr("{text!r} is not a language of this program", text=lang), "--lang zh, --lang en")
        self.lang = lang
        texts.begin_in(lang)


state = GlobalOptions()
_theirs: Any = TyperCommand.context_class


# -- help


class HelpFormatter(HelpPage, _theirs.formatter_class):  # type: ignore[misc]
    """Typer's formatter with our pages."""


class Context(_theirs):  # type: ignore[misc]
    """One command as it is run."""

    formatter_class = HelpFormatter


# -- commands and groups


class _Speaking:
    """What commands and groups have in common."""

    context_class: Any = Context
    name: str | None
    params: list[Any]

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = tr("Show this message and exit.")
        return option

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        if not ctx.resilient_parsing:
            return params
        return completing.with_names(ctx, params, lambda: _data_dir_of(ctx))

    def own_options(self) -> set[str]:
        """The names of the options that are this command's."""
        return {name for one in self.params for name in one.opts}


def _data_dir_of(ctx: Any) -> Path:
    """The data directory that the line names so far, else the usual one."""
    return state.data_dir or ctx.find_root().params.get("data_dir") or default_data_dir()


class Command(_Speaking, TyperCommand):
    """A command; the options that stand anywhere may stand behind it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = _without_globals(args, self.own_options())
        return super().parse_args(ctx, rest)


class CommandGroup(_Speaking, TyperGroup):
    """A group of commands, in its help below the headings that `panels` names; a command without one stands last."""

    panels: Sequence[tuple[str, Sequence[str]]] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        own = next((place for place, word in enumerate(args) if word in self.commands), len(args))
        return super().parse_args(ctx, [*_without_globals(args[:own], self.own_options()), *args[own:]])

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        if not isinstance(formatter, HelpFormatter):
            super().format_commands(ctx, formatter)
            return
        named = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        shown = {name: one for name, one in named.items() if one is not None and not one.hidden}
        room = widest(shown)
        for title, names in self._sections(list(shown)):
            with formatter.section(title):
                formatter.write_names([(name, tr((shown[name].help or "").strip())) for name in names], room)

    def _sections(self, shown: list[str]) -> Iterator[tuple[str, list[str]]]:
        told: set[str] = set()
        for title, names in self.panels:
            told.update(names)
            if listed := [name for name in names if name in shown]:
                yield tr(title), listed
        if rest := [name for name in shown if name not in told]:
            yield tr("Commands"), rest


def _without_globals(args: list[str], own: set[str]) -> list[str]:
    """The words without the options that stand anywhere; these are remembered."""
    wanted = [name for name in EVERYWHERE if name not in own]
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*rest, word, *words]
        name, equals, value = word.partition("=")
        if name not in wanted:
            rest.append(word)
        elif equals:
            state.take(name, value)
        else:
            state.take(name, _value_of(name, words))
    return rest


def _value_of(name: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None:
        raise UsageError(tr("{option} needs a value", option=name), "--data-dir DIR, --lang zh|en")
    return value
