"""`init`: the questions on a terminal, what is understood and what is refused, and what it says at the end."""

import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ippbx_billing.cli.app import app
from ippbx_billing.settings import checked, load


def init(data_dir: Path, *options: str, before: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(app, ["--data-dir", str(data_dir), *before, "init", *options])


def on_a_terminal(data_dir: Path, answers: list[str], *options: str) -> tuple[int, str]:
    """Runs `init` behind a terminal, an answer a line; gives the exit code and what was shown."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "80"}
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(data_dir), *options, "init"]
    os.write(ours, "".join(f"{one}\n" for one in answers).encode())
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal whose other side is closed
            while part := os.read(ours, 4096):
                shown += part
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_the_wizard_asks_again_until_an_answer_can_be_used(tmp_path: Path) -> None:
    """Language and company first; each wrong answer is named at once; a range of extensions is understood."""
    answers = ["fr", "zh", "天津某某公司", "xx", "cn", "", "9999", "22", "0", "9001-8999", "8001-8999", "192.168.6.10"]
    code, shown = on_a_terminal(tmp_path / "site", answers)
    assert code == 0, shown
    for told in ["'fr': only", "没有国家代码 XX", "缺少本地区号", "'9999' 不是中国的区号", "'9001-8999' 不是号码段"]:
        assert told in shown, shown
    assert "话单信息：http://192.168.6.10:8181/" in shown
    using = load(tmp_path / "site", environment={})
    assert (using.lang, using.site_name, using.country, using.area_code) == ("zh", "天津某某公司", "CN", "022")
    assert (using.outside_prefix, using.own_address) == ("0", "192.168.6.10")
    assert using.extension_patterns == ("800[1-9]", "80[1-9]X", "8[1-9]XX")


def test_the_wizard_takes_none_for_an_answer_and_says_what_follows(tmp_path: Path) -> None:
    """An empty line is the default; `-` is nothing. A country without area codes is not asked for one."""
    code, shown = on_a_terminal(tmp_path / "de", ["en", "", "DE", "", "-", "-", "8XXX", ""])
    assert code == 0, shown
    assert "the home area code is missing: Germany has area codes" in shown
    assert "without an area code each call within Germany is local" in shown
    using = load(tmp_path / "de", environment={})
    assert (using.area_code, using.outside_prefix, using.timezone, using.currency) == ("", "", "Europe/Berlin", "EUR")
    code, shown = on_a_terminal(tmp_path / "dk", ["en", "", "DK", "0", "8XXX", ""])
    assert code == 0, shown
    assert "area code" not in shown


@pytest.mark.parametrize(
    ("first", "last", "patterns"),
    [
        ("8001", "8999", ("800[1-9]", "80[1-9]X", "8[1-9]XX")),
        ("8000", "8999", ("8XXX",)),
        ("8450", "8450", ("8450",)),
        ("199", "201", ("199", "20[0-1]")),
        ("1234", "8765", None),
    ],
)
def test_a_range_of_extensions_is_exactly_its_numbers(first: str, last: str, patterns: tuple[str, ...] | None) -> None:
    """As patterns, so that the settings stay what they were."""
    made = checked("extension_patterns", [f"{first}–{last}"])
    assert patterns is None or made == patterns
    fits = re.compile("|".join(one.replace("X", r"\d") for one in made))
    found = [number for number in range(10 ** len(first)) if fits.fullmatch(str(number).zfill(len(first)))]
    assert found == list(range(int(first), int(last) + 1))


@pytest.mark.parametrize(
    ("options", "area", "carrier"),
    [
        (["--area-code", "22"], "022", "022-天津-电信"),
        (["--area-code", "10"], "010", "010-北京-电信"),
        (["--country", "DE", "--area-code", "30"], "030", "030-DE-local"),
        (["--country", "US", "--area-code", "212"], "212", "212-US-local"),
    ],
)
def test_an_area_code_gets_the_zero_that_is_dialled_before_it(
    tmp_path: Path, options: list[str], area: str, carrier: str
) -> None:
    """`--area-code 22` is 022, also in the carriers' names; North America dials no zero."""
    result = init(tmp_path / "site", *options)
    assert result.exit_code == 0, result.stderr
    assert load(tmp_path / "site", environment={}).area_code == area
    assert carrier in result.stderr


def test_a_country_with_area_codes_is_asked_for_one(tmp_path: Path) -> None:
    """Left out it is missed; an explicit empty one is taken, with what follows from it."""
    missed = init(tmp_path / "site", "--country", "DE")
    assert missed.exit_code == 2
    assert "the home area code is missing: Germany has area codes" in missed.stderr
    assert "--area-code, such as 030" in missed.stderr
    assert not (tmp_path / "site").exists()
    taken = init(tmp_path / "site", "--country", "DE", "--area-code", "")
    assert taken.exit_code == 0
    assert "each call within Germany is local" in taken.stderr
    chinese = init(tmp_path / "cn", "--area-code", "")
    assert chinese.exit_code == 0
    assert "no call is local: each call within China is long distance" in chinese.stderr


def test_a_site_keeps_the_language_that_it_was_set_up_in(tmp_path: Path) -> None:
    """cron has no language of its own: what it writes later is as `init` was."""
    assert init(tmp_path / "site", "--area-code", "022", before=("--lang", "zh")).exit_code == 0
    assert load(tmp_path / "site", environment={}).lang == "zh"
    command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(tmp_path / "site")]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C"}
    shown = subprocess.run([*command, "calls", "list"], env=environment, capture_output=True, text=True, check=True)
    assert "没有符合条件的通话" in shown.stderr + shown.stdout
    wrong = subprocess.run(
        [*command, "carriers", "--help"], env=environment, capture_output=True, text=True, check=True
    )
    assert "选项:" in wrong.stdout  # also what is made before the command knows its data directory


def test_init_ends_with_what_comes_next(tmp_path: Path) -> None:
    """The addresses to enter, whole, and commands that find this data directory."""
    result = init(tmp_path / "site", "--area-code", "022", "--own-address", "192.168.6.10")
    assert "http://192.168.6.10:8181/" in result.stderr
    assert "http://192.168.6.10:8182/" in result.stderr
    assert f"ippbx-bill --data-dir {tmp_path}/site listen" in result.stderr
