"""Files that were sent and looked at, kept until they are confirmed; nobody else's, not many, not for long.

    token = house.uploads.keep(SentFile(operator_id, "deck.xlsx", content, given, now))
    house.uploads.get(operator_id, token, now).content

The one idea: a file is looked at in one request and brought in by another, and the browser cannot send it twice.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr

MOST_BYTES = 16 * 1024 * 1024  # of one file
MOST_POSTED = MOST_BYTES + 65_536  # with what a form has besides its file
MOST_KEPT = 4
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file with its name, and what the form beside it said."""

    operator_id: int
    name: str
    content: bytes
    given: Mapping[str, str]
    sent_at: datetime


class Uploads:
    """The last few files, in memory; a restart of the console forgets them."""

    def __init__(self) -> None:
        self._kept: dict[str, SentFile] = {}
        self._lock = threading.Lock()

    def keep(self, sent: SentFile) -> str:
        """Keep it; gives the token by which whoever sent it finds it again."""
        token = secrets.token_urlsafe(18)
        with self._lock:
            self._forget(sent.sent_at)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[token] = sent
        return token

    def get(self, operator_id: int, token: str, now: datetime) -> SentFile:
        """The file; NotFoundError where it is gone, or was sent by somebody else."""
        with self._lock:
            self._forget(now)
            found = self._kept.get(token)
        if found is None or found.operator_id != operator_id:
            raise NotFoundError(tr("the file is not kept any more"), tr("choose it once more"))
        return found

    def drop(self, token: str) -> None:
        """It has served."""
        with self._lock:
            self._kept.pop(token, None)

    def _forget(self, now: datetime) -> None:
        for token in [key for key, one in self._kept.items() if now - one.sent_at > KEPT_FOR]:
            del self._kept[token]


def check_size(content: bytes) -> None:
    """UsageError for nothing, and for too much."""
    if not content:
        raise UsageError(tr("no file was chosen, or it is empty"), tr("choose a CSV, XLSX or TOML file"))
    if len(content) > MOST_BYTES:
        raise UsageError(
            tr("the file is larger than {size} MB", size=MOST_BYTES // 1_048_576),
            tr("bring it in with `ippbx-bill tariffs import`"),
        )
