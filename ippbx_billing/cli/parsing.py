"""How the command line is read and explained: commands and groups that speak the language in use.

    app = typer.Typer(cls=CommandGroup)  # what stands below it is made of these classes too, see `announced`

What differs from Typer's own: `--data-dir` and `--lang` stand in front of a command or behind it, values are also known
by their Chinese words (`words`), help is never cut and wraps Chinese, and a wrong use ends as any error does, in a
sentence, a blank line and a hint (`mistakes`).
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ippbx_billing import language as texts
from ippbx_billing.cli import given
from ippbx_billing.cli.words import in_language
from ippbx_billing.documents.page_layout import wrap
from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr

GAP = 2  # between a name and what is said of it
WIDEST_NAME = 30
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
            raise UsageError(tr("{text!r} is no language that is spoken here", text=lang), "--lang zh, --lang en")
        self.lang = lang
        texts.begin_in(lang)


state = GlobalOptions()


# -- help


class HelpFormatter(TyperCommand.context_class.formatter_class):  # type: ignore[misc]
    """Help in the language in use, as wide as the terminal allows; nothing is cut, Chinese breaks between its signs."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        for word, ours in (("[OPTIONS]", tr("[OPTIONS]")), ("COMMAND [ARGS]...", tr("COMMAND [ARGS]..."))):
            args = args.replace(word, ours)
        args = re.sub(r"\{(\w+)\}", lambda found: placeholder(found[1].upper()), args)
        args = re.sub(r"\[([A-Z]+)", lambda found: f"[{placeholder(found[1])}", args)
        start = f"{prefix or tr('Usage: ')}{prog} "
        self._write_wrapped(args, start, " " * cells(start))

    def write_text(self, text: str) -> None:
        for paragraph in text.split("\n\n"):
            indent = " " * self.current_indent
            self._write_wrapped(" ".join(paragraph.split("\n")), indent, indent)

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = WIDEST_NAME, col_spacing: int = GAP) -> None:
        """Options and arguments, with what they take, and what is said of them."""
        named = [(_in_words(first), second) for first, second in rows]
        self.write_names(named, min(max((cells(first) for first, _ in named), default=0), col_max) + col_spacing)

    def write_names(self, named: Sequence[tuple[str, str]], column: int) -> None:
        """Names with what is said of them, from this column on."""
        indent = " " * self.current_indent
        for first, second in named:
            start = indent + first
            if cells(first) + GAP > column:
                self._write_long(first, indent)
                start = ""
            self._write_wrapped(second, start.ljust(self.current_indent + column - cells(start) + len(start)),
                                " " * (self.current_indent + column))  # fmt: skip

    def _write_long(self, name: str, indent: str) -> None:
        """A name that is wider than its column, with as many of its choices in a line as there is room for."""
        option, space, takes = name.partition(" ")
        further = indent + " " * (cells(option) + 1)
        line = indent + option + space
        for choice in re.findall(r"[^|]+\|?", takes):
            if cells(line + choice) > self.width and line.strip():
                self.write(line.rstrip() + "\n")
                line = further
            line += choice
        self.write(line.rstrip() + "\n")

    def _write_wrapped(self, text: str, first: str, further: str) -> None:
        room = max(self.width - cells(further), 20)
        lines = wrap(text, room, cells) if text else [""]
        self.write(f"{first}{lines[0]}".rstrip() + "\n")
        self.write("".join(f"{further}{line}\n" for line in lines[1:]))


def cells(text: str) -> int:
    """How many places of a line the text takes: Chinese signs two each."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


_KINDS = {
    "<str>": "TEXT",
    "<int>": "N",
    "<float>": "N",
    "<int range>": "N",
    "<float range>": "N",
    "<path>": "FILE",
    "<file>": "FILE",
    "<list[str]>": "TEXT",
    "<list[int]>": "N",
    "<list[Path]>": "FILE",
}


def _in_words(name: str) -> str:
    """An option with what it takes, or an argument, as people write it: `--trunk TEXT`, `CARRIER`."""
    for kind, word in _KINDS.items():
        name = name.replace(kind, word)
    if not name.startswith("-"):
        name, _, choices = name.partition(" ")
        told = f" {_spoken(choices)}" if choices.startswith("<") else ""
        return _spoken(name.upper()) + told
    options, space, takes = name.rpartition(" ")
    return options + space + _spoken(takes)


def _spoken(takes: str) -> str:
    """What an option takes, in the language in use: names in capitals, and words that stand for codes."""
    if takes.startswith("<"):
        return "|".join(in_language(one) for one in takes.strip("<>").split("|"))
    return re.sub(r"[A-Z_]{2,}", lambda found: placeholder(found[0]), takes)


def placeholder(name: str) -> str:
    """A name in capitals that stands for a value, in the language in use."""
    known = {
        "ADDRESS": tr("ADDRESS"),
        "AMOUNT": tr("AMOUNT"),
        "CALL": tr("CALL"),
        "CARRIER": tr("CARRIER"),
        "COLUMN": tr("COLUMN"),
        "DAMAGED": tr("FILE"),
        "DAY": tr("DAY"),
        "DEPARTMENT": tr("DEPARTMENT"),
        "DIR": tr("DIR"),
        "EMPLOYEE": tr("EMPLOYEE"),
        "FILE": tr("FILE"),
        "FILES": tr("FILE"),
        "FORM": tr("FORM"),
        "FROM": tr("FROM"),
        "KEY": tr("KEY"),
        "KIND": tr("KIND"),
        "MEANING": tr("MEANING"),
        "NAME": tr("NAME"),
        "NUMBER": tr("NUMBER"),
        "PATH": tr("PATH"),
        "PREFIX": tr("PREFIX"),
        "SECONDS": tr("SECONDS"),
        "TEXT": tr("TEXT"),
        "TIME": tr("TIME"),
        "TRAFFIC_TYPE": tr("TRAFFIC_TYPE"),
        "VALUE": tr("VALUE"),
        "WHO": tr("WHO"),
        "WINDOW": tr("WINDOW"),
        "WORD": tr("WORD"),
    }
    return known.get(name, name)


class Context(TyperCommand.context_class):  # type: ignore[misc]
    """One command as it is run."""

    formatter_class = HelpFormatter


# -- commands and groups


class _Speaking:
    """What commands and groups have in common."""

    context_class = Context
    name: str | None
    params: list[Any]

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = tr("Show this message and exit.")
        return option

    def own_options(self) -> set[str]:
        """The names of the options that are this command's."""
        return {name for one in self.params for name in one.opts}


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
        named = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        shown = {name: one for name, one in named.items() if one is not None and not one.hidden}
        widest = max(map(cells, shown), default=0)
        for title, names in self._sections(list(shown)):
            with formatter.section(title):
                formatter.write_names([(name, (shown[name].help or "").strip()) for name in names], widest + GAP)

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


def made_of_ours(app: typer.Typer) -> typer.Typer:
    """The same app, whose groups and commands are made of the classes above where nothing else was said."""
    for command in app.registered_commands:
        if command.cls is TyperCommand or not isinstance(command.cls, type):
            command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            inner = group.typer_instance
            if not isinstance(group.cls, type) and not isinstance(inner.info.cls, type):
                group.cls = CommandGroup
            made_of_ours(inner)
    return app
