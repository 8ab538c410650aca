"""The board: calls as they are rated, in the columns of the live table that operators know (实时CDR).

board = Board(planned=600, currency="CNY")
board.take(row)        # a row of `reports.calls`
board.table(width)     # the newest calls and the sums so far
"""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ippbx_billing.documents.columns import Column, cell
from ippbx_billing.documents.terminal import console
from ippbx_billing.language import tr

if TYPE_CHECKING:
    from rich.table import Table

    from ippbx_billing.inbox import Inbox
    from ippbx_billing.ledger import Ledger
    from ippbx_billing.reports import View

ROWS_SHOWN = 14


class Board:
    """What is shown while calls arrive: the last of them, and the sums so far."""

    def __init__(self, planned: int, currency: str) -> None:
        self.planned, self.currency = planned, currency
        self.posted = self.arrived = self.answered = 0
        self.fee = Decimal(0)
        self.dearest: dict[str, Any] | None = None
        self._last: deque[dict[str, Any]] = deque(maxlen=ROWS_SHOWN)

    def take(self, row: dict[str, Any]) -> None:
        """One more call from the ledger."""
        self.arrived += 1
        self.answered += row["disposition"] == "answered"
        fee = Decimal(row["fee"] or 0)
        self.fee += fee
        if self.dearest is None or fee > Decimal(self.dearest["fee"] or 0):
            self.dearest = row
        self._last.append(page_row(row))

    def sums(self) -> str:
        """The sums so far in a line."""
        return tr(
            "{posted} of {planned} calls posted, {arrived} in the ledger, {answered} answered, fees {fee} {currency}",
            posted=self.posted,
            planned=self.planned,
            arrived=self.arrived,
            answered=self.answered,
            fee=f"{self.fee:,.2f}",
            currency=self.currency,
        )

    def table(self, width: int) -> "Table":
        """The newest calls in the columns of the manual's live table, as many as the width allows."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, caption=self.sums(), caption_justify="left"
        )
        shown = [column for column in _columns(self.currency) if width >= column.from_width]
        for one in shown:
            right = one.kind in ("length", "money")
            table.add_column(one.title, no_wrap=True, justify="right" if right else "left", min_width=one.min_width)
        for row in self._last:
            table.add_row(*[Text(cell(row[one.key], one.kind)) for one in shown])
        return table

    def __rich__(self) -> "Table":
        return self.table(console().width)


class _Column(NamedTuple):
    """The row's key, heading and kind; narrow terminals leave it out, and it keeps a width to stand still."""

    key: str
    title: str
    kind: str = "text"
    from_width: int = 0
    min_width: int = 0


def _columns(currency: str) -> list[_Column]:
    return [
        _Column("extension", tr("Extension")),
        _Column("name", tr("Name"), from_width=112, min_width=8),
        _Column("department", tr("Department"), from_width=148, min_width=12),
        _Column("date", tr("Date"), from_width=124),
        _Column("time", tr("Start")),
        _Column("billed_s", tr("Talk time"), "length", min_width=7),
        _Column("trunk", tr("Trunk"), from_width=134, min_width=8),
        _Column("direction", tr("Direction"), "word", from_width=92, min_width=8),
        _Column("number", tr("Number"), min_width=16),
        _Column("region", tr("Region"), from_width=158, min_width=8),
        _Column("place", tr("Place"), from_width=102, min_width=8),
        _Column("traffic_type", tr("Traffic type"), "word", min_width=13),
        _Column("fee", tr("Fee ({currency})", currency=currency), "money"),
    ]


def page_columns(currency: str) -> list[Column]:
    """The 13 columns of the manual's live table, for a page; rows are those of `page_row`."""
    kinds = {"extension": "code", "date": "code", "time": "code", "number": "code"}
    return [Column(one.key, one.title, kinds.get(one.key, one.kind)) for one in _columns(currency)]


def page_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `reports.calls` with its date and time apart."""
    return {**row, "date": row["started_at"][:10], "time": row["started_at"][11:19]}


class Arrivals:
    """Takes the calls out of the ledger as the pipeline puts them in, each once; ids there begin at 1 without gaps."""

    def __init__(self, ledger: "Ledger", inbox: "Inbox", view: "View") -> None:
        self._ledger, self._inbox, self._view = ledger, inbox, view
        self._taken = 0

    def new(self) -> Iterator[dict[str, Any]]:
        """The calls that have arrived since the last time."""
        from ippbx_billing.reports import WantedCalls, calls

        while rows := list(calls(self._ledger, self._view, WantedCalls(call=self._taken + 1))):
            self._taken += 1
            yield rows[0]

    def bring(self, board: Board) -> int:
        """Put the new calls on the board; gives how many there were."""
        before = self._taken
        for row in self.new():
            board.take(row)
        return self._taken - before

    def complete(self) -> bool:
        """Whether every event that was kept has been read."""
        return self._ledger.journey.position() >= self._inbox.last_id()
