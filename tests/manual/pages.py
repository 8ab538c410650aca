"""Reads a page as its reader does: the blocks to type, the files to write, the headings.

blocks(text)[0]  ->  Block("sh", "", ["ippbx-bill listen"])
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ippbx_billing.manual import FOLDER, headings, pages
from tests import PROJECT

__all__ = ["Block", "blocks", "commands", "every_page", "headings"]

FENCE = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r" {2,}# .*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the name of the file that it is (or none), its lines."""

    language: str
    file: str
    lines: list[str]


def every_page() -> Iterator[tuple[str, str, str]]:
    """(language, topic, text) of each page, the first pages of the repository included."""
    yield "en", "README", (PROJECT / "README.md").read_text("utf-8")
    yield "zh", "README", (FOLDER / "zh" / "README.md").read_text("utf-8")
    for language in ("en", "zh"):
        for page in pages(language):
            yield language, page.topic, page.text


def blocks(text: str) -> list[Block]:
    """All fenced blocks, in order."""
    return [Block(language, file, body.splitlines()) for language, file, body in FENCE.findall(text)]


def commands(text: str) -> list[str]:
    """The lines to type into a shell, without their comments."""
    raw = [line for one in blocks(text) for line in _typed(one)]
    return [line for line in (COMMENT.sub("", one).strip() for one in raw) if line]


def _typed(block: Block) -> list[str]:
    """The lines of a shell's block; of a session's those with a prompt."""
    if block.language == "console":
        return [line.removeprefix("$ ") for line in block.lines if line.startswith("$ ")]
    return block.lines if block.language == "sh" else []


def folder(language: str) -> Path:
    """Where the pages of a language lie."""
    return FOLDER / language
