"""One connection of a PBX: HTTP as switches speak it, each request answered in its turn.

The one idea: a posting makes no task and no application of its own. The parser's callbacks gather the request, the
inbox writer is handed its bytes, and the writer's word, once they are on the disk, becomes the answer. Several
requests of a connection may be under way; `_exchanges` keeps their order.
"""

import asyncio
import re
import time
from collections import deque
from enum import IntEnum, auto
from typing import Any

import httptools

from ippbx_billing.inbox import Delivery
from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import CLOSES, STAYS, STAYS_OPEN, Refusal
from ippbx_billing.listener.doors import Doors
from ippbx_billing.listener.exchange import Exchange
from ippbx_billing.listener.requests import NOTED_SIZES, IncomingRequest, is_plain, miscounted, repaired

MOST_UNDER_WAY = 64  # requests of one connection; its further bytes wait in the network
LINGER_S = 10  # how long the other side may take to hear the last answer and to end
QUIET_S = 1  # a body without a length has ended when nothing more came for so long; a PBX is patient for three

_HEADER_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"^content-length: *(\d{1,18})\r$", re.IGNORECASE | re.MULTILINE)


class Stage(IntEnum):
    """What a connection is at; the order is that of a request, and the protocol goes by it."""

    SILENT = auto()  # not a byte has come yet
    BETWEEN = auto()  # the last request is complete, no further one has begun
    FIRST_LINE = auto()  # of a request there is less than a line
    HEADER = auto()
    BODY = auto()
    TO_THE_END = auto()  # a body without a length: it ends with the connection, or when nothing more comes
    ENDING = auto()  # nothing more is read; the connection ends with the last answer that is due
    LINGERING = auto()  # the last answer is out; what still comes is thrown away


# A member is found quicker as a global than in its class, and a few are asked for with each request.
SILENT, BETWEEN, FIRST_LINE, HEADER, BODY, TO_THE_END, ENDING, LINGERING = Stage


class Protocol(asyncio.Protocol):
    """Nothing is lost to a slip of the sender, and patience has its limits."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.capacity = doors.capacity
        self.sender = ""
        self.peer = ""
        self.stage = SILENT
        self._exchanges: deque[Exchange] = deque()
        self._request = IncomingRequest()
        self._since = time.monotonic()  # when the present state of waiting began
        self._objection: Refusal | None = None  # to this connection as a whole
        self._held_bytes = 0
        self._line = b""  # of a request whose first line is not complete
        # Where the present data are: the request begins at `_begin` (None: unknown), its body had `_body_before` bytes.
        self._data, self._begin, self._body_before, self._tail = b"", 0, 0, b""
        self._paused = self._choked = False  # reading waits for answers; writing waits for the other side
        self._continue_due = self._is_last = self._is_cut_short = False

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport
        self._parser: Any = httptools.HttpRequestParser(self)
        peer = transport.get_extra_info("peername")
        self.sender = self.peer = peer[0].removeprefix("::ffff:") if peer else ""  # an IPv4 sender stays itself
        self.kind = self.doors.kinds[transport.get_extra_info("sockname")[1]]
        self._objection = self.doors.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.doors.leave(self)
        if self.stage is TO_THE_END and self._request.parts:
            self._complete()
        elif BODY <= self.stage < ENDING:
            self.capacity.note(answers.INCOMPLETE, self.sender)
        self._release()
        self.stage = ENDING
        self._parser = None

    def eof_received(self) -> bool:
        """A sender that closes its half after a complete request (`nc -N`, simple clients) still gets its answer."""
        if self.stage is TO_THE_END:
            self._complete()
        elif self.stage is BODY:
            self._refuse_unread(answers.INCOMPLETE)
        self.stage = ENDING
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

    # What comes, and what the parser makes of it

    def data_received(self, data: bytes) -> None:
        if self.stage >= ENDING:
            self._throw_away(data)
        elif self.stage is TO_THE_END:
            self._since = time.monotonic()
            self.on_body(data)
        elif self.stage >= HEADER:
            self._parse(data)
        else:
            self._begin_with(self._line + data)

    def _begin_with(self, data: bytes) -> None:
        """The first bytes of a request: its first line is looked at before the parser sees it."""
        if not is_plain(data):
            if b"\n" not in data and data.strip() and len(data) <= self.doors.limits.max_header_bytes:
                self._wait_for_line(data)
                return
            data = repaired(data)
        self._line = b""
        if self.stage is not BETWEEN:
            self.stage = BETWEEN
        self._parse(data)

    def _wait_for_line(self, data: bytes) -> None:
        if self.stage is not FIRST_LINE:
            self.stage = FIRST_LINE
            self._since = time.monotonic()
        self._line = data

    def _parse(self, data: bytes) -> None:
        self._requests_in_data = int(FIRST_LINE <= self.stage < ENDING)
        self._begin = 0
        self._body_before = self._request.body_bytes if self.stage is BODY else -1
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError:
            self._refuse_unread(answers.FAULT)
            raise
        except httptools.HttpParserError:
            if self.stage is not TO_THE_END:
                self._break_off()
            return
        if self._requests_in_data == 1 and FIRST_LINE <= self.stage < ENDING:
            self._count_sent(data)
        if len(self._exchanges) >= MOST_UNDER_WAY and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        """Reads on, and declines offers to upgrade, which Java's clients make with every request.

        The parser takes such a request to end with its header, and would lose the body. So it gets
        the same request again without the `Upgrade` line, followed by the body.
        """
        while data:
            self._data = data
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                method = self._parser.get_method()
                if method == b"CONNECT":
                    raise httptools.HttpParserError("this is not a proxy") from offer
                head = self._request.without_upgrade()
                data = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, self._request.url, head, data[offer.args[0] :])
                self._begin = 0

    def _count_sent(self, data: bytes) -> None:
        """An unfinished request is bounded: the parser holds a header, or a trailer, without a bound."""
        request = self._request
        request.sent_bytes += len(data)
        self._tail = data[-3:]
        if request.sent_bytes > self._most_sent_bytes():
            self._refuse_unread(answers.HEADER_TOO_LARGE)

    def _most_sent_bytes(self) -> int:
        """How much it may have taken; around each byte of a body there may be a chunk's frame."""
        most = self.doors.limits.max_header_bytes
        return 2 * most + 8 * self._request.body_bytes if BODY <= self.stage < ENDING else most

    def on_message_begin(self) -> None:
        if self.stage < ENDING:
            self.stage = HEADER
        self._requests_in_data += 1
        self._request = IncomingRequest()
        self._since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        request = self._request
        request.head += (name, b": ", value, b"\r\n")
        if len(name) in NOTED_SIZES:
            request.note_header(name.lower(), value)

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade() or self.stage >= ENDING:
            return
        self.stage = BODY
        request = self._request
        request.complete_header(self._parser.get_method())
        request.page = self.doors.page(request.path) if request.asking else None
        self.capacity.counts.received += request.page is None
        if len(request.headers) + len(request.url) > self.doors.limits.max_header_bytes:
            request.refusal = answers.HEADER_TOO_LARGE
        elif request.page is None:
            request.refusal = self._objection or self.doors.objection(self, request.path, request.headers)
        if not (request.has_length or request.is_chunked or request.asking):
            request.to_the_end = not self._parser.should_keep_alive()
        if request.expects:
            self._answer_expectation()

    def on_body(self, body: bytes) -> None:
        if self.stage >= ENDING:
            return
        request, limits = self._request, self.doors.limits
        request.body_bytes += len(body)
        if request.refusal is None:
            request.parts.append(body)
            self._held_bytes += len(body)
            self.capacity.held_bytes += len(body)
            if request.body_bytes > limits.max_body_bytes:
                request.refusal = answers.too_large(limits.max_body_bytes)
            elif self.capacity.held_bytes > limits.max_held_bytes:
                request.refusal = answers.BUSY
        if request.refusal is not None:
            self._release()
            if request.body_bytes > limits.max_drained_bytes:
                self._refuse_unread(request.refusal)

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade() or self.stage >= ENDING:
            return
        request = self._request
        if request.to_the_end:
            self._read_to_the_end(self._end_in_data())
            return
        if self._data.endswith(request.parts[-1] if request.parts else _HEADER_END):
            end: int | None = len(self._data)  # as usual nothing follows
        else:
            end = self._end_in_data()
        rest = b""
        if end is not None and end < len(self._data) and request.body_bytes:
            rest = miscounted(b"".join(request.parts), self._data[end:])
            if rest:
                self.on_body(rest)
                end += len(rest)  # the parser will stumble over these bytes, and is given those behind them
        self._begin = end if end is not None else -1
        self._complete(whole=not rest)

    # What is made of it

    def _end_in_data(self) -> int | None:
        """Where in the present data the message ends that was just read; None where only the parser knows."""
        request = self._request
        if request.is_chunked or self._begin < 0:
            return None
        if self._body_before >= 0 and self._requests_in_data == 1:
            return request.body_bytes - self._body_before
        data, begin, before = self._data, self._begin, b""
        if self._requests_in_data == 1 and request.sent_bytes:
            before = self._tail  # the header began in earlier data
        else:
            while data[begin : begin + 1] in (b"\r", b"\n"):  # stray lines in front
                begin += 1
        found = (before + data).find(b"\r\n\r\n", begin) if before else data.find(b"\r\n\r\n", begin)
        return None if found < 0 else found + 4 - len(before) + request.body_bytes

    def _read_to_the_end(self, begin: int | None) -> None:
        """The sender gave no length and says that it will close: all that comes is the body."""
        if begin is None:
            self._refuse_unread(answers.LENGTH_REQUIRED)
            return
        self.stage = TO_THE_END
        self._since = time.monotonic()
        if begin < len(self._data):
            self.on_body(self._data[begin:])

    def _complete(self, *, whole: bool = True) -> None:
        """The request is here as a whole: it is shown something, refused, or handed to the writer.

        Where it is not `whole`, the parser still stumbles over bytes of its body; until then it must not be answered,
        or these bytes would look like a broken request behind it.
        """
        request = self._request
        self.stage = BETWEEN
        self._since = time.monotonic()
        held_bytes, self._held_bytes = self._held_bytes, 0
        is_head = request.method == b"HEAD"
        exchange = Exchange(self, self.capacity, self._future(), is_head, held_bytes, self.doors.text)
        self._exchanges.append(exchange)
        if request.refusal is None and (request.page or (request.asking and not request.parts and not request.query)):
            self._show(exchange)
        elif refusal := request.refusal or self.capacity.overload():
            self.capacity.held_bytes -= held_bytes
            exchange.refuse(refusal)
        else:
            self.doors.writer.take(self._delivery(), exchange.kept, whole and self._is_alone())

    def _is_alone(self) -> bool:
        """Whether nothing else can be under way: one connection, all of whose bytes are this one request."""
        return len(self.doors.connections) == 1 == len(self._exchanges) and self._begin == len(self._data)

    def _delivery(self) -> Delivery:
        request = self._request
        return Delivery(
            time.time_ns() // 1000,
            self.kind,
            self.sender,
            request.method.decode("ascii"),
            request.path.decode("latin-1"),
            request.query.decode("latin-1"),
            request.headers,
            b"".join(request.parts),
        )

    def _future(self) -> bytes:
        """What the answer says about the connection; nothing is read after a request that ends it."""
        if not self._is_last and not self._request.to_the_end and self._parser.should_keep_alive():
            return STAYS if self._parser.get_http_version() == "1.1" else STAYS_OPEN
        self.stage = ENDING
        return CLOSES

    def _show(self, exchange: Exchange) -> None:
        """A page, or a greeting for somebody who tries the address in a browser."""
        request = self._request
        if request.page is None:
            self.capacity.counts.greeted += 1
            exchange.say(200, self.doors.greeting)
        elif not self.doors.shows_pages_to(self, request.headers, str(self._transport.get_extra_info("sockname")[0])):
            exchange.refuse(answers.PAGES_ARE_LOCAL)
        else:
            self.doors.show(request.page, exchange)

    def _answer_expectation(self) -> None:
        """The sender waits for a word before it sends its body: a good one, or the refusal."""
        request = self._request
        length = _LENGTH.search(request.headers)
        if length and int(length[1]) > self.doors.limits.max_body_bytes:
            request.refusal = request.refusal or answers.too_large(self.doors.limits.max_body_bytes)
        if request.refusal is not None:
            self._refuse_unread(request.refusal)
        elif self._exchanges:
            self._continue_due = True
        else:
            self._transport.write(answers.CONTINUE)

    def _break_off(self) -> None:
        """What came is not HTTP. Behind a good request it may be one with an odd first line; stray bytes there (a NUL,
        a line) spoil nothing: the good request gets its answer."""
        if self.stage >= ENDING:
            return
        rest = self._data[self._begin :] if self._begin > 0 and not BODY <= self.stage < ENDING else b""
        again = repaired(rest)
        if is_plain(again):
            self._parser = httptools.HttpRequestParser(self)
            self.stage = BETWEEN
            self._parse(again)
        elif self._exchanges and not (FIRST_LINE <= self.stage < ENDING and self._request.url):
            self.stage = ENDING
        else:
            self._refuse_unread(answers.BROKEN)

    def _refuse_unread(self, refusal: Refusal) -> None:
        """Answers what is not a whole request, and ends the connection."""
        self._release()
        self.stage = ENDING
        self._is_cut_short = True
        exchange = Exchange(self, self.capacity, CLOSES)
        self._exchanges.append(exchange)
        exchange.refuse(refusal)

    def _release(self) -> None:
        """Lets go of the body that is being read."""
        self.capacity.held_bytes -= self._held_bytes
        self._held_bytes = 0
        self._request.parts.clear()

    # How it goes on, and how it ends

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
        if self.stage >= ENDING:
            self._part()
            return
        if not FIRST_LINE <= self.stage < ENDING:
            self._since = time.monotonic()
        elif self._continue_due:
            self._transport.write(answers.CONTINUE)
        self._continue_due = False
        if self._paused:
            self._paused = False
            if not self._choked:
                self._transport.resume_reading()

    def end(self) -> None:
        """Reads no further request; the connection ends with the last answer that is due."""
        if self.stage is not LINGERING:
            self.stage = ENDING

    def turn_away(self) -> None:
        """Closes without a word: even refusing would cost too much, or nobody has listened to the last ones."""
        self.stage = ENDING
        self._transport.abort()

    def _part(self) -> None:
        """Ends the connection; one who is still talking is listened to for a while, for it might not hear otherwise."""
        self._since = time.monotonic()
        if self._is_cut_short and self._transport.can_write_eof():
            self._transport.write_eof()
            self.stage = LINGERING
        else:
            self._transport.close()

    def _throw_away(self, data: bytes) -> None:
        """What comes after the end, up to what a refused body may take."""
        self._request.body_bytes += len(data)
        if self.stage is LINGERING and self._request.body_bytes > self.doors.limits.max_drained_bytes:
            self._transport.abort()

    # What the clock tells

    def look_at_clock(self, now: float) -> None:
        """Ends a connection that has waited too long, whatever it waits for."""
        limits, waited_s = self.doors.limits, now - self._since
        if self.stage is LINGERING or self._transport.is_closing():
            if waited_s > LINGER_S:
                self._transport.abort()
        elif self._choked and waited_s > limits.request_timeout_s:
            self._transport.abort()  # who does not read its answers would not read a refusal either
        elif self.stage is TO_THE_END:
            if waited_s > QUIET_S:
                self._complete()
        elif FIRST_LINE <= self.stage < ENDING and waited_s > limits.request_timeout_s:
            self._refuse_unread(answers.TOO_SLOW)
        elif self._exchanges or FIRST_LINE <= self.stage < ENDING:
            return
        elif waited_s > (limits.request_timeout_s if self.stage is SILENT else limits.idle_timeout_s):
            self._transport.close()  # nothing was asked, nothing is answered

    def shutdown(self) -> None:
        """The listener stops: what has begun may end, and then the connection does."""
        if BODY <= self.stage < ENDING:
            self._is_last = True
            return
        self.stage = ENDING
        if self._exchanges:
            self._exchanges[-1].says = CLOSES
        else:
            self._transport.close()

    def stop(self) -> None:
        """The time to finish is over; the sender shall know that nothing is promised."""
        if BODY <= self.stage < ENDING:
            self._refuse_unread(answers.STOPPING)
        for exchange in list(self._exchanges):
            if not exchange.answer:
                exchange.refuse(answers.STOPPING)
        self._since = time.monotonic()
        self._transport.close()
