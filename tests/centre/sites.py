"""Sites with events in their inboxes, and a centre in this process that they ship to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ippbx_billing import inbox
from ippbx_billing.centre.books import packed
from ippbx_billing.centre.collecting import Collector, Connections, ShipAnswer
from ippbx_billing.centre.opening import connected
from ippbx_billing.centre.rating import Rater
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.inbox import Delivery, Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load
from ippbx_billing.ship.shipping import Route, Shipper
from ippbx_billing.simulation.traffic import SimulatedSite, cdr_body, status_bodies

Sent = Callable[[Mapping[str, str], bytes], ShipAnswer]
Sums = dict[str, tuple[int, int, int]]


def delivery(body: bytes, kind: str = "cdr") -> Delivery:
    """What came through one of the doors on the last day of October."""
    arrived = int(datetime(2026, 10, 31, 15, tzinfo=UTC).timestamp()) * 1_000_000
    return Delivery(arrived, kind, "10.0.0.2", "POST", "/", "", b"content-type: application/json", body)


def records(count: int, seed: int = 1) -> list[Delivery]:
    """What a PBX sends of so many calls of an office: their steps and their records; the same seed is the same."""
    office = SimulatedSite(seed, area_code="022")
    found = []
    for call in office.calls(count, date(2026, 10, 1), date(2026, 10, 31), ZoneInfo("Asia/Shanghai")):
        found += [delivery(body, "status") for body in status_bodies(call, "json")]
        found.append(delivery(cdr_body(call, "json")))
    return found


def fill(data_dir: Path, deliveries: list[Delivery]) -> None:
    """Into the site's inbox, and through its own pipeline."""
    inbox.keep_all(data_dir / "inbox.db", deliveries)
    rate_at_home(data_dir)


def rate_at_home(data_dir: Path) -> None:
    """The site's own ledger is up to date."""
    using = load(data_dir, environment={})
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as events:
        Pipeline(events, ledger, lambda: Rules.of(ledger, using)).drain()


def at_home(data_dir: Path) -> Sums:
    """Calls, billed seconds and fees by status, as the site's ledger has them."""
    with Ledger(data_dir / "ledger.db") as ledger:
        rows = ledger.connection.execute(
            "SELECT status, count(*), sum(billed_s), ifnull(sum(fee_micro), 0) FROM charges GROUP BY 1"
        ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def at_centre(dsn: str, site: str, table: str = "calls") -> Sums:
    """The same as the centre has them, counted from its calls or from its sums."""
    count = "count(*)" if table == "calls" else "sum(calls)::bigint"
    with connected(dsn) as connection:
        rows = connection.execute(
            f"SELECT status, {count} AS calls, sum(billed_s)::bigint AS s, coalesce(sum(fee_micro), 0)::bigint AS fee "  # type: ignore[call-overload]
            f"FROM {table} WHERE site = %s GROUP BY 1",
            [site],
        ).fetchall()
    return {row["status"]: (row["calls"], row["s"], row["fee"]) for row in rows}


class Centre:
    """A centre that takes batches in this process."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.connections = Connections(dsn)
        self.collector = Collector(self.connections)
        self.keys: dict[str, bytes] = {}

    def add(self, name: str, data_dir: Path, tenant: str = "acme") -> bytes:
        """Let a site in, with the book that it has itself."""
        with connected(self.dsn) as connection:
            self.keys[name] = SiteTable(connection).add(name, tenant, packed(data_dir))
        return self.keys[name]

    @contextmanager
    def shipper(self, name: str, data_dir: Path, way: Callable[[Sent], Sent] = lambda sent: sent) -> Iterator[Shipper]:
        """A site's shipper whose posts come here; `way` may lose, repeat or change them."""
        take = way(self.collector.take)

        def answer(request: httpx.Request) -> httpx.Response:
            told = take({key.lower(): value for key, value in request.headers.items()}, request.read())
            headers = {"retry-after": str(told.pause_s)} if told.pause_s else {}
            return httpx.Response(int(told.status), json=dict(told.told), headers=headers)

        route = Route("http://127.0.0.1:1", name, data_dir)
        with Shipper(route, data_dir / "inbox.db", self.keys[name]) as shipper:
            shipper._client = httpx.Client(transport=httpx.MockTransport(answer))
            yield shipper

    def ship(self, name: str, data_dir: Path) -> int:
        """All that waits."""
        with self.shipper(name, data_dir) as shipper:
            return shipper.drain()

    def rate(self) -> int:
        """All that came; gives how many steps that took."""
        steps = 0
        with connected(self.dsn) as connection, connected(self.dsn) as notes:
            rater = Rater(connection, notes, 0)
            while rater.step():
                steps += 1
            rater.close()
        return steps

    def asked(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the centre's database answers."""
        with connected(self.dsn) as connection:
            return [tuple(row.values()) for row in connection.execute(sql, values)]  # type: ignore[call-overload]

    def close(self) -> None:
        self.connections.close()
