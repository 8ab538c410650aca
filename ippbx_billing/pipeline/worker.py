"""The pipeline in a process of its own: woken by the listener, ended by the end of the listener.

    with Worker(settings, report=print) as worker:
        worker.start()
        worker.wake()  # after each commit; never waits, never raises

The two are joined by a pipe. A byte in it means that something arrived; its end means that the listener is gone, by
whatever way, and the worker drains once more and ends. Should the worker die, it is started again.
"""

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ippbx_billing import language as texts
from ippbx_billing.errors import BusyError
from ippbx_billing.language import tr
from ippbx_billing.service.children import WatchedChild, pipe_of
from ippbx_billing.settings import Settings, load

if TYPE_CHECKING:
    from ippbx_billing.pipeline import Pipeline

Result = TypeVar("Result")

log = logging.getLogger("ippbx_billing.pipeline.worker")  # also where this is `__main__`

POLL_S = 1.0  # how long the worker sleeps at most: a missed wake-up costs no more than this
GATHER_S = 0.1  # from one batch to the next while records keep coming; one after a rest is taken at once
FEW = 200  # so many that came during a batch are left to gather; more are taken at once
REST_S = 0.01  # between two looks for wake-ups: each commit of the listener sends one, and one is enough
RESTART_PAUSE_S = 1.0
STANDING_S = 30.0  # the longest batch takes a few; it waits at most a second for the next
HANGING_S = 600.0  # at one event or one lock; longer than any body may take, or SQLite waits
LOOP_RESTARTS = 3  # so many within LOOP_S are not accident any more
LOOP_S = 300.0
LOCKED_PAUSE_S = 1.0
NICENESS = 5  # where processors are short the doors go first: a record may come but once, its fee can wait
DAMAGED_EXIT = 65  # EX_DATAERR of sysexits.h: the inbox cannot be read, and its writer has to replace it
GARBAGE_THRESHOLD = 100_000  # a batch makes many objects that live until its end; looking for rings among them is vain
END_TIMEOUT_S = 30.0  # what is not drained by then is taken up at the next start


class Worker(WatchedChild):
    """The child process and the pipe to it; `report` tells the operator about its troubles, `damaged` of the inbox.

    `module` is what the child runs, which may be another helper of the service that works in the same manner.
    """

    end_s = END_TIMEOUT_S

    def __init__(
        self,
        settings: Settings,
        report: Callable[[str], None],
        damaged: Callable[[], None] = lambda: None,
        *,
        module: str = "ippbx_billing.pipeline.worker",
        name: str = "pipeline",
    ) -> None:
        super().__init__()
        self._settings = settings
        self._report = report
        self._damaged = damaged
        self._module, self._name = module, name
        self._beat_at: float | None = None  # when it gave its last sign of life; None until the first
        self._behind = 0
        self._restarts: deque[float] = deque(maxlen=LOOP_RESTARTS)

    def wake(self) -> None:
        """Something was committed. A full pipe means that the worker is awake anyway."""
        if self._process is not None:
            with suppress(OSError, ValueError):
                os.write(pipe_of(self._process).fileno(), b"!")

    def facts(self) -> Mapping[str, Any]:
        """What /healthz tells of the pipeline: its state, how many events wait for it, how long it is silent."""
        silent_s = None if self._beat_at is None else round(time.monotonic() - self._beat_at, 1)
        return {"pipeline": self.state(), "pipeline_waiting": self._behind, "pipeline_silent_s": silent_s}

    def state(self) -> str:
        """`running`, `starting`, `restarting`, `crashing` (again and again) or `standing` (alive, and does nothing)."""
        now = time.monotonic()
        if len(self._restarts) == LOOP_RESTARTS and now - self._restarts[0] < LOOP_S:
            return "crashing"
        if self._process is None or self._process.poll() is not None:
            return "restarting"
        if self._beat_at is None:
            return "starting"
        return "standing" if now - self._beat_at > STANDING_S else "running"

    def is_well(self) -> bool:
        """Whether a watchman may go on sleeping."""
        return self.state() not in ("standing", "crashing")

    def child(self) -> subprocess.Popen[bytes]:
        """The process, and a thread that hears its beats."""
        command = [
            sys.executable,
            "-m",
            self._module,
            str(self._settings.data_dir),
            self._settings.dialect,
        ]
        self._beat_at = None
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        threading.Thread(target=self._hear, args=(process,), name="worker-beats", daemon=True).start()
        if os.name == "posix":
            os.set_blocking(pipe_of(process).fileno(), False)
        return process

    def _hear(self, process: subprocess.Popen[bytes]) -> None:
        """Each beat is a line with the number of events that wait."""
        assert process.stdout is not None
        with process.stdout as beats:
            for line in beats:
                if process is self._process:
                    self._beat_at, self._behind = time.monotonic(), int(line)

    def pause_s(self, code: int) -> float:
        """The same after each end; a damaged inbox is told at once, since its writer has to replace it."""
        if code == DAMAGED_EXIT:
            self._damaged()
        return RESTART_PAUSE_S

    def starts_again(self, code: int) -> None:
        """Counted, as one that ends again and again is told to be crashing."""
        self._restarts.append(time.monotonic())
        sentence = tr(
            "the {name} ended unexpectedly (exit {code}) and is started again", name=tr(self._name), code=code
        )
        self._report(sentence)


def main(data_dir: str, dialect: str) -> None:
    """The child: take what waits, wait for a wake-up, take again, until the pipe ends; then all that is left."""
    from pathlib import Path

    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.pipeline import Pipeline, Rules
    from ippbx_billing.pipeline.patience import READING_S
    from ippbx_billing.pipeline.watching import Watching
    from ippbx_billing.service import logs

    for name in ("SIGINT", "SIGTERM"):  # sent to the whole group; the listener's pipe tells when to end
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    settings = load(Path(data_dir), {"dialect": dialect})
    texts.begin_in("zh" if os.environ.get("LANGUAGE") == "zh" else "en")  # as the listener speaks that started us
    logs.start(settings.log_format)
    gc.set_threshold(GARBAGE_THRESHOLD)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    pipe = _Pipe()
    with _ending_where_damaged():
        opened = _patiently(lambda: Ledger(settings.ledger_path), pipe)
        if opened is None:
            return
        with opened as ledger, Inbox(settings.inbox_path) as inbox:
            pipeline = Pipeline(
                inbox,
                ledger,
                lambda: Rules.of(ledger, settings),
                batch_size=settings.batch_size,
                reading_s=READING_S,
                watching=Watching(ledger, inbox, settings),
            )
            while pipe.open:
                more = _taken(pipeline, pipe)
                _patiently(lambda: pipeline.tick(datetime.now(UTC)), pipe)
                pipe.wait(more)
            while _taken(pipeline, pipe, few=1):
                pass


def _taken(pipeline: "Pipeline", pipe: "_Pipe", few: int = FEW) -> bool:
    """Take what waits, with a beat after each batch, until a few are left; gives whether any are."""
    while _patiently(pipeline.step, pipe):
        waiting = pipeline.waiting()
        pipe.beat(waiting)
        if waiting < few:
            return waiting > 0
    pipe.beat(0)
    return False


@contextmanager
def _ending_where_damaged() -> Iterator[None]:
    """A damaged inbox ends this process with an exit code of its own: only the listener may replace the file."""
    from ippbx_billing.inbox.salvage import DamagedInboxError

    try:
        yield
    except DamagedInboxError as error:
        log.warning("%s", error.message)
        sys.exit(DAMAGED_EXIT)


def _patiently(step: Callable[[], Result], pipe: "_Pipe") -> Result | None:
    """What the step gives. While the ledger is locked or damaged, or its disk fails, say so once and try again; None
    where that lasts until the listener ends: the records are kept, and are taken up at the next start.
    """
    said = False
    while True:
        try:
            return step()
        except Exception as error:
            if not _is_trouble_of_ledger(error):
                raise
            if not said:
                log.warning("%s", _told(error))
            said = True
            if not pipe.open:
                return None
            pipe.is_trying()
            time.sleep(LOCKED_PAUSE_S)


def _told(error: Exception) -> str:
    return tr("the ledger cannot be written now ({error}); records are kept meanwhile, trying again", error=error)


def _is_trouble_of_ledger(error: Exception) -> bool:
    """Whether a database does not work; what is wrong with the inbox alone has a name of its own."""
    from ippbx_billing.inbox.salvage import DamagedInboxError
    from ippbx_billing.sqlite.damage import is_trouble

    if isinstance(error, BusyError):
        return True
    return not isinstance(error, DamagedInboxError) and is_trouble(error)


class _Pipe:
    """The worker's end of the pipe; a thread reads it, because only so does waiting work alike on every system."""

    def __init__(self) -> None:
        self.open = True
        self._waiting = 0
        self._did_something_at = time.monotonic()
        self._woken_at = 0.0
        self._something, self._ended = threading.Event(), threading.Event()
        threading.Thread(target=self._live, name="beats", daemon=True).start()
        threading.Thread(target=self._read, name="wake-ups", daemon=True).start()

    def wait(self, more: bool) -> None:
        """Until a wake-up, the next poll, or the end of the listener; no wake-up is needed where `more` wait already.

        While records keep coming, those of a moment are let gather: a small batch costs nearly as much again.
        """
        if more or self._something.wait(POLL_S):
            self._ended.wait(max(0.0, self._woken_at + GATHER_S - time.monotonic()))
            self._woken_at = time.monotonic()
        self._something.clear()

    def beat(self, waiting: int) -> None:
        """A sign of life for the listener, and how many events wait."""
        self._waiting = waiting
        self.is_trying()
        self._tell()

    def is_trying(self) -> None:
        """The worker goes on, although nothing may have come of it."""
        self._did_something_at = time.monotonic()

    def _live(self) -> None:
        """Beats also while a locked ledger or a large body lets the worker wait: starting anew would not help it."""
        while self.open:
            time.sleep(POLL_S)
            if time.monotonic() - self._did_something_at < HANGING_S:
                self._tell()

    def _tell(self) -> None:
        with suppress(OSError):  # a listener that is gone hears nothing
            os.write(sys.stdout.fileno(), b"%d\n" % self._waiting)

    def _read(self) -> None:
        while os.read(sys.stdin.fileno(), 65_536):
            self._something.set()
            time.sleep(REST_S)
        self.open = False
        self._ended.set()
        self._something.set()


if __name__ == "__main__":
    main(*sys.argv[1:])
