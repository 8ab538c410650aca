"""New calls as they come, for every open page: one thread looks, and every page that asks the same gets the same.

    async for event in feed.events(operator, "zh", position): ...

The one idea: an event's id is the ledger's position, the id of the last call. A browser that was away says which one it
had last, and goes on there. However many pages are open, the ledger is asked four times a second at most for each sort
of them: all of them are told of the same newest call, so that they stand at the same place and get the same rows.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ippbx_billing import language as texts
from ippbx_billing.console.templates import rendered
from ippbx_billing.errors import BillingError
from ippbx_billing.ledger import Ledger
from ippbx_billing.operators import Operator
from ippbx_billing.reports import View, Where
from ippbx_billing.reports.kept import Kept
from ippbx_billing.reports.paging import arrived, newest_id
from ippbx_billing.reports.views import live_table
from ippbx_billing.settings import Settings

LOOK_S = 0.5
FRESH_S = 0.25  # so long a look is good for every page
PING_LOOKS = 30  # so that proxies and dead connections are noticed
ROWS = 50  # more of them nobody reads; those that a burst leaves out are in the list of calls
MOST_STREAMS = 200
RETRY_MS = 3000

Sort = tuple[str, str | None, str | None, str]  # role, department, employee, language


@dataclass(frozen=True, slots=True)
class News:
    """What has come: the position it reaches to, and its rows as HTML."""

    position: int
    rows: str


class Feed:
    """The stream of new calls; `events` is for the event loop, all else happens in the feed's own thread."""

    def __init__(self, using: Settings, clock: Callable[[], datetime]) -> None:
        self._using = using
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._ledger: Ledger | None = None
        self._version = self._last = -1
        self._looks = Kept()
        self._known: dict[tuple[Sort, int], News] = {}
        self._closing: asyncio.Event | None = None
        self._streams: set[object] = set()

    @property
    def is_full(self) -> bool:
        """Whether one more page would be too many."""
        return len(self._streams) >= MOST_STREAMS

    def close(self) -> None:
        """End every stream; called in the event loop, before the server waits for its connections."""
        if self._closing is not None:
            self._closing.set()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    async def events(
        self, operator: Operator, language: str, position: int, still_there: Callable[[], bool]
    ) -> AsyncIterator[str]:
        """Server-sent events from a position on, until the feed is closed or `still_there` says no.

        `still_there` is asked now and then in the feed's thread: a visit can be ended by an administrator.
        """
        if self._closing is None:
            self._closing = asyncio.Event()
        sort = (operator.role.value, operator.department, operator.employee, language)
        stream = object()
        self._streams.add(stream)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            looks = iter(range(PING_LOOKS))
            while not self._closing.is_set():
                news = await self._in_thread(self._news, operator, sort, position)
                if news.position != position:
                    position = news.position
                    yield event("calls", news.rows, position)
                if next(looks, None) is None:
                    looks = iter(range(PING_LOOKS))
                    if not await self._in_thread(still_there):
                        break
                    yield ": here\n\n"
                await self._pause(self._closing)
            yield event("bye", "")
        finally:
            self._streams.discard(stream)

    async def _in_thread(self, work: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    async def _pause(self, closing: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), LOOK_S)

    # -- in the thread

    def _news(self, operator: Operator, sort: Sort, position: int) -> News:
        """What has come since the position; the position itself where nothing has, or the ledger cannot be read now."""
        try:
            return self._asked(operator, sort, position)
        except BillingError:
            self._close()
            return News(position, "")

    def _asked(self, operator: Operator, sort: Sort, position: int) -> News:
        if self._ledger is None:
            self._ledger = Ledger(self._using.ledger_path)
        ledger = self._ledger
        self._looks.get("look", FRESH_S, lambda: self._look(ledger))
        if (sort, position) not in self._known:
            with ledger.reading():
                self._known[sort, position] = self._looked_up(ledger, operator, sort[-1], position)
        return self._known[sort, position]

    def _look(self, ledger: Ledger) -> None:
        """Forget what is known where the ledger has changed."""
        version = ledger.changed_by_others()
        if version != self._version:
            self._known.clear()
            self._version, self._last = version, newest_id(ledger)

    def _looked_up(self, ledger: Ledger, operator: Operator, language: str, position: int) -> News:
        from ippbx_billing.console.desk import scope_of

        last = self._last
        if last <= position:  # the page may be younger than the look; a ledger that was made anew begins again below
            return News(min(position, max(last, newest_id(ledger))), "")
        view = View(self._using.site_zone, self._using.currency)
        where = Where(scope=scope_of(ledger, operator))
        rows = arrived(ledger, view, where, after=position, most=ROWS, until=last)
        with texts.speaking(language):
            return News(last, live_rows(rows, self._using.currency))

    def _close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None
            self._known.clear()
            self._version, self._looks = -1, Kept()


def live_rows(rows: list[dict[str, Any]], currency: str) -> str:
    """Rows of the live table as HTML."""
    shown = [live_table.page_row(row) for row in rows]
    return rendered("live_rows.html", rows=shown, columns=live_table.page_columns(currency))


def event(name: str, data: str, position: int | None = None) -> str:
    """One server-sent event."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    number = "" if position is None else f"id: {position}\n"
    return f"{number}event: {name}\n{lines}\n"
