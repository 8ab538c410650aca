"""The third door: lines over TCP, as PBXs print their records (SMDR), each on the disk before anybody reads it.

    door = SmdrDoor(writer, senders, limits)
    server = await asyncio.start_server(door.connection, sock=socket)

There is no answer on this door. A line that cannot be kept now is not taken from the connection, so that the sender
waits, or keeps it for itself; nothing is read ahead of what the disk holds.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from ippbx_billing.calls import PRINTED, EventKind
from ippbx_billing.errors import DataError
from ippbx_billing.inbox import Delivery, InboxWriter
from ippbx_billing.language import tr
from ippbx_billing.listener.lines import Lines

PIECE_BYTES = 16 * 1024
QUIET_S = 10.0  # after which a line that was not ended is taken as it is
AGAIN_S = 1.0  # after which a write that failed is tried again
MOST_CONNECTIONS = 50


class SmdrDoor:
    """Takes lines from those who may post; `has_room` says whether the disk and the queue take more now."""

    def __init__(
        self,
        writer: InboxWriter,
        may_post: Callable[[str], bool],
        has_room: Callable[[], bool] = lambda: True,
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._writer, self._may_post, self._has_room, self._report = writer, may_post, has_room, report
        self._connections: set[asyncio.Task[None]] = set()

    async def connection(self, reader: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        """One sender, until it goes or we stop; what it printed last is kept as well."""
        peer = str((answers.get_extra_info("peername") or ("",))[0]).removeprefix("::ffff:")
        task = asyncio.current_task()
        assert task is not None
        try:
            if not self._may_post(peer) or len(self._connections) >= MOST_CONNECTIONS:
                self._report(tr("refused lines from {sender}", sender=peer or tr("an unknown sender")))
                return
            self._connections.add(task)
            await self._lines(reader, peer)
        finally:
            self._connections.discard(task)
            answers.close()

    async def close(self) -> None:
        """End the connections; what came is kept."""
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _lines(self, reader: asyncio.StreamReader, peer: str) -> None:
        lines = Lines()
        try:
            while True:
                while not self._has_room():
                    await asyncio.sleep(AGAIN_S)
                try:
                    piece = await asyncio.wait_for(reader.read(PIECE_BYTES), QUIET_S)
                except TimeoutError:  # a PBX that ends no line
                    await self._keep(lines.rest(), peer)
                    continue
                if not piece:
                    break
                lines.feed(piece)
                await self._keep(lines.complete(), peer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # whoever ended it: what came so far counts
        with suppress(asyncio.CancelledError):
            await self._keep(lines.rest(), peer)

    async def _keep(self, bodies: list[bytes], peer: str) -> None:
        for body in bodies:
            delivery = Delivery(time.time_ns() // 1_000, EventKind.CDR.value, peer, PRINTED, "/", "", b"", body)
            while True:
                try:
                    await self._writer.keep(delivery)
                    break
                except DataError as error:
                    self._report(tr("lines from {sender} wait: {error}", sender=peer, error=error))
                    await asyncio.sleep(AGAIN_S)
