"""What a service says on stderr: text for people, JSON for whoever collects lines. A line tells a problem, not a call.

    logs.start("json")
    logging.getLogger(__name__).warning("refused: %s", reason, extra={"sender": address})

A problem is told at once. If it comes again with the same words and the same sender, it is counted, and told once
a minute with its number; a flood of bad requests is a line a minute, not a full disk. Information is a plain
line in text form, because the first one, `listening: …`, is what people and scripts wait for.
"""

import json
import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any

from ippbx_billing.documents.columns import harmless
from ippbx_billing.language import tr

FORMATS = ("text", "json")
PERIOD_S = 60.0  # between two lines about one problem
MAX_PROBLEMS = 1_000  # told apart at once; what comes beyond them is counted by its words alone

_Key = tuple[object, ...]


def start(form: str = "text", *, stream: IO[str] | None = None, period_s: float = PERIOD_S) -> logging.Handler:
    """From now on every line of this process goes to stderr in this form, uncaught errors too."""
    handler = _Patient(stream or sys.stderr, period_s)
    handler.setFormatter(_Json() if form == "json" else _Text())
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    logging.getLogger("ippbx_billing").setLevel(logging.INFO)
    sys.excepthook = _uncaught
    threading.excepthook = lambda thread: _uncaught(thread.exc_type, thread.exc_value, thread.exc_traceback)
    return handler


class _Patient(logging.StreamHandler[IO[str]]):
    """Writes the first line of a problem at once, and those that repeat it as one line a period, with their number."""

    def __init__(self, stream: IO[str], period_s: float) -> None:
        super().__init__(stream)
        self._period_s = period_s
        self._repeats: dict[_Key, list[logging.LogRecord]] = {}
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        if record.levelno < logging.WARNING:
            super().emit(record)
            return
        repeats = self._repeats.get(key := self._key(record))
        if repeats is None:
            self._repeats[key] = []
            super().emit(record)
            self._look_again()
        else:
            record.repeated = getattr(repeats.pop(), "repeated", 0) + 1 if repeats else 1
            repeats.append(record)

    def close(self) -> None:
        """Tell what was only counted so far; the system calls this when the process ends."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell_repeats()
        super().close()

    def _key(self, record: logging.LogRecord) -> _Key:
        words = (record.name, record.levelno, record.msg)
        return words if len(self._repeats) >= MAX_PROBLEMS else (*words, str(record.args), str(fields(record)))

    def _look_again(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(self._period_s, self._period_is_over)
            self._timer.daemon = True
            self._timer.start()

    def _period_is_over(self) -> None:
        with self.lock:  # type: ignore[union-attr]
            self._timer = None
            self._tell_repeats()
            if self._repeats:
                self._look_again()

    def _tell_repeats(self) -> None:
        """One line for each problem that came again; one that did not is new when it comes next."""
        for key, repeats in list(self._repeats.items()):
            if repeats:
                super().emit(repeats.pop())
            else:
                del self._repeats[key]


class _Text(logging.Formatter):
    """`2026-10-13T10:00:00+08:00 warning: words (sender=192.168.6.169; 57 more …)`; information without all that."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback adds its own."""
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            parts = [f"{name}={value}" for name, value in fields(record).items() if name != "repeated"]
            told = ", ".join(parts) + _times(record, "; " if parts else "")
            message = f"{_local(record)} {tr(record.levelname.lower())}: {message}{f' ({told})' if told else ''}"
        trace = [self.formatException(record.exc_info)] if record.exc_info else []
        return "\n".join(harmless(line) for text in (message.replace("\n", " "), *trace) for line in text.split("\n"))


class _Json(logging.Formatter):
    """One object a line: `time` (UTC), `level`, `message`, then what else is known; `repeated` counts repetitions."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, also with a traceback."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """What a record was given besides its words."""
    return {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}


def _times(record: logging.LogRecord, before: str) -> str:
    number = getattr(record, "repeated", 0)
    return before + tr("{number} more in the last minute", number=number) if number else ""


def _local(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(timespec="seconds")


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit) or error is None:
        return
    logging.getLogger("ippbx_billing").critical("%s", tr("ended by an error of its own"), exc_info=(kind, error, trace))
