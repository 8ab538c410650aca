"""Opens a database file, and says in a sentence what goes wrong with it.

with plainly(path, tr("see `ippbx-bill doctor`")), closing(connect(path)) as connection:
    ...
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ippbx_billing.errors import DataError
from ippbx_billing.language import tr

PATIENCE_S = 60.0


def connect(
    path: Path, mode: str = "rw", *, timeout_s: float = PATIENCE_S, one_thread: bool = True
) -> sqlite3.Connection:
    """A connection that commits each statement unless told otherwise; it never makes the file.

    `mode` is `rw` or `ro`, or `ro&immutable=1` for a file that nobody else has open. Raises sqlite3.Error.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=timeout_s,
        check_same_thread=one_thread,
    )


def number(connection: sqlite3.Connection, pragma: str) -> int:
    """What SQLite answers to `PRAGMA …`."""
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def unanswered(error: BaseException | None) -> DataError | None:
    """What a person is told of an error that SQLite raised; None for an error that is not a database's."""
    if not isinstance(error, sqlite3.Error):
        return None
    return DataError(tr("the database does not answer: {error}", error=error), tr("see `ippbx-bill doctor`"))


class OpenFile:
    """A file with one connection, closed at the end of its `with`; what SQLite raised within is told as a sentence."""

    connection: sqlite3.Connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if sentence := unanswered(error):
            raise sentence from error

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


@contextmanager
def plainly(path: Path, hint: str) -> Iterator[None]:
    """Turns what SQLite says of this file into a DataError with that hint."""
    try:
        yield
    except sqlite3.Error as error:
        raise DataError(tr("{path} cannot be used: {error}", path=path, error=error), hint) from error
