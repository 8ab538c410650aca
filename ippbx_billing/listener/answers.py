"""What the doors say: the bytes of an answer, and the list of refusals.

answer(200, '{"code":0}')                      ->  b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\n…"
answer(403, STRANGER.sentence, CLOSES)  ->  the same for one who is not let in
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from ippbx_billing.language import tr

RETRY_AFTER_S = 5

CLOSES = b"connection: close\r\n"
STAYS = b""  # what HTTP/1.1 takes for granted
STAYS_OPEN = b"connection: keep-alive\r\n"  # what HTTP/1.0 wants to be told
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not kept: status, a word to count it by, a sentence for its sender, the setting behind it."""

    status: int
    reason: str
    sentence: str
    setting: str = ""
    told: str = ""  # the sentence in the operator's language, where it holds figures

    @property
    def complaint(self) -> str:
        """The sentence for the operator, in their language; what the sender is answered stays English."""
        sentence = self.told or tr(self.sentence)
        return tr("{sentence} (setting {name})", sentence=sentence, name=self.setting) if self.setting else sentence


STRANGER = Refusal(403, "stranger", "Records are not taken from this address.", "allow")
UNKNOWN_PATH = Refusal(403, "unknown_path", "This address takes no records.")
PAGES_ARE_LOCAL = Refusal(403, "page", "This page is not shown to this address.", "pages_from")
BROKEN = Refusal(400, "broken", "This is not a valid HTTP request.")
INCOMPLETE = Refusal(400, "incomplete", "The request ended before its body did.")
LENGTH_REQUIRED = Refusal(411, "length_required", "The request says nothing about the length of its body.")
HEADER_TOO_LARGE = Refusal(400, "header_too_large", "The header of the request is too large.", "max_header_bytes")
TOO_SLOW = Refusal(408, "too_slow", "The request took too long to arrive.", "request_timeout_s")
TOO_OFTEN = Refusal(
    429,
    "too_many_requests",
    "Too many requests from this address; please send it again later.",
    "max_requests_per_s",
)
TOO_MANY_OF_ADDRESS = Refusal(
    429,
    "too_many_connections_of_address",
    "Too many connections from this address are open; please use fewer.",
    "max_connections_per_address",
)
TOO_MANY = Refusal(
    503,
    "too_many_connections",
    "Too many connections are open; please send the record again later.",
    "max_connections",
)
BUSY = Refusal(
    503,
    "busy",
    "Too many records wait to be stored; please send the record again later.",
    "max_waiting_events, max_held_bytes",
)
DISK_LOW = Refusal(
    503,
    "disk_low",
    "There is too little room on the disk; please send the record again later.",
    "min_free_bytes",
)
STORE_FAILS = Refusal(503, "store_failing", "The record could not be stored; please send it again later.")
STOPPING = Refusal(503, "stopping", "The listener is stopping; please send the record again later.")
FAULT = Refusal(500, "fault", "The listener made a mistake; please send the record again later.")


def too_large(max_body_bytes: int) -> Refusal:
    """The refusal of a body beyond this limit."""
    sentence = f"The body is larger than the {max_body_bytes} bytes allowed."
    told = tr("The body is larger than the {bytes} bytes allowed.", bytes=max_body_bytes)
    return Refusal(413, "too_large", sentence, "max_body_bytes", told)


@lru_cache(256)
def answer(status: int, text: str, connection: bytes = STAYS, bodyless: bool = False) -> bytes:
    """A whole answer; its type is what the text looks like, `bodyless` leaves the text out as HEAD wants it."""
    body = text.encode()
    return framed(status, _content_type(text), body, connection, bodyless)


def framed(status: int, content_type: bytes, body: bytes, connection: bytes, bodyless: bool) -> bytes:
    """Status line, header and body."""
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"content-type: " + content_type, b"content-length: %d" % len(body)]
    if status in (429, 503):
        lines.append(b"retry-after: %d" % RETRY_AFTER_S)
    return b"\r\n".join(lines) + b"\r\n" + connection + b"\r\n" + (b"" if bodyless else body)


def _content_type(text: str) -> bytes:
    if text.startswith("<"):
        return b"text/xml; charset=utf-8"
    with suppress(ValueError):
        json.loads(text)
        return b"application/json"
    return b"text/plain; charset=utf-8"
