"""The centre beside PostgreSQL's own COPY: `python -m tests.benchmarks.centre [--rows 20000] [--sites 4]`.

A server of its own on this machine. The same rows go by COPY into a bare table, through the collector, and through the
raters; a call is an office's, read and rated by the standard tariff.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from pathlib import Path

from typer.testing import CliRunner

from ippbx_billing.centre.books import packed as book_of
from ippbx_billing.centre.collecting import Collector, Connections
from ippbx_billing.centre.opening import connected
from ippbx_billing.centre.rating import Rater
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.centre.schema import install
from ippbx_billing.cli.app import app
from ippbx_billing.ship.batches import Batch, Shipped, packed
from tests.centre.conftest import running_server
from tests.centre.sites import records


def rate(dsn: str) -> None:
    """One rater until nothing waits."""
    with connected(dsn) as connection, connected(dsn) as notes:
        rater = Rater(connection, notes)
        while rater.step():
            pass


def measured(dsn: str, rows: int, sites: int) -> dict[str, float]:
    """Rows a second: COPY, collected, rated by two processes; bytes of the database for each row."""
    with tempfile.TemporaryDirectory() as folder, connected(dsn) as connection:
        data_dir = Path(folder) / "data"
        CliRunner().invoke(app, ["--data-dir", str(data_dir), "init", "--area-code", "022"])
        install(connection)
        names = [f"site{number}" for number in range(sites)]
        keys = {name: SiteTable(connection).add(name, "own", book_of(data_dir)) for name in names}
        events = [one for one in records(rows // sites) if one.kind == "cdr"]
        shipped = [Shipped(place, *one) for place, one in enumerate(events, start=1)]
        bare = _copied(connection, shipped, sites)
        batches = [
            packed(Batch(name, "e", start, start + len(some), tuple(some)), keys[name], 0)
            for start in range(0, len(shipped), 1_000)
            for name in names
            for some in [shipped[start : start + 1_000]]
        ]
        before = _size(connection)
        collected = _collected(dsn, batches)
        began = time.perf_counter()
        raters = [multiprocessing.Process(target=rate, args=(dsn,)) for _ in range(2)]
        for one in raters:
            one.start()
        for one in raters:
            one.join()
        rated_s = time.perf_counter() - began
        row = connection.execute("SELECT count(*) AS calls, sum(billed_s) FROM calls").fetchone()
        assert row is not None
        total = len(shipped) * sites
        assert row["calls"] == total, row
        return {
            "rows": total,
            "copy_rows_s": total / bare,
            "collected_rows_s": total / collected,
            "rated_rows_s": total / rated_s,
            "collected_to_copy": bare / collected,
            "rated_to_copy": bare / rated_s,
            "bytes_a_call": (_size(connection) - before) / total,
        }


def _copied(connection: object, shipped: list[Shipped], sites: int) -> float:
    connection.execute("CREATE TABLE bare (site int, position bigint, bytes bytea)")  # type: ignore[attr-defined]
    began = time.perf_counter()
    for site in range(sites):
        with connection.cursor() as cursor, cursor.copy("COPY bare FROM STDIN") as copy:  # type: ignore[attr-defined]
            for one in shipped:
                copy.write_row((site, one.position, one.framed()))
    return time.perf_counter() - began


def _collected(dsn: str, batches: list[tuple[dict[str, str], bytes]]) -> float:
    collector = Collector(Connections(dsn))
    began = time.perf_counter()
    for headers, body in batches:
        assert collector.take(headers, body).status == 200
    return time.perf_counter() - began


def _size(connection: object) -> int:
    row = connection.execute("SELECT pg_database_size(current_database()) AS size").fetchone()  # type: ignore[attr-defined]
    return int(row["size"])


def main() -> None:
    """Measure, and say it as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--sites", type=int, default=4)
    given = options.parse_args()
    with running_server(fsync=True) as server:
        found = measured(f"{server} dbname=postgres", given.rows, given.sites)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}, indent=1))


if __name__ == "__main__":
    main()
