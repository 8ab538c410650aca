"""The true `ippbx-bill listen` in a process of its own, posted to over real connections.

with Service(site) as service:
    service.post(b'{"cdr": ...}')
    service.wait_until_read()
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any, Self

import httpx

PATIENCE_S = 120


class Service:
    """Started on free ports of 127.0.0.1; ended by its own process id, the worker with it."""

    def __init__(self, data_dir: Path, *arguments: str, **environment: str) -> None:
        self.data_dir = data_dir
        command = ["listen", "--host", "127.0.0.1", "--cdr-port", "0", "--status-port", "0", *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ippbx_billing", "--data-dir", str(data_dir), *command],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.announcement = ""
        self.base = ""  # the console's address, where a fixture has asked for it
        self._before: list[str] = []
        self._client = httpx.Client(timeout=PATIENCE_S, trust_env=False)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + PATIENCE_S
        while not re.search("listening:|正在接收：", self.announcement):  # in JSON it is within an object
            self.announcement = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            self._before.append(self.announcement)
        self.cdr_url, self.status_url = re.findall(r"http://\S+?/", self.announcement)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.put(line.rstrip("\n"))

    def console_address(self) -> str:
        """The console's address, without the slash; waits until it is told (again, after it has ended)."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            line = self.lines.get(timeout=PATIENCE_S)
            if found := re.search(r"web page: (https?://\S+)", line):
                return found[1].rstrip("/")
        raise TimeoutError("no console")

    def said(self) -> str:
        """All that it has said on stderr beside the announcement, up to now."""
        return "\n".join([*self._before, *self.lines.queue])

    def post(self, body: bytes | str, *, door: str = "cdr", path: str = "", **more: Any) -> httpx.Response:
        """Deliver one body as a PBX does."""
        url = (self.cdr_url if door == "cdr" else self.status_url) + path.lstrip("/")
        method = more.pop("method", "POST")
        return self._client.request(method, url, content=body, **more)

    def run(self, *arguments: str) -> Any:
        """What another `ippbx-bill` prints as JSON about the same data directory."""
        command = [
            sys.executable,
            "-m",
            "ippbx_billing",
            "--data-dir",
            str(self.data_dir),
            *arguments,
            "--format",
            "json",
        ]
        return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S).stdout)

    def wait_until_read(self) -> None:
        """Until the pipeline has taken every event that was acknowledged so far."""
        from ippbx_billing.inbox import Inbox
        from ippbx_billing.ledger import Ledger

        deadline = time.monotonic() + PATIENCE_S
        with Inbox(self.data_dir / "inbox.db") as inbox, Ledger(self.data_dir / "ledger.db") as ledger:
            while ledger.journey.position() < inbox.last_id():
                assert time.monotonic() < deadline, "the pipeline does not keep up"
                time.sleep(0.02)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and wait; gives its exit code."""
        self._client.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        if self.process.stderr:
            self.process.stderr.close()
        return code
