"""How long a report takes over a year of calls: the whole process, the query alone, and the same sums from the calls.

    python -m tests.benchmarks.reports [CALLS] [--extensions 2000] [--keep DIR] [--json FILE] [--strict]

The generator fills a site's ledger with a year of office calls (sixty-four sorts of calls over three trunks), set-wise,
so that ten million take a few minutes; the sums are then worked out as for a file of an older version. A fifth of the
year is measured first, for the promise that the months kept cost nothing.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import KIND
from ippbx_billing.reports import Period, View, report
from ippbx_billing.settings import load
from tests.benchmarks.figures import Figure, add_options, write

YEAR, MONTH = 2026, "2026-02"
TODAY = date(YEAR, 12, 31)
TIMES_AS_QUICK = 20
FEWEST_CALLS = 5_000_000  # with fewer, reading the calls is quick as well
AT_ONCE = 250_000
ROUNDS = 5
LARGE = 10_000_000  # of so many calls in a year the figures below are required
WHOLE = {
    f"--month {MONTH} --by extension": 0.2,
    f"--year {YEAR} --by extension": 0.6,
    f"--month {MONTH} --by number": 2.0,
    f"--month {MONTH} --by extension,hour": 1.0,
}
MOST_MEGABYTES = 150
DAYS = 365


def at_most(name: str, figure: float, unit: str, required: float | None = None) -> Figure:
    """A figure, and what it may be at most."""
    return Figure(f"reports: {name}", figure, unit, None, required, at_most=True)


def line(one: Figure) -> str:
    """A figure as a line of the table."""
    value = one.figure if one.ratio is None else one.ratio
    wanted = "" if one.required is None else f"  ({'at most' if one.at_most else 'at least'} {one.required:g})"
    unit = one.unit if one.ratio is None else "times"
    return f"{one.name.removeprefix('reports: '):<62}{value:>10.3f} {unit:<6}{wanted}{'  MISSED' if one.missed else ''}"


# -- the year


def fill(ledger: Ledger, first: int, last: int, total: int, extensions: int) -> None:
    """Calls `first` to `last` of a year of `total` calls, with charges that fit their lengths."""
    connection = ledger.connection
    for start in range(first, last + 1, AT_ONCE):
        values = {"first": start, "last": min(start + AT_ONCE - 1, last), "total": total, "extensions": extensions}
        connection.execute("BEGIN")
        connection.execute(_CALLS, values)
        connection.execute(_CHARGES, values)
        connection.execute("COMMIT")


def prepare(ledger: Ledger, extensions: int) -> None:
    """The kinds of calls a year consists of, the extensions and places."""
    for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY", "wal_autocheckpoint = 20000"):
        ledger.connection.execute(f"PRAGMA {pragma}")
    ledger.connection.execute(f"CREATE TEMP TABLE sorts (number INTEGER PRIMARY KEY, {', '.join(_SORT)})")
    sorts = list(_sorts(ledger))
    ledger.connection.executemany(f"INSERT INTO sorts VALUES ({', '.join('?' * (1 + len(_SORT)))})", sorts)
    with ledger.transaction():
        for number in range(extensions):
            assert ledger.rollups.extension_id(str(8001 + number)) == number + 1


_SORT = ("kind_id", "place_id", "carrier_id", "status", "rate_micro", *KIND, "region", "place", "prefix")
_AREAS = {"010": "北京", "021": "上海", "020": "广州", "0755": "深圳", "028": "成都", "0531": "济南", "0571": "杭州"}


def _sorts(ledger: Ledger) -> Iterator[tuple[object, ...]]:
    """Sixty-four sorts of calls: local, mobile, other cities, abroad, inbound, internal; answered or not."""
    carriers = list(ledger.calls.carrier_ids().values())
    number = 0
    with ledger.transaction():
        while number < 64:
            answered = number % 4 != 3
            trunk = number % 3
            carrier, disposition = carriers[trunk], "answered" if answered else "no_answer"
            type_, line, country, area, direction, rate = _MEANINGS[number * 7 % len(_MEANINGS)]
            kind = (
                f"FXO-{trunk + 1}",
                direction,
                disposition,
                type_,
                line,
                country,
                area,
                "",
                0,
                0,
                _CODES.get(country, ""),
                country not in ("CN", ""),
            )
            place = _AREAS.get(area, "天津" if country == "CN" else "")
            place_id = ledger.rollups.place_id(country, place, place)
            status = "free" if direction != "outbound" or not answered else "rated"
            kind_id = ledger.calls.kind_id(kind)
            yield (number, kind_id, place_id, carrier, status, rate * answered, *kind, place, place, area.lstrip("0"))
            number += 1


_CODES = {"CN": "86", "US": "1", "JP": "81"}
_MEANINGS = [
    *[("local", "fixed", "CN", "022", "outbound", 1_500)] * 4,
    *[("local", "mobile", "CN", "022", "outbound", 1_500)] * 6,
    *[("domestic", "fixed", "CN", area, "outbound", 11_700) for area in _AREAS],
    *[("domestic", "mobile", "CN", area, "outbound", 11_700) for area in list(_AREAS)[:4]],
    ("international", "unknown", "US", "", "outbound", 133_000),
    ("international", "unknown", "JP", "", "outbound", 133_000),
    *[("local", "mobile", "CN", "022", "inbound", 0)] * 4,
    *[("internal", "extension", "", "", "internal", 0)] * 2,
]
# One call after the other through the year, from eight to six; sort, extension and length follow from its number.
_DAY = f"(i - 1) * {DAYS} / :total"
_ONE = f"""
WITH RECURSIVE numbers (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM numbers WHERE i < :last),
timed AS (
    SELECT i, {_DAY} AS day, CAST(28800 + ((i - 1) * {DAYS}.0 / :total - {_DAY}) * 36000 AS INTEGER) AS second
    FROM numbers
),
one AS (
    SELECT i, {date(YEAR, 1, 1).toordinal()} + day AS day, date('{YEAR}-01-01', '+' || day || ' days') AS day_text,
        second, strftime('%s', '{YEAR}-01-01') - 28800 + day * 86400 + second AS started_at,
        i * 2654435761 / 128 % 64 AS sort, 1 + i * 2246822519 / 8192 % :extensions AS extension_id,
        1 + i * 3266489917 / 1024 % 257 * (i % 7) / 3 AS length, 20000000 + i % 7919 AS digits
    FROM timed
)
"""
_CALLS = f"""
INSERT INTO calls (
    id, event_id, key, pbx, dialect, call_id, record_id, caller, callee, extension, number, started_at, answered_at,
    ended_at, day, duration_s, billed_s, disposition, trunk, direction, notes, normalized, traffic_type, line_kind,
    country, region, place, area_code, emergency, rule, why, data_version
)
{_ONE}
SELECT i, i, CAST(printf('%016d', i) AS BLOB), 'PBX-1', 'uc', 'c-' || i, 'r-' || i, 8000 + extension_id,
    '9' || prefix || digits, CAST(8000 + extension_id AS TEXT), '9' || prefix || digits, started_at,
    iif(disposition = 'answered', started_at + 9, NULL), started_at + 9 + length, day_text, 9 + length,
    iif(disposition = 'answered', length, 0), disposition, trunk, direction, '', '+86' || prefix || digits,
    traffic_type, line_kind, nullif(country, ''), nullif(region, ''), nullif(place, ''), nullif(area_code, ''), 0,
    'area-code', 'the area code ' || prefix || ' is that of ' || place, 'benchmark'
FROM one JOIN sorts ON sorts.number = sort
"""
_CHARGES = f"""
INSERT INTO charges (
    id, status, fee_micro, carrier_id, price_id, window, reason, kind_id, started_at, billed_s, local_hour,
    extension_id, place_id, duration_s
)
{_ONE}
SELECT i, status, (length + 5) / 6 * rate_micro / 10000 * 10000, carrier_id, 1, NULL, '', kind_id, started_at,
    iif(disposition = 'answered', length, 0), day * 24 + second / 3600, extension_id, place_id, 9 + length
FROM one JOIN sorts ON sorts.number = sort
"""


# -- measuring


# A child's peak memory counts what its parent held at the fork, so that a small process must start it.
_LAUNCHER = """
import os, sys, time
quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
started = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status)
"""


def process(data_dir: Path, *arguments: str, rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Seconds, processor seconds and megabytes of a whole `ippbx-bill` process; medians, and the most of memory."""
    return timed("-m", "ippbx_billing", "--data-dir", str(data_dir), *arguments, rounds=rounds)


def bare_python(rounds: int) -> float:
    """Processor seconds of an interpreter that does nothing."""
    return timed("-c", "", rounds=rounds)[1]


def timed(*arguments: str, rounds: int) -> tuple[float, float, float]:
    """The same of Python with these arguments."""
    command = [sys.executable, *arguments]
    runs = []
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    for _ in range(rounds):
        told = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCHER, *command], capture_output=True, text=True, check=True, env=env
        )
        seconds, busy, megabytes, status = map(float, told.stdout.split())
        if status:
            raise SystemExit(f"{' '.join(command)} failed with {status}")
        runs.append((seconds, busy, megabytes))
    seconds, busy, megabytes = zip(*runs, strict=True)
    return statistics.median(seconds), statistics.median(busy), max(megabytes)


def query(
    ledger: Ledger, view: View, period: Period, by: tuple[str, ...], source: str = "auto", rounds: int = 5
) -> float:
    """Seconds of the question alone, the median of some rounds."""
    return _median(lambda: report(ledger, view, period, by, source=source), rounds)


def raw_group(ledger: Ledger, period: Period) -> float:
    """Seconds of the plain GROUP BY over the calls of a period."""
    return _median(
        lambda: ledger.connection.execute(
            "SELECT c.extension, count(*), sum(c.disposition = 'answered'), sum(c.duration_s), sum(c.billed_s), "
            "sum(g.fee_micro) FROM calls c JOIN charges g USING (id) WHERE c.day BETWEEN ? AND ? GROUP BY 1",
            [period.first.isoformat(), period.last.isoformat()],
        ).fetchall(),
        3,
    )


def _median(act: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def measure(data_dir: Path, calls: int, extensions: int, rounds: int, tell: Callable[[str], None]) -> Iterator[Figure]:
    """Fill the ledger and measure; the figures come as they are known."""
    view = View(load(data_dir).site_zone, "CNY")
    month, year = Period.month(MONTH, TODAY), Period.year(str(YEAR), TODAY)
    early = calls // 5
    with Ledger(data_dir / "ledger.db") as ledger:
        prepare(ledger, extensions)
        started = time.perf_counter()
        fill(ledger, 1, early, calls, extensions)
        worked_out(ledger)
        few = query(ledger, view, month, ("extension",))
        fill(ledger, early + 1, calls, calls, extensions)
        tell(f"{calls:,} calls of {extensions:,} extensions written in {time.perf_counter() - started:.0f} s")
        yield at_most("all sums worked out anew", worked_out(ledger), "s")
    with Ledger(data_dir / "ledger.db") as ledger:
        quick, slow = query(ledger, view, month, ("extension",)), raw_group(ledger, month)
        yield at_most("a month by extension, the question alone", quick, "s")
        yield at_most("the same GROUP BY over the calls", slow, "s")
        times = TIMES_AS_QUICK if calls >= FEWEST_CALLS else None
        yield Figure(
            "reports: a month by extension, beside the GROUP BY over the calls", quick, "s", slow / quick, times
        )
        yield Figure("reports: the same beside a fifth of the months kept", quick, "s", quick / few, 1.5, at_most=True)
        for by in (
            ("extension", "traffic_type"),
            ("trunk",),
            ("day",),
            ("weekday", "hour"),
            ("region",),
            ("department",),
        ):
            yield at_most(f"a month by {' and '.join(by)}", query(ledger, view, month, by), "s")
        yield at_most("a year by extension, the question alone", query(ledger, view, year, ("extension",)), "s")
        yield at_most("a year by region", query(ledger, view, year, ("region",)), "s")
        yield at_most("a month by number, from the calls", query(ledger, view, month, ("number",), rounds=1), "s")
        week = Period.days(date(YEAR, 2, 9), date(YEAR, 2, 15))
        yield at_most("a week by extension and trunk", query(ledger, view, week, ("extension", "trunk")), "s")
    bare = bare_python(rounds)
    yield at_most("bare Python, its processor time", bare, "s")
    large = calls >= LARGE
    for asked, most_s in WHOLE.items():
        seconds, busy, megabytes = process(data_dir, "report", *asked.split(), "--format", "csv", rounds=rounds)
        command = f"report {asked}"
        yield at_most(f"{command}, the whole process", seconds, "s")
        yield at_most(f"{command}, its processor time above bare Python", busy - bare, "s", most_s if large else None)
        yield at_most(f"{command}, its memory", megabytes, "MB", MOST_MEGABYTES)
    seconds, busy, megabytes = process(data_dir, "carriers", "list", rounds=rounds)
    yield at_most("carriers list (what any command takes), the whole process", seconds, "s")
    yield at_most("carriers list, its processor time", busy, "s")
    yield at_most("carriers list, its memory", megabytes, "MB")
    yield from _lists(data_dir)


def worked_out(ledger: Ledger) -> float:
    started = time.perf_counter()
    with ledger.transaction():
        ledger.rollups.rebuild()
    ledger.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return time.perf_counter() - started


def _lists(data_dir: Path) -> Iterator[Figure]:
    """The memory of a list of few and of many calls."""
    with Ledger(data_dir / "ledger.db") as ledger:
        most = ledger.connection.execute("SELECT count(*) FROM calls WHERE day < '2026-03'").fetchone()[0]
    few, many = (_listing(data_dir, limit) for limit in (1_000, min(200_000, most)))
    name = f"reports: memory of a list of {min(200_000, most):,} calls beside 1,000"
    yield Figure(name, many, "MB", many / few, 1.2, at_most=True)


def _listing(data_dir: Path, limit: int) -> float:
    """Megabytes that a process takes to walk through so many calls."""
    script = (
        "import sys, resource\nfrom pathlib import Path\nfrom zoneinfo import ZoneInfo\n"
        "from ippbx_billing.ledger import Ledger\nfrom ippbx_billing.reports import WantedCalls, View, calls\n"
        "with Ledger(Path(sys.argv[1])) as ledger:\n"
        "    for row in calls(ledger, View(ZoneInfo('Asia/Shanghai'), 'CNY'), WantedCalls(limit=int(sys.argv[2]))):\n"
        "        pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    command = [sys.executable, "-c", script, str(data_dir / "ledger.db"), str(limit)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    """Print the table; 1 where a required figure is missed and --strict is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=300_000)
    parser.add_argument("--extensions", type=int, default=2_000)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="fill this folder and leave it there")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    add_options(parser)
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = options.keep or Path(scratch) / "data"
        init = ["--data-dir", str(data_dir), "init", "--area-code", "022"]
        subprocess.run([sys.executable, "-m", "ippbx_billing", *init], check=True, capture_output=True)
        figures = []
        for figure in measure(data_dir, options.calls, options.extensions, options.rounds, print):
            figures.append(figure)
            print(line(figure), flush=True)
        megabytes = (data_dir / "ledger.db").stat().st_size / 2**20
        print(f"ledger.db: {megabytes:,.0f} MB; this process at most {_own_megabytes()} MB")
    write(options.json, figures)
    return int(options.strict and any(one.missed for one in figures))


def _own_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
