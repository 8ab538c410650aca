"""How long `rerate` takes for a million calls, beside what SQLite itself takes to touch the same rows.

    python -m tests.benchmarks.rerate [CALLS] [--strict]

A ledger is filled with a month of office calls of two carriers (all lengths and times of day; fixed, mobile, domestic,
international, incoming, unanswered). The yardstick is SQLite's own `UPDATE charges SET fee_micro = fee_micro + 1` over
the same rows, measured right before each run. The lines differ in how much a new tariff changes; the last one has
prices by number prefix, as carriers' wholesale lists have them. Each line stands for the median of three runs.
"""

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ippbx_billing.calls import Call, Classification, Direction, Disposition, LineKind, Reason, TrafficType
from ippbx_billing.ledger import Ledger, RatedCall
from ippbx_billing.pipeline import Rules, SiteRules
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.tariffs import Figures, HolidayCalendar, Price, Trunk, standard
from tests.benchmarks.figures import Figure, add_options, write

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
REQUIRED = 3.0
MOST_MEGABYTES = 300
AT_ONCE = 20_000
AREAS = ["010", "021", "020", "0755", "028", "0531", "0571", "029"]
COUNTRIES = {"US": "1", "JP": "81", "GB": "44", "DE": "49", "BR": "55", "KR": "82", "FR": "33", "SG": "65"}


def rules_of(ledger: Ledger) -> Rules:
    """The rules as the ledger has them now."""
    site = SiteRules("CN", "022", ZONE, ZONE, "auto", "9", ())
    return Rules(site, {}, ledger.book.tariff_book(HolidayCalendar("CN")))  # type: ignore[arg-type]


def fill(ledger: Ledger, count: int) -> None:
    """Two carriers with their standard tariffs, and a month of rated calls."""
    carriers, prices = standard("CN", "022", "天津")
    telecom, _, mobile = sorted(carriers, key=lambda one: ["电信", "联通", "移动"].index(one.operator))
    for carrier in (telecom, mobile):
        ledger.book.add_carrier(carrier)
    ledger.book.add_prices(one for one in prices if one.carrier in (telecom.name, mobile.name))
    ledger.book.put_trunk(Trunk("FXO-1", telecom.name))
    ledger.book.put_trunk(Trunk("FXO-2", mobile.name))
    rules, choose = rules_of(ledger), random.Random(1)
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        with ledger.transaction():
            ledger.calls.add([_rated(number, count, choose, rules) for number in numbers])


def _rated(number: int, count: int, choose: random.Random, rules: Rules) -> RatedCall:
    start = datetime(2026, 11, 1, tzinfo=ZONE) + timedelta(seconds=number * 30 * 86_400 // count)
    seen = _seen(choose)
    answered = choose.random() < 0.75
    call = Call(
        pbx="PBX-1",
        dialect="uc",
        record_id=str(number),
        started_at=start.astimezone(UTC),
        billed_s=int(choose.expovariate(1 / 150)) + 1 if answered else 0,
        disposition=Disposition.ANSWERED if answered else Disposition.NO_ANSWER,
        extension=str(choose.randrange(8001, 8201)),
        number=seen.number,
        trunk="FXO-1" if choose.random() < 0.6 else "FXO-2",
        direction=Direction.INBOUND if choose.random() < 0.2 else Direction.OUTBOUND,
    )
    return RatedCall(number, call, seen, rules.charge(call, seen), start.date().isoformat(), "benchmark", start.hour)


def _seen(choose: random.Random) -> Classification:
    """Whom somebody calls: 30 % fixed, 40 % mobile, 25 % other cities, 5 % abroad."""
    share, digits = choose.random(), str(choose.randrange(10_000_000, 99_999_999))
    if share < 0.05:
        country = choose.choice(list(COUNTRIES))
        code = COUNTRIES[country]
        number, normalized = f"00{code}{digits}", f"+{code}{digits}"
        return _classified(number, normalized, TrafficType.INTERNATIONAL, LineKind.UNKNOWN, country)
    if share < 0.30:
        area = choose.choice(AREAS)
        return _classified(area + digits, f"+86{area[1:]}{digits}", TrafficType.DOMESTIC, LineKind.FIXED, "CN", area)
    if share < 0.70:
        return _classified(f"138{digits}", f"+86138{digits}", TrafficType.LOCAL, LineKind.MOBILE, "CN", "022")
    return _classified(digits, f"+8622{digits}", TrafficType.LOCAL, LineKind.FIXED, "CN", "022")


def _classified(
    number: str, normalized: str, kind: TrafficType, line: LineKind, country: str, area: str | None = None
) -> Classification:
    return Classification(
        number=number,
        normalized=normalized,
        traffic_type=kind,
        line_kind=line,
        country=country,
        area_code=area,
        rule="benchmark",
        why=Reason("local-length", {"count": 8, "area_code": "022"}),
    )


def yardstick(path: Path) -> float:
    """Seconds that SQLite takes to touch every charge once, on a connection as the ledger opens it."""
    with Ledger(path) as ledger:
        started = time.perf_counter()
        ledger.connection.execute("UPDATE charges SET fee_micro = fee_micro + 1")
        elapsed = time.perf_counter() - started
        ledger.connection.execute("UPDATE charges SET fee_micro = fee_micro - 1")
        ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return elapsed


def dearer(ledger: Ledger, test: Callable[[Price], bool]) -> None:
    """A new version of some prices in the place of the old: a hundredth more for each step."""
    changed = [price for price in ledger.book.prices() if test(price)]
    ledger.book.end_prices(price.id for price in changed if price.id)
    ledger.book.add_prices([replace(price, id=None, figures=_dearer(price.figures)) for price in changed])


def _dearer(figures: Figures) -> Figures:
    return replace(figures, step_fee_micro=figures.step_fee_micro + 10_000)


def with_deck(ledger: Ledger) -> None:
    """Prices by number prefix for the calls abroad of both carriers."""
    abroad = [price for price in ledger.book.prices() if price.traffic_type is TrafficType.INTERNATIONAL]
    ledger.book.add_prices(
        replace(abroad[0], id=None, carrier=carrier.name, match="prefix", value=code + digit, windows=())
        for carrier in ledger.book.carriers()
        for code in COUNTRIES.values()
        for digit in "123456789"
    )


CASES: dict[str, Callable[[Ledger], None]] = {
    "nothing changed": lambda ledger: None,
    "other cities dearer": lambda ledger: dearer(ledger, lambda one: one.traffic_type is TrafficType.DOMESTIC),
    "every price dearer": lambda ledger: dearer(ledger, lambda one: True),
    "prices by prefix": with_deck,
}


def measured(path: Path, prepare: Callable[[Ledger], None], rounds: int = 3) -> Iterator[tuple[float, float, int]]:
    """For each round the yardstick's seconds, the run's, and how many charges changed."""
    for _ in range(rounds):
        touched = yardstick(path)
        with Ledger(path) as ledger:
            prepare(ledger)
            started = time.perf_counter()
            outcome = Rerating(ledger, rules_of(ledger), Wanted(FIRST, LAST)).run(datetime.now(UTC))
            yield touched, time.perf_counter() - started, outcome.changed


def main() -> int:
    """Print the table; 1 where a required ratio or the memory is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    options = parser.parse_args()
    missed, figures = False, list[Figure]()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "ledger.db"
        with Ledger(path) as ledger:
            fill(ledger, options.calls)
        print(f"{options.calls:,} calls rated again      changed   seconds   yardstick   times")
        for name, prepare in CASES.items():
            rounds = list(measured(path, prepare))
            ratio = statistics.median(seconds / touched for touched, seconds, _ in rounds)
            touched, seconds, _ = sorted(rounds, key=lambda one: one[1])[len(rounds) // 2]
            missed |= ratio > REQUIRED
            figures.append(Figure(f"rerate, {name}", seconds, "s", ratio, REQUIRED, at_most=True))
            note = f"   (at most {REQUIRED:.0f})"
            print(f"{name:<28}{max(one[2] for one in rounds):>9,}{seconds:>10.2f}{touched:>12.2f}{ratio:>8.1f}{note}")
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"memory at most {megabytes} MB (at most {MOST_MEGABYTES})")
    figures.append(Figure("rerate, memory", megabytes, "MB", None, MOST_MEGABYTES, at_most=True))
    write(options.json, figures)
    return int(options.strict and (missed or megabytes > MOST_MEGABYTES))


if __name__ == "__main__":
    sys.exit(main())
