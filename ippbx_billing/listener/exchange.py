"""One request on its way to its answer, and what it wants of the connection it came by."""

from typing import Protocol

from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import CLOSES, Refusal, answer
from ippbx_billing.listener.capacity import Capacity


class Connection(Protocol):
    """What others may ask of a connection."""

    peer: str  # the address at its other end
    sender: str  # whom its requests come from: the same, or whoever is behind a proxy

    def flush(self) -> None:
        """Sends the answers that are due."""

    def end(self) -> None:
        """Reads no further request; the connection ends with the last answer that is due."""

    def look_at_clock(self, now: float) -> None:
        """Ends it where it has waited too long."""

    def stop(self) -> None:
        """The listener's time to finish is over."""

    def turn_away(self) -> None:
        """Closes without a word."""


class Exchange:
    """One request on its way to its answer; `kept` and `refuse` give the bytes it held back to the capacity."""

    __slots__ = ("answer", "bodyless", "capacity", "connection", "held_bytes", "says", "text")

    def __init__(
        self,
        connection: Connection,
        capacity: Capacity,
        says: bytes,
        bodyless: bool = False,
        held_bytes: int = 0,
        text: str = "",
    ) -> None:
        self.connection = connection
        self.capacity = capacity
        self.says = says  # about the connection's future, as a header line
        self.bodyless = bodyless
        self.held_bytes = held_bytes
        self.text = text  # what is answered once the bytes are on the disk
        self.answer = b""

    def kept(self, problem: str) -> None:
        """The writer's word: the bytes are on the disk, or why they are not."""
        self.capacity.held_bytes -= self.held_bytes
        if self.answer:  # the listener is stopping and has told the sender that nothing is promised
            return
        if problem:
            self.refuse(answers.STORE_FAILS)
        else:
            self.capacity.counts.acknowledged += 1
            self.say(200, self.text)

    def refuse(self, refusal: Refusal) -> None:
        """Answers with a refusal, after which the connection ends."""
        self.capacity.note(refusal, self.connection.sender)
        self.says = CLOSES
        self.connection.end()
        self.say(refusal.status, refusal.sentence + "\n")

    def say(self, status: int, text: str) -> None:
        """Answers with a text."""
        self.answer = answer(status, text, self.says, self.bodyless)
        self.connection.flush()

    def show(self, status: int, content_type: bytes, body: bytes) -> None:
        """Answers with a page."""
        self.answer = answers.framed(status, content_type, body, self.says, self.bodyless)
        self.connection.flush()
