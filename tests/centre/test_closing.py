"""Months that are closed at the centre: files to the digit, late calls as adjustments, rated again at once."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psycopg")
pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")

from ippbx_billing.calls import TrafficType
from ippbx_billing.centre import closing, rerating
from ippbx_billing.centre.books import packed
from ippbx_billing.centre.closing import Adjusted, close
from ippbx_billing.centre.opening import connected
from ippbx_billing.centre.registry import SiteTable
from ippbx_billing.errors import UsageError
from ippbx_billing.history import months, pieces
from ippbx_billing.history.months import ClosedMonth
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Rules
from ippbx_billing.pipeline.rerating import Rerating, Wanted
from ippbx_billing.settings import load
from tests.centre.sites import Centre, at_centre, at_home, fill, records
from tests.conftest import Cli
from tests.pipeline.test_rerating import dearer

NOW = datetime(2027, 1, 5, tzinfo=UTC)


@pytest.fixture
def centre(dsn: str, site: Path) -> Iterator[Centre]:
    """A centre that has forty calls of October of the site `hq`, all rated."""
    made = Centre(dsn)
    made.add("hq", site)
    fill(site, records(40))
    made.ship("hq", site)
    made.rate()
    yield made
    made.close()


def closed(centre: Centre, history: Path, month: str = "2026-10", **more: Any) -> closing.Closing:
    """The site was heard yesterday, whatever the clock of the database says."""
    with connected(centre.dsn) as connection:
        connection.execute("UPDATE epochs SET last_at = %s", [NOW - timedelta(days=1)])
        return close(connection, history, "hq", month, NOW, **more)


def in_files(month: ClosedMonth) -> dict[str, tuple[int, int, int]]:
    """Calls, billed seconds and fees by status, as the files have them."""
    found: dict[str, tuple[int, int, int]] = {}
    for path in month.paths:
        for batch in pieces.batches(path):
            columns = (batch.values(name) for name in ("status", "billed_s", "fee_micro"))
            for status, billed_s, fee in zip(*columns, strict=True):
                one = found.get(status, (0, 0, 0))
                found[status] = (one[0] + 1, one[1] + billed_s, one[2] + (fee or 0))
    return found


def test_mode_12_late_calls_are_adjustments_of_the_month_closed_next(
    centre: Centre, site: Path, tmp_path: Path
) -> None:
    """A closed month stays as it is; what came late is told once, with its fee, in the next month."""
    october = closed(centre, tmp_path)
    assert (october.new, october.adjusted) == (True, Adjusted())
    assert in_files(october.month) == at_home(site) == at_centre(centre.dsn, "hq")
    assert closed(centre, tmp_path).new is False
    before = sum(fee for *_, fee in at_home(site).values())
    fill(site, records(3, seed=9))
    centre.ship("hq", site)
    centre.rate()
    late = sum(fee for *_, fee in at_home(site).values()) - before
    assert closed(centre, tmp_path, "2026-11").adjusted == Adjusted(3, late)
    assert closed(centre, tmp_path, "2026-12").adjusted == Adjusted()
    assert closed(centre, tmp_path).month == october.month
    assert centre.asked("SELECT DISTINCT month, told_in, calls FROM adjustments") == [("2026-10", "2026-11", 1)]


def test_mode_4_what_is_not_complete_is_not_closed(centre: Centre, site: Path, tmp_path: Path) -> None:
    """A month that is not over, rows that wait, a gap, a site that was never heard: each is a sentence."""
    with pytest.raises(UsageError, match="2027-01 is not over at hq"):
        closed(centre, tmp_path, "2027-01")
    with connected(centre.dsn) as connection:
        SiteTable(connection).add("silent", "acme", packed(site))
        with pytest.raises(UsageError, match="silent has sent nothing since 2026-10 was over"):
            close(connection, tmp_path, "silent", "2026-10", NOW)
        connection.execute("INSERT INTO gaps (site, epoch, first, last) SELECT site, epoch, 900, 904 FROM epochs")
    with pytest.raises(UsageError, match="5 rows of hq are missing"):
        closed(centre, tmp_path)
    fill(site, records(2, seed=3))
    centre.ship("hq", site)
    with pytest.raises(UsageError, match="rows of hq are not rated yet"):
        closed(centre, tmp_path, accept_gaps=True)
    centre.rate()
    assert closed(centre, tmp_path, accept_gaps=True).new
    assert not list(tmp_path.glob("site=silent/*"))


def another_book(centre: Centre, site: Path) -> None:
    """Domestic and local calls cost more from now on, by the site's book at the centre."""
    with Ledger(site / "ledger.db") as ledger:
        for kind in (TrafficType.DOMESTIC, TrafficType.LOCAL):
            dearer(ledger, kind)
    with connected(centre.dsn) as connection:
        SiteTable(connection).put_book("hq", packed(site))


def rerated_at_home(site: Path) -> None:
    using = load(site, environment={})
    with Ledger(using.ledger_path) as ledger:
        wanted = Wanted(date(2026, 10, 1), date(2026, 10, 31))
        Rerating(ledger, Rules.of(ledger, using), wanted).run(NOW)


def test_mode_13_a_closed_month_is_rated_again_and_swapped_as_a_whole(
    centre: Centre, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables, sums and files are those of the site that rates again; a death between tables and files is made good."""
    month = closed(centre, tmp_path).month
    another_book(centre, site)
    before = at_centre(centre.dsn, "hq")
    with connected(centre.dsn) as connection:
        [again] = rerating.rate_again(connection, [month])
        assert at_centre(centre.dsn, "hq") == before == in_files(months.read(month.folder))
        with monkeypatch.context() as patch:
            patch.setattr(months, "put_in_force", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                rerating.put_in_force(connection, again)
        assert in_files(months.read(month.folder)) == before
        after = closing.agreed(connection, tmp_path, "hq", "2026-10")
    assert after is not None
    rerated_at_home(site)
    assert at_home(site) == in_files(after) == at_centre(centre.dsn, "hq") == at_centre(centre.dsn, "hq", "rollups")
    assert at_home(site) != before
    assert months.read(month.folder).earlier == (month.pieces,)


def test_the_commands_close_rate_again_and_ask(
    centre: Centre, cli: Cli, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From closing to a question over the files, each step a command, its fees exact."""
    monkeypatch.setenv("IPPBX_BILL_CENTRE", centre.dsn)
    monkeypatch.setenv("IPPBX_BILL_HISTORY", str(tmp_path / "history"))

    def told(*arguments: str) -> list[dict[str, Any]]:
        result = cli("centre", *arguments, "--format", "json")
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    (shut,) = told("close", "--month", "2026-10")
    fee = Decimal(sum(one for *_, one in at_home(site).values())).scaleb(-6)
    assert (shut["calls"], Decimal(shut["fee"]), shut["new"]) == (40, fee, True)
    another_book(centre, site)
    (shown,) = told("rerate", "--month", "2026-10")
    assert shown["changed"] > 0
    assert told("rerate", "--month", "2026-10", "--apply") == [shown]
    assert told("rerate", "--month", "2026-10")[0]["changed"] == 0
    (answer,) = told("ask", "SELECT site, count(*) AS calls, sum(fee) AS fee FROM calls GROUP BY site")
    assert (answer["site"], answer["calls"]) == ("hq", 40)
    assert Decimal(answer["fee"]) == fee + Decimal(shown["difference"])
    open_month = cli("centre", "rerate", "--month", "2026-09")
    assert (open_month.exit_code, "centre close --month 2026-09" in open_month.output) == (2, True)
