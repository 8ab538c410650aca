"""A call is priced by the moment it was answered, and counted under the day on which it began."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ippbx_billing.calls import TrafficType
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.settings import load
from ippbx_billing.tariffs import Figures, Price
from tests.bodies import fill, gateway_cdr
from tests.conftest import Cli

TELECOM = "022-天津-电信"
ALWAYS = Wanted(date(2026, 1, 1), date(2026, 12, 31))


def take(site: Path, *bodies: bytes) -> None:
    fill(site / "inbox.db", bodies)
    using = load(site)
    with Ledger(using.ledger_path) as ledger, Inbox(using.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, using)).drain()


def fees(cli: Cli) -> list[str]:
    return [call["fee"] for call in json.loads(cli("calls", "list", "--format", "json").stdout)]


@pytest.mark.parametrize(("rang_at", "ring_s"), [("06:59:57", 10), ("07:00:01", 6), ("06:59:00", 67)])
def test_the_window_is_that_of_the_answer(site: Path, cli: Cli, rang_at: str, ring_s: int) -> None:
    """Answered at 07:00:07 for 201 s, the call costs the price of the day, whenever it began to ring."""
    take(site, gateway_cdr("8001", "902162345678", 201, start=f"2026-10-13 {rang_at}", ring_s=ring_s))
    assert fees(cli) == ["2.38"]
    told = json.loads(cli("calls", "explain", "1", "--format", "json").stdout)
    assert told["priced_at"] == "2026-10-13T07:00:07+08:00"
    assert "Priced by the moment it was answered, 2026-10-13 07:00:07." in cli("calls", "explain", "1").stdout


def test_the_day_of_reports_stays_that_of_the_start(site: Path, cli: Cli) -> None:
    """It rang before midnight at the end of October and was answered in November."""
    take(site, gateway_cdr("8001", "902162345678", 60, start="2026-10-31 23:59:50", ring_s=20))
    asked = [cli("report", "--month", month, "--format", "json").stdout for month in ("2026-10", "2026-11")]
    assert [json.loads(one)["total"]["calls"] for one in asked] == [1, 0]


def test_the_version_of_a_price_is_that_of_the_answer(site: Path, cli: Cli) -> None:
    """A price that begins on the first of November is for the call that is answered then; rerate finds the same."""
    with Ledger(site / "ledger.db") as ledger:
        dear = Figures(60, 5_000_000, 60, 5_000_000)
        ledger.book.add_prices([Price(None, TELECOM, TrafficType.DOMESTIC, dear, date(2026, 11, 1))])
    take(
        site,
        gateway_cdr("8001", "902162345678", 60, start="2026-10-31 23:59:50", ring_s=20),
        gateway_cdr("8002", "902162345678", 60, start="2026-10-31 23:58:00", ring_s=20),
    )
    assert sorted(fees(cli)) == ["0.70", "5.00"]
    using = load(site)
    with Ledger(using.ledger_path) as ledger:
        assert Rerating(ledger, Rules.of(ledger, using), ALWAYS).run(datetime(2026, 11, 5, tzinfo=UTC)).changed == 0
        october = Wanted(date(2026, 10, 1), date(2026, 10, 31))
        assert Rerating(ledger, Rules.of(ledger, using), october).run(datetime(2026, 11, 5, tzinfo=UTC)).changed == 0


def test_charges_of_the_version_before_change_only_by_rerate(site: Path, cli: Cli) -> None:
    """A fee by the start of ringing stays until somebody rates again, and then the difference is shown."""
    take(site, gateway_cdr("8001", "902162345678", 201, start="2026-10-13 06:59:57", ring_s=10))
    with Ledger(site / "ledger.db") as ledger, ledger.transaction():
        ledger.connection.execute("UPDATE charges SET fee_micro = 1360000, window = 'night'")
    assert fees(cli) == ["1.36"]
    assert "1.36 CNY before and 2.38 now" in cli("rerate", "--month", "2026-10").stderr
    assert fees(cli) == ["2.38"]
