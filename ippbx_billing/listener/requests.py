"""A request as it comes in, and what a sender may have meant by one that is not quite HTTP.

Switches print `POST HTTP/1.1` in their manuals, put names and times into a query as they are, count characters where
bytes are meant, and post without saying how long. What they send is a call record all the same.
"""

import re
from urllib.parse import quote

from ippbx_billing.listener.answers import Refusal

NOTED_SIZES = frozenset({6, 14, 17})  # of the names that `note_header` knows: most others need no look

_ASKING_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_PLAIN_REQUEST = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.[01]\r\n")
_ODD_REQUEST = re.compile(rb"([A-Za-z]+) +(?:([^\r\n]*[^\r\n ]) +)?(HTTP/1\.[01]\r\n)")
_MAY_BE_REQUEST = re.compile(rb"\s*(?:[A-Za-z]{3,10} |[A-Z]{0,10}$)")
_NO_PATH = re.compile(rb"([a-z]+://[^/?]*)(?!/)(?=\?|$)")
_HOST = re.compile(rb"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/]*")
_TARGET_SAFE = "".join(map(chr, range(0x21, 0x7F)))
_ENCODINGS = ("utf-8", "gb18030")


class IncomingRequest:
    """What is known of a request so far; `refusal` is why it is not kept, `page` what it asks to see."""

    url = method = headers = path = query = b""
    body_bytes = sent_bytes = 0
    expects = has_length = is_chunked = to_the_end = asking = False
    page: str | None = None
    refusal: Refusal | None = None

    def __init__(self) -> None:
        self.head: list[bytes] = []
        self.parts: list[bytes] = []

    def note_header(self, name: bytes, value: bytes) -> None:
        """A line of the header that says how the body comes."""
        if name == b"expect":
            self.expects = value.lower() == b"100-continue"
        elif name == b"content-length":
            self.has_length = True
        elif name == b"transfer-encoding":
            self.is_chunked = True

    def complete_header(self, method: bytes) -> None:
        """Path and query as they were sent; an absolute address loses its host."""
        self.method = method
        self.asking = method in _ASKING_METHODS
        self.headers = b"".join(self.head)
        path, _, self.query = self.url.partition(b"?")
        self.path = path if path.startswith(b"/") else _HOST.sub(b"", path) or b"/"

    def without_upgrade(self) -> bytes:
        """The same request from its first line to the end of its header, without the offer to upgrade."""
        sent = zip(self.head[::4], self.head[2::4], strict=True)
        return b"".join(b"%b: %b\r\n" % header for header in sent if header[0].lower() != b"upgrade")


def is_plain(data: bytes) -> bool:
    """Whether the data begin with a first line that every parser takes."""
    return _PLAIN_REQUEST.match(data) is not None


def repaired(data: bytes) -> bytes:
    """A request whose first line no parser takes, with that line as its sender meant it.

    What a target may not hold is percent-encoded, which every reader of a query undoes.
    """
    line = _ODD_REQUEST.match(data)
    if line is None:
        return data
    method, target, version = line.groups()
    target = _NO_PATH.sub(rb"\1/", target or b"/")
    target = quote(target, safe=_TARGET_SAFE).encode()
    return b"%b %b %b" % (method.upper(), target, version) + data[line.end() :]


def miscounted(body: bytes, following: bytes) -> bytes:
    """What follows a body and belongs to it, because its sender gave the length in characters; else nothing."""
    if body.isascii() or _MAY_BE_REQUEST.match(following):
        return b""
    for encoding in _ENCODINGS:
        try:
            text = (body + following).decode(encoding)
        except UnicodeDecodeError:
            continue
        whole = text[: len(body)].encode(encoding)
        return following[: len(whole) - len(body)]
    return b""
