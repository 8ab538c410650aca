"""Files that were uploaded and looked at, kept until their owner says that they are to be brought in.

    token = desk.house.uploads.keep(desk.visit.id, UploadedFile("员工.csv", content))
    desk.house.uploads.take(desk.visit.id, token).content

The one idea: a preview and the deed read the very same bytes. One file is kept for each visit, a few in all, in memory.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from threading import Lock
from typing import Any

from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr

MOST_KEPT = 8
MOST_OF_NAME = 100


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file as a browser sent it; its name is only shown. `given` is what the form beside it said."""

    name: str
    content: bytes
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Uploads:
    """The files of the visits; the oldest goes where there are too many."""

    _files: OrderedDict[int, tuple[str, UploadedFile]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, visit: int, file: UploadedFile) -> str:
        """The word by which this visit, and no other, gets its file again."""
        token = token_urlsafe(16)
        with self._lock:
            self._files.pop(visit, None)
            self._files[visit] = (token, file)
            while len(self._files) > MOST_KEPT:
                self._files.popitem(last=False)
        return token

    def look(self, visit: int, token: str) -> UploadedFile:
        """The file; NotFoundError where it is gone."""
        with self._lock:
            known, file = self._files.get(visit, ("", None))
        if file is None or known != token:
            raise NotFoundError(tr("the file is not here any more"), tr("upload it again"))
        return file

    def take(self, visit: int, token: str) -> UploadedFile:
        """The file, which is not kept any longer; NotFoundError where it is gone."""
        file = self.look(visit, token)
        with self._lock:
            self._files.pop(visit, None)
        return file


def uploaded(sent: Any, given: Mapping[str, str] | None = None) -> UploadedFile:
    """The file of a form's field; UsageError where none was chosen."""
    if not getattr(sent, "filename", ""):
        raise UsageError(tr("no file was chosen"), tr("choose a file and send it again"))
    name = "".join(character for character in sent.filename if character.isprintable())
    return UploadedFile(name[-MOST_OF_NAME:], sent.file.read(), dict(given or {}))
