"""Calls as alert rules hear them, made up for tests."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from ippbx_billing.alerts import AlertWatch, Config, History, Hours, Occurrence, Over
from ippbx_billing.calls import (
    Call,
    Charge,
    ChargeStatus,
    Classification,
    Direction,
    Disposition,
    LineKind,
    Reason,
    TrafficType,
)
from ippbx_billing.ledger import RatedCall
from ippbx_billing.tariffs import HolidayCalendar

ZONE = ZoneInfo("Asia/Shanghai")
_ids = count(1)


def at(text: str) -> datetime:
    """A moment on the site's clock: `2026-11-03 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def call(
    start: datetime,
    talk_s: int = 60,
    *,
    extension: str | None = "8001",
    number: str | None = None,
    traffic: TrafficType = TrafficType.DOMESTIC,
    country: str = "CN",
    fee: int = 100_000,
    status: ChargeStatus = ChargeStatus.RATED,
    direction: Direction = Direction.OUTBOUND,
    caller: str | None = None,
    pbx: str = "uc",
) -> RatedCall:
    """A rated call that began at that moment; `fee` in micro-units."""
    local, event = start.astimezone(ZONE), next(_ids)
    number = number or f"0{event % 90 + 10}{event:08}"
    told = Call(
        pbx=pbx, dialect="uc", started_at=start, answered_at=start, billed_s=talk_s, duration_s=talk_s,
        ended_at=start + timedelta(seconds=talk_s), disposition=Disposition.ANSWERED, extension=extension,
        caller=caller or extension, number=number, direction=direction,
    )  # fmt: skip
    meaning = Classification(
        number=number, normalized=number, traffic_type=traffic, line_kind=LineKind.FIXED, country=country
    )
    reason = Reason("no-trunk") if status is ChargeStatus.UNRATED else Reason()
    charge = Charge(status=status, fee_micro=fee if status is ChargeStatus.RATED else None, reason=reason)
    return RatedCall(event, told, meaning, charge, local.date().isoformat(), "1", local.hour)


class Site:
    """A watch with a calendar of China, fed call by call as they end."""

    def __init__(
        self, config: Config | None = None, history: History | None = None, hours: str = "09:00-18:00"
    ) -> None:
        self.hours = Hours(hours, HolidayCalendar("CN"), ZONE)
        self.watch = AlertWatch(config or Config(), history or History(), self.hours)

    def hear(self, one: RatedCall, late_s: float = 0) -> list[Occurrence]:
        """What the rules say to a call that arrives so long after its end."""
        arrived = (one.call.ended_at or one.call.started_at) + timedelta(seconds=late_s)
        self.watch.calls([one], {one.event_id: arrived})
        self.watch.heard(one.call.pbx, arrived.timestamp())
        return self.watch.found()[0]

    def tick(self, moment: datetime) -> tuple[list[Occurrence], list[Over]]:
        """What they say as time goes by."""
        self.watch.tick(moment.timestamp())
        return self.watch.found()


def usual(**more: object) -> History:
    """Four weeks of past, of which nothing is known but what is given."""
    return History(days=28, countries={"CN", "US"}, **more)  # type: ignore[arg-type]


def days(first: date, count_: int) -> list[date]:
    """So many days in a row."""
    return [first + timedelta(days=number) for number in range(count_)]
