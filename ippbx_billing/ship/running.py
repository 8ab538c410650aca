"""The process beside the listener that ships, and the same on a command of its own.

It works like the pipeline's worker: a pipe from the listener keeps it alive, its end is the end, and a beat on stdout
each second says that it goes on.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ippbx_billing.errors import UsageError
from ippbx_billing.language import tr
from ippbx_billing.settings import Settings, load
from ippbx_billing.ship import keys
from ippbx_billing.ship.shipping import Route, Shipper

NICENESS = 10
BEAT_S = 1.0

log = logging.getLogger("ippbx_billing.ship.running")


def shipper_of(using: Settings) -> Shipper:
    """The shipper that the settings describe; raises UsageError, NotFoundError or DataError where one is missing."""
    if not using.ship_to or not using.ship_site:
        raise UsageError(
            tr("it is not set where to ship to, and as which site"), "ippbx-bill ship --to https://… --site NAME"
        )
    certificate = str(using.data_dir / using.ship_certificate) if using.ship_certificate else ""
    route = Route(using.ship_to, using.ship_site, using.data_dir, certificate)
    return Shipper(route, using.inbox_path, keys.read(using.data_dir / using.ship_key))


def run(using: Settings, ended: threading.Event, heard: Callable[[int], None] = lambda waiting: None) -> None:
    """Ship until `ended`; `heard` is told how many positions wait, after each step."""
    with shipper_of(using) as shipper:
        said = ""
        while not ended.is_set():
            pause_s = shipper.step(time.time())
            if shipper.state.problem != said:
                said = shipper.state.problem
                log.warning("%s", _told(said)) if said else log.info("%s", tr("the centre takes our events again"))
            heard(shipper.waiting())
            ended.wait(pause_s)


def run_until_signal(using: Settings) -> None:
    """Ship until SIGTERM or Ctrl-C, with lines of its own about what goes wrong."""
    from ippbx_billing.service import logs

    logs.start(using.log_format)
    ended = threading.Event()
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: ended.set())
    run(using, ended)


def _told(problem: str) -> str:
    return tr("the centre does not take our events ({problem}); they are kept, trying again", problem=problem)


def main(data_dir: str, dialect: str) -> None:
    """The child of `listen`: ship until the pipe ends."""
    from ippbx_billing import language as texts
    from ippbx_billing.service import logs

    for name in ("SIGINT", "SIGTERM"):  # sent to the whole group; the listener's pipe tells when to end
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    using = load(Path(data_dir), {"dialect": dialect})
    texts.begin_in("zh" if os.environ.get("LANGUAGE") == "zh" else "en")
    logs.start(using.log_format)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    ended = threading.Event()
    threading.Thread(target=_wait_for_end, args=(ended,), daemon=True).start()
    waiting = [0]
    threading.Thread(target=_beat, args=(ended, waiting), daemon=True).start()
    run(using, ended, lambda count: waiting.__setitem__(0, count))


def _wait_for_end(ended: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 65_536):
        pass
    ended.set()


def _beat(ended: threading.Event, waiting: list[int]) -> None:
    while not ended.is_set():
        with suppress(OSError):
            os.write(sys.stdout.fileno(), b"%d\n" % waiting[0])
        time.sleep(BEAT_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
