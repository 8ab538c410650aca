"""What systemd wants to hear from a service: that it is ready, that it is alive, that it stops.

A datagram to the socket that systemd names in the environment, and nothing where it names none; see sd_notify(3).

    notify("READY=1")
    every_s = watchdog_s()   # how often to send WATCHDOG=1; 0 where nobody watches
"""

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

EXTENDED_EVERY_S = 30
PATIENCE_S = 0.2


def notify(state: str, environment: Mapping[str, str] | None = None) -> None:
    """Tell it; a service that cannot tell goes on all the same."""
    address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    abstract = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.settimeout(PATIENCE_S)  # whoever does not fetch its messages must not stop the doors
        systemd.sendto(state.encode(), abstract)


def watchdog_s(environment: Mapping[str, str] | None = None) -> float:
    """A third of the time after which systemd takes us for dead, so that one lost word does no harm; 0 for never."""
    known = os.environ if environment is None else environment
    if known.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0
    with suppress(ValueError):
        return int(known.get("WATCHDOG_USEC", "0")) / 3_000_000
    return 0


@contextmanager
def taking_long() -> Iterator[None]:
    """While the block lasts, systemd is asked for more time: bringing a large ledger up to date may take longer than
    it waits for a service to be ready."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(EXTENDED_EVERY_S):
            notify(f"EXTEND_TIMEOUT_USEC={int(2_000_000 * EXTENDED_EVERY_S)}")

    asking = threading.Thread(target=ask, name="taking-long", daemon=True)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
