"""How the line is read: wrong use in both languages, options that stand anywhere, Chinese words, help that is whole."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli import common
from ippbx_billing.cli.app import COMMANDS, app
from ippbx_billing.documents.help_pages import cells
from tests.conftest import Cli

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (["repor"], "there is no command repor", "没有命令 repor"),
        (["calls", "lst"], "there is no command lst", "没有命令 lst"),
        (["report", "--mont", "last"], "there is no option --mont", "没有选项 --mont"),
        (["report", "--month"], "--month needs a value", "--month 需要一个值"),
        (["trunks", "add", "3"], "--carrier is missing", "缺少 --carrier"),
        (["quote"], "NUMBER is missing", "缺少 号码"),
        (["calls", "explain", "x"], "ID: a whole number is expected", "ID: 须为整数"),
        (["report", "ranking", "--top", "0"], "--top: it must be at least 1", "--top: 不能小于 1"),
        (["report", "--format", "doc"], "--format: doc is not known", "--format: 无法识别 doc"),
        (["report", "--direction", "up"], "--direction: up is not known", "--direction: 无法识别 up"),
        (["carriers", "list", "x"], "nothing is known to do with: x", "多余的参数：x"),
        (["events", "salvage", "/nowhere"], "FILE: there is no file /nowhere", "文件: 没有文件 /nowhere"),
        (["report", "--plot=yes"], "--plot takes no value", "--plot 不需要值"),
        (["report", "--lang", "fr"], "'fr' is not a language of this program", "不支持语言 'fr'"),
        (["report", "--data-dir"], "--data-dir needs a value", "--data-dir 需要一个值"),
    ],
)
def test_wrong_use_is_a_sentence_and_a_hint(cli: Cli, arguments: list[str], english: str, chinese: str) -> None:
    """In the language in use, with exit code 2 and nothing on stdout; the hint is a command or a list."""
    for lang, sentence, word, other in (("en", english, "error: ", HAN), ("zh", chinese, "错误: ", None)):
        result = cli("--lang", lang, *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        first, empty, hint = result.stderr.rstrip("\n").split("\n")
        assert (first, empty) == (word + sentence, "")
        assert hint.startswith(("hint: ", "提示: "))
        assert other is None or not other.search(result.stderr)


def test_did_you_mean_names_what_is_like_it(cli: Cli) -> None:
    """Commands and options, and what a choice can be in the words of the language."""
    assert "did you mean report" in cli("--lang", "en", "raport").stderr
    assert "是否想写 report" in cli("--lang", "zh", "raport").stderr
    assert "是否想写 --month" in cli("--lang", "zh", "report", "--mont", "x").stderr
    assert "one of: outbound, inbound, internal" in cli("--lang", "en", "report", "--direction", "up").stderr
    assert "可选：去电, 来电, 内线" in cli("--lang", "zh", "report", "--direction", "up").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["carriers", "list", "--format", "json", "--data-dir", "SITE"],
        ["carriers", "list", "--data-dir=SITE", "--format", "json"],
        ["carriers", "--data-dir", "SITE", "list", "--format", "json"],
        ["--data-dir", "/nowhere", "carriers", "list", "--data-dir", "SITE", "--format", "json"],
    ],
)
def test_the_data_directory_stands_before_a_command_or_behind_it(site: Path, arguments: list[str]) -> None:
    """The last one counts."""
    result = CliRunner().invoke(app, [one.replace("SITE", str(site)) for one in arguments])
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)) == 3


def test_the_language_stands_before_a_command_or_behind_it(cli: Cli) -> None:
    """Also behind the name of a group; `--` ends the options."""
    for words in (["calls", "list", "--lang", "zh"], ["calls", "--lang=zh", "list"], ["--lang", "zh", "calls", "list"]):
        assert "没有符合条件的通话" in cli(*words).stdout + cli(*words).stderr
    result = cli("employees", "add", "1001", "--", "--lang")
    assert result.exit_code == 0, result.stderr
    assert common.state.lang is None


def test_a_command_keeps_an_option_of_the_same_name() -> None:
    """`simulate pbx --lang` is the language of its pages."""
    shown = CliRunner().invoke(app, ["simulate", "pbx", "--lang", "fr"])
    assert "--lang: fr is not known" in shown.stderr


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_traffic_types_are_understood_in_chinese(cli: Cli, lang: str) -> None:
    """Words that tables show, for options and arguments, whatever language is spoken; the code stays the code."""
    carrier = "022-天津-电信"
    shown = cli("--lang", lang, "tariffs", "show", carrier, "--traffic-type", "市话", "--format", "json")
    assert shown.exit_code == 0, shown.stderr
    assert {row["traffic_type"] for row in json.loads(shown.stdout)} == {"local"}
    added = cli("--lang", lang, "tariffs", "set", carrier, "其它", "--flat", "0.30", "--line-kind", "移动电话")
    assert added.exit_code == 0, added.stderr
    asked = cli("--lang", lang, "report", "--month", "2026-10", "--direction", "去电", "--traffic-type", "港澳台长途")
    assert asked.exit_code == 0, asked.stderr


def helps(lang: str) -> dict[str, str]:
    """The help of everything in a terminal of 80 columns, by command."""
    script = (
        "import json, sys\n"
        "from ippbx_billing import language\n"
        f"language.begin_in({lang!r})\n"
        "import typer.main\n"
        "from typer.testing import CliRunner\n"
        "from ippbx_billing.cli.announced import loaded\n"
        "from ippbx_billing.cli.app import COMMANDS, app\n"
        "found = {}\n"
        "def gather(names, command):\n"
        "    found[' '.join(names)] = CliRunner().invoke(app, [*names, '--help']).stdout\n"
        "    for name, below in getattr(command, 'commands', {}).items():\n"
        "        gather([*names, name], below)\n"
        "gather([], typer.main.get_command(app))\n"
        "for name in COMMANDS: gather([name], loaded(COMMANDS, name))\n"
        "print(json.dumps(found))\n"
    )
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def all_helps() -> dict[str, dict[str, str]]:
    return {lang: helps(lang) for lang in ("en", "zh")}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_help_is_whole_and_fits_80_columns(all_helps: dict[str, dict[str, str]], lang: str) -> None:
    """No text is cut, no line is wider than the terminal: Chinese signs count two places."""
    assert len(all_helps[lang]) > 90
    for name, shown in all_helps[lang].items():
        assert shown, name
        assert not re.search(r"\w\.\.\.$", shown.partition("\n\n")[2], re.MULTILINE), name
        assert [line for line in shown.splitlines() if cells(line) > 80] == [], name
    commands = all_helps[lang][""]
    for _, text in COMMANDS.values():
        assert lang == "zh" or re.sub(r"\s+", "", text) in re.sub(r"\s+", "", commands)


# What help and messages say in Latin letters in Chinese too: names, formats, commands, and what is typed.
LATIN = re.compile(r"[A-Za-z][A-Za-z]{3,}(?: [a-z]{2,}){2,}")


def test_chinese_help_has_no_english_sentence_and_english_help_no_chinese_one(
    all_helps: dict[str, dict[str, str]],
) -> None:
    """Three words of English in a row are a sentence that nobody translated."""
    for name, shown in all_helps["zh"].items():
        unquoted = re.sub(r"`[^`]*`|https?://\S+", "", shown)
        assert LATIN.findall(unquoted.replace("root " + name, "")) == [], name


@pytest.mark.parametrize(
    ("lang", "headings"),
    [
        ("en", ["Set up", "Every month", "Look up", "Prices", "People", "Upkeep", "Many sites", "Try"]),
        ("zh", ["安装配置", "每月", "查询", "资费", "人员", "维护", "多站点", "试用"]),
    ],
)
def test_the_first_help_heads_its_commands(
    all_helps: dict[str, dict[str, str]], lang: str, headings: list[str]
) -> None:
    """Below what a site does with them, in the order in which a site comes to it; none is left over."""
    shown = all_helps[lang][""]
    found = re.findall(r"^(\S.*):$", shown, re.MULTILINE)
    assert found[1:] == headings, "a command without a heading in `app.PANELS`"
    commands = re.findall(r"^  ([a-z][a-z-]+)  ", shown, re.MULTILINE)
    assert sorted(commands) == sorted(COMMANDS)
    month = shown.partition(f"\n{headings[1]}:\n")[2].partition("\n\n")[0]
    assert re.findall(r"^  ([a-z]+)  ", month, re.MULTILINE) == [
        "report",
        "bill",
        "deliver",
        "export",
        "compare",
        "verify",
        "rerate",
    ]
