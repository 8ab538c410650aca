"""Who we are: an id that an installation keeps, so that a stranger on our port is not taken for us.

installation(data_dir)         # made at the first start of `listen`
asked("127.0.0.1", 8181)       # what answers there: an id, "" for a stranger, None for nobody
"""

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from ippbx_billing import files

NAME = "installation"
PATIENCE_S = 3
MOST_BYTES = 1 << 20

_ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def installation(data_dir: Path) -> str:
    """The id of the installation in this data directory; made where it has none yet."""
    path = data_dir / NAME
    if not path.exists():
        files.write(path, f"{uuid4()}\n", private=True)
    return path.read_text(encoding="utf-8").strip()


def asked(host: str, port: int, *, tls: bool = False) -> str | None:
    """The id of the listener that answers there; "" where it is none of ours, None where nobody answers."""
    try:
        with closing(_connected(host, port, tls)):
            pass
    except OSError:
        return None
    return str(health(host, port, tls=tls).get("installation", ""))


def health(host: str, port: int, *, tls: bool = False) -> Mapping[str, Any]:
    """What /healthz tells there; nothing where no listener of ours answers."""
    with suppress(OSError, ValueError), closing(_connected(host, port, tls)) as connection:
        connection.sendall(_ASK)
        found = json.loads(_answer(connection).partition(b"\r\n\r\n")[2])
        return found if isinstance(found, dict) else {}
    return {}


def _connected(host: str, port: int, tls: bool) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=PATIENCE_S)
    if not tls:
        return connection
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is our own, made for another name
    return context.wrap_socket(connection)


def _answer(connection: socket.socket) -> bytes:
    """All that it answers within a bounded time; one that only listens says nothing."""
    received = b""
    with suppress(TimeoutError):
        while len(received) < MOST_BYTES and (more := connection.recv(65_536)):
            received += more
    return received
