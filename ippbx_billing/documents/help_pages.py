"""Help as people read it in a terminal: nothing is cut, Chinese breaks between its signs and counts two places.

    class HelpFormatter(HelpPage, TheirFormatter): ...

What options take is written as people write it (`--trunk TEXT`), in the language in use.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from ippbx_billing.documents.page_layout import wrap
from ippbx_billing.language import tr
from ippbx_billing.language.words import in_language

GAP = 2  # between a name and what is said of it
WIDEST_NAME = 30
NARROWEST_TEXT = 20


class HelpPage:
    """Goes before a formatter of Typer's, which has the buffer: `write`, `width` and `current_indent` are its own."""

    width: int
    current_indent: int

    def write(self, string: str) -> None:
        """Put it into the buffer."""
        super().write(string)  # type: ignore[misc]

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
        self.write_names(named, min(widest(first for first, _ in named), col_max))

    def write_names(self, named: Sequence[tuple[str, str]], room: int) -> None:
        """Names with what is said of them, in a column for names that is so wide."""
        column = room + GAP
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
        room = max(self.width - cells(further), NARROWEST_TEXT)
        lines = wrap(text, room, cells) if text else [""]
        self.write(f"{first}{lines[0]}".rstrip() + "\n")
        self.write("".join(f"{further}{line}\n" for line in lines[1:]))


def cells(text: str) -> int:
    """How many places of a line the text takes: Chinese signs two each."""
    return len(text) if text.isascii() else sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def widest(names: Iterable[str]) -> int:
    """How many places the widest of these takes."""
    return max(map(cells, names), default=0)


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
