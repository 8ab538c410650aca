"""One connection of a PBX: HTTP as switches speak it, each request answered in its turn.

The one idea: a posting makes no task and no application of its own. The parser's callbacks gather the request, the
inbox writer is handed its bytes, and the writer's word, once they are on the disk, becomes the answer. Several
requests of a connection may be under way; `_exchanges` keeps their order.
"""

import asyncio
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httptools

from ippbx_billing.inbox import Delivery
from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import CLOSES, STAYS, STAYS_OPEN, Refusal, answer

if TYPE_CHECKING:
    from ippbx_billing.listener.doors import Doors

MOST_UNDER_WAY = 64  # requests of one connection; its further bytes wait in the network
LINGER_S = 10  # how long the other side may take to hear the last answer and to end

_ASKING_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})


class Exchange:
    """One request on its way to its answer."""

    __slots__ = ("answer", "bodyless", "connection", "held_bytes", "says")

    def __init__(self, connection: "Protocol", says: bytes, bodyless: bool = False, held_bytes: int = 0) -> None:
        self.connection = connection
        self.says = says  # about the connection's future, as a header line
        self.bodyless = bodyless
        self.held_bytes = held_bytes
        self.answer = b""

    def kept(self, problem: str) -> None:
        """The writer's word: the bytes are on the disk, or why they are not."""
        doors = self.connection.doors
        doors.held_bytes -= self.held_bytes
        if self.answer:  # the listener is stopping and has told the sender that nothing is promised
            return
        if problem:
            self.refuse(answers.STORE_FAILS)
        else:
            doors.counts.acknowledged += 1
            self.say(200, doors.text)

    def refuse(self, refusal: Refusal) -> None:
        """Answers with a refusal, after which the connection ends."""
        self.connection.doors.note(refusal, self.connection.sender)
        self.says = CLOSES
        self.connection.ending = True
        self.say(refusal.status, refusal.sentence + "\n")

    def say(self, status: int, text: str) -> None:
        """Answers with a text."""
        self.answer = answer(status, text, self.says, self.bodyless)
        self.connection.flush()

    def show(self, status: int, content_type: bytes, body: bytes) -> None:
        """Answers with a page."""
        self.answer = answers.framed(status, content_type, body, self.says, self.bodyless)
        self.connection.flush()


class Protocol(asyncio.Protocol):
    """Nothing is lost to a slip of the sender, and patience has its limits."""

    def __init__(self, doors: "Doors") -> None:
        self.doors = doors
        self.sender = ""
        self.peer = ""
        self.ending = False  # nothing more is read; the connection ends with the last answer that is due
        self._exchanges: deque[Exchange] = deque()
        self._reading = False  # between a request's first byte and its last
        self._headed = False  # its header is complete
        self._silent = True  # not a byte has come yet
        self._since = time.monotonic()  # when the present state of waiting began
        self._paused = self._choked = self._continue_due = self._is_last = False
        self._is_cut_short = self._lingers = False
        self._objection: Refusal | None = None
        self._refusal: Refusal | None = None
        self._held_bytes = self._body_bytes = 0

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        self._parser: Any = httptools.HttpRequestParser(self)
        peer = transport.get_extra_info("peername")
        self.sender = self.peer = peer[0].removeprefix("::ffff:") if peer else ""  # an IPv4 sender stays itself
        self.kind = self.doors.kinds[transport.get_extra_info("sockname")[1]]
        self._objection = self.doors.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.doors.leave(self)
        if self._reading and self._headed and not self.ending:
            self.doors.note(answers.INCOMPLETE, self.sender)
        self._release()
        self.ending = True
        self._parser = None

    def eof_received(self) -> bool:
        """A sender that closes its half after a complete request (`nc -N`, simple clients) still gets its answer."""
        if self._reading and self._headed and not self.ending:
            self._refuse_unread(answers.INCOMPLETE)
        self.ending = True
        self._is_cut_short = False  # nobody is talking any more
        return bool(self._exchanges) and not self._transport.get_extra_info("ssl_object")

    def pause_writing(self) -> None:
        self._choked = True
        self._since = time.monotonic()
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._choked = False
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    # What the parser tells

    def data_received(self, data: bytes) -> None:
        if self.ending:
            self._throw_away(data)
            return
        self._silent = False
        self._requests_in_data = int(self._reading)
        if not self._reading and not _PLAIN_REQUEST.match(data):
            data = _mended(data)
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            self._refuse_unread(answers.FAULT)
            raise
        except httptools.HttpParserError:
            self._break_off()
            return
        if self._reading and not self.ending and self._requests_in_data == 1:
            self._sent_bytes += len(data)
            if self._sent_bytes > self._most_sent_bytes():
                self._refuse_unread(answers.HEADER_TOO_LARGE)
        if len(self._exchanges) >= MOST_UNDER_WAY and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_begin(self) -> None:
        self._reading = True
        self._requests_in_data += 1
        self._headed = self._expects = False
        self._url = b""
        self._head: list[bytes] = []
        self._sent_bytes = self._body_bytes = 0
        self._parts: list[bytes] = []
        self._since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += (name, b": ", value, b"\r\n")
        if len(name) == 6 and name.lower() == b"expect":
            self._expects = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade() or self.ending:
            return
        self._headed = True
        self._method = self._parser.get_method()
        self._headers = b"".join(self._head)
        self._path, self._query = self._target()
        self._asking = self._method in _ASKING_METHODS
        self._page = self.doors.page(self._path) if self._asking else None
        self._refusal = None
        self.doors.counts.received += self._page is None
        if len(self._headers) + len(self._url) > self.doors.limits.max_header_bytes:
            self._refusal = answers.HEADER_TOO_LARGE
        elif self._page is None:
            self._refusal = self._objection or self.doors.objection(self, self._path, self._headers)
        if self._expects:
            self._answer_expectation()

    def on_body(self, body: bytes) -> None:
        if self.ending:
            return
        self._body_bytes += len(body)
        limits = self.doors.limits
        if self._refusal is None:
            self._parts.append(body)
            self._held_bytes += len(body)
            self.doors.held_bytes += len(body)
            if self._body_bytes > limits.max_body_bytes:
                self._refusal = answers.too_large(limits.max_body_bytes)
            elif self.doors.held_bytes > limits.max_held_bytes:
                self._refusal = answers.BUSY
        if self._refusal is not None:
            self._release()
            if self._body_bytes > limits.max_drained_bytes:
                self._refuse_unread(self._refusal)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade() or self.ending:
            return
        self._reading = False
        self._since = time.monotonic()
        held_bytes, self._held_bytes = self._held_bytes, 0
        exchange = Exchange(self, self._future(), self._method == b"HEAD", held_bytes)
        self._exchanges.append(exchange)
        if self._refusal is None and (self._page or (self._asking and not self._parts and not self._query)):
            self._show(exchange)
        elif refusal := self._refusal or self.doors.overload():
            self.doors.held_bytes -= held_bytes
            exchange.refuse(refusal)
        else:
            self.doors.writer.take(self._delivery(), exchange.kept)

    # What is made of it

    def _feed(self, data: bytes) -> None:
        """Reads on, and declines offers to upgrade, which Java's clients make with every request.

        The parser takes such a request to end with its header, and would lose the body. So it gets
        the same request again without the `Upgrade` line, followed by the body.
        """
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                method = self._parser.get_method()
                if method == b"CONNECT":
                    raise httptools.HttpParserError("this is no proxy") from offer
                sent = zip(self._head[::4], self._head[2::4], strict=True)
                head = b"".join(b"%b: %b\r\n" % header for header in sent if header[0].lower() != b"upgrade")
                data = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self._url, head, data[offer.args[0] :])

    def _most_sent_bytes(self) -> int:
        """How much an unfinished request may have taken: the parser holds a header, or a trailer, without a bound.

        Around each byte of a body there may be a chunk's frame.
        """
        most = self.doors.limits.max_header_bytes
        return 2 * most + 8 * self._body_bytes if self._headed else most

    def _target(self) -> tuple[bytes, bytes]:
        """Path and query as they were sent; an absolute address loses its host."""
        path, _, query = self._url.partition(b"?")
        if not path.startswith(b"/"):
            path = _HOST.sub(b"", path) or b"/"
        return path, query

    def _delivery(self) -> Delivery:
        return Delivery(
            time.time_ns() // 1000,
            self.kind,
            self.sender,
            self._method.decode("ascii"),
            self._path.decode("latin-1"),
            self._query.decode("latin-1"),
            self._headers,
            b"".join(self._parts),
        )

    def _future(self) -> bytes:
        """What the answer says about the connection; nothing is read after a request that ends it."""
        if self._parser.should_keep_alive() and not self._is_last:
            return STAYS if self._parser.get_http_version() == "1.1" else STAYS_OPEN
        self.ending = True
        return CLOSES

    def _show(self, exchange: Exchange) -> None:
        """A page, or a greeting for somebody who tries the address in a browser."""
        if self._page is None:
            self.doors.counts.greeted += 1
            exchange.say(200, self.doors.greeting)
        elif not self.doors.shows_pages_to(self, self._headers, str(self._transport.get_extra_info("sockname")[0])):
            exchange.refuse(answers.PAGES_ARE_LOCAL)
        else:
            self.doors.show(self._page, exchange)

    def _answer_expectation(self) -> None:
        """The sender waits for a word before it sends its body: a good one, or the refusal."""
        length = _LENGTH.search(self._headers)
        if length and int(length[1]) > self.doors.limits.max_body_bytes:
            self._refusal = self._refusal or answers.too_large(self.doors.limits.max_body_bytes)
        if self._refusal is not None:
            self._refuse_unread(self._refusal)
        elif self._exchanges:
            self._continue_due = True
        else:
            self._transport.write(answers.CONTINUE)

    def _break_off(self) -> None:
        """What came is no HTTP. Stray bytes (a NUL, a line) after a good request spoil nothing: it gets its answer."""
        if self._exchanges and not (self._reading and self._url):
            self._reading = False
            self.ending = True
        elif not self.ending:
            self._refuse_unread(answers.BROKEN)

    def _refuse_unread(self, refusal: Refusal) -> None:
        """Answers what is not a whole request, and ends the connection."""
        self._release()
        self._reading = False
        self._is_cut_short = True
        exchange = Exchange(self, CLOSES)
        self._exchanges.append(exchange)
        exchange.refuse(refusal)

    def _release(self) -> None:
        """Lets go of the body that is being read."""
        self.doors.held_bytes -= self._held_bytes
        self._held_bytes = 0
        if self._headed:
            self._parts.clear()

    def flush(self) -> None:
        """Sends the answers that are due, in the order of their requests."""
        exchanges = self._exchanges
        if self._transport.is_closing():
            exchanges.clear()
            return
        while exchanges and exchanges[0].answer:
            self._transport.write(exchanges.popleft().answer)
        if exchanges:
            return
        if self.ending:
            self._part()
            return
        if not self._reading:
            self._since = time.monotonic()
        elif self._continue_due:
            self._transport.write(answers.CONTINUE)
        self._continue_due = False
        if self._paused:
            self._paused = False
            if not self._choked:
                self._transport.resume_reading()

    def turn_away(self) -> None:
        """Closes without a word: even refusing would cost too much, or nobody has listened to the last ones."""
        self.ending = True
        self._transport.abort()

    def _part(self) -> None:
        """Ends the connection; one who is still talking is listened to for a while, for it might not hear otherwise."""
        self._since = time.monotonic()
        if self._is_cut_short and self._transport.can_write_eof():
            self._transport.write_eof()
            self._lingers = True
        else:
            self._transport.close()

    def _throw_away(self, data: bytes) -> None:
        """What comes after the end, up to what a refused body may take."""
        self._body_bytes += len(data)
        if self._lingers and self._body_bytes > self.doors.limits.max_drained_bytes:
            self._transport.abort()

    # What the clock tells

    def look_at_clock(self, now: float) -> None:
        """Ends a connection that has waited too long, whatever it waits for."""
        limits, waited_s = self.doors.limits, now - self._since
        if self._lingers or self._transport.is_closing():
            if waited_s > LINGER_S:
                self._transport.abort()
        elif self._choked and waited_s > limits.request_timeout_s:
            self._transport.abort()  # who does not read its answers would not read a refusal either
        elif self._reading and waited_s > limits.request_timeout_s:
            self._refuse_unread(answers.TOO_SLOW)
        elif self._exchanges or self._reading:
            return
        elif waited_s > (limits.request_timeout_s if self._silent else limits.idle_timeout_s):
            self._transport.close()  # nothing was asked, nothing is answered

    def shutdown(self) -> None:
        """The listener stops: what has begun may end, and then the connection does."""
        if self._reading and self._headed:
            self._is_last = True
            return
        self.ending = True
        if self._exchanges:
            self._exchanges[-1].says = CLOSES
        else:
            self._transport.close()

    def stop(self) -> None:
        """The time to finish is over; the sender shall know that nothing is promised."""
        if self._reading and self._headed:
            self._refuse_unread(answers.STOPPING)
        for exchange in list(self._exchanges):
            if not exchange.answer:
                exchange.refuse(answers.STOPPING)
        self._since = time.monotonic()
        self._transport.close()


_PLAIN_REQUEST = re.compile(rb"[A-Z]+ /[!-~]* HTTP/1\.[01]\r\n")
_ODD_REQUEST = re.compile(rb"([A-Za-z]+) +(?:([^\r\n]*[^\r\n ]) +)?(HTTP/1\.[01]\r\n)")
_NO_PATH = re.compile(rb"([a-z]+://[^/?]*)(?!/)(?=\?|$)")
_HOST = re.compile(rb"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/]*")
_LENGTH = re.compile(rb"^content-length: *(\d{1,18})\r$", re.IGNORECASE | re.MULTILINE)


def _mended(data: bytes) -> bytes:
    """A request whose first line no parser takes, with that line as its sender meant it.

    OpenVox's manual prints `POST HTTP/1.1`; simple senders put names and times into a query as they are.
    What a target may not hold is percent-encoded, which every reader of a query undoes.
    """
    line = _ODD_REQUEST.match(data)
    if line is None:
        return data
    method, target, version = line.groups()
    target = _NO_PATH.sub(rb"\1/", target or b"/")
    target = quote(target, safe=_TARGET_SAFE).encode()
    return b"%b %b %b" % (method.upper(), target, version) + data[line.end() :]


_TARGET_SAFE = "".join(map(chr, range(0x21, 0x7F)))
