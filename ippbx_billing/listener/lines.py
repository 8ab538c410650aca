"""Cuts a stream of bytes into bodies: lines that are records, with their heading; documents and blocks as a whole.

    lines = Lines()
    lines.feed(b"caller;callee;start\\n8001;138…;2026-05-21 22:00:00\\n")
    lines.complete()   -> [b"caller;callee;start\\n8001;138…;2026-05-21 22:00:00\\n"]

The one idea: whoever prints records says once what stands in its columns, and each body must be readable alone. So the
heading goes with every group of rows. JSON and XML end where their brackets do, `Name: value` blocks at an empty line.
"""

import re
from collections.abc import Iterable

MOST_ROWS = 100  # of a body
MOST_BYTES = 8 * 1024 * 1024  # of a document; what is longer is not a record
LONGEST_LINE = 64 * 1024
MOST_HEADING_LINES = 3
FEWEST_CUTS = 3  # of a line that names columns

_BLOCK = re.compile(rb"[A-Za-z][\w-]{0,40}:(?: |$)")
_VALUE = re.compile(rb"\d{1,4}[-/.:]\d{1,2}[-/.:]\d{1,4}|\d{1,2}:\d{2}|\d{5,}|\+\d+")
_TAG = re.compile(rb"<([A-Za-z_][\w:.-]*)")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_JUNK = b"\0\r\n\x02\x03\x0c"  # what printers send around a line


class Lines:
    """Takes bytes as they come; `heading` are the lines that name the columns."""

    def __init__(self, heading: Iterable[bytes] = ()) -> None:
        self.heading = list(heading)
        self._unfinished = b""
        self._waiting: list[bytes] = []  # complete lines, as they came
        self._rows = False  # whether a row followed the heading
        self._bodies: list[bytes] = []
        self._document: LineDocument | None = None
        self.unread = 0  # bytes that belong to no body yet

    def feed(self, data: bytes) -> None:
        """More of the stream."""
        self.unread += len(data)
        *complete, self._unfinished = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", self._unfinished + data)
        if self._unfinished.endswith((b"\n", b"\r")):
            complete.append(self._unfinished)
            self._unfinished = b""
        for line in filter(None, complete):
            self._line(line)
        if len(self._unfinished) > LONGEST_LINE and not self._is_document():
            self._line(self._unfinished)
            self._unfinished = b""

    def complete(self) -> list[bytes]:
        """The bodies of all that is complete; a document or block that goes on waits."""
        if self._waiting and not self._is_document() and not self._is_block():
            self._close()
        return self._taken()

    def rest(self) -> list[bytes]:
        """The bodies of all that came, at the end of the stream."""
        if self._unfinished:
            self._line(self._unfinished)
            self._unfinished = b""
        if self._waiting:
            self._close()
        self.unread = 0
        return self._taken()

    def _taken(self) -> list[bytes]:
        bodies, self._bodies = self._bodies, []
        return bodies

    def _line(self, line: bytes) -> None:
        bare = line.strip(_JUNK + b" \t")
        if self._is_document():
            self._go_on(line)
        elif not bare:
            if self._is_block():
                self._close()
            self._pass(line)
        elif bare.startswith((b"{", b"[", b"<", b"\xef\xbb\xbf{", b"\xef\xbb\xbf[", b"\xef\xbb\xbf<")):
            if self._waiting:
                self._close()
            self._document = LineDocument()
            self._go_on(line)
        elif self._is_block() or (_BLOCK.match(bare) and not self._waiting):
            self._waiting.append(line)
        elif self._names_columns(bare):
            self._pass(line)
        else:
            self._rows = True
            self._waiting.append(line)
            if len(self._waiting) >= MOST_ROWS:
                self._close()

    def _names_columns(self, bare: bytes) -> bool:
        """Whether a line is the heading, or its repetition on the next page."""
        if bare in self.heading:
            return True
        if looks_like_record(bare) or (self._rows and not _is_cut(bare)):
            return False
        if self._rows:  # other columns from here on, as where one file was put behind another
            if self._waiting:
                self._close()
            self.heading, self._rows = [], False
        if len(self.heading) >= MOST_HEADING_LINES:
            return False
        self.heading.append(bare)
        return True

    def _go_on(self, line: bytes) -> None:
        """A line of a document, perhaps its last."""
        self._waiting.append(line)
        if self._document is not None and self._document.is_over_with(line):
            self._close()

    def _close(self) -> None:
        """What waits is a body; rows take their heading along."""
        whole = self._document is not None or self._is_block()
        rows, self._waiting, self._document = self._waiting, [], None
        bare = [line.strip(_JUNK) for line in rows]
        self._bodies.append(b"\n".join([*([] if whole else self.heading), *bare]) + b"\n")
        self.unread = len(self._unfinished)

    def _pass(self, line: bytes) -> None:
        """A line that is not a part of a body."""
        if not self._waiting:
            self.unread -= len(line)

    def _is_document(self) -> bool:
        return self._document is not None

    def _is_block(self) -> bool:
        return bool(self._waiting) and _BLOCK.match(self._waiting[0]) is not None


def looks_like_record(line: bytes) -> bool:
    """Whether a line holds a time or a number; headings do not."""
    return _VALUE.search(line) is not None


def _is_cut(line: bytes) -> bool:
    """Whether a line is cut into cells."""
    return max(line.count(separator) for separator in (b",", b";", b"\t", b"|")) >= FEWEST_CUTS


class LineDocument:
    """JSON or XML that may go on over many lines: knows after each whether the brackets are closed."""

    def __init__(self) -> None:
        self._depth = 0
        self._bytes = 0
        self._tag = b""

    def is_over_with(self, line: bytes) -> bool:
        """Whether this line is the last."""
        bare = line.strip(_JUNK + b" \t\xef\xbb\xbf")
        self._bytes += len(line)
        if self._tag or (not self._depth and bare[:1] == b"<"):
            return self._element_ends(bare) or self._bytes > MOST_BYTES
        plain = _STRING.sub(b"", bare)
        self._depth += plain.count(b"{") + plain.count(b"[") - plain.count(b"}") - plain.count(b"]")
        return self._depth <= 0 or self._bytes > MOST_BYTES

    def _element_ends(self, bare: bytes) -> bool:
        if not self._tag:
            tag = _TAG.search(bare)
            self._tag = tag[1] if tag else b""
            if not tag:
                self._depth = 0
                return False
            if bare.endswith(b"/>") and bare.count(b"<") == bare.count(b"<?") + 1:
                return True
        return bare.endswith(b"</" + self._tag + b">")
