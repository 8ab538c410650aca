"""The Tab key: what the scripts of the shells ask, what they are answered, and that nothing goes wrong in a line."""

import os
import pty
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from tests.conftest import Cli

PROGRAM = Path(sys.executable).with_name("ippbx-bill")


def asked(line: str, shell: str = "bash", **more: str) -> subprocess.CompletedProcess[str]:
    """What a shell is answered when Tab is pressed at the end of a line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_IPPBX_BILL_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "PYTHONIOENCODING": "utf-8",
        **more,
    }
    return subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False)


def offered(line: str, shell: str = "bash", **more: str) -> list[str]:
    run = asked(line, shell, **more)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.split()


@pytest.fixture
def known(site: Path, cli: Cli) -> Path:
    """A site with departments, people and a trunk."""
    for words in (
        ["departments", "add", "总公司/销售部", "Board of Directors"],
        ["employees", "add", "1001", "张三", "--extension", "8001", "--department", "销售部"],
        ["extensions", "add", "8020"],
        ["trunks", "add", "3001", "--carrier", "022-天津-电信"],
    ):
        result = cli(*words)
        assert result.exit_code == 0, result.output
    return site


def test_commands_options_and_words_are_offered(known: Path) -> None:
    """Also behind `--data-dir`, and as the words that a choice can be."""
    assert offered("ippbx-bill rep") == ["report"]
    assert offered(f"ippbx-bill --data-dir {known} tar") == ["tariffs"]
    assert "--month" in offered("ippbx-bill bill --mo")
    assert offered("ippbx-bill calls l") == ["list", "live"]
    assert "json" in offered("ippbx-bill carriers list --format j")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("report --carrier ", ["022-天津-电信", "022-天津-联通", "022-天津-移动"]),
        ("tariffs show 022-天津-电", ["022-天津-电信"]),
        ("carriers remove 022-天津-移", ["022-天津-移动"]),
        ("bill --extension 80", ["8001", "8020"]),
        ("extensions history 8", ["8001", "8020"]),
        ("report --trunk 3", ["3001"]),
        ("bill --employee 张", ["张三"]),
        ("employees show 10", ["1001"]),
        ("bill --department 总", ["总公司", "总公司/销售部"]),
        ("departments rename B", ["Board\\", "of\\", "Directors"]),
        ("report --month l", ["last"]),
        ("extensions add 80", []),
    ],
)
def test_names_come_from_the_data_directory(known: Path, line: str, names: list[str]) -> None:
    """Of the usual one, as the environment names it."""
    assert sorted(offered(f"ippbx-bill {line}", IPPBX_BILL_DATA_DIR=str(known))) == sorted(names)


def test_a_data_directory_on_the_line_counts(known: Path) -> None:
    """In front of the command or behind it."""
    assert offered(f"ippbx-bill --data-dir {known} report --trunk ") == ["3001"]
    assert offered(f"ippbx-bill report --data-dir {known} --trunk ") == ["3001"]


def test_months_with_calls_are_offered(site: Path) -> None:
    """The latest first."""
    with closing(sqlite3.connect(site / "ledger.db")) as connection, connection:
        connection.executemany(
            "INSERT INTO rollup_month_extensions VALUES (?, 0, 'rated', ?, 0, 0, 0, 0)",
            [(2026 * 12 + 8, 3), (2026 * 12 + 9, 1), (2026 * 12 + 10, 0)],
        )
    assert offered(f"ippbx-bill --data-dir {site} report --month 2") == ["2026-10", "2026-09"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_a_name_is(known: Path, shell: str) -> None:
    """The help of a command in the language in use, the name of a person beside the number."""
    assert "按月统计话费" in asked("ippbx-bill repo", shell, IPPBX_BILL_LANG="zh").stdout
    assert "张三" in asked(f"ippbx-bill --data-dir {known} bill --employee 10", shell).stdout


@pytest.mark.parametrize(
    "line",
    [
        "--data-dir /nowhere report --carrier ",
        "--data-dir ",
        "--lang fr report --carrier ",
        "report --month nonsense --carrier ",
        "no-such-command x",
        "report --carrier 'unfinished",
    ],
)
def test_nothing_goes_wrong_in_somebodys_line(line: str) -> None:
    """No error, whatever is typed."""
    run = asked(f"ippbx-bill {line}")
    assert (run.returncode, run.stderr) == (0, "")


def test_a_damaged_or_locked_ledger_offers_nothing(known: Path) -> None:
    """And keeps nobody waiting."""
    (known / "ledger.db").write_bytes(b"not a database" * 100)
    assert offered(f"ippbx-bill --data-dir {known} report --carrier ") == []


@pytest.mark.parametrize(
    ("shell", "script", "begun_by"),
    [
        ("bash", ".bash_completions/ippbx-bill.sh", ".bashrc"),
        ("zsh", ".zfunc/_ippbx-bill", ".zshrc"),
        ("fish", ".config/fish/completions/ippbx-bill.fish", None),
    ],
)
def test_it_is_set_up_for_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, script: str, begun_by: str | None
) -> None:
    """For the shell that is named, or for that of the terminal."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    for words in (["--install-completion", shell], ["--install-completion"], ["--lang", "zh", "--install-completion"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        assert str(tmp_path / script) in result.stdout
        text = (tmp_path / script).read_text(encoding="utf-8")
        assert f"_IPPBX_BILL_COMPLETE=complete_{shell}" in text
    assert "新终端" in result.stdout
    if begun_by:
        assert (tmp_path / begun_by).read_text(encoding="utf-8").count(
            "ippbx-bill" if shell == "bash" else "zfunc"
        ) == 1


def test_an_unknown_shell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the commands that work."""
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = CliRunner().invoke(app, ["--install-completion"])
    assert result.exit_code == 2
    assert "'tcsh' is not a shell with completion" in result.stderr
    assert "`ippbx-bill --install-completion zsh`" in result.stderr


def test_bash_completes_a_line(known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script as bash runs it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert CliRunner().invoke(app, ["--install-completion", "bash"]).exit_code == 0
    line = (
        f"source ~/.bash_completions/ippbx-bill.sh; COMP_WORDS=({PROGRAM} report --carrier 022-天津-电); COMP_CWORD=3; "
        f"_ippbx_bill_completion {PROGRAM}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    environment = {**os.environ, "IPPBX_BILL_DATA_DIR": str(known), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "022-天津-电信\n"


def in_a_new_terminal(shell: str, home: Path, known: Path) -> dict[str, str]:
    """Completion set up for a shell, and the environment of somebody who opens it then."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
        "IPPBX_BILL_DATA_DIR": str(known),
        "PYTHONIOENCODING": "utf-8",
        "TERM": "dumb",
    }
    subprocess.run([PROGRAM, "--install-completion", shell], env=environment, check=True, capture_output=True)
    return environment


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_a_line(known: Path, tmp_path: Path) -> None:
    """What fish itself makes of a line: the name, and what it is."""
    line = ["fish", "-c", "complete -C 'ippbx-bill report --month l'; complete -C 'ippbx-bill departments rename B'"]
    environment = in_a_new_terminal("fish", tmp_path, known)
    run = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "last\tthe month before this one\nBoard of Directors\n"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_a_line(known: Path, tmp_path: Path) -> None:
    """The first Tab of a terminal already answers."""
    environment = in_a_new_terminal("zsh", tmp_path, known)
    terminal, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-i"], env={**environment, "PS1": "ready> "}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        read_until(terminal, "ready> ")
        os.write(terminal, b"ippbx-bill report --mon\t")
        read_until(terminal, "--month")
        os.write(terminal, b" l\t")
        read_until(terminal, "last")
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def read_until(terminal: int, expected: str) -> None:
    """All that a shell writes until this stands there."""
    text, deadline = "", time.monotonic() + 60
    while expected not in text:
        assert time.monotonic() < deadline, text
        if select.select([terminal], [], [], 0.5)[0]:
            text += os.read(terminal, 65_536).decode("utf-8", "replace").replace("\b", "")
