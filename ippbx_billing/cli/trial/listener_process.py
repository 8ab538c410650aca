"""The real `listen` as a child process, for commands that need a listener of their own.

with Listener(data_dir) as listener:
    listener.cdr_url   ->  "http://127.0.0.1:40211/"
"""

import re
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from ippbx_billing.errors import CannotStartError
from ippbx_billing.language import tr

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 30.0


class Listener:
    """The real `listen` on free ports of 127.0.0.1, in a process that ends with this one's work."""

    def __init__(self, data_dir: Path) -> None:
        self._log = data_dir / "listen.log"
        self._data_dir = data_dir
        self.announcement = ""
        self.cdr_url = self.status_url = ""

    def __enter__(self) -> Self:
        ports = ["--host", "127.0.0.1", "--cdr-port", "0", "--status-port", "0"]
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(self._data_dir), "listen", *ports]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the process by its own id and wait for it, the pipeline beside it included."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """The last of what it said, for an error's hint."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return tr("the listener's last words: {words}", words=" / ".join(lines[-3:]) or "–")

    def _wait_until_ready(self) -> None:
        deadline = monotonic() + START_TIMEOUT_S
        while monotonic() < deadline and self._process.poll() is None:
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
                urls = re.findall(r"http://[\d.]+:\d+/", line)
                if len(urls) == 2:
                    self.announcement = line
                    self.cdr_url, self.status_url = urls
                    return
            sleep(0.05)
        raise CannotStartError(tr("the listener did not start"), self.last_words())
