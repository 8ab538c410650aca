"""All commands in both languages, one after another in one data directory: none says in one what belongs to the other.

The one idea: English in Chinese output is two Latin words in a row; Chinese in English output is any sign that no
record, list or table of the numbering plan brought in. Each command stands here, or is named with where it is tested.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ippbx_billing import dialects
from ippbx_billing.cli.announced import loaded
from ippbx_billing.cli.app import COMMANDS, app
from ippbx_billing.numbering.tables import areas, blocks
from tests import PACKAGE
from tests.bodies import fill, gateway_cdr

TELECOM = "022-天津-电信"
LINES = """
carriers list
carriers add 010-北京-联通
carriers set 010-北京-联通 --rounding half-even
carriers set-region 010-北京-联通 --area-code 021
carriers export --output carriers.csv
carriers import carriers.csv
carriers remove 021-上海-联通
trunks add 1 --carrier 022-天津-电信
trunks list
trunks add 9 --carrier 022-天津-移动
trunks remove 9
departments add 公司/工程部 公司/销售部
departments list
departments rename 工程部 研发部
departments move 销售部 --to 公司/研发部
departments export --output departments.csv
departments import departments.csv --dry-run
employees add 1001 张三 --department 公司/研发部 --extension 8001
employees add 1002 李四
employees list
employees show 1001
employees rename 1002 --name 李明
employees move 1002 公司/研发部 --from 2026-10-05
employees export --output employees.csv
employees import employees.csv --dry-run
employees remove 1002
departments remove 销售部
extensions add 8002 --department 公司
extensions list
extensions history 8001
extensions assign 8002 --nobody
extensions move 8002 1001 --from 2026-10-20
extensions export --output extensions.csv
extensions import extensions.csv --dry-run
extensions remove 8002
holidays add 2026-12-31 holiday --note 假
holidays list
holidays remove 2026-12-31
filters cleanup add 17951 --delete 5
filters cleanup list
filters cleanup remove 17951
filters cdr add --direction outbound --number 400N
filters cdr list
filters cdr remove 1
events list
events show 1
events replay --all
events import more.txt
events rebuild
events prune --before 2020-01-01
dialects list
dialects show uc
dialects check --event 1
dialects suggest --event 1
dialects words
dialects words set 接听 answered
calls list
calls explain 1
calls live
calls anonymize --before 2020-01-01 --dry-run
quote 02162345678 --seconds 80
quote 0014165550123 --seconds 80
tariffs show 022-天津-电信
tariffs set 022-天津-电信 other --flat 0.30 --from 2026-01-01
tariffs export 022-天津-电信 --output telecom.toml
tariffs import telecom.toml --yes
tariffs diff telecom.toml 022-天津-电信
tariffs check
tariffs remove 9999
rerate --month 2026-10
report --month 2026-10
report --month 2026-10 --by department --compare previous
report --month 2026-09
report ranking --month 2026-10
report time-of-day --month 2026-10
report regions --month 2026-10
report numbers --month 2026-10
report pins --month 2026-10
report idle --month 2026-10
report categories --month 2026-10
report busy-hour --month 2026-10
report changes --month 2026-10 --since 2026-10-01
report unrated --month 2026-10
report --month 2026-10 --format markdown
bill --month 2026-10 --employee 1001 --calls
bill --month 2026-10 --company
bill --month 2026-10 --extension 8001 --charged-only
bill --month 2026-10 --all
compare --month 2026-10
limits set 8001 1 --time 10h --bar
limits list
limits plan
limits apply --yes --by-hand
limits journal
limits remove 8001
accounts top-up 8001 5 --from 2026-10-01
accounts balance
accounts statement 8001
accounts close 8001 --yes
employees mail 1001 zhang@example.com
departments mail 工程部 office@example.com
deliver add month --to employee
deliver add top --report ranking --set by=extension --to a@example.com --in zh
deliver add top --bill nobody --to a@example.com
deliver list
deliver show month
deliver enable month --off
deliver due
deliver again
deliver archive
deliver bounced bill.csv
deliver remove top
verify bill.csv --carrier 022-天津-电信 --month 2026-10
export --month 2026-10 --out-dir out
numbers lookup 13820000000 02162345678 0014165550123 110 abc
numbers update nowhere.dat
numbers override add 0225867 --place 滨海
numbers override list
numbers override remove 0225867
backup --to copies
restore nowhere.zip
events salvage more.txt
service install --print
service status
alerts list
alerts rules
alerts show 1
alerts ack 1
alerts mute burst
alerts set burst enabled=no
alerts try burst
alerts test
alerts send
alerts sent
alerts channels list
alerts channels add boss mail to=boss@example.com
alerts channels server mail host=127.0.0.1
alerts channels remove nobody
doctor
configure-pbx --pbx http://127.0.0.1:9 --password x --api-password y
pbx enable-api --pbx http://127.0.0.1:9 --password x
pbx set-password --pbx http://127.0.0.1:9 --password x --api-password y
pbx set-event-urls --pbx http://127.0.0.1:9 --password x
pbx show --pbx http://127.0.0.1:9 --password x
pbx check --pbx http://127.0.0.1:9 --password x
pbx discard --pbx http://127.0.0.1:9 --password x
tariffs plans set packet --free-minutes 300 --from 2026-10-01
departments terms set --tax 6 --from 2026-10-01
departments terms remove --from 2026-10-01
tariffs plans list
tariffs plans export --output plans.csv
tariffs plans import plans.csv
tariffs plans remove packet
departments terms list
operators add amy --role viewer
operators list
operators role amy accountant
operators sessions
operators sign-out amy
operators disable amy
audit list
"""
ELSEWHERE = {
    "init": "tests/cli/test_init.py",
    "listen": "tests/listener/test_chinese_lines.py",
    "demo": "tests/cli/test_demo.py",
    "simulate calls": "tests/simulation/test_traffic.py",
    "simulate pbx": "tests/simulation/test_practice_pbx.py",
    "console": "tests/console",
    "ship": "tests/centre",
    **dict.fromkeys(
        (
            *(
                "centre init",
                "centre collect",
                "centre close",
                "centre rerate",
                "centre ask",
                "centre report",
                "centre calls",
                "centre rate",
                "centre sites list",
                "centre sites add",
            ),
            *("centre sites book", "centre sites revoke", "centre sites pin", "centre sites unpin"),
        ),
        "tests/centre",
    ),
    "help": "tests/manual/test_help.py",
    "simulate call": "tests/manual/test_commands.py",
    "operators password": "it asks for a password; tests/operators",
    "service uninstall": "it would remove this machine's service",
}
# What is not ours to translate: files as they lie in the package, a unit for systemd, what systemd says.
ERRORS = ("BillingError", "UsageError", "NotFoundError", "DataError", "CannotStartError", "BusyError")
WORDS_OF_OTHERS = ("audit list", "dialects show uc", "service install --print", "service status")
COMMAND_LINES = LINES.strip().splitlines()

# Latin words that stand side by side in Chinese too: what is typed, formats, names of things and of people.
ALLOWED = re.compile(
    r"`[^`]*`|https?://\S+|ippbx-bill [^\n，。；]*|(?:/[\w.-]+)+|--[\w-]+(?: [\w-]+)?|\w+ = .*|\[\w+\]"
    r"|[\w-]+\.(?:py|toml|db|csv|md)"
)
TITLES = sorted((one.title for one in dialects.load(Path("none")).values()), key=len, reverse=True)
WORDS = re.compile(r"\b[A-Za-z][a-z]{2,} [a-z]{2,}\b(?: [a-z]+\b)*")
HAN = re.compile("[\u4e00-\u9fff]+")


def all_commands() -> Iterator[str]:
    """The name of everything that can be run."""

    def below(names: list[str], command: Any) -> Iterator[str]:
        inner = getattr(command, "commands", {})
        if not inner or command.invoke_without_command:
            yield " ".join(names)
        for name, one in inner.items():
            yield from below([*names, name], one)

    for name in COMMANDS:
        command = loaded(COMMANDS, name)
        if name == "report":
            yield name
            yield from (f"report {one}" for one in command.commands)
        else:
            yield from below([name], command)


def test_each_command_is_run_here_or_elsewhere() -> None:
    """A new command gets its line."""
    known = set(ELSEWHERE)
    for line in COMMAND_LINES:
        words = line.split()
        known |= {" ".join(words[:count]) for count in (1, 2, 3)}
    assert [name for name in all_commands() if name not in known] == []


@pytest.fixture(scope="module")
def told(fresh_site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What each line prints, stdout and stderr, by language."""
    found: dict[str, dict[str, str]] = {}
    patch = pytest.MonkeyPatch()
    for lang in ("en", "zh"):
        home = tmp_path_factory.mktemp(lang)
        site = Path(shutil.copytree(fresh_site, home / "data"))
        numbers = ["902162345678", "958674577", "90014165550123", "910086", "9110"]
        bodies = [gateway_cdr("8001", number, 61) for number in numbers]
        fill(site / "inbox.db", [*bodies, b"rubbish", b'{"a": 1}'])
        (home / "more.txt").write_text("rubbish\n", encoding="utf-8")
        line = "02162345678,2026-10-13 10:00:05,61,0.97"
        (home / "bill.csv").write_text(f"被叫号码,开始时间,时长,费用\n{line}\n10010,2026-10-14 10:00:05,61,0.9\n")
        patch.chdir(home)
        patch.setenv("COLUMNS", "160")
        found[lang] = {}
        CliRunner().invoke(app, ["--data-dir", str(site), "events", "replay"])
        for line in COMMAND_LINES:
            result = CliRunner().invoke(app, ["--data-dir", str(site), "--lang", lang, *line.split()])
            assert result.exception is None or isinstance(result.exception, SystemExit), (line, result.exception)
            found[lang][line] = result.stdout + result.stderr
    patch.undo()
    return found


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_chinese_output_has_no_english(told: dict[str, dict[str, str]], line: str) -> None:
    """No two words of a sentence that nobody translated."""
    if line in WORDS_OF_OTHERS:
        return
    plain = ALLOWED.sub(" ", told["zh"][line])
    for title in TITLES:
        plain = plain.replace(title, "…")
    assert WORDS.findall(plain) == [], plain


def chinese_data() -> set[str]:
    """The Chinese that records, lists and tables bring in: places, operators, people."""
    names = {name for one in areas().values() for name in (one.region, one.place, *one.also_serves)}
    names |= {one.operator for one in blocks().values()} | {"电信", "联通", "移动", "香港", "澳门", "台湾"}
    return (
        names
        | {name for line in COMMAND_LINES for name in HAN.findall(line)}
        | {"公司", "研发部", "服务对接", "事件上报"}
        | {name for title in TITLES for name in HAN.findall(title)}
    )


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_english_output_has_no_chinese(told: dict[str, dict[str, str]], line: str) -> None:
    """Only names that somebody entered."""
    if line in ("audit list", "dialects show uc"):
        return
    known = chinese_data()
    assert [word for word in HAN.findall(told["en"][line]) if word not in known] == []


def untranslated(path: Path) -> Iterator[str]:
    """The sentences that a file raises an error of ours with, without asking for their translation."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS):
            continue
        for argument in node.args:
            parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
            fixed = "".join(one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str))
            if WORDS.search(ALLOWED.sub("", fixed)):
                yield f"{path.name}:{node.lineno}: {fixed}"


def test_every_error_asks_for_its_translation() -> None:
    """Also those that no line above meets."""
    found = [one for path in PACKAGE.rglob("*.py") if "simulation" not in path.parts for one in untranslated(path)]
    assert found == []
