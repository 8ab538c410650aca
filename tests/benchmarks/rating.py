"""How many classified calls a second `rating.rate` prices, on one core, in memory.

    python -m tests.benchmarks.rating [CALLS] [--strict] [--json FILE]

The calls are a month of an office: local, mobile, domestic, international and incoming ones, of all lengths, at all
times of day, no two alike. Beside it stands what `explain` does, which tells the story as well, and a bare integer
formula in the same loop, as the machine's own measure.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from ippbx_billing.calls import Call, Classification, Direction, Disposition, LineKind, TrafficType
from ippbx_billing.tariffs import HolidayCalendar, TariffBook, Trunk, standard
from ippbx_billing.tariffs.rating import explain, rate
from tests.benchmarks.figures import Figure, add_options, write

BEIJING = timezone(timedelta(hours=8))
AREAS = ["010", "021", "020", "0755", "028", "0531", "0571", "029"]
COUNTRIES = ["US", "JP", "GB", "DE", "BR", "KR", "FR", "SG"]

WANTED = 700_000

Case = tuple[Call, Classification, datetime]


def month(count: int, seed: int = 1) -> list[Case]:
    """A month of calls, each with its classification and local start."""
    choose = random.Random(seed)
    first = datetime(2026, 11, 1, tzinfo=BEIJING)
    return [_case(choose, first + timedelta(seconds=choose.randrange(30 * 86_400))) for _ in range(count)]


def _case(choose: random.Random, start: datetime) -> Case:
    number = _number(choose)
    direction = choose.choices((Direction.OUTBOUND, Direction.INBOUND), (80, 20))[0]
    answered = choose.random() < 0.75
    call = Call(
        pbx="PBX-1",
        dialect="uc",
        started_at=start.astimezone(UTC),
        billed_s=choose.randrange(1, 1200) if answered else 0,
        disposition=Disposition.ANSWERED if answered else Disposition.NO_ANSWER,
        extension=str(choose.randrange(8001, 8041)),
        number=number.number,
        trunk=choose.choice(("FXO-1", "FXO-2", None)),
        direction=direction,
    )
    return call, number, start


def _number(choose: random.Random) -> Classification:
    kind = choose.choices(("fixed", "mobile", "domestic", "abroad"), (30, 40, 25, 5))[0]
    digits = str(choose.randrange(10_000_000, 99_999_999))
    if kind == "abroad":
        country = choose.choice(COUNTRIES)
        return _classified(f"00{digits}", TrafficType.INTERNATIONAL, LineKind.UNKNOWN, country, None)
    area = choose.choice(AREAS) if kind == "domestic" else "022"
    traffic_type = TrafficType.DOMESTIC if kind == "domestic" else TrafficType.LOCAL
    line_kind = LineKind.MOBILE if kind == "mobile" else LineKind.FIXED
    return _classified(digits, traffic_type, line_kind, "CN", area)


def _classified(
    digits: str, traffic_type: TrafficType, line_kind: LineKind, country: str, area: str | None
) -> Classification:
    return Classification(
        number=digits,
        normalized=digits,
        traffic_type=traffic_type,
        line_kind=line_kind,
        country=country,
        area_code=area,
        rule="benchmark",
    )


def book() -> TariffBook:
    """The standard tariff with two trunks, as a new site has it."""
    carriers, prices = standard("CN", "022", "天津")
    trunks = [Trunk("FXO-1", carriers[0].name), Trunk("FXO-2", carriers[1].name)]
    return TariffBook(carriers, trunks, prices, HolidayCalendar("CN"))


def per_second(count: int, work: Callable[[], object], rounds: int = 3) -> int:
    """The best of some rounds: what the core can do when nobody else uses it."""
    best = min(_elapsed_ns(work) for _ in range(rounds))
    return count * 1_000_000_000 // best


def _elapsed_ns(work: Callable[[], object]) -> int:
    start = time.process_time_ns()
    work()
    return time.process_time_ns() - start


def main() -> int:
    """Print one line per kind of work; 1 where a figure was missed, if strict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=200_000)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    options = parser.parse_args()
    count = options.calls
    cases, tariffs = month(count), book()

    def formula() -> None:
        for call, _, _ in cases:
            _ = 70_000 - (6 - call.billed_s) // 6 * 70_000

    def fees() -> None:
        for call, classification, start in cases:
            rate(call, classification, start, tariffs)

    def stories() -> None:
        for call, classification, start in cases[: count // 10]:
            explain(call, classification, start, tariffs)

    bare, rated = per_second(count, formula), per_second(count, fees)
    print(f"rate     {rated:>12,} calls/s   {bare // rated} times the time of the bare formula")
    told = per_second(count // 10, stories)
    print(f"explain  {told:>12,} calls/s")
    print(f"formula  {bare:>12,} calls/s")
    figures = [
        Figure("rating, rate", rated, "calls/s", None, WANTED),
        Figure("rating, explain", told, "calls/s"),
        Figure("rating, a bare integer formula", bare, "calls/s"),
    ]
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


if __name__ == "__main__":
    sys.exit(main())
