"""Types a page's lines into a shell of its own, from the first to the last, in one folder.

    with Typist(folder, "zh", data_dir=folder / "demo-data") as typist:
        typist.type("ippbx-bill report --month last")

Most lines run in this process. What goes on (`listen`, `simulate pbx`, a line that ends with `&`) is a process, ended
with the page. What the reader's own site has instead of a test is replaced: see `REPLACED`.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Self

import pytest
from typer.testing import CliRunner

from ippbx_billing import language as texts
from ippbx_billing.cli.app import app
from ippbx_billing.cli.pbx import access
from tests import EXAMPLES
from tests.manual.pages import Block

PATIENCE_S = 120
ADMIN = "IPPBX_BILL_PBX_ADMIN_PASSWORD"

# Lines that a test cannot run, and why; each stands on a page, or it goes.
NOT_RUN = {
    "ippbx-bill centre": "needs a PostgreSQL; tests/centre run it against one of their own",
    "export IPPBX_BILL_CENTRE": "belongs to the line before",
    "ippbx-bill ship --to": "needs a centre; tests/centre have one",
    "sudo ": "changes the system: users, units, folders of root",
    "ippbx-bill service": "speaks to systemd; tests/service run it against a systemd of their own",
    "ippbx-bill verify": "needs a carrier's bill; tests/reports/test_verifying.py makes some",
    "ippbx-bill alerts test": "sends over the net; tests/alerts send to servers of their own",
    "ippbx-bill deliver --due": "sends over the net; tests/delivery/test_mails.py sends to a server of its own",
    "python3 examples/bundle.py": "fetches from the net; tests/project/test_examples.py tries its parts",
    "python3 -m zipfile": "belongs to the line before",
    "python3 ippbx-bill-bundle/install.py": "needs the bundle; tests/project/test_examples.py installs a small one",
    "podman ": "needs a container engine; tests/project/test_examples.py runs what the file starts",
    "journalctl ": "needs systemd",
    "python3 -m venv": "installs packages from the net",
    ".venv/bin/pip install": "installs packages from the net",
    "pip install": "installs packages from the net",
    ".venv/bin/ruff": "the tests themselves",
    "python -m tests.": "measures; tests/project/test_benchmarks.py runs what it needs",
    "python3 examples/mail_report.py": "needs a mail server; tests/project/test_examples.py runs it against one",
}
# The unit can be shown everywhere.
RUN_ALL_THE_SAME = ("ippbx-bill service install --print",)

# Exit codes other than 0 that a line may have, and why.
EXITS = {
    "ippbx-bill doctor": (1, "a fresh folder has no backup and no listener, which is what it has to say"),
    "ippbx-bill pbx check": (1, "the practice PBX may not have placed its first call yet"),
    "ippbx-bill limits apply --yes": (2, "no command is set that bars an extension, which is what it has to say"),
    "ippbx-bill tariffs check": (1, "the standard tariff leaves open what a service number costs"),
}


def not_run(line: str) -> str | None:
    """Why this line is not run; None where it is."""
    if line.startswith(RUN_ALL_THE_SAME):
        return None
    return next((reason for start, reason in NOT_RUN.items() if line.startswith(start)), None)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Typist:
    """Somebody at a terminal in an empty folder, with the examples beside it."""

    def __init__(self, folder: Path, language: str, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.language = folder, language
        self._patch = patch
        self._running: list[subprocess.Popen[str]] = []
        self._replaced = {"/srv/": f"{folder}/srv/", "/opt/": f"{folder}/opt/"}
        self._in_front: subprocess.Popen[str] | None = None  # the listener of the first terminal
        self.output = ""

    def __enter__(self) -> Self:
        (self.folder / "examples").symlink_to(EXAMPLES)
        self._patch.chdir(self.folder)
        self._patch.setattr(access, "attended", lambda: True)
        self._patch.setattr("ippbx_billing.pbx.session.RETRY_PAUSE_S", 0.01)
        self._patch.setattr("ippbx_billing.pbx.session.SETTLE_S", 0.01)
        ports = {name: str(free_port()) for name in ("CDR_PORT", "STATUS_PORT", "CONSOLE_PORT")}
        self._replaced[":8181"] = f":{ports['CDR_PORT']}"
        self._replaced["demo --keep demo-data"] = "demo --keep demo-data --calls 60"  # a month of them takes longer
        self._replaced["--smdr-port 9000"] = f"--smdr-port {free_port()}"
        (self.folder / "dingtalk.url").write_text("https://127.0.0.1/robot/send?access_token=0\n", "utf-8")
        for name, value in {"HOST": "127.0.0.1", **ports}.items():
            self._patch.setenv(f"IPPBX_BILL_{name}", value)
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            _end(process)

    def write(self, block: Block) -> None:
        """A block with a file's name becomes that file."""
        if block.file:
            (self.folder / block.file).write_text("\n".join(block.lines) + "\n", "utf-8")

    def type(self, line: str) -> None:
        """Run one line; AssertionError where it does not end as it should."""
        line = self._line(line)
        if found := re.match(r"export (\w+)=(\S+)$", line):
            self._patch.setenv(found[1], found[2].replace("$PWD", str(self.folder)))
        elif line.startswith("kill %"):
            _end(self._running[int(line.removeprefix("kill %")) - 1])
        elif line.startswith("cd "):
            self._patch.chdir(self.folder / line.removeprefix("cd "))
        else:
            self._run(line)

    def _line(self, line: str) -> str:
        for before, after in self._replaced.items():
            line = line.replace(before, after)
        if "192.168.6.169" in line and "--pbx https" in line:
            self._patch.setenv(ADMIN, "admin")
            line = line.replace("https://192.168.6.169", self._practice_pbx())
        return line

    def _run(self, line: str) -> None:
        with self._variables(line) as words:
            goes_on = words[-1] == "&" or words[1] == "console" or "listen" in words
            assert words[0].rpartition("/")[2] == "ippbx-bill", f"nobody says how this line is run: {line}"
            if goes_on:
                self._begin(words[1:])
            else:
                self._finish(line, words[1:])

    @contextmanager
    def _variables(self, line: str) -> Iterator[list[str]]:
        """The words of the line, with what stands before the command as variables."""
        words = shlex.split(line)
        with pytest.MonkeyPatch.context() as patch:
            while "=" in words[0] and not words[0].startswith("-"):
                name, _, value = words.pop(0).partition("=")
                patch.setenv(name, value)
            yield words

    def _finish(self, line: str, words: list[str]) -> None:
        words, target = (words[: words.index(">")], words[-1]) if ">" in words else (words, None)
        texts.begin_in(self.language)
        result = CliRunner().invoke(app, ["--lang", self.language, *words], input="y\n" * 20)
        self.output = result.output
        allowed, _ = next((EXITS[start] for start in EXITS if line.startswith(start)), (0, ""))
        assert result.exit_code in (0, allowed), f"{line}\n{result.output}\n{result.exception!r}"
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        if target:
            (self.folder / target).write_text(result.stdout, "utf-8")

    def _begin(self, words: list[str]) -> None:
        if "simulate" in words and "pbx" in words:
            self._practice([word for word in words if word != "&"])
            return
        if "listen" in words and "&" not in words and self._in_front:
            _end(self._in_front)  # Ctrl-C, as the page says
        process = self._start([word for word in words if word != "&"])
        if "listen" in words:
            self._in_front = process
            wait_for(process, r"(http://127\.0\.0\.1:\d+)/")

    def _practice(self, words: list[str]) -> str:
        process = self._start([*words, "--port", "0", "--calls-per-minute", "600"])
        address = wait_for(process, r"(http://127\.0\.0\.1:\d+)/")
        self._replaced["http://127.0.0.1:8088"] = address
        return address

    def _practice_pbx(self) -> str:
        if "pbx" not in self._replaced:
            self._replaced["pbx"] = "pbx"
            self._site_pbx = self._practice(["simulate", "pbx"])
        return self._site_pbx

    def _start(self, words: list[str]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ippbx_billing", *words]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=dict(os.environ)
        )
        self._running.append(process)
        return process


def wait_for(process: subprocess.Popen[str], pattern: str) -> str:
    """The first match in what the process says on stderr."""
    assert process.stderr
    impatience = Timer(PATIENCE_S, process.kill)
    impatience.start()
    try:
        for line in process.stderr:
            if found := re.search(pattern, line):
                return found.group(1)
    finally:
        impatience.cancel()
    raise AssertionError(f"{pattern} never came; exit code {process.wait(PATIENCE_S)}")


def _end(process: subprocess.Popen[str]) -> None:
    """End the process by its own id, as Ctrl-C does."""
    if process.poll() is None:
        process.terminate()
    process.wait(PATIENCE_S)
    if process.stderr:
        process.stderr.close()
