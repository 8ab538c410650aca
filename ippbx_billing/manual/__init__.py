"""The manual: one Markdown file a topic, in English and Chinese, shipped with the program.

    pages("zh")[0]          ->  ManualPage("start", "从零到第一张账单", ...)
    page("prices", "zh").text

The one idea: the text lies once. `ippbx-bill help`, the console and the repository's web page show these files, and a
test runs their commands from the first line to the last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
FIRST_PAGE = "README"  # the Chinese first page of the repository; its English twin is the repository's own README

# As a site needs them; a page that is not named here comes last.
ORDER = (
    *("start", "install", "connect", "other-pbx", "people"),
    *("prices", "tariff-terms", "plans", "reports", "monthly", "console", "alerts"),
    *("promises", "upkeep", "how", "commands", "settings", "json", "measured"),
)


@dataclass(frozen=True, slots=True)
class ManualPage:
    """A topic's file: its title is the first heading, its text is Markdown."""

    topic: str
    title: str
    text: str


def pages(language: str) -> list[ManualPage]:
    """All pages in a language, in the order of a site's journey."""
    topics = sorted((path.stem for path in (FOLDER / "en").glob("*.md")), key=_place)
    return [_read(topic, language) for topic in topics]


def page(topic: str, language: str) -> ManualPage | None:
    """One page in a language; None where there is no such topic."""
    return _read(topic, language) if topic in {one.topic for one in pages("en")} else None


def told_in(word: str, language: str) -> list[ManualPage]:
    """The pages that hold this word, whatever its case; those whose heading has it first."""
    wanted = word.casefold()
    found = [one for one in pages(language) if wanted in one.text.casefold()]
    return sorted(found, key=lambda one: not any(wanted in heading.casefold() for heading in headings(one.text)))


def headings(text: str) -> Iterator[str]:
    """The headings of a page, without those signs in its examples that look like one."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif line.startswith("#") and not fenced:
            yield line.lstrip("#").strip()


def _place(topic: str) -> tuple[int, str]:
    return (ORDER.index(topic) if topic in ORDER else len(ORDER), topic)


@cache
def _read(topic: str, language: str) -> ManualPage:
    """A page in its language, else in English, which a reader may know better than nothing."""
    path = FOLDER / language / f"{topic}.md"
    text = (path if path.exists() else FOLDER / "en" / f"{topic}.md").read_text(encoding="utf-8")
    return ManualPage(topic, next(headings(text), topic), text)
