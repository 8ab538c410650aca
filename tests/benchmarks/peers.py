"""What a call costs us, beside what a database's own arithmetic takes for the same calls and tariff.

    python -m tests.benchmarks.peers [CALLS] [--deck 5000] [--json FILE] [--strict]

One run, one tariff (the standard one, and a list of 5,000 international codes), the same calls for all: records of an
office whose numbers all differ, a fifth of them abroad. They are posted to the true `ippbx-bill listen`; the rated rows
of its ledger are then what the others get: SQLite and DuckDB work out the fees in one statement, once with the price of
each call given (arithmetic alone, the limit of what can be had) and once finding the longest code of numbers abroad as
well. None of them reads a record, tells what a number is, or keeps anything. Told are processor time for 1,000 calls,
peak memory, and how many amounts differ from ours.
"""

import argparse
import json
import multiprocessing
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ippbx_billing.calls import TrafficType
from ippbx_billing.ledger import Ledger
from ippbx_billing.ledger.calls import call_of, classification_of
from ippbx_billing.pipeline import Rules
from ippbx_billing.settings import load
from ippbx_billing.tariffs import Carrier, Figures, Price
from tests.benchmarks.chain import Watch, under_load
from tests.benchmarks.decks import filled
from tests.benchmarks.figures import Figure, add_options, write
from tests.benchmarks.numbering import world_numbers
from tests.benchmarks.worker import bodies
from tests.listening import request
from tests.service_process import Service

CALLS, DECK, PER_SECOND = 100_000, 5_000, 2_000
MOST_RECORDS = 400_000  # that the client has numbers for
ABROAD = 5  # each so many-th call

Facts = tuple[int, int, int, str, str]  # id, seconds of talk, price id, window, normalized number
Terms = tuple[
    int, str, int, int, int, int, int, int, int
]  # price, window, connection, initial s and fee, step s and fee, per s, unit


def main() -> int:
    """Measure all sides, print the table; 1 where an amount differs, or a figure is missed and --strict is given."""
    options = _options()
    with tempfile.TemporaryDirectory() as directory:
        site, *_ = filled(Path(directory), options.deck)
        figures = [*_chain(site, options.calls), *_in_process(site)]
        given = Given.of(site)
        for name, side in SIDES.items():
            figures += _beside(name, _apart(side, given), given)
    print("CGRateS is left out: no cgr-engine takes part in this run")
    for one in figures:
        print(f"{one.name:52}{one.figure:>12,.4g} {one.unit}{'   MISSED' if one.missed else ''}")
    write(options.json, figures)
    differ = any(one.figure for one in figures if one.unit == "amounts")
    return int(differ or (options.strict and any(one.missed for one in figures)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("calls", type=int, nargs="?", default=CALLS)
    parser.add_argument("--deck", type=int, default=DECK, help="codes of the list of international prices")
    parser.add_argument("--strict", action="store_true", help="fail when a required figure is missed")
    add_options(parser)
    return parser.parse_args()


# -- ours


def requests(first: int) -> Iterator[bytes]:
    """Records whose numbers all differ, each fifth of them to a number abroad, numbered from `first` on."""
    abroad = world_numbers(MOST_RECORDS // ABROAD)
    for number, body in enumerate(bodies(MOST_RECORDS, differ=True)):
        if number < first:
            continue
        sent = json.loads(body)
        (record,) = sent["cdr"]
        if number % ABROAD == 0 and record["direction"] == "outbound" and number // ABROAD < len(abroad):
            record["callee_number"] = "9" + abroad[number // ABROAD]
        text = json.dumps(sent, ensure_ascii=False, separators=(",", ":"))
        yield request(text.encode(), headers="Content-Type: application/json\r\n")


def _chain(site: Path, calls: int) -> Iterator[Figure]:
    """From the POST to the rated row, each record on the disk before it is acknowledged: listener and worker."""
    with Service(site, IPPBX_BILL_MAX_REQUESTS_PER_S="0") as service:
        watch = Watch(service)
        sent = under_load(service, PER_SECOND, calls / PER_SECOND, watch, source=requests)
        watch.until_drained()
        assert sent.acknowledged == calls, f"{sent.acknowledged:,} of {calls:,} were acknowledged"
        each_us = [watch.processor_us(place) for place in (0, 1)]
        memory = [watch.memory_mb(place)[1] for place in (0, 1)]
    yield Figure("ours: POST to rated row, durable", sum(each_us) / 1e3, "s CPU for 1,000 calls")
    yield Figure("ours: POST to rated row, memory of both", sum(memory), "MB")


def _in_process(site: Path) -> Iterator[Figure]:
    """What numbers are and what calls cost, without any file; then what they cost alone. Both by rules that are new."""
    settings = load(site, {})
    with Ledger(settings.ledger_path) as ledger:
        rows = ledger.connection.execute("SELECT * FROM calls").fetchall()
        calls = [call_of(row) for row in rows]
        rules, anew = (Rules.of(ledger, settings, reading=False) for _ in range(2))
        pairs = list(zip(calls, map(classification_of, rows), strict=True))
        both_s = _took_s(lambda: [rules.charge(call, rules.classify(call)) for call in calls])
        rating_s = _took_s(lambda: [anew.charge(*one) for one in pairs])
    yield Figure("ours: classify and rate, in process", 1_000 * both_s / len(calls), "s CPU for 1,000 calls")
    yield Figure("ours: rate alone, in process", 1_000 * rating_s / len(calls), "s CPU for 1,000 calls")


def _took_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# -- what the others get, and what must come of it


@dataclass(frozen=True)
class Given:
    """The priced calls of a ledger with our fees, and the terms that they were priced by."""

    calls: Sequence[Facts]
    terms: Sequence[Terms]
    codes: Sequence[tuple[str, int]]  # of the list: code and price
    fees: dict[int, int]

    @classmethod
    def of(cls, site: Path) -> "Given":
        """All calls that a price decided; the free ones need no arithmetic."""
        with Ledger(site / "ledger.db") as ledger:
            run = ledger.connection.execute
            rows = run(
                "SELECT id, g.billed_s, g.price_id, ifnull(g.window, ''), c.normalized, g.fee_micro "
                "FROM charges g JOIN calls c USING (id) WHERE g.status = 'rated'"
            ).fetchall()
            prices = {one.id or 0: one for one in ledger.book.prices()}
            carriers = {one.name: one for one in ledger.book.carriers()}
        known = {(row[2], row[3]) for row in rows} | {(one, "") for one in prices}
        terms = [_terms(prices[one], window, carriers[prices[one].carrier]) for one, window in sorted(known)]
        codes = [(one.value, one.id or 0) for one in prices.values() if _is_code(one)]
        return cls([tuple(row[:5]) for row in rows], terms, codes, {row[0]: row[5] for row in rows})


def _is_code(price: Price) -> bool:
    return price.match == "prefix" and price.traffic_type is TrafficType.INTERNATIONAL


def _terms(price: Price, window: str, carrier: Carrier) -> Terms:
    """One price in one of its windows as plain numbers; SystemExit where its fee is more than four figures."""
    own = next((one.figures for one in price.windows if one.label == window), price.figures)
    if not own.is_plain or price.add_local or price.free_s or price.minimum_fee_micro or carrier.tax_micro:
        raise SystemExit(f"price {price.id} has terms that the statements do not know")
    unit = 10 ** (6 - carrier.decimals)
    return (price.id or 0, window, price.connection_fee_micro, *_plain(own), unit)


def _plain(one: Figures) -> tuple[int, int, int, int, int]:
    return int(one.initial_s), one.initial_fee_micro, int(one.step_s), one.step_fee_micro, int(one.per_s)


# -- the databases

# A fee is (connection + initial + steps) over `per`, rounded half up to the carrier's unit, all in whole numbers.
_PER = "(CASE WHEN t.per_s > 0 THEN t.per_s ELSE 1 END)"
_SHARE = "(CASE WHEN t.per_s > 0 THEN {} ELSE 1 END)"
_STEPS = (
    "(CASE WHEN t.step_s = 0 OR c.billed_s <= t.initial_s THEN 0 "
    "ELSE (c.billed_s - t.initial_s + t.step_s - 1) {div} t.step_s END)"
)
_EXACT = (
    f"(t.connection_micro * {_PER} + t.initial_micro * {_SHARE.format('t.initial_s')} "
    f"+ {_STEPS} * t.step_micro * {_SHARE.format('t.step_s')})"
)
_FEE = f"((2 * {_EXACT} + t.unit * {_PER}) {{div}} (2 * t.unit * {_PER})) * t.unit"
_GIVEN = "SELECT c.id, {fee} AS fee_micro FROM facts c JOIN terms t ON t.price_id = c.price_id AND t.win = c.win"
_FOUND = (
    "SELECT c.id, {fee} AS fee_micro FROM (SELECT c.id, c.billed_s, c.win, ifnull(("
    "{longest}), c.price_id) AS price_id FROM facts c) c "
    "JOIN terms t ON t.price_id = c.price_id AND t.win = c.win"
)
_LONGEST = {
    "SQLite": "SELECT k.price_id FROM json_each('[9,8,7,6,5,4,3,2,1]') n JOIN codes k "
    "ON k.code = substr(c.normalized, 2, n.value) WHERE c.coded ORDER BY n.key LIMIT 1",
    "DuckDB": "SELECT max_by(k.price_id, length(k.code)) FROM codes k WHERE c.coded AND "
    "k.code IN (c.normalized[2:2], c.normalized[2:3], c.normalized[2:4], c.normalized[2:5], c.normalized[2:6], "
    "c.normalized[2:7], c.normalized[2:8], c.normalized[2:9], c.normalized[2:10])",
}
_TABLES = (
    "CREATE TABLE facts (id INTEGER PRIMARY KEY, billed_s BIGINT, price_id BIGINT, win TEXT, normalized TEXT, "
    "coded INTEGER)",
    "CREATE TABLE terms (price_id BIGINT, win TEXT, connection_micro BIGINT, initial_s BIGINT, initial_micro BIGINT, "
    "step_s BIGINT, step_micro BIGINT, per_s BIGINT, unit BIGINT, PRIMARY KEY (price_id, win))",
    "CREATE TABLE codes (code TEXT PRIMARY KEY, price_id BIGINT)",
)


@dataclass(frozen=True)
class Answer:
    """What a side made of the calls: fees by call, its processor time, and the memory its process had at most."""

    fees: dict[int, int]
    busy_s: float
    peak_mb: float


def _sqlite(given: Given, finding: bool) -> tuple[list[tuple[int, int]], float]:
    with closing(sqlite3.connect(":memory:")) as connection:
        return _asked(connection, given, finding, "SQLite", "/")


def _duckdb(given: Given, finding: bool) -> tuple[list[tuple[int, int]], float]:
    import duckdb

    with closing(duckdb.connect()) as connection:
        connection.execute("SET threads = 1")
        return _asked(connection, given, finding, "DuckDB", "//")


def _asked(connection: Any, given: Given, finding: bool, name: str, div: str) -> tuple[list[tuple[int, int]], float]:
    """Fill the tables, then ask: only the question is measured, and it keeps its answer in a table as we do."""
    coded = {price_id for _, price_id in given.codes}
    rows = [(*one, int(one[2] in coded)) for one in given.calls]
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("BEGIN")
    for table, content in (("facts", rows), ("terms", given.terms), ("codes", given.codes)):
        _insert(connection, table, content)
    connection.execute("COMMIT")
    question = (_FOUND if finding else _GIVEN).replace("{fee}", _FEE.replace("{div}", div))
    question = question.replace("{longest}", _LONGEST[name])
    began = time.process_time()
    connection.execute(f"CREATE TABLE fees AS {question}")
    busy_s = time.process_time() - began
    return [(row[0], row[1]) for row in connection.execute("SELECT id, fee_micro FROM fees").fetchall()], busy_s


def _insert(connection: Any, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows many at a time; DuckDB is slow with one at a time."""
    width = len(rows[0]) if rows else 0
    one = f"({', '.join('?' * width)})"
    at_once = 30_000 // max(width, 1) // 10
    for begin in range(0, len(rows), at_once):
        some = rows[begin : begin + at_once]
        values = [value for row in some for value in row]
        connection.execute(f"INSERT INTO {table} VALUES {', '.join([one] * len(some))}", values)


SIDES: dict[str, tuple[Callable[[Given, bool], tuple[list[tuple[int, int]], float]], bool]] = {
    "SQLite: arithmetic": (_sqlite, False),
    "SQLite: longest code and arithmetic": (_sqlite, True),
    "DuckDB: arithmetic": (_duckdb, False),
    "DuckDB: longest code and arithmetic": (_duckdb, True),
}


def _apart(side: tuple[Callable[..., Any], bool], given: Given) -> Answer:
    """The side in a process of its own, whose memory is its own."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_side, args=(side, given, theirs))
    child.start()
    theirs.close()  # else a side that fails would be waited for
    fees, busy_s, peak_mb = ours.recv()
    child.join()
    return Answer(dict(fees), busy_s, peak_mb)


def _side(side: tuple[Callable[..., Any], bool], given: Given, parent: Connection) -> None:
    work, finding = side
    fees, busy_s = work(given, finding)
    peak_kb = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    parent.send((fees, busy_s, int(peak_kb) / 1024))


def _beside(name: str, answer: Answer, given: Given) -> Iterator[Figure]:
    differ = sum(answer.fees.get(number) != fee for number, fee in given.fees.items())
    yield Figure(name, 1_000 * answer.busy_s / len(given.fees), "s CPU for 1,000 calls")
    yield Figure(f"{name}, memory", answer.peak_mb, "MB")
    yield Figure(f"{name}, differ from ours of {len(given.fees):,}", differ, "amounts")


if __name__ == "__main__":
    sys.exit(main())
