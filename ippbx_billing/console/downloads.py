"""Answers that are written while they are sent: a list of a million calls is never held in memory.

    return download(lambda stream: write_to(stream, rows(), columns, Format.CSV), "calls.csv", Format.CSV)

A thread writes into a short queue, the event loop sends what stands in it. Whoever goes away ends the thread.
"""

import io
import threading
from collections.abc import AsyncIterator, Callable
from contextvars import copy_context
from queue import Empty, Full, Queue
from typing import IO
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from ippbx_billing.documents.columns import Format
from ippbx_billing.errors import BusyError
from ippbx_billing.language import tr

CHUNKS = 8
AT_ONCE = 4
PATIENCE_S = 0.5
MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
    Format.HTML: "text/html; charset=utf-8",
    Format.MARKDOWN: "text/markdown; charset=utf-8",
}
ENDINGS = {Format.MARKDOWN: "md"}
FORMS = tuple(form.value for form in MEDIA)

_turns = threading.BoundedSemaphore(AT_ONCE)


def download(
    write: Callable[[IO[bytes]], object], name: str, form: Format, *, inline: bool = False
) -> StreamingResponse:
    """What `write` writes, as a file of that name; it runs in a thread of its own and opens what it needs itself.

    An error before the first bytes is raised here, so that it becomes a page; BusyError where too many are under way.
    """
    if not _turns.acquire(timeout=PATIENCE_S):
        raise BusyError(tr("several downloads are under way"), tr("try again later"))
    pipe = _Pipe()
    context = copy_context()  # the language goes along
    threading.Thread(target=context.run, args=(_fill, write, pipe), name="download", daemon=True).start()
    first = pipe.take()
    if isinstance(first, BaseException):
        raise first
    ending = ENDINGS.get(form, form.value)
    how = "inline" if inline else "attachment"
    headers = {
        "content-disposition": f"{how}; filename=\"download.{ending}\"; filename*=UTF-8''{quote(f'{name}.{ending}')}"
    }
    if form is Format.HTML:  # what is shown in our name must not do more than be read
        headers["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; sandbox"
    return StreamingResponse(_sent(pipe, first), media_type=MEDIA[form], headers=headers)


def _fill(write: Callable[[IO[bytes]], object], pipe: "_Pipe") -> None:
    try:
        with io.BufferedWriter(pipe, 65_536) as stream:
            write(stream)
            stream.flush()
        pipe.put(None)
    except _GoneError:
        pass
    except BaseException as error:
        pipe.put(error)
    finally:
        _turns.release()


async def _sent(pipe: "_Pipe", first: bytes | None) -> AsyncIterator[bytes]:
    try:
        chunk: bytes | BaseException | None = first
        while chunk is not None:
            if isinstance(chunk, BaseException):
                raise chunk  # the connection breaks off: half a list must not look like a whole one
            yield chunk
            chunk = await run_in_threadpool(pipe.take)
    finally:
        pipe.gone.set()


class _GoneError(Exception):
    """Nobody reads any more."""


class _Pipe(io.RawIOBase):
    """A stream whose bytes are taken out at the other end; writing waits where nobody takes any."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._queue: Queue[bytes | BaseException | None] = Queue(CHUNKS)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        chunk = bytes(data)  # type: ignore[call-overload]
        self.put(chunk)
        return len(chunk)

    def put(self, chunk: bytes | BaseException | None) -> None:
        while not self.gone.is_set():
            try:
                return self._queue.put(chunk, timeout=PATIENCE_S)
            except Full:
                continue
        raise _GoneError

    def take(self) -> bytes | BaseException | None:
        while not self.gone.is_set():
            try:
                return self._queue.get(timeout=PATIENCE_S)
            except Empty:
                continue
        return None


__all__ = ["FORMS", "download"]
