"""Work that lasts longer than anybody waits for a page: one at a time, in a thread, with how far it is, and stoppable.

    job = jobs.start(tr("a backup"), "anna", now, lambda job: JobResult(["done"]))
    job.state, job.done, job.total, job.outcome

The one idea: work says now and then how far it is, by `job.tell`; whoever wants it stopped is heard there, and nowhere
else, so that it stops where nothing is half done.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ippbx_billing.documents.listing import Listing
from ippbx_billing.errors import BillingError, BusyError
from ippbx_billing.language import en, tr

log = logging.getLogger("ippbx_billing.console")


class JobState(StrEnum):
    """What has become of it."""

    RUNNING = en("running")
    DONE = en("done")
    STOPPED = en("stopped")
    FAILED = en("failed")


@dataclass(frozen=True, slots=True)
class JobResult:
    """What it has to say at its end: sentences, or a table, in the language of whoever began it."""

    lines: Sequence[str] = ()
    listing: Listing | None = None


class StopError(Exception):
    """Somebody wants it stopped."""


@dataclass
class LongJob:
    """One piece of work; `total` is 0 where nobody knows how much there is."""

    title: str
    who: str
    began_at: datetime
    state: JobState = JobState.RUNNING
    done: int = 0
    total: int = 0
    outcome: JobResult = JobResult()
    _stop: threading.Event = field(default_factory=threading.Event)

    def tell(self, done: int, total: int) -> None:
        """How far it is; does not return where it is to stop."""
        self.done, self.total = done, total
        if self._stop.is_set():
            raise StopError

    def stop(self) -> None:
        """Stop it where it next tells how far it is."""
        self._stop.set()

    @property
    def is_stopping(self) -> bool:
        """Whether somebody wants it stopped."""
        return self._stop.is_set()

    def run(self, work: Callable[["LongJob"], JobResult]) -> None:
        """Do it; whatever happens is its outcome."""
        try:
            self.outcome = work(self)
            self.state = JobState.DONE
        except StopError:
            self.state = JobState.STOPPED
        except BillingError as error:
            self.outcome = JobResult([error.message, error.hint] if error.hint else [error.message])
            self.state = JobState.FAILED
        except Exception:
            log.exception("a job failed")
            self.outcome = JobResult([tr("Something went wrong"), tr("see the log")])
            self.state = JobState.FAILED


class Jobs:
    """The last job, which may still be running; there is never more than one."""

    def __init__(self) -> None:
        self.last: LongJob | None = None
        self._lock = threading.Lock()

    def start(self, title: str, who: str, now: datetime, work: Callable[[LongJob], JobResult]) -> LongJob:
        """Begin it in the language in use; BusyError while another one is running."""
        with self._lock:
            if self.last is not None and self.last.state is JobState.RUNNING:
                raise BusyError(
                    tr("{title} is still running", title=self.last.title), tr("wait until it is done, or stop it")
                )
            job = self.last = LongJob(title, who, now)
        context = copy_context()
        threading.Thread(target=context.run, args=(job.run, work), name="job", daemon=True).start()
        return job
