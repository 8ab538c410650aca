"""The two languages: complete, in step with the code, and chosen by option, variable or system."""

import gettext
import os
import re
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from ippbx_billing import language as texts
from ippbx_billing.calls import (
    ChargeStatus,
    Direction,
    Disposition,
    EventKind,
    EventStatus,
    LineKind,
    Phase,
    TrafficType,
)
from ippbx_billing.cli.app import app
from ippbx_billing.language.catalogues import compile_all
from ippbx_billing.language.reasons import TRAFFIC_WORDS
from tests import PACKAGE

CATALOGUE = texts.LOCALE_DIR / "zh" / "LC_MESSAGES" / "ippbx_billing.po"


@cache
def chinese() -> Catalog:
    with CATALOGUE.open("rb") as stream:
        return read_po(stream, locale="zh")


def used_texts() -> set[str]:
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    found = extract_from_dir(str(PACKAGE), method_map=methods, keywords={"tr": None, "en": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def test_every_text_shown_has_a_translation() -> None:
    """Whatever `tr` is asked for in the code stands in the catalogue."""
    catalogue = chinese()
    assert sorted(text for text in used_texts() if not catalogue.get(text) or not catalogue.get(text).string) == []


@pytest.mark.parametrize(
    "words", [ChargeStatus, Direction, Disposition, EventKind, EventStatus, LineKind, Phase, TrafficType]
)
def test_every_word_of_ours_has_a_translation(words: type) -> None:
    """Directions, traffic types, states: the words that tables show."""
    texts.use("zh")
    assert [word.value for word in words if texts.tr(word.value) == word.value] == []  # type: ignore[attr-defined]


def test_the_words_of_sentences_are_those_of_tables() -> None:
    """In English a sentence says "IP long distance" where a table says ip_long_distance; in Chinese they are one."""
    texts.use("zh")
    assert {kind: texts.tr(word) for kind, word in TRAFFIC_WORDS.items()} == {
        kind: texts.tr(kind.value) for kind in TrafficType
    }


def test_translations_keep_the_facts() -> None:
    """Each {fact} of an English text stands in the Chinese one as well."""

    def facts(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    broken = [m.id for m in chinese() if m.id and m.string and facts(str(m.id)) != facts(str(m.string))]
    assert broken == []


def test_the_catalogue_is_compiled_where_it_is_newer(tmp_path: Path) -> None:
    """The build makes the .mo from the .po, once, and again after a change; gettext reads every text of it."""
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = Path(shutil.copy(CATALOGUE, folder))
    assert compile_all(tmp_path) == [source.with_suffix(".mo")]
    spoken = gettext.translation("ippbx_billing", tmp_path, ["zh"])
    assert all(spoken.gettext(str(one.id)) == one.string for one in chinese() if one.id and one.string)
    made_ns = source.with_suffix(".mo").stat().st_mtime_ns
    os.utime(source, ns=(made_ns - 1, made_ns - 1))
    assert compile_all(tmp_path) == []
    os.utime(source, ns=(made_ns + 1, made_ns + 1))
    assert compile_all(tmp_path) == [source.with_suffix(".mo")]


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        (["report"], {}, "en"),
        (["--lang", "zh", "report"], {"LANG": "en_US.UTF-8"}, "zh"),
        (["--lang=zh"], {}, "zh"),
        ([], {"IPPBX_BILL_LANG": "zh", "LANG": "C"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        (["--lang", "en"], {"LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_language_is_chosen_by_option_then_variable_then_system(
    arguments: list[str], environment: dict[str, str], language: str
) -> None:
    """`--lang` wins over IPPBX_BILL_LANG, that over the system's language."""
    assert texts.preferred(arguments, environment) == language


def test_help_speaks_chinese() -> None:
    """The help is in the language asked for, options and all."""
    command = [sys.executable, "-m", "ippbx_billing", "--lang", "zh", "report", "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    assert "月份" in printed
    assert "选项:" in printed  # Typer's own words come from the same catalogue
    assert re.search(r"话务类型", printed)


def test_importing_translates_nothing() -> None:
    """A text is translated where it is read, never where it is written: whoever reads may be another by then."""
    script = """
import importlib, pkgutil, sys
import ippbx_billing
import ippbx_billing.language as language

def refused(text, /, **facts):
    raise AssertionError(f"{sys._getframe(1).f_code.co_filename} translates {text!r} while it is imported")

language.tr = refused
for module in pkgutil.walk_packages(ippbx_billing.__path__, "ippbx_billing."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(sum(name.startswith("ippbx_billing.cli.") for name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


def commands_below(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every group and command with its path, each brought by its own module."""
    yield " ".join(path), group
    context = typer.Context(group, info_name=path[-1] if path else "ippbx-bill")
    for name in getattr(group, "commands", {}):
        _, command, _ = group.resolve_command(context, [name])
        yield from commands_below(command, (*path, name))


SPELLINGS = {"area=0755 | country=US | prefix=1808 | pattern=3XXX | called=N"}  # the same in every language


def test_every_help_is_in_the_language_of_whoever_reads_it() -> None:
    """One tree of commands, made once: its help, short and long, speaks English to one and Chinese to the next."""
    found = list(commands_below(typer.main.get_command(app)))
    assert len(found) > 80
    for path, command in found:
        told = [command.help, *(one.help for one in command.params if one.help)]
        assert [text for text in told if not chinese().get(text) and text not in SPELLINGS] == [], path
        for language in ("zh", "en"):
            texts.use(language)
            shown = "".join(command.get_help(typer.Context(command)).split())
            assert all("".join(texts.tr(text).split()) in shown for text in told), (path, language)
            assert command.get_short_help_str(500).rstrip(".") == texts.tr(command.help).rstrip("."), path


ODD_ENGLISH = re.compile(
    r"\bmend(s|ed|ing)?\b|\bsince ever\b"
    r"|(?<!there) \b(is|are) no (?!(?:longer|more|higher|larger)\b)|\?;",
    re.IGNORECASE,
)
ODD_CHINESE = re.compile("[\u4e00-\u9fff][,;:?!](?!\\s*$)|[,;:?!][\u4e00-\u9fff]")


def test_no_text_is_odd_english() -> None:
    """Messages say "is not a month", "correct the line", "always"; docstrings, comments and pages as well."""
    written = {text for text in used_texts() if ODD_ENGLISH.search(text)}
    pages = [*PACKAGE.rglob("*.py"), *(PACKAGE / "manual" / "en").glob("*.md")]
    former = {"migrations.py", "sentences.py"}  # what ledgers of former releases hold
    for page in pages:
        lines = page.read_text().splitlines() if page.name not in former else []
        written |= {f"{page.name}: {line}" for line in lines if ODD_ENGLISH.search(line) and "work mend" not in line}
    assert sorted(written) == []


def test_chinese_texts_have_chinese_punctuation() -> None:
    """A comma, colon or question mark beside a Chinese letter is a Chinese one; a label may end in a colon."""
    assert [one.string for one in chinese() if one.id and ODD_CHINESE.search(str(one.string))] == []
