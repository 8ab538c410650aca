"""Rates closed months again on many processes, here or on other machines, by Dask.

    spread(months, books, scheduler="tcp://10.0.0.5:8786")     # workers that are there already
    spread(months, books, processes=2)                         # workers of our own, ended with the work

The workers see the history's folder under the same path. A file's content names it, so that a worker that dies in the
middle costs its one file's time: Dask gives the file to another, and what comes out is the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ippbx_billing.errors import BillingError
from ippbx_billing.history.books import Books
from ippbx_billing.history.months import ClosedMonth, PastFile
from ippbx_billing.history.rating import FileAgain, MonthAgain, books_for, rate_piece, together
from ippbx_billing.language import tr
from ippbx_billing.pipeline import Rules

Progress = Callable[[int, int], None]
CONNECT_S = 10  # for a scheduler to answer
TRIES = 5  # of a file whose worker dies, before it counts as the file's fault


def spread(
    months: Sequence[ClosedMonth],
    books: Mapping[str, Books],
    *,
    scheduler: str = "",
    processes: int = 2,
    progress: Progress = lambda done, total: None,
) -> list[MonthAgain]:
    """Rate months again; the same as `rating.rate_again`, in the order of `months`.

    BillingError where Dask is not installed, the scheduler does not answer, or a worker dies again and again.
    """
    wanted = {site: books_for(month, books) for month in months for site in [month.site]}
    with _client(scheduler, processes) as client:
        given = {site: client.scatter(one, broadcast=True) for site, one in wanted.items()}
        tasks = [
            client.submit(_rate, month.folder, piece, given[month.site], pure=False, retries=TRIES)
            for month in months
            for piece in month.pieces
        ]
        found = iter(_results(tasks, progress))
        return [together(month, [next(found) for _ in month.pieces]) for month in months]


def _rate(folder: Path, piece: PastFile, books: Books) -> FileAgain:
    """One file, in a worker."""
    return rate_piece(folder, piece, _rules(_Same(books)))


class _Same:
    """Books by identity: a worker holds one copy of each site's, and makes its rules once."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def __hash__(self) -> int:
        return id(self.books)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.books is self.books


@lru_cache(maxsize=8)
def _rules(same: _Same) -> Rules:
    return same.books.rules()


def _results(tasks: Sequence[Any], progress: Progress) -> list[FileAgain]:
    from distributed import KilledWorker, as_completed

    done = 0
    try:
        for _ in as_completed(tasks, raise_errors=False):
            done += 1
            progress(done, len(tasks))
        return [task.result() for task in tasks]
    except KilledWorker as error:
        problem = tr("workers died {count} times over the same file", count=TRIES)
        raise BillingError(problem, tr("give the workers more memory, or use --processes 1")) from error


@contextmanager
def _client(scheduler: str, processes: int) -> Iterator[Any]:
    """A connection to the workers: those of a cluster, or processes of our own without any door to the network."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise BillingError(
            tr("rating on many processes needs Dask"), tr("`pip install 'ippbx-bill[history]'` installs it")
        ) from None
    if scheduler:
        try:
            client = Client(scheduler, timeout=CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            problem = tr("the scheduler {address} does not answer", address=scheduler)
            raise BillingError(
                problem, tr("start it with `dask scheduler`, and a `dask worker` on each machine")
            ) from error
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=processes, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
