"""A ledger whose calls a test writes down itself, without a PBX, a dialect or a tariff."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ippbx_billing import money
from ippbx_billing.calls import (
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    TrafficType,
)
from ippbx_billing.ledger import Ledger, RatedCall
from ippbx_billing.ledger.sentences import recognised
from ippbx_billing.reports import View

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Books:
    """Writes calls: `books.call("2026-10-13 10:00:00", "8001", fee="0.22", trunk="FXO-1")`."""

    def __init__(self, ledger: Ledger, zone: ZoneInfo = SHANGHAI) -> None:
        self.ledger = ledger
        self.view = View(zone, "CNY")
        self.waiting: list[RatedCall] = []
        self.written = 0

    def call(
        self,
        start: str,
        extension: str | None = "8001",
        *,
        fee: str | None = "0.10",
        talk_s: int = 60,
        ring_s: int = 0,
        number: str | None = "58674577",
        traffic_type: str = "local",
        direction: str | None = "outbound",
        trunk: str | None = "FXO-1",
        place: tuple[str | None, str | None, str | None] = ("CN", "天津", "天津"),
        status: str = "rated",
        reason: str = "",
        carrier: str | None = None,
        **more: Any,
    ) -> None:
        """A call at this time of the site's clock; without talk it was not answered, without a fee it is unrated."""
        local = datetime.fromisoformat(start)
        begun = local.replace(tzinfo=self.view.zone).astimezone(UTC)
        self.written += 1
        call = Call(
            pbx="pbx",
            dialect="uc",
            record_id=str(self.written),
            started_at=begun,
            ended_at=begun + timedelta(seconds=ring_s + talk_s),
            duration_s=ring_s + talk_s,
            billed_s=talk_s,
            disposition=Disposition.ANSWERED if talk_s else Disposition.NO_ANSWER,
            extension=extension,
            number=number,
            trunk=trunk,
            direction=Direction(direction) if direction else None,
            **more,
        )
        meaning = Classification(
            number=number or "",
            normalized=number or "",
            traffic_type=TrafficType(traffic_type),
            line_kind=LineKind.FIXED,
            country=place[0],
            region=place[1],
            place=place[2],
        )
        kind = ChargeStatus(status if fee is not None else "unrated")
        charge = Charge(
            status=kind, fee_micro=None if fee is None else money.parse(fee), reason=recognised(reason), carrier=carrier
        )
        day, hour = local.date().isoformat(), local.hour
        self.waiting.append(RatedCall(self.written, call, meaning, charge, day, "test", hour))

    def write(self) -> None:
        """What was noted so far goes into the ledger."""
        with self.ledger.transaction():
            self.ledger.calls.add(self.waiting)
        self.waiting.clear()


@contextmanager
def opened(path: Path, zone: ZoneInfo = SHANGHAI) -> Iterator[Books]:
    """Empty books in a ledger of their own."""
    with Ledger(path) as ledger:
        yield Books(ledger, zone)
