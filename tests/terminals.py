"""A process that believes it writes to a terminal of 80 columns, and what a person reads there.

with Terminal(["listen", …]) as terminal:
    terminal.wait_for("listening:")
"""

import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from fcntl import ioctl
from pathlib import Path
from typing import Self

PATIENCE_S = 40
_SIGNS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def _hears_ctrl_c() -> None:
    """A shell's job in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """`ippbx-bill` with stdout, stderr or both on a terminal; ended by its own process id."""

    def __init__(
        self, data_dir: Path, *arguments: str, columns: int = 80, stdout: bool = True, **environment: str
    ) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        surely = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "TERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ippbx_billing", "--data-dir", str(data_dir), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=slave if stdout else subprocess.PIPE,
            stderr=slave,
            env={**surely, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment},
            preexec_fn=_hears_ctrl_c,
        )
        os.close(slave)
        self._raw = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGKILL)

    def _read(self) -> None:
        while True:
            try:
                found = os.read(self._master, 65_536)
            except OSError:  # Linux: nobody writes to it any more
                return
            if not found:
                return
            self._raw += found

    def text(self) -> str:
        """All that was written so far, without colours and movements."""
        return _SIGNS.sub("", bytes(self._raw).decode("utf-8", "replace"))

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Until something like this was written."""
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text())):
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.text()!r}"
            assert self.process.poll() is None or self._reader.is_alive(), self.text()
            time.sleep(0.02)
        return found

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and wait; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
        if self.process.stdout:
            self.process.stdout.close()
        return code
